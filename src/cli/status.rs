use super::watch::watch;
use super::{Global, blocking, output};
use crate::engine::{OldAddress, kept_waiting_words};
use crate::fault::{Exit, Result, counted};
use crate::report::{failures::FailureRow, status};
use chrono::{DateTime, Utc};
use indexmap::IndexMap;

/// Reasons that are shown; `who --failed` has them all.
const NAMES: usize = 12;

/// Where the campaign stands: gates, counts, who blocks and why, what to do next
#[derive(Debug, clap::Args)]
pub struct Status {
    /// Show it again whenever something changes, with what happens next and when; Ctrl-C ends
    #[arg(long)]
    watch: bool,
}

impl Status {
    pub fn run(&self, global: &Global) -> Result<Exit> {
        if self.watch {
            return watch(global);
        }
        let engine = global.open()?;
        let status = status::Status::of(&engine)?;
        if global.json {
            output::json(&status)?;
        } else {
            output::findings(&engine.findings, global.verbose);
            let zone = engine.campaign.change.zone;
            let local = |at: DateTime<Utc>| at.with_timezone(&zone).format("%a %F %H:%M %Z").to_string();
            output::text(&text(&status, &engine.campaign.title, &local))?;
            global.hint(format!("Next: {}", status.next));
        }
        Ok(Exit::Done)
    }
}

/// Who came and went.
fn people(status: &status::Status) -> String {
    let mut text = String::new();
    let roster = &status.roster;
    for (what, people) in
        [("joined the rosters", &roster.joined), ("left the rosters", &roster.left), ("moved", &roster.moved)]
    {
        if !people.is_empty() {
            let how = match (&status.aborted, status.postponed) {
                (Some(_), _) => "",
                (None, true) => " (flagday amend, with the next date)",
                (None, false) => " (flagday amend)",
            };
            text += &format!("{what} since people were told: {}{how}\n", people.join(", "));
        }
    }
    for gone in &status.leavers {
        let (leaver, at) = (&gone.leaver, gone.leaver.at.format("%F"));
        let since = if gone.back { "left, is back, and counts again" } else { "left, and no longer counted" };
        text += &format!("{since} for {}: {} ({at})\n", leaver.acknowledgement, leaver.person);
    }
    if text.is_empty() { text } else { format!("\n{text}") }
}

/// Messages with the same trouble together, and what to do about it.
fn by_reason(what: &str, rows: &[FailureRow]) -> String {
    let mut alike: IndexMap<(&str, &str, &str), Vec<&str>> = IndexMap::new();
    for row in rows {
        alike.entry((&row.notice, &row.reason, &row.remedy)).or_default().push(&row.person);
    }
    let mut text = String::new();
    for ((notice, reason, remedy), people) in alike.iter().take(NAMES) {
        text += &format!("  {notice} to {}: {reason}\n    to do: {remedy}\n", blocking::names(people));
    }
    if alike.len() > NAMES {
        text += &format!("  … and {} more reasons: flagday who --failed\n", alike.len() - NAMES);
    }
    if text.is_empty() { text } else { format!("\n{what}:\n{}", output::clean(&text)) }
}

/// What waits because of the mail server: why, since when, what to do.
fn put_off(status: &status::Status, local: &dyn Fn(DateTime<Utc>) -> String) -> String {
    let mut text = String::new();
    if let Some(outage) = &status.outage {
        let last = match outage.last == outage.since {
            true => String::new(),
            false => format!(", last tried {}", local(outage.last)),
        };
        let (since, waiting) = (local(outage.since), status.messages.planned + status.messages.deferred);
        text += &format!("\nNOTHING COULD BE SENT since {since}{last}: {}\n", outage.cause);
        text += &format!("  {waiting} wait; to do: {}\n", outage.remedy);
        text += "  the next `flagday send`, or round of serve or tick, tries again\n";
    }
    for (place, class) in status.deferrals.values().enumerate() {
        text += if place == 0 { "\n" } else { "" };
        text += &format!("{}\n", class.deferral(local));
    }
    output::clean(&text)
}

/// Whom a corrected address does not reach by itself, and what does.
pub fn at_old_address(one: &OldAddress) -> String {
    let people: Vec<&str> = one.people.iter().map(String::as_str).collect();
    let (names, notice) = (blocking::names(&people), &one.notice);
    format!("{names} may have '{notice}' at an address that the roster has no longer; to the new one: {}", one.remedy())
}

