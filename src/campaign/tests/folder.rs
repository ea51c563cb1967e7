//! A campaign on disk.

use super::SITE;
use crate::campaign::load;
use crate::fault::Fault;
use std::path::Path;

fn with(bytes: &[u8]) -> (tempfile::TempDir, Result<crate::campaign::Campaign, Fault>) {
    let root = tempfile::tempdir().expect("a folder");
    fs_err::create_dir(root.path().join("rosters")).expect("made");
    fs_err::write(root.path().join("rosters/users.csv"), "").expect("written");
    fs_err::write(root.path().join("flagday.toml"), bytes).expect("written");
    let loaded = load(root.path()).map(|(campaign, _)| campaign);
    (root, loaded)
}

fn code(loaded: Result<crate::campaign::Campaign, Fault>) -> String {
    let fault = loaded.expect_err("a fault");
    let finding = &fault.findings[0];
    let place = finding.place.as_ref().map(|place| format!(":{}:{}", place.line, place.column));
    format!("{}{}", finding.code, place.unwrap_or_default())
}

#[test]
fn a_folder_without_a_campaign_names_the_way_to_one() {
    let root = tempfile::tempdir().expect("a folder");
    let fault = load(root.path()).expect_err("a fault");
    assert_eq!(fault.findings[0].code, "no-campaign");
    assert!(fault.findings[0].remedy.contains("flagday init"));
    assert_eq!(load(Path::new("/nowhere/at/all")).expect_err("a fault").findings[0].code, "no-campaign");
}

#[test]
fn what_is_missing_is_told_and_what_is_there_is_found() {
    let site = |roster: &str| format!("\u{feff}{SITE}[[roster]]\r\nfile = \"{roster}\"\r\n");
    let (root, loaded) = with(site("rosters/users.csv").as_bytes());
    let campaign = loaded.expect("a campaign");
    assert_eq!(campaign.root, root.path());
    assert_eq!(campaign.file, root.path().join("flagday.toml"));
    assert_eq!(campaign.rosters[0].file, root.path().join("rosters/users.csv"));
    assert_eq!(campaign.state(), root.path().join(".flagday"));
    assert_eq!(code(with(site("users.csv").as_bytes()).1), "no-such-file:17:8");
    assert_eq!(code(with(site("rosters").as_bytes()).1), "no-such-file:17:8");
}

#[test]
fn bytes_that_are_no_text_are_refused_where_they_stand() {
    assert_eq!(code(with(b"[campaign]\nname = \"M\xfcller\"\n").1), "not-utf-8:2:10");
    assert_eq!(code(with(&vec![b'#'; 1024 * 1024 + 1]).1), "too-large");
}
