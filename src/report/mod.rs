//! WHAT HAPPENED: the state of things as data, for every face to show.

pub mod audit;
pub mod agenda;
pub mod failures;
pub mod calls;
mod pieces; // the texts of call sheets and letters
pub mod people;
pub mod page;
pub mod sheet;
pub mod status;

use crate::fault::Result;
use std::io::Write;
use std::path::Path;

/// Writes a file that names people: whole or not at all, and for this account alone to read.
fn write_private(path: &Path, text: &str) -> Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
