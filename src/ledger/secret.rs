//! The state folder's privacy (mode 0700, files 0600) and the campaign's own key inside it.

use crate::fault::{Fault, Result};
use crate::platform::{restrict, sync_folder};
use crate::system;
use fs_err as fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

/// Makes the folder when missing and closes it to everybody else. A link in its place is refused.
pub(super) fn private_folder(folder: &Path) -> Result<()> {
    match fs::symlink_metadata(folder) {
        Ok(found) if !found.is_dir() => {
            let cause = format!("{} is not a folder", folder.display());
            return Err(Fault::new("state-folder", cause, "remove it; flagday makes its own folder there"));
        }
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => fs::create_dir_all(folder)?,
        Err(error) => return Err(error.into()),
    }
    Ok(restrict(folder, 0o700)?)
}

/// The journal knows the files it changed by their whole path. State that was copied along with its folder would undo
/// steps in the original, so it works only where it was made.
pub(super) fn stay_home(state: &Path) -> Result<()> {
    let (note, here) = (state.join("home"), fs::canonicalize(state)?.to_string_lossy().into_owned());
    match fs::read_to_string(&note) {
        Ok(home) if home.trim() == here => Ok(()),
        Ok(home) => Err(Fault::new(
            "state-elsewhere",
            format!("{} was made as {}", state.display(), home.trim()),
            format!(
                "in a copy of the campaign remove {}; if you moved the campaign, write its new place into {}",
                state.display(),
                note.display()
            ),
        )),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            fs::write(&note, format!("{here}\n"))?;
            private_file(&note)
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) fn private_file(file: &Path) -> Result<()> {
    Ok(restrict(file, 0o600)?)
}

/// Begins the state of a rehearsal's copy with a key of its own, so that codes and tokens are the same each time.
pub fn begin_with_key(state: &Path, key: &[u8; 32]) -> Result<()> {
    private_folder(state)?;
    let path = state.join("secret");
    fs::OpenOptions::new().write(true).create_new(true).open(&path)?.write_all(key)?;
    private_file(&path)
}

/// Reads the key, or makes one. Losing it makes every code that is out worthless, so a damaged one is never replaced.
pub(super) fn load(state: &Path) -> Result<[u8; 32]> {
    let path = state.join("secret");
    match fs::read(&path) {
        Ok(bytes) => bytes.try_into().map_err(|_| {
            let cause = format!("{} is not a key of 32 bytes", path.display());
            Fault::new("secret-damaged", cause, "restore it from a backup: codes already sent depend on it")
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let mut file = tempfile::NamedTempFile::new_in(state)?;
            file.write_all(&system::random::<32>()?)?;
            file.as_file().sync_all()?;
            match file.persist_noclobber(&path) {
                Ok(_) => sync_folder(state)?,
                Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error.error.into()),
            }
            load(state)
        }
        Err(error) => Err(error.into()),
    }
}
