//! What the administrator is told when the cutover stops: the state of the postoffice, two safe commands, what going back
//! costs; and what was seen after the change.

use crate::harness::{Campaign, tree};
use serde_json::json;

#[test]
fn every_stop_tells_the_state_and_two_commands_that_are_safe() {
    let campaign = Campaign::answered();
    campaign
        .run("cutover --yes")
        .ends(3)
        .says("P1 is in its place")
        .says("serial number 32-10411 is in force")
        .says("Safe now:\n  flagday cutover ")
        .says("flagday status ");
    campaign.close();
    campaign
        .run("cutover --yes")
        .ends(3)
        .says("P1 is renamed to POLD since ")
        .says("Keep every transport stopped")
        .says("Local users can sign in")
        .says("flagday cutover rollback --to backup  puts everything back");
    let postoffice = campaign.run("status --json").ends(0).json()["postoffice"].clone();
    assert_eq!((postoffice["p1"].clone(), postoffice["serial"].clone()), (json!("closed"), json!("old")));

    campaign.drain().write("postoffice/GLB/OLDMAST.GLB", "somebody's");
    let failed = campaign.run("cutover --yes").ends(1).refuses("oldmast-exists");
    let failed = failed.says("The postoffice now:").says("flagday cutover rollback --to backup");
    failed.says("note[step-not-begun]").keeps_quiet_about("`flagday cutover rollback`");
    fs_err::remove_file(campaign.path("postoffice/GLB/OLDMAST.GLB")).expect("removed");
    campaign.write("postoffice/P1/POPULATE.MSM", [0]);
    campaign
        .run("cutover --yes")
        .ends(1)
        .refuses("p1-both")
        .says("Keep every transport stopped")
        .keeps_quiet_about("rollback");
    fs_err::remove_dir_all(campaign.path("postoffice/P1")).expect("removed");

    campaign.run("cutover --yes --until retire-master").ends(0);
    let status = campaign.run("status").ends(0).says("nobody can sign in until the cutover goes on or goes back");
    status.says("P1 is renamed to POLD").keeps_quiet_about("Local users can sign in");
    campaign
        .run("cutover --yes")
        .ends(3)
        .says("serial number 32-20977 is in force")
        .says("goes back to the old serial");
}

#[test]
fn going_back_tells_its_price_before_and_after_the_new_file_is_in() {
    let campaign = Campaign::answered();
    campaign.close();
    let before = campaign.run("cutover rollback --to backup").ends(3).says("no mail is lost by that");
    before.says("The old serial number stays in force").keeps_quiet_about("cannot be read");
    let off = ["abort", "--reason", "no", "--by", "Pat", "--rollback"];
    campaign.run_words(&off).ends(3).refuses("not-confirmed").says("off for good").says("no mail is lost by that");
    campaign.drain().finish().ends(0);
    campaign.run_words(&off).ends(3).says("cannot be read under the old serial number");
    // Called off without that, everybody would read that nothing changes.
    for line in [&off[..5], &["abort", "--reason", "no", "--by", "Pat", "--as-it-stands", "--yes"]] {
        let refused = campaign.run_words(line).ends(1).refuses("abort-half-done").says("The postoffice now:");
        refused.says("every step is done").keeps_quiet_about("--as-it-stands");
    }
    assert_eq!(campaign.run("status --json").json()["aborted"], serde_json::Value::Null);
    let after = campaign.run("cutover rollback --to backup").ends(3).says("cannot be read under the old serial number");
    after.says("Stop all transports first").says("restart the transports").says("5 neighbouring administrators");
    // Where it ends with P1 renamed, a transport that is started loses mail.
    let closed = campaign.run("cutover rollback --to drain").ends(3).says("cannot be read under the old serial number");
    closed.says("keep them stopped").says("P1 is POLD afterwards").keeps_quiet_about("restart the transports");
    let closed = campaign.run("cutover rollback --to install-master").ends(3).says("Stop all transports first");
    closed.says("keep them stopped").says("P1 is POLD afterwards").keeps_quiet_about("cannot be read");
    campaign.run("cutover rollback --to open-p1").ends(3).keeps_quiet_about("transports");
    campaign.run("cutover rollback --to nowhere --yes").ends(2).refuses("unknown-step");
    campaign.run("cutover rollback --to backup --yes").ends(0).says("undone: close-p1").says("The postoffice now:");
    campaign.run("status").ends(0).says("P1 is in its place").says("serial number 32-10411 is in force");
}

