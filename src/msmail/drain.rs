//! Step 5 of Q209486: who has fetched their mail, by the files of the postoffice alone.
//!
//! The mailbag is the first evidence: with the transports stopped and ADMIN's Compress run, one that is 0 bytes long
//! holds nothing undelivered (Q146113). The message store is the article's: rewritten since the broadcast, its owner's
//! client has been there. A rewritten store alone proves nothing: a sign-in, compression or MMFCLEAN rewrite it too
//! (Q125255, Q86101, Q117693).

mod judge;
mod key;
mod mail;
mod watch;

pub use mail::Mail;
pub use watch::Watch;

use super::sizes::MAILBAG_HEADER;
use super::tree::{Entry, Postoffice};
use crate::roster::Person;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What can be said of a person's mail on the postoffice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing is left to fetch.
    Drained,
    /// Something is left, or the person has not been there since the broadcast.
    NotYet,
    /// The files cannot tell: a person has to.
    Unseen,
}

/// A message store as it lies on the postoffice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Store {
    /// Bytes.
    pub size: u64,
    /// By the server's clock.
    pub modified: Option<DateTime<Utc>>,
}

/// What the files show of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The person's id.
    pub person: String,
    pub verdict: Verdict,
    pub mmf: Option<Store>,
    /// Headers in the mailbag, those that Compress would remove included. `None`: the mailbag cannot be judged.
    pub headers_left: Option<u64>,
    /// How many of them the KEY file marks as deleted, where it can be read so.
    pub marked_deleted: Option<u64>,
    pub why: String,
    /// Empty where nothing needs to be done.
    pub remedy: String,
}

/// The folders that [`observe`] looks at, for [`Postoffice::open_folders`].
pub const FOLDERS: &[&str] = &["MBG", "MMF", "KEY"];

/// Looks at each person's mailbag, its KEY file, and the message store.
pub fn observe(live: &Postoffice, people: &[&Person], watch: &Watch) -> Vec<Observation> {
    people.iter().map(|person| look(live, person, watch)).collect()
}

/// The message stores as they lie there, by hex id: what a later look is compared with.
pub fn stores(live: &Postoffice) -> BTreeMap<String, Store> {
    let files = live.folder("MMF").into_iter().flat_map(|folder| folder.with_suffix(".MMF"));
    files.map(|(stem, entry)| (stem.to_owned(), store(entry))).collect()
}

fn look(live: &Postoffice, person: &Person, watch: &Watch) -> Observation {
    let file = |folder: &str, suffix: &str| {
        let hexid = person.hexid.as_deref()?;
        live.file(&format!("{folder}/{hexid}.{suffix}"))
    };
    let mmf = file("MMF", "MMF").map(store);
    let mailbag = file("MBG", "MBG");
    let headers_left = mailbag.and_then(headers);
    let left = headers_left.filter(|left| *left > 0);
    let marked_deleted = left.and_then(|left| key::marked_deleted(live, person.hexid.as_deref()?, left));
    let key_fault = left.and_then(|_| key::fault(file("KEY", "KEY")));
    let mail = judge::Mail { mailbag, left: headers_left, marked: marked_deleted, key_fault, mmf };
    let (verdict, why, remedy) = judge::judge(person, &mail, watch);
    Observation { person: person.id.clone(), verdict, mmf, headers_left, marked_deleted, why, remedy }
}

fn store(entry: &Entry) -> Store {
    Store { size: entry.size, modified: entry.modified }
}

/// Whole headers in a mailbag; `None` for a size that no mailbag has.
pub fn headers(mailbag: &Entry) -> Option<u64> {
    mailbag.size.is_multiple_of(MAILBAG_HEADER).then_some(mailbag.size / MAILBAG_HEADER)
}

#[cfg(test)]
mod tests;
