use super::{Global, output};
use crate::fault::{Exit, Fault, Result};
use crate::runbook;
use chrono::Utc;
use serde_json::json;
use std::path::PathBuf;

/// Lay a backup out in a new folder, every file compared on the way; one that was cut off goes on
#[derive(Debug, clap::Args)]
pub struct Restore {
    /// The backup: its folder, or its name below .flagday/backup
    #[arg(long, value_name = "BACKUP")]
    from: PathBuf,
    /// A folder that is new or empty, or that an earlier restore began to fill; nothing is ever replaced
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
}

impl Restore {
    pub fn run(&self, global: &Global) -> Result<Exit> {
        let from = self.backup(global);
        Fault::check(runbook::verify(&from)?)?;
        let restored = runbook::restore(&from, &self.to)?;
        if global.json {
            output::json(&json!({
                "schema": 1,
                "files": restored.files,
                "to": self.to.display().to_string(),
                "as_of": restored.as_of.map(|at| at.with_timezone(&Utc)),
                "findings": restored.findings,
            }))?;
            return Ok(Exit::Done);
        }
        output::findings(&restored.findings, global.verbose);
        output::text(&format!(
            "{} files restored to {}, each as the backup's list has it",
            restored.files,
            self.to.display()
        ))?;
        if let Some(at) = restored.as_of {
            // A campaign tells its zone; a backup can be laid out where there is none any more.
            let zone = global.open().map_or(chrono_tz::UTC, |engine| engine.campaign.change.zone);
            output::text(&format!(
                "This is the postoffice as it was {}, serial number and all: mail and changes that came later are not in it",
                at.with_timezone(&zone).format("%a %F %H:%M %Z")
            ))?;
        }
        global.hint("To bring the tree into use: rename the damaged one away and this one into its place.");
        Ok(Exit::Done)
    }

    /// A bare name is looked for among the campaign's own backups, unless it stands right here.
    fn backup(&self, global: &Global) -> PathBuf {
        let bare = self.from.components().count() == 1;
        let own = global.dir.join(".flagday").join("backup");
        match bare && !self.from.exists() && own.is_dir() {
            true => own.join(&self.from),
            false => self.from.clone(),
        }
    }
}
