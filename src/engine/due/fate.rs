//! What becomes of the reminders, escalations and calls that concern one person, where it is otherwise than by their own hour:
//! brought forward, answered before, or more than anybody may get.

use super::chain::ToAsk;
use super::{Entry, Look, Silent, What};
use crate::campaign::Acknowledgement;
use crate::engine::Engine;
use crate::fault::Result;
use crate::ledger::MessageRow;
use crate::outbox::State;
use crate::roster::Person;
use std::collections::{HashMap, HashSet};

/// One person's, asked in order of time.
pub(in crate::engine) struct Fates<'l, 'e, 'w> {
    look: &'l Look<'e, 'w>,
    person: &'l Person,
    letters: Vec<MessageRow>,
    /// What goes out, or is noted, in the round that comes next: notice, acknowledgement and copy, with the reason.
    next: HashMap<(String, String, u32), String>,
    /// How many more letters there may be, by acknowledgement.
    room: HashMap<String, usize>,
    /// Acknowledgements about which somebody is to call them at the hour of an escalation that is no letter.
    calls: HashSet<String>,
    /// Who will be asked about them until then: acknowledgement, address, and the step in whose place.
    asked: Vec<ToAsk>,
}

impl<'e, 'w> Look<'e, 'w> {
    pub(in crate::engine) fn fates<'l>(&'l self, person: &'l Person) -> Result<Fates<'l, 'e, 'w>> {
        let due = self.due()?;
        let key = |one: &super::Intent| (one.notice.clone(), one.acknowledgement.clone().unwrap_or_default(), one.copy);
        let letters =
            due.intents.iter().map(|one| (one, &one.reason)).chain(due.tasks.iter().map(|(one, why)| (one, why)));
        let next = letters.filter(|(one, _)| one.person.id == person.id).map(|(one, why)| (key(one), why.clone()));
        let (next, letters) = (next.collect(), self.engine.ledger.messages_to(&person.id)?);
        let (room, calls, asked) = Default::default();
        Ok(Fates { look: self, person, letters, next, room, calls, asked })
    }
}

impl Fates<'_, '_, '_> {
    /// State and reason of an entry that is `state` by its hour; nothing where that is all there is to say.
    pub(in crate::engine) fn of(&mut self, entry: &Entry, state: &str) -> Result<Option<(&'static str, String)>> {
        let engine = self.look.engine;
        let name = entry.acknowledgement.as_deref().unwrap_or_default();
        let asked = engine.campaign.acknowledgements.get(name).filter(|_| entry.what != What::Notice);
        if asked.is_some() && state == "done" && entry.what == What::Escalation && self.letter(entry, name).is_none() {
            return Ok(Some(("done", "as a call".to_owned())));
        }
        let Some(asked) = asked.filter(|_| matches!(state, "to come" | "passed over")) else { return Ok(None) };
        let early = entry.at > self.look.now;
        if let Some(letter) = self.letter(entry, name).filter(|_| early) {
            return Ok(Some(("done", format!("brought forward: {}", letter.reason))));
        }
        let standing = engine.standing(asked, &self.person.id)?;
        if standing.as_ref().is_some_and(|standing| Engine::is_settled(asked, standing)) {
            return Ok(Some(("passed over", "the answer is there".to_owned())));
        }
        let silent = self.look.silent(asked)?;
        let silent = silent.get(&self.person.id);
        let called = self.look.is_called(asked, self.person);
        if entry.what == What::Task {
            let why = if called {
                "somebody is to call them already"
            } else if self.calls.contains(name) {
                return Ok(Some(("passed over", "somebody is to call them by then".to_owned())));
            } else {
                return self.brought_forward(entry, asked, silent);
            };
            return Ok(early.then(|| ("done", why.to_owned())));
        }
        if let Some(forward) = self.brought_forward(entry, asked, silent)? {
            return Ok(Some(forward));
        }
        if entry.what == What::Escalation && called && !early {
            return Ok(Some(("passed over", "somebody is to call them already".to_owned())));
        }
        let room = self.room.entry(name.to_owned()).or_insert_with(|| {
            let pressed = silent.and_then(|one| one.letters.as_ref()).map_or(0, |letters| letters.pressed as usize);
            asked.cap.saturating_sub(pressed)
        });
        if let Some(why) =
            silent.filter(|_| entry.what == What::Reminder).and_then(|silent| unreminded(silent, entry, engine))
        {
            return Ok(Some(("passed over", why)));
        }
        let to_come = state == "to come";
        let to = match entry.way.filter(|_| *room > 0 && early && to_come) {
            Some(way) => self.look.next_in_chain(asked, self.person, way, &self.asked)?.map(|to| (to, way)),
            None => None,
        };
        let otherwise = match entry.what {
            _ if *room == 0 => Some(format!("never more than the cap, {} letters", asked.cap)),
            What::Escalation if early && to_come && to.is_none() => Some("nobody to escalate to".to_owned()),
            _ => None,
        };
        if let Some(why) = otherwise {
            return Ok(Some(match entry.what {
                What::Escalation if called => ("passed over", "somebody is to call them already".to_owned()),
                What::Escalation if !to_come => ("passed over", why),
                What::Escalation if !self.calls.insert(name.to_owned()) => {
                    ("passed over", "somebody is to call them by then".to_owned())
                }
                What::Escalation => ("to come", format!("as a call: {why}")),
                _ => ("passed over", why),
            }));
        }
        *room -= usize::from(early && to_come);
        self.asked.extend(to.map(|(to, way)| (name.to_owned(), to, way)));
        Ok(None)
    }

    /// The letter that an entry stands for, as far as it holds.
    fn letter(&self, entry: &Entry, acknowledgement: &str) -> Option<&MessageRow> {
        self.letters.iter().rev().find(|one| {
            Some(&one.notice) == entry.notice.as_ref()
                && one.copy == entry.copy
                && one.acknowledgement.as_deref() == Some(acknowledgement)
                && one.state != State::Cancelled
        })
    }

    /// A step that is taken in the next round although its hour has not come, or as soon as whoever gets it is awake.
    fn brought_forward(
        &self,
        entry: &Entry,
        asked: &Acknowledgement,
        silent: Option<&Silent>,
    ) -> Result<Option<(&'static str, String)>> {
        let Some(silent) = silent.filter(|_| entry.at > self.look.now && entry.what != What::Reminder) else {
            return Ok(None);
        };
        let notice = entry.notice.clone().unwrap_or_default();
        if let Some(why) = self.next.get(&(notice, asked.name.clone(), entry.copy)) {
            let state = if self.look.engine.unread()?.is_empty() { "due" } else { "kept waiting" };
            return Ok(Some((state, format!("brought forward: {why}"))));
        }
        let Some((first, intent)) = self.look.next_step(&self.look.engine.calendar(), asked, silent)? else {
            return Ok(None);
        };
        let same = first.copy == entry.copy;
        Ok(intent
            .filter(|_| same)
            .map(|intent| ("quiet", format!("brought forward to the end of quiet hours: {}", intent.reason))))
    }
}

/// Why no reminder goes to somebody at the hour of an entry.
pub(super) fn unreminded(silent: &Silent, entry: &Entry, engine: &Engine) -> Option<String> {
    match silent.away {
        _ if silent.unreachable => Some("mail does not reach them".to_owned()),
        _ if silent.unsent => Some("our mail to them could not be sent".to_owned()),
        Some(until) if until > engine.day(&silent.person, entry.at) => Some(format!("away until {until}")),
        _ => None,
    }
}
