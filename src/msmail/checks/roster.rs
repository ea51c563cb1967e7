//! The rosters against the postoffice: people without a mailbag, mailbags without a person.

use super::{access, names};
use crate::fault::{Finding, Severity};
use crate::msmail::tree::{Entry, Folder, Postoffice};
use crate::msmail::{drain, records};
use crate::roster::{MailStore, Person};
use std::collections::{BTreeMap, BTreeSet};

/// Mailbags of the postoffice itself (Q77926, Q87416).
const SYSTEM: [&str; 3] = ["INQUEUE", "INQUEUE3", "SYSTEM"];
const MAILBAGS: &str = "MBG";

/// `people`: everyone on the rosters. Those of kind `local` and `remote` have a mailbag here.
pub fn check(live: &Postoffice, people: &[&Person]) -> Vec<Finding> {
    let empty = Folder::default();
    let mailbags = live.folder(MAILBAGS).unwrap_or(&empty);
    let here: Vec<&Person> = people.iter().copied().filter(|person| belongs(person)).collect();
    let mut findings: Vec<Finding> = here.iter().flat_map(|person| own_files(live, mailbags, person)).collect();
    let (owned, unreadable) = other_owners(live);
    findings.extend(unreadable);
    findings.extend(unlisted(live, mailbags, &here, &owned));
    findings.extend(orphans(live, mailbags));
    findings.extend(counts(live, here.len() as u64));
    findings
}

fn belongs(person: &Person) -> bool {
    matches!(person.kind.as_str(), "local" | "remote")
}

/// A person's mailbag, and the message store where the roster says that it lies on the postoffice.
fn own_files(live: &Postoffice, mailbags: &Folder, person: &Person) -> Option<Finding> {
    let local = person.kind == "local";
    let severity = if local { Severity::Error } else { Severity::Warning };
    let at = |finding: Finding| Some(finding.at(person.place.clone()));
    let Some(hexid) = &person.hexid else {
        let cause = format!("{} has no `hexid`: nothing of theirs can be found in the postoffice", person.id);
        let remedy = "run LISTUSER and fill the column";
        return at(Finding::new(severity, "hexid-missing", cause, remedy).article("Q99419"));
    };
    if mailbags.get(&format!("{hexid}.MBG")).is_none() {
        let cause = format!("{} should have the mailbag {hexid}.MBG, which is not in the postoffice", person.id);
        let remedy = "correct `hexid` by what LISTUSER prints, or take the row out if the mailbox was deleted";
        return at(Finding::new(severity, "mailbag-missing", cause, remedy).article("Q99419"));
    }
    if local && person.mail_store == MailStore::Postoffice && live.file(&format!("MMF/{hexid}.MMF")).is_none() {
        let cause = format!("{} has no {hexid}.MMF, while `mail_store` says that it lies on the postoffice", person.id);
        let remedy = "ask where the mail is kept and set `mail_store` to local, dos or pst: without an MMF the program \
                      cannot see whether they have fetched their mail";
        return at(Finding::warning("mmf-missing", cause, remedy).article("Q126925"));
    }
    None
}

/// Mailbags that NETWORK.GLB and the .XTN files give to gateways and external postoffices.
pub(super) fn other_owners(live: &Postoffice) -> (BTreeMap<String, String>, Vec<Finding>) {
    let (mut owners, mut findings) = (BTreeMap::new(), Vec::new());
    let mut read = |path: &str| {
        live.read(path).map(Option::unwrap_or_default).unwrap_or_else(|fault| {
            findings.extend(fault.findings);
            Vec::new()
        })
    };
    for network in records::networks(&read("GLB/NETWORK.GLB")) {
        owners.extend(network.mailbag.map(|mailbag| (mailbag, network.name)));
    }
    for (stem, _) in live.folder("XTN").into_iter().flat_map(|folder| folder.with_suffix(".XTN")) {
        for external in records::externals(&read(&format!("XTN/{stem}.XTN"))) {
            owners.extend(external.mailbag.map(|mailbag| (mailbag, external.postoffice)));
        }
    }
    (owners, findings)
}

fn unlisted(
    live: &Postoffice,
    mailbags: &Folder,
    here: &[&Person],
    owned: &BTreeMap<String, String>,
) -> Option<Finding> {
    let listed: BTreeSet<&str> = here.iter().filter_map(|person| person.hexid.as_deref()).collect();
    let unlisted = |stem: &str| !SYSTEM.contains(&stem) && !listed.contains(stem) && !owned.contains_key(stem);
    let nobody: Vec<String> =
        mailbags.with_suffix(".MBG").filter(|(stem, _)| unlisted(stem)).map(|(stem, bag)| holding(stem, bag)).collect();
    let cause = format!("mailbags that nobody on the rosters has: {}", names(nobody.iter().map(String::as_str)));
    let remedy = "look them up with LISTUSER and add who is missing, the administrator's 00000000 too; gateways and external \
                  postoffices have mailbags as well, and some of those are in no documented record";
    let place = live.place(MAILBAGS);
    (!nobody.is_empty()).then(|| Finding::warning("mailbag-unlisted", cause, remedy).in_file(place).article("Q87416"))
}

