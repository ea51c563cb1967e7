//! Sending: what is due becomes messages, fixed byte for byte; the messages go out; what the server said is recorded.

use super::Engine;
use super::calendar::{Entry, What};
use super::outdated::Answered;
use super::postponed::is_told;
use crate::campaign::{Action, Grade, Step};
use crate::fault::{Exit, Fault, Result};
use crate::ledger::{Changed, OUTDATED, Task};
use crate::outbox::{self, FailureClass, Limits, Progress, State};
use crate::roster::Person;
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// To whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    Everyone,
    /// As typed: ids, mailboxes, addresses, names.
    People(Vec<String>),
    /// Those who were told and have not answered.
    Unanswered,
    /// Those whose message failed, is held or is in doubt: the same messages, tried again.
    Failed,
}

/// What a run of `send` did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Sent {
    pub planned: usize,
    pub sent: usize,
    pub deferred: usize,
    pub failed: usize,
    pub uncertain: usize,
    /// Given back: the connection failed, or the run was stopped, before they could leave.
    pub released: usize,
    /// Held, because their time was over.
    pub expired: usize,
    /// Taken back at the instant of sending: answered meanwhile.
    pub moot: usize,
    /// The run was asked to stop, and messages are left.
    pub interrupted: bool,
    /// Timed actions whose hour passed too long ago: held until they are asked for by name.
    pub late: Vec<Entry>,
    pub tasks: Vec<Task>,
    /// Failures by class, with examples and what to do.
    #[serde(skip)]
    pub failures: std::collections::BTreeMap<String, FailureClass>,
    /// The same for what is tried again later.
    #[serde(skip)]
    pub deferrals: std::collections::BTreeMap<String, FailureClass>,
    /// Connections that gave up while others went on.
    #[serde(skip)]
    pub stopped: Vec<crate::fault::Finding>,
    /// Nobody was left to tell.
    pub nothing_due: bool,
    /// How long it took to compose and plan, and then to carry.
    #[serde(skip)]
    pub planning: Duration,
    #[serde(skip)]
    pub carrying: Duration,
}

impl Sent {
    /// Whether anything was to be done at all.
    pub(super) fn weigh(mut self) -> Sent {
        let done = self.planned + self.sent + self.deferred + self.failed + self.uncertain;
        self.nothing_due = done + self.released + self.expired + self.moot == 0 && !self.interrupted;
        self
    }
}

/// One message that ought to exist: decided, not yet composed.
#[derive(Debug, Clone)]
pub(super) struct Intent {
    pub notice: String,
    pub person: Arc<Person>,
    pub acknowledgement: Option<String>,
    pub copy: u32,
    /// 0 for the notice itself, 1 for the first reminder, and so on.
    pub count: u32,
    /// So many more reminders and escalations the person may be sent about the acknowledgement.
    pub room: usize,
    pub reason: String,
    pub due_at: chrono::DateTime<chrono::Utc>,
    /// For an escalation: to whom instead of the person.
    pub instead: Option<lettre::Address>,
    /// The message that it takes the place of.
    pub replaces: Option<i64>,
    /// What is different from what the person was told: an amendment, which names it first.
    pub changes: Vec<Changed>,
    /// Takes the calendar entry of this revision out again.
    pub cancels: Option<u32>,
    /// A letter of the person's that it replies to.
    pub answers: Option<Arc<Answered>>,
}

