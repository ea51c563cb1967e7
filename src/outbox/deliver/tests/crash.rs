//! The promise itself: nothing is lost, and nothing is doubled but what was uncertain.

use super::{good, run};
use crate::outbox::queue::memory::{CrashAt, MemoryQueue};
use crate::outbox::smtp::script::{Act, Kept, Stage, Step};
use crate::outbox::{Event, State};
use chrono::DateTime;
use std::sync::Mutex;
use std::time::Duration;

/// How the server treats the message that a case is about.
const REPLIES: [(Step, Act); 15] = [
    (Step::Dot, Act::Go),
    (Step::Greeting, Act::Cut("")),
    (Step::Ehlo, Act::Cut("250-half")),
    (Step::Mail, Act::Say("451 4.3.0 later\r\n")),
    (Step::Mail, Act::Cut("421 4.3.2 closing\r\n")),
    (Step::Rcpt, Act::Say("550 5.1.1 never\r\n")),
    (Step::Rcpt, Act::Cut("")),
    (Step::Data, Act::Say("450 4.2.0 later\r\n")),
    (Step::Data, Act::Cut("354")),
    (Step::Body, Act::Cut("")),
    (Step::Dot, Act::Say("451 4.3.0 later\r\n")),
    (Step::Dot, Act::Say("554 5.7.1 never\r\n")),
    (Step::Dot, Act::Cut("")),
    (Step::Dot, Act::KeepAndCut("25")),
    (Step::Dot, Act::KeepAndMute),
];

/// Crash before or after every write to the queue, times every reply, times where in the run it comes, with one and with
/// two lanes. After the crash the next run finds a good server. Nothing is lost, nothing is doubled but what was uncertain,
/// and that is one message for each connection at most.
#[tokio::test(start_paused = true)]
async fn every_crash_point_times_every_reply() {
    const MESSAGES: usize = 3;
    let mut cases = 0;
    for lanes in [1, 2] {
        for (step, act) in REPLIES {
            for victim in 1..=MESSAGES {
                for point in 1..=2 + 3 * MESSAGES {
                    for crash in [CrashAt::Before(point), CrashAt::After(point)] {
                        crash_and_recover(lanes, step, act, victim, crash).await;
                        cases += 1;
                    }
                }
            }
        }
    }
    assert_eq!(cases, 2 * 15 * 3 * 11 * 2);
}

async fn crash_and_recover(lanes: usize, step: Step, act: Act, victim: usize, crash: CrashAt) {
    let case = format!("{lanes} lanes, {act:?} at the {victim}th {step:?}, crash {crash:?}");
    let times = Mutex::new(0);
    let bad_day = Stage::new(move |seen| {
        let mut times = times.lock().expect("one thread");
        *times += usize::from(seen.step == step);
        if seen.step == step && *times == victim { act } else { Act::Go }
    });
    let mut queue = MemoryQueue::of(3);
    queue.crash = Some(crash);
    if let Err(fault) = run(&mut queue, &bad_day, lanes).await {
        assert_eq!(fault.findings[0].code, "crash", "{case}");
    }
    queue.recover();
    // Let the hung-up server finish what it holds.
    tokio::time::sleep(Duration::from_secs(1)).await;

    let in_doubt: Vec<usize> = (0..3).filter(|n| queue.rows[*n].state == State::Uncertain).collect();
    assert!(in_doubt.len() <= bad_day.log().connections, "{case}: {in_doubt:?} in doubt");
    for (n, row) in queue.rows.iter_mut().enumerate() {
        let kept = copies(&bad_day.log().kept, n);
        match row.state {
            // What a queue believes is what the server did.
            State::Sent => assert_eq!(kept, 1, "{case}: {n} is sent"),
            State::Planned | State::Failed => assert_eq!(kept, 0, "{case}: {n} is {}", row.state),
            State::Uncertain => assert!(kept <= 1, "{case}: {n}"),
            other => panic!("{case}: {n} is {other}"),
        }
        if row.state == State::Uncertain {
            row.state = row.state.apply(Event::Retry).expect("a decision");
        }
        row.due = DateTime::UNIX_EPOCH;
    }
    let good_day = good();
    run(&mut queue, &good_day, lanes).await.expect(&case);
    let (bad_log, good_log) = (bad_day.log(), good_day.log());
    for (n, row) in queue.rows.iter().enumerate() {
        let copies = copies(&bad_log.kept, n) + copies(&good_log.kept, n);
        match row.state {
            State::Sent if in_doubt.contains(&n) => {
                assert!((1..=2).contains(&copies), "{case}: {n} came {copies} times")
            }
            State::Sent => assert_eq!(copies, 1, "{case}: {n} came {copies} times"),
            State::Failed => assert_eq!(copies, 0, "{case}: {n}"),
            other => panic!("{case}: {n} ends as {other}"),
        }
        // A double has the very same bytes.
        let doubles = bad_log.kept.iter().chain(&good_log.kept).filter(|kept| kept.to == row.to);
        assert!(doubles.into_iter().all(|kept| kept.bytes == row.bytes), "{case}");
    }
}

fn copies(kept: &[Kept], n: usize) -> usize {
    kept.iter().filter(|kept| kept.to == format!("p{n}@corp.example")).count()
}
