//! Reminders and escalations over simulated days: what goes out when, whatever the ticks and the answers.

use crate::answer::Kind;
use crate::engine::{Answer, Engine, Sent, To};
use crate::fault::Result;
use crate::ledger::MessageRow;
use crate::system::World;
use chrono::{DateTime, Duration, Utc};
use proptest::prelude::*;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

/// A clock that stands until it is set.
struct Clock(Mutex<DateTime<Utc>>);

impl World for Clock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().expect("a clock")
    }

    fn server_now(&self, _: &Path) -> Result<DateTime<Utc>> {
        Ok(self.now())
    }
}

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
    clock: Clock,
}

impl Play {
    fn new() -> Play {
        Play::of(CAMPAIGN)
    }

    fn of(campaign: &str) -> Play {
        let folder = tempfile::tempdir().expect("a folder");
        fs_err::write(folder.path().join("flagday.toml"), campaign).expect("written");
        fs_err::write(folder.path().join("people.csv"), PEOPLE).expect("written");
        Play { folder, clock: Clock(Mutex::new(day("2027-03-17T09:00"))) }
    }

    /// By the clock of Berlin in winter, in UTC.
    fn at(&self, moment: &str) -> &Play {
        *self.clock.0.lock().expect("a clock") = day(moment);
        self
    }

    fn engine(&self) -> Engine<'_> {
        Engine::open(self.folder.path(), &self.clock).expect("opened")
    }

    fn tick(&self) -> Sent {
        self.engine().send(None, &To::Everyone, None, false, &AtomicBool::new(false), &mut |_| {}).expect("sent")
    }

    fn record(&self, person: &str, kind: Kind) {
        let answer = Answer {
            person: person.to_owned(),
            acknowledgement: Some("read".to_owned()),
            kind: Some(kind),
            note: if kind == Kind::HardBounce { "550 no such user" } else { "" }.to_owned(),
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
    play.at("2027-03-29T07:00").tick();
    assert_eq!(play.to("escalation").last().expect("one").1, "aide@corp.example");
    let tasks = play.at("2027-03-30T07:00").tick().tasks;
    assert_eq!(tasks.iter().map(|task| task.person.as_str()).collect::<Vec<_>>(), ["ann", "bea"]);
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
fn a_list_that_is_edited_in_mid_campaign_sends_nothing_twice() {
    let play = Play::new();
    play.tick();
    assert_eq!(play.at("2027-03-21T08:05").tick().planned, 3);
    let edited = CAMPAIGN.replace(r#"remind = ["T-10d", "#, r#"remind = ["T-12d", "T-10d 09:00", "#);
    fs_err::write(play.folder.path().join("flagday.toml"), edited).expect("written");
    assert_eq!(play.at("2027-03-21T08:30").tick().planned, 0);
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn never_two_reminders_in_one_window_and_none_after_an_answer(
        ticks in prop::collection::btree_set(0i64..16 * 24, 3..14),
        answers in prop::collection::vec((0i64..16 * 24, 0usize..3), 0..3),
    ) {
        let play = Play::new();
        let start = day("2027-03-17T08:00");
        let mut answered: Vec<(String, DateTime<Utc>)> = Vec::new();
        let mut happenings: Vec<(i64, Option<usize>)> = ticks.into_iter().map(|hour| (hour, None)).collect();
        happenings.extend(answers.into_iter().map(|(hour, who)| (hour, Some(who))));
        happenings.sort();
        let mut confirmed = 0;
        for (hour, who) in happenings {
            let now = start + Duration::hours(hour);
            *play.clock.0.lock().expect("a clock") = now;
            match who {
                Some(who) => {
                    let id = ["ann", "bea", "cy"][who];
                    play.record(id, Kind::Confirmed);
                    answered.push((id.to_owned(), now));
                }
                None => drop(play.tick()),
            }
            let engine = play.engine();
            let asked = engine.campaign.acknowledgements["read"].clone();
            let settled = engine.standings(&asked).expect("standings").iter().filter(|one| one.grade >= asked.grade).count();
            prop_assert!(settled >= confirmed, "within a revision nobody falls back");
            confirmed = settled;
        }
        let engine = play.engine();
        let hours: Vec<DateTime<Utc>> = engine
            .calendar()
            .into_iter()
            .filter(|entry| entry.what == crate::engine::What::Reminder)
            .map(|entry| entry.at)
            .collect();
        let reminders = play.letters("reminder");
        for one in &reminders {
            let window = |at: DateTime<Utc>| hours.iter().filter(|hour| **hour <= at).count();
            let same = reminders.iter().filter(|other| other.person == one.person && window(other.planned_at) == window(one.planned_at));
            prop_assert_eq!(same.count(), 1, "{:?}", reminders);
            prop_assert!(window(one.planned_at) > 0 && one.planned_at - hours[window(one.planned_at) - 1] <= Duration::hours(24));
            let before = answered.iter().filter(|(id, _)| *id == one.person).all(|(_, at)| one.planned_at <= *at);
            prop_assert!(before, "{:?} after the answer", one);
        }
    }
}
