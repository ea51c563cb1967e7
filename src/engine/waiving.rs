//! Deciding that one person no longer blocks.

use super::Engine;
use crate::answer::{Waiver, same_name};
use crate::campaign::Acknowledgement;
use crate::campaign::schedule::Moment;
use crate::fault::{Exit, Fault, Result};
use crate::runbook::{Event, Journal, stated};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

/// What an administrator decides about a person.
#[derive(Debug, Clone, Copy)]
pub struct Waive<'a> {
    pub person: &'a str,
    /// For which acknowledgement; absent: everything that a notice asks of them and that is open.
    pub only: Option<&'a str>,
    pub reason: &'a str,
    pub by: &'a str,
    /// A day (through its end), a local date-time, or a moment such as `T+2d`.
    pub until: Option<&'a str>,
}

/// One decision on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waived {
    pub acknowledgement: String,
    /// False: a second person has to decide the same first.
    pub counts: bool,
    /// When the person blocks again: of two people's decisions the earlier end.
    pub until: Option<DateTime<Utc>>,
}

impl Engine<'_> {
    /// Records the decision; says for which acknowledgements, and whether it counts already.
    pub fn waive(&mut self, asked: Waive) -> Result<Vec<Waived>> {
        if asked.reason.trim().is_empty() || asked.by.trim().is_empty() {
            let cause = "a waiver needs a reason and a name";
            return Err(Fault::new("waiver-unreasoned", cause, "give --reason and --by"));
        }
        let (by, reason) = stated(asked.by, asked.reason)?;
        let until = asked.until.map(|text| self.ends(text)).transpose()?;
        let person = self.roster.find(asked.person)?.id.clone();
        let mut waived = Vec::new();
        for name in self.waivable(asked.only)? {
            let acknowledgement = &self.campaign.acknowledgements[&name];
            let Some(standing) = self.standing(acknowledgement, &person)? else { continue };
            if Self::is_settled(acknowledgement, &standing) {
                continue;
            }
            if let Some(first) = standing.half_waived.as_ref().filter(|first| same_name(&first.by, &by)) {
                let cause = format!("{} has decided this already; a second person has to decide the same", first.by);
                let remedy = "have somebody else run it with their own --by";
                return Err(Fault::new("waiver-same-person", cause, remedy));
            }
            let counts = !self.asks_two(&name) || standing.half_waived.is_some();
            let first = standing.half_waived.and_then(|first| first.until);
            let waiver = Waiver {
                person: person.clone(),
                reason: reason.clone(),
                by: by.clone(),
                at: self.now(),
                revision: self.revision_number()?,
                until,
                second: None,
                ended: None,
            };
            self.ledger.waive(&name, &waiver)?;
            let until = [first, until].into_iter().flatten().min();
            waived.push(Waived { acknowledgement: name, counts, until });
        }
        if waived.is_empty() {
            let cause = format!("{person} blocks nothing");
            return Err(Fault::new("nothing-to-waive", cause, "see `flagday status` for those who do"));
        }
        Ok(waived)
    }

    /// What was decided for one acknowledgement and not withdrawn, oldest first. About what the program has to see for
    /// itself, a decision ends when the step on which that rests is taken back: it spoke of another evening.
    pub(super) fn waivers(&self, acknowledgement: &Acknowledgement) -> Result<Vec<Waiver>> {
        let undone = |event: &Event| matches!(event, Event::Undone { .. } | Event::UndoneByHand { .. });
        let taken_back = match self.ground(acknowledgement) {
            Some(ground) => {
                self.ledger.entries()?.into_iter().rfind(|entry| entry.step == ground.name && undone(&entry.event))
            }
            None => None,
        };
        self.ledger.waivers(&acknowledgement.name, taken_back.map_or(0, |entry| entry.seq))
    }

    /// What the program has to see for itself is waived only by name.
    fn waivable(&self, only: Option<&str>) -> Result<Vec<String>> {
        let all = &self.campaign.acknowledgements;
        match only {
            None => Ok(all.values().filter(|one| one.notice.is_some()).map(|one| one.name.clone()).collect()),
            Some(name) if all.contains_key(name) => Ok(vec![name.to_owned()]),
            Some(name) => {
                let known: Vec<_> = all.keys().map(String::as_str).collect();
                let cause = format!("there is no acknowledgement '{name}'");
                let remedy = format!("one of {}", known.join(", "));
                Err(Fault::ending(Exit::Usage, "unknown-acknowledgement", cause, remedy))
            }
        }
    }

    /// Whether a gate over this acknowledgement asks for two people's decision.
    pub(super) fn asks_two(&self, acknowledgement: &str) -> bool {
        self.campaign.gates.values().any(|gate| gate.two_person && gate.acknowledgement == acknowledgement)
    }

    /// The instant at which a waiver ends.
    fn ends(&self, text: &str) -> Result<DateTime<Utc>> {
        let refused = |cause: String| {
            Fault::ending(
                Exit::Usage,
                "waiver-until",
                cause,
                "write a day to come, as 2026-12-15, or as 2026-12-15 18:00",
            )
        };
        let day = NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok().and_then(|day| day.succ_opt());
        let moment = match day.and_then(|day| day.and_hms_opt(0, 0, 0)) {
            Some(midnight) => Moment::At(midnight),
            None => Moment::parse(text).map_err(refused)?,
        };
        let ends = moment.instant(&self.campaign.change);
        if ends <= self.now() {
            return Err(refused(format!("a waiver until {text} would have run out already")));
        }
        Ok(ends)
    }
}
