//! From a decision to a message: templates rendered for one person, the letter fixed byte for byte. A desk knows all that
//! a message needs and nothing that changes, so that many are written at a time.

use super::confirm::link;
use super::sending::Intent;
use super::shipped::is_off;
use crate::campaign::{Campaign, Grade, Notice};
use crate::fault::{Fault, Finding, Result};
use crate::ledger::{NewMessage, OUTDATED};
use crate::notice::dkim::Signer;
use crate::notice::{
    self, AckWords, Attachment, ChangeWords, ChangedWords, Context, FileWords, Header, Identity, Letter, PackageWords,
    Rendered, Texts, UNFILLED,
};
use crate::package::Manifest;
use crate::package::manifest::{Artefact, Entry};
use crate::roster::{Format, Person};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// The word that a reply has to hold where no code is asked for.
pub(super) const WORD: &str = "CONFIRMED";

/// What is the same for every message of a run.
#[derive(Debug)]
pub(super) struct Desk {
    pub campaign: Arc<Campaign>,
    pub secret: [u8; 32],
    pub texts: Arc<Texts>,
    /// What comes with the program, once somebody has to read it in the place of `texts`.
    pub shipped: OnceLock<Texts>,
    /// By package.
    pub manifests: HashMap<String, Built>,
    /// The change in words, by language and zone: few are asked for by many.
    pub changes: HashMap<Reader, ChangeWords>,
    /// With `[mail.dkim]`.
    pub signer: Option<Signer>,
    /// The Message-IDs of letters that went out, for those that belong to them.
    pub threads: HashMap<Thread, String>,
    /// Whoever reads what is written about somebody else, by their address in small letters, where a roster knows them.
    pub others: HashMap<String, Arc<Person>>,
}

/// Language and zone of whoever reads a letter.
pub(super) type Reader = (Option<String>, Option<Tz>);

pub(super) fn reader(person: &Person) -> Reader {
    (person.language.clone(), person.time_zone)
}

/// A person, an address in small letters, and the notice that went there.
pub(super) type Thread = (String, String, String);

/// What a letter belongs to: a reminder to the notice it reminds of, an amendment to what it amends, and what a manager is
/// told later to what they were asked.
pub(super) fn thread(campaign: &Campaign, intent: &Intent) -> Option<Thread> {
    let asked = intent.acknowledgement.as_ref().and_then(|name| campaign.acknowledgements.get(name));
    let (to, notice) = match &intent.instead {
        Some(_) if intent.notice == "escalation" => return None,
        Some(address) => (address, "escalation".to_owned()),
        None if !intent.changes.is_empty() && intent.notice != "postponed" => {
            (intent.person.email.as_ref()?, intent.notice.clone())
        }
        None => (intent.person.email.as_ref()?, asked?.notice.clone().filter(|name| *name != intent.notice)?),
    };
    Some((intent.person.id.clone(), to.to_string().to_lowercase(), notice))
}

/// A package as it was built for everybody.
#[derive(Debug)]
pub(super) struct Built {
    pub folder: PathBuf,
    pub manifest: Manifest,
}

