//! A run whose every connection failed: what waits, waits until one does not.

use super::{Ledger, audit, instant, millis};
use crate::fault::{Finding, Result};
use chrono::{DateTime, Utc};
use rusqlite::OptionalExtension;
use serde::Serialize;
use serde_json::json;

/// Every connection of a run failed, and messages were left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outage {
    pub cause: String,
    pub remedy: String,
    /// By which [mail] it was tried.
    #[serde(skip)]
    pub settings: String,
    /// The end of the first run of which that is true; no other has gone well since.
    pub since: DateTime<Utc>,
    /// The end of the last one.
    pub last: DateTime<Utc>,
}

impl Ledger {
    pub fn outage(&self) -> Result<Option<Outage>> {
        let row = self.db.query_row("SELECT cause, remedy, settings, since, last FROM outage", (), |row| {
            Ok(Outage {
                cause: row.get(0)?,
                remedy: row.get(1)?,
                settings: row.get(2)?,
                since: instant(row.get(3)?),
                last: instant(row.get(4)?),
            })
        });
        Ok(row.optional()?)
    }

    /// Takes note that a run by these settings could not go on, and why; or (nothing) that one did. What begins and what ends
    /// is an event, and what goes on is none.
    pub fn note_outage(&mut self, why: Option<&Finding>, settings: &str, now: DateTime<Utc>) -> Result<()> {
        let known = self.outage()?;
        if known.is_none() && why.is_none() {
            return Ok(());
        }
        let goes_on = known.filter(|one| one.settings == settings);
        self.durable(|tx| match why {
            Some(finding) => {
                let since = goes_on.as_ref().map_or(now, |one| one.since);
                tx.execute(
                    "INSERT OR REPLACE INTO outage(one, cause, remedy, settings, since, last) VALUES (1,?,?,?,?,?)",
                    (&finding.cause, &finding.remedy, settings, millis(since), millis(now)),
                )?;
                match goes_on {
                    Some(_) => Ok(()),
                    None => audit::append(tx, now, "server-unreached", &json!({ "cause": finding.cause })),
                }
            }
            None => {
                tx.execute("DELETE FROM outage", ())?;
                audit::append(tx, now, "server-reached", &json!({}))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::{kinds, ledger};

    #[test]
    fn it_is_known_since_when_until_a_run_goes_well_and_told_twice() {
        let (_folder, mut ledger) = ledger();
        let at = |minutes: i64| DateTime::from_timestamp(60 * minutes, 0).unwrap();
        ledger.note_outage(None, "a", at(0)).unwrap();
        for (minute, cause) in [(1, "refused"), (2, "refused"), (3, "no route")] {
            ledger.note_outage(Some(&Finding::error("x", cause, "mend it")), "a", at(minute)).unwrap();
        }
        let outage = ledger.outage().unwrap().unwrap();
        assert_eq!((&*outage.cause, outage.since, outage.last), ("no route", at(1), at(3)));
        ledger.note_outage(Some(&Finding::error("x", "refused", "mend it")), "b", at(4)).unwrap();
        assert_eq!(ledger.outage().unwrap().unwrap().since, at(4), "another server");
        ledger.note_outage(None, "b", at(5)).unwrap();
        assert_eq!(ledger.outage().unwrap(), None);
        assert_eq!(kinds(&ledger), ["server-unreached", "server-unreached", "server-reached"]);
    }
}
