//! LETTING IT IN: mailboxes, read and never changed. Each letter has a name that stays the same from run to run.

mod files; // one .eml, a folder of them, a Maildir
mod imap; // a folder on a server
mod letter; // one letter, in a file or in memory
mod mbox; // many letters in one file

pub use files::find;
pub use imap::Imap;
pub use letter::{Batches, Letter};
pub use mbox::Mbox;

use crate::fault::{Fault, Result};
use std::io::Read;
use std::path::{Path, PathBuf};

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Files(Vec<PathBuf>),
    Mbox(PathBuf),
}

impl Source {
    /// Looks what stands at the path: a Maildir (by its `cur` and `new`), a folder of letters, an mbox (by its first
    /// line), or one letter.
    pub fn at(path: &Path) -> Result<Source> {
        let about = fs_err::metadata(path).map_err(|error| {
            Fault::new(
                "no-mailbox",
                error.to_string(),
                "name a Maildir, an mbox, a folder of .eml files, or one .eml file",
            )
        })?;
        if about.is_dir() {
            return Ok(Source::Files(find(path)?));
        }
        let mut head = Vec::new();
        open(path)?.take(5).read_to_end(&mut head)?;
        let named = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("eml"));
        Ok(match head == b"From " && !named {
            true => Source::Mbox(path.to_owned()),
            false => Source::Files(vec![path.to_owned()]),
        })
    }

    /// The letters one after the other, as many in memory as fit a batch.
    pub fn batches(&self) -> Result<Batches> {
        match self {
            Source::Files(paths) => Ok(Batches::of_files(paths.clone())),
            Source::Mbox(path) => Ok(Batches::of_mbox(Mbox::open(path)?)),
        }
    }
}

/// A named pipe is opened only once somebody writes to it, and a device may never come to an end: neither is a mailbox.
fn open(path: &Path) -> Result<fs_err::File> {
    if !fs_err::metadata(path)?.is_file() {
        let cause = format!("{} is no plain file", path.display());
        return Err(Fault::new("not-a-file", cause, "name an mbox or a letter; a pipe, a device or a folder is none"));
    }
    Ok(fs_err::File::open(path)?)
}
