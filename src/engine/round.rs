//! One round of the schedule: what `tick` does once, and `serve` whenever something is due.

use super::sending::{Sent, To};
use super::{Engine, What};
use crate::campaign::Uncertain;
use crate::fault::{Exit, Result};
use crate::outbox::{Progress, State, UNCERTAIN_PAUSE};
use chrono::{DateTime, Utc};
use std::sync::atomic::AtomicBool;

/// What comes next where nothing else does.
const WAITING: &str = "messages that are waiting to go out";
const DOUBTFUL: &str = "messages in doubt, once more";

impl Engine<'_> {
    /// Does everything whose hour has come. `stop` is looked at between messages.
    pub fn round(&mut self, stop: &AtomicBool, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Sent> {
        self.by_schedule = true;
        match self.send(None, &To::Everyone, None, false, stop, progress) {
            // Put off, and everybody knows: a round has nothing to do until somebody amends.
            Err(fault) if fault.exit == Exit::FactsChanged && self.is_postponed()? => {
                Ok(Sent { nothing_due: true, ..Sent::default() })
            }
            ended => ended,
        }
    }

    /// When the next round has something to do, as far as is known now, and what.
    pub fn next_moment(&self) -> Result<Option<(DateTime<Utc>, String)>> {
        let entry = self.next_entry()?.map(|entry| {
            let what = match entry.what {
                What::Task => "a phone task".to_owned(),
                _ => entry.notice.unwrap_or_default(),
            };
            (entry.at, what)
        });
        let pause = self.paused()?.map(|one| one.until);
        let queued = |at: DateTime<Utc>, what: &str| (at.max(pause.unwrap_or(at)), what.to_owned());
        let waiting = self.ledger.next_due()?.map(|at| queued(at, WAITING));
        let doubtful = self.doubt_ends()?.map(|at| queued(at, DOUBTFUL));
        Ok([entry, waiting, doubtful].into_iter().flatten().min_by_key(|(at, _)| *at))
    }

    /// When the first message in doubt goes out once more by itself, or is held: a delivery report could have come by then.
    /// `None` where a person decides.
    pub fn doubt_ends(&self) -> Result<Option<DateTime<Utc>>> {
        if self.campaign.mail.uncertain == Uncertain::Hold {
            return Ok(None);
        }
        let doubtful = self.ledger.messages_in_doubt()?.into_iter().filter(|one| one.state == State::Uncertain);
        Ok(doubtful.map(|one| one.settled_at.unwrap_or(one.planned_at) + UNCERTAIN_PAUSE).min())
    }
}
