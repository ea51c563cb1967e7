//! The rosters against the postoffice: people without a mailbag, mailbags without a person.

use super::mailbags::{MAILBAGS, Mailbags};
use super::{access, names};
use crate::fault::{Finding, Severity};
use crate::msmail::tree::{Folder, Postoffice};
use crate::roster::{MailStore, Person};

/// `people`: everyone on the rosters. Those of kind `local` and `remote` have a mailbag here.
pub fn check(live: &Postoffice, people: &[&Person]) -> Vec<Finding> {
    let empty = Folder::default();
    let mailbags = live.folder(MAILBAGS).unwrap_or(&empty);
    let here: Vec<&Person> = people.iter().copied().filter(|person| belongs(person)).collect();
    let mut findings: Vec<Finding> = here.iter().flat_map(|person| own_files(live, mailbags, person)).collect();
    let (all, unreadable) = Mailbags::of(live, people);
    findings.extend(unreadable);
    findings.extend(unlisted(live, &all));
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

fn unlisted(live: &Postoffice, all: &Mailbags<'_>) -> Option<Finding> {
    let nobody: Vec<&str> = all.unlisted().collect();
    let cause = format!("mailbags that nobody on the rosters has: {}", names(nobody.iter().copied()));
    let remedy = "look them up with LISTUSER and add who is missing, the administrator's 00000000 too; gateways and external \
                  postoffices have mailbags as well, and some of those are in no documented record";
    let place = live.place(MAILBAGS);
    (!nobody.is_empty()).then(|| Finding::warning("mailbag-unlisted", cause, remedy).in_file(place).article("Q87416"))
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
