//! The outbox as the lanes see it: claims that are durable, marks and results that survive a killed process, and what a
//! crash left behind put right.

use super::messages::state_of;
use super::{Ledger, audit, evidence, instant, millis};
use crate::answer::{Evidence, Kind};
use crate::campaign::Uncertain;
use crate::fault::{Fault, Result};
use crate::notice::{Letter, Segment, open_file};
use crate::outbox::{Claimed, Event, Lease, Outcome, Payload, Queue, State, UNCERTAIN_PAUSE};
use crate::system;
use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Transaction};
use serde_json::json;
use std::collections::HashSet;
use std::io::Write;
use std::sync::Arc;

/// A letter that opens its attachments on this machine.
struct Stored(Letter);

impl Payload for Stored {
    fn size(&self) -> u64 {
        self.0.size()
    }

    fn write(&self, out: &mut dyn Write) -> Result<()> {
        self.0.write(out, &open_file)
    }

    fn eight_bit(&self) -> bool {
        // Attachments are encoded into 7 bits, whatever they hold.
        self.0.segments().iter().any(|segment| matches!(segment, Segment::Bytes(bytes) if !bytes.is_ascii()))
    }
}

impl Queue for Ledger {
    fn claim_except(&mut self, now: DateTime<Utc>, limit: usize, domains: &[String]) -> Result<Vec<Claimed>> {
        let boot = system::boot_id();
        self.durable(|tx| {
            let mut due = tx.prepare_cached(
                "SELECT id, fence, attempts, person, notice, message_id, envelope_from, envelope_to, letter, expires_at FROM message \
                 WHERE state = 'planned' AND next_at <= ?1 AND NOT EXISTS (SELECT 1 FROM json_each(?3) \
                 WHERE substr(lower(envelope_to), -length(value) - 1) = '@' || value) ORDER BY due_at, id LIMIT ?2",
            )?;
            let mut take = tx.prepare_cached(
                "UPDATE message SET state = ?2, fence = fence + 1, boot = ?3 WHERE id = ?1",
            )?;
            let mut rows = due.query((millis(now), limit as i64, json!(domains).to_string()))?;
            let mut claimed = Vec::new();
            while let Some(row) = rows.next()? {
                let id: i64 = row.get(0)?;
                take.execute((id, State::Planned.apply(Event::Claim)?.word(), &boot))?;
                let letter: Vec<u8> = row.get(8)?;
                claimed.push(Claimed {
                    id,
                    fence: row.get::<_, i64>(1)? + 1,
                    attempt: row.get(2)?,
                    person: row.get(3)?,
                    notice: row.get(4)?,
                    message_id: row.get(5)?,
                    envelope_from: row.get::<_, Option<String>>(6)?.map(address).transpose()?,
                    envelope_to: address(row.get::<_, Option<String>>(7)?.unwrap_or_default())?,
                    expires: row.get::<_, Option<i64>>(9)?.map(instant),
                    payload: Arc::new(Stored(Letter::from_bytes(&letter)?)),
                });
            }
            Ok(claimed)
        })
    }

    fn mark(&mut self, id: i64, fence: i64) -> Result<Lease> {
        self.surviving(|tx| {
            move_on(tx, id, Some(fence), Event::Mark).map(|moved| if moved { Lease::Held } else { Lease::Lost })
        })
    }

    fn settle(&mut self, id: i64, fence: i64, outcome: Outcome, now: DateTime<Utc>) -> Result<Lease> {
        self.surviving(|tx| {
            if !move_on(tx, id, Some(fence), outcome.event())? {
                return Ok(Lease::Lost);
            }
            let doubt = i64::from(outcome.event() == Event::Doubt);
            let words = outcome.to_string();
            tx.prepare_cached(
                "UPDATE message SET attempts = attempts + ?2, next_at = coalesce(?3, next_at), settled_at = ?4, reply = ?5, \
                 doubts = doubts + ?6 WHERE id = ?1",
            )?
            .execute((
                id,
                i64::from(outcome.uses_an_attempt()),
                outcome.due().map(millis),
                millis(now),
                &words,
                doubt,
            ))?;
            let kind = match outcome {
                Outcome::Sent { .. } | Outcome::Stored { .. } => Some(Kind::Sent),
                Outcome::Failed { .. } => Some(Kind::HardBounce),
                _ => None,
            };
            record(tx, id, kind, &words, now)?;
            Ok(Lease::Held)
        })
    }

    fn flush(&mut self) -> Result<()> {
        // A checkpoint syncs the log as a whole before it copies.
        self.db.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(()))?;
        Ok(())
    }
}

/// Moves a message by one event; false when the fence is old.
fn move_on(tx: &Transaction, id: i64, fence: Option<i64>, event: Event) -> Result<bool> {
    let found: Option<(String, i64)> = tx
        .prepare_cached("SELECT state, fence FROM message WHERE id = ?")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((state, current)) = found else { return Ok(false) };
    if fence.is_some_and(|fence| fence != current) {
        return Ok(false);
    }
    let next = state_of(&state)?.apply(event)?;
    tx.prepare_cached("UPDATE message SET state = ?2 WHERE id = ?1")?.execute((id, next.word()))?;
    Ok(true)
}

