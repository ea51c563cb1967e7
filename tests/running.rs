//! How the program behaves as a program: exit codes, streams, colours, locks, file modes, secrets.

use crate::harness::{Campaign, FUTURE, Run, program, tree};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

/// The sample's own transport, as it stands in its file.
const FILE: &str =
    "transport = \"file\" # one .eml a message in .flagday/outbox/; \"smtp://127.0.0.1:2525\" sends them";

fn built() -> Campaign {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    campaign
}

#[test]
fn without_a_terminal_and_without_yes_nothing_happens() {
    let campaign = built();
    let before = tree::contents(&campaign.path("postoffice"));
    for line in ["send change-date", "cutover", "cutover rollback"] {
        campaign.run(line).ends(3).refuses("not-confirmed").says("nothing was done").says("--yes");
    }
    // Late notices wait to be asked for: nothing is to leave, and nobody has to agree to that.
    for (line, code) in [("send", 3), ("tick", 0)] {
        campaign.run(line).ends(code).says("0 planned, 0 sent").says("flagday send change-date");
    }
    assert!(campaign.outbox("").is_empty());
    assert!(campaign.run("cutover journal --json").ends(0).json().as_array().expect("entries").is_empty());
    assert!(tree::differences(&before, &tree::contents(&campaign.path("postoffice"))).is_empty());
}

#[test]
fn done_usage_error_and_waiting_have_their_codes() {
    let campaign = built();
    campaign.run("status").ends(0);
    campaign.run("status --no-such-option").ends(2);
    Run::of(program().args(["--help"])).ends(0).says("Exit codes:");
    Run::of(&mut program()).ends(2);
    Run::of(program().args(["-C", "/no/such/folder", "status"])).ends(1);
    campaign.run("cutover --yes").ends(3);
    let campaign = Campaign::ready().change_at(FUTURE);
    campaign.run("build").ends(0);
    campaign.run("send --yes").ends(3).says("Nothing is due");
}

#[test]
fn a_second_run_does_not_get_in_the_way_of_the_first() {
    let campaign = built();
    // The lock as a running program holds it.
    let lock = fs_err::OpenOptions::new().write(true).open(campaign.path(".flagday/lock")).expect("the lock");
    lock.file().try_lock().expect("nobody holds it");
    for line in ["send change-date --yes", "cutover --yes", "build", "cutover attest quiesce --by Pat --note x"] {
        campaign.run(line).ends(5).refuses("busy");
    }
    campaign.run("status").ends(0);
    assert!(campaign.outbox("").is_empty());
    drop(lock);
    campaign.run("send change-date --yes").ends(0);
}

#[test]
fn a_second_send_says_who_holds_the_campaign() {
    let campaign = built();
    // Asking for the password takes the first one a while.
    campaign.edit(FILE, "transport = \"smtp://kim@127.0.0.1:1?tls=none\"\npassword_command = \"sleep 60\"");
    let mut first = Command::new(env!("CARGO_BIN_EXE_flagday"));
    first.arg("-C").arg(campaign.root()).args(["send", "change-date", "--yes"]);
    let mut first = first.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
    while fs_err::read_to_string(campaign.path(".flagday/lock")).is_ok_and(|holder| !holder.contains("`flagday send`"))
    {
        assert!(first.try_wait().expect("its state").is_none(), "it still runs");
        std::thread::yield_now();
    }
    let holder = format!("`flagday send` (process {}, since ", first.id());
    campaign.run("send change-date --yes").ends(5).refuses("busy").says(&holder);
    first.kill().expect("it runs");
    first.wait().expect("it ended");
}

#[test]
fn a_message_that_cannot_be_read_keeps_nobody_else_waiting() {
    let campaign = built();
    let slow = "transport = \"smtp://127.0.0.1:1?tls=none\"";
    campaign.edit(FILE, slow).run("send change-date --yes").ends(1);
    let ledger = rusqlite::Connection::open(campaign.path(".flagday/ledger.db")).expect("the ledger");
    let damage = "UPDATE letter SET bytes = substr(bytes, 1, length(bytes) - 1) WHERE base IS NOT NULL AND message = \
                  (SELECT max(message) FROM letter WHERE base IS NOT NULL)";
    assert_eq!(ledger.execute(damage, ()).expect("damaged"), 1);
    drop(ledger);
    campaign.run("audit verify").ends(1).says("cannot be read");
    campaign.edit(slow, FILE).run("send --yes").ends(4).says("11 sent").says("1 failed with letter-stored");
    assert_eq!(campaign.outbox("").len(), 11);
    campaign.run("who --failed").ends(0).says("cannot be read");
}

#[test]
fn facts_that_changed_since_people_were_told() {
    let campaign = built();
    campaign.run("send change-date --yes").ends(0);
    campaign.edit("32-20977", "32-20978");
    for line in ["send new-serial --yes", "cutover --yes"] {
        campaign.run(line).ends(6).refuses("facts-changed").says("32-20977").says("32-20978");
    }
    assert!(campaign.outbox("-new_serial-").is_empty());
    campaign.edit("32-20978", "32-20977").run("send new-serial --yes").ends(0);

    // Another date is another fact; a text that nobody has seen yet is none.
    campaign.edit("2001-02-03T18:00:00", "2001-02-04T18:00:00").run("cutover --yes").ends(6);
    campaign.edit("2001-02-04T18:00:00", "2001-02-03T18:00:00");
    campaign.write("templates/mail/all-clear/text.hbs", "Done.\n").run("cutover --yes").ends(3);
    campaign.write("templates/mail/change-date/text.hbs", "Something else.\n");
    campaign.run("cutover --yes").ends(6).says("change-date");
}

