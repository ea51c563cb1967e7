//! The outbox as the lanes see it: claims that are durable, marks and results that survive a killed process (on the slip,
//! taken over with the next claim), and what a crash left behind put right.

use super::doubt;
use super::letters::Unpacker;
use super::messages::state_of;
use super::slip::{Line, Settled, Slip};
use super::{Ledger, audit, evidence, instant, millis, next, senders};
use crate::answer::{Evidence, Kind};
use crate::fault::{Fault, Result};
use crate::notice::{Letter, Segment, open_file};
use crate::outbox::{Claimed, Event, Lease, Outcome, Payload, Queue, State, Suspended};
use crate::system;
use chrono::{DateTime, Utc};
use rusqlite::{Row, Transaction};
use serde::Serialize;
use std::collections::HashSet;
use std::io::Write;
use std::sync::Arc;

/// Between what was said of a message last and what was said first.
pub(super) const BEFORE: &str = "; before that: ";

/// A letter that opens its attachments on this machine.
struct Stored(Letter);

impl Payload for Stored {
    fn size(&self) -> u64 {
        self.0.size()
    }

    fn write(&self, out: &mut dyn Write) -> Result<()> {
        self.0.write(out, &open_file)
    }

    fn eight_bit(&self) -> bool {
        // Attachments are encoded into 7 bits, whatever they hold.
        self.0.segments().iter().any(|segment| matches!(segment, Segment::Bytes(bytes) if !bytes.is_ascii()))
    }
}

impl Queue for Ledger {
    fn claim_except(&mut self, now: DateTime<Utc>, limit: usize, domains: &[String]) -> Result<Vec<Claimed>> {
        let due = self.planned();
        self.claim_those(now, |tx| next::in_turn(tx, &due, now, limit, domains))
    }

    fn claim_elsewhere(&mut self, now: DateTime<Utc>, count: usize, tried: &[String]) -> Result<Vec<Claimed>> {
        let due = self.planned();
        self.claim_those(now, |tx| next::elsewhere(tx, &due, now, count, tried))
    }

    fn has_others(&mut self, now: DateTime<Utc>) -> Result<bool> {
        let due = self.planned();
        self.take_over(|tx| next::any_not_refused(tx, &due, now))
    }

    fn mark(&mut self, id: i64, fence: i64) -> Result<Lease> {
        self.note_down(Line { id, fence, result: None })
    }

    fn settle(&mut self, id: i64, fence: i64, outcome: Outcome, now: DateTime<Utc>) -> Result<Lease> {
        let result = Settled {
            event: outcome.event(),
            at: millis(now),
            due: outcome.due().map(millis),
            attempt: outcome.uses_an_attempt(),
            asleep: matches!(outcome, Outcome::Asleep { .. }),
            proves: match outcome {
                Outcome::Sent { .. } | Outcome::Stored { .. } => Some(Kind::Sent),
                Outcome::Failed { ref refusal } if refusal.is_of_the_recipient() => Some(Kind::HardBounce),
                Outcome::Failed { .. } | Outcome::Late => Some(Kind::Unsent),
                _ => None,
            },
            words: outcome.to_string(),
            remedy: outcome.remedy().unwrap_or_default(),
        };
        let lease = self.note_down(Line { id, fence, result: Some(result) })?;
        self.claims.remove(&id);
        self.questionable.remove(&id);
        if self.slip.as_ref().is_some_and(Slip::is_old) {
            self.take_over(|_| Ok(()))?;
        }
        Ok(lease)
    }

    fn moot(&mut self, message: &Claimed) -> Result<Option<String>> {
        if self.questionable.contains(&message.id) { self.moot_now(message.id, self.claimed_at) } else { Ok(None) }
    }

    fn called_off(&mut self) -> Result<bool> {
        Ok(!self.carries_abort && self.aborted()?.is_some())
    }

