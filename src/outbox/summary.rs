//! What a run tells: each result as it happens, and the sums at the end.

use super::{Claimed, Outcome};
use crate::fault::{Exit, Fault, Finding};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
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
    /// Nothing else, about once a second: the thread works, and each wait of its lanes has a deadline.
    Pulse,
    /// A lane gave up after a run of failures.
    Stopped {
        lane: usize,
        finding: &'a Finding,
    },
}

/// One class of failure, with examples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailureClass {
    pub count: usize,
    /// The words of the first one.
    pub words: String,
    pub remedy: String,
    /// People's ids, the first few.
    pub people: Vec<String>,
    /// Put off: when the first of them is tried again.
    pub again_at: Option<DateTime<Utc>>,
}

/// How a run ended.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub sent: usize,
    pub deferred: usize,
    pub failed: usize,
    pub uncertain: usize,
    /// Refused, and held: a server may have them from before. By class, as `failures`.
    pub in_doubt_still: BTreeMap<String, FailureClass>,
    pub(super) held: BTreeSet<i64>,
    /// Given back untouched, and carried by no other lane.
    pub released: usize,
    /// Put off, because quiet hours had begun.
    pub asleep: usize,
    /// Held because their time had passed.
    pub late: usize,
    /// Taken back at the instant of sending: answered meanwhile, or called off.
    pub moot: usize,
    /// Claimed by somebody else meanwhile; that one settles them.
    pub lost: usize,
    /// By reply class or finding code.
    pub failures: BTreeMap<String, FailureClass>,
    /// Something was taken, put off or refused, or may have been taken: mail gets through to whoever judges it.
    pub judged: bool,
    /// Lanes that gave up, and why.
    pub stopped: Vec<Finding>,
    /// No lane was left to go on: messages are left behind.
    pub ended: bool,
    /// Ended early on request.
    pub interrupted: bool,
    /// Ended early because what is left waits for its pace alone, and others are to have their turn.
    pub yielded: bool,
}

/// The last trouble of each lane, each kind once.
pub fn given_up(stopped: &[Finding]) -> Fault {
    let mut findings: Vec<Finding> = Vec::new();
    for finding in stopped {
        if !findings.iter().any(|known| known.code == finding.code) {
            findings.push(finding.clone());
        }
    }
    Fault { exit: Exit::Error, findings }
}

impl Summary {
    /// These failures of a class are none.
    pub(super) fn take_back(&mut self, class: &str, messages: &[i64]) {
        let (held, failed): (Vec<i64>, Vec<i64>) = messages.iter().partition(|id| self.held.contains(id));
        self.failed -= failed.len().min(self.failed);
        for (classes, count) in [(&mut self.failures, failed.len()), (&mut self.in_doubt_still, held.len())] {
            let Some(entry) = classes.get_mut(class) else { continue };
            entry.count = entry.count.saturating_sub(count);
            if entry.count == 0 {
                classes.remove(class);
            }
        }
    }

    pub(super) fn count(&mut self, claimed: &Claimed, outcome: &Outcome) {
        use Outcome::{Deferred, Failed, Sent, Stored, Uncertain};
        self.judged |=
            matches!(outcome, Sent { .. } | Stored { .. } | Deferred { .. } | Uncertain { .. } | Failed { .. });
        match outcome {
            Outcome::Sent { .. } | Outcome::Stored { .. } => self.sent += 1,
            Outcome::Deferred { .. } | Outcome::Broken { .. } => self.deferred += 1,
            Outcome::Uncertain { .. } => self.uncertain += 1,
            // Another lane may carry it yet.
            Outcome::Released { .. } => {}
            Outcome::Asleep { .. } => self.asleep += 1,
            Outcome::Late => self.late += 1,
            Outcome::Moot { .. } => self.moot += 1,
            Outcome::Failed { refusal } => {
                let classes = if claimed.may_be_there {
                    self.held.insert(claimed.id);
                    &mut self.in_doubt_still
                } else {
                    self.failed += 1;
                    &mut self.failures
                };
                FailureClass::add(classes, refusal.class(), &claimed.person, || {
                    (refusal.to_string(), refusal.remedy())
                });
            }
        }
    }
}

impl FailureClass {
    /// In a sentence, with examples and what to do.
    pub fn sentence(&self, class: &str) -> String {
        format!("{} failed with {class} ({}): {}. To do: {}", self.count, self.examples(), self.words, self.remedy)
    }

    /// Of letters in doubt that were refused now, in a sentence.
    pub fn doubt(&self) -> String {
        let (count, examples) = (self.count, self.examples());
        format!(
            "{count} held, not lost ({examples}): in doubt, then refused: {}. A server may have it from before; flagday status \
             says what to do",
            self.words
        )
    }

    /// All of them, or the first few.
    pub fn examples(&self) -> String {
        let more = if self.count > self.people.len() { " among them" } else { "" };
        format!("{}{more}", self.people.join(", "))
    }

    /// What is put off, in a sentence.
    pub fn deferral(&self, shown: &dyn Fn(DateTime<Utc>) -> String) -> String {
        let when = match self.again_at {
            Some(at) => format!("The first is tried again from {} on", shown(at)),
            None => "The next `flagday send`, or round of serve or tick, tries again".to_owned(),
        };
        let (count, examples) = (self.count, self.examples());
        format!("{count} put off ({examples}): {}. {when}; if that goes on for hours: {}", self.words, self.remedy)
    }

    /// Counts one person to a class; `first` gives its words and what to do.
    pub fn add<'c>(
        classes: &'c mut BTreeMap<String, FailureClass>,
        mut class: String,
        person: &str,
        first: impl FnOnce() -> (String, String),
    ) -> &'c mut FailureClass {
        if classes.len() >= CLASSES && !classes.contains_key(&class) {
            class = "others".to_owned();
        }
        let entry = classes.entry(class).or_insert_with(|| {
            let (words, remedy) = first();
            FailureClass { count: 0, words, remedy, people: Vec::new(), again_at: None }
        });
        entry.count += 1;
        if entry.people.len() < EXAMPLES {
            entry.people.push(person.to_owned());
        }
        entry
    }
}
