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
fn why_nothing_left_is_told_by_notice_with_the_hour_at_which_it_will() {
    let play = Play::of(&quiet());
    let people = "id,name,email,kind,time_zone\nann,Ann,ann@corp.example,user,\nbea,Bea,bea@corp.example,user,\n\
                  cy,Cy,cy@corp.example,user,Asia/Tokyo\n";
    fs_err::write(play.folder.path().join("people.csv"), people).expect("written");
    assert_eq!((play.goes_out("2027-03-17T09:00"), play.goes_out("2027-03-18T00:00")), (2, 1));
    assert_eq!(play.at("2027-03-18T09:00").engine().asleep().expect("asked"), []);
    play.write(&quiet().replace("2027-03-31T18", "2027-04-14T18"));
    play.at("2027-03-18T21:00");
    let (_, sent) = play.engine().amend(&Wish::default(), &AtomicBool::new(false), &mut |_| {}).expect("amended");
    assert_eq!((sent.planned, sent.sent), (3, 0));
    let zone = chrono_tz::Europe::Berlin;
    let shown = |at: DateTime<Utc>| at.with_timezone(&zone).format("%a %F %H:%M %Z").to_string();
    let words: Vec<String> = sent.asleep.iter().map(|one| one.words(&shown)).collect();
    assert_eq!(
        words,
        [
            "1 letter of 'news' waits for the end of quiet hours: Thu 2027-03-18 23:00 CET (Fri 2027-03-19 07:00 JST there)",
            "2 letters of 'news' wait for the end of quiet hours: Fri 2027-03-19 07:00 CET",
        ]
    );
    let status = crate::report::status::Status::of(&play.engine()).expect("a status");
    assert_eq!(status.asleep, sent.asleep);
    assert_eq!(
        status.next,
        "wait: quiet hours end Thu 2027-03-18 23:00 CET, then flagday send (serve and tick do it by themselves)"
    );
    assert_eq!(play.at("2027-03-18T22:00").tick().asleep.len(), 1, "Tokyo is awake");
    assert_eq!(play.at("2027-03-19T06:00").tick().asleep, []);
}

#[test]
fn a_notice_whose_hour_was_missed_by_day_says_that_it_waits_too() {
    let play = Play::of(&quiet());
    // Due at midnight, open from 07:00, and the machine was off until 21:00.
    let sent = play.at("2027-03-17T20:00").tick();
    assert_eq!((sent.planned, sent.asleep.len(), sent.nothing_due), (0, 1, true));
    assert_eq!((sent.asleep[0].messages, sent.asleep[0].until), (3, day("2027-03-18T06:00")));
    // Deferred by the server, the letter goes out when it says, and that is no quiet hour.
    assert_eq!(play.at("2027-03-18T06:00").tick().sent, 3);
}

/// Each message takes two minutes: rate limits, a slow server, thousands of people.
#[test]
fn a_run_that_lasts_into_the_night_stops_there_and_goes_on_in_the_morning() {
    let play = Play::of(&quiet());
    let people = (0..70).map(|n| format!("p{n},P{n},p{n}@corp.example,user\n"));
    let people = "id,name,email,kind\n".to_owned() + &people.collect::<String>();
    fs_err::write(play.folder.path().join("people.csv"), people).expect("written");
    // 18:30 in Berlin; files are written 64 at a time.
    play.at("2027-03-17T17:30").planned_only();
    let slow = |play: &Play| {
        let mut told = |progress: crate::outbox::Progress<'_>| {
            if let crate::outbox::Progress::Settled { .. } = progress {
                play.clock.forward(Duration::minutes(2));
            }
        };
        play.engine().round(&AtomicBool::new(false), &mut told).expect("a round")
    };
    let sent = slow(&play);
    assert_eq!((sent.sent, sent.released, sent.asleep.len()), (64, 0, 1), "{sent:?}");
    let waiting: Vec<MessageRow> =
        play.letters("news").into_iter().filter(|one| one.state.word() == "planned").collect();
    assert_eq!((waiting.len(), waiting[0].attempts), (6, 0), "put off, and no attempt is used up");
    assert_eq!(waiting[0].next_at, day("2027-03-18T06:00"));
    assert_eq!(play.goes_out("2027-03-18T05:59"), 0);
    assert_eq!(play.goes_out("2027-03-18T06:00"), 6);
}

#[test]
fn what_failed_is_tried_again_at_any_hour_when_somebody_asks() {
    let play = Play::of(&quiet());
    play.planned_only();
    let ledger = rusqlite::Connection::open(play.folder.path().join(".flagday/ledger.db")).expect("the ledger");
    let refused = "UPDATE message SET state = 'failed', reply = '550 no such user' WHERE person = 'ann'";
    assert_eq!(ledger.execute(refused, ()).expect("refused"), 1);
    drop(ledger);
    let engine = &mut play.at("2027-03-17T23:00").engine();
    let sent = engine.send(None, &To::Failed, None, false, &AtomicBool::new(false), &mut |_| {}).expect("sent");
    assert_eq!((sent.planned, sent.sent), (1, 1), "hers, and nobody is woken beside her");
    assert_eq!(sent.asleep[0].messages, 2);
}

#[test]
fn what_somebody_asks_for_by_name_goes_out_at_any_hour() {
    let play = Play::of(&quiet());
    let engine = &mut play.at("2027-03-17T23:00").engine();
    let sent = engine.send(Some("news"), &To::Everyone, None, false, &AtomicBool::new(false), &mut |_| {});
    assert_eq!(sent.expect("sent").sent, 3);
}

#[test]
fn a_step_wakes_nothing_that_waits_for_the_morning() {
    let campaign = format!("{}[[step]]\nname = \"tell\"\nnotice = [\"news\"]\n", quiet());
    let play = Play::of(&campaign);
    assert_eq!(play.tick().sent, 3);
    play.write(&campaign.replace("2027-03-31T18", "2027-04-14T18"));
    play.at("2027-03-18T21:00").amend(&Wish::default());
    assert_eq!(play.letters("news").iter().filter(|one| one.state.word() == "sent").count(), 3);
    let step = |moment: &str| {
        let stop = play.at(moment).engine().cutover(None, &mut |_, _| {}).expect("a run").stop;
        (format!("{stop:?}"), play.letters("news").iter().filter(|one| one.state.word() == "sent").count())
    };
    let (stop, sent) = step("2027-03-18T21:10");
    assert!(stop.contains("still on its way") && sent == 3, "{stop}, {sent}");
    assert_eq!(play.goes_out("2027-03-19T06:00"), 3);
    assert_eq!(step("2027-03-19T06:10"), ("Done".to_owned(), 6));
}
