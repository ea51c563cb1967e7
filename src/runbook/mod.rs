//! DOING IT: steps on real files, journaled before and after, resumed or undone by looking at the files.
//!
//! A step becomes a list of intents, each one change to one place, written to the journal with the identity of what it
//! will touch. After a crash nobody has to remember: every intent can be held against the files and says whether its
//! effect is there.

pub mod dry_run;
pub mod journal;
pub mod rollback;
pub mod run;
pub mod step;

mod backup;
mod disk;
mod identity;
mod intent;
mod lookup;
mod shell;
#[cfg(test)]
mod tests;

pub use backup::{Manifest as BackupManifest, verify as verify_backup};
pub use lookup::Paths;
