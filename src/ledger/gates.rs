//! What the gates ask, as it was found: once when the first people are told, and each time that it is another thing. It
//! stands in the chain alone, so that nobody can change it in a table.

use super::{Ledger, audit, instant};
use crate::fault::Result;
use crate::gate::{BarChange, Bars};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Finds the few events among many.
pub(super) const INDEXED: &str = "CREATE INDEX event_of_gates ON event(kind) WHERE kind IN ('gates', 'gate-changed');";

/// What the gates were found to ask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GatesFound {
    /// Of the event.
    #[serde(skip)]
    pub at: DateTime<Utc>,
    /// The change itself had begun.
    pub evening: bool,
    /// Against what was found before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<BarChange>,
    pub asked: Bars,
}

impl GatesFound {
    pub(super) fn kind(&self) -> &'static str {
        if self.changes.is_empty() { "gates" } else { "gate-changed" }
    }
}

impl Ledger {
    /// All of it, oldest first.
    pub fn gates_found(&self) -> Result<Vec<GatesFound>> {
        let sql = "SELECT at, body FROM event WHERE kind IN ('gates', 'gate-changed') ORDER BY seq";
        let mut all = self.db.prepare_cached(sql)?;
        let mut rows = all.query(())?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let one: GatesFound = serde_json::from_str(&row.get::<_, String>(1)?)?;
            found.push(GatesFound { at: instant(row.get(0)?), ..one });
        }
        Ok(found)
    }

    pub fn find_gates(&mut self, found: &GatesFound) -> Result<()> {
        self.durable(|tx| audit::append(tx, found.at, found.kind(), found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_few_events_are_found_by_their_index() {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = Ledger::open(&folder.path().join(".flagday")).expect("opened");
        let plan = "EXPLAIN QUERY PLAN SELECT at, body FROM event WHERE kind IN ('gates', 'gate-changed') ORDER BY seq";
        let plan: String = ledger.db.query_row(plan, (), |row| row.get(3)).expect("a plan");
        assert!(plan.contains("event_of_gates"), "{plan}");
    }
}
