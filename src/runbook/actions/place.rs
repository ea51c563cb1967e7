//! A file's bytes under a name, beside which the old ones are never lost.
//!
//! ```text
//! keep the old bytes below {state}/undo, write the new ones to X.TMP beside the target, sync, compare,
//! target -> X.OLD, X.TMP -> target, sync, compare, remove X.OLD
//! ```
//! Every rename is one that cannot replace. Taking it back is the same with the two contents exchanged.

use super::rename::{changed, guarded, leftovers, may_change, may_move, read_only, shown};
use super::{Operation, Stand};
use crate::campaign::FromTo;
use crate::fault::{Fault, Finding, Result};
use crate::platform::{Folder, Kind};
use crate::runbook::ahead::Ahead;
use crate::runbook::file_ops::{Scratch, Stamp, discard, enter, free, move_to, write_new};
use crate::runbook::identity::{Identity, identify, not_plain};
use crate::runbook::lookup::{Paths, Spot, find_name};
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    pub from: Spot,
    pub to: Spot,
    pub new: Identity,
    pub new_stamp: Stamp,
    /// What has the name now; `None`: nothing.
    pub old: Option<Identity>,
    pub old_stamp: Option<Stamp>,
    pub scratch: Scratch,
    /// The step, and the state folder below which contents are kept for its undo.
    pub step: String,
    pub state: PathBuf,
}

/// Looks at both ends; complaints go to `refusals`, warnings among them, and without a source there is nothing to plan.
pub fn survey(step: &str, wanted: &FromTo, paths: &Paths, refusals: &mut Vec<Finding>) -> Result<Option<Placement>> {
    let (from, to) = (paths.find(&wanted.from)?, paths.find(&wanted.to)?);
    let (source, target) = (from.folder()?, to.folder()?);
    let Some(look) = source.look(from.name())? else {
        let cause = format!("{from} does not exist");
        refusals.push(
            Finding::error("source-missing", cause, "put the file there, or correct the path").in_file(from.path()),
        );
        return Ok(None);
    };
    let there = target.look(to.name())?;
    for (spot, seen) in [(&from, Some(&look)), (&to, there.as_ref())] {
        if seen.is_some_and(|seen| seen.kind != Kind::File) {
            refusals.push(not_plain(&spot.path()));
            return Ok(None);
        }
    }
    let state = paths.root("state")?.to_owned();
    let scratch = Scratch::new(step, &to);
    if let Some(there) = &there {
        refusals.extend(there_refusals(&to, there.writable, there.links));
        refusals.extend(may_move(&target, &to));
    }
    refusals.extend(may_change(&[&target]));
    refusals.extend(leftovers(&scratch, &[&target])?);
    refusals.extend(paths.no_dos_name(&to));
    if there.is_some() && !refusals.iter().any(Finding::is_error) {
        free(&target, to.name())?;
    }
    let Some(new) = identify(&source, from.name())? else { return Err(changed(&from)) };
    let old = identify(&target, to.name())?;
    let old_stamp = there.as_ref().map(|there| Stamp::of(&target, to.name(), there));
    let new_stamp = Stamp {
        modified: look.modified,
        // The program that uses the name keeps its rights to it; a copy from a read-only disk becomes writable.
        mode: there.as_ref().map_or(look.mode.map(|mode| mode | 0o200), |there| there.mode),
        owner: there.as_ref().map_or(look.owner, |there| there.owner),
        attributes: target.carried(to.name()),
    };
    Ok(Some(Placement { from, to, new, new_stamp, old, old_stamp, scratch, step: step.to_owned(), state }))
}

fn there_refusals(to: &Spot, writable: bool, links: u64) -> Vec<Finding> {
    let mut refusals = Vec::new();
    if !writable {
        refusals.push(read_only(to));
    }
    if links > 1 {
        let cause =
            format!("{to} is one of {links} names of the same file: the other names would keep the old content");
        refusals.push(Finding::error("hard-links", cause, "give it a file of its own").in_file(to.path()));
    }
    refusals
}

impl Operation for Placement {
    fn look(&self) -> Result<Stand> {
        if let Some(elsewise) = self.in_other_letters()? {
            return Ok(elsewise);
        }
        let folder = self.to.folder()?;
        let there = identify(&folder, self.to.name())?;
        let aside = identify(&folder, OsStr::new(&self.scratch.aside()))?;
        Ok(self.stand(there.as_ref(), aside.as_ref()))
    }