    fn suspend(&mut self, suspended: &Suspended, taken_back: &[i64], now: DateTime<Utc>) -> Result<()> {
        self.write_suspension(suspended, taken_back, now)
    }

    fn resume(&mut self, now: DateTime<Utc>) -> Result<()> {
        self.end_suspension(now)
    }

    fn flush(&mut self) -> Result<()> {
        self.take_over(|_| Ok(()))?;
        self.slip = None;
        Ok(())
    }
}

impl Ledger {
    /// The messages that could not be read since this was last asked: the person, and why. They are held.
    pub fn take_unreadable(&mut self) -> Vec<(String, Fault)> {
        std::mem::take(&mut self.unreadable)
    }

    /// Claims what is next, or what comes after it when none of that can be read.
    fn claim_those(
        &mut self,
        now: DateTime<Utc>,
        next: impl Fn(&Transaction) -> Result<Vec<i64>>,
    ) -> Result<Vec<Claimed>> {
        let boot = system::boot_id();
        self.claimed_at = now;
        let (claimed, questionable, unreadable) = self.take_over(|tx| {
            let mut fetch = tx.prepare_cached(
                "SELECT id, fence, attempts, person, notice, message_id, envelope_from, envelope_to, bytes, expires_at, \
                 moot_at IS NOT NULL, base, sum, format, doubts > 0 FROM message JOIN letter ON letter.message = message.id WHERE id = ?",
            )?;
            let mut take = tx.prepare_cached("UPDATE message SET state = ?2, fence = ?3, boot = ?4 WHERE id = ?1")?;
            let taken = State::Planned.apply(Event::Claim)?.word();
            let (mut claimed, mut questionable, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
            let mut letters = Unpacker::new(tx);
            while claimed.is_empty() {
                let ids = next(tx)?;
                if ids.is_empty() {
                    break;
                }
                for id in ids {
                    let mut rows = fetch.query([id])?;
                    let Some(row) = rows.next()? else { continue };
                    match read(row, &mut letters) {
                        Ok(message) => {
                            if row.get(10)? {
                                questionable.push(id);
                            }
                            claimed.push(message);
                        }
                        // One damaged message keeps nobody else waiting.
                        Err(fault) => {
                            set_aside(tx, id, &fault, now)?;
                            unreadable.push((row.get(3)?, fault));
                        }
                    }
                }
            }
            for message in &claimed {
                take.execute((message.id, taken, message.fence, &boot))?;
            }
            Ok((claimed, questionable, unreadable))
        })?;
        self.unreadable.extend(unreadable);
        self.questionable.extend(questionable);
        self.claims.extend(claimed.iter().map(|message| (message.id, message.fence)));
        Ok(claimed)
    }

    /// On the slip, when the claim is still ours.
    fn note_down(&mut self, line: Line) -> Result<Lease> {
        match &mut self.slip {
            Some(slip) if self.claims.get(&line.id) == Some(&line.fence) => slip.write(line).map(|()| Lease::Held),
            _ => Ok(Lease::Lost),
        }
    }

    /// Takes over what stands on the slip, and makes `change` in the same durable transaction. From here on this process
    /// alone may send.
    pub(super) fn take_over<T>(&mut self, change: impl FnOnce(&Transaction) -> Result<T>) -> Result<T> {
        let mut slip = match self.slip.take() {
            Some(slip) => slip,
            None => Slip::take(&self.state)?,
        };
        let value = self.durable(|tx| {
            read_off(tx, slip.lines())?;
            change(tx)
        });
        let cleared = if value.is_ok() { slip.clear() } else { Ok(()) };
        self.slip = Some(slip);
        cleared.and(value)
    }

    /// Takes over what a killed run left on its slip: the ledger is then as that run left it.
    pub(super) fn take_over_left_behind(&mut self) -> Result<()> {
        self.slip = Slip::left_behind(&self.state)?;
        if self.slip.is_none() {
            return Ok(());
        }
        match self.flush() {
            // Whoever only looks can look all the same; the slip stays until there is room.
            Err(fault) if fault.findings.iter().any(|finding| finding.code == "ledger-disk-full") => {
                self.slip = None;
                Ok(())
            }
            taken => taken,
        }
    }
}

/// A claimed message as the lanes want it.
fn read(row: &Row, letters: &mut Unpacker) -> Result<Claimed> {
    let letter = letters.unpack(row.get(11)?, row.get(12)?, row.get(8)?)?;
    Ok(Claimed {
        id: row.get(0)?,
        fence: row.get::<_, i64>(1)? + 1,
        attempt: row.get(2)?,
        person: row.get(3)?,
        notice: row.get(4)?,
        message_id: row.get(5)?,
        envelope_from: row.get::<_, Option<String>>(6)?.map(address).transpose()?,
        envelope_to: address(row.get::<_, Option<String>>(7)?.unwrap_or_default())?,
        sender: senders::sender_of(&row.get::<_, String>(13)?),
        expires: row.get::<_, Option<i64>>(9)?.map(instant),
        may_be_there: row.get(14)?,
        payload: Arc::new(Stored(Letter::from_bytes(&letter)?)),
    })
}

/// Holds a message that cannot be read, with the reason.
fn set_aside(tx: &Transaction, id: i64, fault: &Fault, now: DateTime<Utc>) -> Result<()> {
    let Some(mut message) = subject(tx, id)? else { return Ok(()) };
    message.state = message.state.apply(Event::Hold)?;
    let remedy = fault.findings.first().map(|finding| finding.remedy.as_str()).unwrap_or_default();
    let proves = (message.doubts == 0).then_some(Kind::Unsent);
    tx.prepare_cached("UPDATE message SET state = ?2, reply = ?3, remedy = ?4, settled_at = ?5 WHERE id = ?1")?
        .execute((id, message.state.word(), fault.cause(), remedy, millis(now)))?;
    record(tx, message, proves, Said { words: fault.cause(), remedy }, now)
}

/// What the chain says of a message that moved on.
#[derive(Serialize)]
struct Moved<'a> {
    message_id: &'a str,
    state: &'a str,
    reply: &'a str,
}

