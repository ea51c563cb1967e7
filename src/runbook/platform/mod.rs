//! What differs from one operating system to the next: folders as handles, renaming without replacement, free space,
//! ending a group of processes. Nothing else in this room knows on which system it runs.
//!
//! On Unix every call goes through the open folder, and links are never followed below its root: a folder that is
//! swapped for a link between look and use cannot lead anywhere else. Elsewhere paths are used.

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub use other::{end_group, name_from_bytes, own_group, set_mode, set_owner};
#[cfg(unix)]
pub use unix::{end_group, name_from_bytes, own_group, set_mode, set_owner};

use super::fail::point;
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What stands under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    File,
    Folder,
    Link,
    /// A device, a pipe, a socket.
    Other,
}

/// What the system tells about a name, links not followed.
#[derive(Debug, Clone)]
pub struct Look {
    pub kind: Kind,
    /// Bytes.
    pub size: u64,
    pub modified: SystemTime,
    /// Permission bits, where the system has them.
    pub mode: Option<u32>,
    /// User and group by number, where the system has them.
    pub owner: Option<(u32, u32)>,
    pub device: Option<u64>,
    pub inode: Option<u64>,
    /// Names of the same file.
    pub links: u64,
    /// The owner may write: no read-only attribute, not immutable.
    pub writable: bool,
    pub hidden: bool,
}

/// An open folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    #[cfg(unix)]
    handle: std::os::fd::OwnedFd,
}

impl Folder {
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Renames without ever replacing: `AlreadyExists` when the new name is taken, `CrossesDevices` when the new
    /// place is on another volume. Not durable before both folders are synced.
    pub fn rename(&self, name: &OsStr, to: &Folder, new: &OsStr) -> Result<()> {
        point("before rename")?;
        self.rename_no_replace(name, to, new).map_err(|error| named(error, "rename", &self.path.join(name)))?;
        point("after rename")
    }

    /// A rename that looks first: for systems and mounts without the call. Another program may take the name in
    /// between; the campaign's lock keeps other runs of this program out.
    fn rename_checked(&self, name: &OsStr, to: &Folder, new: &OsStr) -> Result<()> {
        match to.look(new)? {
            Some(_) => Err(ErrorKind::AlreadyExists.into()),
            None => self.rename_plainly(name, to, new),
        }
    }
}

/// Puts what was done, and to which file, before the system's words.
fn named(error: impl Into<Error>, what: &str, path: &Path) -> Error {
    let error = error.into();
    Error::new(error.kind(), format!("cannot {what} {}: {error}", path.display()))
}