#[test]
fn what_was_seen_after_the_change_is_recorded_point_by_point() {
    let campaign = Campaign::answered();
    campaign.close().drain();
    campaign.run("cutover --yes").ends(3).says("dial-in: one remote user has dialled in").says("--without POINT");
    campaign.run("cutover attest restart --by Pat --note x --without tea").ends(2).refuses("unknown-point");
    campaign.run("cutover attest restart --by Pat --note run --without directory-sync --without dial-in").ends(0);
    campaign.run("cutover --yes").ends(3).says("done: restart");
    campaign.run("cutover journal").ends(0).says("seen: local-mail: ").says("not seen: directory-sync: ");
    campaign.run("status").ends(0).says("not seen: dial-in, directory-sync");
}

#[test]
fn all_is_clear_only_when_every_point_was_seen_or_waived_by_name() {
    let campaign = Campaign::answered();
    campaign.close().drain().run("cutover --yes").ends(3);
    campaign.run("cutover attest restart --by Pat --note run --without dial-in --without directory-sync").ends(0);
    campaign.run("cutover --yes --until restart").ends(0);
    campaign.read_back().run("cutover --yes --until async-confirmed").ends(0);
    let held = campaign.run("cutover --yes").ends(3);
    let held = held.says("step all-clear waits: not seen yet after restart: dial-in, directory-sync");
    held.says("flagday cutover attest restart --by NAME --note TEXT").says("--waive POINT");
    let status = campaign.run("status").ends(0).says("not seen yet after restart: dial-in, directory-sync");
    status.says("Next: flagday cutover: says how to state");
    assert_eq!(campaign.run("status --json").ends(0).json()["steps"][15]["state"], "blocked");
    assert!(campaign.outbox("-all_clear-").is_empty());

    let still = "cutover attest restart --by Pat --note x --without dial-in --without directory-sync";
    campaign.run(still).ends(1).refuses("nothing-seen");
    campaign.run("cutover attest restart --by Pat --note called --without directory-sync").ends(0).says("stated anew");
    campaign.run("cutover --yes").ends(3).says("not seen yet after restart: directory-sync.");
    campaign.run("cutover attest restart --by Kim --note unused --waive directory-sync").ends(0);
    campaign.run("cutover attest restart --by Kim --note x").ends(1).refuses("nothing-to-attest");
    campaign.run("cutover --yes").ends(0).says("every step is done");
    let journal = campaign.run("cutover journal").ends(0).says("stated by Kim: unused");
    journal.says("seen: dial-in: ").says("waived: directory-sync: ");
    campaign.run("status").ends(0).says("waived: directory-sync").keeps_quiet_about("not seen");
    campaign.run("report").ends(0);
    let page = String::from_utf8(campaign.bytes(".flagday/report/report.html")).expect("text");
    assert!(page.contains("waived: directory-sync") && page.contains("What was seen, point by point"));
    let points = campaign.run("status --json").ends(0).json()["steps"][13]["points"].clone();
    let of = |name: &str| {
        let point = points.as_array().and_then(|points| points.iter().find(|point| point["name"] == name));
        let word =
            |key: &str| point.map(|point| point[key].as_str().unwrap_or_default().to_owned()).unwrap_or_default();
        [word("stands"), word("by"), word("note")]
    };
    assert_eq!(of("local-mail"), ["seen", "Pat", "run"]);
    assert_eq!(of("dial-in"), ["seen", "Pat", "called"]);
    assert_eq!(of("directory-sync"), ["waived", "Kim", "unused"]);
}

