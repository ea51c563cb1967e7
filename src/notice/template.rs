//! The texts of a campaign: every template compiled and checked before anything leaves, and rendered for one person.

use super::context::{Context, facts};
use super::lint::{self, Report, Vocabulary};
use super::source::{Part, Piece, Source, gather};
use crate::campaign::Campaign;
use crate::fault::{Finding, Place};
use handlebars::{Handlebars, RenderError, RenderErrorReason};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Notices that the program sends of itself, whether or not the campaign lists them.
const OF_ITSELF: [&str; 3] = ["reminder", "escalation", "abort"];
/// The longest rendered part, in bytes, and the longest subject, in characters.
const PART: usize = 256 * 1024;
const SUBJECT: usize = 200;

/// All templates of one campaign in all their languages.
#[derive(Debug)]
pub struct Texts {
    sources: BTreeMap<Piece, Source>,
    /// By language; `None` speaks to everybody else.
    voices: BTreeMap<Option<String>, Voice>,
    /// The files each notice is made of, in all languages.
    used: BTreeMap<String, BTreeSet<Piece>>,
    /// Columns that the templates name and not every roster has.
    columns: BTreeSet<(Place, String)>,
}

/// What one language says: its own files, and the general ones where it has none.
#[derive(Debug)]
struct Voice {
    plain: Handlebars<'static>,
    html: Handlebars<'static>,
    /// The file behind each compiled template.
    pieces: BTreeMap<(bool, String), Piece>,
}

/// One notice for one person, in Unicode with LF line ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    pub subject: String,
    pub text: String,
    pub html: Option<String>,
}

impl Texts {
    /// Reads the built-in templates and those below `templates/mail/`, and checks the ones that this campaign uses.
    pub fn load(campaign: &Campaign) -> (Texts, Vec<Finding>) {
        let (sources, mut findings) = gather(&campaign.root.join("templates").join("mail"));
        let languages: BTreeSet<Option<String>> =
            sources.keys().map(|piece| piece.language.clone()).chain([None]).collect();
        let mut texts = Texts { sources, voices: BTreeMap::new(), used: BTreeMap::new(), columns: BTreeSet::new() };
        for language in languages {
            let voice = texts.voice(language.as_deref(), &mut findings);
            texts.voices.insert(language, voice);
        }
        let facts: Vec<String> = facts(campaign).into_keys().collect();
        let sent = sent(campaign);
        texts.lint(&facts, &sent, &mut findings);
        for (template, place) in &sent {
            findings.extend(texts.missing(template, place.as_ref()));
        }
        (texts, findings)
    }

    /// Columns that a template names and no roster has. `columns` holds every header of every roster.
    pub fn check_columns(&self, columns: &BTreeSet<String>) -> Vec<Finding> {
        let missing = self.columns.iter().filter(|(_, column)| !columns.contains(column));
        missing
            .map(|(place, column)| {
                let cause = format!("no roster has a column '{column}'");
                Finding::error("template-column", cause, "correct the name, or add the column").at(place.clone())
            })
            .collect()
    }

    /// Makes one person's message out of a notice's templates.
    pub fn render(&self, template: &str, language: Option<&str>, context: &Context) -> Result<Rendered, Finding> {
        let voice = self.voice_for(language);
        let text = voice.part(Part::Text, template, context, self)?;
        let subject = voice.part(Part::Subject, template, context, self)?;
        let named = |part: Part| {
            let place = voice.piece(part, template).map(|piece| Place::file(&self.sources[piece].file));
            place.unwrap_or_else(|| Place::file(template))
        };
        let subject = one_line(subject).map_err(|finding| finding.at(named(Part::Subject)))?;
        let html = match voice.piece(Part::Html, template) {
            Some(_) => Some(voice.part(Part::Html, template, context, self)?),
            None => None,
        };
        for (part, rendered) in [(Part::Text, Some(&text)), (Part::Html, html.as_ref())] {
            rendered.map_or(Ok(()), |body| body_fits(body)).map_err(|finding| finding.at(named(part)))?;
        }
        Ok(Rendered { subject, text, html })
    }

