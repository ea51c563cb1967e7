//! The rehearsal of the sample, on a copy.

use crate::harness::kill::Dice;
use crate::harness::small::{Small, told};
use crate::harness::{Campaign, Run, program, tree};
use serde_json::Value;
use std::path::Path;

fn rehearse(root: &Path, more: &[&str]) -> Run {
    Run::of(program().arg("rehearse").arg(root).arg("--json").args(more)).ends(0)
}

fn events<'a>(outcome: &'a Value, kind: &str) -> Vec<&'a Value> {
    let timeline = outcome["timeline"].as_array().expect("a timeline");
    timeline.iter().filter(|event| event["kind"] == kind).collect()
}

#[test]
fn it_finishes_the_same_twice_and_touches_nothing_real() {
    let campaign = Campaign::sample();
    let before = tree::contents(campaign.root());
    let root = campaign.root();
    let (first, second) = std::thread::scope(|scope| {
        let second = scope.spawn(|| rehearse(root, &[]));
        (rehearse(root, &[]), second.join().expect("it ends"))
    });
    let changed = tree::differences(&before, &tree::contents(campaign.root()));
    assert!(changed.is_empty(), "the rehearsal touched {changed:?}");
    assert_eq!(first.out, second.out, "byte for byte");
    let outcome = first.json();
    assert_eq!((&outcome["finished"], &outcome["serial_changed"]), (&true.into(), &true.into()));
    assert!(outcome["timeline"].as_array().expect("a timeline").len() > 50);
    let readme = include_str!("../README.md");
    let sum = format!(
        "\n16 of 16 steps done, {} messages captured, the serial number is changed on the copy\n",
        outcome["messages"]
    );
    assert!(readme.contains(&sum), "the README shows another last line than{sum}");
    let other = rehearse(root, &["--seed", "1"]);
    assert_ne!(other.out, first.out, "another seed, other people's habits");
    assert_eq!(other.json()["messages"], outcome["messages"], "and the same campaign");
}

#[test]
fn what_needs_a_human_is_listed_with_its_hour_and_its_limit() {
    let campaign = Campaign::sample();
    let outcome = rehearse(campaign.root(), &[]).json();
    let needs = outcome["needs"].as_array().expect("needs");
    let of = |kind: &str, whom: &str| {
        let found = needs.iter().find(|need| need["kind"] == kind && need["whom"] == whom);
        found.unwrap_or_else(|| panic!("{kind} for {whom} is missing in {needs:#?}"))
    };
    let staged = of("attestation", "attest-staged");
    assert_eq!(
        (&staged["at"], &staged["by"]),
        (&"2026-11-21T08:00:00-06:00".into(), &"2026-11-28T09:00:00-06:00".into())
    );
    let bounced = of("bounced", "GARCIA");
    assert_eq!(
        (&bounced["at"], &bounced["by"]),
        (&"2026-11-28T09:01:00-06:00".into(), &"2026-12-09T09:00:00-06:00".into())
    );
    assert_eq!(of("attestation", "quiesce")["by"], Value::Null, "all else waits for it");
    assert!(
        needs.iter().all(|need| need["done"].is_string()),
        "the sample's administrator does everything: {needs:#?}"
    );
    let gates: Vec<_> = events(&outcome, "gate-opens").iter().map(|event| event["subject"].clone()).collect();
    assert_eq!(gates, ["async-informed", "disks-held", "locals-drained", "async-switched"]);
}

#[test]
fn a_date_that_moves_twice_in_a_day_is_rehearsed_to_its_end() {
    let campaign = Campaign::sample();
    let path = campaign.path("rehearsal.toml");
    let script = fs_err::read_to_string(&path).expect("a script");
    let moves = [("10:00", "2026-12-19"), ("16:00", "2026-12-12")];
    let faults = moves.map(|(hour, to)| {
        format!("[[fault]]\nkind = \"date-change\"\nat = \"T-9d {hour}\"\nto = {to}T18:00:00\nreason = \"the hall\"\n")
    });
    fs_err::write(&path, script + &faults.concat()).expect("written");
    let outcome = rehearse(campaign.root(), &[]).json();
    assert_eq!((&outcome["finished"], &outcome["serial_changed"]), (&true.into(), &true.into()), "{outcome:#}");
    let by_hand = events(&outcome, "by-hand").len();
    assert!(by_hand > 0, "{outcome:#}");
}

