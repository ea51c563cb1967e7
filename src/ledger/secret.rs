//! The state folder's privacy (mode 0700, files 0600) and the campaign's own key inside it.

use crate::fault::{Fault, Result};
use crate::platform::{restrict, sync_folder};
use crate::system;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
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
    // Whole or not there: half of a place would be another one.
    let home = kept(&note, || Ok(format!("{here}\n").into_bytes()))?;
    let home = String::from_utf8_lossy(&home);
    if home.trim() == here {
        return Ok(());
    }
    Err(Fault::new(
        "state-elsewhere",
        format!("{} was made as {}", state.display(), home.trim()),
        format!(
            "in a copy of the campaign remove {}; if you moved the campaign, move it back: its steps can be taken back only there. \
             Where none is done, or none is to be taken back any more, write its new place into {}",
            state.display(),
            note.display()
        ),
    ))
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
    kept(&path, || Ok(system::random::<32>()?.to_vec()))?.try_into().map_err(|_| {
        let cause = format!("{} is not a key of 32 bytes", path.display());
        Fault::new("secret-damaged", cause, "restore it from a backup: codes already sent depend on it")
    })
}

/// The password of the operator's pages, or a new one: whoever may read the state folder has it.
pub(super) fn operator_password(state: &Path) -> Result<String> {
    let path = state.join("operator");
    let made = || Ok(URL_SAFE_NO_PAD.encode(system::random::<18>()?).into_bytes());
    let password = String::from_utf8(kept(&path, made)?).unwrap_or_default().trim().to_owned();
    if password.len() < 16 {
        let cause = format!("{} holds no password of 16 characters or more", path.display());
        return Err(Fault::new("operator-password", cause, "remove it: a new one is made"));
    }
    Ok(password)
}

/// What the file holds; it is made where there is none. Of two runs at once, both take what the first has made.
fn kept(path: &Path, make: impl FnOnce() -> Result<Vec<u8>>) -> Result<Vec<u8>> {
    match fs::read(path) {
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let state = path.parent().unwrap_or(Path::new("."));
            let mut file = tempfile::NamedTempFile::new_in(state)?;
            file.write_all(&make()?)?;
            file.as_file().sync_all()?;
            match file.persist_noclobber(path) {
                Ok(_) => sync_folder(state)?,
                Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error.error.into()),
            }
            Ok(fs::read(path)?)
        }
        Err(error) => Err(error.into()),
    }
}
