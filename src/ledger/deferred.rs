//! What waits because a server put it off, in that server's words.

use super::{Ledger, instant};
use crate::fault::Result;
use crate::outbox::{FailureClass, Reply};
use std::collections::BTreeMap;

/// As SQL, of a planned message: it was tried, and is tried again. A server that only closes (421) costs no attempt, and still
/// leaves what to do about it.
pub(super) const PUT_OFF: &str = "(attempts > 0 OR remedy <> '')";
/// Where nothing was written down.
const ANYWAY: &str = "run `flagday send`, and see what becomes of it";

impl Ledger {
    /// Messages that are tried again, by code or, where the connection failed, by words: the words of the one that comes
    /// first, and when it does.
    pub fn deferrals(&self) -> Result<BTreeMap<String, FailureClass>> {
        let mut all = self.db.prepare_cached(&format!(
            "SELECT person, reply, remedy, next_at FROM message WHERE state = 'planned' AND {PUT_OFF} ORDER BY next_at, id"
        ))?;
        let mut rows = all.query(())?;
        let mut classes = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let (person, words, remedy): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let again_at = instant(row.get(3)?);
            let class = Reply::class_of(&words).unwrap_or(&words).to_owned();
            let remedy = if remedy.is_empty() { ANYWAY.to_owned() } else { remedy };
            FailureClass::add(&mut classes, class, &person, || (words, remedy)).again_at.get_or_insert(again_at);
        }
        Ok(classes)
    }
}
