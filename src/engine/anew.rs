//! What a rollback takes back of what people were told: the letters that steps of the change itself have sent, and the
//! answers to them. Once the step is taken again they are told anew, and asked anew.

use super::Engine;
use crate::campaign::{Action, Step};
use crate::fault::Result;
use crate::ledger::MessageRow;
use crate::runbook::{Entry, Event, Journal};

impl Engine<'_> {
    /// The last time that the step which sends a notice was taken back; `None` for a notice from before the change, which
    /// stays true.
    pub(super) fn taken_back(&self, notice: &str) -> Result<Option<Entry>> {
        let Some(step) = self.step_of_the_change(notice) else { return Ok(None) };
        let undone = |entry: &Entry| {
            entry.step == step.name && matches!(entry.event, Event::Undone { .. } | Event::UndoneByHand { .. })
        };
        Ok(self.ledger.entries()?.into_iter().rev().find(undone))
    }

    /// Whether a letter speaks of a step as it stands now.
    pub(super) fn speaks_of_now(message: &MessageRow, taken_back: Option<&Entry>) -> bool {
        taken_back.is_none_or(|entry| message.planned_at > entry.at)
    }

    /// The step, from the one with which the change begins on, that sends a notice.
    fn step_of_the_change(&self, notice: &str) -> Option<&Step> {
        let (change, _) = self.campaign.beginning()?;
        self.campaign.steps[change..].iter().find(|step| sends(step, notice))
    }

    /// How many have a letter of a step that is being taken back.
    pub(super) fn told_by(&self, step: &str) -> Result<usize> {
        let Some((change, _)) = self.campaign.beginning() else { return Ok(0) };
        let step = self.campaign.steps[change..].iter().find(|one| one.name == step);
        let Some(Action::Notice(names)) = step.and_then(|step| step.action.as_ref()) else { return Ok(0) };
        let mut people = std::collections::HashSet::new();
        for name in names {
            people.extend(self.ledger.have(name)?);
        }
        Ok(people.len())
    }
}

fn sends(step: &Step, notice: &str) -> bool {
    matches!(&step.action, Some(Action::Notice(names)) if names.iter().any(|one| one == notice))
}
