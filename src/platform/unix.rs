//! Unix: every call on a file through the open folder, links never followed below a root; signals; the datagrams of
//! `sd_notify(3)`.
#![allow(clippy::useless_conversion, reason = "the width of these fields differs from one Unix to the next")]

use super::fail::{Change, did, told};
use super::{Folder, Kind, Look, named, point};
pub use rustix::fd::OwnedFd as Handle;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit, setrlimit};
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc;
use std::time::{Duration, SystemTime};
use tokio::signal::unix::{Signal, SignalKind, signal};

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
            modified: told(instant(i64::from(stat.st_mtime), stat.st_mtime_nsec.try_into().unwrap_or(0))),
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
        did(Change::Created(file.path()));
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
        did(Change::Folder(&self.path.join(name)));
        point("after create folder")
    }

    pub fn remove(&self, name: &OsStr) -> Result<()> {
        point("before remove")?;
        did(Change::Removing(&self.path.join(name)));
        rustix::fs::unlinkat(&self.handle, name, AtFlags::empty())
            .map_err(|error| named(error, "remove", &self.path.join(name)))?;
        point("after remove")
    }

    #[cfg(any(target_os = "linux", target_os = "macos"))]
    pub(super) fn rename_no_replace(&self, name: &OsStr, to: &Folder, new: &OsStr) -> Result<bool> {
        use rustix::fs::{RenameFlags, renameat_with};
        match renameat_with(&self.handle, name, &to.handle, new, RenameFlags::NOREPLACE) {
            // Some network mounts do not know the flag.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => self.rename_checked(name, to, new),
            other => Ok(other.map(|()| true)?),
        }
    }

    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    pub(super) fn rename_no_replace(&self, name: &OsStr, to: &Folder, new: &OsStr) -> Result<bool> {
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
            Ok(()) | Err(Errno::INVAL | Errno::OPNOTSUPP) => {
                did(Change::Synced(&self.path));
                point("after sync")
            }
            Err(error) => Err(named(error, "sync", &self.path)),
        }
    }

    /// Bytes that this account may still write on the folder's volume; none where it does not tell.
    pub fn space(&self) -> Result<Option<u64>> {
        let volume = rustix::fs::fstatvfs(&self.handle).map_err(|error| named(error, "measure", &self.path))?;
        // Some network mounts call themselves a volume without a single block.
        Ok((volume.f_blocks > 0).then(|| volume.f_bavail.saturating_mul(volume.f_frsize)))
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

    /// Whether this account may move away what stands under a name. In a sticky folder, as /tmp is one, everybody may make
    /// files and nobody may rename another's.
    pub fn may_move(&self, name: &OsStr) -> Result<()> {
        let folder = rustix::fs::fstat(&self.handle)?;
        let file = rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let own = rustix::process::geteuid().as_raw();
        if folder.st_mode & 0o1000 == 0 || [0, folder.st_uid, file.st_uid].contains(&own) {
            return Ok(());
        }
        let why = Error::new(ErrorKind::PermissionDenied, "it belongs to another account, and the folder is sticky");
        Err(named(why, "rename", &self.path.join(name)))
    }

    /// Sets the permission bits of the folder itself, as far as the volume has them.
    pub fn set_own_mode(&self, mode: u32) -> Result<()> {
        match rustix::fs::fchmod(&self.handle, Mode::from_raw_mode(mode.try_into().unwrap_or(0o700))) {
            Ok(()) => Ok(()),
            Err(error) => {
                let shown = rustix::fs::fstat(&self.handle)?.st_mode & 0o7777;
                mapped(named(error, "set the mode of", &self.path), mode, shown, 0o700)
            }
        }
    }

    /// Gives the folder itself to its owner and carries DOS attributes over, as far as account and volume allow.
    pub fn set_own_bearing(&self, owner: Option<(u32, u32)>, attributes: &[(String, Vec<u8>)]) -> Result<()> {
        let file = fs_err::File::from_parts(self.handle.try_clone()?.into(), &self.path);
        carry(&file, attributes);
        owner.map_or(Ok(()), |owner| set_owner(&file, owner))
    }

    pub fn set_own_time(&self, modified: SystemTime) -> Result<()> {
        fs_err::File::from_parts(self.handle.try_clone()?.into(), &self.path).set_modified(modified)
    }
}

