//! What let an earlier step begin is judged once more on the evening of the change.

use crate::harness::{Campaign, FUTURE, PAST};

/// Everybody was told a date to come and has answered; the backup is made.
fn backed_up() -> Campaign {
    let campaign = Campaign::sample().change_at(FUTURE);
    campaign.run("cutover --yes").ends(3).says("step attest-staged needs a person");
    campaign.attest("attest-staged").run("cutover --yes --until copy-access").ends(0);
    campaign.correct_disks();
    campaign.disks_of_today();
    campaign.run("cutover --yes --until init-disks").ends(0);
    for notice in ["change-date", "new-serial", "local-change-date"] {
        campaign.run(&format!("send {notice} --yes")).ends(0);
    }
    campaign.answer().run("cutover --yes").ends(3).says("done: backup").says("step quiesce does not begin before");
    campaign
}

#[test]
fn an_amendment_shuts_the_gates_before_the_change_though_the_step_they_held_is_done() {
    let campaign = backed_up();
    campaign.edit(FUTURE, PAST).run("build").ends(0);
    campaign
        .run("amend --yes")
        .ends(0)
        .says("step backup is done, and rests on void answers")
        .says("does not begin before disks-held and async-informed are open again")
        .says("flagday cutover rollback --to announce");
    let held = "step quiesce is blocked";
    campaign.run("cutover --yes").ends(3).says(held).says("disks-held").says("async-informed");
    campaign.run_words(&["cutover", "attest", "quiesce", "--by", "Pat", "--note", "all stopped"]).ends(1);
    assert!(campaign.path("postoffice/P1").is_dir() && !campaign.path("postoffice/POLD").exists());
    let status = campaign.run("status --json").ends(0).json();
    let quiesce = status["steps"].as_array().expect("steps").iter().find(|step| step["name"] == "quiesce");
    assert_eq!(quiesce.expect("the step")["needs"], serde_json::json!(["disks-held", "async-informed"]));
    campaign.answer().run("cutover --yes").ends(3).says("step quiesce needs a person");
}

#[test]
fn who_is_ready_no_more_holds_p1_and_then_the_new_number() {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    campaign.announce().answer().run("cutover --yes").ends(3).says("done: backup");
    let lost =
        || campaign.run_words(&["ack", "revoke", "WEISS", "--by", "Pat", "--note", "the disk is unreadable"]).ends(0);
    let found = || {
        campaign.run(&format!("ack record WEISS --by Pat --note phone --code {}", campaign.code("WEISS"))).ends(0);
    };
    campaign.attest("quiesce").run("cutover --yes --until quiesce").ends(0);
    lost();
    let held = campaign.run("cutover --yes").ends(3).says("step close-p1 is blocked: gate disks-held has 11 of 12");
    held.says("WEISS").says("step quiesce has passed that gate").says("flagday cutover --override disks-held");
    assert!(campaign.path("postoffice/P1").is_dir());
    found();
    campaign.run("cutover --yes").ends(3).says("done: close-p1");
    campaign.attest("broadcast").run("cutover --yes").ends(3).says("step drain is blocked");
    campaign.drain().run("cutover --yes --until drain").ends(0);
    lost();
    let held =
        campaign.run("cutover --yes").ends(3).says("step retire-master is blocked: gate disks-held has 11 of 12");
    held.says("step close-p1 has passed that gate").says("flagday cutover rollback --to backup");
    assert!(
        campaign.path("postoffice/GLB/MASTER.GLB").exists() && !campaign.path("postoffice/GLB/OLDMAST.GLB").exists()
    );
    let words = "cutover --yes --override disks-held --by Pat --reason asked --confirm corp-hq-serial";
    campaign.run(words).ends(3).says("OVERRIDDEN by Pat").says("done: install-master");
}

#[test]
fn a_decision_about_those_who_are_missing_is_asked_for_once() {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    campaign.announce().answer();
    campaign.run("ack revoke WEISS --by Pat --note unreadable").ends(0);
    let words = "cutover --yes --override disks-held --by Pat --reason asked --confirm corp-hq-serial";
    campaign.run(words).ends(3).says("OVERRIDDEN by Pat").says("step quiesce needs a person");
    campaign.attest("quiesce").run("cutover --yes").ends(3).says("done: close-p1");
    campaign.attest("broadcast").run("cutover --yes").ends(3);
    campaign.drain().run("cutover --yes").ends(3).says("done: retire-master").says("step restart needs a person");
}

#[test]
fn a_disk_made_anew_on_the_evening_is_taken_over_and_holds_the_new_number_until_it_is_answered() {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    campaign.announce().answer().close();
    campaign.run("send broadcast --yes").ends(1).refuses("not-by-mail").says("from a client on the network");
    campaign.drain().run("cutover --yes --until drain").ends(0);
    let disk = campaign.bytes("disks/GARCIA/CONTROL.MAI");
    campaign.write("disks/GARCIA/CONTROL.MAI", disk.iter().map(|byte| !byte).collect::<Vec<u8>>());
    campaign.run("build").ends(0);
    campaign.run("cutover --yes").ends(6).refuses("facts-changed");
    campaign.run("amend --yes").ends(0).says("GARCIA");
    let held =
        campaign.run("cutover --yes").ends(3).says("step retire-master is blocked: gate disks-held has 11 of 12");
    held.says("GARCIA");
    let code = campaign.code("GARCIA");
    campaign.run(&format!("ack record GARCIA --by Pat --note phone --code {code}")).ends(0);
    campaign.run("cutover --yes").ends(3).says("done: install-master").says("step restart needs a person");

    campaign.write("disks/GARCIA/CONTROL.MAI", disk);
    campaign.run("build").ends(0);
    let late = campaign.run("amend --yes").ends(0).says("the new serial number is in force").says("call GARCIA");
    late.keeps_quiet_about("rests on void answers").keeps_quiet_about("rollback");
    campaign.attest("restart").run("cutover --yes").ends(3).says("done: restart");
    campaign.edit("32-20977", "32-20978").run("amend --yes").ends(1).refuses("cutover-begun");
}
