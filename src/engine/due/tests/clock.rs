//! A clock that was ahead, and then is right: what it planned, put off and called late goes by the true calendar.

use super::*;
use crate::ledger::Ledger;
use crate::outbox::{Queue, Suspended};

impl Play {
    fn accept(&self) -> usize {
        self.engine().accept_clock().expect("accepted")
    }

    fn planned_in_vain(&self) {
        self.server_is_down(true);
        assert!(self.engine().round(&AtomicBool::new(false), &mut |_| {}).is_err());
        self.server_is_down(false);
    }

    fn by_name(&self, notice: &str, to: &To, limit: Option<usize>) -> Sent {
        self.engine().send(Some(notice), to, limit, false, &AtomicBool::new(false), &mut |_| {}).expect("sent")
    }

    fn that_stand(&self, notice: &str) -> Vec<&'static str> {
        let left = self.letters(notice).into_iter().filter(|one| one.state.word() != "cancelled");
        left.map(|one| one.state.word()).collect()
    }

    fn ledger(&self) -> Ledger {
        Ledger::open(&self.folder.path().join(".flagday")).expect("a ledger")
    }

    fn next_moment(&self) -> DateTime<Utc> {
        self.engine().next_moment().expect("asked").expect("a moment").0
    }
}

const ALL: To = To::Everyone;

#[test]
fn what_was_asked_for_by_name_goes_out_at_once_and_bears_the_true_date() {
    let play = Play::new();
    // Three weeks ahead of the truth, 1 March.
    play.at("2027-03-22T09:00").server_is_down(true);
    let engine = &mut play.engine();
    assert!(engine.send(Some("news"), &ALL, None, false, &AtomicBool::new(false), &mut |_| {}).is_err());
    play.server_is_down(false);
    let first = play.letters("news")[0].id;
    assert!(String::from_utf8_lossy(&letter(&play, first)).contains("Date: Mon, 22 Mar 2027"));
    play.at("2027-03-01T09:00");
    assert_eq!(play.accept(), 3);
    let sent = play.tick();
    assert_eq!((sent.sent, sent.redated, sent.readdressed), (3, 3, 0));
    let last = play.letters("news").pop().expect("hers");
    assert_eq!((last.due_at, last.next_at), (day("2027-03-01T09:00"), day("2027-03-01T09:00")));
    assert!(String::from_utf8_lossy(&letter(&play, last.id)).contains("Date: Mon, 01 Mar 2027"));
    for moment in ["2027-03-17T09:00", "2027-03-22T09:00", "2027-03-22T10:00"] {
        play.at(moment).tick();
    }
    assert_eq!(play.that_stand("news"), ["sent"; 3], "nobody twice");
}

fn letter(play: &Play, id: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let letter = play.engine().ledger().letter(id).expect("kept");
    letter.write(&mut bytes, &crate::notice::open_file).expect("read");
    bytes
}

#[test]
fn what_was_planned_before_its_hour_waits_for_it_unless_somebody_asks_by_name() {
    let play = Play::new();
    play.at("2027-03-18T07:00").planned_in_vain();
    play.at("2027-03-01T09:00");
    play.accept();
    let news = day("2027-03-17T08:00");
    assert_eq!(play.tick().sent, 0);
    assert_eq!((play.next_moment(), play.tick().waiting), (news, 3), "T-14d 09:00 in Berlin");
    assert_eq!(play.by_name("news", &To::People(vec!["bea".into()]), None).sent, 1);
    assert_eq!(play.by_name("news", &ALL, Some(1)).sent, 1);
    assert_eq!(play.tick().sent, 0);
    assert_eq!(play.at("2027-03-17T08:00").tick().sent, 1);
    assert_eq!(play.that_stand("news"), ["sent"; 3]);
}

