//! One run at a time: a lock on a file in the state folder. It dies with its process; who holds it stands in the file.

use crate::fault::{Exit, Fault, Result};
use chrono::{DateTime, Utc};
use fs_err as fs;
use std::io::{Seek, Write};
use std::path::Path;

const NAME: &str = "lock";

/// Held for as long as it lives.
#[derive(Debug)]
pub struct Lock {
    _file: fs::File,
}

impl Lock {
    /// Takes the campaign's lock for `command`, or ends with exit code 5 and says who holds it.
    pub fn take(state: &Path, command: &str, now: DateTime<Utc>) -> Result<Lock> {
        super::secret::private_folder(state)?;
        let path = state.join(NAME);
        let mut file = fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        match file.file().try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                let cause = format!("{} holds this campaign", holder(state));
                let remedy = "wait for it to end, or stop it; it loses nothing when it is stopped";
                return Err(Fault::ending(Exit::Busy, "busy", cause, remedy));
            }
            Err(std::fs::TryLockError::Error(error)) => return Err(error.into()),
        }
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "`flagday {command}` (process {}, since {})", std::process::id(), now.format("%F %T UTC"))?;
        super::secret::private_file(&path)?;
        Ok(Lock { _file: file })
    }
}
/// Who took the lock last, as it says of itself.
pub(super) fn holder(state: &Path) -> String {
    let holder = fs::read_to_string(state.join(NAME)).unwrap_or_default();
    let holder = holder.trim();
    if holder.is_empty() { "another run".to_owned() } else { holder.to_owned() }
}