#[test]
fn all_is_not_clear_when_a_neighbour_reads_another_number_after_all() {
    let campaign = Campaign::answered();
    campaign.close().drain().run("cutover --yes").ends(3);
    campaign.attest("restart").run("cutover --yes").ends(3).says("step async-confirmed is blocked");
    campaign.read_back().run("cutover --yes --until async-confirmed").ends(0);
    campaign.run("ack record DENVER --serial 32-10411 --by Pat --note phone").ends(1).refuses("serial-differs");
    campaign.run("cutover --yes").ends(3).says("step all-clear is blocked").says("DENVER");
    assert!(campaign.outbox("-all_clear-").is_empty());
    campaign.run("ack record DENVER --serial 032-20977 --by Pat --note phone").ends(0);
    campaign.run("cutover --yes").ends(0).says("every step is done");
}

#[test]
fn which_number_is_in_force_is_judged_by_what_was_installed_and_not_by_the_staged_tree_of_today() {
    let campaign = Campaign::answered();
    let (live, staged) = (campaign.path("postoffice/GLB/MASTER.GLB"), campaign.path("staged/GLB/MASTER.GLB"));
    flagday::platform::restrict(&live, 0o640).expect("the rights of a server");
    flagday::platform::restrict(&staged, 0o600).expect("the rights of whoever installed it");
    let before = campaign.bytes("postoffice/GLB/MASTER.GLB");
    let rights = |path: &str| fs_err::metadata(campaign.path(path)).expect("there").permissions();
    let wanted = rights("postoffice/GLB/MASTER.GLB");
    campaign.close().drain().run("cutover --yes --until install-master").ends(0);
    assert_eq!(rights("postoffice/GLB/MASTER.GLB"), wanted, "those of the file whose place it took");

    let new = campaign.bytes("postoffice/GLB/MASTER.GLB");
    let status = || campaign.run("status").ends(0);
    campaign.poke("staged/GLB/MASTER.GLB", 20, 0x5a);
    let price = "goes back to the old serial number";
    for _ in 0..2 {
        status().says("serial number 32-20977 is in force").keeps_quiet_about("32-10411 is in force");
        campaign.run("cutover --yes").says(price).keeps_quiet_about("puts everything back");
        let _ = fs_err::remove_file(&staged);
    }
    campaign.poke("postoffice/GLB/MASTER.GLB", 20, 0x5b);
    status().says("was written to since it was installed").keeps_quiet_about("32-10411 is in force");
    campaign.write("postoffice/GLB/MASTER.GLB", [0; 175]);
    status().says("neither known as the old one nor as the new one").keeps_quiet_about("is in force.");
    campaign.write("postoffice/GLB/MASTER.GLB", before);
    status().says("serial number 32-10411 is in force");
    campaign.run("cutover --yes").says(price).keeps_quiet_about("puts everything back");
    campaign.write("postoffice/GLB/MASTER.GLB", new).write("staged/GLB/MASTER.GLB", [0; 176]);
    campaign.run("cutover rollback --to backup --yes").ends(0).says("serial number 32-10411 is in force");
}

#[test]
fn what_admin_writes_into_the_new_file_is_told_holds_nothing_and_is_kept_on_the_way_back() {
    let campaign = Campaign::switched();
    campaign.poke("postoffice/GLB/MASTER.GLB", 0x20, 0x5a).attest("restart");
    let rewritten = campaign.bytes("postoffice/GLB/MASTER.GLB");
    let goes_on = campaign.run("cutover --yes").ends(3).says("done: restart").says("warning[master-rewritten]");
    goes_on.says("(offset: installed -> now): 20: ").says("step async-confirmed is blocked");
    let status = campaign.run("status").ends(0).says("was written to since it was installed");
    status.says("serial number 32-20977 is in force");
    // The staged tree is of no use any more.
    fs_err::rename(campaign.path("staged"), campaign.path("staged.away")).expect("away");
    campaign.run("cutover --yes").ends(3).says("step async-confirmed is blocked");
    let back = campaign.run("cutover rollback --to backup --yes").ends(0).says("undone: close-p1");
    back.says("it had been written to since it was put there; that version is kept as ");
    campaign.run("status").ends(0).says("P1 is in its place").says("serial number 32-10411 is in force");
    let kept = fs_err::read_dir(campaign.path(".flagday/undo/install-master")).expect("kept").flatten();
    assert!(kept.map(|entry| fs_err::read(entry.path()).expect("read")).any(|bytes| bytes == rewritten));
}

