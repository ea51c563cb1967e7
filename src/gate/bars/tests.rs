//! Everything that a gate asks, made easier and harder.

use super::*;
use crate::campaign;

const FILE: &str = r#"
[campaign]
name = "small"
change_at = 2024-12-12T18:00:00
time_zone = "America/Chicago"
contact = "Desk, desk@corp.example"
[mail]
from = "Desk <desk@corp.example>"
transport = "file"
[[roster]]
file = "users.csv"
[audience]
staff = { kind = "local" }
[notice.news]
audience = "staff"
[acknowledgement.read]
audience = "staff"
notice = "news"
grade = "confirmed"
due = "T-3d"
[gate.all]
acknowledgement = "read"
share = 0.9
on_deadline = "abort"
two_person = true
[[step]]
name = "switch"
needs = ["all"]
shell = { run = ["true"] }
"#;

fn campaign(change: &[(&str, &str)]) -> Campaign {
    let text = change.iter().fold(FILE.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    let folder = tempfile::tempdir().expect("a folder");
    fs_err::write(folder.path().join("users.csv"), "id,name,email\n").expect("written");
    fs_err::write(folder.path().join("flagday.toml"), text).expect("written");
    campaign::load(folder.path()).expect("a campaign").0
}

fn words(change: &[(&str, &str)]) -> Vec<(String, Way)> {
    let (was, is) = (Bars::of(&campaign(&[])), Bars::of(&campaign(change)));
    was.changes(&is).into_iter().map(|one| (one.to_string(), one.way)).collect()
}

#[test]
fn each_thing_that_a_gate_asks_is_told_when_it_is_another_one() {
    assert_eq!(words(&[]), []);
    for (from, to, told, way) in [
        ("share = 0.9", "share = 0.1", "[gate.all] share was 0.9 and is 0.1", Way::Looser),
        ("share = 0.9\n", "", "[gate.all] share was 0.9 and is 1.0", Way::Tighter),
        (
            "two_person = true",
            "allow_empty = true\ntwo_person = true",
            "[gate.all] allow_empty was false and is true",
            Way::Looser,
        ),
        ("two_person = true", "", "[gate.all] two_person was true and is false", Way::Looser),
        ("\"abort\"", "\"hold\"", "[gate.all] on_deadline was abort and is hold", Way::Looser),
        ("\"confirmed\"", "\"read\"", "[acknowledgement.read] grade was confirmed and is read", Way::Looser),
        ("kind = \"local\"", "kind = \"vip\"", "[audience.staff] was kind: local and is kind: vip", Way::Other),
        ("needs = [\"all\"]", "", "needs of step switch was all and is nothing", Way::Looser),
    ] {
        assert_eq!(words(&[(from, to)]), [(told.to_owned(), way)], "{from} -> {to}");
    }
}

#[test]
fn a_gate_that_is_gone_is_told_and_so_is_the_step_that_no_longer_waits() {
    let gone = [
        ("[gate.all]\nacknowledgement = \"read\"\nshare = 0.9\non_deadline = \"abort\"\ntwo_person = true\n", ""),
        ("needs = [\"all\"]\n", ""),
    ];
    let told = words(&gone);
    let expected = ["[gate.all] was there and is not there", "needs of step switch was all and is nothing"];
    assert_eq!(told.iter().map(|(words, _)| words.as_str()).collect::<Vec<_>>(), expected);
    assert!(told.iter().all(|(_, way)| *way == Way::Looser));
}

/// Nobody of those who were asked.
const ASKED_OF_FEW: (&str, &str) =
    ("[acknowledgement.read]\naudience = \"staff\"", "[acknowledgement.read]\naudience = \"few\"");

#[test]
fn what_was_loosened_is_asked_again_and_what_was_tightened_stays() {
    let kept = Bars::of(&campaign(&[]));
    for change in [
        &[("share = 0.9", "share = 0.1"), ("\"abort\"", "\"hold\""), ("two_person = true", "allow_empty = true")][..],
        &[("\"confirmed\"", "\"sent\""), ("needs = [\"all\"]\n", "")],
        &[("staff = { kind = \"local\" }", "staff = { kind = \"local\" }\nfew = { kind = \"vip\" }"), ASKED_OF_FEW],
        // The audience itself is gone as well.
        &[
            ("staff = { kind = \"local\" }", "few = { kind = \"vip\" }"),
            ("[notice.news]\naudience = \"staff\"", "[notice.news]\naudience = \"few\""),
            ASKED_OF_FEW,
        ],
        &[
            ("[gate.all]\nacknowledgement = \"read\"\nshare = 0.9\non_deadline = \"abort\"\ntwo_person = true\n", ""),
            ("needs = [\"all\"]\n", ""),
        ],
    ] {
        let mut loosened = campaign(change);
        assert_ne!(Bars::of(&loosened), kept);
        kept.hold(&mut loosened);
        assert_eq!(Bars::of(&loosened), kept, "{change:?}");
        assert_eq!(kept.lost(&loosened).count(), 0);
    }
    let mut tightened = campaign(&[
        ("share = 0.9", "share = 1.0"),
        (
            "needs = [\"all\"]",
            "needs = [\"all\", \"more\"]\nwait = \"T\"\n[gate.more]\nacknowledgement = \"read\"\n[[step]]\nname = \"next\"",
        ),
    ]);
    let asked = Bars::of(&tightened);
    kept.hold(&mut tightened);
    assert_eq!(Bars::of(&tightened), asked);
}
