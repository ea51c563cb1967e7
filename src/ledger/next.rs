//! Which messages are next: in turn, or from all over the queue.

use super::millis;
use crate::fault::Result;
use crate::outbox::spread;
use chrono::{DateTime, Utc};
use rusqlite::{Row, Transaction};
use std::collections::HashSet;

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

/// A few of them from all over, where they can not to the domains that were tried.
pub(super) fn elsewhere(
    tx: &Transaction,
    planned: &str,
    now: DateTime<Utc>,
    count: usize,
    tried: &[String],
) -> Result<Vec<i64>> {
    let mut due = tx.prepare_cached(&format!(
        "SELECT id, envelope_to FROM message WHERE {planned} AND next_at <= ? ORDER BY next_at, id"
    ))?;
    let read = |row: &Row| Ok((row.get::<_, i64>(0)?, domain(row.get::<_, Option<String>>(1)?.as_deref())));
    let (ids, domains): (Vec<i64>, Vec<String>) = due.query_map([millis(now)], read)?.collect::<Result<_, _>>()?;
    Ok(spread(&domains, count, tried).into_iter().map(|place| ids[place]).collect())
}

/// In ASCII lower case; empty where there is no address.
fn domain(address: Option<&str>) -> String {
    let domain = address.and_then(|address| address.rsplit_once('@'));
    domain.map(|(_, domain)| domain.to_ascii_lowercase()).unwrap_or_default()
}
