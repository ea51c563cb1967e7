//! The people: where each one stands with each acknowledgement, filtered.

use crate::campaign::{Audience, Grade};
use crate::engine::Engine;
use crate::fault::{Exit, Fault, Result};
use serde::Serialize;

/// One person and one acknowledgement.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PersonRow {
    pub person: String,
    pub name: String,
    pub email: String,
    pub phone: String,
    pub acknowledgement: String,
    pub grade: Grade,
    pub required: Grade,
    /// `satisfied`, `missing`, `waived` or `attested`.
    pub state: &'static str,
    pub why: String,
}

#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub grade_below: Option<Grade>,
    pub audience: Option<String>,
    /// A gate: only those who hold it.
    pub blocking: Option<String>,
    pub person: Option<String>,
}

/// The rows a filter leaves, by acknowledgement, in roster order.
pub fn who(engine: &Engine, filter: &Filter) -> Result<Vec<PersonRow>> {
    let audience = filter.audience.as_deref().map(|name| audience(engine, name)).transpose()?;
    let gate = match &filter.blocking {
        Some(name) => Some(engine.campaign.gates.get(name).ok_or_else(|| {
            let known: Vec<_> = engine.campaign.gates.keys().map(String::as_str).collect();
            Fault::ending(
                Exit::Usage,
                "unknown-gate",
                format!("there is no gate '{name}'"),
                format!("one of {}", known.join(", ")),
            )
        })?),
        None => None,
    };
    let only = filter.person.as_ref().map(|word| engine.roster.find(word)).transpose()?.map(|person| &person.id);
    let members: Option<std::collections::HashSet<&str>> =
        audience.map(|audience| engine.roster.audience(audience).map(|person| person.id.as_str()).collect());
    let reached = engine.ledger().reached()?;
    let mut rows = Vec::new();
    for acknowledgement in engine.campaign.acknowledgements.values() {
        if gate.is_some_and(|gate| gate.acknowledgement != acknowledgement.name) {
            continue;
        }
        // No notice asks for what the program itself observes; those of the audience have been sent all the same.
        let notices = engine.campaign.notices.values();
        let notices: Vec<&str> = notices
            .filter(|notice| acknowledgement.notice.is_none() && notice.audience == acknowledgement.audience)
            .map(|notice| notice.name.as_str())
            .collect();
        for mut standing in engine.standings(acknowledgement)? {
            let Some(person) = engine.roster.get(&standing.person) else { continue };
            let has = |notice: &&&str| reached.contains(&(person.id.clone(), (**notice).to_owned()));
            if standing.grade == Grade::None
                && let Some(notice) = notices.iter().find(has)
            {
                standing.grade = Grade::Sent;
                if standing.trouble.is_none() {
                    standing.why = format!("was sent '{notice}'; nothing was seen yet");
                }
            }
            let attested = acknowledgement.grade == Grade::Observed && standing.attested;
            let state = match () {
                () if standing.waiver.is_some() => "waived",
                () if standing.grade >= acknowledgement.grade => "satisfied",
                () if attested => "attested",
                () => "missing",
            };
            let wanted = filter.grade_below.is_none_or(|grade| standing.grade < grade)
                && only.is_none_or(|id| *id == person.id)
                && members.as_ref().is_none_or(|members| members.contains(person.id.as_str()))
                && (gate.is_none() || state == "missing");
            if wanted {
                let waived = standing.waiver.map(|waiver| {
                    let second = waiver.second.map(|name| format!(" and {name}")).unwrap_or_default();
                    format!("waived by {}{second}: {}", waiver.by, waiver.reason)
                });
                rows.push(PersonRow {
                    person: person.id.clone(),
                    name: person.name.clone(),
                    email: person.email.as_ref().map(ToString::to_string).unwrap_or_default(),
                    phone: person.phone.clone().unwrap_or_default(),
                    acknowledgement: acknowledgement.name.clone(),
                    grade: standing.grade,
                    required: acknowledgement.grade,
                    state,
                    why: waived.unwrap_or_else(|| match standing.remedy.as_str() {
                        "" => standing.why,
                        remedy => format!("{}; {remedy}", standing.why),
                    }),
                });
            }
        }
    }
    Ok(rows)
}

/// The audience of that name.
pub(super) fn audience<'a>(engine: &'a Engine, name: &str) -> Result<&'a Audience> {
    engine.campaign.audiences.get(name).ok_or_else(|| {
        let known: Vec<_> = engine.campaign.audiences.keys().map(String::as_str).collect();
        let cause = format!("there is no audience '{name}'");
        Fault::ending(Exit::Usage, "unknown-audience", cause, format!("one of {}", known.join(", ")))
    })
}

/// Rows as CSV, always quoted; a field that a spreadsheet would run as a formula gets an apostrophe before it.
/// Where there is none the header stands alone: a script goes by its names.
pub fn csv<T: Serialize + Default>(rows: &[T]) -> Result<String> {
    let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
    if let serde_json::Value::Object(fields) = serde_json::to_value(T::default())? {
        writer.write_record(fields.keys()).map_err(std::io::Error::from)?;
    }
    for row in rows {
        let serde_json::Value::Object(fields) = serde_json::to_value(row)? else { continue };
        let values = fields.values().map(|value| match value {
            serde_json::Value::String(text) => harmless(text),
            serde_json::Value::Null => String::new(),
            other => other.to_string(),
        });
        writer.write_record(values).map_err(std::io::Error::from)?;
    }
    let bytes = writer.into_inner().map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn harmless(text: &str) -> String {
    let formula = text.trim_start().starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']);
    // A phone number is no formula, and an apostrophe before it would be dialled.
    let number = text.chars().all(|c| c.is_ascii_digit() || " +-()/".contains(c));
    if formula && !number { format!("'{text}") } else { text.to_owned() }
}
