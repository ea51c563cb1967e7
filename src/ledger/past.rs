//! What people were told when: the revisions one after the other, and the newest letter that somebody has.

use super::doubt::LEFT;
use super::{Ledger, instant, millis};
use crate::fault::Result;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashMap};

/// The facts under one number, and which of them had changed in a way that the operator called cosmetic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    pub number: u32,
    pub facts: BTreeMap<String, String>,
    pub cosmetic: Vec<String>,
}

impl Ledger {
    /// Every revision, the oldest first.
    pub fn past(&self) -> Result<Vec<Past>> {
        let mut all = self.db.prepare_cached("SELECT number, facts, cosmetic FROM revision ORDER BY number")?;
        let rows = all.query_map((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        rows.map(|row| {
            let (number, facts, cosmetic): (u32, String, String) = row?;
            Ok(Past { number, facts: serde_json::from_str(&facts)?, cosmetic: serde_json::from_str(&cosmetic)? })
        })
        .collect()
    }

    /// The newest revision that was made before an instant; 0 where none was.
    pub fn revisions_before(&self, instant: DateTime<Utc>) -> Result<u32> {
        let mut newest = self.db.prepare_cached("SELECT coalesce(max(number), 0) FROM revision WHERE at < ?")?;
        Ok(newest.query_row([millis(instant)], |row| row.get(0))?)
    }

    /// Under which revision the newest letter about a notice, or that it is put off, went to a person, and when.
    pub fn newest_letter(&self, person: &str, notice: &str) -> Result<Option<(u32, DateTime<Utc>)>> {
        let mut newest = self.db.prepare_cached(&format!(
            "SELECT revision, coalesce(settled_at, planned_at) FROM message WHERE person = ?1 \
             AND notice IN (?2, 'postponed') AND tells AND ({LEFT} OR state = 'bounced') ORDER BY revision DESC, id DESC LIMIT 1"
        ))?;
        let mut rows = newest.query((person, notice))?;
        Ok(rows.next()?.map(|row| Ok::<_, rusqlite::Error>((row.get(0)?, instant(row.get(1)?)))).transpose()?)
    }

    /// Whose newest letter names another date than the newest revision, or none, which is `open`: that one, by person.
    pub fn told_another_date(&self, open: &str) -> Result<HashMap<String, String>> {
        let mut all = self.db.prepare_cached(&format!(
            "SELECT person, facts ->> '$.change_at' AS date FROM revision JOIN \
             (SELECT person, max(revision) AS newest FROM message WHERE tells AND {LEFT} GROUP BY person) ON number = newest \
             WHERE date = ? OR date <> (SELECT facts ->> '$.change_at' FROM revision ORDER BY number DESC LIMIT 1)"
        ))?;
        let rows = all.query_map([open], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
