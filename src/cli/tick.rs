use super::confirm::confirm;
use super::{Global, send};
use crate::fault::{Exit, Result};

/// One round of the schedule, for cron: notices, reminders and escalations that are due
#[derive(Debug, clap::Args)]
pub struct Tick {}

impl Tick {
    pub fn run(&self, global: &Global) -> Result<Exit> {
        let (mut engine, _lock) = global.open_locked("tick")?;
        confirm(global, &format!("Sending what is due for {}", engine.campaign.title))?;
        let sent = send::with_progress(global, |stop, progress| engine.round(stop, progress))?;
        match send::finish(&engine, global, &sent)? {
            // Nothing to do is what most rounds find; cron need not hear of it.
            Exit::Waiting => Ok(Exit::Done),
            exit => Ok(exit),
        }
    }
}
