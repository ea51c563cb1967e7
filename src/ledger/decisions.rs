//! What administrators decide against the count: waivers of one person, overrides of a gate. Only ever added; a waiver is
//! withdrawn by a mark and an event of its own, an override stays.

use super::order::BEHIND;
use super::{Ledger, audit, instant, millis};
use crate::answer::{Ended, Waiver};
use crate::fault::Result;
use crate::gate::Override;
use chrono::{DateTime, Utc};
use serde_json::json;

/// A gate that was overruled, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overruled {
    pub decision: Override,
    /// The journal's last entry then.
    pub behind: i64,
    /// What people were told then.
    pub revision: u32,
}

/// That somebody was waived, or a waiver taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    pub at: DateTime<Utc>,
    pub what: &'static str,
    pub acknowledgement: String,
    pub by: String,
    pub words: String,
}

impl Ledger {
    pub fn waive(&mut self, acknowledgement: &str, waiver: &Waiver) -> Result<()> {
        self.durable(|tx| {
            let insert = "INSERT INTO waiver(at, person, acknowledgement, reason, by, until, revision, behind)";
            tx.execute(
                &format!("{insert} VALUES (?,?,?,?,?,?,?,{BEHIND})"),
                (
                    millis(waiver.at),
                    &waiver.person,
                    acknowledgement,
                    &waiver.reason,
                    &waiver.by,
                    waiver.until.map(millis),
                    waiver.revision,
                ),
            )?;
            audit::append(tx, waiver.at, "waived", &json!({ "acknowledgement": acknowledgement, "waiver": waiver }))
        })
    }

    /// Withdraws every waiver of the person for the acknowledgement; returns how many there were.
    pub fn unwaive(
        &mut self,
        acknowledgement: &str,
        person: &str,
        by: &str,
        note: &str,
        at: DateTime<Utc>,
    ) -> Result<usize> {
        self.durable(|tx| {
            let changed = tx.execute(
                "UPDATE waiver SET revoked = 1 WHERE acknowledgement = ? AND person = ? AND revoked = 0",
                (acknowledgement, person),
            )?;
            if changed > 0 {
                let body = json!({ "acknowledgement": acknowledgement, "person": person, "by": by, "note": note });
                audit::append(tx, at, "waiver-revoked", &body)?;
            }
            Ok(changed)
        })
    }

    /// Every waiver of a person and every withdrawal, oldest first, as the chain has them.
    pub fn waived_and_back(&self, person: &str) -> Result<Vec<Decided>> {
        let mut all = self.db.prepare_cached(
            "SELECT at, kind = 'waived', body ->> '$.acknowledgement', \
             coalesce(body ->> '$.waiver.by', body ->> '$.by', ''), \
             coalesce(body ->> '$.waiver.reason', body ->> '$.note', '') FROM event \
             WHERE kind = 'waived' AND body ->> '$.waiver.person' = ?1 \
             OR kind = 'waiver-revoked' AND body ->> '$.person' = ?1 ORDER BY seq",
        )?;
        let rows = all.query_map([person], |row| {
            let what = if row.get(1)? { "waived" } else { "waiver withdrawn" };
            let (acknowledgement, by, words) = (row.get(2)?, row.get(3)?, row.get(4)?);
            Ok(Decided { at: instant(row.get(0)?), what, acknowledgement, by, words })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What was decided for one acknowledgement and not withdrawn, oldest first. Some may have run out; those that speak of
    /// facts which were amended since are marked as ended, and so are those from before an entry of the journal that took
    /// back what they rest on.
    pub fn waivers(&self, acknowledgement: &str, entry: i64) -> Result<Vec<Waiver>> {
        self.select_waivers(acknowledgement, "acknowledgement = ?", [acknowledgement], entry)
    }

    /// The same about one person.
    pub(super) fn waivers_of(&self, acknowledgement: &str, person: &str) -> Result<Vec<Waiver>> {
        self.select_waivers(acknowledgement, "acknowledgement = ? AND person = ?", [acknowledgement, person], 0)
    }

    fn select_waivers(
        &self,
        of: &str,
        condition: &str,
        values: impl rusqlite::Params,
        entry: i64,
    ) -> Result<Vec<Waiver>> {
        let mut all = self.db.prepare_cached(&format!(
            "SELECT person, reason, by, at, until, revision, behind FROM waiver WHERE {condition} AND revoked = 0 \
             ORDER BY id"
        ))?;
        let rows = all.query_map(values, |row| {
            Ok(Waiver {
                person: row.get(0)?,
                reason: row.get(1)?,
                by: row.get(2)?,
                at: instant(row.get(3)?),
                until: row.get::<_, Option<i64>>(4)?.map(instant),
                revision: row.get(5)?,
                second: None,
                ended: (row.get::<_, i64>(6)? < entry).then_some(Ended::TakenBack),
            })
        })?;
        let mut waivers = rows.collect::<Result<Vec<Waiver>, _>>()?;
        for waiver in &mut waivers {
            let amended = waiver.revision < self.floor(&waiver.person, of)?;
            waiver.ended = amended.then_some(Ended::Amended).or(waiver.ended);
        }
        Ok(waivers)
    }

    pub fn overrule(&mut self, decision: &Override) -> Result<()> {
        let missing = serde_json::to_string(&decision.missing)?;
        self.durable(|tx| {
            let told = "(SELECT coalesce(max(number), 0) FROM revision)";
            tx.execute(
                &format!(
                    "INSERT INTO override(at, gate, step, by, reason, missing, behind, revision) \
                     VALUES (?,?,?,?,?,?,{BEHIND},{told})"
                ),
                (millis(decision.at), &decision.gate, &decision.step, &decision.by, &decision.reason, &missing),
            )?;
            audit::append(tx, decision.at, "overridden", decision)
        })
    }

    /// Every override ever made, oldest first.
    pub fn overrides(&self) -> Result<Vec<Overruled>> {
        let mut all = self
            .db
            .prepare_cached("SELECT gate, step, by, reason, at, missing, behind, revision FROM override ORDER BY id")?;
        let mut rows = all.query(())?;
        let mut decisions = Vec::new();
        while let Some(row) = rows.next()? {
            let decision = Override {
                gate: row.get(0)?,
                step: row.get(1)?,
                by: row.get(2)?,
                reason: row.get(3)?,
                at: instant(row.get(4)?),
                missing: serde_json::from_str(&row.get::<_, String>(5)?)?,
            };
            decisions.push(Overruled { decision, behind: row.get(6)?, revision: row.get(7)? });
        }
        Ok(decisions)
    }
}
