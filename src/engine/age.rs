//! Whether the backup is there when it would be needed, how old it is, and what is not in it.

use super::Engine;
use crate::campaign::{Action, Step};
use crate::fault::{Fault, Finding, Result};
use crate::runbook::{Event, Journal, StepState, history_of, state_of, still_stands};
use chrono::{DateTime, Duration, Utc};
use std::path::PathBuf;

/// Mail of a day and more is no small loss.
const OLD: Duration = Duration::hours(24);

impl Engine<'_> {
    /// A sentence about the backup of this cutover; `None` while there is none.
    pub(super) fn backup_words(&self) -> Result<Option<String>> {
        let Some((_, at)) = self.backup()? else { return Ok(None) };
        let shown = at.with_timezone(&self.campaign.change.zone).format("%a %F %H:%M %Z");
        if !self.backup_stands()? {
            return Ok(Some(format!(
                "The backup of {shown} is gone, or no longer whole: nothing could be restored from it."
            )));
        }
        let age = age(self.now() - at);
        Ok(Some(format!("The backup is of {shown}, {age}: what changed since is not in it.")))
    }

    /// P1 is not closed, and MASTER.GLB not taken away, without the backup that was made.
    pub(super) fn require_backup(&self, step: &Step) -> Result<()> {
        let needed = step.closes_p1() || step.retires_master();
        Fault::check(if needed { self.backup_gone()?.into_iter().collect() } else { Vec::new() }).map(drop)
    }

    /// A backup that was made, and is not there any more.
    pub(super) fn backup_gone(&self) -> Result<Option<Finding>> {
        let Some((name, _)) = self.backup()? else { return Ok(None) };
        // Once the old MASTER.GLB is away a fresh one would hold another state, and going back for it does harm.
        if self.backup_stands()? || self.is_retired()? {
            return Ok(None);
        }
        let before = self.campaign.steps.iter().rev().skip_while(|one| one.name != name).nth(1);
        let to = before.map(|before| format!(" --to {}", before.name)).unwrap_or_default();
        let remedy = format!(
            "bring its folder back to where it was; or for a fresh one `flagday cutover rollback{to}`, then `flagday cutover`"
        );
        let cause = self.backup_words()?.unwrap_or_default();
        Ok(Some(Finding::error("backup-gone", cause.trim_end_matches('.').to_owned(), remedy)))
    }

    fn is_retired(&self) -> Result<bool> {
        let Some(step) = self.campaign.steps.iter().find(|step| step.retires_master()) else { return Ok(false) };
        Ok(state_of(&self.ledger.entries()?, &step.name)?.has_begun())
    }

    /// The folder is where it was made, with its whole list. Its files are read again by `verify` and `restore` alone.
    fn backup_stands(&self) -> Result<bool> {
        let Some((name, _)) = self.backup()? else { return Ok(false) };
        still_stands(&history_of(&self.ledger.entries()?, &name)?.intents)
    }

    /// A backup that is old when P1 is about to be closed: told with the step before, with that step, and beforehand.
    pub(super) fn backup_old(&self, step: &Step) -> Result<Option<Finding>> {
        let steps = &self.campaign.steps;
        let next = steps.iter().skip_while(|one| one.name != step.name).nth(1);
        if !step.closes_p1() && !next.is_some_and(Step::closes_p1) {
            return Ok(None);
        }
        let Some((name, _)) = self.backup()?.filter(|(_, at)| self.now() - *at > OLD) else { return Ok(None) };
        let before = steps.iter().rev().skip_while(|one| one.name != name).nth(1);
        let remedy = match before {
            Some(before) => format!(
                "for a fresh one, `flagday cutover rollback --to {}` and then `flagday cutover`; the old one is kept",
                before.name
            ),
            None => {
                "for a fresh one, `flagday cutover rollback` and then `flagday cutover`; the old one is kept".to_owned()
            }
        };
        let cause = self.backup_words()?.unwrap_or_default();
        Ok(Some(Finding::warning("backup-old", cause.trim_end_matches('.').to_owned(), remedy)))
    }

    /// The copy of the postoffice, where it was made and is whole.
    pub(super) fn backup_tree(&self) -> Result<Option<PathBuf>> {
        let Some((name, _)) = self.backup()?.filter(|_| self.backup_stands().unwrap_or(false)) else { return Ok(None) };
        Ok(history_of(&self.ledger.entries()?, &name)?.backup())
    }

    /// The step that makes the backup, and when it was last made.
    fn backup(&self) -> Result<Option<(String, DateTime<Utc>)>> {
        let makes = |step: &&Step| matches!(step.action, Some(Action::Backup(_)));
        let Some(step) = self.campaign.steps.iter().find(makes) else { return Ok(None) };
        let entries = self.ledger.entries()?;
        if state_of(&entries, &step.name)? != StepState::Done {
            return Ok(None);
        }
        // It holds what was there when it began.
        let begun = |event: &Event| matches!(event, Event::Started { .. });
        let started = entries.iter().rev().find(|entry| entry.step == step.name && begun(&entry.event));
        Ok(started.map(|entry| (step.name.clone(), entry.at)))
    }
}

