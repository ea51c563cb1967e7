//! One lane: a connection, kept as long as it serves, and the messages that go over it one after the other.

use super::queue::Claimed;
use super::refusals::{Alarm, REST};
use super::retry::{Next, TROUBLE_PAUSE, after_deferral, after_trouble};
use super::round::Shared;
use super::senders::Judged;
use super::smtp::{Dial, Phase, Session, Trouble, Verdict};
use super::{Outcome, Progress, Refusal, Reply};
use crate::fault::{Finding, Result};
use std::pin::pin;
use tokio::time::{Instant, timeout};

/// So many times in a row the connection may fail before its lane gives up.
const TROUBLES_IN_A_ROW: u32 = 5;
/// So many times one message may be part of it before others go first.
const TROUBLES_PER_MESSAGE: u32 = 2;

/// How a lane ended.
#[derive(Debug)]
pub enum End {
    /// There was nothing for it to do.
    Idle,
    /// Nothing is left.
    Drained,
    /// Its connection failed too often, or once for good.
    Stopped(Finding),
}

/// Carries messages until there are none, or the connection fails for good.
pub async fn run(number: usize, shared: &Shared<'_>, dial: &impl Dial) -> Result<End> {
    let ended = carry_all(number, shared, dial).await;
    shared.leave(number);
    ended
}

async fn carry_all(number: usize, shared: &Shared<'_>, dial: &impl Dial) -> Result<End> {
    let mut lane = Lane { number, shared, dial, session: None, troubles: 0 };
    let mut end = End::Idle;
    loop {
        let finding = match lane.turn().await? {
            Some(message) => {
                end = End::Drained;
                lane.carry(&message).await?
            }
            None => match shared.nobody_else(number)? {
                Some(alarm) => lane.heed(alarm)?,
                None => break,
            },
        };
        if let Some(finding) = finding {
            shared.tell(Progress::Stopped { lane: number, finding: &finding });
            return Ok(End::Stopped(finding));
        }
    }
    if let Some(session) = lane.session {
        session.quit().await;
    }
    Ok(end)
}

struct Lane<'a, 's, D> {
    number: usize,
    shared: &'a Shared<'s>,
    dial: &'a D,
    session: Option<Session>,
    /// In a row, until a server judges a message again.
    troubles: u32,
}

impl<D: Dial> Lane<'_, '_, D> {
    /// The next message. While there is none to begin with, the connection is not kept for longer than it may idle.
    async fn turn(&mut self) -> Result<Option<Claimed>> {
        let mut turn = pin!(self.shared.turn(self.number));
        if self.session.is_some()
            && let Ok(message) = timeout(self.dial.idle(), turn.as_mut()).await
        {
            return message;
        }
        if let Some(session) = self.session.take() {
            session.quit().await;
        }
        turn.await
    }

    /// Brings one message to a result. A finding: the lane is at its end, and the message is settled all the same.
    async fn carry(&mut self, message: &Claimed) -> Result<Option<Finding>> {
        let mut troubles = 0;
        loop {
            if self.shared.stays(message)? {
                return Ok(None);
            }
            let reused = self.session.as_ref().is_some_and(Session::is_usable);
            let (trouble, in_transaction) = match self.attempt(message).await? {
                Attempt::Settled(alarm) => return alarm.map_or(Ok(None), |alarm| self.heed(alarm)),
                Attempt::Lost(trouble) => return self.lost(&trouble).await,
                Attempt::Stopped => {
                    let why = "stopped before it was begun".to_owned();
                    return self.release(message, why).map(|()| None);
                }
                // The server hung up on a connection that was open already: that is nobody's failure, once.
                Attempt::Trouble(trouble, true) if reused && trouble.is_a_farewell() => continue,
                Attempt::Trouble(trouble, in_transaction) => (trouble, in_transaction),
            };
            let finding = trouble.finding(&self.dial.name());
            if let Trouble::SenderRefused(reply) = &trouble {
                match self.shared.sender_refused(message, reply) {
                    Judged::Fails => {
                        let refusal = Refusal::Sender { sender: message.sender, reply: reply.clone() };
                        return self.shared.settle(message, Outcome::Failed { refusal }).map(|()| None);
                    }
                    Judged::Waits => return self.shared.stays(message).map(|_| None),
                    Judged::Aside => return self.release(message, finding.cause).map(|()| None),
                    Judged::OfTheConnection => {}
                }
            }
            troubles += u32::from(in_transaction);
            if self.is_at_its_end(&trouble, &finding)? {
                self.release(message, finding.cause.clone())?;
                return Ok(Some(finding));
            }
            if troubles >= TROUBLES_PER_MESSAGE {
                return self.put_aside(message, &trouble, finding).map(|()| None);
            }
            if !self.rest(&finding).await {
                return self.release(message, finding.cause).map(|()| None);
            }
        }
    }

