//! Mailboxes that could not be read when they last were to be, and since when.

use super::{Ledger, audit, instant, millis};
use crate::fault::Result;
use chrono::{DateTime, Utc};
use rusqlite::OptionalExtension;
use serde::Serialize;
use serde_json::json;

/// A mailbox in which answers may lie unread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// Its path, or `imap://user@host/folder`.
    pub mailbox: String,
    /// The first time that it could not be read; it was not read since.
    pub since: DateTime<Utc>,
    pub cause: String,
    pub remedy: String,
}

impl Unread {
    /// `imap://desk@host/INBOX could not be read since Fri 2027-03-19 07:00 CET: Connection refused`
    pub fn words(&self, shown: &dyn Fn(DateTime<Utc>) -> String) -> String {
        format!("{} could not be read since {}: {}", self.mailbox, shown(self.since), self.cause)
    }
}

impl Ledger {
    /// Those that cannot be read, in the order in which that began.
    pub fn unread(&self) -> Result<Vec<Unread>> {
        let mut all =
            self.db.prepare_cached("SELECT mailbox, since, cause, remedy FROM unread ORDER BY since, mailbox")?;
        let rows = all.query_map((), |row| {
            Ok(Unread { mailbox: row.get(0)?, since: instant(row.get(1)?), cause: row.get(2)?, remedy: row.get(3)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Takes note that a mailbox could not be read just now, or (nothing) that it was. What is known already is not
    /// written again.
    pub fn note_reading(&mut self, mailbox: &str, why: Option<(&str, &str)>, now: DateTime<Utc>) -> Result<()> {
        let known: Option<(String, String)> = self
            .db
            .prepare_cached("SELECT cause, remedy FROM unread WHERE mailbox = ?")?
            .query_row([mailbox], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if known.as_ref().map(|(cause, remedy)| (cause.as_str(), remedy.as_str())) == why {
            return Ok(());
        }
        self.durable(|tx| match why {
            Some((cause, remedy)) => {
                tx.execute(
                    "INSERT INTO unread VALUES (?1, ?2, ?3, ?4) \
                     ON CONFLICT(mailbox) DO UPDATE SET cause = ?3, remedy = ?4",
                    (mailbox, millis(now), cause, remedy),
                )?;
                audit::append(tx, now, "mailbox-unread", &json!({ "mailbox": mailbox, "cause": cause }))
            }
            None => {
                tx.execute("DELETE FROM unread WHERE mailbox = ?", [mailbox])?;
                audit::append(tx, now, "mailbox-read", &json!({ "mailbox": mailbox }))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::{kinds, ledger};

    #[test]
    fn it_is_known_since_when_and_why_last_until_it_is_read() {
        let (_folder, mut ledger) = ledger();
        let at = |minutes: i64| DateTime::from_timestamp(60 * minutes, 0).unwrap();
        for (minute, why) in [(1, "refused"), (2, "refused"), (3, "no such folder")] {
            ledger.note_reading("desk", Some((why, "mend it")), at(minute)).unwrap();
        }
        ledger.note_reading("other", None, at(4)).unwrap();
        let [one] = ledger.unread().unwrap().try_into().unwrap();
        assert_eq!((&*one.mailbox, one.since, &*one.cause), ("desk", at(1), "no such folder"));
        ledger.note_reading("desk", None, at(5)).unwrap();
        assert_eq!(ledger.unread().unwrap(), []);
        assert_eq!(kinds(&ledger), ["mailbox-unread", "mailbox-unread", "mailbox-read"]);
    }
}
