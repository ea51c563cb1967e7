//! Facts change in mid-campaign: somebody edits the files, nothing goes out and nothing is switched, until the administrator
//! takes them over with `build` and `amend`. From there on the new calendar holds.

use super::outcome::Kind as Event;
use super::script::{Mishap, On, What};
use super::stage::{Happening, Stage};
use crate::engine::{Amendment, Effect, Wish};
use crate::fault::{Fault, Finding, Result, counted};
use crate::notice::FILES;
use crate::outbox::State;
use chrono::{DateTime, NaiveDateTime, Utc};
use fs_err as fs;
use indexmap::IndexMap;
use std::sync::atomic::AtomicBool;

impl Stage<'_, '_> {
    /// Somebody edits what people were told. The administrator takes it over at `until`.
    pub(super) fn facts_change(&mut self, index: usize, until: DateTime<Utc>) -> Result<()> {
        let Mishap { what, .. } = self.script.mishaps[index].clone();
        let what = match what {
            What::DateChange(to) => {
                self.write_date(to)?;
                self.reopen()?;
                let shown = self.record.shown(self.engine.campaign.change.at);
                self.event(Event::Fault, "date-change", &format!("flagday.toml says another date: {shown}"));
                format!("tell people that the change moves to {shown}: flagday amend")
            }
            What::TextChange { notice, .. } => {
                self.write_text(&notice)?;
                self.reopen()?;
                self.event(Event::Fault, "text-change", &format!("somebody rewords '{notice}'"));
                format!("take over the new text of '{notice}': flagday amend")
            }
            _ => {
                self.event(Event::Fault, "postpone", "the date is off, and nobody knows another yet");
                "tell people that the change is put off: flagday amend --postpone".to_owned()
            }
        };
        let by = self.deadline(None);
        self.need(On::FactsChanged, "flagday.toml", &what, by);
        self.at(until, Happening::Mended(index));
        self.plan_rounds();
        self.round()
    }

    /// The administrator takes the changes over, and those whom they concern are told.
    pub(super) fn amend(&mut self, index: usize) -> Result<()> {
        if let Some(until) = self.off_until {
            self.at(until, Happening::Mended(index));
            return Ok(());
        }
        let Mishap { what, reason, .. } = self.script.mishaps[index].clone();
        if self.engine.ledger().revision_number()?.is_none() {
            self.by_hand(On::FactsChanged, "flagday.toml", "nobody was told anything yet: nothing to amend");
            return Ok(());
        }
        let cosmetic = matches!(what, What::TextChange { cosmetic: true, .. });
        let wish = Wish { cosmetic, postpone: what == What::Postpone, reason };
        match self.take_over(&wish) {
            Ok(amendment) => self.tell_amendment(&amendment)?,
            Err(fault) => {
                let now = self.world.truly();
                self.record.stop(now, "amend", &format!("the amendment is refused: {fault}"));
                return Ok(());
            }
        }
        self.read_mail()?;
        self.tell_tasks()?;
        self.judge()?;
        self.plan_rounds();
        Ok(())
    }

    fn take_over(&mut self, wish: &Wish) -> Result<Amendment> {
        self.engine.require_before_cutover(wish)?;
        if !wish.postpone && !self.engine.campaign.packages.is_empty() {
            let built = self.engine.build(None)?;
            let findings: Vec<Finding> = built.into_iter().flat_map(|one| one.findings).collect();
            Fault::check(findings)?;
        }
        let amendment = self.engine.amendment_to_make(wish)?;
        let stop = AtomicBool::new(false);
        // Killed meanwhile, or without a server, the next round goes on: what it owes is on record.
        if let Err(fault) = self.run(|engine, progress| engine.take_over(&amendment, wish, &stop, progress)) {
            if self.engine.ledger().revision_number()? != Some(amendment.next) {
                return Err(fault);
            }
            self.stopped_sending(&fault)?;
        }
        Ok(amendment)
    }

