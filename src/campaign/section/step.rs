//! `[[step]]`: the runbook, in the order in which it is carried out.

use super::Context;
use crate::campaign::nearest::instead;
use crate::campaign::overlay::ACTIONS;
use crate::campaign::steps::{self, Action, FromTo, Step};
use crate::campaign::table::Table;
use crate::campaign::value::{self, Text};
use crate::fault::Finding;
use indexmap::IndexMap;

/// The checks of a postoffice that a step may name in `before` and `after`.
pub const CHECKS: [&str; 11] = [
    "stage",
    "disk-sources",
    "postoffice",
    "access-copied",
    "access-current",
    "p1-quiet",
    "p1-closed",
    "p1-open",
    "master-old",
    "master-retired",
    "master-new",
];

/// What a step may `observe`.
pub const OBSERVATIONS: [&str; 3] = ["staged-master", "server-clock", "drain"];

/// What a path of a step may begin with, and whether only a campaign with `[msmail]` knows it.
const PLACEHOLDERS: [(&str, bool); 4] =
    [("{postoffice}", true), ("{staged}", true), ("{state}", false), ("{campaign}", false)];

pub(super) fn read(all: &mut Table, context: &Context) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for table in all.tables("step") {
        let at = table.at;
        let Some(step) = step(table, context, &steps) else { continue };
        if steps.iter().any(|known| known.name == step.name) {
            let cause = format!("two steps are named '{}'", step.name);
            context.report.add(at, Finding::error("duplicate-name", cause, "name each step once"));
        }
        steps.push(step);
    }
    steps::judge_again(&mut steps);
    steps
}

fn step(mut table: Table, context: &Context, earlier: &[Step]) -> Option<Step> {
    table.require("name", "\"close-p1\"");
    let name = table.parsed("name", value::name);
    let title = table.text("title").map(|text| text.value);
    let article = table.text("article").map(|text| text.value);
    let needs = table.texts("needs");
    let needs = needs.into_iter().filter_map(|text| context.gates.resolve(context.report, text)).collect();
    let wait = table.moment("wait").map(|(moment, _)| moment);
    let before = checks(&mut table, "before", context);
    let after = checks(&mut table, "after", context);
    let attest = table.prose("attest").map(|text| text.value);
    let checklist = checklist(&mut table, attest.is_some());
    let seen = seen(&mut table, context, earlier);
    let action = action(&mut table, context);
    let place = table.place();
    table.finish();
    let name = name?;
    let title = title.unwrap_or_else(|| name.clone());
    Some(Step { name, title, article, needs, wait, before, after, attest, checklist, seen, action, place })
}

/// `"dial-in: one remote user has dialled in"`: a name for the record, and what was to be seen.
fn checklist(table: &mut Table, attested: bool) -> IndexMap<String, String> {
    let mut points = IndexMap::new();
    for text in table.texts("checklist") {
        match text.value.split_once(':').map(|(name, words)| (name.trim(), words.trim())) {
            Some((name, words)) if !name.is_empty() && !name.contains(' ') && !words.is_empty() => {
                points.insert(name.to_owned(), words.to_owned());
            }
            _ => {
                let cause = format!("'{}' is no point of a checklist", text.value);
                let remedy =
                    "write a short name, a colon, and what is to be seen: \"dial-in: a remote user has dialled in\"";
                table.report.add(text.at, Finding::error("bad-checklist", cause, remedy));
            }
        }
    }
    if !points.is_empty() && !attested {
        let cause = "a checklist belongs to a statement, and the step asks for none";
        table.complain(Finding::error("bad-checklist", cause, "add `attest` with what a person has to state"));
    }
    points
}

/// Steps before this one whose checklist has to be seen to its last point.
fn seen(table: &mut Table, context: &Context, earlier: &[Step]) -> Vec<String> {
    let listed = || earlier.iter().filter(|step| !step.checklist.is_empty()).map(|step| step.name.as_str());
    let known = |text: Text| {
        if listed().any(|name| name == text.value) {
            return Some(text.value);
        }
        let cause = format!("no step before this one has a checklist and is named '{}'", text.value);
        context.report.absent(text.at, Finding::error("unknown-step", cause, instead(&text.value, listed())));
        None
    };
    table.texts("seen").into_iter().filter_map(known).collect()
}

