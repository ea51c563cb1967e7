use super::confirm::{confirm, typed};
use super::{Global, blocking, drain, output, restore, waiting};
use crate::engine::{Engine, Except, Overrule, Stop};
use crate::fault::{Exit, Fault, Finding, Result, counted};
use crate::runbook::{Event, Journal, StepState};
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
    /// How long a step waits for a file that somebody has open
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait: u32,
    /// Let the next step pass this gate although it is held: for ever visible, with your name
    #[arg(long = "override", value_name = "GATE", requires = "by", requires = "reason")]
    overrule: Option<String>,
    /// Who decides that
    #[arg(long, value_name = "NAME", requires = "overrule")]
    by: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT", requires = "overrule")]
    reason: Option<String>,
    /// The campaign's name, typed out, where no terminal can ask for it
    #[arg(long, value_name = "CAMPAIGN", requires = "overrule")]
    confirm: Option<String>,
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
        #[arg(long, alias = "reason")]
        note: String,
        /// For one person whom the program cannot see, or for a mailbag that nobody has: its hex id
        #[arg(long)]
        person: Option<String>,
        /// A point of the step's checklist that was not seen; it stays visible
        #[arg(long, value_name = "POINT", conflicts_with_all = ["person", "undone"])]
        without: Vec<String>,
        /// A point that nobody is going to see, by your decision and for the reason in the note; it stays visible
        #[arg(long, value_name = "POINT", conflicts_with_all = ["person", "undone"])]
        waive: Vec<String>,
        /// That you took back by hand what the step's own program had done
        #[arg(long, conflicts_with = "person")]
        undone: bool,
    },
    /// Undo done steps, last first
    Rollback {
        /// Stop before this step: it stays done, and what came after it is undone
        #[arg(long, value_name = "STEP")]
        to: Option<String>,
        /// How long a step waits for a file that somebody has open
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        wait: u32,
    },
    Restore(restore::Restore),
    /// Look who has fetched their mail since the broadcast, by the files of the postoffice
    Drain(drain::Drain),
    /// Show what was meant, done and stated
    Journal,
}

impl Cutover {
    pub fn run(&self, global: &Global) -> Result<Exit> {
        match &self.what {
            None if self.dry_run => dry_run(&global.open()?, global),
            None => self.advance(global),
            Some(What::Attest { step, by, note, person, without, waive, undone }) => {
                let (mut engine, _lock) = global.open_locked("cutover attest")?;
                output::text(&match person {
                    Some(person) => engine.attest_person(step, person, by, note)?,
                    None if *undone => engine.undone_by_hand(step, by, note)?,
                    None => engine.attest_except(step, by, note, Except { without, waived: waive })?,
                })?;
                global.hint("Next: flagday cutover");
                Ok(Exit::Done)
            }
            Some(What::Rollback { to, wait }) => rollback(global, to.as_deref(), *wait),
            Some(What::Restore(restore)) => restore.run(global),
            Some(What::Drain(drain)) => drain.run(global),
            Some(What::Journal) => journal(&global.open()?, global),
        }
    }

    fn advance(&self, global: &Global) -> Result<Exit> {
        let (mut engine, _lock) = global.open_locked("cutover")?;
        confirm(global, &format!("Running the cutover of {}", engine.campaign.title))?;
        let quiet = global.quiet || global.json;
        engine.patience = waiting::patience(self.wait, quiet);
        if let Some(gate) = &self.overrule {
            self.overrule(&mut engine, gate)?;
        }
        let mut told: Vec<Finding> = Vec::new();
        let cutover = engine.cutover(self.until.as_deref(), &mut |step, warnings| {
            let new = not_among(&told, warnings);
            output::findings(&new, global.verbose);
            told.extend(new);
            if !quiet {
                output::prose(&format!("done: {} ({})", step.name, step.title));
            }
        });
        let cutover = match cutover {
            Ok(cutover) => cutover,
            Err(fault) => {
                output::findings(&fault.findings, true);
                situation(&engine)?;
                return Ok(fault.exit);
            }
        };
        if global.json {
            output::json(&cutover)?;
        } else {
            output::findings(&not_among(&told, &cutover.warnings), global.verbose);
        }
        let exit = tell(&engine, global, &cutover.stop)?;
        if exit != Exit::Done && !quiet {
            situation(&engine)?;
        }
        Ok(exit)
    }

