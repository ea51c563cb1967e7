use super::{Global, output};
use crate::fault::{Exit, Result};
use serde_json::json;

/// Show what goes to whom and when, and which gates and steps, in order
#[derive(Debug, clap::Args)]
pub struct Plan {
    /// Only what concerns one person
    #[arg(long)]
    person: Option<String>,
}

impl Plan {
    pub fn run(&self, global: &Global) -> Result<Exit> {
        let engine = global.open()?;
        let entries = engine.plan(self.person.as_deref())?;
        let steps = engine.steps()?;
        if global.json {
            output::json(&json!({ "schema": 1, "calendar": entries, "steps": steps }))?;
            return Ok(Exit::Done);
        }
        let zone = engine.campaign.change.zone;
        // A column that would be empty is left out.
        let abroad = entries.iter().any(|entry| entry.local.is_some());
        let mut header = vec!["when", "moment", "what", "notice", "to", "people", "state"];
        let reasons = entries.iter().any(|entry| !entry.why.is_empty());
        if reasons {
            header.push("why");
        }
        if abroad {
            header.insert(1, "there");
        }
        let mut text = output::table(
            &header,
            entries.iter().map(|entry| {
                let mut row = vec![
                    entry.at.with_timezone(&zone).format("%a %F %H:%M %Z").to_string(),
                    entry.moment.clone(),
                    entry.what.clone(),
                    entry.notice.clone(),
                    entry.audience.clone(),
                    entry.people.to_string(),
                    entry.state.clone(),
                ];
                if reasons {
                    row.push(entry.why.clone());
                }
                if abroad {
                    row.insert(1, entry.local.clone().unwrap_or_default());
                }
                row
            }),
        );
        if self.person.is_none() {
            text += "\n";
            text += &output::table(
                &["step", "article", "needs", "state", "why"],
                steps.iter().map(|step| {
                    vec![
                        step.name.clone(),
                        step.article.clone().unwrap_or_default(),
                        step.needs.join(", "),
                        step.state.to_owned(),
                        step.why.clone(),
                    ]
                }),
            );
        }
        output::data(&text)?;
        output::findings(&engine.too_late()?, false);
        global.hint(match engine.aborted()?.is_some() {
            true => "Next: flagday status",
            false => "Next: flagday build, then flagday preview NOTICE --to PERSON",
        });
        Ok(Exit::Done)
    }
}