#[test]
fn a_rollback_that_would_stop_half_way_does_not_begin() {
    let campaign = Campaign::switched();
    campaign.write("postoffice/GLB/MASTER.GLB", "somebody's");
    let refused = campaign.run("cutover rollback --to backup --yes").ends(1).refuses("files-unclear");
    refused
        .says("note[rollback-not-begun]")
        .keeps_quiet_about("so it would be")
        .keeps_quiet_about("undone:")
        .says("  flagday check ")
        .says("  flagday status ");
    assert!(campaign.path("postoffice/P1").exists() && !campaign.path("postoffice/POLD").exists(), "P1 stays open");
    campaign.run("status").ends(0).keeps_quiet_about("flagday cutover rollback");

    let campaign = Campaign::answered();
    campaign.close().write("postoffice/P1/NEW.P1", "mail");
    let refused = campaign.run("cutover rollback --to backup --yes").ends(1).refuses("p1-both");
    refused.says("keep that in a third folder").keeps_quiet_about("files-unclear").keeps_quiet_about("undone:");
}

#[cfg(unix)]
#[test]
fn a_share_that_was_mounted_anew_with_mail_in_p1_can_be_closed_again() {
    let campaign = Campaign::switched();
    let p1 = campaign.path("postoffice/P1");
    tree::copy(&p1, &campaign.path("P1.again"));
    fs_err::remove_dir_all(&p1).expect("away");
    fs_err::rename(campaign.path("P1.again"), &p1).expect("with another number");
    campaign.write("postoffice/P1/000003CB.P1", "an envelope");
    campaign.run("cutover rollback --to backup --yes").ends(1).refuses("p1-inbound");
    // External has handed it out, and new mail has come and gone: the folder is not what it was.
    fs_err::remove_file(campaign.path("postoffice/P1/000003CB.P1")).expect("handed out");
    campaign.run("cutover rollback --to backup --yes").ends(0).says("undone: open-p1").says("undone: close-p1");
}

#[test]
fn a_rollback_does_not_take_p1_away_from_under_a_transport() {
    let campaign = Campaign::switched();
    for (file, code) in
        [("000003CB.P1", "p1-inbound"), ("LOCKP1ID.PBB", "p1-session"), ("0000000A.0LK", "p1-mailbag-lock")]
    {
        let file = format!("postoffice/P1/{file}");
        campaign.write(&file, "under way");
        let before = tree::contents(&campaign.path("postoffice"));
        for back in ["cutover rollback --to drain --yes", "cutover rollback --to backup --yes"] {
            let refused = campaign.run(back).ends(1).refuses(code).says("note[rollback-not-begun]");
            refused.keeps_quiet_about("undone:").says("Safe now:");
        }
        assert!(tree::differences(&before, &tree::contents(&campaign.path("postoffice"))).is_empty(), "{code}");
        fs_err::remove_file(campaign.path(&file)).expect("it has ended");
    }
    campaign.write("postoffice/MBG/INQUEUE3.MBG", [0; 64]);
    campaign.run("cutover rollback --to drain --yes").ends(1).refuses("inqueue3-waiting");
    campaign.write("postoffice/MBG/INQUEUE3.MBG", []);
    campaign.run("cutover rollback --to drain --yes").ends(0).says("undone: open-p1");
}

