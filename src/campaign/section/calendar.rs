//! `[calendar]`: which days are worked, where, and when nobody is written to.

use crate::campaign::holidays;
use crate::campaign::model::Calendar;
use crate::campaign::quiet::Quiet;
use crate::campaign::report::Report;
use crate::campaign::table::Table;
use crate::campaign::tree::{Node, Value};
use crate::campaign::value::{self, Text};
use crate::campaign::workdays::{WorkWeek, weekdays};
use crate::fault::{Finding, Place};
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// What reading a holiday file needs.
pub(super) struct Files<'a> {
    pub(super) root: &'a Path,
    pub(super) read: &'a dyn Fn(&Path) -> std::io::Result<Vec<u8>>,
}

pub(super) fn read(all: &mut Table, files: &Files) -> Calendar {
    let Some(mut table) = all.table("calendar") else { return Calendar::default() };
    let week = week(&mut table, &WorkWeek::default(), files);
    let hours = table.parsed("quiet", |text| {
        Quiet::parse_hours(text).ok_or_else(|| {
            let cause = format!("'{text}' is no span of hours");
            Finding::error("bad-quiet-hours", cause, "write it like \"20:00-07:00\", from when until when")
        })
    });
    let days_off = table.boolean("quiet_days_off").unwrap_or(false);
    let mut countries = BTreeMap::new();
    for (name, node) in table.named("country") {
        let title = format!("[calendar.country.{}]", name.value);
        let Some(mut country) = Table::of(table.report, title, node) else { continue };
        countries.insert(name.value, Arc::new(self::week(&mut country, &week, files)));
        country.finish();
    }
    table.finish();
    Calendar { week: Arc::new(week), countries, quiet: Quiet { hours, days_off } }
}

/// The days of work of a table; what it leaves out is as in `otherwise`.
fn week(table: &mut Table, otherwise: &WorkWeek, files: &Files) -> WorkWeek {
    let report = table.report;
    let mut days = None;
    for text in table.texts("working_days") {
        match weekdays(&text.value) {
            Some(more) => {
                let days = days.get_or_insert([false; 7]);
                (0..7).for_each(|day| days[day] |= more[day]);
            }
            None => {
                let cause = format!("'{}' is no day of the week", text.value);
                let remedy = "write \"mon\", a span like \"sun-thu\", or a list of them";
                report.add(text.at, Finding::error("bad-weekday", cause, remedy));
            }
        }
    }
    let has_own = table.has("holidays");
    let mut holidays = BTreeSet::new();
    for node in table.list("holidays") {
        holidays.extend(holiday(report, node, files));
    }
    otherwise.with(days, has_own.then_some(holidays))
}

/// A date, or a file that holds some.
fn holiday(report: &Report, node: Node, files: &Files) -> BTreeSet<NaiveDate> {
    let none = BTreeSet::new();
    let text = match node {
        Node { value: Value::Date { text, .. }, at } => Text { value: text, at },
        node => match value::text(report, node) {
            Some(text) => text,
            None => return none,
        },
    };
    if let Ok(date) = text.value.parse() {
        return [date].into();
    }
    if !text.value.to_ascii_lowercase().ends_with(".ics") {
        let cause = format!("'{}' is neither a date nor an .ics file", text.value);
        report.add(text.at, Finding::error("bad-holidays", cause, "write 2026-11-26, or name a calendar file"));
        return none;
    }
    let path = files.root.join(&text.value);
    let read = match (files.read)(&path) {
        Ok(bytes) => holidays::read(&String::from_utf8_lossy(&bytes)),
        Err(error) => {
            let cause = format!("'{}' cannot be read: {error}", text.value);
            let remedy = "create it, or correct the path; it counts from the folder of flagday.toml";
            report.add(text.at, Finding::error("no-such-file", cause, remedy));
            return none;
        }
    };
    let (days, findings) = read.unwrap_or_else(|finding| (none, vec![finding]));
    for finding in findings {
        report.elsewhere(finding.at(Place::file(&path)));
    }
    days
}
