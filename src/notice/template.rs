//! The texts of a campaign: every template compiled and checked before anything leaves, and rendered for one person.

use super::context::{Context, facts};
use super::source::{Part, Piece, Sources, built_in, gather, strays};
use super::voice::{UNFILLED, Voice, chain};
use crate::campaign::Campaign;
use crate::fault::{Finding, Place};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Notices that the program sends of itself, whether or not the campaign lists them.
const OF_ITSELF: [&str; 7] =
    ["reminder", "escalation", "abort", "postponed", "amendment", "correction", "outdated-answer"];
/// The longest rendered part, in bytes, and the longest subject, in characters.
const PART: usize = 256 * 1024;
const SUBJECT: usize = 200;

/// All templates of one campaign in all their languages.
#[derive(Debug)]
pub struct Texts {
    sources: Sources,
    /// By language; `None` speaks to everybody else.
    voices: BTreeMap<Option<String>, Voice>,
    /// The files each notice is made of, by voice.
    used: BTreeMap<String, BTreeMap<Option<String>, BTreeSet<Piece>>>,
    /// Columns that the templates name and not every roster has.
    columns: BTreeSet<(Place, String)>,
}

/// One notice for one person, in Unicode with LF line ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    pub subject: String,
    pub text: String,
    pub html: Option<String>,
}

impl Rendered {
    /// This before another: an amendment heads the letter it amends, and gives it its subject.
    pub fn before(self, letter: Rendered) -> Rendered {
        let text = format!("{}\n\n{}", self.text, letter.text);
        let html = match (self.html, letter.html) {
            // Into the page, right after its beginning.
            (Some(head), Some(page)) => {
                let body = page.find("<body").and_then(|at| Some(at + page[at..].find('>')? + 1)).unwrap_or(0);
                let (start, rest) = page.split_at(body);
                Some(format!("{start}\n{head}{rest}"))
            }
            (_, page) => page,
        };
        Rendered { subject: self.subject, text, html }
    }
}

impl Texts {
    /// Reads the built-in templates and those below `templates/mail/`, and checks the ones that this campaign uses.
    pub fn load(campaign: &Campaign) -> (Texts, Vec<Finding>) {
        let templates = campaign.root.join("templates");
        let (sources, mut findings) = gather(&templates.join("mail"), campaign.playbook.as_deref());
        let mut texts = Texts::speaking(sources, &mut findings);
        let facts: Vec<String> = facts(campaign).into_keys().collect();
        let sent = sent(campaign);
        add(&mut findings, strays(&templates, &sent.keys().map(String::as_str).collect::<Vec<_>>()));
        texts.lint(&facts, &sent, &mut findings);
        for (template, place) in &sent {
            findings.extend(texts.missing(template, place.as_ref()));
        }
        (texts, findings)
    }

    /// What comes with the program alone: these texts need nothing that a person may not have.
    pub fn shipped(playbook: Option<&str>) -> Texts {
        Texts::speaking(built_in(playbook), &mut Vec::new())
    }

    fn speaking(sources: Sources, findings: &mut Vec<Finding>) -> Texts {
        let languages: BTreeSet<Option<String>> =
            sources.keys().map(|piece| piece.language.clone()).chain([None]).collect();
        let mut texts = Texts { sources, voices: BTreeMap::new(), used: BTreeMap::new(), columns: BTreeSet::new() };
        for language in languages {
            let (voice, broken) = Voice::new(language.as_deref(), &texts.sources);
            texts.voices.insert(language, voice);
            add(findings, broken);
        }
        texts
    }

    /// Columns that a template names and no roster has. `columns` holds every header of every roster.
    pub fn check_columns(&self, columns: &BTreeSet<String>) -> Vec<Finding> {
        let missing = self.columns.iter().filter(|(_, column)| !columns.contains(column));
        missing
            .map(|(place, column)| {
                let cause = format!("no roster has a column '{column}'");
                let remedy = "correct the name, or add the column";
                self.quoting(Finding::error("template-column", cause, remedy).at(place.clone()))
            })
            .collect()
    }

