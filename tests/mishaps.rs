//! What goes wrong in a rehearsal: nothing is lost, nothing is sent twice, and what was not done is shown.

use crate::harness::small::{Small, told};
use crate::harness::{Campaign, Run, program};
use serde_json::Value;

/// A small campaign in whose rehearsal everybody answers two hours after the notice, and `script` happens besides.
fn play(script: &str) -> (Small, Value, i32) {
    let asks = "due = \"T-3d\"\nremind = [\"T-10d\", \"T-7d\"]\nescalate = [{ at = \"T-3d\", to = \"manager\" }]\n";
    let campaign = Small::new("2026-12-12T18:00:00", "America/Chicago", asks);
    let run = campaign.rehearse(&format!("{script}\n[answers]\ndelay = \"2h\"\nspread = \"0m\"\n"), "out");
    (campaign, run.json(), run.code)
}

/// The messages that were captured, by person and notice.
fn captured(campaign: &Small, part: &str) -> usize {
    let folder = campaign.beside("out").join("campaign/.flagday/outbox");
    let Ok(entries) = fs_err::read_dir(folder) else { return 0 };
    let files = entries.map(|entry| entry.expect("an entry").file_name());
    files.filter(|name| name.to_string_lossy().contains(part)).count()
}

#[test]
fn a_day_without_mail_server_delays_and_loses_nothing() {
    let (campaign, outcome, code) = play("[[fault]]\nkind = \"server-down\"\nat = \"T-14d 08:00\"\nfor = \"1d\"\n");
    assert_eq!(code, 0);
    assert_eq!(
        told(&outcome)[..3],
        [
            "2026-11-28T08:00:00-06:00 fault server-down",
            "2026-11-29T08:00:00-06:00 fault server-up",
            "2026-11-29T08:00:00-06:00 sent announcement: ANN BOB CAM DOT",
        ]
    );
    assert_eq!(captured(&campaign, "-announcement-"), 4);
    let waits = outcome["timeline"].as_array().expect("a timeline").iter().find(|event| event["subject"] == "send");
    let waits = waits.expect("the failure is told")["text"].to_string();
    assert!(waits.contains("the mail server does not answer; 4 messages wait"), "{waits}");
}

#[test]
fn of_several_faults_at_once_the_longest_counts_and_none_is_passed_over_silently() {
    let fault =
        |kind: &str, at: &str, lasts: &str| format!("[[fault]]\nkind = \"{kind}\"\nat = \"{at}\"\nfor = \"{lasts}\"\n");
    let faults = [
        fault("asleep", "T-300d", "1h"),
        fault("server-down", "T-14d 07:00", "3d"),
        fault("server-down", "T-14d 12:00", "2h"),
        fault("asleep", "T-10d 08:00", "3d"),
        fault("asleep", "T-9d 08:00", "1d"),
        fault("kill", "T+60d", "10m"),
    ];
    let (_, outcome, _) = play(&faults.concat());
    let lines: Vec<String> = told(&outcome).into_iter().filter(|line| line.contains(" fault ")).collect();
    let begins = lines[0].split(' ').next().expect("a time").to_owned();
    assert!(
        lines[0].ends_with("fault asleep") && begins.as_str() > "2026-11-01",
        "not before the rehearsal: {lines:?}"
    );
    assert!(lines[1].ends_with("fault awake"), "{lines:?}");
    assert_eq!(
        lines[2..],
        [
            "2026-11-28T07:00:00-06:00 fault server-down",
            "2026-11-28T12:00:00-06:00 fault server-down",
            "2026-12-01T07:00:00-06:00 fault server-up",
            "2026-12-02T08:00:00-06:00 fault asleep",
            "2026-12-03T08:00:00-06:00 fault asleep",
            "2026-12-05T08:00:00-06:00 fault awake",
            lines.last().expect("one"),
        ]
    );
    assert!(lines.last().is_some_and(|line| line.ends_with("fault never-comes")), "{lines:?}");
}

