//! A new name for a file or a folder on the same volume, never over another.

use super::{Operation, Stand};
use crate::campaign::FromTo;
use crate::fault::{Fault, Finding, Result};
use crate::platform::{Folder, Kind};
use crate::runbook::ahead::Ahead;
use crate::runbook::file_ops::{GIVE_RIGHTS, Scratch, free, move_to, other_volume};
use crate::runbook::identity::{Identity, identify, not_plain};
use crate::runbook::lookup::{Paths, Spot};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rename {
    pub from: Spot,
    pub to: Spot,
    pub identity: Identity,
    pub scratch: Scratch,
}

pub fn plan(step: &str, wanted: &FromTo, paths: &Paths, warnings: &mut Vec<Finding>) -> Result<Rename> {
    let (from, to) = (paths.find(&wanted.from)?, paths.find(&wanted.to)?);
    let (old, new) = (from.folder()?, to.folder()?);
    let (source, target) = (old.look(from.name())?, new.look(to.name())?);
    let kind = match (source, target.is_some()) {
        (Some(_), true) => return Err(both(&from, &to)),
        (None, true) => return Err(renamed_before(&from, &to)),
        (None, false) => return Err(neither(&from, &to)),
        (Some(look), false) => look,
    };
    let mut refusals = Vec::new();
    if !matches!(kind.kind, Kind::File | Kind::Folder) {
        refusals.push(not_plain(&from.path()));
    }
    // A folder that something is mounted on cannot be renamed either.
    if old.device()? != new.device()? || (kind.device.is_some() && kind.device != old.device()?) {
        refusals.extend(other_volume(&from.path(), new.path()).findings);
    }
    if kind.kind == Kind::File && !kind.writable {
        refusals.push(read_only(&from));
    }
    refusals.extend(may_change(&[&old, &new]));
    refusals.extend(may_move(&old, &from));
    let scratch = Scratch::new(step, &to);
    refusals.extend(leftovers(&scratch, &[&old, &new])?);
    refusals.extend(paths.no_dos_name(&to));
    Fault::check(refusals)?;
    free(&old, from.name())?;
    if kind.kind == Kind::File && kind.links > 1 {
        let cause = format!("{from} is one of {} names of the same file: the other names stay", kind.links);
        let remedy = "find out who made a second name for it, and why";
        warnings.push(Finding::warning("hard-links", cause, remedy).in_file(from.path()));
    }
    let identity = identify(&old, from.name())?.ok_or_else(|| neither(&from, &to))?;
    Ok(Rename { from, to, identity, scratch })
}

impl Operation for Rename {
    fn look(&self) -> Result<Stand> {
        let source = identify(&self.from.folder()?, self.from.name())?;
        let target = identify(&self.to.folder()?, self.to.name())?;
        Ok(self.stand(source.as_ref(), target.as_ref()))
    }

    fn ahead(&self, seen: &mut Ahead, _settled: bool) -> Result<Stand> {
        let (source, target) = (seen.at(&self.from)?, seen.at(&self.to)?);
        let stand = self.stand(source.as_ref(), target.as_ref());
        if stand == Stand::Done {
            seen.put(&self.from, target);
            seen.put(&self.to, None);
        }
        Ok(stand)
    }

    fn prove(&self) -> Result<Vec<Finding>> {
        let (from, to) = (self.from.folder()?, self.to.folder()?);
        let mut warnings: Vec<Finding> = guarded(self.scratch.probe(&to)?, &to).into_iter().collect();
        if from.path() != to.path() {
            warnings.extend(guarded(self.scratch.probe(&from)?, &from));
        }
        Ok(warnings)
    }

    fn tidy(&self) -> Result<()> {
        self.scratch.unprobe(&self.from.folder()?)?;
        self.scratch.unprobe(&self.to.folder()?)
    }

    fn apply(&self) -> Result<Vec<String>> {
        self.move_between(&self.from, &self.to, &Stand::Done)
    }

    fn seal(&self) -> Result<()> {
        self.prove().map(drop)
    }

    fn at_rest(&self) -> Result<()> {
        free(&self.to.folder()?, self.to.name())
    }

    fn revert(&self) -> Result<Vec<String>> {
        self.move_between(&self.to, &self.from, &Stand::NotDone)
    }

    fn words(&self) -> String {
        format!("rename {} to {}, without replacing anything", self.from, self.to)
    }
}

