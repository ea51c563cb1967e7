//! A gate that asks for less than it did is told and stays visible for ever; once the change itself has begun, it does not
//! count by itself.

use crate::harness::Campaign;
use serde_json::{Value, json};

fn gate(campaign: &Campaign, name: &str) -> Value {
    let status = campaign.run("status --json").ends(0).json();
    let gates = status["gates"].as_array().expect("gates");
    gates.iter().find(|gate| gate["name"] == name).expect("a gate of the playbook").clone()
}

fn changes(campaign: &Campaign) -> Vec<Value> {
    campaign.run("status --json").ends(0).json()["gate_changes"].as_array().expect("changes").clone()
}

fn page(campaign: &Campaign) -> String {
    campaign.run("report").ends(0);
    String::from_utf8(campaign.bytes(".flagday/report/report.html")).expect("UTF-8")
}

#[test]
fn what_is_lowered_after_people_were_told_counts_and_is_seen_for_ever() {
    let campaign = Campaign::ready();
    campaign.append("[gate.disks-held]\nshare = 0.95\n");
    campaign.run("build").ends(0);
    campaign.announce().answer();
    campaign.run("ack revoke HARRIS --by Pat --note mistaken").ends(0);
    campaign.run("cutover --yes").ends(3).says("gate disks-held has 11 of 12, 95% are asked for");
    assert_eq!(changes(&campaign), Vec::<Value>::new(), "before people are told it is nobody's business");

    campaign.edit("share = 0.95", "share = 0.9");
    campaign.run("check --offline").ends(0).says("warning[gate-changed]").says("share was 0.95 and is 0.9");
    campaign.run("status").ends(0).says("LOOSENED: [gate.disks-held] share was 0.95 and is 0.9 (not yet on record)");
    let run = campaign.run("cutover --yes").ends(3).says("warning[gate-changed]").says("done: backup");
    let text = String::from_utf8(campaign.bytes("flagday.toml")).expect("UTF-8");
    let line = 1 + text.lines().position(|line| line == "share = 0.9").expect("the line");
    run.says(&format!("flagday.toml:{line}:1"));
    campaign.run("cutover --yes").ends(3).keeps_quiet_about("gate-changed");
    campaign.run("check --offline").ends(0).keeps_quiet_about("gate-changed");

    let held = gate(&campaign, "disks-held");
    assert_eq!((&held["open"], &held["share"]), (&json!(true), &json!(0.9)));
    let status = campaign.run("status").ends(0).says("11 of 12, 90% are asked for");
    status.says("LOOSENED: [gate.disks-held] share was 0.95 and is 0.9 (found ");
    campaign.edit("share = 0.9", "share = 1.0").run("tick --yes");
    let ways: Vec<Value> = changes(&campaign).iter().map(|one| one["way"].clone()).collect();
    assert_eq!(ways, ["looser", "tighter"]);
    let page = page(&campaign);
    assert!(page.contains("<strong>LOOSENED</strong> [gate.disks-held] share was 0.95 and is 0.9"), "in the report");
    assert!(
        page.contains("what the gates ask was changed: [gate.disks-held] share was 0.9 and is 1.0"),
        "in the timeline"
    );
    campaign.run("audit export").ends(0).says("\"kind\":\"gate-changed\"").says("\"was\":\"0.95\"");
    campaign.run("audit verify").ends(0);
}

#[test]
fn what_is_lowered_in_the_evening_does_not_count_until_somebody_decides_by_name() {
    let campaign = Campaign::answered();
    campaign.close();
    let unread = campaign.bytes("postoffice/MBG/00000003.MBG");
    assert!(!unread.is_empty());
    campaign.drain().write("postoffice/MBG/00000003.MBG", &unread);
    campaign.append("[gate.locals-drained]\nshare = 0.1\n[[step]]\nname = \"retire-master\"\nneeds = []\n");
    let run = campaign.run("cutover --yes --until retire-master").ends(3).says("warning[gate-changed]");
    let run = run.says("the change has begun, so it is judged as before").says("--override locals-drained");
    let run = run.says("does not count by itself: [gate.locals-drained] share was 1.0 and is 0.1");
    run.says(
        "count by itself: needs of step retire-master was async-informed, disks-held, locals-drained and is nothing",
    )
    .says("gate locals-drained has 27 of 28");
    campaign.run("check --offline").says("warning[gate-changed]");
    let needs = campaign.run("status --json").ends(0).json()["steps"].clone();
    let needs = needs.as_array().expect("steps").iter().find(|step| step["name"] == "retire-master").expect("it");
    assert!(needs["needs"].as_array().expect("gates").contains(&json!("locals-drained")), "{needs}");

    let typed = ["--yes", "--until", "retire-master", "--confirm", "corp-hq-serial"];
    let overrule = ["cutover", "--override", "locals-drained", "--by", "Pat", "--reason", "seen at the PC"];
    campaign.run_words(&[&overrule[..], &typed[..3]].concat()).ends(3).refuses("override-unconfirmed");
    let run = campaign.run_words(&[&overrule[..], &typed[..]].concat()).ends(0).says("OVERRIDDEN by Pat");
    run.says("done: drain").says("done: retire-master");
    let status = campaign.run("status").ends(0).says("OVERRIDDEN by Pat").says("held by OKAFOR");
    status.says("after the change had begun: there a gate asks at least what it asked before");
    assert!(changes(&campaign).iter().all(|one| one["evening"] == json!(true) && one["way"] == "looser"));
    assert!(page(&campaign).contains("what the gates ask was changed after the change had begun"));

    // Taken back to before the evening, what the file states wins again, and is seen all the same.
    campaign.run("cutover rollback --to backup --yes").ends(0);
    assert_eq!(gate(&campaign, "locals-drained")["share"], json!(0.1));
    assert_eq!(changes(&campaign).len(), 2);
    campaign.run("audit verify").ends(0);
}
