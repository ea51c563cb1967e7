//! Unix: every call through the open folder, links never followed below a root.
#![allow(clippy::useless_conversion, reason = "the width of these fields differs from one Unix to the next")]

use super::{Folder, Kind, Look, named, point};
pub use rustix::fd::OwnedFd as Handle;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, Result};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc;
use std::time::{Duration, SystemTime};

const NO_LINK: OFlags = OFlags::NOFOLLOW.union(OFlags::CLOEXEC);

impl Folder {
    /// Opens a root: the one place where a link is followed, because a person named it.
    pub fn open(path: &Path) -> Result<Folder> {
        let handle = rustix::fs::open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|error| named(error, "open", path))?;
        Ok(Folder { path: path.to_owned(), handle })
    }

    /// Opens a folder in this one; a link is refused.
    pub fn folder(&self, name: &OsStr) -> Result<Folder> {
        let path = self.path.join(name);
        let handle =
            rustix::fs::openat(&self.handle, name, OFlags::RDONLY | OFlags::DIRECTORY | NO_LINK, Mode::empty())
                .map_err(|error| named(error, "open", &path))?;
        Ok(Folder { path, handle })
    }

    /// Every name in it, sorted.
    pub fn names(&self) -> Result<Vec<OsString>> {
        let fail = |error: Errno| named(error, "list", &self.path);
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.handle).map_err(fail)? {
            let name = OsString::from_vec(entry.map_err(fail)?.file_name().to_bytes().to_vec());
            if name != "." && name != ".." {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    pub fn look(&self, name: &OsStr) -> Result<Option<Look>> {
        let stat = match rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(named(error, "look at", &self.path.join(name))),
        };
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Folder,
            FileType::Symlink => Kind::Link,
            _ => Kind::Other,
        };
        let mode = u32::from(stat.st_mode) & 0o7777;
        Ok(Some(Look {
            kind,
            size: stat.st_size.try_into().unwrap_or(0),
            modified: instant(i64::from(stat.st_mtime), stat.st_mtime_nsec.try_into().unwrap_or(0)),
            mode: Some(mode),
            owner: Some((stat.st_uid, stat.st_gid)),
            device: stat.st_dev.try_into().ok(),
            inode: stat.st_ino.try_into().ok(),
            links: stat.st_nlink.try_into().unwrap_or(u64::MAX),
            writable: mode & 0o200 != 0 && !self.immutable(name),
        }))
    }

    /// `chattr +i`: rename answers EPERM, even to root.
    #[cfg(target_os = "linux")]
    fn immutable(&self, name: &OsStr) -> bool {
        use rustix::fs::{StatxAttributes, StatxFlags, statx};
        statx(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::empty())
            .is_ok_and(|file| file.stx_attributes.contains(StatxAttributes::IMMUTABLE))
    }

    #[cfg(not(target_os = "linux"))]
    fn immutable(&self, _name: &OsStr) -> bool {
        false
    }

    /// Opens a regular file for reading; a link is refused and a pipe does not hang.
    pub fn read(&self, name: &OsStr) -> Result<fs_err::File> {
        self.file(name, OFlags::RDONLY | OFlags::NONBLOCK | NO_LINK, "read")
    }

    /// Creates a file; `AlreadyExists` when the name is taken. Only this account can read it until [`set_mode`].
    pub fn create(&self, name: &OsStr) -> Result<fs_err::File> {
        point("before create")?;
        let file = self.file(name, OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | NO_LINK, "create")?;
        point("after create")?;
        Ok(file)
    }

    fn file(&self, name: &OsStr, flags: OFlags, what: &str) -> Result<fs_err::File> {
        let path = self.path.join(name);
        let handle = rustix::fs::openat(&self.handle, name, flags, Mode::RUSR | Mode::WUSR)
            .map_err(|error| named(error, what, &path))?;
        Ok(fs_err::File::from_parts(handle.into(), path))
    }

    /// Creates a folder that only this account can enter.
    pub fn create_folder(&self, name: &OsStr) -> Result<()> {
        point("before create folder")?;
        rustix::fs::mkdirat(&self.handle, name, Mode::RWXU)
            .map_err(|error| named(error, "create", &self.path.join(name)))?;
        point("after create folder")
    }

    pub fn remove(&self, name: &OsStr) -> Result<()> {
        point("before remove")?;
        rustix::fs::unlinkat(&self.handle, name, AtFlags::empty())
            .map_err(|error| named(error, "remove", &self.path.join(name)))?;
        point("after remove")
    }

    #[cfg(any(target_os = "linux", target_os = "macos"))]
    pub(super) fn rename_no_replace(&self, name: &OsStr, to: &Folder, new: &OsStr) -> Result<()> {
        use rustix::fs::{RenameFlags, renameat_with};
        match renameat_with(&self.handle, name, &to.handle, new, RenameFlags::NOREPLACE) {
            // Some network mounts do not know the flag.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => self.rename_checked(name, to, new),
            other => Ok(other?),
        }
    }

    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    pub(super) fn rename_no_replace(&self, name: &OsStr, to: &Folder, new: &OsStr) -> Result<()> {
        self.rename_checked(name, to, new)
    }

    pub(super) fn rename_plainly(&self, name: &OsStr, to: &Folder, new: &OsStr) -> Result<()> {
        Ok(rustix::fs::renameat(&self.handle, name, &to.handle, new)?)
    }

    /// Makes the folder's names durable. A failure means that they may be lost, whatever a second try says.
    pub fn sync(&self) -> Result<()> {
        point("before sync")?;
        match rustix::fs::fsync(&self.handle) {
            // A mount that has no such call for folders.
            Ok(()) | Err(Errno::INVAL | Errno::OPNOTSUPP) => point("after sync"),
            Err(error) => Err(named(error, "sync", &self.path)),
        }
    }

    /// Bytes that this account may still write on the folder's volume.
    pub fn space(&self) -> Result<Option<u64>> {
        let volume = rustix::fs::fstatvfs(&self.handle).map_err(|error| named(error, "measure", &self.path))?;
        Ok(Some(volume.f_bavail.saturating_mul(volume.f_frsize)))
    }

    /// The volume it is on.
    pub fn device(&self) -> Result<Option<u64>> {
        Ok(rustix::fs::fstat(&self.handle)?.st_dev.try_into().ok())
    }

    /// Whether the system says that this account may create and rename in it. Servers may still refuse.
    pub fn may_change(&self) -> Result<()> {
        use rustix::fs::{Access, accessat};
        accessat(&self.handle, ".", Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS)
            .map_err(|error| named(error, "change names in", &self.path))
    }

    pub fn set_own_mode(&self, mode: u32) -> Result<()> {
        rustix::fs::fchmod(&self.handle, Mode::from_raw_mode(mode.try_into().unwrap_or(0o700)))
            .map_err(|error| named(error, "set the mode of", &self.path))
    }

    pub fn set_own_time(&self, modified: SystemTime) -> Result<()> {
        fs_err::File::from_parts(self.handle.try_clone()?.into(), &self.path).set_modified(modified)
    }
}