#[test]
fn what_a_sleeping_machine_misses_is_held_until_a_person_asks_for_it() {
    let asleep = "[[fault]]\nkind = \"asleep\"\nat = \"T-14d 08:00\"\nfor = \"3d\"\n";
    let (campaign, outcome, code) = play(asleep);
    assert_eq!(code, 3, "nobody was told, so the gate stays shut");
    assert_eq!(captured(&campaign, ""), 0);
    let held = told(&outcome).into_iter().find(|line| line.contains(" held ")).expect("it is shown");
    assert!(held.starts_with("2026-12-01T08:00:00-06:00 held announcement for ready"), "{held}");
    let need = &outcome["needs"][0];
    assert_eq!((&need["kind"], &need["whom"], &need["done"]), (&"held".into(), &"announcement".into(), &Value::Null));

    let (campaign, outcome, code) =
        play(&format!("{asleep}\n[[administrator]]\non = \"held\"\nsend = \"announcement\"\n"));
    assert_eq!((code, captured(&campaign, "-announcement-")), (0, 4));
    assert!(told(&outcome).contains(&"2026-12-01T08:10:00-06:00 sent announcement: ANN BOB CAM DOT".to_owned()));
}

#[test]
fn a_reminder_that_was_slept_over_is_held_though_another_is_to_come() {
    let asleep = "[[fault]]\nkind = \"asleep\"\nat = \"T-10d 08:00\"\nfor = \"2d\"\n";
    let never = |person| format!("[person.{person}]\nbehaviour = \"never\"\n");
    let silent = ["ANN", "BOB", "CAM", "DOT"].map(never).concat();
    let (_, outcome, code) = play(&format!("{silent}{asleep}"));
    assert_eq!(code, 3, "nobody answers");
    let lines = told(&outcome);
    assert!(
        lines.contains(&"2026-12-04T08:00:00-06:00 held reminder for ready of 2026-12-02 Wed 09:00".to_owned()),
        "{lines:?}"
    );
    let sent: Vec<_> = lines.iter().filter(|line| line.contains(" sent reminder")).collect();
    assert_eq!(sent, ["2026-12-05T09:00:00-06:00 sent reminder 1 for ready: ANN BOB CAM DOT"], "{lines:?}");
}

#[test]
fn a_killed_run_is_taken_up_where_it_was_and_nobody_gets_two() {
    for after in 1..=4 {
        let (campaign, outcome, code) =
            play(&format!("[[fault]]\nkind = \"kill\"\nat = \"T-15d\"\nafter = {after}\nfor = \"30m\"\n"));
        assert_eq!(code, 0, "killed after {after}");
        let lines = told(&outcome);
        assert_eq!(lines[0], "2026-11-28T09:00:00-06:00 fault killed");
        assert!(lines.contains(&"2026-11-28T09:30:00-06:00 fault started-again".to_owned()), "{lines:?}");
        assert_eq!(captured(&campaign, ""), 4, "one each");
        assert_eq!(outcome["messages"], 4);
        assert_eq!(
            outcome["gates"]["all-ready"].as_array().and_then(|counts| counts.last()).expect("a count")["satisfied"],
            4
        );
    }
}

#[test]
fn a_step_killed_between_its_change_and_the_record_is_finished() {
    let campaign = Campaign::sample();
    let script = String::from_utf8(campaign.bytes("rehearsal.toml")).expect("UTF-8");
    campaign.write(
        "rehearsal.toml",
        format!("{script}\n[[fault]]\nkind = \"kill\"\nat = \"T-1d\"\nduring = \"close-p1\"\n"),
    );
    let run = Run::of(program().arg("rehearse").arg(campaign.root()).arg("--json")).ends(0).json();
    assert_eq!((&run["finished"], &run["serial_changed"]), (&true.into(), &true.into()));
    let texts: Vec<String> =
        run["timeline"].as_array().expect("a timeline").iter().map(|event| event["text"].to_string()).collect();
    let at = |words: &str| {
        texts.iter().position(|text| text.contains(words)).unwrap_or_else(|| panic!("{words}: {texts:#?}"))
    };
    assert!(at("killed: step close-p1 was begun") < at("somebody starts flagday again"));
    assert!(at("somebody starts flagday again") < at("step close-p1 is done"));
}

