//! Amendments: what people were told against what is true now; whom that concerns, whose answers it makes void, and the
//! letters about it. What it finds is shown first, and taken over in one transaction.

use super::facts::digest;
use super::{Difference, Engine, Sent};
use crate::campaign::{Campaign, Grade};
use crate::fault::{Fault, Result};
use crate::ledger::{Changed, Owed, Takeover};
use crate::outbox::{Progress, State};
use crate::roster::Roster;
use crate::runbook::StepState;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::atomic::AtomicBool;

/// What stands for a date that nobody knows yet.
pub(super) const OPEN: &str = "open";

/// How the operator wants it taken over.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// What may be cosmetic is: answers to it stay, and nobody is written to because of it.
    pub cosmetic: bool,
    /// The change is put off, and its new date is not known.
    pub postpone: bool,
    /// Why, kept with the record.
    pub reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Answers to the old fact are void.
    Material,
    Cosmetic,
}

impl Effect {
    pub fn word(self) -> &'static str {
        match self {
            Effect::Material => "material",
            Effect::Cosmetic => "cosmetic",
        }
    }
}

/// One fact that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    #[serde(flatten)]
    pub difference: Difference,
    pub effect: Effect,
}

/// Somebody who is written to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Informed {
    pub person: String,
    pub notices: Vec<String>,
    /// The facts that changed for them; none: they hear of it for the first time.
    pub because: Vec<String>,
    /// Acknowledgements whose answer is void, with the grade it had.
    pub void: Vec<(String, Grade)>,
}

impl Informed {
    fn new(person: &str) -> Informed {
        let (notices, because, void) = Default::default();
        Informed { person: person.to_owned(), notices, because, void }
    }

    fn because(&mut self, fact: &str) {
        if !self.because.iter().any(|known| known == fact) {
            self.because.push(fact.to_owned());
        }
    }

    /// Their answer is void, and no letter of ours has reached them that could be put right.
    pub fn is_silent(&self) -> bool {
        self.notices.is_empty()
    }
}

/// Somebody who had to answer and is not on the roster any more, with how far they had come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    pub person: String,
    pub acknowledgement: String,
}

/// What `amend` would do, or has done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Amendment {
    pub schema: u32,
    /// What people were told.
    pub revision: u32,
    /// What they are told from now on: the same where only people came and went.
    pub next: u32,
    pub postponed: bool,
    pub changes: Vec<Change>,
    pub informed: Vec<Informed>,
    /// Answers that stay.
    pub kept: usize,
    /// Letters to managers and alternates: what they were asked names what is no longer true.
    pub corrected: usize,
    pub joined: Vec<String>,
    /// With their audiences, then and now.
    pub moved: Vec<(String, String, String)>,
    pub left: Vec<Left>,
    #[serde(skip)]
    owed: Vec<Owed>,
}

impl Amendment {
    /// Nothing changed, and nobody came or went.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.joined.is_empty() && self.moved.is_empty() && self.left.is_empty()
    }

    fn material(&self) -> impl Iterator<Item = &Difference> {
        self.changes.iter().filter(|change| change.effect == Effect::Material).map(|change| &change.difference)
    }

    /// What every notice speaks of is different.
    fn everything(&self) -> impl Iterator<Item = &Difference> {
        self.material().filter(|difference| is_in_every_notice(&difference.fact))
    }
}

/// The notices one person got, with the newest day on which each really went out.
type Told = BTreeMap<String, BTreeMap<String, Option<DateTime<Utc>>>>;

