//! What a step changes, one file an action. Each is planned without touching anything, and then known by four verbs
//! that all judge by the files themselves: look, tidy, apply, revert.

mod backup;
mod bearing;
mod copy;
mod manifest;
mod place;
mod rename;
mod replace;
mod restore;
mod room;
mod shell;

pub use backup::Backup;
pub use place::Placement;
pub use rename::Rename;
pub use restore::{restore, verify};
pub use shell::Shell;

use super::ahead::Ahead;
use super::lookup::Paths;
use crate::campaign::Action;
use crate::fault::{Finding, Result};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One change that a step is going to make, with everything needed to recognise it later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "operation")]
pub enum Intent {
    Rename(Rename),
    Place(Box<Placement>),
    Backup(Backup),
    Shell(Shell),
}

/// What the files say about a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stand {
    NotDone,
    Done,
    /// Neither; in words, what stands where.
    Unclear(String),
}

/// What a step is going to change, and what a person should know of it before.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    pub intents: Vec<Intent>,
    pub warnings: Vec<Finding>,
}

pub trait Operation {
    /// Proves the rights that the change needs by using them on a file of its own. Warnings tell what the volume lacks.
    fn prove(&self) -> Result<Vec<Finding>>;

    /// Judges by identity, never by name alone. Changes nothing.
    fn look(&self) -> Result<Stand>;

    /// The same, with the names that steps behind would have given back; and what taking it back would give. `settled`: the
    /// change was seen to be whole at one time.
    fn ahead(&self, _seen: &mut Ahead, _settled: bool) -> Result<Stand> {
        self.look()
    }

    /// Whether a file that the change put in place was written to since, as programs write to their own files.
    fn rewritten(&self) -> Result<bool> {
        Ok(false)
    }

    /// Takes away what an interrupted attempt left half done, so that the files stand before or after the change.
    /// Whatever it does not recognise stays where it is.
    fn tidy(&self) -> Result<()>;

    /// Makes the change, durably, and looks at the result. Facts in words.
    fn apply(&self) -> Result<Vec<String>>;

    /// Makes durable what an earlier run did or took back before it was cut off, by a change and a sync of its own: a
    /// sync that failed is not simply repeated.
    fn seal(&self) -> Result<()>;

    /// Refuses while a program on this machine has open what taking the change back would move away.
    fn at_rest(&self) -> Result<()> {
        Ok(())
    }

    /// Takes the change back, durably, and looks at the result.
    fn revert(&self) -> Result<Vec<String>>;

    /// What it does, with exact paths.
    fn words(&self) -> String;
}

impl Intent {
    /// The places below which it moves files.
    pub fn roots(&self) -> Vec<&std::path::Path> {
        match self {
            Intent::Rename(it) => vec![&it.from.root, &it.to.root],
            Intent::Place(it) => vec![&it.to.root],
            Intent::Backup(_) | Intent::Shell(_) => Vec::new(),
        }
    }

    pub fn operation(&self) -> &dyn Operation {
        match self {
            Intent::Rename(it) => it,
            Intent::Place(it) => &**it,
            Intent::Backup(it) => it,
            Intent::Shell(it) => it,
        }
    }
}

fn placed(placement: Placement) -> Intent {
    Intent::Place(Box::new(placement))
}

/// Works out the changes of an action and refuses, all reasons at once, whatever could not end well. Touches nothing.
/// An action of another room (notices, packages, observations) has no changes here.
pub fn plan(step: &str, action: &Action, paths: &Paths, at: DateTime<Utc>) -> Result<Plan> {
    let mut warnings = Vec::new();
    let intents = match action {
        Action::Rename(it) => vec![Intent::Rename(rename::plan(step, it, paths, &mut warnings)?)],
        Action::Copy { pair, like } => vec![placed(copy::plan(step, pair, like.as_deref(), paths, &mut warnings)?)],
        Action::Replace(them) => replace::plan(step, them, paths, &mut warnings)?.into_iter().map(placed).collect(),
        Action::Backup(it) => vec![Intent::Backup(backup::plan(step, it, paths, at, &mut warnings)?)],
        Action::Shell { run, undo } => vec![Intent::Shell(shell::plan(run, undo.as_deref(), paths)?)],
        Action::Notice(_) | Action::Package(_) | Action::Observe(_) => Vec::new(),
    };
    Ok(Plan { intents, warnings })
}
