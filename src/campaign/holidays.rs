//! Holidays out of an iCalendar file (RFC 5545): the days of its all-day events, recurring ones too.

use crate::fault::Finding;
use calcard::common::timezone::Tz;
use calcard::icalendar::dates::TimeOrDelta;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarProperty, ICalendarStatus, ICalendarValue,
};
use calcard::{Entry, Parser};
use chrono::{NaiveDate, NaiveTime};
use std::collections::BTreeSet;

/// So often may one event come back. Holidays come once a year.
const RECURRENCES: usize = 1000;
/// No holiday is longer, in days.
const LONGEST: i64 = 366;

/// The days, and warnings of events that are not understood; an event that has a time of day is no holiday.
pub(super) fn read(text: &str) -> Result<(BTreeSet<NaiveDate>, Vec<Finding>), Finding> {
    let refused = |cause: &str, remedy: &str| Err(Finding::error("bad-holidays", cause, remedy));
    let mut parser = Parser::new(text);
    let (mut days, mut left_out) = (BTreeSet::new(), Vec::new());
    let mut calendars = 0;
    loop {
        match parser.entry() {
            Entry::ICalendar(calendar) => {
                calendars += 1;
                let moved: BTreeSet<_> = calendar.components.iter().filter_map(moved_from).collect();
                for event in calendar.components {
                    let cancelled = event.status() == Some(&ICalendarStatus::Cancelled);
                    if event.component_type != ICalendarComponentType::VEvent || cancelled {
                        continue;
                    }
                    let (uid, moves) = (event.uid().map(str::to_owned), moved_from(&event).is_some());
                    let summary = event.property(&ICalendarProperty::Summary).and_then(|entry| entry.values.first());
                    let summary = summary.and_then(ICalendarValue::as_text).unwrap_or("without a name").to_owned();
                    // One event at a time: one that never ends must not use up what the others may have.
                    let Some(mut found) = of_event(ICalendar { components: vec![event] }) else {
                        let cause = format!("the event '{summary}' is left out: when it is, cannot be read");
                        left_out.push(Finding::warning("bad-holidays", cause, "write its dates as 20261126"));
                        continue;
                    };
                    found.retain(|day| moves || !uid.as_ref().is_some_and(|uid| moved.contains(&(uid.clone(), *day))));
                    days.extend(found);
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
        () => Ok((days, left_out)),
    }
}

/// The day that one of many takes the place of (RFC 5545 section 3.8.4.4), with the event that it is one of.
fn moved_from(event: &ICalendarComponent) -> Option<(String, NaiveDate)> {
    let ICalendarValue::PartialDateTime(from) = event.property(&ICalendarProperty::RecurrenceId)?.values.first()?
    else {
        return None;
    };
    Some((event.uid()?.to_owned(), from.to_date_time()?.date_time.date()))
}

/// `None`: it has no time at all.
fn of_event(calendar: ICalendar) -> Option<Vec<NaiveDate>> {
    let mut days = Vec::new();
    let expanded = calendar.expand_dates(Tz::Floating, RECURRENCES).events;
    if expanded.is_empty() {
        return None;
    }
    for event in expanded {
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
    Some(days)
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
        read(&calendar(events)).expect("holidays").0.iter().map(ToString::to_string).collect()
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
    fn a_holiday_that_is_moved_for_once_is_on_its_new_day_alone() {
        let day = "DTSTART;VALUE=DATE:20260501\r\nRRULE:FREQ=YEARLY;COUNT=2\r\n";
        let moved = "RECURRENCE-ID;VALUE=DATE:20270501\r\nDTSTART;VALUE=DATE:20270503\r\n";
        for events in [event(day) + &event(moved), event(moved) + &event(day)] {
            assert_eq!(days(&events), ["2026-05-01", "2027-05-03"]);
        }
    }

    #[test]
    fn an_event_that_cannot_be_read_is_told_and_hides_no_other() {
        let bad = event("SUMMARY:Founders' day\r\nDTSTART;VALUE=DATE:2026112\r\n");
        let (days, told) = read(&calendar(&(bad + &event("DTSTART;VALUE=DATE:20261225\r\n")))).expect("holidays");
        assert_eq!((days.len(), told.len()), (1, 1));
        assert!(told[0].cause.contains("Founders' day"), "{told:?}");
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