#[test]
fn a_clock_that_jumps_back_over_a_reminder_sends_it_once() {
    for by in ["-2h", "+26h", "-3d"] {
        let (_, outcome, _) = play(&format!(
            "[[share]]\nshare = 1\nbehaviour = \"never\"\n\n[[fault]]\nkind = \"clock-step\"\nat = \"T-10d 09:30\"\nby = \"{by}\"\nfor = \"2d\"\n"
        ));
        let mut sent: Vec<String> = Vec::new();
        for event in outcome["timeline"].as_array().expect("a timeline").iter().filter(|event| event["kind"] == "sent")
        {
            for person in event["people"].as_array().expect("people") {
                sent.push(format!("{} {person}", event["subject"]));
            }
        }
        let all = sent.len();
        sent.sort();
        sent.dedup();
        assert_eq!(sent.len(), all, "{by}: something went twice");
        assert_eq!(sent.iter().filter(|one| one.contains("reminder 1")).count(), 4, "{by}: {sent:#?}");
    }
}

#[test]
fn another_date_in_the_file_stops_what_people_were_not_told() {
    // Nobody takes it over before the rehearsal ends.
    let (campaign, outcome, code) = play(
        "[[fault]]\nkind = \"date-change\"\nat = \"T-11d 10:00\"\nto = 2026-12-19T18:00:00\nfor = \"90d\"\n[person.DOT]\nbehaviour = \"never\"\n",
    );
    assert_eq!((code, captured(&campaign, "")), (3, 4), "nobody is reminded of a date that is not true");
    let waits = outcome["timeline"].as_array().expect("a timeline").iter().find(|event| event["subject"] == "send");
    let waits = waits.expect("the refusal is told")["text"].to_string();
    assert!(waits.contains("people were told change_at = 2026-12-12 18:00:00"), "{waits}");
    let need = &outcome["needs"][0];
    assert_eq!((&need["kind"], &need["done"]), (&"facts-changed".into(), &Value::Null));
    let real = fs_err::read_to_string(campaign.path("flagday.toml")).expect("the campaign itself");
    assert_eq!(real, campaign.toml, "only the copy was edited");
}

#[test]
fn a_deed_for_each_is_done_for_everybody_whom_it_fits() {
    let bounce =
        "[[share]]\nshare = 0.5\nbehaviour = \"bounce\"\n\n[[administrator]]\non = \"bounced\"\nafter = \"1h\"\n";
    let deeds = |each: &str| {
        let (_, outcome, code) = play(&format!("{bounce}{each}record = \"told by phone\"\n"));
        (code, told(&outcome).iter().filter(|line| line.contains(" by-hand ")).count())
    };
    assert_eq!(deeds(""), (3, 1), "once");
    assert_eq!(deeds("each = true\n"), (0, 2), "for both who cannot be reached");
}

#[test]
fn whoever_answers_before_the_administrator_waives_them_needs_no_waiver() {
    let (_, outcome, code) = play(
        "[person.BOB]\nbehaviour = \"decline-then-answer\"\nthen = \"1d\"\n\
         [[administrator]]\non = \"declined\"\nafter = \"2d\"\nwaive = \"will not come\"\n",
    );
    assert_eq!(code, 0);
    let timeline = outcome["timeline"].as_array().expect("a timeline").iter();
    let by_hand: Vec<&Value> = timeline.filter(|event| event["kind"] == "by-hand").collect();
    assert_eq!(by_hand.len(), 1, "{by_hand:?}");
    assert!(by_hand[0]["text"].to_string().contains("need not waive BOB"), "{by_hand:?}");
}

