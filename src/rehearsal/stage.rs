//! The play: happenings in order of time, and after each of them whatever it lets the campaign do next.

use super::copy::Site;
use super::outcome::{Blocked, Outcome, Told};
use super::script::{AtEvening, On, Script};
use super::world::Simulated;
use crate::answer::Kind;
use crate::campaign::Action;
use crate::engine::{Answer, Engine, Stop, To};
use crate::fault::Result;
use crate::report::page;
use crate::system::World;
use chrono::{DateTime, Duration, Utc};
use fs_err as fs;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// While the drain is watched, a look this often.
const POLL: Duration = Duration::minutes(5);

/// Something that is to happen.
#[derive(Debug, Clone)]
pub(super) enum Happening {
    Answer {
        person: String,
        acknowledgement: String,
    },
    Fact {
        person: String,
        acknowledgement: String,
        kind: Kind,
        words: String,
    },
    LogOn {
        person: String,
        how: AtEvening,
    },
    ReadBack {
        person: String,
        serial: String,
    },
    /// A statement by an administrator without a script.
    Attest {
        step: String,
    },
    Deed {
        index: usize,
        step: Option<String>,
    },
    /// A timed action of the calendar is due.
    Calendar,
    /// Look again.
    Look,
}

pub(super) struct Stage<'a, 'w> {
    pub(super) engine: Engine<'w>,
    pub(super) script: &'a Script,
    pub(super) site: &'a Site,
    /// Which of the administrator's deeds were triggered.
    pub(super) used: Vec<bool>,
    /// Statements that an administrator without a script has in hand.
    asked: BTreeSet<String>,
    /// The newest message that people have reacted to.
    pub(super) read: i64,
    world: &'w Simulated,
    told: &'a mut dyn FnMut(Told),
    agenda: BTreeMap<(DateTime<Utc>, u64), Happening>,
    planned: u64,
    /// A deed that follows a step: the cutover waits for it.
    awaited: usize,
    timeline: Vec<(String, String)>,
    administrator: Vec<(String, String)>,
    /// Who has held which step, by step and person.
    blocked: BTreeMap<(String, String), Held>,
    open: Vec<String>,
    last_stop: String,
}

/// From when to when somebody held a step.
struct Held {
    from: String,
    until: String,
    still: bool,
}

impl<'a, 'w> Stage<'a, 'w> {
    pub(super) fn new(
        engine: Engine<'w>,
        world: &'w Simulated,
        script: &'a Script,
        site: &'a Site,
        told: &'a mut dyn FnMut(Told),
    ) -> Self {
        Stage {
            used: vec![false; script.administrator.len()],
            asked: BTreeSet::new(),
            engine,
            world,
            script,
            site,
            told,
            read: 0,
            agenda: BTreeMap::new(),
            planned: 0,
            awaited: 0,
            timeline: Vec::new(),
            administrator: Vec::new(),
            blocked: BTreeMap::new(),
            open: Vec::new(),
            last_stop: String::new(),
        }
    }

    /// Plays from the first moment to the last step, or to the end of the script.
    pub(super) fn play(&mut self) -> Result<()> {
        let end = self.script.end(&self.engine);
        let start = self.now();
        for entry in self.engine.calendar().into_iter().filter(|entry| entry.at >= start) {
            self.at(entry.at, Happening::Calendar);
        }
        let waits: Vec<_> = self.engine.campaign.steps.iter().filter_map(|step| step.wait).collect();
        for wait in waits {
            self.at(wait.instant(&self.engine.campaign.change), Happening::Look);
        }
        self.tell("the rehearsal begins");
        let mut finished = self.advance()?;
        while !finished {
            let Some(((at, _), happening)) = self.agenda.pop_first() else { break };
            if at > end {
                break;
            }
            self.world.set(at);
            self.happen(happening)?;
            finished = self.advance()?;
        }
        if !finished {
            let steps = self.engine.steps()?;
            let open = steps.into_iter().filter(|step| step.state != "done");
            self.open.extend(open.map(|step| format!("{} ({}): {}", step.name, step.state, step.why)));
            self.open.push(self.last_stop.clone());
        }
        self.tell(if finished { "every step is done" } else { "nothing more happens" });
        Ok(())
    }

