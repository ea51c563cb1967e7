//! Campaigns on disk: their roster files and their audiences.

use super::*;
use crate::campaign::{self, Campaign};
use crate::roster::{self, check_audiences};

/// A campaign in a folder of its own, with these rosters and this `[audience]`.
fn on_disk(rosters: &[(&str, &str)], audiences: &str) -> (tempfile::TempDir, Campaign) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut text = "[campaign]\nname = \"vpn\"\nchange_at = \"2026-12-12 18:00\"\ntime_zone = \"Europe/Berlin\"\n\
                    contact = \"IT\"\n[mail]\nfrom = \"it@corp.example\"\n"
        .to_owned();
    for (file, rows) in rosters {
        text += &format!("[[roster]]\nfile = \"{file}\"\n");
        fs_err::write(folder.path().join(file), rows).expect("written");
    }
    text += &format!("[audience]\n{audiences}");
    fs_err::write(folder.path().join("flagday.toml"), text).expect("written");
    let (campaign, _) = campaign::load(folder.path()).expect("a campaign");
    (folder, campaign)
}

/// What audiences and rosters say of each other; files by their last name.
fn audiences(rows: &str, audiences: &str) -> String {
    let (_folder, campaign) = on_disk(&[("users.csv", rows)], audiences);
    let (roster, findings) = roster::read(&campaign);
    assert!(!findings.iter().any(Finding::is_error), "{}", shown(&findings));
    let mut findings = check_audiences(&campaign, &roster);
    for place in findings.iter_mut().filter_map(|finding| finding.place.as_mut()) {
        place.file = std::path::Path::new(place.file.file_name().expect("a name")).into();
    }
    shown(&findings)
}

const PEOPLE: &str = "id,email,kind,Region\n\
    a,a@x.example,remote,North\nb,b@x.example,local,North\nc,c@x.example,Remote,South\n";

#[test]
fn rosters_are_read_in_order_and_named_as_typed() {
    let (folder, campaign) =
        on_disk(&[("one.csv", PEOPLE), ("two.csv", "id;kind;email\nd;local;d@x.example\ne;local;\n")], "");
    let (roster, findings) = roster::read(&campaign);
    assert_eq!(ids(&roster), ["a", "b", "c", "d", "e"]);
    let place = findings[0].place.as_ref().expect("a place").to_string();
    assert_eq!((findings.len(), findings[0].code), (1, "no-address"));
    assert_eq!(place, format!("{}:3:9", folder.path().join("two.csv").display()));
}

#[test]
fn the_rosters_that_init_writes_are_sound() {
    let folder = tempfile::tempdir().expect("a folder");
    for (file, text) in campaign::starter("msmail-serial-change", "corp-hq").expect("a starter") {
        let path = folder.path().join(file);
        fs_err::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs_err::write(path, text).expect("written");
    }
    let (campaign, _) = campaign::load(folder.path()).expect("a campaign");
    let (roster, findings) = roster::read(&campaign);
    assert!(roster.len() > 3);
    assert_eq!(shown(&findings), "");
    assert_eq!(shown(&check_audiences(&campaign, &roster)), "");
}

#[test]
fn a_roster_that_cannot_be_read_is_an_error_and_the_others_are_read() {
    let (folder, campaign) = on_disk(
        &[("one.csv", PEOPLE), ("two.csv", PEOPLE), ("three.csv", "id,kind,email\nd,local,d@x.example\n")],
        "x = { Regino = \"North\" }",
    );
    fs_err::remove_file(folder.path().join("one.csv")).expect("removed");
    fs_err::remove_file(folder.path().join("two.csv")).expect("removed");
    fs_err::create_dir(folder.path().join("two.csv")).expect("a folder");
    let (roster, findings) = roster::read(&campaign);
    assert_eq!(ids(&roster), ["d"]);
    assert_eq!(
        findings.iter().map(|f| (f.code, f.is_error())).collect::<Vec<_>>(),
        [("io", true), ("not-a-file", true)]
    );
    assert!(findings[0].place.as_ref().is_some_and(|place| place.file.ends_with("one.csv")));
    assert_eq!(check_audiences(&campaign, &roster), [], "who seems to be missing may only be unread");
}

