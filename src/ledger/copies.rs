//! Who has which copy of a notice.

use super::doubt::TAKEN_BACK;
use super::{Ledger, floor, millis};
use crate::fault::Result;
use chrono::{DateTime, Utc};
use std::collections::HashSet;

impl Ledger {
    /// Who has which copies of a notice, as far as what they were told still holds.
    pub fn copies(&self, notice: &str) -> Result<HashSet<(String, u32)>> {
        self.copies_where(notice, "true")
    }

    /// The same without what was taken back before it left.
    pub fn copies_that_stand(&self, notice: &str) -> Result<HashSet<(String, u32)>> {
        self.copies_where(notice, &format!("NOT {TAKEN_BACK}"))
    }

    fn copies_where(&self, notice: &str, so: &str) -> Result<HashSet<(String, u32)>> {
        let holds = floor::message_holds("m");
        let mut all = self
            .db
            .prepare_cached(&format!("SELECT person, copy FROM message m WHERE notice = ? AND {so} AND {holds}"))?;
        let rows = all.query_map([notice], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Who has a notice, whichever copy, as far as what they were told still holds. What was taken back before it left
    /// nobody has.
    pub fn have(&self, notice: &str) -> Result<HashSet<String>> {
        self.have_since(notice, DateTime::UNIX_EPOCH)
    }

    /// The same, of what was planned after an instant.
    pub fn have_since(&self, notice: &str, at: DateTime<Utc>) -> Result<HashSet<String>> {
        let holds = floor::message_holds("m");
        let mut all = self.db.prepare_cached(&format!(
            "SELECT DISTINCT person FROM message m WHERE notice = ? AND planned_at > ? AND NOT {TAKEN_BACK} AND {holds}"
        ))?;
        let rows = all.query_map((notice, millis(at)), |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The number of a person's next copy of a notice: none of this revision or a later one has it.
    pub fn next_copy(&self, person: &str, notice: &str, revision: u32) -> Result<u32> {
        let mut find = self.db.prepare_cached(
            "SELECT coalesce(max(copy) + 1, 0) FROM message WHERE person = ? AND notice = ? AND revision >= ?",
        )?;
        Ok(find.query_row((person, notice, revision), |row| row.get(0))?)
    }
}
