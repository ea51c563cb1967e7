//! A backup read back: compared with its list, or laid out as a tree again in a new folder.

use super::backup::{PER_FILE, Size};
use super::bearing::{Bearing, Bearings};
use super::manifest::{Line, MANIFEST, TREE, damaged, decode, read};
use crate::fault::{Fault, Finding, Result};
use crate::platform::{Folder, Kind, sync_file};
use crate::runbook::file_ops::{Stamp, enter, space_for, sync, write_new};
use crate::runbook::identity::digest_of;
use chrono::{DateTime, Utc};
use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

/// Compares every file of a backup with its list. Findings name what is missing, altered or not listed; a list that
/// cannot be read is a fault.
pub fn verify(backup: &Path) -> Result<Vec<Finding>> {
    let (folder, tree) = open(backup)?;
    let mut findings = Vec::new();
    let mut listed = 0;
    for line in read(folder.read(OsStr::new(MANIFEST))?) {
        let Line::Entry { path, kind, size, sha256, .. } = line? else { continue };
        listed += 1;
        let names = decode(&path).ok_or_else(|| damaged(backup, &format!("it lists '{}'", path.escape_debug())))?;
        if let Err(why) = compare(&tree, &names, kind, (size, sha256)) {
            findings.push(wrong(&tree.path().join(&path), &why));
        }
    }
    let there = count(&tree)?;
    if there != listed {
        findings.push(wrong(tree.path(), &format!("holds {there} entries, its list {listed}")));
    }
    Ok(findings)
}

/// Whether a backup has its whole list, and each file of it with its size. What is in them `verify` reads.
pub fn is_there(backup: &Folder) -> bool {
    let (Ok(list), Ok(tree)) = (backup.read(OsStr::new(MANIFEST)), backup.folder(OsStr::new(TREE))) else {
        return false;
    };
    let has = |path: &str, kind: Kind, size: u64| {
        let names = decode(path)?;
        let (name, above) = names.split_last()?;
        let holder = open_below(&tree, above).ok()?;
        let look = holder.as_ref().unwrap_or(&tree).look(name).ok()??;
        (look.kind == kind && (kind != Kind::File || look.size == size)).then_some(())
    };
    read(list).all(|line| match line {
        Ok(Line::Entry { path, kind, size, .. }) => has(&path, kind, size).is_some(),
        Ok(_) => true,
        Err(_) => false,
    })
}

fn wrong(path: &Path, why: &str) -> Finding {
    let cause = format!("{} {why}", path.display());
    Finding::error("backup-differs", cause, "do not restore from this backup; take another").in_file(path)
}

fn compare(tree: &Folder, names: &[OsString], kind: Kind, expected: (u64, String)) -> std::result::Result<(), String> {
    let words = |error: std::io::Error| format!("cannot be read: {error}");
    let Some((name, folders)) = names.split_last() else { return Err("has no name".to_owned()) };
    let mut at = None;
    for folder in folders {
        at = Some(at.as_ref().unwrap_or(tree).folder(folder).map_err(words)?);
    }
    let holder = at.as_ref().unwrap_or(tree);
    match holder.look(name).map_err(words)? {
        None => Err("is missing".to_owned()),
        Some(look) if look.kind != kind => Err("is of another kind".to_owned()),
        Some(_) if kind != Kind::File => Ok(()),
        Some(_) => {
            let mut file = holder.read(name).map_err(words)?;
            let same = digest_of(&mut file).map_err(|fault| fault.to_string())? == expected;
            if same { Ok(()) } else { Err("was altered".to_owned()) }
        }
    }
}

fn count(folder: &Folder) -> Result<u64> {
    let mut entries = 0;
    for name in folder.names()? {
        entries += 1;
        if folder.look(&name)?.is_some_and(|look| look.kind == Kind::Folder) {
            entries += count(&folder.folder(&name)?)?;
        }
    }
    Ok(entries)
}

/// A backup and its tree. A folder above, beside or instead of one is told as that, with the backups that lie there.
fn open(backup: &Path) -> Result<(Folder, Folder)> {
    let is_one = |path: &Path| fs_err::symlink_metadata(path.join(MANIFEST)).is_ok();
    if is_one(backup) {
        let folder = Folder::open(backup)?;
        let tree = folder.folder(OsStr::new(TREE))?;
        return Ok((folder, tree));
    }
    let around = [Some(backup), backup.parent()].into_iter().flatten();
    let below = around.flat_map(|folder| fs_err::read_dir(folder).into_iter().flatten().flatten());
    let mut known: Vec<String> =
        below.map(|entry| entry.path()).filter(|path| is_one(path)).map(|path| path.display().to_string()).collect();
    known.sort();
    known.dedup();
    let remedy = match known.is_empty() {
        true => "name the folder of one backup, as the step that made it told; there is none here".to_owned(),
        false => format!("name the folder of one backup: {}", known.join(", ")),
    };
    Err(Fault::new("no-backup", format!("{} is no backup: it has no {MANIFEST}", backup.display()), remedy))
}

