//! One step's life. The table stands first; everything else is derived from it.
//!
//! ```text
//! pending | undone | failed -Started-> started
//! started | failed          -Done-> done
//! started                   -Acted-> started          (the action itself is done; attestation and checks follow)
//! started | failed          -Failed-> failed          (undoing -Failed-> undoing)
//! started | failed          -NotDone-> pending        (the files show that nothing happened)
//! started | failed | done   -Undoing-> undoing -Undone-> undone
//! pending | undone          -Undoing-> undoing        (its letters had begun to leave before it was on record)
//! started | failed | done | undoing -UndoneByHand-> undone   (a person states it)
//! any                       -Attested-> the same
//! ```

use super::journal::Event;
use serde::{Deserialize, Serialize};

/// Where a step stands by its journal alone. `Started` and `Failed` mean that it may have run: only the files tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
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
    /// It may have changed something, or has.
    pub fn has_begun(self) -> bool {
        !matches!(self, StepState::Pending | StepState::Undone)
    }

    /// In one word.
    pub fn word(self) -> &'static str {
        match self {
            StepState::Pending => "pending",
            StepState::Started => "started",
            StepState::Done => "done",
            StepState::Failed => "failed",
            StepState::Undoing => "undoing",
            StepState::Undone => "undone",
        }
    }
}

/// The state after an event; `None` where the table has no such move.
pub fn apply(state: StepState, event: &Event) -> Option<StepState> {
    use StepState::*;
    match (state, event) {
        (Pending | Undone | Failed, Event::Started { .. }) => Some(Started),
        (Started | Failed, Event::Done { .. }) => Some(Done),
        (Started, Event::Acted { .. }) => Some(Started),
        (Started | Failed, Event::Failed { .. }) => Some(Failed),
        (Undoing, Event::Failed { .. }) => Some(Undoing),
        (Started | Failed, Event::NotDone { .. }) => Some(Pending),
        (Started | Failed | Done | Pending | Undone, Event::Undoing {}) => Some(Undoing),
        (Undoing, Event::Undone { .. }) => Some(Undone),
        (Started | Failed | Done | Undoing, Event::UndoneByHand { .. }) => Some(Undone),
        (same, Event::Attested { .. }) => Some(same),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events() -> Vec<Event> {
        let words = || ("Ann".to_owned(), "seen".to_owned());
        let ((by, note), (by2, note2)) = (words(), words());
        vec![
            Event::Started { gates: vec![], intents: vec![] },
            Event::Acted { facts: vec![] },
            Event::Done { facts: vec![] },
            Event::Failed { cause: "disk".into() },
            Event::NotDone { facts: vec![] },
            Event::Undoing {},
            Event::Undone { facts: vec![] },
            Event::UndoneByHand { by, note },
            Event::Attested { by: by2, note: note2, asked: String::new(), facts: vec![] },
        ]
    }

    #[test]
    fn the_table_holds_for_every_state_and_event() {
        use StepState::*;
        let states = [Pending, Started, Done, Failed, Undoing, Undone];
        let table: Vec<String> = states
            .iter()
            .map(|&state| {
                let row: Vec<&str> =
                    events().iter().map(|event| apply(state, event).map_or("-", StepState::word)).collect();
                format!("{:8}{}", state.word(), row.join(" "))
            })
            .collect();
        insta::assert_snapshot!(table.join("\n"), @"
        pending started - - - - undoing - - pending
        started - started done failed pending undoing - undone started
        done    - - - - - undoing - undone done
        failed  started - done failed pending undoing - undone failed
        undoing - - - undoing - - undone undone undoing
        undone  started - - - - undoing - - undone
        ");
    }
}
