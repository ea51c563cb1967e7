use super::{Global, output};
use crate::fault::{Exit, Result};
use fs_err as fs;
use std::io::Write;
use std::path::PathBuf;

/// Show the exact message that one person would get
#[derive(Debug, clap::Args)]
pub struct Preview {
    notice: String,
    #[arg(long, value_name = "PERSON")]
    to: String,
    /// Write the whole message
    #[arg(long, value_name = "FILE")]
    eml: Option<PathBuf>,
    /// Write the HTML part
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl Preview {
    pub fn run(&self, global: &Global) -> Result<Exit> {
        let engine = global.open()?;
        let preview = engine.preview(&self.notice, &self.to)?;
        if let Some(path) = &self.eml {
            let mut file = private(path)?;
            preview.write(&mut file)?;
            global.hint(format!("The whole message, {} bytes: {}", preview.size(), path.display()));
        }
        if let Some(path) = &self.html {
            private(path)?
                .write_all(preview.html.as_deref().unwrap_or("<p>This notice has no HTML part.</p>\n").as_bytes())?;
            global.hint(format!("The HTML part: {}", path.display()));
        }
        if global.json {
            output::json(&preview)?;
        } else {
            output::data(&format!(
                "To: {}\nSubject: {}\nAttached: {}\n\n{}",
                preview.to,
                preview.subject,
                if preview.attachments.is_empty() { "nothing".into() } else { preview.attachments.join(", ") },
                preview.text
            ))?;
        }
        Ok(Exit::Done)
    }
}

/// A new file for its owner's eyes: it may hold a person's package and code. Nothing is overwritten.
fn private(path: &std::path::Path) -> Result<fs::File> {
    Ok(crate::platform::create_private(path)?)
}
