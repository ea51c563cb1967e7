//! Answers to what was told before: who is to hear that theirs does not count, once for each
//! acknowledgement and revision that concerned them.

use super::{Ledger, audit, floor, instant};
use crate::fault::Result;
use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Row, Transaction};
use serde::Serialize;
use serde_json::json;

/// An answer to an older revision than the one that the person is to answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outdated {
    pub acknowledgement: String,
    /// The revision that it answers.
    pub answered: u32,
    /// The newest one that overtook an answer of theirs to it.
    pub valid: u32,
    /// Its Message-ID, with angle brackets, where it has one that can be named.
    pub message_id: Option<String>,
}

/// Somebody who is to hear of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToHear {
    pub person: String,
    /// When their answer was taken in.
    pub at: DateTime<Utc>,
    pub outdated: Outdated,
}

/// The notice that tells them.
pub const OUTDATED: &str = "outdated-answer";

const COLUMNS: &str = "o.person, i.at, o.acknowledgement, o.answered, o.revision, o.message_id";

impl Ledger {
    /// Those who answered what holds no more and were not told so yet, oldest first. Whom a later amendment has written to
    /// since is left out: that letter says it.
    pub fn to_hear(&self) -> Result<Vec<ToHear>> {
        let mut all = self.db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM outdated o JOIN inbound i ON i.id = o.letter \
             WHERE {} AND NOT EXISTS (SELECT 1 FROM message m \
             WHERE m.person = o.person AND m.notice = ? AND m.acknowledgement = o.acknowledgement \
             AND m.revision >= o.revision) ORDER BY o.letter",
            floor::holds("o")
        ))?;
        let rows = all.query_map([OUTDATED], read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether an answer of the person is noted already that this revision has made one of the past.
    pub fn is_outdated(&self, person: &str, acknowledgement: &str, valid: u32) -> Result<bool> {
        let mut find = self
            .db
            .prepare_cached("SELECT 1 FROM outdated WHERE person = ? AND acknowledgement = ? AND revision = ?")?;
        Ok(find.exists((person, acknowledgement, valid))?)
    }

    /// The newest such answer of a person, whether they have heard of it or not.
    pub fn outdated(&self, person: &str) -> Result<Option<ToHear>> {
        let mut find = self.db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM outdated o JOIN inbound i ON i.id = o.letter WHERE o.person = ? \
             ORDER BY o.revision DESC, o.letter DESC LIMIT 1"
        ))?;
        Ok(find.query_row([person], read).optional()?)
    }
}

fn read(row: &Row) -> rusqlite::Result<ToHear> {
    Ok(ToHear {
        person: row.get(0)?,
        at: instant(row.get(1)?),
        outdated: Outdated {
            acknowledgement: row.get(2)?,
            answered: row.get(3)?,
            valid: row.get(4)?,
            message_id: row.get(5)?,
        },
    })
}

/// Takes note of it, with the letter that it stands in. A second answer of the same kind changes nothing.
pub(super) fn note(tx: &Transaction, letter: i64, person: &str, one: &Outdated, now: DateTime<Utc>) -> Result<()> {
    let new = tx.prepare_cached("INSERT OR IGNORE INTO outdated VALUES (?,?,?,?,?,?)")?.execute((
        person,
        one.valid,
        &one.acknowledgement,
        one.answered,
        letter,
        &one.message_id,
    ))?;
    if new > 0 {
        audit::append(tx, now, "outdated", &json!({ "letter": letter, "person": person, "answer": one }))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_acknowledgement_is_noted_once_in_a_revision() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(folder.path()).unwrap();
        let one = |acknowledgement: &str, valid| {
            let acknowledgement = acknowledgement.to_owned();
            Outdated { acknowledgement, answered: 1, valid, message_id: None }
        };
        ledger
            .durable(|tx| {
                for (letter, (name, valid)) in [("disk", 2), ("guide", 2), ("disk", 2), ("disk", 3)].iter().enumerate()
                {
                    note(tx, letter as i64, "ann", &one(name, *valid), DateTime::default())?;
                }
                Ok(())
            })
            .unwrap();
        let noted = |name, valid| ledger.is_outdated("ann", name, valid).unwrap();
        assert!(noted("disk", 2) && noted("disk", 3) && noted("guide", 2) && !noted("guide", 3));
        let rows: i64 = ledger.db.query_row("SELECT count(*) FROM outdated", (), |row| row.get(0)).unwrap();
        assert_eq!(rows, 3);
        ledger.audit_verify(None).unwrap();
    }
}
