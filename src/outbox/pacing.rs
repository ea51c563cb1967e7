//! The pace: when the next message may start, over all and for its recipient's domain.

use super::Claimed;
use crate::campaign::{DomainLimits, Rate};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// How far a pace may fall behind and catch up again: it hides the coarseness of timers, and no more.
const SLACK: Duration = Duration::from_millis(100);
/// When to look again whether a domain's connections are free.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Gives out starting times, `rate` of them in its period, evenly.
#[derive(Debug)]
struct Pace {
    interval: Duration,
    next: Option<Instant>,
}

impl Pace {
    /// No rate: as fast as it goes.
    fn new(rate: Option<Rate>) -> Self {
        let interval = rate.map_or(Duration::ZERO, |rate| rate.per / rate.count.max(1));
        Pace { interval, next: None }
    }

    /// The start of the next message, not before `now` less a little slack.
    fn next(&self, now: Instant) -> Instant {
        let earliest = now.checked_sub(SLACK.min(self.interval * 10)).unwrap_or(now);
        self.next.map_or(now, |next| next.max(earliest))
    }

    /// One left so long ago, before this run.
    fn after(&mut self, ago: Duration, now: Instant) {
        let next = now + self.interval.saturating_sub(ago);
        self.next = Some(self.next.map_or(next, |known| known.max(next)));
    }

    fn reserve(&mut self, now: Instant) -> Instant {
        let start = self.next(now);
        self.next = Some(start + self.interval);
        start
    }
}

/// Who may start when.
#[derive(Debug)]
pub struct Pacer {
    all: Pace,
    limits: DomainLimits,
    /// Only those that have a limit.
    domains: HashMap<String, Domain>,
}

#[derive(Debug)]
struct Domain {
    pace: Pace,
    connections: usize,
    /// Messages on their way, each with its lane.
    carried: Vec<(i64, usize)>,
}

impl Pacer {
    pub fn new(rate: Option<Rate>, limits: DomainLimits) -> Self {
        Pacer { all: Pace::new(rate), limits, domains: HashMap::new() }
    }

    /// Goes on from the mail that left before this run: how long ago, by domain.
    pub fn after(mut self, before: &[(String, Duration)], now: Instant) -> Self {
        for (name, ago) in before {
            self.all.after(*ago, now);
            if let Some(domain) = self.at(name) {
                domain.pace.after(*ago, now);
            }
        }
        self
    }

    /// The start of the next message as far as the rate over all goes.
    pub fn reserve(&mut self, now: Instant) -> Instant {
        self.all.reserve(now)
    }

    /// Lets a lane begin with a message as far as its recipient's domain goes; an error says when to ask again. A lane
    /// that carries mail to the domain already needs no further connection for more of it.
    pub fn admit(&mut self, message: &Claimed, lane: usize, now: Instant) -> Result<(), Instant> {
        let Some(domain) = self.domain(message) else { return Ok(()) };
        let mut others: Vec<usize> = domain.carried.iter().map(|(_, by)| *by).filter(|by| *by != lane).collect();
        others.sort_unstable();
        others.dedup();
        if others.len() >= domain.connections {
            return Err(now + LOOK_AGAIN);
        }
        let start = domain.pace.next(now);
        if start > now {
            return Err(start);
        }
        domain.pace.reserve(now);
        domain.carried.push((message.id, lane));
        Ok(())
    }

    /// The message is settled.
    pub fn done(&mut self, message: &Claimed) {
        if let Some(domain) = self.domain(message) {
            domain.carried.retain(|(id, _)| *id != message.id);
        }
    }

    fn domain(&mut self, message: &Claimed) -> Option<&mut Domain> {
        self.at(message.envelope_to.domain())
    }

    fn at(&mut self, name: &str) -> Option<&mut Domain> {
        if self.limits == DomainLimits::default() {
            return None;
        }
        let name = idna::domain_to_ascii(name).unwrap_or_else(|_| name.to_ascii_lowercase());
        let limit = self.limits.of(&name)?;
        Some(self.domains.entry(name).or_insert_with(|| Domain {
            pace: Pace::new(limit.rate),
            connections: limit.connections.unwrap_or(usize::MAX),
            carried: Vec::new(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::DomainLimit;
    use crate::outbox::queue::{Queue, memory::MemoryQueue};

    fn rate(count: u32) -> Option<Rate> {
        Some(Rate { count, per: Duration::from_secs(1) })
    }

    fn pace(count: u32) -> Pace {
        Pace::new(rate(count))
    }

    fn messages(addresses: &[&str]) -> Vec<Claimed> {
        let mut queue = MemoryQueue::default();
        addresses.iter().for_each(|address| queue.push(address, "x\r\n"));
        queue.claim(chrono::DateTime::UNIX_EPOCH, addresses.len()).expect("a queue")
    }

    fn limits(name: &str, connections: Option<usize>, rate: Option<Rate>) -> DomainLimits {
        let limit = DomainLimit { connections, rate };
        match name {
            "*" => DomainLimits { others: Some(limit), ..DomainLimits::default() },
            name => DomainLimits { named: [(name.to_owned(), limit)].into(), others: None },
        }
    }

    #[test]
    fn starts_are_spread_evenly() {
        let (now, mut pace) = (Instant::now(), pace(50));
        let starts: Vec<_> = (0..4).map(|_| (pace.reserve(now) - now).as_millis()).collect();
        assert_eq!(starts, [0, 20, 40, 60]);
    }

    #[test]
    fn a_long_rest_does_not_earn_a_burst() {
        let (now, mut pace) = (Instant::now(), pace(50));
        pace.reserve(now);
        let later = now + Duration::from_secs(60);
        let at_once = (0..100).filter(|_| pace.reserve(later) <= later).count();
        assert!(at_once <= 6, "{at_once} messages at once at 50/s");
    }

    #[test]
    fn without_a_rate_nobody_waits() {
        let (now, mut pacer) = (Instant::now(), Pacer::new(None, DomainLimits::default()));
        assert!((0..1000).all(|_| pacer.reserve(now) <= now));
    }

    #[test]
    fn a_domain_waits_for_its_own_rate_alone_however_it_is_written() {
        let (now, mut pacer) = (Instant::now(), Pacer::new(None, limits("xn--mnchen-3ya.example", None, rate(2))));
        let all = messages(&["a@münchen.example", "b@xn--MNCHEN-3ya.example", "c@corp.example", "d@corp.example"]);
        let half = now + Duration::from_millis(500);
        assert_eq!(pacer.admit(&all[0], 1, now), Ok(()));
        assert_eq!(pacer.admit(&all[1], 1, now), Err(half));
        assert!(all[2..].iter().all(|message| pacer.admit(message, 1, now).is_ok()));
        assert_eq!(pacer.admit(&all[1], 1, half), Ok(()));
    }

    #[test]
    fn a_domain_has_so_many_connections_and_each_other_domain_its_own() {
        let (now, mut pacer) = (Instant::now(), Pacer::new(None, limits("*", Some(1), None)));
        let all = messages(&["a@one.example", "b@one.example", "c@two.example"]);
        assert_eq!(pacer.admit(&all[0], 1, now), Ok(()));
        assert!(pacer.admit(&all[1], 2, now).is_err());
        assert_eq!(pacer.admit(&all[2], 2, now), Ok(()));
        // The lane that is there already may go on, and when it is done another may.
        assert_eq!(pacer.admit(&all[1], 1, now), Ok(()));
        pacer.done(&all[0]);
        pacer.done(&all[1]);
        assert_eq!(pacer.admit(&all[1], 2, now), Ok(()));
    }
}
