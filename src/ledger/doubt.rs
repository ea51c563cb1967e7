//! Messages of which nobody knows whether a server has them: what a killed run left, and what settles them.

use super::messages::state_of;
use super::queue::{BEFORE, move_on};
use super::{Ledger, MessageRow, evidence, floor, millis};
use crate::answer::{Evidence, Kind};
use crate::campaign::Uncertain;
use crate::fault::Result;
use crate::outbox::{Event, State, UNCERTAIN_PAUSE};
use crate::system;
use chrono::{DateTime, Utc};
use rusqlite::Transaction;
use std::collections::HashSet;

/// A message that has left, as far as anybody knows, as SQL: what was in doubt once may be with whom it is for, whatever became
/// of it afterwards. [`MessageRow::may_be_there`] says the same.
pub(super) const LEFT: &str = "(state IN ('sending', 'transmitting', 'sent', 'delivered', 'uncertain') \
                               OR doubts > 0 AND state <> 'bounced')";
/// A message of which nobody knows yet whether a server has it, as SQL. [`MessageRow::is_in_doubt`] says the same.
pub(super) const IN_DOUBT: &str =
    "(state = 'uncertain' OR doubts > 0 AND state NOT IN ('sent', 'delivered', 'bounced', 'cancelled'))";
/// A message that was taken back before anybody could have it, as SQL. [`MessageRow::is_taken_back`] says the same.
pub(super) const TAKEN_BACK: &str = "(state = 'cancelled' AND doubts = 0)";

/// Why a message is held that a server may have.
const TWICE: &str = "in doubt twice: held until a person decides";
/// What a person can do about it.
pub(super) const ASK_FIRST: &str = "ask the person whether it came and record that; `flagday send --to failed` sends the same \
                                    bytes again, perhaps as a further copy";

impl MessageRow {
    /// Whether the person it is for may have it, as far as anybody knows. A bounce settles that they have not.
    pub fn may_be_there(&self) -> bool {
        let left = [State::Sending, State::Transmitting, State::Sent, State::Delivered, State::Uncertain];
        left.contains(&self.state) || self.doubts > 0 && self.state != State::Bounced
    }

    /// Whether a server may have it or not, and nothing has settled that. It may wait to go out once more, or be held.
    pub fn is_in_doubt(&self) -> bool {
        let settled = [State::Sent, State::Delivered, State::Bounced, State::Cancelled];
        self.state == State::Uncertain || self.doubts > 0 && !settled.contains(&self.state)
    }

    /// Whether it may leave yet, did not arrive or may not have: not settled by being with whom it is for, or taken back.
    pub fn is_open(&self) -> bool {
        !matches!(self.state, State::Sent | State::Delivered | State::Cancelled)
    }

    /// Whether its person is among those who have answered what it asks for, by person and acknowledgement. What somebody else
    /// may have been told about them is in doubt all the same.
    pub fn is_settled_by(&self, answered: &HashSet<(String, String)>) -> bool {
        let asked = self.acknowledgement.as_ref();
        (self.tells || !self.is_in_doubt())
            && asked.is_some_and(|asked| answered.contains(&(self.person.clone(), asked.clone())))
    }

    /// Whether it was taken back before anybody could have it.
    pub fn is_taken_back(&self) -> bool {
        self.state == State::Cancelled && self.doubts == 0
    }
}

impl Ledger {
    /// Whose letter that asks for an acknowledgement, or reminds of it, a server may have or not.
    pub fn doubtful(&self, acknowledgement: &str) -> Result<HashSet<String>> {
        let mut all = self.db.prepare_cached(&format!(
            "SELECT person FROM message m WHERE {IN_DOUBT} AND tells AND acknowledgement = ? AND {}",
            floor::message_holds("m")
        ))?;
        let rows = all.query_map([acknowledgement], |row| row.get(0))?;
        let mut doubtful: HashSet<String> = rows.collect::<Result<_, _>>()?;
        // Of who is back and not taken note of yet, too.
        let taken_back = self.taken_back_in_doubt()?.into_iter();
        let about = taken_back.filter(|message| message.acknowledgement.as_deref() == Some(acknowledgement));
        doubtful.extend(about.map(|message| message.person));
        Ok(doubtful)
    }

    /// How many messages are held because a server may have them.
    pub fn held_in_doubt(&self) -> Result<usize> {
        let mut count = self.db.prepare_cached("SELECT count(*) FROM message WHERE state = 'held' AND doubts > 0")?;
        Ok(count.query_row((), |row| row.get::<_, i64>(0))?.max(0) as usize)
    }

    /// The letters to a person that were taken back while they were in doubt, hold still, and have none in their place: whoever
    /// they are for has them, or has nothing. Reminders are left out: they have their hour.
    pub fn taken_back_in_doubt(&self) -> Result<Vec<MessageRow>> {
        self.select(
            &format!(
                "m WHERE state = 'cancelled' AND doubts > 0 AND tells AND notice <> 'reminder' AND {} \
                 AND NOT EXISTS (SELECT 1 FROM message later WHERE later.person = m.person AND later.notice = m.notice \
                 AND later.tells AND later.id > m.id AND NOT (later.state = 'cancelled' AND later.doubts = 0))",
                floor::message_holds("m")
            ),
            &[],
        )
    }

