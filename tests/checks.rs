//! The checks of the postoffice: what `check` prints, what a step finds before it begins, and what holds while P1 is closed.

use crate::harness::small::Small;
use crate::harness::{Campaign, tree};
use serde_json::Value;

fn findings(campaign: &Campaign) -> Vec<Value> {
    campaign.run("check --json").json()["findings"].as_array().expect("findings").clone()
}

#[test]
fn a_password_that_is_not_there_hides_nothing_else() {
    let campaign = Campaign::ready();
    let transport = "transport = \"smtp://kim@127.0.0.1:9\"\npassword_env = \"FLAGDAY_NO_SUCH_VARIABLE\"";
    campaign.edit("transport = \"file\"", transport);
    let roster = campaign.bytes("rosters/users.csv");
    let row = b"EVE;Eve;not-an-address;local;EVE;00000099;;;;;;\r\n";
    campaign.write("rosters/users.csv", [&roster, &row[..]].concat());
    campaign.run("check").ends(1).says("FLAGDAY_NO_SUCH_VARIABLE").refuses("bad-address");
}

#[test]
fn a_campaign_of_steps_alone_is_checked_and_looked_at() {
    let campaign = Small::new("2026-12-12T18:00:00", "America/Chicago", "");
    let basics = campaign.toml.split("[audience]").next().expect("text").to_owned();
    let seen = "[[step]]\nname = \"seen\"\nattest = \"seen\"\n";
    for (out, more) in [("empty", ""), ("audience", "[audience]\neveryone = {}\n"), ("steps", seen)] {
        campaign.write("flagday.toml", &(basics.clone() + more));
        for line in ["check", "plan", "status", "who", "report", "ack review", "cutover --dry-run", "cutover journal"] {
            campaign.run(line).ends(0);
        }
        campaign.rehearse("", out).ends(0);
    }
}

#[test]
fn notes_are_printed_when_asked_for() {
    let campaign = Campaign::ready();
    let plain = campaign.run("check").ends(0).says("(-v shows them)");
    plain.keeps_quiet_about("note[");
    campaign.run("check -v").ends(0).says("note[master-differences]").says("(offset: live -> staged)");
    campaign.poke("staged/GLB/MASTER.GLB", 0x93, 0x60);
    campaign.run("check -v").ends(0).says("warning[master-gateway-flags]").says("93 (gateway flags): 61 -> 60");
}

#[test]
fn every_rule_names_its_article() {
    let campaign = Campaign::ready();
    campaign.write("postoffice/KEY/00000001.KEY", [0; 559]).write("postoffice/FOLDERS/PUB/FOLDROOT.IDX", [0; 99]);
    fs_err::remove_file(campaign.path("postoffice/NME/ADMINSHD.NME")).expect("removed");
    let found = findings(&campaign);
    for (code, article) in [("size-rule", "Q118619"), ("size-rule", "Q77926"), ("admin-shadow-missing", "Q132744")] {
        assert!(
            found.iter().any(|one| one["code"] == code && one["article"] == article),
            "{code} {article} {found:#?}"
        );
    }
}

#[test]
fn a_step_finds_damage_before_it_begins() {
    let campaign = Campaign::answered();
    campaign.write("postoffice/MBG/00000001.MBG", [0; 117]);
    campaign.run("cutover --yes").ends(1).refuses("size-rule").says("The postoffice now:");
    assert!(!campaign.path(".flagday/backup").exists(), "nothing was begun");
    campaign.write("postoffice/MBG/00000001.MBG", [0; 116]).run("cutover --yes").ends(3).says("done: backup");
    campaign.attest("quiesce").write("postoffice/P1/LOCKP1ID.PBB", "x").write("postoffice/P1/00000031.0LK", "x");
    campaign.run("cutover --yes").ends(1).says("LOCKP1ID.PBB (session BB)").says("00000031.0LK (mailbag 00000031, of ");
    assert_eq!(campaign.step("quiesce"), "failed");
}

