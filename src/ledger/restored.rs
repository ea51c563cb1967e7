//! What moved and moved back before anybody heard of it: what people were told, and what of it holds again.

use super::Ledger;
use super::doubt::LEFT;
use crate::answer::Kind;
use crate::campaign::Grade;
use crate::fault::Result;
use serde::Serialize;
use std::collections::HashMap;

/// What somebody was told with a notice, by letter or by hand, that is true again under a new revision; and what they answered
/// to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restored {
    pub person: String,
    pub notice: String,
    /// The acknowledgement that the notice asks for.
    pub asks: Option<String>,
    /// The revision under which they were told: what came after it counts for nothing, and what is on record until then holds.
    pub since: u32,
}

/// That somebody may have a letter about a notice, under a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Out {
    pub notice: String,
    pub revision: u32,
    /// A server took each of them, and none came back.
    pub arrived: bool,
}

/// What people said of themselves, and what was decided about them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spoken {
    /// The newest revision under which there was any of it.
    pub newest: u32,
    /// The newest one under which they answered an acknowledgement, without what was revoked.
    pub answered: HashMap<String, u32>,
}

impl Ledger {
    /// What each person may have in hand of what is told to themselves.
    pub fn letters_out(&self) -> Result<HashMap<String, Vec<Out>>> {
        let mut all = self.db.prepare_cached(&format!(
            "SELECT person, notice, revision, min(state IN ('sent', 'delivered')) FROM message \
             WHERE tells AND notice <> 'abort' AND ({LEFT} OR state = 'bounced') GROUP BY person, notice, revision"
        ))?;
        let rows = all.query_map((), |row| {
            Ok((row.get::<_, String>(0)?, Out { notice: row.get(1)?, revision: row.get(2)?, arrived: row.get(3)? }))
        })?;
        let mut letters: HashMap<String, Vec<Out>> = HashMap::new();
        for row in rows {
            let (person, out) = row?;
            letters.entry(person).or_default().push(out);
        }
        Ok(letters)
    }

    /// By person.
    pub fn spoken(&self) -> Result<HashMap<String, Spoken>> {
        let mut all = self.db.prepare_cached(
            "SELECT person, acknowledgement, kind, revoked, max(revision) FROM evidence GROUP BY 1, 2, 3, 4 \
             UNION ALL SELECT person, NULL, NULL, NULL, max(revision) FROM waiver GROUP BY 1",
        )?;
        let mut rows = all.query(())?;
        let mut spoken: HashMap<String, Spoken> = HashMap::new();
        while let Some(row) = rows.next()? {
            let (acknowledgement, kind): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
            let kind: Option<Kind> = kind.map(|kind| serde_json::from_value(kind.into())).transpose()?;
            if kind.is_some_and(|kind| kind.proves() < Grade::Confirmed) {
                continue;
            }
            let (revoked, revision): (Option<bool>, u32) = (row.get(3)?, row.get(4)?);
            let one = spoken.entry(row.get(0)?).or_default();
            one.newest = one.newest.max(revision);
            if let Some(acknowledgement) = acknowledgement.filter(|_| revoked == Some(false)) {
                let newest = one.answered.entry(acknowledgement).or_default();
                *newest = revision.max(*newest);
            }
        }
        Ok(spoken)
    }

    /// The newest revision before another under which an operator heard somebody's answer: they talked about what held then.
    pub fn heard(&self, person: &str, acknowledgement: &str, before: u32) -> Result<Option<u32>> {
        let mut newest = self.db.prepare_cached(
            "SELECT max(revision) FROM evidence INDEXED BY evidence_about WHERE person = ? AND acknowledgement = ? \
             AND revision < ? AND kind = 'operator' AND NOT revoked",
        )?;
        Ok(newest.query_row((person, acknowledgement, before), |row| row.get(0))?)
    }
}