/// Sets the permission bits, as far as the volume has them.
pub fn set_mode(file: &fs_err::File, mode: u32) -> Result<()> {
    match file.set_permissions(std::fs::Permissions::from_mode(mode)) {
        // FAT and servers that map rights keep the bits they can; the backup's manifest has them all.
        Err(error) if error.kind() == ErrorKind::PermissionDenied || error.kind() == ErrorKind::Unsupported => Ok(()),
        other => other,
    }
}

/// Gives a file to its owner, as far as this account may.
pub fn set_owner(file: &fs_err::File, (user, group): (u32, u32)) -> Result<()> {
    use rustix::fs::{Gid, Uid, fchown};
    match fchown(file.file(), Some(Uid::from_raw(user)), Some(Gid::from_raw(group))) {
        Ok(()) | Err(Errno::PERM | Errno::INVAL | Errno::OPNOTSUPP) => Ok(()),
        Err(error) => Err(named(error, "set the owner of", file.path())),
    }
}

/// A name from the bytes that [`OsStr::as_encoded_bytes`] gave.
pub fn name_from_bytes(bytes: Vec<u8>) -> Option<OsString> {
    Some(OsString::from_vec(bytes))
}

fn instant(seconds: i64, nanos: u64) -> SystemTime {
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let second = if seconds < 0 { SystemTime::UNIX_EPOCH - whole } else { SystemTime::UNIX_EPOCH + whole };
    second + Duration::from_nanos(nanos)
}

/// Makes the names in a folder survive a power cut.
pub fn sync_folder(folder: &Path) -> Result<()> {
    fs_err::File::open(folder)?.sync_all()
}

/// Sets who may use a file or folder: 0o600 and 0o700 leave it to its owner.
pub fn restrict(path: &Path, mode: u32) -> Result<()> {
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

/// A new file that only its owner can open; `AlreadyExists` when the name is taken.
pub fn create_private(path: &Path) -> Result<fs_err::File> {
    use fs_err::os::unix::fs::OpenOptionsExt;
    fs_err::OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

/// The attributes of Windows, which a Unix file has not.
pub(super) fn file_attributes(_: &std::fs::Metadata) -> Option<u32> {
    None
}

/// An extended attribute, where the system and the volume have them.
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub(super) fn extended(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut buffer = [0; 256];
    let length = rustix::fs::lgetxattr(path, name, &mut buffer[..]).ok()?;
    buffer.get(..length).map(<[u8]>::to_vec)
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub(super) fn extended(_: &Path, _: &str) -> Option<Vec<u8>> {
    None
}

/// The only part of the environment that a program gets from outside: nothing.
pub const INHERITED: &[&str] = &[];

/// Where programs are looked for, whoever runs this one.
pub fn search_path() -> String {
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned()
}

/// Starts a program as the leader of a group of its own, so that [`end_group`] reaches its children.
pub fn own_group(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

/// Ends a program and every process it started in its group.
pub fn end_group(leader: u32) {
    if let Some(leader) = leader.try_into().ok().and_then(rustix::process::Pid::from_raw) {
        // Already gone is as good.
        let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
    }
}

/// Whether a program ends in time. Its status is not taken: until it is waited for, the number stays the program's, so
/// that [`end_group`] cannot reach a stranger.
pub fn ended_within(child: &mut Child, limit: Duration) -> Result<bool> {
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    let pid = Pid::from_child(child);
    let (tell, hear) = mpsc::channel();
    std::thread::spawn(move || {
        let ended = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
        // Nobody listens any more once the time is over.
        let _ = tell.send(ended.map(|_| ()));
    });
    match hear.recv_timeout(limit) {
        Ok(ended) => Ok(ended.map(|()| true)?),
        Err(_) => Ok(false),
    }
}
