//! Letting a step pass a gate that is held: a named decision, typed out, visible for ever.

use super::{Engine, Stop};
use crate::fault::{Exit, Fault, Result};
use crate::gate::Override;
use crate::runbook::{Event, Journal, StepState, state_of, stated};

/// What an administrator decides about a gate.
#[derive(Debug, Clone, Copy)]
pub struct Overrule<'a> {
    pub gate: &'a str,
    pub by: &'a str,
    pub reason: &'a str,
    /// The campaign's name, as typed.
    pub typed: &'a str,
}

impl Engine<'_> {
    /// Records the decision, for the step that is next and for those who hold its gate now. Refused where the gate does
    /// not hold it: a decision in advance would speak of people nobody has looked at.
    pub fn overrule(&mut self, asked: Overrule) -> Result<Override> {
        self.require_roster()?;
        self.require_unchanged()?;
        let (by, reason) = stated(asked.by, asked.reason)?;
        if !self.campaign.gates.contains_key(asked.gate) {
            let known: Vec<_> = self.campaign.gates.keys().map(String::as_str).collect();
            let cause = format!("there is no gate '{}'", asked.gate);
            return Err(Fault::ending(Exit::Usage, "unknown-gate", cause, format!("one of {}", known.join(", "))));
        }
        if asked.typed.trim() != self.campaign.name {
            let cause = format!("'{}' is not the name of this campaign: nothing was overridden", asked.typed.trim());
            let remedy = format!("type {} if you mean it", self.campaign.name);
            return Err(Fault::new("override-unconfirmed", cause, remedy));
        }
        let needless = |why: String| {
            let remedy =
                "an override is for the step that is next, when nothing but its gate holds it: `flagday cutover`";
            Err(Fault::new("override-needless", why, remedy))
        };
        let Some(step) = self.next_step()? else { return needless("every step is done".to_owned()) };
        if !step.needs.iter().any(|need| need == asked.gate) {
            return needless(format!("step {} is next, and it does not wait for gate {}", step.name, asked.gate));
        }
        if let Some(Stop::Waiting { until, .. }) = self.waits(&step) {
            let at = until.with_timezone(&self.campaign.change.zone).format("%a %F %H:%M %Z");
            return needless(format!("step {} does not begin before {at}", step.name));
        }
        self.look_for_gates(&step)?;
        let verdicts = self.verdicts()?;
        let Some(held) = verdicts.into_iter().find(|verdict| verdict.name == asked.gate && !verdict.open) else {
            return needless(format!("gate {} is open", asked.gate));
        };
        let decision = Override {
            gate: held.name,
            step: step.name,
            by,
            reason,
            at: self.now(),
            missing: held.blocking.into_iter().map(|one| one.person).collect(),
        };
        self.ledger.overrule(&decision)?;
        Ok(decision)
    }

    /// Overrides that still hold: no step was taken back since, and people are told the same facts as then.
    pub(super) fn overrides_in_force(&self) -> Result<Vec<Override>> {
        let mut decisions = self.ledger.overrides()?;
        if decisions.is_empty() {
            return Ok(decisions);
        }
        let undone = |event: &Event| matches!(event, Event::Undone { .. } | Event::UndoneByHand { .. });
        let last = self.ledger.entries()?.into_iter().filter(|entry| undone(&entry.event)).map(|entry| entry.at).max();
        let told = self.ledger.revision()?.map(|revision| revision.at);
        decisions.retain(|decision| {
            last.is_none_or(|last| decision.at > last) && told.is_none_or(|told| decision.at >= told)
        });
        Ok(decisions)
    }

    /// The first step that is not done.
    pub(super) fn next_step(&self) -> Result<Option<crate::campaign::Step>> {
        let entries = self.ledger.entries()?;
        for step in &self.campaign.steps {
            if state_of(&entries, &step.name)? != StepState::Done {
                return Ok(Some(step.clone()));
            }
        }
        Ok(None)
    }
}
