//! Tasks for a human: people whom mail does not move and who must be called.

use super::{Ledger, audit, instant, millis};
use crate::fault::Result;
use chrono::{DateTime, Utc};
use rusqlite::Transaction;
use serde::Serialize;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Task {
    pub at: DateTime<Utc>,
    pub person: String,
    pub acknowledgement: String,
    pub what: String,
}

impl Ledger {
    /// Notes a task once; returns whether it was new.
    pub fn add_task(&mut self, task: &Task) -> Result<bool> {
        self.durable(|tx| insert(tx, task))
    }

    pub fn tasks(&self) -> Result<Vec<Task>> {
        let mut all = self.db.prepare_cached("SELECT at, person, acknowledgement, what FROM task ORDER BY id")?;
        let rows = all.query_map((), |row| {
            Ok(Task { at: instant(row.get(0)?), person: row.get(1)?, acknowledgement: row.get(2)?, what: row.get(3)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Notes a task inside a larger transaction.
pub(super) fn insert(tx: &Transaction, task: &Task) -> Result<bool> {
    let added = tx.execute(
        "INSERT OR IGNORE INTO task(at, person, acknowledgement, what) VALUES (?,?,?,?)",
        (millis(task.at), &task.person, &task.acknowledgement, &task.what),
    )?;
    if added > 0 {
        audit::append(tx, task.at, "task", task)?;
    }
    Ok(added > 0)
}
