//! The record of steps begun, done and undone. What a step's state is follows from it by replay.

use super::actions::Intent;
use super::identity::Identity;
use super::step::{StepState, apply};
use crate::fault::{Fault, Result};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// From 1, without gaps.
    pub seq: i64,
    pub step: String,
    pub at: DateTime<Utc>,
    pub event: Event,
}

/// What happened to a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// About to act: the gates it passed with the digest of their evidence, and every change it is going to make.
    Started {
        gates: Vec<(String, String)>,
        intents: Vec<Intent>,
    },
    /// The action itself ended well; an attestation and the checks afterwards may still be missing.
    Acted {
        facts: Vec<String>,
    },
    /// The effect is there, seen in the files, and the checks afterwards are satisfied.
    Done {
        facts: Vec<String>,
    },
    Failed {
        cause: String,
    },
    /// It had been started, and the files show that nothing has happened, or that it was taken back.
    NotDone {
        facts: Vec<String>,
    },
    /// About to take it back.
    Undoing {},
    Undone {
        facts: Vec<String>,
    },
    /// A person states that they took it back, where the program cannot see it.
    UndoneByHand {
        by: String,
        note: String,
    },
    /// A person states what the program cannot see.
    Attested {
        by: String,
        note: String,
        /// The text they were asked to state.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        asked: String,
        /// What the program saw at that moment, and which points of a list the statement covers.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        facts: Vec<String>,
    },
}

/// Where entries are kept. An entry is never changed or removed.
pub trait Journal {
    /// Adds an entry; durable when it returns.
    fn append(&mut self, step: &str, event: Event, at: DateTime<Utc>) -> Result<()>;

    /// All entries, oldest first.
    fn entries(&self) -> Result<Vec<Entry>>;
}

/// What the journal tells about one step.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    pub state: StepState,
    /// The changes of its last start.
    pub intents: Vec<Intent>,
    /// Its action ended well since the last start, with these facts.
    pub acted: Option<Vec<String>>,
    /// The last attempt, to do it or to take it back, ended in a failure that was seen: it was not cut off.
    pub failure_seen: bool,
    /// Stated by a person, and since then no step was taken back, nor a check after this one left unsatisfied.
    pub attested: Option<(String, String)>,
    /// What was seen at that moment.
    pub attested_facts: Vec<String>,
    /// The attestation came after the last start.
    pub attested_since_start: bool,
}

impl History {
    /// Its last start has changed all that it was to change.
    pub fn is_made(&self) -> bool {
        self.acted.is_some() || self.intents.is_empty()
    }

    /// What its last start was to give another name.
    pub fn renames(&self) -> impl Iterator<Item = &Identity> {
        self.intents.iter().filter_map(|intent| match intent {
            Intent::Rename(rename) => Some(&rename.identity),
            _ => None,
        })
    }

    /// Where its last start was to copy a tree to.
    pub fn backup(&self) -> Option<PathBuf> {
        self.intents.iter().find_map(|intent| match intent {
            Intent::Backup(backup) => Some(backup.tree()),
            _ => None,
        })
    }

    /// The files that its last start was to put in place.
    pub fn places(&self) -> Vec<&Identity> {
        let placements = self.intents.iter().filter_map(|intent| match intent {
            Intent::Place(placement) => Some(&placement.new),
            _ => None,
        });
        placements.collect()
    }
}

