//! Whole runs: lanes, breakers, crashes. The server is scripted, time is virtual.

use super::*;
use crate::outbox::queue::memory::{CrashAt, MemoryQueue};
use crate::outbox::smtp::script::{Act, Stage, Step};
use crate::outbox::{State, given_up, retry};
use chrono::{DateTime, TimeDelta, Utc};
use std::path::Path;
use std::sync::{Mutex, atomic::AtomicUsize, atomic::Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// The epoch plus a fixed time, or plus what the virtual clock shows.
#[derive(Debug, Clone, Copy)]
struct Clock(Option<Instant>);

impl World for Clock {
    fn now(&self) -> DateTime<Utc> {
        let passed = self.0.map_or(Duration::ZERO, |start| start.elapsed());
        DateTime::UNIX_EPOCH + TimeDelta::from_std(passed).expect("a short time")
    }

    fn server_now(&self, _folder: &Path) -> Result<DateTime<Utc>> {
        Ok(self.now())
    }
}

mod crash;
mod domains;
mod hours;
mod refusals;

async fn run(queue: &mut MemoryQueue, stage: &Stage, connections: usize) -> Result<Summary> {
    run_telling(queue, stage, connections, &mut |_| ()).await
}

async fn run_telling(
    queue: &mut MemoryQueue,
    stage: &Stage,
    connections: usize,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Summary> {
    let limits = Limits { connections, rate: None, ..Limits::default() };
    let clock = Clock(Some(Instant::now()));
    let summary = over_lanes(queue, stage, &limits, &clock, &AtomicBool::new(false), progress).await?;
    if summary.ended { Err(given_up(&summary.stopped)) } else { Ok(summary) }
}

fn good() -> Stage {
    Stage::new(|_| Act::Go)
}

#[tokio::test(start_paused = true)]
async fn every_message_goes_out_once_whatever_the_number_of_lanes() {
    for lanes in [1, 3, 50] {
        let (mut queue, stage) = (MemoryQueue::of(100), good());
        let summary = run(&mut queue, &stage, lanes).await.expect("a good day");
        assert_eq!(summary, Summary { sent: 100, judged: true, ..Summary::default() });
        assert_eq!(queue.states(), [State::Sent; 100]);
        let log = stage.log();
        assert!(log.connections <= lanes);
        let mut kept: Vec<_> = log.kept.iter().map(|kept| kept.bytes.clone()).collect();
        let mut sent: Vec<_> = queue.rows.iter().map(|row| row.bytes.clone()).collect();
        kept.sort();
        sent.sort();
        assert_eq!(kept, sent);
        assert!(queue.flushed);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_to_do_makes_no_connection() {
    let stage = good();
    assert_eq!(run(&mut MemoryQueue::of(0), &stage, 4).await.expect("quiet"), Summary::default());
    assert_eq!(stage.log().connections, 0);
}

#[tokio::test(start_paused = true)]
async fn refusals_concern_one_person_each_and_are_told_by_class() {
    let stage = Stage::new(|seen| match (seen.step, seen.line) {
        (Step::Rcpt, line) if line.contains("<p1@") || line.contains("<p3@") => Act::Say("550 5.1.1 no such user\r\n"),
        (Step::Rcpt, line) if line.contains("<p2@") => Act::Say("450 4.2.0 greylisted\r\n"),
        (Step::Dot, to) if to.starts_with("p4@") => Act::Say("554 5.7.1 spam\r\n"),
        _ => Act::Go,
    });
    let mut queue = MemoryQueue::of(6);
    let mut told = Vec::new();
    let mut tell = |progress: Progress<'_>| {
        if let Progress::Settled { person, outcome, .. } = progress {
            told.push(format!("{person}: {outcome}"));
        }
    };
    let summary = run_telling(&mut queue, &stage, 1, &mut tell).await.expect("a mixed day");
    assert_eq!((summary.sent, summary.deferred, summary.failed), (2, 1, 3));
    let unknown = &summary.failures["550 5.1.1"];
    assert_eq!((unknown.count, &unknown.people[..]), (2, &["p1".to_owned(), "p3".to_owned()][..]));
    assert!(unknown.remedy.contains("roster") && summary.failures["554 5.7.1"].count == 1);
    use State::*;
    assert_eq!(queue.states(), [Sent, Failed, Planned, Failed, Failed, Sent]);
    assert_eq!(queue.rows[2].attempt, 1);
    assert!(queue.rows[2].due >= DateTime::UNIX_EPOCH + TimeDelta::minutes(4));
    assert_eq!(told[1..3], ["p1: 550 5.1.1 no such user (to RCPT)", "p2: 450 4.2.0 greylisted"]);
}

#[tokio::test(start_paused = true)]
async fn time_that_has_passed_holds_and_time_that_will_pass_gives_up() {
    let stage = Stage::always(Step::Rcpt, Act::Say("450 4.2.0 greylisted\r\n"));
    let mut queue = MemoryQueue::of(2);
    queue.rows[0].expires = Some(DateTime::UNIX_EPOCH);
    queue.rows[1].expires = Some(DateTime::UNIX_EPOCH + TimeDelta::minutes(2));
    let summary = run(&mut queue, &stage, 1).await.expect("a run");
    assert_eq!((summary.late, summary.failed), (1, 1));
    assert_eq!(queue.states(), [State::Held, State::Failed]);
    assert_eq!(queue.rows[1].history, ["450 4.2.0 greylisted (given up at attempt 1)"]);
    assert!(!stage.log().lines.iter().any(|line| line.contains("<p0@")));
}

#[tokio::test(start_paused = true)]
async fn five_failures_in_a_row_stop_the_lane_with_growing_pauses() {
    for (stage, code, words) in [
        (Stage::always(Step::Greeting, Act::Cut("")), "smtp-closed", "the connection ended at the greeting"),
        (
            Stage::always(Step::Greeting, Act::Say("421 4.3.2 not now\r\n")),
            "smtp-turned-away",
            "turned away at the greeting",
        ),
        (Stage::always(Step::Ehlo, Act::Say("HTTP/1.1 400\r\n")), "smtp-garbled", "no SMTP reply"),
    ] {
        let (mut queue, start) = (MemoryQueue::of(3), Instant::now());
        let mut pauses = Vec::new();
        let mut tell = |progress: Progress<'_>| {
            if let Progress::Trouble { pause, .. } = progress {
                pauses.push(pause.as_secs());
            }
        };
        let fault = run_telling(&mut queue, &stage, 1, &mut tell).await.expect_err("no server");
        assert_eq!(fault.findings[0].code, code);
        assert!(fault.cause().contains(words) && fault.cause().starts_with("mail.corp.example:25: "), "{fault}");
        let rested = start.elapsed().as_secs();
        assert!(pauses.len() == 4 && (15..=18).contains(&rested), "{pauses:?}, {rested} s together");
        assert!(pauses.iter().zip([1, 2, 4, 8]).all(|(pause, least)| (least..=least * 5 / 4).contains(pause)));
        assert_eq!(stage.log().connections, 5);
        // Nobody was judged: no attempt is used, nothing is left in a lane's hands.
        assert_eq!(queue.states(), [State::Planned; 3]);
        assert!(queue.rows.iter().all(|row| row.attempt == 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_tried_once_whatever_the_number_of_lanes_and_ends_the_run() {
    let stage =
        Stage::always(Step::Auth, Act::Say("535 5.7.8 no\r\n")).offering("AUTH PLAIN").logging_in("kim", "sesame");
    let mut queue = MemoryQueue::of(40);
    let fault = run(&mut queue, &stage, 4).await.expect_err("no login");
    assert_eq!((fault.findings.len(), fault.findings[0].code), (1, "smtp-password"));
    assert_eq!(stage.log().lines.iter().filter(|line| line.starts_with("AUTH")).count(), 1);
    assert_eq!(queue.states(), [State::Planned; 40]);
}

#[tokio::test(start_paused = true)]
async fn trouble_for_all_lanes_is_told_although_one_had_carried_mail() {
    let stage = Stage::new(|seen| match (seen.step, seen.connection) {
        (Step::Auth, 2..) => Act::Say("535 5.7.8 no\r\n"),
        // The first connection ends with its first message.
        (Step::Dot, 1) => Act::Cut("250 2.0.0 ok\r\n"),
        _ => Act::Go,
    });
    let stage = stage.offering("AUTH PLAIN").logging_in("kim", "sesame");
    let fault = run(&mut MemoryQueue::of(9), &stage, 3).await.expect_err("no login");
    assert_eq!(fault.findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["smtp-password"]);
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_gives_up_leaves_its_messages_to_the_others() {
    // Connections beyond the first are turned away: the server takes one at a time.
    let stage = Stage::new(|seen| match (seen.step, seen.connection) {
        (Step::Greeting, 2..) => Act::Say("421 4.7.0 too many connections\r\n"),
        _ => Act::Go,
    });
    let mut queue = MemoryQueue::of(10);
    let summary = run(&mut queue, &stage, 2).await.expect("one lane is enough");
    assert_eq!(summary.sent + summary.released, 10);
    assert!(summary.released <= 1 && summary.stopped.len() == 1, "{summary:?}");
    assert_eq!(summary.stopped[0].code, "smtp-turned-away");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_breaks_every_connection_steps_aside() {
    let stage = Stage::new(|seen| if seen.line.contains("<p1@") { Act::Cut("") } else { Act::Go });
    let mut queue = MemoryQueue::of(4);
    let summary = run(&mut queue, &stage, 1).await.expect("the others go out");
    assert_eq!((summary.sent, summary.deferred), (3, 1));
    assert_eq!((queue.rows[1].state, queue.rows[1].attempt), (State::Planned, 1));
    assert!(queue.rows[1].due >= DateTime::UNIX_EPOCH + TimeDelta::minutes(4));
    assert!(summary.judged);
    queue.rows[1].due = DateTime::UNIX_EPOCH;
    let summary = run(&mut queue, &stage, 1).await.expect("put off");
    assert!(summary.deferred == 1 && !summary.judged, "nobody can tell by that whether mail leaves: {summary:?}");
    // Run after run it is the message, and somebody has to hear of it.
    (queue.rows[1].attempt, queue.rows[1].due) = (retry::MOST_ATTEMPTS - 1, DateTime::UNIX_EPOCH);
    let summary = run(&mut queue, &stage, 1).await.expect("it is given up");
    assert_eq!((summary.failed, summary.failures["connection-lost"].count), (1, 1));
    assert_eq!(queue.rows[1].state, State::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_up_between_messages_costs_nothing() {
    // One message a connection, then 421 to the next MAIL, or no word at all.
    for farewell in ["421 4.4.2 one is enough\r\n", ""] {
        let seen_mail = Mutex::new(0);
        let stage = Stage::new(move |seen| {
            if seen.step != Step::Mail {
                return Act::Go;
            }
            let mut last = seen_mail.lock().expect("one thread");
            let again = *last == seen.connection;
            *last = seen.connection;
            if again { Act::Cut(farewell) } else { Act::Go }
        });
        let (mut queue, start) = (MemoryQueue::of(8), Instant::now());
        let summary = run(&mut queue, &stage, 1).await.expect("a good day");
        assert_eq!((summary.sent, stage.log().connections), (8, 8));
        assert!(start.elapsed() < Duration::from_secs(1));
    }
}

#[tokio::test(start_paused = true)]
async fn lost_answers_are_uncertain_and_five_in_a_row_stop_the_lane() {
    let stage = Stage::always(Step::Dot, Act::KeepAndCut("25"));
    let mut queue = MemoryQueue::of(9);
    let fault = run(&mut queue, &stage, 1).await.expect_err("the server is ill");
    assert_eq!(fault.findings[0].code, "smtp-closed");
    let uncertain = queue.states().iter().filter(|state| **state == State::Uncertain).count();
    assert_eq!((uncertain, stage.log().kept.len()), (5, 5));
}

#[tokio::test(start_paused = true)]
async fn a_farewell_after_the_dot_slows_the_lane_and_costs_no_attempt() {
    let stage = Stage::once(Step::Dot, Act::Cut("421 4.3.2 going down\r\n"));
    let (mut queue, start) = (MemoryQueue::of(3), Instant::now());
    let summary = run(&mut queue, &stage, 1).await.expect("the others go out");
    assert_eq!((summary.sent, summary.deferred, stage.log().kept.len()), (2, 1, 2));
    assert_eq!((queue.rows[0].state, queue.rows[0].attempt), (State::Planned, 0));
    assert!(start.elapsed() >= Duration::from_secs(1), "the lane rested");
    // However late it is, and however often it was tried: nobody was judged.
    let stage = Stage::once(Step::Dot, Act::Cut("421 4.3.2 going down\r\n"));
    let mut queue = MemoryQueue::of(2);
    queue.rows[0].expires = Some(DateTime::UNIX_EPOCH + TimeDelta::minutes(2));
    queue.rows[0].attempt = retry::MOST_ATTEMPTS - 1;
    let summary = run(&mut queue, &stage, 1).await.expect("the other goes out");
    assert_eq!((summary.sent, summary.deferred, summary.failed), (1, 1, 0));
    assert_eq!((queue.rows[0].state, queue.rows[0].attempt), (State::Planned, retry::MOST_ATTEMPTS - 1));
    // Said to everybody, it stops the lane.
    let stage = Stage::always(Step::Dot, Act::Cut("421 4.3.2 going down\r\n"));
    let fault = run(&mut MemoryQueue::of(9), &stage, 1).await.expect_err("a server that goes down");
    assert_eq!((fault.findings[0].code, stage.log().connections), ("smtp-turned-away", 5));
}

#[tokio::test(start_paused = true)]
async fn a_connection_carries_so_many_messages_and_idles_so_long() {
    let mut stage = good();
    stage.server.reuse.messages = 3;
    assert_eq!(run(&mut MemoryQueue::of(10), &stage, 1).await.expect("a good day").sent, 10);
    let visits = |stage: &Stage| {
        let log = stage.log();
        (log.connections, log.lines.iter().filter(|line| *line == "QUIT").count())
    };
    assert_eq!(visits(&stage), (4, 4));

    let rate = Some(Rate { count: 1, per: Duration::from_secs(40) });
    for (idle, connections) in [(30, 3), (50, 1)] {
        let mut stage = good();
        stage.server.reuse.idle = Duration::from_secs(idle);
        let limits = Limits { connections: 1, rate, ..Limits::default() };
        let (mut queue, stop) = (MemoryQueue::of(3), AtomicBool::new(false));
        over_lanes(&mut queue, &stage, &limits, &Clock(None), &stop, &mut |_| ()).await.expect("a slow day");
        assert_eq!((queue.states(), visits(&stage)), (vec![State::Sent; 3], (connections, connections)), "{idle}");
    }
}

#[tokio::test(start_paused = true)]
async fn stop_is_heard_while_a_server_keeps_silent_before_anything_is_on_the_wire() {
    for step in [Step::Greeting, Step::Ehlo, Step::Auth] {
        let stage = Stage::always(step, Act::Mute).offering("AUTH PLAIN").logging_in("kim", "sesame");
        let (mut queue, stop, start) = (MemoryQueue::of(5), AtomicBool::new(false), Instant::now());
        let limits = Limits { connections: 2, ..Limits::default() };
        let (clock, mut quiet) = (Clock(None), |_: Progress<'_>| ());
        let run = over_lanes(&mut queue, &stage, &limits, &clock, &stop, &mut quiet);
        let interrupt = async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        };
        let (summary, ()) = tokio::join!(run, interrupt);
        assert!(summary.expect("stopped").interrupted && start.elapsed() < Duration::from_secs(5), "{step:?}");
        assert_eq!(queue.states(), [State::Planned; 5]);
        assert!(queue.rows.iter().all(|row| row.attempt == 0));
    }
}

#[tokio::test(start_paused = true)]
async fn stop_is_heard_between_messages_and_nothing_stays_claimed() {
    let (mut queue, stage, stop) = (MemoryQueue::of(50), good(), AtomicBool::new(false));
    let mut sent = 0;
    let mut tell = |progress: Progress<'_>| {
        if let Progress::Settled { outcome: Outcome::Sent { .. }, .. } = progress {
            sent += 1;
            stop.store(sent == 3, Ordering::Relaxed);
        }
    };
    let limits = Limits { connections: 1, rate: None, ..Limits::default() };
    let summary = over_lanes(&mut queue, &stage, &limits, &Clock(None), &stop, &mut tell).await.expect("a short day");
    assert!(summary.interrupted);
    assert_eq!((summary.sent, summary.released), (3, 13));
    assert_eq!(queue.states().iter().filter(|state| **state == State::Planned).count(), 47);
}

#[tokio::test(start_paused = true)]
async fn stop_is_heard_while_a_lane_waits() {
    let stage = Stage::always(Step::Greeting, Act::Cut(""));
    let (mut queue, stop, start) = (MemoryQueue::of(1), AtomicBool::new(false), Instant::now());
    let mut tell = |progress: Progress<'_>| {
        if let Progress::Trouble { pause, .. } = progress {
            stop.store(pause.as_secs() >= 8, Ordering::Relaxed);
        }
    };
    let limits = Limits { connections: 1, rate: None, ..Limits::default() };
    let summary = over_lanes(&mut queue, &stage, &limits, &Clock(None), &stop, &mut tell).await.expect("stopped");
    assert!(summary.interrupted && summary.released == 1);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_rate_holds_over_all_lanes() {
    let rate = Some(Rate { count: 10, per: Duration::from_secs(1) });
    let (mut queue, start) = (MemoryQueue::of(101), Instant::now());
    let limits = Limits { connections: 4, rate, ..Limits::default() };
    let clock = Clock(Some(start));
    over_lanes(&mut queue, &good(), &limits, &clock, &AtomicBool::new(false), &mut |_| ()).await.expect("a slow day");
    assert_eq!(start.elapsed().as_secs_f64().round(), 10.0);
}

#[tokio::test(start_paused = true)]
async fn a_message_claimed_by_somebody_else_is_left_alone() {
    // The other worker takes it over between the claim and the mark.
    struct Stolen(MemoryQueue);
    impl Queue for Stolen {
        fn claim_except(
            &mut self,
            now: DateTime<Utc>,
            limit: usize,
            domains: &[String],
        ) -> Result<Vec<crate::outbox::Claimed>> {
            let claimed = self.0.claim_except(now, limit, domains);
            self.0.rows.iter_mut().for_each(|row| row.fence += 1);
            claimed
        }
        fn claim_elsewhere(
            &mut self,
            now: DateTime<Utc>,
            count: usize,
            tried: &[String],
        ) -> Result<Vec<crate::outbox::Claimed>> {
            self.0.claim_elsewhere(now, count, tried)
        }
        fn has_others(&mut self, now: DateTime<Utc>) -> Result<bool> {
            self.0.has_others(now)
        }
        fn mark(&mut self, id: i64, fence: i64) -> Result<crate::outbox::Lease> {
            self.0.mark(id, fence)
        }
        fn settle(
            &mut self,
            id: i64,
            fence: i64,
            outcome: Outcome,
            now: DateTime<Utc>,
        ) -> Result<crate::outbox::Lease> {
            self.0.settle(id, fence, outcome, now)
        }
        fn flush(&mut self) -> Result<()> {
            self.0.flush()
        }
    }
    let (mut queue, stage) = (Stolen(MemoryQueue::of(3)), good());
    let limits = Limits { connections: 1, rate: None, ..Limits::default() };
    let stop = AtomicBool::new(false);
    let summary = over_lanes(&mut queue, &stage, &limits, &Clock(None), &stop, &mut |_| ()).await.expect("a run");
    assert_eq!(summary, Summary { lost: 3, ..Summary::default() });
    assert_eq!(stage.log().kept, []);
}

#[test]
fn the_file_transport_is_complete_and_goes_on_after_a_crash() {
    let limits = Limits { connections: 4, rate: None, ..Limits::default() };
    let stop = AtomicBool::new(false);
    for point in 1..=25 {
        for crash in [CrashAt::Before(point), CrashAt::After(point)] {
            let folder = tempfile::tempdir().expect("a folder");
            let transport = TransportKind::File { folder: folder.path().into() };
            let mut queue = MemoryQueue::of(20);
            queue.crash = Some(crash);
            let first = deliver(&mut queue, &transport, &limits, &Clock(None), &stop, &mut |_| ());
            // 2 claims, 20 results, and 2 claims that find nothing.
            assert_eq!(first.is_err(), point <= 24, "{crash:?}");
            queue.recover();
            deliver(&mut queue, &transport, &limits, &Clock(None), &stop, &mut |_| ()).expect("a good day");
            assert_eq!(queue.states(), [State::Sent; 20], "{crash:?}");
            let files = fs_err::read_dir(folder.path()).expect("a folder").count();
            assert_eq!(files, 20, "{crash:?}");
        }
    }
}

#[test]
fn what_was_stored_before_the_folder_went_wrong_is_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let transport = TransportKind::File { folder: folder.path().into() };
    let (limits, stop) = (Limits::default(), AtomicBool::new(false));
    let mut queue = MemoryQueue::of(3);
    let stored = deliver(&mut MemoryQueue::of(2), &transport, &limits, &Clock(None), &stop, &mut |_| ());
    assert_eq!(stored.expect("a good day").sent, 2);
    // A folder lies where the second file should.
    let mut files: Vec<_> =
        fs_err::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    fs_err::remove_file(&files[1]).expect("removed");
    fs_err::create_dir(&files[1]).expect("a folder");
    deliver(&mut queue, &transport, &limits, &Clock(None), &stop, &mut |_| ()).expect_err("a folder is no file");
    assert_eq!(queue.states()[0], State::Sent);
}

/// A clock that is set to another hour each time it is looked at.
#[derive(Debug, Default)]
struct Jumping(AtomicUsize);

impl World for Jumping {
    fn now(&self) -> DateTime<Utc> {
        const HOURS: [i64; 6] = [48, 1, 47, 3, 400, 2];
        let look = self.0.fetch_add(1, Ordering::Relaxed);
        DateTime::UNIX_EPOCH + TimeDelta::hours(HOURS[look % HOURS.len()])
    }

    fn server_now(&self, _folder: &Path) -> Result<DateTime<Utc>> {
        Ok(self.now())
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_the_clock_does_a_message_is_kept_once_and_never_after_a_refusal() {
    let stage = Stage::new(|seen| match (seen.step, seen.line) {
        (Step::Rcpt, line) if line.contains("<p7@") => Act::Say("450 4.2.0 greylisted\r\n"),
        (Step::Rcpt, line) if line.contains("<p8@") => Act::Say("550 5.1.1 no such user\r\n"),
        _ => Act::Go,
    });
    let mut queue = MemoryQueue::of(40);
    queue.rows[9].expires = Some(DateTime::UNIX_EPOCH + TimeDelta::minutes(30)); // before every hour it shows
    let (limits, clock) = (Limits { connections: 3, ..Limits::default() }, Jumping::default());
    for _ in 0..3 {
        let stop = AtomicBool::new(false);
        over_lanes(&mut queue, &stage, &limits, &clock, &stop, &mut |_| ()).await.expect("a run");
    }
    let mut kept: Vec<_> = stage.log().kept.iter().map(|kept| kept.bytes.clone()).collect();
    let count = kept.len();
    kept.sort();
    kept.dedup();
    assert_eq!((kept.len(), count), (37, 37), "all but the greylisted, the refused and the late one, each once");
    assert_eq!((queue.rows[8].state, queue.rows[9].state), (State::Failed, State::Held));
    assert!(matches!(queue.rows[7].state, State::Planned | State::Failed));
}