#[test]
fn a_roster_beyond_all_bounds_is_refused() {
    let (folder, campaign) = on_disk(&[("one.csv", PEOPLE)], "");
    let file = fs_err::OpenOptions::new().write(true).open(folder.path().join("one.csv")).expect("opened");
    file.set_len(super::super::LARGEST + 1).expect("grown");
    let (roster, findings) = roster::read(&campaign);
    assert!(roster.is_empty());
    assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["roster-too-large"]);
}

#[test]
fn an_audience_holds_whoever_has_a_listed_value_in_every_listed_column() {
    let (_folder, campaign) = on_disk(
        &[("users.csv", PEOPLE)],
        "remote = { kind = \"remote\" }\nboth = { kind = [\"local\", \"REMOTE\"], Region = \"north\" }\neveryone = {}\n",
    );
    let (roster, _) = roster::read(&campaign);
    let members = |name: &str| roster.audience(&campaign.audiences[name]).map(|p| p.id.as_str()).collect::<Vec<_>>();
    assert_eq!(members("remote"), ["a", "c"]);
    assert_eq!(members("both"), ["a", "b"]);
    assert_eq!(members("everyone"), ["a", "b", "c"]);
    assert_eq!(shown(&check_audiences(&campaign, &roster)), "");
}

#[test]
fn a_column_that_no_roster_has_is_an_error() {
    insta::assert_snapshot!(audiences(PEOPLE, "x = { Regino = \"North\" }\ny = { language = \"de\" }\nz = { shoe = \"7\" }\n"), @r"
        flagday.toml:11:1 Error audience-column: the audience 'x' asks for the column 'Regino', which no roster has | did you mean `Region`?
        flagday.toml:12:1 Error audience-column: the audience 'y' asks for the column 'language', which no roster has | add that column to a roster, or map a header to it
        flagday.toml:13:1 Error audience-column: the audience 'z' asks for the column 'shoe', which no roster has | add that column to a roster
        ");
}

#[test]
fn an_audience_of_nobody_and_a_value_of_nobody_are_warnings() {
    insta::assert_snapshot!(audiences(PEOPLE, "x = { kind = \"remoet\" }\ny = { Region = [\"North\", \"Soutj\", \"Mars\"] }\nz = { kind = \"local\", Region = \"South\" }\n"), @r"
        flagday.toml:11:1 Warning audience-empty: nobody is in the audience 'x' | did you mean 'remote'?
        flagday.toml:12:1 Warning audience-value: the audience 'y' asks for Region = 'Soutj', which nobody has | did you mean 'South'?
        flagday.toml:12:1 Warning audience-value: the audience 'y' asks for Region = 'Mars', which nobody has | the rosters have 'North', 'South'
        flagday.toml:13:1 Warning audience-empty: nobody is in the audience 'z' | correct its columns, or the rosters
        users.csv:4:1 Warning no-audience: no audience asks for one person of kind 'remote', the first here | did you mean 'remoet'?
        ");
}

#[test]
fn a_kind_that_no_audience_asks_for_is_a_warning() {
    let people = PEOPLE.replace("Remote", "remoet");
    insta::assert_snapshot!(audiences(&people, "x = { kind = \"remote\" }\neveryone = {}\n"), @r"
        users.csv:3:1 Warning no-audience: no audience asks for one person of kind 'local', the first here | correct the kind, or add an audience for them
        users.csv:4:1 Warning no-audience: no audience asks for one person of kind 'remoet', the first here | did you mean 'remote'?
        ");
    insta::assert_snapshot!(audiences(&people, "x = { Region = [\"North\"] }\n"), @"");
}
