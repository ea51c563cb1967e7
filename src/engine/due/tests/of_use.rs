//! What tells of the change beforehand is of use only before it: quiet hours keep no letter until it is over, what was slept
//! over until then is held, and what the file itself puts too late is said.

use super::*;
use crate::engine::Wish;

const DAYS_OFF: &str = "[calendar]\nquiet_days_off = true\n";

/// The change is on Saturday, 3 April, and everybody knows.
fn saturday() -> (String, Play) {
    let campaign = format!("{}{DAYS_OFF}", CAMPAIGN.replace("2027-03-31T18", "2027-04-03T18"));
    let play = Play::of(&campaign);
    assert_eq!(play.at("2027-03-22T09:00").tick().sent, 3);
    (campaign, play)
}

impl Play {
    fn amends(&self) -> Sent {
        self.engine().amend(&Wish::default(), &AtomicBool::new(false), &mut |_| {}).expect("amended").1
    }

    pub(super) fn asks_for(&self, notice: &str, limit: Option<usize>) -> Sent {
        let engine = &mut self.engine();
        engine.send(Some(notice), &To::Everyone, limit, false, &AtomicBool::new(false), &mut |_| {}).expect("sent")
    }
}

#[test]
fn an_amendment_that_quiet_hours_would_keep_until_the_change_is_over_goes_out_in_them() {
    // To Sunday, before Monday; and to a week later, before which everybody comes on Saturday.
    for (to, last) in [("2027-04-04T18", "2027-04-03T16:00"), ("2027-04-10T18", "2027-04-03T16:00")] {
        let (campaign, play) = saturday();
        play.write(&campaign.replace("2027-04-03T18", to));
        let wish = Wish { reason: "no room".to_owned(), ..Wish::default() };
        let urgent = {
            let engine = play.at("2027-04-03T09:00").engine();
            engine.urgent_after(&engine.amendment(&wish).expect("one")).expect("told")
        };
        let sent = play.engine().amend(&wish, &AtomicBool::new(false), &mut |_| {}).expect("amended").1;
        assert_eq!((sent.planned, sent.sent, sent.asleep.len()), (3, 3, 0), "{to}");
        assert_eq!(sent.urgent, urgent, "said before it is asked for, too");
        assert_eq!(
            sent.urgent[0].words(&|at| at.format("%a %H:%M").to_string()),
            "3 letters of 'news' go out in quiet hours: those end Sun 22:00, and they are of use only until Sat 16:00"
        );
        assert_eq!(sent.urgent[0].useful_until, day(last));
        let reasons: Vec<String> = play.letters("news").into_iter().skip(3).map(|one| one.reason).collect();
        let late = "no room; this could not wait until your quiet hours are over: the date comes first";
        assert_eq!(reasons[0], late);
        assert!(reasons[1].contains("Ruhezeit"), "in Bea's language: {}", reasons[1]);
    }
}

#[test]
fn an_amendment_that_can_wait_waits_and_one_to_an_earlier_hour_of_the_night_does_not() {
    let (campaign, play) = saturday();
    play.write(&campaign.replace("2027-04-03T18", "2027-04-10T18"));
    let sent = play.at("2027-03-27T09:00").amends();
    assert_eq!((sent.sent, sent.asleep.len(), sent.urgent.len()), (0, 1, 0), "Monday is soon enough");

    let nights = CAMPAIGN.replace("2027-03-31T18", "2027-03-31T06") + "[calendar]\nquiet = \"20:00-07:00\"\n";
    let play = Play::of(&nights);
    assert_eq!(play.at("2027-03-17T09:00").tick().sent, 3);
    play.write(&nights.replace("2027-03-31T06", "2027-03-31T05"));
    let sent = play.at("2027-03-30T19:00").amends();
    assert_eq!((sent.sent, sent.urgent.len()), (3, 1), "at 21:00, for 05:00");
}