fn age(past: Duration) -> String {
    match (past.num_minutes(), past.num_hours()) {
        (..2, _) => "just made".to_owned(),
        (minutes, ..2) => format!("{minutes} minutes old"),
        (_, hours @ ..48) => format!("{hours} hours old"),
        (_, hours) => format!("{} days old", hours / 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fixture::campaign_of;
    use crate::msmail::fixture::Tree;
    use crate::system::Standing;

    const STEPS: &str = r#"
[[step]]
name = "backup"
backup = { from = "{postoffice}", to = "{state}/backup" }
[[step]]
name = "quiesce"
attest = "stopped"
[[step]]
name = "close-p1"
rename = { from = "{postoffice}/P1", to = "{postoffice}/POLD" }
after = ["p1-closed"]
"#;

    #[test]
    fn a_backup_of_the_day_before_is_told_of_while_another_can_be_made() {
        let tree = Tree::live();
        let campaign = campaign_of(&tree, STEPS);
        let clock = Standing::at("2026-12-11T12:00:00Z".parse().expect("a time"));
        let engine = || Engine::open(campaign.path(), &clock).expect("opened");
        let run = |hours: i64| {
            clock.forward(Duration::hours(hours));
            let mut told = Vec::new();
            let note = &mut |step: &Step, warnings: &[Finding]| {
                told.extend(
                    warnings.iter().filter(|one| one.code == "backup-old").map(|one| (step.name.clone(), one.clone())),
                );
            };
            engine().cutover(None, note).expect("no fault");
            told
        };
        assert_eq!(run(0), []);
        let words = || engine().situation().expect("told").expect("a postoffice").words.pop().expect("words");
        assert_eq!(words(), "The backup is of Fri 2026-12-11 06:00 CST, just made: what changed since is not in it.");
        clock.forward(Duration::hours(25));
        let asked = engine().cutover(None, &mut |_, _| {}).expect("no fault").warnings;
        assert_eq!(asked.iter().map(|one| one.code).collect::<Vec<_>>(), ["backup-old"], "while another can be made");
        engine().attest("quiesce", "Ann", "seen").expect("stated");
        let told = run(6);
        assert_eq!(told.iter().map(|(step, _)| step.as_str()).collect::<Vec<_>>(), ["quiesce", "close-p1"]);
        assert!(told[0].1.cause.contains("31 hours old"), "{told:?}");
        assert!(told[0].1.remedy.contains("`flagday cutover rollback` and then"), "{told:?}");
        assert!(words().contains("31 hours old"));
        engine().rollback(Some("quiesce")).expect("open again");
        let (backup, away) = (campaign.path().join(".flagday/backup"), campaign.path().join("away"));
        fs_err::rename(&backup, &away).expect("moved");
        assert!(words().contains("Fri 2026-12-11 06:00 CST is gone"), "{}", words());
        let fault = engine().cutover(None, &mut |_, _| {}).expect_err("P1 stays open");
        assert_eq!(fault.findings[0].code, "backup-gone");
        assert!(tree.root().join("P1").exists());
        assert!(engine().backup_gone().expect("looked").is_some());
        fs_err::rename(&away, &backup).expect("moved back");
        assert_eq!(run(0).len(), 1);

        engine().rollback(None).expect("taken back");
        assert!(!words().starts_with("The backup"), "it is to be made anew");
        run(1);
        engine().attest("quiesce", "Ann", "seen").expect("stated");
        assert_eq!(run(2), [], "a fresh one");
    }

    #[test]
    fn an_age_in_words() {
        for (minutes, words) in [
            (-3, "just made"),
            (1, "just made"),
            (90, "90 minutes old"),
            (120, "2 hours old"),
            (47 * 60, "47 hours old"),
            (48 * 60, "2 days old"),
        ] {
            assert_eq!(age(Duration::minutes(minutes)), words);
        }
    }
}
