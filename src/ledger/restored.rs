//! What moved and moved back before anybody heard of it: what people have in hand, and what of it holds again.

use super::Ledger;
use super::doubt::LEFT;
use crate::answer::Kind;
use crate::campaign::Grade;
use crate::fault::Result;
use serde::Serialize;
use std::collections::HashMap;

/// Somebody's letter about a notice that is true again under a new revision, with what they answered to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restored {
    pub person: String,
    pub notice: String,
    /// The acknowledgement that the notice asks for.
    pub asks: Option<String>,
    /// The revision of that letter: what came after it counts for nothing, and what is on record until then holds.
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

    /// The newest revision under which each person answered anything, or somebody decided about them.
    pub fn spoken(&self) -> Result<HashMap<String, u32>> {
        let mut all = self.db.prepare_cached(
            "SELECT person, kind, max(revision) FROM evidence GROUP BY person, kind \
             UNION ALL SELECT person, NULL, max(revision) FROM waiver GROUP BY person",
        )?;
        let rows =
            all.query_map((), |row| Ok((row.get(0)?, row.get::<_, Option<String>>(1)?, row.get::<_, u32>(2)?)))?;
        let mut spoken: HashMap<String, u32> = HashMap::new();
        for row in rows {
            let (person, kind, revision) = row?;
            let kind: Option<Kind> = kind.map(|kind| serde_json::from_value(kind.into())).transpose()?;
            if kind.is_none_or(|kind| kind.proves() >= Grade::Confirmed) {
                let newest = spoken.entry(person).or_default();
                *newest = revision.max(*newest);
            }
        }
        Ok(spoken)
    }
}
