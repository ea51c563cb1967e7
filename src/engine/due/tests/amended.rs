//! Reminders, answers and gates across amendments, and the managers who were asked meanwhile.

use super::*;
use crate::engine::Wish;
use crate::notice::{Letter, open_file};

impl Play {
    pub(super) fn amend(&self, wish: &Wish) -> crate::engine::Amendment {
        self.engine().amend(wish, &AtomicBool::new(false), &mut |_| {}).expect("amended").0
    }

    /// The newest letter of a notice to an address, as it was sent.
    pub(super) fn letter_to(&self, notice: &str, address: &str) -> String {
        let found = self.letters(notice).into_iter().rev().find(|one| one.envelope_to.as_deref() == Some(address));
        let letter: Letter = self.engine().ledger().letter(found.expect("a letter").id).expect("its bytes");
        let mut bytes = Vec::new();
        letter.write(&mut bytes, &open_file).expect("written");
        String::from_utf8(bytes).expect("ASCII").replace("\r\n", "\n")
    }

    pub(super) fn call_off(&self) -> usize {
        let engine = &mut self.engine();
        engine.call_off("the room burnt down", "Pat").expect("called off");
        engine.abort(&AtomicBool::new(false), &mut |_| {}).expect("told").planned
    }
}

pub(super) fn postpone() -> Wish {
    Wish { postpone: true, reason: "no room".to_owned(), ..Wish::default() }
}

#[test]
fn another_due_date_is_told_to_those_who_still_have_to_answer() {
    let play = Play::new();
    play.tick();
    play.record("ann", Kind::Confirmed);
    let campaign = CAMPAIGN.replace("due = \"T-3d\"", "due = \"T-5d 12:00\"");
    play.write(&campaign);
    play.at("2027-03-18T09:00");
    let refused = play.engine().send(None, &To::Everyone, None, false, &AtomicBool::new(false), &mut |_| {});
    assert_eq!(refused.expect_err("told otherwise").exit, crate::fault::Exit::FactsChanged);
    let amendment = play.amend(&Wish::default());
    let told: Vec<&str> = amendment.informed.iter().map(|one| one.person.as_str()).collect();
    assert_eq!((told, amendment.kept), (vec!["bea", "cy"], 1), "{amendment:?}");
    let letter = play.letter_to("news", "cy@corp.example");
    assert!(letter.contains("Your answer is needed by Friday, 26 March 2027, 12:00"), "{letter}");
    let german = play.letter_to("news", "bea@corp.example");
    assert!(german.contains("Ihre Antwort brauchen wir bis Freitag"), "{german}");
    // A date that counts from the change moves with it, and is no news of its own.
    play.write(&campaign.replace("2027-03-31T18", "2027-04-14T18"));
    let moved = play.at("2027-03-19T09:00").amend(&Wish::default());
    assert_eq!(moved.changes.iter().map(|one| one.difference.fact.as_str()).collect::<Vec<_>>(), ["change_at"]);
    assert_eq!(moved.informed.len(), 3);
}

