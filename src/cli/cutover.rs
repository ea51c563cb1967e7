use super::confirm::confirm;
use super::{Global, output};
use crate::engine::{Engine, Stop};
use crate::fault::{Exit, Result};
use crate::runbook::journal::Journal;
use clap::Subcommand;

/// Run the steps until one is blocked, done, or needs a person
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Cutover {
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
    /// Stop behind this step
    #[arg(long, value_name = "STEP")]
    until: Option<String>,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// State what a step asks a person to state
    Attest {
        step: String,
        #[arg(long)]
        by: String,
        #[arg(long)]
        note: String,
        /// For one person whom the program cannot see
        #[arg(long)]
        person: Option<String>,
    },
    /// Undo done steps in reverse
    Rollback {
        /// Down to and including this step
        #[arg(long, value_name = "STEP")]
        to: Option<String>,
    },
    /// Show what was meant, done and stated
    Journal,
}

impl Cutover {
    pub fn run(&self, global: &Global) -> Result<Exit> {
        match &self.what {
            None if self.dry_run => dry_run(&global.open()?, global),
            None => self.advance(global),
            Some(What::Attest { step, by, note, person }) => {
                let (mut engine, _lock) = global.open_locked("cutover attest")?;
                output::data(&engine.attest(step, person.as_deref(), by, note)?)?;
                global.hint("Next: flagday cutover");
                Ok(Exit::Done)
            }
            Some(What::Rollback { to }) => rollback(global, to.as_deref()),
            Some(What::Journal) => journal(&global.open()?, global),
        }
    }

    fn advance(&self, global: &Global) -> Result<Exit> {
        let (mut engine, _lock) = global.open_locked("cutover")?;
        confirm(global, &format!("Running the cutover of {}", engine.campaign.title))?;
        let quiet = global.quiet || global.json;
        let cutover = engine.cutover(self.until.as_deref(), &mut |step| {
            if !quiet {
                output::prose(&format!("done: {} ({})", step.name, step.title));
            }
        })?;
        if global.json {
            output::json(&cutover)?;
        }
        tell(&engine, global, &cutover.stop)
    }
}

fn tell(engine: &Engine, global: &Global, stop: &Stop) -> Result<Exit> {
    let say = |text: String| if global.json { Ok(()) } else { output::data(&text) };
    match stop {
        Stop::Done => {
            say("every step is done".into())?;
            global.hint("Next: flagday report");
            return Ok(Exit::Done);
        }
        Stop::Reached { step } => {
            say(format!("step {step} is done, as far as you asked"))?;
            return Ok(Exit::Done);
        }
        Stop::Blocked { step, gates } => {
            for gate in gates {
                say(format!("step {step} is blocked: gate {} has {} of {}", gate.name, gate.satisfied, gate.of))?;
                for one in gate.blocking.iter().take(12) {
                    say(format!("  {} ({}): {}", one.person, one.grade, one.why))?;
                }
                global.hint(format!("Next: flagday who --blocking {}", gate.name));
            }
        }
        Stop::Waiting { step, until } => {
            let at = until.with_timezone(&engine.campaign.change.zone).format("%a %F %H:%M %Z");
            say(format!("step {step} does not begin before {at}"))?;
        }
        Stop::Pending { step, why } => say(format!("step {step} waits: {why}"))?,
        Stop::NeedsPerson { step, statement } => {
            say(format!("step {step} needs a person to state:\n\n{}\n", statement.trim_end()))?;
            global.hint(format!("When it is true: flagday cutover attest {step} --by NAME --note TEXT"));
        }
    }
    Ok(Exit::Waiting)
}

fn dry_run(engine: &Engine, global: &Global) -> Result<Exit> {
    let steps = engine.dry_run();
    if global.json {
        output::json(&steps)?;
        return Ok(Exit::Done);
    }
    for (step, lines) in steps {
        output::data(&step)?;
        for line in lines {
            output::data(&format!("  {line}"))?;
        }
    }
    global.hint("Nothing was touched.");
    Ok(Exit::Done)
}

fn rollback(global: &Global, to: Option<&str>) -> Result<Exit> {
    let (mut engine, _lock) = global.open_locked("cutover rollback")?;
    let warning = engine.rollback_warning(to)?;
    let what = match to {
        Some(step) => format!("Undoing every step down to {step}"),
        None => "Undoing every step".to_owned(),
    };
    confirm(global, &[Some(what), warning].into_iter().flatten().collect::<Vec<_>>().join(". "))?;
    let undone = engine.rollback(to)?;
    if global.json {
        output::json(&undone)?;
    } else if undone.is_empty() {
        output::data("nothing was left to undo")?;
    } else {
        output::data(&format!("undone: {}", undone.join(", ")))?;
    }
    global.hint("Next: flagday status");
    Ok(Exit::Done)
}

fn journal(engine: &Engine, global: &Global) -> Result<Exit> {
    let entries = engine.ledger().entries()?;
    if global.json {
        output::json(&entries)?;
        return Ok(Exit::Done);
    }
    for entry in entries {
        let at = entry.at.with_timezone(&engine.campaign.change.zone).format("%F %T %Z");
        output::data(&format!("{at}  {}  {}", entry.step, serde_json::to_string(&entry.event)?))?;
    }
    Ok(Exit::Done)
}
