use super::{Global, output};
use crate::fault::{Exit, Result};
use crate::rehearsal::{self, Order, Told};
use std::path::PathBuf;

/// Run the whole campaign on a copy, with a simulated clock, simulated people and a captured outbox
#[derive(Debug, clap::Args)]
pub struct Rehearse {
    /// The campaign to rehearse; default: the one in -C
    campaign: Option<PathBuf>,
    /// Where the copy is made; default: a new temporary folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Decides what chance decides; default: the seed in rehearsal.toml. The same seed gives the same rehearsal
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Show what is not as in another rehearsal: of the campaign in that folder, or of the one an earlier --out named
    #[arg(long, value_name = "OTHER")]
    compare: Option<PathBuf>,
}

impl Rehearse {
    pub fn run(&self, global: &Global) -> Result<Exit> {
        let order = Order {
            campaign: self.campaign.as_ref().unwrap_or(&global.dir).clone(),
            out: self.out.clone(),
            seed: self.seed,
        };
        let before = self.compare.as_ref().map(|other| rehearsal::earlier(other, self.seed)).transpose()?;
        let quiet = global.quiet || global.json;
        let rehearsed = rehearsal::rehearse(&order, &mut |told| {
            if !quiet {
                match told {
                    Told::Moment { at, text } => output::prose(&format!("{at}  {text}")),
                    Told::Aside(text) => output::prose(text),
                }
            }
        })?;
        let outcome = &rehearsed.outcome;
        let comparison = before.map(|before| rehearsal::compare(&before, outcome));
        match (comparison, global.json) {
            (Some(comparison), true) => output::json(&comparison)?,
            (None, true) => output::json(outcome)?,
            (comparison, false) => {
                let text = comparison.map_or_else(|| outcome.text(), |comparison| comparison.text());
                let report = rehearsed.report.first().map(|page| format!("Report: {}\n", page.display()));
                let page = format!("Timeline: {}\n", rehearsed.page.display());
                let head = format!("Audit head {}\n", rehearsed.head);
                output::data(&format!("{text}\n{}\n{head}{page}{}", outcome.sum(), report.unwrap_or_default()))?;
            }
        }
        Ok(if outcome.finished { Exit::Done } else { Exit::Waiting })
    }
}
