//! A person's statement for one other person, whom the program cannot see. It speaks of the mail that lay there then: more
//! headers in the mailbag take it away again.

use super::Engine;
use crate::answer::{Evidence, Kind};
use crate::campaign::Action;
use crate::fault::{Fault, Result};
use crate::msmail::drain::Observation;
use crate::runbook::stated;
use std::collections::HashMap;

impl Engine<'_> {
    /// Records a person's statement for one other person, whom the program cannot see.
    pub fn attest_person(&mut self, step: &str, person: &str, by: &str, note: &str) -> Result<String> {
        let (by, note) = stated(by, note)?;
        let step = self.step_named(step)?;
        let gate = step.needs.first().and_then(|gate| self.campaign.gates.get(gate));
        let Some(gate) = gate.filter(|_| step.action == Some(Action::Observe("drain".to_owned()))) else {
            let cause = format!("step '{}' looks at nobody's files, so nobody can be vouched for there", step.name);
            return Err(Fault::new("not-personal", cause, "leave --person out, or record the person's own answer"));
        };
        self.require_before(step)?;
        let id = self.roster.find(person)?.id.clone();
        let audience = &self.campaign.audiences[&self.campaign.acknowledgements[&gate.acknowledgement].audience];
        if !self.roster.audience(audience).any(|member| member.id == id) {
            let cause = format!("{id} is not among those whom step '{}' waits for", step.name);
            return Err(Fault::new("not-concerned", cause, format!("see `flagday who --blocking {}`", gate.name)));
        }
        let (_, seen) = self.observe_drain()?;
        let left = seen.iter().find(|one| one.person == id).and_then(|one| one.headers_left);
        let left = left.map_or(String::new(), |left| format!("\n{LEFT}{left}"));
        let words = format!("{by} vouches for {id}; it stays visible as an attestation");
        let fact = Evidence {
            id: 0,
            at: self.now(),
            person: id,
            acknowledgement: gate.acknowledgement.clone(),
            revision: self.revision_number()?,
            kind: Kind::Attested,
            by: Some(by),
            detail: format!("{note}{left}"),
            revoked: false,
        };
        self.ledger.add_evidence(&fact)?;
        Ok(words)
    }

    /// Takes back what was vouched for people whose mailbag holds more than it did then.
    pub(super) fn review_vouching(&mut self, acknowledgement: &str, seen: &[Observation]) -> Result<()> {
        let vouched = self.ledger.evidence(acknowledgement)?.into_iter();
        let vouched = vouched.filter(|fact| fact.kind == Kind::Attested && !fact.revoked);
        let now: HashMap<&str, u64> =
            seen.iter().filter_map(|one| Some((one.person.as_str(), one.headers_left?))).collect();
        for fact in vouched {
            let Some((then, now)) = left_then(&fact).zip(now.get(fact.person.as_str())) else { continue };
            if *now > then {
                let note = format!("{then} headers were left then, and {now} are now: mail came in since");
                self.ledger.revoke_evidence(fact.id, "flagday", &note, self.world.now())?;
            }
        }
        Ok(())
    }
}

/// The line of a statement that says how many headers the mailbag held.
const LEFT: &str = "headers left: ";

fn left_then(fact: &Evidence) -> Option<u64> {
    fact.detail.lines().find_map(|line| line.strip_prefix(LEFT)?.parse().ok())
}
