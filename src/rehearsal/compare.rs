//! Two rehearsals side by side: what an edit of the campaign changes, for whom, and by how much time.

use super::outcome::{Kind, Outcome, length, shown};
use chrono::{DateTime, Duration};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Difference {
    Removed,
    Added,
    Earlier,
    Later,
}

/// Something that is not as it was, with all whom it concerns alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// As in the timeline, or `need` for a moment that needs a human.
    pub kind: String,
    pub subject: String,
    pub difference: Difference,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<String>,
    /// When it happened first before the edit, and when it happens first now.
    pub before: Option<String>,
    pub after: Option<String>,
    /// By how long it moved, in minutes: the least and the most.
    pub moved_minutes: Option<(i64, i64)>,
}

/// A rehearsal in a few numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Side {
    pub change_at: String,
    pub people: usize,
    pub finished: bool,
    pub steps_done: usize,
    pub messages: usize,
    pub needs: usize,
    /// When the last thing happened.
    pub ends: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    pub schema: u32,
    pub before: Side,
    pub after: Side,
    /// In the order of time.
    pub changes: Vec<Change>,
}

/// Kind, subject, person, and the how many-th time.
type Key = (String, String, String, usize);

/// The moments of one change: person, then, now.
type Moved<'a> = Vec<(&'a str, Option<&'a str>, Option<&'a str>)>;

pub fn compare(before: &Outcome, after: &Outcome) -> Comparison {
    let (old, new) = (moments(before), moments(after));
    let mut groups: BTreeMap<(&str, &str, Difference), Moved> = BTreeMap::new();
    for (key, then) in &old {
        let (kind, subject, person, _) = key;
        let now = new.get(key).copied();
        let difference = match now.map(|now| minutes(then, now)) {
            None => Difference::Removed,
            Some(0) => continue,
            Some(later) if later > 0 => Difference::Later,
            Some(_) => Difference::Earlier,
        };
        groups.entry((kind, subject, difference)).or_default().push((person, Some(*then), now));
    }
    for (key, now) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
        let (kind, subject, person, _) = key;
        groups.entry((kind, subject, Difference::Added)).or_default().push((person, None, Some(*now)));
    }
    let mut changes: Vec<Change> = groups
        .into_iter()
        .map(|((kind, subject, difference), moved)| change(kind, subject, difference, &moved))
        .collect();
    changes.sort_by_cached_key(|change| {
        let first = [&change.before, &change.after].into_iter().flatten().filter_map(|at| instant(at)).min();
        (first, change.kind.clone(), change.subject.clone(), change.difference)
    });
    Comparison { schema: 1, before: side(before), after: side(after), changes }
}

/// Everything that people would notice, with its moment.
fn moments(outcome: &Outcome) -> BTreeMap<Key, &str> {
    let mut times: HashMap<(String, String, String), usize> = HashMap::new();
    let mut found = BTreeMap::new();
    let mut add = |kind: String, subject: &str, person: &str, at| {
        let seen = times.entry((kind.clone(), subject.to_owned(), person.to_owned())).or_default();
        *seen += 1;
        found.insert((kind, subject.to_owned(), person.to_owned(), *seen), at);
    };
    for event in &outcome.timeline {
        // Why the cutover stands still and what the administrator says follow from the rest.
        if matches!(event.kind, Kind::Begins | Kind::Waits | Kind::ByHand | Kind::Ends) {
            continue;
        }
        let nobody = [String::new()];
        let people = if event.people.is_empty() { &nobody[..] } else { &event.people };
        for person in people {
            add(word(&event.kind), &event.subject, person, event.at.as_str());
        }
    }
    for need in &outcome.needs {
        let subject = format!("{} for {}", word(&need.kind), need.whom);
        add("need".to_owned(), &subject, "", need.at.as_str());
    }
    found
}

