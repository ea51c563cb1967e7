//! The folder where a package's artefacts are kept. New ones are written beside it under other names and only then
//! take their places, so that what stands under an artefact's name is whole.

use super::manifest::{self, Manifest};
use crate::fault::{Fault, Finding, Result};
use crate::platform::{restrict, sync_folder};
use fs_err as fs;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::{NamedTempFile, TempDir};

/// Longer ids do not fit a file name on every file system once `.zip` is added.
const ID_MAX: usize = 200;

#[derive(Debug)]
pub struct Output<'a> {
    folder: &'a Path,
    /// Within the folder, gone with this value.
    staging: TempDir,
}

/// A file that is written and waits for its place.
#[derive(Debug)]
pub struct Staged {
    waiting: PathBuf,
    place: PathBuf,
}

impl<'a> Output<'a> {
    pub fn open(folder: &'a Path) -> Result<Output<'a>> {
        private_folder(folder)?;
        let staging = tempfile::Builder::new().prefix(".build-").tempdir_in(folder)?;
        Ok(Output { folder, staging })
    }

    /// Writes the bytes for `file`, down to the disk; `None` when that file has them already.
    pub fn stage(&self, file: &Path, bytes: &[u8]) -> Result<Option<Staged>> {
        let place = self.folder.join(file);
        if holds(&place, bytes)? {
            return Ok(None);
        }
        let mut waiting = NamedTempFile::new_in(self.staging.path())?;
        waiting.write_all(bytes)?;
        waiting.as_file().sync_all()?;
        let (_, waiting) = waiting.keep().map_err(|error| error.error)?;
        Ok(Some(Staged { waiting, place }))
    }

    /// Gives the staged files their places, removes what belongs to nobody any more, and writes the manifest last.
    /// Returns how many files were removed.
    pub fn publish(self, staged: Vec<Staged>, manifest: &Manifest) -> Result<usize> {
        for Staged { waiting, place } in &staged {
            if let Some(folder) = place.parent().filter(|folder| *folder != self.folder) {
                private_folder(folder)?;
            }
            fs::rename(waiting, place)?;
        }
        let removed = self.sweep(manifest)?;
        for folder in staged.iter().filter_map(|staged| staged.place.parent()).collect::<BTreeSet<_>>() {
            sync_folder(folder)?;
        }
        let bytes = serde_json::to_vec_pretty(manifest)?;
        if let Some(Staged { waiting, place }) = self.stage(Path::new(manifest::NAME), &bytes)? {
            fs::rename(waiting, place)?;
        }
        sync_folder(self.folder)?;
        Ok(removed)
    }

    fn sweep(&self, manifest: &Manifest) -> Result<usize> {
        let artefacts = manifest.people.iter().flat_map(|entry| &entry.artefacts);
        let mut keep: BTreeSet<PathBuf> = artefacts.map(|artefact| self.folder.join(&artefact.file)).collect();
        keep.insert(self.folder.join(manifest::NAME));
        let folders: BTreeSet<PathBuf> = keep.iter().filter_map(|file| Some(file.parent()?.to_owned())).collect();
        let mut removed = 0;
        for folder in folders.iter().filter(|folder| folder.exists()) {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                let path = entry.path();
                if keep.contains(&path) || folders.contains(&path) || path == self.staging.path() {
                    continue;
                }
                removed += 1;
                if entry.file_type()?.is_dir() { fs::remove_dir_all(&path)? } else { fs::remove_file(&path)? }
            }
        }
        Ok(removed)
    }
}

/// The id as the name of a person's artefact, when it can be one on every file system.
pub fn stem(id: &str) -> Result<&str, Finding> {
    let bad = id.is_empty()
        || id.len() > ID_MAX
        || id.starts_with('.')
        || id.eq_ignore_ascii_case(manifest::NAME)
        || id.contains(|c: char| c.is_control() || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|'));
    if bad {
        let remedy = "give the person an id of letters, digits and signs that a file name may have";
        return Err(Finding::error("package-id", format!("{id:?} cannot be part of a file name"), remedy));
    }
    Ok(id)
}

fn holds(path: &Path, bytes: &[u8]) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() && found.len() == bytes.len() as u64 => Ok(fs::read(path)? == bytes),
        Ok(found) if found.is_dir() => {
            let cause = format!("{} is a folder, and a file belongs there", path.display());
            Err(Fault::new("package-folder", cause, "remove it and build again"))
        }
        Ok(_) => Ok(false),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Makes a folder that nobody else may look into: the files in it carry codes.
fn private_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    Ok(restrict(folder, 0o700)?)
}
