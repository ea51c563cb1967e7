//! Messages as they would be: one for a person to look at, or all of them to see what would fail.

use super::Engine;
use super::desk::{Built, Desk, Thread, reader, thread};
use super::outdated::Answered;
use super::sending::Intent;
use crate::fault::{Exit, Fault, Finding, Result};
use crate::ledger::OUTDATED;
use crate::notice::dkim::Signer;
use crate::notice::{self, ChangeWords, Context, Letter, Texts};
use crate::package::Manifest;
use crate::roster::Person;
use lettre::Address;
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};
use std::io::Write;
use std::sync::Arc;

/// One message as one person would get it.
#[derive(Debug, Serialize)]
pub struct Preview {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: Option<String>,
    pub attachments: Vec<String>,
    #[serde(skip)]
    pub(super) letter: Letter,
}

impl Preview {
    /// The whole message in bytes.
    pub fn size(&self) -> u64 {
        self.letter.size()
    }

    pub fn write(&self, out: &mut dyn Write) -> Result<()> {
        self.letter.write(out, &notice::open_file)
    }
}

impl Intent {
    /// As a preview shows it, and a check tries it.
    fn example(notice: &str, person: Arc<Person>, now: chrono::DateTime<chrono::Utc>) -> Intent {
        let escalation = notice == "escalation";
        Intent {
            reason: if escalation { format!("{} has not answered", person.name) } else { String::new() },
            instead: person.manager_email.clone().filter(|_| escalation),
            answers: (notice == OUTDATED).then(Answered::example),
            ..Intent::new(notice, person, now)
        }
    }
}

