//! What the lanes ask of whoever remembers the messages: a durable claim, a mark before the body's last byte, and the
//! result. The ledger answers; the tests bring a queue in memory that forgets what a crash would.

use super::{Outcome, Sender, Suspended};
use crate::fault::Result;
use chrono::{DateTime, Utc};
use lettre::Address;
use std::fmt;
use std::sync::Arc;

/// The bytes of one message: CRLF lines, not dot-stuffed. Writing may be repeated and yields identical bytes; it reads
/// attachments from disk meanwhile and fails when they have changed.
pub trait Payload: Send + Sync {
    /// The exact number of bytes that [`Payload::write`] yields.
    fn size(&self) -> u64;

    fn write(&self, out: &mut dyn std::io::Write) -> Result<()>;

    /// Whether a byte above 127 occurs (RFC 6152). Only mail to an internationalised address needs that.
    fn eight_bit(&self) -> bool {
        false
    }
}

/// One message in the hands of a lane.
pub struct Claimed {
    pub id: i64,
    /// Grows with each claim of this message. A result that comes with an old fence is refused.
    pub fence: i64,
    /// Attempts used up before this one.
    pub attempt: u32,
    pub person: String,
    pub notice: String,
    /// With or without its angle brackets. Also the envelope identifier of delivery reports (RFC 3461 §4.4).
    pub message_id: String,
    pub envelope_from: Option<Address>,
    pub sender: Sender,
    pub envelope_to: Address,
    /// After this instant the message is held, not sent.
    pub expires: Option<DateTime<Utc>>,
    /// Nobody knows whether a server has it from before: refused now, it is held and has not failed.
    pub may_be_there: bool,
    pub payload: Arc<dyn Payload>,
}

impl Claimed {
    /// The recipient's, as the address has it, in ASCII lower case.
    pub fn domain(&self) -> String {
        self.envelope_to.domain().to_ascii_lowercase()
    }
}

/// Whether the claim is still ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Lease {
    Held,
    /// The lease ran out and somebody else has claimed the message: keep your hands off it.
    Lost,
}

pub trait Queue {
    /// Takes up to `limit` messages that are due: planned to sending, durably, also over a power cut. Everything settled
    /// earlier is as durable when this returns.
    fn claim(&mut self, now: DateTime<Utc>, limit: usize) -> Result<Vec<Claimed>> {
        self.claim_except(now, limit, &[])
    }

    /// The same, without mail to these domains: as the addresses have them, in ASCII lower case.
    fn claim_except(&mut self, now: DateTime<Utc>, limit: usize, domains: &[String]) -> Result<Vec<Claimed>>;

    /// Takes a few messages that are due from all over the queue, where it can not to these domains: see [`super::spread`].
    /// Those that a server has refused before come last.
    fn claim_elsewhere(&mut self, now: DateTime<Utc>, count: usize, tried: &[String]) -> Result<Vec<Claimed>>;

    /// Whether a message is due that no server has refused yet, and nobody has in hand.
    fn has_others(&mut self, now: DateTime<Utc>) -> Result<bool>;

    /// "The body's last byte may now be written": sending to transmitting. Survives a killed process.
    fn mark(&mut self, id: i64, fence: i64) -> Result<Lease>;

    /// Writes the result by way of [`Outcome::event`]. Survives a killed process.
    fn settle(&mut self, id: i64, fence: i64, outcome: Outcome, now: DateTime<Utc>) -> Result<Lease>;

    /// Why a claimed message is not to leave after all: what it asks for was answered meanwhile, or the campaign was
    /// called off. Asked at the instant of sending.
    fn moot(&mut self, message: &Claimed) -> Result<Option<String>> {
        let _ = message;
        Ok(None)
    }

    /// Another process has called the campaign off: nothing more is begun, and nobody waits.
    fn called_off(&mut self) -> Result<bool> {
        Ok(false)
    }

    /// Nothing is to leave for a while. These messages, settled as failed, are planned again: it was not about them.
    fn suspend(&mut self, suspended: &Suspended, taken_back: &[i64], now: DateTime<Utc>) -> Result<()> {
        let _ = (suspended, taken_back, now);
        Ok(())
    }

    /// The server takes mail again.
    fn resume(&mut self, now: DateTime<Utc>) -> Result<()> {
        let _ = now;
        Ok(())
    }

    /// Makes everything settled so far survive a power cut. Called once, at the end.
    fn flush(&mut self) -> Result<()>;
}

impl fmt::Debug for Claimed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Claimed({} #{} {})", self.id, self.fence, self.message_id)
    }
}

#[cfg(test)]
pub(super) mod memory;
