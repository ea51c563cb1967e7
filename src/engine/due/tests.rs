//! Reminders and escalations over simulated days: what goes out when, whatever the ticks and the answers.

mod again; // letters that failed, to the address that is right by now
mod by_name; // reminders that somebody asks for
mod amended; // revisions, and those who were asked to remind
mod clock; // ahead, and then right
mod came_back; // from the address of before, or from that of today
mod chain; // manager, alternate, call: each once
mod slept; // hours that were slept over, and days by whose clock
mod of_use; // what tells of the change is of use only before it
mod back; // left with a letter that waited or was in doubt, and back
mod moved_on; // told, and in no audience any more
mod newest; // several reminders at once
mod nights; // quiet hours for what waits
mod fates; // what `plan --person` says
mod returned; // back, with a letter that was overtaken
mod readers; // by whose clock an escalation goes
mod postponed; // put off, and the server is down
mod unread; // a mailbox that cannot be read, and what waits for it
mod unsent; // our own letter did not leave, or did not arrive
mod waiting; // letters that wait while facts and people change
mod timely; // told after the hour of an escalation
mod true_again; // a date that moved and moved back
mod two_notices; // an acknowledgement each, and who has to answer both

use crate::answer::Kind;
use crate::engine::{Answer, Engine, Sent, To};
use crate::fault::Result;
use crate::ledger::MessageRow;
use crate::system::{Standing, World};
use chrono::{DateTime, Duration, Utc};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::AtomicBool;

const CAMPAIGN: &str = r#"
[campaign]
name = "vpn"
change_at = 2027-03-31T18:00:00
time_zone = "Europe/Berlin"
contact = "IT"
[mail]
from = "it@corp.example"
[[roster]]
file = "people.csv"
[audience]
all = {}
[notice.news]
audience = "all"
at = "T-14d"
template = "all-clear"
[notice.reminder]
audience = "all"
[notice.escalation]
audience = "all"
[acknowledgement.read]
audience = "all"
notice = "news"
grade = "confirmed"
due = "T-3d"
remind = ["T-10d", "T-7d", "T-5d", "T-4d"]
escalate = [{ at = "T-3d", to = "manager" }, { at = "T-2d", to = "alternate" }, { at = "T-1d", task = "phone" }]
cap = 8
"#;

const PEOPLE: &str = "id,name,email,kind,manager_email,alternate_email,language\n\
                      ann,Ann,ann@corp.example,user,boss@corp.example,aide@corp.example,\n\
                      bea,Bea,bea@corp.example,user,,aide@corp.example,de\n\
                      cy,Cy,cy@corp.example,user,,,\n";

struct Play {
    folder: tempfile::TempDir,
    clock: Standing,
}

impl Play {
    fn new() -> Play {
        Play::of(CAMPAIGN)
    }

    fn of(campaign: &str) -> Play {
        // In memory where the system has such a place: what syncs many thousand times is quick there.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let folder = folder.expect("a folder");
        fs_err::write(folder.path().join("flagday.toml"), campaign).expect("written");
        fs_err::write(folder.path().join("people.csv"), PEOPLE).expect("written");
        Play { folder, clock: Standing::at(day("2027-03-17T09:00")) }
    }

    /// By the clock of Berlin in winter, in UTC.
    fn at(&self, moment: &str) -> &Play {
        self.clock.set(day(moment));
        self
    }

    fn server_is_down(&self, down: bool) {
        self.clock.mail_is_down(down);
    }

    fn write(&self, campaign: &str) {
        fs_err::write(self.folder.path().join("flagday.toml"), campaign).expect("written");
    }

    fn engine(&self) -> Engine<'_> {
        Engine::open(self.folder.path(), &self.clock).expect("opened")
    }

    fn tick(&self) -> Sent {
        self.engine().send(None, &To::Everyone, None, false, &AtomicBool::new(false), &mut |_| {}).expect("sent")
    }

    fn record(&self, person: &str, kind: Kind) {
        self.says(person, kind, if kind == Kind::HardBounce { "550 no such user" } else { "" });
    }

    fn says(&self, person: &str, kind: Kind, words: &str) {
        let answer = Answer {
            person: person.to_owned(),
            acknowledgement: Some("read".to_owned()),
            kind: Some(kind),
            note: words.to_owned(),
            ..Answer::default()
        };
        self.engine().record(&answer).expect("recorded");
    }

    fn letters(&self, notice: &str) -> Vec<MessageRow> {
        let all = self.engine().ledger().messages().expect("messages");
        all.into_iter().filter(|message| message.notice == notice).collect()
    }

    fn to(&self, notice: &str) -> Vec<(String, String)> {
        let letters = self.letters(notice).into_iter();
        letters.map(|one| (one.person, one.envelope_to.unwrap_or_default())).collect()
    }
}

