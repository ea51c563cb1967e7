//! A step from its gates to its done: checks, intents on record, the change, a look at the result, checks, done.
//!
//! The journal holds what is meant before anything is touched and what was seen after it. A step found begun is
//! judged by its files alone, so a run may be cut off at any instant.

mod found;
mod patience;
mod words;

pub use found::still_stands;
pub(super) use found::{has_program, settle};
pub(super) use patience::{IN_USE, patiently, revert};
pub(super) use words::{half_back, not_back, unclear};

use self::found::{Found, find};
pub use self::words::not_begun;
use self::words::{as_before, changed_but_wrong, half_undone, not_known, not_seen, stated_but_wrong, unfinished};
use super::actions::{Intent, Plan, plan};
use super::file_ops::UNSYNCED;
use super::journal::{Entry, Event, History, Journal, history_of};
use super::lookup::Paths;
use super::step::StepState;
use crate::campaign::{Action, Step};
use crate::fault::{Fault, Finding, Result};
use crate::gate::Passed;
use chrono::{DateTime, Utc};

/// How far an action of another room has come: notices sent, packages built, things observed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    Done { facts: Vec<String> },
    Waiting { why: String },
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Performed {
    /// `warnings` come from the checks; a step that had been done before has none, and no facts.
    Done { facts: Vec<String>, warnings: Vec<Finding> },
    /// For a person's statement, or for whatever the action waits for. Perform it again later.
    Waiting { why: String },
}

impl Performed {
    /// With more to be known of what was done.
    pub fn warning(mut self, more: Vec<Finding>) -> Performed {
        if let Performed::Done { warnings, .. } = &mut self {
            warnings.extend(more);
        }
        self
    }
}

/// Everything a run needs of the world around it.
pub struct Runbook<'a> {
    pub paths: &'a Paths,
    pub journal: &'a mut dyn Journal,
    /// Runs a check by its name.
    pub checks: &'a dyn Fn(&str) -> Result<Vec<Finding>>,
    /// Carries out, or goes on with, an action of another room. Called again after a crash: doing it twice must be
    /// doing it once.
    pub other: &'a mut dyn FnMut(&Action) -> Result<Progress>,
    pub now: &'a dyn Fn() -> DateTime<Utc>,
    /// Asked each time a file is in use, with the reason and the seconds waited so far. It pauses for a second and says
    /// whether to try again.
    pub again: &'a mut dyn FnMut(&str, u32) -> bool,
    /// The command that takes steps back, for what a stopped step says; none where whoever tells of it also tells the state
    /// of the postoffice, with what is safe in that.
    pub back: Option<&'a str>,
}

impl std::fmt::Debug for Runbook<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runbook").field("paths", self.paths).finish_non_exhaustive()
    }
}