#[test]
fn whoever_was_asked_to_remind_hears_of_another_date_and_of_the_end() {
    let campaign = CAMPAIGN.replace("[notice.escalation]\n", "[notice.escalation]\ncalendar = true\n");
    let play = Play::of(&campaign);
    play.tick();
    play.record("ann", Kind::HardBounce);
    play.at("2027-03-18T09:00").tick();
    let boss = "boss@corp.example";
    assert_eq!(play.to("escalation"), [("ann".to_owned(), boss.to_owned())]);
    assert!(play.letter_to("escalation", boss).contains("METHOD:REQUEST"));
    let asked = play.letters("escalation")[0].message_id.clone();

    // The aide and Bea's were never asked anything.
    play.at("2027-03-19T09:00");
    assert_eq!(play.amend(&postpone()).corrected, 1);
    let told: Vec<String> = play.to("postponed").into_iter().map(|(_, to)| to).collect();
    assert_eq!(told, ["ann@corp.example", "bea@corp.example", "cy@corp.example", boss]);
    let letter = play.letter_to("postponed", boss);
    assert!(letter.contains("please do not press Ann any more") && letter.contains("no room"), "{letter}");
    assert!(letter.contains(&format!("In-Reply-To: {asked}")), "it belongs to what they were asked: {letter}");
    assert!(letter.contains("METHOD:CANCEL") && !letter.contains("Hello Ann"), "{letter}");

    play.write(&campaign.replace("2027-03-31T18", "2027-04-14T18"));
    play.at("2027-03-20T09:00");
    assert_eq!(play.amend(&Wish::default()).corrected, 1);
    assert_eq!(play.to("correction"), [("ann".to_owned(), boss.to_owned())]);
    let letter = play.letter_to("correction", boss);
    assert!(letter.contains("Wednesday, 14 April 2027") && letter.contains("Subject: Changed: "), "{letter}");
    assert!(letter.contains("METHOD:REQUEST") && letter.contains("SEQUENCE:2"), "{letter}");
    for hour in 10..12 {
        play.at(&format!("2027-03-20T{hour}:00")).tick();
    }
    assert_eq!(play.to("correction").len(), 1, "once");

    assert_eq!(play.at("2027-03-21T09:00").call_off(), 4);
    let told: Vec<String> = play.to("abort").into_iter().map(|(_, to)| to).collect();
    assert_eq!(told, ["ann@corp.example", "bea@corp.example", "cy@corp.example", boss]);
    let letter = play.letter_to("abort", boss);
    assert!(letter.contains("METHOD:CANCEL") && letter.contains("the room burnt down"), "{letter}");
    assert!(letter.contains("please do not press Ann any more"), "{letter}");
    let audience = |to: &str| play.letter_to("abort", to).contains("It went to: all.");
    assert!(
        audience("ann@corp.example") && !audience(boss),
        "whoever was asked about Ann is in no audience because of it"
    );
    assert_eq!(play.call_off(), 0, "nobody hears it twice");
    let letters = play.engine().ledger().letters("read").expect("counts");
    assert!(letters.iter().all(|one| one.pressed == 0), "none of it counts as pressing anybody: {letters:?}");
}

#[test]
fn an_absence_outlasts_an_amendment() {
    let play = Play::new();
    play.tick();
    play.says("ann", Kind::AutoReply, "back on 2027-03-30");
    play.at("2027-03-18T09:00").tick();
    assert_eq!(play.to("escalation").len(), 1);

    // Due on 29 March: still away, and many machines answer a sender once.
    play.write(&CAMPAIGN.replace("2027-03-31T18", "2027-04-01T18"));
    play.at("2027-03-19T09:00").amend(&Wish::default());
    play.tick();
    let boss = ("ann".to_owned(), "boss@corp.example".to_owned());
    assert_eq!(play.to("escalation"), [boss.clone(), boss.clone()]);
    let letter = play.letter_to("escalation", "boss@corp.example");
    assert!(letter.contains("30 March 2027") || letter.contains("2027-03-30"), "{letter}");
    let engine = play.engine();
    let asked = &engine.campaign.acknowledgements["read"];
    let one = engine.standing(asked, "ann").expect("known").expect("in the audience");
    assert!(one.away_until.is_some() && one.why.contains("back on 2027-03-30"), "{one:?}");
    assert_eq!(engine.standings(asked).expect("known")[0], one);
    drop(engine);

    // Due on 11 April: there is time, so nobody is asked instead; and no reminder while away.
    play.write(&CAMPAIGN.replace("2027-03-31T18", "2027-04-14T18").replace("\"T-10d\"", "\"T-20d\", \"T-10d\""));
    play.at("2027-03-20T09:00").amend(&Wish::default());
    play.at("2027-03-25T09:05").tick();
    assert_eq!(play.to("escalation").len(), 2);
    let reminded = |who: &str| play.to("reminder").iter().filter(|(id, _)| id == who).count();
    assert_eq!((reminded("ann"), reminded("bea")), (0, 1));
    play.at("2027-04-04T09:05").tick();
    assert_eq!((reminded("ann"), reminded("bea")), (1, 2), "back by now");
}

#[test]
fn whoever_left_the_roster_is_called_by_their_id_where_others_were_asked_about_them() {
    let play = Play::new();
    play.tick();
    play.record("ann", Kind::HardBounce);
    play.at("2027-03-18T09:00").tick();
    let people = PEOPLE.lines().filter(|line| !line.starts_with("ann")).map(|line| format!("{line}\n"));
    fs_err::write(play.folder.path().join("people.csv"), people.collect::<String>()).expect("written");
    assert_eq!(play.at("2027-03-19T09:00").call_off(), 4, "Ann, Bea, Cy and Ann's manager");
    let letter = play.letter_to("abort", "boss@corp.example");
    assert!(letter.contains("please do not press ann any more"), "{letter}");
    assert!(play.letter_to("abort", "ann@corp.example").contains("Hello ann"));
}

