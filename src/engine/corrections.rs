//! Managers and alternates who were asked to remind somebody were told of the change as well. When what their letter said does
//! not hold any more, they hear of it: one letter for each person whom they were asked about, and none to anybody else.

use super::Engine;
use super::sending::Intent;
use crate::fault::Result;
use crate::ledger::{Asked, Past};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashSet};

/// What says when the change is.
const DATE: [&str; 2] = ["change_at", "time_zone"];

impl Engine<'_> {
    /// Those who were asked to remind somebody and do not know yet that the change is off.
    pub fn asked_to_be_told_of_abort(&self) -> Result<Vec<Asked>> {
        let have = self.ledger.copies("abort")?;
        let asked = self.ledger.asked_to_remind()?.into_iter();
        Ok(asked.filter(|one| !have.contains(&(one.person.clone(), copy_to(&one.envelope_to)))).collect())
    }

    /// The letters about amendments that moved the change, or put it off, after somebody was asked to remind.
    pub(super) fn intents_corrected(&self) -> Result<Vec<Intent>> {
        let asked = self.ledger.asked_to_remind()?;
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        // Whether the person's own letter ever arrived does not matter: who asked about them has one.
        let Some(moved) = self.ledger.moved()? else { return Ok(Vec::new()) };
        let (postponed, past) = (self.is_postponed()?, self.ledger.past()?);
        let told = past.last().map(|newest| newest.facts.clone()).unwrap_or_default();
        let mut have: HashSet<(String, u32)> = self.ledger.copies("correction")?;
        have.extend(self.ledger.copies("postponed")?);
        let mut intents = Vec::new();
        for one in asked.into_iter().filter(|one| one.revision < moved.revision) {
            if !names_another_date(&one, &past, &told) {
                continue;
            }
            // Of who has left no new date is told.
            if !postponed && self.roster.get(&one.person).is_none() {
                continue;
            }
            let person = self.still_asked_about(&one);
            let copy = copy_to(&one.envelope_to);
            let Ok(address) = one.envelope_to.parse() else { continue };
            if have.contains(&(one.person.clone(), copy)) {
                continue;
            }
            intents.push(Intent {
                copy,
                reason: moved.reason.clone(),
                instead: Some(address),
                cancels: one.calendar.filter(|_| postponed),
                ..Intent::new(if postponed { "postponed" } else { "correction" }, person, self.now())
            });
        }
        Ok(intents)
    }
}

/// Whether the newest letter to somebody who was asked names a date that does not hold by these facts: what moved may have moved
/// back before they heard of it.
pub(super) fn names_another_date(asked: &Asked, past: &[Past], facts: &BTreeMap<String, String>) -> bool {
    let told = past.iter().find(|one| one.number == asked.revision);
    told.is_none_or(|told| DATE.iter().any(|fact| told.facts.get(*fact) != facts.get(*fact)))
}

/// Such letters to several addresses about one person are told apart by the address. The upper half: copies that a human
/// asks for count from 1.
pub(super) fn copy_to(address: &str) -> u32 {
    let digest = Sha256::digest(address.to_lowercase());
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) | 1 << 31
}