    /// Makes one person's message out of a notice's templates.
    pub fn render(&self, template: &str, language: Option<&str>, context: &Context) -> Result<Rendered, Finding> {
        let context = handlebars::Context::wraps(context).map_err(|error| {
            Finding::error(UNFILLED, format!("this message's facts cannot be used: {error}"), "report this")
        })?;
        let voice = self.voice_for(language);
        let part = |part: Part, accept: fn(&str) -> Result<(), &'static str>| {
            let rendered = voice.render(part, template, &context, &self.sources)?;
            match accept(&rendered) {
                Ok(()) => Ok(rendered),
                Err(cause) => {
                    let remedy = "look at the template, and at what is filled in with preview";
                    let finding = Finding::error(UNFILLED, cause, remedy);
                    Err(match voice.piece(part, template) {
                        Some(piece) => self.sources[piece].point(finding, 0, 0),
                        None => finding,
                    })
                }
            }
        };
        let subject = part(Part::Subject, one_line)?.trim().to_owned();
        let text = part(Part::Text, body_fits)?;
        let html = match voice.piece(Part::Html, template) {
            Some(_) => Some(part(Part::Html, body_fits)?),
            None => None,
        };
        Ok(Rendered { subject, text, html })
    }

    /// Whether somebody of this language reads a text in another one, between an answer and an end in their own.
    pub fn is_mixed(&self, template: &str, language: Option<&str>) -> bool {
        let spoken = chain(language).into_iter().find(|language| self.voices.contains_key(language)).flatten();
        let text = self.voice_for(language).piece(Part::Text, template);
        spoken.is_some() && text.is_some_and(|piece| piece.language.is_none())
    }

    /// Every language that a template speaks, and `None` for everybody else.
    pub fn voices(&self) -> impl Iterator<Item = Option<&str>> {
        self.voices.keys().map(Option::as_deref)
    }

    /// Whether somebody of this language hears that voice, or heard it while there was one.
    pub fn hears(&self, language: Option<&str>, voice: Option<&str>) -> bool {
        let mut asked = chain(language).into_iter();
        let first = asked.find(|one| one.as_deref() == voice || self.voices.contains_key(one));
        first.is_some_and(|one| one.as_deref() == voice)
    }

    /// SHA-256 over every file that this notice is made of in one voice, as 64 hex digits.
    pub fn digest(&self, template: &str, voice: Option<&str>) -> String {
        let used = self.used.get(template).and_then(|used| used.get(&voice.map(str::to_owned)));
        self.digest_of(used.into_iter().flatten())
    }

    /// The same over all voices together, as older ledgers have it.
    pub fn digest_of_all(&self, template: &str) -> String {
        let all: BTreeSet<&Piece> =
            self.used.get(template).into_iter().flat_map(|used| used.values().flatten()).collect();
        self.digest_of(all)
    }

    fn digest_of<'p>(&self, pieces: impl IntoIterator<Item = &'p Piece>) -> String {
        let mut digest = Sha256::new();
        for piece in pieces {
            let Piece { name, partial, part, language } = piece;
            let key = format!("{name} {partial} {part:?} {}", language.as_deref().unwrap_or_default());
            for field in [&key, &self.sources[piece].text] {
                digest.update((field.len() as u64).to_be_bytes());
                digest.update(field);
            }
        }
        HEXLOWER.encode(&digest.finalize())
    }

    fn voice_for(&self, language: Option<&str>) -> &Voice {
        chain(language)
            .iter()
            .find_map(|language| self.voices.get(language))
            .expect("the general voice is always there")
    }

    fn lint(&mut self, facts: &[String], sent: &BTreeMap<String, Option<Place>>, findings: &mut Vec<Finding>) {
        let notices: BTreeSet<&str> =
            self.sources.keys().filter(|piece| !piece.partial).map(|piece| piece.name.as_str()).collect();
        for notice in notices {
            let mut used: BTreeMap<Option<String>, BTreeSet<Piece>> = BTreeMap::new();
            for (language, voice) in &self.voices {
                for part in [Part::Subject, Part::Text, Part::Html] {
                    let (report, pieces) = voice.lint(part, notice, facts, &self.sources);
                    used.entry(language.clone()).or_default().extend(pieces);
                    if sent.contains_key(notice) {
                        self.columns.extend(report.columns);
                        add(findings, report.findings.into_iter().map(|finding| self.quoting(finding)).collect());
                    }
                }
            }
            self.used.insert(notice.to_owned(), used);
        }
    }

    /// With the line it speaks of.
    fn quoting(&self, finding: Finding) -> Finding {
        let place = finding.place.clone();
        let source = place.as_ref().and_then(|place| self.sources.values().find(|source| *source.file == *place.file));
        match (source, place) {
            (Some(source), Some(place)) => source.point(finding, place.line as usize, place.column as usize),
            _ => finding,
        }
    }

    /// A notice needs a subject and a text that everybody can read.
    fn missing(&self, template: &str, place: Option<&Place>) -> Vec<Finding> {
        let lacks = |(part, file): &(Part, &str)| {
            let piece = Piece { name: template.to_owned(), partial: false, part: *part, language: None };
            let finding = Finding::error(
                "template-missing",
                format!("the template '{template}' has no {file}"),
                format!("write templates/mail/{template}/{file}, or name a template that has one"),
            );
            let finding = place.map_or(finding.clone(), |place| finding.at(place.clone()));
            (!self.sources.contains_key(&piece)).then_some(finding)
        };
        [(Part::Subject, "subject.hbs"), (Part::Text, "text.hbs")].iter().filter_map(lacks).collect()
    }
}

/// The templates this campaign sends, and where each is asked for.
fn sent(campaign: &Campaign) -> BTreeMap<String, Option<Place>> {
    let of_itself = OF_ITSELF.iter().map(|name| ((*name).to_owned(), None));
    let notices = campaign.notices.values().map(|notice| (notice.template.clone(), Some(notice.place.clone())));
    of_itself.chain(notices).collect()
}

/// A file that serves several languages or notices is complained about once.
fn add(findings: &mut Vec<Finding>, more: Vec<Finding>) {
    for finding in more {
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
}

fn one_line(subject: &str) -> Result<(), &'static str> {
    let subject = subject.trim();
    if subject.is_empty() {
        Err("the subject is empty")
    } else if subject.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
        Err("the subject holds a line break or another control character")
    } else if subject.chars().count() > SUBJECT {
        Err("the subject has more than 200 characters")
    } else {
        Ok(())
    }
}

fn body_fits(body: &str) -> Result<(), &'static str> {
    if body.len() > PART {
        return Err("the message has more than 256 KiB of text");
    }
    let is_control = |byte: u8| byte < b' ' && byte != b'\n' && byte != b'\t' || byte == 127;
    // Over all of it, without an early end: so the compiler takes many bytes at a time.
    let controls = body.bytes().fold(false, |found, byte| found | is_control(byte));
    if controls || !body.is_ascii() && body.chars().any(|c| !c.is_ascii() && c.is_control()) {
        return Err("the message holds a control character");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
