//! Tasks for a human: people whom mail does not move and who must be called, and what people asked for.

use super::{Ledger, audit, floor, instant, millis};
use crate::fault::Result;
use chrono::{DateTime, Utc};
use rusqlite::Transaction;
use serde::Serialize;
use std::collections::HashMap;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Task {
    pub at: DateTime<Utc>,
    pub person: String,
    pub acknowledgement: String,
    pub what: String,
    /// The end of an escalation: one for each person and acknowledgement, until what they were told changes.
    #[serde(skip)]
    pub call: bool,
}

impl Ledger {
    /// Notes a task once; returns whether it was new.
    pub fn add_task(&mut self, task: &Task) -> Result<bool> {
        self.durable(|tx| insert(tx, task))
    }

    /// Every task that was ever noted.
    pub fn tasks(&self) -> Result<Vec<Task>> {
        self.select_tasks("FROM task t")
    }

    /// Those about what their people are told now.
    pub fn tasks_in_force(&self) -> Result<Vec<Task>> {
        self.select_tasks(&format!("FROM task t WHERE {}", floor::holds("t")))
    }

    /// Whom somebody has to call already, by person and acknowledgement, and since when.
    pub fn calls(&self) -> Result<HashMap<(String, String), DateTime<Utc>>> {
        let calls = self.tasks_in_force()?.into_iter().filter(|task| task.call);
        Ok(calls.map(|task| ((task.person, task.acknowledgement), task.at)).collect())
    }

    fn select_tasks(&self, from: &str) -> Result<Vec<Task>> {
        let sql = format!("SELECT t.at, t.person, t.acknowledgement, t.what, t.call {from} ORDER BY t.id");
        let mut all = self.db.prepare_cached(&sql)?;
        let rows = all.query_map((), |row| {
            Ok(Task {
                at: instant(row.get(0)?),
                person: row.get(1)?,
                acknowledgement: row.get(2)?,
                what: row.get(3)?,
                call: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Notes a task inside a larger transaction.
pub(super) fn insert(tx: &Transaction, task: &Task) -> Result<bool> {
    let revision = floor::of(tx, &task.person, &task.acknowledgement)?;
    let added = tx.execute(
        "INSERT OR IGNORE INTO task(at, person, acknowledgement, what, revision, call) VALUES (?,?,?,?,?,?)",
        (millis(task.at), &task.person, &task.acknowledgement, &task.what, revision, task.call),
    )?;
    if added > 0 {
        audit::append(tx, task.at, "task", task)?;
    }
    Ok(added > 0)
}
