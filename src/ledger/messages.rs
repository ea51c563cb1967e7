//! Messages: what was planned for whom, and what became of it. The letter's bytes are fixed when it is planned.

use super::checkpoint::Checkpoint;
use super::deferred::PUT_OFF;
use super::doubt::IN_DOUBT;
use super::letters::{Packed, Packer, Unpacker};
use super::order::BEHIND;
use super::{Ledger, Telling, audit, evidence, instant, millis};
use crate::answer::{Evidence, Kind};
use crate::campaign::Grade;
use crate::fault::{Fault, Finding, Result};
use crate::notice::Letter;
use crate::outbox::State;
use crate::roster::Format;
use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Row, ToSql, Transaction};
use serde::Serialize;
use std::collections::{HashMap, HashSet};

/// One notice to one person in one revision, about to be planned.
#[derive(Debug)]
pub struct NewMessage {
    pub message_id: String,
    pub person: String,
    pub notice: String,
    pub revision: u32,
    /// 0, or how many times a human asked for it again.
    pub copy: u32,
    /// The acknowledgement that it asks for, reminds of or escalates.
    pub acknowledgement: Option<String>,
    /// Once sent, the person counts as told (an escalation goes to somebody else).
    pub tells: bool,
    /// Why it is sent, in words.
    pub reason: String,
    pub envelope_from: Option<String>,
    /// Absent: nobody can be reached by mail; the message is planned as failed.
    pub envelope_to: Option<String>,
    pub format: Format,
    /// Its reader's, as their roster has it.
    pub language: Option<String>,
    pub due_at: DateTime<Utc>,
    /// The token in its addresses.
    pub token: String,
    /// The fingerprint of the code in the package, the package and its digest.
    pub code: Option<(String, String, String)>,
    /// After this instant it is held, not sent.
    pub expires: Option<DateTime<Utc>>,
    /// The messages that it takes the place of: given up in the same transaction.
    pub replaces: Vec<i64>,
    /// An answer of this grade makes it needless: asked once more at the instant of sending.
    pub moot_at: Option<Grade>,
    /// Puts the change into a calendar, or takes it out.
    pub calendar: bool,
    /// Why it is in the words that come with the program, where the campaign has its own.
    pub shipped: Option<Finding>,
    /// Why there is no letter: the template wants what they do not have. The message is planned as failed.
    pub unwritten: Option<Finding>,
    pub letter: Letter,
}

/// What the chain says of a planned message.
#[derive(Serialize)]
struct Planned<'a> {
    message_id: &'a str,
    person: &'a str,
    notice: &'a str,
    revision: u32,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipped_text: Option<&'a str>,
}

/// A message as reports see it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MessageRow {
    pub id: i64,
    pub message_id: String,
    pub person: String,
    pub notice: String,
    pub revision: u32,
    pub copy: u32,
    pub acknowledgement: Option<String>,
    pub reason: String,
    pub envelope_to: Option<String>,
    pub due_at: DateTime<Utc>,
    pub planned_at: DateTime<Utc>,
    pub settled_at: Option<DateTime<Utc>>,
    pub state: State,
    pub attempts: u32,
    pub next_at: DateTime<Utc>,
    pub reply: String,
    /// What to do about it, where it did not leave.
    pub remedy: String,
    /// It went to the person; false: to somebody else about them.
    #[serde(skip)]
    pub tells: bool,
    /// There is a letter; false: there was no address, or it could not be written.
    #[serde(skip)]
    pub written: bool,
    /// How often nobody knew whether a server has it.
    #[serde(skip)]
    pub doubts: u32,
    /// After this instant it is held, not sent.
    #[serde(skip)]
    pub expires: Option<DateTime<Utc>>,
    /// Quiet hours put it off: when it could have left.
    #[serde(skip)]
    pub ready_at: Option<DateTime<Utc>>,
    /// A person asked that it be tried again, knowing what had become of it.
    #[serde(skip)]
    pub asked_again: bool,
}

/// How many messages are in each state, under the names of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    pub planned: usize,
    pub sending: usize,
    pub sent: usize,
    pub delivered: usize,
    pub deferred: usize,
    pub failed: usize,
    pub held: usize,
    pub uncertain: usize,
}

/// Kibibytes of pages that SQLite holds while planning (it holds 2,000 else): with fewer, pages of a hundred thousand people's
/// Message-IDs, which come at random, go out and come in again all the time.
const PLANNING_CACHE: i64 = 10_000;

/// Messages whose write-ahead log is so long that nobody should wait until it is in the database file.
const MANY: usize = 2_000;
/// Pages after which a commit takes the log into the file, as SQLite does by itself.
const AUTOCHECKPOINT: i64 = 1_000;
/// Tokens kept at a time.
const TOKENS: usize = 10_000;

