//! What does not wait for the end of quiet hours, because that would be too late: said before somebody asks for it, and where it
//! goes out.

use super::Engine;
use super::amendment::Amendment;
use super::nights::{Asked, Nights, Wanted};
use super::whereabouts::Whereabouts;
use crate::fault::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::BTreeMap;

/// Letters that go out in the quiet hours of whoever gets them, because they are of no use after them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Urgent {
    pub notice: String,
    pub messages: usize,
    /// When the quiet hours end.
    pub quiet_until: DateTime<Utc>,
    /// Until when the letter is of use: its own expiry, or the date that people were told before and act on.
    pub useful_until: DateTime<Utc>,
}

impl Urgent {
    /// `3 letters of 'news' go out in quiet hours: those end Mon 2027-01-25 00:00 CST, and they are of use only until
    /// Sat 2027-01-23 20:00 CST`
    pub fn words(&self, shown: &dyn Fn(DateTime<Utc>) -> String) -> String {
        let (letters, go, are) = match self.messages {
            1 => ("letter", "goes", "it is"),
            _ => ("letters", "go", "they are"),
        };
        let (count, until, useful) = (self.messages, shown(self.quiet_until), shown(self.useful_until));
        format!(
            "{count} {letters} of '{}' {go} out in quiet hours: those end {until}, and {are} of use only until {useful}",
            self.notice
        )
    }
}

impl Engine<'_> {
    /// The letters of an amendment that would go out in quiet hours now, for they are of no use after them.
    pub fn urgent_after(&self, amendment: &Amendment) -> Result<Vec<Urgent>> {
        let wanted = Wanted::default();
        let mut amended = self.ledger.amended()?;
        for owed in &amendment.owed {
            let dates = owed.changes.iter().filter(|one| one.fact == "change_at").map(|one| one.told.clone());
            amended.entry((owed.person.clone(), owed.notice.clone())).or_default().extend(dates);
        }
        let nights = Nights::new(&self.campaign, &self.roster, amended, &wanted);
        let mut urgent = BTreeMap::new();
        for owed in &amendment.owed {
            let place = self.roster.get(&owed.person).map(Whereabouts::of);
            let (person, notice) = (owed.person.clone(), owed.notice.clone());
            let asked = Asked { person, notice, place, expires: None };
            if let Some((wakes, until)) = nights.urgent(&asked, self.now()) {
                *urgent.entry((wakes, until, owed.notice.clone())).or_insert(0) += 1;
            }
        }
        Ok(urgents(urgent))
    }
}

/// By the end of the quiet hours and of their use, and by notice.
pub(super) fn urgents(groups: BTreeMap<(DateTime<Utc>, DateTime<Utc>, String), usize>) -> Vec<Urgent> {
    let group =
        |((quiet_until, useful_until, notice), messages)| Urgent { notice, messages, quiet_until, useful_until };
    groups.into_iter().map(group).collect()
}
