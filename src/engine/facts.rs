//! The facts people are told, and whether they still are what was told. Only what was told is compared: a text that
//! never went out may change freely.

use super::Engine;
use super::amend::OPEN;
use super::amendment::{Left, PACKAGE};
use super::calendar::{Entry, What};
use crate::campaign::Acknowledgement;
use crate::campaign::schedule::Moment;
use crate::fault::{Exit, Fault, Finding, Result, Severity};
use crate::ledger::{Changed, Revision, Telling};
use crate::package::Manifest;
use chrono::{DateTime, Duration, Utc};
use data_encoding::HEXLOWER;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// One fact that is no longer what people were told.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    pub fact: String,
    pub told: String,
    pub now: String,
    /// The fact is gone altogether.
    #[serde(skip)]
    pub withdrawn: bool,
    /// It is a person who had to answer and is not there any more.
    #[serde(skip)]
    pub gone: Option<Left>,
}

impl Difference {
    pub(super) fn of(fact: &str, told: &str, now: &str) -> Difference {
        Difference { fact: fact.to_owned(), told: told.to_owned(), now: now.to_owned(), withdrawn: false, gone: None }
    }

    /// What a letter says of it.
    pub(super) fn as_told(&self) -> Changed {
        Changed { fact: self.fact.clone(), told: self.told.clone(), now: self.now.clone() }
    }
}

/// The notice whose text a fact is, and the language it is in; none: for everybody who speaks no other that it has.
pub(super) fn text_of(fact: &str) -> Option<(&str, Option<&str>)> {
    let text = fact.strip_prefix("text ")?;
    Some(text.split_once(' ').map_or((text, None), |(notice, language)| (notice, Some(language))))
}

