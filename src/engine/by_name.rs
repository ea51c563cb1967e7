//! What is sent because somebody asks for it by name.

use super::Engine;
use super::calendar::Entry;
use super::reason::Reason;
use super::sending::Intent;
use crate::campaign::Step;
use crate::fault::{Exit, Fault, Result};
use crate::ledger::OUTDATED;
use std::collections::HashMap;

impl Engine<'_> {
    /// The notice asked for by name: to its audience, now.
    pub(super) fn intents_by_name(&self, name: &str, again: bool) -> Result<Vec<Intent>> {
        let Some(notice) = self.campaign.notices.get(name) else {
            let known: Vec<_> = self.campaign.notices.keys().map(String::as_str).collect();
            let cause = format!("there is no notice '{name}'");
            return Err(Fault::ending(Exit::Usage, "unknown-notice", cause, format!("one of {}", known.join(", "))));
        };
        if matches!(name, "abort" | "postponed" | "correction") {
            let command = match name {
                "abort" => "abort",
                "postponed" => "amend --postpone",
                _ => "amend",
            };
            let cause = format!("'{name}' is true only once `flagday {command}` was run, which sends it");
            return Err(Fault::ending(Exit::Usage, "sent-by-command", cause, format!("run `flagday {command}`")));
        }
        if name == OUTDATED {
            let cause = format!("'{name}' goes to whoever answers what they were told before, and to nobody else");
            return Err(Fault::ending(
                Exit::Usage,
                "sent-of-itself",
                cause,
                "run `flagday send`: it sends what is due",
            ));
        }
        if matches!(name, "reminder" | "escalation") {
            return self.intents_of_latest(name, again);
        }
        self.require_step_of(name)?;
        let mut next: HashMap<String, u32> = HashMap::new();
        for (id, copy) in self.ledger.copies(name)? {
            let next = next.entry(id).or_default();
            *next = (copy + 1).max(*next);
        }
        let ever = self.ledger.have(name)?;
        let have = match self.taken_back(name)? {
            Some(undone) => self.ledger.have_behind(name, undone)?,
            None => ever.clone(),
        };
        let now = self.now();
        // Growing, it would be held twice for a moment.
        let mut intents = Vec::with_capacity(self.roster.len());
        let asked = self.acknowledgement_asked_by(name).map(str::to_owned);
        for person in self.people_of(&notice.audience) {
            let has = have.contains(&person.id);
            if has && !again {
                continue;
            }
            let reason = match ever.contains(&person.id) {
                true if has => Some(Reason::AskedFor),
                true => Some(Reason::Anew),
                false => None,
            };
            let mut intent = Intent {
                acknowledgement: asked.clone(),
                copy: next.get(&person.id).copied().unwrap_or(0),
                reason: reason.map(|reason| reason.words(person.language.as_deref())).unwrap_or_default(),
                ..Intent::new(name, person, now)
            };
            if again {
                self.replace_earlier(&mut intent)?;
            }
            intents.push(intent);
        }
        Ok(intents)
    }

    /// Reminders and escalations asked for by name. Escalations: for each acknowledgement the newest moment that has come and
    /// that somebody has not had, else the next one. The scheduled one is then done.
    fn intents_of_latest(&self, name: &str, again: bool) -> Result<Vec<Intent>> {
        let now = self.now();
        let mut look = self.look_around()?;
        look.by_name = true;
        let calendar = self.calendar();
        let mut intents = Vec::new();
        for acknowledgement in self.campaign.acknowledgements.values() {
            if name == "reminder" {
                intents.extend(look.reminders_by_name(&calendar, acknowledgement, again)?);
                continue;
            }
            let (past, future): (Vec<&Entry>, Vec<&Entry>) = calendar
                .iter()
                .filter(|entry| entry.notice.as_deref() == Some(name))
                .filter(|entry| entry.acknowledgement.as_ref() == Some(&acknowledgement.name))
                .partition(|entry| entry.at <= now);
            // One moment is an entry for each time zone; they are known by the copy.
            let mut chosen = None;
            for entry in past.into_iter().rev().chain(future) {
                if chosen.is_some_and(|copy| copy != entry.copy) {
                    continue;
                }
                let wanted = look.intents(entry)?.into_iter();
                let before = intents.len();
                intents.extend(wanted.filter(|intent| intent.instead.is_some()));
                if intents.len() > before {
                    chosen = Some(entry.copy);
                }
            }
        }
        Ok(intents)
    }

    /// A notice that belongs to a step of the change itself is true only when the steps before it are done, and the files
    /// are still so.
    fn require_step_of(&self, notice: &str) -> Result<()> {
        let steps = &self.campaign.steps;
        let shows = |step: &&Step| step.attest.as_ref().is_some_and(|text| text.contains(&format!("{{{notice}}}")));
        if let Some(step) = steps.iter().find(shows) {
            let cause = format!(
                "notice '{notice}' is sent by a person, from a client on the network: mail of this program comes too early, \
                 and once P1 is closed not at all"
            );
            let remedy =
                format!("`flagday cutover` shows its text when step {} comes, and asks whether it was sent", step.name);
            return Err(Fault::new("not-by-mail", cause, remedy));
        }
        match self.step_of_the_change(notice) {
            Some(step) => {
                self.require_before(step)?;
                Fault::check(self.check_by_names(&step.before)).map(drop)
            }
            None => Ok(()),
        }
    }
}