    fn happen(&mut self, happening: Happening) -> Result<()> {
        match happening {
            Happening::Answer { person, acknowledgement } => self.answer(&person, &acknowledgement, None, "in a reply"),
            Happening::Fact { person, acknowledgement, kind, words } => {
                self.engine.record(&Answer {
                    person: person.clone(),
                    acknowledgement: Some(acknowledgement),
                    kind: Some(kind),
                    note: words.clone(),
                    ..Answer::default()
                })?;
                self.tell(&format!("{person} {}: {words}", kind.words()));
                let on = match kind {
                    Kind::HardBounce => Some(On::Bounced),
                    Kind::Declined => Some(On::Declined),
                    Kind::Question => Some(On::Question),
                    _ => None,
                };
                if let Some(on) = on {
                    self.trigger(on, None, Some(&person));
                }
                Ok(())
            }
            Happening::LogOn { person, how } => self.log_on(&person, how),
            Happening::ReadBack { person, serial } => {
                let answer = Answer { person: person.clone(), serial: Some(serial.clone()), ..Answer::default() };
                match self.engine.record(&answer) {
                    Ok(_) => self.tell(&format!("{person} reads {serial} back: it matches")),
                    Err(fault) => self.tell(&format!("{person} reads {serial} back: {}", fault.cause())),
                }
                Ok(())
            }
            Happening::Deed { index, step } => {
                let deed = self.script.administrator[index].clone();
                if deed.on == On::StepDone {
                    self.awaited -= 1;
                }
                self.act(&deed, step.as_deref())
            }
            Happening::Attest { step } => {
                let operator = self.script.operator.clone();
                self.engine.attest(&step, &operator, "as asked")?;
                self.by_hand(&format!("states for {step} what is asked"));
                Ok(())
            }
            Happening::Calendar => self.send(None, &To::Everyone, false),
            Happening::Look => Ok(()),
        }
    }

    /// Sends, tells what went out, and lets people read it.
    pub(super) fn send(&mut self, notice: Option<&str>, to: &To, again: bool) -> Result<()> {
        let stop = AtomicBool::new(false);
        let before = self.engine.ledger().messages()?.len();
        let sent = self.engine.send(notice, to, None, again, &stop, &mut |_| {})?;
        self.tell_sent(before)?;
        for task in &sent.tasks {
            self.tell(&format!("to do: {}", task.what));
            let person = task.person.clone();
            self.trigger(On::Escalated, None, Some(&person));
        }
        self.read_mail()
    }

    fn tell_sent(&mut self, before: usize) -> Result<()> {
        let mut by_notice: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for message in self.engine.ledger().messages()?.into_iter().skip(before) {
            by_notice.entry(message.notice).or_default().push(message.person);
        }
        for (notice, people) in by_notice {
            let shown = people.iter().take(4).cloned().collect::<Vec<_>>().join(", ");
            let more = if people.len() > 4 { format!(" and {} more", people.len() - 4) } else { String::new() };
            self.tell(&format!("sent '{notice}' to {shown}{more}"));
        }
        Ok(())
    }

    /// Runs the cutover as far as it goes; true when every step is done.
    fn advance(&mut self) -> Result<bool> {
        while self.awaited == 0 {
            let Some(step) = self.engine.steps()?.into_iter().find(|step| step.state != "done").map(|step| step.name)
            else {
                return Ok(true);
            };
            let before = self.engine.ledger().messages()?.len();
            let result = self.engine.cutover(Some(&step), &mut |_, _| {});
            self.stamp()?;
            self.tell_sent(before)?;
            self.read_mail()?;
            match result {
                Ok(cutover) => {
                    if !self.stopped(&step, cutover.stop)? {
                        return Ok(false);
                    }
                }
                Err(fault) => {
                    let builds = matches!(
                        self.engine.campaign.step(&step).and_then(|step| step.action.as_ref()),
                        Some(Action::Package(_))
                    );
                    self.stop_once(&format!("step {step} is refused: {fault}"));
                    if builds && !fault.findings.is_empty() {
                        self.trigger(On::BuildFailed, Some(&step), None);
                    }
                    return Ok(false);
                }
            }
        }
        Ok(false)
    }

