//! Moments as people write them (`T-14d 09:00`, `T-5wd`, `2026-12-01 09:00`) and the instants they mean.

use super::Change;
use super::workdays::WorkWeek;
use chrono::{DateTime, Duration, LocalResult, NaiveDateTime, NaiveTime, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use std::fmt;
use std::sync::Arc;

/// The hour of a moment that names a day only: the start of a working day.
const MORNING: NaiveTime = NaiveTime::from_hms_opt(9, 0, 0).expect("09:00 is a time");

/// A point in time, relative to the change (`T`) or fixed, by the clock and the days of work of whoever it concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// `T`: the change itself.
    Change,
    /// `T-14d 09:00`, `T+1d`; without a time of day 09:00.
    Days { days: i64, at: NaiveTime },
    /// `T-5wd 09:00`: days of work count; without a time of day 09:00.
    WorkingDays { days: i64, at: NaiveTime },
    /// `T-2h`, `T+90m`: counted from the change itself.
    Minutes(i64),
    /// `2026-12-01 09:00`.
    At(NaiveDateTime),
}

impl Moment {
    /// Whether it leads up to the change by its own words; of a fixed date they do not tell.
    pub fn leads_to_change(self) -> bool {
        match self {
            Moment::Change | Moment::At(_) => false,
            Moment::Days { days, .. } | Moment::WorkingDays { days, .. } => days <= 0,
            Moment::Minutes(minutes) => minutes <= 0,
        }
    }

    /// Reads what a person wrote; the error says what is expected.
    pub fn parse(text: &str) -> Result<Moment, String> {
        let expected = || {
            format!("'{text}' is no moment: write T, T-14d, T-14d 09:00, T-5wd, T+1d, T-2h, T+30m or 2026-12-01 09:00")
        };
        let text = text.trim();
        let Some(offset) = text.strip_prefix(['T', 't']) else {
            return ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]
                .iter()
                .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
                .map(Moment::At)
                .ok_or_else(expected);
        };
        if offset.is_empty() {
            return Ok(Moment::Change);
        }
        let (amount, time) = match offset.split_once(char::is_whitespace) {
            Some((amount, time)) => {
                (amount, Some(NaiveTime::parse_from_str(time.trim(), "%H:%M").map_err(|_| expected())?))
            }
            None => (offset, None),
        };
        let unit_at = amount.rfind(|c: char| c.is_ascii_digit()).ok_or_else(expected)? + 1;
        let (number, unit) = amount.split_at(unit_at);
        let number: i64 = number.parse().map_err(|_| expected())?;
        if !amount.starts_with(['+', '-']) || number.unsigned_abs() > 3660 * 24 * 60 {
            return Err(expected());
        }
        match (unit, time) {
            ("d", _) => Ok(Moment::Days { days: number, at: time.unwrap_or(MORNING) }),
            ("wd", _) => Ok(Moment::WorkingDays { days: number, at: time.unwrap_or(MORNING) }),
            ("h", None) => Ok(Moment::Minutes(number * 60)),
            ("m", None) => Ok(Moment::Minutes(number)),
            _ => Err(expected()),
        }
    }

    /// The instant it means for this change. A time that the clocks skip is moved to the first instant after the gap;
    /// of two equal times in autumn the earlier one counts.
    pub fn instant(self, change: &Change) -> DateTime<Utc> {
        match self {
            Moment::Change => change.at,
            Moment::Minutes(minutes) => change.at + Duration::minutes(minutes),
            Moment::Days { days, at } => {
                resolve((change.local.date() + Duration::days(days)).and_time(at), change.zone)
            }
            Moment::WorkingDays { days, at } => {
                resolve(change.week.count(change.local.date(), days).and_time(at), change.zone)
            }
            Moment::At(local) => resolve(local, change.zone),
        }
    }
}

/// A local time as an instant; see [`Moment::instant`] for gaps and folds.
pub(super) fn resolve(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    let mut probe = local;
    // No zone has skipped more than a day; the loop ends there. Gaps end on a whole minute.
    for _ in 0..=(24 * 60) {
        match zone.from_local_datetime(&probe) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => return at.with_timezone(&Utc),
            LocalResult::None => probe = probe.with_second(0).unwrap_or(probe) + Duration::minutes(1),
        }
    }
    local.and_utc()
}

impl Change {
    /// The change at a local time. A time that the clocks skip does not exist and one that comes twice is not one
    /// moment: both are refused, in words that name the way out.
    pub fn new(local: NaiveDateTime, zone: Tz) -> Result<Change, String> {
        match zone.from_local_datetime(&local) {
            LocalResult::Single(at) => Ok(Change { local, zone, at: at.with_timezone(&Utc), week: Arc::default() }),
            LocalResult::None => Err(format!("{local} does not exist in {zone}: the clocks skip it that day")),
            LocalResult::Ambiguous(..) => Err(format!("{local} comes twice in {zone}: the clocks go back that day")),
        }
    }

