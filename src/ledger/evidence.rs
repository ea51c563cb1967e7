//! Evidence as it is recorded: only ever added; a revocation marks and is an event of its own.

use super::order::BEHIND;
use super::{Ledger, audit, floor, instant, millis};
use crate::answer::{Evidence, Issued, Kind};
use crate::fault::{Fault, Result};
use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Row, Transaction};
use serde_json::json;

const COLUMNS: &str = "id, at, person, acknowledgement, revision, kind, by, detail, revoked, address";

impl Ledger {
    /// Records one fact. The same fact about the same person twice in a row is recorded once: intake may read a
    /// mailbox any number of times. Returns whether it was new.
    pub fn add_evidence(&mut self, fact: &Evidence) -> Result<bool> {
        self.durable(|tx| insert(tx, fact))
    }

    /// The same, where only what was recorded behind an entry of the journal counts: an older fact says nothing any more,
    /// and seen again it is new.
    pub fn add_evidence_behind(&mut self, fact: &Evidence, entry: i64) -> Result<bool> {
        self.durable(|tx| insert_behind(tx, fact, entry))
    }

    /// The same, where whatever is on record already says nothing of what is recorded now.
    pub fn add_evidence_anew(&mut self, fact: &Evidence) -> Result<bool> {
        self.durable(|tx| insert_behind(tx, fact, i64::MAX))
    }

    /// All evidence for one acknowledgement that still counts, by person, oldest first: of the newest revision that
    /// overtook what the person answered, and those after it; and recorded behind an entry of the journal.
    pub fn evidence(&self, acknowledgement: &str, entry: i64) -> Result<Vec<Evidence>> {
        let holds = floor::holds("evidence");
        let mut all = self.db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM evidence WHERE acknowledgement = ? AND behind >= ? AND {holds} ORDER BY person, id"
        ))?;
        let rows = all.query_map((acknowledgement, entry), read)?;
        rows.map(|row| parse(row?)).collect()
    }

    /// What amendments have left behind about those who had an automatic reply on, by person, oldest first.
    pub fn overtaken_of_the_absent(&self, acknowledgement: &str) -> Result<Vec<Evidence>> {
        if self.revision_number()?.unwrap_or(1) == 1 {
            return Ok(Vec::new());
        }
        let holds = floor::holds("evidence");
        let mut all = self.db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM evidence WHERE acknowledgement = ?1 AND person IN (SELECT person FROM evidence \
             WHERE acknowledgement = ?1 AND kind = 'auto_reply') AND NOT ({holds}) ORDER BY person, id"
        ))?;
        let rows = all.query_map([acknowledgement], read)?;
        rows.map(|row| parse(row?)).collect()
    }

    /// Evidence about one person and acknowledgement from one revision on, oldest first.
    pub fn evidence_about(&self, person: &str, acknowledgement: &str, since: u32) -> Result<Vec<Evidence>> {
        self.evidence_about_behind(person, acknowledgement, since, 0)
    }

    /// The same, recorded behind an entry of the journal.
    pub fn evidence_about_behind(
        &self,
        person: &str,
        acknowledgement: &str,
        since: u32,
        entry: i64,
    ) -> Result<Vec<Evidence>> {
        // By itself SQLite takes the index for a whole acknowledgement, and reads everybody's.
        let mut all = self.db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM evidence INDEXED BY evidence_about WHERE person = ? AND acknowledgement = ? \
             AND revision >= ? AND behind >= ? ORDER BY id"
        ))?;
        let rows = all.query_map((person, acknowledgement, since, entry), read)?;
        rows.map(|row| parse(row?)).collect()
    }

    /// All evidence about one person, oldest first.
    pub fn evidence_of(&self, person: &str) -> Result<Vec<Evidence>> {
        let mut all =
            self.db.prepare_cached(&format!("SELECT {COLUMNS} FROM evidence WHERE person = ? ORDER BY id"))?;
        let rows = all.query_map([person], read)?;
        rows.map(|row| parse(row?)).collect()
    }

    /// All evidence about anybody, oldest first, whether they are still on a roster or not.
    pub fn all_evidence(&self) -> Result<Vec<Evidence>> {
        let mut all = self.db.prepare_cached(&format!("SELECT {COLUMNS} FROM evidence ORDER BY id"))?;
        let rows = all.query_map((), read)?;
        rows.map(|row| parse(row?)).collect()
    }

    /// Takes one piece of evidence back; it stays on record, marked.
    pub fn revoke_evidence(&mut self, id: i64, by: &str, note: &str, at: DateTime<Utc>) -> Result<()> {
        self.durable(|tx| {
            let changed = tx.execute("UPDATE evidence SET revoked = 1 WHERE id = ? AND revoked = 0", [id])?;
            if changed == 0 {
                let cause = format!("there is no evidence {id} to revoke");
                return Err(Fault::new("no-evidence", cause, "list it with `flagday who --person PERSON`"));
            }
            audit::append(tx, at, "evidence-revoked", &json!({ "id": id, "by": by, "note": note }))
        })
    }

    /// Where a code with this fingerprint went out.
    pub fn code_issued(&self, fingerprint: &str) -> Result<Option<Issued>> {
        let mut all = self.db.prepare_cached(
            "SELECT person, package, revision FROM code WHERE fingerprint = ? ORDER BY revision, person, package",
        )?;
        let mut rows = all.query([fingerprint])?;
        let mut issued: Option<Issued> = None;
        while let Some(row) = rows.next()? {
            let (person, package, revision) = (row.get(0)?, row.get(1)?, row.get(2)?);
            match &mut issued {
                Some(one) if (&one.person, &one.package) == (&person, &package) => one.revisions.push(revision),
                _ => issued = Some(Issued { person, package, revisions: vec![revision] }),
            }
        }
        Ok(issued)
    }

    /// How many different packages of this name were made out to somebody from a revision on.
    pub fn packages_issued(&self, person: &str, package: &str, since: u32) -> Result<u32> {
        let mut all = self.db.prepare_cached(
            "SELECT count(DISTINCT digest) FROM code WHERE person = ? AND package = ? AND revision >= ?",
        )?;
        Ok(all.query_row((person, package, since), |row| row.get(0))?)
    }
}

