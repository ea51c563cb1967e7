//! What a step would do, in words. Nothing is touched.

use super::{Paths, intent};
use crate::campaign::{Action, Step};

/// One line an operation; a refusal stands where the operation would.
pub fn describe(step: &Step, paths: &Paths) -> Vec<String> {
    let mut lines: Vec<String> = step.before.iter().map(|name| format!("check {name}")).collect();
    if let Some(statement) = &step.attest {
        lines.push(format!("a person states: {}", statement.split_whitespace().collect::<Vec<_>>().join(" ")));
    }
    match &step.action {
        Some(Action::Notice(names)) => lines.push(format!("send {}", names.join(", "))),
        Some(Action::Package(name)) => lines.push(format!("build the package {name} for everyone")),
        Some(Action::Observe(what)) => lines.push(format!("look at the postoffice: {what}")),
        _ => match intent::plan(step, paths) {
            Ok(intents) => lines.extend(intents.iter().map(intent::Intent::describe)),
            // Later steps build on earlier ones: what they would refuse now is told as it stands now.
            Err(fault) => lines.push(format!("{} (as of now: {fault})", as_written(step))),
        },
    }
    lines.extend(step.after.iter().map(|name| format!("check {name}")));
    lines
}

fn as_written(step: &Step) -> String {
    match &step.action {
        Some(Action::Rename(pair)) => format!("rename {} to {}", pair.from, pair.to),
        Some(Action::Copy(pair)) => format!("copy {} to {}", pair.from, pair.to),
        Some(Action::Backup(pair)) => format!("back up {} to {}", pair.from, pair.to),
        Some(Action::Replace(pairs)) => {
            pairs.iter().map(|pair| format!("replace {} by {}", pair.to, pair.from)).collect::<Vec<_>>().join("; ")
        }
        _ => step.title.clone(),
    }
}
