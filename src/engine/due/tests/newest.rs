//! Several reminders at once: quiet days, an outage, a queue that waited.

use super::*;

/// The change is on a Wednesday, and 20 and 21 March are days off.
fn quiet_days(remind: &str) -> Play {
    let remind = format!("remind = [{remind}]");
    let campaign = CAMPAIGN.replace(r#"remind = ["T-10d", "T-7d", "T-5d", "T-4d"]"#, &remind);
    let play = Play::of(&format!("{campaign}[calendar]\nquiet = \"20:00-07:00\"\nquiet_days_off = true\n"));
    play.tick();
    play
}

impl Play {
    /// A round, whatever becomes of it: the server may be down.
    pub(super) fn try_round(&self) {
        drop(self.engine().round(&AtomicBool::new(false), &mut |_| {}));
    }

    fn moments(&self, person: &str) -> Vec<(String, String)> {
        let plan = self.engine().plan(Some(person)).expect("a plan").into_iter();
        plan.filter(|one| one.what.starts_with("reminder")).map(|one| (one.moment, one.state)).collect()
    }

    fn reminded(&self, person: &str) -> Vec<String> {
        let letters = self.letters("reminder").into_iter().filter(|one| one.person == person);
        letters.map(|one| format!("{}: {}", one.state.word(), one.reason)).collect()
    }
}

fn moments(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(moment, state)| ((*moment).to_owned(), (*state).to_owned())).collect()
}

#[test]
fn what_quiet_days_put_off_to_one_hour_is_one_reminder() {
    // Saturday, Sunday and Monday.
    let play = quiet_days(r#""T-11d", "T-10d", "T-9d 07:00", "T-7d""#);
    let before = [
        ("T-11d 09:00", "passed over"),
        ("T-10d 09:00", "passed over"),
        ("T-9d 07:00", "to come"),
        ("T-7d 09:00", "to come"),
    ];
    assert_eq!(play.moments("ann"), moments(&before));
    let next = play.engine().next_entry().expect("asked").expect("to come");
    assert_eq!((next.moment.as_str(), next.at), ("T-9d 07:00", day("2027-03-22T06:00")));
    play.at("2027-03-22T06:00").tick();
    play.at("2027-03-22T08:00").tick();
    assert_eq!(play.reminded("ann"), ["sent: you have not answered yet; this is reminder 1 of 4"]);
    assert_eq!(play.moments("ann")[2].1, "done");
}

#[test]
fn what_quiet_days_bring_near_to_the_next_one_gives_way_to_it() {
    // Saturday and Monday: 07:00 and 09:00 of one morning.
    let play = quiet_days(r#""T-11d", "T-9d", "T-7d""#);
    assert_eq!(play.moments("ann")[..2], moments(&[("T-11d 09:00", "passed over"), ("T-9d 09:00", "to come")]));
    for hour in ["06:00", "07:00", "08:00", "09:00"] {
        play.at(&format!("2027-03-22T{hour}")).tick();
    }
    assert_eq!(play.reminded("ann").len(), 1);
    // A day and more before the next one it is put off, and not dropped.
    let play = quiet_days(r#""T-11d", "T-8d""#);
    assert_eq!(play.moments("ann"), moments(&[("T-11d 09:00", "to come"), ("T-8d 09:00", "to come")]));
}

#[test]
fn after_an_outage_only_the_newest_goes_out_and_the_older_one_is_taken_back() {
    let play = Play::new();
    play.tick();
    play.server_is_down(true);
    for moment in ["2027-03-21T08:05", "2027-03-22T07:00", "2027-03-24T08:05"] {
        play.at(moment).try_round();
    }
    play.server_is_down(false);
    play.at("2027-03-24T12:00").tick();
    let sent = "sent: you have not answered yet; this is reminder 1 of 4";
    let back = "cancelled: you have not answered yet; this is reminder 1 of 4";
    assert_eq!(play.reminded("ann"), [back, sent], "what never left is not counted");
    assert_eq!(play.letters("reminder")[0].reply, "taken back: a later reminder takes its place");
    assert_eq!(play.moments("ann")[..2], moments(&[("T-10d 09:00", "passed over"), ("T-7d 09:00", "done")]));
    assert_eq!(play.engine().ledger().counts().expect("counts").held, 0, "and nobody has to decide about it");
}

#[test]
fn what_waits_in_the_queue_past_its_window_is_held() {
    let play = Play::new();
    play.tick();
    play.at("2027-03-21T08:05").server_is_down(true);
    play.try_round();
    play.server_is_down(false);
    assert_eq!(play.at("2027-03-22T08:01").tick().expired, 3);
    assert!(play.reminded("ann")[0].starts_with("held: "));
    // The next one settles it.
    play.at("2027-03-24T08:00").tick();
    let states: Vec<&str> = play.letters("reminder").iter().map(|one| one.state.word()).collect();
    assert_eq!(states, ["cancelled", "cancelled", "cancelled", "sent", "sent", "sent"]);
}

#[test]
fn a_server_that_comes_back_a_minute_before_the_next_one_brings_one() {
    let play = Play::new();
    play.tick();
    // Due on the 26th and the 27th.
    play.at("2027-03-26T08:05").server_is_down(true);
    play.try_round();
    play.server_is_down(false);
    assert_eq!(play.at("2027-03-27T07:59").tick().sent, 0);
    assert_eq!(play.at("2027-03-27T08:00").tick().sent, 3);
    assert_eq!(play.reminded("ann").len(), 2);
    assert_eq!(play.letters("reminder").iter().filter(|one| one.state.word() == "sent").count(), 3);
}

#[test]
fn a_notice_that_the_server_kept_waiting_is_its_own_reminder() {
    let play = Play::new();
    play.server_is_down(true);
    play.try_round();
    play.server_is_down(false);
    play.at("2027-03-21T12:00").tick();
    assert_eq!(play.letters("news").len(), 3);
    play.at("2027-03-21T12:01").tick();
    assert!(play.letters("reminder").is_empty(), "told a minute ago, and due at 09:00");
    assert_eq!(play.moments("ann")[0].1, "passed over");
}

#[test]
fn of_several_that_failed_only_the_newest_is_tried_again() {
    let play = Play::new();
    play.tick();
    let ledger = rusqlite::Connection::open(play.folder.path().join(".flagday/ledger.db")).expect("the ledger");
    for moment in ["2027-03-21T08:05", "2027-03-24T08:05"] {
        play.at(moment).tick();
        let refused = "UPDATE message SET state = 'failed', reply = '554 no' WHERE notice = 'reminder'";
        assert!(ledger.execute(refused, ()).expect("refused") > 0);
    }
    for moment in ["2027-03-24T09:00", "2027-03-24T09:01"] {
        let engine = &mut play.at(moment).engine();
        engine.send(None, &To::Failed, None, false, &AtomicBool::new(false), &mut |_| {}).expect("tried");
    }
    let states: Vec<&str> = play.letters("reminder").iter().map(|one| one.state.word()).collect();
    assert_eq!(states, ["failed", "failed", "failed", "sent", "sent", "sent"]);
}
