//! Elsewhere: by path, looking before each change.

use super::{Folder, Kind, Look, named, point};
use std::ffi::{OsStr, OsString};
use std::io::{Error, ErrorKind, Result};
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

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
            modified: seen.modified()?,
            mode: None,
            owner: None,
            device: None,
            inode: None,
            links: 1,
            writable: !seen.permissions().readonly(),
            hidden: hidden(&seen),
        }))
    }

    pub fn read(&self, name: &OsStr) -> Result<fs_err::File> {
        fs_err::File::open(self.path.join(name))
    }

    pub fn create(&self, name: &OsStr) -> Result<fs_err::File> {
        point("before create")?;
        let file = fs_err::OpenOptions::new().read(true).write(true).create_new(true).open(self.path.join(name))?;
        point("after create")?;
        Ok(file)
    }

    pub fn create_folder(&self, name: &OsStr) -> Result<()> {
        point("before create folder")?;
        fs_err::create_dir(self.path.join(name))?;
        point("after create folder")
    }

    pub fn remove(&self, name: &OsStr) -> Result<()> {
        point("before remove")?;
        fs_err::remove_file(self.path.join(name))?;
        point("after remove")
    }

    pub(super) fn rename_no_replace(&self, name: &OsStr, to: &Folder, new: &OsStr) -> Result<()> {
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

    pub fn set_own_mode(&self, _mode: u32) -> Result<()> {
        Ok(())
    }

    pub fn set_own_time(&self, _modified: SystemTime) -> Result<()> {
        Ok(())
    }
}

#[cfg(windows)]
fn hidden(seen: &std::fs::Metadata) -> bool {
    // FILE_ATTRIBUTE_HIDDEN
    std::os::windows::fs::MetadataExt::file_attributes(seen) & 2 != 0
}

#[cfg(not(windows))]
fn hidden(_seen: &std::fs::Metadata) -> bool {
    false
}

pub fn set_mode(_file: &fs_err::File, _mode: u32) -> Result<()> {
    Ok(())
}

pub fn set_owner(_file: &fs_err::File, _owner: (u32, u32)) -> Result<()> {
    Ok(())
}

pub fn name_from_bytes(bytes: Vec<u8>) -> Option<OsString> {
    String::from_utf8(bytes).ok().map(OsString::from)
}

pub fn own_group(_command: &mut Command) {}

pub fn end_group(leader: u32) {
    // The tree below the program; already gone is as good.
    let _ = Command::new("taskkill").args(["/T", "/F", "/PID", &leader.to_string()]).output();
}
