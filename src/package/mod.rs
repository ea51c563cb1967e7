//! WHAT EACH ONE GETS: the files collected or made for one person, packed, read back.

pub mod archive;
pub mod build;
pub mod code;
pub mod files;
pub mod floppy;
pub mod manifest;
pub mod verify;

mod fat;
mod readme;
mod source;

pub use build::{Job, Outcome, build};
pub use code::Code;
pub use files::{DiskFile, FileSet};
pub use manifest::Manifest;
pub use verify::verify;
