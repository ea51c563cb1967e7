//! A clock that stands before what is on record was wrong then or is wrong now. Until somebody says which, nothing is sent or
//! switched by it: hours would come twice, and what is over would be to come again.

use super::Engine;
use crate::fault::{Fault, Result};
use crate::ledger::CLOCK_ACCEPTED;
use chrono::{DateTime, Duration, Utc};
use serde_json::json;

/// Clocks are put right by seconds all the time.
const TOLERANCE: Duration = Duration::minutes(2);

impl Engine<'_> {
    /// The newest instant on record, where the machine's clock stands before it.
    pub fn clock_behind(&self) -> Result<Option<DateTime<Utc>>> {
        Ok(self.ledger.newest_instant()?.filter(|newest| self.now() + TOLERANCE < *newest))
    }

    pub(super) fn require_clock(&self) -> Result<()> {
        let Some(newest) = self.clock_behind()? else { return Ok(()) };
        let shown =
            |at: DateTime<Utc>| at.with_timezone(&self.campaign.change.zone).format("%a %F %H:%M %Z").to_string();
        let cause = format!(
            "this machine's clock says {}, and the record already holds what happened {}",
            shown(self.now()),
            shown(newest)
        );
        let remedy =
            "set the clock right; if it is right now and was wrong then, say --clock-ok once: it stays on record";
        Err(Fault::new("clock-behind", cause, remedy))
    }

    /// The operator says that the clock is right. What is on record before this counts no more for it.
    pub fn accept_clock(&mut self) -> Result<()> {
        if let Some(newest) = self.clock_behind()? {
            let now = self.now();
            self.ledger.note(now, CLOCK_ACCEPTED, &json!({ "newest": newest }))?;
        }
        Ok(())
    }
}
