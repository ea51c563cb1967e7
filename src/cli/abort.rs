use super::confirm::confirm;
use super::{Global, cutover, output, send, waiting};
use crate::engine::Engine;
use crate::fault::{Exit, Result, counted};
use crate::ledger::Lock;
use crate::system::{Real, World, pause};
use std::time::Duration;

/// Call it off: stops the queue, tells everyone who was told, takes calendar entries out again
#[derive(Debug, clap::Args)]
pub struct Abort {
    /// Why; people read it
    #[arg(long)]
    reason: Option<String>,
    /// Who decides it
    #[arg(long, default_value = "")]
    by: String,
    /// Also take done steps of the cutover back, last first
    #[arg(long)]
    rollback: bool,
    /// Tell people although steps of the cutover are still done
    #[arg(long, conflicts_with = "rollback")]
    as_it_stands: bool,
}

/// A running command lets go of the message in its hands; a server may take its time with that one.
const GLANCES: usize = 900;
const BETWEEN: Duration = Duration::from_millis(100);

impl Abort {
    pub fn run(&self, global: &Global) -> Result<Exit> {
        let mut engine = global.open()?;
        engine.as_it_stands = self.as_it_stands;
        if !self.rollback {
            half_done(&engine, engine.require_nothing_changed())?;
        }
        let again = engine.aborted()?;
        let people = engine.to_be_told_of_abort()?.len() + engine.asked_to_be_told_of_abort()?.len();
        let back = if self.rollback { "takes the steps of the cutover back, then " } else { "" };
        let title = engine.campaign.title.clone();
        let warning = if self.rollback { engine.rollback_warning(None)? } else { None };
        if let (true, Some(warning)) = (global.yes, &warning) {
            output::prose(warning);
        }
        let what = format!("This calls '{title}' off for good: {back}tells {}", counted(people, "person", "people"));
        confirm(global, &[Some(what), warning].into_iter().flatten().collect::<Vec<_>>().join(". "))?;
        let by = if self.by.trim().is_empty() { operator() } else { self.by.clone() };
        let mut taken_back = engine.call_off(self.reason.as_deref().unwrap_or_default(), &by)?;
        let _lock = wait_for_lock(global, &engine)?;
        // What a run that was under way had in its hands, it has given back by now, or was killed with.
        taken_back += engine.call_off_rest()?;
        if again.is_none() {
            output::prose(&match taken_back {
                1 => "called off; one message that had not left is taken back".to_owned(),
                n => format!("called off; {n} messages that had not left are taken back"),
            });
        }
        // What people are told is true only then; and while P1 is closed, mail does not get into the postoffice.
        if self.rollback {
            match take_back(&mut engine, global)? {
                Exit::Done => {}
                refused => return Ok(refused),
            }
        }
        // A step that was under way when the mark was put has ended since.
        half_done(&engine, engine.require_nothing_changed())?;
        let sent = send::with_progress(global, |stop, progress| engine.abort(stop, progress))?;
        let exit = match send::finish(&engine, global, &sent)? {
            // Everybody knows already.
            Exit::Waiting if sent.nothing_due => Exit::Done,
            exit => exit,
        };
        if self.rollback && !global.quiet && !global.json {
            cutover::situation(&engine)?;
        }
        Ok(exit)
    }
}

/// What is refused because of done steps, with the state of the postoffice and what is safe.
fn half_done(engine: &Engine, judged: Result<()>) -> Result<()> {
    if judged.is_err() {
        cutover::situation(engine)?;
    }
    judged
}

/// Takes every step back and says which. Where one refuses, what state the postoffice is in, and what is safe now.
fn take_back(engine: &mut Engine, global: &Global) -> Result<Exit> {
    engine.patience = waiting::patience(engine.patience.seconds, global.quiet || global.json);
    match engine.rollback(None) {
        Ok(undone) => {
            for taken in undone {
                output::prose(&format!("undone: {}", taken.step));
                taken.facts.iter().for_each(|fact| output::prose(&format!("  {fact}")));
            }
            Ok(Exit::Done)
        }
        Err(fault) => {
            output::findings(&fault.findings, true);
            output::prose(
                "It is called off, and nobody has been told of it by this run: first the steps are to be taken back. \
                 `flagday abort --rollback` tries that again and then tells people",
            );
            cutover::situation(engine)?;
            Ok(fault.exit)
        }
    }
}

/// The mark is put; whoever holds the lock sees it between two messages.
fn wait_for_lock(global: &Global, engine: &Engine) -> Result<Lock> {
    let take = || Lock::take(&engine.campaign.state(), "abort", Real.now());
    for _ in 0..GLANCES {
        match take() {
            Err(fault) if fault.exit == Exit::Busy => pause(BETWEEN),
            taken => return taken,
        }
    }
    global.hint("The campaign is called off; the next `flagday abort` or `flagday tick` tells people.");
    take()
}

/// Who is logged on: as the session says, which knows who became root; else whose process it is.
fn operator() -> String {
    let session = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
    session.filter(|name| !name.trim().is_empty()).or_else(|| whoami::username().ok()).unwrap_or_default()
}
