//! The statement that the transports stand still, where something has come in between since: it is asked for anew, and nothing
//! goes forward before.

use super::Engine;
use crate::campaign::Step;
use crate::fault::{Fault, Finding, Result};
use crate::ledger::AuditEvent;
use crate::runbook::{Entry, Event, Journal, StepState, history_of, state_of};
use chrono::Duration;

/// Findings of P1 that something there waits for a transport, or is in the hands of one.
const SHOW_USE: [&str; 6] =
    ["p1-mailbag-lock", "p1-session", "p1-outbound", "p1-inbound", "p1-unknown", "inqueue3-waiting"];

/// Over night a machine may start again, and its transports with it.
const OLD: Duration = Duration::hours(12);

impl Engine<'_> {
    /// The step that is done and whose statement is to be made anew, and why.
    pub(super) fn to_be_restated(&self) -> Result<Option<(&Step, &'static str)>> {
        let Some(evening) = self.evening() else { return Ok(None) };
        let entries = self.ledger.entries()?;
        let history = history_of(&entries, &evening.name)?;
        let last = |step: &Step, is: fn(&Event) -> bool| {
            entries.iter().rfind(|entry| entry.step == step.name && is(&entry.event))
        };
        let stated = last(evening, |event| matches!(event, Event::Attested { .. }));
        let closing = self.campaign.steps.iter().find(|step| step.closes_p1());
        let shut = closing.is_none_or(|step| state_of(&entries, &step.name).is_ok_and(StepState::has_begun));
        let old = stated.is_some_and(|stated| self.now() - stated.at > OLD);
        // Also while it waits for the run that takes it.
        if old && !shut && (history.state == StepState::Done || history.attested.is_some()) {
            return Ok(Some((evening, "it was stated more than 12 hours ago, and P1 is still open")));
        }
        if history.state != StepState::Done {
            return Ok(None);
        }
        let opening = self.campaign.steps.iter().find(|step| step.opens_p1());
        let closed = opening.and_then(|step| last(step, |event| matches!(event, Event::Undone { .. })));
        if closed.map(seq) > stated.map(seq) {
            return Ok(Some((evening, "a rollback has closed P1 again")));
        }
        let in_use = self.ledger.latest_event(IN_USE)?;
        // By the order of the journal: a clock may be set back between the two.
        let since = |event: &AuditEvent, stated: &Entry| match event.body["behind"].as_i64() {
            Some(behind) => behind >= stated.seq,
            None => event.at > stated.at,
        };
        let since = in_use.is_some_and(|event| stated.is_none_or(|stated| since(&event, stated)));
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
        let Some(name) = self.stills_transports()?.filter(|_| step.closes_p1()).map(|evening| evening.name.clone())
        else {
            return Ok(None);
        };
        let mut found = self.check_by_names(&["p1-quiet".to_owned()]);
        // That P1 is not where it was, or cannot be read, shows no transport.
        found.retain(|finding| SHOW_USE.contains(&finding.code));
        if found.is_empty() {
            return Ok(None);
        }
        let found: Vec<String> = found.into_iter().map(|finding| finding.cause).collect();
        let behind = self.ledger.entries()?.last().map(seq);
        let body = serde_json::json!({ "step": name, "found": found, "behind": behind });
        self.ledger.note(self.world.now(), IN_USE, &body)?;
        let cause = format!("what was stated for step {name} counts no more: P1 is in use");
        let remedy = format!(
            "see to it, stop every transport again, and state it anew: `flagday cutover attest {name} --by NAME --note TEXT`"
        );
        Ok(Some(Finding::note("statement-taken-away", cause, remedy)))
    }

    /// The step at which it is stated that the transports stand still.
    fn evening(&self) -> Option<&Step> {
        self.campaign.beginning().map(|(_, step)| step).filter(|step| step.attest.is_some())
    }

    /// The same, once it is done.
    fn stills_transports(&self) -> Result<Option<&Step>> {
        let Some(evening) = self.evening() else { return Ok(None) };
        Ok((state_of(&self.ledger.entries()?, &evening.name)? == StepState::Done).then_some(evening))
    }
}

