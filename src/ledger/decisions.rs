//! What administrators decide against the count: waivers of one person, overrides of a gate. Only ever added; a waiver is
//! withdrawn by a mark and an event of its own, an override stays.

use super::{Ledger, audit, instant, millis};
use crate::answer::{Ended, Waiver};
use crate::fault::Result;
use crate::gate::Override;
use chrono::{DateTime, Utc};
use serde_json::json;

impl Ledger {
    pub fn waive(&mut self, acknowledgement: &str, waiver: &Waiver) -> Result<()> {
        self.durable(|tx| {
            tx.execute(
                "INSERT INTO waiver(at, person, acknowledgement, reason, by, until, revision) VALUES (?,?,?,?,?,?,?)",
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
    pub fn unwaive(&mut self, acknowledgement: &str, person: &str, by: &str, at: DateTime<Utc>) -> Result<usize> {
        self.durable(|tx| {
            let changed = tx.execute(
                "UPDATE waiver SET revoked = 1 WHERE acknowledgement = ? AND person = ? AND revoked = 0",
                (acknowledgement, person),
            )?;
            if changed > 0 {
                let body = json!({ "acknowledgement": acknowledgement, "person": person, "by": by });
                audit::append(tx, at, "waiver-revoked", &body)?;
            }
            Ok(changed)
        })
    }

    /// What was decided for one acknowledgement and not withdrawn, oldest first. Some may have run out; those that speak of
    /// facts which were amended since are marked as ended.
    pub fn waivers(&self, acknowledgement: &str) -> Result<Vec<Waiver>> {
        self.select_waivers(acknowledgement, "acknowledgement = ?", [acknowledgement])
    }

    /// The same about one person.
    pub(super) fn waivers_of(&self, acknowledgement: &str, person: &str) -> Result<Vec<Waiver>> {
        self.select_waivers(acknowledgement, "acknowledgement = ? AND person = ?", [acknowledgement, person])
    }

    fn select_waivers(&self, of: &str, condition: &str, values: impl rusqlite::Params) -> Result<Vec<Waiver>> {
        let mut all = self.db.prepare_cached(&format!(
            "SELECT person, reason, by, at, until, revision FROM waiver WHERE {condition} AND revoked = 0 ORDER BY id"
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
                ended: None,
            })
        })?;
        let mut waivers = rows.collect::<Result<Vec<Waiver>, _>>()?;
        for waiver in &mut waivers {
            let amended = waiver.revision < self.floor(&waiver.person, of)?;
            waiver.ended = amended.then_some(Ended::Amended);
        }
        Ok(waivers)
    }

    pub fn overrule(&mut self, decision: &Override) -> Result<()> {
        let missing = serde_json::to_string(&decision.missing)?;
        self.durable(|tx| {
            tx.execute(
                "INSERT INTO override(at, gate, step, by, reason, missing) VALUES (?,?,?,?,?,?)",
                (millis(decision.at), &decision.gate, &decision.step, &decision.by, &decision.reason, &missing),
            )?;
            audit::append(tx, decision.at, "overridden", decision)
        })
    }

    /// Every override ever made, oldest first.
    pub fn overrides(&self) -> Result<Vec<Override>> {
        let mut all = self.db.prepare_cached("SELECT gate, step, by, reason, at, missing FROM override ORDER BY id")?;
        let mut rows = all.query(())?;
        let mut decisions = Vec::new();
        while let Some(row) = rows.next()? {
            decisions.push(Override {
                gate: row.get(0)?,
                step: row.get(1)?,
                by: row.get(2)?,
                reason: row.get(3)?,
                at: instant(row.get(4)?),
                missing: serde_json::from_str(&row.get::<_, String>(5)?)?,
            });
        }
        Ok(decisions)
    }
}
