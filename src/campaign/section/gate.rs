//! `[gate.NAME]`: a condition over an audience's answers.

use super::Context;
use crate::campaign::model::Acknowledgement;
use crate::campaign::steps::{Gate, OnDeadline, Step};
use crate::campaign::table::Table;
use crate::campaign::value::Text;
use crate::fault::Finding;
use indexmap::IndexMap;

pub(super) fn read(
    all: &mut Table,
    context: &Context,
    steps: &[Step],
    asked: &IndexMap<String, Acknowledgement>,
) -> Vec<Gate> {
    let read = |(name, node): (Text, _)| {
        let table = Table::of(context.report, format!("[gate.{}]", name.value), node)?;
        if !steps.iter().any(|step| step.needs.contains(&name.value)) {
            let cause = format!("no step waits for the gate '{}'", name.value);
            let remedy = format!("add needs = [\"{}\"] to the step that it should hold", name.value);
            context.report.absent(name.at, Finding::warning("unused-gate", cause, remedy));
        }
        gate(name.value, table, context, asked)
    };
    all.named("gate").into_iter().filter_map(read).collect()
}

fn gate(name: String, mut table: Table, context: &Context, asked: &IndexMap<String, Acknowledgement>) -> Option<Gate> {
    let acknowledgement = table.required("acknowledgement", "\"disk-received\"");
    let acknowledgement = acknowledgement.and_then(|text| context.acknowledgements.resolve(context.report, text));
    let share = share(&mut table);
    let allow_empty = table.boolean("allow_empty").unwrap_or(false);
    let words = [("hold", OnDeadline::Hold), ("abort", OnDeadline::Abort)];
    let on_deadline = table.word("on_deadline", &words).unwrap_or(OnDeadline::Hold);
    let undated = |name: &String| asked.get(name).is_some_and(|one| one.due.is_none());
    if on_deadline == OnDeadline::Abort && acknowledgement.as_ref().is_some_and(undated) {
        let cause = format!("the gate '{name}' is to abort at a deadline, and its acknowledgement has none");
        let remedy = "give the acknowledgement `due`, or write on_deadline = \"hold\"";
        table.complain(Finding::error("no-deadline", cause, remedy));
    }
    let two_person = table.boolean("two_person").unwrap_or(false);
    let place = table.place();
    table.finish();
    Some(Gate { name, acknowledgement: acknowledgement?, share, allow_empty, on_deadline, two_person, place })
}

fn share(table: &mut Table) -> f64 {
    let Some((share, at)) = table.number("share") else { return 1.0 };
    if !(0.0..=1.0).contains(&share) {
        let cause = format!("{share} is no share of an audience");
        let remedy = "write a number from 0 to 1: 1.0 for everybody, 0.95 for 95 in 100";
        table.report.add(at, Finding::error("out-of-range", cause, remedy));
        return 1.0;
    }
    if share == 0.0 {
        let cause = "a share of 0 leaves the gate open whatever people answer";
        table.report.add(at, Finding::warning("gate-always-open", cause, "ask for a part of the audience"));
    }
    share
}
