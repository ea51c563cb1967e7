use super::{Global, output};
use crate::fault::{Exit, Result};
use crate::rehearsal::{self, Told};
use std::path::PathBuf;

/// Run the whole campaign on a copy, with a simulated clock, simulated people and a captured outbox
#[derive(Debug, clap::Args)]
pub struct Rehearse {
    /// The campaign to rehearse; default: the one in -C
    campaign: Option<PathBuf>,
    /// Where the copy is made; default: a new temporary folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Rehearse {
    pub fn run(&self, global: &Global) -> Result<Exit> {
        let campaign = self.campaign.as_ref().unwrap_or(&global.dir);
        let quiet = global.quiet || global.json;
        let outcome = rehearsal::rehearse(campaign, self.out.as_deref(), &mut |told| {
            if !quiet {
                match told {
                    Told::Moment { at, text } => output::prose(&format!("{at}  {text}")),
                    Told::Aside(text) => output::prose(text),
                }
            }
        })?;
        if global.json {
            output::json(&outcome)?;
        } else {
            output::data(&outcome.text())?;
        }
        Ok(if outcome.finished { Exit::Done } else { Exit::Waiting })
    }
}