/// The result as an event of the chain and, where the message tells a person something, as evidence.
fn record(tx: &Transaction, id: i64, kind: Option<Kind>, words: &str, now: DateTime<Utc>) -> Result<()> {
    let (message_id, person, acknowledgement, tells, revision, state): (
        String,
        String,
        Option<String>,
        bool,
        u32,
        String,
    ) = tx
        .prepare_cached("SELECT message_id, person, acknowledgement, tells, revision, state FROM message WHERE id = ?")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?)))?;
    audit::append(tx, now, "message", &json!({ "message_id": message_id, "state": state, "reply": words }))?;
    if let (Some(kind), Some(acknowledgement), true) = (kind, acknowledgement, tells) {
        let detail = if kind == Kind::Sent { String::new() } else { words.to_owned() };
        let fact =
            Evidence { id: 0, at: now, person, acknowledgement, revision, kind, by: None, detail, revoked: false };
        evidence::insert(tx, &fact)?;
    }
    Ok(())
}

/// Gives a message up for good inside the transaction that plans the one in its place.
pub(super) fn give_up(tx: &Transaction, id: i64, now: DateTime<Utc>) -> Result<()> {
    move_on(tx, id, None, Event::Cancel)?;
    record(tx, id, None, "replaced", now)
}

fn address(text: String) -> Result<lettre::Address> {
    text.parse().map_err(|error| {
        let cause = format!("the ledger holds an address that is none: {error}");
        Fault::new("ledger-address", cause, "run `flagday audit verify`")
    })
}

impl Ledger {
    /// Puts right what a killed process or a power cut left: claimed messages go back, those whose mark stands become
    /// uncertain. Uncertain ones are planned once more after a pause, or held, as the campaign says.
    pub fn recover(&mut self, now: DateTime<Utc>, policy: Uncertain) -> Result<()> {
        let boot = system::boot_id();
        let waited = millis(now) - UNCERTAIN_PAUSE.num_milliseconds();
        self.durable(|tx| {
            let mut open = tx.prepare("SELECT id, boot FROM message WHERE state IN ('sending', 'transmitting')")?;
            let found: Vec<(i64, String)> =
                open.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
            for (id, claimed_in) in found {
                // Marks survive a killed process, not always a power cut; after one, every claim is in doubt.
                let event = if claimed_in == boot { Event::Crash } else { Event::PowerCut };
                move_on(tx, id, None, event)?;
                tx.execute(
                    "UPDATE message SET doubts = doubts + 1, settled_at = ?2, reply = 'the run ended while it was being sent' \
                     WHERE id = ?1 AND state = 'uncertain'",
                    (id, millis(now)),
                )?;
                record(tx, id, None, "recovered", now)?;
            }
            let mut doubtful =
                tx.prepare("SELECT id, doubts, settled_at FROM message WHERE state = 'uncertain' ORDER BY id")?;
            let found: Vec<(i64, i64, Option<i64>)> = doubtful
                .query_map((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect::<Result<_, _>>()?;
            for (id, doubts, since) in found {
                let event = match policy {
                    Uncertain::Hold => continue,
                    Uncertain::Retry if doubts > 1 => Event::Hold,
                    Uncertain::Retry if since.is_some_and(|since| since > waited) => continue,
                    Uncertain::Retry => Event::Retry,
                };
                move_on(tx, id, None, event)?;
                tx.execute("UPDATE message SET next_at = ?2 WHERE id = ?1", (id, millis(now)))?;
                let words = if event == Event::Retry {
                    "in doubt: the same bytes once more"
                } else {
                    "in doubt twice: held until a person decides (`send --to failed` sends the same bytes again)"
                };
                record(tx, id, None, words, now)?;
            }
            Ok(())
        })
    }

    /// Plans a failed or held message again, with the very same bytes.
    pub fn retry(&mut self, id: i64, now: DateTime<Utc>) -> Result<()> {
        self.durable(|tx| {
            move_on(tx, id, None, Event::Retry)?;
            tx.execute("UPDATE message SET next_at = ?2, attempts = 0 WHERE id = ?1", (id, millis(now)))?;
            record(tx, id, None, "tried again by the operator", now)
        })
    }

    /// Who has which copies of a notice in a revision.
    pub fn copies(&self, notice: &str, revision: u32) -> Result<HashSet<(String, u32)>> {
        let mut all = self.db.prepare_cached("SELECT person, copy FROM message WHERE notice = ? AND revision = ?")?;
        let rows = all.query_map((notice, revision), |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Who was asked for which acknowledgement in a revision.
    pub fn told(&self, revision: u32) -> Result<Vec<(String, String)>> {
        let mut all = self.db.prepare_cached(
            "SELECT DISTINCT person, acknowledgement FROM message \
             WHERE revision = ? AND tells AND acknowledgement IS NOT NULL ORDER BY person",
        )?;
        let rows = all.query_map([revision], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// When the next planned message is due again; `None` when none waits.
    pub fn next_due(&self) -> Result<Option<DateTime<Utc>>> {
        let due: Option<i64> =
            self.db.query_row("SELECT min(next_at) FROM message WHERE state = 'planned'", (), |row| row.get(0))?;
        Ok(due.map(instant))
    }
}
