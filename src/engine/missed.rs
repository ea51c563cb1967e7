//! What somebody missed who was away while people were told that something changed: everything that is different since the
//! newest letter that they have, however many amendments passed them by.

use super::amendment::{Amendment, Effect};
use super::concerned::in_words;
use super::sending::Intent;
use super::{Difference, Engine};
use crate::fault::Result;
use crate::ledger::{Changed, Past};
use crate::notice::Texts;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

/// What was told, one revision after the other.
pub(super) struct Missed<'e, 'w> {
    engine: &'e Engine<'w>,
    texts: Arc<Texts>,
    past: Vec<Past>,
    /// By the revision that somebody heard of last: there is a fact for each one's package.
    different: RefCell<HashMap<u32, Rc<[Difference]>>>,
}

impl<'w> Engine<'w> {
    /// By what people were told last, or are told by an amendment.
    pub(super) fn missed(&self, amendment: Option<&Amendment>) -> Result<Missed<'_, 'w>> {
        Ok(Missed { engine: self, texts: self.texts()?, past: self.past(amendment)?, different: RefCell::default() })
    }

    /// What people were told, one revision after the other, and last what an amendment is to tell.
    pub(super) fn past(&self, amendment: Option<&Amendment>) -> Result<Vec<Past>> {
        let mut past = self.ledger.past()?;
        if let Some(amendment) = amendment.filter(|amendment| !amendment.changes.is_empty()) {
            let cosmetic = amendment.changes.iter().filter(|change| change.effect == Effect::Cosmetic);
            let cosmetic = cosmetic.map(|change| change.difference.fact.clone()).collect();
            past.push(Past { number: amendment.next, facts: self.facts_after(amendment)?, cosmetic });
        }
        Ok(past)
    }

    /// A notice for somebody who has an older letter about it says what changed since, whether its hour has come or an operator
    /// asked for it.
    pub(super) fn tell_what_was_missed(&self, intents: &mut [Intent]) -> Result<()> {
        if intents.is_empty() || self.ledger.revision_number()?.is_none_or(|number| number < 2) {
            return Ok(());
        }
        let missed = self.missed(None)?;
        for intent in intents.iter_mut().filter(|one| one.changes.is_empty() && self.is_about_the_change(&one.notice)) {
            intent.changes = missed.by(&intent.person.id, &intent.notice)?;
        }
        Ok(())
    }
}

impl Missed<'_, '_> {
    /// As the letter tells it: since the newest letter about the notice, or what they heard when they answered by hand after it
    /// or without one. Nothing for whoever was told nothing, or what is still true.
    pub(super) fn by(&self, person: &str, notice: &str) -> Result<Vec<Changed>> {
        let letter = self.engine.ledger.newest_letter(person, notice)?;
        let notice = &self.engine.campaign.notices[notice];
        let asks = self.engine.acknowledgement_asked_by(&notice.name);
        let now = self.past.last().map_or(0, |newest| newest.number);
        let heard = asks.map(|asks| self.engine.ledger.heard(person, asks, now)).transpose()?.flatten();
        let Some(known) = letter.map(|(revision, _)| revision).max(heard) else { return Ok(Vec::new()) };
        let since = self.past.iter().position(|one| one.number == known).map(|first| &self.past[first..]);
        let Some(since) = since.filter(|since| since.len() > 1) else { return Ok(Vec::new()) };
        let asked = asks.map(|name| &self.engine.campaign.acknowledgements[name]);
        let standing = asked.map(|asked| self.engine.standing(asked, person)).transpose()?.flatten();
        // Whoever has answered need not know until when others have to.
        let settled = asked.zip(standing).is_some_and(|(asked, standing)| Engine::is_settled(asked, &standing));
        let concerns = |fact: &str| {
            self.engine.concerns(&self.texts, fact, notice, asks, person) && !(settled && fact.starts_with("due "))
        };
        let differences =
            Rc::clone(self.different.borrow_mut().entry(known).or_insert_with(|| different(since).into()));
        let changes: Vec<&Difference> = differences.iter().filter(|one| concerns(&one.fact)).collect();
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        match letter {
            Some((revision, day)) => self.engine.letter_changes(&changes, notice, person, (day, revision)),
            None => Ok(in_words(&changes)),
        }
    }
}

/// What is different in the last of some revisions from the first, but for what the operator called cosmetic each time.
pub(super) fn different(revisions: &[Past]) -> Vec<Difference> {
    let [told, .., now] = revisions else { return Vec::new() };
    let is_material = |fact: &String| {
        let changed = |two: &[Past]| two[0].facts.get(fact) != two[1].facts.get(fact);
        revisions.windows(2).any(|two| changed(two) && !two[1].cosmetic.contains(fact))
    };
    let differences = told.facts.iter().filter_map(|(fact, before)| {
        let today = now.facts.get(fact).map_or("(gone)", String::as_str);
        (today != before && is_material(fact)).then(|| Difference::of(fact, before, today))
    });
    differences.collect()
}
