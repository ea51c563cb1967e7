//! The staged MASTER.GLB, of which a person has stated what only ADMIN shows: the statement speaks of that very file.

use super::Engine;
use crate::campaign::{Action, Step};
use crate::fault::Result;
use crate::msmail::{self, Postoffice, Recorded};
use crate::runbook::{Event, Journal, StepState, state_of};

impl Engine<'_> {
    /// What the journal has of the staged postoffice.
    pub(super) fn recorded(&self) -> Result<Recorded> {
        let installed = self.installed()?;
        // While it is being put in place the staged file is what counts.
        let installed = installed.filter(|history| history.acted.is_some());
        let installed = installed.and_then(|history| Some(history.places().first()?.digest.clone()));
        Ok(Recorded { stated: self.stated_of_staged()?, installed, copied: self.access_copied_at()? })
    }

    /// The fingerprint of the staged file, to go on record with the statement about it.
    pub(super) fn seen_of_staged(&self, step: &Step) -> Result<Vec<String>> {
        if !speaks_of_staged(step) {
            return Ok(Vec::new());
        }
        Ok(self.staged_now()?.map(|digest| format!("{SEEN}{digest}")).into_iter().collect())
    }

    /// The statement about the staged file is on record, and the file is another one by now: it may be made anew.
    pub(super) fn is_overtaken(&self, step: &Step) -> Result<bool> {
        let Some(stated) = self.stated_of_staged()?.filter(|_| speaks_of_staged(step)) else { return Ok(false) };
        Ok(self.staged_now()?.is_some_and(|now| now != stated))
    }

    fn staged_now(&self) -> Result<Option<String>> {
        msmail::fingerprint(&Postoffice::open_folders(&self.msmail()?.staged, &["GLB"])?)
    }

    fn stated_of_staged(&self) -> Result<Option<String>> {
        let Some(step) = self.campaign.steps.iter().find(|step| speaks_of_staged(step)) else { return Ok(None) };
        let entries = self.ledger.entries()?;
        if state_of(&entries, &step.name)? != StepState::Done {
            return Ok(None);
        }
        let digest = |event: &Event| match event {
            Event::Attested { facts, .. } => facts.iter().find_map(|fact| Some(fact.strip_prefix(SEEN)?.to_owned())),
            _ => None,
        };
        let own = entries.iter().rev().filter(|entry| entry.step == step.name);
        // A statement that does not say of which file, as an older flagday took it, speaks of none that lies there.
        Ok(Some(own.map(|entry| &entry.event).find_map(digest).unwrap_or_default()))
    }
}

fn speaks_of_staged(step: &Step) -> bool {
    step.action == Some(Action::Observe("staged-master".to_owned()))
}

const SEEN: &str = "the staged MASTER.GLB has SHA-256 ";
