//! A date that moved, and moved back before everybody heard of it.

use super::amended::postpone;
use super::*;
use crate::answer::Standing as Where;
use crate::engine::{Amendment, Wish};
use crate::outbox::{Lease, Queue};

const LATER: &str = "2027-04-14T18";

fn later() -> String {
    CAMPAIGN.replace("2027-03-31T18", LATER)
}

impl Play {
    /// Taken over while nothing leaves.
    fn amend_unheard(&self, wish: &Wish) {
        self.server_is_down(true);
        assert!(self.engine().amend(wish, &AtomicBool::new(false), &mut |_| {}).is_err(), "no server");
        self.server_is_down(false);
    }

    fn send_to(&self, person: &str) -> usize {
        let to = To::People(vec![person.to_owned()]);
        self.engine().send(None, &to, None, false, &AtomicBool::new(false), &mut |_| {}).expect("sent").sent
    }

    fn stands(&self, person: &str) -> Where {
        let engine = self.engine();
        engine.standing(&engine.campaign.acknowledgements["read"], person).expect("asked").expect("in the audience")
    }
}

fn restored(amendment: &Amendment) -> Vec<&str> {
    amendment.restored.iter().map(|one| one.person.as_str()).collect()
}

fn told(amendment: &Amendment) -> Vec<&str> {
    amendment.informed.iter().filter(|one| !one.is_silent()).map(|one| one.person.as_str()).collect()
}

#[test]
fn whoever_heard_nothing_of_the_move_hears_nothing_of_the_way_back_and_their_answer_counts() {
    let play = Play::new();
    assert_eq!(play.tick().sent, 3);
    play.record("bea", Kind::Confirmed);
    play.write(&later());
    play.at("2027-03-18T09:00").amend_unheard(&Wish::default());
    assert_eq!(play.stands("bea").why, "was told an older date");
    assert_eq!(play.send_to("ann"), 1, "she alone has the new date");

    play.write(CAMPAIGN);
    let back = play.at("2027-03-18T10:00").amend(&Wish::default());
    assert_eq!((told(&back), restored(&back)), (vec!["ann"], vec!["bea", "cy"]));
    assert_eq!(play.letters("news").iter().filter(|one| one.state.word() == "sent").count(), 3 + 1 + 1);
    assert!(play.letter_to("news", "ann@corp.example").contains("It was:      Wednesday, 14 April 2027"));
    assert_eq!(play.stands("bea").grade, crate::campaign::Grade::Confirmed, "what she said of this date, she said");
    assert_eq!(play.stands("cy").why, "was sent the notice");
    // Nothing is owed, in no later round either; and the reminder goes to those who have not answered.
    assert!(play.at("2027-03-18T11:00").tick().nothing_due);
    play.at("2027-03-21T08:05").tick();
    assert_eq!(play.to("reminder").iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["ann", "cy"]);
    // What changes next is told against what they have in hand, and names nothing of the way there and back.
    play.write(&CAMPAIGN.replace("contact = \"IT\"", "contact = \"Desk\""));
    let next = play.at("2027-03-22T09:00").amend(&Wish::default());
    assert_eq!(told(&next).len(), 3);
    let letter = play.letter_to("news", "cy@corp.example");
    assert!(letter.contains("Questions go to: Desk") && !letter.contains("It was:"), "{letter}");
    assert!(play.stands("bea").grade < crate::campaign::Grade::Confirmed);
}

