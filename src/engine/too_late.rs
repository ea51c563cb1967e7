//! What quiet hours would put off until it is of no use, and what comes then by a clock that is behind: said beforehand, while
//! the file can be put right. It is held at its hour, for nobody's Sunday is disturbed without somebody's word.

use super::Engine;
use super::calendar::{Entry, What};
use crate::fault::{Finding, Result};
use chrono::{DateTime, Utc};

impl Engine<'_> {
    /// A warning for each moment to come that quiet hours put off until the change, or until the answer is due that it asks
    /// for, or that has its hour only then where some of those are who get it.
    pub fn too_late(&self) -> Result<Vec<Finding>> {
        if self.aborted()?.is_some() || self.is_postponed()? {
            return Ok(Vec::new());
        }
        let now = self.now();
        let mut findings: Vec<Finding> = Vec::new();
        for entry in self.calendar().iter().filter(|entry| entry.at > now) {
            let (Some(opens), Some(ends)) = (entry.too_late, entry.ends) else { continue };
            if self.is_behind_its_due(entry) {
                continue;
            }
            let finding = self.comes_too_late(entry, opens, ends);
            // Elsewhere it is another hour of the same moment; the first says enough.
            if !findings.iter().any(|known| known.place == finding.place && known.remedy == finding.remedy) {
                findings.push(finding);
            }
        }
        Ok(findings)
    }

    /// What the file itself says behind the due is told with its line, when the file is read.
    fn is_behind_its_due(&self, entry: &Entry) -> bool {
        let change = &self.campaign.change;
        let asked = entry.acknowledgement.as_ref().and_then(|name| self.campaign.acknowledgements.get(name));
        let asked = asked.filter(|_| entry.what == What::Reminder).and_then(|asked| Some((asked, asked.due?)));
        asked.is_some_and(|(asked, due)| {
            let mut moments = asked.remind.iter().filter(|moment| moment.to_string() == entry.moment);
            moments.any(|moment| moment.instant(change) >= due.instant(change))
        })
    }

    fn comes_too_late(&self, entry: &Entry, opens: DateTime<Utc>, ends: DateTime<Utc>) -> Finding {
        let zone = self.campaign.change.zone;
        let shown = |at: DateTime<Utc>| at.with_timezone(&zone).format("%a %F %H:%M %Z").to_string();
        let name = entry.notice.as_deref().unwrap_or_default();
        let asked = entry.acknowledgement.as_ref().and_then(|name| self.campaign.acknowledgements.get(name));
        let (what, place) = match (entry.what, asked) {
            (What::Reminder, Some(asked)) => (format!("reminder of '{}'", asked.name), asked.place.clone()),
            (What::Escalation, Some(asked)) => (format!("escalation of '{}'", asked.name), asked.place.clone()),
            _ => (format!("'{name}'"), self.campaign.notices[name].place.clone()),
        };
        let over = match ends < self.campaign.change.at {
            true => format!("the answer is due {}", shown(ends)),
            false => format!("the change is {}", shown(ends)),
        };
        if opens == entry.at {
            let there = self.local_hour(entry, None).map(|there| format!(" ({there})")).unwrap_or_default();
            let cause = format!(
                "{what} at {}, by the clock of some who get it, is {}{there}, and {over}: it is held",
                entry.moment,
                shown(opens)
            );
            let remedy = "an earlier moment, or one in hours before the change, like \"T-36h\": it is the same for all";
            return Finding::warning("too-late-elsewhere", cause, remedy).at(place);
        }
        let cause = format!(
            "{what} at {}, {}, falls into quiet hours that end {}, and {over}: it is held",
            entry.moment,
            shown(entry.at),
            shown(opens)
        );
        let remedy = format!(
            "move {} to an hour before the quiet ones, or send it then with `flagday send {name}`",
            entry.moment
        );
        Finding::warning("quiet-too-late", cause, remedy).at(place)
    }
}
