//! The report: one static HTML file that an auditor can read without this program, and the same as CSV and JSON.

use super::audit::{Moment, timeline};
use super::failures::{self, FailureRow};
use super::people::{Filter, PersonRow, csv, who};
use super::status::Status;
use crate::engine::{Engine, Overridden};
use crate::fault::{Fault, Result};
use fs_err as fs;
use handlebars::Handlebars;
use serde::Serialize;
use serde_json::json;
use std::path::{Path, PathBuf};

const PAGE: &str = include_str!("../../templates/report/report.html.hbs");

/// One row of evidence.csv.
#[derive(Debug, Clone, Default, Serialize)]
struct EvidenceRow {
    id: i64,
    at: String,
    person: String,
    acknowledgement: String,
    revision: u32,
    kind: &'static str,
    grade: &'static str,
    by: String,
    detail: String,
    revoked: bool,
}

/// Writes report.html, report.json, people.csv, messages.csv, not-arrived.csv, evidence.csv and timeline.csv; returns their paths.
pub fn write(engine: &Engine, folder: &Path) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(folder)?;
    let status = Status::of(engine)?;
    let people = who(engine, &Filter::default())?;
    let messages = engine.ledger().messages()?;
    let not_arrived = failures::not_arrived(engine)?;
    let moments = timeline(engine)?;
    let evidence = evidence(engine)?;
    let page = render(engine, &status, &people, &messages, &not_arrived, &moments)?;
    let whole = json!({ "schema": 1, "status": status, "people": people, "messages": messages,
        "not_arrived": not_arrived, "evidence": evidence, "timeline": moments });
    let files = [
        ("report.html", page),
        ("report.json", serde_json::to_string_pretty(&whole)?),
        ("people.csv", csv(&people)?),
        ("messages.csv", csv(&messages)?),
        ("not-arrived.csv", csv(&not_arrived)?),
        ("evidence.csv", csv(&evidence)?),
        ("timeline.csv", csv(&moments)?),
    ];
    let mut written = Vec::new();
    for (name, text) in files {
        let path = folder.join(name);
        super::write_private(&path, &text)?;
        written.push(path);
    }
    Ok(written)
}

fn evidence(engine: &Engine) -> Result<Vec<EvidenceRow>> {
    let mut rows = Vec::new();
    for fact in engine.ledger().all_evidence()? {
        let detail = fact.words();
        rows.push(EvidenceRow {
            id: fact.id,
            at: fact.at.to_rfc3339(),
            kind: fact.kind.words(),
            grade: fact.grade().word(),
            person: fact.person,
            acknowledgement: fact.acknowledgement,
            revision: fact.revision,
            by: fact.by.unwrap_or_default(),
            detail,
            revoked: fact.revoked,
        });
    }
    Ok(rows)
}

fn render(
    engine: &Engine,
    status: &Status,
    people: &[PersonRow],
    messages: &[crate::ledger::MessageRow],
    not_arrived: &[FailureRow],
    moments: &[Moment],
) -> Result<String> {
    let zone = engine.campaign.change.zone;
    let local = |at: chrono::DateTime<chrono::Utc>| at.with_timezone(&zone).format("%a %F %H:%M %Z").to_string();
    let mut page = Handlebars::new();
    page.set_strict_mode(true);
    let failed = |cause: String| Fault::new("report-page", cause, "this is a fault of flagday itself: report it");
    page.register_template_string("page", PAGE).map_err(|error| failed(error.to_string()))?;
    let steps: Vec<_> = status
        .steps
        .iter()
        .map(|step| {
            json!({ "name": step.name, "title": step.title, "article": step.article.clone().unwrap_or_default(),
                "state": step.state, "why": step.why, "at": step.at.map(local).unwrap_or_default() })
        })
        .collect();
    let points: Vec<_> = status
        .steps
        .iter()
        .flat_map(|step| step.points.iter().map(move |point| (step, point)))
        .map(|(step, point)| {
            json!({ "step": step.name, "words": point.words, "stands": point.stands, "class": point.stands.replace(' ', "-"),
                "by": point.by, "note": point.note, "at": local(point.at) })
        })
        .collect();
    let gates: Vec<_> = status
        .gates
        .iter()
        .map(|gate| {
            json!({ "name": gate.name, "open": gate.open, "count": gate.count(),
                "waived": gate.waived.join(", "),
                "overridden": gate.overridden.as_ref().map(|one| one.by.clone()).unwrap_or_default(), "attested": gate.attested.join(", "), "blocking": gate.blocking })
        })
        .collect();
    let messages: Vec<_> = messages
        .iter()
        .map(|message| {
            json!({ "person": message.person, "notice": message.notice, "revision": message.revision,
                "state": message.state, "to": message.envelope_to.clone().unwrap_or_default(),
                "at": message.settled_at.map(local).unwrap_or_default(), "reply": message.reply,
                "reason": message.reason, "message_id": message.message_id })
        })
        .collect();
    let moments: Vec<_> =
        moments.iter().map(|moment| json!({ "at": local(moment.at), "words": moment.words })).collect();
    let overrides: Vec<_> = status
        .overrides
        .iter()
        .map(|Overridden { decision: one, ended }| {
            json!({ "gate": one.gate, "step": one.step, "by": one.by, "reason": one.reason, "at": local(one.at),
                "missing": one.missing.join(", "),
                "ended": ended.map(|ended| format!("{}: {}", local(ended.at), ended.why)).unwrap_or_default() })
        })
        .collect();
    let gate_changes: Vec<_> = status
        .gate_changes
        .iter()
        .map(|change| json!({ "head": change.head(), "words": change.words(&local) }))
        .collect();
    let off = match (&status.aborted, status.postponed) {
        (Some(abort), _) => Some(format!("{} by {}: {}", local(abort.at), abort.by, abort.reason)),
        (None, true) => engine
            .ledger()
            .moved()?
            .map(|moved| [local(moved.at), moved.reason].join(": ").trim_end_matches(": ").to_owned()),
        _ => None,
    };
    let data = json!({
        "title": engine.campaign.title,
        "campaign": status.campaign,
        "contact": engine.campaign.contact,
        "revision": status.revision,
        "change": status.when(&local),
        "off": off,
        "phase": status.phase,
        "made": local(engine.now()),
        "people_count": status.people,
        "counts": status.messages,
        "head": status.head.clone().unwrap_or_default(),
        "gates": gates,
        "points": points,
        "overrides": overrides,
        "articles": engine.campaign.steps.iter().any(|step| step.article.is_some()),
        "gate_changes": gate_changes,
        "steps": steps,
        "people": people,
        "messages": messages,
        "not_arrived": not_arrived,
        "moments": moments,
    });
    page.render("page", &data).map_err(|error| failed(error.to_string()))
}