/// Replays the journal for one step. A journal that breaks the table was altered, and is a fault.
pub fn history_of(entries: &[Entry], step: &str) -> Result<History> {
    let mut history = History::default();
    for entry in entries {
        if matches!(entry.event, Event::Undone { .. } | Event::UndoneByHand { .. }) {
            history.attested = None;
        }
        if entry.step != step {
            continue;
        }
        history.state = apply(history.state, &entry.event).ok_or_else(|| {
            Fault::new(
                "journal-broken",
                format!(
                    "entry {} of the journal cannot follow on '{}' of step {step}",
                    entry.seq,
                    history.state.word()
                ),
                "do not go on: run `flagday audit verify`, and compare the files with the backup",
            )
        })?;
        match &entry.event {
            Event::Attested { by, note, facts, .. } => {
                history.attested = Some((by.clone(), note.clone()));
                history.attested_facts = facts.clone();
                history.attested_since_start = true;
                continue;
            }
            Event::Started { intents, .. } => {
                history.intents = intents.clone();
                history.attested_since_start = false;
                history.acted = None;
            }
            Event::Acted { facts } => history.acted = Some(facts.clone()),
            // The check after it gainsays what was stated, or what mends it makes it untrue.
            Event::Failed { .. } if history.state == StepState::Failed && history.is_made() => history.attested = None,
            _ => {}
        }
        history.failure_seen = matches!(entry.event, Event::Failed { .. });
    }
    Ok(history)
}

/// The step's state by replay; see [`history_of`].
pub fn state_of(entries: &[Entry], step: &str) -> Result<StepState> {
    Ok(history_of(entries, step)?.state)
}

/// A journal in memory, for trying things out.
#[derive(Debug, Clone, Default)]
pub struct MemoryJournal(pub Vec<Entry>);

impl Journal for MemoryJournal {
    fn append(&mut self, step: &str, event: Event, at: DateTime<Utc>) -> Result<()> {
        self.0.push(Entry { seq: self.0.len() as i64 + 1, step: step.to_owned(), at, event });
        Ok(())
    }

    fn entries(&self) -> Result<Vec<Entry>> {
        Ok(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(events: Vec<(&str, Event)>) -> Vec<Entry> {
        let mut journal = MemoryJournal::default();
        for (step, event) in events {
            journal.append(step, event, DateTime::UNIX_EPOCH).expect("kept");
        }
        journal.0
    }

    fn started() -> Event {
        Event::Started { gates: vec![], intents: vec![] }
    }

    fn attested() -> Event {
        Event::Attested { by: "Ann".into(), note: "stopped".into(), asked: "all stopped".into(), facts: vec![] }
    }

    #[test]
    fn each_step_has_a_state_of_its_own() {
        let entries = journal(vec![("a", started()), ("b", started()), ("a", Event::Done { facts: vec![] })]);
        let state = |step| state_of(&entries, step).expect("whole");
        assert_eq!((state("a"), state("b"), state("c")), (StepState::Done, StepState::Started, StepState::Pending));
    }

    #[test]
    fn an_impossible_journal_is_a_fault() {
        let fault = state_of(&journal(vec![("a", Event::Done { facts: vec![] })]), "a").expect_err("altered");
        assert!(fault.cause().contains("entry 1"), "{fault}");
    }

    #[test]
    fn an_attestation_expires_when_any_step_is_taken_back() {
        let undone =
            vec![("q", attested()), ("a", started()), ("a", Event::Undoing {}), ("a", Event::Undone { facts: vec![] })];
        assert!(history_of(&journal(undone[..3].to_vec()), "q").expect("whole").attested.is_some());
        assert!(history_of(&journal(undone), "q").expect("whole").attested.is_none());
    }

    #[test]
    fn an_attestation_expires_when_the_check_after_it_is_not_satisfied() {
        let failed = || Event::Failed { cause: "P1 holds mail".into() };
        let stated = |events: Vec<(&str, Event)>| history_of(&journal(events), "q").expect("whole").attested.is_some();
        assert!(stated(vec![("q", attested()), ("q", started())]));
        assert!(!stated(vec![("q", attested()), ("q", started()), ("q", failed())]));
        assert!(stated(vec![("q", attested()), ("q", started()), ("q", failed()), ("q", attested())]));
        assert!(stated(vec![("q", attested()), ("a", started()), ("a", failed())]), "another step's");
    }

    #[test]
    fn an_entry_survives_being_written_and_read() {
        for entry in journal(vec![("a", started()), ("a", attested()), ("a", Event::Undoing {})]) {
            let text = serde_json::to_string(&entry).expect("written");
            assert_eq!(serde_json::from_str::<Entry>(&text).expect("read"), entry);
        }
    }
}