impl Runbook<'_> {
    /// Brings one step to its end, from wherever an earlier run left it. A step that is done stays untouched.
    pub fn perform(&mut self, step: &Step, passed: Passed) -> Result<Performed> {
        if passed.step() != step.name {
            let cause = format!("the gates of {} were passed, not those of {}", passed.step(), step.name);
            return Err(Fault::new("gate-of-another-step", cause, "judge the gates of this step"));
        }
        let history = self.history(step)?;
        match history.state {
            StepState::Done => return Ok(Performed::Done { facts: Vec::new(), warnings: Vec::new() }),
            StepState::Undoing => return Err(half_undone(step, self.back)),
            StepState::Started | StepState::Failed => match found(step, &history, self.back)? {
                Found::Done | Found::Open => return self.finish(step, Vec::new()),
                Found::NotDone => self.not_done(step)?,
                Found::Failed => {}
            },
            StepState::Pending | StepState::Undone => {}
        }
        self.start(step, &history, &passed)
    }

    /// Judges a step that an earlier run began: finishes it when its effect is there, else leaves it ready to be
    /// started again (`None`), with every half change taken back. One whose program failed stays so: a rollback has to
    /// undo it. Begins nothing new, and so needs no gate. A step whose undoing was cut off is a fault.
    pub fn resume(&mut self, step: &Step) -> Result<Option<Performed>> {
        let history = self.history(step)?;
        match history.state {
            StepState::Started | StepState::Failed => {}
            StepState::Undoing => return Err(half_undone(step, self.back)),
            StepState::Pending | StepState::Done | StepState::Undone => return Ok(None),
        }
        match found(step, &history, self.back)? {
            Found::Done => self.finish(step, Vec::new()).map(Some),
            Found::NotDone => self.not_done(step).map(|()| None),
            Found::Failed | Found::Open => Ok(None),
        }
    }

    /// Records what a person states: the attestation a step asks for, or that a program whose end nobody saw has
    /// done its work.
    pub fn attest(&mut self, step: &Step, by: &str, note: &str) -> Result<()> {
        self.attest_seeing(step, by, note, Vec::new())
    }

    /// Refuses a statement for a step that asks for none now.
    pub fn require_asked(&self, step: &Step) -> Result<()> {
        let history = self.history(step)?;
        let unseen = history.state == StepState::Started && has_program(&history.intents);
        if history.state == StepState::Done || !(step.attest.is_some() || unseen) {
            let cause = format!("step {} asks for no statement now", step.name);
            return Err(Fault::new("nothing-to-attest", cause, "see `flagday status` for the step that waits"));
        }
        Ok(())
    }

    /// Like [`Runbook::attest`], with what the program saw at that moment.
    pub fn attest_seeing(&mut self, step: &Step, by: &str, note: &str, facts: Vec<String>) -> Result<()> {
        self.require_asked(step)?;
        let (by, note) = stated(by, note)?;
        let asked = step.attest.clone().unwrap_or_default();
        self.record(step, Event::Attested { by, note, asked, facts })
    }

    /// Records a statement of a step that is done once more, about what is another one by now.
    pub fn restate(&mut self, step: &Step, by: &str, note: &str, facts: Vec<String>) -> Result<()> {
        let (by, note) = stated(by, note)?;
        let asked = step.attest.clone().unwrap_or_default();
        self.record(step, Event::Attested { by, note, asked, facts })
    }

    fn start(&mut self, step: &Step, history: &History, passed: &Passed) -> Result<Performed> {
        let mut warnings = self.check(&step.before).map_err(|fault| not_begun(step, history, self.back, fault))?;
        if step.action.is_none()
            && let Some(why) = awaited(step, history)
        {
            return Ok(Performed::Waiting { why });
        }
        let Plan { intents, warnings: seen } = match &step.action {
            Some(action) => {
                let (paths, at) = (self.paths, (self.now)());
                patiently(self.again, || plan(&step.name, action, paths, at), || Ok(()))
                    .map_err(|fault| not_begun(step, history, self.back, fault))?
            }
            None => Plan::default(),
        };
        warnings.extend(seen);
        let gates = passed.gates().map(|(name, digest)| (name.to_owned(), digest.to_owned())).collect();
        self.record(step, Event::Started { gates, intents: intents.clone() })?;
        let mut facts = Vec::new();
        // Every right is proved before the first change is made.
        for intent in &intents {
            match intent.operation().prove() {
                Ok(seen) => warnings.extend(seen),
                Err(fault) => return Err(self.failed(step, &intents, fault)),
            }
        }
        for intent in &intents {
            match patience::apply(self.again, intent) {
                Ok(seen) => facts.extend(seen),
                Err(fault) => return Err(self.failed(step, &intents, fault)),
            }
        }
        if !intents.is_empty() {
            self.record(step, Event::Acted { facts })?;
        }
        self.finish(step, warnings)
    }

    /// What follows on the change: actions of other rooms, a person's statement, the checks.
    fn finish(&mut self, step: &Step, mut warnings: Vec<Finding>) -> Result<Performed> {
        let history = self.history(step)?;
        let mut facts = history.acted.clone().unwrap_or_default();
        if let Some(action @ (Action::Notice(_) | Action::Package(_) | Action::Observe(_))) = &step.action {
            match (self.other)(action) {
                Ok(Progress::Done { facts: seen }) => facts.extend(seen),
                Ok(Progress::Waiting { why }) => return Ok(Performed::Waiting { why }),
                Err(fault) => {
                    self.record(step, Event::Failed { cause: fault.to_string() })?;
                    return Err(fault);
                }
            }
        }
        if let Some(why) = awaited(step, &history) {
            return Ok(Performed::Waiting { why });
        }
        if let Some((by, note)) = &history.attested {
            facts.push(format!("{by} states: {note}"));
            facts.extend(history.attested_facts.clone());
        }
        match self.check(&step.after) {
            Ok(seen) => warnings.extend(seen),
            // That gainsays nobody: the step is where it was, and the next run looks again.
            Err(mut fault) if fault.is_blindness() => {
                fault.findings.push(not_seen(step, self.back));
                return Err(fault);
            }
            Err(mut fault) => {
                let gone = history.attested.filter(|_| step.attest.is_some());
                let words = gone.as_ref().map_or(String::new(), |(by, _)| format!("; what {by} stated counts no more"));
                self.record(step, Event::Failed { cause: format!("{fault}{words}") })?;
                fault.findings.push(match gone {
                    Some((by, _)) => stated_but_wrong(step, &by, self.back),
                    None => changed_but_wrong(step, self.back),
                });
                return Err(fault);
            }
        }
        self.record(step, Event::Done { facts: facts.clone() })?;
        Ok(Performed::Done { facts, warnings })
    }

    /// After an error: takes back what was half done and records the failure. Where the files do not allow that, the
    /// step stays begun, and the next run looks again. After a failed sync nothing more is done: whatever the disk says
    /// next, what it has lost would stay lost.
    fn failed(&mut self, step: &Step, intents: &[Intent], mut fault: Fault) -> Fault {
        let unseen = fault.findings.iter().any(|finding| finding.code == "program-timeout");
        let history = History { intents: intents.to_vec(), failure_seen: !unseen, ..History::default() };
        let event = Event::Failed { cause: fault.to_string() };
        if fault.findings.iter().any(|finding| finding.code == UNSYNCED) {
            let recorded = self.record(step, event);
            fault.findings.push(unfinished(step, self.back));
            fault.findings.extend(recorded.err().into_iter().flat_map(|more| more.findings));
            return fault;
        }
        match find(step, &history) {
            Ok(found @ (Found::NotDone | Found::Failed)) => match self.record(step, event) {
                Ok(()) if matches!(found, Found::Failed) => fault.findings.push(not_known(step, self.back)),
                Ok(()) => fault.findings.push(as_before(step, self.back)),
                Err(more) => fault.findings.extend(more.findings),
            },
            Ok(Found::Done | Found::Open) => fault.findings.push(unfinished(step, self.back)),
            Err(more) => {
                fault.findings.extend(more.findings);
                // What became of a program, no second look can tell.
                if !unseen {
                    fault.findings.push(not_seen(step, self.back));
                }
            }
        }
        fault
    }

    fn not_done(&mut self, step: &Step) -> Result<()> {
        let facts = vec!["the files stand as before the step".to_owned()];
        self.record(step, Event::NotDone { facts })
    }

    pub(super) fn check(&self, names: &[String]) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        for name in names {
            match (self.checks)(name) {
                Ok(seen) => findings.extend(seen),
                Err(fault) => findings.extend(fault.findings),
            }
        }
        Fault::check(findings)
    }

    pub(super) fn record(&mut self, step: &Step, event: Event) -> Result<()> {
        self.journal.append(&step.name, event, (self.now)())
    }

    pub(super) fn history(&self, step: &Step) -> Result<History> {
        let entries: Vec<Entry> = self.journal.entries()?;
        history_of(&entries, &step.name)
    }
}