impl Engine<'_> {
    /// The templates of the campaign, free of faults.
    pub(super) fn texts(&self) -> Result<Arc<Texts>> {
        if let Some(texts) = self.texts.get() {
            return Ok(texts.clone());
        }
        let (texts, findings) = Texts::load(&self.campaign);
        Fault::check(findings)?;
        Ok(self.texts.get_or_init(|| Arc::new(texts)).clone())
    }

    pub(super) fn desk(&self) -> Result<Desk> {
        let mut manifests = HashMap::new();
        for name in self.campaign.packages.keys() {
            let folder = self.package_folder(name);
            if folder.join("manifest.json").exists() {
                let manifest = Manifest::load(&folder)?;
                manifests.insert(name.clone(), Built { folder, manifest });
            }
        }
        let (campaign, texts) = (Arc::clone(&self.campaign), self.texts()?);
        let signer = campaign.mail.dkim.as_ref().map(Signer::load).transpose()?;
        let mut changes = HashMap::new();
        for person in self.roster.people() {
            changes.entry(reader(person)).or_insert_with(|| ChangeWords::of(&campaign, person));
        }
        let (shipped, threads, others) = Default::default();
        Ok(Desk {
            campaign,
            secret: *self.ledger.secret(),
            texts,
            shipped,
            manifests,
            changes,
            signer,
            threads,
            others,
        })
    }

    /// Whoever is written to about somebody else, as the rosters know them.
    pub(super) fn others<'a>(&self, asked: impl Iterator<Item = &'a Address>) -> HashMap<String, Arc<Person>> {
        let known = asked.filter_map(|to| Some((to.to_string().to_lowercase(), self.roster.at(to.as_ref())?)));
        known.filter_map(|(to, person)| Some((to, self.roster.shared(&person.id)?))).collect()
    }

    /// The letters that these belong to, as they really went out.
    pub(super) fn threads(&self, intents: &[Intent]) -> Result<HashMap<Thread, String>> {
        let notices: BTreeSet<String> =
            intents.iter().filter_map(|intent| thread(&self.campaign, intent)).map(|(_, _, notice)| notice).collect();
        let mut threads = HashMap::new();
        for notice in notices {
            let known = self.ledger.threads(&notice)?;
            threads.extend(known.into_iter().map(|((person, to), id)| ((person, to, notice.clone()), id)));
        }
        Ok(threads)
    }

    /// The exact message a person would get now. Nothing is recorded.
    pub fn preview(&self, notice: &str, person: &str) -> Result<Preview> {
        let person = Arc::new(self.roster.find(person)?.clone());
        if !self.campaign.notices.contains_key(notice) {
            let known: Vec<_> = self.campaign.notices.keys().map(String::as_str).collect();
            let cause = format!("there is no notice '{notice}'");
            return Err(Fault::ending(Exit::Usage, "unknown-notice", cause, format!("one of {}", known.join(", "))));
        }
        self.require_packages(notice, std::iter::once(person.id.as_str()))?;
        let now = self.now();
        let asked = self.acknowledgement_asked_by(notice).map(str::to_owned);
        let acknowledgement = asked.or_else(|| self.acknowledgement_about(&person));
        let intent =
            Intent { acknowledgement, count: u32::from(notice == "reminder"), ..Intent::example(notice, person, now) };
        let mut desk = self.desk()?;
        desk.threads = self.threads(std::slice::from_ref(&intent))?;
        desk.others = self.others(intent.instead.iter());
        let revision = self.revision_number()?;
        let token = desk.token(&intent, revision);
        let (rendered, letter, header) = desk.letter(&intent, revision, &token, now)?;
        Ok(Preview {
            to: header.to.1.to_string(),
            subject: rendered.subject,
            text: rendered.text,
            html: rendered.html,
            attachments: header.attachments.into_iter().map(|attachment| attachment.shown_name).collect(),
            letter: desk.sign(letter, now)?,
        })
    }

    /// The first acknowledgement asked by mail that concerns the person: what a reminder would be about.
    fn acknowledgement_about(&self, person: &Person) -> Option<String> {
        let concerned = self.campaign.acknowledgements.values().find(|one| {
            let audience = &self.campaign.audiences[&one.audience];
            one.notice.is_some() && self.roster.audience(audience).any(|member| member.id == person.id)
        });
        concerned.map(|one| one.name.clone())
    }

    /// The broadcast of step 5b, for an operator to send from a client on the postoffice.
    pub(super) fn broadcast_text(&self) -> Result<String> {
        let Some(notice) = self.campaign.notices.get("broadcast") else {
            return Err(Fault::new("no-broadcast", "the campaign has no notice 'broadcast'", "add [notice.broadcast]"));
        };
        let audience = &self.campaign.audiences[&notice.audience];
        let Some(person) = self.roster.audience(audience).next() else { return Ok(String::new()) };
        let context = Context::new(&self.campaign, person, "broadcast");
        let rendered = self.texts()?.render(&notice.template, None, &context)?;
        Ok(format!("Subject: {}\n\n{}", rendered.subject, rendered.text))
    }

    /// Renders every notice for everybody who may get it: what would fail, and the size of the largest message in bytes.
    pub(super) fn rehearse_texts(&self) -> (Vec<Finding>, Option<u64>) {
        let (mut findings, mut largest): (Vec<Finding>, _) = (Vec::new(), None);
        let mut desk = match self.desk() {
            Ok(desk) => desk,
            Err(fault) => return (fault.findings, None),
        };
        desk.others = self.others(self.roster.people().filter_map(|person| person.manager_email.as_ref()));
        let now = self.now();
        for notice in self.campaign.notices.values() {
            for person in self.people_of(&notice.audience) {
                let asked = self.acknowledgement_asked_by(&notice.name).map(str::to_owned);
                // A reminder or an escalation is only ever sent about something that was asked.
                let about = asked.or_else(|| self.acknowledgement_about(&person));
                if about.is_none() && matches!(notice.name.as_str(), "reminder" | "escalation" | OUTDATED)
                    || person.email.is_none()
                {
                    continue;
                }
                let example = Intent::example(&notice.name, Arc::clone(&person), now);
                let intent = Intent { acknowledgement: about, ..example };
                let unbuilt = notice.package.as_ref().is_some_and(|name| !desk.manifests.contains_key(name));
                match desk.letter(&intent, 1, &desk.token(&intent, 1), now) {
                    Ok((_, letter, _)) => largest = largest.max(Some(letter.size())),
                    Err(_) if unbuilt => {}
                    Err(fault) => findings.extend(fault.findings.into_iter().map(|mut finding| {
                        finding.cause = format!("notice '{}' for {}: {}", notice.name, person.id, finding.cause);
                        finding
                    })),
                }
            }
        }
        findings.truncate(100);
        (findings, largest)
    }
}
