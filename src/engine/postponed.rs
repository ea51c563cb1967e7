//! While the change is put off and has no new date: the letters that say so go out, and nothing else does.

use super::Engine;
use super::amend::{OPEN, Wish};
use super::sending::{Sent, To};
use crate::fault::{Exit, Fault, Finding, Result};
use crate::outbox::Progress;
use std::sync::atomic::AtomicBool;

/// What people are told while there is no date: that it is put off, and those asked to remind them that they need not.
const TOLD: [&str; 2] = ["postponed", "correction"];

impl Engine<'_> {
    /// People were told that the change is put off, and not until when.
    pub fn is_postponed(&self) -> Result<bool> {
        let told = self.ledger.revision()?;
        Ok(told.is_some_and(|revision| revision.facts.get("change_at").is_some_and(|date| date == OPEN)))
    }

    /// Why it is put off is told to everybody, so it has to be said.
    pub fn require_reason(&self, wish: &Wish) -> Result<()> {
        if !wish.postpone || !wish.reason.is_empty() || self.is_postponed()? {
            return Ok(());
        }
        let remedy = "give --reason: people read it, and it stays on record";
        Err(Fault::new("postpone-unreasoned", "putting it off needs a reason", remedy))
    }

    /// In words, for whoever would put it off once more.
    pub fn put_off_already(&self) -> Result<String> {
        let moved = self.ledger.moved()?.filter(|moved| !moved.reason.is_empty());
        let why = moved.map(|moved| format!(", with the reason: {}", moved.reason)).unwrap_or_default();
        Ok(format!("people were told already that it is put off{why}. What is new is told with the new date"))
    }

    /// Refuses the date that was put off where a new one is to be told: whoever has just read that it is put off would
    /// read the old date again.
    pub fn require_new_date(&self) -> Result<()> {
        let there = self.campaign.change.local.to_string();
        if !self.is_postponed()? || self.ledger.last_date(OPEN)?.is_none_or(|put_off| put_off != there) {
            return Ok(());
        }
        let cause = format!("the change is put off, and change_at is still the date that was: {there}");
        let remedy = "write the new date into change_at, and `amend` tells everybody; where it takes place on that date \
                      after all, say --same-date";
        Err(Fault { exit: Exit::Waiting, findings: vec![Finding::error("date-put-off", cause, remedy)] })
    }

    /// How many letters that it is put off are still to go out: not composed yet, waiting for the server, or in doubt.
    pub fn to_be_told_of_postponement(&self) -> Result<usize> {
        let waiting = self.ledger.waiting()?.into_iter().filter(|one| is_told(&one.notice)).count();
        Ok(self.intents_owed()?.iter().filter(|intent| is_told(&intent.notice)).count() + waiting)
    }

    /// Whatever the files say meanwhile. Ends with exit code 6 where nothing is left to go out: what is next is `amend`.
    pub(super) fn send_while_postponed(
        &mut self,
        to: &To,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Sent> {
        self.ledger.recover(self.now(), self.campaign.mail.uncertain)?;
        let mut again = Sent::default();
        if *to == To::Failed {
            for notice in TOLD {
                let failed = self.try_again(Some(notice), usize::MAX)?;
                again.planned += failed.same.len() + self.plan_messages(&failed.intents, &mut again)?;
            }
        }
        let mut sent = self.send_owed(stop, progress)?;
        sent.planned += again.planned;
        sent.nothing_due &= again.planned == 0;
        sent.shipped.append(&mut again.shipped);
        sent.failed += again.failed;
        sent.failures.append(&mut again.failures);
        if sent.nothing_due && self.to_be_told_of_postponement()? == 0 {
            self.require_unchanged().map_err(|mut fault| {
                for finding in fault.findings.iter_mut().take(1) {
                    finding.cause = format!("nothing is left to send: {}", finding.cause);
                }
                fault
            })?;
        }
        Ok(sent)
    }
}

pub(super) fn is_told(notice: &str) -> bool {
    TOLD.contains(&notice)
}
