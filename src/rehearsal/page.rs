//! The rehearsal as one HTML page that needs nothing beside it: a picture, what needs a human, who blocked, the timeline.

use super::outcome::{Event, Kind, Outcome, alike, shown};
use super::{by_zone, picture};
use crate::fault::{Fault, Result};
use handlebars::Handlebars;
use serde_json::{Value, json};

const PAGE: &str = include_str!("../../templates/report/rehearsal.html.hbs");

/// A longer timeline tells what people do by the hour.
const LONG: usize = 400;
/// More people than this are counted in a row, not named.
const NAMED: usize = 30;
/// More of those who blocked are counted only.
const BLOCKED: usize = 200;

pub(super) fn render(outcome: &Outcome) -> Result<String> {
    let failed = |cause: String| Fault::new("report-page", cause, "this is a fault of flagday itself: report it");
    let mut page = Handlebars::new();
    page.set_strict_mode(true);
    page.register_template_string("page", PAGE).map_err(|error| failed(error.to_string()))?;
    let needs: Vec<Value> = alike(&outcome.needs)
        .into_iter()
        .map(|alike| {
            let need = alike[0];
            let whom: Vec<&str> = alike.iter().map(|need| need.whom.as_str()).collect();
            let done = need.done.is_some();
            json!({ "at": shown(&need.at), "what": need.what, "whom": named(&whom), "more": alike.len() - 1,
                "by": need.by.as_deref().map(shown), "end": need.end(), "class": if done { "done" } else { "missing" } })
        })
        .collect();
    let mut blocked: Vec<Value> = Vec::new();
    for one in outcome.blocked.iter().take(BLOCKED) {
        blocked.push(json!({ "step": one.step, "by": one.by, "from": shown(&one.from), "until": shown(&one.until) }));
    }
    let data = json!({
        "title": outcome.title,
        "campaign": outcome.campaign,
        "sum": outcome.sum(),
        "change": shown(&outcome.change_at),
        "zone": outcome.time_zone,
        "seed": outcome.seed,
        "people": outcome.people,
        "picture": picture::svg(outcome),
        "needs": needs,
        "blocked": blocked,
        "blocked_more": outcome.blocked.len().saturating_sub(BLOCKED),
        "open": outcome.open,
        "events": rows(&by_zone::read(&outcome.timeline)),
    });
    page.render("page", &data).map_err(|error| failed(error.to_string()))
}

/// The timeline as rows; in a long one, what people do is summed up by the hour.
fn rows(timeline: &[Event]) -> Vec<Value> {
    let row = |event: &Event, text: &str, people: &[&str]| {
        // A few are named in the text itself.
        let people = if people.len() > 4 { named(people) } else { String::new() };
        json!({ "at": shown(&event.at), "kind": event.kind, "text": text, "people": people })
    };
    let summed = |event: &Event| {
        let by_people = matches!(event.kind, Kind::Answer | Kind::LogOn | Kind::Fact | Kind::Task);
        timeline.len() > LONG && by_people
    };
    let mut rows = Vec::new();
    let mut hours: Vec<(String, Vec<&Event>)> = Vec::new();
    for event in timeline {
        let key = format!("{} {:?} {}", &event.at[..13], event.kind, event.subject);
        if summed(event) {
            match hours.iter_mut().find(|(known, _)| *known == key) {
                Some((_, events)) => events.push(event),
                None => hours.push((key, vec![event])),
            }
            continue;
        }
        rows.extend(hours.drain(..).map(|(_, events)| sum_of(&events)));
        let people: Vec<&str> = event.people.iter().map(String::as_str).collect();
        rows.push(row(event, &event.text, &people));
    }
    rows.extend(hours.drain(..).map(|(_, events)| sum_of(&events)));
    rows
}

fn sum_of(events: &[&Event]) -> Value {
    let first = events[0];
    let people: Vec<&str> = events.iter().flat_map(|event| &event.people).map(String::as_str).collect();
    let what = match first.kind {
        Kind::Answer => format!("answer '{}'", first.subject),
        Kind::LogOn => "log on, let the mail come in, and sign out".to_owned(),
        Kind::Task => format!("have to be called: {}", first.subject),
        _ => first.subject.clone(),
    };
    let text = match events.len() {
        1 => first.text.clone(),
        n => format!("within the hour, {n} people: {what}"),
    };
    let people = if events.len() > 1 { named(&people) } else { String::new() };
    json!({ "at": shown(&first.at), "kind": first.kind, "text": text, "people": people })
}

fn named(people: &[&str]) -> String {
    match people.len() > NAMED {
        true => format!("{} and {} more", people[..NAMED].join(", "), people.len() - NAMED),
        false => people.join(", "),
    }
}
