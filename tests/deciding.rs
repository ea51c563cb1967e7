//! What administrators decide against the count: waivers that run out or need two people, overrides that stay visible.

use crate::harness::{Campaign, REMOTE};
use flagday::ledger::{Revision, Telling};
use serde_json::{Value, json};

fn gate(campaign: &Campaign, name: &str) -> Value {
    let status = campaign.run("status --json").ends(0).json();
    let gates = status["gates"].as_array().expect("gates");
    gates.iter().find(|gate| gate["name"] == name).expect("a gate of the playbook").clone()
}

fn told(campaign: Campaign) -> Campaign {
    campaign.run("build").ends(0);
    campaign.announce();
    campaign
}

#[test]
fn a_waiver_may_run_out_and_its_end_is_a_time_to_come() {
    let campaign = told(Campaign::ready());
    let waive = |until: &str| {
        campaign.run_words(&["ack", "waive", "HARRIS", "--by", "Pat", "--reason", "on leave", "--until", until])
    };
    waive("2001-05-05").ends(2).refuses("waiver-until");
    waive("soon").ends(2).refuses("waiver-until");
    assert_eq!(gate(&campaign, "disks-held")["waived"], json!([]));
    waive("2096-12-31").ends(0).says("until Tue 2097-01-01 00:00");
    assert_eq!(gate(&campaign, "disks-held")["waived"], json!(["HARRIS"]));
    campaign.run("audit verify").ends(0);
    campaign.run("report").ends(0);
    let page = String::from_utf8(campaign.bytes(".flagday/report/report.html")).expect("UTF-8");
    assert!(page.contains("HARRIS is waived for disk-received by Pat: on leave (until 2097-"), "the end is on record");
}

