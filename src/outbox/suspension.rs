//! Delivery that was given up because of a setting: it stays so over rounds and restarts, longer each time, until the server
//! takes something again.

use crate::fault::Finding;
use chrono::{DateTime, Duration, Utc};
use serde::Serialize;

/// The first pause. It doubles from there.
const FIRST: Duration = Duration::minutes(15);
/// The longest one: somebody has mended it long ago, perhaps.
const LONGEST: Duration = Duration::hours(4);

/// Why nothing leaves, and until when nothing is tried by the schedule. A person's own `send` tries at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suspended {
    /// What everybody was refused with, or the code of the finding.
    pub class: String,
    pub cause: String,
    pub remedy: String,
    /// By which [mail] it was: whoever changes that is tried at once.
    #[serde(skip)]
    pub settings: String,
    /// How many times in a row, from 1.
    pub times: u32,
    pub since: DateTime<Utc>,
    /// Then one message is tried.
    pub until: DateTime<Utc>,
}

impl Suspended {
    /// After the suspension that was in force before, if any, by the same settings.
    pub fn after(
        previous: Option<&Suspended>,
        class: String,
        settings: &str,
        finding: &Finding,
        now: DateTime<Utc>,
    ) -> Suspended {
        let previous = previous.filter(|one| one.settings == settings);
        let times = previous.map_or(0, |one| one.times) + 1;
        let pause = (FIRST * (1 << (times - 1).min(8))).min(LONGEST);
        Suspended {
            class,
            cause: finding.cause.clone(),
            remedy: finding.remedy.clone(),
            settings: settings.to_owned(),
            times,
            since: previous.map_or(now, |one| one.since),
            until: now + pause,
        }
    }

    /// Whether a round by the schedule leaves everything where it is.
    pub fn holds(&self, settings: &str, now: DateTime<Utc>) -> bool {
        now < self.until && self.settings == settings
    }

    /// As a round tells it that leaves the mail where it is. `until` in words.
    pub fn finding(&self, until: &str) -> Finding {
        let cause = format!("delivery is paused until {until}: {}", self.cause);
        Finding::error("delivery-paused", cause, format!("{}; your own `flagday send` tries at once", self.remedy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_to_four_hours_and_the_beginning_stays() {
        let finding = Finding::error("smtp-password", "no login", "correct it");
        let start = DateTime::UNIX_EPOCH;
        let (mut now, mut last, mut minutes) = (start, None, Vec::new());
        for _ in 0..7 {
            let next = Suspended::after(last.as_ref(), "smtp-password".into(), "a", &finding, now);
            assert!(next.holds("a", next.until - Duration::seconds(1)) && !next.holds("a", next.until));
            assert!(!next.holds("b", now), "another server is tried at once");
            minutes.push((next.until - now).num_minutes());
            now = next.until;
            last = Some(next);
        }
        assert_eq!(minutes, [15, 30, 60, 120, 240, 240, 240]);
        assert_eq!(last.as_ref().map(|one| (one.times, one.since)), Some((7, start)));
        assert_eq!(Suspended::after(last.as_ref(), "x".into(), "b", &finding, now).times, 1);
    }
}
