//! `[[roster]]`: the files that list the people.

use super::Context;
use crate::campaign::model::{Encoding, RosterFile};
use crate::campaign::table::Table;
use crate::campaign::value;
use crate::fault::Finding;
use std::collections::BTreeMap;

const ENCODINGS: [(&str, Encoding); 5] = [
    ("utf-8", Encoding::Utf8),
    ("windows-1252", Encoding::Windows1252),
    ("cp437", Encoding::Cp437),
    ("cp850", Encoding::Cp850),
    ("auto", Encoding::Auto),
];

pub(super) fn read(all: &mut Table, context: &Context) -> Vec<RosterFile> {
    all.require_section("roster", "[[roster]]", "file = \"rosters/users.csv\"");
    let mut rosters: Vec<RosterFile> = Vec::new();
    for table in all.tables("roster") {
        let at = table.at;
        let Some(roster) = roster(table, context) else { continue };
        if rosters.iter().any(|known| known.file == roster.file) {
            let finding = Finding::error("duplicate-name", "this roster is listed twice", "list it once");
            context.report.add(at, finding);
        }
        rosters.push(roster);
    }
    rosters
}

fn roster(mut table: Table, context: &Context) -> Option<RosterFile> {
    let file = table.required("file", "\"rosters/users.csv\"").map(|text| context.file(&text));
    let encoding = table.word("encoding", &ENCODINGS).unwrap_or(Encoding::Utf8);
    let kind = table.text("kind").map(|text| text.value);
    let mut columns = BTreeMap::new();
    if let Some(mapped) = table.table("columns") {
        for (key, node) in mapped.into_values() {
            columns.extend(value::text(context.report, node).map(|header| (key.value, header.value)));
        }
    }
    let place = table.place();
    table.finish();
    Some(RosterFile { file: file?, encoding, columns, kind, place })
}
