//! Quiet hours: when nobody is written to. What falls into them goes out when they end; nothing is dropped.

use super::model::Change;
use super::schedule::resolve;
use chrono::{DateTime, Days, Duration, NaiveTime, Utc};

/// By the clock and the calendar of whoever is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quiet {
    /// From, and until; past midnight where `until` is the earlier one.
    pub hours: Option<(NaiveTime, NaiveTime)>,
    /// Days that are not worked are quiet from midnight to midnight.
    pub days_off: bool,
}

/// No stretch of days off is longer than this many turns of the loop below; whoever writes one is not kept waiting.
const TURNS: usize = 1000;

impl Quiet {
    /// `20:00-07:00`
    pub fn parse_hours(text: &str) -> Option<(NaiveTime, NaiveTime)> {
        let (from, until) = text.split_once('-')?;
        let time = |text: &str| NaiveTime::parse_from_str(text.trim(), "%H:%M").ok();
        let (from, until) = (time(from)?, time(until)?);
        (from != until).then_some((from, until))
    }

    /// The first instant, not before `at`, that is not quiet where the change is seen as `there`.
    pub fn opens(&self, at: DateTime<Utc>, there: &Change) -> DateTime<Utc> {
        let mut at = at;
        for _ in 0..TURNS {
            match self.ends(at, there) {
                // The end may lie in an hour that the clocks repeat, and name the first of two.
                Some(end) => at = end.max(at + Duration::minutes(1)),
                None => break,
            }
        }
        at
    }

    pub fn is_quiet(&self, at: DateTime<Utc>, there: &Change) -> bool {
        self.ends(at, there).is_some()
    }

    /// When the quiet ends that `at` lies in.
    fn ends(&self, at: DateTime<Utc>, there: &Change) -> Option<DateTime<Utc>> {
        let local = at.with_timezone(&there.zone).naive_local();
        let (date, time) = (local.date(), local.time());
        let tomorrow = date.checked_add_days(Days::new(1))?;
        if self.days_off && !there.week.is_worked(date) {
            return Some(resolve(tomorrow.and_time(NaiveTime::MIN), there.zone));
        }
        let (from, until) = self.hours?;
        let end = match () {
            () if from < until && (from..until).contains(&time) => date,
            () if from > until && time >= from => tomorrow,
            () if from > until && time < until => date,
            () => return None,
        };
        Some(resolve(end.and_time(until), there.zone))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Tz;
    use proptest::prelude::*;

    fn there(zone: Tz) -> Change {
        Change::new("2026-12-12T18:00:00".parse().expect("a time"), zone).expect("an instant")
    }

    fn opens(quiet: Quiet, zone: Tz, at: &str) -> String {
        let at = resolve(at.parse().expect("a time"), zone);
        quiet.opens(at, &there(zone)).with_timezone(&zone).format("%a %F %H:%M %Z").to_string()
    }

    fn nights() -> Quiet {
        Quiet { hours: Quiet::parse_hours("20:00-07:00"), days_off: false }
    }

    #[test]
    fn nights_end_in_the_morning_and_weekends_on_monday() {
        let zone = chrono_tz::Europe::Berlin;
        assert_eq!(opens(nights(), zone, "2026-12-11T19:59:00"), "Fri 2026-12-11 19:59 CET");
        assert_eq!(opens(nights(), zone, "2026-12-11T20:00:00"), "Sat 2026-12-12 07:00 CET");
        assert_eq!(opens(nights(), zone, "2026-12-12T03:00:00"), "Sat 2026-12-12 07:00 CET");
        let weekends = Quiet { days_off: true, ..nights() };
        assert_eq!(opens(weekends, zone, "2026-12-11T20:00:00"), "Mon 2026-12-14 07:00 CET");
        assert_eq!(opens(weekends, zone, "2026-12-14T09:00:00"), "Mon 2026-12-14 09:00 CET");
        let noon = Quiet { hours: Quiet::parse_hours("12:00-13:00"), days_off: false };
        assert_eq!(opens(noon, zone, "2026-12-14T12:30:00"), "Mon 2026-12-14 13:00 CET");
    }

    #[test]
    fn an_end_that_the_clocks_skip_or_repeat_ends_all_the_same() {
        let short = Quiet { hours: Quiet::parse_hours("20:00-02:30"), days_off: false };
        assert_eq!(opens(short, chrono_tz::Europe::Berlin, "2027-03-27T23:00:00"), "Sun 2027-03-28 03:00 CEST");
        assert_eq!(opens(short, chrono_tz::America::Chicago, "2027-11-06T23:00:00"), "Sun 2027-11-07 02:30 CST");
        let fold = Quiet { hours: Quiet::parse_hours("20:00-01:30"), days_off: false };
        assert_eq!(opens(fold, chrono_tz::America::Chicago, "2027-11-06T23:00:00"), "Sun 2027-11-07 01:30 CDT");
    }

    proptest! {
        #[test]
        fn quiet_defers_and_never_drops(minute in 0i64..600_000, from in 0u32..24, until in 0u32..24, days_off: bool) {
            let zone = chrono_tz::Australia::Sydney;
            let at = "2026-09-01T00:00:00Z".parse::<DateTime<Utc>>().expect("a time") + Duration::minutes(minute);
            let quiet = Quiet { hours: Quiet::parse_hours(&format!("{from:02}:00-{until:02}:00")), days_off };
            let opened = quiet.opens(at, &there(zone));
            prop_assert!(opened >= at && opened - at < Duration::days(5));
            prop_assert!(!quiet.is_quiet(opened, &there(zone)));
            prop_assert!(opened == at || quiet.is_quiet(opened - Duration::minutes(1), &there(zone)));
        }
    }
}
