//! Amendments: facts taken over under the next number, with whom that concerns; and who came and went meanwhile. From
//! which revision on an answer counts is in `floor`.

use super::doubt::{LEFT, TAKEN_BACK};
use super::{Ledger, Restored, audit, instant, millis, queue};
use crate::fault::Result;
use chrono::{DateTime, Utc};
use rusqlite::Transaction;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, HashMap};

/// The fact that people act on.
const DATE: &str = "change_at";
/// What stands for it while nobody knows it.
pub const OPEN: &str = "open";

/// One thing that is different from what a person was told, as it stands in the letter about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// As in a revision: `change_at`, `new_serial`, `text change-date`, `package init-disk ROSA`.
    pub fact: String,
    pub told: String,
    pub now: String,
}

/// A notice that a person is to get because of an amendment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Owed {
    pub person: String,
    pub notice: String,
    /// The acknowledgement that the notice asks for.
    pub asks: Option<String>,
    pub revision: u32,
    /// Why, in the operator's words; empty where none were given.
    pub reason: String,
    /// Empty for somebody who hears of it for the first time.
    pub changes: Vec<Changed>,
    /// What is on record about the notice holds no more. Not so for somebody who is only new to it.
    pub overtakes: bool,
}

/// Somebody who had to answer and is no longer on the roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leaver {
    pub person: String,
    pub acknowledgement: String,
    pub at: DateTime<Utc>,
}

/// Everything an amendment changes, taken over in one transaction.
#[derive(Debug, Clone, Serialize)]
pub struct Takeover {
    /// Something is different that every notice speaks of: what is on record about any of them holds no more.
    pub everything: bool,
    /// The new facts and their digest; absent when only people came and went.
    #[serde(skip)]
    pub facts: Option<(String, BTreeMap<String, String>)>,
    /// Why, in the operator's words.
    pub reason: String,
    /// Facts that the operator called cosmetic: answers to them stay.
    pub cosmetic: Vec<String>,
    #[serde(skip)]
    pub owed: Vec<Owed>,
    /// Whose letters are true again.
    pub restored: Vec<Restored>,
    /// By person and acknowledgement.
    pub left: Vec<(String, String)>,
    /// Everybody on the rosters now, with their audiences.
    #[serde(skip)]
    pub members: BTreeMap<String, String>,
}

impl Ledger {
    /// Takes it over: what was planned about the notices it concerns, and has not left, is taken back. Returns the number of the
    /// revision that holds from now on.
    pub fn amend(&mut self, change: &Takeover, now: DateTime<Utc>) -> Result<u32> {
        self.durable(|tx| {
            let current: u32 = tx.query_row("SELECT coalesce(max(number), 0) FROM revision", (), |row| row.get(0))?;
            let number = match &change.facts {
                Some((digest, facts)) => {
                    let (text, cosmetic) = (serde_json::to_string(facts)?, serde_json::to_string(&change.cosmetic)?);
                    tx.execute(
                        "INSERT INTO revision(number, at, digest, facts, everything, reason, cosmetic) VALUES (?,?,?,?,?,?,?)",
                        (current + 1, millis(now), digest, text, change.everything, &change.reason, cosmetic),
                    )?;
                    current + 1
                }
                None => current,
            };
            let mut insert = tx.prepare("INSERT OR IGNORE INTO amended VALUES (?,?,?,?,?,?,?,?)")?;
            let words = format!("taken back: revision {number} takes its place");
            if change.everything {
                take_back(tx, "revision < ?1", [number], &words, now)?;
            }
            for Owed { person, notice, asks, reason, changes, overtakes, .. } in &change.owed {
                let extent = if *overtakes { "notice" } else { "nothing" };
                let changes = serde_json::to_string(changes)?;
                insert.execute((number, person, notice, reason, changes, asks, extent, None::<u32>))?;
                if *overtakes && !change.everything {
                    // With its reminders and escalations.
                    let which = "person = ?1 AND revision < ?2 AND (notice = ?3 OR acknowledgement = ?4)";
                    take_back(tx, which, (person, number, notice, asks), &words, now)?;
                }
            }
            for Restored { person, notice, asks, since } in &change.restored {
                insert.execute((number, person, notice, "", "[]", asks, "nothing", since))?;
                // What was to tell them of the revisions in between is true for nobody.
                let which = "person = ?1 AND revision > ?2 AND revision < ?3 AND (notice = ?4 OR acknowledgement = ?5)";
                take_back(tx, which, (person, since, number, notice, asks), &words, now)?;
            }
            for (person, acknowledgement) in &change.left {
                tx.execute(
                    "INSERT OR REPLACE INTO leaver VALUES (?,?,?,?)",
                    (person, acknowledgement, number, millis(now)),
                )?;
                let words = "taken back: the person is no longer on the roster";
                take_back(tx, "person = ?1 AND acknowledgement = ?2", (person, acknowledgement), words, now)?;
            }
            set_members(tx, change.members.iter().map(|(person, of)| (person.clone(), of.clone())))?;
            let people: std::collections::BTreeSet<&str> =
                change.owed.iter().map(|owed| owed.person.as_str()).collect();
            let put_off = change.facts.as_ref().is_some_and(|(_, facts)| facts.get(DATE).is_some_and(|at| at == OPEN));
            let body = json!({ "revision": number, "amendment": change, "informs": people, "put_off": put_off });
            audit::append(tx, now, "amended", &body)?;
            Ok(number)
        })
    }

