//! The drain as the administrator watches it: who is done, who is not and why, from the broadcast on.

use crate::harness::{Campaign, tree};
use serde_json::Value;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Everybody is ready, P1 is closed, and the text of the broadcast is on the screen.
fn before_broadcast() -> Campaign {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    campaign.announce().answer().run("cutover --yes").ends(3).says("step quiesce needs a person");
    campaign.attest("quiesce").run("cutover --yes").ends(3).says("step broadcast needs a person");
    campaign
}

fn person<'a>(look: &'a Value, id: &str) -> &'a Value {
    let people = look["people"].as_array().expect("people");
    people.iter().find(|row| row["person"] == id).unwrap_or_else(|| panic!("no {id} in {look:#}"))
}

#[test]
fn what_is_fetched_counts_from_the_statement_and_not_from_the_next_command() {
    let campaign = before_broadcast();
    campaign.attest("broadcast").drain();
    campaign.run("cutover --yes").ends(3).says("done: drain").says("step restart needs a person");
    campaign.run("cutover journal").ends(0).says("the server's clock reads ");
}

#[test]
fn a_look_tells_who_is_done_who_is_not_why_and_what_to_do() {
    let campaign = before_broadcast();
    campaign.edit("polling = \"0m\"", "polling = \"20m\"");
    campaign.run("cutover drain").ends(1).refuses("not-its-turn");
    campaign.attest("broadcast").run("cutover --yes").ends(3).says("step drain is blocked");
    campaign.write("postoffice/MBG/000000F0.MBG", [0; 348]);
    let look = campaign.run("cutover drain --json").ends(3).json();
    for (id, state, mailbag) in [("BAKER", "not-yet", 3), ("ROSSI", "drained", 0), ("FISCHER", "unseen", 3)] {
        let row = person(&look, id);
        assert_eq!((row["state"].as_str(), row["mailbag"].as_u64()), (Some(state), Some(mailbag)), "{row}");
        assert_eq!(row["remedy"] == "", state == "drained", "{row}");
    }
    assert!(look["findings"].to_string().contains("000000F0 (3 headers)"), "{}", look["findings"]);
    campaign.run("cutover attest drain --person FISCHER --by Pat --note seen").ends(0);
    let told = campaign.run("cutover drain").ends(3).says("nobody is late before").says("mailbag-unlisted");
    told.says("BAKER").says("Exit and Sign Out").says("vouched").keeps_quiet_about("recover the password");
    let status = campaign.run("status").ends(0);
    assert_eq!(status.out.matches("Exit and Sign Out").count(), 1, "one remedy is read once\n{status}");
}

#[test]
fn mail_that_arrives_after_the_drain_holds_the_swap() {
    let campaign = before_broadcast();
    campaign.attest("broadcast").drain().run("cutover --yes --until drain").ends(0);
    campaign.write("postoffice/MBG/00000008.MBG", [0; 116]);
    campaign.run("cutover --yes").ends(3).says("step retire-master is blocked").says("BAKER");
    assert!(campaign.path("postoffice/GLB/MASTER.GLB").exists());
    campaign.write("postoffice/MBG/00000008.MBG", []);
    campaign.run("cutover --yes").ends(3).says("done: install-master");
    campaign.run("cutover drain").ends(1).refuses("drain-over");
}

#[test]
fn what_was_vouched_for_ends_with_mail_that_was_not_there_then_however_much_is_left() {
    let campaign = before_broadcast();
    campaign.attest("broadcast").run("cutover --yes").ends(3);
    let mailbag = "postoffice/MBG/00000018.MBG";
    let headers = |numbers: &[u8]| numbers.iter().flat_map(|number| [*number; 116]).collect::<Vec<_>>();
    let state = |numbers: &[u8]| {
        campaign.write(mailbag, headers(numbers));
        person(&campaign.run("cutover drain --json").ends(3).json(), "FISCHER")["state"].clone()
    };
    let vouch = || campaign.run("cutover attest drain --person FISCHER --by Pat --note seen").ends(0);
    assert_eq!(state(&[1, 2, 3]), "unseen");
    vouch();
    assert_eq!(state(&[1, 2, 3]), "vouched");
    assert_eq!(state(&[1, 3]), "vouched", "Compress took one away");
    assert_eq!(state(&[1, 3, 4]), "unseen", "as many as then, and one of them is new");
    vouch();
    assert_eq!(state(&[1, 3, 4]), "vouched");
    assert_eq!(state(&[1, 3, 4, 4]), "unseen");
    campaign.run("who --person FISCHER").ends(0).says("headers left: 3").keeps_quiet_about("# mailbag");
    campaign.run("audit verify").ends(0);
}

