//! A change that is put off while the server is down, or by a run that is killed: everybody hears of it all the same, once.

use super::*;
use crate::engine::Wish;
use crate::fault::Exit;
use crate::outbox::Queue;

impl Play {
    fn put_off(&self, stopped: bool) -> Result<usize> {
        let wish = Wish { postpone: true, reason: "no room".to_owned(), ..Wish::default() };
        let stop = AtomicBool::new(stopped);
        self.engine().amend(&wish, &stop, &mut |_| {}).map(|(_, sent)| sent.sent)
    }

    fn states(&self, notice: &str) -> Vec<&'static str> {
        self.letters(notice).into_iter().map(|one| one.state.word()).collect()
    }

    fn to_be_told(&self) -> usize {
        self.engine().to_be_told_of_postponement().expect("counted")
    }

    fn round(&self) -> Sent {
        self.engine().round(&AtomicBool::new(false), &mut |_| {}).expect("a round")
    }
}

/// All three were told, and then it was put off in vain; the round after it tells them, and no other round does.
fn told_once(play: &Play) {
    assert_eq!(play.states("postponed").len(), 3);
    assert!(!play.states("postponed").contains(&"sent"));
    assert_eq!(play.to_be_told(), 3);
    play.at("2027-03-18T10:30");
    assert_eq!(play.round().sent, 3);
    assert_eq!(play.states("postponed"), ["sent"; 3]);
    assert_eq!(play.to_be_told(), 0);
    assert!(play.at("2027-03-18T11:30").round().nothing_due, "a round rests until there is a date");
    let again = play.engine().send(None, &To::Everyone, None, false, &AtomicBool::new(false), &mut |_| {});
    assert_eq!(again.expect_err("nothing is left to go out").exit, Exit::FactsChanged);
    assert_eq!(play.letters("postponed").len(), 3);
    assert_eq!(play.engine().next_moment().expect("asked"), None);
}

#[test]
fn put_off_while_the_server_is_down_is_told_by_the_next_round() {
    let play = Play::new();
    play.tick();
    play.at("2027-03-18T09:00").server_is_down(true);
    assert!(play.put_off(false).is_err());
    assert!(play.engine().round(&AtomicBool::new(false), &mut |_| {}).is_err());
    play.server_is_down(false);
    told_once(&play);
}

#[test]
fn put_off_by_a_run_that_is_killed_is_told_by_the_next_round() {
    let play = Play::new();
    play.tick();
    play.at("2027-03-18T09:00");
    assert_eq!(play.put_off(true).expect("planned"), 0);
    let now = play.clock.now();
    assert_eq!(play.engine().ledger.claim(now, 2).expect("claimed").len(), 2, "in hand, and then killed");
    told_once(&play);
}

#[test]
fn what_has_not_left_when_the_change_is_put_off_goes_to_nobody() {
    let play = Play::new();
    play.engine().send(None, &To::Everyone, None, false, &AtomicBool::new(true), &mut |_| {}).expect("planned");
    play.at("2027-03-18T09:00");
    assert_eq!(play.put_off(false).expect("put off"), 0, "nobody was told the date, so nobody hears that it is open");
    assert_eq!(play.states("news"), ["cancelled"; 3]);
    play.write(&CAMPAIGN.replace("2027-03-31T18", "2027-04-14T18"));
    let engine = &mut play.at("2027-03-20T09:00").engine();
    engine.amend(&Wish::default(), &AtomicBool::new(false), &mut |_| {}).expect("amended");
    play.at("2027-03-31T08:05").tick();
    assert_eq!(play.to("news").len(), 6);
    assert_eq!(play.states("news")[3..], ["sent"; 3], "with the new date");
}
