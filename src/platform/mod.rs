//! What differs from one operating system to the next, one file a system: folders as handles, renaming without
//! replacement, free space, private files, DOS attributes, groups of processes, signals, the service manager. Nothing
//! else knows on which system it runs.
//!
//! On Unix every call on a [`Folder`] goes through the open folder, and links are never followed below its root: a
//! folder that is swapped for a link between look and use cannot lead anywhere else. Elsewhere paths are used, and only
//! what the standard library has on every system: `--cfg portable` builds that on Unix too.

mod attributes; // read-only and hidden, as DOS clients see them
pub(crate) mod fail; // named points between two changes of a file, for the crash sweeps
#[cfg(not(all(unix, not(portable))))]
mod other;
mod share; // kinds of network shares
#[cfg(all(unix, not(portable)))]
mod unix;

#[cfg(not(all(unix, not(portable))))]
use other as here;
#[cfg(all(unix, not(portable)))]
use unix as here;

pub use attributes::Attributes;
pub use here::{
    INHERITED, Manager, Signals, carry, create_private, end_group, ended_within, holders, lock_shared, name_from_bytes,
    open_files, own_group, restrict, search_path, set_mode, set_owner, share_kind, sync_folder,
};

use self::fail::{Change, did, point};
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
}

/// An open folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    #[cfg(all(unix, not(portable)))]
    handle: unix::Handle,
}

impl Folder {
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the system tells about the folder itself.
    pub fn own_look(&self) -> Result<Look> {
        let above = self.path.parent().filter(|above| !above.as_os_str().is_empty());
        let name = self.path.file_name().ok_or(ErrorKind::InvalidInput)?;
        let look = Folder::open(above.unwrap_or(Path::new(".")))?.look(name)?;
        look.ok_or_else(|| named(ErrorKind::NotFound, "look at", &self.path))
    }

    /// The DOS attributes of what stands under a name.
    pub fn attributes(&self, name: &OsStr) -> Result<Attributes> {
        Attributes::of(&self.path.join(name))
    }

    /// The DOS attributes to carry over to a copy, in the form in which this system keeps them.
    pub fn carried(&self, name: &OsStr) -> Vec<(String, Vec<u8>)> {
        let path = self.path.join(name);
        let value = |name: &str| Some((name.to_owned(), here::extended(&path, name)?));
        attributes::NAMES.into_iter().filter_map(value).collect()
    }

    /// Renames without ever replacing: `AlreadyExists` when the new name is taken, `CrossesDevices` when the new
    /// place is on another volume. Not durable before both folders are synced. `false` when the volume has no such
    /// rename, so that the new name was looked for beforehand.
    pub fn rename(&self, name: &OsStr, to: &Folder, new: &OsStr) -> Result<bool> {
        point("before rename")?;
        let guarded = self.rename_no_replace(name, to, new);
        let guarded = guarded.map_err(|error| named(error, "rename", &self.path.join(name)))?;
        did(Change::Renamed(&self.path.join(name), &to.path.join(new)));
        point("after rename")?;
        Ok(guarded)
    }

    /// A rename that looks first: for systems and mounts without the call. Another program may take the name in
    /// between; the campaign's lock keeps other runs of this program out.
    fn rename_checked(&self, name: &OsStr, to: &Folder, new: &OsStr) -> Result<bool> {
        match to.look(new)? {
            Some(_) => Err(ErrorKind::AlreadyExists.into()),
            None => self.rename_plainly(name, to, new).map(|()| false),
        }
    }
}

/// Makes a file's bytes durable. A failure means that they may be lost, whatever a second try says.
pub fn sync_file(file: &fs_err::File) -> Result<()> {
    point("before sync file")?;
    file.sync_all()?;
    did(Change::Synced(file.path()));
    point("after sync file")
}

/// Puts what was done, and to which file, before the system's words.
fn named(error: impl Into<Error>, what: &str, path: &Path) -> Error {
    let error = error.into();
    Error::new(error.kind(), format!("cannot {what} {}: {error}", path.display()))
}
