//! One letter, and batches of them: what is in memory at one time is bounded, however large the mailbox.

use super::Mbox;
use crate::fault::Result;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// One octet more than is read of a letter tells that it is too large.
const MOST: u64 = (25 << 20) + 1;
const LETTERS: usize = 512;
const OCTETS: usize = 32 << 20;

#[derive(Debug, Clone)]
pub enum Letter {
    /// Still in its file; read by whoever works on it.
    File(PathBuf),
    Held {
        name: String,
        bytes: Vec<u8>,
    },
}

impl Letter {
    /// Where it stands: a path, or a path with the letter's place in the mbox behind `#`.
    pub fn name(&self) -> String {
        match self {
            Letter::File(path) => path.display().to_string(),
            Letter::Held { name, .. } => name.clone(),
        }
    }

    /// Its octets; nothing where the file is gone meanwhile, as in a Maildir that somebody reads.
    pub fn bytes(self) -> Result<Option<Vec<u8>>> {
        match self {
            Letter::File(path) => read(&path),
            Letter::Held { bytes, .. } => Ok(Some(bytes)),
        }
    }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    let file = match fs_err::File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let size = file.metadata().map_or(0, |about| about.len()).min(MOST);
    let mut bytes = Vec::with_capacity(size as usize + 1);
    file.take(MOST).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Letters in their order, some hundred at a time.
#[derive(Debug)]
pub struct Batches {
    files: std::vec::IntoIter<PathBuf>,
    mbox: Option<Mbox>,
}

impl Batches {
    pub(super) fn of_files(paths: Vec<PathBuf>) -> Batches {
        Batches { files: paths.into_iter(), mbox: None }
    }

    pub fn of_mbox(mbox: Mbox) -> Batches {
        Batches { files: Vec::new().into_iter(), mbox: Some(mbox) }
    }

    /// The next letters; none when all are read.
    pub fn next_batch(&mut self) -> Result<Vec<Letter>> {
        let mut batch: Vec<Letter> = self.files.by_ref().take(LETTERS).map(Letter::File).collect();
        let Some(mbox) = &mut self.mbox else { return Ok(batch) };
        let mut octets = 0;
        while batch.len() < LETTERS && octets < OCTETS {
            let Some((name, bytes)) = mbox.letter()? else { break };
            octets += bytes.len();
            batch.push(Letter::Held { name, bytes });
        }
        Ok(batch)
    }
}
