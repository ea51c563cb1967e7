//! Who was told what, and how often somebody was written to.

use super::{Ledger, instant};
use crate::fault::Result;
use chrono::{DateTime, Utc};

/// What one person has been sent about one acknowledgement under one revision, whatever became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letters {
    pub person: String,
    pub revision: u32,
    /// The notice itself and reminders of it.
    pub told: u32,
    /// Reminders, and escalations to somebody else.
    pub pressed: u32,
    /// Reminders alone.
    pub reminders: u32,
    /// When the person was last told or reminded; absent when only others were written to.
    pub last: Option<DateTime<Utc>>,
}

impl Ledger {
    /// By person and revision. What was taken back before it left does not count.
    pub fn letters(&self, acknowledgement: &str) -> Result<Vec<Letters>> {
        let mut all = self.db.prepare_cached(
            "SELECT person, revision, sum(tells), sum(notice IN ('reminder', 'escalation')), sum(notice = 'reminder'), \
             max(CASE WHEN tells THEN planned_at END) FROM message \
             WHERE acknowledgement = ? AND state <> 'cancelled' GROUP BY person, revision",
        )?;
        let rows = all.query_map([acknowledgement], |row| {
            Ok(Letters {
                person: row.get(0)?,
                revision: row.get(1)?,
                told: row.get(2)?,
                pressed: row.get(3)?,
                reminders: row.get(4)?,
                last: row.get::<_, Option<i64>>(5)?.map(instant),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