#[test]
fn recipients_that_fail_are_told_and_the_others_served() {
    let campaign = built();
    let roster =
        String::from_utf8_lossy(&campaign.bytes("rosters/async-admins.csv")).replace("priya@lumen.example", "");
    campaign.write("rosters/async-admins.csv", roster);
    let run = campaign.run("send new-serial --yes").ends(4);
    run.says("4 sent").says("1 failed").says("LUMEN");
    assert_eq!(campaign.outbox("-new_serial-").len(), 4);
    let status = campaign.run("status --json").json();
    assert_eq!((status["messages"]["sent"].as_u64(), status["messages"]["failed"].as_u64()), (Some(4), Some(1)));

    let roster = String::from_utf8(campaign.bytes("rosters/async-admins.csv")).expect("UTF-8");
    campaign.write("rosters/async-admins.csv", roster.replace("Priya Raman,", "Priya Raman,priya@lumen.example"));
    campaign.run("send --to failed --yes").ends(0).says("1 sent");
    assert_eq!(campaign.outbox("-new_serial-").len(), 5);
}

#[test]
fn data_on_stdout_and_prose_on_stderr() {
    let campaign = built();
    campaign.run("send change-date --yes").ends(0);
    for line in [
        "check --json",
        "plan --json",
        "status --json",
        "who --json",
        "cutover journal --json",
        "cutover --dry-run --json",
        "build --json",
        "build --verify --json",
        "send --yes --json",
        "audit verify --json",
        "report --json",
        "cutover --yes --json",
        "ack waive HARRIS --reason leave --by Pat",
    ] {
        let run = campaign.run(line);
        if line.ends_with("--json") {
            run.json();
        }
        assert!(!run.out.contains("Next:") && !run.out.contains("warning["), "{run}");
    }
    for event in campaign.run("audit export").ends(0).out.lines() {
        let event: serde_json::Value = serde_json::from_str(event).expect("an object a line");
        assert!(event["seq"].is_u64() && event["hash"].is_string());
    }
    let quiet = campaign.run("status --quiet").ends(0);
    assert!(!quiet.err.contains("Next:"), "{quiet}");
    let csv = campaign.run("who --csv").ends(0);
    let mut reader = csv::Reader::from_reader(csv.out.as_bytes());
    assert!(reader.headers().expect("headers").iter().any(|header| header == "person"));
    assert!(reader.records().all(|record| record.is_ok()));
}

#[test]
fn no_colours_where_nobody_sees_them() {
    let campaign = Campaign::sample();
    let colourless = |run: Run| assert!(!run.out.contains('\u{1b}') && !run.err.contains('\u{1b}'), "{run}");
    colourless(campaign.run("check"));
    let build = |variables: &[(&str, &str)]| {
        Run::of(program().envs(variables.iter().copied()).arg("-C").arg(campaign.root()).arg("build")).ends(1)
    };
    colourless(build(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "0")]));
    assert!(build(&[("CLICOLOR_FORCE", "1")]).err.contains('\u{1b}'), "a colour that is asked for comes");
}

#[test]
fn a_closed_pipe_is_no_error() {
    let campaign = built();
    campaign.announce();
    for line in ["status", "audit export", "who --csv", "plan", "status --json"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_flagday"))
            .arg("-C")
            .arg(campaign.root())
            .args(line.split_whitespace())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        drop(child.stdout.take()); // the reader is gone before the first line
        let output = child.wait_with_output().expect("it ends");
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}: {}\n{words}", output.status);
        assert!(!words.contains("panicked") && !words.to_lowercase().contains("pipe"), "{line}: {words}");
    }
}

#[test]
fn the_state_is_for_its_owner_alone() {
    let campaign = built();
    campaign.announce().answer();
    campaign.run("report").ends(0);
    let mode = |path: &str| fs_err::metadata(campaign.path(path)).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(".flagday"), 0o700);
    for file in ["ledger.db", "secret", "lock", "packages/init-disk/CARTER.zip", "packages/init-disk/manifest.json"] {
        assert_eq!(mode(&format!(".flagday/{file}")), 0o600, "{file}");
    }
    for message in campaign.outbox("") {
        assert_eq!(fs_err::metadata(&message).expect("a message").permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn no_code_and_no_secret_in_any_output_or_in_the_ledger() {
    let campaign = built();
    campaign.announce().answer();
    campaign.run("ack record CARTER --code AAAA-AAAA --by Pat --note phone");
    campaign.run(&format!("ack record LINDBERG --code {} --by Pat --note phone", campaign.code("CARTER"))).ends(1);
    campaign.run("report").ends(0);
    for line in ["status -v", "status --json", "who --json", "audit export", "plan", "check -v", "cutover journal"] {
        campaign.run(line);
    }
    let mut places = vec![("output".to_owned(), campaign.everything_printed().into_bytes())];
    for (name, bytes) in tree::contents(&campaign.path(".flagday")) {
        if name.starts_with("ledger.db")
            || name.starts_with("report/")
            || name.ends_with("manifest.json")
            || name == "lock"
        {
            places.push((name, bytes));
        }
    }
    assert!(places.len() >= 6, "{}", places.len());
    let secret = campaign.bytes(".flagday/secret");
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut hidden = vec![("the secret".to_owned(), secret), ("the secret in hex".to_owned(), hex.into_bytes())];
    for person in crate::harness::REMOTE {
        let code = campaign.code(person);
        hidden.push((format!("{person}'s code without its hyphen"), code.replace('-', "").into_bytes()));
        hidden.push((format!("{person}'s code"), code.into_bytes()));
    }
    for (name, bytes) in &places {
        for (what, needle) in &hidden {
            assert!(memchr::memmem::find(bytes, needle).is_none(), "{what} stands in {name}");
        }
    }
}