fn day(text: &str) -> DateTime<Utc> {
    format!("{text}:00Z").parse().expect("a time")
}

#[test]
fn reminders_then_the_manager_then_the_alternate_then_a_call() {
    let play = Play::new();
    assert_eq!(play.tick().sent, 3);
    play.at("2027-03-21T08:05").tick();
    play.record("cy", Kind::Confirmed);
    let second = play.at("2027-03-24T08:05").tick();
    assert_eq!(second.sent, 2, "not to who has answered");
    play.at("2027-03-26T08:05").tick();
    let reminders = play.letters("reminder");
    let last = reminders.last().expect("a reminder");
    assert_eq!(last.reason, "Ihre Antwort fehlt noch; dies ist Erinnerung 3 von 4", "in Bea's language");
    assert_eq!(play.at("2027-03-27T08:05").tick().sent, 2);
    // Clocks went forward on the 28th: 09:00 is 07:00 UTC now.
    assert_eq!(play.at("2027-03-28T06:59").tick().planned, 0);
    play.at("2027-03-28T07:00").tick();
    let escalations = play.to("escalation");
    assert_eq!(escalations[0], ("ann".to_owned(), "boss@corp.example".to_owned()));
    assert_eq!(play.letters("escalation")[0].reason, "Ann has not answered 5 letters of ours");
    assert_eq!(escalations[1], ("bea".to_owned(), "aide@corp.example".to_owned()), "she has no manager");
    let tasks = play.at("2027-03-29T07:00").tick().tasks;
    assert_eq!(play.to("escalation")[2..], [("ann".to_owned(), "aide@corp.example".to_owned())]);
    assert_eq!(
        tasks.iter().map(|task| task.what.as_str()).collect::<Vec<_>>(),
        ["nobody to escalate to: call Bea (no phone number in the roster)"]
    );
    let tasks = play.at("2027-03-30T07:00").tick().tasks;
    assert_eq!(
        tasks.iter().map(|task| task.person.as_str()).collect::<Vec<_>>(),
        ["ann"],
        "Bea is to be called already"
    );
}

#[test]
fn a_letter_names_an_audience_only_where_all_of_it_gets_it() {
    let play = Play::new();
    play.tick();
    play.at("2027-03-21T08:05").tick();
    play.at("2027-03-28T07:00").tick();
    let ends = |notice: &str, to: &str| {
        let letter = play.letter_to(notice, to);
        (letter.contains("It went to:"), letter.contains("Sie ging an:"))
    };
    let (ann, bea, aide) = ("ann@corp.example", "bea@corp.example", "aide@corp.example");
    assert_eq!((ends("news", ann), ends("news", bea)), ((true, false), (false, true)));
    for (notice, to) in [("reminder", ann), ("reminder", bea), ("escalation", aide)] {
        assert_eq!(ends(notice, to), (false, false), "{notice} to {to}");
    }
}

#[test]
fn whoever_mail_does_not_reach_is_escalated_at_once_and_reminded_no_more() {
    let play = Play::new();
    play.tick();
    play.record("ann", Kind::HardBounce);
    play.record("cy", Kind::HardBounce);
    let sent = play.at("2027-03-18T09:00").tick();
    assert_eq!(play.to("escalation"), [("ann".to_owned(), "boss@corp.example".to_owned())]);
    assert_eq!(play.letters("escalation")[0].reason, "our mail to Ann comes back undelivered");
    assert_eq!(sent.tasks.iter().map(|task| task.person.as_str()).collect::<Vec<_>>(), ["cy"], "nobody else to ask");
    play.at("2027-03-21T08:05").tick();
    assert_eq!(play.to("reminder").iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["bea"]);
    assert_eq!(play.at("2027-03-22T08:05").tick().planned, 0, "once");
}

#[test]
fn whoever_is_away_over_the_deadline_is_escalated_at_once_and_reminded_when_back() {
    let play = Play::new();
    play.tick();
    // The answer is due on the 28th. Ann is back the day after, Bea in time, and Cy did not say when.
    play.says("ann", Kind::AutoReply, "back on 2027-03-29");
    play.says("bea", Kind::AutoReply, "back on 2027-03-22");
    play.says("cy", Kind::AutoReply, "out of the office");
    play.at("2027-03-18T09:00").tick();
    assert_eq!(play.to("escalation"), [("ann".to_owned(), "boss@corp.example".to_owned())]);
    assert_eq!(play.letters("escalation")[0].reason, "Ann is away until 2027-03-29, and the answer is needed before");
    play.at("2027-03-21T08:05").tick();
    assert_eq!(play.to("reminder").iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["cy"]);
    play.at("2027-03-24T08:05").tick();
    assert_eq!(play.to("reminder")[1..].iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["bea", "cy"]);
    // The chain goes on from there: the manager has been asked, the alternate has not.
    play.at("2027-03-28T07:00").tick();
    assert_eq!(play.to("escalation").iter().filter(|(id, _)| id == "ann").count(), 1);
    play.at("2027-03-29T07:00").tick();
    assert!(play.to("escalation").contains(&("ann".to_owned(), "aide@corp.example".to_owned())));
}

