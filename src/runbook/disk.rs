//! The few things done to files, each durable when it returns. What differs between systems stands in this file alone.

use super::identity::sha256;
use crate::fault::{Fault, Result};
use fs_err as fs;
use std::io::ErrorKind;
use std::path::Path;

/// Renames onto a name that must be free; both folders are on the disk when this returns.
pub(super) fn rename(from: &Path, to: &Path) -> Result<()> {
    point()?;
    no_replace(from, to).map_err(|error| refused(from, to, &error))?;
    point()?;
    sync_folder(parent(to)?)?;
    if parent(from)? != parent(to)? {
        sync_folder(parent(from)?)?;
    }
    point()
}

/// Copies onto a name that must be free: beside it first, compared, then renamed.
pub(super) fn copy(from: &Path, to: &Path, expected: &str) -> Result<()> {
    let beside = stage(from, to, expected)?;
    point()?;
    no_replace(&beside, to).map_err(|error| refused(from, to, &error))?;
    point()?;
    sync_folder(parent(to)?)
}

/// Copies over whatever has that name; the caller has kept the old contents.
pub(super) fn overwrite(from: &Path, to: &Path, expected: &str) -> Result<()> {
    let beside = stage(from, to, expected)?;
    point()?;
    fs::rename(&beside, to)?;
    point()?;
    sync_folder(parent(to)?)
}

/// A verified copy under a temporary name in the target's folder. What a crash leaves behind is overwritten.
fn stage(from: &Path, to: &Path, expected: &str) -> Result<std::path::PathBuf> {
    let beside = parent(to)?.join("FLAGDAY.$$$");
    point()?;
    let mut source = fs::File::open(from)?;
    let mut target = fs::File::create(&beside)?;
    std::io::copy(&mut source, &mut target)?;
    point()?;
    target.sync_all()?;
    drop(target);
    let copied = sha256(&beside)?;
    if copied != expected {
        fs::remove_file(&beside)?;
        let cause = format!("{} changed while it was copied", from.display());
        return Err(Fault::new("changed-meanwhile", cause, "see who writes to it; nothing was put in place"));
    }
    Ok(beside)
}

/// Removes a file whose contents stand elsewhere too.
pub(super) fn remove(path: &Path) -> Result<()> {
    point()?;
    fs::remove_file(path)?;
    point()?;
    sync_folder(parent(path)?)
}

pub(super) fn create_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path)?;
    sync_folder(parent(path)?)
}

/// A name that was given or taken survives a power cut only once its folder is on the disk.
#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> Result<()> {
    Ok(fs::File::open(folder)?.sync_all()?)
}

#[cfg(not(unix))]
pub(super) fn sync_folder(_: &Path) -> Result<()> {
    Ok(())
}

#[cfg(target_os = "linux")]
fn no_replace(from: &Path, to: &Path) -> std::io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some network mounts do not know the flag: look first, under the campaign's lock.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => checked(from, to),
        other => Ok(other?),
    }
}

#[cfg(not(target_os = "linux"))]
fn no_replace(from: &Path, to: &Path) -> std::io::Result<()> {
    checked(from, to)
}

fn checked(from: &Path, to: &Path) -> std::io::Result<()> {
    match fs::symlink_metadata(to) {
        Ok(_) => Err(ErrorKind::AlreadyExists.into()),
        Err(error) if error.kind() == ErrorKind::NotFound => fs::rename(from, to),
        Err(error) => Err(error),
    }
}

fn refused(from: &Path, to: &Path, error: &std::io::Error) -> Fault {
    let remedy = match error.kind() {
        ErrorKind::AlreadyExists => "that name is taken: see what stands there before anything else",
        ErrorKind::CrossesDevices => "both have to be on one volume",
        ErrorKind::PermissionDenied | ErrorKind::ResourceBusy => {
            "somebody has it open, or this account lacks the right: close it, then run the same command again"
        }
        _ => "nothing was changed; see to the disk or the share",
    };
    Fault::new("rename-refused", format!("{} to {}: {error}", from.display(), to.display()), remedy)
}

pub(super) fn parent(path: &Path) -> Result<&Path> {
    path.parent()
        .ok_or_else(|| Fault::new("no-folder", format!("{} has no folder", path.display()), "correct the path"))
}

/// Bytes free for this account on the volume that holds `folder`; `None` where the system does not tell.
#[cfg(unix)]
pub(super) fn free_space(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(not(unix))]
pub(super) fn free_space(_: &Path) -> Option<u64> {
    None
}

/// Between any two of these a power cut may fall. The tests let it fall at each.
#[cfg(not(test))]
pub(super) fn point() -> Result<()> {
    Ok(())
}

#[cfg(test)]
pub(super) use crash::point;

/// A counted crash: the n-th point of a run fails, and so does every one after it, as after a power cut.
#[cfg(test)]
pub(super) mod crash {
    use crate::fault::{Fault, Result};
    use std::cell::Cell;

    thread_local! {
        static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
        static SEEN: Cell<usize> = const { Cell::new(0) };
    }

    pub fn at(point: Option<usize>) {
        LEFT.set(point);
        SEEN.set(0);
    }

    pub fn seen() -> usize {
        SEEN.get()
    }

    pub fn crashed() -> bool {
        LEFT.get() == Some(0)
    }

    pub fn point() -> Result<()> {
        SEEN.set(SEEN.get() + 1);
        match LEFT.get() {
            None => return Ok(()),
            Some(0) => {}
            Some(left) => {
                LEFT.set(Some(left - 1));
                if left > 1 {
                    return Ok(());
                }
            }
        }
        Err(Fault::new("crash", "the power is gone", "resume"))
    }
}