    fn ahead(&self, seen: &mut Ahead, settled: bool) -> Result<Stand> {
        if let Some(elsewise) = self.in_other_letters()? {
            return Ok(elsewise);
        }
        let (there, aside) = (seen.at(&self.to)?, seen.at(&self.to.sibling(self.scratch.aside()))?);
        let written = settled && aside.is_none() && there.as_ref().is_some_and(|it| self.is_rewritten(it));
        let stand = if written { Stand::Done } else { self.stand(there.as_ref(), aside.as_ref()) };
        if stand == Stand::Done {
            seen.put(&self.to, self.old.clone());
        }
        Ok(stand)
    }

    fn rewritten(&self) -> Result<bool> {
        let folder = self.to.folder()?;
        let aside = folder.look(OsStr::new(&self.scratch.aside()))?;
        Ok(aside.is_none() && identify(&folder, self.to.name())?.is_some_and(|it| self.is_rewritten(&it)))
    }

    fn prove(&self) -> Result<Vec<Finding>> {
        let folder = self.to.folder()?;
        Ok(guarded(self.scratch.probe(&folder)?, &folder).into_iter().collect())
    }

    fn tidy(&self) -> Result<()> {
        let folder = self.to.folder()?;
        self.scratch.unprobe(&folder)?;
        let aside = self.scratch.aside();
        let ours = |it: &Identity| it.is(&self.new) || self.old.as_ref().is_some_and(|old| it.is(old));
        let there = identify(&folder, self.to.name())?;
        match (&there, identify(&folder, OsStr::new(&aside))?) {
            (None, Some(_)) => move_to(&folder, OsStr::new(&aside), &folder, self.to.name())?,
            (Some(it), Some(set_aside)) if ours(it) && (ours(&set_aside) || self.is_kept(&set_aside)?) => {
                self.keep(&folder, OsStr::new(&aside), &set_aside)?;
                discard(&folder, &aside)?;
            }
            _ => {}
        }
        discard(&folder, &self.scratch.incoming())
    }

    fn apply(&self) -> Result<Vec<String>> {
        let folder = self.to.folder()?;
        if let Some(old) = &self.old {
            self.keep(&folder, self.to.name(), old)?;
        }
        self.write(&folder, &self.from.folder()?, self.from.name(), &self.new, &self.new_stamp)?;
        self.exchange(&folder, self.old.as_ref(), true)?;
        self.settled(&Stand::Done)?;
        Ok(vec![format!("{} is now {}", self.to, self.new)])
    }

    fn seal(&self) -> Result<()> {
        self.prove().map(drop)
    }

    fn at_rest(&self) -> Result<()> {
        free(&self.to.folder()?, self.to.name())
    }

    fn revert(&self) -> Result<Vec<String>> {
        let folder = self.to.folder()?;
        let there = identify(&folder, self.to.name())?.filter(|it| self.is_rewritten(it));
        let leaving = there.as_ref().unwrap_or(&self.new);
        self.keep(&folder, self.to.name(), leaving)?;
        if let (Some(old), Some(stamp)) = (&self.old, &self.old_stamp) {
            let kept = self.kept_in()?;
            self.write(&folder, &kept, OsStr::new(&self.kept_name(old)), old, stamp)?;
        }
        self.exchange(&folder, Some(leaving), self.old.is_some())?;
        self.settled(&Stand::NotDone)?;
        let now = self.old.as_ref().map_or("gone".to_owned(), ToString::to_string);
        let mut facts = vec![format!("{} is {now} again", self.to)];
        if there.is_some() {
            let kept = self.kept_in()?.path().join(self.kept_name(leaving));
            facts.push(format!(
                "it had been written to since it was put there; that version is kept as {}",
                kept.display()
            ));
        }
        Ok(facts)
    }

    fn words(&self) -> String {
        match &self.old {
            None => format!("copy {} to {}, {}", self.from, self.to, self.new),
            Some(old) => {
                format!("replace {} ({old}) by {} ({}), keeping the old content", self.to, self.from, self.new)
            }
        }
    }
}

impl Placement {
    /// Somebody has given the file other letters, on a disk that tells them apart: to clients it is the same name, and
    /// whatever came beside it would be a second file of that name.
    fn in_other_letters(&self) -> Result<Option<Stand>> {
        let (folder, name) = (self.to.folder()?, self.to.name());
        if folder.look(name)?.is_some() {
            return Ok(None);
        }
        let other = find_name(&folder, &name.to_string_lossy())?;
        let words = |other| format!("{} stands there as {other}: give it its letters back", self.to);
        Ok(other.map(|other| Stand::Unclear(words(other))))
    }

