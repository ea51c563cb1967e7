//! Gates and steps as they are once the campaign has been read: what holds what, and what each step does.

use super::schedule::Moment;
use crate::fault::Place;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone)]
pub struct Gate {
    pub name: String,
    pub acknowledgement: String,
    /// Of the audience without its waived people, from 0 to 1.
    pub share: f64,
    /// "All of nobody" is shut unless the campaign says that nobody is fine.
    pub allow_empty: bool,
    pub on_deadline: OnDeadline,
    /// A waiver counts only when two people decided it.
    pub two_person: bool,
    pub place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnDeadline {
    /// It stays shut until it is satisfied, however late.
    Hold,
    /// What comes after the acknowledgement's `due` opens it no more: the campaign is to be called off.
    Abort,
}

/// One step of the runbook.
#[derive(Debug, Clone)]
pub struct Step {
    pub name: String,
    pub title: String,
    /// The step of the article it carries out, as `5a`.
    pub article: Option<String>,
    /// Gates.
    pub needs: Vec<String>,
    pub wait: Option<Moment>,
    /// Checks by name, before and after the action.
    pub before: Vec<String>,
    pub after: Vec<String>,
    /// What a person has to state before the step counts as done.
    pub attest: Option<String>,
    /// Points of that statement, each with a name: which of them were seen is recorded.
    pub checklist: IndexMap<String, String>,
    /// Earlier steps: every point of their checklists has to be seen, or waived, before this one begins.
    pub seen: Vec<String>,
    pub action: Option<Action>,
    pub place: Place,
}

/// What a step does. Paths may hold `{postoffice}`, `{staged}`, `{state}` and `{campaign}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Rename(FromTo),
    /// Onto a free name; with owner, rights and attributes of the file `like`, where it names one.
    Copy {
        pair: FromTo,
        like: Option<String>,
    },
    /// Onto existing files, whose old contents are kept for undo.
    Replace(Vec<FromTo>),
    /// A verified copy of a whole tree.
    Backup(FromTo),
    /// A program without a shell, and how it is undone.
    Shell {
        run: Vec<String>,
        undo: Option<Vec<String>>,
    },
    /// Notices that must have gone out to everyone.
    Notice(Vec<String>),
    /// A package that must be built for everyone.
    Package(String),
    /// The program looks and records what it sees; the step's gates are judged afterwards.
    Observe(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromTo {
    pub from: String,
    pub to: String,
}
