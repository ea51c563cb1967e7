//! Sending: what is due becomes messages, fixed byte for byte; the messages go out; what the server said is recorded.

use super::calendar::Entry;
use super::nights::{Asked, Nights, Wanted};
use super::outdated::Answered;
use super::postponed::is_told;
use super::reason::Reason;
use super::whereabouts::Whereabouts;
use super::{Asleep, Engine, Urgent, choice};
use crate::campaign::Grade;
use crate::fault::{Finding, Result};
use crate::ledger::{Changed, MessageRow, Owed, Task, Told};
use crate::outbox::{self, FailureClass, Hours, Limits, Progress, State};
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
    /// Of the uncertain ones, those that are so for the second time.
    pub uncertain_again: usize,
    /// Held, because their time was over.
    pub expired: usize,
    /// What waits for the end of quiet hours.
    pub asleep: Vec<Asleep>,
    /// What did not wait for it, because that would have been too late.
    pub urgent: Vec<Urgent>,
    /// Reminders, escalations and calls that wait until every mailbox was read.
    pub kept_waiting: usize,
    /// Written anew before they left: the roster has another address.
    pub readdressed: usize,
    /// Written anew before they left: their date was that of a clock that was ahead.
    pub redated: usize,
    /// Escalations that waited for an address from which mail comes back: not sent, because the next in the chain is asked.
    pub gone_on: usize,
    /// The same where nobody else is left to write to: held, until somebody has called.
    pub nobody_left: usize,
    /// Taken back at the instant of sending: answered meanwhile.
    pub moot: usize,
    /// The run was asked to stop, and messages are left.
    pub interrupted: bool,
    /// Somebody called the campaign off meanwhile: nothing that is left goes out.
    pub called_off: bool,
    /// The round ended while what is left waits for its pace alone: others have their turn first.
    pub yielded: bool,
    /// Timed actions whose hour passed too long ago: held until they are asked for by name.
    pub late: Vec<Entry>,
    pub tasks: Vec<Task>,
    /// Who reads that it is off in the words that come with the program, and why.
    pub shipped: Vec<Finding>,
    /// Failures by class, with examples and what to do.
    pub failures: std::collections::BTreeMap<String, FailureClass>,
    /// The same for what waits because a server put it off, in whichever run.
    pub deferrals: std::collections::BTreeMap<String, FailureClass>,
    /// Connections that gave up, and why.
    pub stopped: Vec<Finding>,
    /// None was left to go on: what is due was not all sent.
    pub ended: bool,
    /// Messages in doubt that were to be sent again, and are not before a delivery report can have come.
    pub resting: usize,
    /// Messages that were to be tried again, and are beyond the limit.
    pub untried: usize,
    /// Messages in doubt that were to be sent again: they may be further copies.
    pub further: usize,
    /// Asked for by name, and not sent: they did not arrive, and are tried again by `--to failed` only.
    pub failed_before: Vec<MessageRow>,
    /// Held at the beginning of this run, because they are in doubt for the second time.
    pub doubted_twice: usize,
    /// In doubt since an earlier run, and refused or past their time in this one: held, not failed.
    pub doubted_before: usize,
    /// The refused ones of them, by class as `failures`.
    pub in_doubt_still: std::collections::BTreeMap<String, FailureClass>,
    /// Messages in the ledger that are still to go out, and those that are in doubt, whichever run left them so: of those
    /// whom this run was asked about.
    pub waiting: usize,
    pub in_doubt: usize,
    /// What waits for others.
    pub others: usize,
    /// Nobody was left to tell.
    pub nothing_due: bool,
    /// How long it took to compose and plan, and then to carry.
    #[serde(skip)]
    pub planning: Duration,
    #[serde(skip)]
    pub carrying: Duration,
}

impl Sent {
    /// Counts whoever no mail can reach among those who failed.
    pub(super) fn miss(&mut self, intents: &[Intent]) {
        let nowhere = |intent: &&Intent| intent.instead.is_none() && intent.person.email.is_none();
        let people: Vec<&str> = intents.iter().filter(nowhere).map(|intent| intent.person.id.as_str()).collect();
        if people.is_empty() {
            return;
        }
        self.failed += people.len();
        let class = self.failures.entry("no-address".to_owned()).or_insert_with(|| FailureClass {
            count: 0,
            words: "no address in the roster".to_owned(),
            remedy: "add one, then run `send --to failed`; or tell them another way and record it".to_owned(),
            people: Vec::new(),
            again_at: None,
        });
        class.count += people.len();
        class.people.extend(people.into_iter().take(3).map(str::to_owned));
    }

