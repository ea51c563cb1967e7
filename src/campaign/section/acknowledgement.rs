//! `[acknowledgement.NAME]`: what an audience must answer, by when, and what happens to those who do not.

use super::Context;
use crate::campaign::model::{Acknowledgement, Change, Escalation, EscalationWay, Grade, Notice};
use crate::campaign::schedule::Moment;
use crate::campaign::table::Table;
use crate::campaign::tree::{Node, Spot, Value};
use crate::campaign::value::{Text, one_of};
use crate::fault::Finding;
use indexmap::IndexMap;

/// Whoever has not answered after so many letters will not answer the next one.
const CAP: usize = 10;

pub(super) fn read(all: &mut Table, context: &Context, notices: &IndexMap<String, Notice>) -> Vec<Acknowledgement> {
    let read = |(name, node): (Text, _)| {
        let table = Table::of(context.report, format!("[acknowledgement.{}]", name.value), node)?;
        acknowledgement(name.value, table, context, notices)
    };
    all.named("acknowledgement").into_iter().filter_map(read).collect()
}

fn acknowledgement(
    name: String,
    mut table: Table,
    context: &Context,
    notices: &IndexMap<String, Notice>,
) -> Option<Acknowledgement> {
    let report = context.report;
    let audience = table.required("audience", "\"remote-users\"");
    let audience = audience.and_then(|text| context.audiences.resolve(report, text));
    table.require("grade", "\"confirmed\"");
    let grade = table.parsed("grade", grade);
    let has_notice = table.has("notice");
    let notice = table.text("notice").and_then(|text| Some((text.at, context.notices.resolve(report, text)?)));
    let due = table.moment("due");
    let remind = table.moments("remind");
    if let Some((_, at)) = remind.first() {
        needs_notice("reminder", *at, context);
    }
    let escalate: Vec<(Escalation, Spot)> =
        escalations(&mut table).into_iter().filter_map(|table| escalation(table, context)).collect();
    let (cap, cap_at) = cap(&mut table);
    let window = super::notice::window(&mut table);
    let at = table.at;
    let place = table.place();
    table.finish();
    let (audience, grade) = (audience?, grade?);
    if !has_notice && grade != Grade::Observed {
        let cause = format!("nobody is asked for '{name}': it names no notice, and the program cannot see the answer");
        report.absent(at, Finding::error("nobody-asked", cause, "add notice = \"NAME\", or grade = \"observed\""));
    }
    let asking = notice.as_ref().and_then(|(at, name)| Some((*at, notices.get(name)?)));
    if let Some((at, asking)) = asking {
        judge_notice(&name, asking, &audience, grade, at, context);
    }
    judge_cap(cap, cap_at.unwrap_or(at), remind.len(), &escalate, context);
    if let Some(change) = &context.change {
        judge_times(change, asking.and_then(|(_, notice)| notice.at), due, grade, &remind, context);
        judge_escalations(change, due, &escalate, context);
    }
    Some(Acknowledgement {
        name,
        audience,
        notice: notice.map(|(_, name)| name),
        grade,
        due: due.map(|(moment, _)| moment),
        remind: remind.into_iter().map(|(moment, _)| moment).collect(),
        escalate: escalate.into_iter().map(|(step, _)| step).collect(),
        cap,
        window,
        place,
    })
}

/// How many reminders and escalations at most.
fn cap(table: &mut Table) -> (usize, Option<Spot>) {
    let Some((cap, at)) = table.number("cap") else { return (CAP, None) };
    if cap.fract() != 0.0 || !(0.0..=100.0).contains(&cap) {
        let cause = format!("{cap} is no number of reminders");
        table.report.add(at, Finding::error("out-of-range", cause, "write a whole number from 0 to 100"));
        return (CAP, None);
    }
    (cap as usize, Some(at))
}

/// What the file asks for beyond the cap is not sent: that is to be known before somebody waits for it.
fn judge_cap(cap: usize, at: Spot, reminders: usize, escalate: &[(Escalation, Spot)], context: &Context) {
    let letters = escalate.iter().filter(|(step, _)| step.way != EscalationWay::Phone).count();
    if reminders + letters > cap {
        let cause = format!(
            "{reminders} in `remind` and {letters} in `escalate` are {} letters about one person, and `cap` lets {cap} go out: a \
             reminder beyond it is not sent, and an escalation is a call instead",
            reminders + letters
        );
        context.report.add(at, Finding::warning("beyond-cap", cause, "a higher `cap`, or fewer of them"));
    }
}

fn grade(text: &str) -> Result<Grade, Finding> {
    let words = Grade::ALL.map(|grade| (grade.word(), grade));
    match one_of("grade", text, &words[1..]) {
        Err(_) if text == "none" => Err(Finding::error(
            "bad-grade",
            "the grade 'none' asks for nothing",
            "choose one of sent, delivered, read, confirmed, possessed, observed",
        )),
        Err(finding) => Err(Finding { code: "bad-grade", ..finding }),
        Ok(grade) => Ok(grade),
    }
}

