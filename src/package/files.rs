//! A set of files as DOS can hold it: 8.3 names in upper case, each once, sorted.

use crate::fault::Finding;
use sha2::{Digest, Sha256};

/// Names that DOS gives to devices.
const DEVICES: [&str; 22] = [
    "CON", "PRN", "AUX", "NUL", "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8", "COM9", "LPT1", "LPT2",
    "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9",
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskFile {
    /// 8.3, upper case.
    pub name: String,
    pub bytes: Vec<u8>,
    /// When it was last written, in milliseconds since 1970, where its source tells.
    pub modified: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileSet {
    files: Vec<DiskFile>,
}

impl FileSet {
    /// Adds a file; its name is turned to upper case.
    pub fn add(&mut self, name: &str, bytes: Vec<u8>, modified: Option<i64>) -> Result<(), Finding> {
        let name = name.to_ascii_uppercase();
        if split_8_3(&name).is_none() {
            let cause = format!("'{name}' is no 8.3 file name");
            let remedy = "rename it: up to 8 letters or digits, a dot, up to 3; no blanks, no device name";
            return Err(Finding::error("package-name", cause, remedy).article("Q136474"));
        }
        match self.files.binary_search_by(|file| file.name.cmp(&name)) {
            Ok(_) => {
                let cause = format!("two files are called {name}");
                Err(Finding::error("package-same-name", cause, "DOS knows no case: rename one of them"))
            }
            Err(at) => {
                self.files.insert(at, DiskFile { name, bytes, modified });
                Ok(())
            }
        }
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &DiskFile> {
        self.files.iter()
    }

    #[expect(clippy::len_without_is_empty, reason = "nobody asks whether a set is empty")]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    pub fn get(&self, name: &str) -> Option<&DiskFile> {
        self.files.iter().find(|file| file.name == name)
    }

    /// SHA-256 over names and bytes, as hex.
    pub fn digest(&self) -> String {
        let mut digest = Sha256::new();
        for file in &self.files {
            digest.update((file.name.len() as u64).to_be_bytes());
            digest.update(&file.name);
            digest.update((file.bytes.len() as u64).to_be_bytes());
            digest.update(&file.bytes);
        }
        hex(&digest.finalize())
    }
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Name and extension, where DOS allows both.
pub(super) fn split_8_3(name: &str) -> Option<(&str, &str)> {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let legal = |text: &str| {
        text.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || b"!#$%&'()-@^_`{}~".contains(&c))
    };
    let fits = (1..=8).contains(&stem.len()) && extension.len() <= 3 && (extension.is_empty() != name.contains('.'));
    (fits && legal(stem) && legal(extension) && !DEVICES.contains(&stem)).then_some((stem, extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_dos_cannot_hold_are_refused() {
        let mut set = FileSet::default();
        for name in ["", "TOOLONGNAME.TXT", "A.LONG", "CON", "nul.txt", "A B.TXT", "../X", "A.", ".A", "Ä.TXT", "A.B.C"]
        {
            assert_eq!(set.add(name, vec![], None).expect_err(name).code, "package-name");
        }
        set.add("readme.txt", vec![1], None).expect("fine");
        assert_eq!(set.add("README.TXT", vec![2], None).expect_err("twice").code, "package-same-name");
        assert_eq!(set.get("README.TXT").map(|file| file.bytes.as_slice()), Some(&[1][..]));
    }
}