    /// Records the override, once the campaign's name was typed.
    fn overrule(&self, engine: &mut Engine, gate: &str) -> Result<()> {
        let name = engine.campaign.name.clone();
        let typed = match &self.confirm {
            Some(typed) => Some(typed.clone()),
            None => typed(&format!("Overriding gate {gate}. Type the campaign's name, {name}, to go on: "))?,
        };
        let Some(typed) = typed else {
            let cause = format!("gate {gate} was not overridden: nobody is at a terminal to type the campaign's name");
            let remedy = "add --confirm with the campaign's name; --yes is not enough";
            return Err(Fault::ending(Exit::Waiting, "override-unconfirmed", cause, remedy));
        };
        let (by, reason) = (self.by.as_deref().unwrap_or(""), self.reason.as_deref().unwrap_or(""));
        let decision = engine.overrule(Overrule { gate, by, reason, typed: &typed })?;
        output::prose(&format!(
            "OVERRIDDEN by {}: gate {} for step {}, held by {}; status, report and audit show it for ever",
            decision.by,
            decision.gate,
            decision.step,
            counted(decision.missing.len(), "person", "people")
        ));
        Ok(())
    }
}

/// What state the postoffice is in, and two commands that are safe.
pub fn situation(engine: &Engine) -> Result<()> {
    let Some(situation) = engine.situation()? else { return Ok(()) };
    let mut text = "\nThe postoffice now:\n".to_owned();
    for words in &situation.words {
        text += &format!("  {words}\n");
    }
    text += "Safe now:\n";
    let width = situation.safe.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    for (command, what) in &situation.safe {
        text += &format!("  {command:width$}  {what}\n");
    }
    output::prose(text.trim_end());
    Ok(())
}

/// What stays so from one step to the next is said once.
fn not_among(told: &[Finding], warnings: &[Finding]) -> Vec<Finding> {
    warnings.iter().filter(|one| !told.contains(one)).cloned().collect()
}

fn tell(engine: &Engine, global: &Global, stop: &Stop) -> Result<Exit> {
    let say = |text: String| if global.json { Ok(()) } else { output::text(&text) };
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
            for change in engine.not_counted()? {
                say(format!("the change has begun, so this does not count by itself: {change}"))?;
            }
            for gate in gates {
                say(format!("step {step} is blocked: gate {} has {}", gate.name, gate.count()))?;
                if !gate.blocking.is_empty() {
                    say(blocking::text(gate))?;
                }
                match gate.missed {
                    Some(due) => {
                        let at = due.with_timezone(&engine.campaign.change.zone).format("%a %F %H:%M %Z");
                        say(format!(
                            "  its deadline passed {at}: no later answer opens it, and the change is to be called off"
                        ))?;
                        let people = engine.to_be_told_of_abort()?.len();
                        say(format!("  nobody was told that yet: {people} people still expect the change"))?;
                        global.hint(
                            "Next: flagday abort --reason TEXT tells them. Or a decision by name, for ever visible: flagday ack \
                             waive PERSON, flagday cutover --override GATE",
                        );
                    }
                    None => global.hint(format!("Next: flagday who --blocking {}", gate.name)),
                }
                if let Some(passed) = engine.passed_before(step, &gate.name)? {
                    say(format!(
                        "  step {passed} has passed that gate, and it is held again since: going on would fall on those who are \
                         not ready now"
                    ))?;
                    if gate.missed.is_none() {
                        global.hint(format!(
                            "Past it leads that they are ready again; a waiver each, by name: flagday ack waive; or a decision \
                             about all of them: flagday cutover --override {} --by NAME --reason TEXT",
                            gate.name
                        ));
                    }
                }
            }
        }
        Stop::Waiting { step, until, why } => {
            let until = until.with_timezone(&engine.campaign.change.zone);
            if why.is_empty() {
                say(format!("step {step} does not begin before {}", until.format("%a %F %H:%M %Z")))?;
            } else {
                say(format!("step {step} is not done before {}: {why}", until.format("%a %F %H:%M:%S %Z")))?;
                global.hint("Next: flagday cutover drain --watch; it says when the cutover can go on");
            }
        }
        Stop::Pending { step, why } => say(format!("step {step} waits: {why}"))?,
        Stop::NeedsPerson { step, statement } => {
            say(format!("step {step} needs a person to state:\n\n{}\n", statement.trim_end()))?;
            let listed = engine.campaign.step(step).is_some_and(|step| !step.checklist.is_empty());
            let without = if listed { "; --without POINT leaves one out that was not seen" } else { "" };
            global.hint(format!("When it is true: flagday cutover attest {step} --by NAME --note TEXT{without}"));
        }
    }
    Ok(Exit::Waiting)
}

