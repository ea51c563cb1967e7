//! The cutover as the simulated administrator drives it: as far as it goes, each time something may have changed.

use super::outcome::Kind as Event;
use super::script::On;
use super::stage::{Happening, Stage};
use crate::campaign::{Action, Step};
use crate::engine::Stop;
use crate::fault::Result;
use chrono::{DateTime, Duration, Utc};

/// While the drain is watched, a look this often at first; the longer it takes, the longer until the next.
const POLL: Duration = Duration::minutes(5);

/// Whoever is not drained so long after the first look needs somebody who sees to it.
const PATIENCE: Duration = Duration::hours(1);

/// More people than this are no list of errands any more.
const MOST_NEEDS: usize = 50;

impl Stage<'_, '_> {
    /// Runs the cutover as far as it goes; true when every step is done.
    pub(super) fn advance(&mut self) -> Result<bool> {
        while self.awaited == 0 && self.off_until.is_none() {
            let Some(step) = self.engine.steps()?.into_iter().find(|step| step.state != "done").map(|step| step.name)
            else {
                return Ok(true);
            };
            let result = self.run(|engine, _| engine.cutover(Some(&step), &mut |_, _| {}));
            self.stamp()?;
            self.read_mail()?;
            self.judge()?;
            match result {
                Ok(None) => return Ok(false),
                Ok(Some(cutover)) => {
                    if !self.stopped(&step, cutover.stop)? {
                        return Ok(false);
                    }
                }
                Err(fault) => {
                    let action = self.engine.campaign.step(&step).and_then(|step| step.action.as_ref());
                    let builds = matches!(action, Some(Action::Package(_))) && !fault.findings.is_empty();
                    let why = fault.to_string();
                    self.stop(&step, &format!("step {step} is refused: {why}"));
                    if builds {
                        let by = self.needed_by(&step);
                        self.need(On::BuildFailed, &step, &format!("see to the packages: {}", fault.cause()), by);
                        self.trigger(On::BuildFailed, Some(&step), None, None);
                    }
                    return Ok(false);
                }
            }
        }
        Ok(false)
    }

    /// Deals with how a run of the cutover ended; true when the next step may be tried.
    fn stopped(&mut self, step: &str, stop: Stop) -> Result<bool> {
        let now = self.world.truly();
        match stop {
            Stop::Done | Stop::Reached { .. } => {
                self.record.holding(now, step, Default::default());
                self.event(Event::StepDone, step, &format!("step {step} is done"));
                if step == self.step_that_observes("drain") {
                    for person in self.audience_of_observed("drain") {
                        self.record.did(now, On::DrainWaiting, &person, "seen to be drained");
                    }
                }
                if self.trigger(On::StepDone, Some(step), None, None) {
                    self.awaited += 1;
                    let by = self.needed_by(step);
                    self.need(On::StepDone, step, &format!("do what follows step {step}"), by);
                }
                if self.told_to_log_off(step) {
                    self.begin_evening();
                }
                if self.opens_again(step) {
                    self.begin_read_back();
                }
                return Ok(true);
            }
            Stop::Blocked { step, gates } => {
                let holding = gates.iter().flat_map(|gate| &gate.blocking).map(|one| one.person.clone()).collect();
                self.record.holding(now, &step, holding);
                let held: Vec<String> =
                    gates.iter().map(|gate| format!("{} {} of {}", gate.name, gate.satisfied, gate.of)).collect();
                self.stop(&step, &format!("step {step} is held: {}", held.join(", ")));
                if step == self.step_that_observes("drain") {
                    let people = gates.iter().flat_map(|gate| &gate.blocking).map(|one| one.person.clone()).collect();
                    self.wait_for_drain(&step, people);
                }
            }
            Stop::Waiting { step, until, .. } => {
                if step == self.step_that_observes("drain") && self.next_look.is_none_or(|at| at <= now) {
                    self.next_look = Some(until);
                    self.at(until, Happening::Look);
                }
                let until = self.record.shown(until);
                self.stop(&step, &format!("step {step} waits until {until}"));
            }
            Stop::Pending { step, why } => self.stop(&step, &format!("step {step}: {why}")),
            Stop::NeedsPerson { step, .. } => {
                self.stop(&step, &format!("step {step} needs a person's statement"));
                let by = self.needed_by(&step);
                self.need(On::Attestation, &step, &format!("state what step {step} asks"), by);
                let taken = self.trigger(On::Attestation, Some(&step), None, None);
                // Without a script for the administrator, one who states whatever is asked.
                if !taken && self.script.administrator.is_empty() && self.asked.insert(step.clone()) {
                    self.later(Duration::minutes(10), Happening::Attest { step });
                }
            }
        }
        Ok(false)
    }

