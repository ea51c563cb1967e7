//! The end before the end: a campaign that was called off stays called off.

use super::doubt::LEFT;
use super::{Ledger, amendments, audit, instant, millis};
use crate::answer::{Kind, Standing, Waiver, Waiving};
use crate::campaign::Grade;
use crate::fault::Result;
use crate::roster::Format;
use chrono::{DateTime, Utc};
use rusqlite::OptionalExtension;
use serde::Serialize;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Aborted {
    pub at: DateTime<Utc>,
    pub reason: String,
    pub by: String,
}

/// Somebody who may have read that there will be a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub person: String,
    /// Where the newest letter went.
    pub envelope_to: String,
    /// The newest revision under which a calendar entry went out.
    pub calendar: Option<u32>,
    /// What the newest letter spoke, and in which kind of mail: for whoever stands on no roster any more. A ledger of before
    /// does not know the language.
    pub language: Option<String>,
    pub format: Format,
    /// The newest letter says that the change is put off.
    pub put_off: bool,
}

/// Somebody who was asked to remind a person: their manager or alternate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub person: String,
    pub envelope_to: String,
    /// The newest revision that a letter to them spoke of.
    pub revision: u32,
    /// The newest revision under which a calendar entry went out to them.
    pub calendar: Option<u32>,
    /// What the newest letter to them spoke.
    pub language: Option<String>,
}

impl Ledger {
    /// Calls the campaign off, and takes back what has not left, in one transaction: from here on every process lets go
    /// of what it has in hand. Asked again, it changes nothing but takes back what came in between. Returns how many of
    /// these have not left, as is known.
    pub fn call_off(&mut self, abort: &Aborted) -> Result<usize> {
        self.durable(|tx| {
            let new = tx.execute(
                "INSERT OR IGNORE INTO abort VALUES (1,?,?,?)",
                (millis(abort.at), &abort.reason, &abort.by),
            )?;
            if new > 0 {
                audit::append(tx, abort.at, "aborted", abort)?;
            }
            // In doubt is not unsent: who may have got it is told, and nobody gets it once more.
            let unsent = "SELECT count(*) FROM message WHERE notice <> 'abort' AND doubts = 0 \
                          AND state IN ('planned', 'held', 'failed')";
            let unsent = tx.query_row(unsent, (), |row| row.get::<_, i64>(0))?;
            amendments::take_back(tx, "notice <> 'abort'", (), "taken back: the campaign was called off", abort.at)?;
            Ok(unsent.max(0) as usize)
        })
    }

    pub fn aborted(&self) -> Result<Option<Aborted>> {
        let mut find = self.db.prepare_cached("SELECT at, reason, by FROM abort")?;
        let read = |row: &rusqlite::Row| Ok(Aborted { at: instant(row.get(0)?), reason: row.get(1)?, by: row.get(2)? });
        Ok(find.query_row((), read).optional()?)
    }

    /// Whoever was sent a letter under any revision, as far as anybody knows.
    pub fn ever_told(&self) -> Result<Vec<Told>> {
        let mut all = self.db.prepare_cached(&format!(
            "SELECT told.person, envelope_to, calendars, language, format, notice = 'postponed' FROM \
             (SELECT person, min(id) first, max(CASE WHEN calendar THEN revision END) calendars, \
             (SELECT id FROM message newest WHERE newest.person = message.person AND tells \
             AND notice <> 'abort' AND {LEFT} ORDER BY planned_at DESC, id DESC LIMIT 1) newest FROM message \
             WHERE tells AND notice <> 'abort' AND {LEFT} GROUP BY person) told \
             JOIN message ON message.id = told.newest ORDER BY first"
        ))?;
        let rows = all.query_map((), |row| {
            Ok(Told {
                person: row.get(0)?,
                envelope_to: row.get(1)?,
                calendar: row.get(2)?,
                language: row.get(3)?,
                format: if row.get::<_, String>(4)? == Format::Rfc1154.word() { Format::Rfc1154 } else { Format::Mime },
                put_off: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The newest revision under which a calendar entry went out to a person.
    pub fn calendar_of(&self, person: &str) -> Result<Option<u32>> {
        let sql = format!(
            "SELECT max(revision) FROM message WHERE person = ? AND calendar AND tells AND notice <> 'abort' AND {LEFT}"
        );
        Ok(self.db.prepare_cached(&sql)?.query_row([person], |row| row.get(0))?)
    }

    /// Whoever was sent a letter about somebody else under any revision, by person and address.
    pub fn asked_to_remind(&self) -> Result<Vec<Asked>> {
        let mut all = self.db.prepare_cached(&format!(
            "SELECT asked.person, asked.envelope_to, asked.revision, asked.calendar, language FROM \
             (SELECT person, envelope_to, max(revision) revision, max(CASE WHEN calendar THEN revision END) calendar, \
             min(id) first, max(id) newest FROM message \
             WHERE NOT tells AND notice <> 'abort' AND {LEFT} GROUP BY person, lower(envelope_to)) asked \
             JOIN message ON message.id = newest ORDER BY first"
        ))?;
        let rows = all.query_map((), |row| {
            Ok(Asked {
                person: row.get(0)?,
                envelope_to: row.get(1)?,
                revision: row.get(2)?,
                calendar: row.get(3)?,
                language: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Why a message is not to leave any more, by what is on record at `now`.
    pub(super) fn moot_now(&self, id: i64, now: DateTime<Utc>) -> Result<Option<String>> {
        type Found = (String, String, Option<String>, Option<String>, Option<String>);
        let found: Option<Found> = self
            .db
            .prepare_cached("SELECT notice, person, acknowledgement, moot_at, envelope_to FROM message WHERE id = ?")?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
            .optional()?;
        let Some((notice, person, acknowledgement, moot_at, to)) = found else { return Ok(None) };
        if notice != "abort" && self.aborted()?.is_some() {
            return Ok(Some("the campaign was called off".to_owned()));
        }
        let grade = moot_at.as_deref().and_then(Grade::from_word);
        let (Some(acknowledgement), Some(grade)) = (acknowledgement, grade) else { return Ok(None) };
        let floor = self.floor(&person, &acknowledgement)?;
        let facts = self.evidence_about(&person, &acknowledgement, floor)?;
        let waivers: Vec<Waiver> = self.waivers_of(&acknowledgement, &person)?;
        let waiving = Waiving::of(waivers, self.two_names.contains(&acknowledgement), now);
        if let Some(waiver) = &waiving.in_force {
            return Ok(Some(format!("not needed any more: {person} was waived by {}", waiver.by)));
        }
        let standing = Standing::of(&person, to.as_deref(), &facts, None, waiving, "");
        // An escalation is about them and goes to somebody else.
        if notice == "reminder" && standing.trouble == Some(Kind::HardBounce) {
            return Ok(Some(format!("of no use: {person} {}", standing.why)));
        }
        Ok((standing.grade >= grade).then(|| format!("not needed any more: {person} {}", standing.why)))
    }
}