    /// Takes back those of the messages that are planned and have not left, with the reason.
    pub fn hold_back(&mut self, ids: &[i64], words: &str, now: DateTime<Utc>) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        self.durable(|tx| {
            let mut is_planned = tx.prepare("SELECT 1 FROM message WHERE id = ? AND state = 'planned'")?;
            for id in ids {
                if is_planned.exists([id])? {
                    queue::cancel(tx, *id, words, now)?;
                }
            }
            Ok(())
        })
    }

    /// What amendments still have to tell: no message of that revision or a later one is planned yet, and no later amendment
    /// has more to say about the same notice. That it is put off is true until the next date.
    pub fn owed(&self) -> Result<Vec<Owed>> {
        let mut all = self.db.prepare_cached(&format!(
            "SELECT person, notice, asks, revision, reason, changes, overtakes <> 'nothing' FROM amended a \
             WHERE since IS NULL AND NOT EXISTS (SELECT 1 FROM message m \
             WHERE m.person = a.person AND m.notice = a.notice AND m.revision >= a.revision \
             AND NOT {TAKEN_BACK}) \
             AND NOT EXISTS (SELECT 1 FROM amended later WHERE later.person = a.person AND later.revision > a.revision \
             AND (later.notice = a.notice OR later.overtakes = 'all')) \
             AND NOT (notice = 'postponed' AND EXISTS (SELECT 1 FROM revision WHERE everything AND number > a.revision)) \
             ORDER BY rowid"
        ))?;
        let rows = all.query_map((), |row| {
            Ok((
                Owed {
                    person: row.get(0)?,
                    notice: row.get(1)?,
                    asks: row.get(2)?,
                    revision: row.get(3)?,
                    reason: row.get(4)?,
                    changes: Vec::new(),
                    overtakes: row.get(6)?,
                },
                row.get::<_, String>(5)?,
            ))
        })?;
        rows.map(|row| {
            let (owed, own) = row?;
            let changes = match owed.notice.as_str() {
                "postponed" | "correction" => serde_json::from_str(&own)?,
                notice => self.changes_to_tell(&owed.person, notice, owed.asks.as_deref(), owed.revision)?,
            };
            Ok(Owed { changes, ..owed })
        })
        .collect()
    }

    /// What a letter of this revision about a notice has to say is different: since the newest one that really went to the
    /// person, or what they heard when they answered by hand since, however many amendments came between. Nothing where they
    /// were told nothing.
    pub fn changes_to_tell(
        &self,
        person: &str,
        notice: &str,
        asks: Option<&str>,
        revision: u32,
    ) -> Result<Vec<Changed>> {
        let mut newest = self.db.prepare_cached(&format!(
            "SELECT max(revision) FROM message WHERE person = ?1 AND notice IN (?2, 'postponed') AND revision < ?3 AND tells \
             AND ({LEFT} OR state = 'bounced')"
        ))?;
        let letter: Option<u32> = newest.query_row((person, notice, revision), |row| row.get(0))?;
        let heard = asks.map(|asks| self.heard(person, asks, revision)).transpose()?.flatten();
        let Some(known) = letter.max(heard) else { return Ok(Vec::new()) };
        let mut all = self.db.prepare_cached(
            "SELECT changes FROM amended a WHERE person = ?1 AND notice IN (?2, 'postponed') AND revision > ?3 \
             AND revision <= ?4 AND NOT EXISTS (SELECT 1 FROM amended b WHERE b.person = a.person AND b.notice = ?2 \
             AND b.since < a.revision AND a.revision <= b.revision) ORDER BY revision, rowid",
        )?;
        let rows = all.query_map((person, notice, known, revision), |row| row.get(0))?;
        merged(rows)
    }

    /// Everything that is different since a revision in what a person is to acknowledge, each thing once: as it was then,
    /// and as it is now.
    pub fn changes_since(&self, person: &str, acknowledgement: &str, revision: u32) -> Result<Vec<Changed>> {
        let mut all = self.db.prepare_cached(
            "SELECT changes FROM amended a WHERE person = ?1 AND revision > ?2 \
             AND (asks = ?3 OR notice = 'postponed' OR overtakes = 'all') AND NOT EXISTS (SELECT 1 FROM amended b \
             WHERE b.person = a.person AND b.asks = ?3 AND b.since < a.revision AND a.revision <= b.revision) \
             ORDER BY revision, rowid",
        )?;
        let rows = all.query_map((person, revision, acknowledgement), |row| row.get(0))?;
        merged(rows)
    }

    /// Who was to get which notice because of any amendment, with the dates that it said are no longer true.
    pub fn amended(&self) -> Result<HashMap<(String, String), Vec<String>>> {
        let mut all = self.db.prepare_cached("SELECT person, notice, changes FROM amended")?;
        let mut rows = all.query(())?;
        let mut amended: HashMap<(String, String), Vec<String>> = HashMap::new();
        while let Some(row) = rows.next()? {
            let dates = amended.entry((row.get(0)?, row.get(1)?)).or_default();
            let changes: String = row.get(2)?;
            if changes.contains(DATE) {
                let changes: Vec<Changed> = serde_json::from_str(&changes)?;
                dates.extend(changes.into_iter().filter(|one| one.fact == DATE).map(|one| one.told));
            }
        }
        Ok(amended)
    }

    /// Those who had to answer and left, by the amendment that took note of it.
    pub fn leavers(&self) -> Result<Vec<Leaver>> {
        let mut all = self.db.prepare_cached("SELECT person, acknowledgement, at FROM leaver ORDER BY at, rowid")?;
        let rows = all.query_map((), |row| {
            Ok(Leaver { person: row.get(0)?, acknowledgement: row.get(1)?, at: instant(row.get(2)?) })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The people of the rosters as they were last taken over, with their audiences; empty before anybody was told.
    pub fn members(&self) -> Result<BTreeMap<String, String>> {
        let mut all = self.db.prepare_cached("SELECT person, audiences FROM member")?;
        let rows = all.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Each of them, without holding them all.
    pub fn each_member(&self, mut hear: impl FnMut(&str, &str)) -> Result<()> {
        let mut all = self.db.prepare_cached("SELECT person, audiences FROM member ORDER BY person")?;
        let mut rows = all.query(())?;
        while let Some(row) = rows.next()? {
            let (person, audiences): (String, String) = (row.get(0)?, row.get(1)?);
            hear(&person, &audiences);
        }
        Ok(())
    }
}

pub(super) fn set_members(tx: &Transaction, members: impl Iterator<Item = (String, String)>) -> Result<()> {
    tx.execute("DELETE FROM member", ())?;
    let mut insert = tx.prepare("INSERT INTO member VALUES (?,?)")?;
    for member in members {
        insert.execute(member)?;
    }
    Ok(())
}

/// What several amendments made different, each thing once: as it was before the first, and as it is after the last.
fn merged(rows: impl Iterator<Item = rusqlite::Result<String>>) -> Result<Vec<Changed>> {
    let mut merged: Vec<Changed> = Vec::new();
    for row in rows {
        for change in serde_json::from_str::<Vec<Changed>>(&row?)? {
            match merged.iter_mut().find(|known| known.fact == change.fact) {
                Some(known) => known.now = change.now,
                None => merged.push(change),
            }
        }
    }
    // Back to where it was. A package has no words for what it is now: its letter brings it.
    merged.retain(|change| change.told != change.now);
    Ok(merged)
}

/// Cancels messages that have not left, with the reason.
pub(super) fn take_back(
    tx: &Transaction,
    which: &str,
    values: impl rusqlite::Params,
    words: &str,
    now: DateTime<Utc>,
) -> Result<usize> {
    let sql = format!(
        "SELECT id FROM message WHERE state IN ('planned', 'held', 'failed', 'bounced', 'uncertain') AND {which} ORDER BY id"
    );
    let mut open = tx.prepare_cached(&sql)?;
    let found: Vec<i64> = open.query_map(values, |row| row.get(0))?.collect::<Result<_, _>>()?;
    for id in &found {
        queue::cancel(tx, *id, words, now)?;
    }
    Ok(found.len())
}
