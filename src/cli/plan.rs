use super::{Global, output};
use crate::engine::{Engine, StepView};
use crate::fault::{Exit, Result};
use crate::report::agenda::{Line, Moment, agenda};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::json;

/// Show what goes to whom and when, and which gates and steps, in order
#[derive(Debug, clap::Args)]
pub struct Plan {
    /// Only what concerns one person
    #[arg(long)]
    person: Option<String>,
}

impl Plan {
    pub fn run(&self, global: &Global) -> Result<Exit> {
        let engine = global.open()?;
        let entries = engine.plan(self.person.as_deref())?;
        let steps = engine.steps()?;
        if global.json {
            output::json(&json!({ "schema": 1, "calendar": entries, "steps": steps }))?;
            return Ok(Exit::Done);
        }
        let zone = engine.campaign.change.zone;
        let change = format!("T: {}\n  the change{}\n", told(engine.campaign.change.at, zone), off(&engine)?);
        let (before, after): (Vec<_>, Vec<_>) =
            agenda(&entries).into_iter().partition(|moment| moment.first <= engine.campaign.change.at);
        let [before, after] = [before, after].map(|moments| calendar(&moments, zone, self.person.is_some()));
        let mut text = before + &change + &after;
        if self.person.is_none() {
            text += "\n";
            // Only a playbook after an article has them.
            let articles = steps.iter().any(|step| step.article.is_some());
            let cells = |step: &StepView| {
                let article = articles.then(|| step.article.clone().unwrap_or_default());
                let rest = [step.needs.join(", "), step.state.to_owned(), step.why.clone()];
                [step.name.clone()].into_iter().chain(article).chain(rest).collect()
            };
            let titles = ["step", "article", "needs", "state", "why"];
            let titles: Vec<_> = titles.into_iter().filter(|title| articles || *title != "article").collect();
            text += &output::table(&titles, steps.iter().map(cells));
        }
        output::text(&text)?;
        output::findings(&engine.too_late()?, false);
        let told = engine.ledger().revision_number()?.is_some();
        global.hint(match () {
            // What is next then depends on more than the calendar.
            () if told || engine.aborted()?.is_some() => "Next: flagday status",
            () if engine.lacks_packages()? => "Next: flagday build, then flagday preview NOTICE --to PERSON",
            () => "Next: flagday preview NOTICE --to PERSON, then flagday send",
        });
        Ok(Exit::Done)
    }
}

/// What has become of the change, if it does not take place on that day.
fn off(engine: &Engine) -> Result<&'static str> {
    Ok(match (engine.aborted()?.is_some(), engine.is_postponed()?) {
        (true, _) => ", called off",
        (_, true) => ", on hold",
        _ => "",
    })
}

/// A heading for each moment, under it what happens then. One person's has no numbers.
fn calendar(moments: &[Moment], zone: Tz, personal: bool) -> String {
    let number = |line: &Line| match (personal, line.people) {
        (true, _) => String::new(),
        (false, 1) => "1 person".to_owned(),
        (false, n) => format!("{n} people"),
    };
    let lines = || moments.iter().flat_map(|moment| &moment.lines);
    let wide = |of: &dyn Fn(&Line) -> String| lines().map(|line| of(line).chars().count()).max().unwrap_or(0);
    let (words, numbers) = (wide(&Line::words), wide(&number));
    let mut text = String::new();
    for moment in moments {
        text += &heading(moment, zone);
        for line in &moment.lines {
            let why = if line.why.is_empty() { String::new() } else { format!(": {}", line.why) };
            let mut row = format!("  {:words$}", line.words());
            if numbers > 0 {
                row += &format!("  {:>numbers$}", number(line));
            }
            text += &format!("{row}  {}{why}\n", line.state);
        }
    }
    text
}

fn heading(moment: &Moment, zone: Tz) -> String {
    let [first, last] = [moment.first, moment.last].map(|at| at.with_timezone(&zone));
    let mut text = match first.offset() == last.offset() && first != last {
        true => first.format("%a %F %H:%M").to_string(),
        false => told(moment.first, zone),
    };
    match &moment.there {
        _ if first != last => text += &format!(" to {}, zone by zone", told(moment.last, zone)),
        Some(there) => text += &format!(", there {there}"),
        None => {}
    }
    if !moment.moment.is_empty() && !text.starts_with(&moment.moment) {
        text = format!("{}: {text}", moment.moment);
    }
    text + "\n"
}

fn told(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%a %F %H:%M %Z").to_string()
}
