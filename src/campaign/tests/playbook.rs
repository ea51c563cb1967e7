//! The playbook msmail-serial-change with nothing but a site's own facts.

use super::{SITE, campaign};
use crate::campaign::*;
use crate::fault::Finding;
use std::path::Path;

fn words<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(String::as_str).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_file_with_the_sites_own_facts_is_complete() {
    let campaign = campaign(SITE);
    assert_eq!(words(campaign.audiences.keys()), "remote-users local-users async-admins everyone");
    assert_eq!(
        words(campaign.notices.keys()),
        "change-date new-serial local-change-date reminder escalation broadcast all-clear abort postponed outdated-answer \
         correction"
    );
    assert_eq!(words(campaign.acknowledgements.keys()), "disk-received serial-received drained serial-changed");
    assert_eq!(words(campaign.gates.keys()), "disks-held async-informed locals-drained async-switched");
    assert_eq!(
        words(campaign.steps.iter().map(|step| &step.name)),
        "stage-check attest-staged copy-access init-disks announce backup quiesce close-p1 broadcast drain \
         retire-master install-master open-p1 restart async-confirmed all-clear"
    );
    assert_eq!(campaign.title, "corp-hq-serial");
    assert_eq!(campaign.change.at.to_rfc3339(), "2026-12-13T00:00:00+00:00");
    assert_eq!(campaign.mail.transport, Transport::File);
    assert_eq!(campaign.facts["new_serial"], "32-20977");
}

#[test]
fn relative_paths_start_at_the_campaign() {
    let campaign = campaign(SITE);
    let msmail = campaign.msmail.as_ref().expect("a postoffice");
    assert_eq!(msmail.postoffice, Path::new("/corp/postoffice"));
    assert_eq!(msmail.staged, Path::new("/srv/newpo"));
    let PackageSource::Collected { from } = &campaign.packages["init-disk"].source else { panic!("collected") };
    assert_eq!(from, Path::new("/corp/disks"));
    assert_eq!(campaign.rosters[0].file, Path::new("/corp/rosters/users.csv"));
    assert_eq!(campaign.rosters[1].kind.as_deref(), Some("async-admin"));
}

#[test]
fn what_the_postoffice_shows_of_a_fact_is_told_at_its_own_line() {
    let campaign = campaign(SITE);
    let facts = campaign.msmail.as_ref().expect("a postoffice");
    let wrong = facts.at("new_serial", Finding::error("serial-form", "wrong", "correct it"));
    let line = SITE.lines().position(|line| line.starts_with("new_serial")).expect("stated") as u32 + 1;
    assert_eq!(wrong.place.expect("a place").line, line);
    assert_eq!(wrong.quote.expect("the line").line, "new_serial = \"32-20977\"");
    let of_the_playbook = facts.at("gateways", Finding::note("gateway-not-live", "", ""));
    assert_eq!(of_the_playbook.place, Some(facts.place.clone()), "what the file does not state is its section's");
}

#[test]
fn the_disks_lie_where_the_site_says() {
    let campaign = campaign(&SITE.replace("[msmail]", "[msmail]\ndisks = \"/mnt/disks\""));
    let PackageSource::Collected { from } = &campaign.packages["init-disk"].source else { panic!("collected") };
    assert_eq!(from, Path::new("/mnt/disks"));
}

#[test]
fn the_schedule_and_the_gates_are_those_of_the_procedure() {
    let campaign = campaign(SITE);
    let asked = &campaign.acknowledgements["disk-received"];
    assert_eq!((asked.grade, asked.notice.as_deref()), (Grade::Possessed, Some("change-date")));
    let reminders: Vec<_> = asked.remind.iter().map(ToString::to_string).collect();
    assert_eq!(reminders, ["T-10d 09:00", "T-7d 09:00", "T-5d 09:00", "T-4d 09:00"]);
    let ways: Vec<_> = asked.escalate.iter().map(|way| (way.at.to_string(), way.way)).collect();
    assert_eq!(
        ways,
        [("T-3d 09:00".to_owned(), EscalationWay::Manager), ("T-2d 09:00".to_owned(), EscalationWay::Phone)]
    );
    let step = |name: &str| campaign.step(name).expect(name);
    assert_eq!(step("backup").needs, ["disks-held", "async-informed"]);
    assert_eq!(step("drain").action, Some(Action::Observe("drain".into())));
    assert_eq!(step("quiesce").wait, Some(schedule::Moment::Change));
    let renamed = FromTo { from: "{postoffice}/P1".into(), to: "{postoffice}/POLD".into() };
    assert_eq!(step("close-p1").action, Some(Action::Rename(renamed)));
    assert!(matches!(&step("copy-access").action, Some(Action::Replace(files)) if files.len() == 4));
    assert!(step("attest-staged").attest.as_ref().is_some_and(|text| text.contains("Global-List is YES")));
}

#[test]
fn every_check_that_a_step_names_is_one_of_the_checks() {
    let campaign = campaign(SITE);
    let used = campaign.steps.iter().flat_map(|step| step.before.iter().chain(&step.after));
    let mut used: Vec<_> = used.map(String::as_str).collect();
    used.sort_unstable();
    used.dedup();
    let mut known = CHECKS;
    known.sort_unstable();
    assert_eq!(used, known);
}