    /// One transaction, over the open session or a new one.
    async fn attempt(&mut self, message: &Claimed) -> Result<Attempt> {
        let mut session = match self.session.take() {
            Some(session) if session.is_usable() => session,
            worn => {
                if let Some(worn) = worn {
                    worn.quit().await;
                }
                // A server that keeps silent at its greeting is not waited for by whoever stops the run.
                let opened = tokio::select! {
                    opened = self.dial.open() => opened,
                    () = self.shared.over() => return Ok(Attempt::Stopped),
                };
                match opened {
                    Ok(session) => session,
                    Err(trouble) => return Ok(Attempt::Trouble(trouble, false)),
                }
            }
        };
        let shared = self.shared;
        let verdict = session.transmit(message, &mut || shared.mark(message)).await?;
        let outcome = match verdict {
            Verdict::Broken { trouble, marked: false } => return Ok(Attempt::Trouble(trouble, true)),
            Verdict::Broken { trouble, marked: true } => {
                shared.settle(message, Outcome::Uncertain { why: trouble.to_string() })?;
                return Ok(Attempt::Lost(trouble));
            }
            Verdict::LeaseLost => {
                shared.lost(message);
                return Ok(Attempt::Settled(None));
            }
            Verdict::Accepted(reply) => {
                shared.sender_accepted(message);
                Outcome::Sent { reply }
            }
            Verdict::Refused(refusal) => Outcome::Failed { refusal },
            // The server judged nobody, it closes: that is the lane's trouble and costs the message no attempt.
            Verdict::Later(phase, reply) if reply.code == 421 => {
                shared.settle(message, self.farewell(message, reply.clone()))?;
                return Ok(Attempt::Lost(Trouble::Turned(phase, reply)));
            }
            Verdict::Later(phase, reply) => self.deferral(message, phase, reply),
        };
        let alarm = shared.heed(message, &outcome)?;
        shared.settle(message, outcome)?;
        self.troubles = 0;
        self.session = Some(session);
        Ok(Attempt::Settled(alarm))
    }

    fn deferral(&self, message: &Claimed, phase: Phase, reply: Reply) -> Outcome {
        let attempts = message.attempt + 1;
        match after_deferral(attempts, self.shared.now(), message.expires, message.id as u64) {
            Next::At(until) => Outcome::Deferred { reply, until },
            Next::GiveUp => Outcome::Failed { refusal: Refusal::GaveUp { attempts, phase, reply } },
        }
    }

    /// The message waits, and is never given up for that: past its expiry it is held, by itself.
    fn farewell(&self, message: &Claimed, reply: Reply) -> Outcome {
        let now = self.shared.now();
        let until = match after_deferral(1, now, None, message.id as u64) {
            Next::At(until) => until,
            Next::GiveUp => now + TROUBLE_PAUSE,
        };
        Outcome::Deferred { reply, until }
    }

    /// It failed with this message more than once: others go first. Where the connection ends with it time after time, for
    /// days, it is the message, and it fails like one that is deferred too often.
    fn put_aside(&self, message: &Claimed, trouble: &Trouble, finding: Finding) -> Result<()> {
        let (attempts, now) = (message.attempt + 1, self.shared.now());
        let may_be_the_message = trouble.may_be_the_message();
        let Finding { cause: why, remedy, .. } = finding;
        let until = match after_deferral(attempts, now, None, message.id as u64) {
            _ if !may_be_the_message => now + TROUBLE_PAUSE,
            Next::At(until) => until,
            Next::GiveUp => {
                let refusal = Refusal::Unfinished { attempts, why };
                return self.shared.settle(message, Outcome::Failed { refusal });
            }
        };
        let outcome = Outcome::Broken { why, remedy, until, may_be_the_message };
        self.shared.settle(message, outcome)
    }

    fn release(&self, message: &Claimed, why: String) -> Result<()> {
        self.shared.settle(message, Outcome::Released { why })
    }

    /// The message is settled, the connection gone; the lane goes on after a rest unless that is the last straw.
    async fn lost(&mut self, trouble: &Trouble) -> Result<Option<Finding>> {
        let finding = trouble.finding(&self.dial.name());
        if self.is_at_its_end(trouble, &finding)? {
            return Ok(Some(finding));
        }
        self.rest(&finding).await;
        Ok(None)
    }

    /// A run of refusals makes every lane rest, has others asked, or ends them all and stays in force.
    fn heed(&self, alarm: Alarm) -> Result<Option<Finding>> {
        let Some(finding) = alarm.finding(&self.dial.name()) else {
            if alarm == Alarm::Ask {
                self.shared.ask_others(self.number)?;
            }
            return Ok(None);
        };
        match alarm {
            Alarm::Stop { class, taken_back, .. } => {
                self.shared.halt();
                self.shared.suspend(class, &finding, &taken_back)?;
                return Ok(Some(finding));
            }
            _ => {
                self.shared.rest(REST);
                self.shared.tell(Progress::Trouble { lane: self.number, finding: &finding, pause: REST });
            }
        }
        Ok(None)
    }

    /// Counts the trouble. What no lane can mend ends them all and stays in force: tried every minute, a wrong password
    /// locks the account.
    fn is_at_its_end(&mut self, trouble: &Trouble, finding: &Finding) -> Result<bool> {
        self.troubles += 1;
        if trouble.is_final() {
            self.shared.halt();
            self.shared.suspend(finding.code.to_owned(), finding, &[])?;
        }
        Ok(trouble.is_final() || self.troubles >= TROUBLES_IN_A_ROW)
    }

    /// Twice as long after each trouble. False when the run ends meanwhile.
    async fn rest(&self, finding: &Finding) -> bool {
        let seed = self.shared.now().timestamp_micros() as u64 ^ (self.number as u64).rotate_left(48);
        let pause = after_trouble(self.troubles.clamp(1, TROUBLES_IN_A_ROW), seed);
        self.shared.tell(Progress::Trouble { lane: self.number, finding, pause });
        self.shared.wait_until(Instant::now() + pause).await
    }
}

/// What became of one try.
enum Attempt {
    /// With what it adds to a run of refusals.
    Settled(Option<Alarm>),
    /// Settled as uncertain, or for later with a farewell; the connection is gone.
    Lost(Trouble),
    /// Before the mark; true: within the message's own transaction.
    Trouble(Trouble, bool),
    /// The run ended before there was a connection.
    Stopped,
}
