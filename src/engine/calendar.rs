//! What is to happen when: notices, reminders, escalations and phone tasks in order of time, by the clocks and the days
//! of work of the people who get them, and never in their quiet hours.

use super::Engine;
use super::whereabouts::Whereabouts;
use crate::campaign::schedule::Moment;
use crate::campaign::{Change, EscalationWay};
use crate::fault::Result;
use crate::roster::{Person, Roster};
use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Where the window ends in quiet hours, it stays open for so long after them.
const AFTER_QUIET: Duration = Duration::hours(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Notice,
    /// Only to those who have not answered.
    Reminder,
    /// Likewise, to their manager or alternate.
    Escalation,
    /// Likewise: a call to make.
    Task,
}

/// One timed action for the part of an audience that has the same hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    pub at: DateTime<Utc>,
    /// The end of its window: later it is not sent blindly, but waits to be asked for by name.
    pub until: DateTime<Utc>,
    /// What the file says, before quiet hours put it off.
    #[serde(skip)]
    pub(super) hour: DateTime<Utc>,
    pub what: What,
    /// The notice that is sent; for a task, none.
    pub notice: Option<String>,
    pub acknowledgement: Option<String>,
    pub audience: String,
    /// As it stands in the file.
    pub moment: String,
    /// Which of several reminders or escalations it is, by its moment: part of the message's identity.
    #[serde(skip)]
    pub copy: u32,
    #[serde(skip)]
    pub way: Option<EscalationWay>,
    /// From when on it is of no use: the change, or when the answer is due that a reminder asks for. Absent for what comes
    /// after that.
    #[serde(skip)]
    pub(super) ends: Option<DateTime<Utc>>,
    /// When quiet hours would let it out, where that is too late, or its own hour by a clock that is behind, or of a reminder
    /// behind the due: it is held at its own hour.
    #[serde(skip)]
    pub(super) too_late: Option<DateTime<Utc>>,
    /// Where those are who get it: for an escalation, whoever is asked about the people whom it concerns.
    #[serde(skip)]
    pub(super) there: Vec<Whereabouts>,
}

impl Entry {
    /// Where whoever gets it about a person is.
    pub(super) fn place(&self, roster: &Roster, person: &Person) -> Whereabouts {
        Whereabouts::asked(roster, person, self.way)
    }

    /// Whether it is this entry that a person's moment belongs to.
    pub(super) fn is_for(&self, roster: &Roster, person: &Person) -> bool {
        self.there.contains(&self.place(roster, person))
    }

    /// Its window is over, or never opens.
    pub fn is_late(&self, now: DateTime<Utc>) -> bool {
        now >= self.until || self.ends.is_some_and(|ends| now >= ends) || self.too_late.is_some()
    }
}

/// From when until when an action may happen, and at which hour it would, were it not for quiet hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Span {
    at: DateTime<Utc>,
    until: DateTime<Utc>,
    hour: DateTime<Utc>,
    ends: Option<DateTime<Utc>>,
    too_late: Option<DateTime<Utc>>,
}

/// A timed action before anybody's clock is asked.
struct Action<'c> {
    moment: Moment,
    window: Duration,
    what: What,
    notice: Option<&'c str>,
    acknowledgement: Option<&'c str>,
    audience: &'c str,
    way: Option<EscalationWay>,
    /// When the answer was due that this says is missing, where its moment in the file lies behind that.
    due: Option<DateTime<Utc>>,
    /// From when on it is of no use, where its moment lies before.
    ends: DateTime<Utc>,
}

impl Action<'_> {
    /// The notice itself is 0; reminders and escalations are told apart by what stands in the file, not by their place
    /// there: a list that is edited in mid-campaign sends nothing twice.
    fn copy(&self) -> u32 {
        if self.what == What::Notice {
            return 0;
        }
        let mut digest = Sha256::new();
        let way = format!("{:?} {:?}", self.what, self.way);
        for field in [self.acknowledgement.unwrap_or_default(), &way, &self.moment.to_string()] {
            digest.update((field.len() as u64).to_be_bytes());
            digest.update(field);
        }
        let digest = digest.finalize();
        // The upper half: copies that a human asks for count from 1.
        u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) | 1 << 31
    }
}

/// Where some people are, and the change as it is seen there.
type Places = Vec<(Whereabouts, Change)>;

