use super::confirm::confirm;
use super::{Global, output, send, status};
use crate::engine::{Amendment, Effect, Wish};
use crate::fault::{Exit, Result, counted};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// Take changed facts over as a new revision, and tell those whom that concerns
#[derive(Debug, clap::Args)]
pub struct Amend {
    /// What may be cosmetic is: answers stay, and nobody is written to because of it
    #[arg(long, conflicts_with = "postpone")]
    cosmetic: bool,
    /// The change is put off, and its new date is not known
    #[arg(long)]
    postpone: bool,
    /// Why; people read it
    #[arg(long, default_value = "")]
    reason: String,
    /// A date that is nearer than the campaign's minimum notice
    #[arg(long)]
    short_notice: bool,
    /// It takes place on the date that was put off, after all
    #[arg(long, conflicts_with = "postpone")]
    same_date: bool,
    /// Only show what it would do
    #[arg(long)]
    dry_run: bool,
}

/// Names shown in a row.
const NAMES: usize = 8;

impl Amend {
    pub fn run(&self, global: &Global) -> Result<Exit> {
        let (mut engine, _lock) = global.open_locked("amend")?;
        engine.require_not_aborted()?;
        engine.require_roster()?;
        engine.short_notice = self.short_notice;
        if !self.same_date && !self.postpone {
            engine.require_new_date()?;
        }
        let wish = Wish { cosmetic: self.cosmetic, postpone: self.postpone, reason: self.reason.trim().to_owned() };
        // What is refused is not shown as if it were done; whoever only looks sees both.
        let amendment = match self.dry_run {
            true => engine.amendment(&wish)?,
            false => engine.require_reason(&wish).and_then(|()| engine.amendment_to_make(&wish))?,
        };
        if self.dry_run || !global.json {
            if global.json { output::json(&amendment)? } else { output::data(&text(&amendment))? }
        }
        output::findings(&engine.past_due_after(&amendment)?, false);
        if self.dry_run || !global.yes {
            let zone = engine.campaign.change.zone;
            let hour = |at: DateTime<Utc>| at.with_timezone(&zone).format("%a %F %H:%M %Z").to_string();
            engine.urgent_after(&amendment)?.iter().for_each(|one| output::prose(&one.words(&hour)));
        }
        if self.dry_run {
            engine.require_reason(&wish)?;
            return engine.require_sensible(&amendment, &wish).map(|()| Exit::Done);
        }
        if amendment.is_empty() && self.postpone {
            output::prose(&engine.put_off_already()?);
        }
        if !amendment.is_empty() {
            let people = amendment.informed.iter().filter(|one| !one.is_silent()).count();
            confirm(global, &format!("This makes revision {} and writes to {}", amendment.next, self::people(people)))?;
        }
        let sent = send::with_progress(global, |stop, progress| engine.take_over(&amendment, &wish, stop, progress))?;
        if global.json {
            output::json(&serde_json::json!({ "schema": 1, "amendment": amendment, "sent": sent }))?;
        }
        match if global.json { send::exit(&sent) } else { send::finish(&engine, global, &sent)? } {
            Exit::Waiting if sent.nothing_due => Ok(Exit::Done),
            exit => Ok(exit),
        }
    }
}

