//! README.TXT: how to install what is on the disk, and the code that proves it was opened.

use super::code::Code;
use super::source::render_text;
use crate::campaign::Campaign;
use crate::fault::Finding;
use crate::roster::Person;
use fs_err as fs;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) const NAME: &str = "README.TXT";

const MSMAIL: &str = include_str!("../../templates/package/msmail.txt.hbs");
const PLAIN: &str = include_str!("../../templates/package/plain.txt.hbs");

/// The text for one person, CRLF, in CP437. `templates/package/README.TXT.hbs` of the campaign overrides the built-in one.
pub(super) fn text(campaign: &Campaign, person: &Person, code: &Code) -> Result<Vec<u8>, Finding> {
    let own = campaign.root.join("templates/package/README.TXT.hbs");
    let built_in = if campaign.msmail.is_some() { MSMAIL } else { PLAIN };
    let text = match fs::read_to_string(&own) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => built_in.to_owned(),
        Err(error) => {
            return Err(Finding::error("readme-unreadable", error.to_string(), "save it as UTF-8 text").in_file(own));
        }
    };
    let mut data = facts(campaign);
    data.insert("person".into(), json!(columns(person)));
    data.insert("code".into(), json!(code.letters()));
    render_text(&text, &own, &data)
}

/// What every template of a package may use.
pub(super) fn facts(campaign: &Campaign) -> BTreeMap<String, Value> {
    let change = &campaign.change;
    let mut fact: BTreeMap<&str, String> =
        campaign.facts.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    if let Some(msmail) = &campaign.msmail {
        fact.insert("network", msmail.network.clone());
        fact.insert("name", msmail.name.clone());
        fact.insert("old_serial", msmail.old_serial.clone());
        fact.insert("new_serial", msmail.new_serial.clone());
    }
    BTreeMap::from([
        ("title".to_owned(), json!(campaign.title)),
        ("contact".to_owned(), json!(campaign.contact)),
        (
            "change".to_owned(),
            json!({ "date": change.local.format("%A, %-d %B %Y").to_string(),
                    "time": change.local.format("%H:%M").to_string(),
                    "zone": change.zone.name() }),
        ),
        ("fact".to_owned(), json!(fact)),
    ])
}

/// Every column of a person, empty where the person has nothing there.
pub(super) fn columns(person: &Person) -> BTreeMap<String, String> {
    let known = ["id", "name", "email", "kind", "mailbox", "hexid", "language", "network", "postoffice", "phone"];
    let mut columns: BTreeMap<String, String> = person.extra.clone();
    for name in known {
        columns.insert(name.to_owned(), person.column(name).unwrap_or_default());
    }
    columns
}
