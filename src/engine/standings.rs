//! Where everybody stands, and what the gates say because of it. Derived anew each time from the evidence.

use super::Engine;
use crate::answer::{Evidence, Standing};
use crate::campaign::{Acknowledgement, Action, Grade};
use crate::fault::Result;
use crate::gate::{self, Verdict};
use crate::runbook::{Entry, Event, Journal, StepState, state_of};
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// From when on an observation counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    Always,
    At(DateTime<Utc>),
    NotYet,
}

impl Since {
    fn counts(self, fact: &Evidence) -> bool {
        match self {
            Since::Always => true,
            Since::At(at) => fact.at >= at,
            Since::NotYet => false,
        }
    }
}

impl Engine<'_> {
    /// Each person of the acknowledgement's audience, in roster order.
    pub fn standings(&self, acknowledgement: &Acknowledgement) -> Result<Vec<Standing>> {
        let revision = self.revision_number()?;
        let since = self.observed_since(acknowledgement)?;
        let mut evidence: HashMap<String, Vec<Evidence>> = HashMap::new();
        for fact in self.ledger.evidence(&acknowledgement.name, revision)? {
            if !since.counts(&fact) {
                continue;
            }
            evidence.entry(fact.person.clone()).or_default().push(fact);
        }
        let mut waivers: HashMap<String, _> = HashMap::new();
        for waiver in self.ledger.waivers(&acknowledgement.name)? {
            waivers.insert(waiver.person.clone(), waiver);
        }
        let audience = &self.campaign.audiences[&acknowledgement.audience];
        let nothing = nothing_yet(acknowledgement);
        Ok(self
            .roster
            .audience(audience)
            .map(|person| {
                let facts = evidence.get(&person.id).map(Vec::as_slice).unwrap_or_default();
                Standing::of(&person.id, facts, waivers.remove(&person.id), nothing)
            })
            .collect())
    }

    /// From when on what was seen counts for an acknowledgement that no notice asks for. Mail fetched before the
    /// broadcast, or a number read back before the change, says nothing; a rollback takes their ground away.
    pub(super) fn observed_since(&self, acknowledgement: &Acknowledgement) -> Result<Since> {
        if acknowledgement.grade != Grade::Observed || acknowledgement.notice.is_some() {
            return Ok(Since::Always);
        }
        let steps = &self.campaign.steps;
        let looks = |what: &str| steps.iter().find(|step| step.action == Some(Action::Observe(what.to_owned())));
        let drained = looks("drain").and_then(|step| step.needs.first()).and_then(|gate| self.campaign.gates.get(gate));
        let ground = match drained {
            Some(gate) if gate.acknowledgement == acknowledgement.name => looks("server-clock"),
            _ => {
                steps.iter().find(|step| step.action.is_some() && step.after.iter().any(|check| check == "master-new"))
            }
        };
        let Some(ground) = ground else { return Ok(Since::Always) };
        let entries = self.ledger.entries()?;
        if state_of(&entries, &ground.name)? != StepState::Done {
            return Ok(Since::NotYet);
        }
        let done = |entry: &&Entry| entry.step == ground.name && matches!(entry.event, Event::Done { .. });
        Ok(entries.iter().rev().find(done).map_or(Since::NotYet, |entry| Since::At(entry.at)))
    }

    /// One person's standing for one acknowledgement; none for who is not in its audience.
    pub fn standing(&self, acknowledgement: &Acknowledgement, person: &str) -> Result<Option<Standing>> {
        let audience = &self.campaign.audiences[&acknowledgement.audience];
        if !self.roster.get(person).is_some_and(|one| one.is_in(audience)) {
            return Ok(None);
        }
        let since = self.observed_since(acknowledgement)?;
        let mut facts = self.ledger.evidence_about(person, &acknowledgement.name, self.revision_number()?)?;
        facts.retain(|fact| since.counts(fact));
        let waiver = self.ledger.waivers(&acknowledgement.name)?.into_iter().rfind(|waiver| waiver.person == person);
        Ok(Some(Standing::of(person, &facts, waiver, nothing_yet(acknowledgement))))
    }

    /// What every gate says now.
    pub fn verdicts(&self) -> Result<Vec<Verdict>> {
        self.campaign
            .gates
            .values()
            .map(|gate| {
                let acknowledgement = &self.campaign.acknowledgements[&gate.acknowledgement];
                Ok(gate::evaluate(gate, acknowledgement, &self.standings(acknowledgement)?))
            })
            .collect()
    }

    /// Whether the person's answer, or a decision, has settled this acknowledgement.
    pub(super) fn is_settled(acknowledgement: &Acknowledgement, standing: &Standing) -> bool {
        standing.waiver.is_some() || standing.grade >= acknowledgement.grade
    }
}

/// What to say of somebody about whom nothing is known.
fn nothing_yet(acknowledgement: &Acknowledgement) -> &'static str {
    if acknowledgement.notice.is_some() { "was not told yet" } else { "nothing was seen yet" }
}