/// What the ledger has to know of a message to move it on.
struct Subject {
    state: State,
    fence: i64,
    /// How often nobody knew whether a server has it.
    doubts: u32,
    message_id: String,
    person: String,
    acknowledgement: Option<String>,
    tells: bool,
    revision: u32,
    /// What was said of it last.
    reply: String,
    envelope_to: Option<String>,
}

/// What was said of a message, and what to do about it.
#[derive(Clone, Copy)]
struct Said<'a> {
    words: &'a str,
    remedy: &'a str,
}

fn subject(tx: &Transaction, id: i64) -> Result<Option<Subject>> {
    let mut find = tx.prepare_cached(
        "SELECT state, fence, message_id, person, acknowledgement, tells, revision, reply, doubts, envelope_to FROM message WHERE id = ?",
    )?;
    let mut rows = find.query([id])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(Subject {
        state: state_of(&row.get::<_, String>(0)?)?,
        fence: row.get(1)?,
        message_id: row.get(2)?,
        person: row.get(3)?,
        acknowledgement: row.get(4)?,
        tells: row.get(5)?,
        revision: row.get(6)?,
        reply: row.get(7)?,
        doubts: row.get(8)?,
        envelope_to: row.get(9)?,
    }))
}

/// Moves messages on by the lines of the slip. Lines under an old fence, and lines taken over before, change nothing.
fn read_off(tx: &Transaction, lines: &[Line]) -> Result<()> {
    // The mark of a message whose result stands here too needs no write of its own.
    let results: HashSet<(i64, i64)> =
        lines.iter().filter(|line| line.result.is_some()).map(|line| (line.id, line.fence)).collect();
    let marked: HashSet<(i64, i64)> =
        lines.iter().filter(|line| line.result.is_none()).map(|line| (line.id, line.fence)).collect();
    for line in lines {
        let claim = (line.id, line.fence);
        if line.result.is_none() && results.contains(&claim) {
            continue;
        }
        let Some(mut message) = subject(tx, line.id)? else { continue };
        if message.fence != line.fence || !matches!(message.state, State::Sending | State::Transmitting) {
            continue;
        }
        if message.state == State::Sending && marked.contains(&claim) {
            message.state = message.state.apply(Event::Mark)?;
        }
        match &line.result {
            None => set_state(tx, line.id, message.state)?,
            Some(result) => settle(tx, line.id, message, result)?,
        }
    }
    Ok(())
}