#[test]
fn transports_that_were_started_are_stated_to_be_stopped_anew_before_anything_goes_forward() {
    let campaign = Campaign::switched();
    campaign.attest("restart").run("cutover --yes").ends(3).says("done: restart");
    campaign.run("cutover rollback --to drain --yes").ends(0).says("undone: restart").says("undone: open-p1");
    for _ in 0..2 {
        let asked =
            campaign.run("cutover --yes").ends(3).says("step quiesce needs a person").says("warning[state-anew]");
        asked.keeps_quiet_about("done:");
    }
    assert_eq!(campaign.step("quiesce"), "blocked");
    campaign.run("status").ends(0).says("reads what to state for step quiesce");
    assert!(!campaign.path("postoffice/GLB/OLDMAST.GLB").exists(), "nothing goes forward");
    campaign.run("cutover attest quiesce --by Pat --note again").ends(0).says("stated anew by Pat");
    campaign.run("cutover attest quiesce --by Pat --note again").ends(1).refuses("nothing-to-attest");
    campaign.run("cutover --yes").ends(3).says("done: open-p1").says("step restart needs a person");
}

#[test]
fn a_statement_that_the_check_after_it_gainsays_counts_no_more() {
    let campaign = Campaign::answered();
    campaign.run("cutover --yes").ends(3).says("step quiesce needs a person");
    campaign.attest("quiesce").write("postoffice/P1/000003CB.P1", "an envelope");
    let refused = campaign.run("cutover --yes").ends(1).refuses("p1-inbound").says("leave External running");
    refused.says("note[statement-taken-away]: what Pat stated for step quiesce counts no more");
    campaign.run("cutover journal").ends(0).says("what Pat stated counts no more");
    campaign.run("status").ends(0).says("what Pat stated counts no more");
    // External is started, as told, and hands it out; nothing shows whether it was stopped again.
    fs_err::remove_file(campaign.path("postoffice/P1/000003CB.P1")).expect("handed out");
    campaign.run("cutover --yes").ends(3).says("step quiesce needs a person");
    assert!(campaign.path("postoffice/P1").is_dir());
    campaign.attest("quiesce").run("cutover --yes").ends(3).says("done: close-p1");
}

#[test]
fn a_step_of_the_sites_own_that_waits_takes_over_nothing_of_the_evening() {
    let campaign = Campaign::ready();
    let freeze =
        "\n[[step]]\nname = \"freeze\"\nfollows = \"stage-check\"\nwait = \"T-5d\"\nattest = \"Nobody adds a user\"\n";
    let text = [campaign.bytes("flagday.toml"), freeze.into()].concat();
    campaign.write("flagday.toml", text);
    campaign.run("build").ends(0);
    campaign.run("cutover --yes").ends(3).says("step freeze needs a person");
    campaign.attest("freeze");
    campaign.announce().answer();
    campaign.run("status").ends(0).keeps_quiet_about("cutting over");
    campaign.edit("title = \"New serial number for CORP/HQ\"", "title = \"Another title\"");
    campaign.run("amend --dry-run").ends(0).keeps_quiet_about("cutover-begun");
    campaign.edit("title = \"Another title\"", "title = \"New serial number for CORP/HQ\"");
    campaign.close();
    let back = campaign.run("cutover rollback --to backup --yes").ends(0).says("undone: quiesce");
    back.keeps_quiet_about("undone: backup");
}

#[test]
fn a_share_that_is_not_mounted_is_no_postoffice_that_has_lost_its_files() {
    let campaign = Campaign::answered();
    campaign.close();
    fs_err::rename(campaign.path("postoffice"), campaign.path("away")).expect("away");
    fs_err::create_dir(campaign.path("postoffice")).expect("an empty mount point");
    for command in ["cutover --yes", "cutover drain", "cutover rollback --to backup --yes", "check --offline"] {
        let run = campaign.run(command).ends(1).refuses("not-a-postoffice").says("put nothing into that folder");
        run.keeps_quiet_about("p1-neither").keeps_quiet_about("master-missing").keeps_quiet_about("LISTUSER");
    }
    let status = campaign.run("status").ends(0).says("its state is not known here").says("the share is not mounted");
    status.keeps_quiet_about("There is no MASTER.GLB").keeps_quiet_about("Neither P1 nor POLD");
    let there = fs_err::read_dir(campaign.path("postoffice")).expect("read").count();
    assert_eq!(there, 0, "nothing is put there");
    fs_err::remove_dir(campaign.path("postoffice")).expect("removed");
    fs_err::rename(campaign.path("away"), campaign.path("postoffice")).expect("back");
    campaign.run("status").ends(0).says("P1 is renamed to POLD");
}