/// The tables of `escalate`. A bare moment does not say what happens then.
fn escalations<'r>(table: &mut Table<'r>) -> Vec<Table<'r>> {
    let report = table.report;
    let one = |node: Node| {
        if let Node { value: Value::Text(at), at: spot } = &node {
            let cause = format!("'{at}' does not say what happens then");
            let remedy =
                "write { at = \"T-5d\", to = \"manager\" }, to = \"alternate\", or { at = \"T-2d\", task = \"phone\" }";
            report.add(*spot, Finding::error("wrong-type", cause, remedy));
            return None;
        }
        Table::of(report, "[[acknowledgement.escalate]]", node)
    };
    table.list("escalate").into_iter().filter_map(one).collect()
}

fn escalation(mut table: Table, context: &Context) -> Option<(Escalation, Spot)> {
    table.require("at", "\"T-3d\"");
    let at = table.moment("at");
    let spot = table.at;
    let ways = ["to", "task"].iter().filter(|key| table.has(key)).count();
    let to = table.word("to", &[("manager", EscalationWay::Manager), ("alternate", EscalationWay::Alternate)]);
    let task = table.word("task", &[("phone", EscalationWay::Phone)]);
    if ways != 1 {
        let finding = Finding::error(
            "contradiction",
            "an escalation is one thing: a mail to somebody, or a task",
            "write { at = \"T-3d\", to = \"manager\" } or { at = \"T-2d\", task = \"phone\" }",
        );
        context.report.absent(spot, finding);
    }
    if to.is_some() {
        needs_notice("escalation", spot, context);
    }
    table.finish();
    let (at, spot) = at?;
    Some((Escalation { at, way: to.or(task)? }, spot))
}

/// Reminders and escalations are notices of these names.
fn needs_notice(name: &str, at: Spot, context: &Context) {
    if !context.notices.names.iter().any(|known| known == name) {
        let cause = format!("this sends the notice '{name}', and there is none");
        context.report.absent(at, Finding::error("unknown-notice", cause, format!("add [notice.{name}]")));
    }
}

fn judge_notice(name: &str, notice: &Notice, audience: &str, grade: Grade, at: Spot, context: &Context) {
    if notice.audience != audience {
        let cause = format!("'{name}' is asked of {audience}, and its notice goes to {}", notice.audience);
        let remedy = "give both the same audience";
        context.report.add(at, Finding::warning("audience-differs", cause, remedy));
    }
    if grade == Grade::Possessed && notice.package.is_none() {
        let cause = format!("the code that proves possession stands in a package, and '{}' carries none", notice.name);
        let remedy = "give the notice a package, or ask for grade = \"confirmed\"";
        context.report.absent(at, Finding::error("no-package", cause, remedy));
    }
}

type Stated = (Moment, Spot);

fn judge_times(
    change: &Change,
    notice: Option<Moment>,
    due: Option<Stated>,
    grade: Grade,
    remind: &[Stated],
    context: &Context,
) {
    let warn = |at, code, cause: String, remedy| context.report.add(at, Finding::warning(code, cause, remedy));
    if let Some((due, at)) = due {
        if due.instant(change) > change.at && grade != Grade::Observed {
            let cause = format!("the answer is due at {due}, after the change");
            warn(at, "due-after-change", cause, "let it be due before the change, so that a gate can wait for it");
        }
        if notice.is_some_and(|notice| notice.instant(change) >= due.instant(change)) {
            let cause = format!("the answer is due at {due}, before people are asked");
            warn(at, "due-before-notice", cause, "send the notice earlier, or let the answer be due later");
        }
    }
    for (moment, at) in remind {
        if due.is_some_and(|(due, _)| moment.instant(change) >= due.instant(change)) {
            let cause = format!("the reminder at {moment} comes when the answer was due already: it is held");
            warn(*at, "reminder-after-due", cause, "remind earlier; whoever is late is escalated");
        }
        if notice.is_some_and(|notice| moment.instant(change) <= notice.instant(change)) {
            let cause = format!("the reminder at {moment} comes before the notice it reminds of");
            warn(*at, "reminder-before-notice", cause, "remind later");
        }
    }
}

fn judge_escalations(change: &Change, due: Option<Stated>, steps: &[(Escalation, Spot)], context: &Context) {
    let Some((due, _)) = due else { return };
    for (step, at) in steps.iter().filter(|(step, _)| step.at.instant(change) < due.instant(change)) {
        let cause = format!("the escalation at {} comes before the answer is due at {due}", step.at);
        let remedy = "escalate when the answer is due, or later";
        context.report.add(*at, Finding::warning("escalation-before-due", cause, remedy));
    }
}
