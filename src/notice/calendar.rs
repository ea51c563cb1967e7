//! The change as a calendar entry (RFC 5545, RFC 5546). Times are in UTC; the local time stands in the description.

use chrono::{DateTime, Duration, Utc};
use icalendar::{Calendar, Component, Event, EventLike, EventStatus, Property};
use lettre::Address;
use lettre::message::Mailbox;

/// How long the entry lasts where nobody says otherwise.
pub const DURATION: Duration = Duration::hours(1);

#[derive(Debug, Clone)]
pub struct Invite {
    /// From [`calendar_uid`](super::calendar_uid): the same in every revision.
    pub uid: String,
    /// From 1. Becomes SEQUENCE from 0.
    pub revision: u32,
    /// DTSTAMP: when the message was planned.
    pub stamp: DateTime<Utc>,
    pub start: DateTime<Utc>,
    pub duration: Duration,
    pub summary: String,
    pub description: String,
    pub organizer: Mailbox,
    /// Name and address of the one person invited.
    pub attendee: (String, Address),
}

/// `METHOD:REQUEST`: puts the change into a person's calendar, or moves what an earlier revision put there
/// (RFC 5546 section 3.2.2).
pub fn request(invite: &Invite) -> String {
    object(invite, "REQUEST", invite.revision.saturating_sub(1), EventStatus::Confirmed)
}

/// `METHOD:CANCEL`: takes the entry of this revision out again (RFC 5546 section 3.2.5).
pub fn cancel(invite: &Invite) -> String {
    object(invite, "CANCEL", invite.revision, EventStatus::Cancelled)
}

fn object(invite: &Invite, method: &str, sequence: u32, status: EventStatus) -> String {
    let mut event = Event::new();
    event
        .uid(&invite.uid)
        .sequence(sequence)
        .timestamp(invite.stamp)
        .starts(invite.start)
        .ends(invite.start + invite.duration)
        .summary(&text(&invite.summary))
        .description(&text(&invite.description))
        .status(status);
    let mut organizer = Property::new("ORGANIZER", mailto(&invite.organizer.email));
    if let Some(name) = invite.organizer.name.as_deref().and_then(common_name) {
        organizer.add_parameter("CN", &name);
    }
    let mut attendee = Property::new("ATTENDEE", mailto(&invite.attendee.1));
    // Accepting in a calendar answers nothing here, so the calendar is not asked to offer it.
    attendee.add_parameter("ROLE", "REQ-PARTICIPANT").add_parameter("RSVP", "FALSE");
    if let Some(name) = common_name(&invite.attendee.0) {
        attendee.add_parameter("CN", &name);
    }
    event.append_property(organizer).append_multi_property(attendee);

    let mut calendar = Calendar::empty();
    for (name, value) in
        [("VERSION", "2.0"), ("PRODID", "-//flagday//flagday//EN"), ("CALSCALE", "GREGORIAN"), ("METHOD", method)]
    {
        calendar.append_property(Property::new(name, value));
    }
    calendar.push(event.done());
    fold(&calendar.to_string())
}

/// No control character but the line break: a lone CR would later be taken for the end of a content line.
fn text(value: &str) -> String {
    value.replace("\r\n", "\n").replace(|c: char| c.is_control() && c != '\n', " ")
}

/// Lines of at most 75 octets (RFC 5545 section 3.1). The library below folds too, but counts the space that begins a
/// folded line to nobody and writes lines of 76.
fn fold(object: &str) -> String {
    let mut folded = String::with_capacity(object.len() + object.len() / 32);
    for line in object.replace("\r\n ", "").split_terminator("\r\n") {
        let mut length = 0;
        for c in line.chars() {
            if length + c.len_utf8() > 75 {
                folded.push_str("\r\n ");
                length = 1;
            }
            folded.push(c);
            length += c.len_utf8();
        }
        folded.push_str("\r\n");
    }
    folded
}

fn mailto(address: &Address) -> String {
    format!("mailto:{address}")
}