    fn wait_for_drain(&mut self, step: &str, people: Vec<String>) {
        let now = self.world.truly();
        let since = *self.drain_since.get_or_insert(now);
        for person in &people {
            self.trigger(On::DrainWaiting, Some(step), Some(person), None);
        }
        if now - since >= PATIENCE {
            for person in people.iter().take(MOST_NEEDS) {
                self.need(On::DrainWaiting, person, &format!("see to {person}, who is not drained"), None);
            }
        }
        if self.next_look.is_none_or(|at| at <= now) {
            let next = now + POLL.max((now - since) / 12);
            self.next_look = Some(next);
            self.at(next, Happening::Look);
        }
    }

    /// Files the cutover has just written get the simulated time.
    fn stamp(&self) -> Result<()> {
        let Some(facts) = &self.engine.campaign.msmail else { return Ok(()) };
        self.world.stamp_new(&facts.postoffice)?;
        self.world.stamp_new(&facts.staged)
    }

    fn stop(&mut self, step: &str, text: &str) {
        self.record.stop(self.world.truly(), step, text);
    }

    /// Until when a step may take: the next hour that is fixed for anything from it on. None: all else waits for it.
    fn needed_by(&self, step: &str) -> Option<DateTime<Utc>> {
        let campaign = &self.engine.campaign;
        let moments = |step: &Step| {
            let notices = match &step.action {
                Some(Action::Notice(names)) => names.clone(),
                _ => Vec::new(),
            };
            let hours: Vec<_> = notices.iter().filter_map(|name| campaign.notices.get(name)?.at).collect();
            step.wait.into_iter().chain(hours).map(|moment| moment.instant(&campaign.change))
        };
        let from = campaign.steps.iter().skip_while(|one| one.name != step);
        let now = self.world.truly();
        from.flat_map(|step| moments(step).collect::<Vec<_>>()).filter(|at| *at > now).min()
    }

    pub(super) fn step_that_observes(&self, what: &str) -> String {
        let wanted = Action::Observe(what.to_owned());
        let found = self.engine.campaign.steps.iter().find(|step| step.action.as_ref() == Some(&wanted));
        found.map(|step| step.name.clone()).unwrap_or_default()
    }

    /// The step whose end starts the evening: it reads the server's clock.
    fn told_to_log_off(&self, step: &str) -> bool {
        step == self.step_that_observes("server-clock")
    }

    /// The first step behind the drain that ends with the postoffice open again.
    fn opens_again(&self, step: &str) -> bool {
        let opens = |step: &Step| step.action.is_some() && step.after.iter().any(|check| check == "p1-open");
        self.engine.campaign.step(step).is_some_and(opens)
    }

    /// The ids of those whom the gate of an observing step asks about.
    pub(super) fn audience_of_observed(&self, what: &str) -> Vec<String> {
        let name = self.step_that_observes(what);
        let gate = self.engine.campaign.step(&name).and_then(|step| step.needs.first());
        self.audience_of(gate.into_iter().cloned().collect())
    }

    /// The ids of those whom gates of steps without an action, behind the change, ask about.
    pub(super) fn audience_read_back(&self) -> Vec<String> {
        let waiting = self.engine.campaign.steps.iter().filter(|step| step.action.is_none() && step.wait.is_none());
        self.audience_of(waiting.flat_map(|step| step.needs.clone()).collect())
    }

    fn audience_of(&self, gates: Vec<String>) -> Vec<String> {
        let campaign = &self.engine.campaign;
        let asked = gates.iter().filter_map(|gate| campaign.gates.get(gate));
        let audiences =
            asked.map(|gate| &campaign.audiences[&campaign.acknowledgements[&gate.acknowledgement].audience]);
        audiences.flat_map(|audience| self.engine.roster.audience(audience)).map(|person| person.id.clone()).collect()
    }
}
