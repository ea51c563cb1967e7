//! What goes wrong: no mail server, a machine that sleeps, a clock that jumps, a run that is killed. Facts that change are in
//! `amendment`.

use super::outcome::Kind as Event;
use super::script::{On, What};
use super::stage::{Happening, Stage};
use crate::fault::Result;
use crate::ledger::Ledger;
use chrono::{DateTime, Duration, Utc};

impl Stage<'_, '_> {
    pub(super) fn goes_wrong(&mut self, index: usize) -> Result<()> {
        let mishap = self.script.mishaps[index].clone();
        let until = self.world.truly() + mishap.lasts;
        match mishap.what {
            What::ServerDown => {
                self.world.take_mail_down(true);
                let longest = self.down_until.map_or(until, |known| known.max(until));
                self.down_until = Some(longest);
                let shown = self.record.shown(longest);
                self.event(Event::Fault, "server-down", &format!("the mail server is down until {shown}"));
                self.at(until, Happening::Mended(index));
            }
            What::Asleep => {
                let longest = self.sleep(until, index);
                let shown = self.record.shown(longest);
                self.event(Event::Fault, "asleep", &format!("the machine sleeps until {shown}"));
            }
            What::ClockStep(by) => {
                self.world.step_clock(by);
                let words = if by < Duration::zero() { "back" } else { "forward" };
                let minutes = by.num_minutes().abs();
                self.event(Event::Fault, "clock-step", &format!("the machine's clock jumps {minutes} minutes {words}"));
                self.plan_rounds();
                self.round_soon();
                if mishap.lasts > Duration::zero() {
                    self.at(until, Happening::Mended(index));
                }
            }
            What::Kill { during: Some(step), .. } => {
                let look = Ledger::open_throwaway(self.engine.ledger().state())?;
                self.world.arm(Some((step, look)));
                self.kill = Some(index);
            }
            What::Kill { during: None, after } => {
                self.kill_after = Some(after);
                self.kill = Some(index);
            }
            What::DateChange(_) | What::Postpone | What::TextChange { .. } => self.facts_change(index, until)?,
        }
        Ok(())
    }

    pub(super) fn is_mended(&mut self, index: usize) -> Result<()> {
        let now = self.world.truly();
        // Of several at once the longest counts.
        let over = |until: Option<DateTime<Utc>>| until.is_some_and(|until| until <= now);
        match self.script.mishaps[index].what {
            What::ServerDown if !over(self.down_until) => return Ok(()),
            What::Asleep if !over(self.off_until) => return Ok(()),
            What::ServerDown => {
                self.down_until = None;
                self.world.take_mail_down(false);
                self.event(Event::Fault, "server-up", "the mail server answers again");
            }
            What::Asleep => {
                self.off_until = None;
                self.event(Event::Fault, "awake", "the machine is awake again");
            }
            What::ClockStep(_) => {
                self.world.step_clock(Duration::zero());
                self.event(Event::Fault, "clock-right", "the machine's clock is right again");
                self.plan_rounds();
            }
            What::Kill { .. } => {
                // The machine that sleeps has nobody at it.
                if let Some(until) = self.off_until.filter(|until| *until > now) {
                    self.at(until, Happening::Mended(index));
                    return Ok(());
                }
                self.off_until = None;
                self.record.did(self.world.truly(), On::Killed, "flagday", "started again");
                self.event(Event::Fault, "started-again", "somebody starts flagday again");
            }
            What::DateChange(_) | What::Postpone | What::TextChange { .. } => self.amend(index)?,
        }
        self.round()
    }

    /// Until when it is off then: it may be off for longer already.
    fn sleep(&mut self, until: DateTime<Utc>, index: usize) -> DateTime<Utc> {
        let longest = self.off_until.map_or(until, |known| known.max(until));
        self.off_until = Some(longest);
        self.at(until, Happening::Mended(index));
        longest
    }

    /// Faults of the script whose moment had not come when nothing was left to rehearse.
    pub(super) fn tell_what_never_came(&mut self, indices: Vec<usize>) {
        for index in indices {
            let at = self.script.mishaps[index].at.instant(&self.engine.campaign.change);
            let text = format!("the fault of {} never comes: the rehearsal is over before", self.record.shown(at));
            self.event(Event::Fault, "never-comes", &text);
        }
    }

    /// The run was killed: what it had not written down is gone, and the next one finds the ledger as it stands.
    pub(super) fn killed(&mut self) -> Result<()> {
        self.kill_after = None;
        self.world.arm(None);
        self.engine = self.site.open(self.world)?;
        let counts = self.engine.ledger().counts()?;
        let begun = self.engine.steps()?.into_iter().find(|step| step.state == "running").map(|step| step.name);
        let left = match begun {
            Some(step) => format!("step {step} was begun and its end is not on record"),
            None => format!("{} messages were in hand, {} wait", counts.sending, counts.planned + counts.deferred),
        };
        self.event(Event::Fault, "killed", &format!("flagday is killed: {left}"));
        let Some(index) = self.kill.take() else { return Ok(()) };
        let until = self.world.truly() + self.script.mishaps[index].lasts;
        self.need(On::Killed, "flagday", "start flagday again, which was killed", None);
        self.sleep(until, index);
        Ok(())
    }
}
