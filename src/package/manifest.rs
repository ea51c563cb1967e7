//! What was built for whom: names, sizes and hashes, never a code. Written last, so a package without it is none.

use crate::fault::{Fault, Result};
use fs_err as fs;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

pub(super) const NAME: &str = "manifest.json";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub schema: u32,
    pub package: String,
    pub people: Vec<Entry>,
}

/// One person's package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub id: String,
    /// SHA-256 over everything the person gets.
    pub digest: String,
    /// SHA-256 of the files before README.TXT was added.
    pub source: String,
    pub code_fingerprint: String,
    pub files: Vec<Sum>,
    pub artefacts: Vec<Artefact>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    pub name: String,
    pub size: u64,
    pub sha256: String,
}

/// One file that is attached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artefact {
    /// Below the package's folder.
    pub file: PathBuf,
    /// The name the recipient sees: 8.3, upper case.
    pub shown: String,
    pub mime: String,
    pub size: u64,
    pub sha256: String,
}

impl Manifest {
    /// Reads the manifest of a package's folder.
    pub fn load(folder: &Path) -> Result<Manifest> {
        let path = folder.join(NAME);
        if !path.exists() {
            let cause = format!("nothing is built in {}", folder.display());
            return Err(Fault::new("not-built", cause, "run `flagday build` first"));
        }
        let manifest: Manifest = serde_json::from_slice(&fs::read(&path)?)?;
        if manifest.schema != 1 {
            let cause = format!("{} was written by a newer flagday", path.display());
            return Err(Fault::new("manifest-newer", cause, "run `flagday build` again with this one"));
        }
        Ok(manifest)
    }

    pub fn person(&self, id: &str) -> Option<&Entry> {
        self.people.iter().find(|entry| entry.id == id)
    }
}
