//! Whom a message did not reach, and why, in the words of the server or of this program.

use super::people::audience;
use crate::campaign::Uncertain;
use crate::engine::Engine;
use crate::fault::Result;
use crate::ledger::MessageRow;
use crate::outbox::State;
use serde::Serialize;
use std::collections::HashSet;

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
    /// What to do about it.
    pub remedy: String,
    /// The person's row in the roster: file:line:column.
    pub row: String,
    /// Whether a server has it or not, nobody knows.
    #[serde(skip)]
    pub in_doubt: bool,
}

/// Every message that failed, bounced, is held or in doubt, in the order of planning.
pub fn of(engine: &Engine, only: Option<&str>) -> Result<Vec<FailureRow>> {
    let only = only.map(|name| audience(engine, name)).transpose()?;
    let wanted = |message: &MessageRow| {
        only.is_none_or(|audience| engine.roster.get(&message.person).is_some_and(|person| person.is_in(audience)))
    };
    rows(engine, wanted)
}

/// Those in doubt: a server may have them or not.
pub fn in_doubt(engine: &Engine) -> Result<Vec<FailureRow>> {
    rows(engine, MessageRow::is_in_doubt)
}

/// Those of them that still matter: nobody has answered, been waived or left since, and no server can have them.
pub fn open(engine: &Engine) -> Result<Vec<FailureRow>> {
    let mut settled: HashSet<(String, String)> = HashSet::new();
    for acknowledgement in engine.campaign.acknowledgements.values() {
        let standings = engine.standings(acknowledgement)?.into_iter();
        let done = standings.filter(|one| one.waiver.is_some() || one.grade >= acknowledgement.grade);
        settled.extend(done.map(|one| (one.person, acknowledgement.name.clone())));
    }
    rows(engine, |message| {
        let asked = message.acknowledgement.clone().map(|asked| (message.person.clone(), asked));
        !message.is_in_doubt()
            && engine.roster.get(&message.person).is_some()
            && !asked.is_some_and(|asked| settled.contains(&asked))
    })
}

fn rows(engine: &Engine, wanted: impl Fn(&MessageRow) -> bool) -> Result<Vec<FailureRow>> {
    let overtaken = engine.ledger().overtaken()?;
    let mut rows = Vec::new();
    for message in engine.ledger().messages_in_trouble()? {
        if overtaken.contains(&message.id) || !wanted(&message) {
            continue;
        }
        let person = engine.roster.get(&message.person);
        rows.push(FailureRow {
            name: person.map(|person| person.name.clone()).unwrap_or_default(),
            phone: person.and_then(|person| person.phone.clone()).unwrap_or_default(),
            row: person.map(|person| person.place.to_string()).unwrap_or_default(),
            state: message.state.word(),
            in_doubt: message.is_in_doubt(),
            remedy: remedy(&message, engine.campaign.mail.uncertain),
            email: message.envelope_to.unwrap_or_default(),
            reason: message.reply,
            notice: message.notice,
            person: message.person,
        });
    }
    Ok(rows)
}

fn remedy(message: &MessageRow, doubt: Uncertain) -> String {
    match message.state {
        State::Uncertain if doubt == Uncertain::Retry && message.doubts > 1 => {
            "the next `flagday send`, ten minutes on, holds it until a person decides: ask them whether it came"
                .to_owned()
        }
        State::Uncertain if doubt == Uncertain::Retry => {
            "the next `flagday send`, ten minutes on, sends the same bytes once more".to_owned()
        }
        State::Uncertain => "`flagday send --to failed` sends the same bytes once more".to_owned(),
        State::Held if message.remedy.is_empty() => "`flagday send --to failed` sends it all the same".to_owned(),
        _ => message.remedy.clone(),
    }
}
