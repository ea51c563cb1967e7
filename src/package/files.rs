//! The files of one package: plain bytes under names that its recipient can keep, in one fixed order.

use super::bounds::Bounds;
use crate::fault::Finding;
use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use std::fmt;
use std::path::{Path, PathBuf};

/// Its `{:?}` tells the size, never the contents: they may be a possession code.
#[derive(Clone, PartialEq, Eq)]
pub struct DiskFile {
    /// On a disk an 8.3 name in capitals, as `ACCESS.MAI`.
    pub name: String,
    pub bytes: Vec<u8>,
    /// When the file was last written, where its source is a folder that tells. A floppy image tells local time
    /// without a zone, hence nothing.
    pub modified: Option<DateTime<Utc>>,
}

impl DiskFile {
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        DiskFile { name: name.into(), bytes: bytes.into(), modified: None }
    }
}

impl fmt::Debug for DiskFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.name, self.bytes.len())
    }
}

/// The files of one person, sorted by name; every name keeps the bounds, and stands there once whatever its capitals.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileSet {
    files: Vec<DiskFile>,
    bounds: Bounds,
    place: Option<PathBuf>,
}

impl FileSet {
    /// The files of a disk, sorted, their names in capitals.
    ///
    /// # Errors
    /// Every name that DOS cannot hold, and every one that comes twice.
    pub fn new(files: Vec<DiskFile>) -> Result<FileSet, Vec<Finding>> {
        FileSet::within(Bounds::Floppy, files)
    }

    /// The same for files within these bounds.
    pub fn within(bounds: Bounds, mut files: Vec<DiskFile>) -> Result<FileSet, Vec<Finding>> {
        let mut findings = Vec::new();
        for file in &mut files {
            match bounds.name(&file.name) {
                Ok(name) => file.name = name,
                Err(finding) => findings.push(finding),
            }
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let mut names: Vec<_> = files.iter().map(|file| (file.name.to_ascii_uppercase(), &file.name)).collect();
        names.sort();
        for pair in names.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            let system = if bounds == Bounds::Floppy { "a DOS disk" } else { "Windows" };
            let cause =
                format!("two files are called {} on {system}, where capitals and small letters are one", pair[0].1);
            findings.push(Finding::error("package-name-twice", cause, "rename or remove one of them"));
        }
        if findings.is_empty() { Ok(FileSet { files, bounds, place: None }) } else { Err(findings) }
    }

    /// The set, gathered from that folder or image.
    pub fn from_place(mut self, place: impl Into<PathBuf>) -> FileSet {
        self.place = Some(place.into());
        self
    }

    /// The folder or image it was gathered from, where it has one.
    pub fn place(&self) -> Option<&Path> {
        self.place.as_deref()
    }

    /// The set with one more file.
    pub fn with(mut self, file: DiskFile) -> Result<FileSet, Vec<Finding>> {
        self.files.push(file);
        FileSet::within(self.bounds, self.files).map(|files| FileSet { place: self.place, ..files })
    }

    /// The set without the file of that name.
    pub fn without(mut self, name: &str) -> FileSet {
        self.files.retain(|file| file.name != name);
        self
    }

    pub fn iter(&self) -> std::slice::Iter<'_, DiskFile> {
        self.files.iter()
    }

    pub fn get(&self, name: &str) -> Option<&DiskFile> {
        self.files.iter().find(|file| file.name == name)
    }

    pub fn len(&self) -> usize {
        self.files.len()
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// SHA-256 over every name, size and content, as hex. Equal for two sets only when every file is equal.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for file in &self.files {
            hash.update((file.name.len() as u64).to_le_bytes());
            hash.update(&file.name);
            hash.update((file.bytes.len() as u64).to_le_bytes());
            hash.update(&file.bytes);
        }
        HEXLOWER.encode(&hash.finalize())
    }
}

impl<'a> IntoIterator for &'a FileSet {
    type Item = &'a DiskFile;
    type IntoIter = std::slice::Iter<'a, DiskFile>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// SHA-256 as 64 small hex digits.
pub fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_sorted_and_in_capitals() {
        let set = FileSet::new(vec![DiskFile::new("b.txt", "2"), DiskFile::new("A.TXT", "1")]).expect("good names");
        assert_eq!(set.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["A.TXT", "B.TXT"]);
    }

    #[test]
    fn every_wrong_name_is_told_at_once() {
        let files = ["a.txt", "A.TXT", "NUL.DAT", "../X"].map(|name| DiskFile::new(name, "")).to_vec();
        let codes: Vec<_> = FileSet::new(files).expect_err("three faults").iter().map(|finding| finding.code).collect();
        assert_eq!(codes, ["package-name", "package-name", "package-name-twice"]);
    }

    #[test]
    fn the_digest_sees_where_one_file_ends_and_the_next_begins() {
        let set = |files: &[(&str, &str)]| {
            FileSet::new(files.iter().map(|(name, text)| DiskFile::new(*name, *text)).collect()).expect("good").digest()
        };
        assert_eq!(set(&[("A", "1"), ("B", "2")]), set(&[("B", "2"), ("A", "1")]));
        assert_ne!(set(&[("A", "1"), ("B", "2")]), set(&[("A", "1B2")]));
        assert_ne!(set(&[("A", "12"), ("B", "")]), set(&[("A", "1"), ("B", "2")]));
        assert_ne!(set(&[("AB", "")]), set(&[("A", "B")]));
    }

    #[test]
    fn sha256_is_the_known_one() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
