//! One value read as what it should be. A wrong one is reported where it stands and read as absent, so that reading
//! goes on and finds the rest.

use super::nearest::instead;
use super::report::Report;
use super::schedule::Moment;
use super::tree::{Node, Spot, Value};
use crate::fault::Finding;
use chrono::Datelike;
use std::ops::RangeInclusive;

/// Any flag day lies in these years; another year is a slip (`26-12-01`), and arithmetic stays far from its limits.
const YEARS: RangeInclusive<i32> = 1980..=2200;

/// The longest name of anything in a campaign. Names become folders and parts of Message-IDs.
const LONGEST_NAME: usize = 64;

/// A text and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    pub(crate) value: String,
    pub(crate) at: Spot,
}

/// A text of one line.
pub(crate) fn text(report: &Report, node: Node) -> Option<Text> {
    of_lines(report, node, &[])
}

/// A text of any number of lines.
pub(crate) fn prose(report: &Report, node: Node) -> Option<Text> {
    of_lines(report, node, &['\n', '\r', '\t'])
}

fn of_lines(report: &Report, node: Node, allowed: &[char]) -> Option<Text> {
    let Node { value: Value::Text(value), at } = node else { return wrong(report, "a text", node) };
    match value.chars().find(|c| c.is_control() && !allowed.contains(c)) {
        None => Some(Text { value, at }),
        Some(control) => {
            let cause = format!("the text holds the control character U+{:04X}", u32::from(control));
            report.add(at, Finding::error("control-character", cause, "write it on one line, in printable characters"));
            None
        }
    }
}

pub(crate) fn boolean(report: &Report, node: Node) -> Option<bool> {
    match node.value {
        Value::Boolean(value) => Some(value),
        _ => wrong(report, "true or false", node),
    }
}

/// A number, whole or not.
pub(crate) fn number(report: &Report, node: Node) -> Option<f64> {
    match node.value {
        Value::Integer(value) => Some(value as f64),
        Value::Float(value) => Some(value),
        _ => wrong(report, "a number", node),
    }
}

/// A moment in quotes, or a TOML local date-time without.
pub(crate) fn moment(report: &Report, node: Node) -> Option<Moment> {
    let written = match &node.value {
        Value::Text(text) => text,
        Value::Date { text, local: true } => text,
        Value::Date { .. } => {
            let cause = "the moment has an offset of its own, or lacks its day or its time of day";
            report.add(
                node.at,
                Finding::error("bad-date", cause, "write the local time, like 2026-12-12T18:00:00, and set time_zone"),
            );
            return None;
        }
        _ => return wrong(report, "a moment, like \"T-14d 09:00\"", node),
    };
    match Moment::parse(written) {
        Ok(Moment::At(local)) if !YEARS.contains(&local.year()) => {
            let cause = format!("the year {} is no year for a flag day", local.year());
            report.add(node.at, Finding::error("bad-date", cause, "write the year with four digits"));
            None
        }
        Ok(moment) => Some(moment),
        Err(cause) => {
            report.add(
                node.at,
                Finding::error("bad-moment", cause, "count from the change (T), or name a day and a time"),
            );
            None
        }
    }
}

pub(crate) fn wrong<T>(report: &Report, expected: &str, found: Node) -> Option<T> {
    let cause = format!("{} stands here, and {expected} belongs here", found.value.words());
    let remedy = match expected {
        "a text" => "put it between double quotes".to_owned(),
        _ => format!("write {expected}"),
    };
    report.add(found.at, Finding::error("wrong-type", cause, remedy));
    None
}

/// The meaning of one of several words.
pub(crate) fn one_of<T: Copy>(key: &str, word: &str, words: &[(&'static str, T)]) -> Result<T, Finding> {
    words.iter().find(|(known, _)| *known == word).map(|(_, value)| *value).ok_or_else(|| {
        let cause = format!("'{word}' is no value of '{key}'");
        Finding::error("unknown-word", cause, instead(word, words.iter().map(|(known, _)| *known)))
    })
}

/// A name made of `[a-z0-9-]`.
pub(crate) fn name(text: &str) -> Result<String, Finding> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let good = !text.is_empty() && text.len() <= LONGEST_NAME && text.chars().all(plain);
    if good && !text.starts_with('-') && !text.ends_with('-') {
        return Ok(text.to_owned());
    }
    Err(Finding::error(
        "bad-name",
        format!("'{}' is no name: names become folders and parts of Message-IDs", text.escape_debug()),
        format!("use a to z, 0 to 9 and hyphens inside, at most {LONGEST_NAME} of them"),
    ))
}
