//! The audit chain: events are only added, each hashed together with the hash before it, so that an altered, removed
//! or swapped event shows, and a cut-off tail shows against any head that was printed before.

use super::{Ledger, instant, millis};
use crate::fault::{Fault, Result};
use crate::gate::Override;
use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use rusqlite::{OptionalExtension, Row, Transaction};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Before the first event.
const GENESIS: &str = "flagday audit chain 1";

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditEvent {
    pub seq: i64,
    pub at: DateTime<Utc>,
    pub kind: String,
    pub body: serde_json::Value,
    pub hash: String,
}

/// The newest event: how many there are, and the hash over all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditHead {
    pub events: i64,
    pub hash: String,
}

/// So many of the newest events are asked for the newest instant: a clock that was set back shows among them.
const RECENT: usize = 10_000;
/// The operator has said that the clock is right, whatever stands before.
pub(crate) const CLOCK_ACCEPTED: &str = "clock-accepted";

/// Adds an event inside the transaction of the change that it tells of.
pub(super) fn append(tx: &Transaction, at: DateTime<Utc>, kind: &str, body: &impl Serialize) -> Result<()> {
    Chain::of(tx).append(at, kind, body)
}

/// The chain inside one transaction. Its end is looked up once, for whoever adds many events.
pub(super) struct Chain<'t> {
    tx: &'t Transaction<'t>,
    end: Option<(i64, String)>,
}

impl<'t> Chain<'t> {
    pub fn of(tx: &'t Transaction<'t>) -> Chain<'t> {
        Chain { tx, end: None }
    }

    /// Somebody else has added events to it in this transaction.
    pub fn has_grown(&mut self) {
        self.end = None;
    }

    pub fn append(&mut self, at: DateTime<Utc>, kind: &str, body: &impl Serialize) -> Result<()> {
        let (seq, previous) = match self.end.take() {
            Some(end) => end,
            None => end(self.tx)?,
        };
        let (seq, at, body) = (seq + 1, millis(at), serde_json::to_string(body)?);
        let hash = link(&previous, seq, at, kind, &body);
        let mut insert = self.tx.prepare_cached("INSERT INTO event(seq, at, kind, body, hash) VALUES (?,?,?,?,?)")?;
        insert.execute((seq, at, kind, &body, &hash))?;
        self.end = Some((seq, hash));
        Ok(())
    }
}

