//! The TOML as a small tree of our own, every node with where it stands, so that a complaint about a value can
//! show its line even after the playbook and the file have been laid over each other.

use super::recovery;
use super::source::Source;
use crate::fault::Finding;
use indexmap::IndexMap;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// Which of the two texts something stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    File,
    Playbook,
}

/// Where something stands: the bytes `start..end` of one of the two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(super) origin: Origin,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Spot {
    /// The beginning of the file: what is missing altogether is missed there.
    pub(super) const START: Spot = Spot { origin: Origin::File, start: 0, end: 0 };
}

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(super) value: Value,
    pub(super) at: Spot,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    /// As written; `local`: a date with a time and without an offset.
    Date {
        text: String,
        local: bool,
    },
    List(Vec<Node>),
    Table(Entries),
}

pub(crate) type Entries = IndexMap<String, Entry>;

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Where the key stands.
    pub(super) key: Spot,
    pub(super) node: Node,
}

impl Value {
    /// What it is, for "a list stands here".
    pub(super) fn words(&self) -> &'static str {
        match self {
            Value::Text(_) => "a text",
            Value::Integer(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::Boolean(_) => "true or false",
            Value::Date { .. } => "a date",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }
}

/// Reads the text as far as it can be read, with the syntax errors found on the way.
pub(super) fn parse(source: &Source, origin: Origin) -> (Entries, Vec<Finding>) {
    recovery::parse(source, |table| entries(table, origin))
}

fn entries(table: DeTable, origin: Origin) -> Entries {
    let entry = |(key, value): (toml::Spanned<toml::de::DeString>, toml::Spanned<DeValue>)| {
        let spot = spot(key.span(), origin);
        (key.into_inner().into_owned(), Entry { key: spot, node: node(value, origin) })
    };
    table.into_iter().map(entry).collect()
}

fn node(value: toml::Spanned<DeValue>, origin: Origin) -> Node {
    let at = spot(value.span(), origin);
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Integer(number),
            Err(_) => Value::Float(number.as_str().parse().unwrap_or(f64::INFINITY)),
        },
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(value) => Value::Boolean(value),
        DeValue::Datetime(date) => Value::Date {
            local: date.date.is_some() && date.time.is_some() && date.offset.is_none(),
            text: date.to_string(),
        },
        DeValue::Array(items) => Value::List(items.iter().map(|item| node(item.clone(), origin)).collect()),
        DeValue::Table(table) => Value::Table(entries(table, origin)),
    };
    Node { value, at }
}

fn spot(span: Range<usize>, origin: Origin) -> Spot {
    Spot { origin, start: span.start, end: span.end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_knows_its_header_and_a_value_its_bytes() {
        let text = "[a.b]\nc = { d = 'x' }\n[[e]]\n";
        let (entries, _) = parse(&Source::new("f".into(), text.into()), Origin::File);
        let shown = |at: Spot| &text[at.start..at.end];
        let Value::Table(a) = &entries["a"].node.value else { panic!("a table") };
        let b = &a["b"];
        assert_eq!((shown(b.key), shown(b.node.at)), ("b", "[a.b]"));
        let Value::Table(table) = &b.node.value else { panic!("a table") };
        assert_eq!((shown(table["c"].key), shown(table["c"].node.at)), ("c", "{ d = 'x' }"));
        let Value::List(e) = &entries["e"].node.value else { panic!("a list") };
        assert_eq!(shown(e[0].at), "[[e]]");
    }
}
