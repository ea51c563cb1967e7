//! What was built, for whom, with which hashes. It is written last, so that what stands beside it is complete; whoever
//! uses an artefact compares it with the manifest first.

use super::files::{FileSet, sha256};
use crate::fault::{Fault, Result};
use fs_err as fs;
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::path::{Component, Path, PathBuf};

pub(super) const NAME: &str = "manifest.json";

/// A manifest of 200,000 people is smaller.
const BYTES_MAX: u64 = 512 << 20;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub schema: u32,
    pub campaign: String,
    pub package: String,
    /// In the order of their ids.
    pub people: Vec<Entry>,
}

/// One person's package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub id: String,
    /// SHA-256 over everything the person gets; see [`FileSet::digest`].
    pub digest: String,
    /// The same over the files before README.TXT was added: what the possession code is bound to.
    pub source: String,
    /// What was seen of everything that went in, by names, sizes and times, before it was read: see [`super::at_source`].
    /// `None` where a program made it, and in what an older flagday has built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// See [`super::Code::fingerprint`]. The code itself stands in the package and nowhere else.
    pub code_fingerprint: String,
    /// What is inside, by name.
    pub files: Vec<Sum>,
    /// What is attached to the message.
    pub artefacts: Vec<Artefact>,
}

/// One file by name, size in bytes, and SHA-256 as hex.
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
    /// The name the recipient sees: 8.3, capitals.
    pub shown: String,
    pub mime: String,
    pub size: u64,
    pub sha256: String,
}

impl Manifest {
    /// Reads the manifest of a package's folder.
    ///
    /// # Errors
    /// Nothing is built there; the file is damaged, of a newer program, or points out of the folder.
    pub fn load(folder: &Path) -> Result<Manifest> {
        let path = folder.join(NAME);
        let file = match fs::File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let cause = format!("nothing is built in {}", folder.display());
                return Err(Fault::new("not-built", cause, "run `flagday build` first"));
            }
            opened => opened?,
        };
        let mut bytes = Vec::new();
        file.take(BYTES_MAX).read_to_end(&mut bytes)?;
        let damaged = |why: &str| {
            Fault::new("manifest-damaged", format!("{}: {why}", path.display()), "run `flagday build` again")
        };
        let mut manifest: Manifest = serde_json::from_slice(&bytes).map_err(|error| damaged(&error.to_string()))?;
        if manifest.schema != 1 {
            let cause = format!("{} was written by a newer flagday", path.display());
            return Err(Fault::new("manifest-newer", cause, "run `flagday build` again with this one"));
        }
        let outside = |file: &Path| !file.components().all(|part| matches!(part, Component::Normal(_)));
        if manifest.people.iter().flat_map(|entry| &entry.artefacts).any(|artefact| outside(&artefact.file)) {
            return Err(damaged("an artefact lies outside its folder"));
        }
        manifest.people.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(manifest)
    }

    pub fn person(&self, id: &str) -> Option<&Entry> {
        self.people.binary_search_by(|entry| entry.id.as_str().cmp(id)).ok().map(|at| &self.people[at])
    }
}

impl Artefact {
    /// The bytes below the package's folder, compared with size and hash.
    ///
    /// # Errors
    /// The file is missing, or is not what was built.
    pub fn read(&self, folder: &Path) -> Result<Vec<u8>> {
        let path = folder.join(&self.file);
        let mut bytes = Vec::new();
        fs::File::open(&path)?.take(self.size.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 != self.size || sha256(&bytes) != self.sha256 {
            let cause = format!("{} is not the file that was built", path.display());
            return Err(Fault::new("package-altered", cause, "run `flagday build` again; do not send what is there"));
        }
        Ok(bytes)
    }
}

/// Every file of a set by name, size and hash.
pub(super) fn sums(files: &FileSet) -> Vec<Sum> {
    let sum = |file: &super::DiskFile| Sum {
        name: file.name.clone(),
        size: file.bytes.len() as u64,
        sha256: sha256(&file.bytes),
    };
    files.iter().map(sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn load(json: serde_json::Value) -> Result<Manifest, &'static str> {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(NAME), json.to_string()).expect("written");
        Manifest::load(folder.path()).map_err(|fault| fault.findings[0].code)
    }

    fn person(id: &str, file: &str) -> serde_json::Value {
        let artefact = json!({ "file": file, "shown": "A.ZIP", "mime": "application/zip", "size": 1, "sha256": "" });
        json!({ "id": id, "digest": "", "source": "", "code_fingerprint": "", "files": [], "artefacts": [artefact] })
    }

    fn manifest(schema: u32, people: &[serde_json::Value]) -> serde_json::Value {
        json!({ "schema": schema, "campaign": "c", "package": "p", "people": people })
    }

    #[test]
    fn people_are_found_in_whatever_order_they_stand() {
        let people = ["b", "a", "C"].map(|id| person(id, &format!("{id}.zip")));
        let manifest = load(manifest(1, &people)).expect("good");
        assert!(["a", "b", "C"].iter().all(|id| manifest.person(id).is_some_and(|entry| entry.id == *id)));
        assert_eq!(manifest.person("c"), None);
    }

    #[test]
    fn a_manifest_that_cannot_be_trusted_is_refused() {
        assert_eq!(load(manifest(2, &[])), Err("manifest-newer"));
        assert_eq!(load(json!([])), Err("manifest-damaged"));
        for file in ["../a.zip", "/etc/passwd", "a/../../b"] {
            assert_eq!(load(manifest(1, &[person("a", file)])), Err("manifest-damaged"), "{file}");
        }
        let empty = tempfile::tempdir().expect("a folder");
        assert_eq!(Manifest::load(empty.path()).expect_err("nothing there").findings[0].code, "not-built");
    }

    #[test]
    fn an_artefact_is_compared_before_it_is_used() {
        let folder = tempfile::tempdir().expect("a folder");
        let artefact = Artefact {
            file: "a.zip".into(),
            shown: "A.ZIP".into(),
            mime: "application/zip".into(),
            size: 3,
            sha256: sha256(b"abc"),
        };
        let read = || artefact.read(folder.path()).map_err(|fault| fault.findings[0].code);
        assert_eq!(read(), Err("io"));
        for (bytes, expected) in
            [("abc", Ok(b"abc".to_vec())), ("abd", Err("package-altered")), ("abcd", Err("package-altered"))]
        {
            fs::write(folder.path().join("a.zip"), bytes).expect("written");
            assert_eq!(read(), expected, "{bytes}");
        }
    }
}
