//! Calling it off: the queue stops at once, everyone who was told hears of it and nobody else does, and calendar entries
//! are taken out again. Each part can be cut off and asked for again.

use super::corrections::copy_to;
use super::nights::Wanted;
use super::sending::Intent;
use super::{Engine, Sent, To};
use crate::fault::{Fault, Finding, Place, Result};
use crate::ledger::{Aborted, Asked, Told};
use crate::outbox::Progress;
use crate::roster::Person;
use crate::runbook::{Journal, StepState, state_of};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The word that people are told although steps of the cutover are still done.
const AS_IT_STANDS: &str = "told-as-it-stands";

impl Engine<'_> {
    /// Puts the durable mark that stops every process, a running `send` too: it lets go of what it has in hand. Needs no
    /// lock. Asked again, it keeps the first reason. Returns how many messages were taken back.
    pub fn call_off(&mut self, reason: &str, by: &str) -> Result<usize> {
        let (reason, by) = (reason.trim(), by.trim());
        if self.ledger.aborted()?.is_none() && (reason.is_empty() || by.is_empty()) {
            let (cause, remedy) = match by.is_empty() {
                true => ("calling it off needs a reason and a name", "give --reason and --by"),
                false => ("calling it off needs a reason", "give --reason"),
            };
            let remedy = format!("{remedy}: people read the reason, and it stays on record");
            return Err(Fault::new("abort-unreasoned", cause, remedy));
        }
        let abort = Aborted { at: self.now(), reason: reason.to_owned(), by: by.to_owned() };
        let taken_back = self.ledger.call_off(&abort)?;
        if self.as_it_stands && self.ledger.latest_event(AS_IT_STANDS)?.is_none() {
            // Whatever does not leave in this run leaves by the same word in another.
            self.ledger.note(abort.at, AS_IT_STANDS, &serde_json::json!({ "by": by }))?;
        }
        Ok(taken_back)
    }

    /// The rest of it, by whoever holds the lock: what a run that was stopped or killed had in hand is taken back as well.
    pub fn call_off_rest(&mut self) -> Result<usize> {
        let Some(abort) = self.ledger.aborted()? else { return Ok(0) };
        let now = self.now();
        self.ledger.recover(now, self.campaign.mail.uncertain)?;
        self.ledger.call_off(&Aborted { at: now, ..abort })
    }

    /// Who called the campaign off, and why.
    pub fn aborted(&self) -> Result<Option<Aborted>> {
        self.ledger.aborted()
    }

    /// Those who were told and do not know yet that it is off.
    pub fn to_be_told_of_abort(&self) -> Result<Vec<Told>> {
        let have = self.ledger.copies("abort")?;
        let told = self.ledger.ever_told()?;
        Ok(told.into_iter().filter(|told| !have.contains(&(told.person.clone(), 0))).collect())
    }

    /// Every step is done.
    pub fn has_taken_place(&self) -> Result<bool> {
        let entries = self.ledger.entries()?;
        for step in &self.campaign.steps {
            if state_of(&entries, &step.name)? != StepState::Done {
                return Ok(false);
            }
        }
        Ok(!self.campaign.steps.is_empty())
    }

    /// People read that the change does not take place, so nothing of it may be done. A step that changed the postoffice has
    /// to be taken back first; where only the old state is in force still, a word of its own tells people all the same.
    pub fn require_nothing_changed(&self) -> Result<()> {
        Fault::check(self.new_by_hand()?).map_err(|mut fault| {
            let cause =
                "nobody is told that the change does not take place: no step of this campaign put its MASTER.GLB there";
            let remedy = "put it right as told above, then call it off; `flagday check` says the same";
            fault.findings.push(Finding::note("abort-half-done", cause, remedy));
            fault
        })?;
        let every = self.has_taken_place()?;
        if !every && !self.stands_changed()? {
            return Ok(());
        }
        let over = every || self.was_in_force()?;
        if !over && (self.as_it_stands || self.ledger.latest_event(AS_IT_STANDS)?.is_some()) {
            return Ok(());
        }
        let cause = match (every, over) {
            (true, _) => "every step is done: the change took place, and people would be told that it does not",
            (_, true) => "the new serial number is in force: people would be told that the change does not take place",
            _ => "steps of the cutover are done, and people would be told that the change does not take place",
        };
        let mut remedy = "`flagday abort --rollback` takes the steps back first, then tells people".to_owned();
        if !over {
            remedy += "; with --as-it-stands it tells them now";
        }
        Err(Fault::new("abort-half-done", format!("{cause}; nobody is told"), remedy))
    }

    /// Tells everyone who was told, and nobody else. The campaign has been called off before.
    pub fn abort(&mut self, stop: &AtomicBool, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Sent> {
        self.tell_of_abort(&To::Everyone, stop, progress)
    }

    /// To those whose letter failed it is told once more where that is asked for.
    pub(super) fn tell_of_abort(
        &mut self,
        to: &To,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Sent> {
        let Some(abort) = self.ledger.aborted()? else {
            return Err(Fault::new("not-aborted", "nobody has called the campaign off", "run `flagday abort`"));
        };
        match self.require_nothing_changed() {
            // A round of the schedule has nothing to do until somebody takes the steps back.
            Err(_) if self.by_schedule => return Ok(Sent { nothing_due: true, ..Sent::default() }),
            judged => judged?,
        }
        self.require_clock()?;
        let now = self.now();
        self.call_off_rest()?;
        let intent = |person: Arc<Person>, address: &str, copy: u32, cancels: Option<u32>| Intent {
            copy,
            reason: abort.reason.clone(),
            instead: if copy == 0 { None } else { address.parse().ok() },
            cancels,
            ..Intent::new("abort", person, now)
        };
        let told = self.to_be_told_of_abort()?;
        let asked = self.asked_to_be_told_of_abort()?;
        let told = told.iter().map(|one| intent(self.still_known(one), &one.envelope_to, 0, one.calendar));
        let asked = asked
            .iter()
            .map(|one| intent(self.still_asked_about(one), &one.envelope_to, copy_to(&one.envelope_to), one.calendar));
        let mut intents: Vec<Intent> = told.chain(asked).collect();
        let mut sent = Sent::default();
        if *to == To::Failed {
            let again = self.try_again(Some("abort"), usize::MAX)?;
            sent.planned += again.same.len();
            intents.extend(again.intents);
        }
        self.readdress(&mut sent)?;
        sent.planned += self.plan_messages(&intents, &mut sent)?;
        self.ledger.carries_abort = true;
        let delivered = self.deliver(&mut sent, &Wanted::default(), stop, progress);
        self.ledger.carries_abort = false;
        delivered?;
        self.weigh(sent)
    }

    /// The person of the roster. Somebody who has left it, or has no address there any more, is told at the one that was
    /// written to; whoever left, as they were written to.
    pub(super) fn still_known(&self, told: &Told) -> Arc<Person> {
        let email = told.envelope_to.parse().ok();
        match self.roster.shared(&told.person) {
            Some(person) if person.email.is_some() => person,
            Some(person) => Arc::new(Person { email, ..(*person).clone() }),
            None => {
                let (language, format) = (told.language.clone(), told.format);
                let nobody = Person::named(&told.person, "", Place::file(&self.campaign.file));
                Arc::new(Person { email, language, format, ..nobody })
            }
        }
    }

    /// Whom somebody was asked about: of who has left the rosters nothing is known but what that letter spoke.
    pub(super) fn still_asked_about(&self, asked: &Asked) -> Arc<Person> {
        self.roster.shared(&asked.person).unwrap_or_else(|| {
            let nobody = Person::named(&asked.person, "", Place::file(&self.campaign.file));
            Arc::new(Person { language: asked.language.clone(), ..nobody })
        })
    }
}
