//! How far a rollback goes, and whether it can be gone at all.

use super::Engine;
use crate::campaign::{Action, Step};
use crate::fault::{Fault, Finding, Result};
use crate::msmail::{self, P1, Postoffice};
use crate::runbook::{self, Event, Intent, Journal, StepState, state_of};
use std::path::{Path, PathBuf};

impl Engine<'_> {
    /// The step that stays done. Where P1 is opened by it, that is none of the evening: whether the transports stand still
    /// has to be stated anew, because they are started when P1 is open.
    pub fn way_back(&self, to: Option<&str>) -> Result<Option<String>> {
        let Some(to) = to else { return Ok(None) };
        let wanted = self.step_named(to)?;
        let steps = &self.campaign.steps;
        let at = |found: &dyn Fn(&Step) -> bool| steps.iter().position(found);
        let evening = self.campaign.beginning().map(|(at, _)| at);
        let (keep, closing) = (at(&|step| step.name == wanted.name), at(&Step::closes_p1));
        let (Some(evening), Some(keep), Some(closing)) = (evening, keep, closing) else {
            return Ok(Some(to.to_owned()));
        };
        let entries = self.ledger.entries()?;
        let opens = state_of(&entries, &steps[closing].name)?.has_begun() || self.is_reopened()?;
        match opens && evening <= keep && keep < closing {
            true => Ok(evening.checked_sub(1).map(|before| steps[before].name.clone())),
            false => Ok(Some(to.to_owned())),
        }
    }

    /// P1 was opened again, and the rollback that did it was cut off before it took back what had been stated of the
    /// transports.
    fn is_reopened(&self) -> Result<bool> {
        let steps = &self.campaign.steps;
        let closing = steps.iter().find(|step| step.closes_p1());
        let (Some((_, evening)), Some(closing)) = (self.campaign.beginning(), closing) else {
            return Ok(false);
        };
        let entries = self.ledger.entries()?;
        let last = |step: &Step, is: fn(&Event) -> bool| {
            entries.iter().rposition(|entry| entry.step == step.name && is(&entry.event))
        };
        let opened = last(closing, |event| matches!(event, Event::Undone { .. }));
        let stated = last(evening, |event| matches!(event, Event::Done { .. }));
        Ok(opened > stated && state_of(&entries, &evening.name)?.has_begun())
    }

    /// Nothing goes forward on a statement that a rollback meant to take back.
    pub(super) fn require_whole_way_back(&self) -> Result<()> {
        if !self.is_reopened()? {
            return Ok(());
        }
        let before = self.campaign.beginning().and_then(|(at, _)| self.campaign.steps.get(at.checked_sub(1)?));
        let to = before.map(|before| format!(" --to {}", before.name));
        Err(Fault::new(
            "rollback-cut-off",
            "a rollback opened P1 and was cut off: what was stated of the transports before does not hold any more",
            format!("bring it to its end: `flagday cutover rollback{}`", to.unwrap_or_default()),
        ))
    }

    /// The steps that a rollback takes back, last first.
    pub(super) fn steps_back(&self, to: Option<&str>) -> impl Iterator<Item = &Step> {
        let keep = to.and_then(|name| self.campaign.steps.iter().position(|step| step.name == name));
        self.campaign.steps[keep.map_or(0, |keep| keep + 1)..].iter().rev()
    }

    /// Whether a rollback would come to its end. Only looks.
    pub(super) fn may_go_back(&self, to: Option<&str>) -> Result<bool> {
        let entries = self.ledger.entries()?;
        for step in self.steps_back(to) {
            // What was cut off is brought to one of its two ends first; that cannot be foreseen.
            if matches!(state_of(&entries, &step.name)?, StepState::Started | StepState::Undoing | StepState::Failed) {
                let history = runbook::history_of(&entries, &step.name)?;
                if !history.intents.is_empty() {
                    return Ok(true);
                }
            }
        }
        Ok(runbook::require_way_back(&entries, self.steps_back(to)).is_ok())
    }

    /// A share that is not mounted is no postoffice that has lost its files.
    pub(super) fn require_postoffice(&self) -> Result<()> {
        let Some(facts) = &self.campaign.msmail else { return Ok(()) };
        Postoffice::open_folders(&facts.postoffice, &[]).map(drop)
    }

    /// The journal has whole paths: what it would take back of another place than the step names now is not this campaign's.
    pub(super) fn require_same_places(&self, to: Option<&str>) -> Result<()> {
        let (paths, entries) = (self.paths(), self.ledger.entries()?);
        let is_one = |one: &Path, other: &Path| match (fs_err::canonicalize(one), fs_err::canonicalize(other)) {
            (Ok(one), Ok(other)) => one == other,
            _ => one == other,
        };
        for step in self.steps_back(to) {
            let history = runbook::history_of(&entries, &step.name)?;
            let named = step.action.iter().flat_map(Action::paths);
            let now: Vec<PathBuf> = named.filter_map(|path| Some(paths.split(path).ok()?.0)).collect();
            let mut roots = history.intents.iter().filter(|_| history.state.has_begun()).flat_map(Intent::roots);
            if let Some(root) = roots.find(|root| !now.iter().any(|now| is_one(now, root))) {
                let cause = format!(
                    "step {} changed files in {}, and the campaign has other places now: no step was taken back",
                    step.name,
                    root.display()
                );
                let remedy = "move the campaign's folder back to where it was, or set `postoffice` and `staged` in [msmail] as \
                              they were; then roll back there";
                return Err(Fault::new("other-place", cause, remedy));
            }
        }
        Ok(())
    }

    /// P1 made anew, or away, has remedies of its own.
    pub(super) fn require_one_p1(&self, to: Option<&str>) -> Result<()> {
        let (Some(facts), entries) = (&self.campaign.msmail, self.ledger.entries()?) else { return Ok(()) };
        let mut renames = false;
        for step in self.steps_back(to) {
            let of_p1 = step.after.iter().any(|check| check == "p1-closed" || check == "p1-open");
            renames |= of_p1 && step.action.is_some() && state_of(&entries, &step.name)?.has_begun();
        }
        let live = Postoffice::open_folders(&facts.postoffice, &["P1"])?;
        match renames {
            true => Fault::check(self.told_by_hand(msmail::one_of_two(&live).into_iter().collect())).map(drop),
            false => Ok(()),
        }
    }

    /// A rollback that takes P1 or MASTER.GLB away from under whoever uses P1 loses mail, as the way forward would.
    pub(super) fn require_quiet_p1(&self, to: Option<&str>) -> Result<()> {
        let (Some(facts), entries) = (&self.campaign.msmail, self.ledger.entries()?) else { return Ok(()) };
        let installs = self.install_step().map(|step| &step.name);
        let needs = |step: &&Step| step.opens_p1() || step.retires_master() || Some(&step.name) == installs;
        let mut takes_away = false;
        for step in self.steps_back(to).filter(needs) {
            takes_away |= state_of(&entries, &step.name)?.has_begun();
        }
        if !takes_away || msmail::p1_state(&Postoffice::open_folders(&facts.postoffice, &[])?) != P1::Open {
            return Ok(());
        }
        Fault::check(self.check_by_names(&["p1-quiet".to_owned()])).map(drop).map_err(|mut fault| {
            let cause = "no step was taken back: it would rename P1 or MASTER.GLB, and P1 is in use";
            let remedy = "let the sessions end, stop every transport, and run the rollback again. What a transport has left behind \
                          for good, and no start of External clears, is kept in a third folder, outside P1 and POLD";
            fault.findings.push(Finding::note("rollback-not-begun", cause, remedy));
            fault
        })
    }
}
