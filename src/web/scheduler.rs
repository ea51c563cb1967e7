//! The rounds of the schedule: at the moment something is due, and every minute besides, because files are edited,
//! clocks are set and machines sleep. What a round does is the engine's, the same as for `tick`.

use super::notify::Notify;
use super::site::Site;
use super::{Log, Serve};
use crate::engine::{Engine, Sent, kept_waiting_words};
use crate::fault::{Exit, Result, counted};
use crate::ledger::Lock;
use crate::system::{Real, World};
use chrono::{DateTime, Utc};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_secs(60);
/// Not even a moment that has come already is met more often.
const SHORTEST: Duration = Duration::from_secs(1);
/// While a round goes on, the service manager hears of progress at most so often.
const PROGRESS: Duration = Duration::from_millis(250);

/// How the rounds go, for the dashboard and for `/metrics`.
#[derive(Debug, Clone, Default)]
pub struct Beat {
    pub scheduled: bool,
    /// The end of the last round that was not kept out.
    pub last: Option<DateTime<Utc>>,
    pub rounds: u64,
    pub failures: u64,
    pub next: Option<(DateTime<Utc>, String)>,
}

pub struct Scheduler {
    root: PathBuf,
    site: Arc<Site>,
    stop: Arc<AtomicBool>,
    notify: Arc<Notify>,
    log: Log,
}

impl Scheduler {
    pub fn new(site: &Arc<Site>, asked: &Serve, stop: &Arc<AtomicBool>, notify: &Arc<Notify>) -> Scheduler {
        Scheduler {
            root: asked.root.clone(),
            site: site.clone(),
            stop: stop.clone(),
            notify: notify.clone(),
            log: asked.log.clone(),
        }
    }

    /// Until it is to stop; `asleep` ends when nobody is left to wake it.
    pub fn run(&self, asleep: &Receiver<()>) {
        let mut told = Vec::new();
        while !self.stop.load(Ordering::Relaxed) {
            // By this thread alone: once it hangs, the service manager ends it all.
            self.notify.say("WATCHDOG=1");
            let lines = self.round().unwrap_or_else(|fault| {
                self.beat().failures += 1;
                fault.findings.iter().map(|one| format!("the round failed: {}: {}", one.cause, one.remedy)).collect()
            });
            // What stays as it is from minute to minute is told once.
            for line in lines.iter().filter(|line| !told.contains(*line)) {
                (self.log)(line);
            }
            told = lines;
            self.notify.say("WATCHDOG=1");
            if asleep.recv_timeout(self.pause()) == Err(RecvTimeoutError::Disconnected) {
                return;
            }
        }
    }

    /// One round, unless another run holds the campaign: that one does the work. What was done is told at once; what
    /// is in the way comes back.
    fn round(&self) -> Result<Vec<String>> {
        let mut engine = Engine::open(&self.root, &Real)?;
        let _lock = match Lock::take(&engine.campaign.state(), "serve", Real.now()) {
            Ok(lock) => lock,
            Err(fault) if fault.exit == Exit::Busy => return Ok(vec![format!("waiting: {}", fault.cause())]),
            Err(fault) => return Err(fault),
        };
        for one in engine.find_gates()? {
            (self.log)(&format!("{}: {}: {}", one.code, one.cause, one.remedy));
        }
        self.notify.say("STATUS=reading what came in, sending what is due");
        // Whoever has answered meanwhile is not reminded, and nobody is while a mailbox cannot be read; notices go out.
        let mut last = Instant::now();
        let mut alive = || {
            if last.elapsed() >= PROGRESS {
                self.notify.say("WATCHDOG=1");
                last = Instant::now();
            }
        };
        let (taken, unread) = engine.intake(&self.stop, &mut alive);
        if taken.new > 0 {
            let came = counted(taken.new, "letter", "letters");
            (self.log)(&format!("{came} came in, {} of them for ack review", taken.review));
        }
        let sent = engine.round(&self.stop, &mut |_| alive());
        let next = engine.next_moment()?;
        let zone = engine.campaign.change.zone;
        let status = match &next {
            Some((at, what)) => format!("next: {what} {}", at.with_timezone(&zone).format("%a %F %H:%M %Z")),
            None => "nothing is to come".to_owned(),
        };
        self.notify.say(&format!("STATUS={status}"));
        {
            let mut beat = self.beat();
            beat.rounds += 1;
            beat.failures += u64::from(sent.as_ref().is_ok_and(|sent| sent.ended));
            beat.last = Some(Real.now());
            beat.next = next;
        }
        let sent = sent?;
        if !sent.nothing_due {
            (self.log)(&format!(
                "{} planned, {} sent, {} deferred, {} failed, {} uncertain",
                sent.planned, sent.sent, sent.deferred, sent.failed, sent.uncertain
            ));
        }
        for one in &sent.shipped {
            (self.log)(&format!("{}: {}", one.code, one.cause));
        }
        for (class, failure) in &sent.failures {
            (self.log)(&failure.sentence(class));
        }
        for doubt in sent.in_doubt_still.values() {
            (self.log)(&doubt.doubt());
        }
        for task in &sent.tasks {
            (self.log)(&format!("to do: {}", task.what));
        }
        let mut lines = in_the_way(&engine, &sent)?;
        let hour = |at: DateTime<Utc>| at.with_timezone(&zone).format("%a %F %H:%M %Z").to_string();
        lines.extend(sent.deferrals.values().map(|one| one.deferral(&hour)));
        lines.extend(sent.urgent.iter().map(|one| one.words(&hour)));
        lines.extend(sent.asleep.iter().map(|one| one.words(&hour)));
        if sent.kept_waiting > 0 {
            lines.push(format!("held: {}", kept_waiting_words(sent.kept_waiting)));
            lines.extend(engine.unread()?.iter().map(|one| one.words(&hour)));
        }
        lines.extend(
            unread.iter().flat_map(|fault| &fault.findings).map(|one| format!("{}: {}", one.cause, one.remedy)),
        );
        Ok(lines)
    }

    /// Until the next moment, a minute at most, and often enough for the service manager.
    fn pause(&self) -> Duration {
        let next = self.beat().next.as_ref().map(|(at, _)| *at);
        let until = next.map_or(MINUTE, |at| (at - Real.now()).to_std().unwrap_or(SHORTEST));
        let most = self.notify.watchdog().unwrap_or(MINUTE).min(MINUTE);
        until.max(SHORTEST).min(most)
    }

    fn beat(&self) -> MutexGuard<'_, Beat> {
        self.site.beat.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn in_the_way(engine: &Engine, sent: &Sent) -> Result<Vec<String>> {
    let mut lines: Vec<String> =
        sent.stopped.iter().map(|finding| format!("{}: {}; {}", finding.code, finding.cause, finding.remedy)).collect();
    for entry in &sent.late {
        let name = entry.notice.as_deref().unwrap_or_default();
        let line = format!("held: '{name}' is late, and goes out when asked for: {}", engine.send_by_name(name)?);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    Ok(lines)
}
