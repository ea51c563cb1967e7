//! What the files should show now: P1 and MASTER.GLB bear other names as the evening goes on, and the journal says how far it
//! has come.

use super::Engine;
use crate::campaign::Step;
use crate::fault::{Finding, Result, Severity};
use crate::msmail::P1;
use crate::runbook::{Entry, Event, History, Journal, StepState, history_of};
use chrono::{DateTime, Utc};

/// Checks of one thing, each of which holds until a step makes another one of them true.
const TURNS: [[&str; 3]; 2] = [["p1-quiet", "p1-closed", "p1-open"], ["master-old", "master-retired", "master-new"]];

const QUIET: &str = "p1-quiet";
/// What it says of mail that comes and goes while the transports run.
const UNDER_WAY: [&str; 5] = ["p1-mailbag-lock", "p1-session", "p1-outbound", "p1-inbound", "inqueue3-waiting"];
/// And of what is nobody's business until then.
const ODD: [&str; 2] = ["p1-unknown", "inqueue3-missing"];

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

    /// What P1 and INQUEUE3 hold while no step has asked for them to be quiet: a note, and a warning once that step is next, so
    /// that whoever states that the transports stand still can look first. `names`: what is checked as it should be now.
    pub(super) fn not_quiet_yet(&self, names: &[String]) -> Result<Vec<Finding>> {
        let steps = &self.campaign.steps;
        let wants = |step: &&Step| step.before.iter().chain(&step.after).any(|check| check == QUIET);
        let Some(step) = steps.iter().find(wants) else { return Ok(Vec::new()) };
        let entries = self.ledger.entries()?;
        for closing in steps.iter().filter(|step| step.closes_p1()) {
            if history_of(&entries, &closing.name)?.state.has_begun() {
                return Ok(Vec::new());
            }
        }
        if names.iter().any(|name| name == QUIET) {
            return Ok(Vec::new());
        }
        let is_next = self.require_before(step).is_ok();
        let mut findings = self.check_by_names(&[QUIET.to_owned()]);
        // The rest is told by those that look at the whole postoffice.
        findings.retain(|finding| UNDER_WAY.contains(&finding.code) || ODD.contains(&finding.code));
        for finding in &mut findings {
            let meaning = match (is_next, UNDER_WAY.contains(&finding.code)) {
                (true, _) => format!("step {} is next, and does not go on with this", step.name),
                (false, true) => format!("no fault while the transports run; by step {} it must be gone", step.name),
                (false, false) => format!("by step {}", step.name),
            };
            finding.severity = if is_next { Severity::Warning } else { Severity::Note };
            finding.remedy = format!("{meaning}: {}", finding.remedy);
        }
        Ok(findings)
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
