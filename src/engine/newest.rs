//! Of several reminders to one person about one answer only the newest goes out: never two in one window, however quiet
//! hours, an outage or a machine that slept have put them off.

use super::Engine;
use super::calendar::{Entry, What};
use super::whereabouts::Whereabouts;
use crate::fault::Result;
use crate::ledger::MessageRow;
use chrono::{DateTime, Utc};

impl Entry {
    /// Another reminder takes the place of this one, for whom both concern: its hour has come; or it comes within a window,
    /// and this one was put off until it is nearer to the other than to its own hour.
    fn gives_way_to(&self, other: &Entry, now: DateTime<Utc>) -> bool {
        let order = |one: &Entry| (one.at, one.hour, one.copy);
        let same = self.what == What::Reminder && other.what == What::Reminder;
        if !same || self.acknowledgement != other.acknowledgement || order(other) <= order(self) {
            return false;
        }
        let at = self.at.max(now);
        let left = other.at - at;
        let is_nearer = !self.is_late(now) && left < at - self.hour && left <= self.until - self.at;
        other.at <= now || other.at == self.at || is_nearer
    }
}

impl Engine<'_> {
    /// The part of an entry that is not passed over. A reminder that was slept over is held until a newer one is due.
    pub(super) fn newest(&self, calendar: &[Entry], entry: &Entry) -> Entry {
        let mut newest = entry.clone();
        if entry.what == What::Reminder {
            let now = self.now();
            for other in calendar.iter().filter(|other| entry.gives_way_to(other, now)) {
                newest.there.retain(|place| !other.there.contains(place));
            }
        }
        newest
    }

    /// Takes back what waits of reminders that are passed over by now.
    pub(super) fn take_back_older_reminders(&mut self) -> Result<()> {
        let waiting = self.ledger.reminders_not_out()?;
        if waiting.is_empty() {
            return Ok(());
        }
        let calendar = self.calendar();
        let older = waiting.iter().filter(|message| self.is_passed_over(&calendar, message));
        let older: Vec<i64> = older.map(|message| message.id).collect();
        self.ledger.give_up(&older, "taken back: a later reminder takes its place", self.now())
    }

    /// One whose moment is no longer in the file counts from when it was to leave.
    fn is_passed_over(&self, calendar: &[Entry], message: &MessageRow) -> bool {
        let Some(person) = self.roster.get(&message.person) else { return false };
        let place = Whereabouts::of(person);
        let mut same = calendar.iter().filter(|entry| {
            entry.what == What::Reminder
                && entry.acknowledgement == message.acknowledgement
                && entry.there.contains(&place)
        });
        match same.clone().find(|entry| entry.copy == message.copy) {
            Some(entry) => !self.newest(calendar, entry).there.contains(&place),
            None => same.any(|entry| message.due_at < entry.at && entry.at <= self.now()),
        }
    }
}
