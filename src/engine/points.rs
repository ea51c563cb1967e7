//! The checklist of a statement, point by point: seen, not seen yet, or waived by name. What was not seen can be stated
//! later, and holds the steps that want the list complete.

use super::Engine;
use crate::campaign::Step;
use crate::fault::{Exit, Fault, Result};
use crate::runbook::{Entry, Event, History, Journal, StepState, history_of};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// One point of a checklist as it stands, and by whose word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Point {
    pub name: String,
    pub words: String,
    /// `seen`, `not seen` or `waived`.
    pub stands: &'static str,
    pub by: String,
    pub note: String,
    pub at: DateTime<Utc>,
}

/// What a person says of single points of a checklist; all others were seen.
#[derive(Debug, Clone, Copy, Default)]
pub struct Except<'a> {
    /// Not seen yet.
    pub without: &'a [String],
    /// Nobody is going to see them, by this person's decision, for the reason in the note.
    pub waived: &'a [String],
}

/// How a point stands on record: one of these, its name, and its words.
const SEEN: &str = "seen: ";
const NOT_SEEN: &str = "not seen: ";
const WAIVED: &str = "waived: ";

impl Engine<'_> {
    /// The points of the step's checklist as they go on record. `before`: as they stood, where this is said of a step that
    /// is done: what was seen or waived then stays so.
    pub(super) fn points(&self, step: &Step, except: Except, before: &[String]) -> Result<Vec<String>> {
        let named = || except.without.iter().chain(except.waived);
        if let Some(unknown) = named().find(|name| !step.checklist.contains_key(*name)) {
            let known: Vec<_> = step.checklist.keys().map(String::as_str).collect();
            let cause = format!("'{unknown}' is no point of the checklist of step {}", step.name);
            let remedy =
                if known.is_empty() { "it has none".to_owned() } else { format!("one of {}", known.join(", ")) };
            return Err(Fault::ending(Exit::Usage, "unknown-point", cause, remedy));
        }
        let stood = |name: &str| before.iter().find(|fact| point(fact, SEEN).or(point(fact, WAIVED)) == Some(name));
        let points = step.checklist.iter().map(|(name, words)| {
            let says = match stood(name) {
                _ if except.without.contains(name) => NOT_SEEN,
                _ if except.waived.contains(name) => WAIVED,
                Some(stood) => return stood.clone(),
                None => SEEN,
            };
            format!("{says}{name}: {words}")
        });
        let points: Vec<String> = points.collect();
        let seen = |fact: &String| point(fact, SEEN).is_some();
        let news = |fact: &String| point(fact, NOT_SEEN).is_none() && !before.contains(fact);
        let states_nothing = !points.iter().any(seen) || !points.iter().any(news);
        if states_nothing && !points.is_empty() {
            let cause = format!("nothing of the checklist of step {} was seen: that states nothing", step.name);
            let remedy = "see to the points first, at least to those that can be seen now";
            return Err(Fault::new("nothing-seen", cause, remedy));
        }
        Ok(points)
    }

    /// How the points stand that a step which is done leaves open; `None` where it leaves none.
    pub(super) fn left_open(&self, step: &str) -> Result<Option<Vec<String>>> {
        let history = history_of(&self.ledger.entries()?, step)?;
        let open = history.state == StepState::Done && names(&history, NOT_SEEN).next().is_some();
        Ok(open.then_some(history.attested_facts))
    }

    /// What still has to be seen before the step begins, and how that is stated.
    pub(super) fn unseen(&self, step: &Step) -> Result<Option<(String, String)>> {
        for wanted in &step.seen {
            let history = history_of(&self.ledger.entries()?, wanted)?;
            let open: Vec<&str> = names(&history, NOT_SEEN).collect();
            if !open.is_empty() {
                let state = format!(
                    "Once it is: flagday cutover attest {wanted} --by NAME --note TEXT; --without POINT for what is still \
                     missing, --waive POINT for what nobody is going to see"
                );
                return Ok(Some((format!("{UNSEEN} after {wanted}: {}", open.join(", ")), state)));
            }
        }
        Ok(None)
    }
}

/// How a step that waits for points to be seen says so.
pub const UNSEEN: &str = "not seen yet";

/// Every point that was spoken of in the step's statements, as the last of them left it.
pub(super) fn stated_points(entries: &[Entry], step: &str) -> Vec<Point> {
    let mut points: Vec<(String, Point)> = Vec::new();
    for entry in entries.iter().filter(|entry| entry.step == step) {
        let Event::Attested { by, note, facts, .. } = &entry.event else { continue };
        let stood = std::mem::take(&mut points);
        let stated = |fact: &String| {
            if let Some(before) = stood.iter().find(|(before, _)| before == fact) {
                return Some(before.clone());
            }
            let says = [SEEN, NOT_SEEN, WAIVED].into_iter().find(|says| fact.starts_with(says))?;
            let (name, words) = fact.strip_prefix(says)?.split_once(": ")?;
            let (by, note, at) = (by.clone(), note.clone(), entry.at);
            let stands = says.trim_end_matches(": ");
            Some((fact.clone(), Point { name: name.into(), words: words.into(), stands, by, note, at }))
        };
        points = facts.iter().filter_map(stated).collect();
    }
    points.into_iter().map(|(_, point)| point).collect()
}

/// Points of a checklist that nobody saw, for ever beside the step.
pub(super) fn left_out(history: &History) -> String {
    let of = |says: &'static str| {
        let names: Vec<&str> = names(history, says).collect();
        (!names.is_empty()).then(|| format!("{says}{}", names.join(", ")))
    };
    [of(NOT_SEEN), of(WAIVED)].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn names<'h>(history: &'h History, says: &'static str) -> impl Iterator<Item = &'h str> {
    history.attested_facts.iter().filter_map(move |fact| point(fact, says))
}

/// The point's name, where the fact says that of it.
fn point<'f>(fact: &'f str, says: &str) -> Option<&'f str> {
    fact.strip_prefix(says)?.split(':').next()
}
