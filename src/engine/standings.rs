//! Where everybody stands, and what the gates say because of it. Derived anew each time from the evidence.

use super::Engine;
use crate::answer::{Evidence, Standing};
use crate::campaign::Acknowledgement;
use crate::fault::Result;
use crate::gate::{self, Verdict};
use std::collections::HashMap;

impl Engine<'_> {
    /// Each person of the acknowledgement's audience, in roster order.
    pub fn standings(&self, acknowledgement: &Acknowledgement) -> Result<Vec<Standing>> {
        let revision = self.revision_number()?;
        let mut evidence: HashMap<String, Vec<Evidence>> = HashMap::new();
        for fact in self.ledger.evidence(&acknowledgement.name, revision)? {
            evidence.entry(fact.person.clone()).or_default().push(fact);
        }
        let mut waivers: HashMap<String, _> = HashMap::new();
        for waiver in self.ledger.waivers(&acknowledgement.name)? {
            waivers.insert(waiver.person.clone(), waiver);
        }
        let audience = &self.campaign.audiences[&acknowledgement.audience];
        let nothing = if acknowledgement.notice.is_some() { "was not told yet" } else { "nothing was seen yet" };
        Ok(self
            .roster
            .audience(audience)
            .map(|person| {
                let facts = evidence.get(&person.id).map(Vec::as_slice).unwrap_or_default();
                Standing::of(&person.id, facts, waivers.remove(&person.id), nothing)
            })
            .collect())
    }

    /// One person's standing for one acknowledgement.
    pub fn standing(&self, acknowledgement: &Acknowledgement, person: &str) -> Result<Option<Standing>> {
        Ok(self.standings(acknowledgement)?.into_iter().find(|standing| standing.person == person))
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
