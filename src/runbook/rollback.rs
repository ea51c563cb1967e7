//! Undoing: steps in reverse, every intent held against the files first, every one journaled by the same rules.

use super::intent::{Intent, Seen};
use super::journal::{Event, Journal, intents_of, state_of};
use super::run::{Now, unclear};
use super::step::StepState;
use crate::campaign::Step;
use crate::fault::Result;

/// Undoes every step that has left pending, last first, down to and including `to`. A second rollback does nothing.
/// Returns the names of the steps undone.
pub fn rollback(steps: &[Step], to: Option<&str>, journal: &mut dyn Journal, now: &Now) -> Result<Vec<String>> {
    let mut undone = Vec::new();
    for step in steps.iter().rev() {
        let entries = journal.entries()?;
        let state = state_of(&entries, &step.name);
        if !matches!(state, StepState::Pending | StepState::Undone) {
            let intents = intents_of(&entries, &step.name);
            if state != StepState::Undoing {
                journal.append(&step.name, Event::Undoing {}, now())?;
            }
            // What was only begun may hold a program that never ran; of a step that was done, all ran.
            let ran =
                entries.iter().rev().any(|entry| entry.step == step.name && matches!(entry.event, Event::Done { .. }));
            for intent in intents.iter().rev() {
                undo(step, intent, ran)?;
            }
            journal.append(&step.name, Event::Undone {}, now())?;
            undone.push(step.name.clone());
        }
        if to == Some(step.name.as_str()) {
            break;
        }
    }
    Ok(undone)
}

fn undo(step: &Step, intent: &Intent, ran: bool) -> Result<()> {
    let seen = match intent {
        Intent::Shell { .. } if ran => Seen::Done,
        other => other.look()?,
    };
    match seen {
        Seen::NotDone => Ok(()),
        Seen::Unclear(why) => Err(unclear(step, intent, &why)),
        Seen::Done => intent.undo(),
    }
}
