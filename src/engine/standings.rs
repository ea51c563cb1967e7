//! Where everybody stands, and what the gates say because of it. Derived anew each time from the evidence.

use super::Engine;
use super::amend::OPEN;
use super::drain::reads_clock;
use crate::answer::{Evidence, Standing, Waiver, Waiving, absence};
use crate::campaign::{Acknowledgement, Gate, Grade, OnDeadline, Step};
use crate::fault::Result;
use crate::gate::{self, Verdict};
use crate::roster::Person;
use crate::runbook::{Entry, Event, Journal, StepState, state_of};
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::{HashMap, HashSet};

/// From when on an observation counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    Always,
    /// Behind that entry of the journal, whatever the clock said.
    Entry(i64),
    NotYet,
}

impl Since {
    pub(super) fn entry(self) -> i64 {
        match self {
            Since::Always => 0,
            Since::Entry(entry) => entry,
            Since::NotYet => i64::MAX,
        }
    }
}

impl Engine<'_> {
    /// Each person of the acknowledgement's audience, in roster order.
    pub fn standings(&self, acknowledgement: &Acknowledgement) -> Result<Vec<Standing>> {
        self.standings_by(acknowledgement, DateTime::<Utc>::MAX_UTC)
    }

    /// The same by what was on record at a deadline. Decisions about a person count whenever they are made.
    fn standings_by(&self, acknowledgement: &Acknowledgement, deadline: DateTime<Utc>) -> Result<Vec<Standing>> {
        let since = self.observed_since(acknowledgement)?;
        let mut evidence: HashMap<String, Vec<Evidence>> = HashMap::new();
        let facts = self.ledger.evidence(&acknowledgement.name, since.entry())?;
        for fact in facts.into_iter().filter(|fact| fact.at <= deadline) {
            evidence.entry(fact.person.clone()).or_default().push(fact);
        }
        let mut before: HashMap<String, Vec<Evidence>> = HashMap::new();
        for fact in self.ledger.overtaken_of_the_absent(&acknowledgement.name)? {
            before.entry(fact.person.clone()).or_default().push(fact);
        }
        let mut waivers: HashMap<String, Vec<Waiver>> = HashMap::new();
        for waiver in self.waivers(acknowledgement)? {
            waivers.entry(waiver.person.clone()).or_default().push(waiver);
        }
        let (two, now) = (self.asks_two(&acknowledgement.name), self.now());
        let audience = &self.campaign.audiences[&acknowledgement.audience];
        let (doubtful, another) = (self.ledger.doubtful(&acknowledgement.name)?, self.ledger.told_another_date(OPEN)?);
        Ok(self
            .roster
            .audience(audience)
            .map(|person| {
                let facts = evidence.get(&person.id).map(Vec::as_slice).unwrap_or_default();
                let waiving = Waiving::of(waivers.remove(&person.id).unwrap_or_default(), two, now);
                let before = before.get(&person.id).map(Vec::as_slice).unwrap_or_default();
                let date = another.get(&person.id).map(String::as_str);
                let nothing = nothing_yet(acknowledgement, doubtful.contains(&person.id), date);
                let absence = absence(before, self.today(person));
                Standing::of(&person.id, address_of(person), facts, absence, waiving, nothing)
            })
            .collect())
    }

    /// The day it is where the person is; as far as that is not known, where the campaign is.
    pub(super) fn today(&self, person: &Person) -> NaiveDate {
        self.day(person, self.now())
    }

    pub(super) fn day(&self, person: &Person, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&person.time_zone.unwrap_or(self.campaign.change.zone)).date_naive()
    }

    /// From when on what was seen or said counts for an acknowledgement. Mail fetched before the broadcast, or a number read
    /// back before the change, says nothing; a rollback takes their ground away, and that of the answers to a notice which
    /// a step of the change has sent.
    pub(super) fn observed_since(&self, acknowledgement: &Acknowledgement) -> Result<Since> {
        if let Some(notice) = &acknowledgement.notice {
            return Ok(self.taken_back(notice)?.map_or(Since::Always, Since::Entry));
        }
        let Some(ground) = self.ground(acknowledgement) else { return Ok(Since::Always) };
        if reads_clock(ground) {
            return Ok(self.broadcast()?.map_or(Since::NotYet, |broadcast| Since::Entry(broadcast.entry)));
        }
        let entries = self.ledger.entries()?;
        if state_of(&entries, &ground.name)? != StepState::Done {
            return Ok(Since::NotYet);
        }
        let done = |entry: &&Entry| entry.step == ground.name && matches!(entry.event, Event::Done { .. });
        Ok(entries.iter().rev().find(done).map_or(Since::NotYet, |entry| Since::Entry(entry.seq)))
    }

    /// The step on which what is seen for an acknowledgement rests: the broadcast for the mailbags, else the new file.
    pub(super) fn ground(&self, acknowledgement: &Acknowledgement) -> Option<&Step> {
        if acknowledgement.grade != Grade::Observed || acknowledgement.notice.is_some() {
            return None;
        }
        match self.drain_gate().is_ok_and(|gate| gate.acknowledgement == acknowledgement.name) {
            true => self.campaign.steps.iter().find(|step| reads_clock(step)),
            false => self.install_step(),
        }
    }

    /// One person's standing for one acknowledgement; none for who is not in its audience.
    pub fn standing(&self, acknowledgement: &Acknowledgement, person: &str) -> Result<Option<Standing>> {
        let audience = &self.campaign.audiences[&acknowledgement.audience];
        let Some(member) = self.roster.get(person).filter(|one| one.is_in(audience)) else { return Ok(None) };
        let since = self.observed_since(acknowledgement)?;
        let floor = self.ledger.floor(person, &acknowledgement.name)?;
        let all = self.ledger.evidence_about_behind(person, &acknowledgement.name, 0, since.entry())?;
        let (facts, before): (Vec<Evidence>, Vec<Evidence>) = all.into_iter().partition(|fact| fact.revision >= floor);
        let mut waivers = self.waivers(acknowledgement)?;
        waivers.retain(|waiver| waiver.person == person);
        let waiving = Waiving::of(waivers, self.asks_two(&acknowledgement.name), self.now());
        let absence = absence(&before, self.today(member));
        let (doubtful, another) = (self.ledger.doubtful(&acknowledgement.name)?, self.ledger.told_another_date(OPEN)?);
        let date = another.get(person).map(String::as_str);
        let nothing = nothing_yet(acknowledgement, doubtful.contains(person), date);
        Ok(Some(Standing::of(person, address_of(member), &facts, absence, waiving, nothing)))
    }

    /// What every gate says now.
    pub fn verdicts(&self) -> Result<Vec<Verdict>> {
        let overrides = self.overrides_in_force()?;
        self.campaign
            .gates
            .values()
            .map(|gate| {
                let acknowledgement = &self.campaign.acknowledgements[&gate.acknowledgement];
                let standings = self.standings(acknowledgement)?;
                let mut verdict = gate::evaluate(gate, acknowledgement, &standings);
                if let Some(due) = self.missable(gate) {
                    let then = gate::evaluate(gate, acknowledgement, &self.standings_by(acknowledgement, due)?);
                    if !then.open {
                        verdict = then.missing(due, acknowledgement.grade, &standings);
                    }
                }
                Ok(overrides.iter().rev().fold(verdict, Verdict::overruled))
            })
            .collect()
    }

    /// The deadline of a gate that is to abort there, once it has passed.
    fn missable(&self, gate: &Gate) -> Option<DateTime<Utc>> {
        let due = self.campaign.acknowledgements[&gate.acknowledgement].due?.instant(&self.campaign.change);
        (gate.on_deadline == OnDeadline::Abort && due < self.now()).then_some(due)
    }

    /// Who has answered or been waived, by person and acknowledgement.
    pub fn settled(&self) -> Result<HashSet<(String, String)>> {
        let mut settled = HashSet::new();
        for asked in self.campaign.acknowledgements.values() {
            let done = self.standings(asked)?.into_iter().filter(|one| Self::is_settled(asked, one));
            settled.extend(done.map(|one| (one.person, asked.name.clone())));
        }
        Ok(settled)
    }

    /// Whether the person's answer, or a decision, has settled this acknowledgement.
    pub(super) fn is_settled(acknowledgement: &Acknowledgement, standing: &Standing) -> bool {
        standing.waiver.is_some() || standing.grade >= acknowledgement.grade
    }
}

fn address_of(person: &Person) -> Option<&str> {
    person.email.as_ref().map(AsRef::as_ref)
}

/// What to say of somebody about whom nothing is known that holds. `date`: what their newest letter says, where that is not
/// what people are told today.
fn nothing_yet(acknowledgement: &Acknowledgement, in_doubt: bool, date: Option<&str>) -> &'static str {
    match acknowledgement.notice {
        Some(_) if in_doubt => "may have our letter or not",
        Some(_) if date == Some(OPEN) => "was told that it is put off",
        Some(_) if date.is_some() => "was told an older date",
        Some(_) => "was not told yet",
        None => "nothing was seen yet",
    }
}
