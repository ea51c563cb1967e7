//! A verified copy of a whole tree: empty folders, files without bytes, hidden and read-only ones, times and modes.
//!
//! It grows in `<step>.partial` and gets its name only when it is whole, so a folder with a date is a finished backup.
//! An interrupted one is continued: a file that is already there with the same bytes stays.
//!
//! The tree may be in use: mail comes and is read while it is copied. A file that changes is copied again, one that goes is
//! left out, one that comes behind its folder's turn is not in it; each file that is in it is as it was at one instant.

use super::manifest::{Line, MANIFEST, TREE, Writer, damaged};
use super::rename::may_change;
use super::restore::is_there;
use super::{Operation, Stand};
use crate::campaign::FromTo;
use crate::fault::{Fault, Finding, Result};
use crate::platform::fail::point;
use crate::platform::{Folder, Kind, Look};
use crate::runbook::file_ops::{Scratch, Stamp, discard, enter, move_to, space_for, sync, write_new};
use crate::runbook::identity::{DEPTH, digest_of, not_plain};
use crate::runbook::lookup::{Paths, Spot};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Backup {
    /// The tree.
    pub from: Spot,
    /// The folder that holds backups.
    pub to: Spot,
    /// The backup's name in it, before and after it is whole.
    pub partial: String,
    pub name: String,
    /// When the tree was as it is copied.
    #[serde(default)]
    pub at: Option<DateTime<Utc>>,
    pub files: u64,
    pub bytes: u64,
}

/// What a file takes on the disk beyond its bytes, at most, on the volumes in question.
pub const PER_FILE: u64 = 4096;

pub fn plan(
    step: &str,
    wanted: &FromTo,
    paths: &Paths,
    at: DateTime<Utc>,
    warnings: &mut Vec<Finding>,
) -> Result<Backup> {
    let (from, to) = (paths.find_folder(&wanted.from)?, paths.find_folder(&wanted.to)?);
    let (partial, mut name) = (format!("{step}.partial"), format!("{step}-{}", at.format("%Y%m%d-%H%M%SZ")));
    let mut refusals = Vec::new();
    let mut size = Size::default();
    size.add(&from.folder()?.folder(from.name())?, 0, &mut refusals)?;
    let holder = to.folder()?;
    let inside = match holder.look(to.name())? {
        None => None,
        Some(_) => Some(holder.folder(to.name())?),
    };
    let place = inside.as_ref().unwrap_or(&holder);
    if fs_err::canonicalize(place.path())?.starts_with(fs_err::canonicalize(from.path())?) {
        let cause = format!("{to} is inside {from}: the backup would contain itself");
        refusals.push(Finding::error("backup-inside", cause, "name a folder outside, best on another disk"));
    }
    let mut there = Size::default();
    if let Some(folder) = &inside {
        // Two in one second, or a clock that was set back.
        let dated = name.clone();
        for n in 2.. {
            if folder.look(OsStr::new(&name))?.is_none() {
                break;
            }
            name = format!("{dated}-{n}");
        }
        if folder.look(OsStr::new(&partial))?.is_some() {
            there.add(&folder.folder(OsStr::new(&partial))?, 0, &mut Vec::new())?;
        }
    }
    let needed = (size.bytes + (size.files + size.folders) * PER_FILE).saturating_sub(there.bytes);
    refusals.extend(space_for(place, needed)?);
    refusals.extend(may_change(&[place]));
    warnings.extend(Fault::check(refusals)?);
    Ok(Backup { from, to, partial, name, at: Some(at), files: size.files, bytes: size.bytes })
}

/// How much a tree is.
#[derive(Default)]
pub struct Size {
    pub files: u64,
    pub folders: u64,
    pub bytes: u64,
}

impl Size {
    /// Of all that is in a folder; links and devices count for nothing.
    pub fn of(folder: &Folder) -> Result<Size> {
        let mut size = Size::default();
        size.add(folder, 0, &mut Vec::new())?;
        Ok(size)
    }

