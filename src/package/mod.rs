//! WHAT EACH ONE GETS: a person's own files, gathered, checked, and packed for a floppy disk, a zip archive or a mail.
//!
//! `source` gathers the files, `readme` adds the instructions with the possession code, `floppy` and `archive` pack
//! them, `build` does that for everybody, `verify` reads all of it back, and `manifest` is what the mail room sees.

pub mod archive;
mod code;
mod files;
pub mod floppy;
mod names;
mod stamp;

pub use code::{Code, CodeFault, code_for};
pub use files::{DiskFile, FileSet, sha256};
pub use stamp::DosStamp;
