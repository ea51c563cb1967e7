use super::watch::watch;
use super::{Global, output};
use crate::fault::{Exit, Result};
use crate::report::status;

/// Where the campaign stands: gates, counts, who blocks and why, what to do next
#[derive(Debug, clap::Args)]
pub struct Status {
    /// Show it again whenever something changes, with what happens next and when; Ctrl-C ends
    #[arg(long)]
    watch: bool,
}

/// Names shown of one gate; `who --blocking` has them all.
const NAMES: usize = 12;

impl Status {
    pub fn run(&self, global: &Global) -> Result<Exit> {
        if self.watch {
            return watch(global);
        }
        let engine = global.open()?;
        let status = status::Status::of(&engine)?;
        if global.json {
            output::json(&status)?;
        } else {
            output::findings(&engine.findings, global.verbose);
            let zone = engine.campaign.change.zone;
            output::data(&text(
                &status,
                &engine.campaign.title,
                &status.change_at.with_timezone(&zone).format("%a %F %H:%M %Z").to_string(),
            ))?;
            global.hint(format!("Next: {}", status.next));
        }
        Ok(Exit::Done)
    }
}

/// Gates, counts, names, tasks and steps, without what comes next.
pub fn text(status: &status::Status, title: &str, change: &str) -> String {
    let phase = serde_json::to_value(status.phase).ok().and_then(|value| value.as_str().map(str::to_owned));
    let mut text = format!(
        "{title} ({}), revision {}\nchange: {change}, phase: {}, {} people\n\n",
        status.campaign,
        status.revision,
        phase.unwrap_or_default(),
        status.people
    );
    text += &output::table(
        &["gate", "state", "satisfied", "waived", "attested"],
        status.gates.iter().map(|gate| {
            vec![
                gate.name.clone(),
                if gate.open { "open" } else { "held" }.to_owned(),
                format!("{} of {}", gate.satisfied, gate.of),
                gate.waived.join(", "),
                gate.attested.join(", "),
            ]
        }),
    );
    let m = &status.messages;
    text += &format!(
        "\nmessages: {} planned, {} sending, {} sent, {} delivered, {} deferred, {} failed, {} held, {} uncertain\n",
        m.planned, m.sending, m.sent, m.delivered, m.deferred, m.failed, m.held, m.uncertain
    );
    if !status.in_doubt.is_empty() {
        text += "\nin doubt, whether a server has them or not:\n";
        let rows = status.in_doubt.iter().take(NAMES);
        let rows = rows.map(|row| vec![row.person.clone(), row.notice.clone(), row.reason.clone()]);
        text += &output::table(&["person", "notice", "why"], rows);
        if status.in_doubt.len() > NAMES {
            text += &format!("… and {} more: flagday who --failed\n", status.in_doubt.len() - NAMES);
        }
    }
    let a = &status.answers;
    if *a != status::Answers::default() {
        text += &format!(
            "answers: {} declined, {} asked something, {} away; {} letters wait for you\n",
            a.declined, a.question, a.away, a.review
        );
    }
    for gate in status.gates.iter().filter(|gate| !gate.blocking.is_empty()) {
        text += &format!("\n{} is held by {}:\n", gate.name, gate.blocking.len());
        text += &output::table(
            &["person", "grade", "why"],
            gate.blocking
                .iter()
                .take(NAMES)
                .map(|one| vec![one.person.clone(), one.grade.to_string(), one.why.clone()]),
        );
        if gate.blocking.len() > NAMES {
            text += &format!("… and {} more: flagday who --blocking {}\n", gate.blocking.len() - NAMES, gate.name);
        }
    }
    if !status.tasks.is_empty() {
        text += "\nto do:\n";
        for task in &status.tasks {
            text += &format!("  {}\n", task.what);
        }
    }
    text += "\n";
    text += &output::table(
        &["step", "state", "why"],
        status.steps.iter().map(|step| vec![step.name.clone(), step.state.to_owned(), step.why.clone()]),
    );
    text
}
