//! How far a rollback goes, and whether it can be gone at all.

use super::Engine;
use super::situation::closes;
use crate::campaign::Step;
use crate::fault::{Fault, Result};
use crate::msmail::{self, Postoffice};
use crate::runbook::{self, Journal, StepState, state_of};

impl Engine<'_> {
    /// The step that stays done. Where P1 is opened by it, that is none of the evening: whether the transports stand still
    /// has to be stated anew, because they are started when P1 is open.
    pub fn way_back(&self, to: Option<&str>) -> Result<Option<String>> {
        let Some(to) = to else { return Ok(None) };
        let wanted = self.step_named(to)?;
        let steps = &self.campaign.steps;
        let at = |found: &dyn Fn(&Step) -> bool| steps.iter().position(found);
        let evening = at(&|step| step.wait.is_some());
        let (keep, closing) = (at(&|step| step.name == wanted.name), at(&closes));
        let (Some(evening), Some(keep), Some(closing)) = (evening, keep, closing) else {
            return Ok(Some(to.to_owned()));
        };
        let entries = self.ledger.entries()?;
        let opens = keep < closing && !untouched(state_of(&entries, &steps[closing].name)?);
        match opens && evening <= keep {
            true => Ok(evening.checked_sub(1).map(|before| steps[before].name.clone())),
            false => Ok(Some(to.to_owned())),
        }
    }

    /// The steps that a rollback takes back, last first.
    pub(super) fn steps_back(&self, to: Option<&str>) -> impl Iterator<Item = &Step> {
        let keep = to.and_then(|name| self.campaign.steps.iter().position(|step| step.name == name));
        self.campaign.steps[keep.map_or(0, |keep| keep + 1)..].iter().rev()
    }

    /// Whether a rollback would come to its end. Only looks.
    pub(super) fn may_go_back(&self, to: Option<&str>) -> Result<bool> {
        let entries = self.ledger.entries()?;
        for step in self.steps_back(to) {
            // What was cut off is brought to one of its two ends first; that cannot be foreseen.
            if matches!(state_of(&entries, &step.name)?, StepState::Started | StepState::Undoing | StepState::Failed) {
                let history = runbook::history_of(&entries, &step.name)?;
                if !history.intents.is_empty() {
                    return Ok(true);
                }
            }
        }
        Ok(runbook::require_way_back(&entries, self.steps_back(to)).is_ok())
    }

    /// A share that is not mounted is no postoffice that has lost its files.
    pub(super) fn require_postoffice(&self) -> Result<()> {
        let Some(facts) = &self.campaign.msmail else { return Ok(()) };
        Postoffice::open_folders(&facts.postoffice, &[]).map(drop)
    }

    /// P1 made anew, or away, has remedies of its own.
    pub(super) fn require_one_p1(&self, to: Option<&str>) -> Result<()> {
        let (Some(facts), entries) = (&self.campaign.msmail, self.ledger.entries()?) else { return Ok(()) };
        let mut renames = false;
        for step in self.steps_back(to) {
            let of_p1 = step.after.iter().any(|check| check == "p1-closed" || check == "p1-open");
            renames |= of_p1 && step.action.is_some() && !untouched(state_of(&entries, &step.name)?);
        }
        let live = Postoffice::open_folders(&facts.postoffice, &["P1"])?;
        match renames {
            true => Fault::check(msmail::one_of_two(&live).into_iter().collect()).map(drop),
            false => Ok(()),
        }
    }
}

fn untouched(state: StepState) -> bool {
    matches!(state, StepState::Pending | StepState::Undone)
}