    fn add(&mut self, folder: &Folder, depth: usize, refusals: &mut Vec<Finding>) -> Result<()> {
        if depth > DEPTH {
            let cause = format!("{} is nested more than {DEPTH} folders deep", folder.path().display());
            return Err(Fault::new("too-deep", cause, "name a tree that is not nested so deep"));
        }
        for name in folder.names()? {
            match folder.look(&name)? {
                None => {}
                Some(look) if look.kind == Kind::File => {
                    self.files += 1;
                    self.bytes += look.size;
                }
                Some(look) if look.kind == Kind::Folder => {
                    self.folders += 1;
                    self.add(&folder.folder(&name)?, depth + 1, refusals)?;
                }
                Some(_) => refusals.push(not_plain(&folder.path().join(&name))),
            }
        }
        Ok(())
    }
}

impl Operation for Backup {
    fn look(&self) -> Result<Stand> {
        let holder = self.to.folder()?;
        if holder.look(self.to.name())?.is_none() {
            return Ok(Stand::NotDone);
        }
        let holder = holder.folder(self.to.name())?;
        if holder.look(OsStr::new(&self.name))?.is_none() {
            return Ok(Stand::NotDone);
        }
        let path = self.to.child(&self.name);
        Ok(if is_there(&holder.folder(OsStr::new(&self.name))?) {
            Stand::Done
        } else {
            Stand::Unclear(format!("{path} is no whole backup"))
        })
    }

    fn prove(&self) -> Result<Vec<Finding>> {
        // A backup's folder has a date in its name: nobody else makes the same.
        self.scratch().probe(&self.place()?).map(|_| Vec::new())
    }

    /// What was copied so far stays: the next attempt goes on from there.
    fn tidy(&self) -> Result<()> {
        self.scratch().unprobe(&self.place()?)
    }

    fn apply(&self) -> Result<Vec<String>> {
        let holder = enter(&self.to.folder()?, self.to.name())?;
        let partial = enter(&holder, OsStr::new(&self.partial))?;
        let tree = enter(&partial, OsStr::new(TREE))?;
        discard(&partial, MANIFEST)?;
        let above = self.from.folder()?;
        let root = above.look(self.from.name())?;
        let mut list = Writer::begin(partial.create(OsStr::new(MANIFEST))?, &self.from.path(), self.at, root.as_ref())?;
        let mut in_use = InUse::default();
        copy_folder(&above, self.from.name(), &tree, &mut Vec::new(), &mut list, &mut in_use)?;
        point("before manifest end")?;
        let end = list.end()?;
        sync(&partial)?;
        move_to(&holder, OsStr::new(&self.partial), &holder, OsStr::new(&self.name))?;
        if self.look()? != Stand::Done {
            return Err(damaged(&self.to.child(&self.name).path(), "it does not read back"));
        }
        let Line::End { files, folders, bytes } = end else { return Ok(Vec::new()) };
        let place = self.to.child(&self.name);
        let mut facts =
            vec![format!("{files} files and {folders} folders, {bytes} bytes, copied to {place} and read back")];
        facts.extend(in_use.words());
        Ok(facts)
    }

    fn seal(&self) -> Result<()> {
        self.prove().map(drop)
    }

    /// A backup is never removed.
    fn revert(&self) -> Result<Vec<String>> {
        Ok(vec![format!("the backup {} is kept", self.to.child(&self.name))])
    }

    fn words(&self) -> String {
        let place = self.to.child(&self.name);
        format!("copy {} ({} files, {} bytes) to {place} and read every file back", self.from, self.files, self.bytes)
    }
}

impl Backup {
    /// The copy, once it is whole.
    pub fn tree(&self) -> PathBuf {
        self.to.child(&self.name).path().join(TREE)
    }

    /// The folder that holds backups, or the one in which it will be made.
    fn place(&self) -> Result<Folder> {
        let holder = self.to.folder()?;
        match holder.look(self.to.name())? {
            Some(_) => Ok(holder.folder(self.to.name())?),
            None => Ok(holder),
        }
    }

    fn scratch(&self) -> Scratch {
        Scratch::new(&self.partial, &self.to)
    }
}

/// What others did to the tree meanwhile.
#[derive(Default)]
struct InUse {
    again: u32,
    gone: u32,
}

impl InUse {
    fn words(&self) -> Option<String> {
        let InUse { again, gone } = self;
        (again + gone > 0).then(|| {
            format!("the tree was in use meanwhile: {again} times a file was copied again, {gone} files went and are not in it")
        })
    }
}

/// How often a file is copied that changes each time.
const TRIES: u32 = 5;

