//! The rosters against the mailbags.

use crate::msmail::checks::{Mailbags, roster};
use crate::msmail::fixture::{Tree, person, troubles};
use crate::roster::{MailStore, Person};
use std::collections::BTreeSet;

#[test]
fn the_rosters_are_compared_with_the_mailbags() {
    let live = Tree::live();
    let row = |id: &str, kind: &str, hexid: u32, store| person(id, kind, Some(&format!("{hexid:08X}")), store);
    use MailStore::{Dos, Local, Postoffice};
    let mut people = vec![
        row("admin", "local", 0, Postoffice),
        row("ann", "local", 1, Postoffice),
        row("bob", "local", 2, Postoffice),
        row("cem", "local", 3, Local),
        row("dee", "local", 4, Dos),
        row("eve", "remote", 5, Postoffice),
        row("fay", "remote", 6, Postoffice),
        person("peer", "async-admin", None, Postoffice),
    ];
    let codes = |people: &[Person]| troubles(&roster(&live.open(), &people.iter().collect::<Vec<_>>()));
    assert_eq!(codes(&people), [""; 0]);
    assert_eq!(codes(&people[..6]), ["mailbag-unlisted"]);
    people[3].mail_store = Postoffice;
    assert_eq!(codes(&people), ["mmf-missing"]);
    people[3].mail_store = Local;
    people[6].kind = "dial-in".into();
    assert_eq!(codes(&people), [""; 0], "a kind of the campaign's own is on the rosters too");
    people[1].hexid = None;
    assert_eq!(codes(&people), ["hexid-missing", "mailbag-unlisted"]);
    people[1].hexid = Some("00000077".into());
    assert_eq!(codes(&people), ["mailbag-missing", "mailbag-unlisted"]);
    people.pop();
    people.extend((0..3).map(|n| row(&n.to_string(), "remote", 1, Local)));
    assert!(codes(&people).contains(&"people-too-many"));
}

#[test]
fn one_walk_tells_whose_mail_waits_for_whom() {
    let live = Tree::live();
    for hexid in ["00000001", "00000002", "00000003", "00000004", "0000000B", "INQUEUE"] {
        live.mailbag(hexid, 116);
    }
    let row = |id: &str, kind: &str, hexid: &str| person(id, kind, Some(hexid), MailStore::Postoffice);
    let people = [row("ann", "local", "00000001"), row("bob", "remote", "00000002"), row("cem", "locla", "00000003")];
    let (all, unreadable) = Mailbags::of(&live.open(), &people.iter().collect::<Vec<_>>());
    assert!(unreadable.is_empty());
    let unlisted: Vec<&str> = all.unlisted().collect();
    assert_eq!(unlisted, ["00000000", "00000004 (1 header)", "00000005", "00000006"]);
    let locals = ["ann"].into();
    let waits: Vec<String> = all.unwatched(&locals, &locals).into_values().map(|(_, words)| words).collect();
    let others =
        ["0000000A (1 header) of SALES", "0000000B (1 header) of SMTP", "INQUEUE (1 header) of the postoffice itself"];
    assert_eq!(waits, [&["00000002 (1 header) of bob (remote)"], &others[..]].concat());
    let nobodys = |asked: &BTreeSet<&str>| -> Vec<String> {
        all.nobodys(&locals, asked).into_iter().map(|(_, words)| words).collect()
    };
    assert_eq!(nobodys(&locals), ["00000003 (1 header) of cem (locla)", "00000004 (1 header)"]);
    // Asked for something else: only a local user's mail has to be fetched for all that.
    assert_eq!(nobodys(&["cem"].into()), ["00000004 (1 header)"]);
    let nobody_watched = all.nobodys(&BTreeSet::new(), &["ann"].into());
    assert_eq!(nobody_watched[0].1, "00000001 (1 header) of ann (local)");
}

#[test]
fn mailbags_of_gateways_and_peers_are_known_by_their_records_and_orphans_noted() {
    let live = Tree::live();
    live.fill("MMF/00000077.MMF", 400);
    let findings = roster(&live.open(), &[]);
    let find = |code: &str| findings.iter().find(|finding| finding.code == code).map(|finding| finding.cause.clone());
    let unlisted = find("mailbag-unlisted").expect("nobody is listed");
    assert!(
        unlisted.contains("00000006") && !unlisted.contains("0000000A") && !unlisted.contains("0000000B"),
        "{unlisted}"
    );
    assert_eq!(find("mmf-orphan").as_deref(), Some("message stores without a mailbag: 00000077"));
    assert!(find("people-fewer").is_some());
}
