//! The rate: when the next message may start.

use crate::campaign::Rate;
use std::time::Duration;
use tokio::time::Instant;

/// How far the pacer may fall behind and catch up again: it hides the coarseness of timers, and no more.
const SLACK: Duration = Duration::from_millis(100);

/// Gives out starting times, `rate` of them in its period, evenly.
#[derive(Debug)]
pub struct Pacer {
    interval: Duration,
    next: Option<Instant>,
}

impl Pacer {
    /// No rate: as fast as it goes.
    pub fn new(rate: Option<Rate>) -> Self {
        let interval = rate.map_or(Duration::ZERO, |rate| rate.per / rate.count.max(1));
        Pacer { interval, next: None }
    }

    /// The start of the next message, not before `now` less a little slack.
    pub fn reserve(&mut self, now: Instant) -> Instant {
        let earliest = now.checked_sub(SLACK.min(self.interval * 10)).unwrap_or(now);
        let start = self.next.map_or(now, |next| next.max(earliest));
        self.next = Some(start + self.interval);
        start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pacer(count: u32) -> Pacer {
        Pacer::new(Some(Rate { count, per: Duration::from_secs(1) }))
    }

    #[test]
    fn starts_are_spread_evenly() {
        let (now, mut pacer) = (Instant::now(), pacer(50));
        let starts: Vec<_> = (0..4).map(|_| (pacer.reserve(now) - now).as_millis()).collect();
        assert_eq!(starts, [0, 20, 40, 60]);
    }

    #[test]
    fn a_long_rest_does_not_earn_a_burst() {
        let (now, mut pacer) = (Instant::now(), pacer(50));
        pacer.reserve(now);
        let later = now + Duration::from_secs(60);
        let at_once = (0..100).filter(|_| pacer.reserve(later) <= later).count();
        assert!(at_once <= 6, "{at_once} messages at once at 50/s");
    }

    #[test]
    fn without_a_rate_nobody_waits() {
        let (now, mut pacer) = (Instant::now(), Pacer::new(None));
        assert!((0..1000).all(|_| pacer.reserve(now) <= now));
    }
}
