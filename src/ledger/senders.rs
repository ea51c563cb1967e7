//! What is on record of the two envelope senders.

use super::Ledger;
use crate::fault::Result;
use crate::outbox::{History, Sender};
use crate::roster::Format;

impl Ledger {
    /// Of [`Sender::BOTH`], in their order.
    pub fn senders(&self) -> Result<[History; 2]> {
        let [bounces, replies] = Sender::BOTH;
        Ok([self.history(bounces)?, self.history(replies)?])
    }

    fn history(&self, sender: Sender) -> Result<History> {
        let mut find = self.db.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM message WHERE state IN ('sent', 'delivered') AND (format = ?1) = ?2), \
             EXISTS (SELECT 1 FROM message WHERE state = 'planned' AND (format = ?1) = ?2 AND remedy = ?3)",
        )?;
        let values = (Format::Rfc1154.word(), sender == Sender::Replies, sender.remedy());
        Ok(find.query_row(values, |row| Ok(History { accepted: row.get(0)?, held: row.get(1)? }))?)
    }
}

/// The sender of a letter of this format.
pub(super) fn sender_of(format: &str) -> Sender {
    if format == Format::Rfc1154.word() { Sender::Replies } else { Sender::Bounces }
}
