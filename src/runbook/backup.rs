//! A copy of a whole tree that is one: empty folders, zero-byte, hidden and read-only files and times included (Q69773,
//! Q134377, Q91041), read back and compared, with a manifest written last.

use super::disk;
use super::identity::sha256;
use crate::fault::{Fault, Finding, Result};
use fs_err as fs;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

const MANIFEST: &str = "flagday-backup.json";

/// What the tree held, path by path below its root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub schema: u32,
    pub folders: Vec<PathBuf>,
    pub files: Vec<BackupFile>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupFile {
    pub path: PathBuf,
    pub size: u64,
    pub sha256: String,
    /// Milliseconds since 1970, UTC.
    pub modified: i64,
    pub read_only: bool,
}

/// Refusals before anything is copied.
pub(super) fn refuse(from: &Path, to: &Path) -> Result<()> {
    if to.starts_with(from) {
        let cause = format!("the backup {} would lie inside what it backs up", to.display());
        return Err(Fault::new("backup-inside", cause, "keep the campaign's folder outside the postoffice"));
    }
    let (_, files) = list(from)?;
    let mut need = 0;
    for file in &files {
        need += fs::metadata(from.join(file))?.len();
    }
    let free = disk::free_space(disk::parent(to)?);
    if free.is_some_and(|free| free < need + need / 20) {
        let cause = format!("the backup needs {need} bytes, and {} are free", free.unwrap_or(0));
        return Err(Fault::new("backup-space", cause, "free space, or state another place in the step `backup`"));
    }
    Ok(())
}

/// Copies the tree and writes the manifest. What an interrupted run has copied already is kept where it is right.
pub(super) fn take(from: &Path, to: &Path) -> Result<()> {
    let (folders, files) = list(from)?;
    disk::create_folder(to)?;
    for folder in &folders {
        fs::create_dir_all(to.join(folder))?;
    }
    let mut manifest = Manifest { schema: 1, folders, files: Vec::new() };
    for file in files {
        manifest.files.push(copy(&from.join(&file), &to.join(&file), file)?);
    }
    for folder in &manifest.folders {
        disk::sync_folder(&to.join(folder))?;
    }
    let wrong = compare(&manifest, to)?;
    Fault::check(wrong)?;
    let text = serde_json::to_vec_pretty(&manifest)?;
    let beside = to.join("flagday-backup.tmp");
    fs::write(&beside, text)?;
    fs::File::open(&beside)?.sync_all()?;
    disk::point()?;
    fs::rename(&beside, to.join(MANIFEST))?;
    disk::sync_folder(to)
}

fn copy(from: &Path, to: &Path, path: PathBuf) -> Result<BackupFile> {
    let found = fs::metadata(from)?;
    let modified = found.modified()?;
    let expected = sha256(from)?;
    let there = to.exists() && fs::metadata(to)?.len() == found.len() && sha256(to)? == expected;
    if !there {
        disk::point()?;
        if to.exists() {
            fs::remove_file(to)?;
        }
        let mut target = fs::File::create(to)?;
        std::io::copy(&mut fs::File::open(from)?, &mut target)?;
        target.set_modified(modified)?;
        target.sync_all()?;
        fs::set_permissions(to, found.permissions())?;
    }
    let modified = chrono::DateTime::<chrono::Utc>::from(modified).timestamp_millis();
    Ok(BackupFile { path, size: found.len(), sha256: expected, modified, read_only: found.permissions().readonly() })
}

/// Every folder and every file below the root, sorted; links are refused.
fn list(root: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let (mut folders, mut files) = (Vec::new(), Vec::new());
    let mut open = vec![PathBuf::new()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(path.clone());
                open.push(path);
            } else if kind.is_file() {
                files.push(path);
            } else {
                let cause = format!("{} is a link or a special file", entry.path().display());
                return Err(Fault::new("backup-link", cause, "a postoffice has none: see what it is"));
            }
        }
    }
    folders.sort();
    files.sort();
    Ok((folders, files))
}

pub(super) fn is_complete(to: &Path) -> Result<bool> {
    Ok(to.join(MANIFEST).is_file())
}

/// Reads the backup in `to` back; a finding for each file that is missing or differs.
pub fn verify(to: &Path) -> Result<(Manifest, Vec<Finding>)> {
    let manifest: Manifest = serde_json::from_slice(&fs::read(to.join(MANIFEST))?)?;
    let findings = compare(&manifest, to)?;
    Ok((manifest, findings))
}

fn compare(manifest: &Manifest, to: &Path) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let remedy = "take the backup again; the step may be run any number of times";
    for folder in &manifest.folders {
        if !to.join(folder).is_dir() {
            let cause = format!("the folder {} is missing from the backup", folder.display());
            findings.push(Finding::error("backup-missing", cause, remedy).in_file(to.join(folder)));
        }
    }
    for file in &manifest.files {
        let path = to.join(&file.path);
        let right = path.is_file() && fs::metadata(&path)?.len() == file.size && sha256(&path)? == file.sha256;
        if !right {
            let cause = format!("{} in the backup is not what was copied", file.path.display());
            findings.push(Finding::error("backup-differs", cause, remedy).in_file(path));
        }
    }
    Ok(findings)
}