/// Mailbags with mail in them that no drain watches: of remote users, of neighbouring postoffices and gateways, and of the
/// postoffice itself. The mail can be carried away only while P1 is open, and the old serial number in force. By hex id, with
/// bytes and words.
pub fn unwatched(
    live: &Postoffice,
    people: &[&Person],
    watched: &BTreeSet<&str>,
    asked: &BTreeSet<&str>,
) -> BTreeMap<String, (u64, String)> {
    let (owners, _) = other_owners(live);
    let person = |stem: &str| people.iter().find(|person| person.hexid.as_deref() == Some(stem));
    let owner = |stem: &str| match person(stem) {
        Some(person) if watched.contains(person.id.as_str()) || !is_known(person, asked) => None,
        Some(person) => Some(format!("{} ({})", person.id, person.kind)),
        None if SYSTEM.contains(&stem) => Some("the postoffice itself".to_owned()),
        None => owners.get(stem).cloned(),
    };
    let full = |(stem, bag): (&str, &Entry)| {
        let owner = (bag.size > 0).then(|| owner(stem))??;
        Some((stem.to_owned(), (bag.size, format!("{} of {owner}", holding(stem, bag)))))
    };
    live.folder(MAILBAGS).unwrap_or(&Folder::default()).with_suffix(".MBG").filter_map(full).collect()
}

/// Mailbags with mail in them for which nobody is waited: neither of the people who are asked for something, the drain among
/// it, nor a remote user's, a gateway's, a neighbour's or the postoffice's own. The hex id, and what each holds, of whom if
/// the rosters tell.
pub fn nobodys(live: &Postoffice, people: &[&Person], asked: &BTreeSet<&str>) -> Vec<(String, String)> {
    let (owners, _) = other_owners(live);
    let person = |stem: &str| people.iter().find(|person| person.hexid.as_deref() == Some(stem));
    let is_somebodys = |stem: &str| match person(stem) {
        Some(person) => is_known(person, asked),
        None => SYSTEM.contains(&stem) || owners.contains_key(stem),
    };
    let empty = Folder::default();
    let bags = live.folder(MAILBAGS).unwrap_or(&empty).with_suffix(".MBG");
    let full = bags.filter(|(stem, bag)| bag.size > 0 && !is_somebodys(stem));
    let of = |stem: &str| person(stem).map_or(String::new(), |person| format!(" of {} ({})", person.id, person.kind));
    full.map(|(stem, bag)| (stem.to_owned(), holding(stem, bag) + &of(stem))).collect()
}

/// Somebody is waited for, or fetches mail while P1 is open; remote users may be of a kind of the campaign's own.
fn is_known(person: &Person, asked: &BTreeSet<&str>) -> bool {
    asked.contains(person.id.as_str()) || person.kind == "remote"
}

/// A mailbag, and what it holds: mail that nobody watches is lost with the change.
fn holding(stem: &str, mailbag: &Entry) -> String {
    match drain::headers(mailbag) {
        Some(0) => stem.to_owned(),
        Some(1) => format!("{stem} (1 header)"),
        Some(left) => format!("{stem} ({left} headers)"),
        None => format!("{stem} ({} bytes)", mailbag.size),
    }
}

/// Message stores whose mailbox is gone: they never change, and nobody waits for them (Q117693).
fn orphans(live: &Postoffice, mailbags: &Folder) -> Option<Finding> {
    let stores = live.folder("MMF")?;
    let without = |stem: &&str| mailbags.get(&format!("{stem}.MBG")).is_none();
    let orphans: Vec<&str> = stores.with_suffix(".MMF").map(|(stem, _)| stem).filter(without).collect();
    let cause = format!("message stores without a mailbag: {}", names(orphans.iter().copied()));
    let remedy = "nothing: they belong to deleted mailboxes and stay as they are";
    let place = live.place("MMF");
    (!orphans.is_empty()).then(|| Finding::note("mmf-orphan", cause, remedy).in_file(place).article("Q117693"))
}

/// The ACCESS files keep the records of deleted users, so that they hold as many as there are people, or more.
fn counts(live: &Postoffice, people: u64) -> Option<Finding> {
    let records = access::user_records(live)?;
    let place = live.place("GLB/ACCESS.GLB");
    if people > records {
        let cause =
            format!("the rosters list {people} people of this postoffice, which has records for {records} only");
        let remedy = "take out who has no mailbox here, or name the right postoffice";
        return Some(Finding::error("people-too-many", cause, remedy).in_file(place).article("Q87402"));
    }
    let cause = format!("{records} user records, deleted ones included, and {people} people on the rosters");
    let remedy = "compare with LISTUSER -x, which shows deleted users";
    (records > people).then(|| Finding::note("people-fewer", cause, remedy).in_file(place).article("Q99419"))
}
