//! The runbook's journal, kept in the ledger: an entry is on the disk when `append` returns.

use super::{Ledger, audit, instant, millis};
use crate::fault::{Fault, Result};
use crate::runbook::{Entry, Event, Journal};
use chrono::{DateTime, Utc};
use rusqlite::Transaction;
use serde_json::json;

/// What gates were judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// The events of the chain that were known.
    pub head: i64,
    /// Whose answers counted.
    pub acknowledgements: Vec<String>,
    /// When the first waiver that counted runs out.
    pub until: Option<DateTime<Utc>>,
}

impl Ledger {
    /// Adds an entry unless what the guard was judged by has changed meanwhile, or the campaign was called off: one
    /// transaction looks and writes.
    pub fn append_while(&mut self, guard: &Guard, step: &str, event: Event, at: DateTime<Utc>) -> Result<()> {
        self.durable(|tx| {
            if tx.query_row("SELECT EXISTS (SELECT 1 FROM abort)", (), |row| row.get(0))? {
                let cause = format!("the campaign was called off: step {step} was not begun");
                return Err(Fault::new("aborted", cause, "`flagday status` says by whom and why"));
            }
            let over = guard.until.is_some_and(|until| at >= until);
            if over || moved(tx, guard)? {
                let cause = format!("the gates of step {step} were judged by answers that have changed since");
                return Err(Fault::new("gate-moved", cause, "run the command again: they are judged anew"));
            }
            insert(tx, step, &event, at)
        })
    }
}

fn moved(tx: &Transaction, guard: &Guard) -> Result<bool> {
    let mut newer = tx.prepare_cached("SELECT kind, body FROM event WHERE seq > ? ORDER BY seq")?;
    let mut rows = newer.query([guard.head])?;
    while let Some(row) = rows.next()? {
        let (kind, body): (String, String) = (row.get(0)?, row.get(1)?);
        let concerns = match kind.as_str() {
            "evidence" | "waived" | "waiver-revoked" => {
                let body: serde_json::Value = serde_json::from_str(&body)?;
                guard.acknowledgements.iter().any(|name| body["acknowledgement"] == **name)
            }
            "evidence-revoked" | "overridden" | "revision" => !guard.acknowledgements.is_empty(),
            _ => false,
        };
        if concerns {
            return Ok(true);
        }
    }
    Ok(false)
}

fn insert(tx: &Transaction, step: &str, event: &Event, at: DateTime<Utc>) -> Result<()> {
    let text = serde_json::to_string(event)?;
    tx.execute("INSERT INTO journal(at, step, event) VALUES (?,?,?)", (millis(at), step, &text))?;
    audit::append(tx, at, "step", &json!({ "step": step, "event": event }))
}

impl Journal for Ledger {
    fn append(&mut self, step: &str, event: Event, at: DateTime<Utc>) -> Result<()> {
        self.durable(|tx| insert(tx, step, &event, at))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Waiver;

    #[test]
    fn a_start_is_refused_when_what_its_gates_were_judged_by_has_changed() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut ledger = Ledger::open(&folder.path().join(".flagday")).expect("opened");
        let second = |n| DateTime::from_timestamp(n, 0).expect("an instant");
        let guard = |ledger: &Ledger, until: Option<i64>| Guard {
            head: ledger.audit_head().expect("read").map_or(0, |head| head.events),
            acknowledgements: vec!["asked".into()],
            until: until.map(second),
        };
        let started = || Event::Started { gates: vec![], intents: vec![] };
        let waive = |ledger: &mut Ledger, asked: &str| {
            let (person, reason, by) = ("bob".to_owned(), "left".to_owned(), "Pat".to_owned());
            let at = second(1000);
            let waiver = Waiver { person, reason, by, at, revision: 1, until: None, second: None, ended: None };
            ledger.waive(asked, &waiver).expect("recorded");
        };
        let judged = guard(&ledger, None);
        waive(&mut ledger, "other");
        ledger.append_while(&judged, "a", started(), second(1000)).expect("another acknowledgement does not matter");
        waive(&mut ledger, "asked");
        let fault = ledger.append_while(&judged, "b", started(), second(1000)).expect_err("judged by older answers");
        assert_eq!(fault.findings[0].code, "gate-moved");
        let anew = guard(&ledger, Some(1000));
        assert!(ledger.append_while(&anew, "b", started(), second(1000)).is_err(), "a waiver ends at its very instant");
        ledger.append_while(&guard(&ledger, Some(1001)), "b", started(), second(1000)).expect("judged anew");
        assert_eq!(ledger.entries().expect("read").len(), 2);
    }
}
