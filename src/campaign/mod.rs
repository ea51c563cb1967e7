//! WHAT A PERSON WROTE: `flagday.toml` laid over its playbook, checked as a whole.

mod model;
pub mod schedule;

pub use model::*;
