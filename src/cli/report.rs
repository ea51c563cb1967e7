use super::{Global, output};
use crate::fault::{Exit, Result};
use crate::report::page;
use std::path::PathBuf;

/// Write one static HTML file, CSVs and JSON: who, what, when, by which evidence
#[derive(Debug, clap::Args)]
pub struct Report {
    /// Where to; default .flagday/report
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Report {
    pub fn run(&self, global: &Global) -> Result<Exit> {
        let engine = global.open()?;
        let folder = self.out.clone().unwrap_or_else(|| engine.campaign.state().join("report"));
        let files = page::write(&engine, &folder)?;
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
