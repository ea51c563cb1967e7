//! Audiences: the people whose columns hold the values asked for.

use super::fields::{KNOWN, nearest};
use super::{Person, Roster};
use crate::campaign::{Audience, Campaign};
use crate::fault::Finding;

impl Roster {
    /// The audience's people, in roster order.
    pub fn audience<'a>(&'a self, audience: &'a Audience) -> impl Iterator<Item = &'a Person> {
        self.people.iter().filter(|person| belongs(person, audience))
    }
}

fn belongs(person: &Person, audience: &Audience) -> bool {
    audience.columns.iter().all(|(column, values)| {
        person.column(column).is_some_and(|held| values.iter().any(|value| value.eq_ignore_ascii_case(&held)))
    })
}

/// An audience by a column that no roster has, or with nobody in it, is a mistake more often than a wish.
pub fn check_audiences(campaign: &Campaign, roster: &Roster) -> Vec<Finding> {
    let mut findings = Vec::new();
    for audience in campaign.audiences.values() {
        let mut known = true;
        for column in audience.columns.keys() {
            let has = KNOWN.contains(&column.as_str()) || roster.columns.contains(column);
            if !has && !roster.columns.is_empty() {
                known = false;
                let remedy = match nearest(column, roster.columns.iter().map(String::as_str).chain(KNOWN)) {
                    Some(near) => format!("did you mean '{near}'?"),
                    None => "name a column of the rosters".to_owned(),
                };
                let cause = format!("audience '{}' asks for the column '{column}', which no roster has", audience.name);
                findings.push(Finding::error("audience-column", cause, remedy).at(audience.place.clone()));
            }
        }
        if known && roster.audience(audience).next().is_none() {
            let cause = format!("nobody is in the audience '{}'", audience.name);
            let remedy = "correct the values, or the rows of the roster; a gate over nobody stays shut";
            findings.push(Finding::warning("audience-empty", cause, remedy).at(audience.place.clone()));
        }
    }
    findings
}
