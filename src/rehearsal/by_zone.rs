//! The timeline as a person reads it, like `plan`: what goes to people at one hour of their own clocks is one line, from its
//! first zone to its last. The data has an event for each zone.

use super::outcome::{Event, shown};
use chrono::{DateTime, Duration, FixedOffset};
use std::collections::{BTreeSet, VecDeque};

/// Clocks are no farther apart than from UTC-12 to UTC+14, and a summer's hour.
const ZONES: Duration = Duration::hours(28);

/// What was told may still be told to others elsewhere: lines wait until nobody can join them.
#[derive(Debug, Default)]
pub(super) struct ByZone {
    open: VecDeque<Line>,
}

#[derive(Debug)]
struct Line {
    event: Event,
    at: Option<DateTime<FixedOffset>>,
    /// Of the zones in it.
    offsets: BTreeSet<String>,
    last: String,
}

impl ByZone {
    /// Takes an event in, in the order of time, and gives back the lines that are whole.
    pub fn take(&mut self, event: &Event) -> Vec<Event> {
        let at = DateTime::parse_from_rfc3339(&event.at).ok();
        let near = |line: &Line| at.zip(line.at).is_some_and(|(at, first)| at - first < ZONES);
        match self.open.iter_mut().find(|line| near(line) && line.may_be_joined_by(event)) {
            Some(line) => line.join(event),
            None => self.open.push_back(Line::of(event, at)),
        }
        let waits = |line: &Line| line.event.there.is_some() && near(line);
        let mut whole = Vec::new();
        while let Some(line) = self.open.pop_front_if(|line| !waits(line)) {
            whole.push(line.told());
        }
        whole
    }

    /// What is left at the end.
    pub fn rest(&mut self) -> Vec<Event> {
        self.open.drain(..).map(Line::told).collect()
    }
}

/// The whole timeline so.
pub(super) fn read(timeline: &[Event]) -> Vec<Event> {
    let mut by_zone = ByZone::default();
    let mut lines: Vec<Event> = timeline.iter().flat_map(|event| by_zone.take(event)).collect();
    lines.extend(by_zone.rest());
    lines
}

impl Line {
    fn of(event: &Event, at: Option<DateTime<FixedOffset>>) -> Line {
        let offsets = hour_of(event).map(|(_, offset)| offset.to_owned()).into_iter().collect();
        Line { event: event.clone(), at, offsets, last: event.at.clone() }
    }

    fn may_be_joined_by(&self, event: &Event) -> bool {
        let (Some((hour, _)), Some((other, offset))) = (hour_of(&self.event), hour_of(event)) else { return false };
        let same = (self.event.kind, &self.event.subject, hour) == (event.kind, &event.subject, other);
        same && !self.offsets.contains(offset)
    }

    fn join(&mut self, event: &Event) {
        self.offsets.extend(hour_of(event).map(|(_, offset)| offset.to_owned()));
        self.event.people.extend(event.people.iter().cloned());
        self.last = event.at.clone();
    }

    fn told(mut self) -> Event {
        if self.offsets.len() > 1 {
            let words = self.event.kind.of_messages(&self.event.subject, &self.event.people);
            self.event.text = format!("{words}, zone by zone until {}", shown(&self.last));
        }
        self.event
    }
}

/// `09:00` and `-06:00`.
fn hour_of(event: &Event) -> Option<(&str, &str)> {
    event.there.as_deref()?.split_at_checked(5)
}

#[cfg(test)]
mod tests {
    use super::super::outcome::Kind;
    use super::*;

    fn sent(at: &str, there: Option<&str>, people: &[&str]) -> Event {
        let people: Vec<String> = people.iter().map(|&person| person.to_owned()).collect();
        let text = Kind::Sent.of_messages("news", &people);
        let (at, there, subject) = (at.to_owned(), there.map(str::to_owned), "news".to_owned());
        Event { at, kind: Kind::Sent, subject, people, there, text }
    }

    #[test]
    fn one_hour_of_several_zones_is_one_line_and_another_hour_or_another_day_is_not() {
        let answer = Event { kind: Kind::Answer, ..sent("2026-10-24T11:00:00-05:00", None, &["ANN"]) };
        let timeline = [
            sent("2026-10-24T09:00:00-05:00", Some("09:00-05:00"), &["ANN"]),
            answer.clone(),
            sent("2026-10-24T16:00:00-05:00", Some("08:00+11:00"), &["EVA"]),
            sent("2026-10-24T17:00:00-05:00", Some("09:00+11:00"), &["SUE", "HEAD"]),
            sent("2026-10-24T18:00:00-05:00", None, &["BOB", "KIM"]),
            sent("2026-10-25T09:00:00-05:00", Some("09:00-05:00"), &["DOT"]),
        ];
        let lines = read(&timeline);
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        let all = "sent 'news' to ANN, SUE, HEAD, zone by zone until 2026-10-24 Sat 17:00";
        assert_eq!(texts, [all, &*answer.text, "sent 'news' to EVA", "sent 'news' to BOB, KIM", "sent 'news' to DOT"]);
        assert_eq!(lines[0].at, timeline[0].at);
    }
}
