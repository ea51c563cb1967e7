//! Draining the queue: to a folder, or over lanes that share it on one thread.

use super::lane;
use super::queue::{Claimed, Queue};
use super::round::Shared;
use super::smtp::{Dial, Server};
use super::{History, Outcome, Progress, Summary, Suspended, file};
use crate::campaign::{DomainLimits, Rate};
use crate::fault::Result;
use crate::system::World;
use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::time::sleep;

/// Files written before their folder is synced, once for all of them.
const FILES: usize = 64;

/// Shorter than any deadline.
const PULSE: Duration = Duration::from_secs(1);

/// How messages leave.
#[derive(Debug, Clone)]
pub enum TransportKind {
    /// One `.eml` each into this folder, which exists.
    File {
        folder: PathBuf,
    },
    /// The same in a rehearsal: nothing of it has to survive a power cut.
    Captured {
        folder: PathBuf,
    },
    Smtp(Server),
}

/// When whoever gets a message may be written to. Asked when a message is picked and at the instant of sending: a run may
/// last longer than the day.
pub trait Hours: std::fmt::Debug {
    /// Until when a message is not to leave; `None`: it may leave now.
    fn asleep(&self, message: &Claimed, now: DateTime<Utc>) -> Option<DateTime<Utc>>;
}

/// When a run lets others have their turn.
#[derive(Debug, Clone, Default)]
pub struct Yielding {
    /// Something else falls due; `None`: nothing is to come.
    pub at: Option<DateTime<Utc>>,
}

/// How much at a time, and when not.
#[derive(Debug, Clone, Default)]
pub struct Limits<'a> {
    /// Connections to the server at most.
    pub connections: usize,
    /// Over all connections.
    pub rate: Option<Rate>,
    pub domains: DomainLimits,
    /// How long ago mail last left before this run, by domain: the paces go on from there.
    pub before: Vec<(String, Duration)>,
    /// Where mail waits for nothing but its pace the run ends then, or after some minutes; `None`: it goes on until all is out.
    pub yielding: Option<Yielding>,
    /// Absent: at any hour.
    pub hours: Option<&'a dyn Hours>,
    /// Delivery was given up before.
    pub suspended: Option<Suspended>,
    /// What tells these settings of [mail] from others.
    pub settings: String,
    /// What is on record of both envelope senders, in the order of [`super::Sender::BOTH`]; `None` where they are one address.
    pub senders: Option<[History; 2]>,
    /// A few messages are tried first; nothing else leaves before the server has taken one.
    pub probing: bool,
}

/// Sends what the queue gives until it gives nothing more. `stop` is looked at between messages. A message's trouble is an
/// outcome in the queue. What leaves messages behind stands in the summary: every lane lost its connection five times in a
/// row, or the login or everybody alike is refused. The error is for a queue that itself fails.
pub fn deliver(
    queue: &mut dyn Queue,
    transport: &TransportKind,
    limits: &Limits<'_>,
    clock: &dyn World,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Summary> {
    match transport {
        TransportKind::File { folder } | TransportKind::Captured { folder } => {
            let sync = matches!(transport, TransportKind::File { .. });
            let limits = Limits { hours: limits.hours, ..Limits::default() };
            let shared = Shared::new(queue, &limits, 1, clock, stop, progress);
            let stored = store_all(&shared, folder, sync);
            shared.conclude(stored)
        }
        TransportKind::Smtp(server) => {
            // One thread carries all lanes: the queue needs no lock, and a crash has one history.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let summary = runtime.block_on(over_lanes(queue, server, limits, clock, stop, progress));
            // A file server that hangs must not hold the command.
            runtime.shutdown_background();
            summary
        }
    }
}

pub(super) async fn over_lanes(
    queue: &mut dyn Queue,
    dial: &impl Dial,
    limits: &Limits<'_>,
    clock: &dyn World,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Summary> {
    let count = limits.connections.max(1);
    let shared = Shared::new(queue, limits, count, clock, stop, progress);
    let ends = tokio::select! {
        biased;
        ends = join_all((1..=count).map(|lane| lane::run(lane, &shared, dial))) => ends,
        never = pulse(&shared) => match never {},
    };
    let mut gone_on = false;
    let mut stopped = Vec::new();
    for end in ends {
        match end {
            Ok(lane::End::Idle) => {}
            Ok(lane::End::Drained) => gone_on = true,
            Ok(lane::End::Stopped(finding)) => stopped.push(finding),
            Err(fault) => return shared.conclude(Err(fault)),
        }
    }
    let others_carried = gone_on && !shared.is_halted();
    let ended = !stopped.is_empty() && !others_carried;
    shared.stopped(stopped, ended);
    shared.conclude(Ok(()))
}

/// Tells that the thread works: a server may take minutes, and a slow rate hours, and still nothing hangs. Its timer comes
/// before every deadline of a lane, too. One that came before all others would interrupt the wait for the server, by two
/// system calls, with each message.
async fn pulse(shared: &Shared<'_>) -> Infallible {
    loop {
        sleep(PULSE).await;
        shared.tell(Progress::Pulse);
    }
}

/// Batch by batch: the files first, then their folder, then the results. What was stored before something went wrong is so.
fn store_all(shared: &Shared<'_>, folder: &std::path::Path, sync: bool) -> Result<()> {
    loop {
        let mut stored: Vec<(_, Outcome)> = Vec::new();
        let mut ended = Ok(());
        while stored.len() < FILES {
            let Some(message) = shared.next()? else { break };
            match file::store(folder, &message, sync) {
                Ok(outcome) => stored.push((message, outcome)),
                Err(fault) => {
                    ended = Err(fault);
                    break;
                }
            }
        }
        if stored.is_empty() {
            return ended;
        }
        if sync {
            file::sync(folder)?;
        }
        for (message, outcome) in stored {
            shared.settle(&message, outcome)?;
        }
        ended?;
    }
}

#[cfg(test)]
mod tests;
