//! Watching whether the local users have fetched their mail: what the files of the postoffice show becomes evidence.

use super::Engine;
use super::elsewhere::server_clock_read;
use crate::answer::Kind;
use crate::campaign::{Action, Step};
use crate::fault::{Fault, Result};
use crate::msmail::{Postoffice, drain};
use crate::roster::Person;
use crate::runbook::{Entry, Event, Journal};
use chrono::{DateTime, Utc};

impl Engine<'_> {
    /// Looks at everybody's mailbag and message store and records what they show.
    pub(super) fn look_at_drain(&mut self) -> Result<Vec<String>> {
        let server_now = self.server_now()?;
        let since = self.server_time_told()?;
        let acknowledgement = self.observed_by_drain()?;
        let audience = &self.campaign.audiences[&self.campaign.acknowledgements[&acknowledgement].audience];
        let people: Vec<&Person> = self.roster.audience(audience).collect();
        let Some(facts) = &self.campaign.msmail else { return Ok(Vec::new()) };
        let postoffice = Postoffice::open_folders(&facts.postoffice, drain::FOLDERS)?;
        let seen = drain::observe(&postoffice, &people, since, server_now);
        let drained = seen.iter().filter(|one| one.verdict == drain::Verdict::Drained).count();
        let fact = format!("{drained} of {} have fetched their mail", seen.len());
        for one in seen {
            let (kind, detail) = match one.verdict {
                drain::Verdict::Drained => (Kind::Drained, one.why),
                drain::Verdict::NotYet | drain::Verdict::Unseen => {
                    (Kind::NotDrained, format!("{}; {}", one.why, one.remedy))
                }
            };
            self.observe(&acknowledgement, &one.person, kind, &detail)?;
        }
        Ok(vec![fact])
    }

    /// The server's own time when the users were told to log off: the last time it was read for the journal.
    fn server_time_told(&self) -> Result<DateTime<Utc>> {
        last_server_time(&self.ledger.entries()?).ok_or_else(|| {
            Fault::new("no-broadcast", "no step has read the server's clock yet", "run the step `broadcast` first")
        })
    }

    /// The acknowledgement that watching the postoffice answers: observed, and asked by no notice, of local people.
    fn observed_by_drain(&self) -> Result<String> {
        let drain = |step: &&Step| step.action == Some(Action::Observe("drain".into()));
        let gate = self.campaign.steps.iter().find(drain).and_then(|step| step.needs.first());
        gate.and_then(|gate| self.campaign.gates.get(gate)).map(|gate| gate.acknowledgement.clone()).ok_or_else(|| {
            let cause = "the step that observes the drain needs no gate";
            Fault::new("drain-without-gate", cause, "give that step `needs = [\"locals-drained\"]`")
        })
    }
}

fn last_server_time(entries: &[Entry]) -> Option<DateTime<Utc>> {
    entries.iter().rev().find_map(|entry| match &entry.event {
        Event::Done { facts } => facts.iter().find_map(|fact| server_clock_read(fact)),
        _ => None,
    })
}
