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
