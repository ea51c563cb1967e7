//! What became of a step that was begun: judged by its files, and half of a change taken back.

use super::words::unclear;
use crate::campaign::Step;
use crate::fault::Result;
use crate::runbook::actions::{Intent, Stand};
use crate::runbook::journal::History;

/// What the files of a begun step say.
pub enum Found {
    Done,
    NotDone,
    /// Its program ended in a failure. What that changed is not known here: it may be run again, or undone.
    Failed,
    /// It changes no files: the action says itself how far it is.
    Open,
}

/// Judges a begun step by its files; half of a change is taken back.
pub fn find(step: &Step, history: &History) -> Result<Found> {
    if history.intents.is_empty() {
        return Ok(Found::Open);
    }
    if has_program(&history.intents) {
        return match () {
            () if history.acted.is_some() || history.attested_since_start => Ok(Found::Done),
            () if history.failure_seen => Ok(Found::Failed),
            () => Err(unclear(step, &history.intents, &looks(&history.intents)?)),
        };
    }
    let stands = settle(&history.intents)?;
    if stands.iter().any(|stand| matches!(stand, Stand::Unclear(_))) {
        return Err(unclear(step, &history.intents, &stands));
    }
    if stands.iter().all(|stand| *stand == Stand::Done) {
        return Ok(Found::Done);
    }
    for (intent, stand) in history.intents.iter().zip(&stands).rev() {
        if *stand == Stand::Done {
            intent.operation().revert()?;
        }
    }
    Ok(Found::NotDone)
}

/// Takes away what is half done and looks at each change.
pub fn settle(intents: &[Intent]) -> Result<Vec<Stand>> {
    intents.iter().try_for_each(|intent| intent.operation().tidy())?;
    looks(intents)
}

fn looks(intents: &[Intent]) -> Result<Vec<Stand>> {
    intents.iter().map(|intent| intent.operation().look()).collect()
}

/// Whether the files still show each change as it was made.
pub fn still_stands(intents: &[Intent]) -> Result<bool> {
    Ok(looks(intents)?.iter().all(|stand| *stand == Stand::Done))
}

pub fn has_program(intents: &[Intent]) -> bool {
    intents.iter().any(|intent| matches!(intent, Intent::Shell(_)))
}
