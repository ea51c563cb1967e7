//! Starting a step: its gates are judged, and its start goes on record only while nothing they were judged by has changed.

use super::cutover::check;
use super::drain::watches_drain;
use super::{Engine, Patience, Stop};
use crate::campaign::{Action, Step};
use crate::fault::{Exit, Fault, Result};
use crate::gate;
use crate::ledger::{Guard, Ledger};
use crate::runbook::{self, Entry, Event, Journal, Performed, Progress, Runbook, history_of};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// How often gates are judged again when answers keep coming in between judgement and start.
const ATTEMPTS: usize = 5;

const SECOND: Duration = Duration::from_secs(1);

impl Engine<'_> {
    /// Begins a step that no earlier run left begun, or says what holds it.
    pub(super) fn begin(&mut self, step: &Step) -> Result<Result<Performed, Stop>> {
        let name = step.name.clone();
        if let Some(stop) = self.waits(step) {
            return Ok(Err(stop));
        }
        if let Some((why, state)) = self.unseen(step)? {
            return Ok(Err(Stop::Pending { step: name, why: format!("{why}. {state}") }));
        }
        if matches!(step.action, Some(Action::Notice(_) | Action::Package(_) | Action::Observe(_))) {
            Fault::check(self.check_by_names(&step.before))?;
        }
        if !step.needs.is_empty() {
            self.begin_with_gates()?;
        }
        Fault::check(self.changed_by_others(step)?)?;
        self.require_backup(step)?;
        self.require_road_ahead(step)?;
        for _ in 0..ATTEMPTS {
            let facts = self.look_for_gates(step)?;
            let head = self.ledger.audit_head()?.map_or(0, |head| head.events);
            let verdicts = self.verdicts()?;
            let passed = match gate::pass(&name, &step.needs, &verdicts) {
                Ok(passed) => passed,
                Err(shut) => {
                    let gates = verdicts.into_iter().filter(|verdict| shut.contains(&verdict.name)).collect();
                    return Ok(Err(Stop::Blocked { step: name, gates }));
                }
            };
            self.require_no_mail_of_nobody(step)?;
            self.require_none_left_behind(step)?;
            if let Some(until) = self.polled(step)?.filter(|at| *at > self.now()) {
                return Ok(Err(Stop::Waiting { step: name, until, why: POLLING.to_owned() }));
            }
            let built = match self.build_and_send(step)? {
                Ok(built) => built,
                Err(why) => return Ok(Err(Stop::Pending { step: name, why })),
            };
            self.require_inputs()?;
            let needed = || verdicts.iter().filter(|verdict| step.needs.contains(&verdict.name));
            let asked = |name: &String| self.campaign.gates[name].acknowledgement.clone();
            let guard = Guard {
                head,
                acknowledgements: step.needs.iter().map(asked).collect(),
                until: needed().filter_map(|verdict| verdict.until).min(),
            };
            self.require_giving(step)?;
            match self.runbook_while(Some(guard), facts, |runbook| runbook.perform(step, passed)) {
                Err(fault) if fault.findings.iter().all(|finding| finding.code == MOVED) => {}
                ended => return ended.map(|performed| Ok(performed.warning(built))),
            }
        }
        let cause = format!("answers kept coming in while step {name} was about to start; it was not started");
        Err(Fault::ending(Exit::Waiting, MOVED, cause, "run `flagday cutover` again"))
    }

    /// Steps that follow at once, without a gate or a person in between, must not be refused when this one is done: between
    /// two of them nobody can sign in.
    fn require_road_ahead(&self, step: &Step) -> Result<()> {
        let paths = self.paths();
        let foreseen = self.at_once(step).flat_map(|one| runbook::foreseen(one, &paths, self.now())).collect();
        Fault::check(foreseen).map(drop).map_err(|fault| self.not_begun(step, fault))
    }

    fn not_begun(&self, step: &Step, fault: Fault) -> Fault {
        let history = self.ledger.entries().and_then(|entries| history_of(&entries, &step.name));
        let back = self.way_back_without_situation().unwrap_or_default();
        runbook::not_begun(step, &history.unwrap_or_default(), back.as_deref(), fault)
    }

    fn at_once(&self, step: &Step) -> impl Iterator<Item = &Step> {
        let follow = self.campaign.steps.iter().skip_while(|one| one.name != step.name).skip(1);
        follow.take_while(|one| one.needs.is_empty() && one.attest.is_none() && one.wait.is_none())
    }

    /// The same of a copy among them, or of this step itself, that this account could not give to its owner.
    fn require_giving(&self, step: &Step) -> Result<()> {
        let steps: Vec<&Step> = std::iter::once(step).chain(self.at_once(step)).collect();
        runbook::require_giving(&steps, &self.paths()).map_err(|fault| self.not_begun(step, fault))
    }

    /// Looks at what the step observes, and at the mailbags when a gate of it is built on them: mail that arrived since
    /// the drain holds the swap too. So it comes before gates are judged.
    pub(super) fn look_for_gates(&mut self, step: &Step) -> Result<Vec<String>> {
        let facts = self.look(step)?;
        if !watches_drain(step) && self.waits_for_drain(step) {
            self.look_at_drain()?;
        }
        Ok(facts)
    }

    /// A step whose hour has not come.
    pub(super) fn waits(&self, step: &Step) -> Option<Stop> {
        let until = self.begins(step).filter(|at| *at > self.now())?;
        Some(Stop::Waiting { step: step.name.clone(), until, why: String::new() })
    }

    /// Hands the runbook what it needs of this campaign. `facts`: what the work of other stages has come to, when it
    /// is done beforehand.
    pub(super) fn runbook<T>(
        &mut self,
        facts: Vec<String>,
        run: impl FnOnce(&mut Runbook<'_>) -> Result<T>,
    ) -> Result<T> {
        self.runbook_while(None, facts, run)
    }

    fn runbook_while<T>(
        &mut self,
        guard: Option<Guard>,
        facts: Vec<String>,
        run: impl FnOnce(&mut Runbook<'_>) -> Result<T>,
    ) -> Result<T> {
        let (recorded, back) = (self.recorded()?, self.way_back_without_situation()?);
        let (paths, clock, campaign) = (self.paths(), self.world, &self.campaign);
        let Patience { seconds, tell } = &self.patience;
        run(&mut Runbook {
            paths: &paths,
            journal: &mut Guarded { ledger: &mut self.ledger, guard },
            checks: &|name| check(campaign, name, &recorded),
            other: &mut |_| Ok(Progress::Done { facts: facts.clone() }),
            now: &|| clock.now(),
            again: &mut |why, waited| {
                tell(why, waited, *seconds);
                if waited < *seconds {
                    clock.pause(SECOND);
                }
                waited < *seconds
            },
            back: back.as_deref(),
        })
    }
}

/// Why a drain goes on although everybody is done.
pub(super) const POLLING: &str = "everybody is done, and clients that are signed in may not have looked for mail yet";

/// What [`Ledger::append_while`] says when the gates may be another matter by now.
const MOVED: &str = "gate-moved";

/// The ledger's journal, which takes a start only in the same moment as its gates hold.
struct Guarded<'l> {
    ledger: &'l mut Ledger,
    guard: Option<Guard>,
}

impl Journal for Guarded<'_> {
    fn append(&mut self, step: &str, event: Event, at: DateTime<Utc>) -> Result<()> {
        match &self.guard {
            Some(guard) if matches!(event, Event::Started { .. }) => self.ledger.append_while(guard, step, event, at),
            _ => self.ledger.append(step, event, at),
        }
    }

    fn entries(&self) -> Result<Vec<Entry>> {
        self.ledger.entries()
    }
}