impl Engine<'_> {
    /// What an amendment would change. Nothing is recorded.
    pub fn amendment(&self, wish: &Wish) -> Result<Amendment> {
        let Some(revision) = self.ledger.revision()? else {
            return Err(Fault::new(
                "nothing-told",
                "nobody was told anything yet",
                "change what you like, then `send`",
            ));
        };
        let (gone, mut differences): (Vec<_>, Vec<_>) =
            self.differences()?.into_iter().partition(|difference| difference.gone.is_some());
        if wish.postpone {
            // Whatever else is different is told together with the new date.
            differences.clear();
            let told = revision.facts.get("change_at").cloned().unwrap_or_default();
            if told != OPEN {
                differences.insert(0, Difference::of("change_at", &told, OPEN));
            }
        }
        let changes: Vec<Change> = differences
            .into_iter()
            .map(|difference| Change { effect: self.effect(&difference.fact, wish), difference })
            .collect();
        let told = self.notices_told()?;
        let mut amendment = Amendment {
            schema: 1,
            revision: revision.number,
            next: revision.number + u32::from(!changes.is_empty()),
            postponed: wish.postpone,
            informed: Vec::new(),
            kept: 0,
            corrected: 0,
            joined: Vec::new(),
            moved: Vec::new(),
            left: gone.into_iter().filter_map(|difference| difference.gone).collect(),
            owed: Vec::new(),
            changes,
        };
        self.inform_those_concerned(&told, wish, &mut amendment);
        self.catch_up(&told, wish, &mut amendment)?;
        self.count_answers(&mut amendment)?;
        if amendment.material().any(|one| matches!(one.fact.as_str(), "change_at" | "time_zone")) {
            let asked = self.ledger.asked_to_remind()?;
            amendment.corrected = asked.iter().filter(|one| self.roster.get(&one.person).is_some()).count();
        }
        Ok(amendment)
    }

    /// Whether answers to the old fact can stay: a date, a serial number or a package is never a matter of looks; a text
    /// that asks for nothing and names nothing always is.
    fn effect(&self, fact: &str, wish: &Wish) -> Effect {
        let may_be = match fact.strip_prefix("text ") {
            Some(name) if !self.is_about_the_change(name) => return Effect::Cosmetic,
            Some(_) => true,
            None if fact.starts_with("package ") => false,
            None => !["change_at", "time_zone", "network", "name", "old_serial", "new_serial"].contains(&fact),
        };
        if may_be && wish.cosmetic { Effect::Cosmetic } else { Effect::Material }
    }

    /// A notice that tells people what will change, as against one that reminds, asks others, or says that it is over.
    pub(super) fn is_about_the_change(&self, notice: &str) -> bool {
        let asked = self.acknowledgement_asked_by(notice).is_some();
        self.campaign.notices.get(notice).is_some_and(|one| asked || one.at.is_some() || one.package.is_some())
    }

    /// By person and notice, under every revision.
    fn notices_told(&self) -> Result<Told> {
        let mut told = Told::new();
        for message in self.ledger.messages()? {
            if !self.is_about_the_change(&message.notice) {
                continue;
            }
            let out = matches!(message.state, State::Sent | State::Delivered | State::Uncertain | State::Bounced);
            let day = told.entry(message.person).or_default().entry(message.notice).or_default();
            *day = (*day).max(message.settled_at.filter(|_| out));
        }
        Ok(told)
    }

    fn inform_those_concerned(&self, told: &Told, wish: &Wish, amendment: &mut Amendment) {
        let material: Vec<&Difference> = amendment.material().collect();
        let mut owed = Vec::new();
        for (id, notices) in told {
            let Some(person) = self.roster.get(id) else { continue };
            for (name, day) in notices {
                let notice = &self.campaign.notices[name];
                let changes: Vec<&&Difference> =
                    material.iter().filter(|difference| concerns(&difference.fact, notice, id)).collect();
                if changes.is_empty() || !person.is_in(&self.campaign.audiences[&notice.audience]) {
                    continue;
                }
                let changes = match day {
                    Some(day) => self.letter_changes(&changes, notice, id, *day),
                    None => Vec::new(),
                };
                // Whoever never got the letter need not hear that its date is open.
                if wish.postpone && day.is_none() {
                    continue;
                }
                let notice = if wish.postpone { "postponed".to_owned() } else { name.clone() };
                let asks = self.acknowledgement_asked_by(&notice).map(str::to_owned);
                let (person, revision, reason) = (id.clone(), amendment.next, wish.reason.clone());
                let one = Owed { person, notice, asks, revision, reason, changes, overtakes: true };
                if !owed
                    .iter()
                    .rev()
                    .take(notices.len())
                    .any(|known: &Owed| known.person == one.person && known.notice == one.notice)
                {
                    owed.push(one);
                }
            }
        }
        amendment.owed.extend(owed);
    }

    /// The changes as the letter tells them. A disk that went out before is named, for it is void whatever changed.
    fn letter_changes(
        &self,
        changes: &[&&Difference],
        notice: &crate::campaign::Notice,
        person: &str,
        day: DateTime<Utc>,
    ) -> Vec<Changed> {
        let mut told: Vec<Changed> = changes
            .iter()
            .filter(|change| !change.fact.starts_with("package "))
            .map(|change| Changed { fact: change.fact.clone(), told: change.told.clone(), now: change.now.clone() })
            .collect();
        if let Some(package) = &notice.package {
            let day = day.with_timezone(&self.campaign.change.zone).format("%F").to_string();
            told.push(Changed { fact: format!("package {package} {person}"), told: day, now: String::new() });
        }
        told
    }

    /// Those who are new on the rosters, or elsewhere in them, get the notices whose hour has come. While the date is open
    /// nobody takes note of them: with the next date they are as new as before.
    fn catch_up(&self, told: &Told, wish: &Wish, amendment: &mut Amendment) -> Result<()> {
        if wish.postpone {
            return Ok(());
        }
        let before = self.ledger.members()?;
        let now = self.members();
        for (person, audiences) in &now {
            match before.get(person) {
                None => amendment.joined.push(person.clone()),
                Some(then) if then != audiences => {
                    amendment.moved.push((person.clone(), then.clone(), audiences.clone()));
                }
                Some(_) => continue,
            }
            let person = self.roster.get(person);
            for entry in self.calendar().into_iter().filter(|entry| entry.at <= self.now()) {
                let Some(person) = person else { continue };
                let Some(notice) = entry.notice.filter(|_| entry.what == super::What::Notice) else { continue };
                let there = entry.there.contains(&super::calendar::Whereabouts::of(person));
                let known = told.get(&person.id).is_some_and(|notices| notices.contains_key(&notice));
                let others = told.values().any(|notices| notices.contains_key(&notice));
                if there && others && !known && person.is_in(&self.campaign.audiences[&entry.audience]) {
                    let revision = amendment.next;
                    let asks = self.acknowledgement_asked_by(&notice).map(str::to_owned);
                    let (person, reason, changes) = (person.id.clone(), String::new(), Vec::new());
                    amendment.owed.push(Owed { person, notice, asks, revision, reason, changes, overtakes: false });
                }
            }
        }
        Ok(())
    }

    fn count_answers(&self, amendment: &mut Amendment) -> Result<()> {
        let mut informed: BTreeMap<String, Informed> = BTreeMap::new();
        for owed in &amendment.owed {
            let one = informed.entry(owed.person.clone()).or_insert_with(|| Informed::new(&owed.person));
            one.notices.push(owed.notice.clone());
            owed.changes.iter().for_each(|change| one.because(&change.fact));
        }
        let everything: Vec<&str> = amendment.everything().map(|difference| difference.fact.as_str()).collect();
        let overtaken: HashSet<(&str, &str)> = amendment
            .owed
            .iter()
            .filter(|owed| owed.overtakes)
            .filter_map(|owed| Some((owed.person.as_str(), owed.asks.as_deref()?)))
            .collect();
        let mut kept = 0;
        for asked in self.campaign.acknowledgements.values() {
            let notice = asked.notice.as_ref().map(|name| &self.campaign.notices[name]);
            for standing in self.standings(asked)?.into_iter().filter(|one| one.grade >= Grade::Confirmed) {
                if everything.is_empty() && !overtaken.contains(&(&standing.person, &asked.name)) {
                    kept += 1;
                    continue;
                }
                let one = informed.entry(standing.person.clone()).or_insert_with(|| Informed::new(&standing.person));
                one.void.push((asked.name.clone(), standing.grade));
                everything.iter().for_each(|fact| one.because(fact));
                let of_its_notice = |fact: &str| notice.is_some_and(|notice| concerns(fact, notice, &standing.person));
                let because = amendment.material().filter(|difference| of_its_notice(&difference.fact));
                because.for_each(|difference| one.because(&difference.fact));
            }
        }
        amendment.kept = kept;
        amendment.informed = informed.into_values().collect();
        Ok(())
    }

    /// Takes the changes over as a new revision and writes to those they concern. Killed on the way, the next `send`,
    /// `tick` or `amend` goes on.
    pub fn amend(
        &mut self,
        wish: &Wish,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(Amendment, Sent)> {
        self.require_roster()?;
        self.require_not_aborted()?;
        self.require_clock()?;
        let now = self.now();
        self.ledger.recover(now, self.campaign.mail.uncertain)?;
        let amendment = self.amendment(wish)?;
        self.require_sensible(&amendment, wish)?;
        if !amendment.is_empty() {
            if !wish.postpone && amendment.changes.iter().any(|change| change.difference.fact == "change_at") {
                self.note_short_notice()?;
            }
            let facts = (!amendment.changes.is_empty()).then(|| self.facts_after(&amendment)).transpose()?;
            let names = |change: &&Change| change.effect == Effect::Cosmetic;
            let mut members = self.members();
            if wish.postpone {
                let before = self.ledger.members()?;
                members.retain(|person, _| before.contains_key(person));
                members.extend(before.into_iter().filter(|(person, _)| self.roster.get(person).is_some()));
            }
            let change = Takeover {
                everything: amendment.everything().next().is_some(),
                facts: facts.map(|facts| (digest(&facts), facts)),
                reason: wish.reason.clone(),
                cosmetic: amendment.changes.iter().filter(names).map(|one| one.difference.fact.clone()).collect(),
                owed: amendment.owed.clone(),
                left: amendment.left.iter().map(|left| (left.person.clone(), left.acknowledgement.clone())).collect(),
                members,
            };
            self.ledger.amend(&change, now)?;
        }
        let sent = self.send_owed(stop, progress)?;
        Ok((amendment, sent))
    }

    /// What amendments still have to tell. Until there is a date again, nobody is told anything but that there is none.
    pub fn owed(&self) -> Result<Vec<Owed>> {
        let postponed = self.is_postponed()?;
        let mut owed = self.ledger.owed()?;
        owed.retain(|owed| match self.campaign.notices.get(&owed.notice) {
            _ if owed.notice == "postponed" => true,
            Some(notice) if !postponed => {
                let audience = &self.campaign.audiences[&notice.audience];
                self.roster.get(&owed.person).is_some_and(|person| person.is_in(audience))
            }
            _ => false,
        });
        Ok(owed)
    }

    fn require_sensible(&self, amendment: &Amendment, wish: &Wish) -> Result<()> {
        if amendment.changes.iter().any(|change| change.effect == Effect::Material) {
            let steps = self.campaign.steps.iter().skip_while(|step| step.wait.is_none());
            for step in steps {
                let state = crate::runbook::state_of(&crate::runbook::Journal::entries(&self.ledger)?, &step.name)?;
                if !matches!(state, StepState::Pending | StepState::Undone) {
                    let cause = format!("the cutover has begun: step {} is {}", step.name, state.word());
                    let remedy = "finish it, or take it back with `flagday cutover rollback` first";
                    return Err(Fault::new("cutover-begun", cause, remedy));
                }
            }
        }
        if wish.cosmetic && !amendment.changes.iter().any(|change| change.effect == Effect::Cosmetic) {
            let cause = "nothing of what changed can be cosmetic: dates, serial numbers and packages never are";
            return Err(Fault::new("not-cosmetic", cause, "leave --cosmetic out"));
        }
        let dated = amendment.changes.iter().any(|change| change.difference.fact == "change_at");
        if dated && !wish.postpone {
            self.require_notice_time()?;
        }
        let notices: BTreeSet<&str> = amendment.owed.iter().map(|owed| owed.notice.as_str()).collect();
        notices.into_iter().filter(|name| *name != "postponed").try_for_each(|name| self.require_packages(name))
    }

    /// The facts of the next revision: what was told, as it is now.
    fn facts_after(&self, amendment: &Amendment) -> Result<BTreeMap<String, String>> {
        let mut facts = self.ledger.revision()?.map(|revision| revision.facts).unwrap_or_default();
        for Change { difference, .. } in &amendment.changes {
            match difference.withdrawn {
                true => drop(facts.remove(&difference.fact)),
                false => drop(facts.insert(difference.fact.clone(), difference.now.clone())),
            }
        }
        Ok(facts)
    }

    /// Everybody on the rosters, with the audiences they are in.
    pub(super) fn members(&self) -> BTreeMap<String, String> {
        members_of(&self.campaign, &self.roster).collect()
    }

    /// Who came, went or moved since people were last told, by their ids: for `status` and `plan`.
    pub fn roster_changes(&self) -> Result<RosterChanges> {
        let before = self.ledger.members()?;
        if before.is_empty() {
            return Ok(RosterChanges::default());
        }
        let now: HashMap<String, String> = self.members().into_iter().collect();
        let joined = now.keys().filter(|id| !before.contains_key(*id)).cloned().collect::<BTreeSet<_>>();
        let left = before.keys().filter(|id| !now.contains_key(*id)).cloned().collect();
        let moved = before.iter().filter(|(id, then)| now.get(*id).is_some_and(|now| now != *then));
        Ok(RosterChanges {
            joined: joined.into_iter().collect(),
            left,
            moved: moved.map(|(id, _)| id.clone()).collect(),
        })
    }
}

