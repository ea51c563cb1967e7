//! Which messages are next: in turn, or from all over the queue; all that wait, or only those that somebody chose.

use super::{Ledger, instant, millis};
use crate::fault::Result;
use crate::outbox::spread;
use chrono::{DateTime, Utc};
use rusqlite::{Row, Transaction};
use std::collections::HashSet;

impl Ledger {
    /// From now on only these messages leave; `None`: all of them may.
    pub fn choose(&mut self, ids: Option<&[i64]>) -> Result<()> {
        self.db
            .execute_batch("CREATE TEMP TABLE IF NOT EXISTS chosen(id INTEGER PRIMARY KEY); DELETE FROM temp.chosen")?;
        let tx = self.db.transaction()?;
        for id in ids.unwrap_or_default() {
            tx.prepare_cached("INSERT INTO temp.chosen VALUES (?)")?.execute([id])?;
        }
        tx.commit()?;
        self.chooses = ids.is_some();
        Ok(())
    }

    /// The messages that may leave in this run, as SQL.
    pub(super) fn planned(&self) -> String {
        let pressing = if self.presses_nobody { " AND notice NOT IN ('reminder', 'escalation')" } else { "" };
        let chosen = if self.chooses { " AND id IN (SELECT id FROM temp.chosen)" } else { "" };
        format!("state = 'planned'{pressing}{chosen}")
    }

    /// How many planned messages are due.
    pub fn due(&self, now: DateTime<Utc>) -> Result<usize> {
        let count = format!("SELECT count(*) FROM message WHERE {} AND next_at <= ?", self.planned());
        Ok(self.db.query_row(&count, [millis(now)], |row| row.get::<_, i64>(0))? as usize)
    }

    /// When the next planned message is due again; `None` when none waits.
    pub fn next_due(&self) -> Result<Option<DateTime<Utc>>> {
        let next = format!("SELECT min(next_at) FROM message WHERE {}", self.planned());
        let due: Option<i64> = self.db.query_row(&next, (), |row| row.get(0))?;
        Ok(due.map(instant))
    }
}

/// The next of these messages that are due, beside mail to some domains.
pub(super) fn in_turn(
    tx: &Transaction,
    planned: &str,
    now: DateTime<Utc>,
    limit: usize,
    domains: &[String],
) -> Result<Vec<i64>> {
    let apart: HashSet<&str> = domains.iter().map(String::as_str).collect();
    let mut due = tx.prepare_cached(&format!(
        "SELECT id, envelope_to FROM message WHERE {planned} AND next_at <= ? ORDER BY next_at, id"
    ))?;
    let mut rows = due.query([millis(now)])?;
    let mut ids = Vec::new();
    while ids.len() < limit
        && let Some(row) = rows.next()?
    {
        let to: Option<String> = if apart.is_empty() { None } else { row.get(1)? };
        if !apart.contains(domain(to.as_deref()).as_str()) {
            ids.push(row.get(0)?);
        }
    }
    Ok(ids)
}

/// As SQL, of a planned message: a server has refused it, and it was taken back.
const WAS_REFUSED: &str = "(attempts > 0 AND reply GLOB '5*')";

/// Whether one of them is due that no server has refused yet.
pub(super) fn any_not_refused(tx: &Transaction, planned: &str, now: DateTime<Utc>) -> Result<bool> {
    let any = format!("SELECT EXISTS (SELECT 1 FROM message WHERE {planned} AND next_at <= ? AND NOT {WAS_REFUSED})");
    Ok(tx.query_row(&any, [millis(now)], |row| row.get(0))?)
}

/// A few of them from all over, where they can not to the domains that were tried; of those that no server has refused yet,
/// while there are any.
pub(super) fn elsewhere(
    tx: &Transaction,
    planned: &str,
    now: DateTime<Utc>,
    count: usize,
    tried: &[String],
) -> Result<Vec<i64>> {
    let others = if any_not_refused(tx, planned, now)? { format!(" AND NOT {WAS_REFUSED}") } else { String::new() };
    let mut due = tx.prepare_cached(&format!(
        "SELECT id, envelope_to FROM message WHERE {planned} AND next_at <= ?{others} ORDER BY next_at, id"
    ))?;
    let read = |row: &Row| Ok((row.get::<_, i64>(0)?, domain(row.get::<_, Option<String>>(1)?.as_deref())));
    let (ids, domains): (Vec<i64>, Vec<String>) = due.query_map([millis(now)], read)?.collect::<Result<_, _>>()?;
    Ok(spread(&domains, count, tried).into_iter().map(|place| ids[place]).collect())
}

/// In ASCII lower case; empty where there is no address.
pub(super) fn domain(address: Option<&str>) -> String {
    let domain = address.and_then(|address| address.rsplit_once('@'));
    domain.map(|(_, domain)| domain.to_ascii_lowercase()).unwrap_or_default()
}
