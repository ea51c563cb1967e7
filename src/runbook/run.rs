//! Running a step: checks, intents into the journal, effects, what the files say, checks again, done.

use super::intent::{self, Intent, Seen};
use super::journal::{Event, Journal, intents_of, state_of};
use super::step::StepState;
use crate::campaign::Step;
use crate::fault::{Fault, Finding, Result};
use crate::gate::Passed;
use chrono::{DateTime, Utc};

pub use super::lookup::Paths;

/// A check of the campaign's own, by the name the step calls it.
pub type Checks<'a> = dyn Fn(&str) -> Result<Vec<Finding>> + 'a;
pub type Now<'a> = dyn Fn() -> DateTime<Utc> + 'a;

/// Runs a step whose gates are open. `facts` go into the journal with its end.
pub fn perform(
    step: &Step,
    passed: Passed,
    paths: &Paths,
    journal: &mut dyn Journal,
    checks: &Checks,
    facts: serde_json::Value,
    now: &Now,
) -> Result<()> {
    // After a failure some of the effects may be there; then the intents of that start are finished, not planned anew.
    let begun = begun(step, journal)?;
    let intents = if begun.is_empty() {
        for name in &step.before {
            Fault::check(checks(name)?)?;
        }
        intent::plan(step, paths)?
    } else {
        begun
    };
    let gates = passed.gates().map(|(name, digest)| (name.to_owned(), digest.to_owned())).collect();
    journal.append(&step.name, Event::Started { gates, intents: intents.clone() }, now())?;
    finish(step, &intents, true, journal, checks, facts, now)
}

/// Finishes a step that a crash left begun. Its gates had been open; the journal holds the proof.
pub fn resume(step: &Step, journal: &mut dyn Journal, checks: &Checks, now: &Now) -> Result<()> {
    let entries = journal.entries()?;
    if state_of(&entries, &step.name) != StepState::Started {
        return Ok(());
    }
    let intents = intents_of(&entries, &step.name);
    finish(step, &intents, false, journal, checks, serde_json::json!({ "resumed": true }), now)
}

/// The intents of an earlier start of which at least one is carried out; none where the step can begin afresh.
fn begun(step: &Step, journal: &dyn Journal) -> Result<Vec<Intent>> {
    let intents = intents_of(&journal.entries()?, &step.name);
    for intent in &intents {
        if !matches!(intent, Intent::Shell { .. }) && intent.look()? != Seen::NotDone {
            return Ok(intents);
        }
    }
    Ok(Vec::new())
}

fn finish(
    step: &Step,
    intents: &[Intent],
    fresh: bool,
    journal: &mut dyn Journal,
    checks: &Checks,
    facts: serde_json::Value,
    now: &Now,
) -> Result<()> {
    let result = carry_out(step, intents, fresh).and_then(|()| {
        for name in &step.after {
            Fault::check(checks(name)?)?;
        }
        Ok(())
    });
    match result {
        Ok(()) => journal.append(&step.name, Event::Done { facts }, now()),
        Err(fault) => {
            #[cfg(test)]
            if super::disk::crash::crashed() {
                return Err(fault);
            }
            journal.append(&step.name, Event::Failed { cause: fault.to_string() }, now())?;
            Err(fault)
        }
    }
}

fn carry_out(step: &Step, intents: &[Intent], fresh: bool) -> Result<()> {
    for intent in intents {
        // A program leaves no trace to look at: after a crash nobody can see whether it ran, and it is not run twice.
        let seen = match intent {
            Intent::Shell { .. } if fresh => Seen::NotDone,
            other => other.look()?,
        };
        match seen {
            Seen::Done => continue,
            Seen::Unclear(why) => return Err(unclear(step, intent, &why)),
            Seen::NotDone => intent.carry_out()?,
        }
        if !matches!(intent, Intent::Shell { .. })
            && let Seen::NotDone | Seen::Unclear(_) = intent.look()?
        {
            return Err(unclear(step, intent, "its effect is not there"));
        }
    }
    Ok(())
}

/// The files fit neither before nor after: a person has to look.
pub(super) fn unclear(step: &Step, intent: &Intent, why: &str) -> Fault {
    Fault::new(
        "needs-a-person",
        format!("step {}: the files fit neither before nor after ({}): {why}", step.name, intent.describe()),
        "nothing more was touched. Safe now: `flagday cutover journal` shows what was meant, `flagday status` where \
         it stands; put the file back where the journal last had it, then run `flagday cutover` or `flagday cutover rollback`",
    )
}