#[test]
fn a_drain_takes_as_long_as_clients_take_to_look_although_everybody_is_done_at_the_first_look() {
    let campaign = before_broadcast();
    campaign.edit("polling = \"0m\"", "polling = \"20m\"").attest("broadcast").drain();
    let held = campaign.run("cutover --yes").ends(3).says("done: broadcast").keeps_quiet_about("done: drain");
    held.says("step drain is not done before ").says("may not have looked for mail yet");
    assert!(campaign.path("postoffice/GLB/MASTER.GLB").exists());
    assert_eq!(campaign.step("drain"), "blocked");
    campaign.run("cutover drain").ends(3).says("28 of 28").says("everybody is done; the cutover goes on at ");
    let first = campaign.run("cutover drain --json").ends(3).json();
    assert_eq!(first["gate"]["open"], true);

    // The hour stays the same however often it is stopped and looked at again, and a shorter one is the site's to state.
    let again = campaign.run("cutover drain --json").ends(3).json();
    assert_eq!(first["not_before"], again["not_before"], "what was waited counts");
    campaign.run("cutover rollback --to broadcast --yes").ends(0);
    assert_eq!(campaign.run("cutover drain --json").ends(3).json()["not_before"], first["not_before"]);
    campaign.edit("polling = \"20m\"", "polling = \"0m\"");
    campaign.run("cutover drain").ends(0).says("28 of 28");
    campaign.run("cutover --yes").ends(3).says("done: drain").says("step restart needs a person");
    campaign
        .run("cutover journal")
        .ends(0)
        .says("28 of 28 have fetched their mail, seen 0 minutes after the broadcast");
}

#[test]
fn a_broadcast_is_not_taken_down_while_message_stores_cannot_be_told_apart() {
    let campaign = before_broadcast();
    campaign.write("postoffice/MMF/00000001.mmf", "a second one");
    let refused = campaign.run("cutover attest broadcast --by Pat --note sent").ends(1);
    refused.refuses("case-clash");
    fs_err::remove_file(campaign.path("postoffice/MMF/00000001.mmf")).expect("removed");
    fs_err::rename(campaign.path("postoffice/MMF"), campaign.path("MMF")).expect("away");
    campaign.run("cutover attest broadcast --by Pat --note sent").ends(1).refuses("stores-unseen");
    fs_err::rename(campaign.path("MMF"), campaign.path("postoffice/MMF")).expect("back");
    campaign.attest("broadcast");
}

