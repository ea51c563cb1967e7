//! What the file states wins, key by key.

use super::{OWN, SITE, campaign, findings};
use crate::campaign::*;

#[test]
fn a_key_of_the_file_replaces_that_key_of_the_playbook_only() {
    let text = format!("{SITE}[notice.change-date]\nat = \"T-21d\"\n[gate.async-informed]\nallow_empty = true\n");
    let campaign = campaign(&text);
    let notice = &campaign.notices["change-date"];
    assert_eq!(notice.at.map(|at| at.to_string()).as_deref(), Some("T-21d 09:00"));
    assert_eq!(notice.package.as_deref(), Some("init-disk"));
    assert_eq!(notice.place.to_string(), "flagday.toml:16:1");
    assert!(campaign.gates["async-informed"].allow_empty);
}

#[test]
fn rosters_and_audiences_are_replaced_as_a_whole() {
    let text =
        format!("{SITE}[[roster]]\nfile = \"all.csv\"\n[audience]\nremote-users = {{ office = [\"X\", \"Y\"] }}\n");
    let campaign = campaign(&text);
    assert_eq!(campaign.rosters.len(), 1);
    let columns = &campaign.audiences["remote-users"].columns;
    assert_eq!(columns.len(), 1);
    assert_eq!(columns["office"], ["X", "Y"]);
}

#[test]
fn a_step_is_known_by_its_name_and_its_action_is_one() {
    let text = format!(
        "{SITE}[[step]]\nname = \"backup\"\nshell = {{ run = [\"backup-po\"] }}\n\
         [[step]]\nname = \"ask\"\nfollows = \"close-p1\"\nattest = \"Asked.\"\n[[step]]\nname = \"last\"\n"
    );
    let campaign = campaign(&text);
    let backup = campaign.step("backup").expect("a step");
    assert_eq!(backup.action, Some(Action::Shell { run: vec!["backup-po".into()], undo: None }));
    assert_eq!((backup.needs.len(), backup.title.as_str()), (2, "Copy the whole postoffice"));
    let at = |name: &str| campaign.steps.iter().position(|step| step.name == name).expect(name);
    assert_eq!(at("backup"), 5);
    assert_eq!(at("ask"), at("close-p1") + 1);
    assert_eq!(at("last"), 17);
}

#[test]
fn one_step_between_single_brackets_drops_no_other() {
    let campaign = campaign(&format!("{SITE}[step]\nname = \"ask\"\n"));
    assert_eq!(campaign.steps.len(), 17);
}

#[test]
fn the_playbooks_order_is_kept_and_a_new_steps_place_must_exist() {
    let text = format!(
        "{SITE}[[step]]\nname = \"close-p1\"\nfollows = \"drain\"\n[[step]]\nname = \"ask\"\nfollows = \"close-p2\"\n"
    );
    insta::assert_snapshot!(findings(&text));
}

#[test]
fn a_campaign_of_ones_own_needs_no_playbook() {
    let text = format!(
        "{OWN}[audience]\nall = {{}}\n[notice.news]\naudience = \"all\"\nat = 2026-12-01T09:00:00\n\
         [acknowledgement.ready]\naudience = \"all\"\nnotice = \"news\"\ngrade = \"confirmed\"\n\
         [gate.ready]\nacknowledgement = \"ready\"\nshare = 0.9\n\
         [[step]]\nname = \"switch\"\nneeds = \"ready\"\nshell = {{ run = [\"switch\"], undo = [\"switch\", \"-r\"] }}\n"
    );
    let campaign = campaign(&text);
    assert_eq!(campaign.playbook, None);
    assert_eq!(campaign.gates["ready"].share, 0.9);
    assert_eq!(campaign.notices["news"].template, "news");
    assert!(campaign.msmail.is_none());
}
