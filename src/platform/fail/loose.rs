//! A power cut, simulated: what was changed and not yet synced is taken back, all of it or a part, as a disk may have it
//! when the lights come on again. A rename is taken as one change, which holds on every system with a journal.

use super::Change;
use std::cell::RefCell;
use std::path::{Path, PathBuf};

/// How much of what was not synced is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// Every name and all bytes.
    Everything,
    /// Names are there, bytes are not.
    Bytes,
    /// The first change of a name alone: the disk wrote the later ones before it.
    First,
    /// The last change of a name alone.
    Last,
}

#[derive(Debug, Clone)]
enum Name {
    Created(PathBuf),
    Folder(PathBuf),
    Renamed(PathBuf, PathBuf),
    Removed(PathBuf, Vec<u8>, std::fs::Metadata),
}

#[derive(Default)]
struct Loose {
    names: Vec<Name>,
    /// Files whose bytes are not on the disk yet.
    bytes: Vec<PathBuf>,
}

thread_local! {
    static LOOSE: RefCell<Loose> = RefCell::default();
}

pub(super) fn forget() {
    LOOSE.take();
}

pub fn did(change: Change<'_>) {
    LOOSE.with_borrow_mut(|loose| match change {
        Change::Created(path) => {
            loose.names.push(Name::Created(path.to_owned()));
            loose.bytes.push(path.to_owned());
        }
        Change::Folder(path) => loose.names.push(Name::Folder(path.to_owned())),
        Change::Renamed(from, to) => {
            loose.bytes.iter_mut().for_each(|path| follow(path, from, to));
            loose.names.iter_mut().for_each(|name| match name {
                // What is renamed before its own name is safe is lost under the new one.
                Name::Created(path) | Name::Folder(path) => follow(path, from, to),
                Name::Renamed(..) | Name::Removed(..) => {}
            });
            loose.names.push(Name::Renamed(from.to_owned(), to.to_owned()));
        }
        Change::Removing(path) => {
            let kept = || Some((fs_err::read(path).ok()?, fs_err::metadata(path).ok()?));
            loose.bytes.retain(|other| other != path);
            loose.names.extend(kept().map(|(bytes, seen)| Name::Removed(path.to_owned(), bytes, seen)));
        }
        Change::Synced(path) => {
            loose.bytes.retain(|other| other != path);
            loose.names.retain(|name| {
                let (Name::Created(at) | Name::Folder(at) | Name::Renamed(_, at) | Name::Removed(at, ..)) = name;
                at.parent() != Some(path)
            });
        }
    });
}

/// A path after something above it, or it itself, got another name.
fn follow(path: &mut PathBuf, from: &Path, to: &Path) {
    if let Ok(rest) = path.strip_prefix(from) {
        *path = if rest.as_os_str().is_empty() { to.to_owned() } else { to.join(rest) };
    }
}

/// Loses what was not synced since [`super::arm`]. Whether anything was lost.
pub fn power_cut(lost: Lost) -> bool {
    let Loose { names, bytes } = LOOSE.take();
    let empty = |path: &PathBuf| fs_err::OpenOptions::new().write(true).truncate(true).open(path).is_ok();
    let emptied = bytes.iter().filter(|path| empty(path)).count();
    match lost {
        Lost::Everything => names.iter().rev().filter(|name| take_back(name)).count() + emptied > 0,
        Lost::Bytes => emptied > 0,
        Lost::First => names.len() > 1 && names.first().is_some_and(take_back),
        Lost::Last => names.len() > 1 && names.last().is_some_and(take_back),
    }
}

fn take_back(name: &Name) -> bool {
    match name {
        Name::Created(path) => fs_err::remove_file(path).is_ok(),
        Name::Folder(path) => fs_err::remove_dir_all(path).is_ok(),
        Name::Renamed(from, to) => !from.exists() && fs_err::rename(to, from).is_ok(),
        Name::Removed(path, bytes, seen) => {
            let restored = || {
                fs_err::write(path, bytes)?;
                fs_err::OpenOptions::new().write(true).open(path)?.set_modified(seen.modified()?)?;
                fs_err::set_permissions(path, seen.permissions())
            };
            !path.exists() && restored().is_ok()
        }
    }
}
