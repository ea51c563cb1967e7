//! Quiet hours for what is in the queue already: what the server put off, or could not be given to it, does not go out while
//! whoever gets it is asleep. Asked when a run begins, and again for each message: a run may last into the night.

use super::Engine;
use super::calendar::Entry;
use super::sending::Intent;
use super::whereabouts::Whereabouts;
use crate::campaign::{Campaign, Change};
use crate::fault::Result;
use crate::ledger::{MessageRow, OUTDATED};
use crate::outbox::{Claimed, Hours, State};
use crate::roster::Roster;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};

/// What does not leave now, because it is night where it goes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asleep {
    pub notice: String,
    pub messages: usize,
    /// When it may.
    pub until: DateTime<Utc>,
    /// The same by the clock of those it goes to, where that reads otherwise than by the campaign's.
    pub local: Option<String>,
}

impl Asleep {
    /// `3 letters of 'news' wait for the end of quiet hours: Fri 2027-03-19 07:00 CET`
    pub fn words(&self, shown: &dyn Fn(DateTime<Utc>) -> String) -> String {
        let letters = if self.messages == 1 { "letter" } else { "letters" };
        let wait = if self.messages == 1 { "waits" } else { "wait" };
        let there = self.local.as_ref().map(|local| format!(" ({local} there)")).unwrap_or_default();
        let (count, until) = (self.messages, shown(self.until));
        format!("{count} {letters} of '{}' {wait} for the end of quiet hours: {until}{there}", self.notice)
    }
}

/// What goes out at any hour, because somebody asks for it now.
#[derive(Debug, Default)]
pub(super) enum Wanted {
    #[default]
    Nothing,
    Notice(String),
    /// By person and notice.
    Letters(HashSet<(String, String)>),
}

impl Wanted {
    fn includes(&self, person: &str, notice: &str) -> bool {
        match self {
            Wanted::Nothing => false,
            Wanted::Notice(name) => name == notice,
            Wanted::Letters(letters) => letters.contains(&(person.to_owned(), notice.to_owned())),
        }
    }
}

/// Who is left alone when, as one run sees it.
#[derive(Debug)]
pub(super) struct Nights<'e> {
    campaign: &'e Campaign,
    roster: &'e Roster,
    /// Letters of amendments, by person and notice.
    amended: HashSet<(String, String)>,
    wanted: &'e Wanted,
    places: RefCell<HashMap<Whereabouts, Change>>,
}

impl<'e> Nights<'e> {
    pub(super) fn new(
        campaign: &'e Campaign,
        roster: &'e Roster,
        amended: HashSet<(String, String)>,
        wanted: &'e Wanted,
    ) -> Nights<'e> {
        Nights { campaign, roster, amended, wanted, places: RefCell::default() }
    }

    /// The first instant from `at` on at which a letter may leave for that place.
    fn opens(&self, person: &str, notice: &str, place: Option<Whereabouts>, at: DateTime<Utc>) -> DateTime<Utc> {
        if !self.keeps_hours(person, notice) {
            return at;
        }
        let Some(place) = place else { return at };
        let mut places = self.places.borrow_mut();
        let there = match places.get(&place) {
            Some(there) => there,
            None => {
                let seen = place.see(self.campaign);
                places.entry(place).or_insert(seen)
            }
        };
        self.campaign.calendar.quiet.opens(at, there)
    }

    /// Where whoever gets a message of the queue is.
    fn place(&self, message: &MessageRow) -> Option<Whereabouts> {
        let to = message.envelope_to.as_deref().unwrap_or_default();
        Whereabouts::of_reader(self.roster, &message.person, &message.notice, to)
    }

    /// What has its hour in the calendar, or comes of what does, or of an amendment. People read at any hour that the change is
    /// off or put off, what the change itself tells, and what somebody asks for now.
    fn keeps_hours(&self, person: &str, notice: &str) -> bool {
        if matches!(notice, "abort" | "postponed") || self.wanted.includes(person, notice) {
            return false;
        }
        matches!(notice, "reminder" | "escalation" | "correction" | OUTDATED)
            || self.campaign.notices.get(notice).is_some_and(|one| one.at.is_some())
            || self.amended.contains(&(person.to_owned(), notice.to_owned()))
    }
}