#[test]
fn a_reminder_of_the_wrong_clock_keeps_its_hour_and_does_not_take_that_of_the_ones_before() {
    let play = Play::new();
    play.tick();
    // T-4d 09:00, while it is T-12d.
    play.at("2027-03-27T08:05").planned_in_vain();
    assert_eq!(play.that_stand("reminder"), ["planned"; 3]);
    play.at("2027-03-19T09:00");
    play.accept();
    assert_eq!(play.tick().sent, 0);
    play.record("cy", Kind::Confirmed);
    let mut sent = Vec::new();
    for moment in ["2027-03-21T08:05", "2027-03-24T08:05", "2027-03-26T08:05", "2027-03-27T07:55", "2027-03-27T08:05"] {
        sent.push(play.at(moment).tick().sent);
    }
    assert_eq!(sent, [2, 2, 2, 0, 2], "T-10d, T-7d, T-5d, and T-4d at its own hour to those who have not answered");
}

#[test]
fn told_by_a_clock_that_was_ahead_people_are_reminded_and_escalated_by_the_true_one() {
    let play = Play::new();
    assert_eq!(play.at("2027-03-29T09:00").by_name("news", &ALL, None).sent, 3);
    play.at("2027-03-19T09:00");
    play.accept();
    assert_eq!(
        play.at("2027-03-21T08:05").tick().sent,
        3,
        "the reminder of T-10d, although they were told 'on the 29th'"
    );
    play.at("2027-03-28T07:05").tick();
    assert_eq!(play.to("escalation").len(), 2, "and T-3d");
    play.engine().ledger().audit_verify(None).expect("the chain holds");
}

#[test]
fn what_was_late_only_by_the_wrong_clock_is_not_and_nobody_counts_as_not_told() {
    let play = Play::new();
    play.tick();
    play.at("2027-03-21T08:05").planned_in_vain();
    // Its window is over: held.
    assert_eq!(play.at("2027-03-23T09:00").tick().expired, 3);
    play.at("2027-03-21T10:00");
    assert_eq!(play.accept(), 3);
    assert_eq!(play.tick().sent, 3);
    assert_eq!(play.that_stand("reminder"), ["sent"; 3]);
    play.engine().ledger().audit_verify(None).expect("the chain holds");
}

#[test]
fn a_pause_and_a_night_of_the_wrong_clock_end_with_it() {
    let play = Play::of(&format!("{CAMPAIGN}[calendar]\nquiet = \"20:00-07:00\"\n"));
    play.at("2027-03-17T10:00").planned_in_vain();
    let refused = crate::fault::Finding::error("smtp-certificate-expired", "expired", "set the clock right");
    // 23:00 in Berlin, three days ahead: put off until the morning, and delivery paused.
    let night = day("2027-03-20T22:00");
    play.at("2027-03-20T22:00").tick();
    let pause =
        Suspended::after(None, "smtp-certificate-expired".into(), &play.engine().mail_settings(), &refused, night);
    play.ledger().suspend(&pause, &[], night).expect("paused");
    assert_eq!(play.next_moment(), day("2027-03-21T06:00"));
    play.at("2027-03-17T11:00");
    assert_eq!(play.accept(), 3);
    assert!(play.next_moment() <= day("2027-03-17T11:00") && play.engine().paused().expect("asked").is_none());
    assert_eq!(play.engine().round(&AtomicBool::new(false), &mut |_| {}).expect("sent").sent, 3);
}

#[test]
fn a_clock_that_was_behind_leaves_nothing_to_wait_for() {
    let play = Play::new();
    play.at("2027-02-01T09:00").server_is_down(true);
    let engine = &mut play.engine();
    assert!(engine.send(Some("news"), &ALL, None, false, &AtomicBool::new(false), &mut |_| {}).is_err());
    play.server_is_down(false);
    play.at("2027-03-18T09:00");
    assert_eq!((play.accept(), play.tick().sent), (0, 3));
    assert_eq!(play.at("2027-03-21T08:05").tick().sent, 3, "and reminded in time");
    assert_eq!(play.that_stand("news"), ["sent"; 3]);
}
