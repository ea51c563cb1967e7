//! Taking steps back, last first, each on record before and after, each judged by its files. A step that was taken
//! back already stays as it is, so a rollback may be cut off and repeated.

use super::actions::{Intent, Stand};
use super::ahead::{not_begun, require_way_back};
use super::journal::{Event, History};
use super::run::{Runbook, half_back, has_program, not_back, patiently, revert, settle, stated, unclear};
use super::step::StepState;
use crate::campaign::{Action, Step};
use crate::fault::{Fault, Result};

/// Of a step that has sent letters.
pub const STAYS_TOLD: &str = "what people were told stays told";

impl Runbook<'_> {
    /// Takes one step back; the facts, or `None` when there was nothing to take back.
    pub fn undo(&mut self, step: &Step) -> Result<Option<Vec<String>>> {
        match self.history(step)?.state.has_begun() {
            true => self.take_back(step).map(Some),
            false => Ok(None),
        }
    }

    fn take_back(&mut self, step: &Step) -> Result<Vec<String>> {
        let history = self.history(step)?;
        let done = changes_to_take_back(step, &history)?;
        patiently(self.again, || done.iter().try_for_each(|intent| intent.operation().at_rest()), || Ok(()))
            .map_err(|fault| not_back(step, self.back, fault))?;
        if history.state != StepState::Undoing {
            self.record(step, Event::Undoing {})?;
        }
        let mut facts = Vec::new();
        // Every right is proved before the first change, and what a rollback that was cut off took back is made durable.
        let sealed = history.intents.iter().try_for_each(|intent| intent.operation().seal());
        let reverted = sealed.and_then(|()| {
            done.iter().rev().try_for_each(|intent| revert(self.again, intent).map(|seen| facts.extend(seen)))
        });
        if let Err(mut fault) = reverted {
            self.record(step, Event::Failed { cause: fault.to_string() })?;
            fault.findings.push(half_back(step, self.back));
            return Err(fault);
        }
        if matches!(step.action, Some(Action::Notice(_))) {
            facts.push(STAYS_TOLD.to_owned());
        }
        self.record(step, Event::Undone { facts: facts.clone() })?;
        Ok(facts)
    }

    /// Takes back every step after `to`, or all, last first. What was taken back, with facts, in that order. `sending`: steps
    /// that have not begun by the journal, and whose letters have begun to leave.
    pub fn rollback(
        &mut self,
        steps: &[Step],
        to: Option<&str>,
        sending: &[String],
    ) -> Result<Vec<(String, Vec<String>)>> {
        let kept = match to {
            None => 0,
            Some(name) => {
                1 + steps.iter().position(|step| step.name == name).ok_or_else(|| {
                    let names: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
                    Fault::new(
                        "no-such-step",
                        format!("there is no step {name}"),
                        format!("name one of {}", names.join(", ")),
                    )
                })?
            }
        };
        self.require_way_back(&steps[kept..])?;
        let mut undone = Vec::new();
        for step in steps[kept..].iter().rev() {
            if sending.contains(&step.name) || self.history(step)?.state.has_begun() {
                undone.push((step.name.clone(), self.take_back(step)?));
            }
        }
        Ok(undone)
    }

    /// Judges all of it before the first change: the files, that nobody has them open, and the rights.
    fn require_way_back(&mut self, steps: &[Step]) -> Result<()> {
        for step in steps.iter().rev() {
            let history = self.history(step)?;
            if !history.state.has_begun() || has_program(&history.intents) {
                continue;
            }
            if history.state != StepState::Done {
                // Cut off in the middle: only what is whole can be judged.
                settle(&history.intents).map_err(|fault| not_back(step, self.back, fault))?;
            }
            let rest = || history.intents.iter().try_for_each(|intent| intent.operation().at_rest());
            patiently(self.again, rest, || Ok(())).map_err(|fault| not_back(step, self.back, fault))?;
        }
        require_way_back(&self.journal.entries()?, steps.iter().rev())?;
        for step in steps.iter().rev() {
            self.prove_way_back(step).map_err(not_begun)?;
        }
        Ok(())
    }

    /// Every right that taking the step back needs. A backup stays where it is.
    fn prove_way_back(&self, step: &Step) -> Result<()> {
        let history = self.history(step)?;
        let begun = history.state.has_begun();
        let moves = |intent: &&Intent| begun && !matches!(intent, Intent::Backup(_) | Intent::Shell(_));
        history.intents.iter().filter(moves).try_for_each(|intent| intent.operation().prove().map(drop))
    }

    /// Records that a person took back a program's work, where the program has no undo or nobody saw it end.
    pub fn undone_by_hand(&mut self, step: &Step, by: &str, note: &str) -> Result<()> {
        let history = self.history(step)?;
        let begun = history.state.has_begun();
        if !begun || !has_program(&history.intents) {
            let cause = format!("step {} has no program whose work could be taken back by hand", step.name);
            return Err(Fault::new("nothing-to-undo", cause, "`flagday cutover rollback` takes back everything else"));
        }
        let (by, note) = stated(by, note)?;
        self.record(step, Event::UndoneByHand { by, note })
    }
}

/// The changes that are there. Refuses, before anything is touched, where the files or a program leave a doubt.
pub(super) fn changes_to_take_back<'h>(step: &Step, history: &'h History) -> Result<Vec<&'h Intent>> {
    let intents = &history.intents;
    if let Some(Intent::Shell(program)) = intents.iter().find(|intent| matches!(intent, Intent::Shell(_))) {
        if program.undo.is_none() {
            return Err(Fault::new(
                "no-undo",
                format!("the program of step {} has no undo; the steps before it stay as they are", step.name),
                format!(
                    "undo its work by hand and state it: `flagday cutover attest {} --undone --by NAME --note TEXT`; or \
                     go on forward with `flagday cutover`",
                    step.name
                ),
            ));
        }
        let seen = match history.state {
            StepState::Undoing => history.failure_seen,
            _ => history.acted.is_some() || history.failure_seen || history.attested_since_start,
        };
        if !seen {
            let why = Stand::Unclear(format!("nobody saw '{}' or its undo end", program.run.join(" ")));
            return Err(unclear(step, intents, &[why]));
        }
        return Ok(intents.iter().collect());
    }
    let mut stands = settle(intents)?;
    for (stand, intent) in stands.iter_mut().zip(intents) {
        if matches!(stand, Stand::Unclear(_)) && history.acted.is_some() && intent.operation().rewritten()? {
            *stand = Stand::Done;
        }
    }
    if stands.iter().any(|stand| matches!(stand, Stand::Unclear(_))) {
        return Err(unclear(step, intents, &stands));
    }
    Ok(intents.iter().zip(&stands).filter(|(_, stand)| **stand == Stand::Done).map(|(intent, _)| intent).collect())
}
