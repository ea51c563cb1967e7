//! What the gates ask: kept on record, so that none of it is lowered in silence.

use crate::campaign::{Acknowledgement, Audience, Campaign, Gate, Grade, OnDeadline};
use crate::fault::Place;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug};

/// What every gate asks, and which steps wait for which of them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Bars {
    gates: BTreeMap<String, Bar>,
    acknowledgements: BTreeMap<String, Asked>,
    /// By step.
    needs: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Bar {
    acknowledgement: String,
    share: f64,
    allow_empty: bool,
    on_deadline: OnDeadline,
    two_person: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Asked {
    audience: String,
    /// Of whom it consists, as the file says it: column by column.
    people: BTreeMap<String, Vec<String>>,
    grade: Grade,
}

/// One thing that a gate asks and that was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BarChange {
    /// `gate`, `acknowledgement`, `audience` or `step`.
    pub section: String,
    pub name: String,
    pub key: String,
    pub was: String,
    pub is: String,
    pub way: Way,
}

/// Whether a gate opens more easily by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    Looser,
    Tighter,
    /// That cannot be told: it asks other people.
    Other,
}

impl BarChange {
    /// What [`Bars::hold`] takes back once the change has begun.
    pub fn is_held(&self) -> bool {
        self.way == Way::Looser || self.section == "acknowledgement" && self.key == "audience"
    }

    fn is_of(&self, other: &BarChange) -> bool {
        (&self.section, &self.name, &self.key) == (&other.section, &other.name, &other.key)
    }

    /// Whether one of these is about the same key.
    pub fn is_among(&self, others: &[BarChange]) -> bool {
        others.iter().any(|other| self.is_of(other))
    }
}

impl fmt::Display for BarChange {
    /// As a person finds it in the file: `[gate.disks-held] share was 1.0 and is 0.1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BarChange { section, name, key, was, is, .. } = self;
        match section.as_str() {
            "step" => write!(f, "{key} of step {name}")?,
            _ if key.is_empty() => write!(f, "[{section}.{name}]")?,
            _ => write!(f, "[{section}.{name}] {key}")?,
        }
        write!(f, " was {was} and is {is}")
    }
}

impl Bars {
    pub fn of(campaign: &Campaign) -> Bars {
        let mut bars = Bars::default();
        for gate in campaign.gates.values() {
            let asked = &campaign.acknowledgements[&gate.acknowledgement];
            let (audience, grade) = (asked.audience.clone(), asked.grade);
            let people = campaign.audiences[&audience].columns.clone();
            bars.acknowledgements.insert(asked.name.clone(), Asked { audience, people, grade });
            let Gate { name, acknowledgement, share, allow_empty, on_deadline, two_person, .. } = gate.clone();
            bars.gates.insert(name, Bar { acknowledgement, share, allow_empty, on_deadline, two_person });
        }
        for step in campaign.steps.iter().filter(|step| !step.needs.is_empty()) {
            bars.needs.insert(step.name.clone(), step.needs.iter().cloned().collect());
        }
        bars
    }

    /// What is another thing in `now`.
    pub fn changes(&self, now: &Bars) -> Vec<BarChange> {
        let mut changes = Vec::new();
        for (name, was, is) in both(&self.gates, &now.gates) {
            let mut changed = Changes { section: "gate", name, all: &mut changes };
            match (was, is) {
                (Some(was), Some(is)) => was.compare(is, &mut changed),
                (was, _) => changed.add("", there(was.is_some()), there(was.is_none()), looser(was.is_some())),
            }
        }
        for (name, was, is) in both(&self.acknowledgements, &now.acknowledgements) {
            let (Some(was), Some(is)) = (was, is) else { continue };
            let mut changed = Changes { section: "acknowledgement", name, all: &mut changes };
            changed.compare("grade", &was.grade.word(), &is.grade.word(), looser(is.grade < was.grade));
            changed.compare("audience", &was.audience, &is.audience, Way::Other);
            if was.audience == is.audience {
                let mut changed = Changes { section: "audience", name: &is.audience, all: &mut changes };
                changed.compare("", &columns(&was.people), &columns(&is.people), Way::Other);
            }
        }
        let nothing = BTreeSet::new();
        for (name, was, is) in both(&self.needs, &now.needs) {
            let (was, is) = (was.unwrap_or(&nothing), is.unwrap_or(&nothing));
            let mut changed = Changes { section: "step", name, all: &mut changes };
            changed.compare("needs", &list(was), &list(is), looser(!is.is_superset(was)));
        }
        // Two acknowledgements may ask one audience.
        let mut told = Vec::new();
        changes.retain(|one| {
            !told.contains(one) && {
                told.push(one.clone());
                true
            }
        });
        changes
    }

