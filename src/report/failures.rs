//! Whom a message did not reach, and why, in the words of the server or of this program.

use super::people::audience;
use crate::engine::Engine;
use crate::fault::Result;
use serde::Serialize;

/// One message that needs a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailureRow {
    pub person: String,
    pub name: String,
    /// Where it was sent; empty where the roster had no address.
    pub email: String,
    pub phone: String,
    pub notice: String,
    /// `failed`, `bounced`, `held` or `uncertain`.
    pub state: &'static str,
    pub reason: String,
    /// The person's row in the roster: file:line:column.
    pub row: String,
}

/// Every message that failed, bounced, is held or in doubt, in the order of planning.
pub fn of(engine: &Engine, only: Option<&str>) -> Result<Vec<FailureRow>> {
    let only = only.map(|name| audience(engine, name)).transpose()?;
    let overtaken = engine.ledger().overtaken()?;
    let mut rows = Vec::new();
    for message in engine.ledger().messages_in_trouble()? {
        let person = engine.roster.get(&message.person);
        let wanted = only.is_none_or(|audience| person.is_some_and(|person| person.is_in(audience)));
        if overtaken.contains(&message.id) || !wanted {
            continue;
        }
        rows.push(FailureRow {
            name: person.map(|person| person.name.clone()).unwrap_or_default(),
            phone: person.and_then(|person| person.phone.clone()).unwrap_or_default(),
            row: person.map(|person| person.place.to_string()).unwrap_or_default(),
            email: message.envelope_to.unwrap_or_default(),
            state: message.state.word(),
            reason: message.reply,
            notice: message.notice,
            person: message.person,
        });
    }
    Ok(rows)
}
