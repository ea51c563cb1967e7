use super::*;
use crate::engine::Wish;
use crate::outbox::Queue;

fn without_ann() -> String {
    PEOPLE.lines().filter(|line| !line.starts_with("ann,")).map(|line| format!("{line}\n")).collect()
}

impl Play {
    /// Her letter is in doubt: the run that sent it was killed.
    fn killed_with_hers_on_the_wire(&self) {
        let engine = &mut self.engine();
        engine.send(None, &To::Everyone, None, false, &AtomicBool::new(true), &mut |_| {}).expect("planned");
        let now = engine.now();
        let hers = engine.ledger.claim(now, 1).expect("claimed").remove(0);
        assert_eq!(hers.person, "ann");
        let _ = engine.ledger.mark(hers.id, hers.fence).expect("marked");
    }

    fn hers(&self) -> Vec<(&'static str, u32)> {
        let hers = self.letters("news").into_iter().filter(|one| one.person == "ann");
        hers.map(|one| (one.state.word(), one.doubts)).collect()
    }

    /// She is off the roster at ten, and back on it at eleven.
    fn leaves_and_comes_back(&self) {
        self.people(&without_ann());
        self.at("2027-03-17T10:00").amend_and_send();
        self.tick();
        self.people(PEOPLE);
    }

    fn amend_and_send(&self) -> Sent {
        self.engine().amend(&Wish::default(), &AtomicBool::new(false), &mut |_| {}).expect("amended").1
    }
}

#[test]
fn whoever_left_in_doubt_and_is_back_gets_the_same_bytes_once_more() {
    let play = Play::new();
    play.killed_with_hers_on_the_wire();
    play.leaves_and_comes_back();
    assert_eq!(play.hers(), [("cancelled", 1)], "nobody writes to who is gone");
    // Before anybody takes note of it, too.
    let engine = play.engine();
    let read = &engine.campaign.acknowledgements["read"];
    assert_eq!(engine.standing(read, "ann").expect("asked").expect("hers").why, "may have our letter or not");
    let calls = crate::report::calls::calls(&engine, false).expect("a sheet");
    let calls: Vec<_> = calls.iter().map(|call| (call.person.as_str(), call.why)).collect();
    assert_eq!(calls, [("ann", crate::report::calls::Why::InDoubt)]);
    drop(engine);
    assert_eq!(play.at("2027-03-17T11:00").amend_and_send().sent, 1);
    assert_eq!(play.hers(), [("sent", 1)], "it is the same message, so that a receiver can drop the double");
    assert_eq!(play.at("2027-03-17T12:00").tick().sent, 0, "once");
}

#[test]
fn whoever_has_answered_meanwhile_needs_no_further_copy() {
    let play = Play::new();
    play.killed_with_hers_on_the_wire();
    play.record("ann", Kind::Confirmed);
    assert_eq!(play.hers(), [("transmitting", 0)]);
    play.leaves_and_comes_back();
    assert_eq!(play.at("2027-03-17T11:00").amend_and_send().sent, 0);
}

#[test]
fn what_a_person_decides_about_stays_theirs_to_decide() {
    let hold = CAMPAIGN.replace("[mail]\n", "[mail]\nuncertain = \"hold\"\n");
    let play = Play::of(&hold);
    play.killed_with_hers_on_the_wire();
    play.leaves_and_comes_back();
    play.at("2027-03-17T11:00").amend_and_send();
    assert_eq!(play.hers(), [("uncertain", 1)], "listed, and not sent");
    let hers = play.letters("news").into_iter().find(|one| one.person == "ann" && one.is_in_doubt());
    let words = "in doubt as before it was taken back: the person is among those it is for again; before that: the run ended \
                 while it was being sent";
    assert_eq!(hers.expect("hers").reply, words, "with what the server said, or why it said nothing");
}

#[test]
fn whoever_left_before_the_hour_of_a_letter_asked_for_early_gets_it_at_its_hour() {
    let play = Play::new();
    play.at("2027-03-16T09:00").server_is_down(true);
    let engine = &mut play.engine();
    let early = engine.send(
        Some("news"),
        &To::People(vec!["ann".to_owned()]),
        None,
        false,
        &AtomicBool::new(false),
        &mut |_| {},
    );
    assert!(early.is_err(), "the server is down");
    drop(early);
    play.server_is_down(false);
    play.people(&without_ann());
    play.at("2027-03-16T10:00").amend_and_send();
    play.people(PEOPLE);
    play.at("2027-03-16T11:00").amend_and_send();
    assert_eq!(play.hers(), [("cancelled", 0)]);
    let plan = play.engine().plan(Some("ann")).expect("planned");
    let news = plan.iter().find(|one| one.notice == "news").expect("an entry");
    assert_eq!((news.people, news.state.as_str()), (1, "to come"));
    assert_eq!(play.at("2027-03-17T09:00").tick().sent, 3);
    assert_eq!(play.hers(), [("cancelled", 0), ("sent", 0)]);
    assert_eq!(play.at("2027-03-17T10:00").tick().planned, 0, "once");
}
