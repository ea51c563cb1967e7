//! Reminders that somebody asks for by name: the same rule as in the calendar. Of several past moments only the newest is sent,
//! an older one never after it, and nobody is reminded twice in one window, however often it is asked.

use super::{Look, Silent};
use crate::campaign::Acknowledgement;
use crate::engine::calendar::{Entry, What};
use crate::engine::sending::Intent;
use crate::engine::whereabouts::Whereabouts;
use crate::fault::Result;

impl Look<'_, '_> {
    /// For each person who is silent the newest moment that has come, else the next one, unless they had it, or a later one.
    /// With `again`, another copy for those as well.
    pub(in crate::engine) fn reminders_by_name(
        &self,
        calendar: &[Entry],
        asked: &Acknowledgement,
        again: bool,
    ) -> Result<Vec<Intent>> {
        let moments: Vec<&Entry> = calendar
            .iter()
            .filter(|entry| entry.what == What::Reminder && entry.acknowledgement.as_ref() == Some(&asked.name))
            .collect();
        let mut intents = Vec::new();
        for silent in self.silent(asked)?.values() {
            let place = Whereabouts::of(&silent.person);
            let theirs: Vec<&Entry> = moments.iter().filter(|entry| entry.there.contains(&place)).copied().collect();
            let intent = match self.moment_by_name(asked, silent, &theirs)? {
                Some(entry) => self.intent_if_new(asked, silent, entry)?,
                None if again => self.one_more(asked, silent)?,
                None => None,
            };
            intents.extend(intent);
        }
        Ok(intents)
    }

    fn moment_by_name<'c>(
        &self,
        asked: &Acknowledgement,
        silent: &Silent,
        theirs: &[&'c Entry],
    ) -> Result<Option<&'c Entry>> {
        let have = self.have("reminder")?;
        let had = |entry: &Entry| have.get(&silent.person.id).is_some_and(|copies| copies.contains(&entry.copy));
        let passed = theirs.iter().rposition(|entry| had(entry)).map_or(0, |last| last + 1);
        let come = theirs.iter().filter(|entry| entry.at <= self.now).count();
        if come > passed {
            return Ok(Some(theirs[come - 1]));
        }
        let lately = silent.letters.as_ref().is_some_and(|letters| {
            letters.reminders > 0 && letters.last.is_some_and(|last| self.now - last < asked.window)
        });
        // The one that is to come next, early; never the one after it before that has come.
        Ok(theirs.get(come).copied().filter(|_| passed <= come && !lately))
    }

    /// Copies that a human asks for count from 1.
    fn one_more(&self, asked: &Acknowledgement, silent: &Silent) -> Result<Option<Intent>> {
        let have = self.have("reminder")?;
        let copies = have.get(&silent.person.id);
        let copy = (1..).find(|copy| copies.is_none_or(|copies| !copies.contains(copy))).unwrap_or(1);
        let may = !silent.unreachable && !silent.unsent;
        let mut intent = self.intent_about(asked, silent, "reminder", copy, None)?;
        let earlier = self.engine.ledger.letters_to(&silent.person.id, "reminder")?;
        let open = earlier.iter().filter(|one| one.is_open() && one.acknowledgement == intent.acknowledgement);
        intent.replaces = open.map(|one| one.id).collect();
        Ok(Some(intent).filter(|intent| may && intent.room > 0))
    }
}
