//! Who was seen already, over all rosters: two people with one id, hexid or mailbox are an error, two with one
//! address a warning. Everything is compared without regard to case.

use super::complaints::shown;
use super::person::Person;
use crate::fault::Finding;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// A file, by its number, and a line.
type Where = (u32, u32);

/// Where each value was seen first. Values are kept as SHA-256 cut to 128 bits: a hundred thousand people fit, and nobody
/// can make two values look alike.
type First = HashMap<u128, Where>;

#[derive(Debug, Default)]
pub(super) struct Seen {
    /// As findings name them.
    files: Vec<String>,
    ids: First,
    hexids: First,
    mailboxes: First,
    emails: First,
}

impl Seen {
    /// From here on, lines are lines of this file.
    pub(super) fn open(&mut self, file: String) {
        self.files.push(file);
    }

    pub(super) fn id(&mut self, person: &Person, line: u32) -> Option<Finding> {
        let other = first(&self.files, &mut self.ids, &person.id, line)?;
        let cause = format!("the id '{}' stands at {other} already", shown(&person.id));
        Some(Finding::error("duplicate-id", cause, "give each person an `id` of their own"))
    }

    pub(super) fn hexid(&mut self, person: &Person, line: u32) -> Option<Finding> {
        let hexid = person.hexid.as_deref()?;
        let other = first(&self.files, &mut self.hexids, hexid, line)?;
        let cause = format!("the hexid {hexid} stands at {other} already");
        Some(Finding::error("duplicate-hexid", cause, "correct one of the two: a postoffice gives each number once"))
    }

    /// Mailboxes of two postoffices may have one name.
    pub(super) fn mailbox(&mut self, person: &Person, line: u32) -> Option<Finding> {
        let mailbox = person.mailbox.as_deref()?;
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        let whole = [&part(&person.network), &part(&person.postoffice), mailbox].join("/");
        let other = first(&self.files, &mut self.mailboxes, &whole, line)?;
        let cause = format!("the mailbox '{}' stands at {other} already", shown(mailbox));
        let remedy = "correct one of the two, or name the postoffice of each in `network` and `postoffice`";
        Some(Finding::error("duplicate-mailbox", cause, remedy))
    }

    /// Local parts may differ in case only (RFC 5321 §2.4), but hardly ever do.
    pub(super) fn email(&mut self, person: &Person, line: u32) -> Option<Finding> {
        let email = person.email.as_ref()?.to_string();
        let other = first(&self.files, &mut self.emails, &email, line)?;
        let cause = format!("the address '{}' stands at {other} already", shown(&email));
        Some(Finding::warning("duplicate-address", cause, "make sure that both read this mailbox"))
    }
}

/// Where the key was seen first, if it was; else it is noted. An empty key is no key.
fn first(files: &[String], seen: &mut First, key: &str, line: u32) -> Option<String> {
    if key.is_empty() {
        return None;
    }
    let digest = Sha256::digest(key.to_lowercase());
    let (half, _) = digest.split_first_chunk().expect("a digest of 32 bytes");
    match seen.entry(u128::from_be_bytes(*half)) {
        Entry::Vacant(entry) => {
            entry.insert((files.len().saturating_sub(1) as u32, line));
            None
        }
        Entry::Occupied(entry) => {
            let (file, line) = *entry.get();
            Some(format!("{}:{line}", files.get(file as usize).map_or("", String::as_str)))
        }
    }
}
