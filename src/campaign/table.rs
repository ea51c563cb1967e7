//! The typed reader of one table. Asking for a key makes it known; [`Table::finish`] reports every key that nobody
//! asked for, so the code that reads a section is also the list of its keys.

use super::nearest::instead;
use super::report::Report;
use super::schedule::Moment;
use super::tree::{Entries, Node, Origin, Spot, Value};
use super::value::{self, Text};
use crate::fault::{Finding, Place, Quote};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

#[derive(Debug)]
pub(crate) struct Table<'r> {
    pub(crate) report: &'r Report,
    /// Where its header or its braces stand.
    pub(crate) at: Spot,
    /// As a person finds it in the file: `[mail]`, `[notice.reminder]`.
    title: String,
    entries: Entries,
    known: Vec<&'static str>,
}

impl<'r> Table<'r> {
    pub(crate) fn new(report: &'r Report, title: impl Into<String>, at: Spot, entries: Entries) -> Table<'r> {
        Table { report, at, title: title.into(), entries, known: Vec::new() }
    }

    /// The table that a value should be.
    pub(crate) fn of(report: &'r Report, title: impl Into<String>, node: Node) -> Option<Table<'r>> {
        match node {
            Node { value: Value::Table(entries), at } => Some(Table::new(report, title, at, entries)),
            other => value::wrong(report, "a table", other),
        }
    }

    pub(crate) fn place(&self) -> Place {
        self.report.place(self.at)
    }

    /// Where the file states each key, with its line, for what is found out later.
    pub(crate) fn stated(&self) -> BTreeMap<String, (Place, Option<Quote>)> {
        let in_file = self.entries.iter().filter(|(_, entry)| entry.node.at.origin == Origin::File);
        in_file.map(|(key, entry)| (key.clone(), self.report.line_of(entry.node.at))).collect()
    }

    /// A complaint about the table as a whole.
    pub(crate) fn complain(&self, finding: Finding) {
        self.report.add(self.at, finding);
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    pub(crate) fn take(&mut self, key: &'static str) -> Option<Node> {
        self.known.push(key);
        self.entries.shift_remove(key).map(|entry| entry.node)
    }

    /// Reports a key that must be there and is not; `example` shows how.
    pub(crate) fn require(&self, key: &'static str, example: &str) {
        if !self.has(key) {
            let cause = format!("{} does not say '{key}'", self.title);
            self.report.absent(self.at, Finding::error("missing-key", cause, format!("add {key} = {example}")));
        }
    }

    /// Reports a section that must be there and is not; `content` says what belongs in it.
    pub(crate) fn require_section(&self, key: &'static str, header: &str, content: &str) {
        if !self.has(key) {
            let cause = format!("there is no section {header}");
            self.report.absent(self.at, Finding::error("missing-key", cause, format!("add {header} with {content}")));
        }
    }

    /// Reports a list without anything in it, where that would mean to do nothing.
    pub(crate) fn refuse_empty(&self, key: &str) {
        if let Some(Node { value: Value::List(items), at }) = self.entries.get(key).map(|entry| &entry.node)
            && items.is_empty()
        {
            let finding =
                Finding::error("out-of-range", "the list is empty", format!("put something in, or leave '{key}' out"));
            self.report.add(*at, finding);
        }
    }

    pub(crate) fn text(&mut self, key: &'static str) -> Option<Text> {
        self.take(key).and_then(|node| value::text(self.report, node))
    }

    pub(crate) fn prose(&mut self, key: &'static str) -> Option<Text> {
        self.take(key).and_then(|node| value::prose(self.report, node))
    }

    pub(crate) fn required(&mut self, key: &'static str, example: &str) -> Option<Text> {
        self.require(key, example);
        self.text(key)
    }

    pub(crate) fn boolean(&mut self, key: &'static str) -> Option<bool> {
        self.take(key).and_then(|node| value::boolean(self.report, node))
    }

    pub(crate) fn number(&mut self, key: &'static str) -> Option<(f64, Spot)> {
        let node = self.take(key)?;
        let at = node.at;
        value::number(self.report, node).map(|number| (number, at))
    }

    /// A whole number within a range.
    pub(crate) fn whole(&mut self, key: &'static str, range: RangeInclusive<usize>) -> Option<usize> {
        let (number, at) = self.number(key)?;
        let (least, most) = (*range.start(), *range.end());
        if number.fract() == 0.0 && (least as f64..=most as f64).contains(&number) {
            return Some(number as usize);
        }
        let remedy = format!("write a whole number from {least} to {most}");
        self.report.add(at, Finding::error("out-of-range", format!("{number} cannot be '{key}'"), remedy));
        None
    }

    pub(crate) fn moment(&mut self, key: &'static str) -> Option<(Moment, Spot)> {
        let node = self.take(key)?;
        let at = node.at;
        value::moment(self.report, node).map(|moment| (moment, at))
    }

    /// A list of texts; a single one counts as a list of one.
    pub(crate) fn texts(&mut self, key: &'static str) -> Vec<Text> {
        self.list(key).into_iter().filter_map(|node| value::text(self.report, node)).collect()
    }

    /// A list of moments; a single one counts as a list of one.
    pub(crate) fn moments(&mut self, key: &'static str) -> Vec<(Moment, Spot)> {
        let report = self.report;
        let read = |node: Node| Some((node.at, value::moment(report, node)?));
        self.list(key).into_iter().filter_map(read).map(|(at, moment)| (moment, at)).collect()
    }

    /// A text that `parse` makes something of; what it complains about is reported at the value.
    pub(crate) fn parsed<T>(&mut self, key: &'static str, parse: impl FnOnce(&str) -> Result<T, Finding>) -> Option<T> {
        let text = self.text(key)?;
        parse(&text.value).map_err(|finding| self.report.add(text.at, finding)).ok()
    }

    /// One of several words.
    pub(crate) fn word<T: Copy>(&mut self, key: &'static str, words: &[(&'static str, T)]) -> Option<T> {
        self.parsed(key, |text| value::one_of(key, text, words))
    }

    pub(crate) fn table(&mut self, key: &'static str) -> Option<Table<'r>> {
        let title = self.title_of(key);
        self.take(key).and_then(|node| Table::of(self.report, title, node))
    }

    /// The tables of a `[[key]]`; a single table counts as a list of one.
    pub(crate) fn tables(&mut self, key: &'static str) -> Vec<Table<'r>> {
        let title = format!("[{}]", self.title_of(key));
        self.list(key).into_iter().filter_map(|node| Table::of(self.report, title.clone(), node)).collect()
    }

    /// The values of `[key]`, whose keys are names that a person chose.
    pub(crate) fn named(&mut self, key: &'static str) -> Vec<(Text, Node)> {
        let Some(outer) = self.table(key) else { return Vec::new() };
        let report = self.report;
        let named: Vec<_> = outer.into_values().collect();
        for (name, _) in &named {
            if let Err(finding) = value::name(&name.value) {
                report.add(name.at, finding);
            }
        }
        named
    }

    /// Every key, whatever it is, with its value.
    pub(crate) fn into_values(self) -> impl Iterator<Item = (Text, Node)> {
        self.entries.into_iter().map(|(key, entry)| (Text { value: key, at: entry.key }, entry.node))
    }

    /// Reports the keys that nobody asked for.
    pub(crate) fn finish(self) {
        for (key, entry) in &self.entries {
            let cause = format!("{} has no key '{}'", self.title, key.escape_debug());
            let finding = Finding::error("unknown-key", cause, instead(key, self.known.iter().copied()));
            self.report.add(entry.key, finding);
        }
    }

    /// The values of a list; a single one counts as a list of one.
    pub(super) fn list(&mut self, key: &'static str) -> Vec<Node> {
        match self.take(key) {
            None => Vec::new(),
            Some(Node { value: Value::List(items), .. }) => items,
            Some(node) => vec![node],
        }
    }

    fn title_of(&self, key: &str) -> String {
        match self.title.strip_prefix('[') {
            Some(_) => format!("[{}.{key}]", self.title.trim_matches(['[', ']'])),
            None => format!("[{key}]"),
        }
    }
}
