//! The scheduler's rounds: what is due goes out, what became of it is told, and people read it.

use super::outcome::Kind as Event;
use super::script::On;
use super::stage::Stage;
use super::world::Killed;
use crate::engine::{Engine, Sent, To};
use crate::fault::{Fault, Result};
use crate::ledger::MessageRow;
use crate::outbox::{Progress, State};
use chrono::{DateTime, FixedOffset, Offset, Utc};
use indexmap::IndexMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::AtomicBool;

impl Stage<'_, '_> {
    /// One round of the scheduler.
    pub(super) fn round(&mut self) -> Result<()> {
        self.send(None, &To::Everyone, false)?;
        let ahead = self.world.ahead();
        let next = self.engine.next_entry()?.map(|entry| entry.at);
        // What could not leave yet has its own hour.
        let due = self.engine.ledger().next_due()?;
        let now = self.engine.now();
        for at in next.into_iter().chain(due).filter(|at| *at > now) {
            self.round_at(at - ahead);
        }
        Ok(())
    }

    /// Sends, tells what went out, and lets people read it. What stops it is told, and the play goes on.
    pub(super) fn send(&mut self, notice: Option<&str>, to: &To, again: bool) -> Result<()> {
        let stop = AtomicBool::new(false);
        let sent = self.run(|engine, progress| engine.send(notice, to, None, again, &stop, progress));
        let sent = match sent {
            Ok(sent) => {
                self.record.goes_on("send");
                sent.unwrap_or_default()
            }
            Err(fault) => {
                self.stopped_sending(&fault)?;
                Sent::default()
            }
        };
        self.read_mail()?;
        self.tell_tasks()?;
        for entry in sent.late {
            let notice = entry.notice.clone().unwrap_or_default();
            let about = entry.acknowledgement.as_ref().map(|name| format!(" for {name}")).unwrap_or_default();
            let subject = format!("{notice}{about} of {}", self.record.shown(entry.at));
            if self.held.insert(subject.clone()) {
                self.event(
                    Event::Held,
                    &subject,
                    &format!("'{notice}'{about} was due {} and is held", self.record.shown(entry.at)),
                );
                let by = self.deadline(entry.acknowledgement.as_deref());
                self.need(
                    On::Held,
                    &notice,
                    &format!("decide about '{notice}'{about}: `flagday send {notice}` sends it late"),
                    by,
                );
                self.trigger(On::Held, None, None, Some(&notice));
            }
        }
        self.judge()
    }

    pub(super) fn stopped_sending(&mut self, fault: &Fault) -> Result<()> {
        let counts = self.engine.ledger().counts()?;
        let waiting = match counts.planned + counts.deferred {
            0 => String::new(),
            n => format!("; {n} messages wait"),
        };
        let now = self.world.truly();
        self.record.stop(now, "send", &format!("nothing is sent: {}{waiting}", fault.cause()));
        Ok(())
    }

    /// Runs something of the engine that may be killed meanwhile; `None` when it was.
    pub(super) fn run<T>(
        &mut self,
        run: impl FnOnce(&mut Engine, &mut dyn FnMut(Progress<'_>)) -> Result<T>,
    ) -> Result<Option<T>> {
        let (engine, mut left) = (&mut self.engine, self.kill_after);
        let ended = catch_unwind(AssertUnwindSafe(|| {
            run(engine, &mut |progress| {
                if let (Progress::Settled { .. }, Some(left)) = (progress, &mut left) {
                    *left -= 1;
                    if *left == 0 {
                        resume_unwind(Box::new(Killed));
                    }
                }
            })
        }));
        match ended {
            Ok(result) => result.map(Some),
            Err(payload) if payload.is::<Killed>() => self.killed().map(|()| None),
            Err(payload) => resume_unwind(payload),
        }
    }

    /// Tells what became of messages since the last look, and lets everybody react.
    pub(super) fn read_mail(&mut self) -> Result<()> {
        let settled = self.settled_messages()?;
        let now = self.world.truly();
        let mut groups: IndexMap<(Event, String), (Vec<String>, Option<FixedOffset>)> = IndexMap::new();
        for message in &settled {
            let kind = match message.state {
                State::Sent | State::Delivered => Event::Sent,
                State::Failed | State::Bounced => Event::Failed,
                State::Held => Event::Held,
                _ => continue,
            };
            // A manager has a clock of their own.
            let zone = self.engine.roster.get(&message.person).filter(|_| message.tells);
            let zone = zone.map(|person| person.time_zone.unwrap_or(self.engine.campaign.change.zone));
            let offset = zone.map(|zone| now.with_timezone(&zone).offset().fix());
            let (people, there) = groups.entry((kind, self.subject(message))).or_insert_with(|| (Vec::new(), offset));
            *there = there.filter(|there| Some(*there) == offset);
            people.push(message.person.clone());
        }
        for ((kind, subject), (people, there)) in groups {
            self.record.messages(self.world.truly(), kind, &subject, people, there);
        }
        for message in settled {
            match message.state {
                State::Sent => self.react(&message)?,
                State::Failed => {
                    let by = self.deadline(message.acknowledgement.as_deref());
                    let what =
                        format!("tell {} another way: mail does not reach them ({})", message.person, message.reply);
                    self.need(On::Bounced, &message.person, &what, by);
                    self.trigger(On::Bounced, None, Some(&message.person), None);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What a message is, the same in every rehearsal: `reminder 2 for disk-received` is the second that a person gets.
    fn subject(&mut self, message: &MessageRow) -> String {
        match (message.notice.as_str(), &message.acknowledgement) {
            (name @ ("reminder" | "escalation"), Some(asked)) => {
                let key = (message.person.clone(), asked.clone(), name.to_owned());
                let nth = self.pressed.entry(key).or_default();
                *nth += usize::from(message.state == State::Sent);
                format!("{name} {} for {asked}", (*nth).max(1))
            }
            (name, _) if !message.tells => format!("{name} to a manager or alternate"),
            (name, _) if message.copy > 0 => format!("{name}, copy {}", message.copy + 1),
            (name, _) => name.to_owned(),
        }
    }

    /// Calls to make.
    pub(super) fn tell_tasks(&mut self) -> Result<()> {
        for task in self.engine.ledger().tasks()?.into_iter().skip(self.tasks) {
            self.tasks += 1;
            self.event_of(
                Event::Task,
                &format!("call for {}", task.acknowledgement),
                &task.person,
                &format!("to do: {}", task.what),
            );
            let by = self.deadline(Some(&task.acknowledgement));
            self.need(On::Escalated, &task.person, &task.what, by);
            self.trigger(On::Escalated, None, Some(&task.person), None);
        }
        Ok(())
    }

    /// Until when something about this acknowledgement may take: until the answer is due, then until the change.
    pub(super) fn deadline(&self, acknowledgement: Option<&str>) -> Option<DateTime<Utc>> {
        let (now, change) = (self.world.truly(), &self.engine.campaign.change);
        let asked = acknowledgement.and_then(|name| self.engine.campaign.acknowledgements.get(name));
        let due = asked.and_then(|one| one.due).map(|due| due.instant(change));
        due.into_iter().chain([change.at]).find(|at| *at > now)
    }

    pub(super) fn need(&mut self, on: On, whom: &str, what: &str, by: Option<DateTime<Utc>>) {
        self.record.need(self.world.truly(), on, whom, what, by);
    }
}
