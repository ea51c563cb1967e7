//! Whom a reminder, an escalation or a call to come would concern as things stand now: whoever has not answered, told or not,
//! without those whom it passes over already.

use super::fate::unreminded;
use super::{Entry, Look, What};
use crate::campaign::Acknowledgement;
use crate::engine::Engine;
use crate::fault::Result;
use crate::roster::Person;
use std::rc::Rc;
use std::sync::Arc;

impl Look<'_, '_> {
    /// How many people it would concern if nobody answered until its hour.
    pub(in crate::engine) fn to_come(&self, entry: &Entry) -> Result<usize> {
        let asked = entry.acknowledgement.as_ref().and_then(|name| self.engine.campaign.acknowledgements.get(name));
        let Some(asked) = asked else { return Ok(0) };
        let is_there = |person: &Person| entry.is_for(&self.engine.roster, person);
        let mut people = 0;
        for silent in self.silent(asked)?.values().filter(|silent| is_there(&silent.person)) {
            let spared = entry.what == What::Reminder && unreminded(silent, entry, self.engine).is_some();
            people += usize::from(!spared && self.intent_not_had(asked, silent, entry)?.is_some());
        }
        let called = |person: &Person| entry.what == What::Task && self.is_called(asked, person);
        let untold = self.untold(asked)?;
        Ok(people + untold.iter().filter(|person| is_there(person) && !called(person)).count())
    }

    /// Those who have not settled an acknowledgement, and have not been told yet.
    fn untold(&self, asked: &Acknowledgement) -> Result<Rc<Vec<Arc<Person>>>> {
        if let Some(untold) = self.untold.borrow().get(&asked.name) {
            return Ok(untold.clone());
        }
        let silent = self.silent(asked)?;
        let open = self.engine.standings(asked)?.into_iter().filter(|one| !Engine::is_settled(asked, one));
        let untold = open.filter(|one| !silent.contains_key(&one.person));
        let untold = Rc::new(untold.filter_map(|one| self.engine.roster.shared(&one.person)).collect());
        Ok(self.untold.borrow_mut().entry(asked.name.clone()).or_insert(untold).clone())
    }
}
