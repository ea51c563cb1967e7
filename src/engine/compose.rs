//! From a decision to a message: templates rendered for one person, the letter fixed byte for byte.

use super::Engine;
use super::sending::Intent;
use crate::campaign::{Grade, Notice};
use crate::fault::{Exit, Fault, Finding, Result};
use crate::ledger::NewMessage;
use crate::notice::{
    self, AckWords, Attachment, Context, FileWords, Header, Identity, Letter, PackageWords, Rendered, Texts,
};
use crate::package::Manifest;
use crate::roster::{Format, Person};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::HashMap;
use std::io::Write;
use std::rc::Rc;

/// The word that a reply has to hold where no code is asked for.
const WORD: &str = "CONFIRMED";

/// What is the same for every message of a run.
#[derive(Debug)]
pub(super) struct Desk {
    texts: Rc<Texts>,
    manifests: HashMap<String, Manifest>,
}

/// One message as one person would get it.
#[derive(Debug, Serialize)]
pub struct Preview {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: Option<String>,
    pub attachments: Vec<String>,
    #[serde(skip)]
    letter: Letter,
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

impl Engine<'_> {
    /// The templates of the campaign, free of faults.
    pub(super) fn texts(&self) -> Result<Rc<Texts>> {
        if let Some(texts) = self.texts.get() {
            return Ok(texts.clone());
        }
        let (texts, findings) = Texts::load(&self.campaign);
        Fault::check(findings)?;
        Ok(self.texts.get_or_init(|| Rc::new(texts)).clone())
    }

    pub(super) fn desk(&self) -> Result<Desk> {
        let mut manifests = HashMap::new();
        for name in self.campaign.packages.keys() {
            let folder = self.package_folder(name);
            if folder.join("manifest.json").exists() {
                manifests.insert(name.clone(), Manifest::load(&folder)?);
            }
        }
        Ok(Desk { texts: self.texts()?, manifests })
    }