#[test]
fn the_file_that_goes_in_is_the_one_that_was_checked_and_stated() {
    let campaign = Campaign::answered();
    campaign.close().drain().poke("staged/GLB/MASTER.GLB", 0x20, 0x5a);
    campaign.run("cutover --yes").ends(1).refuses("staged-changed").says("done: drain").says("attest attest-staged");
    assert!(campaign.path("postoffice/GLB/MASTER.GLB").exists());
    campaign.run("cutover attest attest-staged --by Pat --note again").ends(0).says("stated anew by Pat");
    campaign.run("cutover attest attest-staged --by Pat --note again").ends(1).refuses("nothing-to-attest");

    campaign.run("cutover --yes --until retire-master").ends(0);
    let staged = campaign.bytes("staged/GLB/MASTER.GLB");
    let refused = |code| {
        campaign.run("cutover --yes").ends(1).refuses(code).says("There is no MASTER.GLB");
        assert!(!campaign.path("postoffice/GLB/MASTER.GLB").exists());
    };
    campaign.poke("staged/GLB/MASTER.GLB", 0x94, staged[0x94] ^ 1);
    refused("master-security");
    campaign.write("staged/GLB/MASTER.GLB", &staged[..175]);
    refused("master-size");
    campaign.write("staged/GLB/MASTER.GLB", &staged);
    campaign.run("cutover --yes").ends(3).says("done: install-master").says("step restart needs a person");
}

#[test]
fn p1_is_not_closed_under_transports_that_a_rollback_let_start() {
    let campaign = Campaign::answered();
    campaign.close();
    let asked = campaign.run("cutover rollback --to quiesce").ends(3).refuses("not-confirmed");
    asked.says("Undoing every step after backup").says("has to be stated anew");
    campaign.run("cutover rollback --to quiesce --yes").ends(0).says("undone: quiesce").says("Back to backup");
    campaign.run("cutover --yes").ends(3).says("step quiesce needs a person");
    assert!(campaign.path("postoffice/P1").exists());
    campaign.attest("quiesce").run("cutover --yes --until broadcast").ends(3).says("done: close-p1");
    campaign.attest("broadcast").run("cutover --yes").ends(3).says("done: broadcast");
    // P1 stays closed: what is stated of the transports still holds.
    campaign.run("cutover rollback --to close-p1 --yes").ends(0).says("undone: broadcast").keeps_quiet_about("quiesce");
}

#[test]
fn a_rollback_that_was_cut_off_when_p1_was_open_again_closes_nothing_under_anybody() {
    let campaign = Campaign::answered();
    campaign.close();
    campaign.run("cutover rollback --to quiesce --yes").ends(0).says("undone: quiesce");
    // As if it had been killed before it came to quiesce.
    let ledger = rusqlite::Connection::open(campaign.path(".flagday/ledger.db")).expect("the ledger");
    let cut = "DELETE FROM journal WHERE step = 'quiesce' AND event LIKE '%und%'";
    assert_eq!(ledger.execute(cut, ()).expect("cut off"), 2);
    drop(ledger);
    campaign.run("cutover --yes").ends(1).refuses("rollback-cut-off").says("cutover rollback --to backup");
    assert!(campaign.path("postoffice/P1").exists());
    campaign.run("cutover rollback --to quiesce --yes").ends(0).says("undone: quiesce");
    campaign.run("cutover --yes").ends(3).says("step quiesce needs a person");
}

#[test]
fn a_change_called_off_half_way_can_only_be_taken_back() {
    let campaign = Campaign::answered();
    campaign.close().drain().run("cutover --yes --until retire-master").ends(0);
    campaign.run_words(&["abort", "--reason", "no", "--by", "Pat", "--yes", "--as-it-stands"]).ends(0);
    let status = campaign.run("status").ends(0).says("nobody can sign in until the cutover is taken back");
    status.says("flagday cutover rollback: it was called off");
    campaign.run("cutover rollback --yes").ends(0).says("undone: retire-master");
}

