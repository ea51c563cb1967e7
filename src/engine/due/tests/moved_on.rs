//! Somebody who was told and is on the rosters still, but in no audience any more that is told anything.

use super::*;
use crate::engine::Wish;

fn guests() -> (String, Play) {
    let campaign = CAMPAIGN.replace("all = {}", "all = { kind = \"user\" }");
    let campaign = campaign.replace("[notice.news]\n", "[notice.news]\ncalendar = true\n");
    let play = Play::of(&campaign);
    assert_eq!(play.tick().sent, 3);
    let people = PEOPLE.replace("bea@corp.example,user", "bea@corp.example,guest");
    fs_err::write(play.folder.path().join("people.csv"), people).expect("written");
    (campaign, play)
}

#[test]
fn whoever_is_no_longer_among_those_it_is_for_hears_that_the_date_they_know_is_another() {
    let (campaign, play) = guests();
    play.at("2027-03-18T09:00").write(&campaign.replace("2027-03-31T18", "2027-04-14T18"));
    let beforehand = play.engine().amendment(&Wish::default()).expect("found");
    let bea = beforehand.informed.iter().find(|one| one.person == "bea").expect("named beforehand");
    assert_eq!(bea.notices, ["correction"]);
    assert_eq!(beforehand.left.iter().map(|left| left.person.as_str()).collect::<Vec<_>>(), ["bea"], "of the gate");
    let sent = play.engine().amend(&Wish::default(), &AtomicBool::new(false), &mut |_| {}).expect("amended").1;
    assert_eq!(sent.sent, 3);
    assert_eq!(play.to("correction"), [("bea".to_owned(), "bea@corp.example".to_owned())]);
    let one = &play.letters("correction")[0];
    let mut bytes = Vec::new();
    let letter = play.engine().ledger().letter(one.id).expect("a letter");
    letter.write(&mut bytes, &crate::notice::open_file).expect("written");
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("Neuer Termin: Mittwoch, 14. April 2027") && text.contains("Guten Tag Bea"), "{text}");
    assert!(text.contains("Bisher:       Mittwoch, 31. M"), "{text}");
    assert!(text.contains("METHOD:CANCEL"), "{text}");
    assert_eq!(play.at("2027-03-18T10:00").tick().planned, 0, "once");
    // And again where it moves again, or is called off.
    play.at("2027-03-19T09:00").write(&campaign.replace("2027-03-31T18", "2027-04-21T18"));
    let sent = play.engine().amend(&Wish::default(), &AtomicBool::new(false), &mut |_| {}).expect("amended").1;
    assert_eq!((sent.sent, play.to("correction").len()), (3, 2));
    play.engine().call_off("the room burnt down", "Pat").expect("called off");
    assert_eq!(play.engine().abort(&AtomicBool::new(false), &mut |_| {}).expect("told").sent, 3);
}

#[test]
fn whoever_hears_of_it_by_another_notice_gets_that_alone() {
    let (campaign, play) = guests();
    let guest = "[notice.welcome]\naudience = \"guests\"\nat = \"T-14d\"\ntemplate = \"all-clear\"\n";
    let moved = campaign.replace("2027-03-31T18", "2027-04-14T18");
    let moved = moved.replace("[notice.news]", &format!("guests = {{ kind = \"guest\" }}\n{guest}[notice.news]"));
    play.at("2027-04-01T09:00").write(&moved);
    let sent = play.engine().amend(&Wish::default(), &AtomicBool::new(false), &mut |_| {}).expect("amended").1;
    let told = (play.to("correction").len(), play.to("welcome").len());
    assert!(told == (0, 1) || told == (1, 0) && play.at("2027-04-01T09:05").tick().sent <= 1, "{sent:?} {told:?}");
}