/// Marks a folder that is being filled from a backup, and names that backup. It goes last.
const MARK: &str = "FDRESTOR.TMP";

/// Lays a backup out in a folder that is new or empty, and compares every file on the way. One that was cut off is gone
/// on with. Nothing of anybody else is ever replaced: to bring the tree back into use, rename the damaged one away and
/// this one in.
pub fn restore(backup: &Path, to: &Path) -> Result<Restored> {
    let (folder, tree) = open(backup)?;
    let lines = || Ok::<_, Fault>(read(folder.read(OsStr::new(MANIFEST))?));
    outside(to, backup, lines()?)?;
    fs_err::create_dir_all(to)?;
    let target = Folder::open(to)?;
    let names = target.names()?;
    let begun = target.look(OsStr::new(MARK))?.is_some();
    if !begun && !names.is_empty() {
        let cause = format!("{} is not empty", to.display());
        return Err(Fault::new("restore-not-empty", cause, "name a new folder: a restore never replaces anything"));
    }
    let backup = fs_err::canonicalize(backup)?.to_string_lossy().into_owned();
    if begun {
        same_backup(&target, &backup)?;
    }
    let mut needed = MARGIN;
    for line in lines()? {
        if let Line::Entry { size, .. } = line? {
            needed += size + PER_FILE;
        }
    }
    let there = Size::of(&target)?;
    let there = there.bytes + (there.files + there.folders) * PER_FILE;
    Fault::check(space_for(&target, needed.saturating_sub(there))?.into_iter().collect())?;
    if !begun {
        mark(&target, &backup)?;
    }
    target.set_own_mode(0o700)?;
    let mut listed = 0;
    for line in lines()? {
        let Line::Entry { path, kind, size, sha256, modified, mode, owner, carried, .. } = line? else { continue };
        let names = names_of(&path, to)?;
        let Some((name, above)) = names.split_last() else { continue };
        let (from, into) = (open_below(&tree, above)?, open_below(&target, above)?);
        let (from, into) = (from.as_ref().unwrap_or(&tree), into.as_ref().unwrap_or(&target));
        if kind == Kind::Folder {
            enter(into, name)?.set_own_mode(0o700)?;
            continue;
        }
        let owner = owner.or(from.look(name)?.and_then(|look| look.owner));
        let stamp =
            Stamp { modified: modified.into(), mode, owner, attributes: either(carried, || from.carried(name)) };
        if !whole(into, name, &stamp, &(size, sha256.clone()))?
            && write_new(from, name, into, name, Some(&stamp))? != (size, sha256)
        {
            return Err(wrong(&from.path().join(name), "was altered").into());
        }
        listed += 1;
    }
    let mut bearings = Bearings::default();
    finish(&tree, &target, lines()?, &mut bearings)?;
    Ok(Restored { files: listed, as_of: bearings.as_of, findings: bearings.findings(folder.path()) })
}

/// What a restore has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    pub files: u64,
    /// When the tree was so.
    pub as_of: Option<DateTime<Utc>>,
    /// What this account, this system or this volume cannot give back.
    pub findings: Vec<Finding>,
}

/// Bytes that must stay free beside the files.
const MARGIN: u64 = 1 << 16;

fn mark(target: &Folder, backup: &str) -> Result<()> {
    let mut file = target.create(OsStr::new(MARK))?;
    file.write_all(backup.as_bytes())?;
    sync_file(&file)?;
    sync(target)
}

/// A folder that an earlier restore began to fill belongs to its backup. A mark that was cut off while it was written
/// stands in a folder that is otherwise empty.
fn same_backup(target: &Folder, backup: &str) -> Result<()> {
    let mut text = Vec::new();
    target.read(OsStr::new(MARK))?.take(1 << 16).read_to_end(&mut text)?;
    if text == backup.as_bytes() {
        return Ok(());
    }
    if backup.as_bytes().starts_with(&text) && target.names()?.len() == 1 {
        target.remove(OsStr::new(MARK))?;
        return mark(target, backup);
    }
    Err(Fault::new(
        "restore-other",
        format!("{} was begun from {}", target.path().display(), String::from_utf8_lossy(&text).escape_debug()),
        "go on with that backup, or name another folder",
    ))
}

