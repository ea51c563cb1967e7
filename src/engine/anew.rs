//! What a rollback takes back of what people were told: the letters that steps of the change itself have sent, and the
//! answers to them. Once the step is taken again they are told anew, and asked anew.

use super::Engine;
use crate::campaign::{Action, Step};
use crate::fault::Result;
use crate::ledger::MessageRow;
use crate::runbook::{Entry, Event, Journal};
use std::collections::HashSet;

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

    /// How many have a letter of a step of the change.
    pub(super) fn told_by(&self, step: &str) -> Result<usize> {
        let Some(step) = self.steps_of_the_change().iter().find(|one| one.name == step) else { return Ok(0) };
        let mut people = HashSet::new();
        for name in notices_of(step) {
            people.extend(self.ledger.have(name)?);
        }
        Ok(people.len())
    }

    fn step_of_the_change(&self, notice: &str) -> Option<&Step> {
        self.steps_of_the_change().iter().find(|step| notices_of(step).iter().any(|one| one == notice))
    }

    /// Those from the one with which the change begins on.
    fn steps_of_the_change(&self) -> &[Step] {
        self.campaign.beginning().map_or(&[], |(change, _)| &self.campaign.steps[change..])
    }
}

fn notices_of(step: &Step) -> &[String] {
    match &step.action {
        Some(Action::Notice(names)) => names,
        _ => &[],
    }
}
