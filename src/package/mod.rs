//! WHAT EACH ONE GETS: a person's own files, gathered, checked, and packed for a floppy disk, a zip archive or a mail.
//!
//! `source` gathers the files, `readme` adds the instructions with the possession code, `floppy` and `archive` pack
//! them, `build` does that for everybody, `verify` reads all of it back, `at_source` tells whether what went in still lies
//! at its source, and `manifest` is what the mail room sees.

pub mod archive;
pub mod build;
pub mod code;
pub mod files;
pub mod floppy;
pub mod manifest;
pub mod verify;

mod at_source;
mod bounds;
mod names;
mod output;
mod parallel;
mod readme;
mod source;
mod stamp;
mod template;
mod text;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

pub use at_source::{AtSource, at_source};
pub use bounds::Bounds;
pub use build::{Job, Outcome, build, check, gathered_where};
pub use code::{Code, CodeFault, code_for};
pub use files::{DiskFile, FileSet};
pub use manifest::Manifest;
pub use parallel::{on_all_cores, streamed};
pub use readme::strays;
pub use stamp::DosStamp;
pub(crate) use template::strict;
pub use verify::verify;
