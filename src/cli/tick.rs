use super::{Global, intake, output, send};
use crate::fault::{Exit, Result};
use std::sync::atomic::AtomicBool;

/// One round of the schedule, for cron: answers are read, then notices, reminders and escalations that are due
#[derive(Debug, clap::Args)]
pub struct Tick {}

impl Tick {
    pub fn run(&self, global: &Global) -> Result<Exit> {
        let (mut engine, _lock) = global.open_locked("tick")?;
        // Whoever has answered meanwhile is not reminded, and nobody is while a mailbox cannot be read; notices go out.
        let (taken, faults) = engine.intake(&AtomicBool::new(false), &mut || {});
        if taken.new > 0 {
            global.hint(intake::words(&taken));
        }
        faults.iter().for_each(|fault| output::findings(&fault.findings, false));
        send::ask(&engine, global, &format!("Sending what is due for {}", engine.campaign.title))?;
        let sent = send::with_progress(global, |stop, progress| engine.round(stop, progress))?;
        match send::finish(&engine, global, &sent)? {
            // Nothing to do is what most rounds find; cron need not hear of it.
            Exit::Waiting | Exit::Done if !faults.is_empty() => Ok(Exit::Error),
            Exit::Waiting if sent.nothing_due => Ok(Exit::Done),
            exit => Ok(exit),
        }
    }
}
