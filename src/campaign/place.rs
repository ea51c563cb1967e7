//! Where a key stands in a file that was read already, for a complaint that comes later.

use super::load::read_at_most;
use super::source::Source;
use super::tree::{self, Entries, Entry, Origin, Spot, Value};
use crate::fault::Place;
use std::path::Path;

/// The key `key` in `[section.name]`, or in the `[[section]]` of that name; the table, where that has no such key. `None`:
/// the file says nothing of it, and the playbook does.
pub fn place_of(file: &Path, section: &str, name: &str, key: &str) -> Option<Place> {
    let text = String::from_utf8(read_at_most(file).ok()?).ok()?;
    let source = Source::new(file.to_path_buf(), text);
    let (entries, _) = tree::parse(&source, Origin::File);
    let (at, table) = match &entries.get(section)?.node.value {
        Value::Table(tables) => of_entry(tables.get(name)?),
        Value::List(tables) => tables.iter().find_map(|table| match &table.value {
            Value::Table(entries) if named(entries, name) => Some((table.at, Some(entries))),
            _ => None,
        })?,
        _ => return None,
    };
    let key = table.and_then(|table| table.get(key)).map(|entry| entry.key);
    Some(source.place(key.unwrap_or(at).start))
}

fn of_entry(entry: &Entry) -> (Spot, Option<&Entries>) {
    match &entry.node.value {
        Value::Table(entries) => (entry.key, Some(entries)),
        _ => (entry.key, None),
    }
}

fn named(entries: &Entries, name: &str) -> bool {
    entries.get("name").is_some_and(|entry| matches!(&entry.node.value, Value::Text(text) if text == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_in_tables_and_in_lists_of_them_and_else_its_table() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("flagday.toml");
        let text = "[gate.all]\nshare = 0.1\n\n[audience]\nstaff = { kind = \"a\" }\n\n[[step]]\nname = \"one\"\n[[step]]\nname = \"two\"\n\
                    needs = []\n";
        fs_err::write(&file, text).expect("written");
        let at = |section, name, key| place_of(&file, section, name, key).map(|place| (place.line, place.column));
        assert_eq!(at("gate", "all", "share"), Some((2, 1)));
        assert_eq!(at("gate", "all", "two_person").map(|(line, _)| line), Some(1));
        assert_eq!(at("audience", "staff", ""), Some((5, 1)));
        assert_eq!(at("step", "two", "needs"), Some((11, 1)));
        assert_eq!(at("step", "one", "needs").map(|(line, _)| line), Some(7));
        assert_eq!(at("gate", "other", "share"), None);
        assert_eq!(at("acknowledgement", "read", "grade"), None);
    }
}
