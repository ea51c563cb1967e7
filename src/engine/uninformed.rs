//! Whoever knows of the change, and whom no letter tells that it is off or put off: their letter failed, or they were told by
//! hand and mail never reached them. Somebody has to call them.

use super::{Answer, Engine, Recorded};
use crate::answer::{Evidence, Kind};
use crate::campaign::Grade;
use crate::fault::Result;
use crate::ledger::{MessageRow, Task};
use crate::outbox::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};

/// What people are to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum News {
    CalledOff,
    Postponed,
}

impl News {
    pub fn words(self) -> &'static str {
        match self {
            News::CalledOff => "off",
            News::Postponed => "put off",
        }
    }

    fn notice(self) -> &'static str {
        match self {
            News::CalledOff => "abort",
            News::Postponed => "postponed",
        }
    }
}

/// Somebody to call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Uninformed {
    pub person: String,
    /// Not the person: whoever was asked to remind them, at this address.
    pub asked: Option<String>,
    pub news: News,
    /// Since when.
    pub at: DateTime<Utc>,
    /// They were told by an operator, and never written to: nobody knows whether mail would reach them.
    pub by_hand: bool,
    /// How it is known that mail does not tell them.
    pub why: String,
}

impl Engine<'_> {
    /// In roster order, then those who have left. Whoever was told by an operator since is not among them:
    /// `ack record` says so.
    pub fn uninformed(&self) -> Result<Vec<Uninformed>> {
        let aborted = self.aborted()?;
        let moved = if aborted.is_none() && self.is_postponed()? { self.ledger.moved()? } else { None };
        let (news, since) = match (&aborted, &moved) {
            (Some(abort), _) => (News::CalledOff, abort.at),
            (None, Some(moved)) => (News::Postponed, moved.at),
            (None, None) => return Ok(Vec::new()),
        };
        let first = moved.map_or(0, |moved| moved.revision);
        let mut letters: HashMap<String, MessageRow> = HashMap::new();
        let mut to_others: BTreeMap<(String, String), MessageRow> = BTreeMap::new();
        let mut tried = HashSet::new();
        for message in self.ledger.messages()? {
            if message.tells && !message.is_taken_back() {
                tried.insert(message.person.clone());
            }
            if message.notice != news.notice() || message.revision < first || message.state == State::Cancelled {
                continue;
            }
            let person = message.person.clone();
            match message.envelope_to.clone().filter(|_| !message.tells) {
                Some(to) => drop(to_others.insert((person, to), message)),
                None => drop(letters.insert(person, message)),
            }
        }
        let lost = |letter: &MessageRow| matches!(letter.state, State::Failed | State::Bounced | State::Held);
        let by_mail: HashSet<String> = self.ledger.ever_told()?.into_iter().map(|told| told.person).collect();
        let mut by_hand: BTreeMap<String, Evidence> = BTreeMap::new();
        let mut informed = HashSet::new();
        for fact in self.ledger.all_evidence()?.into_iter().filter(|fact| !fact.revoked) {
            if fact.by.is_some() && fact.at >= since {
                informed.insert(fact.person);
            } else if fact.kind.proves() >= Grade::Delivered && !by_mail.contains(&fact.person) {
                by_hand.insert(fact.person.clone(), fact);
            }
        }
        let mut found: BTreeMap<String, (bool, String)> = BTreeMap::new();
        for (person, letter) in &letters {
            if lost(letter) {
                found.insert(person.clone(), (false, letter.reply.clone()));
            }
        }
        for (person, fact) in by_hand.into_iter().filter(|(person, _)| !letters.contains_key(person)) {
            let by = fact.by.map(|by| format!(" by {by}")).unwrap_or_default();
            let detail = if fact.detail.is_empty() { String::new() } else { format!(": {}", fact.detail) };
            let has_address = self.roster.get(&person).is_some_and(|one| one.email.is_some());
            let by_hand = has_address && !tried.contains(&person);
            let letter = if by_hand { "went to" } else { "reached" };
            found.insert(person, (by_hand, format!("no letter of ours {letter} them; they were told{by}{detail}")));
        }
        found.retain(|person, _| !informed.contains(person));
        let mut uninformed = Vec::new();
        let ids: Vec<String> = self.roster.people().map(|person| person.id.clone()).collect();
        for person in ids {
            let why = found.remove(&person);
            uninformed.extend(why.map(|(by_hand, why)| Uninformed {
                person,
                asked: None,
                news,
                at: since,
                by_hand,
                why,
            }));
        }
        let left = found.into_iter();
        let left =
            left.map(|(person, (by_hand, why))| Uninformed { person, asked: None, news, at: since, by_hand, why });
        uninformed.extend(left);
        for ((person, to), letter) in to_others {
            if lost(&letter) && !informed.contains(&person) {
                let (asked, why) = (Some(to), letter.reply);
                uninformed.push(Uninformed { person, asked, news, at: since, by_hand: false, why });
            }
        }
        Ok(uninformed)
    }

    /// Somebody who had to be called knows by now that it is off or put off, as an operator has heard. That answers no
    /// acknowledgement, so it concerns who has none, and who has left the roster. Nothing where nobody has to call them.
    pub(super) fn record_news(&mut self, answer: &Answer) -> Result<Option<Recorded>> {
        let answers = answer.code.is_some() || answer.serial.is_some() || answer.acknowledgement.is_some();
        if answers || answer.by.is_none() {
            return Ok(None);
        }
        let waiting = self.uninformed()?;
        let known = self.roster.find(&answer.person).map(|person| person.id.as_str());
        let person = known.unwrap_or_else(|_| answer.person.trim());
        let Some(one) = waiting.into_iter().find(|one| one.person.eq_ignore_ascii_case(person)) else {
            return Ok(None);
        };
        let fact = Evidence {
            id: 0,
            at: self.now(),
            person: one.person,
            acknowledgement: format!("it is {}", one.news.words()),
            revision: self.revision_number()?,
            kind: Kind::Operator,
            by: answer.by.clone(),
            detail: answer.note.clone(),
            revoked: false,
            address: None,
        };
        let new = self.ledger.add_evidence_anew(&fact)?;
        Ok(Some(Recorded {
            person: fact.person,
            acknowledgement: fact.acknowledgement,
            revision: fact.revision,
            kind: fact.kind,
            grade: fact.kind.proves(),
            required: fact.kind.proves(),
            satisfied: true,
            new,
        }))
    }

    /// The same as calls to make.
    pub fn calls_about_the_end(&self) -> Result<Vec<Task>> {
        let task = |one: Uninformed| {
            let known = self.roster.get(&one.person);
            let name = known.map_or(one.person.as_str(), |person| person.name.as_str());
            let phone = match known {
                None => "no longer on the roster",
                Some(person) => person.phone.as_deref().unwrap_or("no phone number in the roster"),
            };
            let news = one.news.words();
            let what = match &one.asked {
                None => format!("call {name} ({phone}), who does not know that it is {news}: {}", one.why),
                Some(to) => {
                    format!(
                        "tell {to}, who was asked to remind {name} and does not know that it is {news}: {}",
                        one.why
                    )
                }
            };
            Task { at: one.at, person: one.person.clone(), acknowledgement: String::new(), what, call: true }
        };
        Ok(self.uninformed()?.into_iter().map(task).collect())
    }
}
