//! Reminders whose window is over, in several time zones; and the day on which somebody is back, by their own clock.

use super::*;
use crate::engine::Wish;

/// Tokyo is eight hours before Berlin in winter, and the change falls on the next day there.
fn spread() -> Play {
    let play = Play::of(
        &CAMPAIGN.replace(r#"remind = ["T-10d", "T-7d", "T-5d", "T-4d"]"#, r#"remind = ["T-10d", "T-7d 08:00"]"#),
    );
    let people = "id,name,email,kind,time_zone,manager_email\nann,Ann,ann@corp.example,user,,\n\
                  kei,Kei,kei@corp.example,user,Asia/Tokyo,\n";
    fs_err::write(play.folder.path().join("people.csv"), people).expect("written");
    play
}

fn states(play: &Play, person: &str) -> Vec<String> {
    let plan = play.engine().plan(Some(person)).expect("a plan").into_iter();
    plan.filter(|line| line.notice == "reminder").map(|line| line.state).collect()
}

#[test]
fn the_last_reminder_that_was_slept_over_is_held_in_every_zone() {
    let play = spread();
    assert_eq!(play.at("2027-03-18T00:05").tick().sent, 2);
    // Every window of a reminder is over, and the first gave way to the second.
    let late = play.at("2027-03-27T12:00").tick().late;
    let mut places: Vec<_> = late.iter().filter(|entry| entry.what == crate::engine::What::Reminder).collect();
    places.dedup();
    assert_eq!(places.len(), 2, "Tokyo's hour and Berlin's: {late:?}");
    assert_eq!(play.engine().overdue().expect("counted"), 2);
    let status = crate::report::status::Status::of(&play.engine()).expect("a status");
    assert_eq!(status.overdue.values().sum::<usize>(), 2, "{:?}", status.overdue);
    for person in ["ann", "kei"] {
        assert_eq!(states(&play, person), ["passed over", "held"], "{person}");
    }
    let engine = &mut play.engine();
    let sent = engine.send(Some("reminder"), &To::Everyone, None, false, &AtomicBool::new(false), &mut |_| {});
    assert_eq!(sent.expect("sent").sent, 2);
    assert_eq!(play.engine().overdue().expect("counted"), 0);
}

#[test]
fn one_that_was_slept_over_is_held_until_the_next_takes_its_place() {
    let play = spread();
    assert_eq!(play.at("2027-03-18T00:05").tick().sent, 2);
    let held = play.at("2027-03-23T12:00").tick();
    assert_eq!((held.sent, held.late.len()), (0, 2), "Tokyo's hour and Berlin's");
    assert_eq!(play.engine().overdue().expect("counted"), 2);
    for person in ["ann", "kei"] {
        assert_eq!(states(&play, person), ["held", "to come"], "{person}");
    }
    let next = play.at("2027-03-25T00:05").tick();
    assert_eq!((next.sent, next.late.len()), (2, 0), "one letter, not two");
    for person in ["ann", "kei"] {
        assert_eq!(states(&play, person), ["passed over", "done"], "{person}");
    }
}

#[test]
fn nobody_is_escalated_before_their_answer_is_due_whatever_their_clock_says() {
    let head =
        CAMPAIGN.replace("2027-03-31T18:00:00", "2027-01-17T06:00:00").replace("Europe/Berlin", "Australia/Sydney");
    let escalate = r#"escalate = [{ at = "T-4d", to = "alternate" }, { at = "T-3d", to = "manager" }, { at = "T-3d", task = "phone" }]"#;
    let at = head.find("escalate = ").expect("a list");
    let play = Play::of(&format!("{}{escalate}\n", &head[..at]));
    let people = "id,name,email,kind,time_zone,manager_email,alternate_email\n\
                  lou,Lou,lou@corp.example,user,,boss@corp.example,aide@corp.example\n\
                  syd,Syd,syd@corp.example,user,,joe@corp.example,jim@corp.example\n\
                  boss,Boss,Boss@corp.example,user,America/Los_Angeles,,\n\
                  aide,Aide,aide@corp.example,user,America/Los_Angeles,,\n";
    fs_err::write(play.folder.path().join("people.csv"), people).expect("written");
    play.at("2027-01-03T12:00");
    let engine = play.engine();
    // The letter says Thursday 14 January, 09:00 in Sydney. Los Angeles reads T-3d 09:00 five hours earlier.
    let due = day("2027-01-13T22:00");
    for entry in engine.calendar().iter().filter(|entry| entry.moment.starts_with("T-3d") && entry.way.is_some()) {
        assert_eq!(entry.at, due, "{entry:?}");
    }
    let early: Vec<_> = engine.calendar().into_iter().filter(|one| one.moment.starts_with("T-4d")).collect();
    let hours: Vec<_> = early.iter().filter(|one| one.way.is_some()).map(|one| one.at).collect();
    assert_eq!(hours, [day("2027-01-12T17:00"), day("2027-01-12T22:00")], "earlier, because the file says so");
}

#[test]
fn somebody_is_back_when_it_is_that_day_where_they_are() {
    let play = spread();
    assert_eq!(play.at("2027-03-18T00:05").tick().sent, 2);
    play.says("kei", Kind::AutoReply, "back on 2027-03-25");
    // 08:05 on that day in Tokyo, and still the day before in Greenwich.
    play.at("2027-03-24T23:05").tick();
    assert!(play.to("reminder").iter().any(|(id, _)| id == "kei"));
}

#[test]
fn the_minimum_notice_is_counted_to_the_hour_also_where_the_clocks_go_forward() {
    let play = Play::of(&CAMPAIGN.replace("[mail]", "minimum_notice = \"7d\"\n[mail]"));
    let told = |moment: &str| {
        let engine = &mut play.at(moment).engine();
        let sent = engine.send(Some("news"), &To::Everyone, None, false, &AtomicBool::new(false), &mut |_| {});
        sent.map_err(|fault| fault.cause().to_owned()).map(|sent| sent.sent)
    };
    // 18:00 in Berlin on the 31st is 16:00 UTC; a week before, 18:00 was 17:00 UTC.
    let refused = told("2027-03-24T17:01").expect_err("a minute late");
    assert_eq!(refused, "the change is only 6 days and 22 hours away; people are to know 7 days beforehand");
    let found = play.engine().check(false).expect("checked");
    assert!(
        found.iter().any(|one| one.code == "short-notice" && one.cause.contains("6 days and 22 hours")),
        "{found:?}"
    );
    assert_eq!(told("2027-03-24T17:00").expect("in time"), 3);
    assert!(!play.engine().check(false).expect("checked").iter().any(|one| one.code == "short-notice"));
}

#[test]
fn a_change_that_is_past_is_told_with_the_word_also_where_the_file_sets_no_minimum() {
    let tell = |play: &Play, moment: &str, short_notice: bool| {
        let engine = &mut play.at(moment).engine();
        engine.short_notice = short_notice;
        let sent = engine.send(Some("news"), &To::Everyone, None, false, &AtomicBool::new(false), &mut |_| {});
        sent.map_err(|fault| (fault.exit as u8, fault.cause().to_owned())).map(|sent| sent.sent)
    };
    let warned = |play: &Play| {
        let found = play.engine().check(false).expect("checked").into_iter().find(|one| one.code == "short-notice");
        found.map(|one| one.cause)
    };
    // The change is at 16:00 UTC.
    let (before, after) = ("2027-03-31T15:59", "2027-03-31T16:01");
    let play = Play::new();
    play.at(before);
    assert_eq!(warned(&play), None);
    let past = (3, "the change lies in the past".to_owned());
    assert_eq!(tell(&play, after, false), Err(past.clone()));
    let words = "the change, Wed 2027-03-31 18:00 CEST, lies in the past, and nobody was told of it yet";
    assert_eq!(warned(&play).as_deref(), Some(words));
    assert_eq!(play.engine().send_by_name("news").expect("a command"), "flagday send news --short-notice");
    assert_eq!(tell(&play, after, true), Ok(3));
    assert_eq!(warned(&play), None);
    assert_eq!(play.engine().send_by_name("news").expect("a command"), "flagday send news");
    // A typed date that was told is not moved into the past without it either.
    let moved = Play::new();
    assert_eq!(tell(&moved, before, false), Ok(3));
    moved.write(&CAMPAIGN.replace("2027-03-31T18", "2021-03-31T18"));
    let amended = moved.engine().amend(&Wish::default(), &AtomicBool::new(false), &mut |_| {});
    let refused = amended.map_err(|fault| (fault.exit as u8, fault.cause().to_owned())).map(|_| ());
    assert_eq!(refused, Err(past));
    // The file itself says that any date will do; or people are to hear of it afterwards.
    for campaign in [
        CAMPAIGN.replace("[mail]", "minimum_notice = \"0d\"\n[mail]"),
        CAMPAIGN.replace("at = \"T-14d\"\n", "at = \"T+1h\"\n"),
        CAMPAIGN.replace("at = \"T-14d\"\n", "") + "[[step]]\nname = \"tell\"\nnotice = [\"news\"]\n",
    ] {
        let play = Play::of(&campaign);
        play.at(after);
        assert_eq!((warned(&play), tell(&play, after, false)), (None, Ok(3)), "{campaign}");
    }
}
