//! The calendar as a person reads it beforehand: for everybody, or for one.

use super::Engine;
use super::calendar::{Entry, What};
use crate::fault::Result;
use crate::roster::Person;
use chrono::{DateTime, Utc};
use serde::Serialize;

/// One line of `plan`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Planned {
    pub at: DateTime<Utc>,
    /// `at` by the clock of those it concerns, where that is another one than the campaign's: `Sat 2026-11-28 09:00 CET`.
    /// Absent where they have several.
    pub local: Option<String>,
    /// After this instant it is held.
    pub until: DateTime<Utc>,
    pub what: String,
    pub notice: String,
    pub audience: String,
    /// As it stands in the file: `T-14d 09:00`.
    pub moment: String,
    /// Whom it concerns as things stand now; of what is done, whom it went to.
    pub people: usize,
    /// `done`, `due`, `quiet` (due, and put off until the quiet hours end), `kept waiting` (until every mailbox was read),
    /// `held` (its window is over), `too late` (quiet hours put it off until it is of no use: it will be held), `passed over` (a later reminder takes its place, or nobody had to get it), `on hold` (the
    /// change is put off), `called off` or `to come`.
    pub state: String,
    /// For one person: why it is so, where it is otherwise than by its own hour.
    pub why: String,
}

impl Engine<'_> {
    /// The whole calendar beforehand, for everybody or for one person.
    pub fn plan(&self, person: Option<&str>) -> Result<Vec<Planned>> {
        let now = self.now();
        let only = person.map(|word| self.roster.find(word)).transpose()?;
        let look = self.look_around()?;
        let off = match (self.aborted()?.is_some(), self.is_postponed()?) {
            (true, _) => Some("called off"),
            (_, true) => Some("on hold"),
            _ => None,
        };
        let unread = !self.unread()?.is_empty();
        let calendar = self.calendar();
        let mut fates = only.map(|only| look.fates(only)).transpose()?;
        let mut planned = Vec::new();
        for entry in &calendar {
            let audience = &self.campaign.audiences[&entry.audience];
            let concerned = |id: &str| only.is_none_or(|only| only.id == id);
            let members = |of: &Entry| {
                let members = self.roster.audience(audience).filter(|member| concerned(&member.id));
                members.filter(|member| of.is_for(&self.roster, member)).count()
            };
            if members(entry) == 0 {
                continue;
            }
            let count = |entry| -> Result<usize> {
                Ok(look.intents(entry)?.iter().filter(|intent| concerned(&intent.person.id)).count())
            };
            let open = count(entry)?;
            let newest = self.newest(&calendar, entry);
            let left = if newest.there.len() < entry.there.len() { count(&newest)? } else { open };
            let later: Vec<_> = look.later(entry)?.into_iter().filter(|(id, _)| concerned(id)).collect();
            let early = entry.at > now && entry.what != What::Notice;
            // Who will not have answered by then is not known yet; who has, is. One person's says why, below.
            let to_come = match only {
                None if early && off.is_none() => look.to_come(&newest)?,
                _ => members(&newest),
            };
            let mut at = entry.at;
            let (people, state) = match () {
                () if off.is_some() && (open > 0 || entry.what != What::Notice) => (open, off.unwrap_or_default()),
                () if entry.at > now && entry.what == What::Notice => {
                    let to_come = if entry.too_late.is_some() { "too late" } else { "to come" };
                    if open == 0 { (look.went_to(entry, &concerned)?, "done") } else { (open, to_come) }
                }
                () if early && to_come == 0 && look.was_done(&calendar, entry, &concerned)? => {
                    (look.went_to(entry, &concerned)?, "done")
                }
                () if early && to_come == 0 => (0, "passed over"),
                () if early => (to_come, if entry.too_late.is_some() { "too late" } else { "to come" }),
                // Told after its hour: they get their time to answer first.
                () if open == 0 && !later.is_empty() => {
                    at = later.iter().map(|(_, at)| *at).min().unwrap_or(at);
                    (later.len(), "to come")
                }
                () if open == 0 && look.was_done(&calendar, entry, &concerned)? => {
                    (look.went_to(entry, &concerned)?, "done")
                }
                () if open == 0 => (0, "passed over"),
                () if left == 0 => (open, "passed over"),
                () if entry.is_late(now) => (left, "held"),
                () if unread && entry.what != What::Notice => (left, "kept waiting"),
                () if self.awake(&newest).there.is_empty() => (left, "quiet"),
                () => (left, "due"),
            };
            let fate = match &mut fates {
                Some(fates) if off.is_none() => fates.of(entry, state)?,
                _ => None,
            };
            let (people, state, why) = match fate {
                Some((state, why)) => {
                    (usize::from(matches!(state, "due" | "quiet" | "kept waiting" | "to come")), state, why)
                }
                None => (people, state, String::new()),
            };
            let what = match entry.what {
                What::Notice => "notice",
                What::Reminder => "reminder, to those silent",
                What::Escalation => "escalation, for those silent",
                What::Task => "phone task, for those silent",
            };
            planned.push(Planned {
                at,
                local: self.local_hour(&Entry { at, ..entry.clone() }, only),
                until: entry.until.max(at),
                what: what.to_owned(),
                notice: entry.notice.clone().unwrap_or_default(),
                audience: entry.audience.clone(),
                moment: entry.moment.clone(),
                people,
                state: state.to_owned(),
                why,
            });
        }
        planned.sort_by_key(|one: &Planned| one.at);
        planned.extend(self.replies(only)?);
        Ok(planned)
    }

    /// To whoever answered what holds no more: no hour of the calendar, but the next round.
    fn replies(&self, only: Option<&Person>) -> Result<Option<Planned>> {
        let mut to = self.replies_owed()?;
        to.retain(|intent| only.is_none_or(|only| only.id == intent.person.id));
        let Some(first) = to.first() else { return Ok(None) };
        let asleep = to.iter().all(|intent| self.sleeps(intent));
        Ok(Some(Planned {
            at: first.due_at,
            local: None,
            until: self.campaign.change.at.max(first.due_at),
            what: "reply, to an answer that holds no more".to_owned(),
            notice: first.notice.clone(),
            audience: self.campaign.acknowledgements[first.acknowledgement.as_deref().unwrap_or_default()]
                .audience
                .clone(),
            moment: String::new(),
            people: to.len(),
            state: if asleep { "quiet" } else { "due" }.to_owned(),
            why: String::new(),
        }))
    }
}
