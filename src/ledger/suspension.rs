//! Delivery that is given up for a while: why and until when, kept over rounds and restarts; and the messages that failed
//! because of it, taken back.

use super::queue::move_on;
use super::{Ledger, audit, instant, millis};
use crate::fault::Result;
use crate::outbox::{Event, Suspended};
use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Transaction};
use serde_json::json;

/// Said of a message, and of what it made of its person, when everybody was refused alike.
const NOT_THEM: &str = "refused like everybody else: it was not about this person";

impl Ledger {
    /// In force since a server refused everybody, or the login; until it takes a message again.
    pub fn suspended(&self) -> Result<Option<Suspended>> {
        let find = "SELECT class, cause, remedy, times, since, until, settings FROM suspension";
        let row = self.db.query_row(find, (), |row| {
            Ok(Suspended {
                class: row.get(0)?,
                cause: row.get(1)?,
                remedy: row.get(2)?,
                times: row.get(3)?,
                since: instant(row.get(4)?),
                until: instant(row.get(5)?),
                settings: row.get(6)?,
            })
        });
        Ok(row.optional()?)
    }

    pub(super) fn write_suspension(&mut self, one: &Suspended, taken_back: &[i64], now: DateTime<Utc>) -> Result<()> {
        self.take_over(|tx| {
            tx.execute(
                "INSERT OR REPLACE INTO suspension(one, class, cause, remedy, times, since, until, settings) \
                 VALUES (1,?,?,?,?,?,?,?)",
                (&one.class, &one.cause, &one.remedy, one.times, millis(one.since), millis(one.until), &one.settings),
            )?;
            audit::append(tx, now, "delivery-paused", &json!({ "cause": one.cause, "until": one.until }))?;
            taken_back.iter().try_for_each(|id| take_back(tx, *id, NOT_THEM, now))
        })
    }

    pub(super) fn end_suspension(&mut self, now: DateTime<Utc>) -> Result<()> {
        self.take_over(|tx| {
            if tx.execute("DELETE FROM suspension", ())? > 0 {
                audit::append(tx, now, "delivery-resumed", &json!({}))?;
            }
            Ok(())
        })
    }
}

/// Planned again, behind those who were not tried yet; what was noted of its person is revoked.
pub(super) fn take_back(tx: &Transaction, id: i64, words: &str, now: DateTime<Utc>) -> Result<()> {
    let mut facts = tx.prepare_cached(
        "UPDATE evidence SET revoked = 1 WHERE id IN (SELECT e.id FROM evidence e JOIN message m \
         ON m.person = e.person AND m.acknowledgement = e.acknowledgement AND m.revision = e.revision \
         WHERE m.id = ? AND m.tells AND e.at = m.settled_at AND e.kind IN ('hard_bounce', 'unsent')) \
         AND revoked = 0 RETURNING id",
    )?;
    let revoked: Vec<i64> = facts.query_map([id], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for id in revoked {
        audit::append(tx, now, "evidence-revoked", &json!({ "id": id, "by": "flagday", "note": words }))?;
    }
    move_on(tx, id, Event::Retry, words, now)?;
    tx.execute("UPDATE message SET next_at = ?2 WHERE id = ?1", (id, millis(now)))?;
    Ok(())
}
