//! Quiet hours: what waits in the queue when they begin goes out when they end.

use super::*;
use crate::engine::Wish;

fn quiet() -> String {
    format!("{CAMPAIGN}[calendar]\nquiet = \"20:00-07:00\"\n")
}

impl Play {
    fn goes_out(&self, moment: &str) -> usize {
        self.at(moment).tick().sent
    }

    fn planned_only(&self) {
        let engine = &mut self.engine();
        engine.send(None, &To::Everyone, None, false, &AtomicBool::new(true), &mut |_| {}).expect("planned");
    }
}

#[test]
fn what_the_server_did_not_take_by_day_does_not_go_out_at_night() {
    let play = Play::of(&quiet());
    play.planned_only();
    // 19:59 and 20:00 in Berlin.
    play.at("2027-03-17T18:59").server_is_down(true);
    assert!(play.engine().round(&AtomicBool::new(false), &mut |_| {}).is_err());
    play.server_is_down(false);
    for night in ["2027-03-17T19:00", "2027-03-17T23:30", "2027-03-18T05:59"] {
        assert_eq!(play.goes_out(night), 0, "{night}");
    }
    let (at, _) = play.engine().next_moment().expect("asked").expect("a moment");
    assert_eq!(at, day("2027-03-18T06:00"), "07:00 in Berlin, and no round before it is in vain");
    assert_eq!(play.goes_out("2027-03-18T06:00"), 3);
}

#[test]
fn a_reminder_that_waits_keeps_to_the_hours_of_whom_it_goes_to() {
    let play = Play::of(&quiet());
    let people = "id,name,email,kind,time_zone\nann,Ann,ann@corp.example,user,\n\
                  bea,Bea,bea@corp.example,user,America/New_York\n";
    fs_err::write(play.folder.path().join("people.csv"), people).expect("written");
    assert_eq!(play.goes_out("2027-03-17T14:00"), 2);
    play.at("2027-03-21T14:00").planned_only();
    assert_eq!(play.to("reminder").len(), 2);
    play.goes_out("2027-03-21T21:00");
    let out = |play: &Play| -> Vec<String> {
        let sent = play.letters("reminder").into_iter().filter(|one| one.state.word() == "sent");
        sent.map(|one| one.person).collect()
    };
    assert_eq!(out(&play), ["bea"], "it is 22:00 in Berlin and 17:00 in New York");
    play.goes_out("2027-03-22T06:00");
    assert_eq!(out(&play), ["ann", "bea"]);
}

#[test]
fn an_amendment_waits_for_the_morning_and_a_postponement_does_not() {
    let play = Play::of(&quiet());
    assert_eq!(play.tick().sent, 3);
    play.write(&quiet().replace("2027-03-31T18", "2027-04-14T18"));
    let amend = |wish: &Wish| {
        play.engine().amend(wish, &AtomicBool::new(false), &mut |_| {}).map(|(_, sent)| (sent.planned, sent.sent))
    };
    play.at("2027-03-18T22:00");
    assert_eq!(amend(&Wish::default()).expect("amended"), (3, 0));
    assert_eq!(play.goes_out("2027-03-19T02:00"), 0);
    assert_eq!(play.goes_out("2027-03-19T06:00"), 3);
    play.at("2027-03-19T22:00");
    let wish = Wish { postpone: true, reason: "no room".to_owned(), ..Wish::default() };
    assert_eq!(amend(&wish).expect("put off"), (3, 3));
}

#[test]
fn what_somebody_asks_for_by_name_goes_out_at_any_hour() {
    let play = Play::of(&quiet());
    let engine = &mut play.at("2027-03-17T23:00").engine();
    let sent = engine.send(Some("news"), &To::Everyone, None, false, &AtomicBool::new(false), &mut |_| {});
    assert_eq!(sent.expect("sent").sent, 3);
}
