//! Letters that still wait while the facts change once more, or while people leave and come back.

use super::*;
use crate::engine::Wish;
use crate::outbox::{Lease, Queue};

impl Play {
    fn planned(&self) {
        let engine = &mut self.engine();
        engine.send(None, &To::Everyone, None, false, &AtomicBool::new(true), &mut |_| {}).expect("planned");
    }

    /// Taken over; the letters wait.
    fn amend_in_vain(&self) {
        self.engine().amend(&Wish::default(), &AtomicBool::new(true), &mut |_| {}).expect("amended");
    }

    fn write_text(&self, text: &str) {
        let own = self.folder.path().join("templates/mail/all-clear");
        fs_err::create_dir_all(&own).expect("a folder");
        fs_err::write(own.join("text.hbs"), text).expect("written");
    }

    pub(super) fn people(&self, people: &str) {
        fs_err::write(self.folder.path().join("people.csv"), people).expect("written");
    }
}

fn on(date: &str) -> String {
    CAMPAIGN.replace("2027-03-31T18", date)
}

#[test]
fn a_letter_says_all_that_is_different_from_what_really_reached_its_reader() {
    let play = Play::new();
    play.tick();
    play.write(&on("2027-04-14T18"));
    play.at("2027-03-18T09:00").amend_in_vain();
    play.write_text("All is well.\n");
    play.at("2027-03-18T10:00").amend(&Wish::default());
    let letter = play.letter_to("news", "ann@corp.example");
    assert!(letter.contains("New date:    Wednesday, 14 April 2027"), "{letter}");
    assert!(letter.contains("It was:      Wednesday, 31 March 2027") && letter.contains("told anew below"), "{letter}");
    // And then only what is different from that.
    play.write_text("All is very well.\n");
    play.at("2027-03-18T11:00").amend(&Wish::default());
    let letter = play.letter_to("news", "ann@corp.example");
    assert!(letter.contains("told anew below") && !letter.contains("New date"), "{letter}");
}

#[test]
fn a_date_that_moved_twice_is_told_from_the_one_that_people_know() {
    let play = Play::new();
    play.tick();
    play.write(&on("2027-04-07T18"));
    play.at("2027-03-18T09:00").amend_in_vain();
    play.write(&on("2027-04-14T18"));
    play.at("2027-03-18T10:00").amend(&Wish::default());
    let letter = play.letter_to("news", "ann@corp.example");
    assert!(letter.contains("New date:    Wednesday, 14 April 2027"), "{letter}");
    assert!(letter.contains("It was:      Wednesday, 31 March 2027") && !letter.contains("7 April"), "{letter}");
    // Put off in vain, and then a date: whoever never heard of the one knows the date before it.
    let wish = super::amended::postpone();
    play.at("2027-03-19T09:00").engine().amend(&wish, &AtomicBool::new(true), &mut |_| {}).expect("put off");
    play.write(&on("2027-04-21T18"));
    play.at("2027-03-19T10:00").amend(&Wish::default());
    let letter = play.letter_to("news", "ann@corp.example");
    assert!(letter.contains("It was:      Wednesday, 14 April 2027"), "{letter}");
}

#[test]
fn whoever_leaves_while_a_letter_waits_and_comes_back_is_told() {
    let play = Play::new();
    play.planned();
    let without = PEOPLE.lines().filter(|line| !line.starts_with("cy")).map(|line| format!("{line}\n"));
    play.people(&without.collect::<String>());
    assert_eq!(play.at("2027-03-17T10:00").amend(&Wish::default()).left.len(), 1);
    let cy = |play: &Play| -> Vec<&'static str> {
        let his = play.letters("news").into_iter().filter(|one| one.person == "cy");
        his.map(|one| one.state.word()).collect()
    };
    assert_eq!(cy(&play), ["cancelled"]);
    play.people(PEOPLE);
    assert_eq!(play.at("2027-03-17T11:00").amend(&Wish::default()).joined, ["cy"]);
    assert_eq!(cy(&play), ["cancelled", "sent"]);
    assert!(play.at("2027-03-17T12:00").tick().nothing_due, "once");
    assert_eq!(play.engine().owed().expect("asked"), []);
    let status = crate::report::status::Status::of(&play.engine()).expect("a status");
    assert!(status.leavers[0].back, "{:?}", status.leavers);
    // He is asked like everybody else.
    play.at("2027-03-21T08:05").tick();
    assert!(play.to("reminder").iter().any(|(id, _)| id == "cy"));
}

