//! Whom a message did not reach, and why, in the words of the server or of this program.

use super::people::audience;
use crate::answer::CORRECTED;
use crate::campaign::Uncertain;
use crate::engine::Engine;
use crate::fault::Result;
use crate::ledger::MessageRow;
use crate::outbox::{State, Suspended};
use crate::roster::Person;
use serde::Serialize;
use std::collections::HashSet;

/// One message that needs a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FailureRow {
    pub person: String,
    pub name: String,
    /// Where it was sent; empty where the roster had no address.
    pub email: String,
    pub phone: String,
    pub notice: String,
    /// `failed`, `bounced`, `held`, `uncertain` or `deferred`; `planned`: in doubt, and to go out once more.
    pub state: &'static str,
    pub reason: String,
    /// What to do about it.
    pub remedy: String,
    /// The person's row in the roster: file:line:column.
    pub row: String,
}

/// Every message that failed, bounced, is held or in doubt, in the order of planning, until its person has answered.
pub fn of(engine: &Engine, only: Option<&str>) -> Result<Vec<FailureRow>> {
    let only = only.map(|name| audience(engine, name)).transpose()?;
    let wanted = |message: &MessageRow| {
        only.is_none_or(|audience| engine.roster.get(&message.person).is_some_and(|person| person.is_in(audience)))
    };
    let settled = engine.settled()?;
    rows(engine, engine.ledger().messages_in_trouble()?, |message| matters(message, &settled) && wanted(message))
}

/// Every one of them, and those that a server put off.
pub fn not_arrived(engine: &Engine) -> Result<Vec<FailureRow>> {
    rows(engine, engine.ledger().messages_not_arrived()?, |_| true)
}

/// Those in doubt: a server may have them or not. What is held or waits because of that matters until its person has answered.
pub fn in_doubt(engine: &Engine) -> Result<Vec<FailureRow>> {
    let doubtful = engine.ledger().messages_in_doubt()?;
    if doubtful.is_empty() {
        return Ok(Vec::new());
    }
    let settled = engine.settled()?;
    rows(engine, doubtful, |message| matters(message, &settled))
}

/// Those of them that still matter: nobody has answered, been waived or left since, and no server can have them.
pub fn open(engine: &Engine) -> Result<Vec<FailureRow>> {
    let (settled, older) = (engine.settled()?, engine.ledger().older_reminders()?);
    rows(engine, engine.ledger().messages_in_trouble()?, |message| {
        !message.is_in_doubt()
            && !older.contains(&message.id)
            && engine.roster.get(&message.person).is_some()
            && !message.is_settled_by(&settled)
    })
}

/// Whoever has answered misses nothing that did not arrive; whether a server has a letter comes out by itself.
fn matters(message: &MessageRow, settled: &HashSet<(String, String)>) -> bool {
    message.state == State::Uncertain || !message.is_settled_by(settled)
}

fn rows(engine: &Engine, messages: Vec<MessageRow>, wanted: impl Fn(&MessageRow) -> bool) -> Result<Vec<FailureRow>> {
    let (untrue, paused) = (engine.untrue()?, engine.paused()?);
    let mut rows = Vec::new();
    for message in messages {
        if untrue.contains(&message.id) || !wanted(&message) {
            continue;
        }
        let person = engine.roster.get(&message.person);
        rows.push(FailureRow {
            name: person.map(|person| person.name.clone()).unwrap_or_default(),
            phone: person.and_then(|person| person.phone.clone()).unwrap_or_default(),
            row: person.map(|person| person.place.to_string()).unwrap_or_default(),
            state: if is_put_off(&message) { "deferred" } else { message.state.word() },
            remedy: match is_put_off(&message) {
                true => put_off(engine, &message, paused.as_ref()),
                false => remedy(&message, person, engine.campaign.mail.uncertain, paused.is_some()),
            },
            email: message.envelope_to.unwrap_or_default(),
            reason: if message.state == State::Planned && message.doubts > 0 {
                format!("in doubt, and waits to go out once more: {}", message.reply)
            } else {
                message.reply
            },
            notice: message.notice,
            person: message.person,
        });
    }
    Ok(rows)
}

fn is_put_off(message: &MessageRow) -> bool {
    message.state == State::Planned && message.doubts == 0
}

fn put_off(engine: &Engine, message: &MessageRow, paused: Option<&Suspended>) -> String {
    let at = paused.map_or(message.next_at, |pause| pause.until.max(message.next_at));
    let at = at.with_timezone(&engine.campaign.change.zone).format("%a %F %H:%M %Z");
    let goes_on = if message.remedy.is_empty() {
        String::new()
    } else {
        format!("; if that goes on for hours: {}", message.remedy)
    };
    format!("the next `flagday send`, or round of serve or tick, from {at} on tries again{goes_on}")
}

fn remedy(message: &MessageRow, person: Option<&Person>, doubt: Uncertain, paused: bool) -> String {
    let today = person.and_then(|person| person.email.as_ref()).map(ToString::to_string);
    let moved = message.tells && today.is_some() && today != message.envelope_to;
    match message.state {
        // The roster was corrected since.
        State::Bounced if moved => CORRECTED.to_owned(),
        State::Failed if moved && message.remedy.contains("roster") => CORRECTED.to_owned(),
        State::Uncertain if doubt == Uncertain::Retry && message.doubts > 1 => {
            "the next `flagday send`, ten minutes on, holds it until a person decides: ask them whether it came"
                .to_owned()
        }
        State::Uncertain if doubt == Uncertain::Retry => {
            "the next `flagday send`, ten minutes on, sends the same bytes once more".to_owned()
        }
        State::Uncertain => "`flagday send --to failed` sends the same bytes once more".to_owned(),
        State::Planned if paused => {
            "the same bytes go out once more when delivery goes on; your own `flagday send` tries at once".to_owned()
        }
        State::Planned => "`flagday send` sends the same bytes once more when its turn comes".to_owned(),
        State::Held if message.remedy.is_empty() => "`flagday send --to failed` sends it all the same".to_owned(),
        _ => message.remedy.clone(),
    }
}