fn watch(campaign: &Campaign) -> Child {
    Command::new(env!("CARGO_BIN_EXE_flagday"))
        .arg("-C")
        .arg(campaign.root())
        .args(["cutover", "drain", "--watch", "--every", "1", "--json"])
        .stdin(Stdio::null())
        .stdout(fs_err::File::create(campaign.path("looks")).expect("a file").into_parts().0)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

/// Waits for the end, a minute at most.
#[expect(clippy::disallowed_methods, reason = "another process is waited for")]
fn ended(campaign: &Campaign, mut child: Child) -> (Option<i32>, Vec<Value>, String) {
    let begun = Instant::now();
    while child.try_wait().expect("its state").is_none() {
        if begun.elapsed() > Duration::from_secs(60) {
            child.kill().expect("stopped");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let output = child.wait_with_output().expect("its output");
    let out = String::from_utf8(campaign.bytes("looks")).expect("UTF-8");
    let looks = out.lines().map(|line| serde_json::from_str(line).expect("a look a line")).collect();
    (output.status.code(), looks, String::from_utf8(output.stderr).expect("UTF-8"))
}

#[cfg(unix)]
#[test]
#[expect(clippy::disallowed_methods, reason = "a watch is given time to look")]
fn a_watch_stops_cleanly_leaves_room_for_statements_and_goes_on_to_the_end() {
    let campaign = before_broadcast();
    campaign.attest("broadcast").run("cutover --yes").ends(3);
    let child = watch(&campaign);
    std::thread::sleep(Duration::from_millis(1500));
    let pid = rustix::process::Pid::from_raw(child.id() as i32).expect("a process");
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("told");
    let (code, looks, prose) = ended(&campaign, child);
    assert_eq!(code, Some(3), "{prose}");
    assert!(!looks.is_empty() && prose.contains("goes on"), "{prose}");

    let child = watch(&campaign);
    // Between two looks the campaign is free: a statement may have to knock twice, and is taken.
    let stated = (0..20).any(|_| campaign.run("cutover attest drain --person FISCHER --by Pat --note seen").code == 0);
    assert!(stated);
    campaign.drain();
    tree::rewrite(&campaign.path("postoffice/MMF/00000001.MMF"));
    let (code, looks, prose) = ended(&campaign, child);
    assert_eq!(code, Some(0), "{prose}");
    assert_eq!(looks.last().expect("a look")["gate"]["open"], true);
}

#[test]
fn a_refused_statement_leaves_the_baseline_and_a_waiver_ends_with_a_broadcast_that_is_taken_back() {
    let campaign = before_broadcast();
    let waive = "ack waive FISCHER --for drained --by Pat --reason leave";
    campaign.attest("broadcast").run("cutover --yes").ends(3).says("step drain is blocked");
    let baselines = || {
        let events = campaign.run("audit export").ends(0).out;
        events.lines().filter(|line| line.contains("message-stores")).count()
    };
    assert_eq!(baselines(), 1);
    campaign.run("cutover attest broadcast --by Kim --note again").ends(1).refuses("nothing-to-attest");
    assert_eq!(baselines(), 1, "mail fetched between the two would never count");

    campaign.run(waive).ends(0);
    let blocks = || campaign.run("who --blocking locals-drained").out;
    assert!(!blocks().contains("FISCHER"), "{}", blocks());
    campaign.run("cutover rollback --to quiesce --yes").ends(0).says("undone: broadcast").says("undone: quiesce");
    campaign.run("cutover --yes").ends(3).says("step quiesce needs a person");
    campaign.attest("quiesce").run("cutover --yes").ends(3).says("step broadcast needs a person");
    campaign.attest("broadcast").run("cutover --yes").ends(3).says("step drain is blocked");
    let blocking = blocks();
    assert!(blocking.contains("FISCHER"), "{blocking}");
    assert!(blocking.contains("the waiver by Pat has ended: the step it spoke of was taken back since"), "{blocking}");
    campaign.run(waive).ends(0);
}

#[test]
fn a_second_evening_counts_what_is_seen_again() {
    let campaign = before_broadcast();
    campaign.attest("broadcast").drain().run("cutover --yes --until drain").ends(0);
    campaign.run("cutover rollback --to backup --yes").ends(0);
    campaign.attest_when_asked("quiesce").attest_when_asked("broadcast").drain();
    campaign.run("cutover --yes").ends(3).says("done: drain").says("step restart needs a person");
    // The same words, read back on the phone once more.
    campaign.attest("restart").run("cutover --yes").ends(3);
    campaign.read_back().run("cutover --yes --until async-confirmed").ends(0);
    campaign.run("cutover rollback --to drain --yes").ends(0);
    campaign.attest("quiesce").run("cutover --yes").ends(3).says("step restart needs a person");
    campaign.attest("restart").run("cutover --yes").ends(3).says("step async-confirmed is blocked");
    campaign.read_back().run("cutover --yes").ends(0).says("every step is done");
}

#[test]
fn mail_that_no_drain_watches_is_told_before_p1_is_closed_and_before_the_master_goes() {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    campaign.announce().answer();
    // A neighbour's, by NETWORK.GLB or an .XTN file, and a remote user's.
    campaign.write("postoffice/MBG/00000029.MBG", [0; 348]).write("postoffice/MBG/0000000A.MBG", [0; 116]);
    let asked = campaign.run("cutover --yes").ends(3).says("step quiesce needs a person");
    asked.says("warning[mail-waiting]").says("While P1 is open: let External");
    campaign.attest("quiesce");
    let told = campaign.run("cutover --yes").ends(3).says("done: close-p1").says("warning[mail-waiting]");
    told.says("00000029 (3 headers) of ").says("0000000A (1 header) of DUBOIS (remote)");
    campaign.attest("broadcast").run("cutover --yes").ends(3).says("done: broadcast");
    campaign.drain().write("postoffice/MBG/00000029.MBG", [0; 348]);
    campaign.run("cutover drain").says("00000029 (3 headers) of ").keeps_quiet_about("DUBOIS");
    campaign.run("cutover --yes --until drain").ends(0).says("warning[mail-waiting]");
}

#[test]
fn who_is_seen_not_to_be_done_is_vouched_for_with_what_speaks_against_it() {
    let campaign = before_broadcast();
    campaign.attest("broadcast").run("cutover --yes").ends(3);
    let vouch =
        |person: &str| campaign.run(&format!("cutover attest drain --person {person} --by Pat --note holiday")).ends(0);
    vouch("OKAFOR").says("The files say otherwise").says("3 headers are left");
    vouch("FISCHER").keeps_quiet_about("otherwise");
    campaign.run("who --person OKAFOR").ends(0).says("holiday; although");
}

#[test]
fn mail_that_is_nobodys_holds_the_swap_until_somebody_has_said_whose_it_is() {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    campaign.announce().answer();
    let mailbag = "postoffice/MBG/00000999.MBG";
    let headers = |numbers: &[u8]| numbers.iter().flat_map(|number| [*number; 116]).collect::<Vec<_>>();
    let vouch = |line: &str| campaign.run(&format!("cutover attest drain --person {line} --by Pat --note deleted"));
    campaign.write(mailbag, headers(&[1, 2]));

    // Named while P1 is open, and wherever it stops from then on.
    let named =
        "warning[mailbag-of-nobody]: mail lies in mailbags of nobody whom the drain waits for: 00000999 (2 headers)";
    campaign.run("cutover --yes").ends(3).says("step quiesce needs a person").says(named);
    campaign.attest("quiesce").run("cutover --yes").ends(3).says("done: close-p1").says(named);
    vouch("00000999").ends(1).refuses("not-its-turn");
    campaign.attest("broadcast").run("cutover --yes").ends(3).says("step drain is blocked").says(named);

    campaign.drain().write(mailbag, headers(&[1, 2]));
    let held = campaign.run("cutover --yes").ends(3).refuses("mailbag-of-nobody").keeps_quiet_about("done:");
    held.says("cutover attest drain --person 00000999").says("Safe now:");
    campaign.run("cutover drain").ends(3).refuses("mailbag-of-nobody").says("28 of 28");
    campaign.run("status").ends(0).says("mail lies in mailbags of nobody whom the drain waits for: 00000999");
    assert_eq!(campaign.step("drain"), "blocked");
    vouch("00000998").ends(1).refuses("unknown-person");
    vouch("00000999").ends(0).says("Pat vouches for 00000999");
    campaign.run("ack revoke 00000999 --by Pat --note mistaken").ends(0);
    campaign.run("cutover drain").ends(3).refuses("mailbag-of-nobody");
    vouch("00000999").ends(0);
    campaign.run("cutover drain").ends(0).keeps_quiet_about("mailbag-of-nobody");
    campaign.run("cutover --yes --until drain").ends(0).says("done: drain");

    // Mail that came in since was not spoken of.
    campaign.write(mailbag, headers(&[2, 3]));
    campaign.run("cutover --yes").ends(3).refuses("mailbag-of-nobody").keeps_quiet_about("done:");
    assert!(
        campaign.path("postoffice/GLB/MASTER.GLB").exists() && !campaign.path("postoffice/GLB/OLDMAST.GLB").exists()
    );
    vouch("00000999").ends(0);
    campaign.run("cutover --yes").ends(3).says("done: install-master");
    campaign.run("audit verify").ends(0);
}

#[test]
fn mail_of_somebody_whom_no_drain_waits_for_holds_the_swap_like_nobodys() {
    let campaign = Campaign::ready();
    let row = |campaign: &Campaign, from: &[u8], to: &[u8]| {
        let users = campaign.bytes("rosters/users.csv");
        let at = users.windows(from.len()).position(|part| part == from).expect("the row");
        campaign.write("rosters/users.csv", [&users[..at], to, &users[at + from.len()..]].concat());
    };
    // Misspelt, they would hear nothing: no letter leaves at all.
    row(&campaign, b"local;OKAFOR", b"lokal;OKAFOR");
    campaign.run("check --offline").ends(1).refuses("no-audience").says("did you mean 'local'?");
    campaign.run("send local-change-date --yes").ends(1).refuses("no-audience");
    assert!(campaign.outbox("").is_empty());

    campaign.append("[audience.guests]\nkind = \"lokal\"\n");
    campaign.run("build").ends(0);
    campaign.announce().answer().close().drain();
    campaign.write("postoffice/MBG/00000003.MBG", [7; 232]);
    let held = campaign.run("cutover --yes").ends(3).refuses("mailbag-of-nobody").keeps_quiet_about("done:");
    held.says("00000003 (2 headers) of OKAFOR (lokal)").says("cutover attest drain --person 00000003");
    assert!(campaign.path("postoffice/GLB/MASTER.GLB").exists());
    campaign.run("cutover attest drain --person 00000003 --by Pat --note gone").ends(0);
    campaign.run("cutover --yes").ends(3).says("done: install-master");
}

#[test]
fn mail_for_those_whom_no_drain_watches_stops_the_swap_once_for_each_time_it_grows() {
    let campaign = before_broadcast();
    campaign.attest("broadcast").drain();
    let mailbag = "postoffice/MBG/00000002.MBG";
    campaign.write(mailbag, [7; 116]);
    // Told at a stop of its own: it may stay behind.
    campaign.run("cutover --yes --until drain").ends(0).says("00000002 (1 header) of LINDBERG (remote)");
    campaign.write(mailbag, [7; 348]);
    campaign.run("status").ends(0).says("nobody was told of it yet: 00000002 (3 headers) of LINDBERG");
    let held = campaign.run("cutover --yes").ends(3).refuses("mail-left-behind").keeps_quiet_about("done:");
    held.says("go back with `flagday cutover rollback --to backup`")
        .says("go on knowingly with `flagday cutover` once more");
    assert!(campaign.path("postoffice/GLB/MASTER.GLB").exists());
    campaign.run("cutover --yes").ends(3).says("done: install-master");
}
