//! The timeline: events of the chain in words.

use crate::engine::Engine;
use crate::fault::{Result, counted};
use crate::gate::BarChange;
use crate::ledger::AuditEvent;
use chrono::{DateTime, Utc};
use serde::Serialize;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Moment {
    pub at: DateTime<Utc>,
    pub kind: String,
    pub words: String,
}

/// Everything that happened, oldest first.
pub fn timeline(engine: &Engine) -> Result<Vec<Moment>> {
    let mut moments = Vec::new();
    engine.ledger().audit_events(|event| {
        moments.push(Moment { at: event.at, words: words(&event), kind: event.kind });
        Ok(())
    })?;
    Ok(moments)
}

/// One event in words.
pub fn words(event: &AuditEvent) -> String {
    let text = |name: &str| event.body.get(name).and_then(|value| value.as_str()).unwrap_or("").to_owned();
    let number = |name: &str| event.body.get(name).and_then(serde_json::Value::as_i64).unwrap_or(0);
    match event.kind.as_str() {
        "revision" => format!("revision {} of the facts begins", number("number")),
        "revision-extended" => format!("revision {} is completed", number("number")),
        "planned" => format!("{} is planned for {}", text("notice"), text("person")),
        "message" => format!("{}: {} {}", text("message_id"), text("state"), text("reply")),
        "evidence" => {
            let kind = event.body.get("kind").cloned().unwrap_or_default();
            let kind = serde_json::from_value::<crate::answer::Kind>(kind).map_or("", crate::answer::Kind::words);
            let by = event.body.get("by").and_then(|by| by.as_str()).map(|by| format!(", recorded by {by}"));
            format!(
                "{} {kind} ({}){} {}",
                text("person"),
                text("acknowledgement"),
                by.unwrap_or_default(),
                text("detail")
            )
        }
        "aborted" => format!("called off by {}: {}", text("by"), text("reason")),
        "told-as-it-stands" => format!("people are told although steps are done, says {}", text("by")),
        "amended" => {
            let reason = event.body["amendment"]["reason"].as_str().filter(|reason| !reason.is_empty());
            let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
            let people = event.body["informs"].as_array().map_or(0, Vec::len);
            let what = match event.body["put_off"].as_bool() {
                Some(true) => "the change is put off, and no new date is known".to_owned(),
                _ => format!("what people were told is amended, to revision {}", number("revision")),
            };
            format!("{what}{reason}; people who are told: {people}")
        }
        "evidence-revoked" => format!("evidence {} is revoked by {}: {}", number("id"), text("by"), text("note")),
        "waived" => {
            let waiver = event.body.get("waiver").cloned().unwrap_or_default();
            let part = |name: &str| waiver.get(name).and_then(|value| value.as_str()).unwrap_or("").to_owned();
            let until = part("until");
            format!(
                "{} is waived for {} by {}: {}{}",
                part("person"),
                text("acknowledgement"),
                part("by"),
                part("reason"),
                if until.is_empty() { until } else { format!(" (until {until})") }
            )
        }
        "overridden" => format!(
            "gate {} is overridden for step {} by {}: {}; it was held by {}",
            text("gate"),
            text("step"),
            text("by"),
            text("reason"),
            listed(&event.body["missing"])
        ),
        "gates" => "what the gates ask is on record".to_owned(),
        "gate-changed" => {
            let changes: Vec<BarChange> = serde_json::from_value(event.body["changes"].clone()).unwrap_or_default();
            let changes: Vec<String> = changes.iter().map(BarChange::to_string).collect();
            let evening = event.body["evening"].as_bool().unwrap_or_default();
            let when = if evening { " after the change had begun" } else { "" };
            format!("what the gates ask was changed{when}: {}", changes.join("; "))
        }
        "p1-in-use" => {
            "P1 was in use when it was to be closed: what was stated of the transports counts no more".to_owned()
        }
        "message-stores" => "the message stores are listed as they lie there at the broadcast".to_owned(),
        "waiver-revoked" => {
            let why = [text("by"), text("note")].join(": ");
            format!(
                "the waiver of {} for {} is withdrawn by {}",
                text("person"),
                text("acknowledgement"),
                why.trim_end_matches(": ")
            )
        }
        "wrong-try" => format!(
            "something wrong was typed for {} ({}) on the confirm page, from {}",
            text("person"),
            text("acknowledgement"),
            text("from")
        ),
        "short-notice" => {
            let left = match number("left_hours") {
                ..0 => "the change lies in the past".to_owned(),
                left => format!("{} before the change", counted(left as usize, "hour", "hours")),
            };
            let least = match number("least_hours") {
                0 => String::new(),
                least => format!("; the least is {least} hours"),
            };
            format!("the date {} is told at short notice, as was asked: {left}{least}", text("change_at"))
        }
        "mailbox-unread" => format!("{} cannot be read: {}", text("mailbox"), text("cause")),
        "mailbox-read" => format!("{} is read again", text("mailbox")),
        "task" => format!("to do: {}", text("what")),
        "built" => format!("package {} is built for {} people", text("package"), number("people")),
        "step" => {
            let inner = event.body.get("event").cloned().unwrap_or_default();
            let part = |name: &str| inner.get(name).and_then(|value| value.as_str()).unwrap_or("").to_owned();
            match part("event").as_str() {
                "attested" => format!("step {}: {} states: {}", text("step"), part("by"), part("note")),
                "undone_by_hand" => format!("step {}: {} took it back: {}", text("step"), part("by"), part("note")),
                "not_done" => format!("step {} was begun and not done", text("step")),
                "failed" => format!("step {} failed: {}", text("step"), part("cause")),
                word => format!("step {} {word}", text("step")),
            }
        }
        other => other.to_owned(),
    }
}

/// A list of people, or that there is nobody.
fn listed(people: &serde_json::Value) -> String {
    let names: Vec<&str> = people.as_array().into_iter().flatten().filter_map(serde_json::Value::as_str).collect();
    if names.is_empty() { "nobody: its audience is empty".to_owned() } else { names.join(", ") }
}