#[test]
fn what_waits_for_the_morning_goes_out_when_somebody_asks_for_it_or_the_quiet_hours_are_no_more() {
    let (campaign, play) = saturday();
    let moved = campaign.replace("2027-04-03T18", "2027-04-10T18");
    play.write(&moved);
    assert_eq!(play.at("2027-03-27T09:00").amends().sent, 0);
    let forecast = |notice| play.engine().forecast(notice, &To::Everyone, None, false).expect("counted");
    assert_eq!((forecast(None), forecast(Some("news"))), ((0, 0), (3, 3)));
    assert_eq!(play.at("2027-03-27T09:10").tick().sent, 0);
    assert_eq!(play.asks_for("news", Some(1)).sent, 1);
    assert_eq!(play.at("2027-03-27T09:20").tick().sent, 0, "the others go on waiting");
    assert_eq!(play.asks_for("news", None).sent, 2);

    play.write(&moved.replace("2027-04-10T18", "2027-04-11T18"));
    assert_eq!(play.at("2027-03-27T09:30").amends().sent, 0);
    play.write(&moved.replace("2027-04-10T18", "2027-04-11T18").replace(DAYS_OFF, ""));
    assert_eq!(play.at("2027-03-27T09:40").tick().sent, 3, "the file has no quiet days any more");
}

#[test]
fn the_pause_of_the_server_is_not_taken_for_quiet_hours() {
    let (campaign, play) = saturday();
    play.write(&campaign.replace("2027-04-03T18", "2027-04-10T18"));
    play.at("2027-03-27T09:00").amends();
    let ledger = rusqlite::Connection::open(play.folder.path().join(".flagday/ledger.db")).expect("the ledger");
    // Deferred on Friday until Saturday noon, and then Saturday was quiet.
    let noon = day("2027-03-27T12:00").timestamp_millis();
    let put_off = "UPDATE message SET ready_at = ?, attempts = 1 WHERE ready_at IS NOT NULL";
    assert_eq!(ledger.execute(put_off, [noon]).expect("put off"), 3);
    drop(ledger);
    assert_eq!(play.at("2027-03-27T11:59").asks_for("news", None).sent, 0);
    assert_eq!(play.at("2027-03-27T12:00").asks_for("news", None).sent, 3);
}

