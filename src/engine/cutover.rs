//! The cutover: steps in their order until one is blocked, done, or needs a person. What was done is read from the
//! journal and from the files, never from memory.

use super::Engine;
use super::points::Except;
use crate::campaign::{Campaign, Step};
use crate::fault::{Exit, Fault, Finding, Result, Severity};
use crate::gate::Verdict;
use crate::msmail;
use crate::runbook::{Journal, Paths, Performed, StepState, state_of, stated};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// Why the cutover stopped where it did.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "stop", rename_all = "snake_case")]
pub enum Stop {
    /// Every step is done.
    Done,
    /// The last step asked for is done.
    Reached {
        step: String,
    },
    Blocked {
        step: String,
        gates: Vec<Verdict>,
    },
    Waiting {
        step: String,
        until: DateTime<Utc>,
        /// Empty: its hour has not come.
        #[serde(skip_serializing_if = "String::is_empty")]
        why: String,
    },
    /// Something outside has to happen first.
    Pending {
        step: String,
        why: String,
    },
    NeedsPerson {
        step: String,
        statement: String,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cutover {
    /// The steps done in this run.
    pub ran: Vec<String>,
    #[serde(flatten)]
    pub stop: Stop,
    /// What to know before a person states what is asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Finding>,
}

/// One step taken back, with what was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TakenBack {
    pub step: String,
    pub facts: Vec<String>,
}

/// Hears each second what is in use, how many seconds were waited, and how many there are.
pub type Tell = dyn Fn(&str, u32, u32);

/// How long a step waits for a file that somebody has open, and who hears of it.
pub struct Patience {
    pub seconds: u32,
    pub tell: Box<Tell>,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience { seconds: 60, tell: Box::new(|_, _, _| {}) }
    }
}

impl std::fmt::Debug for Patience {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Patience").field("seconds", &self.seconds).finish_non_exhaustive()
    }
}

