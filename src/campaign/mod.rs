//! WHAT A PERSON WROTE: `flagday.toml` laid over its playbook, checked as a whole.
//!
//! ```text
//! text -tree-> nodes with their places -overlay-> file over playbook -section-> Campaign
//! ```

mod header;
mod holidays;
pub(crate) mod companion;
mod load;
mod model;
mod nearest;
mod network;
mod overlay;
mod place;
mod playbook;
mod recovery;
mod quiet;
mod report;
pub mod schedule;
mod section;
mod source;
mod starter;
mod steps;
mod table;
mod tree;
mod url;
mod value;
mod workdays;

#[cfg(test)]
mod tests;

pub use header::{LONGEST_NAME, is_unsafe_in_header, turns_direction};
pub use load::load;
pub use model::*;
pub(crate) use nearest::instead;
pub use nearest::nearest;
pub use network::Network;
pub use place::place_of;
pub use playbook::playbook_names;
pub use quiet::Quiet;
pub(crate) use report::Report;
pub use section::{CHECKS, OBSERVATIONS};
pub(crate) use source::Source;
pub(crate) use table::Table;

pub use starter::starter;
pub use steps::*;
pub(crate) use value::Text;
pub use workdays::WorkWeek;
