//! The people: where each one stands with each acknowledgement, filtered.

use crate::campaign::{Audience, Grade};
use crate::engine::Engine;
use crate::fault::{Exit, Fault, Result};
use crate::roster::Person;
use serde::Serialize;
use std::collections::HashSet;

/// One person and one acknowledgement, or a notice that asks for nothing where they are asked for nothing at all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PersonRow {
    pub person: String,
    pub name: String,
    pub email: String,
    pub phone: String,
    pub acknowledgement: String,
    pub grade: Grade,
    pub required: Grade,
    /// `satisfied`, `missing`, `waived` or `attested`; of who is only told: `told` or `untold`.
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
    let members: Option<HashSet<&str>> =
        audience.map(|audience| engine.roster.audience(audience).map(|person| person.id.as_str()).collect());
    let reached = engine.ledger().reached()?;
    let is_wanted = |person: &Person, grade: Grade| {
        filter.grade_below.is_none_or(|below| grade < below)
            && only.is_none_or(|id| *id == person.id)
            && members.as_ref().is_none_or(|members| members.contains(person.id.as_str()))
    };
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
            if is_wanted(person, standing.grade) && (gate.is_none() || state == "missing") {
                let waived = standing.waiver.map(|waiver| {
                    let second = waiver.second.map(|name| format!(" and {name}")).unwrap_or_default();
                    format!("waived by {}{second}: {}", waiver.by, waiver.reason)
                });
                rows.push(PersonRow {
                    acknowledgement: acknowledgement.name.clone(),
                    grade: standing.grade,
                    required: acknowledgement.grade,
                    state,
                    why: waived.unwrap_or_else(|| match standing.remedy.as_str() {
                        "" => standing.why,
                        remedy => format!("{}; {remedy}", standing.why),
                    }),
                    ..PersonRow::of(person)
                });
            }
        }
    }
    if gate.is_none() {
        rows.extend(
            only_told(engine, &reached).filter(|(person, row)| is_wanted(person, row.grade)).map(|(_, row)| row),
        );
    }
    Ok(rows)
}

/// Those who are asked for nothing, by the notices of the calendar that they get.
fn only_told<'e>(
    engine: &'e Engine<'_>,
    reached: &'e HashSet<(String, String)>,
) -> impl Iterator<Item = (&'e Person, PersonRow)> {
    let campaign = &engine.campaign;
    let asked: HashSet<&str> = campaign
        .acknowledgements
        .values()
        .flat_map(|one| engine.roster.audience(&campaign.audiences[&one.audience]))
        .map(|person| person.id.as_str())
        .collect();
    campaign.notices.values().filter(|notice| notice.at.is_some()).flat_map(move |notice| {
        let people: Vec<&Person> = engine.roster.audience(&campaign.audiences[&notice.audience]).collect();
        let people: Vec<&Person> = people.into_iter().filter(|person| !asked.contains(person.id.as_str())).collect();
        people.into_iter().map(move |person| {
            let (grade, state, why) = match reached.contains(&(person.id.clone(), notice.name.clone())) {
                true => (Grade::Sent, "told", format!("was sent '{}'", notice.name)),
                false => (Grade::None, "untold", format!("was not sent '{}'", notice.name)),
            };
            (person, PersonRow { grade, required: Grade::None, state, why, ..PersonRow::of(person) })
        })
    })
}

impl PersonRow {
    fn of(person: &Person) -> PersonRow {
        PersonRow {
            person: person.id.clone(),
            name: person.name.clone(),
            email: person.email.as_ref().map(ToString::to_string).unwrap_or_default(),
            phone: person.phone.clone().unwrap_or_default(),
            ..PersonRow::default()
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fixture::{self, ASKED};
    use crate::system::Real;

    #[test]
    fn who_is_only_told_something_is_below_sent_until_it_was_sent() {
        let visitors =
            "[audience.visitors]\nkind = [\"visitor\"]\n[notice.parking]\naudience = \"visitors\"\nat = \"T-3d\"\n";
        let root = fixture::campaign(&[ASKED, visitors].concat());
        fixture::write(
            root.path(),
            "users.csv",
            "id,name,email,kind\nANN,Ann,a@corp.example,local\nVIC,Vic,v@corp.example,visitor\n",
        );
        fixture::texts(root.path(), "news");
        fixture::texts(root.path(), "parking");
        let mut engine = Engine::open(root.path(), &Real).expect("opened");
        let below = |engine: &Engine<'_>, below: Grade| -> Vec<(String, &'static str)> {
            let filter = Filter { grade_below: Some(below), ..Filter::default() };
            who(engine, &filter).expect("read").into_iter().map(|row| (row.person, row.state)).collect()
        };
        let (ann, vic) = (("ANN".to_owned(), "missing"), |state| ("VIC".to_owned(), state));
        assert_eq!(below(&engine, Grade::Sent), [ann.clone(), vic("untold")]);
        let stop = std::sync::atomic::AtomicBool::new(false);
        engine.send(Some("parking"), &crate::engine::To::Everyone, None, false, &stop, &mut |_| {}).expect("sent");
        assert_eq!(below(&engine, Grade::Sent), std::slice::from_ref(&ann));
        assert_eq!(below(&engine, Grade::Read), [ann, vic("told")]);
    }
}