fn change(kind: &str, subject: &str, difference: Difference, moved: &Moved) -> Change {
    let first = |moments: &mut dyn Iterator<Item = &str>| moments.min_by_key(|at| instant(at)).map(str::to_owned);
    let shifts: Vec<i64> = moved.iter().filter_map(|(_, then, now)| Some(minutes((*then)?, (*now)?))).collect();
    let by_length = |shift: &&i64| shift.abs();
    Change {
        kind: kind.to_owned(),
        subject: subject.to_owned(),
        difference,
        people: moved.iter().map(|(person, ..)| (*person).to_owned()).filter(|person| !person.is_empty()).collect(),
        before: first(&mut moved.iter().filter_map(|(_, then, _)| *then)),
        after: first(&mut moved.iter().filter_map(|(.., now)| *now)),
        moved_minutes: shifts.iter().min_by_key(by_length).copied().zip(shifts.iter().max_by_key(by_length).copied()),
    }
}

fn side(outcome: &Outcome) -> Side {
    Side {
        change_at: outcome.change_at.clone(),
        people: outcome.people,
        finished: outcome.finished,
        steps_done: outcome.steps_done,
        messages: outcome.messages,
        needs: outcome.needs.len(),
        ends: outcome.timeline.last().map(|event| event.at.clone()).unwrap_or_default(),
    }
}

impl Comparison {
    pub fn text(&self) -> String {
        let (before, after) = (&self.before, &self.after);
        let mut text = String::new();
        let mut line = |what: &str, before: String, after: String| match before == after {
            true => text += &format!("{what:<13} {after}\n"),
            false => text += &format!("{what:<13} {before}  ->  {after}\n"),
        };
        line("Change", shown(&before.change_at), shown(&after.change_at));
        line("People", before.people.to_string(), after.people.to_string());
        line("Messages", before.messages.to_string(), after.messages.to_string());
        line("Steps done", before.steps_done.to_string(), after.steps_done.to_string());
        line("Needs a human", before.needs.to_string(), after.needs.to_string());
        line("Ends", shown(&before.ends), shown(&after.ends));
        if self.changes.is_empty() {
            return text + "\nNothing happens in another way or at another time.\n";
        }
        text += "\nWhat is not as it was\n";
        for change in &self.changes {
            text += &format!("  {}\n", change.text());
        }
        text
    }
}

impl Change {
    /// `+` comes, `-` goes, `<` is earlier, `>` is later.
    fn text(&self) -> String {
        let mark = match self.difference {
            Difference::Added => '+',
            Difference::Removed => '-',
            Difference::Earlier => '<',
            Difference::Later => '>',
        };
        let subject = if self.subject.is_empty() { String::new() } else { format!(" {}", self.subject) };
        let people = match self.people.len() {
            0 => String::new(),
            1..=4 => format!(", {}", self.people.join(", ")),
            n => format!(", {} and {} more", self.people[..3].join(", "), n - 3),
        };
        let at = |at: &Option<String>| at.as_deref().map(shown).unwrap_or_default();
        let when = match self.moved_minutes {
            None => at(if self.before.is_some() { &self.before } else { &self.after }),
            Some((least, most)) => {
                let (least_shown, most_shown) = (span(least), span(most));
                let by = if least == most { most_shown } else { format!("{least_shown} to {most_shown}") };
                let word = if most > 0 { "later" } else { "earlier" };
                format!("{} -> {}, {by} {word}", at(&self.before), at(&self.after))
            }
        };
        format!("{mark} {}{subject}{people}: {when}", self.kind.replace('-', " "))
    }
}

fn span(minutes: i64) -> String {
    length(Duration::minutes(minutes.abs()))
}

fn instant(at: &str) -> Option<DateTime<chrono::FixedOffset>> {
    DateTime::parse_from_rfc3339(at).ok()
}

/// From one moment to the other, in minutes.
fn minutes(then: &str, now: &str) -> i64 {
    instant(then).zip(instant(now)).map_or(0, |(then, now)| (now - then).num_minutes())
}

/// The word that stands for a kind in JSON.
fn word(kind: &impl Serialize) -> String {
    match serde_json::to_value(kind) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}
