//! `[notice.NAME]`: one kind of message.

use super::Context;
use super::basics::span;
use crate::campaign::model::{Notice, Package};
use crate::campaign::table::Table;
use crate::campaign::value::{self, Text};
use crate::fault::Finding;
use chrono::Duration;
use indexmap::IndexMap;

pub(super) fn read(all: &mut Table, context: &Context, packages: &IndexMap<String, Package>) -> Vec<Notice> {
    let read = |(name, node): (Text, _)| {
        let table = Table::of(context.report, format!("[notice.{}]", name.value), node)?;
        notice(name.value, table, context, packages)
    };
    let mut notices: Vec<Notice> = all.named("notice").into_iter().filter_map(read).collect();
    // What the program sends of itself, to those who were told and nobody else. The audience is never asked.
    for name in ["abort", "postponed", "outdated-answer", "correction"] {
        if let Some(first) = notices.first().filter(|_| !context.notices.names.iter().any(|known| known == name)) {
            let of_itself = Notice {
                name: name.to_owned(),
                template: name.to_owned(),
                package: None,
                at: None,
                calendar: false,
                ..first.clone()
            };
            notices.push(of_itself);
        }
    }
    notices
}

fn notice(name: String, mut table: Table, context: &Context, packages: &IndexMap<String, Package>) -> Option<Notice> {
    let audience = table.required("audience", "\"everyone\"");
    let audience = audience.and_then(|text| context.audiences.resolve(context.report, text));
    let template = table.parsed("template", value::name).unwrap_or_else(|| name.clone());
    let package = table.text("package");
    let package_at = package.as_ref().map(|text| text.at);
    let package = package.and_then(|text| context.packages.resolve(context.report, text));
    let at = table.moment("at").map(|(moment, _)| moment);
    let window = window(&mut table);
    let calendar = table.boolean("calendar").unwrap_or(false);
    let place = table.place();
    table.finish();
    let audience = audience?;
    if let (Some(at), Some(package)) = (package_at, package.as_ref().and_then(|name| packages.get(name)))
        && package.audience != audience
    {
        let cause = format!(
            "'{name}' goes to {audience}, and its package is made for {}: others would get none",
            package.audience
        );
        context.report.add(at, Finding::warning("audience-differs", cause, "give both the same audience"));
    }
    Some(Notice { name, audience, template, package, at, window, calendar, place })
}

/// How long after its hour something timed may still go out.
pub(super) fn window(table: &mut Table) -> Duration {
    let at_least = |text: &str| match span(text)? {
        window if window < Duration::minutes(1) => {
            let cause = "nothing can go out in no time";
            Err(Finding::error("out-of-range", cause, "write how long after its hour it may still go out: 24h"))
        }
        window => Ok(window),
    };
    table.parsed("window", at_least).unwrap_or(Duration::hours(24))
}
