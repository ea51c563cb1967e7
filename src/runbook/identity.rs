//! What makes a file or a folder this one and no other, so that a name alone never decides.

use crate::fault::{Fault, Result};
use fs_err as fs;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::{ErrorKind, Read};
use std::path::Path;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Identity {
    /// Its bytes.
    File { size: u64, sha256: String },
    /// Device and inode where the system has them (its contents may change while it keeps its name), else the digest
    /// of the names inside.
    Folder { inode: Option<(u64, u64)>, names: String },
}

impl Identity {
    /// The identity of what stands there now; `None` where nothing does. A link is refused: it could lead anywhere.
    pub fn of(path: &Path) -> Result<Option<Identity>> {
        let found = match fs::symlink_metadata(path) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if found.is_file() {
            return Ok(Some(Identity::File { size: found.len(), sha256: sha256(path)? }));
        }
        if found.is_dir() {
            return Ok(Some(Identity::Folder { inode: inode(&found), names: names(path)? }));
        }
        let cause = format!("{} is a link or a special file", path.display());
        Err(Fault::new("not-a-file", cause, "put the real file or folder there"))
    }

    /// Whether what has the identity `other` is this.
    pub fn is(&self, other: &Identity) -> bool {
        match (self, other) {
            (Identity::Folder { inode: Some(a), .. }, Identity::Folder { inode: Some(b), .. }) => a == b,
            (Identity::Folder { names: a, .. }, Identity::Folder { names: b, .. }) => a == b,
            (a, b) => a == b,
        }
    }

    /// For a message: what stands there.
    pub fn words(&self) -> String {
        match self {
            Identity::File { size, sha256 } => {
                format!("a file of {size} bytes (sha256 {}…)", &sha256[..12.min(sha256.len())])
            }
            Identity::Folder { .. } => "a folder".to_owned(),
        }
    }
}

/// SHA-256 of a file's bytes, streamed, as hex.
pub(super) fn sha256(path: &Path) -> Result<String> {
    let mut file = fs::File::open(path)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&digest.finalize())),
            n => digest.update(&buffer[..n]),
        }
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn names(folder: &Path) -> Result<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let mut digest = Sha256::new();
    for name in names {
        digest.update(name.as_bytes());
        digest.update([0]);
    }
    Ok(hex(&digest.finalize()))
}

#[cfg(unix)]
fn inode(found: &std::fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn inode(_: &std::fs::Metadata) -> Option<(u64, u64)> {
    None
}