impl Engine<'_> {
    /// Runs steps until one stops it, or until the step named is done. `told` hears of every step that is done, with
    /// the warnings of its checks.
    pub fn cutover(&mut self, until: Option<&str>, told: &mut dyn FnMut(&Step, &[Finding])) -> Result<Cutover> {
        self.require_not_aborted()?;
        self.require_roster()?;
        self.require_clock()?;
        self.require_unchanged()?;
        self.require_postoffice()?;
        self.require_whole_way_back()?;
        self.require_nothing_by_hand()?;
        self.require_gates_there()?;
        if let Some(name) = until {
            self.step_named(name)?;
        }
        let mut ran = Vec::new();
        let mut looked = false;
        if let Some((step, why)) = self.to_be_restated()? {
            return self.asks_anew(step, why);
        }
        for step in self.campaign.steps.clone() {
            if state_of(&self.ledger.entries()?, &step.name)? != StepState::Done {
                // Somebody may have called it off while the step before ran.
                self.require_not_aborted()?;
                let filled = self.filled(&step)?;
                match self.advance(&filled).map_err(|fault| self.in_their_context(&step, fault))? {
                    Ok(mut warnings) => {
                        warnings.extend(self.unreached(&step)?);
                        warnings.extend(self.backup_old(&step)?);
                        looked |= self.tells_left_behind(&step);
                        warnings.extend(self.left_behind(&step)?);
                        told(&step, &warnings);
                    }
                    Err(stop) => {
                        let warnings = self.to_know(&step, &stop)?;
                        let asks = matches!(stop, Stop::NeedsPerson { .. } | Stop::Blocked { .. });
                        self.run_ends(looked || asks && self.tells_left_behind(&step))?;
                        return Ok(Cutover { ran, stop, warnings });
                    }
                }
                ran.push(step.name.clone());
            }
            if until == Some(step.name.as_str()) {
                let warnings = self.old_master_to_know()?.into_iter().collect();
                self.run_ends(looked)?;
                return Ok(Cutover { ran, stop: Stop::Reached { step: step.name }, warnings });
            }
        }
        Ok(Cutover { ran, stop: Stop::Done, warnings: Vec::new() })
    }

    /// What the run has told of mail that stays behind can be thought over now.
    fn run_ends(&mut self, told: bool) -> Result<()> {
        if told { self.remember_unwatched() } else { Ok(()) }
    }

    /// What a person should know before they state or decide what is asked.
    fn to_know(&self, step: &Step, stop: &Stop) -> Result<Vec<Finding>> {
        let mut warnings = Vec::from_iter(self.old_master_to_know()?);
        if matches!(stop, Stop::NeedsPerson { .. }) {
            warnings.extend(self.check_by_names(&step.before));
            warnings.retain(|finding| finding.severity == Severity::Warning);
            warnings.extend(self.backup_old(step)?);
        }
        if matches!(stop, Stop::NeedsPerson { .. } | Stop::Blocked { .. }) {
            warnings.extend(self.left_behind(step)?);
        }
        Ok(warnings)
    }

    /// Stops for a statement that does not hold any more.
    fn asks_anew(&self, step: &Step, why: &str) -> Result<Cutover> {
        let statement = self.filled(step)?.attest.unwrap_or_default();
        let cause = format!("{why}: what was stated for step {} before that does not hold any more", step.name);
        let remedy = "see that every transport stands still now, and state it anew; nothing goes forward before";
        let mut warnings = vec![Finding::warning("state-anew", cause, remedy)];
        warnings.extend(self.old_master_to_know()?);
        Ok(Cutover { ran: Vec::new(), stop: Stop::NeedsPerson { step: step.name.clone(), statement }, warnings })
    }

    /// Takes one step as far as it goes: the warnings of its checks when it is done, else what stops it.
    fn advance(&mut self, step: &Step) -> Result<Result<Vec<Finding>, Stop>> {
        let performed = match self.runbook(Vec::new(), |runbook| runbook.resume(step))? {
            Some(performed) => performed,
            None => match self.begin(step)? {
                Ok(performed) => performed,
                Err(stop) => return Ok(Err(stop)),
            },
        };
        Ok(match performed {
            Performed::Done { warnings, .. } => Ok(warnings),
            Performed::Waiting { why } => {
                Err(Stop::NeedsPerson { step: step.name.clone(), statement: step.attest.clone().unwrap_or(why) })
            }
        })
    }

    /// Records a person's statement for a whole step, once its turn has come: said earlier, it would speak of another
    /// moment than the one it is needed for.
    pub fn attest(&mut self, step: &str, by: &str, note: &str) -> Result<String> {
        self.attest_except(step, by, note, Except::default())
    }

    /// The same, with what is said of single points of the step's checklist. Where points are open after the step, they
    /// can be stated once they are seen.
    pub fn attest_except(&mut self, step: &str, by: &str, note: &str, except: Except) -> Result<String> {
        self.require_not_aborted()?;
        let step = self.step_named(step)?.clone();
        self.require_turn(&step)?;
        self.require_nothing_by_hand()?;
        Fault::check(self.changed_by_others(&step)?)?;
        stated(by, note)?;
        let anew = self.to_be_restated()?.is_some_and(|(anew, _)| anew.name == step.name);
        let overtaken = anew || self.is_overtaken(&step)?;
        let open = self.left_open(&step.name)?.filter(|_| !overtaken);
        let mut seen = self.points(&step, except, open.as_deref().unwrap_or_default())?;
        if overtaken || open.is_some() {
            seen.extend(self.seen_of_staged(&step)?);
            let step = self.filled(&step)?;
            self.runbook(Vec::new(), |runbook| runbook.restate(&step, by, note, seen))?;
            return Ok(format!("stated anew by {by}: {}", step.title));
        }
        // What is seen at a statement takes the place of what was seen before: a refused one must leave that alone.
        self.runbook(Vec::new(), |runbook| runbook.require_asked(&step))?;
        seen.extend(self.seen_at_broadcast(&step)?);
        seen.extend(self.seen_of_staged(&step)?);
        let step = self.filled(&step)?;
        self.runbook(Vec::new(), |runbook| runbook.attest_seeing(&step, by, note, seen))?;
        Ok(format!("stated by {by}: {}", step.title))
    }

    /// A step that asks for a statement hears none before its turn.
    fn require_turn(&self, step: &Step) -> Result<()> {
        if step.attest.is_none() {
            return Ok(());
        }
        self.require_before(step)?;
        if self.waits(step).is_some() {
            return Err(early(format!("step {} has not begun yet", step.name)));
        }
        // Once it has begun its gates were passed.
        if !state_of(&self.ledger.entries()?, &step.name)?.has_begun() {
            let verdicts = self.verdicts()?;
            let held = |gate: &&String| !verdicts.iter().any(|verdict| verdict.name == **gate && verdict.open);
            if let Some(gate) = step.needs.iter().find(held) {
                return Err(early(format!("step {} is held by gate {gate}", step.name)));
            }
        }
        Ok(())
    }

    /// Every step before this one is done.
    pub(super) fn require_before(&self, step: &Step) -> Result<()> {
        let entries = self.ledger.entries()?;
        for earlier in self.campaign.steps.iter().take_while(|earlier| earlier.name != step.name) {
            if state_of(&entries, &earlier.name)? != StepState::Done {
                return Err(early(format!("step {} comes before {}, and is not done", earlier.name, step.name)));
            }
        }
        Ok(())
    }

    /// What a step's checks say, where more is known than each of them sees.
    fn in_their_context(&mut self, step: &Step, mut fault: Fault) -> Fault {
        fault.findings = self.told_with_backup(self.told_by_hand(fault.findings));
        self.doubting_transports(step, fault)
    }

    /// Records that a person took back the work of a step's program.
    pub fn undone_by_hand(&mut self, step: &str, by: &str, note: &str) -> Result<String> {
        let step = self.step_named(step)?.clone();
        self.runbook(Vec::new(), |runbook| runbook.undone_by_hand(&step, by, note))?;
        self.call_letters_back()?;
        Ok(format!("undone by hand, says {by}: {}", step.title))
    }

    /// Takes done steps back, last first: those after the step named, or all of them.
    pub fn rollback(&mut self, to: Option<&str>) -> Result<Vec<TakenBack>> {
        let to = self.way_back(to)?;
        self.require_postoffice()?;
        self.require_same_places(to.as_deref())?;
        self.require_one_p1(to.as_deref())?;
        self.require_quiet_p1(to.as_deref())?;
        self.require_old_master_for_p1(to.as_deref())?;
        self.require_old_master_kept(to.as_deref())?;
        if let Some(facts) = &self.campaign.msmail {
            // It is in nobody's way: a rollback does not fail for it.
            drop(self.world.forget_server(&facts.postoffice));
        }
        let (in_hand, sending) = (self.letters_in_hand(to.as_deref())?, self.sending(to.as_deref())?);
        let steps = self.campaign.steps.clone();
        let undone = self.runbook(Vec::new(), |runbook| runbook.rollback(&steps, to.as_deref(), &sending));
        // Of the steps that were taken back, also where it ended half way.
        self.call_letters_back()?;
        self.with_letters(in_hand, undone?)
    }

    /// The step that puts the new MASTER.GLB in place.
    pub(super) fn install_step(&self) -> Option<&Step> {
        let installs = |step: &&Step| step.after.iter().any(|check| check == "master-new") && step.action.is_some();
        self.campaign.steps.iter().find(installs)
    }

    pub(super) fn paths(&self) -> Paths {
        let own = [("campaign", self.campaign.root.clone()), ("state", self.campaign.state())];
        let msmail = self.campaign.msmail.iter();
        let trees = msmail.flat_map(|it| [("postoffice", it.postoffice.clone()), ("staged", it.staged.clone())]);
        Paths::new(own.into_iter().chain(trees))
    }

    pub(super) fn check_by_names(&self, names: &[String]) -> Vec<Finding> {
        let recorded = match self.recorded() {
            Ok(recorded) => recorded,
            Err(fault) => return fault.findings,
        };
        let found = |name: &String| check(&self.campaign, name, &recorded).unwrap_or_else(|fault| fault.findings);
        self.told_with_backup(self.told_by_hand(names.iter().flat_map(found).collect()))
    }

    /// The step with the placeholders of its statement filled in: `{new_serial}`, `{broadcast}` and the like.
    pub(super) fn filled(&self, step: &Step) -> Result<Step> {
        let Some(statement) = &step.attest else { return Ok(step.clone()) };
        let mut text = statement.clone();
        if let Some(msmail) = &self.campaign.msmail {
            for (name, value) in [
                ("{new_serial}", &msmail.new_serial),
                ("{old_serial}", &msmail.old_serial),
                ("{network}", &msmail.network),
                ("{name}", &msmail.name),
            ] {
                text = text.replace(name, value);
            }
        }
        for (name, words) in &step.checklist {
            text += &format!("\n  {name}: {words}");
        }
        if text.contains("{broadcast}") {
            text = text.replace("{broadcast}", &self.broadcast_text()?);
        }
        Ok(Step { attest: Some(text), ..step.clone() })
    }

    pub(super) fn step_named(&self, name: &str) -> Result<&Step> {
        self.campaign.step(name).ok_or_else(|| {
            let known: Vec<_> = self.campaign.steps.iter().map(|step| step.name.as_str()).collect();
            let cause = format!("there is no step '{name}'");
            Fault::ending(Exit::Usage, "unknown-step", cause, format!("one of {}", known.join(", ")))
        })
    }
}

/// A check of the postoffice, by the name a step calls it.
pub(super) fn check(campaign: &Campaign, name: &str, recorded: &msmail::Recorded) -> Result<Vec<Finding>> {
    let facts = campaign.msmail.as_ref();
    let found = facts.and_then(|facts| msmail::check_by_name(name, &facts.postoffice, &facts.staged, facts, recorded));
    found.ok_or_else(|| {
        let remedy = format!("one of {}; they need [msmail]", msmail::CHECKS.join(", "));
        Finding::error("unknown-check", format!("there is no check '{name}'"), remedy).in_file(&campaign.file).into()
    })
}

#[cfg(test)]
mod tests;

fn early(cause: String) -> Fault {
    Fault::new("not-its-turn", cause, "run `flagday cutover`: it says what is next")
}
