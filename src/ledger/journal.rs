//! The runbook's journal, kept in the ledger: an entry is on the disk when `append` returns.

use super::{Ledger, audit, instant, millis};
use crate::fault::Result;
use crate::runbook::{Entry, Event, Journal};
use chrono::{DateTime, Utc};
use serde_json::json;

impl Journal for Ledger {
    fn append(&mut self, step: &str, event: Event, at: DateTime<Utc>) -> Result<()> {
        let text = serde_json::to_string(&event)?;
        self.durable(|tx| {
            tx.execute("INSERT INTO journal(at, step, event) VALUES (?,?,?)", (millis(at), step, &text))?;
            audit::append(tx, at, "step", &json!({ "step": step, "event": event }))
        })
    }

    fn entries(&self) -> Result<Vec<Entry>> {
        let mut all = self.db.prepare_cached("SELECT seq, at, step, event FROM journal ORDER BY seq")?;
        let mut rows = all.query(())?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            let event: String = row.get(3)?;
            entries.push(Entry {
                seq: row.get(0)?,
                at: instant(row.get(1)?),
                step: row.get(2)?,
                event: serde_json::from_str(&event)?,
            });
        }
        Ok(entries)
    }
}