/// See [`Engine::roster_changes`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RosterChanges {
    pub joined: Vec<String>,
    pub left: Vec<String>,
    /// In other audiences than before.
    pub moved: Vec<String>,
}

/// A text stands in one notice and a package goes with one; anything else is what all of them speak of.
fn is_in_every_notice(fact: &str) -> bool {
    !fact.starts_with("text ") && !fact.starts_with("package ")
}

/// Whether a fact stands in a person's letter.
fn concerns(fact: &str, notice: &crate::campaign::Notice, person: &str) -> bool {
    if let Some(name) = fact.strip_prefix("text ") {
        return name == notice.name;
    }
    match fact.strip_prefix("package ").and_then(|rest| rest.split_once(' ')) {
        Some((package, whose)) => notice.package.as_deref() == Some(package) && whose == person,
        None => true,
    }
}

/// Everybody on the rosters, one by one, with the audiences they are in.
pub(super) fn members_of(campaign: &Campaign, roster: &Roster) -> impl Iterator<Item = (String, String)> {
    roster.people().map(|person| {
        let audiences = campaign.audiences.values().filter(|audience| person.is_in(audience));
        let names: Vec<&str> = audiences.map(|audience| audience.name.as_str()).collect();
        (person.id.clone(), names.join(" "))
    })
}
