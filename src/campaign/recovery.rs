//! Reading TOML with mistakes in it. The parser gives up at some mistakes; then the lines that hold them are blanked
//! out and the text is read again, so that a person sees what is wrong further down as well.

use super::source::Source;
use crate::fault::Finding;
use std::collections::BTreeMap;
use toml::de::{DeTable, Error};

/// How often the text is read at most.
const ROUNDS: usize = 16;

/// More lines with mistakes than this are counted only: the file is no TOML.
const MOST: usize = 100;

/// The table as far as it can be read, and one finding for each line with mistakes: the first explains the others.
pub(super) fn parse<T>(source: &Source, then: impl FnOnce(DeTable) -> T) -> (T, Vec<Finding>) {
    let mut text = source.text().to_owned();
    let mut findings = BTreeMap::new();
    let mut round = 1;
    loop {
        let (table, errors) = DeTable::parse_recoverable(&text);
        for error in &errors {
            let span = error.span().unwrap_or(0..0);
            let line = source.place(span.start).line as usize;
            findings.entry(line).or_insert_with(|| (error.message().to_owned(), span));
        }
        let may_go_on = round < ROUNDS && !errors.is_empty() && errors.iter().all(stays_on_its_line);
        let blanked = if may_go_on { without(&text, &findings) } else { text.clone() };
        if blanked == text {
            return (then(table.into_inner()), told(source, findings.into_values()));
        }
        text = blanked;
        round += 1;
    }
}

/// Whether the text is sound again when the error's line is gone; an open bracket or quote goes on below.
fn stays_on_its_line(error: &Error) -> bool {
    let message = error.message();
    let open = ["array", "inline table", "multi-line"].iter().any(|word| message.contains(word));
    error.span().is_some() && !open
}

/// The text with spaces in place of the lines that hold mistakes; a header takes its section along, whose keys would
/// seem to belong to the section before.
fn without<T>(text: &str, lines: &BTreeMap<usize, T>) -> String {
    let mut in_section = false;
    let mut blanked = String::with_capacity(text.len());
    for (n, line) in text.split_inclusive('\n').enumerate() {
        let wrong = lines.contains_key(&(n + 1));
        if line.trim_start().starts_with('[') {
            in_section = wrong;
        }
        match line.strip_suffix('\n') {
            _ if !wrong && !in_section => blanked.push_str(line),
            Some(line) => {
                blanked.extend(std::iter::repeat_n(' ', line.len()));
                blanked.push('\n');
            }
            None => blanked.extend(std::iter::repeat_n(' ', line.len())),
        }
    }
    blanked
}

fn told(source: &Source, errors: impl ExactSizeIterator<Item = (String, std::ops::Range<usize>)>) -> Vec<Finding> {
    let more = errors.len().saturating_sub(MOST);
    let finding = |(message, span): (String, std::ops::Range<usize>)| {
        let finding = Finding::error("toml-syntax", format!("this is no TOML: {message}"), remedy(&message));
        source.locate(finding, span)
    };
    let mut findings: Vec<_> = errors.take(MOST).map(finding).collect();
    if let (Some(last), 1..) = (findings.last_mut(), more) {
        last.cause += &format!(" ({more} more lines are no TOML either)");
    }
    findings
}

fn remedy(message: &str) -> &'static str {
    if message.starts_with("duplicate key") {
        "state it once"
    } else if message.contains("escape") {
        "write a path with '/' (\"M:/MAILDATA\"), or between single quotes, where '\\' is an ordinary character"
    } else if message.contains("string values must be quoted") {
        "put it between double quotes"
    } else if message.contains("table") && !message.contains("inline") {
        "write a header like [mail] or [[step]], with as many brackets at its end as at its beginning"
    } else {
        "write key = \"text\", key = 4, key = true or key = [\"a\", \"b\"], one a line, brackets and quotes closed"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Vec<String>, String) {
        let keys = |table: DeTable| table.keys().map(|key| key.get_ref().to_string()).collect();
        let (keys, findings) = parse(&Source::new("f".into(), text.into()), keys);
        let place = |finding: &Finding| finding.place.as_ref().map(ToString::to_string).unwrap_or_default();
        let told: Vec<_> = findings.iter().map(|finding| format!("{} {}", place(finding), finding.cause)).collect();
        (keys, told.join("\n"))
    }

    #[test]
    fn every_line_with_a_mistake_is_told_and_the_others_are_read() {
        let (keys, told) = parsed("a =\nb = 1\nb = 2\nc\nd = \"M:\\MAIL\"\n[e\nf = 3\n[g]\nh = \"x\n[i]\n");
        assert_eq!(keys, ["b", "g", "i"]);
        insta::assert_snapshot!(told);
    }

    #[test]
    fn what_is_open_at_the_end_invents_no_more_mistakes() {
        for text in ["a = [1,\nb = 2\nc = 3\n", "a = \"\"\"\nb = 2\nsome words\n", "a = { b = 1\nc = 2\nd\n"] {
            let (_, told) = parsed(text);
            assert!((1..=2).contains(&told.lines().count()), "{text}{told}");
        }
    }

    #[test]
    fn a_file_that_is_no_toml_ends_soon() {
        let (_, told) = parsed(&"no toml here\n".repeat(10_000));
        assert_eq!(told.lines().count(), MOST);
        assert!(told.ends_with("(9900 more lines are no TOML either)"), "{told}");
    }
}
