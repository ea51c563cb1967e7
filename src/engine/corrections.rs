//! Managers and alternates who were asked to remind somebody were told of the change as well. When what their letter said does
//! not hold any more, they hear of it: one letter for each person whom they were asked about, and none to anybody else.

use super::Engine;
use super::amend::Wish;
use super::amendment::Amendment;
use super::sending::Intent;
use crate::fault::Result;
use crate::ledger::{Asked, Moved, Past};
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
        let Some(moved) = self.ledger.moved()? else { return Ok(Vec::new()) };
        let mut intents = self.corrections(&moved, &self.ledger.past()?, self.is_postponed()?)?;
        if intents.is_empty() {
            return Ok(intents);
        }
        let mut have: HashSet<(String, u32)> = self.ledger.copies("correction")?;
        have.extend(self.ledger.copies("postponed")?);
        intents.retain(|intent| !have.contains(&(intent.person.id.clone(), intent.copy)));
        Ok(intents)
    }

    /// Those about an amendment that is not on record yet.
    pub(super) fn intents_to_correct(&self, amendment: &Amendment, wish: &Wish) -> Result<Vec<Intent>> {
        if !amendment.material().any(|one| DATE.contains(&one.fact.as_str())) {
            return Ok(Vec::new());
        }
        let moved = Moved { at: self.now(), revision: amendment.next, reason: wish.reason.clone() };
        self.corrections(&moved, &self.past(Some(amendment))?, wish.postpone)
    }

    /// Whether the person's own letter ever arrived does not matter: who asked about them has one.
    fn corrections(&self, moved: &Moved, past: &[Past], postponed: bool) -> Result<Vec<Intent>> {
        let asked = self.ledger.asked_to_remind()?;
        let told = past.last().map(|newest| newest.facts.clone()).unwrap_or_default();
        let mut intents = Vec::new();
        for one in asked.into_iter().filter(|one| one.revision < moved.revision) {
            if !names_another_date(&one, past, &told) {
                continue;
            }
            // Of who has left no new date is told.
            if !postponed && self.roster.get(&one.person).is_none() {
                continue;
            }
            let person = self.still_asked_about(&one);
            let Ok(address) = one.envelope_to.parse() else { continue };
            intents.push(Intent {
                copy: copy_to(&one.envelope_to),
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
fn names_another_date(asked: &Asked, past: &[Past], facts: &BTreeMap<String, String>) -> bool {
    let told = past.iter().find(|one| one.number == asked.revision);
    told.is_none_or(|told| DATE.iter().any(|fact| told.facts.get(*fact) != facts.get(*fact)))
}

/// Such letters to several addresses about one person are told apart by the address. The upper half: copies that a human
/// asks for count from 1.
pub(super) fn copy_to(address: &str) -> u32 {
    let digest = Sha256::digest(address.to_lowercase());
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) | 1 << 31
}
