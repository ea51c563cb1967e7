//! That the change is off, or put off, is told to everybody who was told of it. Where the campaign's own text wants a column
//! that somebody does not have, most of the time because they have left the roster, they read the one that comes with the
//! program; `check` says beforehand that it would be so.

use super::Engine;
use super::sending::Intent;
use crate::fault::{Finding, Place, Severity};
use crate::ledger::NewMessage;
use crate::roster::Person;
use lettre::Address;
use std::sync::Arc;

/// People named of one finding.
const NAMES: usize = 8;

/// The notices that say so.
pub(super) fn is_off(notice: &str) -> bool {
    matches!(notice, "abort" | "postponed")
}

/// Whom one fault of one text concerns, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Shipped(Vec<(String, Finding, Vec<String>)>);

impl Shipped {
    pub fn note(&mut self, message: &NewMessage) {
        let Some(finding) = &message.shipped else { return };
        match self.0.iter_mut().find(|(notice, same, _)| *notice == message.notice && same == finding) {
            Some((_, _, people)) => people.push(message.person.clone()),
            None => self.0.push((message.notice.clone(), finding.clone(), vec![message.person.clone()])),
        }
    }

    /// A warning for each fault, with everybody whom it concerns.
    pub fn findings(self) -> impl Iterator<Item = Finding> {
        self.0.into_iter().map(|(notice, finding, people)| {
            let more = people.len().saturating_sub(NAMES);
            let mut names = people.iter().take(NAMES).cloned().collect::<Vec<_>>().join(", ");
            if more > 0 {
                names += &format!(" and {more} more");
            }
            let cause = format!(
                "'{notice}' for {names} is in the words that come with flagday: in the campaign's own, {}",
                finding.cause
            );
            let remedy = format!("they are told all the same; for others, {}", finding.remedy);
            Finding { severity: Severity::Warning, code: "shipped-text", cause, remedy, ..finding }
        })
    }
}

impl Engine<'_> {
    /// What these notices want of somebody of whom nothing is known any more but where they were written to.
    pub(super) fn wanting_a_column(&self) -> Vec<Finding> {
        let Ok(desk) = self.desk() else { return Vec::new() };
        let now = self.now();
        let somewhere = &self.campaign.mail.from.email;
        let asked = |notice: &str, language: Option<&str>, instead: Option<Address>| {
            let person = Person {
                email: Some(somewhere.clone()),
                language: language.map(str::to_owned),
                ..Person::named("somebody", "", Place::file(&self.campaign.file))
            };
            let reason = "an example".to_owned();
            Intent { reason, instead, ..Intent::new(notice, Arc::new(person), now) }
        };
        let mut findings: Vec<Finding> = Vec::new();
        for language in desk.texts.voices() {
            // Whoever was asked to remind them reads a text of its own. A campaign without notices tells nobody anything.
            let told = [("abort", None), ("postponed", None), ("abort", Some(somewhere.clone()))];
            for (notice, instead) in told.into_iter().filter(|(name, _)| self.campaign.notices.contains_key(*name)) {
                let intent = asked(notice, language, instead);
                let Err(fault) = desk.letter(&intent, 1, &desk.token(&intent, 1), now) else { continue };
                for finding in fault.findings {
                    let cause = format!("for somebody who has left the roster by then, {}", finding.cause);
                    let remedy = format!(
                        "{}; else they read that it is off in the words that come with flagday",
                        finding.remedy
                    );
                    let warning =
                        Finding { severity: Severity::Warning, code: "template-leaver", cause, remedy, ..finding };
                    if !findings.contains(&warning) {
                        findings.push(warning);
                    }
                }
            }
        }
        findings
    }
}