impl Engine<'_> {
    /// Every timed action of the campaign, in order of time.
    pub fn calendar(&self) -> Vec<Entry> {
        let mut places: HashMap<(&str, Option<EscalationWay>), Places> = HashMap::new();
        let mut entries: Vec<Entry> = Vec::new();
        for action in self.actions() {
            let (audience, way) = (action.audience, action.way);
            let places = places.entry((audience, way)).or_insert_with(|| self.whereabouts(audience, way));
            let mut hours: BTreeMap<Span, Vec<Whereabouts>> = BTreeMap::new();
            for (place, change) in places.iter() {
                hours.entry(self.hour(&action, change)).or_default().push(place.clone());
            }
            entries.extend(hours.into_iter().map(|(Span { at, until, hour, ends, too_late }, there)| Entry {
                at,
                until,
                hour,
                ends,
                too_late,
                what: action.what,
                notice: action.notice.map(str::to_owned),
                acknowledgement: action.acknowledgement.map(str::to_owned),
                audience: action.audience.to_owned(),
                moment: action.moment.to_string(),
                copy: action.copy(),
                way: action.way,
                there,
            }));
        }
        entries.sort_by_key(|entry| entry.at);
        entries
    }

    fn actions(&self) -> Vec<Action<'_>> {
        let mut actions = Vec::new();
        for notice in self.campaign.notices.values() {
            actions.extend(notice.at.map(|moment| Action {
                moment,
                window: notice.window,
                what: What::Notice,
                notice: Some(&notice.name),
                acknowledgement: self.acknowledgement_asked_by(&notice.name),
                audience: &notice.audience,
                way: None,
                due: None,
                ends: self.campaign.change.at,
            }));
        }
        for asked in self.campaign.acknowledgements.values() {
            let change = &self.campaign.change;
            let answer = asked.due.map_or(change.at, |due| due.instant(change).min(change.at));
            // Whoever is reminded after that is pressed for an answer that is late already: from then on it is escalated.
            let passed =
                |moment: Moment| asked.due.map(|due| due.instant(change)).filter(|due| *due <= moment.instant(change));
            let action = |moment: Moment, what, notice, way: Option<EscalationWay>| Action {
                moment,
                window: asked.window,
                what,
                notice,
                acknowledgement: Some(&asked.name),
                audience: &asked.audience,
                due: passed(moment),
                // Others are asked until the change.
                ends: if what == What::Reminder && moment.instant(change) < answer { answer } else { change.at },
                way,
            };
            actions.extend(asked.remind.iter().map(|at| action(*at, What::Reminder, Some("reminder"), None)));
            actions.extend(asked.escalate.iter().map(|step| match step.way {
                EscalationWay::Phone => action(step.at, What::Task, None, Some(step.way)),
                way => action(step.at, What::Escalation, Some("escalation"), Some(way)),
            }));
        }
        actions
    }

    /// Which step of the chain each escalation about an acknowledgement is, by its copy.
    pub(super) fn escalation_ways(&self, acknowledgement: &str) -> HashMap<u32, EscalationWay> {
        let about =
            |action: &Action| action.what == What::Escalation && action.acknowledgement == Some(acknowledgement);
        self.actions().into_iter().filter(about).filter_map(|one| Some((one.copy(), one.way?))).collect()
    }

    /// Where those are who get what concerns an audience, and the change as it is seen there.
    fn whereabouts(&self, audience: &str, way: Option<EscalationWay>) -> Places {
        let people = self.roster.audience(&self.campaign.audiences[audience]);
        let mut places: Vec<Whereabouts> = Vec::new();
        let mut known = HashSet::new();
        for place in people.map(|person| Whereabouts::asked(&self.roster, person, way)) {
            if known.insert(place.clone()) {
                places.push(place);
            }
        }
        places.into_iter().map(|place| (place.clone(), self.seen_from(&place))).collect()
    }

    pub(super) fn seen_from(&self, place: &Whereabouts) -> Change {
        place.see(&self.campaign)
    }

    /// From when until when an action may happen there. An answer is due at one instant everywhere, and nobody is
    /// escalated before it by a clock that is ahead. A call is made by a person, who looks at the clock.
    fn hour(&self, action: &Action, there: &Change) -> Span {
        let quiet = &self.campaign.calendar.quiet;
        let hour = action.moment.instant(there);
        let hour = action.due.map_or(hour, |due| hour.max(due));
        if let (What::Reminder, Some(due)) = (action.what, action.due) {
            return Span { at: hour, until: hour, hour, ends: Some(due), too_late: Some(hour) };
        }
        if action.what == What::Task {
            return Span { at: hour, until: hour + action.window, hour, ends: None, too_late: None };
        }
        let at = quiet.opens(hour, there);
        if hour >= action.ends && action.moment.instant(&self.campaign.change) < action.ends {
            // By a clock that is behind it comes when it is of no use.
            return Span { at: hour, until: hour, hour, ends: Some(action.ends), too_late: Some(hour) };
        }
        let ends = Some(action.ends).filter(|ends| hour < *ends);
        if ends.is_some_and(|ends| ends <= at) && hour < at {
            return Span { at: hour, until: hour, hour, ends, too_late: Some(at) };
        }
        let end = at + action.window;
        let until = if quiet.is_quiet(end, there) { quiet.opens(end, there) + AFTER_QUIET } else { end };
        let until = ends.map_or(until, |ends| until.min(ends));
        Span { at, until, hour, ends, too_late: None }
    }

    /// The hour of an entry by the clock of those who get it, or of whoever gets it about one person: where that reads
    /// otherwise than by the campaign's, and alike for all.
    pub(super) fn local_hour(&self, entry: &Entry, only: Option<&Person>) -> Option<String> {
        let campaign = self.campaign.change.zone;
        let shown = |zone: Tz| entry.at.with_timezone(&zone).format("%a %F %H:%M %Z").to_string();
        let one = only.map(|person| entry.place(&self.roster, person));
        let places = entry.there.iter().filter(|place| one.as_ref().is_none_or(|one| one == *place));
        let mut hours: Vec<String> = places.map(|place| shown(place.zone.unwrap_or(campaign))).collect();
        hours.dedup();
        let [hour] = hours.as_slice() else { return None };
        (*hour != shown(campaign)).then(|| hour.clone())
    }

    /// The part of an entry that may be written to now: quiet hours that last until it is of no use keep it from nobody.
    pub(super) fn awake(&self, entry: &Entry) -> Entry {
        let quiet = &self.campaign.calendar.quiet;
        let mut awake = entry.clone();
        if entry.what != What::Task {
            let now = self.now();
            let opens = |place: &Whereabouts| quiet.opens(now, &self.seen_from(place));
            awake.there.retain(|place| opens(place) == now || entry.ends.is_some_and(|ends| ends <= opens(place)));
        }
        awake
    }

    /// When the quiet hours of an entry that is due come to an end, for the first of those it concerns.
    fn wakes(&self, entry: &Entry, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let quiet = &self.campaign.calendar.quiet;
        entry.there.iter().map(|place| quiet.opens(now, &self.seen_from(place))).min()
    }

    /// The acknowledgement that a notice asks for.
    pub(super) fn acknowledgement_asked_by(&self, notice: &str) -> Option<&str> {
        self.campaign
            .acknowledgements
            .values()
            .find(|acknowledgement| acknowledgement.notice.as_deref() == Some(notice))
            .map(|acknowledgement| acknowledgement.name.as_str())
    }

    /// The next timed action after now that still concerns somebody, with the instant at which it may happen.
    pub fn next_entry(&self) -> Result<Option<Entry>> {
        if self.aborted()?.is_some() || self.is_postponed()? {
            return Ok(None);
        }
        let now = self.now();
        let look = self.look_around()?;
        let mut next: Option<Entry> = None;
        let calendar = self.calendar();
        for entry in &calendar {
            let mut entry = self.newest(&calendar, entry);
            if entry.there.is_empty() || entry.too_late.is_some() {
                continue;
            }
            if entry.at <= now {
                // Put off by quiet hours that began after its hour, or because people were told after it.
                let later = look.later(&entry)?.into_iter().map(|(_, at)| at).min();
                let wakes = self.wakes(&entry, now).filter(|at| *at > now && !entry.is_late(now));
                let wakes = wakes.filter(|_| look.intents(&entry).is_ok_and(|intents| !intents.is_empty()));
                let Some(at) = later.into_iter().chain(wakes).min() else { continue };
                entry.at = at;
            } else if next.as_ref().is_some_and(|known| known.at <= entry.at) {
                continue;
            } else if entry.what == What::Notice && look.intents(&entry)?.is_empty()
                || entry.what != What::Notice && look.to_come(&entry)? == 0
            {
                // Who will not have answered by then is not known yet; who has the notice already, or has answered, is.
                continue;
            }
            if next.as_ref().is_none_or(|known| entry.at < known.at) {
                next = Some(entry);
            }
        }
        for mut entry in look.brought_forward_to_the_morning(&calendar)? {
            let Some(at) = self.wakes(&entry, now) else { continue };
            if next.as_ref().is_none_or(|known| at < known.at) {
                entry.at = at;
                next = Some(entry);
            }
        }
        Ok(next)
    }
}