impl Rename {
    fn stand(&self, source: Option<&Identity>, target: Option<&Identity>) -> Stand {
        match (source, target) {
            (Some(it), None) if it.is(&self.identity) => Stand::NotDone,
            (None, Some(it)) if it.is(&self.identity) => Stand::Done,
            _ => Stand::Unclear(format!(
                "{} is {}, and {} is {}; expected was {} under one of the two names",
                self.from,
                shown(source),
                self.to,
                shown(target),
                self.identity
            )),
        }
    }

    fn move_between(&self, from: &Spot, to: &Spot, expected: &Stand) -> Result<Vec<String>> {
        let (old, new) = (from.folder()?, to.folder()?);
        let before = identify(&old, from.name())?.filter(|it| it.is(&self.identity));
        let before = before.ok_or_else(|| changed(from))?;
        move_to(&old, from.name(), &new, to.name())?;
        if self.look()? != *expected {
            return Err(changed(to));
        }
        let mut facts = vec![format!("{from} is now {}: {}", to.name, self.identity)];
        if before.changed_inside(&self.identity) {
            facts.push(format!("{} was written to since the step began: a program still uses it", to.name));
        }
        Ok(facts)
    }
}

/// What to know of a volume whose renames do not keep from replacing by themselves.
pub fn guarded(by_the_volume: bool, folder: &Folder) -> Option<Finding> {
    let cause = || {
        format!(
            "{} has no rename that refuses a taken name: the new name is looked for right before each rename instead",
            folder.path().display()
        )
    };
    let remedy = "see that nobody else works in that folder while the step runs";
    (!by_the_volume).then(|| Finding::warning("rename-unguarded", cause(), remedy).in_file(folder.path()))
}

pub fn shown(identity: Option<&Identity>) -> String {
    identity.map_or_else(|| "missing".to_owned(), ToString::to_string)
}

/// The file is no longer the one that was planned with.
pub fn changed(spot: &Spot) -> Fault {
    Fault::new(
        "changed-meanwhile",
        format!("{spot} changed while the step ran"),
        "somebody or something else is working there: find out what, stop it, then run `flagday cutover` again",
    )
}

pub fn read_only(spot: &Spot) -> Finding {
    Finding::error(
        "read-only",
        format!("{spot} is read-only or immutable"),
        "take the attribute away (chmod u+w, chattr -i, or ATTRIB -R) and look why it was set",
    )
    .in_file(spot.path())
}

/// The folders whose names this account may not change.
pub fn may_change(folders: &[&Folder]) -> Vec<Finding> {
    let mut refused: Vec<Finding> = Vec::new();
    for folder in folders {
        if let Err(error) = folder.may_change() {
            let finding = Finding::error("no-right", error.to_string(), GIVE_RIGHTS);
            refused.push(finding.in_file(folder.path()));
        }
    }
    refused.dedup();
    refused
}

/// What belongs to another account, where that keeps it from being moved.
pub fn may_move(folder: &Folder, spot: &Spot) -> Option<Finding> {
    let remedy = "run this as the account that owns it, or as the owner of the folder";
    let refused = |error: std::io::Error| Finding::error("no-right", error.to_string(), remedy).in_file(spot.path());
    folder.may_move(spot.name()).err().map(refused)
}

/// Files that carry the names this step needs on the way.
pub fn leftovers(scratch: &Scratch, folders: &[&Folder]) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    for folder in folders {
        for name in scratch.taken(folder)? {
            let path = folder.path().join(name);
            let cause = format!("{} is in the way: this step needs that name for a moment", path.display());
            found.push(Finding::error("scratch-taken", cause, "look what it is, and move it away").in_file(path));
        }
    }
    found.dedup();
    Ok(found)
}

fn both(from: &Spot, to: &Spot) -> Fault {
    if from == to {
        let cause = format!("{from} already has that name, in other letters");
        return Fault::new("same-name", cause, "name another target: letters alone make no new name");
    }
    Fault::new(
        "both-exist",
        format!("{from} and {to} both exist"),
        format!(
            "find out which of the two is in use; move the other out of the folder, so that only {} is left",
            from.name
        ),
    )
}

fn renamed_before(from: &Spot, to: &Spot) -> Fault {
    Fault::new(
        "already-renamed",
        format!("{from} is missing and {to} exists: somebody renamed it by hand"),
        format!(
            "make sure that {} is the right one and rename it back to {}; this step then renames it",
            to.name, from.name
        ),
    )
}

fn neither(from: &Spot, to: &Spot) -> Fault {
    Fault::new(
        "neither-exists",
        format!("neither {from} nor {to} exists"),
        "check the path; if it is right, take the file or folder from the backup",
    )
}
