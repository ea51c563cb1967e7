//! When mail last left, for a pace that holds over several runs.

use super::next::domain;
use super::{Ledger, instant, millis};
use crate::fault::Result;
use chrono::{DateTime, Utc};
use std::collections::HashMap;

impl Ledger {
    /// When a server last judged mail to each domain, where that was after `since`: the domains as the addresses have them,
    /// in ASCII lower case.
    pub fn left_since(&self, since: DateTime<Utc>) -> Result<HashMap<String, DateTime<Utc>>> {
        let mut all = self.db.prepare_cached(
            "SELECT envelope_to, settled_at FROM message WHERE settled_at > ? AND envelope_to IS NOT NULL \
             AND state IN ('sent', 'delivered', 'bounced', 'failed', 'uncertain')",
        )?;
        let mut rows = all.query([millis(since)])?;
        let mut last: HashMap<String, DateTime<Utc>> = HashMap::new();
        while let Some(row) = rows.next()? {
            let (to, at) = (row.get::<_, Option<String>>(0)?, instant(row.get(1)?));
            let last = last.entry(domain(to.as_deref())).or_insert(at);
            *last = at.max(*last);
        }
        Ok(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn only_what_a_server_judged_counts_and_the_newest_of_each_domain() {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = Ledger::open(&folder.path().join(".flagday")).expect("opened");
        let add = "INSERT INTO message(message_id, person, notice, revision, copy, tells, reason, envelope_to, format, due_at, \
                   planned_at, settled_at, state, next_at, reply, size) VALUES (?1, ?1, 'news', 1, 0, 1, '', ?2, 'mime', 0, 0, ?3, \
                   ?4, 0, '', 0)";
        for (id, to, at, state) in [
            ("a", "a@One.example", 5000, "sent"),
            ("b", "b@one.example", 4000, "failed"),
            ("c", "c@two.example", 6000, "planned"),
            ("d", "d@three.example", 1000, "sent"),
        ] {
            ledger.db.execute(add, (id, to, at, state)).expect("added");
        }
        let left = ledger.left_since(DateTime::UNIX_EPOCH + TimeDelta::seconds(2)).expect("asked");
        assert_eq!(left, [("one.example".to_owned(), DateTime::UNIX_EPOCH + TimeDelta::seconds(5))].into());
    }
}