    /// SHA-256 over every file that this notice is made of, in all languages, as 64 hex digits.
    pub fn digest(&self, template: &str) -> String {
        let mut digest = Sha256::new();
        for piece in self.used.get(template).into_iter().flatten() {
            let Piece { name, partial, part, language } = piece;
            let key = format!("{name} {partial} {part:?} {}", language.as_deref().unwrap_or_default());
            for field in [&key, &self.sources[piece].text] {
                digest.update((field.len() as u64).to_be_bytes());
                digest.update(field);
            }
        }
        super::letter::hex(&digest.finalize())
    }

    fn voice_for(&self, language: Option<&str>) -> &Voice {
        chain(language)
            .iter()
            .find_map(|language| self.voices.get(language))
            .expect("the general voice is always there")
    }

    /// Compiles what this language says.
    fn voice(&self, language: Option<&str>, findings: &mut Vec<Finding>) -> Voice {
        let mut voice = Voice::new();
        let chain = chain(language);
        let names: BTreeSet<(&str, bool, Part)> =
            self.sources.keys().map(|piece| (piece.name.as_str(), piece.partial, piece.part)).collect();
        let choose = |name: &str, partial: bool, part: Part| {
            chain.iter().find_map(|language| {
                let piece = Piece { name: name.to_owned(), partial, part, language: language.clone() };
                self.sources.get_key_value(&piece)
            })
        };
        for (name, partial, part) in names {
            let Some((piece, source)) = choose(name, partial, part) else { continue };
            // HTML in another language than the text would hide the text.
            let text = choose(name, partial, Part::Text);
            if part == Part::Html && !partial && text.is_some_and(|(text, _)| text.language != piece.language) {
                continue;
            }
            if let Err(finding) = voice.compile(piece, source)
                && !findings.contains(&finding)
            {
                findings.push(*finding);
            }
        }
        voice
    }

