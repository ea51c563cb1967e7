//! Quiet hours for what is in the queue already: what the server put off, or could not be given to it, does not go out while
//! whoever gets it is asleep. Asked when a run begins, and again for each message: a run may last into the night. Quiet hours
//! put off and never drop: what they would keep until it is of no use goes out in them.

use super::Engine;
use super::calendar::Entry;
use super::sending::Intent;
use super::urgent::{Urgent, urgents};
use super::whereabouts::Whereabouts;
use crate::campaign::schedule::Moment;
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

pub(super) type Amended = HashMap<(String, String), Vec<String>>;

/// What is asked about one letter.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) person: String,
    pub(super) notice: String,
    /// Where whoever gets it is.
    pub(super) place: Option<Whereabouts>,
    /// After this instant it is held.
    pub(super) expires: Option<DateTime<Utc>>,
}

impl Asked {
    /// Of what is not composed yet: the calendar knows until when it may be.
    pub(super) fn of(intent: &Intent, place: Whereabouts) -> Asked {
        Asked { person: intent.person.id.clone(), notice: intent.notice.clone(), place: Some(place), expires: None }
    }
}

/// Who is left alone when, as one run sees it.
#[derive(Debug)]
pub(super) struct Nights<'e> {
    campaign: &'e Campaign,
    roster: &'e Roster,
    /// Letters of amendments, by person and notice, with the dates that people were told before.
    amended: Amended,
    wanted: &'e Wanted,
    places: RefCell<HashMap<Whereabouts, Change>>,
}

impl<'e> Nights<'e> {
    pub(super) fn new(campaign: &'e Campaign, roster: &'e Roster, amended: Amended, wanted: &'e Wanted) -> Nights<'e> {
        Nights { campaign, roster, amended, wanted, places: RefCell::default() }
    }

    /// The first instant from `at` on at which a letter may leave.
    fn opens(&self, asked: &Asked, at: DateTime<Utc>) -> DateTime<Utc> {
        if self.urgent(asked, at).is_some() { at } else { self.wakes(asked, at) }
    }

    /// The end of the quiet hours and of the letter's use, where that comes no later.
    pub(super) fn urgent(&self, asked: &Asked, at: DateTime<Utc>) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let wakes = Some(self.wakes(asked, at)).filter(|wakes| *wakes > at)?;
        Some((wakes, self.useful_until(asked, at).filter(|until| *until <= wakes)?))
    }

    /// An amendment tells of another date: it is of use before the one that people know, and before the new one. So is what
    /// managers hear of it.
    fn useful_until(&self, asked: &Asked, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let change = &self.campaign.change;
        let theirs: Vec<&Vec<String>> = match asked.notice.as_str() {
            "correction" => self.amended.iter().filter(|((id, _), _)| *id == asked.person).map(|one| one.1).collect(),
            _ => self.amended.get(&(asked.person.clone(), asked.notice.clone())).into_iter().collect(),
        };
        let dates = theirs.iter().copied().flatten().filter_map(|date| Moment::parse(date).ok());
        let dates = dates.map(|date| date.instant(change)).chain((!theirs.is_empty()).then_some(change.at));
        dates.filter(|date| *date > at).chain(asked.expires).min()
    }

    /// When the quiet hours end that `at` lies in, where whoever gets the letter is.
    fn wakes(&self, asked: &Asked, at: DateTime<Utc>) -> DateTime<Utc> {
        if !self.keeps_hours(&asked.person, &asked.notice) {
            return at;
        }
        let Some(place) = &asked.place else { return at };
        let mut places = self.places.borrow_mut();
        let there = match places.get(place) {
            Some(there) => there,
            None => {
                let seen = place.see(self.campaign);
                places.entry(place.clone()).or_insert(seen)
            }
        };
        self.campaign.calendar.quiet.opens(at, there)
    }

    /// What is asked about a message of the queue.
    fn about(&self, message: &MessageRow) -> Asked {
        let to = message.envelope_to.as_deref().unwrap_or_default();
        let place = Whereabouts::of_reader(self.roster, &message.person, &message.notice, to);
        Asked { person: message.person.clone(), notice: message.notice.clone(), place, expires: message.expires }
    }