fn checks(table: &mut Table, key: &'static str, context: &Context) -> Vec<String> {
    let known = |text: Text| among(text, "check", "unknown-check", &CHECKS, context);
    table.texts(key).into_iter().filter_map(known).collect()
}

/// A word of a fixed list that speaks of a postoffice.
fn among(text: Text, what: &str, code: &'static str, words: &[&str], context: &Context) -> Option<String> {
    if !words.contains(&text.value.as_str()) {
        let cause = format!("there is no {what} named '{}'", text.value);
        context.report.add(text.at, Finding::error(code, cause, instead(&text.value, words.iter().copied())));
        return None;
    }
    needs_postoffice(&text, context);
    Some(text.value)
}

fn needs_postoffice(text: &Text, context: &Context) {
    if !context.has_postoffice {
        let cause = format!("'{}' speaks of a postoffice, and the campaign has none", text.value);
        context
            .report
            .absent(text.at, Finding::error("no-postoffice", cause, "add [msmail] with postoffice and staged"));
    }
}

fn action(table: &mut Table, context: &Context) -> Option<Action> {
    let stated: Vec<&str> = ACTIONS.into_iter().filter(|key| table.has(key)).collect();
    if stated.len() > 1 {
        let cause = format!("the step does several things: {}", stated.join(", "));
        let remedy = "make a step of each: only then can each be resumed and undone";
        table.complain(Finding::error("contradiction", cause, remedy));
    }
    ["replace", "notice"].iter().for_each(|key| table.refuse_empty(key));
    let report = context.report;
    let one = |table: Option<Table>| table.and_then(|table| from_to(table, context));
    let rename = one(table.table("rename")).map(Action::Rename);
    let copy = table.table("copy").and_then(|table| copy(table, context));
    let replace: Vec<_> = table.tables("replace").into_iter().filter_map(|table| from_to(table, context)).collect();
    let replace = (!replace.is_empty()).then_some(Action::Replace(replace));
    let backup = one(table.table("backup")).map(Action::Backup);
    let shell = table.table("shell").and_then(shell);
    let notices = table.texts("notice").into_iter();
    let notices: Vec<_> = notices.filter_map(|text| context.notices.resolve(report, text)).collect();
    let notice = (!notices.is_empty()).then_some(Action::Notice(notices));
    let package = table.text("package").and_then(|text| context.packages.resolve(report, text)).map(Action::Package);
    let observe = table.text("observe");
    let observe = observe.and_then(|text| among(text, "observation", "unknown-observation", &OBSERVATIONS, context));
    rename.or(copy).or(replace).or(backup).or(shell).or(notice).or(package).or(observe.map(Action::Observe))
}

fn copy(mut table: Table, context: &Context) -> Option<Action> {
    let like = table.text("like");
    if let Some(like) = &like {
        judge_path(like, context);
    }
    Some(Action::Copy { pair: from_to(table, context)?, like: like.map(|text| text.value) })
}

fn from_to(mut table: Table, context: &Context) -> Option<FromTo> {
    let from = table.required("from", "\"{postoffice}/P1\"");
    let to = table.required("to", "\"{postoffice}/POLD\"");
    table.finish();
    for text in [&from, &to].into_iter().flatten() {
        judge_path(text, context);
    }
    Some(FromTo { from: from?.value, to: to?.value })
}

fn judge_path(text: &Text, context: &Context) {
    let known = PLACEHOLDERS.into_iter().find(|(placeholder, _)| text.value.starts_with(placeholder));
    let rest = known.map_or(text.value.as_str(), |(placeholder, _)| &text.value[placeholder.len()..]);
    if rest.contains(['{', '}']) {
        let cause = format!("'{}' holds braces that mean nothing here", text.value);
        let remedy = "begin it with one of {postoffice}, {staged}, {state}, {campaign}";
        context.report.add(text.at, Finding::error("unknown-placeholder", cause, remedy));
    }
    if known.is_some_and(|(_, of_postoffice)| of_postoffice) {
        needs_postoffice(text, context);
    }
}

fn shell(mut table: Table) -> Option<Action> {
    table.require("run", "[\"program\", \"argument\"]");
    table.refuse_empty("run");
    let argv = |texts: Vec<Text>| texts.into_iter().map(|text| text.value).collect::<Vec<_>>();
    let run = argv(table.texts("run"));
    let undo = argv(table.texts("undo"));
    table.finish();
    (!run.is_empty()).then(|| Action::Shell { run, undo: (!undo.is_empty()).then_some(undo) })
}
