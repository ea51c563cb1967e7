//! What a run tells: each result as it happens, and the sums at the end.

use super::{Claimed, Outcome, Refusal};
use crate::fault::Finding;
use std::collections::BTreeMap;
use std::time::Duration;

/// How many people are named as examples of one class of failure.
const EXAMPLES: usize = 3;
/// More classes than these are counted together: a server may put anything into its codes.
const CLASSES: usize = 200;

/// Something a watching person wants to know at once.
#[derive(Debug)]
pub enum Progress<'a> {
    /// So many messages are due now.
    Due(usize),
    Settled {
        person: &'a str,
        notice: &'a str,
        outcome: &'a Outcome,
    },
    /// A lane lost its connection or got none, and tries again after the pause.
    Trouble {
        lane: usize,
        finding: &'a Finding,
        pause: Duration,
    },
    /// A lane gave up after a run of failures.
    Stopped {
        lane: usize,
        finding: &'a Finding,
    },
}

/// One class of failure, with examples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureClass {
    pub count: usize,
    /// The words of the first one.
    pub words: String,
    pub remedy: String,
    /// People's ids, the first few.
    pub people: Vec<String>,
}

/// How a run ended.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub sent: usize,
    pub deferred: usize,
    pub failed: usize,
    pub uncertain: usize,
    /// Given back untouched.
    pub released: usize,
    /// Held because their time had passed.
    pub late: usize,
    /// Taken back at the instant of sending: answered meanwhile, or called off.
    pub moot: usize,
    /// Claimed by somebody else meanwhile; that one settles them.
    pub lost: usize,
    /// By reply class or finding code.
    pub failures: BTreeMap<String, FailureClass>,
    /// Lanes that gave up while others went on, and why.
    pub stopped: Vec<Finding>,
    /// Ended early on request.
    pub interrupted: bool,
}

impl Summary {
    pub(super) fn count(&mut self, claimed: &Claimed, outcome: &Outcome) {
        match outcome {
            Outcome::Sent { .. } | Outcome::Stored { .. } => self.sent += 1,
            Outcome::Deferred { .. } => self.deferred += 1,
            Outcome::Uncertain { .. } => self.uncertain += 1,
            Outcome::Released { .. } => self.released += 1,
            Outcome::Late => self.late += 1,
            Outcome::Moot { .. } => self.moot += 1,
            Outcome::Failed { refusal } => {
                self.failed += 1;
                self.count_failure(claimed, refusal);
            }
        }
    }

    fn count_failure(&mut self, claimed: &Claimed, refusal: &Refusal) {
        let mut class = refusal.class();
        if self.failures.len() >= CLASSES && !self.failures.contains_key(&class) {
            class = "others".to_owned();
        }
        let entry = self.failures.entry(class).or_insert_with(|| FailureClass {
            count: 0,
            words: refusal.to_string(),
            remedy: refusal.remedy(),
            people: Vec::new(),
        });
        entry.count += 1;
        if entry.people.len() < EXAMPLES {
            entry.people.push(claimed.person.clone());
        }
    }
}
