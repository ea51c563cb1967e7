//! DOING IT: steps on real files, journaled before and after, resumed or undone by looking at the files.
//!
//! ```text
//! plan (nothing touched) -> Started, with every intent -> apply -> look -> Acted -> attestation, checks -> Done
//! ```
//! The room knows files, not postoffices: what a step means stands in the playbook, what must hold before and after
//! it comes in as checks by name, and [`crate::gate::Passed`] is the key to [`Runbook::perform`].

mod actions;
mod ahead; // whether a rollback can be gone to its end
mod dry_run;
mod file_ops;
mod giving; // whether a copy can belong to whom it is to belong
mod identity;
mod journal;
mod lookup;
mod rollback;
mod run;
mod step;

pub use actions::{Intent, restore, verify};
pub use ahead::require_way_back;
pub use dry_run::{describe, foreseen, refusals};
pub use giving::require_giving;
pub use journal::{Entry, Event, History, Journal, MemoryJournal, history_of, state_of};
pub use lookup::{Paths, Spot, find_name};
pub use rollback::STAYS_TOLD;
pub use run::{Performed, Progress, Runbook, not_begun, stated, still_stands};
pub use step::StepState;

#[cfg(test)]
mod tests;
