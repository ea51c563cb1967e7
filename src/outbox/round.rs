//! What all lanes of one round of sending have in common, on one thread: the queue, the pace, the sums, the reasons to end.

use super::batch::Batch;
use super::giving_way::GivingWay;
use super::pacing::Pacer;
use super::queue::{Claimed, Lease, Queue};
use super::refusals::{Alarm, Before, Run};
use super::retry::TROUBLE_PAUSE;
use super::senders::{Judged, Senders};
use super::{Hours, Limits, Outcome, Progress, Reply, Summary, Suspended};
use crate::fault::{Finding, Result};
use crate::system::World;
use chrono::{DateTime, Utc};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// How often a waiting lane looks whether it is to stop.
const GLANCE: Duration = Duration::from_millis(200);

/// Claimed and waiting for their domains at most: beyond that, mail to yet other domains waits too.
const MOST_WAITING: usize = 512;

/// What was deferred comes due again while a slow domain keeps the run alive: so often the queue is asked anew.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What all lanes share, on one thread.
pub struct Shared<'a> {
    queue: RefCell<&'a mut dyn Queue>,
    summary: RefCell<Summary>,
    stop: &'a AtomicBool,
    claims: RefCell<VecDeque<Claimed>>,
    /// Mail of another sender goes first.
    aside: RefCell<VecDeque<Claimed>>,
    senders: RefCell<Senders>,
    batch: RefCell<Batch>,
    pacer: RefCell<Pacer>,
    clock: &'a dyn World,
    hours: Option<&'a dyn Hours>,
    progress: RefCell<&'a mut dyn FnMut(Progress<'_>)>,
    halted: Cell<bool>,
    giving_way: GivingWay,
    /// Given back, and not carried since.
    released: RefCell<HashSet<i64>>,
    refusals: RefCell<Run>,
    /// In force when the run began, and not over yet.
    suspended: RefCell<Option<Suspended>>,
    settings: String,
    /// The lane that asks others, after a run of refusals; the other lanes wait for what becomes of that.
    asking: Cell<Option<usize>>,
    /// No lane begins a message before.
    resting: Cell<Option<Instant>>,
    /// When the queue last said that the run is not called off.
    asked: Cell<Option<Instant>>,
    /// Beside mail to these domains, all of which wait, the queue had nothing more to give.
    drawn_dry: RefCell<Option<(Vec<String>, Instant)>>,
}

