//! A clock that stands before what is on record was wrong then or is wrong now. Until somebody says which, nothing is sent or
//! switched by it: hours would come twice, and what is over would be to come again. Once somebody has said that it is right
//! now, what waits does so by the true calendar, and letters that never left and bear a wrong date are written anew.

use super::Engine;
use super::calendar::{Entry, What};
use super::choice::Choice;
use super::sending::To;
use crate::fault::{Fault, Result};
use crate::ledger::MessageRow;
use crate::outbox::State;
use chrono::{DateTime, Duration, Utc};

/// Clocks are put right by seconds all the time.
const TOLERANCE: Duration = Duration::minutes(2);

impl Engine<'_> {
    /// The newest instant on record, where the machine's clock stands before it.
    pub fn clock_behind(&self) -> Result<Option<DateTime<Utc>>> {
        Ok(self.ledger.newest_instant()?.filter(|newest| self.now() + TOLERANCE < *newest))
    }

    pub(super) fn require_clock(&self) -> Result<()> {
        let Some(newest) = self.clock_behind()? else { return Ok(()) };
        let shown =
            |at: DateTime<Utc>| at.with_timezone(&self.campaign.change.zone).format("%a %F %H:%M %Z").to_string();
        let cause = format!(
            "this machine's clock says {}, and the record already holds what happened {}",
            shown(self.now()),
            shown(newest)
        );
        let remedy =
            "set the clock right; if it is right now and was wrong then, say --clock-ok once: it stays on record";
        Err(Fault::new("clock-behind", cause, remedy))
    }

    /// The operator says that the clock is right. What is on record before this counts no more for it, and nothing waits for
    /// an hour of the wrong one. Returns how many messages are to leave earlier by that.
    pub fn accept_clock(&mut self) -> Result<usize> {
        let Some(newest) = self.clock_behind()? else { return Ok(0) };
        let now = self.now();
        let back = self.ledger.take_back_late(now)?;
        let calendar = self.calendar();
        let mut hours = Vec::new();
        for message in self.ledger.waiting()? {
            // Planned by the true clock, its hour had come.
            let early = if message.planned_at > now { self.hour_of(&calendar, &message)? } else { None };
            hours.push((message.id, early.map_or(now, |hour| hour.max(now))));
        }
        Ok(back + self.ledger.accept_clock(&hours, newest, now)?)
    }

    /// The hour in the calendar that a message was planned for; `None`: it was asked for, or owed at once.
    fn hour_of(&self, calendar: &[Entry], message: &MessageRow) -> Result<Option<DateTime<Utc>>> {
        let Some(person) = self.roster.get(&message.person) else { return Ok(None) };
        let expiry = self.ledger.expiry(message.id)?;
        let is_of = |entry: &&Entry| match entry.what {
            What::Notice => entry.at == message.due_at,
            // What is asked for by name, or brought forward, has no end of a window.
            What::Reminder | What::Escalation => {
                entry.copy == message.copy && expiry.is_some_and(|expiry| expiry <= entry.until)
            }
            What::Task => false,
        };
        let same = calendar.iter().filter(|entry| {
            entry.notice.as_deref() == Some(&message.notice)
                && entry.acknowledgement == message.acknowledgement
                && entry.is_for(&self.roster, person)
        });
        Ok(same.into_iter().find(is_of).map(|entry| entry.at))
    }

    /// Messages that were planned before their hour and that a run for this notice asks for now.
    pub(super) fn early(&self, notice: Option<&str>, to: &To, choice: &Choice) -> Result<Vec<i64>> {
        if notice.is_none() || !matches!(to, To::Everyone | To::People(_)) {
            return Ok(Vec::new());
        }
        let now = self.now();
        let early = |one: &MessageRow| {
            one.state == State::Planned && one.due_at > now && Some(&*one.notice) == notice && choice.includes(one)
        };
        let waiting = self.ledger.waiting()?.into_iter().filter(early).map(|one| one.id);
        Ok(waiting.take(choice.limit.unwrap_or(usize::MAX)).collect())
    }
}

/// Its letter was written by a clock that was ahead, and has not left.
pub(super) fn is_of_a_wrong_clock(message: &MessageRow, now: DateTime<Utc>) -> bool {
    message.planned_at > now + TOLERANCE
}
