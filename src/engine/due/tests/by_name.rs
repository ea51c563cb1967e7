//! Reminders that somebody asks for by name, once more and once more.

use super::*;
use crate::outbox::State;

impl Play {
    fn asks(&self, notice: &str, to: &To, again: bool) -> usize {
        let engine = &mut self.engine();
        engine.send(Some(notice), to, None, again, &AtomicBool::new(false), &mut |_| {}).expect("sent").sent
    }
}

#[test]
fn of_several_past_moments_only_the_newest_is_sent_by_name_and_older_ones_never_after_it() {
    let play = Play::of(&format!("{CAMPAIGN}window = \"6h\"\n"));
    play.tick();
    let held = play.at("2027-03-27T20:00").tick();
    assert_eq!((held.sent, held.late.len()), (0, 1), "slept over all of them");
    assert_eq!(play.asks("reminder", &To::Everyone, false), 3);
    for minute in 1..7 {
        assert_eq!(play.at(&format!("2027-03-27T20:0{minute}")).asks("reminder", &To::Everyone, false), 0);
    }
    let newest = play.engine().calendar().into_iter().rfind(|one| one.moment.starts_with("T-4d"));
    assert!(play.letters("reminder").iter().all(|one| Some(one.copy) == newest.as_ref().map(|one| one.copy)));
    assert_eq!(play.tick().planned, 0);
    let ann = To::People(vec!["ann".to_owned()]);
    assert_eq!(play.asks("reminder", &ann, true), 1, "another one is asked for with --again");
    assert_eq!(play.asks("reminder", &ann, true), 1);
    assert_eq!(play.letters("reminder").len(), 5);
}

#[test]
fn the_next_reminder_is_sent_early_by_name_once_and_no_sooner_than_a_window_after_the_last() {
    let play = Play::new();
    play.tick();
    assert_eq!(play.at("2027-03-19T09:00").asks("reminder", &To::Everyone, false), 3, "that of T-10d");
    assert_eq!(play.asks("reminder", &To::Everyone, false), 0);
    assert_eq!(play.at("2027-03-21T08:05").tick().planned, 0, "it was sent");
    assert_eq!(play.at("2027-03-21T08:10").asks("reminder", &To::Everyone, false), 3, "that of T-7d");
    assert_eq!(play.at("2027-03-22T08:15").asks("reminder", &To::Everyone, false), 0, "that of T-5d is not the next");
    assert_eq!(play.at("2027-03-24T08:05").tick().planned, 0);
    assert_eq!(play.at("2027-03-26T08:05").tick().sent, 3);
    assert_eq!(play.at("2027-03-26T09:00").asks("reminder", &To::Everyone, false), 0, "reminded an hour ago");
}

#[test]
fn a_copy_in_the_place_of_one_that_waits_takes_its_turn_and_nobody_elses() {
    let play = Play::new();
    let stop = AtomicBool::new(false);
    let to = |ids: &[&str]| To::People(ids.iter().map(|id| (*id).to_owned()).collect());
    play.server_is_down(true);
    play.engine().send(Some("news"), &to(&["ann"]), None, false, &stop, &mut |_| {}).expect_err("the server is down");
    play.server_is_down(false);
    let mut engine = play.engine();
    let all = to(&["ann", "bea", "cy"]);
    assert_eq!(engine.forecast(Some("news"), &all, Some(2), true).expect("counted"), (2, 0));
    let sent = engine.send(Some("news"), &all, Some(2), true, &stop, &mut |_| {}).expect("sent");
    assert_eq!((sent.planned, sent.sent), (2, 2), "so many leave");
    let left: Vec<String> =
        play.letters("news").into_iter().filter(|one| one.state == State::Sent).map(|one| one.person).collect();
    assert_eq!(left, ["ann", "bea"]);
}