/// Whether an earlier run has written this file to its end; what is left of a file that it did not is taken away. The
/// time is set last, and FAT keeps it to two seconds only.
fn whole(into: &Folder, name: &OsStr, stamp: &Stamp, expected: &(u64, String)) -> Result<bool> {
    let Some(there) = into.look(name)? else { return Ok(false) };
    let apart = there.modified.duration_since(stamp.modified).unwrap_or_else(|error| error.duration());
    if there.kind == Kind::File && apart <= Duration::from_secs(2) && digest_of(&mut into.read(name)?)? == *expected {
        return Ok(true);
    }
    into.remove(name)?;
    Ok(false)
}

/// Folders get their owners, modes and times when nothing more is written into them, the innermost first; the mark goes
/// last.
fn finish(
    tree: &Folder,
    target: &Folder,
    lines: impl Iterator<Item = Result<Line>>,
    bearings: &mut Bearings,
) -> Result<()> {
    let mut root = tree.own_look()?;
    let mut folders = Vec::new();
    let mut listed = 1;
    for line in lines {
        let (path, kind, own) = match line? {
            Line::Entry { path, kind, modified, mode, owner, hidden, read_only, carried, .. } => {
                (path, kind, Bearing { mode, owner, modified, hidden, read_only, carried })
            }
            Line::Begin { at, mode, owner, .. } => {
                bearings.as_of = at;
                (root.mode, root.owner) = (mode.or(root.mode), owner.or(root.owner));
                continue;
            }
            Line::End { .. } => continue,
        };
        listed += 1;
        let names = names_of(&path, target.path())?;
        match kind {
            Kind::Folder => folders.push((names, own)),
            _ => bearings.compare(target, &names, &own)?,
        }
    }
    let there = count(target)?;
    if there != listed {
        let cause = format!("{} holds {there} entries, and the backup {}", target.path().display(), listed - 1);
        return Err(Fault::new("restore-stale", cause, "somebody else wrote there: name a new folder"));
    }
    for (names, own) in folders.iter().rev() {
        let Some((name, above)) = names.split_last() else { continue };
        let from = open_below(tree, above)?;
        let attributes = either(own.carried.clone(), || from.as_ref().unwrap_or(tree).carried(name));
        if let Some(folder) = open_below(target, names)? {
            sync(&folder)?;
            folder.set_own_bearing(own.owner, &attributes)?;
            folder.set_own_mode(own.mode.unwrap_or(0o700))?;
            folder.set_own_time(own.modified.into())?;
        }
        bearings.compare(target, names, own)?;
    }
    target.set_own_bearing(root.owner, &[])?;
    target.set_own_mode(root.mode.unwrap_or(0o700) | 0o700)?;
    target.remove(OsStr::new(MARK))?;
    target.set_own_mode(root.mode.unwrap_or(0o700))?;
    target.set_own_time(root.modified)?;
    sync(target)
}

/// What the list has of attributes, or a copy that a list knew nothing of.
fn either(listed: Vec<(String, Vec<u8>)>, copied: impl FnOnce() -> Vec<(String, Vec<u8>)>) -> Vec<(String, Vec<u8>)> {
    if listed.is_empty() { copied() } else { listed }
}

/// A tree is never laid out inside the backup, which would be none afterwards, nor inside the tree that it is a copy of.
fn outside(to: &Path, backup: &Path, lines: impl Iterator<Item = Result<Line>>) -> Result<()> {
    let real = |path: &Path| path.ancestors().find_map(|above| fs_err::canonicalize(above).ok());
    let live = lines.take(1).find_map(|line| match line {
        Ok(Line::Begin { from, .. }) => fs_err::canonicalize(from).ok(),
        _ => None,
    });
    let kept = [fs_err::canonicalize(backup).ok(), live];
    let Some(holder) = real(to).and_then(|to| kept.into_iter().flatten().find(|kept| to.starts_with(kept))) else {
        return Ok(());
    };
    let cause = format!("{} is inside {}", to.display(), holder.display());
    Err(Fault::new("restore-inside", cause, "name a new folder beside it, outside the backup and the live postoffice"))
}

fn names_of(path: &str, to: &Path) -> Result<Vec<OsString>> {
    decode(path).ok_or_else(|| damaged(to, &format!("it lists '{}'", path.escape_debug())))
}

fn open_below(root: &Folder, names: &[OsString]) -> Result<Option<Folder>> {
    let mut at: Option<Folder> = None;
    for name in names {
        at = Some(at.as_ref().unwrap_or(root).folder(name)?);
    }
    Ok(at)
}
