//! Who has which copy of a notice.

use super::amendments::take_back;
use super::doubt::{LEFT, TAKEN_BACK};
use super::{Ledger, floor};
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
        self.have_behind(notice, 0)
    }

    /// The same, of what was planned when the journal had so many entries.
    pub fn have_behind(&self, notice: &str, entry: i64) -> Result<HashSet<String>> {
        let holds = floor::message_holds("m");
        let mut all = self.db.prepare_cached(&format!(
            "SELECT DISTINCT person FROM message m WHERE notice = ? AND behind >= ? AND NOT {TAKEN_BACK} AND {holds}"
        ))?;
        let rows = all.query_map((notice, entry), |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// To whom a letter of this notice has left, or may have, that was planned when the journal had so many entries.
    pub fn reached_behind(&self, notice: &str, entry: i64) -> Result<Vec<String>> {
        let sql = format!("SELECT DISTINCT person FROM message WHERE notice = ? AND behind >= ? AND {LEFT}");
        let mut all = self.db.prepare_cached(&sql)?;
        let rows = all.query_map((notice, entry), |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The messages of this notice that were planned when the journal had fewer entries.
    pub fn planned_before(&self, notice: &str, entry: i64) -> Result<Vec<i64>> {
        let mut all = self.db.prepare_cached("SELECT id FROM message WHERE notice = ? AND behind < ?")?;
        let rows = all.query_map((notice, entry), |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Takes back what has not left of these notices, and was planned when the journal had fewer entries. Returns how many.
    pub fn call_back(&mut self, notices: &[(String, i64)], words: &str, now: DateTime<Utc>) -> Result<usize> {
        self.durable(|tx| {
            let of = |(notice, entry): &(String, i64)| {
                take_back(tx, "notice = ?1 AND behind < ?2", (notice, entry), words, now)
            };
            notices.iter().map(of).sum()
        })
    }

    /// Whether a message of this notice was planned for anybody, ever.
    pub fn knows(&self, notice: &str) -> Result<bool> {
        let mut find = self.db.prepare_cached("SELECT EXISTS (SELECT 1 FROM message WHERE notice = ?)")?;
        Ok(find.query_row([notice], |row| row.get(0))?)
    }

    /// The number of a person's next copy of a notice: none of this revision or a later one has it.
    pub fn next_copy(&self, person: &str, notice: &str, revision: u32) -> Result<u32> {
        let mut find = self.db.prepare_cached(
            "SELECT coalesce(max(copy) + 1, 0) FROM message WHERE person = ? AND notice = ? AND revision >= ?",
        )?;
        Ok(find.query_row((person, notice, revision), |row| row.get(0))?)
    }
}
