//! What all lanes of one round of sending have in common, on one thread: the queue, the pace, the sums, the reasons to end.

use super::pacing::Pacer;
use super::queue::{Claimed, Lease, Queue};
use super::{Outcome, Progress, Summary};
use crate::campaign::Rate;
use crate::fault::{Finding, Result};
use crate::system::World;
use chrono::{DateTime, Utc};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How often a waiting lane looks whether it is to stop.
const GLANCE: Duration = Duration::from_millis(200);

/// What all lanes share, on one thread.
pub struct Shared<'a> {
    queue: RefCell<&'a mut dyn Queue>,
    summary: RefCell<Summary>,
    stop: &'a AtomicBool,
    claims: RefCell<VecDeque<Claimed>>,
    batch: usize,
    pacer: RefCell<Pacer>,
    clock: &'a dyn World,
    progress: RefCell<&'a mut dyn FnMut(Progress<'_>)>,
    halted: Cell<bool>,
}

impl<'a> Shared<'a> {
    pub fn new(
        queue: &'a mut dyn Queue,
        rate: Option<Rate>,
        batch: usize,
        clock: &'a dyn World,
        stop: &'a AtomicBool,
        progress: &'a mut dyn FnMut(Progress<'_>),
    ) -> Self {
        Shared {
            queue: RefCell::new(queue),
            summary: RefCell::default(),
            stop,
            claims: RefCell::default(),
            batch,
            pacer: RefCell::new(Pacer::new(rate)),
            clock,
            progress: RefCell::new(progress),
            halted: Cell::new(false),
        }
    }

    /// The next message that may still go out.
    pub fn next(&self) -> Result<Option<Claimed>> {
        loop {
            if self.is_over() {
                return Ok(None);
            }
            let waiting = self.claims.borrow_mut().pop_front();
            let Some(message) = waiting else {
                let fresh = self.watch(self.queue.borrow_mut().claim(self.clock.now(), self.batch))?;
                if fresh.is_empty() {
                    return Ok(None);
                }
                self.claims.borrow_mut().extend(fresh);
                continue;
            };
            if message.expires.is_some_and(|expires| expires <= self.clock.now()) {
                self.settle(&message, Outcome::Late)?;
                continue;
            }
            return Ok(Some(message));
        }
    }

    /// Writes a result down, counts it and tells it.
    pub fn settle(&self, message: &Claimed, outcome: Outcome) -> Result<()> {
        let settled = self.queue.borrow_mut().settle(message.id, message.fence, outcome.clone(), self.clock.now());
        match self.watch(settled)? {
            Lease::Lost => self.lost(),
            Lease::Held => {
                self.summary.borrow_mut().count(message, &outcome);
                let (person, notice) = (&message.person, &message.notice);
                self.tell(Progress::Settled { person, notice, outcome: &outcome });
            }
        }
        Ok(())
    }

    /// Gives back what nobody carried and makes the results durable. The first thing that went wrong counts.
    pub fn conclude(self, carried: Result<()>) -> Result<Summary> {
        let returned = self.give_back();
        let flushed = self.queue.into_inner().flush();
        carried.and(returned).and(flushed)?;
        Ok(self.summary.into_inner())
    }

    fn give_back(&self) -> Result<()> {
        while let Some(message) = self.claims.borrow_mut().pop_front() {
            let why = "not begun before the run ended".to_owned();
            self.settle(&message, Outcome::Released { why, until: None })?;
        }
        Ok(())
    }

    /// The durable mark before a message's last block.
    pub fn mark(&self, message: &Claimed) -> Result<Lease> {
        let marked = self.queue.borrow_mut().mark(message.id, message.fence);
        self.watch(marked)
    }

    /// Somebody else has a message now, and settles it.
    pub fn lost(&self) {
        self.summary.borrow_mut().lost += 1;
    }

    /// Lanes that gave up while others went on.
    pub fn stopped(&self, findings: Vec<Finding>) {
        self.summary.borrow_mut().stopped = findings;
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// A queue that fails once is not asked for more.
    fn watch<T>(&self, answer: Result<T>) -> Result<T> {
        if answer.is_err() {
            self.halt();
        }
        answer
    }

    /// Something is wrong for every lane: nothing more is begun.
    pub fn halt(&self) {
        self.halted.set(true);
    }

    pub fn is_halted(&self) -> bool {
        self.halted.get()
    }

    fn is_over(&self) -> bool {
        if self.stop.load(Ordering::Relaxed) {
            self.summary.borrow_mut().interrupted = true;
            return true;
        }
        self.is_halted()
    }

    pub fn tell(&self, progress: Progress<'_>) {
        (self.progress.borrow_mut())(progress);
    }

    /// Waits until the rate lets one more message start; false when the run ends meanwhile.
    pub async fn turn(&self) -> bool {
        let start = self.pacer.borrow_mut().reserve(Instant::now());
        self.wait_until(start).await
    }

    /// Waits; false when the run ends meanwhile.
    pub async fn wait_until(&self, instant: Instant) -> bool {
        while !self.is_over() {
            let now = Instant::now();
            if now >= instant {
                return true;
            }
            sleep_until(instant.min(now + GLANCE)).await;
        }
        false
    }
}
