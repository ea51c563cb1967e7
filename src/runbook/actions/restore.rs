//! A backup read back: compared with its list, or laid out as a tree again in a new folder.

use super::manifest::{Line, MANIFEST, TREE, damaged, decode, read};
use crate::fault::{Fault, Finding, Result};
use crate::platform::{Folder, Kind};
use crate::runbook::file_ops::{Stamp, write_new};
use crate::runbook::identity::digest_of;
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// Compares every file of a backup with its list. Findings name what is missing, altered or not listed; a list that
/// cannot be read is a fault.
pub fn verify(backup: &Path) -> Result<Vec<Finding>> {
    let folder = Folder::open(backup)?;
    let tree = folder.folder(OsStr::new(TREE))?;
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

/// Lays a backup out in a folder that is new or empty, and compares every file on the way. Nothing is ever replaced:
/// to bring the tree back into use, rename the damaged one away and this one in.
pub fn restore(backup: &Path, to: &Path) -> Result<u64> {
    let folder = Folder::open(backup)?;
    let tree = folder.folder(OsStr::new(TREE))?;
    fs_err::create_dir_all(to)?;
    let target = Folder::open(to)?;
    if !target.names()?.is_empty() {
        let cause = format!("{} is not empty", to.display());
        return Err(Fault::new("restore-not-empty", cause, "name a new folder: a restore never replaces anything"));
    }
    let mut files = 0;
    let mut folders = vec![];
    for line in read(folder.read(OsStr::new(MANIFEST))?) {
        let Line::Entry { path, kind, size, sha256, modified, mode, .. } = line? else { continue };
        let names = decode(&path).ok_or_else(|| damaged(backup, &format!("it lists '{}'", path.escape_debug())))?;
        let Some((name, above)) = names.split_last() else { continue };
        let (from, into) = (open_below(&tree, above)?, open_below(&target, above)?);
        let (from, into) = (from.as_ref().unwrap_or(&tree), into.as_ref().unwrap_or(&target));
        if kind == Kind::Folder {
            into.create_folder(name)?;
            folders.push((names, mode, modified));
            continue;
        }
        let owner = from.look(name)?.and_then(|look| look.owner);
        let stamp = Stamp { modified: modified.into(), mode, owner, attributes: from.carried(name) };
        if write_new(from, name, into, name, Some(&stamp))? != (size, sha256) {
            return Err(wrong(&from.path().join(name), "was altered").into());
        }
        files += 1;
    }
    for (names, mode, modified) in folders.iter().rev() {
        if let Some(folder) = open_below(&target, names)? {
            folder.sync()?;
            folder.set_own_mode(mode.unwrap_or(0o700))?;
            folder.set_own_time((*modified).into())?;
        }
    }
    target.sync()?;
    Ok(files)
}

fn open_below(root: &Folder, names: &[OsString]) -> Result<Option<Folder>> {
    let mut at: Option<Folder> = None;
    for name in names {
        at = Some(at.as_ref().unwrap_or(root).folder(name)?);
    }
    Ok(at)
}