impl Engine<'_> {
    /// Sends what is due, or one notice now. `limit` bounds how many new messages are planned. With `again`, people
    /// who have the notice already get another copy.
    pub fn send(
        &mut self,
        notice: Option<&str>,
        to: &To,
        limit: Option<usize>,
        again: bool,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Sent> {
        if self.ledger.aborted()?.is_some() && notice.is_none() {
            return self.abort(stop, progress);
        }
        self.require_not_aborted()?;
        self.require_roster()?;
        self.require_clock()?;
        if notice.is_none() && self.is_postponed()? {
            return self.send_while_postponed(to, stop, progress);
        }
        self.require_unchanged()?;
        let now = self.now();
        self.ledger.recover(now, self.campaign.mail.uncertain)?;
        self.let_sleep(notice)?;
        let mut sent = Sent::default();
        let limit = limit.unwrap_or(usize::MAX);
        let mut intents = match (to, notice) {
            (To::Failed, _) => self.intents_failed(notice, limit, &mut sent)?,
            (To::Unanswered, Some(name)) => self.intents_by_name(name, true)?,
            (_, Some(name)) => self.intents_by_name(name, again)?,
            (_, None) => {
                let mut intents = self.intents_owed()?;
                intents.extend(self.intents_outdated()?);
                intents.extend(self.intents_due(&mut sent)?);
                intents
            }
        };
        self.narrow(&mut intents, to)?;
        intents.truncate(limit.saturating_sub(sent.planned));
        let begun = Instant::now();
        sent.planned += self.plan_messages(&intents)?;
        if notice.is_none() && *to != To::Failed {
            self.let_sleep(None)?;
        }
        sent.planning = begun.elapsed();
        let nowhere = |intent: &&Intent| intent.instead.is_none() && intent.person.email.is_none();
        let unreachable: Vec<String> = intents.iter().filter(nowhere).map(|intent| intent.person.id.clone()).collect();
        self.deliver(&mut sent, stop, progress)?;
        if !unreachable.is_empty() {
            sent.failed += unreachable.len();
            let class = FailureClass {
                count: unreachable.len(),
                words: "no address in the roster".to_owned(),
                remedy: "add one, then run `send --to failed`; or tell them another way and record it".to_owned(),
                people: unreachable.into_iter().take(3).collect(),
                again_at: None,
            };
            sent.failures.insert("no-address".to_owned(), class);
        }
        Ok(sent.weigh())
    }

    /// Sends what amendments still owe, and nothing else that is due.
    pub(super) fn send_owed(&mut self, stop: &AtomicBool, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Sent> {
        let mut intents = self.intents_owed()?;
        if self.is_postponed()? {
            // What has not left names a date that nobody knows any more; and who was to hear of it waits for the new one.
            self.ledger.hold_back(is_told, self.now())?;
            intents.retain(|intent| is_told(&intent.notice));
        }
        let mut sent = Sent { planned: self.plan_messages(&intents)?, ..Sent::default() };
        self.let_sleep(None)?;
        self.deliver(&mut sent, stop, progress)?;
        Ok(sent.weigh())
    }

    pub(super) fn intents_owed(&self) -> Result<Vec<Intent>> {
        let calendars: HashMap<String, Option<u32>> =
            self.ledger.ever_told()?.into_iter().map(|told| (told.person, told.calendar)).collect();
        let now = self.now();
        let owed = self.owed()?.into_iter().filter_map(|owed| {
            Some(Intent {
                acknowledgement: self.acknowledgement_asked_by(&owed.notice).map(str::to_owned),
                copy: 0,
                count: 0,
                room: usize::MAX,
                reason: owed.reason,
                due_at: now,
                instead: None,
                replaces: None,
                cancels: calendars.get(&owed.person).copied().flatten().filter(|_| owed.notice == "postponed"),
                answers: None,
                person: self.roster.shared(&owed.person)?,
                changes: owed.changes,
                notice: owed.notice,
            })
        });
        Ok(owed.chain(self.intents_corrected()?).collect())
    }

    /// Carries what is planned to the server or the folder.
    pub(super) fn deliver(
        &mut self,
        sent: &mut Sent,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<()> {
        if self.ledger.next_due()?.is_none_or(|due| due > self.now()) {
            return Ok(());
        }
        self.world.mail_server()?;
        let transport = self.transport()?;
        progress(Progress::Due(self.ledger.due(self.now())?));
        let begun = Instant::now();
        let mail = &self.campaign.mail;
        let limits = Limits { connections: mail.connections, rate: mail.rate, domains: mail.domains.clone() };
        let summary = outbox::deliver(&mut self.ledger, &transport, &limits, self.world, stop, progress)?;
        sent.carrying = begun.elapsed();
        sent.released = summary.released;
        sent.expired = summary.late;
        sent.moot = summary.moot;
        sent.interrupted = summary.interrupted;
        sent.deferrals = summary.deferrals;
        sent.sent = summary.sent;
        sent.deferred = summary.deferred;
        sent.failed = summary.failed;
        sent.uncertain = summary.uncertain;
        sent.failures = summary.failures;
        let unreadable = self.ledger.take_unreadable();
        if let Some((_, fault)) = unreadable.first() {
            sent.failed += unreadable.len();
            let finding = &fault.findings[0];
            let class = FailureClass {
                count: unreadable.len(),
                words: finding.cause.clone(),
                remedy: finding.remedy.clone(),
                people: unreadable.iter().map(|(person, _)| person.clone()).take(3).collect(),
                again_at: None,
            };
            sent.failures.insert(finding.code.to_owned(), class);
        }
        sent.stopped = summary.stopped;
        Ok(())
    }

    /// Failed messages once more: the same bytes, or a new message where the roster has another address by now.
    pub(super) fn intents_failed(
        &mut self,
        notice: Option<&str>,
        limit: usize,
        sent: &mut Sent,
    ) -> Result<Vec<Intent>> {
        let now = self.now();
        let overtaken = self.ledger.overtaken()?;
        let mut intents = Vec::new();
        let mut again = Vec::new();
        let mut copies: HashMap<String, HashSet<(String, u32)>> = HashMap::new();
        for message in self.ledger.messages_in_trouble()? {
            let wanted = !overtaken.contains(&message.id) && notice.is_none_or(|name| name == message.notice);
            if !wanted {
                continue;
            }
            let Some(person) = self.roster.shared(&message.person) else { continue };
            let address = person.email.as_ref().map(ToString::to_string);
            // What may have arrived already goes out as the same bytes only, so that a receiver can drop the double.
            let in_doubt = matches!(message.state, State::Held | State::Uncertain);
            if address == message.envelope_to || !message.tells || in_doubt {
                if message.envelope_to.is_some() && again.len() < limit {
                    again.push(message.id);
                }
                continue;
            }
            if address.is_none() {
                continue;
            }
            if !copies.contains_key(&message.notice) {
                copies.insert(message.notice.clone(), self.copies(&message.notice)?);
            }
            let have = copies[&message.notice].iter().filter(|(id, _)| *id == person.id);
            let copy = have.map(|(_, copy)| copy + 1).max().unwrap_or(0);
            let answers = if message.notice == OUTDATED { self.answered_by(&person.id)? } else { None };
            if message.notice == OUTDATED && answers.is_none() {
                continue;
            }
            intents.push(Intent {
                notice: message.notice,
                acknowledgement: message.acknowledgement,
                copy,
                count: 0,
                room: usize::MAX,
                reason: "your address was corrected".to_owned(),
                due_at: now,
                instead: None,
                replaces: Some(message.id),
                changes: Vec::new(),
                cancels: None,
                answers,
                person,
            });
        }
        self.ledger.retry(&again, now)?;
        sent.planned += again.len();
        Ok(intents)
    }

    /// The notice asked for by name: to its audience, now.
    fn intents_by_name(&self, name: &str, again: bool) -> Result<Vec<Intent>> {
        let Some(notice) = self.campaign.notices.get(name) else {
            let known: Vec<_> = self.campaign.notices.keys().map(String::as_str).collect();
            let cause = format!("there is no notice '{name}'");
            return Err(Fault::ending(Exit::Usage, "unknown-notice", cause, format!("one of {}", known.join(", "))));
        };
        if matches!(name, "abort" | "postponed" | "correction") {
            let command = match name {
                "abort" => "abort",
                "postponed" => "amend --postpone",
                _ => "amend",
            };
            let cause = format!("'{name}' is true only once `flagday {command}` was run, which sends it");
            return Err(Fault::ending(Exit::Usage, "sent-by-command", cause, format!("run `flagday {command}`")));
        }
        if name == OUTDATED {
            let cause = format!("'{name}' goes to whoever answers what they were told before, and to nobody else");
            return Err(Fault::ending(
                Exit::Usage,
                "sent-of-itself",
                cause,
                "run `flagday send`: it sends what is due",
            ));
        }
        if matches!(name, "reminder" | "escalation") {
            return self.intents_of_latest(name);
        }
        self.require_step_of(name)?;
        let mut have: HashMap<String, u32> = HashMap::new();
        for (id, _) in self.copies(name)? {
            *have.entry(id).or_default() += 1;
        }
        let now = self.now();
        let mut intents = Vec::new();
        let asked = self.acknowledgement_asked_by(name).map(str::to_owned);
        for person in self.people_of(&notice.audience) {
            let copies = have.get(&person.id).copied().unwrap_or(0);
            if copies > 0 && !again {
                continue;
            }
            intents.push(Intent {
                notice: name.to_owned(),
                person: Arc::clone(&person),
                acknowledgement: asked.clone(),
                copy: copies,
                count: 0,
                room: usize::MAX,
                reason: if copies > 0 { "sent again as you asked" } else { "" }.to_owned(),
                due_at: now,
                instead: None,
                replaces: None,
                changes: Vec::new(),
                cancels: None,
                answers: None,
            });
        }
        Ok(intents)
    }

    /// Reminders and escalations asked for by name: for each acknowledgement the newest one whose hour has come and that
    /// somebody has not had, else the next one. The scheduled one is then done.
    fn intents_of_latest(&self, name: &str) -> Result<Vec<Intent>> {
        let now = self.now();
        let mut look = self.look_around()?;
        look.by_name = true;
        let calendar = self.calendar();
        let mut intents = Vec::new();
        for acknowledgement in self.campaign.acknowledgements.keys() {
            let (past, future): (Vec<&Entry>, Vec<&Entry>) = calendar
                .iter()
                .filter(|entry| entry.notice.as_deref() == Some(name))
                .filter(|entry| entry.acknowledgement.as_ref() == Some(acknowledgement))
                .partition(|entry| entry.at <= now);
            // One moment is an entry for each time zone; they are known by the copy.
            let mut chosen = None;
            for entry in past.into_iter().rev().chain(future) {
                if chosen.is_some_and(|copy| copy != entry.copy) {
                    continue;
                }
                let wanted = look.intents(entry)?.into_iter();
                let before = intents.len();
                intents.extend(wanted.filter(|intent| entry.what != What::Escalation || intent.instead.is_some()));
                if intents.len() > before {
                    chosen = Some(entry.copy);
                }
            }
        }
        Ok(intents)
    }

    /// A notice that belongs to a step of the change itself is true only when the steps before it are done.
    fn require_step_of(&self, notice: &str) -> Result<()> {
        let steps = &self.campaign.steps;
        let Some(change) = steps.iter().position(|step| step.wait.is_some()) else { return Ok(()) };
        let tells =
            |step: &&Step| matches!(&step.action, Some(Action::Notice(names)) if names.iter().any(|one| one == notice));
        match steps[change..].iter().find(tells) {
            Some(step) => self.require_before(step),
            None => Ok(()),
        }
    }

    pub(super) fn people_of(&self, audience: &str) -> impl Iterator<Item = Arc<Person>> {
        let members = self.roster.audience(&self.campaign.audiences[audience]);
        members.filter_map(|person| self.roster.shared(&person.id))
    }

    /// Who has which copies of a notice in this revision.
    fn copies(&self, notice: &str) -> Result<HashSet<(String, u32)>> {
        self.ledger.copies(notice)
    }

    fn narrow(&self, intents: &mut Vec<Intent>, to: &To) -> Result<()> {
        match to {
            To::Everyone | To::Failed => {}
            To::People(words) => {
                let ids: HashSet<String> =
                    words.iter().map(|word| Ok(self.roster.find(word)?.id.clone())).collect::<Result<_>>()?;
                intents.retain(|intent| ids.contains(&intent.person.id));
            }
            To::Unanswered => {
                let mut open = HashSet::new();
                for acknowledgement in self.campaign.acknowledgements.values() {
                    for standing in self.standings(acknowledgement)? {
                        let told = standing.grade >= Grade::Sent;
                        if told && !Self::is_settled(acknowledgement, &standing) {
                            open.insert((acknowledgement.name.clone(), standing.person));
                        }
                    }
                }
                intents.retain(|intent| {
                    let asked = intent.acknowledgement.clone().unwrap_or_default();
                    open.contains(&(asked, intent.person.id.clone()))
                });
            }
        }
        Ok(())
    }
}
