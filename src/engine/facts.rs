//! The facts people are told, and whether they still are what was told. Only what was told is compared: a text that
//! never went out may change freely.

use super::Engine;
use crate::fault::{Exit, Fault, Finding, Result, Severity};
use crate::ledger::Revision;
use crate::package::Manifest;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// One fact that is no longer what people were told.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    pub fact: String,
    pub told: String,
    pub now: String,
}

impl Engine<'_> {
    /// Date, zone and the campaign's facts (serial numbers among them): what every notice speaks of.
    fn base_facts(&self) -> BTreeMap<String, String> {
        let mut facts: BTreeMap<String, String> =
            self.campaign.facts.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        facts.insert("change_at".into(), self.campaign.change.local.to_string());
        facts.insert("time_zone".into(), self.campaign.change.zone.name().into());
        facts
    }

    /// Everything one notice tells: the base facts, its text, and each person's package.
    fn facts_of(&self, notice: &str) -> Result<BTreeMap<String, String>> {
        let mut facts = self.base_facts();
        let Some(notice) = self.campaign.notices.get(notice) else { return Ok(facts) };
        facts.insert(format!("text {}", notice.name), self.texts()?.digest(&notice.template));
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
            if let Some(notice) = fact.strip_prefix("text ") {
                now.extend(self.facts_of(notice)?);
            }
        }
        let mut differences = self.people_gone(revision.number)?;
        differences.extend(revision.facts.into_iter().filter_map(|(fact, told)| match now.get(&fact) {
            Some(value) if *value == told => None,
            Some(value) => Some(Difference { fact, told, now: value.clone() }),
            // A package that is gone was not rebuilt as another one; a fact that is gone was withdrawn.
            None if fact.starts_with("package ") => None,
            None => Some(Difference { fact, told, now: "(gone)".into() }),
        }));
        Ok(differences)
    }

    /// People who were asked and are no longer in the audience that has to answer. A row that is deleted or changed must
    /// not open a gate: who may go is waived by name.
    fn people_gone(&self, revision: u32) -> Result<Vec<Difference>> {
        let mut gone = Vec::new();
        for (person, acknowledgement) in self.ledger.told(revision)? {
            let Some(asked) = self.campaign.acknowledgements.get(&acknowledgement) else { continue };
            let there =
                self.roster.get(&person).is_some_and(|one| one.is_in(&self.campaign.audiences[&asked.audience]));
            if !there {
                gone.push(Difference {
                    fact: format!("{person} among '{}'", asked.audience),
                    told: "yes".into(),
                    now: "no (put the row back; `ack waive` lets a person go)".into(),
                });
            }
        }
        Ok(gone)
    }

    /// Ends with exit code 6 when people were told something else than what is true now.
    pub fn require_unchanged(&self) -> Result<()> {
        let findings: Vec<Finding> = self
            .differences()?
            .into_iter()
            .map(|difference| {
                let cause = format!(
                    "people were told {} = {}, and now it is {}",
                    difference.fact, difference.told, difference.now
                );
                let remedy = "put it back as it was: answers were given to what people were told";
                Finding::new(Severity::Error, "facts-changed", cause, remedy).in_file(&self.campaign.file)
            })
            .collect();
        if findings.is_empty() { Ok(()) } else { Err(Fault { exit: Exit::FactsChanged, findings }) }
    }

    /// The revision under which this notice may be told: the newest one, completed by what the notice adds, or the
    /// first.
    pub(super) fn revision_to_tell(&mut self, notice: &str) -> Result<Revision> {
        self.require_unchanged()?;
        let facts = self.facts_of(notice)?;
        let now = self.now();
        let Some(mut revision) = self.ledger.revision()? else {
            return self.ledger.add_revision(now, &digest(&facts), &facts);
        };
        let known = revision.facts.len();
        for (fact, value) in facts {
            revision.facts.entry(fact).or_insert(value);
        }
        if revision.facts.len() > known {
            revision.digest = digest(&revision.facts);
            self.ledger.extend_revision(now, &revision)?;
        }
        Ok(revision)
    }

    /// The number of the newest revision; 1 while nobody was told anything.
    pub fn revision_number(&self) -> Result<u32> {
        Ok(self.ledger.revision_number()?.unwrap_or(1))
    }
}

fn digest(facts: &BTreeMap<String, String>) -> String {
    let mut digest = Sha256::new();
    for (fact, value) in facts {
        for field in [fact, value] {
            digest.update((field.len() as u64).to_be_bytes());
            digest.update(field);
        }
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
