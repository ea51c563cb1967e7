//! Whoever answers what they were told before hears that it does not count, what is different by now, and which message
//! to answer instead: once for each acknowledgement and revision that concerned them, and only after a letter that
//! a person wrote.

use super::Engine;
use super::sending::Intent;
use super::whereabouts::Whereabouts;
use crate::answer::InboundMessage;
use crate::fault::Result;
use crate::ledger::{MessageRow, OUTDATED, ToHear};
use crate::notice::{OutdatedWords, Segment};
use crate::outbox::State;
use std::sync::Arc;

/// What the notice replies to.
#[derive(Debug, Clone)]
pub(super) struct Answered {
    pub words: OutdatedWords,
    /// The message to answer, and last the letter that this replies to.
    pub references: Vec<String>,
}

impl Answered {
    /// What stands in the place of an answer where there is none: for a look beforehand.
    pub fn example() -> Arc<Answered> {
        let words = ["2026-11-24", "2026-11-26", "…"].map(str::to_owned);
        let [answered, sent, subject] = words;
        Arc::new(Answered { words: OutdatedWords { answered, sent, subject }, references: Vec::new() })
    }
}

impl Engine<'_> {
    /// Who is still to hear of it, asleep or not.
    pub fn to_hear(&self) -> Result<Vec<String>> {
        Ok(self.replies_owed()?.into_iter().map(|intent| intent.person.id.clone()).collect())
    }

    /// One for each of them whom it is the hour to write to.
    pub(super) fn intents_outdated(&self) -> Result<Vec<Intent>> {
        let mut intents = self.replies_owed()?;
        intents.retain(|intent| !self.sleeps(intent));
        Ok(intents)
    }

    /// Not where their quiet hours last until the change.
    pub(super) fn sleeps(&self, intent: &Intent) -> bool {
        let (now, change) = (self.now(), self.campaign.change.at);
        let opens = self.campaign.calendar.quiet.opens(now, &self.seen_from(&Whereabouts::of(&intent.person)));
        opens > now && (opens < change || change <= now)
    }

    /// Asleep or not.
    pub(super) fn replies_owed(&self) -> Result<Vec<Intent>> {
        let waiting = self.ledger.to_hear()?;
        if waiting.is_empty() || self.aborted()?.is_some() || self.is_postponed()? {
            return Ok(Vec::new());
        }
        let intents = waiting.iter().map(|one| self.answer_to(one));
        let mut intents: Vec<Intent> = intents.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
        // Whoever is asked for several things may have answered each of them too late: a reply of its own for each.
        let mut have = self.ledger.copies(OUTDATED)?;
        for intent in &mut intents {
            let free = |copy: &u32| have.insert((intent.person.id.clone(), *copy));
            intent.copy = (0..).find(free).unwrap_or_default();
        }
        Ok(intents)
    }

    /// Nothing while the newest notice has not left, and nothing to somebody who has answered it by now.
    fn answer_to(&self, one: &ToHear) -> Result<Option<Intent>> {
        let name = &one.outdated.acknowledgement;
        let (Some(person), Some(asked)) = (self.roster.shared(&one.person), self.campaign.acknowledgements.get(name))
        else {
            return Ok(None);
        };
        let standing = self.standing(asked, &person.id)?;
        if person.email.is_none() || standing.is_none_or(|standing| Self::is_settled(asked, &standing)) {
            return Ok(None);
        }
        let Some(answers) = self.answered(one)? else { return Ok(None) };
        Ok(Some(Intent {
            acknowledgement: Some(name.clone()),
            changes: self.ledger.changes_since(&person.id, name, one.outdated.answered)?,
            answers: Some(Arc::new(answers)),
            ..Intent::new(OUTDATED, person, self.now())
        }))
    }

    /// The same once more, for an address that was corrected.
    pub(super) fn answered_by(&self, person: &str) -> Result<Option<Arc<Answered>>> {
        let Some(one) = self.ledger.outdated(person)? else { return Ok(None) };
        Ok(self.answered(&one)?.map(Arc::new))
    }

    fn answered(&self, one: &ToHear) -> Result<Option<Answered>> {
        let asks =
            self.campaign.acknowledgements.get(&one.outdated.acknowledgement).and_then(|one| one.notice.as_ref());
        let out = |message: &MessageRow| {
            matches!(message.state, State::Sent | State::Delivered)
                && message.revision >= one.outdated.valid
                && self.is_about_the_change(&message.notice)
        };
        let messages = self.ledger.messages_to(&one.person)?.into_iter().filter(out);
        let Some(newest) = messages.max_by_key(|message| (Some(&message.notice) == asks, message.id)) else {
            return Ok(None);
        };
        let letter = self.ledger.letter(newest.id)?;
        let head = letter.segments().first();
        let head = head.map_or(&[][..], |head| if let Segment::Bytes(bytes) = head { bytes } else { &[] });
        let day =
            |at: chrono::DateTime<chrono::Utc>| at.with_timezone(&self.campaign.change.zone).format("%F").to_string();
        let words = OutdatedWords {
            answered: day(one.at),
            sent: newest.settled_at.map(day).unwrap_or_default(),
            subject: InboundMessage::parse_headers(head).get("Subject").unwrap_or_default().to_owned(),
        };
        Ok(Some(Answered {
            words,
            references: [Some(newest.message_id), one.outdated.message_id.clone()].into_iter().flatten().collect(),
        }))
    }
}
