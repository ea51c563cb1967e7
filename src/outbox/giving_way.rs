//! When a round by schedule, in which mail waits for nothing but its pace, gives way: to what falls due, and to the answers.

use super::Yielding;
use chrono::{DateTime, Utc};
use std::cell::Cell;
use std::time::Duration;
use tokio::time::Instant;

/// So long it may wait.
const PATIENCE: Duration = Duration::from_secs(300);
/// Where the next letter leaves sooner, mail flows.
const SLOW: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub struct GivingWay {
    to: Option<Yielding>,
    lanes: u32,
    since: Cell<Option<Instant>>,
}

impl GivingWay {
    /// `None`: the round goes on until all is out.
    pub fn new(to: Option<Yielding>, lanes: usize) -> Self {
        GivingWay { to, lanes: u32::try_from(lanes).unwrap_or(u32::MAX), since: Cell::new(None) }
    }

    /// A lane waits until the mail that it could take bears more.
    pub fn waits_for_domain(&self, now: Instant, until: Instant) {
        self.waits(now, until, SLOW);
    }

    /// A lane waits for its turn among all mail: each lane has one turn ahead.
    pub fn waits_in_turn(&self, now: Instant, until: Instant) {
        self.waits(now, until, SLOW * self.lanes);
    }

    fn waits(&self, now: Instant, until: Instant, slow: Duration) {
        if until > now + slow && self.since.get().is_none() {
            self.since.set(Some(now));
        }
    }

    pub fn is_due(&self, now: Instant, clock: DateTime<Utc>) -> bool {
        let Some(to) = &self.to else { return false };
        let patient = self.since.get().is_none_or(|since| now.duration_since(since) < PATIENCE);
        !patient || to.at.is_some_and(|at| at <= clock)
    }
}
