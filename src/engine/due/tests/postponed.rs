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
    let ends = again.expect_err("nothing is left to go out");
    assert!(ends.exit == Exit::FactsChanged && ends.cause().starts_with("nothing is left to send: "), "{ends}");
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
fn a_question_counts_who_is_to_hear_that_it_is_off_or_put_off_and_once_all_know_there_is_none() {
    let play = Play::new();
    play.tick();
    let asked = || {
        let engine = play.engine();
        let of = |to: &To| engine.forecast(None, to, None, false).expect("counted").0;
        assert_eq!(of(&To::Failed), of(&To::Everyone), "nobody's letter failed, and the others go out with them");
        (of(&To::Everyone), engine.is_idle().expect("looked"))
    };
    play.at("2027-03-18T09:00").put_off(true).expect("planned");
    assert_eq!(asked().0, 3);
    play.at("2027-03-18T10:30").round();
    assert_eq!(asked(), (0, true));
    play.engine().call_off("the room burnt down", "Pat").expect("called off");
    assert_eq!(asked().0, 3);
    play.call_off();
    assert_eq!(asked(), (0, true));
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

const MORE: &str = "id,name,email,kind,manager_email,alternate_email,language,format\n\
                    ann,Ann,ann@corp.example,user,boss@corp.example,,,\n\
                    bea,Bea,bea@corp.example,user,,,de,\n\
                    cy,Cy,cy@corp.example,user,,,,rfc1154\n\
                    dot,Dot,,user,,,,\n";
const LATER: &str = "id,name,email,kind,manager_email,alternate_email,language,format\n\
                     ann,Ann,ann@corp.example,user,boss@corp.example,,,\n\
                     eve,Eve,eve@corp.example,user,,,,\n";

/// Bea and Cy were told, and have left since; Dot was never told, and Eve comes new.
fn with_leavers() -> Play {
    let play = Play::of(&CAMPAIGN.replace("[notice.news]\n", "[notice.news]\ncalendar = true\n"));
    fs_err::write(play.folder.path().join("people.csv"), MORE).expect("written");
    assert_eq!(play.tick().sent, 3);
    fs_err::write(play.folder.path().join("people.csv"), LATER).expect("written");
    play.at("2027-03-18T09:00");
    play
}

fn text(play: &Play, notice: &str, person: &str) -> String {
    let one = play.letters(notice).into_iter().find(|one| one.person == person).expect("a letter");
    let mut bytes = Vec::new();
    let letter = play.engine().ledger().letter(one.id).expect("a letter");
    letter.write(&mut bytes, &crate::notice::open_file).expect("written");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// As they were told: in German with the calendar entry taken out again, and as the gateway to MS Mail takes it.
fn reads_as_before(play: &Play, notice: &str) {
    let people: Vec<String> = play.to(notice).into_iter().map(|(person, _)| person).collect();
    assert_eq!(people, ["ann", "bea", "cy"], "who was told, and nobody else");
    let (bea, cy) = (text(play, notice, "bea"), text(play, notice, "cy"));
    assert!(bea.contains("Guten Tag") && bea.contains("METHOD:CANCEL"), "{bea}");
    assert!(cy.contains("Encoding: ") && cy.contains("Hello") && !cy.contains("MIME-Version"), "{cy}");
}

#[test]
fn whoever_was_told_and_has_left_hears_that_it_is_put_off_and_nobody_hears_it_twice() {
    let play = with_leavers();
    let wish = Wish { postpone: true, reason: "no room".to_owned(), ..Wish::default() };
    let beforehand = play.engine().amendment(&wish).expect("found");
    let informed: Vec<&str> = beforehand.informed.iter().map(|one| one.person.as_str()).collect();
    assert_eq!(informed, ["ann", "bea", "cy"], "`amend --dry-run` names them");
    assert_eq!(play.put_off(false).expect("put off"), 3);
    reads_as_before(&play, "postponed");
    // The next date is told to those who are there; whoever left has no date to be put off again.
    play.write(&CAMPAIGN.replace("2027-03-31T18", "2027-04-14T18"));
    let amended = play.at("2027-03-19T09:00").engine().amend(&Wish::default(), &AtomicBool::new(false), &mut |_| {});
    assert_eq!(amended.expect("amended").1.sent, 1, "Eve's hour has not come");
    assert_eq!(play.at("2027-03-20T09:00").put_off(false).expect("put off"), 1);
    let twice: Vec<String> = play.to("postponed").into_iter().skip(3).map(|(person, _)| person).collect();
    assert_eq!(twice, ["ann"]);
}

#[test]
fn whoever_was_asked_about_somebody_who_left_hears_that_it_is_put_off() {
    let play = with_leavers();
    fs_err::write(play.folder.path().join("people.csv"), MORE).expect("written");
    play.at("2027-03-28T07:00").tick();
    assert_eq!(play.to("escalation").iter().filter(|(person, _)| person == "ann").count(), 1);
    fs_err::write(
        play.folder.path().join("people.csv"),
        LATER.replace("ann,Ann,ann@corp.example,user,boss@corp.example,,,\n", ""),
    )
    .expect("written");
    play.put_off(false).expect("put off");
    assert!(play.to("postponed").contains(&("ann".to_owned(), "boss@corp.example".to_owned())));
    assert!(play.to("postponed").contains(&("ann".to_owned(), "ann@corp.example".to_owned())));
}

#[test]
fn whoever_has_left_hears_that_it_is_off_as_they_were_told() {
    let play = with_leavers();
    play.engine().call_off("the room burnt down", "Pat").expect("called off");
    assert_eq!(play.engine().abort(&AtomicBool::new(false), &mut |_| {}).expect("told").sent, 3);
    reads_as_before(&play, "abort");
}

#[test]
fn a_ledger_of_before_knows_nobodys_language_and_speaks_the_campaigns() {
    let play = with_leavers();
    let ledger = rusqlite::Connection::open(play.folder.path().join(".flagday/ledger.db")).expect("the ledger");
    ledger.execute("UPDATE message SET language = NULL", ()).expect("as of before");
    drop(ledger);
    assert_eq!(play.put_off(false).expect("put off"), 3);
    assert!(text(&play, "postponed", "bea").contains("Hello"));
}
