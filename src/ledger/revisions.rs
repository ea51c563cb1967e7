//! Revisions: the facts that people were told, as they stood when they were told.

use super::{Ledger, audit, instant, millis};
use crate::fault::Result;
use chrono::{DateTime, Utc};
use rusqlite::OptionalExtension;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;

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

    /// Takes over facts under the next number.
    pub fn add_revision(
        &mut self,
        at: DateTime<Utc>,
        digest: &str,
        facts: &BTreeMap<String, String>,
    ) -> Result<Revision> {
        let text = serde_json::to_string(facts)?;
        let number = self.durable(|tx| {
            let number: u32 =
                tx.query_row("SELECT coalesce(max(number), 0) + 1 FROM revision", (), |row| row.get(0))?;
            tx.execute(
                "INSERT INTO revision(number, at, digest, facts) VALUES (?,?,?,?)",
                (number, millis(at), digest, &text),
            )?;
            audit::append(tx, at, "revision", &json!({ "number": number, "digest": digest }))?;
            Ok(number)
        })?;
        Ok(Revision { number, at, digest: digest.to_owned(), facts: facts.clone() })
    }

    /// Completes the newest revision with facts that did not exist before (a package built later, a late joiner's).
    pub fn extend_revision(&mut self, at: DateTime<Utc>, revision: &Revision) -> Result<()> {
        let text = serde_json::to_string(&revision.facts)?;
        self.durable(|tx| {
            tx.execute(
                "UPDATE revision SET digest = ?2, facts = ?3 WHERE number = ?1",
                (revision.number, &revision.digest, &text),
            )?;
            audit::append(tx, at, "revision-extended", &json!({ "number": revision.number, "digest": revision.digest }))
        })
    }
}
