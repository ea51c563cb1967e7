//! THE FACE at the keyboard: one file a command. Data on stdout, everything else on stderr.

mod abort;
mod ack;
mod amend;
mod audit;
mod blocking;
mod build;
mod check;
mod confirm;
mod cutover;
mod drain;
mod init;
mod intake;
mod interrupt;
mod output;
mod plan;
mod preview;
mod rehearse;
mod report;
mod restore;
mod review;
mod send;
mod serve;
mod status;
mod tick;
mod waiting; // what is seen while a file is in use
mod watch;
mod who;
mod wrap;

use crate::engine::Engine;
use crate::fault::{Exit, Result};
use crate::ledger::Lock;
use crate::system::{Real, World};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Runs a flag day: tells everyone, hands each person their package, knows who is ready and how it knows, and lets the
/// switch happen only then.
#[derive(Debug, Parser)]
#[command(name = "flagday", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 done, 1 error, 2 usage, 3 waiting (a gate, a person, a date), \
                        4 some recipients failed, 5 another run holds the campaign, 6 the facts changed since people were told")]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// The campaign's folder
    #[arg(short = 'C', global = true, value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
    /// Print data as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// Do not ask before people are reached or the postoffice is changed
    #[arg(long, global = true)]
    pub yes: bool,
    /// No progress and no hints
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Also print notes
    #[arg(short, global = true)]
    pub verbose: bool,
    /// The machine's clock is right, although the record is ahead of it
    #[arg(long, global = true, hide_short_help = true)]
    pub clock_ok: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    Check(check::Check),
    Plan(plan::Plan),
    Preview(preview::Preview),
    Build(build::Build),
    Send(send::Send),
    Tick(tick::Tick),
    Intake(intake::Intake),
    Serve(serve::Serve),
    Ack(ack::Ack),
    Amend(amend::Amend),
    Abort(abort::Abort),
    Status(status::Status),
    Who(who::Who),
    Cutover(cutover::Cutover),
    Report(report::Report),
    Audit(audit::Audit),
    Rehearse(rehearse::Rehearse),
}

/// Parses, runs, and turns the end into an exit code.
pub fn main() -> ExitCode {
    hush_the_mail_parser();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing is left to tell anybody when even this cannot be written.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Exit::Usage as u8 } else { Exit::Done as u8 });
        }
    };
    let global = cli.global;
    let result = match cli.command {
        Command::Init(command) => command.run(&global),
        Command::Check(command) => command.run(&global),
        Command::Plan(command) => command.run(&global),
        Command::Preview(command) => command.run(&global),
        Command::Build(command) => command.run(&global),
        Command::Send(command) => command.run(&global),
        Command::Tick(command) => command.run(&global),
        Command::Intake(command) => command.run(&global),
        Command::Serve(command) => command.run(&global),
        Command::Ack(command) => command.run(&global),
        Command::Amend(command) => command.run(&global),
        Command::Abort(command) => command.run(&global),
        Command::Status(command) => command.run(&global),
        Command::Who(command) => command.run(&global),
        Command::Cutover(command) => command.run(&global),
        Command::Report(command) => command.run(&global),
        Command::Audit(command) => command.run(&global),
        Command::Rehearse(command) => command.run(&global),
    };
    match result {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(fault) => {
            output::findings(&fault.findings, true);
            ExitCode::from(fault.exit as u8)
        }
    }
}

/// Over some malformed mail the parser panics; that is caught where it is called, and nothing a person should read.
fn hush_the_mail_parser() {
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic.location().is_some_and(|place| place.file().contains("mail-parser")) {
            told(panic);
        }
    }));
}

impl Global {
    /// Opens the campaign for looking.
    fn open(&self) -> Result<Engine<'static>> {
        Engine::open(&self.dir, &Real)
    }

    /// Opens the campaign for a run that changes things: only one at a time.
    fn open_locked(&self, command: &str) -> Result<(Engine<'static>, Lock)> {
        let mut engine = self.open()?;
        let lock = Lock::take(&engine.campaign.state(), command, Real.now())?;
        if self.clock_ok {
            match engine.accept_clock()? {
                0 => {}
                1 => output::prose("one message that a clock which was ahead had put off leaves by the calendar again"),
                n => output::prose(&format!(
                    "{n} messages that a clock which was ahead had put off leave by the calendar again"
                )),
            }
        }
        output::findings(&engine.find_gates()?, self.verbose);
        Ok((engine, lock))
    }

    /// A hint for a person: what to do next, and such.
    fn hint(&self, text: impl AsRef<str>) {
        if !self.quiet {
            output::prose(text.as_ref());
        }
    }
}
