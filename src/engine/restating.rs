//! The statement that the transports stand still, where something has come in between since: it is asked for anew, and nothing
//! goes forward before.

use super::Engine;
use super::situation::closes;
use super::way_back::opens;
use crate::campaign::Step;
use crate::fault::{Fault, Finding, Result};
use crate::runbook::{Entry, Event, Journal, StepState, state_of};

/// Findings of P1 that something there waits for a transport, or is in the hands of one.
const SHOW_USE: [&str; 6] =
    ["p1-mailbag-lock", "p1-session", "p1-outbound", "p1-inbound", "p1-unknown", "inqueue3-waiting"];

impl Engine<'_> {
    /// The step that is done and whose statement is to be made anew, and why.
    pub(super) fn to_be_restated(&self) -> Result<Option<(&Step, &'static str)>> {
        let Some(evening) = self.stills_transports()? else { return Ok(None) };
        let entries = self.ledger.entries()?;
        let last = |step: &Step, is: fn(&Event) -> bool| {
            entries.iter().rfind(|entry| entry.step == step.name && is(&entry.event))
        };
        let stated = last(evening, |event| matches!(event, Event::Attested { .. }));
        let opening = self.campaign.steps.iter().find(|step| opens(step));
        let closed = opening.and_then(|step| last(step, |event| matches!(event, Event::Undone { .. })));
        if closed.map(seq) > stated.map(seq) {
            return Ok(Some((evening, "a rollback has closed P1 again")));
        }
        let in_use = self.ledger.latest_event(IN_USE)?;
        let since = in_use.is_some_and(|event| stated.is_none_or(|stated| event.at > stated.at));
        Ok(since.then_some((evening, "P1 was in use when it was to be closed")))
    }

    /// What mends a P1 that is in use, a transport started once more, makes untrue what was stated before: that is put on
    /// record with the refusal to close it.
    pub(super) fn doubting_transports(&mut self, step: &Step, mut fault: Fault) -> Fault {
        let recorded = self.doubt_transports(step);
        match recorded {
            Ok(found) => fault.findings.extend(found),
            Err(more) => fault.findings.extend(more.findings),
        }
        fault
    }

    fn doubt_transports(&mut self, step: &Step) -> Result<Option<Finding>> {
        let Some(name) = self.stills_transports()?.filter(|_| closes(step)).map(|evening| evening.name.clone()) else {
            return Ok(None);
        };
        let mut found = self.check_by_names(&["p1-quiet".to_owned()]);
        // That P1 is not where it was, or cannot be read, shows no transport.
        found.retain(|finding| SHOW_USE.contains(&finding.code));
        if found.is_empty() {
            return Ok(None);
        }
        let found: Vec<String> = found.into_iter().map(|finding| finding.cause).collect();
        self.ledger.note(self.world.now(), IN_USE, &serde_json::json!({ "step": name, "found": found }))?;
        let cause = format!("what was stated for step {name} counts no more: P1 is in use");
        let remedy = format!(
            "see to it, stop every transport again, and state it anew: `flagday cutover attest {name} --by NAME --note TEXT`"
        );
        Ok(Some(Finding::note("statement-taken-away", cause, remedy)))
    }

    /// The step at which it is stated that the transports stand still, once it is done.
    fn stills_transports(&self) -> Result<Option<&Step>> {
        let evening = self.campaign.steps.iter().find(|step| step.wait.is_some() && step.attest.is_some());
        let Some(evening) = evening else { return Ok(None) };
        Ok((state_of(&self.ledger.entries()?, &evening.name)? == StepState::Done).then_some(evening))
    }
}

fn seq(entry: &Entry) -> i64 {
    entry.seq
}

/// The event that says so.
const IN_USE: &str = "p1-in-use";
