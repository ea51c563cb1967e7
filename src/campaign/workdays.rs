//! Which days are worked: some days of the week, without the holidays.

use chrono::{Datelike, Days, NaiveDate, Weekday};
use std::collections::BTreeSet;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkWeek {
    /// From Monday. At least one is worked.
    days: [bool; 7],
    holidays: BTreeSet<NaiveDate>,
}

impl Default for WorkWeek {
    /// Monday to Friday, and no holidays.
    fn default() -> WorkWeek {
        WorkWeek { days: [true, true, true, true, true, false, false], holidays: BTreeSet::new() }
    }
}

impl WorkWeek {
    /// `days` from Monday; a week without any day of work is taken for Monday to Friday.
    pub fn new(days: [bool; 7], holidays: BTreeSet<NaiveDate>) -> WorkWeek {
        let days = if days.contains(&true) { days } else { WorkWeek::default().days };
        WorkWeek { days, holidays }
    }

    /// The same with other days, or other holidays.
    pub(super) fn with(&self, days: Option<[bool; 7]>, holidays: Option<BTreeSet<NaiveDate>>) -> WorkWeek {
        WorkWeek::new(days.unwrap_or(self.days), holidays.unwrap_or_else(|| self.holidays.clone()))
    }

    pub fn is_worked(&self, date: NaiveDate) -> bool {
        self.days[date.weekday().num_days_from_monday() as usize] && !self.holidays.contains(&date)
    }

    /// The date so many days of work after this one, or before it. The date itself does not count.
    pub fn count(&self, from: NaiveDate, days: i64) -> NaiveDate {
        let mut date = from;
        let mut left = days.unsigned_abs();
        while left > 0 {
            let next = if days < 0 { date.checked_sub_days(Days::new(1)) } else { date.checked_add_days(Days::new(1)) };
            let Some(next) = next else { break };
            date = next;
            left -= u64::from(self.is_worked(date));
        }
        date
    }
}

/// `mon`, or a span that may go round the week's end: `sun-thu`.
pub fn weekdays(text: &str) -> Option<[bool; 7]> {
    // chrono knows `monday` too, and any case.
    let day = |word: &str| word.trim().parse::<Weekday>().ok();
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (day(first)?, day(last)?),
        None => (day(text)?, day(text)?),
    };
    let mut days = [false; 7];
    let mut at = first;
    loop {
        days[at.num_days_from_monday() as usize] = true;
        if at == last {
            return Some(days);
        }
        at = at.succ();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn holidays_and_weekends_do_not_count() {
        let thanksgiving = WorkWeek::new(WorkWeek::default().days, [date("2026-11-26"), date("2026-11-27")].into());
        assert_eq!(thanksgiving.count(date("2026-11-30"), -1), date("2026-11-25"));
        assert_eq!(WorkWeek::default().count(date("2026-11-30"), -1), date("2026-11-27"));
        assert_eq!(thanksgiving.count(date("2026-11-25"), 2), date("2026-12-01"));
        assert_eq!(WorkWeek::default().count(date("2028-02-28"), 1), date("2028-02-29"), "a leap day is a day");
        assert_eq!(WorkWeek::default().count(date("2026-11-28"), 0), date("2026-11-28"));
    }

    #[test]
    fn a_week_may_begin_on_any_day() {
        assert_eq!(weekdays("sun-thu"), Some([true, true, true, true, false, false, true]));
        assert_eq!(weekdays("Sat"), Some([false, false, false, false, false, true, false]));
        assert_eq!(weekdays("mon-fri"), Some(WorkWeek::default().days));
        assert_eq!(weekdays("mon-tomorrow"), None);
        let israel = WorkWeek::new(weekdays("sun-thu").expect("days"), BTreeSet::new());
        assert_eq!(israel.count(date("2026-12-13"), -1), date("2026-12-10"), "Sunday is worked, Friday is not");
    }
}
