//! What a rollback takes back of what people were told: the letters that steps of the change itself send, and the answers to
//! them. What has not left does not leave any more; once the step is taken again they are told anew, and asked anew.

use super::Engine;
use super::cutover::TakenBack;
use crate::campaign::Step;
use crate::fault::{Result, counted};
use crate::runbook::{self, Entry, Event, Journal, StepState, state_of};
use std::collections::HashSet;

impl Engine<'_> {
    /// The journal's entry with which what a notice tells was last taken back: that of the step which sends it, or of one
    /// before it in the change. A step that is done stands by what it told. `None` for a notice from before the change, which
    /// stays true.
    pub(super) fn taken_back(&self, notice: &str) -> Result<Option<i64>> {
        let steps = self.steps_of_the_change();
        let Some(sends) = steps.iter().position(|step| step.sends(notice)) else { return Ok(None) };
        let mut entries = self.ledger.entries()?;
        if state_of(&entries, &steps[sends].name)? == StepState::Done {
            let done = |entry: &Entry| entry.step == steps[sends].name && matches!(entry.event, Event::Done { .. });
            entries.truncate(entries.iter().rposition(done).unwrap_or(0));
        }
        let undone = entries.iter().rev().find(|entry| {
            matches!(entry.event, Event::Undone { .. } | Event::UndoneByHand { .. })
                && steps[..=sends].iter().any(|step| step.name == entry.step)
        });
        Ok(undone.map(|entry| entry.seq))
    }

    /// Messages that tell what is no longer so, by their numbers: it has changed since, or was taken back. Whatever became of
    /// them, nobody gets them any more.
    pub fn untrue(&self) -> Result<HashSet<i64>> {
        let mut untrue = self.ledger.overtaken()?;
        for notice in self.steps_of_the_change().iter().flat_map(Step::notices) {
            if let Some(undone) = self.taken_back(notice)? {
                untrue.extend(self.ledger.planned_before(notice, undone)?);
            }
        }
        Ok(untrue)
    }

    /// What has not left of letters that tell what was taken back does not leave any more. After every entry that takes
    /// something back, and before anything leaves: a run may have been cut off between the two.
    pub(super) fn call_letters_back(&mut self) -> Result<()> {
        let now = self.now();
        let mut called_back = Vec::new();
        for notice in self.steps_of_the_change().iter().flat_map(Step::notices) {
            called_back.extend(self.taken_back(notice)?.map(|undone| (notice.clone(), undone)));
        }
        if called_back.is_empty() {
            return Ok(());
        }
        self.ledger.recover(now, self.campaign.mail.uncertain)?;
        self.ledger.call_back(&called_back, "taken back: the step that sends it is taken back", now).map(drop)
    }

    /// Steps whose letters have begun to leave, or wait to, and which are not on record yet: that comes with the last one.
    pub(super) fn sending(&self, to: Option<&str>) -> Result<Vec<String>> {
        let entries = self.ledger.entries()?;
        let mut sending = Vec::new();
        for step in self.steps_taken_back(to) {
            let mut letters = false;
            for notice in step.notices() {
                letters |= !self.ledger.have_behind(notice, self.taken_back(notice)?.unwrap_or(0))?.is_empty();
            }
            if letters && !state_of(&entries, &step.name)?.has_begun() {
                sending.push(step.name.clone());
            }
        }
        Ok(sending)
    }

    /// How many people have the letter of each of these steps in hand, as far as no rollback has told of it yet.
    pub(super) fn letters_in_hand(&self, to: Option<&str>) -> Result<Vec<(String, usize)>> {
        let mut in_hand = Vec::new();
        for step in self.steps_taken_back(to) {
            let mut people = HashSet::new();
            for notice in step.notices() {
                people.extend(self.ledger.reached_behind(notice, self.taken_back(notice)?.unwrap_or(0))?);
            }
            if !people.is_empty() {
                in_hand.push((step.name.clone(), people.len()));
            }
        }
        Ok(in_hand)
    }

    /// What a rollback has taken back, with what people have in hand of it.
    pub(super) fn with_letters(
        &self,
        in_hand: Vec<(String, usize)>,
        undone: Vec<(String, Vec<String>)>,
    ) -> Result<Vec<TakenBack>> {
        let anew = if self.aborted()?.is_some() { "" } else { "; with the step they get it anew" };
        let taken_back = undone.into_iter().map(|(step, mut facts)| {
            if self.steps_of_the_change().iter().any(|one| one.name == step) {
                facts.retain(|fact| fact != runbook::STAYS_TOLD);
            }
            let people = in_hand.iter().find(|(name, _)| *name == step);
            facts.extend(people.map(|(_, people)| {
                let who = counted(*people, "person has", "people have");
                format!("{who} its letter, which is not true any more{anew}")
            }));
            TakenBack { step, facts }
        });
        Ok(taken_back.collect())
    }

    pub(super) fn step_of_the_change(&self, notice: &str) -> Option<&Step> {
        self.steps_of_the_change().iter().find(|step| step.sends(notice))
    }

    /// Those from the one with which the change begins on.
    fn steps_of_the_change(&self) -> &[Step] {
        self.campaign.beginning().map_or(&[], |(change, _)| &self.campaign.steps[change..])
    }

    fn steps_taken_back(&self, to: Option<&str>) -> &[Step] {
        let steps = self.steps_of_the_change();
        &steps[steps.iter().position(|step| Some(step.name.as_str()) == to).map_or(0, |kept| kept + 1)..]
    }
}
