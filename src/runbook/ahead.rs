//! A rollback judged whole before its first change: what each step would find once those behind it are taken back. Half a
//! rollback is worse than none: P1 would be closed, and no command would lead on.

use super::actions::Stand;
use super::identity::{Identity, identify};
use super::journal::{Entry, History, history_of};
use super::lookup::Spot;
use super::rollback::changes_to_take_back;
use super::run::{has_program, unclear};
use crate::campaign::Step;
use crate::fault::{Fault, Finding, Result};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What would lie under the names that steps behind have given back; everything else is as the disk has it.
#[derive(Debug, Default)]
pub struct Ahead {
    /// By [`Spot::in_any_letters`]: a step has taken `master.glb` away, and the one behind it installed MASTER.GLB.
    foreseen: BTreeMap<PathBuf, Option<Identity>>,
    /// Whether one of these was asked for.
    asked: Cell<bool>,
}

impl Ahead {
    pub fn at(&self, spot: &Spot) -> Result<Option<Identity>> {
        match self.foreseen.get(&spot.in_any_letters()) {
            Some(foreseen) => {
                self.asked.set(true);
                Ok(foreseen.clone())
            }
            None => identify(&spot.folder()?, spot.name()),
        }
    }

    pub fn put(&mut self, spot: &Spot, what: Option<Identity>) {
        self.foreseen.insert(spot.in_any_letters(), what);
    }

    /// What is missing by then may lie there now.
    fn unclear_then(&self, mut fault: Fault) -> Fault {
        for finding in fault.findings.iter_mut().filter(|_| self.asked.get()) {
            finding.cause += "; so it would be once the steps behind it were taken back, not now";
            finding.remedy += ". A backup that a step has made holds each file as it was then";
        }
        fault
    }

    fn take_back(&mut self, step: &Step, history: &History) -> Result<()> {
        if has_program(&history.intents) {
            return changes_to_take_back(step, history).map(drop);
        }
        self.asked.set(false);
        let mut stands = Vec::new();
        for intent in history.intents.iter().rev() {
            stands.push(intent.operation().ahead(self, history.acted.is_some())?);
        }
        match stands.iter().any(|stand| matches!(stand, Stand::Unclear(_))) {
            true => Err(self.unclear_then(unclear(step, &history.intents, &stands))),
            false => Ok(()),
        }
    }
}

/// Refuses a rollback that would stop on its way. `back`: the steps to be taken back, last first.
/// Touches nothing.
pub fn require_way_back<'s>(entries: &[Entry], back: impl Iterator<Item = &'s Step>) -> Result<()> {
    let mut ahead = Ahead::default();
    for step in back {
        let history = history_of(entries, &step.name)?;
        if !history.state.has_begun() {
            continue;
        }
        ahead.take_back(step, &history).map_err(not_begun)?;
    }
    Ok(())
}

pub(super) fn not_begun(mut fault: Fault) -> Fault {
    let cause = "no step was taken back: one of them could not be, and half of it would leave the postoffice worse off";
    let remedy = "see to the cause. Safe now: `flagday check` says what is wrong, `flagday status` where it stands; both only look";
    fault.findings.push(Finding::note("rollback-not-begun", cause, remedy));
    fault
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_back_is_foreseen_in_whatever_letters_it_is_asked_for() {
        let folder = tempfile::tempdir().expect("a folder");
        // As a server shows it that takes both for one.
        fs_err::write(folder.path().join("master.glb"), "new").expect("written");
        let spot = |name: &str| Spot { root: folder.path().to_owned(), folders: Vec::new(), name: name.to_owned() };
        let mut ahead = Ahead::default();
        assert!(ahead.at(&spot("master.glb")).expect("looked").is_some());
        ahead.put(&spot("MASTER.GLB"), None);
        assert_eq!(ahead.at(&spot("master.glb")).expect("foreseen"), None);
        assert_eq!(ahead.at(&spot("OLDMAST.GLB")).expect("looked"), None);
    }
}