/// Copies what is in one folder; its own owner, mode and time come last, when nothing more is written into it.
fn copy_folder(
    above: &Folder,
    own: &OsStr,
    to: &Folder,
    path: &mut Vec<OsString>,
    list: &mut Writer,
    in_use: &mut InUse,
) -> Result<()> {
    let from = above.folder(own)?;
    let look = above.look(own)?.ok_or_else(|| moved(&from))?;
    to.set_own_mode(0o700)?;
    let names = from.names()?;
    drop_gone(&from, &names, to)?;
    for name in names {
        path.push(name.clone());
        match from.look(&name)? {
            Some(seen) if seen.kind == Kind::File => match copy_file(&from, &name, to, in_use)? {
                Some((seen, digest)) => {
                    list.write(&Line::entry(path, &seen, from.attributes(&name)?, from.carried(&name), digest))?;
                }
                None => in_use.gone += 1,
            },
            Some(seen) if seen.kind == Kind::Folder => {
                list.write(&Line::entry(path, &seen, from.attributes(&name)?, from.carried(&name), String::new()))?;
                copy_folder(&from, &name, &enter(to, &name)?, path, list, in_use)?;
            }
            Some(_) => return Err(not_plain(&from.path().join(&name)).into()),
            None => {
                drop_copy(to, &name)?;
                in_use.gone += 1;
            }
        }
        path.pop();
    }
    sync(to)?;
    to.set_own_bearing(look.owner, &above.carried(own))?;
    to.set_own_mode(look.mode.unwrap_or(0o700))?;
    to.set_own_time(look.modified)?;
    sync(to)
}

/// Copies of an earlier attempt whose files are no longer there.
fn drop_gone(from: &Folder, names: &[OsString], to: &Folder) -> Result<()> {
    for extra in to.names()?.iter().filter(|name| names.binary_search(name).is_err()) {
        if to.look(extra)?.is_some_and(|look| look.kind != Kind::File) {
            let (extra, from) = (to.path().join(extra), from.path());
            return Err(Fault::new(
                "backup-stale",
                format!("{} is left from an earlier attempt and no longer in {}", extra.display(), from.display()),
                "remove that .partial folder and start the backup again",
            ));
        }
        to.remove(extra)?;
    }
    Ok(())
}

/// A copy of ours in a backup that is not whole yet.
fn drop_copy(to: &Folder, name: &OsStr) -> Result<()> {
    match to.look(name)? {
        Some(_) => Ok(to.remove(name)?),
        None => Ok(()),
    }
}

/// The file as it was when it was copied; nothing where it has gone.
fn copy_file(from: &Folder, name: &OsStr, to: &Folder, in_use: &mut InUse) -> Result<Option<(Look, String)>> {
    for _ in 0..TRIES {
        let Some(seen) = from.look(name)?.filter(|seen| seen.kind == Kind::File) else {
            drop_copy(to, name)?;
            return Ok(None);
        };
        if let Some(there) = to.look(name)? {
            // The time is set last: a file that has it is whole. FAT keeps it to two seconds only.
            let apart = there.modified.duration_since(seen.modified).unwrap_or_else(|error| error.duration());
            if there.size == seen.size && apart <= Duration::from_secs(2) {
                let (size, digest) = digest_of(&mut to.read(name)?)?;
                if (size, &digest) == (seen.size, &digest_of(&mut from.read(name)?)?.1) {
                    return Ok(Some((seen, digest)));
                }
            }
            to.remove(name)?;
        }
        let stamp = Stamp::of(from, name, &seen);
        let written = write_new(from, name, to, name, Some(&stamp));
        let now = from.look(name)?;
        let same = |now: &Look| now.size == seen.size && now.modified == seen.modified;
        match written {
            Ok((size, digest)) if size == seen.size && now.as_ref().is_some_and(same) => {
                return Ok(Some((seen, digest)));
            }
            // It went before it could be opened.
            Err(_) if now.is_none() => {}
            Err(fault) => return Err(fault),
            Ok(_) => in_use.again += 1,
        }
    }
    Err(moved(from))
}

fn moved(folder: &Folder) -> Fault {
    Fault::new(
        "changed-meanwhile",
        format!("something in {} changed each time it was copied", folder.path().display()),
        "end every session and transport that still writes there, then run `flagday cutover` again: it goes on where it was",
    )
}