#[test]
fn two_people_have_to_decide_where_the_campaign_asks_for_it() {
    let campaign = Campaign::ready();
    campaign.append("[gate.disks-held]\ntwo_person = true");
    let campaign = told(campaign);
    let waive = |by: &str| campaign.run_words(&["ack", "waive", "HARRIS", "--by", by, "--reason", "on leave"]);
    waive("Pat Lee").ends(0).says("it counts once a second person decides the same");
    assert_eq!(gate(&campaign, "disks-held")["waived"], json!([]));
    campaign.run("status").ends(0).says("waived by Pat Lee alone: on leave");
    waive("pat  lee").ends(1).refuses("waiver-same-person");
    waive("Kim").ends(0).says("HARRIS no longer blocks disk-received");
    assert_eq!(gate(&campaign, "disks-held")["waived"], json!(["HARRIS"]));
    campaign.run("who --person HARRIS").ends(0).says("waived by Pat Lee and Kim: on leave");
    let refused = campaign.run("ack revoke HARRIS --by Pat --note mistake").ends(1).refuses("no-evidence");
    refused.says("`flagday ack revoke HARRIS --waiver --by NAME --note TEXT`");
    campaign.run("ack revoke HARRIS --waiver --by Pat --note mistake").ends(0);
    assert_eq!(gate(&campaign, "disks-held")["waived"], json!([]));
    let whole = campaign.run("who --person HARRIS").ends(0).says("waiver withdrawn").says("mistake").says("on leave");
    whole.keeps_quiet_about("waived by Pat Lee and Kim");
    let told = campaign.run("audit export").ends(0);
    told.says(r#""by":"Pat","note":"mistake""#);
    campaign.run("audit verify").ends(0);
}

#[test]
fn the_second_decision_is_told_with_the_end_of_the_first() {
    let campaign = Campaign::ready();
    campaign.append("[gate.disks-held]\ntwo_person = true");
    let campaign = told(campaign);
    let waive = |by: &str, more: &[&str]| {
        let words = ["ack", "waive", "HARRIS", "--by", by, "--reason", "on leave", "--json"];
        campaign.run_words(&[&words[..], more].concat()).ends(0).json()[0]["until"].clone()
    };
    let first = waive("Kim", &["--until", "2096-12-31"]);
    assert_eq!(first, "2097-01-01T06:00:00Z");
    assert_eq!(waive("Pat", &[]), first, "the gate shuts when the first one runs out");
}

fn overrule<'a>(campaign: &Campaign, gate: &'a str, more: &[&'a str]) -> crate::harness::Run {
    let words = ["cutover", "--override", gate, "--by", "Pat", "--reason", "the window closes"];
    campaign.run_words(&[&words[..], more].concat())
}

#[test]
fn an_override_needs_the_campaigns_name_typed_and_the_gate_that_holds() {
    let campaign = told(Campaign::ready());
    overrule(&campaign, "disks-held", &[]).ends(3).refuses("not-confirmed");
    overrule(&campaign, "disks-held", &["--yes"]).ends(3).refuses("override-unconfirmed");
    overrule(&campaign, "disks-held", &["--yes", "--confirm", "corp"]).ends(1).refuses("override-unconfirmed");
    overrule(&campaign, "disk-held", &["--yes", "--confirm", "corp-hq-serial"]).ends(2).refuses("unknown-gate");
    overrule(&campaign, "async-switched", &["--yes", "--confirm", "corp-hq-serial"])
        .ends(1)
        .refuses("override-needless");
    campaign.run("cutover --override disks-held --yes").ends(2);
    assert_eq!(campaign.run("status --json").ends(0).json()["overrides"], json!([]));
}

#[test]
fn an_override_covers_those_who_held_the_gate_then_and_is_seen_for_ever() {
    let campaign = told(Campaign::ready());
    for person in REMOTE.iter().filter(|person| **person != "HARRIS") {
        campaign.run(&format!("ack record {person} --by Pat --note phone --code {}", campaign.code(person))).ends(0);
    }
    let typed = ["--yes", "--confirm", "corp-hq-serial"];
    overrule(&campaign, "disks-held", &typed).ends(3).says("OVERRIDDEN by Pat").says("blocked: gate async-informed");
    assert_eq!(gate(&campaign, "disks-held")["overridden"]["missing"], json!(["HARRIS"]));
    overrule(&campaign, "disks-held", &typed).ends(1).refuses("override-needless");
    // Somebody else's answer is taken back: nobody decided about that person.
    campaign.run("ack revoke WEISS --by Pat --note mistaken").ends(0);
    assert_eq!(gate(&campaign, "disks-held")["open"], false);
    campaign.run(&format!("ack record WEISS --by Pat --note phone --code {}", campaign.code("WEISS"))).ends(0);
    overrule(&campaign, "async-informed", &typed).ends(3).says("done: backup").says("step quiesce needs a person");

    let status = campaign.run("status").ends(0).says("OVERRIDDEN by Pat on");
    status.says("it was held by HARRIS").says("it was held by DENVER, MUNICH, HARBOR, LUMEN, ORCHARD");
    campaign.run("cutover rollback --yes --to announce").ends(0);
    assert_eq!(gate(&campaign, "disks-held")["open"], false, "it ends with a step that is taken back");
    let status = campaign.run("status").ends(0).says("OVERRIDDEN by Pat on");
    status.says("it holds no more since").says("a step was taken back");
    campaign.run("report").ends(0);
    let page = String::from_utf8(campaign.bytes(".flagday/report/report.html")).expect("UTF-8");
    assert!(page.contains("<strong>OVERRIDDEN</strong> by Pat") && page.contains("It was held by HARRIS"));
    assert!(page.contains("It holds no more since"));
    assert!(
        page.contains("gate disks-held is overridden for step backup by Pat: the window closes"),
        "in the timeline"
    );
    campaign.run("audit verify").ends(0);
    let db = rusqlite::Connection::open(campaign.path(".flagday/ledger.db")).expect("the ledger");
    db.execute("DELETE FROM override", ()).expect("forged");
    campaign.run("audit verify").ends(1).refuses("audit-broken");
}

#[test]
fn a_missed_deadline_calls_the_campaign_off_where_it_says_so() {
    let campaign = Campaign::ready();
    campaign.append("[gate.locals-drained]\non_deadline = \"abort\"").run("check").ends(1).refuses("no-deadline");
    let campaign = Campaign::ready();
    campaign.append("[gate.disks-held]\non_deadline = \"abort\"");
    let campaign = told(campaign);
    campaign.answer();
    // Everybody has answered, and after the deadline: the change lies in the past here.
    let held = gate(&campaign, "disks-held");
    assert_eq!((held["open"].clone(), held["satisfied"].clone()), (json!(false), json!(0)), "{held}");
    let late = held["blocking"].as_array().expect("people");
    let words = |one: &Value| one["why"].as_str().is_some_and(|why| why.starts_with("too late, after the deadline: "));
    assert!(late.iter().all(|one| one["grade"] == "possessed" && words(one)), "{held}");
    let stopped = campaign.run("cutover --yes").ends(3).says("its deadline passed").says("no later answer opens it");
    let stopped = stopped.says("nobody was told that yet: 45 people still expect the change");
    let stopped = stopped.says("P1 is in its place").says("serial number 32-10411 is in force").says("Safe now:");
    stopped.says("Next: flagday abort --reason TEXT tells them").says("flagday ack waive PERSON");
    assert!(campaign.outbox("-abort-").is_empty(), "nobody is told without a person's word");
    campaign.run("status").ends(0).says("missed").says("gate disks-held missed its deadline");
    overrule(&campaign, "disks-held", &["--yes", "--confirm", "corp-hq-serial"]).ends(3).says("done: backup");
    campaign.run("abort --yes --by Pat --reason late").ends(0);
    assert_eq!(campaign.outbox("-abort-").len(), 45, "everyone who was told");
    campaign.run("cutover --yes").ends(1).refuses("aborted").says("flagday report").keeps_quiet_about("still expect");
}

#[test]
fn a_share_is_enough_and_an_empty_audience_only_when_the_campaign_says_so() {
    let campaign = Campaign::ready();
    campaign.append("[gate.disks-held]\nshare = 0.5\n[gate.async-informed]\nshare = 0.6");
    let campaign = told(campaign);
    for person in &REMOTE[..6] {
        campaign.run(&format!("ack record {person} --by Pat --note phone --code {}", campaign.code(person))).ends(0);
    }
    for person in ["DENVER", "MUNICH"] {
        campaign.run(&format!("ack record {person} --by Pat --note phone")).ends(0);
    }
    assert_eq!(
        (gate(&campaign, "disks-held")["open"].clone(), gate(&campaign, "async-informed")["open"].clone()),
        (json!(true), json!(false))
    );
    campaign.run("status").ends(0).says("disks-held is open without 6");

    let campaign = Campaign::ready();
    campaign.append("[audience]\nasync-admins = { kind = \"nobody\" }");
    assert_eq!(gate(&campaign, "async-informed")["open"], false);
    campaign.append("[gate.async-informed]\nallow_empty = true");
    assert_eq!(gate(&campaign, "async-informed")["open"], true);
}

#[test]
fn an_override_speaks_of_the_facts_that_people_were_told_then() {
    let campaign = told(Campaign::ready());
    overrule(&campaign, "disks-held", &["--yes", "--confirm", "corp-hq-serial"]).says("OVERRIDDEN by Pat");
    assert_eq!(gate(&campaign, "disks-held")["open"], true);
    let mut ledger = flagday::ledger::Ledger::open(&campaign.path(".flagday")).expect("the ledger");
    let told = ledger.revision().expect("readable").expect("one");
    let later = told.at + chrono::TimeDelta::days(3650);
    let another = Revision { number: told.number + 1, at: later, ..told };
    let telling = Telling { revision: Some(another), ..Telling::default() };
    ledger.plan_telling(telling, [], later).expect("another");
    drop(ledger);
    assert_eq!(gate(&campaign, "disks-held")["open"], false);
    campaign.run("status").says("people were told other facts");
}