fn text(amendment: &Amendment) -> String {
    if amendment.is_empty() {
        return format!("nothing changed since people were told (revision {})\n", amendment.revision);
    }
    let mut text = format!("people were told revision {}\n", amendment.revision);
    // Packages change by the dozen: one row for each kind, with the number.
    let mut packages: BTreeMap<(String, Effect), usize> = BTreeMap::new();
    let mut rows = Vec::new();
    for change in &amendment.changes {
        let effect = change.effect;
        match change.difference.fact.strip_prefix("package ").and_then(|rest| rest.split_once(' ')) {
            Some((package, _)) => *packages.entry((package.to_owned(), effect)).or_default() += 1,
            None => rows.push(vec![
                change.difference.fact.clone(),
                short(&change.difference.told),
                short(&change.difference.now),
                effect.word().to_owned(),
            ]),
        }
    }
    for ((package, effect), count) in packages {
        rows.push(vec![
            format!("package {package}"),
            String::new(),
            format!("anew for {}", people(count)),
            effect.word().to_owned(),
        ]);
    }
    if !rows.is_empty() {
        text += "\n";
        text += &output::table(&["fact", "told", "now", "effect"], rows);
    }
    for wording in &amendment.wordings {
        text += &format!("\n{}, in the letter to {}:\n", wording.fact, wording.person);
        wording.lines.iter().for_each(|line| text += &format!("  {}\n", line.trim_end()));
    }
    if !amendment.joined.is_empty() {
        text += &format!("\njoined: {}\n", names(&amendment.joined));
    }
    for (person, then, now) in &amendment.moved {
        text += &format!("moved: {person}, from {then} to {now}\n");
    }
    for left in &amendment.left {
        text += &format!("left: {}, who had to answer '{}' and leaves its gate\n", left.person, left.acknowledgement);
    }
    let void: Vec<_> = amendment.informed.iter().filter(|one| !one.void.is_empty()).collect();
    if !void.is_empty() {
        text += "\nanswers that become void, because they were given to what is no longer true:\n";
        text += &output::table(
            &["person", "answer", "because of"],
            void.iter().map(|one| {
                let answers: Vec<String> = one.void.iter().map(|(name, grade)| format!("{name} ({grade})")).collect();
                vec![one.person.clone(), answers.join(", "), one.because.join(", ")]
            }),
        );
    }
    // What is true again counts again, and is told below.
    if amendment.kept > 0 || amendment.restored.is_empty() {
        text += &format!("\n{}\n", counted(amendment.kept, "answer stays", "answers stay"));
    }
    for rests in &amendment.rests {
        let after = rests.after.as_ref().map(|step| format!(" --to {step}")).unwrap_or_default();
        text += &format!(
            "step {} is done, and rests on void answers: the change does not begin before {} {} open again\n  \
             (to do the step once more, too: flagday cutover rollback{after})\n",
            rests.step,
            rests.gates.join(" and "),
            if rests.gates.len() == 1 { "is" } else { "are" },
        );
    }
    if !amendment.installs_now.is_empty() {
        text += &format!(
            "the new serial number is in force, and the letter still speaks of a change to come: call {}, and have the new \
             package installed at once\n",
            amendment.installs_now.join(", ")
        );
    }
    let mut by_notice: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for one in &amendment.informed {
        one.notices.iter().for_each(|notice| by_notice.entry(notice).or_default().push(one.person.clone()));
    }
    if amendment.corrected > 0 {
        text += &format!(
            "{} to managers and alternates who were asked to remind somebody\n",
            counted(amendment.corrected, "letter goes", "letters go")
        );
    }
    for (notice, people) in by_notice {
        if notice == "correction" {
            let who = names(&people);
            text += &format!(
                "the new date goes to {}, no longer among those it is for, too: {who}\n",
                self::people(people.len())
            );
            continue;
        }
        text += &format!("'{notice}' goes to {}: {}\n", self::people(people.len()), names(&people));
    }
    if !amendment.restored.is_empty() {
        let again: BTreeSet<&str> = amendment.restored.iter().map(|one| one.person.as_str()).collect();
        let again: Vec<String> = again.into_iter().map(str::to_owned).collect();
        text += &format!(
            "what {} were told is true again, and what they answered to it counts: nobody writes to {}\n",
            self::people(again.len()),
            names(&again)
        );
    }
    amendment
        .held
        .iter()
        .for_each(|(notice, people)| text += &status::held(notice, *people, &format!("flagday send {notice}")));
    text
}

fn people(count: usize) -> String {
    if count == 1 { "1 person".to_owned() } else { format!("{count} people") }
}

fn names(people: &[String]) -> String {
    let shown = people.iter().take(NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
    if people.len() > NAMES { format!("{shown} and {} more", people.len() - NAMES) } else { shown }
}

/// Digests are shown by their beginning.
fn short(text: &str) -> String {
    let digest = text.len() == 64 && text.bytes().all(|c| c.is_ascii_hexdigit());
    if digest { format!("{}…", &text[..12]) } else { text.to_owned() }
}
