//! Mailboxes that cannot be read. Answers may lie there, so nobody is reminded, escalated or called about until every
//! mailbox was read in the same round; notices go out. What waits is counted and shown, and `send` by hand is the word to go
//! on all the same.

use super::Engine;
use crate::fault::{Fault, Finding, Result};
use crate::ledger::Unread;
use crate::outbox::State;
use chrono::{DateTime, Utc};

/// The notices that press somebody to answer.
pub(super) const PRESSING: [&str; 2] = ["reminder", "escalation"];

/// `3 reminders, escalations and calls wait until every mailbox was read`
pub fn kept_waiting_words(count: usize) -> String {
    let what = if count == 1 { "reminder, escalation or call waits" } else { "reminders, escalations and calls wait" };
    format!("{count} {what} until every mailbox was read")
}

impl Engine<'_> {
    /// The campaign's mailboxes that could not be read when they last were to be.
    pub fn unread(&self) -> Result<Vec<Unread>> {
        let mut unread = self.ledger.unread()?;
        unread.retain(|one| self.campaign.intake.iter().any(|mailbox| mailbox.name() == one.mailbox));
        Ok(unread)
    }

    /// How many reminders, escalations and calls are due while a mailbox cannot be read: so many wait.
    pub fn kept_waiting(&self) -> Result<usize> {
        if self.unread()?.is_empty() || self.aborted()?.is_some() || self.is_postponed()? {
            return Ok(0);
        }
        let now = self.now();
        let queued = self.ledger.waiting()?.into_iter().filter(|message| {
            message.state == State::Planned && message.next_at <= now && PRESSING.contains(&message.notice.as_str())
        });
        Ok(queued.count() + self.look_around()?.due()?.keep_back())
    }

    /// What whoever sends by hand is to know beforehand: one warning for each mailbox, where people would be pressed.
    pub fn unread_findings(&self, notice: Option<&str>) -> Result<Vec<Finding>> {
        let presses = match notice {
            Some(name) => PRESSING.contains(&name),
            None => self.kept_waiting()? > 0,
        };
        let zone = self.campaign.change.zone;
        let shown = |at: DateTime<Utc>| at.with_timezone(&zone).format("%a %F %H:%M %Z").to_string();
        let warning = |one: Unread| {
            let cause = format!("{}; whoever answered there is pressed all the same", one.words(&shown));
            Finding::warning("answers-unread", cause, "read it first: flagday intake")
        };
        Ok(self.unread()?.into_iter().filter(|_| presses).map(warning).collect())
    }

    /// Takes note of how the reading of one mailbox ended.
    pub(super) fn note_reading(&mut self, mailbox: &str, done: std::result::Result<(), &Fault>) -> Result<()> {
        let why = done.err().and_then(|fault| fault.findings.first()).map(|one| (&*one.cause, &*one.remedy));
        let now = self.now();
        self.ledger.note_reading(mailbox, why, now)
    }
}
