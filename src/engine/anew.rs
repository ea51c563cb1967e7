//! What a rollback takes back of what people were told: the letters that steps of the change itself send, and the answers to
//! them. What has not left does not leave any more; once the step is taken again they are told anew, and asked anew.

use super::Engine;
use super::cutover::TakenBack;
use crate::campaign::Step;
use crate::fault::{Result, counted};
use crate::runbook::{self, Event, Journal};
use std::collections::HashSet;

impl Engine<'_> {
    /// The journal's entry with which what a notice tells was last taken back: that of the step which sends it, or of one
    /// before it in the change. `None` for a notice from before the change, which stays true.
    pub(super) fn taken_back(&self, notice: &str) -> Result<Option<i64>> {
        let steps = self.steps_of_the_change();
        let Some(sends) = steps.iter().position(|step| step.sends(notice)) else { return Ok(None) };
        let entries = self.ledger.entries()?;
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

    /// Before steps are taken back: what waits of their letters would not be true any more when it leaves.
    pub(super) fn call_letters_back(&mut self, to: Option<&str>) -> Result<()> {
        let notices: Vec<String> = self.steps_taken_back(to).iter().flat_map(|step| step.notices()).cloned().collect();
        let now = self.now();
        self.ledger.recover(now, self.campaign.mail.uncertain)?;
        self.ledger.call_back(&notices, "taken back: the step that sends it is taken back", now).map(drop)
    }

    /// The same once a person has taken this step of the change back by hand.
    pub(super) fn call_letters_back_from(&mut self, step: &Step) -> Result<()> {
        let change = self.steps_of_the_change();
        let Some(at) = change.iter().position(|one| one.name == step.name) else { return Ok(()) };
        let before = at.checked_sub(1).map(|before| change[before].name.clone());
        self.call_letters_back(before.as_deref())
    }

    /// How many people have the letter of each of these steps in hand, as far as no rollback has told of it yet. A step that
    /// was still sending is among them.
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
        let mut undone: Vec<TakenBack> = undone.into_iter().map(|(step, facts)| TakenBack { step, facts }).collect();
        let anew = if self.aborted()?.is_some() { "" } else { "; with the step they get it anew" };
        for (step, people) in in_hand {
            let who = counted(people, "person has", "people have");
            let fact = format!("{who} its letter, which is not true any more{anew}");
            match undone.iter_mut().find(|one| one.step == step) {
                Some(one) => {
                    one.facts.retain(|fact| fact != runbook::STAYS_TOLD);
                    one.facts.push(fact);
                }
                None => undone.insert(0, TakenBack { step, facts: vec![fact] }),
            }
        }
        Ok(undone)
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
