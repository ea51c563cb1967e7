//! What goes wrong: no mail server, a machine that sleeps, a clock that jumps, a run that is killed. Facts that change are in
//! `amendment`.

use super::outcome::Kind as Event;
use super::script::{On, What};
use super::stage::{Happening, Stage};
use crate::fault::Result;
use crate::ledger::Ledger;
use chrono::Duration;

impl Stage<'_, '_> {
    pub(super) fn goes_wrong(&mut self, index: usize) -> Result<()> {
        let mishap = self.script.mishaps[index].clone();
        let until = self.world.truly() + mishap.lasts;
        let shown = self.record.shown(until);
        match mishap.what {
            What::ServerDown => {
                self.world.take_mail_down(true);
                self.event(Event::Fault, "server-down", &format!("the mail server is down until {shown}"));
                self.at(until, Happening::Mended(index));
            }
            What::Asleep => {
                self.sleep(until, index);
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
        match self.script.mishaps[index].what {
            What::ServerDown => {
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
                self.off_until = None;
                self.record.did(self.world.truly(), On::Killed, "flagday", "started again");
                self.event(Event::Fault, "started-again", "somebody starts flagday again");
            }
            What::DateChange(_) | What::Postpone | What::TextChange { .. } => self.amend(index)?,
        }
        self.round()
    }

    fn sleep(&mut self, until: chrono::DateTime<chrono::Utc>, index: usize) {
        self.off_until = Some(until);
        self.at(until, Happening::Mended(index));
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