#[test]
fn a_list_that_is_edited_in_mid_campaign_sends_nothing_twice() {
    let play = Play::new();
    play.tick();
    assert_eq!(play.at("2027-03-21T08:05").tick().planned, 3);
    let edited = CAMPAIGN.replace(r#"remind = ["T-10d", "#, r#"remind = ["T-12d", "T-10d 09:00", "#);
    play.write(&edited);
    assert_eq!(play.at("2027-03-21T08:30").tick().planned, 0);
    play.at("2027-03-28T08:00").tick();
    assert_eq!(play.to("escalation").len(), 2, "to Ann's manager and Bea's alternate");
    play.write(&edited.replace(r#"at = "T-3d", to"#, r#"at = "T-3d 08:30", to"#));
    let sent = play.at("2027-03-28T08:30").tick();
    assert_eq!((sent.planned, sent.tasks.len()), (0, 0), "nobody is asked again because the hour was edited");
}

#[test]
fn nobody_gets_more_than_the_cap() {
    let play = Play::of(&CAMPAIGN.replace("cap = 8", "cap = 2"));
    for day in 17..=31 {
        play.at(&format!("2027-03-{day}T09:30")).tick();
    }
    for person in ["ann", "bea", "cy"] {
        let count = |notice| play.letters(notice).iter().filter(|one| one.person == person).count();
        assert_eq!(count("reminder") + count("escalation"), 2, "{person}");
    }
}

#[test]
fn a_reminder_in_the_queue_is_taken_back_when_the_answer_comes() {
    let play = Play::new();
    play.tick();
    play.at("2027-03-21T08:05");
    // Planned, and not carried: as when the server puts it off.
    let stopped = AtomicBool::new(true);
    play.engine().send(None, &To::Everyone, None, false, &stopped, &mut |_| {}).expect("planned");
    play.record("ann", Kind::Confirmed);
    play.at("2027-03-21T09:05");
    assert_eq!(play.tick().sent, 2);
    let ann = play.letters("reminder").into_iter().find(|one| one.person == "ann").expect("hers");
    assert_eq!((ann.state.word(), ann.reply.as_str()), ("cancelled", "not needed any more: ann confirmed"));
}

#[test]
fn a_reminder_in_the_queue_is_taken_back_when_the_person_is_waived() {
    let gate = "[gate.all]\nacknowledgement = \"read\"\ntwo_person = true\n";
    let play = Play::of(&format!("{CAMPAIGN}{gate}"));
    play.tick();
    play.at("2027-03-21T08:05");
    let stopped = AtomicBool::new(true);
    play.engine().send(None, &To::Everyone, None, false, &stopped, &mut |_| {}).expect("planned");
    let waive = |person, by, until| {
        let waive = crate::engine::Waive { person, only: None, reason: "on leave", by, until };
        play.engine().waive(waive).expect("waived");
    };
    waive("ann", "Pat", None);
    waive("ann", "Kim", None);
    waive("bea", "Pat", None);
    waive("cy", "Pat", Some("2027-03-21 09:30"));
    waive("cy", "Kim", Some("2027-03-21 09:30"));
    play.at("2027-03-21T09:05");
    assert_eq!(play.tick().sent, 2, "one name is not enough for Bea, and Cy's waiver has run out");
    let ann = play.letters("reminder").into_iter().find(|one| one.person == "ann").expect("hers");
    assert_eq!((ann.state.word(), ann.reply.as_str()), ("cancelled", "not needed any more: ann was waived by Pat"));
}

#[test]
fn a_clock_that_was_set_back_sends_nothing_until_somebody_says_that_it_is_right() {
    let play = Play::new();
    assert_eq!(play.at("2027-03-17T09:00").tick().sent, 3);
    let behind = |moment: &str| {
        let engine = &mut play.at(moment).engine();
        engine.send(None, &To::Everyone, None, false, &AtomicBool::new(false), &mut |_| {}).map(drop)
    };
    // The notice went out by a clock that was a day ahead, as it turns out.
    let fault = behind("2027-03-16T09:00").expect_err("refused");
    assert_eq!(fault.findings[0].code, "clock-behind");
    assert!(fault.findings[0].remedy.contains("--clock-ok"), "{fault}");
    let words = fault.to_string();
    assert!(words.contains("Tue 2027-03-16 10:00") && words.contains("Wed 2027-03-17 10:00"), "{words}");
    // What is recorded meanwhile does not make it right.
    play.record("ann", Kind::Confirmed);
    assert!(behind("2027-03-16T09:10").is_err());
    play.engine().accept_clock().expect("on record");
    assert!(behind("2027-03-16T09:11").is_ok());
    assert!(behind("2027-03-16T09:10").is_ok(), "clocks are put right by seconds all the time");
    assert!(behind("2027-03-16T08:00").is_err(), "and once accepted is not for ever");
    // It can be called off by any clock, and nobody is told of it by one that is wrong.
    let engine = &mut play.at("2027-03-16T08:00").engine();
    engine.call_off("the room burnt down", "Pat").expect("called off");
    let refused = engine.abort(&AtomicBool::new(false), &mut |_| {}).expect_err("refused");
    assert_eq!((refused.findings[0].code, play.letters("abort").len()), ("clock-behind", 0));
    engine.accept_clock().expect("on record");
    assert_eq!(engine.abort(&AtomicBool::new(false), &mut |_| {}).expect("told").sent, 3);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// On any days and in any night, and whenever the server is down.
    #[test]
    fn never_two_reminders_in_one_window_and_none_after_an_answer(
        ticks in prop::collection::btree_set(0i64..16 * 24 * 4, 3..20),
        answers in prop::collection::vec((0i64..16 * 24 * 4, 0usize..3), 0..3),
        outages in prop::collection::vec((0i64..16 * 24 * 4, 1i64..5 * 24 * 4), 0..3),
        quiet: bool,
    ) {
        play_out(ticks, &answers, &outages, quiet)?;
    }
}

#[test]
fn a_reminder_planned_at_the_end_of_its_window_does_not_leave_after_it() {
    play_out([0, 1, 768].into(), &[], &[(465, 328)], true).expect("in its window");
}

/// By quarters of an hour: rounds, answers and by whom, outages and how long.
fn play_out(
    ticks: BTreeSet<i64>,
    answers: &[(i64, usize)],
    outages: &[(i64, i64)],
    quiet: bool,
) -> Result<(), TestCaseError> {
    let hours = "[calendar]\nquiet = \"20:00-07:00\"\nquiet_days_off = true\n";
    let play = Play::of(&format!("{CAMPAIGN}{}", if quiet { hours } else { "" }));
    let start = day("2027-03-17T08:00");
    let mut answered: Vec<(String, DateTime<Utc>)> = Vec::new();
    let mut happenings: Vec<(i64, Option<usize>)> = ticks.into_iter().map(|quarter| (quarter, None)).collect();
    // The server comes back a quarter of an hour before a reminder is due, too.
    happenings.extend([4i64, 7, 9, 10].map(|days| (days * 24 * 4 - 1, None)));
    happenings.extend(answers.iter().map(|(quarter, who)| (*quarter, Some(*who))));
    happenings.sort();
    let mut confirmed = 0;
    for (quarter, who) in happenings {
        let now = start + Duration::minutes(15 * quarter);
        play.clock.set(now);
        play.server_is_down(outages.iter().any(|(from, long)| (*from..from + long).contains(&quarter)));
        match who {
            Some(who) => {
                let id = ["ann", "bea", "cy"][who];
                play.record(id, Kind::Confirmed);
                answered.push((id.to_owned(), now));
            }
            None => play.try_round(),
        }
        let engine = play.engine();
        let asked = engine.campaign.acknowledgements["read"].clone();
        let settled =
            engine.standings(&asked).expect("standings").iter().filter(|one| one.grade >= asked.grade).count();
        prop_assert!(settled >= confirmed, "within a revision nobody falls back");
        confirmed = settled;
    }
    let calendar = play.engine().calendar();
    let mut reminders = play.letters("reminder");
    reminders.retain(|one| one.state.word() == "sent");
    for one in &reminders {
        let sent = one.settled_at.expect("sent");
        let entry = calendar.iter().find(|entry| entry.copy == one.copy).expect("in the calendar");
        prop_assert!((entry.at..=entry.until).contains(&sent), "{:?} out of its window", one);
        let near = reminders.iter().filter(|other| {
            other.person == one.person && (other.settled_at.expect("sent") - sent).abs() < Duration::hours(11)
        });
        prop_assert_eq!(near.count(), 1, "{:?}", reminders);
        let before = answered.iter().filter(|(id, _)| *id == one.person).all(|(_, at)| sent <= *at);
        prop_assert!(before, "{:?} after the answer", one);
    }
    Ok(())
}
