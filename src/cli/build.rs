use super::{Global, output};
use crate::fault::{Exit, Finding, Result, counted};
use serde_json::json;

/// Generate everybody's package; nothing is written while anything is wrong with anybody
#[derive(Debug, clap::Args)]
pub struct Build {
    /// Only this package
    package: Option<String>,
    /// Read back every package that was built
    #[arg(long)]
    verify: bool,
}

impl Build {
    pub fn run(&self, global: &Global) -> Result<Exit> {
        let (mut engine, _lock) = global.open_locked("build")?;
        if self.verify {
            let findings = engine.verify_packages()?;
            let wrong = findings.iter().any(Finding::is_error);
            if global.json {
                output::json(&json!({ "schema": 1, "findings": findings }))?;
            } else {
                output::findings(&findings, true);
                output::data(if wrong {
                    "some packages are not what was built"
                } else {
                    "every package is what was built"
                })?;
            }
            return Ok(if wrong { Exit::Error } else { Exit::Done });
        }
        let built = engine.build(self.package.as_deref())?;
        for one in &built {
            output::findings(&one.findings, global.verbose);
        }
        if global.json {
            output::json(&json!({ "schema": 1, "packages": built }))?;
        } else {
            for one in &built {
                let others = if one.written < one.people { ", the others unchanged" } else { "" };
                let text = format!(
                    "{}: {}, {} written{others}; in {}",
                    one.package,
                    counted(one.people, "person", "people"),
                    one.written,
                    one.folder.display()
                );
                output::data(&text)?;
            }
            let amends = !engine.differences()?.is_empty();
            let then = if amends { "amend: people were told otherwise" } else { "send" };
            global.hint(format!("Next: flagday build --verify, then flagday {then}"));
        }
        Ok(Exit::Done)
    }
}
