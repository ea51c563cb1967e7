//! What is to happen when: notices, reminders, escalations and phone tasks in order of time.

use super::Engine;
use crate::campaign::EscalationWay;
use crate::fault::Result;
use chrono::{DateTime, Duration, Utc};
use serde::Serialize;

/// A timed action whose hour passed longer ago than this is not sent blindly: it waits to be asked for by name.
pub const WINDOW: Duration = Duration::hours(24);

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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

/// One timed action for one audience.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    pub at: DateTime<Utc>,
    pub what: What,
    /// The notice that is sent; for a task, none.
    pub notice: Option<String>,
    pub acknowledgement: Option<String>,
    pub audience: String,
    /// Which of several reminders or escalations it is, unique in the campaign: part of the message's identity.
    pub copy: u32,
    #[serde(skip)]
    pub way: Option<EscalationWay>,
}

impl Entry {
    /// Its hour came longer ago than the window.
    pub fn is_late(&self, now: DateTime<Utc>) -> bool {
        now - self.at > WINDOW
    }
}

/// One line of `plan`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Planned {
    pub at: DateTime<Utc>,
    pub what: String,
    pub notice: String,
    pub audience: String,
    /// Whom it concerns as things stand now.
    pub people: usize,
    /// `done`, `due`, `held` (its hour passed too long ago) or `to come`.
    pub state: String,
}

impl Engine<'_> {
    /// The whole calendar beforehand, for everybody or for one person.
    pub fn plan(&self, person: Option<&str>) -> Result<Vec<Planned>> {
        let now = self.now();
        let only = person.map(|word| self.roster.find(word)).transpose()?.map(|person| person.id.clone());
        let mut planned = Vec::new();
        for entry in self.calendar() {
            let audience = &self.campaign.audiences[&entry.audience];
            let concerned = |id: &str| only.as_deref().is_none_or(|only| only == id);
            if !self.roster.audience(audience).any(|member| concerned(&member.id)) {
                continue;
            }
            let open = self.intents_of(&entry)?.iter().filter(|intent| concerned(&intent.person.id)).count();
            let all = self.roster.audience(audience).filter(|member| concerned(&member.id)).count();
            let (people, state) = match () {
                () if entry.at > now && entry.what == What::Notice => {
                    (open, if open == 0 { "done" } else { "to come" })
                }
                // Who will not have answered by then is not known yet.
                () if entry.at > now => (all, "to come"),
                () if open == 0 => (0, "done"),
                () if entry.is_late(now) => (open, "held"),
                () => (open, "due"),
            };
            let what = match entry.what {
                What::Notice => "notice",
                What::Reminder => "reminder, to those silent",
                What::Escalation => "escalation, for those silent",
                What::Task => "phone task, for those silent",
            };
            planned.push(Planned {
                at: entry.at,
                what: what.to_owned(),
                notice: entry.notice.unwrap_or_default(),
                audience: entry.audience,
                people,
                state: state.to_owned(),
            });
        }
        Ok(planned)
    }

    /// Every timed action of the campaign, in order of time.
    pub fn calendar(&self) -> Vec<Entry> {
        let change = &self.campaign.change;
        let mut entries: Vec<Entry> = Vec::new();
        for notice in self.campaign.notices.values() {
            if let Some(at) = notice.at {
                entries.push(Entry {
                    at: at.instant(change),
                    what: What::Notice,
                    notice: Some(notice.name.clone()),
                    acknowledgement: self.acknowledgement_asked_by(&notice.name).map(str::to_owned),
                    audience: notice.audience.clone(),
                    copy: 0,
                    way: None,
                });
            }
        }
        for (index, acknowledgement) in self.campaign.acknowledgements.values().enumerate() {
            // 64 timed actions an acknowledgement keep every copy number apart from every other.
            let copy = |n: usize| (index * 64 + n + 1) as u32;
            let entry = |at, what, notice: Option<&str>, copy, way| Entry {
                at,
                what,
                notice: notice.map(str::to_owned),
                acknowledgement: Some(acknowledgement.name.clone()),
                audience: acknowledgement.audience.clone(),
                copy,
                way,
            };
            for (n, at) in acknowledgement.remind.iter().enumerate() {
                entries.push(entry(at.instant(change), What::Reminder, Some("reminder"), copy(n), None));
            }
            for (n, step) in acknowledgement.escalate.iter().enumerate() {
                let (what, notice) = match step.way {
                    EscalationWay::Phone => (What::Task, None),
                    EscalationWay::Manager | EscalationWay::Alternate => (What::Escalation, Some("escalation")),
                };
                entries.push(entry(step.at.instant(change), what, notice, copy(n), Some(step.way)));
            }
        }
        entries.sort_by_key(|entry| entry.at);
        entries
    }

    /// The acknowledgement that a notice asks for.
    pub(super) fn acknowledgement_asked_by(&self, notice: &str) -> Option<&str> {
        self.campaign
            .acknowledgements
            .values()
            .find(|acknowledgement| acknowledgement.notice.as_deref() == Some(notice))
            .map(|acknowledgement| acknowledgement.name.as_str())
    }

    /// The next timed action after now that still concerns somebody.
    pub fn next_entry(&self) -> Result<Option<Entry>> {
        let now = self.now();
        for entry in self.calendar().into_iter().filter(|entry| entry.at > now) {
            // Who will not have answered by then is not known yet.
            if entry.what != What::Notice || !self.intents_of(&entry)?.is_empty() {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }
}
