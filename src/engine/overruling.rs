//! Letting a step pass a gate that is held: a named decision, typed out, visible for ever.

use super::{Engine, Stop};
use crate::fault::{Exit, Fault, Result};
use crate::gate::Override;
use crate::ledger::Overruled;
use crate::runbook::{Event, Journal, StepState, state_of, stated};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// What an administrator decides about a gate.
#[derive(Debug, Clone, Copy)]
pub struct Overrule<'a> {
    pub gate: &'a str,
    pub by: &'a str,
    pub reason: &'a str,
    /// The campaign's name, as typed.
    pub typed: &'a str,
}

/// A decision about a gate, which stays visible for ever, and whether it still holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overridden {
    #[serde(flatten)]
    pub decision: Override,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

/// Since when a decision holds no more, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Ended {
    pub at: DateTime<Utc>,
    pub why: &'static str,
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

    /// Every override there was, oldest first, and what has ended it: an override speaks of the steps and of the facts as
    /// they were, so it ends when a step is taken back, and when people are told other facts.
    pub fn overrides(&self) -> Result<Vec<Overridden>> {
        let decisions = self.ledger.overrides()?;
        if decisions.is_empty() {
            return Ok(Vec::new());
        }
        let undone = |event: &Event| matches!(event, Event::Undone { .. } | Event::UndoneByHand { .. });
        let entries = self.ledger.entries()?;
        let told = self.ledger.revision()?;
        // By their order: a clock may have been set back between the two.
        let judged = decisions.into_iter().map(|Overruled { decision, behind, revision }| {
            let taken = entries.iter().find(|entry| entry.seq > behind && undone(&entry.event));
            let taken = taken.map(|entry| (entry.at, "a step was taken back"));
            let other = told.iter().find(|told| told.number > revision);
            let other = other.map(|told| (told.at, "people were told other facts"));
            let ended = taken.into_iter().chain(other).min().map(|(at, why)| Ended { at, why });
            Overridden { decision, ended }
        });
        Ok(judged.collect())
    }

    /// Those that still hold.
    pub(super) fn overrides_in_force(&self) -> Result<Vec<Override>> {
        let all = self.overrides()?.into_iter();
        Ok(all.filter(|one| one.ended.is_none()).map(|one| one.decision).collect())
    }

    /// The last done step before this one that has passed the same gate.
    pub fn passed_before(&self, step: &str, gate: &str) -> Result<Option<String>> {
        let entries = self.ledger.entries()?;
        let mut passed = None;
        for earlier in self.campaign.steps.iter().take_while(|earlier| earlier.name != step) {
            let needs = earlier.needs.iter().any(|need| need == gate);
            if needs && state_of(&entries, &earlier.name)? == StepState::Done {
                passed = Some(earlier.name.clone());
            }
        }
        Ok(passed)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fixture;
    use crate::system::Standing;
    use chrono::Duration;

    const GATED: &str = r#"
[gate.all]
acknowledgement = "read"
[[step]]
name = "first"
shell = { run = ["true"], undo = ["true"] }
[[step]]
name = "second"
needs = ["all"]
shell = { run = ["true"], undo = ["true"] }
"#;

    #[test]
    fn an_override_ends_with_the_rollback_behind_it_whatever_the_clock_says() {
        let root = fixture::campaign(&[fixture::ASKED, GATED].concat());
        fixture::texts(root.path(), "news");
        let clock = Standing::at("2024-12-13T01:00:00Z".parse().expect("a time"));
        let engine = || Engine::open(root.path(), &clock).expect("opened");
        let run = || engine().cutover(None, &mut |_, _| {}).expect("no fault");
        assert!(matches!(run().stop, Stop::Blocked { .. }));
        let asked = Overrule { gate: "all", by: "Pat", reason: "tonight", typed: "small" };
        engine().overrule(asked).expect("overruled");
        assert_eq!(engine().overrides_in_force().expect("read").len(), 1);
        clock.forward(Duration::days(-1));
        assert_eq!(engine().overrides_in_force().expect("read").len(), 1, "nothing was taken back yet");
        engine().rollback(None).expect("taken back");
        assert_eq!(engine().overrides_in_force().expect("read"), []);
        engine().accept_clock().expect("it is right now");
        assert!(matches!(run().stop, Stop::Blocked { .. }));
    }
}
