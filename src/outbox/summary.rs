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
    /// Whoever was refused, by class and in their order: some of it may turn out not to be about them.
    pub(super) refused: BTreeMap<String, Vec<(i64, String)>>,
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
    /// These failures of a class are none, and their people no examples of it.
    pub(super) fn take_back(&mut self, class: &str, messages: &[i64]) {
        let none: BTreeSet<i64> = messages.iter().copied().collect();
        self.failed -= none.difference(&self.held).count().min(self.failed);
        let Some(refused) = self.refused.get_mut(class) else { return };
        refused.retain(|(id, _)| !none.contains(id));
        for (classes, held) in [(&mut self.failures, false), (&mut self.in_doubt_still, true)] {
            let Some(entry) = classes.get_mut(class) else { continue };
            let left = || refused.iter().filter(|(id, _)| self.held.contains(id) == held);
            entry.count = left().count();
            entry.people = left().take(EXAMPLES).map(|(_, person)| person.clone()).collect();
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
                let one = (claimed.id, claimed.person.clone());
                self.refused.entry(refusal.class()).or_default().push(one);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::queue::{Queue, memory::MemoryQueue};
    use crate::outbox::{Enhanced, Refusal, Reply, smtp::Phase};

    #[test]
    fn whoever_is_taken_back_is_no_example_of_those_who_failed() {
        let mut messages = MemoryQueue::of(6).claim(DateTime::UNIX_EPOCH, 6).expect("a queue");
        messages[4].may_be_there = true;
        let reply = Reply { code: 550, enhanced: Enhanced::parse("5.7.1"), text: "go away".into() };
        let refused = Outcome::Failed { refusal: Refusal::Server { phase: Phase::Rcpt, reply } };
        let mut summary = Summary::default();
        messages.iter().for_each(|message| summary.count(message, &refused));
        let class = "550 5.7.1";
        assert_eq!((summary.failed, summary.failures[class].people.len()), (5, EXAMPLES));
        summary.take_back(class, &[0, 1, 2]);
        let (failed, held) = (&summary.failures[class], &summary.in_doubt_still[class]);
        let people = |of: [usize; 2]| of.map(|place| messages[place].person.clone()).to_vec();
        assert_eq!((summary.failed, failed.count, &failed.people), (2, 2, &people([3, 5])));
        assert_eq!((held.count, &held.people), (1, &vec![messages[4].person.clone()]));
        summary.take_back(class, &[3, 4, 5]);
        assert!(summary.failed == 0 && summary.failures.is_empty() && summary.in_doubt_still.is_empty());
    }
}