/// Records a fact inside a larger transaction.
pub(super) fn insert(tx: &Transaction, fact: &Evidence) -> Result<bool> {
    insert_behind(tx, fact, 0)
}

/// Whether a step was taken back since the last fact about somebody: it may have taken that fact's ground with it.
fn taken_back_since(tx: &Transaction, fact: &Evidence) -> Result<bool> {
    let mut find = tx.prepare_cached(
        "SELECT max(seq) > (SELECT max(behind) FROM evidence WHERE person = ? AND acknowledgement = ?) FROM journal \
         WHERE event ->> '$.event' IN ('undone', 'undone_by_hand')",
    )?;
    let since: Option<bool> = find.query_row((&fact.person, &fact.acknowledgement), |row| row.get(0))?;
    Ok(since.unwrap_or(false))
}

fn insert_behind(tx: &Transaction, fact: &Evidence, entry: i64) -> Result<bool> {
    super::doubt::settled_by(tx, fact)?;
    let last: Option<(String, String, i64, Option<String>)> = tx
        .prepare_cached(
            "SELECT kind, detail, behind, address FROM evidence WHERE person = ? AND acknowledgement = ? AND revision = ? AND revoked = 0
             ORDER BY id DESC LIMIT 1",
        )?
        .query_row((&fact.person, &fact.acknowledgement, fact.revision), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    let kind = kind_word(fact.kind)?;
    let same = |(last, detail, behind, address)| {
        last == kind && detail == fact.detail && behind >= entry && address == fact.address
    };
    if last.is_some_and(same) && !taken_back_since(tx, fact)? {
        return Ok(false);
    }
    tx.prepare_cached(&format!(
        "INSERT INTO evidence(at, person, acknowledgement, revision, kind, by, detail, address, behind) VALUES (?,?,?,?,?,?,?,?,{BEHIND})"
    ))?
    .execute((
        millis(fact.at),
        &fact.person,
        &fact.acknowledgement,
        fact.revision,
        &kind,
        &fact.by,
        &fact.detail,
        &fact.address,
    ))?;
    let id = tx.last_insert_rowid();
    audit::append(tx, fact.at, "evidence", &Evidence { id, ..fact.clone() })?;
    Ok(true)
}

type Raw = (i64, i64, String, String, u32, String, Option<String>, String, bool, Option<String>);

fn read(row: &Row) -> rusqlite::Result<Raw> {
    Ok((
        row.get(0)?,
        row.get(1)?,
        row.get(2)?,
        row.get(3)?,
        row.get(4)?,
        row.get(5)?,
        row.get(6)?,
        row.get(7)?,
        row.get(8)?,
        row.get(9)?,
    ))
}

fn parse((id, at, person, acknowledgement, revision, kind, by, detail, revoked, address): Raw) -> Result<Evidence> {
    let kind: Kind = serde_json::from_value(serde_json::Value::String(kind))?;
    Ok(Evidence { id, at: instant(at), person, acknowledgement, revision, kind, by, detail, revoked, address })
}

pub(super) fn kind_word(kind: Kind) -> Result<String> {
    match serde_json::to_value(kind)? {
        serde_json::Value::String(word) => Ok(word),
        other => Ok(other.to_string()),
    }
}
