//! The simulated administrator: waits for what the script names, then does one thing, with the same commands as anybody.

use super::outcome::Kind as Event;
use super::script::{AtEvening, Deed, On};
use super::stage::{Happening, How, Stage};
use super::world::{each_file, touch};
use crate::engine::{To, Waive};
use crate::fault::{Fault, Result};
use fs_err as fs;
use std::path::{Component, Path};

impl Stage<'_, '_> {
    /// Something happened that the administrator may be waiting for. Returns whether somebody takes it in hand.
    pub(super) fn trigger(&mut self, on: On, step: Option<&str>, person: Option<&str>, notice: Option<&str>) -> bool {
        let fits = |deed: &Deed| {
            deed.on == on
                && deed.step.as_deref().is_none_or(|name| Some(name) == step)
                && deed.person.as_deref().is_none_or(|id| Some(id) == person)
                && deed.notice.as_deref().is_none_or(|name| Some(name) == notice)
        };
        let mut taken = false;
        for (index, deed) in self.script.administrator.iter().enumerate().filter(|(_, deed)| fits(deed)) {
            // Once, or once for each.
            let whom = if deed.each { person.or(step).or(notice).unwrap_or_default() } else { "" };
            if self.used.insert((index, whom.to_owned())) {
                taken = true;
                let happening =
                    Happening::Deed { index, step: step.map(str::to_owned), person: person.map(str::to_owned) };
                self.later(deed.after, happening);
            }
        }
        taken
    }

    /// Does it, for the person or the step that it was about.
    pub(super) fn act(&mut self, deed: &Deed, step: Option<&str>, person: Option<&str>) -> Result<()> {
        let operator = self.script.operator.clone();
        let person = deed.person.as_deref().or(person).unwrap_or("");
        let step = deed.step.as_deref().or(step).unwrap_or("");
        let notice = deed.notice.as_deref().or(deed.send.as_deref()).unwrap_or("");
        let on = deed.on;
        let whom = match on {
            On::Attestation | On::BuildFailed | On::StepDone => step,
            On::Held => notice,
            _ => person,
        }
        .to_owned();
        if let Some(words) = &deed.attest {
            let said = format!("states for {step}: {words}");
            if !self.state(step, words, &said)? {
                return Ok(());
            }
        }
        if let Some(pair) = &deed.copy {
            let (from, to) = (self.inside(&pair.from)?, self.inside(&pair.to)?);
            let mut copied = Vec::new();
            each_file(&from, &mut |path| {
                copied.push(path.to_owned());
                Ok(())
            })?;
            for path in copied {
                let target = to.join(path.strip_prefix(&from).unwrap_or(&path));
                fs::create_dir_all(target.parent().unwrap_or(&to))?;
                fs::copy(&path, &target)?;
                touch(&target, self.world.truly())?;
            }
            self.by_hand(on, &whom, &format!("puts the files of {} in place of those of {}", pair.from, pair.to));
        }
        if let Some(folder) = &deed.touch {
            let folder_path = self.inside(folder)?;
            let now = self.world.truly();
            each_file(&folder_path, &mut |path| touch(path, now))?;
            self.by_hand(on, &whom, &format!("makes the files of {folder} anew"));
        }
        if let Some(words) = &deed.record {
            match self.open_for(person)? {
                Some(asked) => {
                    self.by_hand(on, &whom, &format!("records the answer of {person}: {words}"));
                    self.answer(person, &asked, Some(&operator), words, How::Phone)?;
                }
                None => self.by_hand(on, &whom, &format!("has the answer of {person} on record already")),
            }
        }
        if let Some(notice) = &deed.resend {
            self.by_hand(on, &whom, &format!("sends {notice} to {person} again"));
            self.send(Some(notice), &To::People(vec![person.to_owned()]), true)?;
        }
        if let Some(notice) = &deed.send {
            self.by_hand(on, &whom, &format!("sends {notice} by name"));
            self.send(Some(notice), &To::Everyone, false)?;
        }
        if let Some(reason) = &deed.waive {
            let waive = Waive { person, only: None, reason, by: &operator, until: None };
            let waived = match self.engine.waive(waive) {
                Ok(waived) => Some(waived),
                // They have answered meanwhile, or were waived before.
                Err(fault) if fault.findings.iter().any(|finding| finding.code == "nothing-to-waive") => None,
                Err(fault) => return Err(fault),
            };
            if waived.as_ref().is_some_and(|waived| waived.iter().any(|one| !one.counts)) {
                self.engine.waive(Waive { by: "Second operator", ..waive })?;
            }
            match waived {
                Some(_) => self.by_hand(on, &whom, &format!("waives {person}: {reason}")),
                None => self.by_hand(on, &whom, &format!("need not waive {person}, who blocks nothing any more")),
            }
        }
        if deed.log_on {
            self.by_hand(on, &whom, &format!("recovers the password of {person}, logs on and off as them"));
            self.log_on(person, AtEvening::LogsOn)?;
        }
        if let Some(words) = &deed.vouch {
            let drain = self.step_that_observes("drain");
            self.engine.attest_person(&drain, person, &operator, words)?;
            self.by_hand(on, &whom, &format!("vouches for {person}: {words}"));
        }
        if let Some(words) = &deed.note {
            self.by_hand(on, &whom, words);
        }
        Ok(())
    }

    /// States what a step asks. Where its turn is over meanwhile, because the date moved or is off, that is told; once it is asked
    /// for again, it is stated then.
    pub(super) fn state(&mut self, step: &str, words: &str, said: &str) -> Result<bool> {
        let operator = self.script.operator.clone();
        match self.engine.attest(step, &operator, words) {
            Ok(_) => {
                self.by_hand(On::Attestation, step, said);
                Ok(true)
            }
            Err(fault) if fault.findings.iter().any(|finding| finding.code == "not-its-turn") => {
                let text = format!("{operator} keeps what was to be stated for {step}: {}", fault.cause());
                self.event(Event::Waits, step, &text);
                let deeds = &self.script.administrator;
                self.used.retain(|(index, _)| deeds[*index].attest.is_none());
                self.asked.remove(step);
                Ok(false)
            }
            Err(fault) => Err(fault),
        }
    }

    /// A folder of the copied campaign; never one outside it.
    fn inside(&self, text: &str) -> Result<std::path::PathBuf> {
        let path = Path::new(text);
        if path.components().all(|part| matches!(part, Component::Normal(_))) {
            return Ok(self.site.root.join(path));
        }
        let cause = format!("'{text}' leads out of the campaign");
        Err(Fault::new("rehearsal-path", cause, "name a folder below the campaign in rehearsal.toml"))
    }

    /// The first acknowledgement asked by mail that the person has not settled; `None` where they have settled all.
    fn open_for(&self, person: &str) -> Result<Option<String>> {
        let mut asked = false;
        for acknowledgement in self.engine.campaign.acknowledgements.values().filter(|one| one.notice.is_some()) {
            let Some(standing) = self.engine.standing(acknowledgement, person)? else { continue };
            if standing.grade < acknowledgement.grade {
                return Ok(Some(acknowledgement.name.clone()));
            }
            asked = true;
        }
        match asked {
            true => Ok(None),
            false => {
                Err(Fault::new("nothing-asked", format!("{person} is asked for nothing"), "correct rehearsal.toml"))
            }
        }
    }
}
