//! What the files should show now: P1 and MASTER.GLB bear other names as the evening goes on, and the journal says how far it
//! has come.

use super::Engine;
use crate::campaign::Step;
use crate::fault::Result;
use crate::msmail::P1;
use crate::runbook::{Entry, Event, History, Journal, StepState, history_of};
use chrono::{DateTime, Utc};

/// Checks of one thing, each of which holds until a step makes another one of them true.
const TURNS: [[&str; 3]; 2] = [["p1-quiet", "p1-closed", "p1-open"], ["master-old", "master-retired", "master-new"]];

impl Engine<'_> {
    /// The checks that hold now, by name: what the last steps have left, what one that failed was not satisfied with, and
    /// what the next one wants to find. Where a step was cut off in the middle, nothing is said of what it changes.
    pub(super) fn checks_by_now(&self) -> Result<Vec<String>> {
        let entries = self.ledger.entries()?;
        let mut now = [None::<&str>; TURNS.len()];
        let mut hold = |checks: &mut dyn Iterator<Item = &'_ String>, holds: bool| {
            for check in checks {
                for (turn, now) in TURNS.iter().zip(&mut now) {
                    if let Some(check) = turn.iter().find(|one| *one == check) {
                        *now = holds.then_some(*check);
                    }
                }
            }
        };
        for step in &self.campaign.steps {
            let history = history_of(&entries, &step.name)?;
            match stands(&history) {
                Stands::Done => hold(&mut step.before.iter().chain(&step.after), true),
                Stands::Made => hold(&mut step.after.iter(), true),
                Stands::Before => hold(&mut step.before.iter(), true),
                Stands::Between => hold(&mut step.after.iter(), false),
            }
            if history.state != StepState::Done {
                break;
            }
        }
        Ok(now.into_iter().flatten().map(str::to_owned).collect())
    }

    /// Which of its two names the steps have left P1 under. `None`: a step that renames it was cut off or has failed, and
    /// only the files tell.
    pub(super) fn p1_by_now(&self) -> Result<Option<P1>> {
        let entries = self.ledger.entries()?;
        let mut now = P1::Open;
        for step in self.campaign.steps.iter().filter(|step| step.closes_p1() || step.opens_p1()) {
            let history = history_of(&entries, &step.name)?;
            let made = history.state == StepState::Done || history.acted.is_some();
            if !history.state.has_begun() {
                break;
            }
            if history.state == StepState::Undoing || !made {
                return Ok(None);
            }
            now = if step.closes_p1() { P1::Closed } else { P1::Open };
        }
        Ok(Some(now))
    }

    /// The copies of the access files are in use: made, and the staged postoffice still waits for its turn.
    pub(super) fn lives_on_copies(&self) -> Result<bool> {
        Ok(self.access_copied_at()?.is_some() && self.recorded()?.installed.is_none())
    }

    /// When the access files were copied to the staged postoffice; `None` while that is to come, or was taken back.
    pub(super) fn access_copied_at(&self) -> Result<Option<DateTime<Utc>>> {
        let entries = self.ledger.entries()?;
        let copies = |step: &&Step| step.after.iter().any(|check| check == "access-copied");
        let Some(copying) = self.campaign.steps.iter().find(copies) else { return Ok(None) };
        if !is_done(&entries, copying)? {
            return Ok(None);
        }
        let done = |entry: &&Entry| entry.step == copying.name && matches!(entry.event, Event::Done { .. });
        Ok(entries.iter().rfind(done).map(|entry| entry.at))
    }
}

/// How a step has left what it changes.
enum Stands {
    Done,
    /// Changed, and not yet found right.
    Made,
    /// As the steps before it left it.
    Before,
    /// Cut off: as before or as after it.
    Between,
}

fn stands(history: &History) -> Stands {
    match history.state {
        StepState::Done => Stands::Done,
        StepState::Failed if history.is_made() => Stands::Made,
        StepState::Started if history.acted.is_some() => Stands::Made,
        StepState::Started if !history.intents.is_empty() => Stands::Between,
        StepState::Undoing => Stands::Between,
        StepState::Pending | StepState::Undone | StepState::Started | StepState::Failed => Stands::Before,
    }
}

fn is_done(entries: &[Entry], step: &Step) -> Result<bool> {
    Ok(history_of(entries, &step.name)?.state == StepState::Done)
}