    fn tell_amendment(&mut self, amendment: &Amendment) -> Result<()> {
        let mut void: IndexMap<&str, Vec<String>> = IndexMap::new();
        for one in &amendment.informed {
            // Reminders of what is no longer true do not count on.
            self.pressed.retain(|(person, ..), _| *person != one.person);
            for (acknowledgement, _) in &one.void {
                void.entry(acknowledgement).or_default().push(one.person.clone());
            }
        }
        // What the administrator does about them begins anew.
        let informed = |id: &str| amendment.informed.iter().any(|one| one.person == id);
        let deeds = &self.script.administrator;
        self.used.retain(|(index, whom)| !informed(deeds[*index].person.as_deref().unwrap_or(whom)));
        let effect = match amendment.changes.iter().any(|change| change.effect == Effect::Material) {
            true => Effect::Material,
            false => Effect::Cosmetic,
        };
        let text = format!(
            "amended to revision {} ({}): {} informed, {}",
            amendment.next,
            effect.word(),
            counted(amendment.informed.iter().filter(|one| !one.is_silent()).count(), "person is", "people are"),
            counted(amendment.kept, "answer stays", "answers stay")
        );
        self.by_hand(On::FactsChanged, "flagday.toml", "takes the change over with `flagday amend`");
        let now = self.world.truly();
        let dated = amendment.changes.iter().any(|one| one.difference.fact == "change_at");
        if let Some(words) = self.engine.near_date().filter(|_| dated && !amendment.postponed) {
            let text = format!("{words}: the real amend is refused without --short-notice");
            self.record.event(now, Event::ByHand, "--short-notice", Vec::new(), &text);
        }
        for one in self.engine.past_due_after(amendment)? {
            self.record.event(now, Event::Waits, "amend", Vec::new(), &one.cause);
        }
        let informed = amendment.informed.iter().map(|one| one.person.clone()).collect();
        self.record.event(now, Event::Amended, &format!("revision {}", amendment.next), informed, &text);
        for (acknowledgement, people) in void {
            let text = format!(
                "{} answers to '{acknowledgement}' are void: what they answered is no longer true",
                people.len()
            );
            self.record.event(now, Event::Void, acknowledgement, people, &text);
        }
        Ok(())
    }

    /// The time has come to answer a letter that no longer holds. Whoever has the newer one answers that.
    pub(super) fn answers_the_old_letter(&mut self, person: &str, asked: &str, revision: u32) -> Result<()> {
        let newer = |state| matches!(state, State::Sent | State::Delivered);
        let messages = self.engine.ledger().messages_to(person)?;
        if !messages.iter().any(|message| message.revision > revision && newer(message.state)) {
            let subject = format!("older revision ({asked})");
            let text = format!("{person} answers the letter of revision {revision}: it does not count any more");
            self.event_of(Event::Fact, &subject, person, &text);
        }
        Ok(())
    }

    fn reopen(&mut self) -> Result<()> {
        self.engine = self.site.open(self.world)?;
        self.end = self.script.end(&self.engine);
        Ok(())
    }

    /// Somebody writes another date into flagday.toml.
    fn write_date(&self, to: NaiveDateTime) -> Result<()> {
        let file = self.site.root.join("flagday.toml");
        let text = fs::read_to_string(&file)?;
        let states = |line: &&str| line.trim_start().split(['=', ' ']).next() == Some("change_at");
        let Some(line) = text.lines().find(states) else {
            let cause = "flagday.toml has no line that begins with change_at";
            return Err(Fault::new("rehearsal-date", cause, "write it on a line of its own to rehearse another date"));
        };
        fs::write(&file, text.replacen(line, &format!("change_at = {}", to.format("%Y-%m-%dT%H:%M:%S")), 1))?;
        Ok(())
    }

    /// Somebody adds a line to the text of a notice.
    fn write_text(&self, notice: &str) -> Result<()> {
        let path = format!("{}/text.hbs", self.engine.campaign.notices[notice].template);
        let file = self.site.root.join("templates/mail").join(&path);
        let known = FILES.iter().find(|(name, _)| *name == path).map_or("", |(_, text)| text);
        let text = if file.exists() { fs::read_to_string(&file)? } else { known.to_owned() };
        fs::create_dir_all(file.parent().unwrap_or(&self.site.root))?;
        fs::write(&file, format!("{text}\n(This text was revised.)\n"))?;
        Ok(())
    }
}