/// Judges a step that another run began, and makes durable what is found: that run may have been cut off before its
/// last sync.
fn found(step: &Step, history: &History, back: Option<&str>) -> Result<Found> {
    let found = find(step, history).and_then(|found| match found {
        Found::Open => Ok(found),
        _ => history.intents.iter().try_for_each(|intent| intent.operation().seal()).map(|()| found),
    });
    found.map_err(|mut fault| {
        if !fault.findings.iter().any(|finding| ["files-unclear", "program-unseen"].contains(&finding.code)) {
            fault.findings.push(not_seen(step, back));
        }
        fault
    })
}

/// What a person still has to state.
fn awaited(step: &Step, history: &History) -> Option<String> {
    let text = step.attest.as_ref().filter(|_| history.attested.is_none())?;
    Some(format!("a person has to state: {text} (flagday cutover attest {} --by NAME --note TEXT)", step.name))
}

/// Words on record: one line each, not empty, not endless.
pub fn stated(by: &str, note: &str) -> Result<(String, String)> {
    let bad = |text: &str| text.trim().is_empty() || text.len() > 4000 || text.chars().any(char::is_control);
    if bad(by) || bad(note) {
        let cause = "a statement needs a name and a note, each in one line";
        return Err(Fault::new("statement-empty", cause, "write --by NAME --note TEXT: an auditor will read it"));
    }
    Ok((by.trim().to_owned(), note.trim().to_owned()))
}