fn dry_run(engine: &Engine, global: &Global) -> Result<Exit> {
    let steps = engine.dry_run()?;
    if global.json {
        output::json(&steps)?;
        return Ok(Exit::Done);
    }
    for outlook in &steps {
        match outlook.state {
            StepState::Pending => output::text(&outlook.step)?,
            state => output::text(&format!("{} ({})", outlook.step, state.word()))?,
        }
        for line in outlook.would.iter().flat_map(|text| text.lines()) {
            output::text(format!("  {line}").trim_end())?;
        }
    }
    for outlook in steps.iter().filter(|outlook| !outlook.findings.is_empty()) {
        global.hint(format!("\nStep {} now:", outlook.step));
        output::findings(&outlook.findings, global.verbose);
    }
    global.hint("Nothing was touched.");
    Ok(Exit::Done)
}

fn rollback(global: &Global, to: Option<&str>, wait: u32) -> Result<Exit> {
    let (mut engine, _lock) = global.open_locked("cutover rollback")?;
    let keep = engine.way_back(to)?;
    let warning = engine.rollback_warning(to)?;
    if let (true, Some(warning)) = (global.yes, &warning) {
        output::prose(warning);
    }
    if let (true, Some(step)) = (global.yes, keep.as_deref().filter(|step| to != Some(step))) {
        output::prose(&format!(
            "Back to {step}: P1 is opened, so that the transports are stopped has to be stated anew"
        ));
    }
    let what = match &keep {
        Some(step) if to != Some(step) => format!(
            "Undoing every step after {step}: P1 is opened by it, so that the transports are stopped has to be stated anew"
        ),
        Some(step) => format!("Undoing every step after {step}"),
        None => "Undoing every step".to_owned(),
    };
    confirm(global, &[Some(what), warning].into_iter().flatten().collect::<Vec<_>>().join(". "))?;
    engine.patience = waiting::patience(wait, global.quiet || global.json);
    let undone = match engine.rollback(to) {
        Ok(undone) => undone,
        Err(fault) => {
            output::findings(&fault.findings, true);
            situation(&engine)?;
            return Ok(fault.exit);
        }
    };
    if global.json {
        output::json(&undone)?;
    } else if undone.is_empty() {
        output::text("nothing was left to undo")?;
    } else {
        for one in undone {
            output::text(&format!("undone: {}", one.step))?;
            for fact in one.facts {
                output::text(&format!("  {fact}"))?;
            }
        }
    }
    global.hint("Next: flagday status");
    if !global.quiet && !global.json {
        situation(&engine)?;
    }
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
        let (what, details) = words(&entry.event);
        output::text(&format!("{at}  {}: {what}", entry.step))?;
        for detail in details {
            output::text(&format!("    {detail}"))?;
        }
    }
    Ok(Exit::Done)
}

/// A journal entry for a person: what happened, and what belongs to it.
fn words(event: &Event) -> (String, Vec<String>) {
    match event {
        Event::Started { intents, .. } => {
            ("begins".into(), intents.iter().map(|intent| intent.operation().words()).collect())
        }
        Event::Acted { facts } => ("acted".into(), facts.clone()),
        Event::Done { facts } => ("done".into(), facts.clone()),
        Event::Failed { cause } => (format!("failed: {cause}"), Vec::new()),
        Event::NotDone { facts } => ("had not happened".into(), facts.clone()),
        Event::Undoing {} => ("is being undone".into(), Vec::new()),
        Event::Undone { facts } => ("undone".into(), facts.clone()),
        Event::UndoneByHand { by, note } => (format!("undone by hand, says {by}: {note}"), Vec::new()),
        Event::Attested { by, note, facts, .. } => (format!("stated by {by}: {note}"), facts.clone()),
    }
}