fn settle(tx: &Transaction, id: i64, mut message: Subject, result: &Settled) -> Result<()> {
    let (mut words, mut remedy, mut proves) = (result.words.clone(), result.remedy.as_str(), result.proves);
    // A server may have it: that it was refused or late for once more does not say that it was not sent.
    let event = match result.event {
        Event::Refuse | Event::Hold if message.doubts > 0 => {
            words = match result.event {
                Event::Refuse => format!("in doubt, then refused: {words}"),
                _ => format!("in doubt, and {words} once more"),
            };
            (remedy, proves) = (doubt::ASK_FIRST, None);
            Event::Hold
        }
        event => event,
    };
    message.state = message.state.apply(event)?;
    // Nothing was said of it: what a server said before still holds.
    let given_back = event == Event::Release && remedy.is_empty();
    if event == Event::Hold && !message.reply.is_empty() {
        // Why it was not sent in time, or in doubt; of what was said between that and now nothing is new.
        let first = message.reply.rsplit(BEFORE).next().unwrap_or_default();
        words += &format!("{BEFORE}{first}");
    }
    tx.prepare_cached(
        "UPDATE message SET state = ?2, attempts = attempts + ?3, next_at = coalesce(?4, next_at), settled_at = ?5, \
         reply = iif(?10 AND (attempts > 0 OR remedy <> ''), reply, ?6), doubts = doubts + ?7, \
         remedy = iif(?10, remedy, ?8), ready_at = iif(?9, coalesce(ready_at, next_at), NULL) WHERE id = ?1",
    )?
    .execute((
        id,
        message.state.word(),
        i64::from(result.attempt),
        result.due,
        result.at,
        &words,
        i64::from(result.event == Event::Doubt),
        remedy,
        result.asleep,
        given_back,
    ))?;
    record(tx, message, proves, Said { words: &words, remedy }, instant(result.at))
}

fn set_state(tx: &Transaction, id: i64, state: State) -> Result<()> {
    tx.prepare_cached("UPDATE message SET state = ?2 WHERE id = ?1")?.execute((id, state.word()))?;
    Ok(())
}

/// Moves a message by one event, and writes that down in the chain.
pub(super) fn move_on(tx: &Transaction, id: i64, event: Event, words: &str, now: DateTime<Utc>) -> Result<()> {
    let Some(mut message) = subject(tx, id)? else { return Ok(()) };
    message.state = message.state.apply(event)?;
    set_state(tx, id, message.state)?;
    record(tx, message, None, Said { words, remedy: "" }, now)
}

/// The result as an event of the chain and, where the message tells a person something, as evidence.
fn record(tx: &Transaction, message: Subject, kind: Option<Kind>, said: Said<'_>, now: DateTime<Utc>) -> Result<()> {
    let body = Moved { message_id: &message.message_id, state: message.state.word(), reply: said.words };
    audit::append(tx, now, "message", &body)?;
    if let (Some(kind), Some(acknowledgement), true) = (kind, message.acknowledgement, message.tells) {
        let Subject { person, revision, envelope_to: address, .. } = message;
        let (detail, by, revoked) = (if kind == Kind::Sent { String::new() } else { said.detail() }, None, false);
        let fact = Evidence { id: 0, at: now, person, acknowledgement, revision, kind, by, detail, revoked, address };
        evidence::insert(tx, &fact)?;
    }
    Ok(())
}

