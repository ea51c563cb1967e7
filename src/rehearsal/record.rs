//! What happens is written down as it happens: the timeline, who held which step, and the moments that need a human.

use super::by_zone::ByZone;
use super::outcome::{Blocked, Count, Event, Kind, Need, Told, shown};
use super::script::On;
use chrono::{DateTime, FixedOffset, Utc};
use chrono_tz::Tz;
use indexmap::IndexMap;
use std::collections::{BTreeMap, BTreeSet};

pub(super) struct Record<'a> {
    zone: Tz,
    /// How the copy's folder is called in messages of the engine; the outcome does not say where it was rehearsed.
    folder: String,
    told: &'a mut dyn FnMut(Told),
    pub timeline: Vec<Event>,
    by_zone: ByZone,
    pub gates: IndexMap<String, Vec<Count>>,
    pub needs: Vec<Need>,
    /// What is needed and not yet done, by what for whom.
    open_needs: BTreeMap<(On, String), usize>,
    blocked: BTreeMap<(String, String), Held>,
    holding: BTreeMap<String, BTreeSet<String>>,
    /// Why each step, and the sending, stood still last.
    stops: BTreeMap<String, String>,
    last_stop: String,
}

/// From when to when somebody held a step.
struct Held {
    from: DateTime<Utc>,
    until: DateTime<Utc>,
}

impl<'a> Record<'a> {
    pub(super) fn new(zone: Tz, folder: String, told: &'a mut dyn FnMut(Told)) -> Record<'a> {
        Record {
            zone,
            folder,
            told,
            timeline: Vec::new(),
            by_zone: ByZone::default(),
            gates: IndexMap::new(),
            needs: Vec::new(),
            open_needs: BTreeMap::new(),
            blocked: BTreeMap::new(),
            holding: BTreeMap::new(),
            stops: BTreeMap::new(),
            last_stop: String::new(),
        }
    }

    /// An instant as the outcome writes it.
    pub(super) fn written(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.zone).to_rfc3339_opts(chrono::SecondsFormat::Secs, false)
    }

    /// An instant as a person reads it.
    pub(super) fn shown(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.zone).format("%F %a %H:%M").to_string()
    }

    pub(super) fn event(&mut self, at: DateTime<Utc>, kind: Kind, subject: &str, people: Vec<String>, text: &str) {
        let (at, text) = (self.written(at), text.replace(&self.folder, ""));
        self.add(Event { at, kind, subject: subject.to_owned(), people, there: None, text });
    }

    /// Of messages; `there`: the offset of everybody's clock, where they have one.
    pub(super) fn messages(
        &mut self,
        at: DateTime<Utc>,
        kind: Kind,
        subject: &str,
        people: Vec<String>,
        there: Option<FixedOffset>,
    ) {
        let text = kind.of_messages(subject, &people);
        let there = there.map(|offset| at.with_timezone(&offset).format("%H:%M%:z").to_string());
        self.add(Event { at: self.written(at), kind, subject: subject.to_owned(), people, there, text });
    }

    fn add(&mut self, event: Event) {
        let whole = self.by_zone.take(&event);
        self.tell(whole);
        self.timeline.push(event);
    }

    fn tell(&mut self, lines: Vec<Event>) {
        lines.iter().for_each(|line| (self.told)(Told::Moment { at: &shown(&line.at), text: &line.text }));
    }

    /// Nothing more happens.
    pub(super) fn tell_the_rest(&mut self) {
        let rest = self.by_zone.rest();
        self.tell(rest);
    }

    /// Why the cutover stands still. The same reason again is no news.
    pub(super) fn stop(&mut self, at: DateTime<Utc>, step: &str, text: &str) {
        if self.stops.insert(step.to_owned(), text.to_owned()).as_deref() != Some(text) {
            self.event(at, Kind::Waits, step, Vec::new(), text);
        }
        self.last_stop = text.to_owned();
    }

    /// What stood still goes on: the same reason would be news again.
    pub(super) fn goes_on(&mut self, step: &str) {
        self.stops.remove(step);
    }

    pub(super) fn last_stop(&self) -> String {
        self.last_stop.replace(&self.folder, "")
    }

    /// Something that a human has to do; once, until it is done.
    pub(super) fn need(&mut self, at: DateTime<Utc>, on: On, whom: &str, what: &str, by: Option<DateTime<Utc>>) {
        let key = (on, whom.to_owned());
        if self.open_needs.contains_key(&key) {
            return;
        }
        self.open_needs.insert(key, self.needs.len());
        self.needs.push(Need {
            at: self.written(at),
            kind: on,
            what: what.replace(&self.folder, ""),
            whom: whom.to_owned(),
            by: by.map(|by| self.written(by)),
            done: None,
            did: None,
        });
    }

    /// Something was done about it, or it has settled itself.
    pub(super) fn did(&mut self, at: DateTime<Utc>, on: On, whom: &str, what: &str) {
        let done = self.written(at);
        let Some(index) = self.open_needs.remove(&(on, whom.to_owned())) else { return };
        if let Some(need) = self.needs.get_mut(index) {
            need.done = Some(done);
            need.did = Some(what.to_owned());
        }
    }

    /// Those who hold a step now.
    pub(super) fn holding(&mut self, at: DateTime<Utc>, step: &str, people: BTreeSet<String>) {
        let before = self.holding.insert(step.to_owned(), people.clone()).unwrap_or_default();
        for person in before.union(&people) {
            let key = (step.to_owned(), person.clone());
            let held = self.blocked.entry(key).or_insert(Held { from: at, until: at });
            held.until = at;
        }
    }

    /// One of them holds it no more.
    pub(super) fn released(&mut self, at: DateTime<Utc>, person: &str) {
        for (step, people) in &mut self.holding {
            if people.remove(person)
                && let Some(held) = self.blocked.get_mut(&(step.clone(), person.to_owned()))
            {
                held.until = at;
            }
        }
    }

    /// A gate's count, where it is another than before.
    pub(super) fn count(&mut self, at: DateTime<Utc>, gate: &str, satisfied: usize, of: usize, open: bool) {
        let count = Count { at: self.written(at), satisfied, of, open };
        let counts = self.gates.entry(gate.to_owned()).or_default();
        if counts.last().is_none_or(|last| (last.satisfied, last.of, last.open) != (satisfied, of, open)) {
            counts.push(count);
        }
    }

    /// Who blocked, in the order of time.
    pub(super) fn blocked(&self) -> Vec<Blocked> {
        let mut held: Vec<_> =
            self.blocked.iter().map(|((step, by), held)| (held.from, step, by, held.until)).collect();
        held.sort();
        held.into_iter()
            .map(|(from, step, by, until)| Blocked {
                step: step.clone(),
                by: by.clone(),
                from: self.written(from),
                until: self.written(until),
            })
            .collect()
    }
}
