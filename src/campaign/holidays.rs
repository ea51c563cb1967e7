//! Holidays out of an iCalendar file (RFC 5545): the days of its all-day events, recurring ones too.

use crate::fault::Finding;
use calcard::common::timezone::Tz;
use calcard::icalendar::dates::TimeOrDelta;
use calcard::icalendar::{ICalendar, ICalendarComponentType, ICalendarStatus};
use calcard::{Entry, Parser};
use chrono::{NaiveDate, NaiveTime};
use std::collections::BTreeSet;

/// So often may one event come back. Holidays come once a year.
const RECURRENCES: usize = 1000;
/// No holiday is longer, in days.
const LONGEST: i64 = 366;

/// The days; an event that has a time of day is no holiday.
pub(super) fn read(text: &str) -> Result<BTreeSet<NaiveDate>, Finding> {
    let refused = |cause: &str, remedy: &str| Err(Finding::error("bad-holidays", cause, remedy));
    let mut parser = Parser::new(text);
    let mut days = BTreeSet::new();
    let mut calendars = 0;
    loop {
        match parser.entry() {
            Entry::ICalendar(calendar) => {
                calendars += 1;
                for event in calendar.components {
                    let cancelled = event.status() == Some(&ICalendarStatus::Cancelled);
                    if event.component_type == ICalendarComponentType::VEvent && !cancelled {
                        // One event at a time: one that never ends must not use up what the others may have.
                        days.extend(of_event(ICalendar { components: vec![event] }));
                    }
                }
            }
            Entry::Eof => break,
            _ => return refused("this is no iCalendar file", "name a file that a calendar program exported as .ics"),
        }
    }
    match () {
        () if calendars == 0 => {
            refused("this is no iCalendar file", "name a file that a calendar program exported as .ics")
        }
        () if days.is_empty() => refused("no all-day event stands in this file", "name a calendar of holidays"),
        () => Ok(days),
    }
}

fn of_event(calendar: ICalendar) -> Vec<NaiveDate> {
    let mut days = Vec::new();
    for event in calendar.expand_dates(Tz::Floating, RECURRENCES).events {
        let start = event.start.naive_local();
        let length = match event.end {
            TimeOrDelta::Time(end) => end.naive_local() - start,
            TimeOrDelta::Delta(length) => length,
        };
        let all_day = start.time() == NaiveTime::MIN && length.num_seconds() % 86_400 == 0;
        if all_day && (0..=LONGEST).contains(&length.num_days()) {
            // DTEND is the first day after; an event without a length is one day (RFC 5545 section 3.6.1).
            days.extend(start.date().iter_days().take(length.num_days().max(1) as usize));
        }
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(events: &str) -> String {
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\n{events}END:VCALENDAR\r\n")
    }

    fn event(lines: &str) -> String {
        format!("BEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n{lines}END:VEVENT\r\n")
    }

    fn days(events: &str) -> Vec<String> {
        read(&calendar(events)).expect("holidays").iter().map(ToString::to_string).collect()
    }

    #[test]
    fn all_day_events_are_holidays_however_they_are_written() {
        let one = event("DTSTART;VALUE=DATE:20261126\r\nDTEND;VALUE=DATE:20261128\r\nSUMMARY:Thanksgiving\r\n");
        let bare = event("DTSTART;VALUE=DATE:20261225\r\n");
        let meeting = event("DTSTART:20261201T090000Z\r\nDTEND:20261201T100000Z\r\n");
        let gone = event("DTSTART;VALUE=DATE:20261224\r\nSTATUS:CANCELLED\r\n");
        assert_eq!(days(&(one + &bare + &meeting + &gone)), ["2026-11-26", "2026-11-27", "2026-12-25"]);
    }

    #[test]
    fn a_holiday_comes_back_every_year_and_leap_days_only_in_leap_years() {
        let unity = event("DTSTART;VALUE=DATE:20201003\r\nDTEND;VALUE=DATE:20201004\r\nRRULE:FREQ=YEARLY;COUNT=9\r\n");
        assert_eq!(days(&unity).last().map(String::as_str), Some("2028-10-03"));
        let endless = event("DTSTART;VALUE=DATE:20240229\r\nRRULE:FREQ=YEARLY\r\n");
        let found = days(&(endless + &unity));
        assert!(found.contains(&"2028-02-29".to_owned()) && found.contains(&"2026-10-03".to_owned()));
        assert!(!found.iter().any(|day| day.starts_with("2027-02") || day.starts_with("2027-03")));
    }

    #[test]
    fn what_is_no_calendar_or_has_no_holidays_is_refused() {
        for text in ["", "2026-11-26\n", "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:x\r\nEND:VCARD\r\n"] {
            assert_eq!(read(text).expect_err(text).code, "bad-holidays");
        }
        let timed = calendar(&event("DTSTART:20261201T090000Z\r\nDTEND:20261201T100000Z\r\n"));
        assert!(read(&timed).expect_err("no holidays").cause.contains("all-day"));
    }
}
