//! Elsewhere, Windows above all: by path, looking before each change, with what the standard library has everywhere.

use super::fail::{Change, did, told};
use super::{Folder, Kind, Look, named, point};
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::{Error, ErrorKind, Result};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime};

impl Folder {
    pub fn open(path: &Path) -> Result<Folder> {
        match fs_err::metadata(path)?.is_dir() {
            true => Ok(Folder { path: path.to_owned() }),
            false => Err(named(ErrorKind::NotADirectory, "open", path)),
        }
    }

    pub fn folder(&self, name: &OsStr) -> Result<Folder> {
        match self.look(name)? {
            Some(Look { kind: Kind::Folder, .. }) => Ok(Folder { path: self.path.join(name) }),
            Some(_) => Err(named(ErrorKind::NotADirectory, "open", &self.path.join(name))),
            None => Err(named(ErrorKind::NotFound, "open", &self.path.join(name))),
        }
    }

    pub fn names(&self) -> Result<Vec<OsString>> {
        let entries = fs_err::read_dir(&self.path)?.map(|entry| Ok(entry?.file_name()));
        let mut names = entries.collect::<Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    }

    pub fn look(&self, name: &OsStr) -> Result<Option<Look>> {
        let seen = match fs_err::symlink_metadata(self.path.join(name)) {
            Ok(seen) => seen,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let kind = match seen.file_type() {
            it if it.is_symlink() => Kind::Link,
            it if it.is_dir() => Kind::Folder,
            it if it.is_file() => Kind::File,
            _ => Kind::Other,
        };
        Ok(Some(Look {
            kind,
            size: seen.len(),
            modified: told(seen.modified()?),
            mode: Some(if seen.permissions().readonly() { 0o444 } else { 0o644 }),
            owner: None,
            device: None,
            inode: None,
            links: 1,
            writable: !seen.permissions().readonly(),
        }))
    }

    pub fn read(&self, name: &OsStr) -> Result<fs_err::File> {
        fs_err::File::open(self.path.join(name))
    }

    pub fn create(&self, name: &OsStr) -> Result<fs_err::File> {
        point("before create")?;
        let file = fs_err::OpenOptions::new().read(true).write(true).create_new(true).open(self.path.join(name))?;
        did(Change::Created(file.path()));
        point("after create")?;
        Ok(file)
    }

    pub fn create_folder(&self, name: &OsStr) -> Result<()> {
        point("before create folder")?;
        fs_err::create_dir(self.path.join(name))?;
        did(Change::Folder(&self.path.join(name)));
        point("after create folder")
    }

    pub fn remove(&self, name: &OsStr) -> Result<()> {
        point("before remove")?;
        let path = self.path.join(name);
        did(Change::Removing(&path));
        // Windows removes no read-only file.
        if fs_err::symlink_metadata(&path)?.permissions().readonly() {
            read_only(&path, false)?;
        }
        fs_err::remove_file(path)?;
        point("after remove")
    }

    pub(super) fn rename_no_replace(&self, name: &OsStr, to: &Folder, new: &OsStr) -> Result<bool> {
        self.rename_checked(name, to, new)
    }

    pub(super) fn rename_plainly(&self, name: &OsStr, to: &Folder, new: &OsStr) -> Result<()> {
        fs_err::rename(self.path.join(name), to.path.join(new)).map_err(|error| {
            let system = error.get_ref().and_then(|error| error.source()).and_then(|it| it.downcast_ref::<Error>());
            match system.and_then(Error::raw_os_error) {
                // ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION
                Some(32 | 33) => Error::new(ErrorKind::ResourceBusy, error),
                _ => error,
            }
        })
    }

    /// Names are durable with the file's own sync here; there is no call for folders.
    pub fn sync(&self) -> Result<()> {
        point("before sync")?;
        did(Change::Synced(&self.path));
        point("after sync")
    }

    pub fn space(&self) -> Result<Option<u64>> {
        Ok(None)
    }

    pub fn device(&self) -> Result<Option<u64>> {
        Ok(None)
    }

    pub fn may_change(&self) -> Result<()> {
        Ok(())
    }

    pub fn may_move(&self, _name: &OsStr) -> Result<()> {
        Ok(())
    }

    pub fn set_own_mode(&self, _mode: u32) -> Result<()> {
        Ok(())
    }

    pub fn set_own_bearing(&self, _owner: Option<(u32, u32)>, _attributes: &[(String, Vec<u8>)]) -> Result<()> {
        Ok(())
    }

    pub fn set_own_time(&self, _modified: SystemTime) -> Result<()> {
        Ok(())
    }
}

#[cfg(windows)]
pub(super) fn file_attributes(seen: &std::fs::Metadata) -> Option<u32> {
    Some(std::os::windows::fs::MetadataExt::file_attributes(seen))
}

#[cfg(not(windows))]
pub(super) fn file_attributes(_: &std::fs::Metadata) -> Option<u32> {
    None
}

pub(super) fn extended(_: &Path, _: &str) -> Option<Vec<u8>> {
    None
}

fn read_only(path: &Path, read_only: bool) -> Result<()> {
    let mut permissions = fs_err::symlink_metadata(path)?.permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "the only bit of a mode there is here")]
    permissions.set_readonly(read_only);
    fs_err::set_permissions(path, permissions)
}