impl Engine<'_> {
    /// Date, zone, title, contact and the campaign's facts (serial numbers among them): what every notice speaks of.
    fn base_facts(&self) -> BTreeMap<String, String> {
        let mut facts: BTreeMap<String, String> =
            self.campaign.facts.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        facts.insert("change_at".into(), self.campaign.change.local.to_string());
        facts.insert("time_zone".into(), self.campaign.change.zone.name().into());
        facts.insert("campaign title".into(), self.campaign.title.clone());
        facts.insert("campaign contact".into(), self.campaign.contact.clone());
        facts
    }

    /// Everything one notice tells: the base facts, its text, until when it wants an answer, and each person's package.
    fn facts_of(&self, notice: &str) -> Result<BTreeMap<String, String>> {
        let mut facts = self.base_facts();
        let Some(notice) = self.campaign.notices.get(notice) else { return Ok(facts) };
        let texts = self.texts()?;
        for voice in texts.voices() {
            let fact = match voice {
                Some(language) => format!("text {} {language}", notice.name),
                None => format!("text {}", notice.name),
            };
            facts.insert(fact, texts.digest(&notice.template, voice));
        }
        let asked = self.acknowledgement_asked_by(&notice.name).map(|name| &self.campaign.acknowledgements[name]);
        if let Some((asked, due)) = asked.and_then(|asked| Some((asked, asked.due?))) {
            // As it stands in the file: what counts from the change moves with it.
            facts.insert(format!("due {}", asked.name), due.to_string());
        }
        if let Some(package) = &notice.package {
            for entry in Manifest::load(&self.package_folder(package))?.people {
                facts.insert(format!("package {package} {}", entry.id), entry.digest);
            }
        }
        Ok(facts)
    }

    /// What people were told and is different now. Empty while nobody was told anything.
    pub fn differences(&self) -> Result<Vec<Difference>> {
        let Some(revision) = self.ledger.revision()? else { return Ok(Vec::new()) };
        let mut now = self.base_facts();
        for fact in revision.facts.keys() {
            if let Some((notice, None)) = text_of(fact) {
                now.extend(self.facts_of(notice)?);
            }
        }
        let mut told = revision.facts;
        self.by_voice(&mut told, &mut now)?;
        let texts = self.texts()?;
        let heard = |fact: &str| match text_of(fact) {
            Some((_, voice @ Some(_))) => self.roster.people().any(|one| texts.hears(one.language.as_deref(), voice)),
            _ => true,
        };
        let mut differences = self.people_gone()?;
        differences.extend(told.into_iter().filter_map(|(fact, told)| match now.get(&fact) {
            Some(value) if *value == told => None,
            Some(_) if !heard(&fact) => None,
            Some(value) => Some(Difference::of(&fact, &told, value)),
            // A package that is gone was not rebuilt as another one; a fact that is gone was withdrawn.
            None if fact.starts_with("package ") => None,
            None => Some(Difference { withdrawn: true, ..Difference::of(&fact, &told, "(gone)") }),
        }));
        Ok(differences)
    }

    /// Makes texts that were told and texts as they are now speak of the same voices.
    fn by_voice(&self, told: &mut BTreeMap<String, String>, now: &mut BTreeMap<String, String>) -> Result<()> {
        let texts = self.texts()?;
        for (name, notice) in &self.campaign.notices {
            let general = format!("text {name}");
            // Older ledgers have one digest over all languages: as long as it is that one, nothing is another text.
            let before = told.get(&general).is_some_and(|value| *value == texts.digest_of_all(&notice.template));
            for voice in texts.voices().flatten().map(|language| format!("{general} {language}")) {
                if let (true, Some(today)) = (before, now.get(&voice)) {
                    told.insert(voice, today.clone());
                }
            }
            if let (true, Some(today)) = (before, now.get(&general)) {
                told.insert(general, today.clone());
            }
        }
        // Who speaks a language that is new was told the general text, and hears it now where one is gone.
        let of_a_voice = |fact: &&String| matches!(text_of(fact), Some((_, Some(_))));
        let voices: BTreeSet<String> = told.keys().chain(now.keys()).filter(of_a_voice).cloned().collect();
        for fact in voices {
            let general = text_of(&fact).map(|(notice, _)| format!("text {notice}")).unwrap_or_default();
            for facts in [&mut *told, &mut *now] {
                if let (false, Some(value)) = (facts.contains_key(&fact), facts.get(&general).cloned()) {
                    facts.insert(fact.clone(), value);
                }
            }
        }
        Ok(())
    }

    /// People who were asked, or were among those who have to answer when people were told, and no longer are: of some an
    /// answer is expected that no letter asks for. A row that is deleted or changed must not open a gate in silence:
    /// `amend` takes note of who left.
    fn people_gone(&self) -> Result<Vec<Difference>> {
        let told = self.ledger.told()?.into_iter().filter(|(person, acknowledgement)| {
            self.campaign.acknowledgements.get(acknowledgement).is_some_and(|asked| !self.has_to_answer(person, asked))
        });
        let mut gone: BTreeSet<(String, String)> = told.collect();
        self.ledger.each_member(|person, audiences| {
            let among = |asked: &&Acknowledgement| audiences.split(' ').any(|one| one == asked.audience);
            let left = self.campaign.acknowledgements.values().filter(among);
            let left = left.filter(|asked| !self.has_to_answer(person, asked));
            gone.extend(left.map(|asked| (person.to_owned(), asked.name.clone())));
        })?;
        let difference = |(person, acknowledgement): (String, String)| {
            let fact = format!("{person} among '{}'", self.campaign.acknowledgements[&acknowledgement].audience);
            let left = Left { person, acknowledgement };
            Difference { gone: Some(left), ..Difference::of(&fact, "yes", "no") }
        };
        Ok(gone.into_iter().map(difference).collect())
    }

    fn has_to_answer(&self, person: &str, asked: &Acknowledgement) -> bool {
        self.roster.get(person).is_some_and(|one| one.is_in(&self.campaign.audiences[&asked.audience]))
    }

    /// Ends with exit code 6 when people were told something else than what is true now.
    pub fn require_unchanged(&self) -> Result<()> {
        let findings = self.facts_changed()?;
        if findings.is_empty() { Ok(()) } else { Err(Fault { exit: Exit::FactsChanged, findings }) }
    }

    /// What is not as people were told.
    pub(super) fn facts_changed(&self) -> Result<Vec<Finding>> {
        let over = self.has_taken_place()?;
        let findings = self
            .differences()?
            .into_iter()
            .map(|difference| {
                let ended = over && difference.gone.is_none() && !difference.fact.starts_with(PACKAGE);
                let ended = ended.then(|| self.as_it_was(&difference));
                let Difference { fact, told, now, .. } = difference;
                let (cause, remedy) = match (told.as_str(), &ended) {
                    (_, Some(remedy)) => (
                        format!("the change has taken place, people were told {fact} = {told}, and now it is {now}"),
                        remedy.as_str(),
                    ),
                    (OPEN, _) => (
                        format!("people were told that the change is put off, and the file says {now}"),
                        "set `change_at` to the new date when it is known, then `flagday amend` tells everybody",
                    ),
                    (_, None) => (
                        format!("people were told {fact} = {told}, and now it is {now}"),
                        "`flagday amend` shows whom that concerns and takes it over; or put it back as it was",
                    ),
                };
                Finding::new(Severity::Error, "facts-changed", cause, remedy).in_file(&self.campaign.file)
            })
            .collect();
        Ok(findings)
    }

    /// Under which revision this notice may be told: the newest one, completed by what the notice adds, or the first. It goes on
    /// record with the messages that tell it.
    pub(super) fn tell(&self, notice: &str, telling: &mut Telling<'_>) -> Result<u32> {
        self.require_unchanged()?;
        let facts = self.facts_of(notice)?;
        let Some(mut revision) = telling.revision.take().map_or_else(|| self.ledger.revision(), |one| Ok(Some(one)))?
        else {
            if self.announces(notice) {
                self.require_notice_time()?;
            }
            telling.short_notice = self.short_notice_taken();
            telling.gates = Some(self.gates_now(Vec::new())?);
            telling.revision = Some(Revision { number: 1, at: self.now(), digest: digest(&facts), facts });
            return Ok(1);
        };
        let (number, known) = (revision.number, revision.facts.len());
        for (fact, value) in facts {
            revision.facts.entry(fact).or_insert(value);
        }
        if revision.facts.len() > known {
            revision.digest = digest(&revision.facts);
        }
        // What one of these messages tells already is on record with all of them.
        telling.revision = Some(revision);
        Ok(number)
    }

    /// What there is to say where people hear of the date later than they are to.
    pub fn near_date(&self) -> Option<String> {
        let left = self.short_of_notice()?;
        let hours = left.num_hours();
        let cause = match left < Duration::zero() {
            true => "the change lies in the past".to_owned(),
            false => format!("the change is only {} days and {} hours away", hours / 24, hours % 24),
        };
        let least = self.campaign.minimum_notice.map(|least| least.num_days());
        Some(least.map_or(cause.clone(), |least| format!("{cause}; people are to know {least} days beforehand")))
    }

    /// Whether a notice is one that people are to have in time: where the file sets no minimum, none that comes after the
    /// change, or by a step of the evening.
    fn announces(&self, notice: &str) -> bool {
        let change = &self.campaign.change;
        let before = match self.campaign.notices.get(notice).and_then(|one| one.at) {
            Some(at) => at.instant(change) < change.at,
            None => !self.campaign.steps.iter().any(|step| step.sends(notice)),
        };
        self.campaign.minimum_notice.is_some() || before
    }

    /// The command that sends a notice now, with the word for a near date where it is refused without.
    pub fn send_by_name(&self, notice: &str) -> Result<String> {
        let near = !self.short_notice && self.announces(notice) && self.short_of_notice().is_some();
        let word = if near && self.ledger.revision_number()?.is_none() { " --short-notice" } else { "" };
        Ok(format!("flagday send {notice}{word}"))
    }

    /// Ends with exit code 3 where people would hear of the date too late, unless the operator has said the word.
    pub(super) fn require_notice_time(&self) -> Result<()> {
        let Some(asked) = self.near_date().filter(|_| !self.short_notice) else { return Ok(()) };
        let remedy = "choose a later date, or say --short-notice: it stays on record";
        Err(Fault { exit: Exit::Waiting, findings: vec![Finding::error("short-notice", asked, remedy)] })
    }

    /// What `check` says where nobody was told yet, and the first notice comes too late by its own hour or by now.
    pub(super) fn check_notice_time(&self) -> Result<Option<Finding>> {
        if self.ledger.revision()?.is_some() {
            return Ok(None);
        }
        let is_first =
            |entry: &Entry| entry.what == What::Notice && self.announces(entry.notice.as_deref().unwrap_or_default());
        let hours = self.calendar().into_iter().filter(is_first).map(|entry| entry.at);
        let (zone, now) = (self.campaign.change.zone, self.now());
        let first = match (hours.min(), self.campaign.minimum_notice) {
            (Some(at), _) => at.max(now),
            (None, Some(_)) => now,
            (None, None) => return Ok(None),
        };
        let shown = |at: DateTime<Utc>| at.with_timezone(&zone).format("%a %F %H:%M %Z").to_string();
        Ok(self.short_of_notice_at(first).map(|left| {
            let hours = left.num_hours();
            let words = match left < Duration::zero() {
                true => "comes after the change".to_owned(),
                false => format!("is {} days and {} hours before the change", hours / 24, hours % 24),
            };
            let cause = match self.campaign.minimum_notice {
                Some(least) => format!(
                    "people are to know {} days beforehand, and the first notice, {}, {words}",
                    least.num_days(),
                    shown(first)
                ),
                None => format!(
                    "the change, {}, lies in the past, and nobody was told of it yet",
                    shown(self.campaign.change.at)
                ),
            };
            let remedy = match self.campaign.minimum_notice {
                Some(_) => {
                    "an earlier `at`, a later `change_at`, or `flagday send --short-notice`: nothing is sent without it"
                }
                None => "a later `change_at`, or `flagday send --short-notice`: nothing is sent without it",
            };
            Finding::warning("short-notice", cause, remedy).in_file(&self.campaign.file)
        }))
    }

    /// Puts on record that the operator has said the word, where it was needed.
    pub(super) fn note_short_notice(&mut self) -> Result<()> {
        match self.short_notice_taken() {
            Some(body) => self.ledger.note(self.now(), "short-notice", &body),
            None => Ok(()),
        }
    }

    /// The event of it, where it has to be said.
    fn short_notice_taken(&self) -> Option<serde_json::Value> {
        let left = self.short_of_notice().filter(|_| self.short_notice)?;
        let change_at = self.campaign.change.at.with_timezone(&self.campaign.change.zone);
        let least = self.campaign.minimum_notice.unwrap_or_default().num_hours();
        // Half an hour ago is the past.
        let left = left.num_seconds().div_euclid(3600);
        Some(json!({ "change_at": change_at.to_rfc3339(), "left_hours": left, "least_hours": least }))
    }

    /// How long it is until the change, where that is less than people are to know it beforehand. A day is 24 hours, or until
    /// the same hour by the clock there: where clocks are changed, whichever is shorter. Where nothing is said, only a change
    /// that is past is too near.
    fn short_of_notice(&self) -> Option<Duration> {
        self.short_of_notice_at(self.now())
    }

    fn short_of_notice_at(&self, now: DateTime<Utc>) -> Option<Duration> {
        let change = &self.campaign.change;
        let stated = self.campaign.minimum_notice;
        let least = stated.unwrap_or_default();
        let days = Moment::Days { days: -least.num_days(), at: change.local.time() }.instant(change);
        let by_the_clock = days - (least - Duration::days(least.num_days()));
        (stated != Some(Duration::zero()) && now > by_the_clock.max(change.at - least)).then(|| change.at - now)
    }

    /// Nothing is told and nothing is switched once the campaign was called off.
    pub fn require_not_aborted(&self) -> Result<()> {
        match self.ledger.aborted()? {
            None => Ok(()),
            Some(abort) => {
                let at = abort.at.with_timezone(&self.campaign.change.zone).format("%a %F %H:%M %Z");
                let cause = format!("the campaign was called off {at} by {}: {}", abort.by, abort.reason);
                Err(Fault::new("aborted", cause, "`flagday report` says who was told; a new date is a new campaign"))
            }
        }
    }

    /// The number of the newest revision; 1 while nobody was told anything.
    pub fn revision_number(&self) -> Result<u32> {
        Ok(self.ledger.revision_number()?.unwrap_or(1))
    }
}

pub(super) fn digest(facts: &BTreeMap<String, String>) -> String {
    let mut digest = Sha256::new();
    for (fact, value) in facts {
        for field in [fact, value] {
            digest.update((field.len() as u64).to_be_bytes());
            digest.update(field);
        }
    }
    HEXLOWER.encode(&digest.finalize())
}
