//! What failed, is held or is in doubt, once more: the same bytes, or a new letter where the roster has another address by
//! now, the person's own or that of whom an escalation asks. It says all that the first one said, and takes the same calendar
//! entry out. What waits and has never left is written anew in the same way, by itself.

use super::Engine;
use super::clock::is_of_a_wrong_clock;
use super::in_vain::is_in_vain;
use super::reason::Reason;
use super::sending::{Intent, Sent, To};
use crate::fault::Result;
use crate::ledger::{MessageRow, OUTDATED};
use crate::outbox::{State, UNCERTAIN_PAUSE};
use crate::roster::Person;
use lettre::Address;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What is tried again.
#[derive(Debug, Default)]
pub(super) struct Again {
    /// Those that go out as they are.
    pub same: Vec<i64>,
    /// How many more would, were there no limit.
    pub left: usize,
    /// In doubt for so short that a delivery report may come first: left as they are.
    pub resting: usize,
    /// How many of those that go out as they are may have arrived before.
    pub further: usize,
    /// Letters to another address.
    pub intents: Vec<Intent>,
    /// All of them, by person and notice.
    pub letters: HashSet<(String, String)>,
}

impl Engine<'_> {
    /// Plans messages in trouble again, and says which of them have to be written anew.
    pub(super) fn try_again(&mut self, notice: Option<&str>, limit: usize) -> Result<Again> {
        let again = self.to_try_again(notice, limit)?;
        self.ledger.retry(&again.same, self.now())?;
        Ok(again)
    }

    /// What is tried again. What is not true any more stays where it is, and so do all reminders but the newest.
    pub(super) fn to_try_again(&self, notice: Option<&str>, limit: usize) -> Result<Again> {
        let (now, mut untrue) = (self.now(), self.untrue()?);
        untrue.extend(self.ledger.older_reminders()?);
        let mut again = Again::default();
        let look = self.look_around()?;
        let settled = self.settled()?;
        let mut asked: HashSet<(String, Option<String>, Address)> = HashSet::new();
        let mut copies: HashMap<String, HashSet<(String, u32)>> = HashMap::new();
        for message in self.ledger.messages_in_trouble()? {
            if untrue.contains(&message.id) || notice.is_some_and(|name| name != message.notice) {
                continue;
            }
            if message.state == State::Uncertain && message.settled_at.is_some_and(|at| at + UNCERTAIN_PAUSE > now) {
                // A delivery report can come first.
                again.resting += 1;
                continue;
            }
            // Who has answered needs no further copy.
            if message.is_settled_by(&settled) {
                continue;
            }
            let key = (message.person.clone(), message.notice.clone());
            let person = self.roster.shared(&message.person);
            let address = person.as_ref().and_then(|person| person.email.as_ref()).map(ToString::to_string);
            // Whoever has left is told nothing any more, but that it is off.
            if message.notice != "abort" && !self.is_there(&message) {
                continue;
            }
            // What may have arrived already goes out as the same bytes only, so that a receiver can drop the double.
            let in_doubt = message.is_in_doubt();
            let mut instead = None;
            let anew = |one: &Person| !message.tells && !message.written || asks_somebody_gone(&message, one);
            if let Some(person) = person.as_ref().filter(|one| !in_doubt && anew(one)) {
                let to = match asks_somebody_gone(&message, person) {
                    true => look.asked_instead(&message, person)?,
                    false => message.envelope_to.as_ref().and_then(|to| to.parse().ok()),
                };
                let Some(to) = to else { continue };
                // Two letters that did not reach the old address are one to the new one.
                if !asked.insert((person.id.clone(), message.acknowledgement.clone(), to.clone())) {
                    continue;
                }
                instead = Some(to);
            } else if address.is_none()
                || address == message.envelope_to && message.written
                || !message.tells
                || in_doubt
            {
                let known = message.written && (address.is_some() || !message.tells || person.is_none());
                if known && again.same.len() >= limit {
                    again.left += 1;
                } else if known {
                    again.same.push(message.id);
                    again.further += usize::from(message.doubts > 0);
                    again.letters.insert(key);
                }
                continue;
            }
            let Some(person) = person else { continue };
            if !copies.contains_key(&message.notice) {
                copies.insert(message.notice.clone(), self.ledger.copies(&message.notice)?);
            }
            let taken = copies.entry(message.notice.clone()).or_default();
            let copy = taken.iter().filter(|(id, _)| *id == person.id).map(|(_, copy)| copy + 1).max().unwrap_or(0);
            // Two letters about one person, to two who are asked about them, are two.
            taken.insert((person.id.clone(), copy));
            if let Some(intent) = self.written_anew(message, person, instead, copy)? {
                again.letters.insert(key);
                again.intents.push(intent);
            }
        }
        Ok(again)
    }

    /// A further copy takes the place of those that wait, did not arrive or may not have: else they would go out, or be asked
    /// for, once more as well. Whoever has none of them yet reads the reason that those gave.
    pub(super) fn replace_earlier(&self, intent: &mut Intent) -> Result<()> {
        let earlier = self.ledger.letters_to(&intent.person.id, &intent.notice)?;
        let Some(newest) = earlier.iter().rfind(|one| one.is_open()) else { return Ok(()) };
        if !earlier.iter().any(|one| one.revision >= newest.revision && one.may_be_there()) {
            intent.reason = reason_of(newest, &intent.person);
        }
        intent.replaces = earlier.iter().filter(|one| one.is_open()).map(|one| one.id).collect();
        Ok(())
    }

    /// Of people asked for by name, the letters of this notice that did not arrive where none is planned, left or may have, the
    /// newest each: asking for them by name does not send another.
    pub(super) fn failed_before(&self, notice: &str, to: &To, intents: &[Intent]) -> Result<Vec<MessageRow>> {
        let To::People(words) = to else { return Ok(Vec::new()) };
        let untrue = self.untrue()?;
        let mut failed = Vec::new();
        let mut ids: Vec<String> = self.ids_of(words)?.into_iter().collect();
        ids.sort();
        for id in ids.into_iter().filter(|id| !intents.iter().any(|intent| intent.person.id == *id)) {
            let mut letters = self.ledger.letters_to(&id, notice)?;
            letters.retain(|one| !untrue.contains(&one.id) && one.state != State::Cancelled);
            let did_not_arrive = |one: &MessageRow| matches!(one.state, State::Failed | State::Bounced | State::Held);
            if letters.iter().all(did_not_arrive) {
                failed.extend(letters.pop());
            }
        }
        Ok(failed)
    }

    /// Plans what waits and has never left anew, to the addresses that the roster has today.
    pub(super) fn readdress(&mut self, sent: &mut Sent) -> Result<()> {
        let gone = self.asking_nobody()?;
        self.ledger.hold_back(&gone, "taken back: whom it asked is on no roster any more", self.now())?;
        let intents = self.readdressed()?;
        sent.readdressed = self.plan_messages(&intents, sent)?;
        sent.miss(&intents);
        let now = self.now();
        let redated = self.anew(|message, _| is_of_a_wrong_clock(message, now))?;
        sent.redated = self.plan_messages(&redated, sent)?;
        Ok(())
    }

    /// People with a letter that waits under an address that the roster has no longer, in the order of planning.
    pub fn to_readdress(&self) -> Result<Vec<String>> {
        let mut people: Vec<String> = self.readdressed()?.iter().map(|intent| intent.person.id.clone()).collect();
        people.dedup();
        Ok(people)
    }

    /// Escalations that wait for somebody whom the roster has no longer, with nobody in their place.
    fn asking_nobody(&self) -> Result<Vec<i64>> {
        let waiting =
            self.ledger.waiting()?.into_iter().filter(|one| one.state == State::Planned && !one.is_in_doubt());
        let gone: Vec<(MessageRow, Arc<Person>)> = waiting
            .filter_map(|message| self.roster.shared(&message.person).map(|person| (message, person)))
            .filter(|(message, person)| asks_somebody_gone(message, person))
            .collect();
        if gone.is_empty() {
            return Ok(Vec::new());
        }
        let look = self.look_around()?;
        let mut nobody = Vec::new();
        for (message, person) in gone {
            if look.asked_instead(&message, &person)?.is_none() {
                nobody.push(message.id);
            }
        }
        Ok(nobody)
    }

    fn readdressed(&self) -> Result<Vec<Intent>> {
        self.anew(|message, person| has_moved(message, person) || asks_somebody_gone(message, person))
    }

    /// New letters in the place of those that wait, have never left and are chosen.
    pub(super) fn anew(&self, chosen: impl Fn(&MessageRow, &Person) -> bool) -> Result<Vec<Intent>> {
        // What may have arrived goes out as the same bytes only.
        let waiting =
            self.ledger.waiting()?.into_iter().filter(|one| one.state == State::Planned && !one.is_in_doubt());
        let changed: Vec<(MessageRow, Arc<Person>)> = waiting
            .filter_map(|message| self.roster.shared(&message.person).map(|person| (message, person)))
            .filter(|(message, person)| chosen(message, person))
            .collect();
        if changed.is_empty() {
            return Ok(Vec::new());
        }
        let (untrue, look) = (self.untrue()?, self.look_around()?);
        let mut asked: HashSet<(String, Option<String>, Address)> = HashSet::new();
        let mut intents = Vec::new();
        for (message, person) in changed {
            if untrue.contains(&message.id) || !self.is_there(&message) {
                continue;
            }
            // Its window is over: it is held, under whatever address.
            if self.ledger.expiry(message.id)?.is_some_and(|until| until <= self.now()) {
                continue;
            }
            let mut instead = None;
            if !message.tells {
                let same: Option<Address> = message.envelope_to.as_deref().and_then(|to| to.parse().ok());
                let gone = asks_somebody_gone(&message, &person) || is_in_vain(&message, &*look.came_back()?);
                let to = match same.filter(|_| !gone) {
                    None => look.asked_instead(&message, &person)?,
                    same => same,
                };
                let Some(to) = to else { continue };
                if !asked.insert((person.id.clone(), message.acknowledgement.clone(), to.clone())) {
                    continue;
                }
                instead = Some(to);
            }
            let copy = self.ledger.next_copy(&person.id, &message.notice, 0)?;
            intents.extend(self.written_anew(message, person, instead, copy)?);
        }
        Ok(intents)
    }

    /// The same letter to the address that the person has now, or to somebody else about them.
    fn written_anew(
        &self,
        message: MessageRow,
        person: Arc<Person>,
        instead: Option<Address>,
        copy: u32,
    ) -> Result<Option<Intent>> {
        let answers = if message.notice == OUTDATED { self.answered_by(&person.id)? } else { None };
        if message.notice == OUTDATED && answers.is_none() {
            return Ok(None);
        }
        let off = matches!(message.notice.as_str(), "abort" | "postponed");
        let reason = if off { message.reason.clone() } else { reason_of(&message, &person) };
        Ok(Some(Intent {
            cancels: if off { self.ledger.calendar_of(&person.id)? } else { None },
            changes: if off {
                Vec::new()
            } else {
                let asks = message.acknowledgement.as_deref();
                self.ledger.changes_to_tell(&person.id, &message.notice, asks, message.revision)?
            },
            acknowledgement: message.acknowledgement,
            copy,
            reason,
            until: self.ledger.expiry(message.id)?.filter(|until| *until > self.now()),
            instead,
            replaces: vec![message.id],
            answers,
            // Later where it was planned before its hour.
            ..Intent::new(message.notice, person, self.now().max(message.due_at))
        }))
    }
}

/// Why the letter in its place is sent.
fn reason_of(message: &MessageRow, person: &Person) -> String {
    match message.reason.is_empty() && has_moved(message, person) {
        true => Reason::AddressCorrected.words(person.language.as_deref()),
        false => message.reason.clone(),
    }
}

/// A letter to the person's own address of before. Where the roster has none any more it fails, and says so; that the change
/// is off, or put off, is told at the one that was written to.
fn has_moved(message: &MessageRow, person: &Person) -> bool {
    let off = matches!(message.notice.as_str(), "abort" | "postponed");
    let today = person.email.as_ref().map(ToString::to_string);
    message.tells && today != message.envelope_to && !(off && today.is_none())
}

/// An escalation to an address that nobody has any more who may be asked about the person.
fn asks_somebody_gone(message: &MessageRow, person: &Person) -> bool {
    let whom = [&person.manager_email, &person.alternate_email].into_iter().flatten();
    let to = message.envelope_to.as_deref().unwrap_or_default();
    message.notice == "escalation" && !whom.map(ToString::to_string).any(|one| one.eq_ignore_ascii_case(to))
}