fn seq(entry: &Entry) -> i64 {
    entry.seq
}

/// The event that says so.
const IN_USE: &str = "p1-in-use";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fixture::campaign_of;
    use crate::msmail::fixture::Tree;
    use crate::system::Standing;

    const STEPS: &str = r#"
[[step]]
name = "freeze"
wait = "T-5d"
attest = "nobody adds a user any more"
[[step]]
name = "quiesce"
wait = "T"
attest = "stopped"
[[step]]
name = "seen"
attest = "seen"
[[step]]
name = "close-p1"
rename = { from = "{postoffice}/P1", to = "{postoffice}/POLD" }
after = ["p1-closed"]
[[step]]
name = "broadcast"
attest = "sent"
"#;

    /// An hour after the change's; what waited for days before has been stated.
    fn campaign(tree: &Tree) -> (tempfile::TempDir, Standing) {
        let root = campaign_of(tree, STEPS);
        let clock = Standing::at("2024-12-13T01:00:00Z".parse().expect("a time"));
        let mut engine = Engine::open(root.path(), &clock).expect("opened");
        engine.cutover(None, &mut |_, _| {}).expect("no fault");
        engine.attest("freeze", "Ann", "said").expect("stated");
        drop(engine);
        (root, clock)
    }

    #[test]
    fn a_statement_of_the_evening_before_is_asked_for_anew_until_p1_is_closed() {
        let tree = Tree::live();
        let (root, clock) = campaign(&tree);
        let engine = || Engine::open(root.path(), &clock).expect("opened");
        let ran = || engine().cutover(None, &mut |_, _| {}).expect("no fault").ran;
        let attest = |step| engine().attest(step, "Ann", "seen").expect("stated");
        let anew = || engine().to_be_restated().expect("judged").map(|(step, why)| (step.name.clone(), why));
        assert_eq!(ran(), ["freeze"]);
        attest("quiesce");
        clock.forward(OLD + Duration::minutes(1));
        assert_eq!(ran(), [""; 0], "nor does one count that has waited so long for its run");
        attest("quiesce");
        assert_eq!(ran(), ["quiesce"]);
        clock.forward(OLD);
        assert_eq!(anew(), None, "at that very instant it still counts");
        clock.forward(Duration::minutes(1));
        assert!(anew().is_some_and(|(step, why)| step == "quiesce" && why.contains("12 hours")));
        assert_eq!(ran(), [""; 0]);
        attest("quiesce");
        attest("seen");
        assert_eq!(ran(), ["seen", "close-p1"]);
        clock.forward(OLD * 2);
        assert_eq!(anew(), None, "a P1 that is closed lets no transport in");
    }

    #[test]
    fn a_p1_in_use_is_told_from_the_statement_before_it_by_the_journal_whatever_the_clock_says() {
        let tree = Tree::live();
        let (root, clock) = campaign(&tree);
        let mut engine = Engine::open(root.path(), &clock).expect("opened");
        let go = |engine: &mut Engine<'_>| drop(engine.cutover(None, &mut |_, _| {}).expect("no fault"));
        go(&mut engine);
        engine.attest("quiesce", "Ann", "seen").expect("stated");
        go(&mut engine);
        let closing = engine.step_named("close-p1").expect("there").clone();
        fs_err::write(tree.root().join("P1/000003CB.P1"), "an envelope").expect("written");
        clock.forward(Duration::minutes(-20));
        assert!(engine.doubt_transports(&closing).expect("noted").is_some());
        assert!(engine.to_be_restated().expect("judged").is_some(), "by the clock before it, and yet behind it");
        clock.forward(Duration::minutes(-20));
        engine.attest("quiesce", "Ann", "stopped again").expect("stated anew");
        assert!(engine.to_be_restated().expect("judged").is_none(), "and the statement behind that");
    }
}