#[test]
fn what_was_slept_over_until_the_change_is_held_and_shown() {
    let near = CAMPAIGN
        .replace(
            "[notice.reminder]",
            "[notice.logoff]\naudience = \"all\"\nat = \"T-2h\"\ntemplate = \"all-clear\"\n[notice.reminder]",
        )
        .replace(r#""T-5d", "T-4d"]"#, r#""T-4h"]"#)
        .replace("due = \"T-3d\"", "due = \"T-1h\"")
        .replace(r#"{ at = "T-3d", to = "manager" }"#, r#"{ at = "T-1h", to = "manager" }"#)
        .replace(r#", { at = "T-2d", to = "alternate" }, { at = "T-1d", task = "phone" }"#, "");
    let play = Play::of(&near);
    play.tick();
    play.at("2027-03-31T11:00").tick();
    // The change is at 18:00 in Berlin, 16:00 here, and the windows are a day long.
    let sent = play.at("2027-03-31T22:30").tick();
    let mut held: Vec<_> = sent.late.iter().map(|entry| entry.notice.clone().unwrap_or_default()).collect();
    held.sort();
    assert_eq!((sent.sent, held), (0, vec!["escalation".to_owned(), "logoff".to_owned(), "reminder".to_owned()]));
    let states: Vec<_> = play.engine().plan(None).expect("a plan").into_iter().map(|line| line.state).collect();
    assert_eq!(states.iter().filter(|state| *state == "held").count(), 3, "{states:?}");
    assert_eq!(play.asks_for("logoff", None).sent, 3, "whoever asks for it by name means it");

    let play = Play::of(&near);
    play.tick();
    let sent = play.at("2027-03-31T15:30").tick();
    assert_eq!(
        sent.late.iter().filter_map(|one| one.notice.as_deref()).collect::<Vec<_>>(),
        ["reminder"],
        "it was due"
    );
    assert_eq!(sent.sent, 3 + 2, "the notice, and those who are asked instead");
}

#[test]
fn what_quiet_hours_put_off_until_the_change_is_said_beforehand_and_held_while_it_is_of_use() {
    // The change is on Sunday, 4 April, at 18:00.
    let campaign = CAMPAIGN
        .replace("2027-03-31T18", "2027-04-04T18")
        .replace("at = \"T-14d\"", "at = \"T-1d 09:00\"")
        .replace(r#""T-5d", "T-4d"]"#, r#""T-5d", "T-3d 23:00"]"#);
    let campaign = format!("{campaign}[calendar]\nquiet = \"20:00-07:00\"\nquiet_days_off = true\n");
    let campaign = campaign.replace("due = \"T-3d\"", "due = \"T-2d 05:00\"");
    let play = Play::of(&campaign);
    let words = |play: &Play| -> Vec<String> {
        play.engine()
            .check(false)
            .expect("checked")
            .into_iter()
            .filter(|one| one.code == "quiet-too-late")
            .map(|one| one.cause)
            .collect()
    };
    let said = words(&play);
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(
        said[0].contains("reminder of 'read' at T-3d 23:00") && said[0].contains("due Fri 2027-04-02 05:00"),
        "{said:#?}"
    );
    assert!(said[1].contains("'news' at T-1d 09:00, Sat 2027-04-03 09:00 CEST"), "{said:#?}");
    assert!(said[1].contains("end Mon 2027-04-05 07:00 CEST, and the change is Sun 2027-04-04 18:00"), "{said:#?}");
    let states = |play: &Play| -> Vec<String> {
        let plan = play.engine().plan(None).expect("a plan").into_iter();
        plan.filter(|one| one.notice == "news").map(|one| one.state).collect()
    };
    assert_eq!(states(&play), ["too late"]);
    play.at("2027-04-03T06:59").tick();
    let held = play.at("2027-04-03T07:00").tick();
    assert_eq!((held.sent, held.late.len()), (0, 1), "shown at its hour, and nobody's Saturday is disturbed unasked");
    assert_eq!(states(&play), ["held"]);
    assert_eq!(play.asks_for("news", None).sent, 3);
}

#[test]
fn what_began_to_go_out_before_quiet_hours_that_last_until_the_change_goes_on_in_them() {
    let night = CAMPAIGN.replace("2027-03-31T18", "2027-03-31T06").replace("\"T-14d\"", "\"T-12h\"");
    let play = Play::of(&format!("{night}[calendar]\nquiet = \"20:00-07:00\"\n"));
    // Due at 18:00, and the machine was off until 21:00.
    assert_eq!(play.at("2027-03-30T19:00").tick().sent, 3);
}

#[test]
fn a_reminder_that_some_clock_puts_after_the_answer_is_due_is_said_beforehand_and_held() {
    // The answer is due on the 28th at 09:00 in Berlin. In Los Angeles it is still night then.
    let campaign = CAMPAIGN.replace(r#""T-5d", "T-4d"]"#, r#""T-5d", "2027-03-28 08:00"]"#);
    let play = Play::of(&campaign);
    let warned = |play: &Play| -> Vec<String> {
        let found = play.engine().check(false).expect("checked").into_iter();
        found.filter(|one| one.code == "too-late-elsewhere").map(|one| one.cause).collect()
    };
    assert!(warned(&play).is_empty());
    let people = PEOPLE.replace("language\n", "language,time_zone\n");
    let people: String = people
        .lines()
        .map(|row| match row.split(',').next() {
            Some("id") => format!("{row}\n"),
            Some("ann") => format!("{row},America/Los_Angeles\n"),
            _ => format!("{row},\n"),
        })
        .collect();
    fs_err::write(play.folder.path().join("people.csv"), people).expect("written");
    let said = warned(&play);
    assert_eq!(said.len(), 1, "{said:#?}");
    assert!(
        said[0].contains("reminder of 'read' at 2027-03-28 08:00") && said[0].contains("Sun 2027-03-28 08:00 PDT"),
        "{said:#?}"
    );
    assert_eq!(play.at("2027-03-17T17:00").tick().sent, 3);
    play.at("2027-03-26T17:05").tick();
    let before = play.to("reminder").len();
    play.at("2027-03-28T06:05").tick();
    let held = play.at("2027-03-28T15:05").tick();
    let ann = play.to("reminder")[before..].iter().filter(|(id, _)| id == "ann").count();
    assert_eq!((play.to("reminder").len(), ann), (before + 2, 0), "Bea and Cy, in time");
    assert!(held.late.iter().any(|one| one.notice.as_deref() == Some("reminder")), "{:?}", held.late);
}

#[test]
fn a_reminder_that_the_file_puts_after_the_answer_is_due_is_held_too() {
    let asks = CAMPAIGN.replace("due = \"T-3d\"", "due = \"T-3d 12:00\"");
    let play = Play::of(&asks.replace(r#""T-5d", "T-4d"]"#, r#""T-3d 14:00"]"#));
    assert_eq!(play.tick().sent, 3);
    let warned: Vec<_> = play.engine().check(false).expect("checked").into_iter().map(|one| one.code).collect();
    assert!(!warned.contains(&"too-late-elsewhere"), "the file says it of its own line: {warned:?}");
    let state = |play: &Play| {
        let planned = play.engine().plan(None).expect("planned").into_iter();
        planned.filter(|one| one.moment == "T-3d 14:00").map(|one| one.state).collect::<Vec<_>>()
    };
    assert_eq!(state(&play), ["too late"]);
    play.at("2027-03-24T08:05").tick();
    let before = play.to("reminder").len();
    let held = play.at("2027-03-28T12:05").tick();
    assert_eq!(play.to("reminder").len(), before, "whoever is late is escalated: {held:?}");
    assert!(!play.to("escalation").is_empty());
    assert_eq!((state(&play), held.late.len()), (vec!["held".to_owned()], 1));
    assert_eq!(play.asks_for("reminder", None).sent, 3, "whoever asks for it by name means it");
}

#[test]
fn an_amendments_letter_that_was_not_composed_before_the_change_is_held_and_shown_after_it() {
    let play = Play::of(&CAMPAIGN.replace("at = \"T-14d\"", "at = \"T-14d 09:00\""));
    assert_eq!(play.tick().sent, 3);
    play.write(&CAMPAIGN.replace("at = \"T-14d\"", "at = \"T-14d 09:00\"").replace("2027-03-31T18", "2027-03-30T18"));
    let mut engine = play.at("2027-03-20T09:00").engine();
    // Killed between taking it over and writing the letters.
    let amendment = engine.amendment(&Wish::default()).expect("found");
    let facts = engine.facts_after(&amendment).expect("facts");
    let change = crate::ledger::Takeover {
        everything: true,
        facts: Some(("digest".to_owned(), facts)),
        reason: String::new(),
        cosmetic: Vec::new(),
        owed: amendment.owed.clone(),
        restored: Vec::new(),
        left: Vec::new(),
        members: engine.members(),
    };
    let now = engine.now();
    engine.ledger.amend(&change, now).expect("taken over");
    drop(engine);
    assert_eq!(play.at("2027-03-20T10:00").engine().owed().expect("owed").len(), 3);
    let after = play.at("2027-03-30T16:05").tick();
    assert_eq!((after.planned, after.late.len()), (0, 1), "nobody is told of a date that has passed");
    assert_eq!(play.engine().overdue().expect("counted"), 3, "status counts them");
    assert_eq!(play.asks_for("news", None).sent, 3, "whoever asks for it by name means it");
    assert_eq!(play.at("2027-03-30T16:10").tick().planned, 0);
}