    /// The same instant where other clocks and other days of work hold. `T-1d` there is the day before the change by
    /// the clocks there, so that it comes before the change everywhere, and `T+1d` after it.
    pub fn seen_from(&self, zone: Tz, week: Arc<WorkWeek>) -> Change {
        Change { local: self.at.with_timezone(&zone).naive_local(), zone, at: self.at, week }
    }
}

/// So long: `90m`, `24h`, `14d`, `2w`.
pub fn parse_span(text: &str) -> Result<Duration, String> {
    let expected = || format!("'{text}' is no length of time: write it like 90m, 24h, 14d or 2w");
    let text = text.trim();
    let unit = text.chars().last().ok_or_else(expected)?;
    let number: i64 =
        text.strip_suffix(unit).and_then(|number| number.parse::<u16>().ok()).ok_or_else(expected)?.into();
    match unit {
        'm' => Ok(Duration::minutes(number)),
        'h' => Ok(Duration::hours(number)),
        'd' => Ok(Duration::days(number)),
        'w' => Ok(Duration::weeks(number)),
        _ => Err(expected()),
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Moment::Change => f.write_str("T"),
            Moment::Days { days, at } => write!(f, "T{days:+}d {}", at.format("%H:%M")),
            Moment::WorkingDays { days, at } => write!(f, "T{days:+}wd {}", at.format("%H:%M")),
            Moment::Minutes(minutes) => write!(f, "T{minutes:+}m"),
            Moment::At(local) => write!(f, "{}", local.format("%Y-%m-%d %H:%M")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change() -> Change {
        Change::new("2026-12-12T18:00:00".parse().expect("a time"), chrono_tz::America::Chicago).expect("an instant")
    }

    fn local(text: &str) -> String {
        let moment = Moment::parse(text).expect(text);
        moment.instant(&change()).with_timezone(&change().zone).format("%a %Y-%m-%d %H:%M").to_string()
    }

    #[test]
    fn people_write_moments_in_several_ways() {
        assert_eq!(local("T"), "Sat 2026-12-12 18:00");
        assert_eq!(local("T-14d 09:30"), "Sat 2026-11-28 09:30");
        assert_eq!(local("T-3d"), "Wed 2026-12-09 09:00");
        assert_eq!(local("T-5wd"), "Mon 2026-12-07 09:00");
        assert_eq!(local("T+1wd 08:00"), "Mon 2026-12-14 08:00");
        assert_eq!(local("T-2h"), "Sat 2026-12-12 16:00");
        assert_eq!(local("2026-12-01 07:15"), "Tue 2026-12-01 07:15");
    }

    #[test]
    fn what_is_no_moment_says_what_one_is() {
        for text in [
            "",
            "T14d",
            "T-d",
            "T-3x",
            "T-3d 25:00",
            "T-2h 09:00",
            "tomorrow",
            "T-99999999999999999999d",
            "T-9223372036854775808d",
        ] {
            assert!(Moment::parse(text).expect_err(text).contains("T-14d 09:00"), "{text}");
        }
    }

    #[test]
    fn a_time_that_the_clocks_skip_is_the_first_instant_after_the_gap_and_of_two_the_earlier_counts() {
        let moment = |text: &str, zone: Tz| {
            let change = Change::new("2026-12-12T18:00:00".parse().expect("a time"), zone).expect("an instant");
            Moment::parse(text).expect(text).instant(&change).to_string()
        };
        let (berlin, lord_howe) = (chrono_tz::Europe::Berlin, chrono_tz::Australia::Lord_Howe);
        for skipped in ["2027-03-28 02:00", "2027-03-28 02:10", "2027-03-28 02:59:30"] {
            assert_eq!(moment(skipped, berlin), "2027-03-28 01:00:00 UTC", "{skipped}");
        }
        // Half an hour, and a whole day: Samoa went over the date line on 30 December 2011.
        assert_eq!(moment("2026-10-04 02:10", lord_howe), "2026-10-03 15:30:00 UTC");
        assert_eq!(moment("2011-12-30 09:07", chrono_tz::Pacific::Apia), "2011-12-30 10:00:00 UTC");
        assert_eq!(moment("2026-10-25 02:10", berlin), "2026-10-25 00:10:00 UTC");
    }

    #[test]
    fn a_change_that_the_clocks_skip_or_repeat_is_refused() {
        let zone = chrono_tz::Europe::Berlin;
        assert!(Change::new("2027-03-28T02:30:00".parse().expect("a time"), zone).is_err());
        assert!(Change::new("2027-10-31T02:30:00".parse().expect("a time"), zone).is_err());
    }
}
