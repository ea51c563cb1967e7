//! Quiet hours for what is in the queue already: what the server put off, or could not be given to it, does not go out while
//! whoever gets it is asleep.

use super::Engine;
use super::calendar::Whereabouts;
use crate::fault::Result;
use crate::ledger::{MessageRow, OUTDATED};
use crate::outbox::State;
use std::collections::HashMap;

impl Engine<'_> {
    /// Puts off what would leave in the quiet hours of whom it concerns, until they end. What people read at any hour is
    /// left alone: that the change is off or put off, what the change itself tells, and the notice somebody asks for now.
    pub(super) fn let_sleep(&mut self, asked_for: Option<&str>) -> Result<()> {
        let quiet = &self.campaign.calendar.quiet;
        if quiet.hours.is_none() && !quiet.days_off {
            return Ok(());
        }
        let now = self.now();
        let amended = self.ledger.amended()?;
        let keeps = |message: &MessageRow| {
            self.keeps_hours(&message.notice) || amended.contains(&(message.person.clone(), message.notice.clone()))
        };
        let mut places = HashMap::new();
        let mut later = Vec::new();
        for message in self.ledger.waiting()? {
            let name = message.notice.as_str();
            let at_any_hour = matches!(name, "abort" | "postponed") || asked_for == Some(name);
            if message.state != State::Planned || at_any_hour || !keeps(&message) {
                continue;
            }
            let Some(person) = self.roster.get(&message.person) else { continue };
            let place = Whereabouts::of(person);
            let there = places.entry(place.clone()).or_insert_with(|| self.seen_from(&place));
            let at = message.next_at.max(now);
            let opens = quiet.opens(at, there);
            if opens > at {
                later.push((message.id, opens));
            }
        }
        self.ledger.put_off(&later)
    }

    /// What has its hour in the calendar, or comes of what does.
    fn keeps_hours(&self, notice: &str) -> bool {
        matches!(notice, "reminder" | "escalation" | "correction" | OUTDATED)
            || self.campaign.notices.get(notice).is_some_and(|one| one.at.is_some())
    }
}
