//! Whom an escalation goes to: the manager, without one the alternate, and when nobody is left somebody has to call. Each of
//! them is asked once about one person, however the steps fall together.

use super::{Entry, Look};
use crate::campaign::{Acknowledgement, EscalationWay};
use crate::fault::Result;
use crate::ledger::{Escalated, MessageRow};
use crate::roster::Person;
use lettre::Address;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// The escalations about one acknowledgement.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Those that went out, by person.
    letters: HashMap<String, Vec<Escalated>>,
    /// The steps that stand in the file, by copy.
    ways: HashMap<u32, EscalationWay>,
}

/// Whom a step to come will ask: about which acknowledgement, and for which step.
pub(super) type ToAsk = (String, Address, EscalationWay);

/// Whom a step of the chain asks about a person, and whom in their place.
pub(in crate::engine) fn ways_of(person: &Person, way: EscalationWay) -> (Option<&Address>, Option<&Address>) {
    let (manager, alternate) = (person.manager_email.as_ref(), person.alternate_email.as_ref());
    match way {
        EscalationWay::Manager => (manager, alternate),
        EscalationWay::Alternate => (alternate, None),
        EscalationWay::Phone => (None, None),
    }
}

impl Look<'_, '_> {
    /// The next address of the chain from this step on that takes mail and was not asked about the person yet. A step that stands in the
    /// file twice asks its own address twice. `before`: whom steps to come ask first.
    pub(super) fn next_in_chain(
        &self,
        asked: &Acknowledgement,
        person: &Person,
        way: EscalationWay,
        before: &[ToAsk],
    ) -> Result<Option<Address>> {
        let (own, next) = ways_of(person, way);
        let (known, came_back) = (self.asked(asked)?, self.came_back()?);
        let letters = known.letters.get(&person.id).map(Vec::as_slice).unwrap_or_default();
        let is_free = |to: &Address, steps: Option<EscalationWay>| {
            let to = to.to_string().to_lowercase();
            if came_back.contains(&to) {
                return false;
            }
            let had = letters.iter().filter(|one| one.to == to).map(|one| known.ways.get(&one.copy).copied());
            let first =
                before.iter().filter(|(about, one, _)| *about == asked.name && one.to_string().to_lowercase() == to);
            had.chain(first.map(|(.., way)| Some(*way))).all(|way| way == steps && steps.is_some())
        };
        let own = own.filter(|to| is_free(to, Some(way)));
        Ok(own.or(next.filter(|to| is_free(to, None))).cloned())
    }

    /// Whom a letter that did not arrive asks now that its address is gone from the roster: who has its step in the chain
    /// today, or the next one who was not asked.
    pub(in crate::engine) fn asked_instead(&self, lost: &MessageRow, person: &Person) -> Result<Option<Address>> {
        let asked = lost.acknowledgement.as_ref().and_then(|name| self.engine.campaign.acknowledgements.get(name));
        let Some(asked) = asked else { return Ok(None) };
        let way = self.asked(asked)?.ways.get(&lost.copy).copied();
        self.next_in_chain(asked, person, way.unwrap_or(EscalationWay::Manager), &[])
    }

    /// Whether a step that is no longer in the file went out since the hour of this one: a list that is edited in
    /// mid-campaign asks nobody twice.
    pub(super) fn stood_in(&self, asked: &Acknowledgement, person: &Person, entry: &Entry) -> Result<bool> {
        let known = self.asked(asked)?;
        let letters = known.letters.get(&person.id).map(Vec::as_slice).unwrap_or_default();
        Ok(letters.iter().any(|one| one.at >= entry.at && !known.ways.contains_key(&one.copy)))
    }

    /// The address that was asked last about the person, where that letter did not arrive.
    pub(super) fn lost_escalation(&self, asked: &Acknowledgement, person: &Person) -> Result<Option<String>> {
        let known = self.asked(asked)?;
        let newest = known.letters.get(&person.id).and_then(|letters| letters.last());
        Ok(newest.filter(|one| one.lost).map(|one| one.to.clone()))
    }

    /// Somebody has to call them about it already.
    pub(super) fn is_called(&self, asked: &Acknowledgement, person: &Person) -> bool {
        !self.calls.is_empty() && self.calls.contains_key(&(person.id.clone(), asked.name.clone()))
    }

    /// Addresses from which mail comes back, in small letters.
    pub(in crate::engine) fn came_back(&self) -> Result<Rc<HashSet<String>>> {
        if let Some(known) = self.came_back.borrow().as_ref() {
            return Ok(Rc::clone(known));
        }
        let known = Rc::new(self.engine.ledger.came_back_from()?);
        Ok(self.came_back.borrow_mut().insert(known).clone())
    }

    fn asked(&self, asked: &Acknowledgement) -> Result<Rc<Asked>> {
        if let Some(known) = self.asked.borrow().get(&asked.name) {
            return Ok(known.clone());
        }
        let mut known = Asked { ways: self.engine.escalation_ways(&asked.name), ..Asked::default() };
        for one in self.engine.ledger.escalated(&asked.name)? {
            known.letters.entry(one.person.clone()).or_default().push(one);
        }
        Ok(self.asked.borrow_mut().entry(asked.name.clone()).or_insert(Rc::new(known)).clone())
    }
}
