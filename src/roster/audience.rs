//! Who belongs to an audience, and whether audiences and rosters speak of the same things.

use super::columns::Column;
use super::complaints::shown;
use super::people::Roster;
use super::person::Person;
use crate::campaign::{Audience, Campaign, nearest};
use crate::fault::{Finding, Severity};
use std::collections::BTreeMap;

/// Columns in which everybody has a value, whether a roster has the column or not.
const ALWAYS: [&str; 5] = ["id", "name", "kind", "mail_store", "format"];

impl Roster {
    /// The people of an audience, in the order of the files.
    pub fn audience<'a>(&'a self, audience: &'a Audience) -> impl Iterator<Item = &'a Person> {
        self.people().filter(|person| person.is_in(audience))
    }
}

impl Person {
    /// In every column of the audience, the person has one of its values; case does not matter.
    pub fn is_in(&self, audience: &Audience) -> bool {
        audience.columns.iter().all(|(column, values)| {
            let own = self.column(column).map(|own| own.to_lowercase());
            own.is_some_and(|own| values.iter().any(|value| value.trim().to_lowercase() == own))
        })
    }
}

/// What audiences and rosters do not agree on. Where a roster could not be read completely, whoever seems to be missing
/// may only be unread: the reason is among the findings of [`super::read`], and nothing is said here.
pub fn check_audiences(campaign: &Campaign, roster: &Roster) -> Vec<Finding> {
    if roster.is_incomplete() {
        return Vec::new();
    }
    let mut findings: Vec<Finding> =
        campaign.audiences.values().flat_map(|audience| check_audience(audience, roster)).collect();
    findings.extend(unaddressed(campaign, roster));
    findings
}

fn check_audience(audience: &Audience, roster: &Roster) -> Vec<Finding> {
    let known = |column: &str| ALWAYS.contains(&column) || roster.columns().contains(column);
    let absent = audience.columns.keys().filter(|column| !known(column));
    let mut findings: Vec<Finding> = absent.map(|column| no_column(audience, column, roster)).collect();
    if !findings.is_empty() {
        return findings;
    }
    let unseen = unseen_values(audience, roster);
    if roster.audience(audience).next().is_none() {
        let cause = format!("nobody is in the audience '{}'", audience.name);
        let remedy = match unseen.first() {
            Some((_, remedy)) => remedy.clone(),
            None => "correct its columns, or the rosters".to_owned(),
        };
        findings.push(Finding::warning("audience-empty", cause, remedy).at(audience.place.clone()));
    } else {
        findings.extend(
            unseen
                .into_iter()
                .map(|(cause, remedy)| Finding::warning("audience-value", cause, remedy).at(audience.place.clone())),
        );
    }
    findings
}

fn no_column(audience: &Audience, column: &str, roster: &Roster) -> Finding {
    let cause =
        format!("the audience '{}' asks for the column '{}', which no roster has", audience.name, shown(column));
    let names = ALWAYS.into_iter().chain(roster.columns().iter().map(String::as_str));
    let remedy = match nearest(column, names) {
        Some(near) => format!("did you mean `{}`?", shown(&near)),
        None if Column::from_word(column).is_some() => "add that column to a roster, or map a header to it".to_owned(),
        None => "add that column to a roster".to_owned(),
    };
    Finding::error("audience-column", cause, remedy).at(audience.place.clone())
}

/// Cause and remedy for each value that the audience lists and nobody has.
fn unseen_values(audience: &Audience, roster: &Roster) -> Vec<(String, String)> {
    let mut unseen = Vec::new();
    for (column, values) in &audience.columns {
        // Lower case to one way it is written.
        let mut seen: BTreeMap<String, String> = BTreeMap::new();
        for own in roster.people().filter_map(|person| person.column(column)) {
            seen.entry(own.to_lowercase()).or_insert(own);
        }
        for value in values.iter().filter(|value| !seen.contains_key(&value.trim().to_lowercase())) {
            let cause =
                format!("the audience '{}' asks for {column} = '{}', which nobody has", audience.name, shown(value));
            let remedy = match nearest(value, seen.values().map(String::as_str)) {
                Some(near) => format!("did you mean '{}'?", shown(&near)),
                None => {
                    let some: Vec<String> = seen.values().take(10).map(|value| format!("'{}'", shown(value))).collect();
                    format!("the rosters have {}", if some.is_empty() { "none".to_owned() } else { some.join(", ") })
                }
            };
            unseen.push((cause, remedy));
        }
    }
    unseen
}

/// People of a kind that no audience asks for, told once for each kind. An audience of everybody does not count: it
/// would hide a misspelt kind.
fn unaddressed(campaign: &Campaign, roster: &Roster) -> Vec<Finding> {
    let lists = campaign.audiences.values().filter_map(|audience| audience.columns.get("kind"));
    let asked: Vec<&str> = lists.flatten().map(String::as_str).collect();
    if asked.is_empty() {
        return Vec::new();
    }
    let mut kinds: BTreeMap<&str, Vec<&Person>> = BTreeMap::new();
    for person in roster.people() {
        if !campaign.audiences.values().any(|audience| !audience.columns.is_empty() && person.is_in(audience)) {
            kinds.entry(&person.kind).or_default().push(person);
        }
    }
    let one = |(kind, people): (&str, Vec<&Person>)| {
        let count = if people.len() == 1 { "one person".to_owned() } else { format!("{} people", people.len()) };
        let cause = format!("no audience asks for {count} of kind '{}', the first here", shown(kind));
        let remedy = match nearest(kind, asked.iter().copied()) {
            // A column of the audience leaves them out.
            _ if asked.contains(&kind) => "add an audience for them, or widen the one of that kind".to_owned(),
            Some(near) => format!("did you mean '{near}'?"),
            None => "correct the kind, or add an audience for them".to_owned(),
        };
        // Whoever has a mailbox here would be locked out of it without a word.
        let has_mailbox = |person: &&Person| person.hexid.is_some() || person.mailbox.is_some();
        let severity = match campaign.msmail.is_some() && people.iter().any(has_mailbox) {
            true => Severity::Error,
            false => Severity::Warning,
        };
        Finding::new(severity, "no-audience", cause, remedy).at(people[0].place.clone())
    };
    kinds.into_iter().map(one).collect()
}
