//! The play: happenings in order of time, and after each of them whatever it lets the campaign do next.

use super::copy::Site;
use super::outcome::{Kind as Event, Outcome};
use super::record::Record;
use super::script::{AtEvening, Cast, On, Script};
use super::tally::Tally;
use super::world::Simulated;
use crate::answer::Kind;
use crate::engine::Engine;
use crate::fault::Result;
use crate::ledger::MessageRow;
use crate::outbox::State;
use crate::report::page;
use chrono::{DateTime, Duration, Utc};
use fs_err as fs;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

/// Something that is to happen.
#[derive(Debug, Clone)]
pub(super) enum Happening {
    /// To a letter of that revision.
    Answer {
        person: String,
        acknowledgement: String,
        how: How,
        revision: u32,
    },
    Fact {
        person: String,
        acknowledgement: String,
        kind: Kind,
        words: String,
        revision: u32,
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
        person: Option<String>,
    },
    /// The scheduler's next round.
    Round,
    /// The administrator looks how far the cutover comes.
    Look,
    /// Something goes wrong.
    Mishap(usize),
    /// It is over.
    Mended(usize),
}

/// In which way an answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Reply,
    /// Although it is on record already.
    Again,
    /// With a slip.
    Wrong,
    /// The person calls the operator.
    Phone,
}

impl Happening {
    /// Whether it needs the machine that flagday runs on. What people and the postoffice do goes on without it.
    fn needs_machine(&self) -> bool {
        !matches!(self, Happening::LogOn { .. } | Happening::Mishap(_) | Happening::Mended(_))
    }
}

pub(super) struct Stage<'a, 'w> {
    pub(super) engine: Engine<'w>,
    pub(super) script: &'a Script,
    pub(super) cast: Cast,
    pub(super) site: &'a Site,
    pub(super) world: &'w Simulated,
    pub(super) record: Record<'a>,
    pub(super) tally: Tally,
    /// Which of the administrator's deeds were triggered, for whom.
    pub(super) used: HashSet<(usize, String)>,
    /// Statements that an administrator without a script has in hand.
    pub(super) asked: BTreeSet<String>,
    /// Every message before this one is settled and was read.
    pub(super) first_open: i64,
    /// Those from there on that are settled and were read.
    pub(super) read: HashSet<i64>,
    /// How many reminders and escalations there were: by person, acknowledgement and notice.
    pub(super) pressed: HashMap<(String, String, String), usize>,
    /// Timed actions that were shown as held.
    pub(super) held: HashSet<String>,
    /// A deed that follows a step: the cutover waits for it.
    pub(super) awaited: usize,
    /// The machine is off, or nobody has started the program again.
    pub(super) off_until: Option<DateTime<Utc>>,
    /// The mail server is down.
    pub(super) down_until: Option<DateTime<Utc>>,
    /// The mishap that kills, until it has.
    pub(super) kill: Option<usize>,
    /// After so many messages of the next run that sends.
    pub(super) kill_after: Option<usize>,
    /// When the drain was looked at first.
    pub(super) drain_since: Option<DateTime<Utc>>,
    /// When the drain is looked at next.
    pub(super) next_look: Option<DateTime<Utc>>,
    /// Calls to make that were told.
    pub(super) tasks: usize,
    pub(super) end: DateTime<Utc>,
    agenda: BTreeMap<(DateTime<Utc>, u64), Happening>,
    rounds: BTreeSet<DateTime<Utc>>,
    planned: u64,
}

impl<'a, 'w> Stage<'a, 'w> {
    pub(super) fn new(
        engine: Engine<'w>,
        world: &'w Simulated,
        script: &'a Script,
        site: &'a Site,
        record: Record<'a>,
    ) -> Self {
        Stage {
            cast: script.cast(&engine),
            end: script.end(&engine),
            engine,
            world,
            script,
            site,
            record,
            tally: Tally::default(),
            used: HashSet::new(),
            asked: BTreeSet::new(),
            first_open: 0,
            read: HashSet::new(),
            pressed: HashMap::new(),
            held: HashSet::new(),
            awaited: 0,
            off_until: None,
            down_until: None,
            kill: None,
            kill_after: None,
            drain_since: None,
            next_look: None,
            tasks: 0,
            agenda: BTreeMap::new(),
            rounds: BTreeSet::new(),
            planned: 0,
        }
    }

