//! Somebody who is back on the rosters, or in their audience, with a letter that was overtaken meanwhile.

use super::*;
use crate::engine::Wish;

const MOVED: (&str, &str) = ("2027-03-31T18", "2027-04-01T18");

impl Play {
    fn exported(&self, people: &str) -> &Play {
        fs_err::write(self.folder.path().join("people.csv"), people).expect("written");
        self
    }

    fn informs(&self, wish: &Wish) -> usize {
        self.engine().amend(wish, &AtomicBool::new(false), &mut |_| {}).expect("amended").1.sent
    }

    /// The newest letter about the news to a person.
    fn newest(&self, person: &str) -> String {
        let mut letters = self.letters("news").into_iter().filter(|one| one.person == person);
        let one = letters.next_back().expect("a letter");
        let mut bytes = Vec::new();
        let letter = self.engine().ledger().letter(one.id).expect("a letter");
        letter.write(&mut bytes, &crate::notice::open_file).expect("written");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn known(&self, person: &str) -> String {
        let engine = self.engine();
        let asked = &engine.campaign.acknowledgements["read"];
        engine.standing(asked, person).expect("asked").expect("somebody").why
    }
}

/// Ann is missing from the export on the day the date moves.
fn away() -> (Play, String) {
    let campaign = CAMPAIGN.replace("at = \"T-14d\"", "at = \"T-14d\"\ncalendar = true");
    let play = Play::of(&campaign);
    assert_eq!(play.tick().sent, 3);
    play.record("ann", Kind::Confirmed);
    play.exported(
        &PEOPLE.lines().filter(|row| !row.starts_with("ann")).map(|row| format!("{row}\n")).collect::<String>(),
    );
    let campaign = campaign.replace(MOVED.0, MOVED.1);
    play.at("2027-03-20T09:00").write(&campaign);
    assert_eq!(play.informs(&Wish::default()), 2);
    (play, campaign)
}

/// Those who are silent are reminded next, whoever is back among them.
fn is_asked_again(play: &Play) {
    let letter = play.newest("ann");
    for words in ["Subject: Changed: ", "New date:    Thursday, 1 April 2027", "It was:      Wednesday, 31 March 2027"]
    {
        assert!(letter.contains(words), "no {words} in {letter}");
    }
    assert!(letter.contains("SEQUENCE:1") && letter.contains("METHOD:REQUEST"), "{letter}");
    play.at("2027-03-25T08:05").tick();
    assert!(play.to("reminder").iter().any(|(id, _)| id == "ann"));
}

#[test]
fn whoever_is_back_after_the_date_has_moved_is_told_what_changed_and_asked_again() {
    let (play, _) = away();
    play.at("2027-03-20T10:00").exported(PEOPLE);
    assert_eq!(play.known("ann"), "was told an older date");
    let beforehand = play.engine().amendment(&Wish::default()).expect("found");
    assert_eq!((beforehand.joined.as_slice(), beforehand.held.len()), (["ann".to_owned()].as_slice(), 0));
    assert_eq!(beforehand.informed[0].because, ["change_at"]);
    assert_eq!(play.informs(&Wish::default()), 1);
    assert_eq!(play.informs(&Wish::default()), 0, "once");
    is_asked_again(&play);
}

#[test]
fn asked_for_by_name_the_letter_says_what_changed_too() {
    let (play, _) = away();
    play.at("2027-03-20T10:00").exported(PEOPLE);
    let mut engine = play.engine();
    let to = To::People(vec!["ann".to_owned()]);
    let sent = engine.send(Some("news"), &to, None, false, &AtomicBool::new(false), &mut |_| {}).expect("sent");
    assert_eq!(sent.sent, 1);
    drop(engine);
    is_asked_again(&play);
    assert_eq!(play.informs(&Wish::default()), 0, "they have it");
}

#[test]
fn back_on_the_day_of_another_move_it_was_what_they_know() {
    let (play, campaign) = away();
    play.at("2027-03-21T09:00").exported(PEOPLE).write(&campaign.replace(MOVED.1, "2027-04-02T18"));
    assert_eq!(play.informs(&Wish::default()), 3);
    let letter = play.newest("ann");
    assert!(letter.contains("It was:      Wednesday, 31 March 2027"), "{letter}");
    assert!(play.newest("cy").contains("It was:      Thursday, 1 April 2027"));
}

#[test]
fn whoever_believes_that_it_is_put_off_hears_the_new_date() {
    let play = Play::new();
    play.tick();
    play.at("2027-03-19T09:00").informs(&Wish { postpone: true, ..Wish::default() });
    play.exported(
        &PEOPLE.lines().filter(|row| !row.starts_with("ann")).map(|row| format!("{row}\n")).collect::<String>(),
    );
    play.at("2027-03-20T09:00").write(&CAMPAIGN.replace(MOVED.0, MOVED.1));
    assert_eq!(play.informs(&Wish::default()), 2);
    play.exported(PEOPLE);
    assert_eq!(play.known("ann"), "was told that it is put off");
    assert_eq!(play.at("2027-03-20T10:00").informs(&Wish::default()), 1);
    let (ann, cy) = (play.newest("ann"), play.newest("cy"));
    assert!(ann.contains("Subject: Changed: ") && cy.contains("Subject: Changed: "), "{ann}");
    let date =
        |letter: &str| letter.lines().filter(|line| line.starts_with("It was:")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(date(&ann), date(&cy), "the same as whoever stayed");
}

#[test]
fn nothing_changed_or_in_looks_alone_and_the_answer_counts_again() {
    let play = Play::new();
    let answer = |text: &str| {
        let folder = play.folder.path().join("templates/mail/all-clear");
        fs_err::create_dir_all(&folder).expect("a folder");
        fs_err::write(folder.join("text.hbs"), text).expect("written");
    };
    answer("The VPN changes on {{change.local}}. Answer {{ack.word}}.\n");
    play.tick();
    play.record("ann", Kind::Confirmed);
    play.exported(
        &PEOPLE.lines().filter(|row| !row.starts_with("ann")).map(|row| format!("{row}\n")).collect::<String>(),
    );
    play.at("2027-03-19T09:00").informs(&Wish::default());
    answer("The VPN changes on {{change.local}}! Answer {{ack.word}}.\n");
    play.informs(&Wish { cosmetic: true, ..Wish::default() });
    play.exported(PEOPLE);
    assert_eq!(play.at("2027-03-20T09:00").informs(&Wish::default()), 0);
    assert!(play.engine().settled().expect("settled").contains(&("ann".to_owned(), "read".to_owned())));
    // Another text that is no matter of looks, and they are asked again.
    play.exported(
        &PEOPLE.lines().filter(|row| !row.starts_with("ann")).map(|row| format!("{row}\n")).collect::<String>(),
    );
    play.informs(&Wish::default());
    answer("The VPN changes on {{change.local}}, and so does the key. Answer {{ack.word}}.\n");
    assert_eq!(play.informs(&Wish::default()), 2);
    play.exported(PEOPLE);
    assert_eq!(play.at("2027-03-21T09:00").informs(&Wish::default()), 1);
    assert!(!play.engine().settled().expect("settled").contains(&("ann".to_owned(), "read".to_owned())));
}
