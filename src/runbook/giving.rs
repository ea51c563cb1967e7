//! Whether a copy can belong to whom it is to belong (`like`), tried out with a file of no bytes. It is asked before the
//! file that it takes the place of goes: behind that, nobody could use either.

use super::file_ops::Scratch;
use super::lookup::{Paths, Spot};
use crate::campaign::{Action, Step};
use crate::fault::{Fault, Finding, Result};

/// `steps` are the one that is about to begin and those that follow at once.
pub fn require_giving(steps: &[&Step], paths: &Paths) -> Result<()> {
    let Some(first) = steps.first() else { return Ok(()) };
    for step in steps {
        let Some(Action::Copy { pair, like: Some(like) }) = &step.action else { continue };
        let (model, to) = (paths.find(like)?, paths.find(&pair.to)?);
        let Some((model, owner)) = owner(&model, steps, paths)? else { continue };
        if Scratch::new(&first.name, &to).can_give(&to.folder()?, owner)? {
            continue;
        }
        let (user, group) = owner;
        let cause = format!(
            "{to} is to belong to user {user}, group {group}, as {model} does, and this account cannot give a file to them: \
             who uses it could be shut out"
        );
        let remedy = "run flagday as the account that the files belong to, or as one that may give files away";
        return Err(Fault::from(Finding::error("no-right", cause, remedy).in_file(to.path())));
    }
    Ok(())
}

/// Whose the model is: of the file itself, or of the one that a step before renames to it.
fn owner(model: &Spot, steps: &[&Step], paths: &Paths) -> Result<Option<(Spot, (u32, u32))>> {
    let owner = |spot: &Spot| -> Result<Option<(u32, u32)>> {
        Ok(spot.folder()?.look(spot.name())?.and_then(|look| look.owner))
    };
    if let Some(found) = owner(model)? {
        return Ok(Some((model.clone(), found)));
    }
    for step in steps {
        let Some(Action::Rename(pair)) = &step.action else { continue };
        let (from, to) = (paths.find(&pair.from)?, paths.find(&pair.to)?);
        if to.path() == model.path() {
            return Ok(owner(&from)?.map(|found| (from, found)));
        }
    }
    Ok(None)
}