    /// Plays from the first moment until every step is done and everything timed has gone out, or to the end of the
    /// script. What is still open then.
    pub(super) fn play(&mut self) -> Result<Vec<String>> {
        for (index, mishap) in self.script.mishaps.iter().enumerate() {
            // What begins before the rehearsal does, begins with it.
            let at = mishap.at.instant(&self.engine.campaign.change).max(self.world.truly());
            self.at(at, Happening::Mishap(index));
        }
        self.plan_rounds();
        self.event(Event::Begins, "", "the rehearsal begins");
        self.build_by_hand();
        self.judge()?;
        let (mut finished, mut unplayed) = (self.advance()?, None);
        while !(finished && self.is_over()) {
            let Some(((at, _), happening)) = self.agenda.pop_first() else { break };
            if at > self.end {
                unplayed = Some(happening);
                break;
            }
            if let Some(until) = self.off_until.filter(|until| at < *until && happening.needs_machine()) {
                self.at(until, happening);
                continue;
            }
            self.world.set(at);
            if self.happen(happening)? {
                finished = self.advance()?;
            }
        }
        let left = std::mem::take(&mut self.agenda).into_values().chain(unplayed);
        let left = left.filter_map(|one| if let Happening::Mishap(index) = one { Some(index) } else { None });
        // Who was to be killed in a run that never came is not, either.
        let left = left.chain(self.kill.take());
        self.tell_what_never_came(left.collect());
        let mut open = Vec::new();
        if !finished {
            let steps = self.engine.steps()?.into_iter().filter(|step| step.state != "done");
            open.extend(steps.map(|step| format!("{} ({}): {}", step.name, step.state, step.why)));
            open.push(self.record.last_stop());
        }
        let steps = self.engine.campaign.steps.len();
        self.event(Event::Ends, "", if finished && steps > 0 { "every step is done" } else { "nothing more happens" });
        Ok(open)
    }

    /// How it went, and the report of the copy with the verified head of its audit chain.
    pub(super) fn outcome(self, open: Vec<String>, folder: &Path) -> Result<(Outcome, Vec<PathBuf>, String)> {
        let report = page::write(&self.engine, &folder.join("report"))?;
        let head = self.engine.ledger().audit_verify(None)?.map(|head| head.hash).unwrap_or_default();
        let steps = self.engine.steps()?;
        let done = steps.iter().filter(|step| step.state == "done").count();
        let campaign = &self.engine.campaign;
        let serial_changed = match &campaign.msmail {
            Some(facts) => {
                let master = |tree: &PathBuf| fs::read(tree.join("GLB").join("MASTER.GLB"));
                Some(master(&facts.postoffice)? == master(&facts.staged)?)
            }
            None => None,
        };
        let change_at = self.record.written(campaign.change.at);
        let blocked = self.record.blocked();
        let Record { timeline, gates, needs, .. } = self.record;
        let outcome = Outcome {
            schema: 1,
            campaign: campaign.name.clone(),
            title: campaign.title.clone(),
            time_zone: campaign.change.zone.name().to_owned(),
            seed: self.script.seed,
            change_at,
            people: self.engine.roster.len(),
            finished: done == steps.len(),
            steps_done: done,
            steps: steps.len(),
            messages: self.engine.ledger().messages()?.len(),
            serial_changed,
            timeline,
            gates,
            blocked,
            needs,
            open,
        };
        Ok((outcome, report, head))
    }

    /// Nothing timed is left. Without any step there is only what people do: all of that is played.
    fn is_over(&self) -> bool {
        let timed =
            |happening: &Happening| matches!(happening, Happening::Round | Happening::Mishap(_) | Happening::Mended(_));
        match self.engine.campaign.steps.is_empty() {
            true => self.agenda.is_empty(),
            false => !self.agenda.iter().any(|((at, _), happening)| *at <= self.end && timed(happening)),
        }
    }

