use super::{Global, output};
use crate::fault::{Exit, Result};
use crate::report::{page, sheet};
use std::path::PathBuf;

/// Write one static HTML file, CSVs and JSON: who, what, when, by which evidence
#[derive(Debug, clap::Args)]
pub struct Report {
    /// Where to; default .flagday/report
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write what to print instead: whom to call and what to ask, and letters for those whom mail does not reach
    #[arg(long)]
    call_sheet: bool,
    /// On the call sheet, the last two letters of each code: for an operator without this program at hand
    #[arg(long, requires = "call_sheet")]
    check_letters: bool,
}

impl Report {
    pub fn run(&self, global: &Global) -> Result<Exit> {
        let engine = global.open()?;
        let folder = self.out.clone().unwrap_or_else(|| engine.campaign.state().join("report"));
        let files = if self.call_sheet {
            let sheets = sheet::write(&engine, &folder, self.check_letters)?;
            let letters = if sheets.letters == 1 { "letter" } else { "letters" };
            global.hint(format!("{} to call, {} {letters}", sheets.calls, sheets.letters));
            sheets.files
        } else {
            page::write(&engine, &folder)?
        };
        if global.json {
            output::json(&files)?;
        } else {
            for file in files {
                output::data(&file.display().to_string())?;
            }
        }
        Ok(Exit::Done)
    }
}