#[test]
fn a_share_of_the_evening_stays_away() {
    let campaign = Campaign::sample();
    let script = String::from_utf8(campaign.bytes("rehearsal.toml")).expect("UTF-8");
    let share = "[[drain.share]]\nshare = 0.2\nbehaviour = \"away\"\n\n[drain.person.PATEL]";
    campaign.write("rehearsal.toml", script.replace("[drain.person.PATEL]", share));
    let run = Run::of(program().arg("rehearse").arg(campaign.root()).arg("--json")).ends(3).json();
    // 25 of the 28 local users are not named, and a fifth of them are five.
    let logged_on =
        run["timeline"].as_array().expect("a timeline").iter().filter(|event| event["kind"] == "log-on").count();
    assert_eq!(logged_on, 23);
    let open = run["open"].to_string();
    assert!(open.contains("locals-drained"), "{open}");
}

#[test]
fn everybody_has_a_habit() {
    let asks = "due = \"T-3d\"\nremind = [\"T-10d\", \"T-7d\"]\n";
    let campaign = Small::new("2026-12-12T18:00:00", "America/Chicago", asks);
    let habits =
        ["late", "twice", "by-phone", "wrong-code", "bounce", "soft-bounce", "auto-reply", "decline", "question"];
    let rows: Vec<String> = habits.iter().map(|habit| format!("{habit},{habit},{habit}@corp.example,,\n")).collect();
    campaign.people(&rows.concat());
    let manners: Vec<String> =
        habits.iter().map(|habit| format!("[person.{habit}]\nbehaviour = \"{habit}\"\n")).collect();
    let script = format!("[answers]\ndelay = \"2h\"\nspread = \"0m\"\n{}", manners.concat());
    let outcome = campaign.rehearse(&script, "out").ends(3).json();
    let lines = told(&outcome);
    for line in [
        "2026-11-28T09:01:00-06:00 fact cannot be reached by mail (ready): bounce",
        "2026-11-28T09:01:00-06:00 fact could not be reached for now (ready): soft-bounce",
        "2026-11-28T09:01:00-06:00 fact has an automatic reply on (ready): auto-reply",
        "2026-11-28T11:00:00-06:00 answer ready: twice",
        "2026-11-28T11:00:00-06:00 by-hand by-phone",
        "2026-11-28T11:00:00-06:00 answer ready: by-phone",
        "2026-11-28T11:00:00-06:00 fact slip (ready): wrong-code",
        "2026-11-28T11:00:00-06:00 fact declined (ready): decline",
        "2026-11-28T11:00:00-06:00 fact asked a question (ready): question",
        "2026-11-29T09:00:00-06:00 answer ready: auto-reply",
        "2026-11-29T11:00:00-06:00 answer ready, again: twice",
        "2026-11-29T11:00:00-06:00 answer ready: wrong-code",
        "2026-11-29T11:00:00-06:00 answer ready: soft-bounce",
        "2026-11-29T11:00:00-06:00 answer ready: question",
        "2026-12-09T11:00:00-06:00 answer ready: late",
    ] {
        assert!(lines.iter().any(|told| told == line), "{line} is missing in {lines:#?}");
    }
    let blocked: Vec<&str> =
        outcome["blocked"].as_array().expect("names").iter().map(|one| one["by"].as_str().expect("an id")).collect();
    assert_eq!(blocked, ["bounce", "decline"], "the others answered in time");
}

#[test]
fn a_share_is_dealt_out_by_the_seed() {
    let campaign = Small::new("2026-12-12T18:00:00", "America/Chicago", "due = \"T-3d\"\nremind = [\"T-10d\"]\n");
    let rows: Vec<String> = (0..40).map(|n| format!("P{n:02},P,p{n}@corp.example,,\n")).collect();
    campaign.people(&rows.concat());
    let script = |seed: u32| {
        format!(
            "seed = {seed}\n[[share]]\naudience = \"everyone\"\nshare = 0.3\nbehaviour = \"never\"\n\
             [[share]]\naudience = \"everyone\"\nshare = 0.5\nbehaviour = \"after-reminder\"\n"
        )
    };
    let reminded = |outcome: &Value| {
        let events = outcome["timeline"].as_array().expect("a timeline").iter();
        let reminder =
            events.clone().find(|event| event["subject"] == "reminder 1 for ready").expect("a reminder").clone();
        let answers = events.filter(|event| event["kind"] == "answer").count();
        assert_eq!((reminder["people"].as_array().map(Vec::len), answers), (Some(32), 28));
        reminder["people"].to_string()
    };
    let one = reminded(&campaign.rehearse(&script(1), "one").ends(3).json());
    assert_eq!(one, reminded(&campaign.rehearse(&script(1), "again").ends(3).json()));
    assert_ne!(one, reminded(&campaign.rehearse(&script(2), "two").ends(3).json()));
}