#[test]
fn whoever_comes_back_is_told_by_name_too() {
    let play = Play::new();
    play.planned();
    let without = PEOPLE.lines().filter(|line| !line.starts_with("cy")).map(|line| format!("{line}\n"));
    play.people(&without.collect::<String>());
    play.at("2027-03-17T10:00").amend(&Wish::default());
    play.people(PEOPLE);
    let engine = &mut play.at("2027-03-17T11:00").engine();
    let sent = engine.send(Some("news"), &To::Everyone, None, false, &AtomicBool::new(false), &mut |_| {});
    assert_eq!(sent.map(|sent| (sent.planned, sent.sent)).expect("sent"), (1, 1), "Cy, and nobody twice");
}

/// Nobody has to answer `hint`, so nobody misses whoever leaves.
const HINT: &str = "[audience]\nall = {}\nusers = { kind = \"user\" }\n[notice.hint]\naudience = \"users\"\nat = \"T-14d\"\n\
                    template = \"all-clear\"\n";

#[test]
fn what_waits_for_somebody_who_is_elsewhere_by_now_is_taken_back() {
    let campaign = CAMPAIGN.replace("[audience]\nall = {}\n", HINT);
    let hints = |play: &Play| -> Vec<(String, &'static str)> {
        play.letters("hint").into_iter().map(|one| (one.person, one.state.word())).collect()
    };
    let elsewhere = PEOPLE.replace("ann@corp.example,user", "ann@corp.example,guest");
    for amended in [true, false] {
        let play = Play::of(&campaign);
        play.planned();
        play.people(&elsewhere);
        play.at("2027-03-17T10:00");
        if amended {
            play.write_text("All is well.\n");
            assert_eq!(play.amend(&Wish::default()).moved.len(), 1);
        } else {
            play.tick();
        }
        let out: Vec<String> =
            hints(&play).into_iter().filter(|(_, state)| *state == "sent").map(|(person, _)| person).collect();
        assert_eq!(out, ["bea", "cy"], "{:?}", hints(&play));
        assert_eq!(hints(&play)[0], ("ann".to_owned(), "cancelled"));
    }
}

#[test]
fn a_joiner_whose_letter_waits_when_it_is_put_off_is_told_with_the_new_date_and_not_before() {
    let play = Play::new();
    play.tick();
    play.people(&format!("{PEOPLE}dee,Dee,dee@corp.example,user,,,\n"));
    play.at("2027-03-17T10:00").amend_in_vain();
    let hers = |play: &Play, notice: &str| -> Vec<&'static str> {
        let hers = play.letters(notice).into_iter().filter(|one| one.person == "dee");
        hers.map(|one| one.state.word()).collect()
    };
    assert_eq!(hers(&play, "news"), ["planned"]);
    play.at("2027-03-18T09:00").amend(&super::amended::postpone());
    assert_eq!(hers(&play, "news"), ["cancelled"], "it names a date that does not hold");
    assert!(hers(&play, "postponed").is_empty(), "she never heard of the date");
    assert_eq!(play.engine().owed().expect("asked"), []);
    play.write(&on("2027-04-01T18"));
    play.at("2027-03-19T09:00").amend(&Wish::default());
    assert_eq!(hers(&play, "news"), ["cancelled", "sent"]);
    let letter = play.letter_to("news", "dee@corp.example");
    assert!(!letter.contains("Changed: ") && !letter.contains("CHANGED"), "nothing changed for her: {letter}");
}

#[test]
fn what_a_killed_run_had_in_hand_is_counted_as_taken_back_unless_a_server_may_have_it() {
    let play = Play::new();
    play.planned();
    let mut killed = play.engine();
    let claimed = killed.ledger.claim(play.clock.now(), 100).expect("claimed");
    assert_eq!(killed.ledger.mark(claimed[0].id, claimed[0].fence).expect("marked"), Lease::Held);
    drop(killed);
    let mut engine = play.engine();
    assert_eq!(engine.call_off("the room burnt down", "Pat").expect("called off"), 0, "another process may have them");
    assert_eq!((claimed.len(), engine.call_off_rest().expect("taken back")), (3, 2));
}