    /// The exact message a person would get now. Nothing is recorded.
    pub fn preview(&self, notice: &str, person: &str) -> Result<Preview> {
        let person = self.roster.find(person)?.clone();
        if !self.campaign.notices.contains_key(notice) {
            let known: Vec<_> = self.campaign.notices.keys().map(String::as_str).collect();
            let cause = format!("there is no notice '{notice}'");
            return Err(Fault::ending(Exit::Usage, "unknown-notice", cause, format!("one of {}", known.join(", "))));
        }
        self.require_packages(notice)?;
        let now = self.now();
        let asked = self.acknowledgement_asked_by(notice).map(str::to_owned);
        let acknowledgement = asked.or_else(|| self.acknowledgement_about(&person));
        let intent = Intent {
            notice: notice.to_owned(),
            acknowledgement,
            copy: 0,
            reason: if notice == "escalation" { format!("{} has not answered", person.name) } else { String::new() },
            due_at: now,
            instead: person.manager_email.clone().filter(|_| notice == "escalation"),
            replaces: None,
            person,
        };
        let desk = self.desk()?;
        let (rendered, letter, header) = self.letter(&desk, &intent, self.revision_number()?, now)?;
        Ok(Preview {
            to: header.to.1.to_string(),
            subject: rendered.subject,
            text: rendered.text,
            html: rendered.html,
            attachments: header.attachments.into_iter().map(|attachment| attachment.shown_name).collect(),
            letter,
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

    /// The message, ready for the ledger.
    pub(super) fn compose(
        &self,
        desk: &Desk,
        intent: &Intent,
        revision: u32,
        now: DateTime<Utc>,
    ) -> Result<NewMessage> {
        let person = &intent.person;
        let token = notice::token(self.ledger.secret(), &self.campaign.name, &person.id, revision);
        let recipient = intent.instead.clone().or_else(|| person.email.clone());
        let code = self
            .package_entry(desk, intent)
            .map(|(package, entry)| (entry.code_fingerprint.clone(), package.to_owned(), entry.digest.clone()));
        let (letter, message_id) = if recipient.is_some() {
            let (_, letter, header) = self.letter(desk, intent, revision, now)?;
            (letter, header.message_id)
        } else {
            (Letter::new(Vec::new())?, self.message_id(intent, revision))
        };
        let envelope_from = match person.format {
            // The gateway answers to MAIL FROM (Q99713): that has to be where answers are read.
            Format::Rfc1154 => self.campaign.mail.reply_to.as_ref(),
            Format::Mime => self.campaign.mail.bounce_to.as_ref(),
        };
        let envelope_from = match envelope_from {
            Some(template) => notice::address_with_token(template, &token)?,
            None => self.campaign.mail.from.email.clone(),
        };
        Ok(NewMessage {
            message_id,
            person: person.id.clone(),
            notice: intent.notice.clone(),
            revision,
            copy: intent.copy,
            acknowledgement: intent.acknowledgement.clone(),
            tells: intent.instead.is_none(),
            replaces: intent.replaces,
            expires: self.expires(intent, now),
            reason: intent.reason.clone(),
            envelope_from: Some(envelope_from.to_string()),
            envelope_to: recipient.map(|address| address.to_string()),
            format: person.format,
            due_at: intent.due_at,
            token,
            code,
            letter,
        })
    }

    /// When a message that could not leave yet is no longer true: what is told beforehand at the change, a reminder or an
    /// escalation when its answer is due. What is sent late on purpose does not expire.
    fn expires(&self, intent: &Intent, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let change = self.campaign.change.at;
        let asked = intent.acknowledgement.as_ref().and_then(|name| self.campaign.acknowledgements.get(name));
        let due = asked.and_then(|one| one.due).map(|due| due.instant(&self.campaign.change));
        match intent.notice.as_str() {
            "reminder" => due.filter(|due| *due > now).or(Some(change)),
            "escalation" => Some(change),
            name => self.campaign.notices[name].at.map(|_| change),
        }
        .filter(|expires| *expires > now)
    }

    fn message_id(&self, intent: &Intent, revision: u32) -> String {
        notice::message_id(&Identity {
            campaign: &self.campaign.name,
            notice: &intent.notice,
            person: &intent.person.id,
            revision,
            copy: intent.copy,
            domain: self.campaign.mail.from.email.domain(),
        })
    }

    fn letter(
        &self,
        desk: &Desk,
        intent: &Intent,
        revision: u32,
        now: DateTime<Utc>,
    ) -> Result<(Rendered, Letter, Header)> {
        let person = &intent.person;
        let notice = &self.campaign.notices[&intent.notice];
        let token = notice::token(self.ledger.secret(), &self.campaign.name, &person.id, revision);
        let context = self.context(desk, intent, notice, &token)?;
        let rendered = desk.texts.render(&notice.template, person.language.as_deref(), &context)?;
        let to = match &intent.instead {
            Some(address) => (String::new(), address.clone()),
            None => (person.name.clone(), person.email.clone().ok_or_else(|| no_address(person))?),
        };
        let mut header = Header {
            from: self.campaign.mail.from.clone(),
            to,
            reply_to: self.reply_to(&token)?,
            message_id: self.message_id(intent, revision),
            date: now,
            references: self.references(intent, revision),
            extra: Vec::new(),
            attachments: self.attachments(desk, intent),
            calendar: None,
        };
        if notice.calendar {
            header.calendar = Some(notice::calendar::request(&self.invite(&header, &rendered, person, revision, now)));
        }
        let letter = match person.format {
            Format::Rfc1154 if intent.instead.is_none() => notice::rfc1154::compose(&rendered, &header, &token)?.0,
            _ => notice::mime::compose(&rendered, &header)?,
        };
        Ok((rendered, letter, header))
    }

    /// A reminder belongs to the notice it reminds of.
    fn references(&self, intent: &Intent, revision: u32) -> Vec<String> {
        let asked = intent.acknowledgement.as_ref().and_then(|name| self.campaign.acknowledgements.get(name));
        let notice = asked.and_then(|one| one.notice.clone()).filter(|name| *name != intent.notice);
        let first = notice.map(|notice| Intent { notice, copy: 0, ..intent.clone() });
        first.filter(|_| intent.instead.is_none()).map(|first| self.message_id(&first, revision)).into_iter().collect()
    }

    fn reply_to(&self, token: &str) -> Result<Option<lettre::Address>> {
        let template = self.campaign.mail.reply_to.as_ref();
        Ok(template.map(|template| notice::address_with_token(template, token)).transpose()?)
    }

    fn invite(
        &self,
        header: &Header,
        rendered: &Rendered,
        person: &Person,
        revision: u32,
        now: DateTime<Utc>,
    ) -> notice::calendar::Invite {
        let campaign = &self.campaign;
        notice::calendar::Invite {
            uid: notice::calendar_uid(&campaign.name, &person.id, campaign.mail.from.email.domain()),
            revision,
            stamp: now,
            start: campaign.change.at,
            duration: chrono::Duration::hours(1),
            summary: campaign.title.clone(),
            description: rendered.text.clone(),
            organizer: campaign.mail.from.clone(),
            attendee: header.to.clone(),
        }
    }

    fn context(&self, desk: &Desk, intent: &Intent, notice: &Notice, token: &str) -> Result<Context> {
        let person = &intent.person;
        let mut context = Context::new(&self.campaign, person, &notice.name);
        context.notice.reason = Some(intent.reason.clone()).filter(|reason| !reason.is_empty());
        context.notice.count = intent.copy % 64;
        if let Some(acknowledgement) =
            intent.acknowledgement.as_ref().and_then(|name| self.campaign.acknowledgements.get(name))
        {
            let due = acknowledgement.due.map(|due| due.instant(&self.campaign.change));
            context.ack = Some(AckWords {
                due: due.map(|due| AckWords::due(&self.campaign, person, due)),
                word: WORD.to_owned(),
                code_asked: acknowledgement.grade == Grade::Possessed,
                reply_to: self.reply_to(token)?.map(|address| address.to_string()),
                link: None,
            });
        }
        if let Some((package, entry)) = self.package_entry(desk, intent) {
            let files: Vec<FileWords> = entry
                .artefacts
                .iter()
                .map(|one| FileWords { name: one.shown.clone(), size: one.size, sha256: one.sha256.clone() })
                .collect();
            context.package = Some(PackageWords {
                name: package.to_owned(),
                sha256: files.first().map(|file| file.sha256.clone()).unwrap_or_default(),
                size: files.iter().map(|file| file.size).sum(),
                files,
            });
        }
        if notice.name == "escalation" {
            context.about = Some(notice::columns(person));
        }
        Ok(context)
    }

    fn package_entry<'a>(
        &'a self,
        desk: &'a Desk,
        intent: &Intent,
    ) -> Option<(&'a str, &'a crate::package::manifest::Entry)> {
        let name = self.campaign.notices[&intent.notice].package.as_deref()?;
        Some((name, desk.manifests.get(name)?.person(&intent.person.id)?))
    }

    fn attachments(&self, desk: &Desk, intent: &Intent) -> Vec<Attachment> {
        let Some((package, entry)) = self.package_entry(desk, intent) else { return Vec::new() };
        let folder = self.package_folder(package);
        let attach = |one: &crate::package::manifest::Artefact| Attachment {
            shown_name: one.shown.clone(),
            mime: one.mime.clone(),
            path: folder.join(&one.file),
            sha256: one.sha256.clone(),
            size: one.size,
        };
        entry.artefacts.iter().map(attach).collect()
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

    /// Renders every notice for everybody who may get it, and says what would fail.
    pub(super) fn rehearse_texts(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = Vec::new();
        let desk = match self.desk() {
            Ok(desk) => desk,
            Err(fault) => return fault.findings,
        };
        let now = self.now();
        for notice in self.campaign.notices.values() {
            for person in self.roster.audience(&self.campaign.audiences[&notice.audience]) {
                let asked = self.acknowledgement_asked_by(&notice.name).map(str::to_owned);
                // A reminder or an escalation is only ever sent about something that was asked.
                let about = asked.or_else(|| self.acknowledgement_about(person));
                if about.is_none() && matches!(notice.name.as_str(), "reminder" | "escalation")
                    || person.email.is_none()
                {
                    continue;
                }
                let escalation = notice.name == "escalation";
                let intent = Intent {
                    notice: notice.name.clone(),
                    person: person.clone(),
                    acknowledgement: about,
                    copy: 0,
                    reason: if escalation { format!("{} has not answered", person.name) } else { String::new() },
                    due_at: now,
                    instead: person.manager_email.clone().filter(|_| escalation),
                    replaces: None,
                };
                let unbuilt = notice.package.as_ref().is_some_and(|name| !desk.manifests.contains_key(name));
                if let Err(fault) = self.letter(&desk, &intent, 1, now)
                    && !unbuilt
                {
                    findings.extend(fault.findings.into_iter().map(|mut finding| {
                        finding.cause = format!("notice '{}' for {}: {}", notice.name, person.id, finding.cause);
                        finding
                    }));
                }
            }
        }
        findings.truncate(100);
        findings
    }
}

fn no_address(person: &Person) -> Fault {
    let cause = format!("{} has no address", person.id);
    Finding::error("roster-no-address", cause, "add it to the roster").at(person.place.clone()).into()
}