/// A text or a due is nothing that every notice speaks of: the letters of in between are found by their people.
#[test]
fn a_text_or_a_due_that_changed_and_changed_back_leaves_no_letter_of_in_between() {
    let play = Play::new();
    let text = play.folder.path().join("templates/mail/all-clear");
    fs_err::create_dir_all(&text).expect("a folder");
    let say = |words: &str| fs_err::write(text.join("text.hbs"), words).expect("written");
    say("All is well. {{ack.due}}\n");
    assert_eq!(play.tick().sent, 3);
    play.record("bea", Kind::Confirmed);
    say("Bring the old badge. {{ack.due}}\n");
    play.at("2027-03-18T09:00").amend_unheard(&Wish::default());
    say("All is well. {{ack.due}}\n");
    let back = play.at("2027-03-18T10:00").amend(&Wish::default());
    assert_eq!((told(&back).len(), restored(&back).len()), (0, 3));
    play.write(&CAMPAIGN.replace("due = \"T-3d\"", "due = \"T-4d\""));
    play.at("2027-03-18T11:00").amend_unheard(&Wish::default());
    play.write(CAMPAIGN);
    let back = play.at("2027-03-18T12:00").amend(&Wish::default());
    // Who has answered has nothing to do by any day.
    assert_eq!((told(&back).len(), restored(&back).len()), (0, 2));
    let failed = play.engine().send(None, &To::Failed, None, false, &AtomicBool::new(false), &mut |_| {});
    assert_eq!(failed.expect("nothing to try").sent, 0);
    assert!(play.at("2027-03-18T13:00").tick().nothing_due);
    let sent: Vec<_> = play.letters("news").into_iter().filter(|one| one.state.word() == "sent").collect();
    assert_eq!((sent.len(), play.stands("bea").grade), (3, crate::campaign::Grade::Confirmed));
}

#[test]
fn put_off_in_vain_and_on_again_on_that_date_is_no_news() {
    let play = Play::new();
    assert_eq!(play.tick().sent, 3);
    play.at("2027-03-18T09:00").amend_unheard(&postpone());
    let back = play.at("2027-03-18T10:00").amend(&Wish::default());
    assert_eq!((told(&back).len(), restored(&back).len()), (0, 3));
    assert!(play.at("2027-03-18T11:00").tick().nothing_due);
    assert_eq!(play.letters("news").len(), 3);
    // Put off in earnest; a new date that nobody hears of; and put off once more.
    let off = play.at("2027-03-18T12:00").amend(&postpone());
    assert_eq!((told(&off).len(), restored(&off).len()), (3, 0));
    play.write(&later());
    play.at("2027-03-18T13:00").amend_unheard(&Wish::default());
    let off = play.at("2027-03-18T14:00").amend(&postpone());
    assert_eq!((told(&off).len(), restored(&off).len()), (0, 3));
    let sent = play.letters("postponed").iter().filter(|one| one.state.word() == "sent").count();
    assert_eq!(sent, 3, "they know that it is off");
    play.at("2027-03-18T15:00");
    assert!(play.engine().round(&AtomicBool::new(false), &mut |_| {}).expect("a round").nothing_due);
    assert_eq!(told(&play.amend(&Wish::default())).len(), 3, "and hear of the new date");
    assert!(play.letter_to("news", "cy@corp.example").contains("New date:    Wednesday, 14 April 2027"));
}

#[test]
fn whoever_answered_the_new_date_by_hand_or_may_have_its_letter_is_told() {
    let play = Play::new();
    assert_eq!(play.tick().sent, 3);
    play.write(&later());
    play.at("2027-03-18T09:00").amend_unheard(&Wish::default());
    play.record("bea", Kind::Operator);
    let now = play.clock.now();
    let mut engine = play.engine();
    let waiting = engine.ledger.waiting().expect("asked");
    let cy = waiting.iter().find(|one| one.person == "cy").expect("a letter that waits").id;
    engine.ledger.choose(Some(&[cy])).expect("chosen");
    let claimed = engine.ledger.claim(now, 1).expect("claimed");
    assert_eq!(engine.ledger.mark(claimed[0].id, claimed[0].fence).expect("marked"), Lease::Held);
    drop(engine);
    play.write(CAMPAIGN);
    let back = play.at("2027-03-18T10:00").amend(&Wish::default());
    assert_eq!((told(&back), restored(&back)), (vec!["bea", "cy"], vec!["ann"]));
    // She knows of the new date from the telephone, whatever her newest letter says.
    let letter = play.letter_to("news", "bea@corp.example");
    assert!(letter.contains("Bisher:       Mittwoch, 14. April 2027"), "{letter}");
}

