//! A postoffice as it lies on a disk: the one file of this room that looks at files.
//!
//! [`Postoffice`] is a snapshot of names, sizes and times. Names are matched without regard to case and kept as they
//! are on disk (UNIX servers hold lower-case names, Q129456). Links, clashing names and oversized folders are
//! refused: they become findings and are not part of the snapshot, so that whoever needs them finds them missing.

use crate::fault::{Fault, Finding, Result};
use crate::platform::Attributes;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The directories of a postoffice (Q132744), and the name that P1 has while it is closed (Q209486).
pub const FOLDERS: [&str; 20] = [
    "ATT", "CAL", "FOLDERS", "GLB", "GRP", "HLP", "INF", "INI", "KEY", "LOG", "MAI", "MBG", "MEM", "MMF", "NME", "P1",
    "TPL", "USR", "XTN", "POLD",
];

/// Entries looked at in one folder. A postoffice has 500 users at most (Q123376).
const ENTRIES_MAX: usize = 100_000;
/// Bytes read of one file.
const READ_MAX: u64 = 16 << 20;

/// One file or folder.
#[derive(Debug, Clone)]
pub struct Entry {
    /// As it stands on the disk.
    pub name: String,
    pub path: PathBuf,
    /// Bytes.
    pub size: u64,
    /// By the clock of the server that holds it. `None` where it keeps no such time.
    pub modified: Option<DateTime<Utc>>,
    pub is_folder: bool,
}

impl Entry {
    /// Read-only and hidden, asked for now: over a network each answer costs a round trip.
    pub fn attributes(&self) -> Result<Attributes> {
        Ok(Attributes::of(&self.path)?)
    }

    /// Who may use it, asked for now.
    pub fn rights(&self) -> Result<Rights> {
        let (Some(folder), Some(name)) = (self.path.parent(), self.path.file_name()) else {
            return Ok(Rights::default());
        };
        let look = crate::platform::Folder::open(folder)?.look(name)?;
        Ok(look.map_or(Rights::default(), |look| Rights { mode: look.mode, owner: look.owner }))
    }
}

/// Who may use a file, as far as the system tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rights {
    /// Permission bits.
    pub mode: Option<u32>,
    /// User and group by number.
    pub owner: Option<(u32, u32)>,
}

/// The entries of one folder, by upper-case name.
#[derive(Debug, Clone, Default)]
pub struct Folder {
    entries: BTreeMap<String, Entry>,
}

impl Folder {
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(&name.to_ascii_uppercase())
    }

    /// In the order of upper-case names.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    pub fn files(&self) -> impl Iterator<Item = &Entry> {
        self.entries().filter(|entry| !entry.is_folder)
    }

    /// The files with a suffix such as `.MBG`, each with the upper-case part of the name before it.
    pub fn with_suffix<'a>(&'a self, suffix: &'a str) -> impl Iterator<Item = (&'a str, &'a Entry)> {
        let stem = move |(name, entry): (&'a String, &'a Entry)| Some((name.strip_suffix(suffix)?, entry));
        self.entries.iter().filter(|(_, entry)| !entry.is_folder).filter_map(stem)
    }
}

/// A snapshot of a postoffice's folders.
#[derive(Debug)]
pub struct Postoffice {
    root: PathBuf,
    top: Folder,
    folders: BTreeMap<&'static str, Folder>,
    findings: Vec<Finding>,
}

impl Postoffice {
    /// Looks at every documented folder below `root`. An error when `root` itself cannot be listed, or
    /// is no postoffice at all.
    pub fn open(root: &Path) -> Result<Postoffice> {
        Postoffice::open_folders(root, &FOLDERS)
    }

