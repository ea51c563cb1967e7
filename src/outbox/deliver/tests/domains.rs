//! Limits by the recipient's domain: whoever has to wait stands in nobody's way.

use super::*;
use crate::campaign::{DomainLimit, Rate};
use indexmap::IndexMap;

fn limits(connections: usize, slow: DomainLimit) -> Limits<'static> {
    let named = IndexMap::from([("slow.example".to_owned(), slow)]);
    Limits { connections, rate: None, domains: DomainLimits { named, others: None }, ..Limits::default() }
}

fn at(count: u32) -> DomainLimit {
    DomainLimit { connections: None, rate: Some(Rate { count, per: Duration::from_secs(1) }) }
}

/// Runs, and says when each message was sent, in seconds.
async fn timed(queue: &mut MemoryQueue, stage: &Stage, limits: &Limits<'_>) -> (Summary, Vec<(String, f64)>) {
    let start = Instant::now();
    let mut sent = Vec::new();
    let mut tell = |progress: Progress<'_>| {
        if let Progress::Settled { person, outcome: Outcome::Sent { .. }, .. } = progress {
            sent.push((person.to_owned(), start.elapsed().as_secs_f64()));
        }
    };
    let clock = Clock(Some(start));
    let summary = over_lanes(queue, stage, limits, &clock, &AtomicBool::new(false), &mut tell).await.expect("a day");
    (summary, sent)
}

#[tokio::test(start_paused = true)]
async fn a_slow_domain_keeps_its_rate_and_starves_nobody() {
    // The slow ones stand first in the queue, many more of them than are claimed at a time.
    let mut queue = MemoryQueue::default();
    (0..100).for_each(|n| queue.push(&format!("p{n}@slow.example"), "x\r\n"));
    (0..200).for_each(|n| queue.push(&format!("p{n}@corp.example"), "x\r\n"));
    let stage = good();
    let (summary, sent) = timed(&mut queue, &stage, &limits(2, at(5))).await;
    assert_eq!(summary, Summary { sent: 300, judged: true, ..Summary::default() });
    let (mut slow, mut fast) = (Vec::new(), Vec::new());
    for (person, when) in sent {
        let number: usize = person[1..].parse().expect("a number");
        if number < 100 { slow.push(when) } else { fast.push(when) }
    }
    assert!(fast.iter().all(|when| *when < 0.5), "the others wait for nobody: {fast:?}");
    assert_eq!(slow.last().map(|when| when.round()), Some(20.0));
    // One attempt each, and no result was written for having waited.
    assert!(queue.rows.iter().all(|row| row.history.len() == 1));
}

#[tokio::test(start_paused = true)]
async fn a_domain_with_one_connection_is_spoken_of_on_one_at_a_time() {
    // Every answer to a dot takes a second, so that transactions would overlap.
    let stage = good().answering_after(Duration::from_secs(1));
    let mut queue = MemoryQueue::default();
    (0..4).for_each(|n| queue.push(&format!("p{n}@slow.example"), "x\r\n"));
    (0..4).for_each(|n| queue.push(&format!("p{n}@corp.example"), "x\r\n"));
    let one = DomainLimit { connections: Some(1), rate: None };
    let (summary, sent) = timed(&mut queue, &stage, &limits(4, one)).await;
    assert_eq!(summary.sent, 8);
    let slow: Vec<f64> = sent.iter().filter(|(person, _)| person[1..] < *"4").map(|(_, when)| when.floor()).collect();
    assert_eq!(slow, [1.0, 2.0, 3.0, 4.0]);
    let fast: Vec<f64> = sent.iter().filter(|(person, _)| person[1..] >= *"4").map(|(_, when)| *when).collect();
    assert!(fast.iter().all(|when| *when < 2.5), "{fast:?}");
}

/// Five to a domain that bears one a minute, and one to another.
async fn by_the_minute(yielding: Option<Yielding>, before: &[(String, Duration)]) -> (Summary, Vec<f64>, MemoryQueue) {
    let mut queue = MemoryQueue::default();
    (0..9).for_each(|n| queue.push(&format!("p{n}@slow.example"), "x\r\n"));
    let minute = Rate { count: 1, per: Duration::from_secs(60) };
    let limits = limits(3, DomainLimit { connections: None, rate: Some(minute) });
    let limits = Limits { yielding, before: before.to_vec(), ..limits };
    let (summary, sent) = timed(&mut queue, &good(), &limits).await;
    (summary, sent.into_iter().map(|(_, when)| when.round()).collect(), queue)
}

#[tokio::test(start_paused = true)]
async fn a_round_in_which_all_wait_for_their_pace_gives_way_to_what_falls_due() {
    let at = |second| DateTime::from_timestamp(second, 0);
    let (summary, sent, queue) = by_the_minute(Some(Yielding { at: at(90) }), &[]).await;
    assert_eq!(sent, [0.0, 60.0]);
    assert!(summary.yielded && !summary.interrupted && !summary.ended, "{summary:?}");
    assert_eq!((summary.released, &queue.states()[2..]), (7, &[State::Planned; 7][..]));
    // Nothing is to come: five minutes, and then answers are read.
    let (summary, sent, _) = by_the_minute(Some(Yielding::default()), &[]).await;
    assert_eq!((sent.len(), summary.yielded), (5, true), "{sent:?}");
    // Where mail flows at a pace over all, nothing waits.
    let mut queue = MemoryQueue::default();
    (0..60).for_each(|n| queue.push(&format!("p{n}@corp.example"), "x\r\n"));
    let flowing = Limits {
        rate: Some(Rate { count: 6, per: Duration::from_secs(60) }),
        yielding: Some(Yielding::default()),
        ..limits(4, DomainLimit { connections: None, rate: None })
    };
    let (summary, sent) = timed(&mut queue, &good(), &flowing).await;
    assert_eq!((sent.len(), summary.yielded), (60, false));
    // By hand it goes on until all is out.
    let (summary, sent, _) = by_the_minute(None, &[]).await;
    assert_eq!((sent.len(), summary.yielded), (9, false));
}

#[tokio::test(start_paused = true)]
async fn the_pace_goes_on_from_the_mail_of_the_round_before() {
    let before = [("SLOW.example".to_owned(), Duration::from_secs(20)), ("corp.example".to_owned(), Duration::ZERO)];
    let (_, sent, _) = by_the_minute(None, &before).await;
    assert_eq!(sent[..2], [40.0, 100.0]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_while_all_wait_gives_everything_back_unused() {
    let (mut queue, stop) = (MemoryQueue::default(), AtomicBool::new(false));
    (0..5).for_each(|n| queue.push(&format!("p{n}@slow.example"), "x\r\n"));
    let minute = Rate { count: 1, per: Duration::from_secs(60) };
    let limits = limits(3, DomainLimit { connections: None, rate: Some(minute) });
    let mut tell = |progress: Progress<'_>| {
        if let Progress::Settled { outcome: Outcome::Sent { .. }, .. } = progress {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let summary = over_lanes(&mut queue, &good(), &limits, &Clock(None), &stop, &mut tell).await.expect("a short day");
    assert!(summary.interrupted);
    assert_eq!((summary.sent, summary.released), (1, 4));
    assert_eq!(queue.states()[1..], [State::Planned; 4]);
    assert!(queue.rows.iter().all(|row| row.attempt == u32::from(row.state == State::Sent)));
}