#[test]
fn whoever_was_asked_about_somebody_never_reached_hears_of_another_date_too() {
    let play = Play::new();
    let stop = AtomicBool::new(true);
    play.engine().send(None, &To::Everyone, None, false, &stop, &mut |_| {}).expect("planned");
    // Refused at the server: it never left.
    let ledger = rusqlite::Connection::open(play.folder.path().join(".flagday/ledger.db")).expect("the ledger");
    let refused = "UPDATE message SET state = 'failed', reply = '550 no such user' WHERE person = 'ann'";
    assert_eq!(ledger.execute(refused, ()).expect("refused"), 1);
    drop(ledger);
    play.record("ann", Kind::HardBounce);
    play.at("2027-03-18T09:00").tick();
    let boss = ("ann".to_owned(), "boss@corp.example".to_owned());
    assert!(play.to("escalation").contains(&boss));
    let postponed = play.at("2027-03-19T09:00").amend(&postpone());
    assert!(postponed.corrected > 0 && postponed.informed.iter().all(|one| one.person != "ann"), "{postponed:?}");
    assert!(play.to("postponed").contains(&boss));
    play.write(&CAMPAIGN.replace("2027-03-31T18", "2027-04-14T18"));
    assert!(play.at("2027-03-20T09:00").amend(&Wish::default()).corrected > 0);
    play.at("2027-03-20T10:00").tick();
    let corrections = play.to("correction");
    assert_eq!(corrections.iter().filter(|one| **one == boss).count(), 1, "{corrections:?}");
}

#[test]
fn an_amendment_about_something_else_says_nothing_to_who_was_asked() {
    let play = Play::new();
    play.tick();
    play.record("ann", Kind::HardBounce);
    play.at("2027-03-18T09:00").tick();
    let own = play.folder.path().join("templates/mail/all-clear");
    fs_err::create_dir_all(&own).expect("a folder");
    fs_err::write(own.join("text.hbs"), "All is well.\n").expect("written");
    play.at("2027-03-19T09:00");
    let amendment = play.amend(&Wish::default());
    assert_eq!((amendment.informed.len(), amendment.corrected), (3, 0));
    assert!(play.letters("correction").is_empty());
}

