//! The simulated clock. Files written now carry the time of the machine that rehearses; they are given the simulated one.

use crate::fault::Result;
use crate::system::World;
use chrono::{DateTime, Utc};
use fs_err as fs;
use std::path::Path;
use std::sync::Mutex;
use std::time::SystemTime;

#[derive(Debug)]
pub(super) struct Simulated {
    now: Mutex<DateTime<Utc>>,
    /// The machine's own time when the rehearsal began.
    begun: DateTime<Utc>,
}

impl Simulated {
    pub(super) fn at(now: DateTime<Utc>) -> Simulated {
        Simulated { now: Mutex::new(now), begun: crate::system::Real.now() }
    }

    pub(super) fn set(&self, now: DateTime<Utc>) {
        *self.now.lock().unwrap_or_else(|poison| poison.into_inner()) = now;
    }

    /// Gives the simulated time to every file below `root` that was written since the rehearsal began.
    pub(super) fn stamp_new(&self, root: &Path) -> Result<()> {
        let since = self.begun - chrono::Duration::seconds(2);
        let until = crate::system::Real.now() + chrono::Duration::seconds(2);
        each_file(root, &mut |path| {
            let modified = DateTime::<Utc>::from(fs::metadata(path)?.modified()?);
            if modified >= since && modified <= until { touch(path, self.now()) } else { Ok(()) }
        })
    }
}

impl World for Simulated {
    fn now(&self) -> DateTime<Utc> {
        *self.now.lock().unwrap_or_else(|poison| poison.into_inner())
    }

    fn server_now(&self, _: &Path) -> Result<DateTime<Utc>> {
        // The simulated file server keeps the simulated time, in the even seconds that FAT keeps.
        let now = self.now().timestamp();
        Ok(DateTime::from_timestamp(now - now.rem_euclid(2), 0).unwrap_or_default())
    }
}

/// Sets a file's time, whatever its rights.
pub(super) fn touch(path: &Path, at: DateTime<Utc>) -> Result<()> {
    let rights = fs::metadata(path)?.permissions();
    let read_only = rights.readonly();
    if read_only {
        let mut writable = rights.clone();
        #[expect(clippy::permissions_set_readonly_false, reason = "a file of the rehearsal's own copy, for a moment")]
        writable.set_readonly(false);
        fs::set_permissions(path, writable)?;
    }
    fs::OpenOptions::new().append(true).open(path)?.file().set_modified(SystemTime::from(at))?;
    if read_only {
        fs::set_permissions(path, rights)?;
    }
    Ok(())
}

pub(super) fn each_file(folder: &Path, act: &mut dyn FnMut(&Path) -> Result<()>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            each_file(&entry.path(), act)?;
        } else if entry.file_type()?.is_file() {
            act(&entry.path())?;
        }
    }
    Ok(())
}
