//! `[audience]`: named parts of the rosters.

use crate::campaign::model::Audience;
use crate::campaign::report::Report;
use crate::campaign::table::Table;
use crate::campaign::tree::{Node, Value};
use crate::campaign::value::{self, Text};
use crate::fault::Finding;

pub(super) fn read(all: &mut Table) -> Vec<Audience> {
    let report = all.report;
    let read = |(name, node)| {
        let Text { value: name, at } = name;
        let table = Table::of(report, format!("[audience.{name}]"), node)?;
        let columns = table.into_values().map(|(column, node)| (column.value, values(report, node))).collect();
        Some(Audience { name, columns, place: report.place(at) })
    };
    all.named("audience").into_iter().filter_map(read).collect()
}

/// One value, or a list of them.
fn values(report: &Report, node: Node) -> Vec<String> {
    let at = node.at;
    let nodes = match node.value {
        Value::List(items) => items,
        value => vec![Node { value, at }],
    };
    if nodes.is_empty() {
        let cause = "an empty list of values fits nobody";
        report.add(at, Finding::error("out-of-range", cause, "list a value, or leave the column out"));
    }
    nodes.into_iter().filter_map(|node| value::text(report, node)).map(|text| text.value).collect()
}
