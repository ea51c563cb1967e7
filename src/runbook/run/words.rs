//! What a stopped step says: in which state the files are, and which two commands are safe now.

use super::has_program;
use crate::campaign::{Action, Step};
use crate::fault::{Fault, Finding};
use crate::runbook::actions::{Intent, Stand};
use crate::runbook::journal::History;

/// What is safe now, behind what is to be done first. `back`: the command that takes steps back; none: whoever shows this
/// tells the state of the postoffice below it, with what is safe in that.
fn safe(first: &str, forward: &str, back: Option<&str>, does: &str) -> String {
    match back {
        Some(back) => format!("{first}. Safe now: `flagday cutover` {forward}, `{back}` {does}"),
        None => first.to_owned(),
    }
}

fn both_safe(first: &str, back: Option<&str>) -> String {
    safe(first, "goes on from here", back, "takes back what was done")
}

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
             Then safe: `flagday cutover` goes on from what it finds, `flagday cutover rollback --to STEP` takes back",
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

/// Refused before it began, or before its program was run once more.
pub fn not_begun(step: &Step, history: &History, back: Option<&str>, mut fault: Fault) -> Fault {
    if has_program(&history.intents) && history.failure_seen {
        fault.findings.push(not_known(step, back));
        return fault;
    }
    let cause = format!(
        "step {} has not begun: nothing was touched, and everything stands as the steps before it left it",
        step.name
    );
    let remedy = safe("see to the cause", "tries this step again", back, "takes back the steps before it");
    fault.findings.push(Finding::note("step-not-begun", cause, remedy));
    fault
}

/// An error came, and nothing of the step remains.
pub fn as_before(step: &Step, back: Option<&str>) -> Finding {
    let cause = format!("step {} is not done: the files are again as before it", step.name);
    Finding::note("step-not-done", cause, both_safe("see to the cause", back))
}

/// Its program said that it failed; whether it cleaned up behind itself, it did not say.
pub fn not_known(step: &Step, back: Option<&str>) -> Finding {
    let name = &step.name;
    let cause = format!("step {name} is not done: what its program changed before it failed is not known here");
    let (undone, to) = match &step.action {
        Some(Action::Shell { undo: Some(_), .. }) => (String::new(), "runs the program that undoes it"),
        _ => (
            format!(
                "; it has no undo program: `flagday cutover attest {name} --undone --by NAME --note TEXT` once nothing of its \
                 work is left"
            ),
            "takes back the steps before it, once that is stated",
        ),
    };
    let remedy = match back {
        Some(_) => safe(&format!("look at it{undone}"), "runs the program again", back, to),
        None => format!("look at it: `flagday cutover` runs the program again, a rollback {to}{undone}"),
    };
    Finding::note("step-not-known", cause, remedy)
}

/// The disk did not confirm what was written.
pub fn unfinished(step: &Step, back: Option<&str>) -> Finding {
    let cause = format!(
        "step {} stopped in the middle, and what it has written may not survive a power cut; nothing more was touched",
        step.name
    );
    let first = "see to the disk or the server first, for its own log tells more; every run looks at the files and writes anew \
                 what is doubtful";
    let remedy = both_safe(first, back);
    Finding::warning("step-unfinished", cause, remedy)
}

/// The files cannot be looked at now: a share that is gone, a disk that fails.
pub fn not_seen(step: &Step, back: Option<&str>) -> Finding {
    let cause = format!("how far step {} has come cannot be seen now; no file is lost by that", step.name);
    let remedy = both_safe("see that the folder can be reached and read again", back);
    Finding::note("step-not-seen", cause, remedy)
}

/// Not taken back, because something stands against it.
pub fn not_back(step: &Step, back: Option<&str>, mut fault: Fault) -> Fault {
    let cause = format!("step {} is not taken back: nothing of it was touched", step.name);
    let remedy = match back {
        Some(_) => {
            "see to the cause. Safe now: `flagday cutover rollback`, with the same step named, tries again; `flagday status` only \
             looks"
        }
        None => "see to the cause",
    };
    fault.findings.push(Finding::note("step-not-undone", cause, remedy));
    fault
}

/// Taking it back met an error.
pub fn half_back(step: &Step, back: Option<&str>) -> Finding {
    let cause =
        format!("step {} is being taken back and is not yet; the steps before it are done and stay so", step.name);
    let remedy = match back {
        Some(_) => {
            "safe now: `flagday cutover rollback`, with the same step named, goes on from here; `flagday cutover journal` shows what \
             was done; `flagday cutover` refuses until the rollback is through"
        }
        None => "see to the cause; `flagday cutover` refuses until the rollback is through",
    };
    Finding::note("step-half-undone", cause, remedy)
}

/// The change is made and a check says that the result is not right.
pub fn changed_but_wrong(step: &Step, back: Option<&str>) -> Finding {
    let cause = format!("step {} has done its work, but the check after it is not satisfied", step.name);
    Finding::note("step-not-accepted", cause, both_safe("see to what the check says", back))
}

/// What has to be mended may make a statement untrue: External is started once more to hand mail out.
pub fn stated_but_wrong(step: &Step, by: &str, back: Option<&str>) -> Finding {
    let name = &step.name;
    let cause = format!("what {by} stated for step {name} counts no more: the check after it is not satisfied");
    let first = format!(
        "see to what the check says, and when all of it is true again, state it anew: `flagday cutover attest {name} --by NAME \
         --note TEXT`"
    );
    let remedy = safe(&first, "says what is to be stated", back, "takes back the steps before it");
    Finding::note("statement-taken-away", cause, remedy)
}

/// Going forward over a rollback that was cut off would mix two directions.
pub fn half_undone(step: &Step, back: Option<&str>) -> Fault {
    Fault::new(
        "step-half-undone",
        format!("taking back step {} was cut off", step.name),
        match back {
            Some(_) => {
                "safe now: `flagday cutover rollback`, with the same step named, takes it back to its end; `flagday cutover journal` \
                 shows what happened"
            }
            None => "bring the rollback to its end first; `flagday cutover journal` shows what happened",
        },
    )
}
