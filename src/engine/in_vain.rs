//! Escalations that wait for an address from which mail has come back meanwhile: they go on to the next in the chain, or
//! somebody calls. What a person asked for again goes out all the same.

use super::{Engine, Sent};
use crate::fault::Result;
use crate::ledger::MessageRow;
use crate::outbox::State;
use std::collections::{BTreeMap, HashSet};

const REMEDY: &str = "somebody has to call; or correct the address in the roster, then `flagday send --to failed`";

impl Engine<'_> {
    /// Where nobody is left to write to they are held: as a letter that did not arrive, that makes the chain go on.
    pub(super) fn go_on_in_chain(&mut self, sent: &mut Sent) -> Result<()> {
        let back = self.ledger.came_back_from()?;
        if back.is_empty() {
            return Ok(());
        }
        let intents = self.anew(|message, _| is_in_vain(message, &back))?;
        sent.gone_on = self.plan_messages(&intents, sent)?;
        let now = self.now();
        // Whose window is over is held because of that, in the words for it.
        let is_left = |message: &MessageRow| {
            message.state == State::Planned
                && !message.is_in_doubt()
                && message.expires.is_none_or(|until| until > now)
                && is_in_vain(message, &back)
        };
        let left: Vec<MessageRow> = self.ledger.waiting()?.into_iter().filter(is_left).collect();
        if left.is_empty() {
            return Ok(());
        }
        let asked = self.asks_another(&back)?;
        // By address: each transaction is made durable by itself.
        let (mut needless, mut held) = (BTreeMap::<_, Vec<i64>>::new(), BTreeMap::<_, Vec<i64>>::new());
        for MessageRow { id, person, acknowledgement, envelope_to, .. } in left {
            let is_asked = acknowledgement.is_some_and(|asks| asked.contains(&(person, asks)));
            let of = if is_asked { &mut needless } else { &mut held };
            of.entry(envelope_to.unwrap_or_default()).or_default().push(id);
        }
        for (to, ids) in needless {
            let words = format!("not needed any more: mail to {to} comes back, and somebody else is asked");
            self.ledger.hold_back(&ids, &words, now)?;
            sent.gone_on += ids.len();
        }
        for (to, ids) in held {
            let words = format!("mail to {to} comes back, and nobody else is left to write to");
            self.ledger.hold(&ids, &words, REMEDY, now)?;
            sent.nobody_left += ids.len();
        }
        Ok(())
    }

    /// About whom, and which acknowledgement, an escalation waits for another address, or has gone there.
    fn asks_another(&self, back: &HashSet<String>) -> Result<HashSet<(String, String)>> {
        let mut asked = HashSet::new();
        for name in self.campaign.acknowledgements.keys() {
            let others = self.ledger.escalated(name)?.into_iter().filter(|one| !one.lost && !back.contains(&one.to));
            asked.extend(others.map(|one| (one.person, name.clone())));
        }
        Ok(asked)
    }
}

/// An escalation to an address from which mail comes back.
pub(super) fn is_in_vain(message: &MessageRow, back: &HashSet<String>) -> bool {
    let to = message.envelope_to.as_ref().map(|to| to.to_lowercase());
    message.notice == "escalation" && !message.asked_again && to.is_some_and(|to| back.contains(&to))
}
