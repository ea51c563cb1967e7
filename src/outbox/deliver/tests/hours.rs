//! Runs that last into somebody's quiet hours.

use super::*;
use crate::campaign::{DomainLimit, DomainLimits, Rate};

/// Mail to some addresses waits from an hour of the run on, until a day after it began.
#[derive(Debug)]
struct Night {
    begins: TimeDelta,
    of: &'static [&'static str],
}

impl Hours for Night {
    fn asleep(&self, message: &Claimed, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let concerns = self.of.iter().any(|domain| message.domain() == *domain);
        (concerns && now >= DateTime::UNIX_EPOCH + self.begins).then_some(morning())
    }
}

fn morning() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(1)
}

async fn overnight(queue: &mut MemoryQueue, stage: &Stage, limits: &Limits<'_>) -> (Summary, Duration) {
    let start = Instant::now();
    let clock = Clock(Some(start));
    let summary = over_lanes(queue, stage, limits, &clock, &AtomicBool::new(false), &mut |_| ()).await;
    (summary.expect("a long day"), start.elapsed())
}

#[tokio::test(start_paused = true)]
async fn what_is_claimed_when_the_night_begins_goes_back_until_the_morning() {
    // One an hour; all ten are claimed at the start.
    let night = Night { begins: TimeDelta::minutes(210), of: &["corp.example"] };
    let rate = Some(Rate { count: 1, per: Duration::from_secs(3600) });
    let limits = Limits { connections: 2, rate, hours: Some(&night), ..Limits::default() };
    let (mut queue, stage) = (MemoryQueue::of(10), good());
    let (summary, lasted) = overnight(&mut queue, &stage, &limits).await;
    assert_eq!((summary.sent, summary.asleep, summary.released), (4, 6, 0), "at 0, 1, 2 and 3 hours");
    assert!(lasted < Duration::from_secs(6 * 3600), "nobody waits for the morning in here: {lasted:?}");
    for row in &queue.rows[4..] {
        assert_eq!((row.state, row.attempt, row.due), (State::Planned, 0, morning()));
        assert_eq!(row.history.last().map(String::as_str), Some("quiet hours have begun"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_mended_at_night_carries_only_to_those_who_are_awake() {
    // It takes until the night to get a connection.
    let stage =
        Stage::new(|seen| if (seen.step, seen.connection) == (Step::Greeting, 1) { Act::Cut("") } else { Act::Go });
    let night = Night { begins: TimeDelta::milliseconds(1), of: &["asleep.example"] };
    let limits = Limits { connections: 1, hours: Some(&night), ..Limits::default() };
    let mut queue = MemoryQueue::default();
    for to in ["ann@asleep.example", "bea@awake.example", "cy@asleep.example"] {
        queue.push(to, "Subject: news\r\n\r\nnews\r\n");
    }
    let (summary, _) = overnight(&mut queue, &stage, &limits).await;
    assert_eq!((summary.sent, summary.asleep), (1, 2));
    assert_eq!(queue.states(), [State::Planned, State::Sent, State::Planned]);
}

#[tokio::test(start_paused = true)]
async fn who_is_asleep_takes_nothing_of_the_pace_of_others() {
    let night = Night { begins: TimeDelta::zero(), of: &["asleep.example"] };
    let pace = DomainLimit { connections: None, rate: Some(Rate { count: 1, per: Duration::from_secs(60) }) };
    let domains = DomainLimits { named: [("asleep.example".to_owned(), pace)].into(), others: None };
    let rate = Some(Rate { count: 1, per: Duration::from_secs(1) });
    let limits = Limits { connections: 1, rate, domains, hours: Some(&night), ..Limits::default() };
    let mut queue = MemoryQueue::default();
    for n in 0..50 {
        queue.push(&format!("p{n}@asleep.example"), "Subject: news\r\n\r\nnews\r\n");
        queue.push(&format!("p{n}@awake.example"), "Subject: news\r\n\r\nnews\r\n");
    }
    let (summary, lasted) = overnight(&mut queue, &good(), &limits).await;
    assert_eq!((summary.sent, summary.asleep), (50, 50));
    assert!(lasted < Duration::from_secs(55), "{lasted:?}");
}