impl Said<'_> {
    /// As a fact about a person keeps it: what to do is its second line.
    fn detail(self) -> String {
        let words = self.words.replace('\n', " ");
        if self.remedy.is_empty() { words } else { format!("{words}\n{}", self.remedy.replace('\n', " ")) }
    }
}

/// Gives a message up for good inside the transaction that plans the one in its place.
pub(super) fn give_up(tx: &Transaction, id: i64, now: DateTime<Utc>) -> Result<()> {
    cancel(tx, id, "replaced", now)
}

/// Gives a message up for good, with the reason.
pub(super) fn cancel(tx: &Transaction, id: i64, words: &str, now: DateTime<Utc>) -> Result<()> {
    // What was said of a letter in doubt is of use again when its person is back. A bounce has settled the doubt of before.
    tx.prepare_cached(
        "UPDATE message SET settled_at = ?3, doubts = iif(state = 'bounced', 0, doubts), \
         reply = ?2 || iif(doubts > 0 AND reply <> '', ?4 || reply, '') WHERE id = ?1",
    )?
    .execute((id, words, millis(now), BEFORE))?;
    move_on(tx, id, Event::Cancel, words, now)
}

fn address(text: String) -> Result<lettre::Address> {
    text.parse().map_err(|error| {
        let cause = format!("the ledger holds an address that is none: {error}");
        Fault::new("ledger-address", cause, "run `flagday audit verify`")
    })
}

impl Ledger {
    /// Plans failed, held or doubtful messages again, with the very same bytes.
    pub fn retry(&mut self, ids: &[i64], now: DateTime<Utc>) -> Result<()> {
        self.durable(|tx| {
            for id in ids {
                // A bounce has settled the doubt of before.
                tx.prepare_cached("UPDATE message SET doubts = 0 WHERE id = ? AND state = 'bounced'")?.execute([id])?;
                move_on(tx, *id, Event::Retry, "tried again by the operator", now)?;
                tx.prepare_cached(
                    "UPDATE message SET next_at = ?2, attempts = 0, remedy = '', asked_again = 1 WHERE id = ?1",
                )?
                .execute((id, millis(now)))?;
            }
            Ok(())
        })
    }

    /// Gives up messages that wait, are held or are in doubt, with the reason.
    pub fn give_up(&mut self, ids: &[i64], words: &str, now: DateTime<Utc>) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        self.durable(|tx| ids.iter().try_for_each(|id| cancel(tx, *id, words, now)))
    }

    /// Messages that wait sleep until these instants, and those without one no longer: when they were ready is kept, so that
    /// other quiet hours, or somebody who asks for them, count at once.
    pub fn let_sleep(&mut self, until: &[(i64, Option<DateTime<Utc>>)]) -> Result<()> {
        if until.is_empty() {
            return Ok(());
        }
        self.durable(|tx| {
            let mut sleep = tx.prepare(
                "UPDATE message SET ready_at = coalesce(ready_at, next_at), next_at = ?2 WHERE id = ?1 AND state = 'planned'",
            )?;
            let mut wake = tx.prepare(
                "UPDATE message SET next_at = ready_at, ready_at = NULL \
                 WHERE id = ?1 AND state = 'planned' AND ready_at IS NOT NULL",
            )?;
            for (id, at) in until {
                match at {
                    Some(at) => sleep.execute((id, millis(*at)))?,
                    None => wake.execute([id])?,
                };
            }
            Ok(())
        })
    }

    /// Whether quiet hours have put off anything that waits.
    pub fn has_asleep(&self) -> Result<bool> {
        let find = "SELECT EXISTS (SELECT 1 FROM message WHERE state = 'planned' AND ready_at IS NOT NULL)";
        Ok(self.db.query_row(find, (), |row| row.get(0))?)
    }
}
