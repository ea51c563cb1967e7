//! The life of one step.
//!
//! ```text
//! pending | undone  -start-> started -finish-> done -undo-> undoing -finish-> undone
//!                            started -fail->   failed -start-> started
//!                            started | failed -undo-> undoing
//! ```
//! `started` and `undoing` are what a crash leaves behind; the files then tell how far it went.

use super::journal::Event;
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StepState {
    #[default]
    Pending,
    Started,
    Done,
    Failed,
    Undoing,
    Undone,
}

impl StepState {
    /// The state after a journal entry. An attestation changes no state; an entry that cannot follow is left without
    /// effect, because the journal is what happened and not what should have.
    pub fn apply(self, event: &Event) -> StepState {
        use StepState::*;
        match (self, event) {
            (Pending | Undone | Failed | Started, Event::Started { .. }) => Started,
            (Started, Event::Done { .. }) => Done,
            (Started, Event::Failed { .. }) => Failed,
            (Started | Done | Failed | Undoing, Event::Undoing { .. }) => Undoing,
            (Undoing, Event::Undone { .. }) => Undone,
            (state, _) => state,
        }
    }
}