#[test]
fn an_edit_is_compared_with_the_rehearsal_before_it() {
    let asks = "due = \"T-3d\"\nremind = [\"T-10d\", \"T-7d\"]\n";
    let campaign = Small::new("2026-12-12T18:00:00", "America/Chicago", asks);
    let script =
        "[answers]\ndelay = \"2h\"\nspread = \"0m\"\n[person.DOT]\nbehaviour = \"after-reminder\"\nreminders = 2\n";
    campaign.rehearse(script, "before").ends(0);
    let compare = |with: &std::path::Path| {
        let mut command = program();
        command.arg("rehearse").arg(campaign.path("")).arg("--compare").arg(with).arg("--json");
        Run::of(&mut command).ends(0).json()
    };
    assert_eq!(compare(&campaign.beside("before"))["changes"], Value::Array(Vec::new()));
    campaign.write("flagday.toml", &campaign.toml.replace("\"T-7d\"", "\"T-8d\", \"T-6d\""));
    let changes = compare(&campaign.beside("before"))["changes"].clone();
    let lines: Vec<String> = changes
        .as_array()
        .expect("changes")
        .iter()
        .map(|one| {
            format!(
                "{} {} {} {} {}",
                one["difference"], one["kind"], one["subject"], one["people"], one["moved_minutes"]
            )
        })
        .map(|line| line.replace('"', ""))
        .collect();
    assert_eq!(
        lines,
        [
            "earlier sent reminder 2 for ready [DOT] [-1440,-1440]",
            "earlier answer ready [DOT] [-1440,-1440]",
            "earlier gate-opens all-ready null [-1440,-1440]",
        ]
    );
    // The same against the campaign as it was, in a folder of its own.
    let old = campaign.beside("old");
    crate::harness::tree::copy(&campaign.path(""), &old);
    fs_err::write(old.join("flagday.toml"), &campaign.toml).expect("written");
    assert_eq!(compare(&old)["changes"], changes);
    let nothing = campaign.beside("nothing");
    let mut command = program();
    command.arg("rehearse").arg(campaign.path("")).arg("--compare").arg(nothing);
    Run::of(&mut command).ends(1).refuses("no-rehearsal");
}

#[test]
fn who_is_away_over_the_deadline_or_cannot_be_reached_is_escalated_at_once_and_never_twice() {
    let (_, outcome, code) = play(
        "[person.BOB]\nbehaviour = \"auto-reply\"\nuntil = \"T-1d\"\n[person.CAM]\nbehaviour = \"bounce\"\n\
         [person.DOT]\nbehaviour = \"auto-reply\"\nuntil = \"T-8d\"\n",
    );
    assert_eq!(code, 3, "CAM holds the gate");
    assert_eq!(
        told(&outcome),
        [
            "2026-11-28T09:00:00-06:00 sent announcement: ANN BOB CAM DOT",
            "2026-11-28T09:01:00-06:00 fact has an automatic reply on (ready): BOB",
            "2026-11-28T09:01:00-06:00 fact cannot be reached by mail (ready): CAM",
            "2026-11-28T09:01:00-06:00 fact has an automatic reply on (ready): DOT",
            // The answer is due on the 9th: BOB is back on the 11th, DOT on the 4th.
            "2026-11-28T09:15:00-06:00 sent escalation 1 for ready: BOB CAM",
            "2026-11-28T11:00:00-06:00 answer ready: ANN",
            "2026-12-04T11:00:00-06:00 answer ready: DOT",
            "2026-12-11T11:00:00-06:00 answer ready: BOB",
        ]
    );
}