    /// Looks at the top level and these folders only.
    pub fn open_folders(root: &Path, wanted: &[&'static str]) -> Result<Postoffice> {
        let mut findings = Vec::new();
        let top = list(root, &mut findings)?;
        if !FOLDERS.iter().any(|name| top.get(name).is_some_and(|entry| entry.is_folder)) {
            return Err(nothing_there(root));
        }
        let mut folders = BTreeMap::new();
        for &name in wanted {
            let Some(entry) = top.get(name).filter(|entry| entry.is_folder) else { continue };
            match list(&entry.path, &mut findings) {
                Ok(folder) => drop(folders.insert(name, folder)),
                Err(fault) => findings.extend(fault.findings),
            }
        }
        Ok(Postoffice { root: root.to_owned(), top, folders, findings })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What was refused while looking: links, clashing names, unreadable folders.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The contents of a folder. `None`: it is not there, cannot be read, or was not asked for.
    pub fn folder(&self, name: &str) -> Option<&Folder> {
        self.folders.get(name)
    }

    /// Whether the top level holds a folder of that name, listed or not.
    pub fn has_folder(&self, name: &str) -> bool {
        self.top.get(name).is_some_and(|entry| entry.is_folder)
    }

    /// A folder's or file's entry by its path, as `P1` or `GLB/MASTER.GLB`.
    pub fn entry(&self, path: &str) -> Option<&Entry> {
        match path.split_once('/') {
            Some((folder, name)) => self.folder(folder)?.get(name),
            None => self.top.get(path),
        }
    }

    /// Like [`Postoffice::entry`], of a file.
    pub fn file(&self, path: &str) -> Option<&Entry> {
        self.entry(path).filter(|entry| !entry.is_folder)
    }

    /// The contents of a directory inside a folder that was listed; empty where it is not there. With what was refused.
    pub fn below(&self, path: &str) -> (Folder, Vec<Finding>) {
        self.entry(path).map(|entry| self.list(entry)).unwrap_or_default()
    }

    /// The contents of a directory that was found; empty for a file. With what was refused.
    pub fn list(&self, entry: &Entry) -> (Folder, Vec<Finding>) {
        if !entry.is_folder {
            return Default::default();
        }
        let mut findings = Vec::new();
        let folder = list(&entry.path, &mut findings).unwrap_or_else(|fault| {
            findings.extend(fault.findings);
            Folder::default()
        });
        (folder, findings)
    }

    /// Where a path is on the disk, in the letters found there; where it would be, when it is not.
    pub fn place(&self, path: &str) -> PathBuf {
        match (self.entry(path), path.split_once('/')) {
            (Some(entry), _) => entry.path.clone(),
            (None, Some((folder, name))) => self.place(folder).join(name),
            (None, None) => self.root.join(path),
        }
    }

    /// The bytes of a file; `None` where the snapshot has no such file. Refused when it has become a link, is no
    /// plain file any more, or is too large to be what it should be.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let Some(entry) = self.file(path) else { return Ok(None) };
        if !fs_err::symlink_metadata(&entry.path)?.is_file() {
            return Err(link(&entry.path).into());
        }
        let mut bytes = Vec::new();
        fs_err::File::open(&entry.path)?.take(READ_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > READ_MAX {
            let cause = format!("the file is longer than {READ_MAX} bytes; no postoffice has such a file there");
            return Err(Finding::error("file-too-large", cause, "see what it is").in_file(&entry.path).into());
        }
        Ok(Some(bytes))
    }
}

/// Lists a folder. Refused entries become findings.
fn list(path: &Path, findings: &mut Vec<Finding>) -> Result<Folder> {
    let mut folder = Folder::default();
    let mut clashes = BTreeSet::new();
    for (count, item) in fs_err::read_dir(path).map_err(|error| unreadable(path, error))?.enumerate() {
        if count == ENTRIES_MAX {
            let cause = format!("the folder holds more than {ENTRIES_MAX} entries; no postoffice does");
            let remedy = "name the folder of one postoffice";
            return Err(Finding::error("folder-too-large", cause, remedy).in_file(path).article("Q123376").into());
        }
        let Some(entry) = look(&item.map_err(|error| unreadable(path, error))?, findings) else { continue };
        let key = entry.name.to_ascii_uppercase();
        if let Some(other) = folder.entries.get(&key) {
            findings.push(clash(other, &entry));
            clashes.insert(key);
        } else {
            folder.entries.insert(key, entry);
        }
    }
    folder.entries.retain(|key, _| !clashes.contains(key));
    Ok(folder)
}

/// One entry; `None` when it is refused, or went away since the folder was listed.
fn look(item: &fs_err::DirEntry, findings: &mut Vec<Finding>) -> Option<Entry> {
    let path = item.path();
    let metadata = match item.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => {
            findings.extend(unreadable(&path, error).findings);
            return None;
        }
    };
    let Ok(name) = item.file_name().into_string() else {
        let cause = "the name is not text in this system's encoding";
        findings.push(
            Finding::warning("name-not-text", cause, "rename it or take it away").in_file(&path).article("Q104029"),
        );
        return None;
    };
    if !metadata.is_file() && !metadata.is_dir() {
        findings.push(link(&path));
        return None;
    }
    Some(Entry {
        name,
        size: metadata.len(),
        modified: metadata.modified().ok().map(DateTime::from),
        is_folder: metadata.is_dir(),
        path,
    })
}

/// A folder or a file that is there and cannot be looked at.
pub const UNREADABLE: &str = "postoffice-unreadable";

/// What stands there cannot be told, so nothing else is said of it: not listed, a link, or two entries of one name.
pub const UNTOLD: [&str; 3] = [UNREADABLE, LINK, CLASH];
const LINK: &str = "link-refused";
const CLASH: &str = "case-clash";

fn unreadable(path: &Path, error: std::io::Error) -> Fault {
    let remedy = "check the path and this account's rights: it needs File Scan to list folders, which users lack";
    Finding::error(UNREADABLE, error.to_string(), remedy).in_file(path).article("Q77646").into()
}

/// An empty mount point looks like a postoffice that has lost everything. It has lost nothing.
fn nothing_there(root: &Path) -> Fault {
    let cause = format!(
        "{} has none of a postoffice's folders: the share is not mounted, or the path is wrong. That says nothing of the \
         postoffice itself",
        root.display()
    );
    let remedy = "mount the share, or correct the path in [msmail]; put nothing into that folder";
    Finding::error("not-a-postoffice", cause, remedy).in_file(root).article("Q132744").into()
}

fn link(path: &Path) -> Finding {
    let cause = "this is a link or a device, not a file or a folder: what stands behind it may change under us";
    Finding::error(LINK, cause, "put the real file or folder in its place").in_file(path).article("Q77926")
}

fn clash(one: &Entry, other: &Entry) -> Finding {
    let cause = format!("{} and {} are one name to every client, but two entries on this disk", one.name, other.name);
    let remedy = "find out which one the clients use, and move the other out of the postoffice";
    Finding::error(CLASH, cause, remedy).in_file(&other.path).article("Q129456")
}

#[cfg(test)]
mod tests;
