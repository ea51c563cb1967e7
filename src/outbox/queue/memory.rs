//! A queue in memory. Faults: it can crash before or after the n-th write, and a crash keeps exactly what was written.

use super::{Claimed, Lease, Payload, Queue};
use crate::fault::{Fault, Result};
use crate::outbox::{Event, Outcome, Sender, State, Suspended, spread};
use chrono::{DateTime, Utc};
use std::io::Write;
use std::sync::Arc;

/// A payload of given bytes.
#[derive(Debug, Clone)]
pub struct Bytes(pub Vec<u8>);

impl Payload for Bytes {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn write(&self, out: &mut dyn Write) -> Result<()> {
        Ok(out.write_all(&self.0)?)
    }
}

#[derive(Debug)]
pub struct Row {
    pub state: State,
    pub fence: i64,
    pub attempt: u32,
    pub due: DateTime<Utc>,
    pub expires: Option<DateTime<Utc>>,
    pub to: String,
    pub sender: Sender,
    pub bytes: Vec<u8>,
    /// Every result in words, oldest first.
    pub history: Vec<String>,
}

impl Row {
    /// And taken back.
    fn was_refused(&self) -> bool {
        self.attempt > 0 && self.history.last().is_some_and(|words| words.starts_with('5'))
    }
}

/// Before or after its effect, the n-th write (from 1) fails, and so does every later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrashAt {
    Before(usize),
    After(usize),
}

#[derive(Debug, Default)]
pub struct MemoryQueue {
    pub rows: Vec<Row>,
    pub writes: usize,
    pub crash: Option<CrashAt>,
    pub flushed: bool,
    pub suspended: Option<Suspended>,
}

impl MemoryQueue {
    pub fn of(count: usize) -> Self {
        let mut queue = MemoryQueue::default();
        for n in 0..count {
            queue.push(
                &format!("p{n}@corp.example"),
                format!("Subject: {n}\r\nMessage-ID: <{n}@t>\r\n\r\nbody {n}\r\n"),
            );
        }
        queue
    }

    pub fn push(&mut self, to: &str, bytes: impl Into<Vec<u8>>) {
        let (state, due) = (State::Planned, DateTime::UNIX_EPOCH);
        let row = Row {
            state,
            fence: 0,
            attempt: 0,
            due,
            expires: None,
            to: to.into(),
            sender: Sender::Bounces,
            bytes: bytes.into(),
            history: vec![],
        };
        self.rows.push(row);
    }

    pub fn states(&self) -> Vec<State> {
        self.rows.iter().map(|row| row.state).collect()
    }

    /// What the next run does first: nobody holds anything any more.
    pub fn recover(&mut self) {
        self.crash = None;
        for row in self.rows.iter_mut().filter(|row| matches!(row.state, State::Sending | State::Transmitting)) {
            row.state = row.state.apply(Event::Crash).expect("both can crash");
        }
    }

    fn due(&self, now: DateTime<Utc>) -> impl Iterator<Item = usize> {
        let due = self.rows.iter().enumerate().filter(move |(_, row)| row.state == State::Planned && row.due <= now);
        due.map(|(n, _)| n)
    }

    fn take(&mut self, numbers: &[usize]) -> Result<Vec<Claimed>> {
        let mut claimed = Vec::new();
        let _ = self.write(|rows| {
            for n in numbers {
                let row = &mut rows[*n];
                row.state = row.state.apply(Event::Claim)?;
                row.fence += 1;
                claimed.push(Claimed {
                    id: *n as i64,
                    fence: row.fence,
                    attempt: row.attempt,
                    person: format!("p{n}"),
                    notice: "change-date".into(),
                    message_id: format!("<{n}@t>"),
                    envelope_from: Some(match row.sender {
                        Sender::Bounces => "bounce@corp.example".parse().expect("an address"),
                        Sender::Replies => "ack@corp.example".parse().expect("an address"),
                    }),
                    sender: row.sender,
                    envelope_to: row.to.parse().expect("an address"),
                    expires: row.expires,
                    may_be_there: false,
                    payload: Arc::new(Bytes(row.bytes.clone())),
                });
            }
            Ok(Lease::Held)
        })?;
        Ok(claimed)
    }

    fn write(&mut self, effect: impl FnOnce(&mut Vec<Row>) -> Result<Lease>) -> Result<Lease> {
        let gone = || Fault::new("crash", "the process is gone", "run it again");
        self.writes += 1;
        match self.crash {
            Some(CrashAt::Before(n)) if self.writes >= n => Err(gone()),
            Some(CrashAt::After(n)) if self.writes > n => Err(gone()),
            Some(CrashAt::After(n)) if self.writes == n => effect(&mut self.rows).and(Err(gone())),
            _ => effect(&mut self.rows),
        }
    }
}

impl Queue for MemoryQueue {
    fn claim_except(&mut self, now: DateTime<Utc>, limit: usize, domains: &[String]) -> Result<Vec<Claimed>> {
        let apart = |to: &str| domains.iter().any(|domain| to.ends_with(&format!("@{domain}")));
        let due: Vec<usize> = self.due(now).filter(|n| !apart(&self.rows[*n].to)).take(limit).collect();
        self.take(&due)
    }

    fn claim_elsewhere(&mut self, now: DateTime<Utc>, count: usize, tried: &[String]) -> Result<Vec<Claimed>> {
        let mut due: Vec<usize> = self.due(now).collect();
        if self.has_others(now)? {
            due.retain(|n| !self.rows[*n].was_refused());
        }
        let domain = |n: &usize| self.rows[*n].to.rsplit('@').next().unwrap_or_default().to_owned();
        let domains: Vec<String> = due.iter().map(domain).collect();
        let others: Vec<usize> = spread(&domains, count, tried).into_iter().map(|place| due[place]).collect();
        self.take(&others)
    }

    fn has_others(&mut self, now: DateTime<Utc>) -> Result<bool> {
        Ok(self.due(now).any(|n| !self.rows[n].was_refused()))
    }

    fn mark(&mut self, id: i64, fence: i64) -> Result<Lease> {
        self.write(|rows| {
            let row = &mut rows[id as usize];
            if row.fence != fence {
                return Ok(Lease::Lost);
            }
            row.state = row.state.apply(Event::Mark)?;
            Ok(Lease::Held)
        })
    }

    fn settle(&mut self, id: i64, fence: i64, outcome: Outcome, _now: DateTime<Utc>) -> Result<Lease> {
        self.write(|rows| {
            let row = &mut rows[id as usize];
            if row.fence != fence {
                return Ok(Lease::Lost);
            }
            row.state = row.state.apply(outcome.event())?;
            row.attempt += u32::from(outcome.uses_an_attempt());
            row.due = outcome.due().unwrap_or(row.due);
            row.history.push(outcome.to_string());
            Ok(Lease::Held)
        })
    }

    fn suspend(&mut self, suspended: &Suspended, taken_back: &[i64], _now: DateTime<Utc>) -> Result<()> {
        self.suspended = Some(suspended.clone());
        let _ = self.write(|rows| {
            for id in taken_back {
                let row = &mut rows[*id as usize];
                row.state = row.state.apply(Event::Retry)?;
            }
            Ok(Lease::Held)
        })?;
        Ok(())
    }

    fn resume(&mut self, _now: DateTime<Utc>) -> Result<()> {
        self.suspended = None;
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        self.flushed = true;
        Ok(())
    }
}