impl Hours for Nights<'_> {
    fn asleep(&self, message: &Claimed, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (person, notice) = (&message.person, &message.notice);
        let place = Whereabouts::of_reader(self.roster, person, notice, message.envelope_to.as_ref());
        let opens = self.opens(person, notice, place, now);
        (opens > now).then_some(opens)
    }
}

impl Engine<'_> {
    pub(super) fn has_nights(&self) -> bool {
        let quiet = &self.campaign.calendar.quiet;
        quiet.hours.is_some() || quiet.days_off
    }

    /// Puts off what would leave in the quiet hours of whoever gets it, until they end.
    pub(super) fn let_sleep(&mut self, wanted: &Wanted) -> Result<()> {
        if !self.has_nights() {
            return Ok(());
        }
        let now = self.now();
        let nights = Nights::new(&self.campaign, &self.roster, self.ledger.amended()?, wanted);
        let mut later = Vec::new();
        for message in self.ledger.waiting()?.into_iter().filter(|one| one.state == State::Planned) {
            let at = message.next_at.max(now);
            let opens = nights.opens(&message.person, &message.notice, nights.place(&message), at);
            if opens > at {
                later.push((message.id, opens));
            }
        }
        self.ledger.put_off(&later)
    }

    /// What would leave now, were it not for quiet hours: from the queue, and from the calendar where it comes to its hour
    /// late. In order of when it may.
    pub fn asleep(&self) -> Result<Vec<Asleep>> {
        if !self.has_nights() {
            return Ok(Vec::new());
        }
        let now = self.now();
        let wanted = Wanted::default();
        let nights = Nights::new(&self.campaign, &self.roster, self.ledger.amended()?, &wanted);
        let mut groups: BTreeMap<(DateTime<Utc>, String, Option<String>), usize> = BTreeMap::new();
        let mut add = |person: &str, notice: &str, place: Option<Whereabouts>, at: DateTime<Utc>| {
            let opens = nights.opens(person, notice, place.clone(), at);
            let wakes = nights.opens(person, notice, place.clone(), now);
            // What waits for longer than that waits for something else: the server's pause.
            if opens > at || now < wakes && at <= wakes {
                *groups.entry((opens, notice.to_owned(), self.hour_there(place, opens))).or_default() += 1;
            }
        };
        for message in self.ledger.waiting()?.into_iter().filter(|one| one.state == State::Planned) {
            add(&message.person, &message.notice, nights.place(&message), message.next_at.max(now));
        }
        if self.aborted()?.is_none() && !self.is_postponed()? {
            let look = self.look_around()?;
            let calendar = self.calendar();
            for entry in calendar.iter().filter(|entry| entry.at <= now && !entry.is_late(now)) {
                let newest = self.newest(&calendar, entry);
                let awake = self.awake(&newest).there;
                let there = newest.there.iter().filter(|place| !awake.contains(place)).cloned().collect();
                let asleep = Entry { there, ..newest };
                let letters = look.intents(&asleep)?.into_iter().filter(|intent| !intent.is_a_call(&asleep));
                for Intent { person, notice, .. } in letters {
                    add(&person.id, &notice, Some(asleep.place(&self.roster, &person)), now);
                }
            }
            for Intent { person, notice, .. } in self.replies_owed()? {
                add(&person.id, &notice, Some(Whereabouts::of(&person)), now);
            }
        }
        let group = |((until, notice, local), messages)| Asleep { notice, messages, until, local };
        Ok(groups.into_iter().map(group).collect())
    }

    /// An instant by the clock there, where that reads otherwise than by the campaign's.
    fn hour_there(&self, place: Option<Whereabouts>, at: DateTime<Utc>) -> Option<String> {
        let shown = |zone: chrono_tz::Tz| at.with_timezone(&zone).format("%a %F %H:%M %Z").to_string();
        let there = shown(place?.zone?);
        (there != shown(self.campaign.change.zone)).then_some(there)
    }
}
