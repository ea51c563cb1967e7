use super::{Global, output};
use crate::campaign;
use crate::fault::{Exit, Fault, Result};
use fs_err as fs;
use std::path::PathBuf;

/// Write a commented campaign, sample rosters and templates
#[derive(Debug, clap::Args)]
pub struct Init {
    /// A new or empty folder
    folder: PathBuf,
    /// The ready-made campaign to start from
    #[arg(long)]
    playbook: String,
}

impl Init {
    pub fn run(&self, global: &Global) -> Result<Exit> {
        if !campaign::playbook_names().contains(&self.playbook.as_str()) {
            let cause = format!("there is no playbook '{}'", self.playbook);
            let remedy = format!("one of {}", campaign::playbook_names().join(", "));
            return Err(Fault::ending(Exit::Usage, "unknown-playbook", cause, remedy));
        }
        let occupied = fs::read_dir(&self.folder).is_ok_and(|mut entries| entries.next().is_some());
        if occupied {
            let cause = format!("{} is not empty", self.folder.display());
            return Err(Fault::new("folder-not-empty", cause, "name a new folder: nothing is ever overwritten"));
        }
        let stem = self.folder.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        let name: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let name = if name.trim_matches('-').is_empty() { "flag-day" } else { name.trim_matches('-') };
        for (path, text) in campaign::starter(&self.playbook, name)? {
            let path = self.folder.join(path);
            fs::create_dir_all(path.parent().unwrap_or(&self.folder))?;
            fs::write(&path, text)?;
            output::data(&path.display().to_string())?;
        }
        global.hint(format!(
            "Edit {}/flagday.toml and the rosters, then: flagday -C {} check",
            self.folder.display(),
            self.folder.display()
        ));
        Ok(Exit::Done)
    }
}
