//! From which addresses mail comes back, and what is not sent there because of it.

use super::queue::move_on;
use super::{Ledger, millis};
use crate::fault::Result;
use crate::outbox::Event;
use chrono::{DateTime, Utc};
use std::collections::HashSet;

/// Where a letter came back, or one that tells a person something was refused because of the address, and none that was
/// written after it has got through. An escalation that is refused says so at once, and goes on by itself.
const CAME_BACK: &str = "\
    SELECT address FROM (SELECT lower(envelope_to) AS address, \
      max(CASE WHEN state = 'bounced' THEN coalesce(settled_at, planned_at) END) AS back, \
      max(CASE WHEN state IN ('sent', 'delivered') THEN planned_at END) AS through \
      FROM message WHERE envelope_to IS NOT NULL GROUP BY 1) WHERE back >= coalesce(through, 0) \
    UNION SELECT address FROM (SELECT lower(address) AS address, max(CASE WHEN kind = 'hard_bounce' THEN id END) AS back, \
      max(CASE WHEN kind = 'sent' THEN id END) AS through \
      FROM evidence WHERE address IS NOT NULL AND NOT revoked GROUP BY 1) WHERE back > coalesce(through, 0)";

impl Ledger {
    /// Addresses from which mail comes back, in small letters.
    pub fn came_back_from(&self) -> Result<HashSet<String>> {
        let mut all = self.db.prepare_cached(CAME_BACK)?;
        let rows = all.query_map((), |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Holds messages that wait until a person decides: why, and what to do.
    pub fn hold(&mut self, ids: &[i64], words: &str, remedy: &str, now: DateTime<Utc>) -> Result<()> {
        self.durable(|tx| {
            for id in ids {
                move_on(tx, *id, Event::Hold, words, now)?;
                tx.prepare_cached("UPDATE message SET reply = ?2, remedy = ?3, settled_at = ?4 WHERE id = ?1")?
                    .execute((id, words, remedy, millis(now)))?;
            }
            Ok(())
        })
    }
}
