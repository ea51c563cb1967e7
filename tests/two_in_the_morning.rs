//! What the administrator is told when the cutover stops: the state of the postoffice, two safe commands, what going back
//! costs; and what was seen after the change.

use crate::harness::Campaign;
use serde_json::json;

fn ready() -> Campaign {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    campaign.announce().answer();
    campaign
}

#[test]
fn every_stop_tells_the_state_and_two_commands_that_are_safe() {
    let campaign = ready();
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
        .says("Local users can sign in")
        .says("flagday cutover rollback --to backup  puts everything back");
    let postoffice = campaign.run("status --json").ends(0).json()["postoffice"].clone();
    assert_eq!((postoffice["p1"].clone(), postoffice["serial"].clone()), (json!("closed"), json!("old")));

    campaign.drain().write("postoffice/GLB/OLDMAST.GLB", "somebody's");
    let failed = campaign.run("cutover --yes").ends(1).refuses("oldmast-exists");
    failed.says("The postoffice now:").says("flagday cutover rollback --to backup");
    fs_err::remove_file(campaign.path("postoffice/GLB/OLDMAST.GLB")).expect("removed");
    campaign.write("postoffice/P1/POPULATE.MSM", [0]);
    campaign.run("cutover --yes").ends(1).refuses("p1-both").says("Keep every transport stopped");
    fs_err::remove_dir_all(campaign.path("postoffice/P1")).expect("removed");

    campaign.run("cutover --yes --until retire-master").ends(0);
    campaign.run("status").ends(0).says("There is no MASTER.GLB: nobody can sign in");
    campaign
        .run("cutover --yes")
        .ends(3)
        .says("serial number 32-20977 is in force")
        .says("goes back to the old serial");
}

#[test]
fn going_back_tells_its_price_before_and_after_the_new_file_is_in() {
    let campaign = ready();
    campaign.close();
    let before = campaign.run("cutover rollback --to backup").ends(3).says("no mail is lost by that");
    before.says("The old serial number stays in force").keeps_quiet_about("cannot be read");
    let off = ["abort", "--reason", "no", "--by", "Pat", "--rollback"];
    campaign.run_words(&off).ends(3).refuses("not-confirmed").says("off for good").says("no mail is lost by that");
    campaign.drain().finish().ends(0);
    campaign.run_words(&off).ends(3).says("cannot be read under the old serial number");
    campaign.run_words(&off[..5]).ends(3).keeps_quiet_about("cannot be read under the old serial number");
    let after = campaign.run("cutover rollback --to backup").ends(3).says("cannot be read under the old serial number");
    after.says("Stop all transports first").says("5 neighbouring administrators");
    campaign.run("cutover rollback --to nowhere --yes").ends(2).refuses("unknown-step");
    campaign.run("cutover rollback --to backup --yes").ends(0).says("undone: close-p1").says("The postoffice now:");
    campaign.run("status").ends(0).says("P1 is in its place").says("serial number 32-10411 is in force");
}

#[test]
fn what_was_seen_after_the_change_is_recorded_point_by_point() {
    let campaign = ready();
    campaign.close().drain();
    campaign.run("cutover --yes").ends(3).says("dial-in: one remote user has dialled in").says("--without POINT");
    campaign.run("cutover attest restart --by Pat --note x --without tea").ends(2).refuses("unknown-point");
    campaign.run("cutover attest restart --by Pat --note run --without directory-sync --without dial-in").ends(0);
    campaign.run("cutover --yes").ends(3).says("done: restart");
    campaign.run("cutover journal").ends(0).says("seen: local-mail: ").says("not seen: directory-sync: ");
    campaign.run("status").ends(0).says("not seen: dial-in, directory-sync");
}

#[test]
fn all_is_not_clear_when_a_neighbour_reads_another_number_after_all() {
    let campaign = ready();
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
    let campaign = ready();
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
    status().says("neither known as the old one nor as the new one").keeps_quiet_about("is in force.");
    campaign.write("postoffice/GLB/MASTER.GLB", before);
    status().says("serial number 32-10411 is in force");
    campaign.run("cutover --yes").says(price).keeps_quiet_about("puts everything back");
    campaign.write("postoffice/GLB/MASTER.GLB", new).write("staged/GLB/MASTER.GLB", [0; 176]);
    campaign.run("cutover rollback --to backup --yes").ends(0).says("serial number 32-10411 is in force");
}