    fn stand(&self, there: Option<&Identity>, aside: Option<&Identity>) -> Stand {
        let old = |it: &Identity| self.old.as_ref().is_some_and(|old| it.is(old));
        match (there, aside) {
            (Some(it), None) if it.is(&self.new) => Stand::Done,
            (Some(it), None) if old(it) => Stand::NotDone,
            (None, None) if self.old.is_none() => Stand::NotDone,
            _ => Stand::Unclear(format!(
                "{} is {}{}; before the step it was {}, after it {}",
                self.to,
                shown(there),
                aside.map(|aside| format!(", {} is {aside}", self.scratch.aside())).unwrap_or_default(),
                shown(self.old.as_ref()),
                self.new
            )),
        }
    }

    /// A file of the same length with other bytes: a program has written to what was put there. A stranger's file has
    /// another length, or is told by the checks of whoever knows what belongs there.
    fn is_rewritten(&self, it: &Identity) -> bool {
        let known = it.is(&self.new) || self.old.as_ref().is_some_and(|old| it.is(old));
        it.kind == Kind::File && it.size == self.new.size && !known
    }

    fn is_kept(&self, it: &Identity) -> Result<bool> {
        let kept = identify(&self.kept_in()?, OsStr::new(&self.kept_name(it)))?;
        Ok(kept.is_some_and(|kept| kept.is(it)))
    }

    /// The incoming bytes, complete and compared.
    fn write(&self, folder: &Folder, from: &Folder, name: &OsStr, expected: &Identity, stamp: &Stamp) -> Result<()> {
        let incoming = self.scratch.incoming();
        let (size, digest) = write_new(from, name, folder, OsStr::new(&incoming), Some(stamp))?;
        if (size, &digest) != (expected.size, &expected.digest) {
            return Err(Fault::new(
                "source-changed",
                format!("{} is not what it was when the step began", from.path().join(name).display()),
                "find out what writes to it, stop that, then run `flagday cutover` again",
            ));
        }
        Ok(())
    }

    /// Sets aside what has the name, if anything, and gives the name to the incoming file, if there is one.
    fn exchange(&self, folder: &Folder, leaving: Option<&Identity>, incoming: bool) -> Result<()> {
        let aside = self.scratch.aside();
        let aside = OsStr::new(&aside);
        if let Some(leaving) = leaving {
            move_to(folder, self.to.name(), folder, aside)?;
            if !identify(folder, aside)?.is_some_and(|it| it.is(leaving)) {
                move_to(folder, aside, folder, self.to.name())?;
                return Err(changed(&self.to));
            }
        }
        if incoming {
            move_to(folder, OsStr::new(&self.scratch.incoming()), folder, self.to.name())?;
        }
        discard(folder, &self.scratch.aside())
    }

    fn settled(&self, expected: &Stand) -> Result<()> {
        if self.look()? == *expected { Ok(()) } else { Err(changed(&self.to)) }
    }

    fn kept_in(&self) -> Result<Folder> {
        let undo = enter(&Folder::open(&self.state)?, OsStr::new("undo"))?;
        enter(&undo, OsStr::new(&self.step))
    }

    /// Named by content: keeping it twice is keeping it once.
    fn kept_name(&self, identity: &Identity) -> String {
        format!("{}.{}", self.to.name, &identity.digest[..16])
    }

    /// Keeps a copy of what stands under a name below the state folder.
    fn keep(&self, folder: &Folder, name: &OsStr, expected: &Identity) -> Result<()> {
        let kept = self.kept_in()?;
        let wanted = self.kept_name(expected);
        if identify(&kept, OsStr::new(&wanted))?.is_some_and(|it| it.is(expected)) {
            return Ok(());
        }
        let partial = format!("{wanted}.part");
        discard(&kept, &partial)?;
        let (size, digest) = write_new(folder, name, &kept, OsStr::new(&partial), None)?;
        if (size, &digest) != (expected.size, &expected.digest) {
            discard(&kept, &partial)?;
            return Err(changed(&self.to));
        }
        move_to(&kept, OsStr::new(&partial), &kept, OsStr::new(&wanted))
    }
}
