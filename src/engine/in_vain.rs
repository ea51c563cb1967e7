//! Escalations that wait for an address from which mail has come back meanwhile: they go on to the next in the chain, or
//! somebody calls.

use super::{Engine, Sent};
use crate::fault::Result;
use crate::ledger::MessageRow;
use crate::outbox::State;
use std::collections::HashSet;

const REMEDY: &str = "somebody has to call; or correct the address in the roster, then `flagday send --to failed`";

impl Engine<'_> {
    /// Where nobody is left to write to they are held: as a letter that did not arrive, that makes the chain go on.
    pub(super) fn go_on_in_chain(&mut self, sent: &mut Sent) -> Result<()> {
        let back = self.ledger.came_back_from()?;
        if back.is_empty() {
            return Ok(());
        }
        let intents = self.anew(|message, _| is_in_vain(message, &back))?;
        sent.gone_on = self.plan_messages(&intents, &mut sent.shipped)?;
        for message in self.ledger.waiting()? {
            if message.state == State::Planned && !message.is_in_doubt() && is_in_vain(&message, &back) {
                let to = message.envelope_to.as_deref().unwrap_or_default();
                let words = format!("mail to {to} comes back, and nobody else is left to write to");
                self.ledger.hold(&[message.id], &words, REMEDY, self.now())?;
                sent.gone_on += 1;
            }
        }
        Ok(())
    }
}

/// An escalation to an address from which mail comes back.
pub(super) fn is_in_vain(message: &MessageRow, back: &HashSet<String>) -> bool {
    let to = message.envelope_to.as_ref().map(|to| to.to_lowercase());
    message.notice == "escalation" && to.is_some_and(|to| back.contains(&to))
}
