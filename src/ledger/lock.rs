//! One run at a time: a lock on a file in the state folder. It dies with its process; who holds it stands in the file.

use crate::fault::{Exit, Fault, Result};
use chrono::{DateTime, Utc};
use fs_err as fs;
use std::io::{Seek, Write};
use std::path::Path;

/// Held for as long as it lives.
#[derive(Debug)]
pub struct Lock {
    _file: fs::File,
}

impl Lock {
    /// Takes the campaign's lock for `command`, or ends with exit code 5 and says who holds it.
    pub fn take(state: &Path, command: &str, now: DateTime<Utc>) -> Result<Lock> {
        super::secret::private_folder(state)?;
        let path = state.join("lock");
        let mut file = fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        match file.file().try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                let holder = fs::read_to_string(&path).unwrap_or_default();
                let holder = if holder.trim().is_empty() { "another run" } else { holder.trim() };
                return Err(Fault::ending(
                    Exit::Busy,
                    "busy",
                    format!("{holder} holds this campaign"),
                    "wait for it to end, or stop it; it loses nothing when it is stopped",
                ));
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