/// Of a mode, only the read-only attribute remains.
pub fn set_mode(file: &fs_err::File, mode: u32) -> Result<()> {
    read_only(file.path(), mode & 0o200 == 0)
}

pub fn set_owner(_file: &fs_err::File, _owner: (u32, u32)) -> Result<()> {
    Ok(())
}

pub fn name_from_bytes(bytes: Vec<u8>) -> Option<OsString> {
    String::from_utf8(bytes).ok().map(OsString::from)
}

/// Not told.
pub fn share_kind(_: &Path) -> Option<&'static str> {
    None
}

/// Names are durable with the file's own sync here; there is no call for folders.
pub fn sync_folder(folder: &Path) -> Result<()> {
    fs_err::metadata(folder).map(drop)
}

/// Folders here belong to whom the folder above belongs: a campaign in one's own profile is private.
pub fn restrict(path: &Path, _mode: u32) -> Result<()> {
    fs_err::symlink_metadata(path).map(drop)
}

pub fn create_private(path: &Path) -> Result<fs_err::File> {
    fs_err::OpenOptions::new().read(true).write(true).create_new(true).open(path)
}

pub fn carry(_file: &fs_err::File, _attributes: &[(String, Vec<u8>)]) {}

/// Not to be seen here: a rename of what is open fails by itself.
pub fn holders(_files: &BTreeSet<(u64, u64)>) -> Vec<String> {
    Vec::new()
}

/// The only part of the environment that a program gets from outside: programs cannot start without it.
pub const INHERITED: &[&str] = &["PATH", "SystemRoot", "PATHEXT", "TEMP"];

pub fn lock_shared(file: &fs_err::File) -> Result<()> {
    file.file().try_lock_shared().map_err(Into::into)
}

pub fn search_path() -> String {
    std::env::var("PATH").unwrap_or_default()
}

pub fn own_group(_command: &mut Command) {}

pub fn end_group(leader: u32) {
    // The tree below the program; already gone is as good.
    let _ = Command::new("taskkill").args(["/T", "/F", "/PID", &leader.to_string()]).output();
}

/// Whether a program ends in time.
pub fn ended_within(child: &mut Child, limit: Duration) -> Result<bool> {
    let begun = Instant::now();
    let (_kept, nothing) = mpsc::channel::<()>();
    while begun.elapsed() < limit {
        if child.try_wait()?.is_some() {
            return Ok(true);
        }
        // A pause that nobody cuts short.
        let _ = nothing.recv_timeout(Duration::from_millis(20));
    }
    Ok(child.try_wait()?.is_some())
}

/// Ctrl-C.
#[derive(Debug)]
pub struct Signals;

impl Signals {
    pub fn new() -> Result<Signals> {
        Ok(Signals)
    }

    pub async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

pub fn open_files(wanted: u64) -> u64 {
    wanted
}

/// Nobody to talk to.
#[derive(Debug)]
pub struct Manager;

impl Manager {
    pub fn connect(_: &OsStr) -> Option<Manager> {
        None
    }

    pub fn say(&self, _: &str) {}
}
