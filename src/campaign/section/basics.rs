//! `[campaign]` and `[facts]`: what changes, when, and whom to ask.

use crate::campaign::model::{Change, MsMail};
use crate::campaign::nearest::nearest;
use crate::campaign::schedule::{Moment, parse_span};
use crate::campaign::table::Table;
use crate::campaign::tree::Value;
use crate::campaign::value;
use crate::campaign::workdays::WorkWeek;
use crate::fault::Finding;
use chrono::Duration;
use chrono_tz::Tz;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) struct Basics {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) playbook: Option<String>,
    pub(super) change: Change,
    pub(super) minimum_notice: Option<Duration>,
    pub(super) contact: String,
}

pub(super) fn read(all: &mut Table, week: Arc<WorkWeek>) -> Option<Basics> {
    all.require_section("campaign", "[campaign]", "name, change_at, time_zone and contact");
    let mut table = all.table("campaign")?;
    table.require("name", "\"corp-hq-serial\"");
    let name = table.parsed("name", value::name);
    let title = table.text("title").map(|text| text.value);
    let playbook = table.text("playbook").map(|text| text.value);
    let contact = table.required("contact", "\"Mail Desk, +1 555 0100\", whom people ask");
    let change = change(&mut table).map(|change| Change { week, ..change });
    let minimum_notice = table.parsed("minimum_notice", span);
    table.finish();
    let name = name?;
    Some(Basics {
        title: title.unwrap_or_else(|| name.clone()),
        name,
        playbook,
        change: change?,
        minimum_notice,
        contact: contact?.value,
    })
}

fn change(table: &mut Table) -> Option<Change> {
    table.require("change_at", "2026-12-12T18:00:00, the local time of the change");
    let at = table.moment("change_at");
    table.require("time_zone", "\"America/Chicago\"");
    let zone = table.parsed("time_zone", zone);
    let ((moment, spot), zone) = (at?, zone?);
    let complain = |code, cause: String, remedy| table.report.add(spot, Finding::error(code, cause, remedy));
    let Moment::At(local) = moment else {
        let cause = format!("'{moment}' counts from the change itself, so it cannot say when that is");
        complain("bad-date", cause, "name the day and the time, like 2026-12-12T18:00:00");
        return None;
    };
    Change::new(local, zone).map_err(|cause| complain("bad-date", cause, "choose another hour")).ok()
}

/// A length of time.
pub(super) fn span(text: &str) -> Result<Duration, Finding> {
    parse_span(text).map_err(|cause| Finding::error("bad-span", cause, "a number and m, h, d or w"))
}

fn zone(text: &str) -> Result<Tz, Finding> {
    text.parse().map_err(|_| {
        let near = nearest(text, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
        let near = near.map_or(String::new(), |zone| format!("did you mean '{zone}'? "));
        Finding::error(
            "bad-time-zone",
            format!("'{text}' is no time zone of the IANA database"),
            format!("{near}Write it like America/Chicago or Europe/Berlin").trim_start().to_owned(),
        )
    })
}

/// `[facts]`, and what `[msmail]` says that people are told of: the same words for every template and the revision.
pub(super) fn facts(all: &mut Table, msmail: Option<&MsMail>) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    let table = all.table("facts");
    if let Some(table) = table {
        let report = table.report;
        for (key, node) in table.into_values() {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if !key.value.starts_with(|c: char| c.is_ascii_alphabetic()) || !key.value.chars().all(plain) {
                let cause = format!("no template can ask for a fact named '{}'", key.value.escape_debug());
                report.add(key.at, Finding::error("bad-name", cause, "name it with letters, digits and underscores"));
            }
            let text = match node.value {
                Value::Integer(number) => Some(number.to_string()),
                Value::Float(number) => Some(number.to_string()),
                Value::Boolean(yes) => Some(yes.to_string()),
                Value::Date { text, .. } => Some(text),
                _ => value::prose(report, node).map(|text| text.value),
            };
            facts.extend(text.map(|text| (key.value, text)));
        }
    }
    if let Some(site) = msmail {
        let told = [
            ("network", &site.network),
            ("name", &site.name),
            ("old_serial", &site.old_serial),
            ("new_serial", &site.new_serial),
        ];
        for (key, value) in told {
            facts.entry(key.to_owned()).or_insert_with(|| value.clone());
        }
    }
    facts
}
