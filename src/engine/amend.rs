//! Amending: changed facts taken over in one transaction, and the letters about them. What is found beforehand is in
//! `amendment`.

use super::amendment::{Amendment, Change, Effect, PACKAGE};
use super::facts::{digest, text_of};
use super::{Difference, Engine, Sent};
use crate::fault::{Fault, Finding, Result};
pub(super) use crate::ledger::OPEN;
use crate::ledger::{Owed, Takeover};
use crate::outbox::Progress;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

/// How the operator wants it taken over.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// What may be cosmetic is: answers to it stay, and nobody is written to because of it.
    pub cosmetic: bool,
    /// The change is put off, and its new date is not known.
    pub postpone: bool,
    /// Why, kept with the record.
    pub reason: String,
}

impl Engine<'_> {
    /// Takes the changes over as a new revision and writes to those they concern. Killed on the way, the next `send`,
    /// `tick` or `amend` goes on.
    pub fn amend(
        &mut self,
        wish: &Wish,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(Amendment, Sent)> {
        let amendment = self.amendment_to_make(wish)?;
        let sent = self.take_over(&amendment, wish, stop, progress)?;
        Ok((amendment, sent))
    }

    /// What is to be taken over, by what became of the messages that a run left behind; refused where it makes no sense.
    pub fn amendment_to_make(&mut self, wish: &Wish) -> Result<Amendment> {
        self.require_roster()?;
        self.require_not_aborted()?;
        self.require_clock()?;
        self.doubt_again_who_is_back()?;
        self.ledger.recover(self.now(), self.campaign.mail.uncertain)?;
        let amendment = self.amendment(wish)?;
        self.require_sensible(&amendment, wish)?;
        Ok(amendment)
    }

    /// Takes over what was judged before.
    pub fn take_over(
        &mut self,
        amendment: &Amendment,
        wish: &Wish,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Sent> {
        self.require_not_aborted()?;
        if !amendment.is_empty() {
            if !wish.postpone && amendment.changes.iter().any(|change| change.difference.fact == "change_at") {
                self.note_short_notice()?;
            }
            let facts = (!amendment.changes.is_empty()).then(|| self.facts_after(amendment)).transpose()?;
            let names = |change: &&Change| change.effect == Effect::Cosmetic;
            let mut members = self.members();
            if wish.postpone {
                let before = self.ledger.members()?;
                members.retain(|person, _| before.contains_key(person));
                members.extend(before.into_iter().filter(|(person, _)| self.roster.get(person).is_some()));
            }
            let change = Takeover {
                everything: amendment.everything().next().is_some(),
                facts: facts.map(|facts| (digest(&facts), facts)),
                reason: wish.reason.clone(),
                cosmetic: amendment.changes.iter().filter(names).map(|one| one.difference.fact.clone()).collect(),
                owed: amendment.owed.clone(),
                restored: amendment.restored.clone(),
                left: amendment.left.iter().map(|left| (left.person.clone(), left.acknowledgement.clone())).collect(),
                members,
            };
            self.ledger.amend(&change, self.now())?;
        }
        self.send_owed(stop, progress)
    }

    /// What amendments still have to tell. Until there is a date again, nobody is told anything but that there is none. What an
    /// amendment was to tell before the change, and did not, is held from then on like any notice that was slept over.
    pub fn owed(&self) -> Result<Vec<Owed>> {
        let postponed = self.is_postponed()?;
        let mut owed = self.ledger.owed()?;
        let change = self.campaign.change.at;
        if !owed.is_empty() && change <= self.now() {
            let before = self.ledger.revisions_before(change)?;
            let beforehand = |owed: &Owed| self.campaign.notices.get(&owed.notice).is_some_and(|one| one.at.is_some());
            owed.retain(|owed| !(owed.overtakes && owed.revision <= before && beforehand(owed)));
        }
        owed.retain(|owed| match self.campaign.notices.get(&owed.notice) {
            _ if owed.notice == "postponed" => true,
            // To who is in no audience any more that is told.
            _ if owed.notice == "correction" => !postponed && self.roster.get(&owed.person).is_some(),
            Some(notice) if !postponed => {
                let audience = &self.campaign.audiences[&notice.audience];
                self.roster.get(&owed.person).is_some_and(|person| person.is_in(audience))
            }
            _ => false,
        });
        Ok(owed)
    }

    /// Refuses what changes anything material once the cutover has begun.
    pub fn require_before_cutover(&self, wish: &Wish) -> Result<()> {
        self.require_not_begun(&self.amendment(wish)?)
    }

    fn require_not_begun(&self, amendment: &Amendment) -> Result<()> {
        if self.has_taken_place()? {
            return self.require_as_it_was(amendment);
        }
        // Another package is taken over on the evening too: whoever gets it has their gate held until they have answered.
        let of_all =
            |change: &Change| change.effect == Effect::Material && !change.difference.fact.starts_with(PACKAGE);
        if amendment.changes.iter().any(of_all) {
            let Some((begins, _)) = self.campaign.beginning() else { return Ok(()) };
            let before = begins.checked_sub(1).map(|before| format!(" --to {}", self.campaign.steps[before].name));
            for step in &self.campaign.steps[begins..] {
                let state = crate::runbook::state_of(&crate::runbook::Journal::entries(&self.ledger)?, &step.name)?;
                if state.has_begun() {
                    let cause = format!("the cutover has begun: step {} is {}", step.name, state.word());
                    let remedy = format!(
                        "finish it, or take it back with `flagday cutover rollback{}` first",
                        before.unwrap_or_default()
                    );
                    return Err(Fault::new("cutover-begun", cause, remedy));
                }
            }
        }
        Ok(())
    }

    /// Every step is done: what was told is what took place, and stays so.
    fn require_as_it_was(&self, amendment: &Amendment) -> Result<()> {
        let of_all =
            |change: &&Change| change.effect == Effect::Material && !change.difference.fact.starts_with(PACKAGE);
        let changed = amendment.changes.iter().filter(of_all).map(|change| {
            let Difference { fact, told, now, .. } = &change.difference;
            let (cause, remedy) = match now.as_str() {
                OPEN => ("it cannot be put off any more".to_owned(), "another date is another campaign".to_owned()),
                _ => (
                    format!("{fact} is another one today: {told} was told, not {now}"),
                    self.as_it_was(&change.difference),
                ),
            };
            let finding = Finding::error("taken-place", format!("the change has taken place: {cause}"), remedy);
            finding.in_file(&self.campaign.file)
        });
        Fault::check(changed.collect()).map(drop)
    }

    /// What is to be done about another fact once the change has taken place.
    pub(super) fn as_it_was(&self, difference: &Difference) -> String {
        let Difference { fact, told, .. } = difference;
        let back = match text_of(fact) {
            Some(_) => format!("put {fact} back as it was"),
            None => format!("set {fact} back to {told} in flagday.toml"),
        };
        match self.effect(fact, &Wish { cosmetic: true, ..Wish::default() }) {
            Effect::Material => format!("{back}: another change is another campaign"),
            Effect::Cosmetic => {
                format!("{back}, or take it over with `flagday amend --cosmetic`: nobody is written to")
            }
        }
    }

    /// The first of what is another fact than what took place, with what to do.
    pub fn to_be_as_it_was(&self) -> Result<Option<String>> {
        if !self.has_taken_place()? {
            return Ok(None);
        }
        let other = |one: &&Difference| one.gone.is_none() && !one.fact.starts_with(PACKAGE);
        Ok(self.differences()?.iter().find(other).map(|one| self.as_it_was(one)))
    }

    /// Refuses what is not to be taken over, or not yet.
    pub fn require_sensible(&self, amendment: &Amendment, wish: &Wish) -> Result<()> {
        self.require_not_begun(amendment)?;
        if wish.cosmetic && !amendment.changes.iter().any(|change| change.effect == Effect::Cosmetic) {
            let cause = "nothing of what changed can be cosmetic: dates, serial numbers and packages never are";
            return Err(Fault::new("not-cosmetic", cause, "leave --cosmetic out"));
        }
        let dated = amendment.changes.iter().any(|change| change.difference.fact == "change_at");
        if dated && !wish.postpone {
            self.require_notice_time()?;
        }
        let mut owed: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for one in &amendment.owed {
            owed.entry(&one.notice).or_default().push(&one.person);
        }
        owed.into_iter()
            .filter(|(name, _)| !matches!(*name, "postponed" | "correction"))
            .try_for_each(|(name, people)| self.require_packages(name, people.into_iter()))?;
        let mut letters = self.intents_of(amendment.owed.clone())?;
        letters.extend(self.intents_to_correct(amendment, wish)?);
        self.require_letters(&letters, amendment.next)
    }

    /// The facts of the next revision: what was told, as it is now.
    pub(super) fn facts_after(&self, amendment: &Amendment) -> Result<BTreeMap<String, String>> {
        let mut facts = self.ledger.revision()?.map(|revision| revision.facts).unwrap_or_default();
        for Change { difference, .. } in &amendment.changes {
            match difference.withdrawn {
                true => drop(facts.remove(&difference.fact)),
                false => drop(facts.insert(difference.fact.clone(), difference.now.clone())),
            }
        }
        Ok(facts)
    }
}