    /// Deals with how a run of the cutover ended; true when the next step may be tried.
    fn stopped(&mut self, step: &str, stop: Stop) -> Result<bool> {
        match stop {
            Stop::Done | Stop::Reached { .. } => {
                self.note_holding(step, Vec::new());
                self.tell(&format!("step {step} is done"));
                if self.trigger(On::StepDone, Some(step), None) {
                    self.awaited += 1;
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
                self.note_holding(&step, holding);
                let held: Vec<String> =
                    gates.iter().map(|gate| format!("{} {} of {}", gate.name, gate.satisfied, gate.of)).collect();
                self.stop_once(&format!("step {step} is held: {}", held.join(", ")));
                if step == self.step_that_observes("drain") {
                    self.trigger(On::DrainWaiting, Some(&step), None);
                    self.later(POLL, Happening::Look);
                }
            }
            Stop::Waiting { step, until } => {
                let until = self.shown(until);
                self.stop_once(&format!("step {step} waits until {until}"));
            }
            Stop::Pending { step, why } => self.stop_once(&format!("step {step}: {why}")),
            Stop::NeedsPerson { step, .. } => {
                self.stop_once(&format!("step {step} needs a person's statement"));
                let taken = self.trigger(On::Attestation, Some(&step), None);
                // Without a script for the administrator, one who states whatever is asked.
                if !taken && self.script.administrator.is_empty() && self.asked.insert(step.clone()) {
                    self.later(Duration::minutes(10), Happening::Attest { step });
                }
            }
        }
        Ok(false)
    }

    /// Keeps from when to when each person held a step.
    fn note_holding(&mut self, step: &str, holding: Vec<String>) {
        let now = self.shown(self.now());
        for ((held_step, person), held) in &mut self.blocked {
            if held_step == step && held.still {
                held.until = now.clone();
                held.still = holding.contains(person);
            }
        }
        for person in holding {
            let held = Held { from: now.clone(), until: now.clone(), still: true };
            self.blocked.entry((step.to_owned(), person)).or_insert(held);
        }
    }

    /// Files the cutover has just written get the simulated time.
    fn stamp(&self) -> Result<()> {
        let Some(facts) = &self.engine.campaign.msmail else { return Ok(()) };
        self.world.stamp_new(&facts.postoffice)?;
        self.world.stamp_new(&facts.staged)
    }

    /// How it went, with the report of the copy.
    pub(super) fn outcome(mut self, folder: PathBuf) -> Result<Outcome> {
        let report = page::write(&self.engine, &folder.join("report"))?;
        let head = self.engine.ledger().audit_verify(None)?.map(|head| head.hash).unwrap_or_default();
        let steps = self.engine.steps()?;
        let done = steps.iter().filter(|step| step.state == "done").count();
        let serial_changed = match &self.engine.campaign.msmail {
            Some(facts) => {
                let master = |tree: &PathBuf| fs::read(tree.join("GLB").join("MASTER.GLB"));
                Some(master(&facts.postoffice)? == master(&facts.staged)?)
            }
            None => None,
        };
        let blocked = std::mem::take(&mut self.blocked);
        let mut blocked: Vec<Blocked> = blocked
            .into_iter()
            .map(|((step, by), held)| Blocked { step, by, from: held.from, until: held.until })
            .collect();
        blocked.sort_by(|a, b| (&a.from, &a.step, &a.by).cmp(&(&b.from, &b.step, &b.by)));
        Ok(Outcome {
            schema: 1,
            finished: done == steps.len(),
            steps_done: done,
            steps: steps.len(),
            messages: self.engine.ledger().messages()?.len(),
            serial_changed,
            timeline: self.timeline,
            blocked,
            administrator: self.administrator,
            open: self.open,
            report,
            head,
            folder,
        })
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.world.now()
    }

    pub(super) fn later(&mut self, delay: Duration, happening: Happening) {
        self.at(self.now() + delay, happening);
    }

    fn at(&mut self, at: DateTime<Utc>, happening: Happening) {
        self.planned += 1;
        self.agenda.insert((at, self.planned), happening);
    }

    fn shown(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.engine.campaign.change.zone).format("%F %a %H:%M").to_string()
    }

    pub(super) fn tell(&mut self, text: &str) {
        let at = self.shown(self.now());
        (self.told)(Told::Moment { at: &at, text });
        self.timeline.push((at, text.to_owned()));
    }

    /// A moment that needed a human.
    pub(super) fn by_hand(&mut self, text: &str) {
        let at = self.shown(self.now());
        self.tell(&format!("{}: {text}", self.script.operator));
        self.administrator.push((at, text.to_owned()));
    }

    /// The same reason again is no news.
    fn stop_once(&mut self, text: &str) {
        if self.last_stop != text {
            self.last_stop = text.to_owned();
            self.tell(text);
        }
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
        let opens =
            |step: &crate::campaign::Step| step.action.is_some() && step.after.iter().any(|check| check == "p1-open");
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
