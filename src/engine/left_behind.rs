//! Mail in mailbags that no drain watches: of remote users, neighbours, gateways and the postoffice itself. With the old
//! MASTER.GLB it may become unreadable. Local users go on writing while P1 is closed, so there may be more of it each time
//! somebody looks; what nobody was told of stops the step that takes MASTER.GLB away, once.

use super::Engine;
use super::drain::{WHERE, watches_drain};
use crate::campaign::Step;
use crate::fault::{Exit, Fault, Finding, Result, Severity};
use crate::msmail::{self, Mailbags, Postoffice};
use crate::roster::Person;
use std::collections::BTreeMap;

impl Engine<'_> {
    /// What a step leaves behind that no gate watches: told when the transports are stopped, and before MASTER.GLB goes.
    pub(super) fn left_behind(&self, step: &Step) -> Result<Vec<Finding>> {
        match self.tells_left_behind(step) {
            false => Ok(Vec::new()),
            true if watches_drain(step) => {
                Ok([self.mail_of_nobody(Severity::Warning)?.into_iter().collect(), self.reconcile()?].concat())
            }
            true => Ok(self.mail_waiting()?.into_iter().chain(self.mail_of_nobody(Severity::Warning)?).collect()),
        }
    }

    pub(super) fn tells_left_behind(&self, step: &Step) -> bool {
        let next = self.campaign.steps.iter().skip_while(|one| one.name != step.name).nth(1);
        self.campaign.msmail.is_some() && (watches_drain(step) || step.closes_p1() || next.is_some_and(Step::closes_p1))
    }

    pub(super) fn mail_waiting(&self) -> Result<Option<Finding>> {
        let now = self.unwatched()?;
        Ok((!now.is_empty()).then(|| {
            let cause = format!("mail waits in mailbags that no drain watches: {}", words(now.values()));
            Finding::warning("mail-waiting", cause, remedy("")).in_file(self.mailbags_place()).article("Q87416")
        }))
    }

    /// Remembers what a person has been told by now.
    pub(super) fn remember_unwatched(&mut self) -> Result<()> {
        let sizes: BTreeMap<String, u64> = self.unwatched()?.into_iter().map(|(bag, (size, _))| (bag, size)).collect();
        if sizes != self.told_unwatched()? {
            let now = self.now();
            self.ledger.note(now, TOLD, &serde_json::json!({ "mailbags": sizes }))?;
        }
        Ok(())
    }

    /// What came in since, before MASTER.GLB is taken away.
    pub(super) fn new_unwatched(&self, step: &Step) -> Result<Option<Finding>> {
        if !step.retires_master() || self.campaign.msmail.is_none() {
            return Ok(None);
        }
        let told = self.told_unwatched()?;
        let new: Vec<_> =
            self.unwatched()?.into_iter().filter(|(bag, (size, _))| told.get(bag) != Some(size)).collect();
        let list = words(new.iter().map(|(_, one)| one));
        let cause = format!("mail came into mailbags that no drain watches, and nobody was told of it yet: {list}");
        let remedy = remedy(" with `flagday cutover` once more");
        let finding =
            Finding::error("mail-left-behind", cause, remedy).in_file(self.mailbags_place()).article("Q87416");
        Ok((!new.is_empty()).then_some(finding))
    }

    /// Stops once for it: afterwards it has been told.
    pub(super) fn require_none_left_behind(&mut self, step: &Step) -> Result<()> {
        let Some(finding) = self.new_unwatched(step)? else { return Ok(()) };
        self.remember_unwatched()?;
        Err(Fault { exit: Exit::Waiting, findings: vec![finding] })
    }

    fn told_unwatched(&self) -> Result<BTreeMap<String, u64>> {
        let Some(event) = self.ledger.latest_event(TOLD)? else { return Ok(BTreeMap::new()) };
        Ok(serde_json::from_value(event.body["mailbags"].clone())?)
    }

    fn unwatched(&self) -> Result<BTreeMap<String, (u64, String)>> {
        if self.campaign.msmail.is_none() || self.drain_gate().is_err() {
            return Ok(BTreeMap::new());
        }
        Ok(self.whose_mailbags()?.unwatched(&self.watched(), &self.waited_for()))
    }

    /// Each mailbag as it is now, with whose it is.
    pub(super) fn whose_mailbags(&self) -> Result<Mailbags<'_>> {
        let people: Vec<&Person> = self.roster.people().collect();
        Ok(Mailbags::of(&Postoffice::open_folders(&self.msmail()?.postoffice, WHERE)?, &people).0)
    }

    pub(super) fn mailbags_place(&self) -> std::path::PathBuf {
        self.campaign.msmail.as_ref().map(|facts| facts.postoffice.join("MBG")).unwrap_or_default()
    }
}

fn words<'a>(bags: impl Iterator<Item = &'a (u64, String)>) -> String {
    msmail::names(bags.map(|(_, words)| words.as_str()))
}

fn remedy(how: &str) -> String {
    format!(
        "what is still there when MASTER.GLB is changed may not be readable afterwards. While P1 is open: let External and the \
         gateways send, let remote users connect, then run Compress in ADMIN. With P1 closed: go on knowingly{how}, or go back \
         with `flagday cutover rollback --to backup`"
    )
}

/// The event that keeps which of it was told.
const TOLD: &str = "mail-left-behind";