#[test]
fn users_changed_since_the_access_files_were_copied_are_told_before_the_change() {
    let campaign = Campaign::answered();
    let access = campaign.bytes("postoffice/GLB/ACCESS.GLB");
    campaign.poke("postoffice/GLB/ACCESS.GLB", 0, !access[0]);
    campaign.run("cutover --yes").ends(3).says("warning[access-changed]").says("done: backup");
}

#[test]
fn disks_made_before_the_access_files_were_copied_are_told_until_they_are_made_again() {
    let campaign = Campaign::answered();
    let warning = "warning[disk-outdated]";
    let age = || ["disks", "staged"].map(|tree| tree::set_times(&campaign.path(tree), tree::long_ago()));
    campaign.run("check --offline").ends(0).keeps_quiet_about(warning);
    age();
    let told = campaign.run("check --offline").ends(0).says(warning);
    told.says(" people, ").says("among them, are older than the ACCESS files");
    campaign.disks_of_today();
    campaign.run("check --offline").ends(0).keeps_quiet_about(warning);
    age();
    campaign.run("cutover rollback --to attest-staged --yes").ends(0);
    campaign.run("check --offline").keeps_quiet_about(warning);
    campaign.run("cutover --yes --until copy-access").ends(0);
    campaign.run("check --offline").ends(0).says(warning);
}

#[test]
fn while_p1_is_closed_check_still_looks_and_changes_nothing() {
    let campaign = Campaign::answered();
    campaign.close();
    let before = tree::contents(&campaign.path("postoffice"));
    campaign.run("check").ends(0);
    assert!(tree::differences(&before, &tree::contents(&campaign.path("postoffice"))).is_empty());
    campaign.write("postoffice/KEY/00000001.KEY", [0; 559]);
    campaign.run("check").ends(1).refuses("size-rule");
}

#[test]
fn users_changed_after_the_backup_are_told_until_the_change_is_made() {
    let campaign = Campaign::answered();
    campaign.run("cutover --yes").ends(3).says("done: backup").keeps_quiet_about("access-changed");
    let access = campaign.bytes("postoffice/GLB/ACCESS2.GLB");
    campaign.poke("postoffice/GLB/ACCESS2.GLB", 0, !access[0]);
    let warning = "warning[access-changed]: GLB/ACCESS2.GLB";
    campaign.run("check").ends(0).says(warning);
    campaign.run("cutover --yes").ends(3).says("step quiesce needs a person").says(warning);
    campaign.attest("quiesce").run("cutover --yes").ends(3).says(warning).says("done: close-p1");
    campaign.attest("broadcast").run("cutover --yes").ends(3);
    campaign.run("check").ends(0).says(warning);
    campaign.drain().run("cutover --yes --until retire-master").ends(0).says(warning);
    campaign.run("cutover --yes --until install-master").ends(0);
    campaign.run("check").ends(0).keeps_quiet_about("access-changed");
}

#[test]
fn nothing_is_wrong_in_any_state_that_the_steps_leave() {
    let campaign = Campaign::answered();
    let sound = |after: &str| {
        let check = campaign.run("check --offline");
        assert_eq!(check.code, 0, "after {after}: {check}");
        check.says("0 errors");
    };
    let to = |step: &str| {
        campaign.run(&format!("cutover --yes --until {step}")).ends(0);
        sound(step);
    };
    let stated = |step: &str| {
        campaign.run("cutover --yes").ends(3).says(&format!("step {step} needs a person"));
        sound("the question");
        campaign.attest(step);
        sound("the statement");
        to(step);
    };
    to("backup");
    stated("quiesce");
    to("close-p1");
    stated("broadcast");
    campaign.drain();
    ["drain", "retire-master", "install-master", "open-p1"].into_iter().for_each(to);
    stated("restart");
    campaign.read_back();
    to("async-confirmed");
    to("all-clear");
    for back in ["install-master", "drain", "backup", "announce"] {
        campaign.run(&format!("cutover rollback --yes --to {back}")).ends(0);
        sound("going back");
    }
}