    /// True when the cutover may come further because of it.
    fn happen(&mut self, happening: Happening) -> Result<bool> {
        match happening {
            Happening::Answer { person, acknowledgement, revision, .. }
            | Happening::Fact { person, acknowledgement, revision, .. }
                if revision < self.engine.ledger().floor(&person, &acknowledgement)? =>
            {
                self.answers_the_old_letter(&person, &acknowledgement, revision)?;
                Ok(false)
            }
            Happening::Answer { person, acknowledgement, how, .. } => self.hear(&person, &acknowledgement, how),
            Happening::Fact { person, acknowledgement, kind, words, .. } => {
                self.fact(&person, &acknowledgement, kind, &words)?;
                Ok(false)
            }
            Happening::LogOn { person, how } => {
                self.log_on(&person, how)?;
                Ok(false)
            }
            Happening::ReadBack { person, serial } => self.reads_back(&person, &serial),
            Happening::Deed { index, step, person } => {
                let deed = self.script.administrator[index].clone();
                if deed.on == On::StepDone {
                    self.awaited -= 1;
                }
                self.act(&deed, step.as_deref(), person.as_deref())?;
                if deed.on == On::BuildFailed {
                    self.build_by_hand();
                }
                self.judge()?;
                Ok(true)
            }
            Happening::Attest { step } => {
                self.state(&step, "as asked", &format!("states for {step} what is asked"))?;
                Ok(true)
            }
            Happening::Round => {
                self.rounds.retain(|at| *at > self.world.truly());
                self.round()?;
                Ok(true)
            }
            Happening::Look => Ok(true),
            Happening::Mishap(index) => {
                self.goes_wrong(index)?;
                Ok(false)
            }
            Happening::Mended(index) => {
                self.is_mended(index)?;
                Ok(true)
            }
        }
    }

    /// A round of the scheduler for everything that the calendar holds, by the machine's clock.
    pub(super) fn plan_rounds(&mut self) {
        let (now, ahead) = (self.world.truly(), self.world.ahead());
        let mut moments: Vec<DateTime<Utc>> =
            self.engine.calendar().into_iter().map(|entry| entry.at - ahead).collect();
        let waits = self.engine.campaign.steps.iter().filter_map(|step| step.wait);
        let waits: Vec<_> = waits.map(|wait| wait.instant(&self.engine.campaign.change) - ahead).collect();
        moments.retain(|at| *at >= now);
        for at in moments {
            self.round_at(at);
        }
        for at in waits.into_iter().filter(|at| *at >= now) {
            self.at(at, Happening::Look);
        }
    }

    /// Plans a round of the scheduler.
    pub(super) fn round_at(&mut self, at: DateTime<Utc>) {
        if self.rounds.insert(at) {
            self.at(at, Happening::Round);
        }
    }

    /// The next quarter of an hour: how often a crontab asks.
    pub(super) fn round_soon(&mut self) {
        let now = self.world.truly();
        self.round_at(now + Duration::seconds(900 - now.timestamp().rem_euclid(900)));
    }

    pub(super) fn judge(&mut self) -> Result<()> {
        for (gate, open) in self.tally.judge(&self.engine)? {
            let (kind, word) = if open { (Event::GateOpens, "opens") } else { (Event::GateShuts, "shuts again") };
            self.event(kind, &gate, &format!("gate {gate} {word}"));
        }
        self.count();
        Ok(())
    }

    pub(super) fn count(&mut self) {
        let now = self.world.truly();
        for (name, gate) in self.tally.gates() {
            self.record.count(now, name, gate.satisfied, gate.of, gate.open);
        }
    }

    /// The messages that were settled since the last look.
    pub(super) fn settled_messages(&mut self) -> Result<Vec<MessageRow>> {
        let mut settled = Vec::new();
        let mut first_open = None;
        let mut last = self.first_open - 1;
        for message in self.engine.ledger().messages_from(self.first_open)? {
            last = message.id;
            if is_on_its_way(message.state) {
                first_open.get_or_insert(message.id);
            } else if self.read.insert(message.id) {
                settled.push(message);
            }
        }
        self.first_open = first_open.unwrap_or(last + 1);
        self.read.retain(|id| *id >= self.first_open);
        Ok(settled)
    }

    pub(super) fn later(&mut self, delay: Duration, happening: Happening) {
        self.at(self.world.truly() + delay, happening);
    }

    pub(super) fn at(&mut self, at: DateTime<Utc>, happening: Happening) {
        self.planned += 1;
        self.agenda.insert((at, self.planned), happening);
    }

    pub(super) fn event(&mut self, kind: Event, subject: &str, text: &str) {
        self.record.event(self.world.truly(), kind, subject, Vec::new(), text);
    }

    pub(super) fn event_of(&mut self, kind: Event, subject: &str, person: &str, text: &str) {
        self.record.event(self.world.truly(), kind, subject, vec![person.to_owned()], text);
    }

    /// The administrator did what was needed.
    pub(super) fn by_hand(&mut self, on: On, whom: &str, text: &str) {
        let now = self.world.truly();
        self.event(Event::ByHand, whom, &format!("{}: {text}", self.script.operator));
        self.record.did(now, on, whom, text);
    }
}

fn is_on_its_way(state: State) -> bool {
    matches!(state, State::Planned | State::Sending | State::Transmitting | State::Uncertain)
}
