use super::{Global, output};
use crate::engine::Engine;
use crate::fault::{Exit, Finding, Result, counted};
use crate::system::Real;
use serde_json::json;

/// Check everything before anything leaves: file, rosters, texts, packages, postoffice, mailboxes, mail server
#[derive(Debug, clap::Args)]
pub struct Check {
    /// Leave mail servers alone, those that answers come in by too
    #[arg(long)]
    offline: bool,
}

impl Check {
    pub fn run(&self, global: &Global) -> Result<Exit> {
        let looked = Engine::open(&global.dir, &Real).and_then(|engine| {
            let mut findings = engine.check(!self.offline)?;
            findings.extend(crate::report::sheet::check_texts(&engine));
            Ok(findings)
        });
        let findings = match looked {
            Ok(findings) => findings.into_iter().chain(crate::web::check_pages(&global.dir)).collect::<Vec<_>>(),
            // A file that cannot be read is the finding.
            Err(fault) => fault.findings,
        };
        let errors = findings.iter().filter(|finding| finding.is_error()).count();
        if global.json {
            output::json(&json!({ "schema": 1, "findings": findings }))?;
        } else {
            output::findings(&findings, global.verbose);
            let warnings =
                findings.iter().filter(|finding| finding.severity == crate::fault::Severity::Warning).count();
            let notes = findings.len() - errors - warnings;
            let how = if notes > 0 && !global.verbose { " (-v shows them)" } else { "" };
            let told = [(errors, "error", "errors"), (warnings, "warning", "warnings"), (notes, "note", "notes")];
            let told = told.map(|(count, one, many)| counted(count, one, many)).join(", ");
            output::data(&format!("{told}{how}"))?;
            global.hint(next(&findings));
        }
        Ok(if errors > 0 { Exit::Error } else { Exit::Done })
    }
}

fn next(findings: &[Finding]) -> &'static str {
    let unbuilt = |finding: &&Finding| matches!(finding.code, "not-built" | "package-missing" | "source-changed");
    let missing =
        |finding: &Finding| matches!(finding.code, "files-missing" | "files-empty" | "disk-missing" | "disk-empty");
    if findings.iter().any(Finding::is_error) {
        "Correct the errors, then check again."
    } else if findings.iter().any(missing) {
        "Next: flagday build, once there is something in it for everybody"
    } else if findings.iter().any(|finding| unbuilt(&finding)) {
        "Next: flagday build"
    } else {
        "Next: flagday plan"
    }
}
