//! The other files of a campaign that a person writes, read with the same care as `flagday.toml`: every mistake at once,
//! each with its place and the nearest known key.

use super::report::Report;
use super::source::Source;
use super::table::Table;
use super::tree::{self, Origin, Spot};
use crate::fault::{Fault, Result};
use std::path::PathBuf;

/// Reads `text`, which stands in `file`; `then` takes what it knows out of the table of the whole file and finishes it.
///
/// # Errors
/// Every error that was found, each with its place.
pub(crate) fn read<T>(file: PathBuf, text: String, then: impl FnOnce(Table, &Report) -> T) -> Result<T> {
    let title = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    let source = Source::new(file, text);
    let (entries, gaps) = tree::parse(&source, Origin::File);
    let report = Report::new(source, Source::new(PathBuf::new(), String::new()), Spot::START);
    report.incomplete(gaps);
    let value = then(Table::new(&report, title, Spot::START, entries), &report);
    Fault::check(report.into_findings()).map(|_| value)
}