#[test]
fn a_reminder_refers_to_the_letter_that_went_out_whatever_was_amended_since() {
    let play = Play::new();
    play.tick();
    let first = play.letters("news").into_iter().find(|one| one.person == "bea").expect("hers");
    // A wording that is called cosmetic makes a revision under which nobody was written to.
    let own = play.folder.path().join("templates/mail/all-clear");
    fs_err::create_dir_all(&own).expect("a folder");
    fs_err::write(own.join("text.hbs"), "All is well.\n").expect("written");
    play.at("2027-03-19T09:00");
    assert_eq!(play.amend(&Wish { cosmetic: true, ..Wish::default() }).next, 2);
    play.at("2027-03-21T08:05").tick();
    let reminder = play.letters("reminder").into_iter().find(|one| one.person == "bea").expect("hers");
    assert_eq!((first.revision, reminder.revision), (1, 2));
    let letter = play.letter_to("reminder", "bea@corp.example");
    assert!(letter.contains(&format!("In-Reply-To: {}", first.message_id)), "{letter}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is amended when: within a revision nobody gets two reminders in one window or one after their answer, the
    /// gate's count never falls, and it opens once.
    #[test]
    fn a_revision_begins_anew_and_within_it_nothing_goes_back(
        ticks in prop::collection::btree_set(1i64..26 * 24, 4..14),
        answers in prop::collection::vec((1i64..26 * 24, 0usize..3), 0..5),
        amendments in prop::collection::btree_map(24i64..12 * 24, 1i64..12, 1..3),
    ) {
        let campaign = format!("{CAMPAIGN}[gate.all]\nacknowledgement = \"read\"\n");
        let play = Play::of(&campaign);
        let start = day("2027-03-17T08:00");
        play.tick();
        let mut happenings: Vec<(i64, usize)> = ticks.into_iter().map(|hour| (hour, 9)).collect();
        happenings.extend(answers);
        happenings.extend(amendments.iter().map(|(hour, days)| (*hour, 100 + *days as usize)));
        happenings.sort_unstable();
        let mut revision = 1;
        let mut hours = vec![reminders_due(&play)];
        let mut answered: Vec<(String, u32, DateTime<Utc>)> = Vec::new();
        let (mut count, mut open) = (0, false);
        for (hour, what) in happenings {
            let now = start + Duration::hours(hour);
            play.clock.set(now);
            match what {
                0..=2 => {
                    let id = ["ann", "bea", "cy"][what];
                    play.record(id, Kind::Confirmed);
                    answered.push((id.to_owned(), revision, now));
                }
                9 => drop(play.tick()),
                days => {
                    let date = day("2027-03-31T18:00") + Duration::days(days as i64 - 100);
                    play.write(&campaign.replace("2027-03-31T18:00:00", &date.format("%Y-%m-%dT%H:%M:%S").to_string()));
                    let next = play.amend(&Wish::default()).next;
                    if next > revision {
                        revision = next;
                        hours.push(reminders_due(&play));
                        (count, open) = (0, false);
                        let answers = play.engine().verdicts().expect("verdicts")[0].satisfied;
                        prop_assert_eq!(answers, 0, "answers to another date are void");
                    }
                }
            }
            let verdict = play.engine().verdicts().expect("verdicts").remove(0);
            prop_assert!(verdict.satisfied >= count && verdict.open >= open, "within a revision nobody falls back");
            (count, open) = (verdict.satisfied, verdict.open);
        }
        let reminders = play.letters("reminder");
        for one in &reminders {
            let hours = &hours[one.revision as usize - 1];
            let window = |at: DateTime<Utc>| hours.iter().filter(|hour| **hour <= at).count();
            let here = window(one.planned_at);
            prop_assert!(here > 0 && one.planned_at - hours[here - 1] <= Duration::hours(24), "{:?} out of its window", one);
            let same = reminders.iter().filter(|other| {
                (&other.person, other.revision, window(other.planned_at)) == (&one.person, one.revision, here)
            });
            prop_assert_eq!(same.count(), 1, "{:?}", reminders);
            let before = answered
                .iter()
                .filter(|(id, answer, _)| *id == one.person && *answer == one.revision)
                .all(|(.., at)| one.planned_at <= *at);
            prop_assert!(before, "{:?} after the answer", one);
        }
    }
}

fn reminders_due(play: &Play) -> Vec<DateTime<Utc>> {
    let calendar = play.engine().calendar().into_iter();
    calendar.filter(|entry| entry.what == crate::engine::What::Reminder).map(|entry| entry.at).collect()
}

#[test]
fn whoever_was_asked_about_somebody_gone_reads_the_words_of_flagday_where_the_campaigns_want_what_is_gone_too() {
    let play = Play::new();
    play.tick();
    play.record("ann", Kind::HardBounce);
    play.at("2027-03-18T09:00").tick();
    let own = play.folder.path().join("templates/mail/correction");
    fs_err::create_dir_all(&own).expect("a folder");
    fs_err::write(own.join("text.hbs"), "Of kind {{person.kind}}: off.\n").expect("written");
    let others = PEOPLE.lines().filter(|row| !row.starts_with("ann")).map(|row| format!("{row}\n"));
    fs_err::write(play.folder.path().join("people.csv"), others.collect::<String>()).expect("written");
    play.at("2027-03-19T09:00").call_off();
    let letter = play.letter_to("abort", "boss@corp.example");
    assert!(letter.contains("please do not press") && !letter.contains("Of kind"), "{letter}");
}

#[test]
fn what_cannot_be_written_to_somebody_is_not_taken_over() {
    let play = Play::new();
    play.tick();
    play.record("ann", Kind::HardBounce);
    play.at("2027-03-18T09:00").tick();
    let refuses = |text: &str, words: &str, whom: &str| {
        let path = play.folder.path().join("templates/mail").join(text);
        fs_err::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs_err::write(&path, words).expect("written");
        play.write(&CAMPAIGN.replace("2027-03-31T18", "2027-04-14T18"));
        let refused = play.engine().amend(&Wish::default(), &AtomicBool::new(false), &mut |_| {}).expect_err("refused");
        assert!(refused.cause().starts_with(whom), "{refused}");
        assert_eq!(play.engine().ledger().revision_number().expect("asked"), Some(1), "nobody is told of another");
        assert!(play.letters("news").iter().all(|one| one.revision == 1));
        fs_err::remove_file(&path).expect("removed");
    };
    // Bea has no manager.
    refuses("all-clear/text.hbs", "{{person.manager_email}} {{ack.word}}", "'news' for bea: ");
    refuses("correction/text.hbs", "{{person.phone}}", "'correction' for ann: ");
    assert_eq!(play.amend(&Wish::default()).next, 2);
}