    /// What was taken back in doubt is in doubt again, from when it was taken back on.
    pub fn doubt_again(&mut self, ids: &[i64], words: &str, now: DateTime<Utc>) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        self.durable(|tx| {
            for id in ids {
                move_on(tx, *id, Event::Doubt, words, now)?;
                let keep = "UPDATE message SET reply = ?2 || iif(instr(reply, ?3) > 0, substr(reply, instr(reply, ?3)), '') \
                            WHERE id = ?1";
                tx.execute(keep, (id, words, BEFORE))?;
            }
            Ok(())
        })
    }

    /// Puts right what a killed process or a power cut left: claimed messages go back, those whose mark stands become
    /// uncertain. Uncertain ones are planned once more after a pause, or held, as the campaign says. Returns how many are held
    /// now, in doubt for the second time.
    pub fn recover(&mut self, now: DateTime<Utc>, policy: Uncertain) -> Result<usize> {
        self.recover_in(&system::boot_id(), now, policy)
    }

    /// The same in a given start of the machine.
    pub(super) fn recover_in(&mut self, boot: &str, now: DateTime<Utc>, policy: Uncertain) -> Result<usize> {
        let waited = millis(now) - UNCERTAIN_PAUSE.num_milliseconds();
        self.claims.clear();
        let recovered = self.take_over(|tx| {
            let mut open = tx.prepare("SELECT id, boot FROM message WHERE state IN ('sending', 'transmitting')")?;
            let found: Vec<(i64, String)> =
                open.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
            for (id, claimed_in) in found {
                // Marks survive a killed process, not always a power cut; after one, every claim is in doubt. So it is where
                // the system does not tell one from the other.
                let same = claimed_in == boot && !boot.is_empty();
                let event = if same { Event::Crash } else { Event::PowerCut };
                move_on(tx, id, event, "recovered", now)?;
                tx.execute(
                    "UPDATE message SET doubts = doubts + 1, settled_at = ?2, reply = 'the run ended while it was being sent' \
                     WHERE id = ?1 AND state = 'uncertain'",
                    (id, millis(now)),
                )?;
            }
            let mut doubtful =
                tx.prepare("SELECT id, doubts, settled_at FROM message WHERE state = 'uncertain' ORDER BY id")?;
            let found: Vec<(i64, i64, Option<i64>)> = doubtful
                .query_map((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect::<Result<_, _>>()?;
            let mut held = 0;
            for (id, doubts, since) in found {
                let event = match policy {
                    Uncertain::Hold => continue,
                    Uncertain::Retry if doubts > 1 => Event::Hold,
                    Uncertain::Retry if since.is_some_and(|since| since > waited) => continue,
                    Uncertain::Retry => Event::Retry,
                };
                let words = if event == Event::Retry { "in doubt: the same bytes once more" } else { TWICE };
                move_on(tx, id, event, words, now)?;
                tx.execute("UPDATE message SET next_at = ?2 WHERE id = ?1", (id, millis(now)))?;
                if event == Event::Hold {
                    held += 1;
                    let say = "UPDATE message SET reply = ?2 || ?4 || reply, remedy = ?3 WHERE id = ?1";
                    tx.execute(say, (id, TWICE, ASK_FIRST, BEFORE))?;
                }
            }
            Ok(held)
        });
        self.slip = None;
        recovered
    }
}

/// A letter in doubt has proved to be with a server: accepted, and no more than that is known.
pub(super) fn taken(tx: &Transaction, id: i64, now: DateTime<Utc>) -> Result<()> {
    let mut find = tx.prepare_cached(
        "SELECT state, person, acknowledgement, tells, revision, envelope_to FROM message WHERE id = ?",
    )?;
    let (state, person, asked, tells, revision, address): (String, String, Option<String>, bool, u32, Option<String>) =
        find.query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?)))?;
    if state_of(&state)?.apply(Event::Accept).is_err() {
        return Ok(());
    }
    let words = "no longer in doubt: a letter that came in shows that a server has it";
    tx.prepare_cached("UPDATE message SET reply = ?2, remedy = '' WHERE id = ?1")?.execute((id, words))?;
    move_on(tx, id, Event::Accept, words, now)?;
    if let Some(acknowledgement) = asked.filter(|_| tells) {
        let (kind, by, detail, revoked) = (Kind::Sent, None, String::new(), false);
        let fact = Evidence { id: 0, at: now, person, acknowledgement, revision, kind, by, detail, revoked, address };
        evidence::insert(tx, &fact)?;
    }
    Ok(())
}

/// A fact that only somebody can give who has the notice settles the message that is in doubt, or waits to go out once more
/// because of it: the code that stands in its package, or the word typed behind its link, where no other letter had one.
/// What comes by mail settles the message that it answers. A word on the phone can be given without any letter.
pub(super) fn settled_by(tx: &Transaction, fact: &Evidence) -> Result<()> {
    let only_letter = match fact.kind {
        Kind::Code => false,
        Kind::Confirmed => true,
        _ => return Ok(()),
    };
    let mut doubtful = tx.prepare_cached(&format!(
        "SELECT id FROM message m WHERE person = ?1 AND acknowledgement = ?2 AND revision = ?3 AND tells \
         AND notice <> 'reminder' AND {IN_DOUBT} AND state IN ('uncertain', 'held', 'planned') \
         AND NOT (?4 AND EXISTS (SELECT 1 FROM message o WHERE o.person = m.person AND o.id <> m.id AND o.tells \
         AND o.acknowledgement = m.acknowledgement AND o.state IN ('sent', 'delivered')))"
    ))?;
    let found: Vec<i64> = doubtful
        .query_map((&fact.person, &fact.acknowledgement, fact.revision, only_letter), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for id in found {
        let words = format!("no longer in doubt: {} {}", fact.person, fact.kind.words());
        tx.prepare_cached("UPDATE message SET reply = ?2 WHERE id = ?1")?.execute((id, &words))?;
        move_on(tx, id, Event::Deliver, &words, fact.at)?;
    }
    Ok(())
}