/// Gates, counts, names, tasks and steps, without what comes next.
pub fn text(status: &status::Status, title: &str, local: &dyn Fn(DateTime<Utc>) -> String) -> String {
    let change = status.when(local);
    let phase = serde_json::to_value(status.phase).ok().and_then(|value| value.as_str().map(str::to_owned));
    let mut text = format!(
        "{title} ({}), revision {}\nchange: {change}, phase: {}, {}\n\n",
        status.campaign,
        status.revision,
        phase.unwrap_or_default(),
        counted(status.people, "person", "people")
    );
    text += &output::table(
        &["gate", "state", "satisfied", "waived", "attested"],
        status.gates.iter().map(|gate| {
            vec![
                gate.name.clone(),
                match (&gate.overridden, gate.missed, gate.open) {
                    (Some(_), ..) => "OVERRIDDEN",
                    (_, Some(_), _) => "missed",
                    (_, _, true) => "open",
                    (_, _, false) => "held",
                }
                .to_owned(),
                gate.count(),
                gate.waived.join(", "),
                gate.attested.join(", "),
            ]
        }),
    );
    for overridden in &status.overrides {
        let one = &overridden.decision;
        text += &format!(
            "\nOVERRIDDEN by {} on {}: gate {} for step {}: {}\n  it was held by {}\n",
            one.by,
            local(one.at),
            one.gate,
            one.step,
            one.reason,
            if one.missing.is_empty() { "nobody: its audience is empty".to_owned() } else { one.missing.join(", ") }
        );
        if let Some(ended) = overridden.ended {
            text += &format!("  it holds no more since {}: {}\n", local(ended.at), ended.why);
        }
    }
    for (place, change) in status.gate_changes.iter().enumerate() {
        text += if place == 0 { "\n" } else { "" };
        text += &format!("{}: {}\n", change.head(), output::clean(&change.words(local)));
    }
    if let Some(postoffice) = &status.postoffice {
        text += "\npostoffice:\n";
        for words in &postoffice.words {
            text += &format!("  {words}\n");
        }
    }
    let m = &status.messages;
    text += &format!(
        "\nmessages: {} planned, {} sending, {} sent, {} delivered, {} deferred, {} failed, {} held, {} uncertain\n",
        m.planned, m.sending, m.sent, m.delivered, m.deferred, m.failed, m.held, m.uncertain
    );
    for (notice, people) in &status.overdue {
        let send = status.send_late.get(notice).cloned().unwrap_or_else(|| format!("flagday send {notice}"));
        text += &held(notice, *people, &send);
    }
    for one in &status.asleep {
        text += &format!("{}\n", one.words(local));
    }
    for one in &status.unread {
        text += &format!("\n{}\n  {}\n", one.words(local), one.remedy);
    }
    if status.kept_waiting > 0 {
        let words = kept_waiting_words(status.kept_waiting);
        text += &format!("held: {words}; flagday send sends them all the same\n");
    }
    for (package, people) in &status.replaced {
        let people: Vec<&str> = people.iter().map(String::as_str).collect();
        let names = blocking::names(&people);
        text +=
            &format!("not as built: what package '{package}' is made of changed since, for {names}; flagday build\n");
    }
    if !status.readdressed.is_empty() {
        let people: Vec<&str> = status.readdressed.iter().map(String::as_str).collect();
        let names = blocking::names(&people);
        text += &format!("the roster has another address for {names}: the next send writes anew what waits for them\n");
    }
    for one in &status.at_old_addresses {
        text += &format!("{}\n", at_old_address(one));
    }
    if let Some(paused) = &status.paused {
        let again = match paused.times {
            1 => String::new(),
            times => format!(", {times} times in a row since {}", local(paused.since)),
        };
        text +=
            &format!("\nDELIVERY IS PAUSED until {}{again}: {}\n", local(paused.until), output::clean(&paused.cause));
        text += &format!("  to do: {}; your own `flagday send` tries at once\n", paused.remedy);
    }
    text += &put_off(status, local);
    text += &by_reason("in doubt, whether a server has them or not", &status.in_doubt);
    text += &by_reason("not arrived", &status.lost);
    let a = &status.answers;
    if *a != status::Answers::default() {
        text += &format!(
            "answers: {} declined, {} asked something, {} away; {} for you\n",
            a.declined,
            a.question,
            a.away,
            counted(a.review, "letter waits", "letters wait")
        );
    }
    if a.outdated > 0 {
        text += &format!("{} answered what holds no more; the next send tells them\n", a.outdated);
    }
    for gate in status.gates.iter().filter(|gate| !gate.blocking.is_empty()) {
        let how = if gate.open { "is open without" } else { "is held by" };
        text += &format!("\n{} {how} {}:\n", gate.name, gate.blocking.len());
        text += &blocking::text(gate);
    }
    text += &people(status);
    if !status.tasks.is_empty() {
        text += "\nto do:\n";
        for task in &status.tasks {
            text += &format!("  {}\n", task.what);
        }
    }
    if let Some(abort) = &status.aborted {
        text += &format!("\ncalled off {} by {}: {}\n", local(abort.at), abort.by, abort.reason);
    }
    if let Some(next) = &status.upcoming {
        let what = next.notice.as_deref().unwrap_or("phone tasks");
        text += &format!("\nnext in the calendar: {what}, {}, to {}\n", local(next.at), next.audience);
    }
    text += "\n";
    text += &output::table(
        &["step", "state", "why"],
        status.steps.iter().map(|step| vec![step.name.clone(), step.state.to_owned(), step.why.clone()]),
    );
    text
}

/// A notice whose window was over before these many people got it, and what sends it.
pub(super) fn held(notice: &str, people: usize, send: &str) -> String {
    format!("held: '{notice}' for {people}, its window is over; {send} sends it late\n")
}