impl Desk {
    /// Whose language, clock and mail system a letter is for. Where no roster knows who is asked about a person, they are
    /// taken to speak as the person does, and to read mail like everybody else.
    fn reader<'i>(&'i self, intent: &'i Intent) -> (&'i Person, Format) {
        match &intent.instead {
            None => (&intent.person, intent.person.format),
            Some(to) => match self.others.get(&to.to_string().to_lowercase()) {
                Some(other) => (other, other.format),
                None => (&intent.person, Format::Mime),
            },
        }
    }

    /// The letter as it leaves: signed, where mail is.
    pub fn sign(&self, letter: Letter, date: DateTime<Utc>) -> Result<Letter> {
        match &self.signer {
            Some(signer) => signer.sign(letter, date, &notice::open_file),
            None => Ok(letter),
        }
    }

    /// The token that stands in the letter's addresses: the person's own, or one that only speaks of them.
    pub fn token(&self, intent: &Intent, revision: u32) -> String {
        let token = if intent.instead.is_some() { notice::token_about } else { notice::token };
        token(&self.secret, &self.campaign.name, &intent.person.id, revision)
    }

    /// The message, ready for the ledger.
    pub fn compose(&self, intent: &Intent, revision: u32, now: DateTime<Utc>) -> Result<NewMessage> {
        let person = &intent.person;
        let token = self.token(intent, revision);
        let recipient = intent.instead.clone().or_else(|| person.email.clone());
        let code = self
            .package_entry(intent)
            .map(|(package, entry)| (entry.code_fingerprint.clone(), package.to_owned(), entry.digest.clone()));
        let (mut letter, mut shipped, mut unwritten) = (Letter::new(Vec::new())?, None, None);
        if recipient.is_some() {
            match self.written(intent, revision, &token, now) {
                Ok((written, _, instead)) => (letter, shipped) = (self.sign(written, now)?, instead),
                // Nobody else waits because one text wants what one person does not have.
                Err(mut fault) if fault.findings[0].code == UNFILLED => unwritten = Some(fault.findings.remove(0)),
                Err(fault) => return Err(fault),
            }
        }
        let (reader, format) = self.reader(intent);
        let envelope_from = match format {
            // The gateway answers to MAIL FROM (Q99713): that has to be where answers are read.
            Format::Rfc1154 => self.campaign.mail.reply_to.as_ref(),
            Format::Mime => self.campaign.mail.bounce_to.as_ref(),
        };
        let envelope_from = match envelope_from {
            Some(template) => notice::address_with_token(template, &token)?,
            None => self.campaign.mail.from.email.clone(),
        };
        Ok(NewMessage {
            message_id: self.message_id(intent, revision),
            person: person.id.clone(),
            notice: intent.notice.clone(),
            revision,
            copy: intent.copy,
            acknowledgement: intent.acknowledgement.clone(),
            tells: intent.instead.is_none(),
            replaces: intent.replaces.clone(),
            expires: self.expires(intent, now),
            reason: intent.reason.clone(),
            envelope_from: Some(envelope_from.to_string()),
            envelope_to: recipient.map(|address| address.to_string()),
            format,
            language: reader.language.clone(),
            due_at: intent.due_at,
            token,
            code,
            moot_at: self.moot_at(intent),
            calendar: self.invites(intent) || intent.cancels.is_some(),
            shipped,
            unwritten,
            letter,
        })
    }

    /// The letter before it is signed, with what could not be in the campaign's own words.
    pub fn written(
        &self,
        intent: &Intent,
        revision: u32,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<(Letter, Header, Option<Finding>)> {
        let context = self.words(intent, revision, token, now)?;
        let (rendered, shipped) = match self.rendered(intent, &context) {
            Err(finding) if is_off(&intent.notice) => (self.in_shipped_words(intent, &context)?, Some(finding)),
            rendered => (rendered?, None),
        };
        let (letter, header) = self.lay_out(intent, &rendered, revision, token, now)?;
        Ok((letter, header, shipped))
    }

    /// When a message that could not leave yet is no longer true: what is told beforehand at the change, a reminder when its
    /// answer is due; and both it and an escalation when their window is over. What is sent late on purpose does not expire.
    fn expires(&self, intent: &Intent, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let change = self.campaign.change.at;
        let asked = intent.acknowledgement.as_ref().and_then(|name| self.campaign.acknowledgements.get(name));
        let due = asked.and_then(|one| one.due).map(|due| due.instant(&self.campaign.change));
        let untrue = match intent.notice.as_str() {
            "reminder" | OUTDATED => due.filter(|due| *due > now).or(Some(change)),
            "escalation" => Some(change),
            name => self.campaign.notices[name].at.map(|_| change),
        };
        [untrue, intent.until].into_iter().flatten().filter(|expires| *expires > now).min()
    }

    /// The answer that makes a reminder, an escalation or a reply needless.
    fn moot_at(&self, intent: &Intent) -> Option<Grade> {
        let asked = intent.acknowledgement.as_ref().and_then(|name| self.campaign.acknowledgements.get(name));
        asked
            .filter(|_| matches!(intent.notice.as_str(), "reminder" | "escalation" | OUTDATED))
            .map(|asked| asked.grade)
    }

    fn message_id(&self, intent: &Intent, revision: u32) -> String {
        let identity = Identity {
            campaign: &self.campaign.name,
            notice: &intent.notice,
            person: &intent.person.id,
            revision,
            copy: intent.copy,
            domain: self.campaign.mail.from.email.domain(),
        };
        notice::message_id(&self.secret, &identity)
    }

    pub fn letter(
        &self,
        intent: &Intent,
        revision: u32,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<(Rendered, Letter, Header)> {
        let context = self.words(intent, revision, token, now)?;
        let rendered = self.rendered(intent, &context)?;
        let (letter, header) = self.lay_out(intent, &rendered, revision, token, now)?;
        Ok((rendered, letter, header))
    }

    /// What the templates are filled in with.
    fn words(&self, intent: &Intent, revision: u32, token: &str, now: DateTime<Utc>) -> Result<Context> {
        let mut context = self.context(intent, &self.campaign.notices[&intent.notice], token, now)?;
        // Only the person answers: whoever is asked to remind them gets no link.
        if let (Some(ack), Some(asked), None) = (&mut context.ack, &intent.acknowledgement, &intent.instead) {
            ack.link = link(&self.campaign, &self.secret, &intent.person.id, asked, revision, now);
        }
        Ok(context)
    }

    /// The notice in whose words it is. That what somebody was asked about another person does not hold any more has words
    /// of its own: they are not that person.
    fn worded_as(intent: &Intent) -> &str {
        let corrects = intent.instead.is_some() && intent.notice != "escalation";
        if corrects { "correction" } else { &intent.notice }
    }

    fn rendered(&self, intent: &Intent, context: &Context) -> Result<Rendered, Finding> {
        let language = self.reader(intent).0.language.as_deref();
        let template = &self.campaign.notices[Desk::worded_as(intent)].template;
        let mut rendered = self.texts.render(template, language, context)?;
        // These two say themselves what is different.
        if !intent.changes.is_empty() && !matches!(intent.notice.as_str(), "postponed" | OUTDATED) {
            rendered = self.texts.render("amendment", language, context)?.before(rendered);
        }
        Ok(rendered)
    }

    /// Nobody goes on believing in the change because the campaign's own text wants what they do not have.
    fn in_shipped_words(&self, intent: &Intent, context: &Context) -> Result<Rendered, Finding> {
        let language = self.reader(intent).0.language.as_deref();
        self.shipped.get_or_init(|| Texts::shipped(self.campaign.playbook.as_deref())).render(
            Desk::worded_as(intent),
            language,
            context,
        )
    }

    fn lay_out(
        &self,
        intent: &Intent,
        rendered: &Rendered,
        revision: u32,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<(Letter, Header)> {
        let person = &intent.person;
        let to = match &intent.instead {
            Some(address) => (String::new(), address.clone()),
            None => (person.name.clone(), person.email.clone().ok_or_else(|| no_address(person))?),
        };
        let mut header = Header {
            from: self.campaign.mail.from.clone(),
            to,
            reply_to: self.reply_to(token)?,
            message_id: self.message_id(intent, revision),
            date: now,
            references: self.references(intent),
            answers: intent.answers.is_some(),
            attachments: self.attachments(intent),
            calendar: None,
        };
        if let Some(entry) = intent.cancels {
            let invite = self.invite(&header, rendered, person, entry, now);
            header.calendar = Some(notice::calendar::cancel(&invite));
        } else if self.invites(intent) {
            header.calendar = Some(notice::calendar::request(&self.invite(&header, rendered, person, revision, now)));
        }
        let letter = match self.reader(intent).1 {
            Format::Rfc1154 => notice::rfc1154::compose(rendered, &header, token)?.0,
            Format::Mime => notice::mime::compose(rendered, &header)?,
        };
        Ok((letter, header))
    }

    /// What went out before and this belongs to; a reply belongs to the letter it replies to.
    fn references(&self, intent: &Intent) -> Vec<String> {
        match &intent.answers {
            Some(answered) => answered.references.clone(),
            None => {
                thread(&self.campaign, intent).and_then(|one| self.threads.get(&one).cloned()).into_iter().collect()
            }
        }
    }

    /// Whether the letter carries a calendar entry: a correction does where what it corrects did.
    fn invites(&self, intent: &Intent) -> bool {
        let name = if intent.notice == "correction" { "escalation" } else { &intent.notice };
        self.campaign.notices.get(name).is_some_and(|notice| notice.calendar)
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

    fn context(&self, intent: &Intent, notice: &Notice, token: &str, now: DateTime<Utc>) -> Result<Context> {
        let (person, (reads, _)) = (&intent.person, self.reader(intent));
        let change = self.changes.get(&reader(reads)).cloned();
        let change = change.unwrap_or_else(|| ChangeWords::of(&self.campaign, reads));
        let mut context = Context::with(change, &self.campaign, person, &notice.name);
        context.notice.reason = Some(intent.reason.clone()).filter(|reason| !reason.is_empty());
        context.notice.count = intent.count;
        if intent.instead.is_some() || matches!(notice.name.as_str(), "reminder" | "escalation" | "correction") {
            // Some of an audience are reminded or corrected, and whoever is asked about somebody is in none because of it.
            context.notice.audience.clear();
        }
        context.outdated = intent.answers.as_ref().map(|answered| answered.words.clone());
        context.notice.changes = intent
            .changes
            .iter()
            .map(|changed| ChangedWords::new(&self.campaign, reads, &changed.fact, &changed.told, &changed.now))
            .collect();
        if let Some(acknowledgement) =
            intent.acknowledgement.as_ref().and_then(|name| self.campaign.acknowledgements.get(name))
        {
            let due = acknowledgement.due.map(|due| due.instant(&self.campaign.change));
            // Nobody can answer by an hour that has passed; whoever asks somebody else reads that it has.
            let due = due.filter(|due| intent.instead.is_some() || now < *due);
            if intent.answers.is_some() {
                context.notice.audience.clone_from(&acknowledgement.audience);
            }
            context.ack = Some(AckWords {
                due: due.map(|due| AckWords::due(&self.campaign, reads, due)),
                word: WORD.to_owned(),
                code_asked: acknowledgement.grade == Grade::Possessed,
                reply_to: self.reply_to(token)?.map(|address| address.to_string()),
                link: None,
            });
        }
        if let Some((package, entry)) = self.package_entry(intent) {
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
        // To themselves it says what is different for them.
        let to_themselves = notice.name == "correction" && !intent.changes.is_empty();
        let about = intent.instead.is_some() || matches!(notice.name.as_str(), "escalation" | "correction");
        if about && !to_themselves {
            context.about = Some(notice::columns(person));
        }
        Ok(context)
    }

    fn package_entry(&self, intent: &Intent) -> Option<(&str, &Entry)> {
        let name = self.campaign.notices[&intent.notice].package.as_deref()?;
        Some((name, self.manifests.get(name)?.manifest.person(&intent.person.id)?))
    }

    fn attachments(&self, intent: &Intent) -> Vec<Attachment> {
        let Some((package, entry)) = self.package_entry(intent) else { return Vec::new() };
        let folder = &self.manifests[package].folder;
        let attach = |one: &Artefact| Attachment {
            shown_name: one.shown.clone(),
            mime: one.mime.clone(),
            path: folder.join(&one.file),
            sha256: one.sha256.clone(),
            size: one.size,
        };
        entry.artefacts.iter().map(attach).collect()
    }
}

fn no_address(person: &Person) -> Fault {
    let cause = format!("{} has no address", person.id);
    Finding::error("roster-no-address", cause, "add it to the roster").at(person.place.clone()).into()
}
