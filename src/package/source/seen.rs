//! What a folder tells of files without reading them. As long as it tells the same, they are taken for the same.

use crate::package::files::sha256;
use fs_err as fs;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

/// A digest over the names of these files, their sizes and when each was last written.
pub fn seen(files: &[PathBuf]) -> String {
    let mut told = String::new();
    for file in files {
        let found = fs::metadata(file).ok();
        let size = found.as_ref().map(|found| found.len());
        let written = found.and_then(|found| found.modified().ok()?.duration_since(UNIX_EPOCH).ok());
        // Writing to a string does not fail.
        let _ = writeln!(told, "{:?} {size:?} {written:?}", file.file_name());
    }
    sha256(told.as_bytes())
}
