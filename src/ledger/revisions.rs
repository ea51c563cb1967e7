//! Revisions: the facts that people were told, as they stood when they were told.

use super::amendments::set_members;
use super::{GatesFound, Ledger, audit, instant, millis};
use crate::fault::Result;
use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Transaction};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt;

/// The facts under one number. `facts` maps a name (`change_at`, `text change-date`, `package init-disk ann`) to its
/// value or digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Revision {
    pub number: u32,
    pub at: DateTime<Utc>,
    pub digest: String,
    pub facts: BTreeMap<String, String>,
}

/// When the change was moved, and why in the operator's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    pub at: DateTime<Utc>,
    pub revision: u32,
    pub reason: String,
}

impl Ledger {
    /// The newest revision; `None` while nobody was told anything.
    pub fn revision(&self) -> Result<Option<Revision>> {
        let found = self.db.query_row(
            "SELECT number, at, digest, facts FROM revision ORDER BY number DESC LIMIT 1",
            (),
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, String>(3)?)),
        );
        match found {
            Ok((number, at, digest, facts)) => {
                Ok(Some(Revision { number, at: instant(at), digest, facts: serde_json::from_str(&facts)? }))
            }
            Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The number of the newest revision, without its facts.
    pub fn revision_number(&self) -> Result<Option<u32>> {
        Ok(self.db.prepare_cached("SELECT max(number) FROM revision")?.query_row((), |row| row.get(0))?)
    }

    /// The newest date that people were told: not `open`, which stands for none.
    pub fn last_date(&self, open: &str) -> Result<Option<String>> {
        let find = "SELECT facts ->> '$.change_at' AS date FROM revision WHERE date <> ? ORDER BY number DESC LIMIT 1";
        Ok(self.db.query_row(find, [open], |row| row.get(0)).optional()?)
    }

    /// The newest revision that moved the change: with another date or zone than the one before it.
    pub fn moved(&self) -> Result<Option<Moved>> {
        let mut all = self.db.prepare_cached(
            "SELECT number, at, facts ->> '$.change_at', facts ->> '$.time_zone', reason FROM revision ORDER BY number",
        )?;
        let rows = all.query_map((), |row| {
            let when: (Option<String>, Option<String>) = (row.get(2)?, row.get(3)?);
            Ok((when, Moved { revision: row.get(0)?, at: instant(row.get(1)?), reason: row.get(4)? }))
        })?;
        let (mut before, mut newest) = (None, None);
        for row in rows {
            let (when, moved) = row?;
            if before.replace(when.clone()).is_some_and(|before| before != when) {
                newest = Some(moved);
            }
        }
        Ok(newest)
    }
}

/// What people are told with messages that are about to be planned: on record with the first of them, or not at all.
#[derive(Default)]
pub struct Telling<'a> {
    /// A revision that is new, or the newest one with facts that did not exist before (a package built later, a late
    /// joiner's).
    pub revision: Option<Revision>,
    /// Who is on the rosters when people are first told.
    pub members: Option<Box<dyn Iterator<Item = (String, String)> + 'a>>,
    /// That the date is nearer than it is to be, as an event.
    pub short_notice: Option<serde_json::Value>,
    /// What the gates ask then.
    pub gates: Option<GatesFound>,
}

impl fmt::Debug for Telling<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Telling { revision, short_notice, .. } = self;
        f.debug_struct("Telling")
            .field("revision", revision)
            .field("short_notice", short_notice)
            .finish_non_exhaustive()
    }
}

impl Telling<'_> {
    pub(super) fn record(self, tx: &Transaction, at: DateTime<Utc>) -> Result<()> {
        if let Some(body) = self.short_notice {
            audit::append(tx, at, "short-notice", &body)?;
        }
        if let Some(found) = self.gates {
            audit::append(tx, at, found.kind(), &found)?;
        }
        if let Some(members) = self.members {
            set_members(tx, members)?;
        }
        let Some(Revision { number, at: first, digest, facts }) = self.revision else { return Ok(()) };
        let facts = serde_json::to_string(&facts)?;
        let insert = "INSERT OR IGNORE INTO revision(number, at, digest, facts) VALUES (?,?,?,?)";
        let new = tx.execute(insert, (number, millis(first), &digest, &facts))? > 0;
        let extend = "UPDATE revision SET digest = ?2, facts = ?3 WHERE number = ?1 AND digest <> ?2";
        if !new && tx.execute(extend, (number, &digest, &facts))? == 0 {
            return Ok(());
        }
        let kind = if new { "revision" } else { "revision-extended" };
        audit::append(tx, at, kind, &json!({ "number": number, "digest": digest }))
    }
}