#[test]
fn whether_p1_is_quiet_is_told_before_anybody_has_stated_it() {
    let campaign = Campaign::answered();
    let (envelope, queue) = ("postoffice/P1/000003CB.P1", "postoffice/MBG/INQUEUE3.MBG");
    campaign.write(envelope, "an envelope").write(queue, [0; 116]);
    // Long before the evening mail comes and goes.
    campaign.run("check --offline").ends(0).keeps_quiet_about("p1-inbound").keeps_quiet_about("inqueue3-waiting");
    let busy = campaign.run("check --offline -v").ends(0).says("note[p1-inbound]").says("note[inqueue3-waiting]");
    busy.says("no fault while the transports run; by step quiesce it must be gone: leave External running");
    campaign.run("cutover --yes").ends(3).says("step quiesce needs a person");
    let next = campaign.run("check --offline").ends(0).says("warning[p1-inbound]").says("warning[inqueue3-waiting]");
    next.says("step quiesce is next, and does not go on with this: leave External running");
    campaign.attest("quiesce").run("cutover --yes").ends(1).refuses("p1-inbound");
    campaign.run("check --offline").ends(1).refuses("p1-inbound").refuses("inqueue3-waiting");
    fs_err::remove_file(campaign.path(envelope)).expect("handed out");
    campaign.write(queue, []);
    campaign.run("check --offline").ends(0);
}

#[test]
fn p1_and_master_glb_are_judged_by_what_was_done() {
    let campaign = Campaign::answered();
    let (master, p1, pold) =
        ("postoffice/GLB/MASTER.GLB", campaign.path("postoffice/P1"), campaign.path("postoffice/POLD"));
    let wrong = |codes: &[&str]| {
        let check = campaign.run("check --offline").ends(1);
        codes.iter().fold(check, |check, code| check.refuses(code));
    };
    let sound = || drop(campaign.run("check --offline").ends(0));
    campaign.run("cutover --yes").ends(3);
    campaign.attest("quiesce").write("postoffice/P1/000003CB.P1", "an envelope").run("cutover --yes").ends(1);
    wrong(&["p1-inbound"]);
    fs_err::remove_file(p1.join("000003CB.P1")).expect("handed out");
    sound();

    campaign.attest("quiesce").run("cutover --yes --until close-p1").ends(0);
    // As if it had been killed in the middle: either name is right, and both are not.
    let ledger = rusqlite::Connection::open(campaign.path(".flagday/ledger.db")).expect("the ledger");
    ledger.execute_batch("CREATE TABLE kept AS SELECT * FROM journal").expect("kept");
    let cut = "DELETE FROM journal WHERE step = 'close-p1' AND event NOT LIKE '%started%'";
    assert_eq!(ledger.execute(cut, ()).expect("cut off"), 2);
    sound();
    fs_err::rename(&pold, &p1).expect("as before it");
    sound();
    fs_err::create_dir(&pold).expect("both");
    let unknown = campaign.run("check --offline").ends(1).refuses("p1-both").says("is not known");
    unknown.says("delete nothing").keeps_quiet_about("remove this P1");
    fs_err::remove_dir(&pold).expect("removed");
    fs_err::rename(&p1, &pold).expect("as after it");
    let whole = "DELETE FROM journal; INSERT INTO journal SELECT * FROM kept; DROP TABLE kept";
    ledger.execute_batch(whole).expect("whole again");
    drop(ledger);

    campaign.run("cutover --yes").ends(3);
    campaign.attest("broadcast").run("cutover --yes").ends(3).says("step drain is blocked");
    let old = campaign.bytes(master);
    campaign.write("postoffice/P1/POPULATE.MSM", [0]).write(master, []);
    wrong(&["p1-both", "master-size"]);
    fs_err::remove_dir_all(&p1).expect("removed");
    fs_err::remove_file(campaign.path(master)).expect("removed");
    wrong(&["master-by-hand"]);
    campaign.write(master, &old);

    campaign.drain().finish().ends(0);
    let new = campaign.bytes(master);
    fs_err::rename(&p1, &pold).expect("closed");
    wrong(&["p1-by-hand"]);
    fs_err::rename(&pold, &p1).expect("opened");
    campaign.write(master, &old);
    wrong(&["master-not-new"]);
    campaign.write(master, []);
    wrong(&["master-size"]);
    fs_err::remove_file(campaign.path(master)).expect("removed");
    wrong(&["master-missing"]);
    campaign.write(master, &new);
    sound();
}