    /// For whoever can only go on once everything that was due is out.
    pub(super) fn whole(self) -> Result<Sent> {
        if self.ended { Err(outbox::given_up(&self.stopped)) } else { Ok(self) }
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
    /// The end of its window in the calendar: what waits for longer is held.
    pub until: Option<chrono::DateTime<chrono::Utc>>,
    /// For an escalation: to whom instead of the person.
    pub instead: Option<lettre::Address>,
    /// The messages that it takes the place of.
    pub replaces: Vec<i64>,
    /// What is different from what the person was told: an amendment, which names it first.
    pub changes: Vec<Changed>,
    /// Takes the calendar entry of this revision out again.
    pub cancels: Option<u32>,
    /// A letter of the person's that it replies to.
    pub answers: Option<Arc<Answered>>,
}

impl Intent {
    /// A notice to the person it is about, for itself.
    pub(super) fn new(notice: impl Into<String>, person: Arc<Person>, due_at: chrono::DateTime<chrono::Utc>) -> Intent {
        Intent {
            notice: notice.into(),
            person,
            acknowledgement: None,
            copy: 0,
            count: 0,
            room: usize::MAX,
            reason: String::new(),
            due_at,
            until: None,
            instead: None,
            replaces: Vec::new(),
            changes: Vec::new(),
            cancels: None,
            answers: None,
        }
    }
}

impl Engine<'_> {
    /// Sends what is due, or one notice now. To some people, or with a `limit`, only theirs and only so many leave: what was
    /// planned before counts, and goes first. With `again`, people who have the notice already get another copy.
    pub fn send(
        &mut self,
        notice: Option<&str>,
        to: &To,
        limit: Option<usize>,
        again: bool,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Sent> {
        self.require_no_choice_at_the_end(notice, to, limit)?;
        if self.ledger.aborted()?.is_some() && notice.is_none() {
            return self.tell_of_abort(to, stop, progress);
        }
        self.require_not_aborted()?;
        self.require_roster()?;
        self.require_filled_in()?;
        self.require_clock()?;
        if notice.is_none() && self.is_postponed()? {
            return self.send_while_postponed(to, stop, progress);
        }
        self.require_unchanged()?;
        let now = self.now();
        self.doubt_again_who_is_back()?;
        let doubted_twice = self.ledger.recover(now, self.campaign.mail.uncertain)?;
        self.call_letters_back()?;
        self.take_back_from_gone()?;
        self.take_back_older_reminders()?;
        let mut wanted = notice.map_or_else(Wanted::default, |name| Wanted::Notice(name.to_owned()));
        let mut sent = Sent { doubted_twice, ..Sent::default() };
        let mut choice = self.choice(notice, to, limit)?;
        if !self.by_step {
            self.ledger.bring_forward(&self.early(notice, to, &choice)?, now)?;
        }
        self.readdress(&mut sent)?;
        self.go_on_in_chain(&mut sent)?;
        let limit = limit.unwrap_or(usize::MAX);
        let mut intents = match (to, notice) {
            (To::Failed, _) => {
                let again = self.try_again(notice, limit)?;
                (sent.resting, sent.further) = (again.resting, again.further);
                (sent.planned, sent.untried) = (again.same.len(), again.left);
                choice.letters = Some(again.letters.clone());
                wanted = Wanted::Letters(again.letters);
                again.intents
            }
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
        if self.by_step {
            let letter = |intent: &Intent| (intent.person.id.clone(), intent.notice.clone());
            wanted = Wanted::Letters(intents.iter().map(letter).collect());
        }
        if *to == To::Unanswered {
            choice.letters = Some(choice::letters(&intents));
        }
        if limit < usize::MAX {
            // What quiet hours have put off and is asked for now counts.
            self.let_sleep(&wanted)?;
        }
        let beyond = self.keep_to_limit(&mut intents, &choice)?;
        if *to == To::Failed {
            sent.untried += beyond;
        }
        if let Some(name) = notice {
            sent.failed_before = self.failed_before(name, to, &intents)?;
        }
        self.tell_what_was_missed(&mut intents)?;
        let begun = Instant::now();
        sent.planned += self.plan_messages(&intents, &mut sent)?;
        sent.urgent = self.let_sleep(&wanted)?;
        sent.planning = begun.elapsed();
        sent.miss(&intents);
        drop(intents);
        let chosen = self.chosen(&choice)?;
        self.ledger.choose(chosen.as_deref())?;
        let delivered = self.deliver(&mut sent, &wanted, stop, progress);
        self.ledger.choose(None)?;
        delivered?;
        let mut sent = self.weigh(sent)?;
        sent.called_off = self.aborted()?.is_some();
        self.leave_others_out(&mut sent, &choice)?;
        Ok(sent)
    }

    /// Sends what amendments still owe, and nothing else that is due.
    pub(super) fn send_owed(&mut self, stop: &AtomicBool, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Sent> {
        self.take_back_from_gone()?;
        let mut intents = self.intents_owed()?;
        if self.is_postponed()? {
            // What has not left names a date that nobody knows any more; and who was to hear of it waits for the new one.
            let dated = self.ledger.waiting()?.into_iter().filter(|one| !is_told(&one.notice)).map(|one| one.id);
            self.ledger.hold_back(&dated.collect::<Vec<_>>(), "taken back: the change was put off", self.now())?;
            intents.retain(|intent| is_told(&intent.notice));
        }
        let mut sent = Sent::default();
        self.readdress(&mut sent)?;
        self.go_on_in_chain(&mut sent)?;
        sent.planned = self.plan_messages(&intents, &mut sent)?;
        let wanted = Wanted::default();
        sent.urgent = self.let_sleep(&wanted)?;
        self.deliver(&mut sent, &wanted, stop, progress)?;
        self.weigh(sent)
    }

    pub(super) fn intents_owed(&self) -> Result<Vec<Intent>> {
        let mut intents = self.intents_of(self.owed()?)?;
        intents.extend(self.intents_corrected()?);
        Ok(intents)
    }

    /// What people are to get because of amendments.
    pub(super) fn intents_of(&self, owed: Vec<Owed>) -> Result<Vec<Intent>> {
        let told = self.ledger.ever_told()?.into_iter().map(|told| (told.person.clone(), told));
        let told: HashMap<String, Told> = told.collect();
        let now = self.now();
        let amended = if self.has_nights() { self.ledger.amended()? } else { HashMap::new() };
        let wanted = Wanted::default();
        let nights = Nights::new(&self.campaign, &self.roster, amended, &wanted);
        let mut intents = Vec::new();
        for owed in owed {
            let dated = told.get(&owed.person).filter(|_| matches!(owed.notice.as_str(), "postponed" | "correction"));
            let was = told.get(&owed.person).filter(|_| owed.notice == "postponed");
            let person = self.roster.shared(&owed.person).or_else(|| was.map(|told| self.still_known(told)));
            let Some(person) = person else { continue };
            let mut reason = owed.reason;
            let (id, notice, place) = (owed.person.clone(), owed.notice.clone(), Some(Whereabouts::of(&person)));
            if nights.urgent(&Asked { person: id, notice, place, expires: None }, now).is_some() {
                reason = Reason::Urgent { reason }.words(person.language.as_deref());
            }
            intents.push(Intent {
                acknowledgement: self.acknowledgement_asked_by(&owed.notice).map(str::to_owned),
                // Beyond 0 where one was taken back: they had left, and are back.
                copy: self.ledger.next_copy(&owed.person, &owed.notice, owed.revision)?,
                reason,
                cancels: dated.and_then(|told| told.calendar),
                changes: owed.changes,
                ..Intent::new(owed.notice, person, now)
            });
        }
        Ok(intents)
    }

    /// Whether anything was to be done at all, and what waits for the morning.
    pub(super) fn weigh(&self, mut sent: Sent) -> Result<Sent> {
        sent.kept_waiting = if self.ledger.presses_nobody { self.kept_waiting()? } else { 0 };
        let done = sent.planned
            + sent.readdressed
            + sent.redated
            + sent.gone_on
            + sent.nobody_left
            + sent.sent
            + sent.deferred
            + sent.failed
            + sent.uncertain
            + sent.kept_waiting;
        let stopped = sent.interrupted || sent.ended;
        let held = sent.expired + sent.doubted_before + sent.doubted_twice;
        sent.nothing_due = done + sent.released + sent.moot + held == 0 && !stopped;
        sent.asleep = self.asleep()?;
        let (left, asleep) = (self.ledger.counts()?, sent.asleep.iter().map(|one| one.messages).sum());
        sent.waiting = (left.planned + left.sending + left.deferred).saturating_sub(asleep);
        sent.in_doubt = left.uncertain;
        sent.deferrals = if left.deferred > 0 { self.deferrals()? } else { Default::default() };
        if sent.uncertain > 0 {
            let again = |one: &MessageRow| one.state == State::Uncertain && one.doubts > 1;
            let doubtful = self.ledger.messages_in_trouble()?;
            sent.uncertain_again = doubtful.iter().filter(|one| again(one)).count().min(sent.uncertain);
        }
        sent.tasks.extend(self.calls_about_the_end()?);
        Ok(sent)
    }

    /// Carries what is planned to the server or the folder.
    pub(super) fn deliver(
        &mut self,
        sent: &mut Sent,
        wanted: &Wanted,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<()> {
        if self.ledger.next_due()?.is_none_or(|due| due > self.now()) {
            return Ok(());
        }
        self.world.mail_server()?;
        let (settings, suspended) = (self.mail_settings(), self.paused_still()?);
        if let Some(one) = self.held_by_pause()?.filter(|_| self.by_schedule) {
            let until = one.until.with_timezone(&self.campaign.change.zone).format("%a %F %H:%M %Z").to_string();
            (sent.stopped, sent.ended) = (vec![one.finding(&until)], true);
            return Ok(());
        }
        let transport = match self.transport() {
            Ok(transport) => transport,
            Err(fault) => {
                // Where that cannot be noted, the fault itself says more.
                self.ledger.note_outage(fault.findings.first(), &settings, self.now()).ok();
                return Err(fault);
            }
        };
        let mail = &self.campaign.mail;
        progress(Progress::Due(self.ledger.due(self.now())?));
        let begun = Instant::now();
        let nights = Nights::new(&self.campaign, &self.roster, self.ledger.amended()?, wanted);
        let hours = self.has_nights().then_some(&nights as &dyn Hours);
        let limits = Limits {
            connections: mail.connections,
            rate: mail.rate,
            domains: mail.domains.clone(),
            before: self.left_lately()?,
            yielding: self.yielding()?,
            hours,
            senders: (mail.reply_to != mail.bounce_to).then(|| self.ledger.senders()).transpose()?,
            probing: self.by_schedule && suspended.is_some(),
            suspended,
            settings,
        };
        let held = self.ledger.held_in_doubt()?;
        let summary = outbox::deliver(&mut self.ledger, &transport, &limits, self.world, stop, progress)?;
        sent.carrying = begun.elapsed();
        sent.released = summary.released;
        sent.expired = summary.late;
        sent.moot = summary.moot;
        (sent.interrupted, sent.yielded) = (summary.interrupted, summary.yielded);
        sent.sent = summary.sent;
        sent.deferred = summary.deferred;
        sent.failed += summary.failed;
        sent.uncertain = summary.uncertain;
        sent.doubted_before = self.ledger.held_in_doubt()?.saturating_sub(held);
        sent.failures.extend(summary.failures);
        sent.in_doubt_still = summary.in_doubt_still;
        let unreadable = self.ledger.take_unreadable();
        sent.failed += unreadable.len();
        for (person, fault) in &unreadable {
            let finding = &fault.findings[0];
            let words = || (finding.cause.clone(), finding.remedy.clone());
            FailureClass::add(&mut sent.failures, finding.code.to_owned(), person, words);
        }
        (sent.stopped, sent.ended) = (summary.stopped, summary.ended);
        // A pause says it by itself.
        let paused = self.ledger.suspended()?.is_some();
        let unreached = if sent.ended && !paused { sent.stopped.first() } else { None };
        if unreached.is_none() && !paused && !summary.judged {
            // Whether the server can be reached is as it was.
            return Ok(());
        }
        self.ledger.note_outage(unreached, &self.mail_settings(), self.now())
    }

    pub(super) fn people_of(&self, audience: &str) -> impl Iterator<Item = Arc<Person>> {
        let members = self.roster.audience(&self.campaign.audiences[audience]);
        members.filter_map(|person| self.roster.shared(&person.id))
    }

    pub(super) fn ids_of(&self, words: &[String]) -> Result<HashSet<String>> {
        words.iter().map(|word| Ok(self.roster.find(word)?.id.clone())).collect()
    }

    pub(super) fn narrow(&self, intents: &mut Vec<Intent>, to: &To) -> Result<()> {
        match to {
            To::Everyone | To::Failed => {}
            To::People(words) => {
                let ids = self.ids_of(words)?;
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
