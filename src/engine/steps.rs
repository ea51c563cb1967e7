//! Each step as a report sees it: how far it is, why it does not run, and what it would do.

use super::Engine;
use super::points::{Point, left_out, stated_points};
use super::starting::POLLING;
use crate::campaign::Step;
use crate::fault::{Finding, Result, Severity};
use crate::gate::Verdict;
use crate::runbook::{self, Entry, Event, History, Journal, StepState, history_of};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// One step as a report sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepView {
    pub name: String,
    pub title: String,
    pub article: Option<String>,
    /// `pending`, `blocked`, `running`, `done`, `failed` or `undone`.
    pub state: &'static str,
    pub needs: Vec<String>,
    pub why: String,
    pub at: Option<DateTime<Utc>>,
    /// The step's checklist, as it was stated.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<Point>,
    /// The command that goes on with a step once begun.
    #[serde(skip)]
    pub resume: String,
}

/// What one step would do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outlook {
    pub step: String,
    pub state: StepState,
    /// Empty once it is done.
    pub would: Vec<String>,
    /// What the checks and the files say of the step that is next; those behind it depend on what it leaves.
    pub findings: Vec<Finding>,
}

const AWAITS_STATEMENT: &str = "a person's statement is awaited";

impl Engine<'_> {
    /// Every step with its state, and why it does not run.
    pub fn steps(&self) -> Result<Vec<StepView>> {
        let entries = self.ledger.entries()?;
        let verdicts = self.verdicts()?;
        let (mut before_done, off) = (true, self.aborted()?.is_some());
        let anew = self.to_be_restated()?.filter(|_| !off).map(|(step, why)| (step.name.clone(), why));
        let mut views = Vec::new();
        for step in &self.campaign.steps {
            let history = history_of(&entries, &step.name)?;
            let (state, why) = match history.state {
                StepState::Done => match &anew {
                    Some((name, why)) if *name == step.name => {
                        ("blocked", format!("its statement is to be made anew: {why}"))
                    }
                    _ => ("done", left_out(&history)),
                },
                StepState::Failed => ("failed", failure(&entries, &step.name)),
                StepState::Undoing => ("running", "was being taken back, and that was cut off".into()),
                StepState::Started if awaits_statement(step, &history) => ("blocked", AWAITS_STATEMENT.into()),
                StepState::Started => ("running", "was begun, and that was cut off".into()),
                StepState::Pending | StepState::Undone if off => (history.state.word(), "it was called off".into()),
                StepState::Pending | StepState::Undone if !before_done => {
                    (history.state.word(), "a step before it is open".into())
                }
                StepState::Pending | StepState::Undone => self
                    .held(step, &history, &verdicts)?
                    .map_or((history.state.word(), "next".to_owned()), |why| ("blocked", why)),
            };
            before_done &= state == "done";
            views.push(StepView {
                name: step.name.clone(),
                title: step.title.clone(),
                article: step.article.clone(),
                state,
                needs: step.needs.clone(),
                why,
                at: entries.iter().rev().find(|entry| entry.step == step.name).map(|entry| entry.at),
                points: stated_points(&entries, &step.name),
                resume: match history.state {
                    StepState::Undoing => self.rest_of_the_way_back()?,
                    _ => "flagday cutover".to_owned(),
                },
            });
        }
        Ok(views)
    }

    /// What holds a step that is next.
    fn held(&self, step: &Step, history: &History, verdicts: &[Verdict]) -> Result<Option<String>> {
        let shut = verdicts.iter().find(|verdict| step.needs.contains(&verdict.name) && !verdict.open);
        if let Some(verdict) = shut {
            return Ok(Some(format!("gate {}: {}", verdict.name, verdict.count())));
        }
        if let Some(at) = self.begins(step).filter(|at| *at > self.now()) {
            return Ok(Some(self.not_before(at)));
        }
        if let Some((why, _)) = self.unseen(step)? {
            return Ok(Some(why));
        }
        if let Some(other) = self.changed_by_others(step)?.into_iter().next() {
            return Ok(Some(other.cause));
        }
        if step.action.is_none() && awaits_statement(step, history) {
            return Ok(Some(AWAITS_STATEMENT.to_owned()));
        }
        // A share that is away is told as that, elsewhere.
        if self.waits_for_drain(step)
            && let Ok(Some(finding)) = self.mail_of_nobody(Severity::Error)
        {
            return Ok(Some(finding.cause));
        }
        if let Ok(Some(finding)) = self.new_unwatched(step) {
            return Ok(Some(finding.cause));
        }
        let polled = self.polled(step)?.filter(|at| *at > self.now());
        Ok(polled.map(|at| format!("{}: {POLLING}", self.not_before(at))))
    }

    /// When the step may begin at the earliest, where it says so.
    pub(super) fn begins(&self, step: &Step) -> Option<DateTime<Utc>> {
        step.wait.map(|moment| moment.instant(&self.campaign.change))
    }

    fn not_before(&self, at: DateTime<Utc>) -> String {
        format!("not before {}", at.with_timezone(&self.campaign.change.zone).format("%a %F %H:%M %Z"))
    }

    /// What each step would do, in words, and what stands against the next one. Nothing is touched.
    pub fn dry_run(&self) -> Result<Vec<Outlook>> {
        let paths = self.paths();
        let entries = self.ledger.entries()?;
        let mut next = true;
        let mut outlooks = Vec::new();
        for step in &self.campaign.steps {
            let state = history_of(&entries, &step.name)?.state;
            let mut findings = Vec::new();
            if next && state != StepState::Done {
                next = false;
                if !state.has_begun() {
                    findings = self.check_by_names(&step.before);
                    let others = self.changed_by_others(step)?;
                    findings.extend(others.into_iter().filter(|one| !findings.contains(one)).collect::<Vec<_>>());
                    findings.extend(runbook::refusals(step, &paths, self.now()));
                    findings.extend(self.backup_old(step)?);
                }
            }
            let mut would = Vec::new();
            if state != StepState::Done {
                would.extend(self.begins(step).map(|at| self.not_before(at)));
                would.extend(runbook::describe(&self.filled(step)?, &paths));
            }
            outlooks.push(Outlook { step: step.name.clone(), state, would, findings });
        }
        Ok(outlooks)
    }
}

/// The statement comes after what the step changes; one that changes nothing is the statement.
fn awaits_statement(step: &Step, history: &History) -> bool {
    let acted = history.intents.is_empty() || history.acted.is_some();
    step.attest.is_some() && history.attested.is_none() && acted
}

fn failure(entries: &[Entry], step: &str) -> String {
    let cause = entries.iter().rev().filter(|entry| entry.step == step).find_map(|entry| match &entry.event {
        Event::Failed { cause } => Some(cause.clone()),
        _ => None,
    });
    cause.unwrap_or_else(|| "it failed".into())
}