#[test]
fn whoever_was_told_by_hand_or_whose_letter_came_back_has_answered_what_is_true_again() {
    let play = Play::new();
    assert_eq!((play.send_to("ann"), play.send_to("bea")), (1, 1));
    play.comes_back(&play.letters("news")[0]);
    play.record("ann", Kind::Operator);
    play.record("cy", Kind::Operator);
    play.write(&later());
    play.at("2027-03-18T09:00").amend_unheard(&Wish::default());
    assert!(play.stands("cy").grade < crate::campaign::Grade::Confirmed);
    play.write(CAMPAIGN);
    let back = play.at("2027-03-18T10:00").amend(&Wish::default());
    assert_eq!((told(&back).len(), restored(&back)), (0, vec!["ann", "bea", "cy"]));
    for person in ["ann", "cy"] {
        assert_eq!(play.stands(person).grade, crate::campaign::Grade::Confirmed, "{person} said it of this date");
    }
    assert!(play.at("2027-03-18T11:00").tick().nothing_due);

    // Put off, and on again on that date: whoever was told by hand heard nothing of that, but by hand.
    play.at("2027-03-18T12:00").amend_unheard(&postpone());
    play.record("ann", Kind::Operator);
    let on = play.at("2027-03-18T13:00").amend(&Wish::default());
    assert_eq!((told(&on), restored(&on)), (vec!["ann"], vec!["bea", "cy"]));
    assert!(play.stands("ann").grade < crate::campaign::Grade::Confirmed, "she knows that it was put off");
    assert_eq!(play.stands("cy").grade, crate::campaign::Grade::Confirmed);

    // In earnest, and to another date: that is told against what was told by hand.
    play.at("2027-03-18T14:00").amend(&postpone());
    play.write(&later());
    assert_eq!(told(&play.at("2027-03-18T15:00").amend(&Wish::default())), ["ann", "bea", "cy"]);
    let letter = play.letter_to("news", "cy@corp.example");
    assert!(letter.contains("It was:      Wednesday, 31 March 2027"), "{letter}");
}

#[test]
fn an_answer_by_hand_to_another_date_never_counts_and_the_letter_names_that_date() {
    let play = Play::new();
    assert_eq!(play.send_to("ann"), 1);
    play.record("bea", Kind::Operator);
    play.write(&later());
    play.at("2027-03-18T09:00").amend_unheard(&Wish::default());
    play.record("bea", Kind::Operator);
    play.record("cy", Kind::Operator);
    play.write(CAMPAIGN);
    let back = play.at("2027-03-18T10:00").amend(&Wish::default());
    assert_eq!((told(&back), restored(&back)), (vec!["bea", "cy"], vec!["ann"]));
    for person in ["bea", "cy"] {
        assert!(play.stands(person).grade < crate::campaign::Grade::Confirmed, "{person} has the other date in mind");
    }
    let letter = play.letter_to("news", "cy@corp.example");
    assert!(letter.contains("It was:      Wednesday, 14 April 2027"), "{letter}");
}

#[test]
fn a_manager_who_heard_nothing_of_the_move_is_not_told_of_it() {
    let play = Play::new();
    play.tick();
    play.record("ann", Kind::HardBounce);
    play.at("2027-03-18T09:00").tick();
    assert_eq!(play.to("escalation").len(), 1);
    play.write(&later());
    play.at("2027-03-19T09:00").amend_unheard(&Wish::default());
    play.write(CAMPAIGN);
    assert_eq!(play.at("2027-03-19T10:00").amend(&Wish::default()).corrected, 0);
    play.at("2027-03-19T11:00").tick();
    assert!(play.letters("correction").iter().all(|one| one.state.word() != "sent"));
}
