//! Answers that are due before those who are to give them are told: what is said beforehand, for their letters cannot name an
//! hour that has passed, and what was to press them by then is passed over.

use super::Engine;
use super::amendment::Amendment;
use super::unread::PRESSING;
use crate::campaign::Acknowledgement;
use crate::fault::{Finding, Result};
use crate::ledger::Owed;
use std::collections::{BTreeMap, BTreeSet};

impl Engine<'_> {
    /// A warning for each acknowledgement that was due already, where people are told by `send` now: by one notice, or by
    /// all that is due.
    pub fn past_due(&self, notice: Option<&str>) -> Result<Vec<Finding>> {
        if self.aborted()?.is_some() || self.is_postponed()? {
            return Ok(Vec::new());
        }
        let asked = |name: &str| notice.is_none_or(|notice| notice == name);
        self.warn_of(|acknowledgement| {
            let notice = acknowledgement.notice.as_deref().filter(|name| asked(name)).unwrap_or_default();
            let owed = self.owed()?.into_iter().filter(|owed| owed.notice == notice).map(|owed| owed.person);
            Ok(owed.chain(self.not_told(acknowledgement, notice)?).collect())
        })
    }

    /// The same for whom an amendment tells.
    pub fn past_due_after(&self, amendment: &Amendment) -> Result<Vec<Finding>> {
        self.warn_of(|acknowledgement| {
            let asks = |asks: &Option<String>| asks.as_ref() == Some(&acknowledgement.name);
            let owed = amendment.owed.iter().filter(|owed| asks(&owed.asks));
            Ok(owed.map(|owed| owed.person.clone()).collect())
        })
    }

    /// What is held once an amendment is taken over, because its window is over by the new date: people by notice. Whoever is
    /// written to anew is neither told late nor reminded of what they were told before.
    pub(super) fn held_after(&self, amendment: &Amendment) -> Result<BTreeMap<String, usize>> {
        let mut held: BTreeMap<String, usize> = BTreeMap::new();
        for one in self.overdue_letters()? {
            let told = amendment.owed.iter().filter(|owed| owed.person == one.person.id);
            let presses = PRESSING.contains(&one.notice.as_str());
            let anew = |owed: &Owed| owed.notice == one.notice || presses && owed.asks == one.acknowledgement;
            if !told.into_iter().any(anew) {
                *held.entry(one.notice).or_default() += 1;
            }
        }
        Ok(held)
    }

    /// Those whom a notice has not gone to yet, and who have not answered what it asks.
    fn not_told(&self, asked: &Acknowledgement, notice: &str) -> Result<Vec<String>> {
        if notice.is_empty() {
            return Ok(Vec::new());
        }
        let have = self.ledger.have(notice)?;
        let standings = self.standings(asked)?.into_iter();
        let untold = standings.filter(|one| !have.contains(&one.person) && !Self::is_settled(asked, one));
        Ok(untold.map(|one| one.person).collect())
    }

    fn warn_of(&self, told: impl Fn(&Acknowledgement) -> Result<BTreeSet<String>>) -> Result<Vec<Finding>> {
        let (now, change) = (self.now(), &self.campaign.change);
        let mut findings = Vec::new();
        if now >= change.at {
            return Ok(findings);
        }
        for asked in self.campaign.acknowledgements.values() {
            let Some(due) = asked.due.map(|due| due.instant(change)).filter(|due| *due <= now) else { continue };
            let people = told(asked)?;
            if people.is_empty() {
                continue;
            }
            let people =
                if people.len() == 1 { "1 person is".to_owned() } else { format!("{} people are", people.len()) };
            let due = due.with_timezone(&change.zone).format("%a %F %H:%M %Z");
            let cause = format!(
                "'{}' was due {due}, and {people} told only now: their letter names no hour, and nobody is reminded or \
                 escalated by an hour that has passed",
                asked.name
            );
            let remedy =
                format!("set another `due` in [acknowledgement.{}], and `remind` and `escalate` with it", asked.name);
            findings.push(Finding::warning("due-passed", cause, remedy).at(asked.place.clone()));
        }
        Ok(findings)
    }
}
