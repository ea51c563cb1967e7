//! Who may have a letter at an address that the roster has no longer. What may have arrived goes out as the same bytes to the
//! same address only; that the new one gets nothing is said, with the command that writes to it.

use super::Engine;
use crate::fault::Result;
use crate::ledger::MessageRow;
use crate::outbox::State;
use serde::Serialize;

/// Names in the command that is proposed.
const NAMED: usize = 5;

/// A notice that people may have at addresses of before, and nobody has at theirs of now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OldAddress {
    pub notice: String,
    /// In the order of planning.
    pub people: Vec<String>,
}

impl OldAddress {
    /// The command that writes to the addresses of now.
    pub fn remedy(&self) -> String {
        let to: String = self.people.iter().take(NAMED).map(|person| format!(" --to {person}")).collect();
        let others = if self.people.len() > NAMED { " and so on" } else { "" };
        format!("flagday send {}{to}{others} --again", self.notice)
    }
}

impl Engine<'_> {
    /// By notice: whose letter was in doubt at an address that the roster has no longer, has not been answered since, and has
    /// not gone out to the new one either.
    pub fn at_old_addresses(&self) -> Result<Vec<OldAddress>> {
        let doubtful: Vec<MessageRow> =
            self.ledger.messages_once_in_doubt()?.into_iter().filter(|one| self.was_at_another(one)).collect();
        let mut found: Vec<OldAddress> = Vec::new();
        if doubtful.is_empty() {
            return Ok(found);
        }
        let (untrue, settled) = (self.untrue()?, self.settled()?);
        for message in doubtful {
            if untrue.contains(&message.id) || message.is_settled_by(&settled) {
                continue;
            }
            let another = |one: &MessageRow| {
                one.id > message.id && one.notice == message.notice && one.tells && !one.is_taken_back()
            };
            if self.ledger.messages_to(&message.person)?.iter().any(another) {
                continue;
            }
            match found.iter_mut().find(|known| known.notice == message.notice) {
                Some(known) => known.people.push(message.person),
                None => found.push(OldAddress { notice: message.notice, people: vec![message.person] }),
            }
        }
        Ok(found)
    }

    /// A letter about the change to its person's own address, which is another one today. A report that it arrived, and one
    /// that it did not, say what became of it.
    fn was_at_another(&self, message: &MessageRow) -> bool {
        let today = self.roster.get(&message.person).and_then(|person| person.email.as_ref());
        message.tells
            && !matches!(message.state, State::Delivered | State::Bounced | State::Cancelled)
            && self.is_about_the_change(&message.notice)
            && self.is_there(message)
            && today.is_some_and(|today| Some(today.to_string()) != message.envelope_to)
    }
}