const COLUMNS: &str = "id, message_id, person, notice, revision, copy, acknowledgement, reason, envelope_to, due_at, \
                       planned_at, settled_at, state, attempts, next_at, reply, tells, remedy, doubts, \
                       expires_at, ready_at, asked_again, size > 0";
/// Why a message to nobody is planned as failed.
const NOWHERE: &str = "no address in the roster";
const ADD_ONE: &str = "add one to the roster, then run `flagday send --to failed`; or reach them another way";

impl NewMessage {
    /// Why it will not leave, and what to do. Mail can never reach who has no address.
    fn lost(&self) -> Option<(Kind, String, String)> {
        if self.envelope_to.is_none() {
            return Some((Kind::HardBounce, NOWHERE.to_owned(), ADD_ONE.to_owned()));
        }
        let finding = self.unwritten.as_ref()?;
        let place = finding.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
        let remedy = format!("{}; then run `flagday send --to failed`", finding.remedy);
        Some((Kind::Unsent, format!("{place}{}", finding.cause), remedy))
    }
}

impl MessageRow {
    /// When it may leave, were nobody asleep.
    pub fn ready(&self) -> DateTime<Utc> {
        self.ready_at.unwrap_or(self.next_at)
    }
}

impl Ledger {
    /// Plans messages in bulk, in one durable transaction with what they tell: all of it, or nothing after an error. A
    /// message that is planned already stays as it is; returns how many were new.
    pub fn plan_telling(
        &mut self,
        telling: Telling<'_>,
        messages: impl IntoIterator<Item = Result<NewMessage>>,
        now: DateTime<Utc>,
    ) -> Result<usize> {
        self.db.pragma_update(None, "cache_size", -PLANNING_CACHE)?;
        self.db.pragma_update(None, "wal_autocheckpoint", 0)?;
        let planned = self.plan_all(telling, messages, now);
        self.db.pragma_update(None, "wal_autocheckpoint", AUTOCHECKPOINT)?;
        if !self.is_throwaway() && planned.as_ref().is_ok_and(|planned| *planned >= MANY) {
            self.checkpoint = Some(Checkpoint::begin(self.state.join("ledger.db")));
        }
        planned
    }

    fn plan_all(
        &mut self,
        telling: Telling<'_>,
        messages: impl IntoIterator<Item = Result<NewMessage>>,
        now: DateTime<Utc>,
    ) -> Result<usize> {
        self.durable(|tx| {
            telling.record(tx, now)?;
            let called_off = tx.query_row("SELECT count(*) FROM abort", (), |row| row.get::<_, i64>(0))? > 0;
            let mut insert = tx.prepare_cached(&format!(
                "INSERT OR IGNORE INTO message(message_id, person, notice, revision, copy, acknowledgement, tells, reason, \
                 envelope_from, envelope_to, format, due_at, planned_at, settled_at, state, next_at, reply, remedy, size, expires_at, \
                 moot_at, calendar, language, behind) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,{BEHIND})"
            ))?;
            let mut letter = tx.prepare_cached("INSERT INTO letter(message, base, sum, bytes) VALUES (?,?,?,?)")?;
            let mut packer = Packer::default();
            let mut tokens = Vec::new();
            let mut chain = audit::Chain::of(tx);
            let mut code = tx.prepare_cached("INSERT OR IGNORE INTO code VALUES (?,?,?,?,?)")?;
            let mut added = 0;
            for message in messages {
                let message = message?;
                if called_off && message.notice != "abort" {
                    let remedy = "`flagday status` says by whom and why";
                    return Err(Fault::new("aborted", "the campaign was called off", remedy));
                }
                let lost = message.lost();
                let state = if lost.is_none() { State::Planned } else { State::Failed };
                let (why, remedy) = lost.as_ref().map_or(("", ""), |(_, why, remedy)| (why, remedy));
                let values: [&dyn ToSql; 23] = [
                    &message.message_id,
                    &message.person,
                    &message.notice,
                    &message.revision,
                    &message.copy,
                    &message.acknowledgement,
                    &message.tells,
                    &message.reason,
                    &message.envelope_from,
                    &message.envelope_to,
                    &message.format.word(),
                    &millis(message.due_at),
                    &millis(now),
                    &lost.is_some().then(|| millis(now)),
                    &state.word(),
                    &millis(message.due_at),
                    &why,
                    &remedy,
                    &(message.letter.size() as i64),
                    &message.expires.map(millis),
                    &message.moot_at.map(Grade::word),
                    &message.calendar,
                    &message.language,
                ];
                let new = insert.execute(&values[..])?;
                if new == 0 {
                    continue;
                }
                added += new;
                let id = tx.last_insert_rowid();
                let Packed { base, sum, bytes } = packer.pack(id, message.letter.to_bytes());
                letter.execute((id, base, sum, bytes))?;
                for id in &message.replaces {
                    super::queue::give_up(tx, *id, now)?;
                    chain.has_grown();
                }
                if let Some((fingerprint, package, digest)) = &message.code {
                    code.execute((fingerprint, &message.person, package, message.revision, digest))?;
                }
                if let (Some((kind, ..)), true, Some(acknowledgement)) = (&lost, message.tells, message.acknowledgement) {
                    evidence::insert(tx, &Evidence {
                        id: 0,
                        at: now,
                        person: message.person.clone(),
                        acknowledgement,
                        revision: message.revision,
                        kind: *kind,
                        by: None,
                        detail: format!("{why}\n{remedy}"),
                        revoked: false,
                        address: message.envelope_to.clone(),
                    })?;
                    chain.has_grown();
                }
                let body = Planned {
                    message_id: &message.message_id,
                    person: &message.person,
                    notice: &message.notice,
                    revision: message.revision,
                    reason: &message.reason,
                    shipped_text: message.shipped.as_ref().map(|finding| finding.cause.as_str()),
                };
                chain.append(now, "planned", &body)?;
                tokens.push((message.token, message.person, message.revision, message.tells));
                if tokens.len() == TOKENS {
                    keep(tx, &mut tokens)?;
                }
            }
            keep(tx, &mut tokens)?;
            Ok(added)
        })
    }

