//! An escalation goes by the clock of whoever gets it, in their language and in their kind of mail, where a roster knows them.

use super::*;
use crate::engine::Planned;

const TEAM: &str = "id,name,email,kind,time_zone,country,language,format,manager_email,alternate_email\n\
                    ann,Ann,ann@corp.example,user,,,de,,Boss@corp.example,aide@corp.example\n\
                    bea,Bea,bea@corp.example,user,America/New_York,,,,else@corp.example,\n\
                    boss,Boss,boss@corp.example,chief,Asia/Tokyo,jp,,,,\n\
                    aide,Aide,aide@corp.example,chief,,,de,rfc1154,,\n";

fn team(more: &str) -> Play {
    let play = Play::of(&format!("{}{more}", CAMPAIGN.replace("all = {}", "all = { kind = \"user\" }")));
    fs_err::write(play.folder.path().join("people.csv"), TEAM).expect("written");
    assert_eq!(play.at("2027-03-17T13:30").tick().sent, 2, "it is 09:30 in New York");
    play
}

fn plan(play: &Play, person: &str) -> Vec<Planned> {
    let plan = play.engine().plan(Some(person)).expect("a plan").into_iter();
    plan.filter(|line| line.notice == "escalation").collect()
}

#[test]
fn an_escalation_goes_out_at_the_hour_of_whoever_gets_it() {
    let play = team("");
    let hours: Vec<_> = plan(&play, "ann").into_iter().map(|line| (line.at, line.local)).collect();
    // The change falls on the first of April in Tokyo; the alternate is where the campaign is.
    let tokyo = Some("Mon 2027-03-29 09:00 JST".to_owned());
    assert_eq!(hours, [(day("2027-03-29T00:00"), tokyo), (day("2027-03-29T07:00"), None)]);
    let elsewhere: Vec<_> = plan(&play, "bea").into_iter().map(|line| (line.at, line.local)).collect();
    assert_eq!(elsewhere[0], (day("2027-03-28T07:00"), None), "no roster knows them: by the campaign's clock");
    let asked = |play: &Play, moment: &str| -> Vec<String> {
        play.at(moment).tick();
        play.to("escalation").into_iter().map(|(person, to)| format!("{person} {to}")).collect()
    };
    assert_eq!(asked(&play, "2027-03-28T06:59"), Vec::<String>::new());
    assert_eq!(asked(&play, "2027-03-28T07:00"), ["bea else@corp.example"]);
    assert_eq!(asked(&play, "2027-03-28T23:59").len(), 1);
    assert_eq!(asked(&play, "2027-03-29T00:00")[1], "ann Boss@corp.example");
    let done: Vec<_> = plan(&play, "ann").into_iter().map(|line| line.state).collect();
    assert_eq!(done, ["done", "to come"]);
}

#[test]
fn their_quiet_hours_and_holidays_count_and_not_those_of_whom_it_is_about() {
    let play = team(
        "[calendar]\nquiet = \"20:00-07:00\"\nquiet_days_off = true\n\
         [calendar.country.jp]\nholidays = [\"2027-03-29\"]\n",
    );
    let first = &plan(&play, "ann")[1];
    assert_eq!(first.local.as_deref(), Some("Tue 2027-03-30 07:00 JST"), "the 29th is a holiday there");
    // Brought forward at 16:00 in Berlin, when it is midnight in Tokyo.
    play.at("2027-03-18T15:00").record("ann", Kind::HardBounce);
    assert_eq!((play.tick().planned, play.to("escalation").len()), (0, 0));
    assert_eq!(play.at("2027-03-18T21:59").tick().planned, 0);
    assert_eq!(play.at("2027-03-18T22:00").tick().sent, 1, "07:00 in Tokyo, and 23:00 in Berlin");
    assert_eq!(play.to("escalation"), [("ann".to_owned(), "Boss@corp.example".to_owned())]);
}

#[test]
fn what_waits_in_the_queue_keeps_to_the_hours_of_whoever_gets_it() {
    let play = team("[calendar]\nquiet = \"20:00-07:00\"\n");
    play.at("2027-03-29T00:00");
    let engine = &mut play.engine();
    engine.send(None, &To::Everyone, None, false, &AtomicBool::new(true), &mut |_| {}).expect("planned");
    let ann = |play: &Play| play.letters("escalation").into_iter().find(|one| one.person == "ann").expect("hers");
    play.server_is_down(true);
    play.at("2027-03-29T10:59").try_round();
    play.server_is_down(false);
    // 20:00 in Tokyo, 13:00 in Berlin.
    let sent = play.at("2027-03-29T11:00").tick();
    assert_eq!(ann(&play).state.word(), "planned");
    assert_eq!(sent.asleep[0].local.as_deref(), Some("Tue 2027-03-30 07:00 JST"));
    play.at("2027-03-29T22:00").tick();
    assert_eq!(ann(&play).state.word(), "sent");
}

#[test]
fn they_read_it_in_their_own_language_and_kind_of_mail() {
    let play = team("");
    play.at("2027-03-29T00:00").tick();
    play.at("2027-03-29T07:00").tick();
    let letters = play.letters("escalation");
    let about_ann: Vec<_> = letters.iter().filter(|one| one.person == "ann").collect();
    assert_eq!(about_ann[0].reason, "Ann has not answered our letter", "the manager reads no German");
    assert_eq!(about_ann[1].reason, "Ann hat auf unseren Brief nicht geantwortet");
    let text = |one: &MessageRow| {
        let letter = play.engine().ledger().letter(one.id).expect("a letter");
        let mut bytes = Vec::new();
        letter.write(&mut bytes, &crate::notice::open_file).expect("written");
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let (manager, alternate) = (text(about_ann[0]), text(about_ann[1]));
    assert!(manager.contains("\nHello,") && manager.contains("MIME-Version"), "{manager}");
    assert!(alternate.contains("Guten Tag"), "{alternate}");
    assert!(alternate.contains("Encoding: ") && !alternate.contains("MIME-Version"), "{alternate}");
}
