//! How often somebody was written to.

use super::doubt::{LEFT, TAKEN_BACK};
use super::outdated::OUTDATED;
use super::{Ledger, floor, instant};
use crate::fault::Result;
use chrono::{DateTime, Utc};
use std::collections::HashSet;

/// What one person has been sent about one acknowledgement since the newest revision that concerned them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letters {
    pub person: String,
    /// The notice itself and reminders of it.
    pub told: u32,
    /// Reminders, and escalations to somebody else.
    pub pressed: u32,
    /// Reminders alone.
    pub reminders: u32,
    /// When the person was last told or reminded: when that left, or will as soon as it can. Absent when only others were
    /// written to.
    pub last: Option<DateTime<Utc>>,
    /// When the notice itself left for the first time; absent while it has not.
    pub first: Option<DateTime<Utc>>,
}

/// One escalation to somebody about a person who is silent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalated {
    pub person: String,
    /// In small letters.
    pub to: String,
    /// Which of the acknowledgement's escalations it was.
    pub copy: u32,
    pub at: DateTime<Utc>,
    /// It did not arrive.
    pub lost: bool,
}

impl Ledger {
    /// Whom escalations about an acknowledgement went to, or are on their way to, since the newest revision that concerned
    /// each person.
    pub fn escalated(&self, acknowledgement: &str) -> Result<Vec<Escalated>> {
        let mut all = self.db.prepare_cached(&format!(
            "SELECT person, lower(envelope_to), copy, planned_at, state IN ('failed', 'bounced', 'held') AND NOT {LEFT} \
             FROM message m WHERE acknowledgement = ? AND notice = 'escalation' AND NOT {TAKEN_BACK} \
             AND envelope_to IS NOT NULL AND {} ORDER BY id",
            floor::message_holds("m")
        ))?;
        let rows = all.query_map([acknowledgement], |row| {
            let (person, to, copy, at) = (row.get(0)?, row.get(1)?, row.get(2)?, instant(row.get(3)?));
            Ok(Escalated { person, to, copy, at, lost: row.get(4)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Who has which notice, as far as the servers say, and it still holds.
    pub fn reached(&self) -> Result<HashSet<(String, String)>> {
        let mut all = self.db.prepare_cached(&format!(
            "SELECT person, notice FROM message m WHERE tells AND state IN ('sent', 'delivered') AND {}",
            floor::message_holds("m")
        ))?;
        let rows = all.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// By person. What was taken back before it left does not count.
    pub fn letters(&self, acknowledgement: &str) -> Result<Vec<Letters>> {
        let mut all = self.db.prepare_cached(&format!(
            "SELECT person, sum(tells), sum(notice IN ('reminder', 'escalation')), sum(notice = 'reminder'), \
             max(CASE WHEN tells THEN max(planned_at, iif({LEFT}, coalesce(settled_at, planned_at), planned_at)) END), \
             min(CASE WHEN tells AND notice NOT IN ('reminder', '{OUTDATED}') AND {LEFT} THEN settled_at END) \
             FROM message m WHERE acknowledgement = ? AND NOT {TAKEN_BACK} AND {} GROUP BY person",
            floor::message_holds("m")
        ))?;
        let rows = all.query_map([acknowledgement], |row| {
            Ok(Letters {
                person: row.get(0)?,
                told: row.get(1)?,
                pressed: row.get(2)?,
                reminders: row.get(3)?,
                last: row.get::<_, Option<i64>>(4)?.map(instant),
                first: row.get::<_, Option<i64>>(5)?.map(instant),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Who was asked for which acknowledgement under any revision, but for those whose leaving was taken note of since.
    pub fn told(&self) -> Result<Vec<(String, String)>> {
        let mut all = self.db.prepare_cached(
            "SELECT m.person, m.acknowledgement FROM message m LEFT JOIN leaver l USING (person, acknowledgement) \
             WHERE tells AND m.acknowledgement IS NOT NULL \
             GROUP BY m.person, m.acknowledgement HAVING max(planned_at) > coalesce(max(l.at), 0) ORDER BY m.person",
        )?;
        let rows = all.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