    /// Every message, in the order in which it was planned.
    pub fn messages(&self) -> Result<Vec<MessageRow>> {
        self.select("", &[])
    }

    /// The messages from this number on, in the order in which they were planned.
    pub fn messages_from(&self, id: i64) -> Result<Vec<MessageRow>> {
        self.select("WHERE id >= ?", &[&id])
    }

    /// The newest message of a notice that really went to each address about each person: its Message-ID by person and
    /// address, in small letters.
    pub fn threads(&self, notice: &str) -> Result<HashMap<(String, String), String>> {
        let mut all = self.db.prepare_cached(
            "SELECT person, lower(envelope_to), message_id FROM message \
             WHERE notice = ? AND state IN ('sent', 'delivered') ORDER BY id",
        )?;
        let rows = all.query_map([notice], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The messages that did not arrive, or may not have: failed, bounced, held or in doubt.
    pub fn messages_in_trouble(&self) -> Result<Vec<MessageRow>> {
        self.select("WHERE state IN ('failed', 'bounced', 'held', 'uncertain')", &[])
    }

    /// The same, and those that wait because a server put them off, or go out once more.
    pub fn messages_not_arrived(&self) -> Result<Vec<MessageRow>> {
        self.select(
            &format!(
                "WHERE state IN ('failed', 'bounced', 'held', 'uncertain') \
                 OR state = 'planned' AND ({PUT_OFF} OR doubts > 0)"
            ),
            &[],
        )
    }

    /// The messages of which nobody knows whether a server has them: those that wait to go out once more as well.
    pub fn messages_in_doubt(&self) -> Result<Vec<MessageRow>> {
        self.select(&format!("WHERE {IN_DOUBT}"), &[])
    }

    /// The messages that were in doubt at any time.
    pub fn messages_once_in_doubt(&self) -> Result<Vec<MessageRow>> {
        self.select("WHERE doubts > 0", &[])
    }

    /// Reminders that have not left, or may not have: planned, held or in doubt.
    pub fn reminders_not_out(&self) -> Result<Vec<MessageRow>> {
        self.select("WHERE notice = 'reminder' AND state IN ('planned', 'held', 'uncertain')", &[])
    }

    /// Reminders in whose place a later one was planned, by their numbers.
    pub fn older_reminders(&self) -> Result<HashSet<i64>> {
        let mut all = self.db.prepare_cached(
            "SELECT id FROM message m WHERE notice = 'reminder' AND EXISTS (SELECT 1 FROM message later \
             WHERE later.person = m.person AND later.notice = m.notice AND later.acknowledgement IS m.acknowledgement \
             AND later.id > m.id AND later.state <> 'cancelled')",
        )?;
        let rows = all.query_map((), |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The messages that are still to leave.
    pub fn waiting(&self) -> Result<Vec<MessageRow>> {
        self.select("WHERE state IN ('planned', 'sending', 'transmitting')", &[])
    }

    /// Every message to one person.
    pub fn messages_to(&self, person: &str) -> Result<Vec<MessageRow>> {
        self.select("WHERE person = ?", &[&person])
    }

    /// The letters of a notice to a person themselves, in the order in which they were planned.
    pub fn letters_to(&self, person: &str, notice: &str) -> Result<Vec<MessageRow>> {
        self.select("WHERE person = ? AND notice = ? AND tells", &[&person, &notice])
    }

    pub(super) fn select(&self, condition: &str, values: &[&dyn ToSql]) -> Result<Vec<MessageRow>> {
        let mut all = self.db.prepare_cached(&format!("SELECT {COLUMNS} FROM message {condition} ORDER BY id"))?;
        let mut rows = all.query(values)?;
        let mut messages = Vec::new();
        while let Some(row) = rows.next()? {
            messages.push(read(row)?);
        }
        Ok(messages)
    }

    /// Until when a message may leave.
    pub fn expiry(&self, id: i64) -> Result<Option<DateTime<Utc>>> {
        let mut find = self.db.prepare_cached("SELECT expires_at FROM message WHERE id = ?")?;
        Ok(find.query_row([id], |row| row.get::<_, Option<i64>>(0))?.map(instant))
    }

    /// The letter as it was fixed.
    pub fn letter(&self, id: i64) -> Result<Letter> {
        let find = "SELECT base, sum, bytes FROM letter WHERE message = ?";
        let (base, sum, kept) = self.db.query_row(find, [id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Letter::from_bytes(&Unpacker::new(&self.db).unpack(base, sum, kept)?)
    }

    pub fn counts(&self) -> Result<Counts> {
        let mut all = self
            .db
            .prepare_cached(&format!("SELECT state, {PUT_OFF}, count(*) FROM message GROUP BY state, {PUT_OFF}"))?;
        let mut counts = Counts::default();
        let mut rows = all.query(())?;
        while let Some(row) = rows.next()? {
            let (state, put_off, n): (String, bool, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let n = n.max(0) as usize;
            match (state_of(&state)?, put_off) {
                (State::Planned, false) => counts.planned += n,
                (State::Planned, true) => counts.deferred += n,
                (State::Sending | State::Transmitting, _) => counts.sending += n,
                (State::Sent, _) => counts.sent += n,
                (State::Delivered, _) => counts.delivered += n,
                (State::Failed | State::Bounced, _) => counts.failed += n,
                (State::Held, _) => counts.held += n,
                // Another message took its place, and is counted.
                (State::Cancelled, _) => {}
                (State::Uncertain, _) => counts.uncertain += n,
            }
        }
        Ok(counts)
    }

    /// The person behind a reply token, and the revision they were told.
    pub fn token(&self, token: &str) -> Result<Option<(String, u32)>> {
        let find = "SELECT person, revision FROM token WHERE token = ?";
        Ok(self.db.query_row(find, [token], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
    }
}

/// Keeps reply tokens, in their order: they follow from nothing, and one by one each would touch another page.
fn keep(tx: &Transaction, tokens: &mut Vec<(String, String, u32, bool)>) -> Result<()> {
    let mut keep = tx.prepare_cached("INSERT OR IGNORE INTO token(token, person, revision, tells) VALUES (?,?,?,?)")?;
    tokens.sort_unstable();
    for token in tokens.drain(..) {
        keep.execute(token)?;
    }
    Ok(())
}

fn read(row: &Row) -> Result<MessageRow> {
    Ok(MessageRow {
        id: row.get(0)?,
        message_id: row.get(1)?,
        person: row.get(2)?,
        notice: row.get(3)?,
        revision: row.get(4)?,
        copy: row.get(5)?,
        acknowledgement: row.get(6)?,
        reason: row.get(7)?,
        envelope_to: row.get(8)?,
        due_at: instant(row.get(9)?),
        planned_at: instant(row.get(10)?),
        settled_at: row.get::<_, Option<i64>>(11)?.map(instant),
        state: state_of(&row.get::<_, String>(12)?)?,
        attempts: row.get(13)?,
        next_at: instant(row.get(14)?),
        reply: row.get(15)?,
        tells: row.get(16)?,
        remedy: row.get(17)?,
        doubts: row.get(18)?,
        expires: row.get::<_, Option<i64>>(19)?.map(instant),
        ready_at: row.get::<_, Option<i64>>(20)?.map(instant),
        asked_again: row.get(21)?,
        written: row.get(22)?,
    })
}

pub(super) fn state_of(word: &str) -> Result<State> {
    State::from_word(word).ok_or_else(|| {
        let cause = format!("a message is in the unknown state '{word}'");
        Fault::new("ledger-state", cause, "use the flagday that wrote this ledger")
    })
}
