//! What moved, and moved back before a person heard anything about it: what they were told, by letter or by hand, is true
//! again. They are not written to, and what they answered counts as it did.

use super::Engine;
use super::amend::Wish;
use super::amendment::Amendment;
use super::missed::different;
use crate::campaign::Notice;
use crate::fault::Result;
use crate::ledger::{Out, Restored, Spoken};
use crate::notice::Texts;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What everybody has in hand and has answered, held against what an amendment is to tell.
pub(super) struct InHand<'e, 'w> {
    engine: &'e Engine<'w>,
    texts: Arc<Texts>,
    postponed: bool,
    /// The facts that are different, by the revision under which they were told; only where that can be the past.
    different: BTreeMap<u32, Vec<String>>,
    letters: HashMap<String, Vec<Out>>,
    spoken: HashMap<String, Spoken>,
}

impl<'w> Engine<'w> {
    pub(super) fn in_hand(&self, amendment: &Amendment, wish: &Wish) -> Result<InHand<'_, 'w>> {
        let past = self.past(Some(amendment))?;
        let facts_since = |from: usize| different(&past[from..]).into_iter().map(|one| one.fact).collect();
        let different: BTreeMap<u32, Vec<String>> =
            (0..past.len()).map(|from| (past[from].number, facts_since(from))).collect();
        // Something moved before, and moves now: else nobody need be asked.
        let (letters, spoken) = match past.len() > 2 && amendment.material().next().is_some() {
            true => (self.ledger.letters_out()?, self.ledger.spoken()?),
            false => Default::default(),
        };
        Ok(InHand { engine: self, texts: self.texts()?, postponed: wish.postpone, different, letters, spoken })
    }
}

impl InHand<'_, '_> {
    /// What puts on record that what somebody was told with a notice is true again; nothing where it is not, where anything
    /// that says otherwise may be with them, and where anybody heard from them since. Told they are by a letter that arrived,
    /// or where they have answered.
    pub(super) fn restored(&self, person: &str, notice: &Notice) -> Option<Restored> {
        let about = |one: &&Out| one.notice == notice.name || one.notice == "postponed";
        let letter = self.letters_to(person).iter().filter(about).max_by_key(|one| one.revision);
        let asks = self.engine.acknowledgement_asked_by(&notice.name);
        let answered = asks.and_then(|asks| self.spoken.get(person)?.answered.get(asks).copied());
        let since = letter.filter(|one| one.arrived).map(|one| one.revision).max(answered)?;
        let concerns = |fact: &str| self.engine.concerns(&self.texts, fact, notice, asks, person);
        let name = if self.postponed { "postponed" } else { &notice.name };
        self.unless_told(person, since, concerns).then(|| Restored {
            person: person.to_owned(),
            notice: name.to_owned(),
            asks: asks.filter(|_| !self.postponed).map(str::to_owned),
            since,
        })
    }

    /// The same of who hears of the date alone.
    pub(super) fn restored_date(&self, person: &str) -> Option<Restored> {
        let since = self.letters_to(person).iter().max_by_key(|one| one.revision).filter(|one| one.arrived)?.revision;
        let concerns = |fact: &str| matches!(fact, "change_at" | "time_zone");
        let (person, notice, asks) = (person.to_owned(), "correction".to_owned(), None);
        self.unless_told(&person, since, concerns).then_some(Restored { person, notice, asks, since })
    }

    fn letters_to(&self, person: &str) -> &[Out] {
        self.letters.get(person).map_or(&[], Vec::as_slice)
    }

    /// Whether what they were told then holds, and nothing that says otherwise came after it.
    fn unless_told(&self, person: &str, since: u32, concerns: impl Fn(&str) -> bool) -> bool {
        let holds = |revision: u32| {
            let facts = self.different.get(&revision);
            facts.is_some_and(|facts| !facts.iter().any(|fact| concerns(fact)))
        };
        let mut newer = self.letters_to(person).iter().map(|one| one.revision).filter(|revision| *revision >= since);
        holds(since) && newer.all(holds) && self.spoken.get(person).is_none_or(|spoken| spoken.newest <= since)
    }
}
