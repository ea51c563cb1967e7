//! THE POSTOFFICE: what is documented of a Microsoft Mail postoffice, checked.
//!
//! Only facts of the knowledge base stand here, each with its article. What no article tells (where MASTER.GLB keeps
//! the serial number, the layout of ACCESS.GLB or of an init disk) is neither read nor guessed.

mod checks;
pub mod disk_set;
pub mod drain;
mod records;
pub mod serial;
pub mod sizes;
mod tree;

pub use crate::platform::Attributes;
pub use checks::*;
pub use serial::Serial;
pub use sizes::MASTER as MASTER_SIZE;
pub use tree::{Entry, FOLDERS, Folder, Postoffice};

#[cfg(test)]
pub(crate) mod fixture;