    fn lint(&mut self, facts: &[String], sent: &BTreeMap<String, Option<Place>>, findings: &mut Vec<Finding>) {
        let notices: BTreeSet<&str> =
            self.sources.keys().filter(|piece| !piece.partial).map(|piece| piece.name.as_str()).collect();
        for notice in notices {
            let mut used = BTreeSet::new();
            for voice in self.voices.values() {
                for part in [Part::Subject, Part::Text, Part::Html] {
                    let (report, pieces) = voice.lint(part, notice, facts, &self.sources);
                    used.extend(pieces);
                    if sent.contains_key(notice) {
                        self.columns.extend(report.columns);
                        for finding in report.findings {
                            if !findings.contains(&finding) {
                                findings.push(finding);
                            }
                        }
                    }
                }
            }
            self.used.insert(notice.to_owned(), used);
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

/// `de-AT` asks `de-at`, then `de`, then the general one.
fn chain(language: Option<&str>) -> Vec<Option<String>> {
    let Some(tag) = language.map(|tag| tag.to_ascii_lowercase().replace('_', "-")) else { return vec![None] };
    let base = tag.split('-').next().unwrap_or_default().to_owned();
    vec![Some(tag), Some(base), None]
}

impl Voice {
    fn new() -> Voice {
        let mut plain = Handlebars::new();
        plain.set_strict_mode(true);
        for unused in ["lookup", "raw", "log"] {
            plain.unregister_helper(unused);
        }
        let html = plain.clone();
        plain.register_escape_fn(handlebars::no_escape);
        Voice { plain, html, pieces: BTreeMap::new() }
    }

    fn compile(&mut self, piece: &Piece, source: &Source) -> Result<(), Box<Finding>> {
        let refused = |line: usize, column: usize, cause: String| {
            let place = Place::new(&source.file, line as u32, column as u32);
            let quote = source.text.lines().nth(line.saturating_sub(1)).unwrap_or_default().to_owned();
            let remedy = "correct the braces; every {{#if}} and {{#each}} needs its {{/if}} and {{/each}}";
            Box::new(Finding::error("template-syntax", cause, remedy).at(place).quoting(quote, 1))
        };
        if lint::nests_too_deep(&source.text) {
            return Err(refused(1, 1, "blocks or parentheses stand too deep in each other".to_owned()));
        }
        let (html, name) = (piece.part == Part::Html, key(piece.partial, piece.part, &piece.name));
        let registry = if html { &mut self.html } else { &mut self.plain };
        registry.register_template_string(&name, &source.text).map_err(|error| {
            let (line, column) = error.pos().unwrap_or((1, 1));
            refused(line, column, error.reason().to_string())
        })?;
        self.pieces.insert((html, name), piece.clone());
        Ok(())
    }

    fn piece(&self, part: Part, notice: &str) -> Option<&Piece> {
        self.pieces.get(&(part == Part::Html, key(false, part, notice)))
    }

    fn registry(&self, part: Part) -> &Handlebars<'static> {
        if part == Part::Html { &self.html } else { &self.plain }
    }

    fn lint<'a>(
        &'a self,
        part: Part,
        notice: &str,
        facts: &[String],
        sources: &'a BTreeMap<Piece, Source>,
    ) -> (Report, BTreeSet<Piece>) {
        let html = part == Part::Html;
        let registry = self.registry(part);
        let Some((piece, template)) = self.piece(part, notice).zip(registry.get_template(&key(false, part, notice)))
        else {
            return Default::default();
        };
        let partials = self.pieces.iter().filter(|((is_html, _), piece)| *is_html == html && piece.partial);
        let partials: BTreeMap<String, (&handlebars::Template, &Path)> = partials
            .filter_map(|((_, name), piece)| {
                Some((name.clone(), (registry.get_template(name)?, sources[piece].file.as_path())))
            })
            .collect();
        let vocabulary = Vocabulary { facts, partials: &partials, html };
        let report = lint::lint(template, &sources[piece].file, &vocabulary);
        let used = report.partials.iter().filter_map(|name| self.pieces.get(&(html, name.clone())));
        let used = used.chain([piece]).cloned().collect();
        (report, used)
    }

    fn part(&self, part: Part, notice: &str, context: &Context, texts: &Texts) -> Result<String, Finding> {
        let rendered = self.registry(part).render(&key(false, part, notice), context);
        rendered.map(|text| text.replace("\r\n", "\n").trim_end().to_owned()).map_err(|error| {
            let name = error.template_name.clone().unwrap_or_else(|| key(false, part, notice));
            let source = self.pieces.get(&(part == Part::Html, name)).map(|piece| &texts.sources[piece]);
            render_finding(&error, source, notice)
        })
    }
}

/// The name under which a template is compiled. A partial has its own name, which no notice can take.
fn key(partial: bool, part: Part, name: &str) -> String {
    if partial { name.to_owned() } else { format!("{part:?}:{name}") }
}

fn render_finding(error: &RenderError, source: Option<&Source>, notice: &str) -> Finding {
    let (cause, remedy) = match error.reason() {
        RenderErrorReason::MissingVariable(Some(path)) => (
            format!("the template needs '{path}', and this message has none"),
            format!("fill it in, or ask first: {{{{#if {path}}}}}"),
        ),
        RenderErrorReason::TemplateNotFound(_) => (
            format!("the notice '{notice}' has no such template"),
            format!("write templates/mail/{notice}/subject.hbs and text.hbs"),
        ),
        reason => (format!("the template cannot be filled in: {reason}"), "correct the template".to_owned()),
    };
    let finding = Finding::error("template-render", cause, remedy);
    let Some(source) = source else { return finding };
    let (line, column) = (error.line_no.unwrap_or(0), error.column_no.unwrap_or(0));
    finding.at(Place::new(&source.file, line as u32, column as u32))
}

fn one_line(subject: String) -> Result<String, Finding> {
    let subject = subject.trim().to_owned();
    let refused = |cause: &str| {
        let remedy = "a subject is one line of at most 200 characters; look at the template and at what is filled in";
        Err(Finding::error("subject", cause, remedy))
    };
    if subject.is_empty() {
        return refused("the subject is empty");
    }
    if subject.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
        return refused("the subject holds a line break or another control character");
    }
    if subject.chars().count() > SUBJECT {
        return refused("the subject has more than 200 characters");
    }
    Ok(subject)
}

fn body_fits(body: &str) -> Result<(), Finding> {
    let refused = |cause: &str| Err(Finding::error("template-render", cause, "look at what is filled in"));
    if body.len() > PART {
        return refused("the message has more than 256 KiB of text");
    }
    if body.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        return refused("the message holds a control character");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