#[test]
fn every_mistake_in_the_script_has_its_place_and_the_nearest_key() {
    let campaign = Campaign::sample();
    campaign.write(
        "rehearsal.toml",
        "seed = -1\noperater = \"Pat\"\n\n[person.WEISZ]\nbehaviour = \"at-onec\"\n\n[[share]]\naudience = \"remote\"\n\
         share = 1.5\n\n[[administrator]]\non = \"attestation\"\nstep = \"quiese\"\nafter = \"soon\"\n\n[[fault]]\nkind = \"asleep\"\n",
    );
    let run = Run::of(program().arg("rehearse").arg(campaign.root())).ends(1);
    for (place, words) in [
        ("rehearsal.toml:1:8", "a seed is a whole number"),
        ("rehearsal.toml:2:1", "did you mean 'operator'?"),
        ("rehearsal.toml:4:9", "nobody in the rosters is 'WEISZ'"),
        ("rehearsal.toml:5:13", "did you mean 'at-once'?"),
        ("rehearsal.toml:8:12", "choose one of remote-users"),
        ("rehearsal.toml:9:9", "a share is above 0"),
        ("rehearsal.toml:13:8", "did you mean 'quiesce'?"),
        ("rehearsal.toml:14:9", "'soon' is no length of time"),
        ("rehearsal.toml:16:1", "does not say 'at'"),
        ("rehearsal.toml:16:1", "does not say 'for'"),
    ] {
        let complaint = run.err.split("\nerror[").find(|one| one.contains(words));
        let complaint = complaint.unwrap_or_else(|| panic!("{words:?} is missing\n{run}"));
        assert!(complaint.contains(place), "{words:?} at {place}\n{run}");
    }
}

#[test]
fn the_timeline_is_a_page_that_needs_nothing_beside_it() {
    let campaign = Campaign::sample();
    let out = campaign.path("../out");
    rehearse(campaign.root(), &["--out", &out.to_string_lossy()]);
    let page = fs_err::read_to_string(out.join("rehearsal.html")).expect("a page");
    assert_eq!(page.matches("<svg ").count(), 1);
    for lane in ["sent", "answers", "disks-held", "async-informed", "locals-drained", "async-switched", "needs a human"]
    {
        assert!(page.contains(&format!(">{lane}</text>")), "{lane} has no lane");
    }
    assert!(page.contains("<title>11 of 11, open, from 2026-12-10 Thu"), "a mark tells its words");
    let waits = "goes out Sat 2026-11-28 08:00 CST to Sun 2026-11-29 03:00 CST, zone by zone";
    assert_eq!(page.matches(waits).count(), 1, "it waits for the same until the last zone has it");
    for outside in ["<script", "<link", "src=", "http://", "https://", "@import", "url("] {
        assert!(!page.contains(outside), "the page reaches for {outside}");
    }
    let root = out.to_string_lossy().into_owned();
    let outcome = fs_err::read_to_string(out.join("rehearsal.json")).expect("an outcome");
    assert!(!page.contains(&root) && !outcome.contains(&root), "it does not say where it was rehearsed");
}

#[test]
fn what_no_step_builds_the_administrator_builds_before_people_are_told() {
    let campaign = Small::new("2026-12-12T18:00:00", "America/Chicago", "due = \"T-3d\"\n");
    let toml = campaign.toml.replace("template = \"rotation\"", "template = \"rotation\"\npackage = \"cert\"");
    let toml = toml.replace("grade = \"confirmed\"", "grade = \"possessed\"");
    campaign.write(
        "flagday.toml",
        &format!(
            "{toml}\n[package.cert]\naudience = \"everyone\"\nsource = \"recipe\"\nfrom = \"cert\"\nmedium = \"360K\"\n"
        ),
    );
    campaign.write("cert/CERT.PEM", "a certificate\n");
    let script = "[answers]\ndelay = \"2h\"\nspread = \"0m\"\n";
    let outcome = campaign.rehearse(script, "out").ends(0).json();
    assert_eq!((&outcome["finished"], &outcome["steps_done"]), (&true.into(), &1.into()));
    let lines = told(&outcome);
    assert!(
        lines[0].ends_with("by-hand cert") && lines[1].contains("sent announcement: ANN BOB CAM DOT"),
        "{lines:#?}"
    );
    // What cannot be built is told with the command, and not as a notice to send late alone.
    let mut dice = Dice(1);
    let long: String = (0..60_000).map(|_| format!("{:016x}", dice.below(u64::MAX))).collect();
    campaign.write("cert/CERT.PEM", &long);
    let outcome = campaign.rehearse(script, "again").ends(3).json();
    let need = outcome["needs"][0]["what"].as_str().expect("words");
    assert!(need.contains("then `flagday build`"), "{need}");
    assert_eq!(outcome["needs"][0]["by"], "2026-11-28T09:00:00-06:00");
}
