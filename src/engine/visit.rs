//! One visit to a mailbox, and how it ended: what is wrong with single letters is told apart from a mailbox that cannot be
//! read.

use super::TakenIn;
use crate::fault::{Fault, Finding, Place, Result};
use std::sync::atomic::{AtomicBool, Ordering};

/// The most letters of one mailbox that are complained of one by one.
pub(super) const MOST_UNREAD: usize = 20;

/// One visit to a mailbox: when it ends, whom it tells that it goes on, and what it brings.
pub(super) struct Visit<'r> {
    pub stop: &'r AtomicBool,
    pub alive: &'r mut dyn FnMut(),
    pub taken: &'r mut TakenIn,
}

impl Visit<'_> {
    pub(super) fn goes_on(&mut self) -> bool {
        (self.alive)();
        !self.stop.load(Ordering::Relaxed)
    }
}

/// One letter that cannot be read keeps no other from being read.
pub(super) fn readable<T>(read: Result<Option<T>>, unread: &mut Vec<Finding>) -> Option<T> {
    read.unwrap_or_else(|fault| {
        unread.extend(fault.findings);
        None
    })
}

/// How the reading of a mailbox ended, and apart from that what is wrong with single letters. One of which nothing else was
/// read was not read.
pub(super) fn apart(done: Result<Vec<Finding>>, read: usize) -> (Result<()>, Option<Fault>) {
    match done.map(all_read) {
        Ok(letters) if read > 0 => (Ok(()), letters.err()),
        done => (done.and_then(|letters| letters), None),
    }
}

/// A fault with the place of its mailbox in the file, where it has none of its own.
pub(super) fn at_home(mut fault: Fault, place: &Place) -> Fault {
    fault.findings.iter_mut().for_each(|finding| {
        finding.place.get_or_insert_with(|| place.clone());
    });
    fault
}

pub(super) fn all_read(mut unread: Vec<Finding>) -> Result<()> {
    let more = unread.len().saturating_sub(MOST_UNREAD);
    unread.truncate(MOST_UNREAD);
    if more > 0 {
        let remedy = "see to those that are named, then run `flagday intake` again";
        unread.push(Finding::error("io", format!("{more} more letters cannot be read"), remedy));
    }
    Fault::check(unread).map(drop)
}
