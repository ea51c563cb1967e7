//! The journal: what was meant, what came of it, who vouched. Entries are only added, and durable before the next
//! thing happens.

use super::intent::Intent;
use super::step::StepState;
use crate::fault::Result;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The gates that were open, with the digest of what they had in hand, and every change that is meant.
    Started {
        gates: Vec<(String, String)>,
        intents: Vec<Intent>,
    },
    Done {
        facts: serde_json::Value,
    },
    Failed {
        cause: String,
    },
    Attested {
        by: String,
        note: String,
    },
    Undoing {},
    Undone {},
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    pub seq: i64,
    pub at: DateTime<Utc>,
    pub step: String,
    #[serde(flatten)]
    pub event: Event,
}

pub trait Journal {
    /// Adds an entry; it is on the disk when this returns.
    fn append(&mut self, step: &str, event: Event, at: DateTime<Utc>) -> Result<()>;

    /// Every entry, oldest first.
    fn entries(&self) -> Result<Vec<Entry>>;
}

/// Where a step stands, by replay.
pub fn state_of(entries: &[Entry], step: &str) -> StepState {
    entries.iter().filter(|entry| entry.step == step).fold(StepState::Pending, |state, entry| state.apply(&entry.event))
}

/// The intents of the step's latest start that was not undone since.
pub(super) fn intents_of(entries: &[Entry], step: &str) -> Vec<Intent> {
    let of_step = entries.iter().rev().filter(|entry| entry.step == step);
    of_step
        .take_while(|entry| !matches!(entry.event, Event::Undone {}))
        .find_map(|entry| match &entry.event {
            Event::Started { intents, .. } => Some(intents.clone()),
            _ => None,
        })
        .unwrap_or_default()
}
