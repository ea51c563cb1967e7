//! What a stopped step says: in which state the files are, and which two commands are safe now.

use super::has_program;
use crate::campaign::Step;
use crate::fault::{Fault, Finding};
use crate::runbook::actions::{Intent, Stand};

const BOTH_SAFE: &str =
    "safe now: `flagday cutover` goes on from here, `flagday cutover rollback` takes back what was done";

/// The files are neither as before nor as after: only a person can tell which are right.
pub fn unclear(step: &Step, intents: &[Intent], stands: &[Stand]) -> Fault {
    let name = &step.name;
    if has_program(intents) {
        let why: Vec<&str> = stands.iter().filter_map(words_of).collect();
        return Fault::new(
            "program-unseen",
            format!("step {name} was cut off: {}", why.join("; ")),
            format!(
                "look whether its work is done. Safe now: `flagday cutover attest {name} --by NAME --note TEXT` when it \
                 is, the same with --undone when nothing of it is left; nothing runs until then"
            ),
        );
    }
    let findings = stands.iter().filter_map(words_of).map(|why| {
        Finding::error(
            "files-unclear",
            format!("step {name} was begun, and its files are neither as before nor as after it: {why}"),
            "somebody else changed them. Look at them and bring them into one of the two states; nothing was touched. \
             Then safe: `flagday cutover` goes on from what it finds, `flagday cutover rollback` takes back",
        )
    });
    Fault { exit: crate::fault::Exit::Error, findings: findings.collect() }
}

fn words_of(stand: &Stand) -> Option<&str> {
    match stand {
        Stand::Unclear(why) => Some(why),
        _ => None,
    }
}

/// An error came, and nothing of the step remains.
pub fn as_before(step: &Step) -> Finding {
    Finding::note("step-not-done", format!("step {} is not done; the files are as before it", step.name), BOTH_SAFE)
}

/// An error came after the change was made.
pub fn unfinished(step: &Step) -> Finding {
    let cause =
        format!("step {} has made its change, but whether it would survive a power cut is not known", step.name);
    Finding::warning("step-unfinished", cause, format!("see to the disk first; {BOTH_SAFE}"))
}

/// The change is made and a check says that the result is not right.
pub fn changed_but_wrong(step: &Step) -> Finding {
    let cause = format!("step {} has done its work, but the check after it is not satisfied", step.name);
    Finding::note("step-not-accepted", cause, format!("see to what the check says; {BOTH_SAFE}"))
}

/// Going forward over a rollback that was cut off would mix two directions.
pub fn half_undone(step: &Step) -> Fault {
    Fault::new(
        "step-half-undone",
        format!("taking back step {} was cut off", step.name),
        "run `flagday cutover rollback` to its end first; `flagday cutover journal` shows what happened",
    )
}
