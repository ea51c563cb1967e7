//! How many messages are claimed at a time: one durable write for all of them, and no more in doubt after a power cut.

use std::time::Duration;
use tokio::time::Instant;

/// A claim feeds the lanes for about so long: fast sending waits for few durable writes, slow sending holds few messages.
const LONG_ENOUGH: Duration = Duration::from_millis(250);
const TOO_LONG: Duration = Duration::from_secs(1);
/// Messages claimed for each lane at first.
const FIRST: usize = 16;
const LARGEST: usize = 512;

/// The size of the next claim, by how long the last one fed the lanes.
#[derive(Debug)]
pub struct Batch {
    lanes: usize,
    size: usize,
    last: Option<Instant>,
}

impl Batch {
    pub fn new(lanes: usize) -> Batch {
        Batch { lanes, size: (FIRST * lanes).min(LARGEST), last: None }
    }

    /// Called before each claim.
    pub fn next(&mut self, now: Instant) -> usize {
        match self.last.replace(now).map(|last| now.duration_since(last)) {
            Some(fed) if fed < LONG_ENOUGH => self.size = (self.size * 2).min(LARGEST),
            Some(fed) if fed > TOO_LONG => self.size = (self.size / 2).max(self.lanes),
            _ => {}
        }
        self.size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_while_it_is_used_up_at_once_and_shrinks_while_it_lasts() {
        let (mut now, mut batch) = (Instant::now(), Batch::new(4));
        let mut after = |pause: u64| {
            now += Duration::from_millis(pause);
            batch.next(now)
        };
        assert_eq!([0, 100, 100, 100, 100, 500].map(&mut after), [64, 128, 256, 512, 512, 512]);
        assert_eq!([2000; 8].map(&mut after), [256, 128, 64, 32, 16, 8, 4, 4]);
    }
}
