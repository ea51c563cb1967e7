//! The checks of the postoffice: what `check` prints, what a step finds before it begins, and what holds while P1 is closed.

use crate::harness::{Campaign, tree};
use serde_json::Value;

fn findings(campaign: &Campaign) -> Vec<Value> {
    campaign.run("check --json").json()["findings"].as_array().expect("findings").clone()
}

fn ready() -> Campaign {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    campaign.announce().answer();
    campaign
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
    let campaign = ready();
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
    let campaign = ready();
    let access = campaign.bytes("postoffice/GLB/ACCESS.GLB");
    campaign.poke("postoffice/GLB/ACCESS.GLB", 0, !access[0]);
    campaign.run("cutover --yes").ends(3).says("warning[access-changed]").says("done: backup");
}

#[test]
fn while_p1_is_closed_check_still_looks_and_changes_nothing() {
    let campaign = ready();
    campaign.close();
    let before = tree::contents(&campaign.path("postoffice"));
    campaign.run("check").ends(0);
    assert!(tree::differences(&before, &tree::contents(&campaign.path("postoffice"))).is_empty());
    campaign.write("postoffice/KEY/00000001.KEY", [0; 559]);
    campaign.run("check").ends(1).refuses("size-rule");
}