#[test]
fn a_backup_of_which_a_file_is_gone_is_none() {
    let campaign = Campaign::answered();
    campaign.run("cutover --yes").ends(3).says("step quiesce needs a person");
    let (kept, away) = (campaign.backup_folder().join("tree/GLB/MASTER.GLB"), campaign.path("away"));
    fs_err::rename(&kept, &away).expect("moved");
    campaign.run("check --offline").ends(1).refuses("backup-gone").says("no longer whole");
    campaign.attest("quiesce").run("cutover --yes").ends(1).refuses("backup-gone").keeps_quiet_about("done: close-p1");
    fs_err::rename(&away, &kept).expect("moved back");
    campaign.run("cutover --yes").ends(3).says("done: close-p1");
}

#[test]
fn a_backup_is_named_as_the_campaign_names_it() {
    let campaign = Campaign::answered();
    campaign.close();
    let backup = campaign.backup_folder();
    let name = backup.file_name().expect("a name").to_string_lossy().into_owned();
    let to = campaign.path("restored").display().to_string();
    let told = campaign.run(&format!("cutover restore --from {name} --to {to} --json")).ends(0).json();
    assert_eq!((told["schema"].as_u64(), &told["to"], &told["findings"]), (Some(1), &json!(to), &json!([])));
    assert!(told["files"].as_u64() > Some(100), "{told}");
    assert!(tree::contents(campaign.path("restored").as_path()) == campaign.backup(), "each file as it was");
    let other = campaign.run(&format!("cutover restore --from nothing --to {to}")).ends(1).refuses("no-backup");
    other.says(&backup.display().to_string());
}

#[test]
fn before_the_new_file_lies_there_going_back_costs_nothing() {
    let campaign = Campaign::answered();
    campaign.close().drain().run("cutover --yes --until retire-master").ends(0);
    let back = campaign.run("cutover rollback --to backup").ends(3).says("no mail is lost by that");
    back.keeps_quiet_about("cannot be read");
    campaign.run("status").ends(0).says("There is no MASTER.GLB: nobody can sign in");
    campaign.run("cutover rollback --to backup --yes").ends(0).says("undone: retire-master");
}

#[test]
fn nothing_seen_states_nothing() {
    let campaign = Campaign::switched();
    let points =
        ["local-mail", "mail-out", "mail-in", "dial-in", "admin", "gateway-menus", "global-list", "directory-sync"];
    let mut words = vec!["cutover", "attest", "restart", "--by", "Pat", "--note", "run"];
    points.iter().for_each(|point| words.extend(["--without", point]));
    campaign.run_words(&words).ends(1).refuses("nothing-seen");
    campaign.run_words(&words[..words.len() - 2]).ends(0);
}

#[test]
fn all_is_not_clear_while_p1_is_closed_or_the_old_number_is_in_force() {
    let campaign = Campaign::switched();
    campaign.attest("restart").run("cutover --yes").ends(3).says("step async-confirmed is blocked");
    let (master, p1, pold) =
        ("postoffice/GLB/MASTER.GLB", campaign.path("postoffice/P1"), campaign.path("postoffice/POLD"));
    let new = campaign.bytes(master);
    campaign.read_back().run("cutover --yes --until async-confirmed").ends(0);
    campaign.write(master, campaign.bytes("postoffice/GLB/OLDMAST.GLB"));
    fs_err::rename(&p1, &pold).expect("renamed");
    campaign.run("cutover --yes").ends(1).refuses("p1-by-hand").says("Safe now:");
    campaign.run("send all-clear --yes").ends(1).refuses("p1-by-hand").refuses("master-not-new");
    fs_err::rename(&pold, &p1).expect("renamed");
    campaign.run("cutover --yes").ends(1).refuses("master-not-new").says("Safe now:");
    campaign.run("send all-clear --yes").ends(1).refuses("master-not-new");
    assert!(campaign.outbox("-all_clear-").is_empty());
    campaign.write(master, new).run("cutover --yes").ends(0).says("every step is done");
}