/// A parameter's value holds neither double quotes nor control characters (RFC 5545 section 3.1).
fn common_name(name: &str) -> Option<String> {
    let name: String = name.chars().filter(|c| !c.is_control()).map(|c| if c == '"' { '\'' } else { c }).collect();
    (!name.trim().is_empty()).then(|| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use calcard::icalendar::{ICalendar, ICalendarProperty};
    use calcard::{Entry, Parser};
    use proptest::prelude::*;

    fn invite() -> Invite {
        Invite {
            uid: "corp.abcdefgh@corp.example".to_owned(),
            revision: 2,
            stamp: "2026-11-28T15:00:00Z".parse().unwrap(),
            start: "2026-12-13T00:00:00Z".parse().unwrap(),
            duration: DURATION,
            summary: "New serial number; CORP/HQ, changed".to_owned(),
            description: "Saturday, 12 December 2026\nKeep the disk".to_owned(),
            organizer: "Mail Desk <maildesk@corp.example>".parse().unwrap(),
            attendee: ("Ærø, \"Kim\"".to_owned(), "kim@corp.example".parse().unwrap()),
        }
    }

    fn parsed(text: &str) -> ICalendar {
        match Parser::new(text).entry() {
            Entry::ICalendar(calendar) => calendar,
            other => panic!("no calendar: {other:?}\n{text}"),
        }
    }

    fn value(calendar: &ICalendar, property: ICalendarProperty) -> String {
        let mut entries = calendar.components.iter().flat_map(|component| &component.entries);
        let entry = entries.find(|entry| entry.name == property).unwrap();
        entry.values[0].clone().into_text().unwrap().into_owned()
    }

    #[test]
    fn a_request_says_what_when_and_who() {
        insta::assert_snapshot!(request(&invite()).replace("\r\n", "\n"), @r#"
        BEGIN:VCALENDAR
        VERSION:2.0
        PRODID:-//flagday//flagday//EN
        CALSCALE:GREGORIAN
        METHOD:REQUEST
        BEGIN:VEVENT
        DESCRIPTION:Saturday\, 12 December 2026\nKeep the disk
        DTEND:20261213T010000Z
        DTSTAMP:20261128T150000Z
        DTSTART:20261213T000000Z
        ORGANIZER;CN=Mail Desk:mailto:maildesk@corp.example
        SEQUENCE:1
        STATUS:CONFIRMED
        SUMMARY:New serial number\; CORP/HQ\, changed
        UID:corp.abcdefgh@corp.example
        ATTENDEE;CN="Ærø, 'Kim'";ROLE=REQ-PARTICIPANT;RSVP=FALSE:mailto:kim@corp.
         example
        END:VEVENT
        END:VCALENDAR
        "#);
    }

    #[test]
    fn a_cancellation_outranks_what_it_cancels() {
        let text = cancel(&invite());
        assert!(text.contains("METHOD:CANCEL\r\n") && text.contains("STATUS:CANCELLED\r\n"));
        assert!(text.contains("SEQUENCE:2\r\n"), "{text}");
        assert!(request(&invite()).contains("SEQUENCE:1\r\n"));
    }

    proptest! {
        #[test]
        fn any_name_and_text_comes_back(name in "\\PC{0,120}", text in "[\\PC\n]{0,300}") {
            let mut invite = invite();
            invite.attendee.0 = name;
            invite.organizer.name = Some(text.replace('\n', " "));
            invite.description = format!("{text}\rATTENDEE:mailto:all@corp.example\r\n");
            invite.summary = format!("On {}", text.trim());
            let made = request(&invite);
            prop_assert!(!made.replace("\r\n ", "").contains("\nATTENDEE:"));
            for line in made.split_terminator("\r\n") {
                prop_assert!(line.len() <= 75 && !line.contains(['\r', '\n']), "{:?}", line);
            }
            let calendar = parsed(&made);
            prop_assert_eq!(value(&calendar, ICalendarProperty::Summary), invite.summary);
            prop_assert_eq!(value(&calendar, ICalendarProperty::Uid), invite.uid);
        }
    }
}
