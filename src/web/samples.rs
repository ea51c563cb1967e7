//! Everything that the pages may have to say, as data: what a page is given when somebody opens it, for the check of the
//! campaign's own wording.

use super::confirm::words;
use crate::answer::Kind;
use crate::engine::{PageState, PageView};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What the confirm page says after an answer that did not count.
const ALERTS: [&str; 6] = ["wrong", "empty", "wait", "old_code", "stale", "enough"];
/// What the other page says instead of the form.
const STATES: [&str; 5] = ["settled", "replaced", "locked", "source_locked", "busy"];

/// By what each says. The frame has no data of its own.
pub(super) fn samples(page: &str) -> Vec<(&'static str, Value)> {
    let bare = json!({ "title": "A change", "contact": "Desk, desk@corp.example" });
    let with = |what: &str, value: Value| {
        let mut data = bare.clone();
        data["page"] = words(&view());
        data[what] = value;
        data
    };
    match page {
        "confirm" => {
            let open = |alert: Value, half: bool| {
                let mut data = with("alert", alert);
                (data["half"], data["nonce"]) = (json!(half), json!("a-nonce"));
                data
            };
            let mut all = vec![("the form", open(Value::Null, false)), ("half", open(Value::Null, true))];
            let word = |code_asked: bool, has_mailbox: bool| {
                let mut data = open(Value::Null, false);
                let view =
                    PageView { code_asked, has_mailbox, noted: Vec::new(), due: None, own_change: None, ..view() };
                data["page"] = words(&view);
                data
            };
            all.extend([("a mailbox name", word(false, true)), ("the word asked for", word(false, false))]);
            // An alert that says nothing, so that one which is not worded looks like it.
            all.push(("an alert", open(json!({ "seconds": 30 }), false)));
            all.extend(ALERTS.map(|what| (what, open(json!({ what: true, "seconds": 30 }), false))));
            all
        }
        "message" => {
            let nothing = ("nothing", with("busy", Value::Null));
            let states = STATES.map(|what| (what, with(what, json!("12 December 2026"))));
            std::iter::once(nothing).chain(states).collect()
        }
        "refused" => vec![("refused", bare)],
        _ => Vec::new(),
    }
}

/// Every name that a page may use, dotted; those inside a list stand bare.
pub(super) fn names(page: &str) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = ["lang", "style", "refresh", "wide"].map(str::to_owned).into();
    let pages = if page == "layout" { vec!["confirm", "message", "refused"] } else { vec![page] };
    for (_, data) in pages.into_iter().flat_map(samples) {
        collect(&data, "", &mut names);
    }
    names
}

fn collect(value: &Value, path: &str, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                let path = if path.is_empty() { field.clone() } else { format!("{path}.{field}") };
                names.insert(path.clone());
                collect(value, &path, names);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, "", names)),
        _ => {}
    }
}

fn view() -> PageView {
    let noted = [Kind::HelpAsked, Kind::NotMe, Kind::Delegated].map(|kind| (kind, "24 November 2026".to_owned()));
    PageView {
        language: None,
        title: "A change".to_owned(),
        contact: "Desk, desk@corp.example".to_owned(),
        initials: "A. L.".to_owned(),
        revision: 1,
        change: "12 December 2026".to_owned(),
        own_change: Some("13 December 2026".to_owned()),
        due: Some("9 December 2026".to_owned()),
        code_asked: true,
        has_mailbox: true,
        state: PageState::Open,
        noted: noted.to_vec(),
    }
}