impl<'a> Shared<'a> {
    pub fn new(
        queue: &'a mut dyn Queue,
        limits: &Limits<'a>,
        lanes: usize,
        clock: &'a dyn World,
        stop: &'a AtomicBool,
        progress: &'a mut dyn FnMut(Progress<'_>),
    ) -> Self {
        Shared {
            queue: RefCell::new(queue),
            summary: RefCell::default(),
            stop,
            claims: RefCell::default(),
            aside: RefCell::default(),
            senders: RefCell::new(limits.senders.map_or_else(Senders::of_one_address, Senders::after)),
            batch: RefCell::new(Batch::new(lanes)),
            pacer: RefCell::new(Pacer::new(limits.rate, limits.domains.clone()).after(&limits.before, Instant::now())),
            clock,
            hours: limits.hours,
            progress: RefCell::new(progress),
            halted: Cell::new(false),
            giving_way: GivingWay::new(limits.yielding.clone(), lanes),
            released: RefCell::default(),
            refusals: RefCell::new(limits.suspended.as_ref().map_or_else(Run::default, |suspended| {
                let before = if limits.probing { Before::Pause } else { Before::Overruled };
                Run::after(suspended.class.clone(), before, suspended.times)
            })),
            suspended: RefCell::new(limits.suspended.clone()),
            settings: limits.settings.clone(),
            asking: Cell::new(None),
            resting: Cell::new(None),
            asked: Cell::new(None),
            drawn_dry: RefCell::default(),
        }
    }

    /// The next message that may still go out, without regard to any pace.
    pub fn next(&self) -> Result<Option<Claimed>> {
        if self.is_over() {
            return Ok(None);
        }
        loop {
            match self.pick(0)? {
                Pick::Ready(message) if self.stays(&message)? => {}
                Pick::Ready(message) => return Ok(Some(message)),
                Pick::Wait(_) | Pick::Nothing => return Ok(None),
            }
        }
    }

    /// Asks once more, at the instant of sending, whether the message may leave and is needed; where not, that is its result.
    pub fn stays(&self, message: &Claimed) -> Result<bool> {
        if let Some(outcome) = self.untimely(message) {
            return self.settle(message, outcome).map(|()| true);
        }
        let answer = self.queue.borrow_mut().moot(message);
        match self.watch(answer)? {
            Some(why) => self.settle(message, Outcome::Moot { why }).map(|()| true),
            None => Ok(false),
        }
    }

    /// Its result, where its time is over, whoever gets it is asleep or its sender is refused.
    fn untimely(&self, message: &Claimed) -> Option<Outcome> {
        let now = self.clock.now();
        if message.expires.is_some_and(|expires| expires <= now) {
            return Some(Outcome::Late);
        }
        if let Some(until) = self.hours.and_then(|hours| hours.asleep(message, now)) {
            return Some(Outcome::Asleep { until });
        }
        let why = self.senders.borrow().holds(message.sender)?;
        Some(held_back(message, why, now))
    }

    /// The next message in its turn: its recipient's domain and the rate let it start now. Waits for it, while messages
    /// to other domains go first; `None` when nothing is left or the run ends.
    pub async fn turn(&self, lane: usize) -> Result<Option<Claimed>> {
        while !self.is_over() {
            if let Some(until) = self.resting.get()
                && !self.wait_until(until).await
            {
                return Ok(None);
            }
            if self.waits_for_others(lane) {
                sleep(GLANCE).await;
                continue;
            }
            match self.pick(lane)? {
                Pick::Nothing => return Ok(None),
                Pick::Wait(until) => {
                    self.giving_way.waits_for_domain(Instant::now(), until);
                    self.wait_for_pace(until).await;
                }
                Pick::Ready(message) => {
                    let now = Instant::now();
                    let start = self.pacer.borrow_mut().reserve(now);
                    self.giving_way.waits_in_turn(now, start);
                    if self.wait_for_pace(start).await {
                        return Ok(Some(message));
                    }
                    let why = "stopped before it was begun".to_owned();
                    self.settle(&message, Outcome::Released { why })?;
                }
            }
        }
        Ok(None)
    }

    fn pick(&self, lane: usize) -> Result<Pick> {
        loop {
            self.part()?;
            let (now, mut wake) = (Instant::now(), None);
            let mut first = None;
            for (place, message) in self.claims.borrow().iter().enumerate() {
                // Before it takes anything of the pace.
                let untimely = self.untimely(message);
                if untimely.is_some() {
                    first = Some((place, untimely));
                    break;
                }
                match self.pacer.borrow_mut().admit(message, lane, now) {
                    Ok(()) => {
                        first = Some((place, None));
                        break;
                    }
                    Err(later) => wake = Some(wake.map_or(later, |wake: Instant| wake.min(later))),
                }
            }
            let taken = first.and_then(|(place, outcome)| Some((self.claims.borrow_mut().remove(place)?, outcome)));
            if let Some((message, untimely)) = taken {
                match untimely {
                    None => return Ok(Pick::Ready(message)),
                    Some(outcome) => self.settle(&message, outcome)?,
                }
            } else if !self.draw()? {
                match wake {
                    Some(wake) => return Ok(Pick::Wait(wake)),
                    None if self.senders.borrow_mut().nothing_else() => {}
                    None => return Ok(Pick::Nothing),
                }
            }
        }
    }

    /// Lays mail aside whose sender was refused, while that of the other one goes first; or takes it up again.
    fn part(&self) -> Result<()> {
        let is_aside = |message: &Claimed| self.senders.borrow().is_aside(message.sender);
        let all: Vec<Claimed> = {
            let (mut claims, mut aside) = (self.claims.borrow_mut(), self.aside.borrow_mut());
            if aside.is_empty() && !claims.iter().any(is_aside) {
                return Ok(());
            }
            claims.drain(..).chain(aside.drain(..)).collect()
        };
        for message in all {
            if !is_aside(&message) {
                self.claims.borrow_mut().push_back(message);
            } else if self.aside.borrow().len() < MOST_WAITING {
                self.aside.borrow_mut().push_back(message);
            } else {
                let why = "mail of another sender goes first: this one was refused".to_owned();
                let outcome = held_back(&message, why, self.clock.now());
                self.settle(&message, outcome)?;
            }
        }
        Ok(())
    }

    /// What the server's refusal of its sender means for a message.
    pub fn sender_refused(&self, message: &Claimed, reply: &Reply) -> Judged {
        self.senders.borrow_mut().refuse(message.sender, &reply.to_string())
    }

    pub fn sender_accepted(&self, message: &Claimed) {
        self.senders.borrow_mut().accept(message.sender);
    }

    /// Claims more, beside the domains whose mail waits here already: what one of them cannot take must not stand in the
    /// way of the others.
    fn draw(&self) -> Result<bool> {
        if self.refusals.borrow().is_asking() {
            return self.draw_others();
        }
        let waiting: Vec<String> =
            self.claims.borrow().iter().map(Claimed::domain).collect::<BTreeSet<_>>().into_iter().collect();
        let now = Instant::now();
        let same = |(dry, since): &(Vec<String>, Instant)| *dry == waiting && now.duration_since(*since) < LOOK_AGAIN;
        let dry = !waiting.is_empty() && self.drawn_dry.borrow().as_ref().is_some_and(same);
        if dry || self.claims.borrow().len() >= MOST_WAITING {
            return Ok(false);
        }
        let batch = self.batch.borrow_mut().next(now);
        let fresh = self.watch(self.queue.borrow_mut().claim_except(self.clock.now(), batch, &waiting))?;
        let found = !fresh.is_empty();
        self.drawn_dry.replace((!found).then_some((waiting, now)));
        self.claims.borrow_mut().extend(fresh);
        Ok(found)
    }

    /// A few from all over the queue, once those of before are through.
    fn draw_others(&self) -> Result<bool> {
        let (wanted, tried) = self.refusals.borrow().others_wanted();
        if wanted == 0 || !self.claims.borrow().is_empty() {
            return Ok(false);
        }
        let others = self.watch(self.queue.borrow_mut().claim_elsewhere(self.clock.now(), wanted, &tried))?;
        self.refusals.borrow_mut().ask(others.iter().map(|message| message.id));
        self.claims.borrow_mut().extend(others);
        Ok(!self.claims.borrow().is_empty())
    }

    /// Writes a result down, counts it and tells it.
    pub fn settle(&self, message: &Claimed, outcome: Outcome) -> Result<()> {
        self.pacer.borrow_mut().done(message);
        let settled = self.queue.borrow_mut().settle(message.id, message.fence, outcome.clone(), self.clock.now());
        match self.watch(settled)? {
            Lease::Lost => self.lost(message),
            Lease::Held => {
                match outcome {
                    Outcome::Released { .. } => self.released.borrow_mut().insert(message.id),
                    _ => self.released.borrow_mut().remove(&message.id),
                };
                self.summary.borrow_mut().count(message, &outcome);
                let (person, notice) = (&message.person, &message.notice);
                self.tell(Progress::Settled { person, notice, outcome: &outcome });
            }
        }
        Ok(())
    }

    /// Gives back what nobody carried and makes the results durable. The first thing that went wrong counts.
    pub fn conclude(self, carried: Result<()>) -> Result<Summary> {
        self.claims.borrow_mut().append(&mut self.aside.borrow_mut());
        let returned = self.give_back("not begun before the run ended");
        let flushed = self.queue.into_inner().flush();
        carried.and(returned).and(flushed)?;
        Ok(Summary { released: self.released.into_inner().len(), ..self.summary.into_inner() })
    }

    fn give_back(&self, why: &str) -> Result<()> {
        loop {
            let Some(message) = self.claims.borrow_mut().pop_front() else { return Ok(()) };
            self.settle(&message, Outcome::Released { why: why.to_owned() })?;
        }
    }

    /// The durable mark before a message's last block.
    pub fn mark(&self, message: &Claimed) -> Result<Lease> {
        let marked = self.queue.borrow_mut().mark(message.id, message.fence);
        self.watch(marked)
    }

    /// Somebody else has a message now, and settles it.
    pub fn lost(&self, message: &Claimed) {
        self.pacer.borrow_mut().done(message);
        self.summary.borrow_mut().lost += 1;
    }

    /// Lanes that gave up; `ended`: no other went on.
    pub fn stopped(&self, findings: Vec<Finding>, ended: bool) {
        let mut summary = self.summary.borrow_mut();
        (summary.stopped, summary.ended) = (findings, ended);
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// A queue that fails once is not asked for more.
    fn watch<T>(&self, answer: Result<T>) -> Result<T> {
        if answer.is_err() {
            self.halt();
        }
        answer
    }

    /// What the server's verdict adds to a run of refusals.
    pub fn heed(&self, message: &Claimed, outcome: &Outcome) -> Result<Option<Alarm>> {
        let alarm = self.refusals.borrow_mut().count(message, outcome);
        self.weigh(alarm)
    }

    /// When it was about the people, mail leaves as before. So it was where each of them was refused because of their own
    /// address and nobody else waits: a pause would protect nobody.
    fn weigh(&self, mut alarm: Option<Alarm>) -> Result<Option<Alarm>> {
        if let Some(Alarm::Stop { may_be_a_setting: false, .. }) = alarm
            && self.claims.borrow().is_empty()
            && !self.watch(self.queue.borrow_mut().has_others(self.clock.now()))?
        {
            alarm = Some(self.refusals.borrow_mut().believe());
        }
        if alarm == Some(Alarm::Over) && self.suspended.replace(None).is_some() {
            let resumed = self.queue.borrow_mut().resume(self.clock.now());
            self.watch(resumed)?;
        }
        Ok(alarm)
    }

    /// What is claimed goes back: others are tried first, by this lane, and the other lanes wait.
    pub fn ask_others(&self, lane: usize) -> Result<()> {
        self.asking.set(Some(lane));
        self.give_back("others are tried first")
    }

    /// Whether another lane asks others now.
    fn waits_for_others(&self, lane: usize) -> bool {
        if !self.refusals.borrow().is_asking() {
            self.asking.set(None);
            return false;
        }
        let asks = self.asking.get().unwrap_or(lane);
        self.asking.set(Some(asks));
        asks != lane
    }

    /// The lane that asks others finds nobody whom it could ask.
    pub fn nobody_else(&self, lane: usize) -> Result<Option<Alarm>> {
        if self.is_over() || self.asking.get() != Some(lane) || !self.refusals.borrow().is_asking() {
            return Ok(None);
        }
        let alarm = self.refusals.borrow_mut().conclude();
        self.weigh(alarm)
    }

    /// The lane is at its end: if it was to ask others, another one does.
    pub fn leave(&self, lane: usize) {
        if self.asking.get() == Some(lane) {
            self.asking.set(None);
        }
    }

    /// Nothing leaves for a while, in this run and those after it.
    pub fn suspend(&self, class: String, finding: &Finding, taken_back: &[i64]) -> Result<()> {
        let now = self.clock.now();
        let suspended = Suspended::after(self.suspended.borrow().as_ref(), class, &self.settings, finding, now);
        self.summary.borrow_mut().take_back(&suspended.class, taken_back);
        self.released.borrow_mut().extend(taken_back);
        let written = self.queue.borrow_mut().suspend(&suspended, taken_back, now);
        self.watch(written)
    }

    /// No lane begins anything before this has passed.
    pub fn rest(&self, pause: Duration) {
        self.resting.set(Some(Instant::now() + pause));
    }

    /// Something is wrong for every lane: nothing more is begun.
    pub fn halt(&self) {
        self.halted.set(true);
    }

    pub fn is_halted(&self) -> bool {
        self.halted.get()
    }

    fn is_over(&self) -> bool {
        if self.stop.load(Ordering::Relaxed) {
            self.summary.borrow_mut().interrupted = true;
            return true;
        }
        self.is_halted() || self.summary.borrow().yielded || self.is_called_off()
    }

    /// Asked of the queue now and then: well within a second, and not for every message.
    fn is_called_off(&self) -> bool {
        let now = Instant::now();
        if self.asked.get().is_some_and(|asked| now.duration_since(asked) < GLANCE) {
            return false;
        }
        // A queue that cannot even say so ends the run with the next thing that is asked of it.
        let off = self.queue.try_borrow_mut().is_ok_and(|mut queue| queue.called_off().unwrap_or(false));
        self.asked.set((!off).then_some(now));
        off
    }

    pub fn tell(&self, progress: Progress<'_>) {
        (self.progress.borrow_mut())(progress);
    }

    /// Waits until the run ends.
    pub async fn over(&self) {
        while !self.is_over() {
            sleep(GLANCE).await;
        }
    }

    /// Waits for the pace; false when the run ends meanwhile, or gives way to what else is to be done.
    async fn wait_for_pace(&self, instant: Instant) -> bool {
        while !self.is_over() {
            let now = Instant::now();
            if now >= instant {
                return true;
            }
            if self.giving_way.is_due(now, self.clock.now()) {
                self.summary.borrow_mut().yielded = true;
                return false;
            }
            sleep_until(instant.min(now + GLANCE)).await;
        }
        false
    }

    /// Waits; false when the run ends meanwhile.
    pub async fn wait_until(&self, instant: Instant) -> bool {
        while !self.is_over() {
            let now = Instant::now();
            if now >= instant {
                return true;
            }
            sleep_until(instant.min(now + GLANCE)).await;
        }
        false
    }
}

/// Mail that waits because its sender is refused.
fn held_back(message: &Claimed, why: String, now: DateTime<Utc>) -> Outcome {
    let (remedy, until) = (message.sender.remedy().to_owned(), now + TROUBLE_PAUSE);
    Outcome::Broken { why, remedy, until, may_be_the_message: false }
}

/// What there is to do for a lane.
enum Pick {
    Ready(Claimed),
    /// Everything claimed waits for its domain, until then at least.
    Wait(Instant),
    Nothing,
}
