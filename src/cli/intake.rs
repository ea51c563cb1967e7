use super::{Global, output};
use crate::answer::{self, Asked, Kind, Reading, Said};
use crate::engine::{Engine, Seen, TakenIn};
use crate::fault::{Exit, Fault, Result, counted};
use crate::inbox::{Letter, Source};
use crate::package::on_all_cores;
use crate::system::Real;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// Read the answers that came in, once
#[derive(Debug, clap::Args)]
pub struct Intake {
    /// A Maildir, an mbox, a folder of .eml files or one of them, instead of the campaign's mailboxes
    path: Option<PathBuf>,
    /// Only say what each message of PATH is; records nothing, and works outside of a campaign
    #[arg(long, requires = "path")]
    classify: bool,
}

/// One message, as a line of NDJSON.
#[derive(Debug, Serialize)]
struct Row<'a> {
    file: &'a str,
    kind: &'static str,
    person: Option<&'a str>,
    recipient: Option<&'a str>,
    recipients: &'a [String],
    status: Option<&'a str>,
    permanent: Option<bool>,
    /// The kind of fact that it would be recorded as.
    evidence: Option<Kind>,
    answer: Option<Said>,
    back_on: Option<chrono::NaiveDate>,
    /// Why a human would have to look at it.
    review: Option<&'a str>,
    because: Vec<&'a str>,
}

impl Intake {
    pub fn run(&self, global: &Global) -> Result<Exit> {
        if let (Some(path), true) = (&self.path, self.classify) {
            return classify(global, path);
        }
        let (mut engine, _lock) = global.open_locked("intake")?;
        let taken = match &self.path {
            Some(path) => {
                let mut taken = TakenIn::default();
                let done = engine.intake_from(path, &AtomicBool::new(false), &mut taken);
                tell(global, &taken)?;
                done?;
                taken
            }
            None if engine.campaign.intake.is_empty() => {
                let remedy = "add [[intake.mailbox]] with maildir, mbox or imap to flagday.toml, or give a PATH";
                return Err(Fault::new("no-mailbox", "the campaign names no mailbox to read", remedy));
            }
            None => {
                let (taken, faults) = engine.intake(&AtomicBool::new(false), &mut || {});
                tell(global, &taken)?;
                Fault::check(faults.into_iter().flat_map(|fault| fault.findings).collect())?;
                taken
            }
        };
        global.hint(match (taken.review, taken.outdated) {
            (1.., _) => "Next: flagday ack review",
            (0, 1..) => "Next: flagday send, which tells whoever answered what was told before",
            (0, 0) => "Next: flagday status",
        });
        Ok(Exit::Done)
    }
}

fn tell(global: &Global, taken: &TakenIn) -> Result<()> {
    if global.json { output::json(taken) } else { output::data(&words(taken)) }
}

/// What one round of reading brought, in a line.
pub fn words(taken: &TakenIn) -> String {
    let kinds: Vec<String> = taken.kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let kinds = if kinds.is_empty() { String::new() } else { format!(": {}", kinds.join(", ")) };
    let outdated = match taken.outdated {
        0 => String::new(),
        n => format!(", {n} to what was told before"),
    };
    format!(
        "{} read, {} new{kinds}; {} recorded{outdated}, {} for you to look at",
        counted(taken.read, "letter", "letters"),
        taken.new,
        counted(taken.recorded, "fact", "facts"),
        taken.review
    )
}

/// Inside a campaign that was begun, letters are placed with its people; anywhere else they are read by themselves.
fn classify(global: &Global, path: &Path) -> Result<Exit> {
    let begun = global.dir.join("flagday.toml").is_file() && global.dir.join(".flagday/ledger.db").is_file();
    let engine = if begun { Some(Engine::open(&global.dir, &Real)?) } else { None };
    let asked = Asked::anywhere();
    let mut batches = Source::at(path)?.batches()?;
    loop {
        let batch = batches.next_batch()?;
        if batch.is_empty() {
            return Ok(Exit::Done);
        }
        let mut text = String::new();
        if let Some(engine) = &engine {
            for (letter, seen) in batch.iter().zip(engine.classify(&batch)?) {
                if let Some(seen) = seen {
                    text.push_str(&placed(global, &letter.name(), &seen)?);
                    text.push('\n');
                }
            }
        } else {
            let read = |letter: &Letter| {
                let bytes = letter.clone().bytes()?;
                bytes.map(|bytes| alone(global, &letter.name(), &answer::read(&bytes, &asked))).transpose()
            };
            for line in on_all_cores(&batch, read) {
                if let Some(line) = line? {
                    text.push_str(&line);
                    text.push('\n');
                }
            }
        }
        output::data(&text)?;
    }
}

fn alone(global: &Global, name: &str, reading: &Reading) -> Result<String> {
    line(global, row(name, reading, None, reading.evidence(), None, Vec::new()))
}

fn placed(global: &Global, name: &str, seen: &Seen) -> Result<String> {
    let Seen { reading, placed, decision } = seen;
    let by = placed.by.iter().map(String::as_str).collect();
    let mut row = row(
        name,
        reading,
        placed.person.as_deref(),
        decision.fact.map(|(kind, _)| kind),
        decision.review.as_deref(),
        by,
    );
    // What the campaign does not take for an answer is none.
    row.answer = reading.said.filter(|said| match said {
        Said::Possessed => row.evidence == Some(Kind::Code),
        Said::Confirmed => row.evidence == Some(Kind::Confirmed),
        Said::Declined | Said::Question => true,
    });
    line(global, row)
}

fn row<'a>(
    file: &'a str,
    reading: &'a Reading,
    person: Option<&'a str>,
    evidence: Option<Kind>,
    review: Option<&'a str>,
    by: Vec<&'a str>,
) -> Row<'a> {
    Row {
        file,
        kind: reading.kind.word(),
        person,
        recipient: reading.recipients.first().map(String::as_str),
        recipients: &reading.recipients,
        status: reading.status.as_deref(),
        permanent: reading.permanent,
        evidence,
        answer: reading.said,
        back_on: reading.back_on,
        review,
        because: reading.because.iter().map(String::as_str).chain(by).collect(),
    }
}

fn line(global: &Global, row: Row) -> Result<String> {
    if global.json {
        return Ok(serde_json::to_string(&row)?);
    }
    let mut words = vec![row.kind.to_owned()];
    words.extend(row.permanent.map(|hard| if hard { "hard" } else { "soft" }.to_owned()));
    words.extend(row.status.map(str::to_owned));
    words.extend(row.person.or(row.recipient).map(str::to_owned));
    words.extend(row.answer.map(|said| format!("{said:?}").to_lowercase()));
    Ok(output::clean(&format!("{}: {} ({})", row.file, words.join(" "), row.because.join("; "))))
}
