use super::review::Review;
use super::{Global, output};
use crate::engine::{Answer, Engine, Recorded, Waive, Waived};
use crate::fault::{Exit, Result};
use clap::Subcommand;
use std::path::PathBuf;

/// Answers that reached a human
#[derive(Debug, clap::Args)]
pub struct Ack {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Record what a person told you
    Record {
        person: String,
        /// Who you are
        #[arg(long)]
        by: String,
        /// The code from the package, as they read it out
        #[arg(long)]
        code: Option<String>,
        /// The serial number, as they read it back
        #[arg(long, conflicts_with = "code")]
        serial: Option<String>,
        /// How you know
        #[arg(long, alias = "reason")]
        note: String,
        /// For which acknowledgement, when not the open one
        #[arg(long = "for", value_name = "ACKNOWLEDGEMENT")]
        acknowledgement: Option<String>,
    },
    /// Record many answers from a CSV file: person, code, serial, by, note, for
    Import {
        file: PathBuf,
    },
    /// Decide that a person no longer blocks; it stays visible as a waiver
    Waive {
        person: String,
        #[arg(long, alias = "note")]
        reason: String,
        #[arg(long)]
        by: String,
        /// The last day on which it counts, or a date and time
        #[arg(long, value_name = "DATE")]
        until: Option<String>,
        #[arg(long = "for", value_name = "ACKNOWLEDGEMENT")]
        acknowledgement: Option<String>,
    },
    Review(Review),
    /// Take back the newest answer, one piece of evidence, or the waivers of a person
    Revoke {
        person: String,
        #[arg(long)]
        by: String,
        /// Why
        #[arg(long, alias = "reason")]
        note: String,
        /// The number of the evidence, as `who --person` shows it
        #[arg(long)]
        evidence: Option<i64>,
        /// The person's waivers instead
        #[arg(long, conflicts_with = "evidence")]
        waiver: bool,
    },
}

impl Ack {
    pub fn run(&self, global: &Global) -> Result<Exit> {
        let mut engine = global.open()?;
        match &self.what {
            What::Record { person, by, code, serial, note, acknowledgement } => {
                let answer = Answer {
                    person: person.clone(),
                    acknowledgement: acknowledgement.clone(),
                    code: code.clone(),
                    serial: serial.clone(),
                    kind: None,
                    by: Some(by.clone()),
                    note: note.clone(),
                };
                let recorded = engine.record(&answer)?;
                tell(global, &recorded)?;
            }
            What::Review(review) => return review.run(global, &mut engine),
            What::Import { file } => return import(&mut engine, global, file),
            What::Waive { person, reason, by, until, acknowledgement } => {
                let (only, until) = (acknowledgement.as_deref(), until.as_deref());
                let waived = engine.waive(Waive { person, only, reason, by, until })?;
                tell_waived(&engine, global, person, &waived)?;
            }
            What::Revoke { person, by, note, evidence, waiver } => {
                output::data(&engine.revoke(person, *evidence, *waiver, by, note)?)?;
            }
        }
        global.hint("Next: flagday status");
        Ok(Exit::Done)
    }
}

fn tell(global: &Global, recorded: &Recorded) -> Result<()> {
    if global.json {
        return output::json(recorded);
    }
    let ending = match (recorded.satisfied, recorded.new) {
        (true, _) => "that is what is asked".to_owned(),
        (false, false) => "that was on record already".to_owned(),
        (false, true) => format!("'{}' asks for {}", recorded.acknowledgement, recorded.required),
    };
    output::data(&format!("{}: {} for '{}'; {ending}", recorded.person, recorded.grade, recorded.acknowledgement))
}

fn tell_waived(engine: &Engine, global: &Global, person: &str, waived: &[Waived]) -> Result<()> {
    if global.json {
        return output::json(&waived);
    }
    let names = |counts: bool| {
        let some = waived.iter().filter(|one| one.counts == counts);
        some.map(|one| one.acknowledgement.as_str()).collect::<Vec<_>>().join(", ")
    };
    let until = waived.iter().find_map(|one| one.until).map(|until| {
        let at = until.with_timezone(&engine.campaign.change.zone).format("%a %F %H:%M %Z");
        format!(" until {at}")
    });
    let until = until.unwrap_or_default();
    if !names(true).is_empty() {
        output::data(&format!("{person} no longer blocks {}{until}; listed as waived for ever", names(true)))?;
    }
    if !names(false).is_empty() {
        output::data(&format!(
            "recorded for {}{until}; it counts once a second person decides the same: flagday ack waive {person} --by NAME \
             --reason TEXT",
            names(false)
        ))?;
    }
    Ok(())
}

fn import(engine: &mut Engine, global: &Global, file: &std::path::Path) -> Result<Exit> {
    let rows = engine.import(file)?;
    let failed = rows.iter().filter(|row| !row.ok).count();
    if global.json {
        output::json(&rows)?;
    } else {
        let lines = rows
            .iter()
            .map(|row| vec![format!("{}:{}", file.display(), row.line), row.person.clone(), row.result.clone()]);
        output::data(&output::table(&["place", "person", "result"], lines))?;
        output::data(&format!("{} recorded, {failed} refused", rows.len() - failed))?;
    }
    Ok(if failed > 0 { Exit::SomeFailed } else { Exit::Done })
}