/// Sets the permission bits, as far as the volume has them.
pub fn set_mode(file: &fs_err::File, mode: u32) -> Result<()> {
    match file.set_permissions(std::fs::Permissions::from_mode(mode)) {
        Ok(()) => Ok(()),
        Err(error) => mapped(error, mode, file.metadata()?.permissions().mode() & 0o7777, 0o600),
    }
}

/// FAT, and servers that map rights, refuse the bits that they do not keep, and show others than something was created
/// with; the backup's manifest has them all. A volume that does keep them has refused in earnest: what it shows would
/// shut others out.
fn mapped(error: Error, wanted: u32, shown: u32, created: u32) -> Result<()> {
    let refused = matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Unsupported);
    if refused && (shown == wanted || shown != created) { Ok(()) } else { Err(error) }
}

/// Gives a file to its owner, as far as this account may: one that gives nothing away may still give it to a group of its.
pub fn set_owner(file: &fs_err::File, (user, group): (u32, u32)) -> Result<()> {
    use rustix::fs::{Gid, Uid, fchown};
    let group = Some(Gid::from_raw(group));
    let both = fchown(file.file(), Some(Uid::from_raw(user)), group);
    match both.or_else(|_| fchown(file.file(), None, group)) {
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

/// What kind of network share the path lies on, where the system tells; `None` for a disk of this machine.
#[cfg(target_os = "linux")]
pub fn share_kind(path: &Path) -> Option<&'static str> {
    super::share::by_magic(rustix::fs::statfs(path).ok()?.f_type as u32)
}

#[cfg(not(target_os = "linux"))]
pub fn share_kind(_: &Path) -> Option<&'static str> {
    None
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

/// Gives a copy the attributes of its original, as far as the volume keeps any.
pub fn carry(file: &fs_err::File, attributes: &[(String, Vec<u8>)]) {
    for (name, value) in attributes {
        // A volume without them shows the mode instead; the backup's manifest has them all.
        let _ = rustix::fs::fsetxattr(file.file(), name.as_str(), value, rustix::fs::XattrFlags::empty());
    }
}

/// Which other programs on this machine have one of these files open or locked, by device and number. Programs of other
/// accounts are seen by root alone, locks by everybody.
#[cfg(target_os = "linux")]
pub fn holders(files: &BTreeSet<(u64, u64)>) -> Vec<String> {
    let own = std::process::id();
    let name = |process: u32| {
        let name = fs_err::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
        format!("{} (process {process})", name.trim().escape_debug())
    };
    let mut found = BTreeSet::new();
    let processes = fs_err::read_dir("/proc").into_iter().flatten().flatten();
    for process in processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(|id| *id != own) {
        let mut open = fs_err::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
        let ours = |entry: fs_err::DirEntry| {
            rustix::fs::stat(entry.path()).is_ok_and(|file| files.contains(&(file.st_dev, file.st_ino)))
        };
        if open.any(ours) {
            found.insert(format!("{} has it open", name(process)));
        }
    }
    for lock in fs_err::read_to_string("/proc/locks").unwrap_or_default().lines() {
        if let Some((process, file)) = locked(lock)
            && process != own
            && files.contains(&file)
        {
            found.insert(format!("{} has a lock on it", name(process)));
        }
    }
    found.into_iter().collect()
}

#[cfg(not(target_os = "linux"))]
pub fn holders(_: &BTreeSet<(u64, u64)>) -> Vec<String> {
    Vec::new()
}

/// `1: POSIX  ADVISORY  WRITE 1234 08:02:1234567 0 EOF`, of proc_locks(5): the process, and the file by device and number.
#[cfg(target_os = "linux")]
fn locked(line: &str) -> Option<(u32, (u64, u64))> {
    let mut words = line.split_whitespace().skip_while(|word| !["READ", "WRITE", "RW"].contains(word)).skip(1);
    let process = words.next()?.parse().ok()?;
    let mut file = words.next()?.split(':');
    let [major, minor] = [u32::from_str_radix(file.next()?, 16).ok()?, u32::from_str_radix(file.next()?, 16).ok()?];
    Some((process, (rustix::fs::makedev(major, minor), file.next()?.parse().ok()?)))
}

/// The only part of the environment that a program gets from outside: nothing.
pub const INHERITED: &[&str] = &[];

/// Locks a file as programs do that deliver mail (fcntl), shared, or fails at once; until it is closed.
pub fn lock_shared(file: &fs_err::File) -> Result<()> {
    rustix::fs::fcntl_lock(file, rustix::fs::FlockOperation::NonBlockingLockShared).map_err(Into::into)
}

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

/// SIGTERM and SIGINT.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From here on neither ends the process by itself. Needs a runtime.
    pub fn new() -> Result<Signals> {
        Ok(Signals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// How many files may be open at once, after asking for as many as `wanted`: the limit that shells set is meant for
/// other programs.
pub fn open_files(wanted: u64) -> u64 {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = Some(limit.maximum.map_or(wanted, |most| most.min(wanted)));
        // Refused: what was allowed before still is.
        let _ = setrlimit(Resource::Nofile, limit);
    }
    getrlimit(Resource::Nofile).current.unwrap_or(wanted)
}

/// The service manager's socket.
#[derive(Debug)]
pub struct Manager(UnixDatagram);

impl Manager {
    /// By its path, or by its abstract name behind an `@`.
    pub fn connect(name: &OsStr) -> Option<Manager> {
        let socket = UnixDatagram::unbound().ok()?;
        // A busy manager must not hold up the work.
        socket.set_nonblocking(true).ok()?;
        match name.as_bytes().first()? {
            b'/' => socket.connect(name).ok()?,
            b'@' => connect_abstract(&socket, &name.as_bytes()[1..])?,
            _ => return None,
        }
        Some(Manager(socket))
    }

    /// A manager that is gone must not stop the work either.
    pub fn say(&self, state: &str) {
        let _ = self.0.send(state.as_bytes());
    }
}

#[cfg(target_os = "linux")]
fn connect_abstract(socket: &UnixDatagram, name: &[u8]) -> Option<()> {
    use std::os::linux::net::SocketAddrExt;
    socket.connect_addr(&std::os::unix::net::SocketAddr::from_abstract_name(name).ok()?).ok()
}

#[cfg(not(target_os = "linux"))]
fn connect_abstract(_: &UnixDatagram, _: &[u8]) -> Option<()> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn who_holds_a_file_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("MASTER.GLB");
        fs_err::write(&path, "x").expect("written");
        let seen = fs_err::metadata(&path).expect("there");
        let files = BTreeSet::from([(seen.dev(), seen.ino())]);
        let mine = fs_err::File::open(&path).expect("open");
        assert_eq!(holders(&files), [""; 0], "this program itself does not count");
        drop(mine);
        let (input, _) = fs_err::File::open(&path).expect("open").into_parts();
        let mut child = Command::new("sleep").arg("30").stdin(input).spawn().expect("sleep runs");
        let held = holders(&files);
        child.kill().expect("ended");
        child.wait().expect("ended");
        assert_eq!(held, [format!("sleep (process {}) has it open", child.id())]);
        assert_eq!(holders(&files), [""; 0]);
    }

    #[test]
    fn a_line_of_the_kernels_locks() {
        let file = (rustix::fs::makedev(8, 0x12), 1_234_567);
        assert_eq!(locked("3: POSIX  ADVISORY  WRITE 1234 08:12:1234567 0 EOF"), Some((1234, file)));
        assert_eq!(locked("4: -> FLOCK  ADVISORY  WRITE 77 08:12:1234567 0 EOF"), Some((77, file)));
        assert_eq!(locked("5: LEASE  ACTIVE    READ  9 08:12:1234567 0 EOF"), Some((9, file)));
        assert_eq!(locked("nonsense"), None);
    }
}