fn end(tx: &Transaction) -> Result<(i64, String)> {
    let mut last = tx.prepare_cached("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1")?;
    let end = last.query_row((), |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(end.unwrap_or_else(|| (0, GENESIS.to_owned())))
}

fn link(previous: &str, seq: i64, at: i64, kind: &str, body: &str) -> String {
    let mut digest = Sha256::new();
    // Lengths keep one field from flowing into the next.
    for field in [previous, &seq.to_string(), &at.to_string(), kind, body] {
        digest.update((field.len() as u64).to_be_bytes());
        digest.update(field.as_bytes());
    }
    HEXLOWER.encode(&digest.finalize())
}

impl Ledger {
    /// The newest instant on record: what happens now cannot have happened before it.
    pub fn newest_instant(&self) -> Result<Option<DateTime<Utc>>> {
        let mut recent = self.db.prepare_cached("SELECT at, kind FROM event ORDER BY seq DESC LIMIT ?")?;
        let mut rows = recent.query([RECENT as i64])?;
        let mut newest = None;
        while let Some(row) = rows.next()? {
            newest = newest.max(Some(row.get::<_, i64>(0)?));
            if row.get::<_, String>(1)? == CLOCK_ACCEPTED {
                break;
            }
        }
        Ok(newest.map(instant))
    }

    /// The head of the chain; `None` before the first event.
    pub fn audit_head(&self) -> Result<Option<AuditHead>> {
        let head = self.db.query_row("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1", (), |row| {
            Ok(AuditHead { events: row.get(0)?, hash: row.get(1)? })
        });
        match head {
            Ok(head) => Ok(Some(head)),
            Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Hands every event to `each`, oldest first.
    pub fn audit_events(&self, mut each: impl FnMut(AuditEvent) -> Result<()>) -> Result<()> {
        let mut all = self.db.prepare("SELECT seq, at, kind, body, hash FROM event ORDER BY seq")?;
        let mut rows = all.query(())?;
        while let Some(row) = rows.next()? {
            each(event(row)?)?;
        }
        Ok(())
    }

    /// Recomputes the chain, and holds what gates and the cutover read against it: evidence, waivers and the journal must be
    /// what their events say, no row more and none less; every letter must be as it was planned. With `expected`, that hash must be the hash of some event: a chain cut off behind an
    /// older head, or written anew, fails. Returns the head.
    pub fn audit_verify(&self, expected: Option<&str>) -> Result<Option<AuditHead>> {
        let mut all = self.db.prepare("SELECT seq, at, kind, body, hash FROM event ORDER BY seq")?;
        let mut rows = all.query(())?;
        let mut head = AuditHead { events: 0, hash: GENESIS.to_owned() };
        let mut seen = false;
        while let Some(row) = rows.next()? {
            let (seq, at, kind, body, hash): (i64, i64, String, String, String) =
                (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
            if seq != head.events + 1 {
                return Err(broken(format!("event {} is missing", head.events + 1)));
            }
            if link(&head.hash, seq, at, &kind, &body) != hash {
                return Err(broken(format!("event {seq} ({kind}) was altered")));
            }
            seen |= expected.is_some_and(|expected| expected.eq_ignore_ascii_case(&hash));
            head = AuditHead { events: seq, hash };
        }
        if let Some(expected) = expected.filter(|_| !seen) {
            return Err(broken(format!("no event has the hash {expected}: the chain was cut or rewritten")));
        }
        self.compare_with_chain()?;
        self.verify_order()?;
        self.verify_letters()?;
        Ok((head.events > 0).then_some(head))
    }

    fn compare_with_chain(&self) -> Result<()> {
        let (mut told, mut waived, mut journal) = (BTreeMap::new(), Vec::new(), Vec::new());
        let mut overridden = Vec::new();
        let mut revoked = BTreeSet::new();
        self.audit_events(|event| {
            let text = |name: &str| event.body[name].as_str().unwrap_or_default().to_owned();
            match event.kind.as_str() {
                "evidence" => {
                    let id = event.body["id"].as_i64().unwrap_or_default();
                    let words = [text("person"), text("acknowledgement"), text("kind"), text("by"), text("detail")];
                    told.insert(id, (words, event.body["revision"].as_i64().unwrap_or_default()));
                }
                "evidence-revoked" => {
                    revoked.insert(event.body["id"].as_i64().unwrap_or_default());
                }
                "waived" => {
                    let part = |name: &str| event.body["waiver"][name].as_str().unwrap_or_default().to_owned();
                    let until = part("until");
                    waived.push([text("acknowledgement"), part("person"), part("reason"), part("by"), until]);
                }
                "overridden" => overridden.push(serde_json::from_value::<Override>(event.body)?),
                "step" => journal.push((text("step"), event.body["event"].clone())),
                _ => {}
            }
            Ok(())
        })?;
        let evidence = self.all_evidence()?;
        for fact in &evidence {
            let kind = serde_json::to_value(fact.kind)?.as_str().unwrap_or_default().to_owned();
            let by = fact.by.clone().unwrap_or_default();
            let words = [fact.person.clone(), fact.acknowledgement.clone(), kind, by, fact.detail.clone()];
            let same = told.remove(&fact.id) == Some((words, i64::from(fact.revision)));
            if !same || fact.revoked != revoked.contains(&fact.id) {
                return Err(broken(format!("evidence {} about {} is not what the chain says", fact.id, fact.person)));
            }
        }
        if let Some(id) = told.keys().next() {
            return Err(broken(format!("evidence {id} is gone from its table")));
        }
        let mut all = self.db.prepare("SELECT acknowledgement, person, reason, by, until FROM waiver ORDER BY id")?;
        let rows = all.query_map((), |row| {
            let until = row.get::<_, Option<i64>>(4)?.map(instant).and_then(|at| serde_json::to_value(at).ok());
            let until = until.and_then(|at| at.as_str().map(str::to_owned)).unwrap_or_default();
            Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, until])
        })?;
        if rows.collect::<Result<Vec<[String; 5]>, _>>()? != waived {
            return Err(broken("the waivers are not what the chain says".into()));
        }
        // Where a clock was ahead, its instants were set right; an override that is older holds for less.
        let same = |(kept, said): (&Override, &Override)| {
            millis(kept.at) <= millis(said.at) && Override { at: said.at, ..kept.clone() } == *said
        };
        let kept: Vec<Override> = self.overrides()?.into_iter().map(|one| one.decision).collect();
        if kept.len() != overridden.len() || !kept.iter().zip(&overridden).all(same) {
            return Err(broken("the overrides are not what the chain says".into()));
        }
        let mut all = self.db.prepare("SELECT step, event FROM journal ORDER BY seq")?;
        let mut rows = all.query(())?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            entries.push((row.get::<_, String>(0)?, serde_json::from_str(&row.get::<_, String>(1)?)?));
        }
        if entries != journal {
            return Err(broken("the journal of the cutover is not what the chain says".into()));
        }
        Ok(())
    }

    /// The newest event of a kind.
    pub fn latest_event(&self, kind: &str) -> Result<Option<AuditEvent>> {
        let sql = "SELECT seq, at, kind, body, hash FROM event WHERE kind = ? ORDER BY seq DESC LIMIT 1";
        let mut found = self.db.prepare_cached(sql)?;
        let mut rows = found.query([kind])?;
        rows.next()?.map(event).transpose()
    }

    /// Adds an event that changes no table.
    pub fn note(&mut self, at: DateTime<Utc>, kind: &str, body: &impl Serialize) -> Result<()> {
        self.durable(|tx| append(tx, at, kind, body))
    }
}

fn event(row: &Row) -> Result<AuditEvent> {
    let body: String = row.get(3)?;
    Ok(AuditEvent {
        seq: row.get(0)?,
        at: instant(row.get(1)?),
        kind: row.get(2)?,
        body: serde_json::from_str(&body).unwrap_or(serde_json::Value::String(body)),
        hash: row.get(4)?,
    })
}

pub(super) fn broken(cause: String) -> Fault {
    Fault::new(
        "audit-broken",
        cause,
        "do not trust this ledger; compare it with a backup and with the heads printed in earlier reports",
    )
}
