//! What a step would do, with exact paths. Nothing is touched.

use super::actions::plan;
use super::lookup::Paths;
use crate::campaign::{Action, FromTo, Step};
use crate::fault::{Finding, Result};
use chrono::{DateTime, Utc};

/// The operations of a step, in order. Names that an earlier step has yet to make are shown as written.
pub fn describe(step: &Step, paths: &Paths) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    lines.extend(step.needs.iter().map(|gate| format!("needs the gate {gate} to be open")));
    lines.extend(step.seen.iter().map(|step| format!("needs every point of the checklist of {step} to be seen")));
    lines.extend(step.before.iter().map(|check| format!("check {check}")));
    lines.extend(step.action.iter().flat_map(|action| operations(&step.name, action, paths)));
    lines.extend(step.attest.iter().map(|text| format!("wait until a person states: {text}")));
    lines.extend(step.after.iter().map(|check| format!("check {check}")));
    lines
}

/// Why the step would be refused if it started now, or what it would warn of; empty when nothing stands against it.
pub fn refusals(step: &Step, paths: &Paths, at: DateTime<Utc>) -> Vec<Finding> {
    match step.action.as_ref().map(|action| plan(&step.name, action, paths, at)) {
        Some(Err(fault)) => fault.findings,
        Some(Ok(plan)) => plan.warnings,
        None => Vec::new(),
    }
}

/// What stands in the way of a step whose turn comes later, and that no step before it will clear away: room and rights.
pub fn foreseen(step: &Step, paths: &Paths, at: DateTime<Utc>) -> Vec<Finding> {
    let lasting = |finding: &Finding| ["space-short", "no-right"].contains(&finding.code);
    let note = |finding: &Finding| {
        let cause = format!("step {} would be refused, and follows at once", step.name);
        Finding { cause: format!("{}: {cause}", finding.cause), ..finding.clone() }
    };
    refusals(step, paths, at).iter().filter(|finding| finding.is_error() && lasting(finding)).map(note).collect()
}

fn operations(step: &str, action: &Action, paths: &Paths) -> Vec<String> {
    let place = |text: &str| -> String {
        let known: Result<String> = paths.find_folder(text).map(|spot| spot.to_string());
        known.unwrap_or_else(|_| paths.fill(text))
    };
    let pair = |pair: &FromTo| (place(&pair.from), place(&pair.to));
    let kept = || place(&format!("{{state}}/undo/{step}"));
    match action {
        Action::Rename(it) => {
            let (from, to) = pair(it);
            let does = format!("rename {from} to {to}, without replacing anything");
            vec![does, "its undo: rename it back".to_owned()]
        }
        Action::Copy { pair: it, like } => {
            let (from, to) = pair(it);
            let like =
                like.as_ref().map_or(String::new(), |like| format!("; it gets owner and rights of {}", place(like)));
            let does = format!("copy {from} to {to}, without replacing anything, and compare{like}");
            vec![does, format!("its undo: remove the copy; its content is kept in {}", kept())]
        }
        Action::Replace(them) => {
            let does = |it: &FromTo| {
                let (from, to) = pair(it);
                format!("copy {from} onto {to} and compare; the old content is kept in {}", kept())
            };
            them.iter().map(does).chain(["its undo: put the old content back".to_owned()]).collect()
        }
        Action::Backup(it) => {
            let (from, to) = pair(it);
            let does = format!("copy the whole tree {from} into a new folder in {to}, and read every file back");
            vec![does, "its undo: nothing; a backup is never removed".to_owned()]
        }
        Action::Shell { run, undo } => {
            let words = |argv: &[String]| format!("{:?}", argv.iter().map(|word| paths.fill(word)).collect::<Vec<_>>());
            let back =
                undo.as_ref().map_or("nothing: it cannot be taken back by program".to_owned(), |undo| words(undo));
            vec![format!("run {}", words(run)), format!("its undo: {back}")]
        }
        Action::Notice(names) => {
            let does = format!("send what is still due of: {}", names.join(", "));
            vec![does, "its undo: nothing; what people were told stays told".to_owned()]
        }
        Action::Package(name) => vec![format!("build the package {name} for everyone who lacks it")],
        Action::Observe(what) => vec![format!("look at {what} and record what is seen")],
    }
}