    /// What has its hour in the calendar, or comes of what does, or of an amendment. People read at any hour that the change is
    /// off or put off, what the change itself tells, and what somebody asks for now.
    fn keeps_hours(&self, person: &str, notice: &str) -> bool {
        if matches!(notice, "abort" | "postponed") || self.wanted.includes(person, notice) {
            return false;
        }
        matches!(notice, "reminder" | "escalation" | "correction" | OUTDATED)
            || self.campaign.notices.get(notice).is_some_and(|one| one.at.is_some())
            || self.amended.contains_key(&(person.to_owned(), notice.to_owned()))
    }
}

impl Hours for Nights<'_> {
    fn asleep(&self, message: &Claimed, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let asked = Asked {
            person: message.person.clone(),
            notice: message.notice.clone(),
            place: Whereabouts::of_reader(self.roster, &message.person, &message.notice, message.envelope_to.as_ref()),
            expires: message.expires,
        };
        let opens = self.opens(&asked, now);
        (opens > now).then_some(opens)
    }
}

impl Engine<'_> {
    pub(super) fn has_nights(&self) -> bool {
        let quiet = &self.campaign.calendar.quiet;
        quiet.hours.is_some() || quiet.days_off
    }

    /// Puts off what would leave in the quiet hours of whoever gets it, until they end, and wakes what was put off and need
    /// not wait any more. What goes out in quiet hours all the same.
    pub(super) fn let_sleep(&mut self, wanted: &Wanted) -> Result<Vec<Urgent>> {
        if !self.has_nights() && !self.ledger.has_asleep()? {
            return Ok(Vec::new());
        }
        let now = self.now();
        let nights = Nights::new(&self.campaign, &self.roster, self.ledger.amended()?, wanted);
        let (mut sleep, mut urgent) = (Vec::new(), BTreeMap::new());
        for message in self.ledger.waiting()?.into_iter().filter(|one| one.state == State::Planned) {
            let asked = nights.about(&message);
            let at = message.ready().max(now);
            let opens = nights.opens(&asked, at);
            if opens > at {
                sleep.push((message.id, Some(opens)));
            } else if message.ready_at.is_some() {
                sleep.push((message.id, None));
            }
            if let Some((wakes, until)) = nights.urgent(&asked, at).filter(|_| at == now) {
                *urgent.entry((wakes, until, message.notice)).or_insert(0) += 1;
            }
        }
        self.ledger.let_sleep(&sleep)?;
        Ok(urgents(urgent))
    }

    /// What waits for the end of quiet hours, and would not where somebody asks for it, by the number of the message.
    pub(super) fn woken_by(&self, wanted: &Wanted) -> Result<HashSet<i64>> {
        if !self.ledger.has_asleep()? {
            return Ok(HashSet::new());
        }
        let now = self.now();
        let nights = Nights::new(&self.campaign, &self.roster, self.ledger.amended()?, wanted);
        let asleep = self.ledger.waiting()?.into_iter();
        let asleep = asleep.filter(|one| one.state == State::Planned && one.next_at > now && one.ready() <= now);
        Ok(asleep.filter(|one| nights.opens(&nights.about(one), now) == now).map(|one| one.id).collect())
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
        let mut add = |asked: Asked, at: DateTime<Utc>| {
            let (opens, wakes) = (nights.opens(&asked, at), nights.opens(&asked, now));
            // What waits for longer than that waits for something else: the server's pause.
            if opens > at || now < wakes && at <= wakes {
                *groups.entry((opens, asked.notice, self.hour_there(asked.place, opens))).or_default() += 1;
            }
        };
        for message in self.ledger.waiting()?.into_iter().filter(|one| one.state == State::Planned) {
            add(nights.about(&message), message.ready().max(now));
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
                for intent in letters {
                    add(Asked::of(&intent, asleep.place(&self.roster, &intent.person)), now);
                }
            }
            for intent in self.replies_owed()?.iter().filter(|intent| self.sleeps(intent)) {
                add(Asked::of(intent, Whereabouts::of(&intent.person)), now);
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