    /// Has the campaign ask at least this much again, and the same audiences: what was loosened since does not count. Whom
    /// an audience of the file consists of is left as it is; people who are not asked any more are told of elsewhere, by name.
    pub fn hold(&self, campaign: &mut Campaign) {
        for (name, bar) in &self.gates {
            let Some(asked) = campaign.acknowledgements.get(&bar.acknowledgement) else { continue };
            let dated = asked.due.is_some();
            let place = Place::file(&campaign.file);
            let gate = campaign.gates.entry(name.clone()).or_insert_with(|| bar.gate(name, place));
            gate.acknowledgement.clone_from(&bar.acknowledgement);
            gate.share = gate.share.max(bar.share);
            gate.allow_empty &= bar.allow_empty;
            gate.two_person |= bar.two_person;
            if dated && bar.on_deadline == OnDeadline::Abort {
                gate.on_deadline = OnDeadline::Abort;
            }
        }
        for (name, asked) in &self.acknowledgements {
            if let Some(Acknowledgement { grade, audience, .. }) = campaign.acknowledgements.get_mut(name) {
                *grade = asked.grade.max(*grade);
                audience.clone_from(&asked.audience);
                let place = Place::file(&campaign.file);
                campaign.audiences.entry(audience.clone()).or_insert_with(|| Audience {
                    name: asked.audience.clone(),
                    columns: asked.people.clone(),
                    place,
                });
            }
        }
        for step in &mut campaign.steps {
            for gate in self.needs.get(&step.name).into_iter().flatten() {
                if campaign.gates.contains_key(gate) && !step.needs.contains(gate) {
                    step.needs.push(gate.clone());
                }
            }
        }
    }

    /// Gates that steps wait for, and that the campaign knows no more in any way.
    pub fn lost<'b>(&'b self, campaign: &'b Campaign) -> impl Iterator<Item = &'b str> {
        let needed = self.needs.values().flatten().collect::<BTreeSet<_>>();
        needed.into_iter().map(String::as_str).filter(|gate| !campaign.gates.contains_key(*gate))
    }
}

impl Bar {
    fn compare(&self, is: &Bar, changed: &mut Changes<'_>) {
        // What was asked is asked no more, whatever is asked instead.
        changed.compare("acknowledgement", &self.acknowledgement, &is.acknowledgement, Way::Looser);
        changed.compare("share", &self.share, &is.share, looser(is.share < self.share));
        changed.compare("allow_empty", &self.allow_empty, &is.allow_empty, looser(is.allow_empty));
        changed.compare("two_person", &self.two_person, &is.two_person, looser(self.two_person));
        let aborts = |bar: &Bar| bar.on_deadline == OnDeadline::Abort;
        let word = |bar: &Bar| if aborts(bar) { "abort" } else { "hold" };
        changed.compare("on_deadline", &word(self), &word(is), looser(aborts(self)));
    }

    fn gate(&self, name: &str, place: Place) -> Gate {
        let Bar { acknowledgement, share, allow_empty, on_deadline, two_person } = self.clone();
        Gate { name: name.to_owned(), acknowledgement, share, allow_empty, on_deadline, two_person, place }
    }
}

/// The changes of one table of the file.
struct Changes<'c> {
    section: &'static str,
    name: &'c str,
    all: &'c mut Vec<BarChange>,
}

impl Changes<'_> {
    fn compare<T: PartialEq + Debug>(&mut self, key: &str, was: &T, is: &T, way: Way) {
        if was != is {
            let words = |value: &T| format!("{value:?}").trim_matches('"').to_owned();
            self.add(key, &words(was), &words(is), way);
        }
    }

    fn add(&mut self, key: &str, was: &str, is: &str, way: Way) {
        let (section, name, key) = (self.section.to_owned(), self.name.to_owned(), key.to_owned());
        self.all.push(BarChange { section, name, key, was: was.to_owned(), is: is.to_owned(), way });
    }
}

fn looser(yes: bool) -> Way {
    if yes { Way::Looser } else { Way::Tighter }
}

fn there(yes: bool) -> &'static str {
    if yes { "there" } else { "not there" }
}

fn list(gates: &BTreeSet<String>) -> String {
    match gates.is_empty() {
        true => "nothing".to_owned(),
        false => gates.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
    }
}

fn columns(people: &BTreeMap<String, Vec<String>>) -> String {
    let columns = people.iter().map(|(column, values)| format!("{column}: {}", values.join(" or ")));
    match people.is_empty() {
        true => "everybody".to_owned(),
        false => columns.collect::<Vec<_>>().join(", "),
    }
}

/// What stands in one of two tables, or in both, by name.
fn both<'t, T>(
    was: &'t BTreeMap<String, T>,
    is: &'t BTreeMap<String, T>,
) -> impl Iterator<Item = (&'t str, Option<&'t T>, Option<&'t T>)> {
    let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    names.into_iter().map(|name| (name.as_str(), was.get(name), is.get(name)))
}

#[cfg(test)]
mod tests;
