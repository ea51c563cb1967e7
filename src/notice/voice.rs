//! What one language says: its templates, compiled, with the general ones where it has none.

use super::lint::{Report, Vocabulary, lint};
use super::source::{Part, Piece, Source, Sources};
use crate::fault::Finding;
use handlebars::{Context, Handlebars, RenderError, RenderErrorReason, Template};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The code of what is said where a template wants what a message does not have.
pub const UNFILLED: &str = "template-render";

/// How deep blocks and parentheses may stand in each other. The parser below us recurses.
const DEPTH: usize = 32;

/// Every template as this language has it.
#[derive(Debug)]
pub(super) struct Voice {
    plain: Handlebars<'static>,
    html: Handlebars<'static>,
    /// The file behind each compiled template.
    pieces: BTreeMap<(bool, String), Piece>,
}

/// `de-AT` asks `de-at`, then `de`, then the general one.
pub(crate) fn chain(language: Option<&str>) -> Vec<Option<String>> {
    let Some(tag) = language.map(|tag| tag.to_ascii_lowercase().replace('_', "-")) else { return vec![None] };
    let base = tag.split('-').next().unwrap_or_default().to_owned();
    vec![Some(tag), Some(base), None]
}

impl Voice {
    /// Chooses and compiles what this language says. What does not compile is a finding.
    pub(super) fn new(language: Option<&str>, sources: &Sources) -> (Voice, Vec<Finding>) {
        let mut plain = Handlebars::new();
        plain.set_strict_mode(true);
        for unused in ["lookup", "raw", "log"] {
            plain.unregister_helper(unused);
        }
        let mut html = plain.clone();
        html.register_escape_fn(|value| match value.contains(['&', '<', '>', '"', '\'', '`', '=']) {
            true => handlebars::html_escape(value),
            false => value.to_owned(),
        });
        plain.register_escape_fn(handlebars::no_escape);
        let mut voice = Voice { plain, html, pieces: BTreeMap::new() };

        let chain = chain(language);
        let choose = |name: &str, partial: bool, part: Part| {
            chain.iter().find_map(|language| {
                let piece = Piece { name: name.to_owned(), partial, part, language: language.clone() };
                sources.get_key_value(&piece)
            })
        };
        let names: BTreeSet<_> = sources.keys().map(|piece| (piece.name.as_str(), piece.partial, piece.part)).collect();
        let mut findings = Vec::new();
        for (name, partial, part) in names {
            let Some((piece, source)) = choose(name, partial, part) else { continue };
            // HTML in another language than the text would hide the text.
            let text = choose(name, partial, Part::Text);
            if part == Part::Html && !partial && text.is_some_and(|(text, _)| text.language != piece.language) {
                continue;
            }
            findings.extend(voice.compile(piece, source).err());
        }
        (voice, findings)
    }

    fn compile(&mut self, piece: &Piece, source: &Source) -> Result<(), Finding> {
        let refused = |line: usize, column: usize, cause: String| {
            let remedy = "correct the braces; every {{#if}} and {{#each}} needs its {{/if}} and {{/each}}";
            source.point(Finding::error("template-syntax", cause, remedy), line, column)
        };
        if nests_too_deep(&source.text) {
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

    /// The file that this notice's part comes from; `None` where it has no such part.
    pub(super) fn piece(&self, part: Part, notice: &str) -> Option<&Piece> {
        self.pieces.get(&(part == Part::Html, key(false, part, notice)))
    }

    fn registry(&self, part: Part) -> &Handlebars<'static> {
        if part == Part::Html { &self.html } else { &self.plain }
    }

    /// Reads a notice's part and its partials; also the files they come from.
    pub(super) fn lint(
        &self,
        part: Part,
        notice: &str,
        facts: &[String],
        sources: &Sources,
    ) -> (Report, BTreeSet<Piece>) {
        let html = part == Part::Html;
        let registry = self.registry(part);
        let compiled = self.piece(part, notice).zip(registry.get_template(&key(false, part, notice)));
        let Some((piece, template)) = compiled else { return Default::default() };
        let named = |(_, name): &(bool, String), piece: &Piece| {
            Some((name.clone(), (registry.get_template(name)?, sources[piece].file.as_path())))
        };
        let partials = self.pieces.iter().filter(|((is_html, _), piece)| *is_html == html && piece.partial);
        let partials: BTreeMap<String, (&Template, &Path)> =
            partials.filter_map(|(key, piece)| named(key, piece)).collect();
        let vocabulary = Vocabulary { facts, partials: &partials, html };
        let report = lint(template, &sources[piece].file, &vocabulary);
        let used = report.partials.iter().filter_map(|name| self.pieces.get(&(html, name.clone())));
        let used = used.chain([piece]).cloned().collect();
        (report, used)
    }

    pub(super) fn render(
        &self,
        part: Part,
        notice: &str,
        context: &Context,
        sources: &Sources,
    ) -> Result<String, Finding> {
        let name = key(false, part, notice);
        let source = self.piece(part, notice).map_or(0, |piece| sources[piece].text.len());
        // What is filled in seldom is more than a quarter of it.
        let mut rendered = Vec::with_capacity(source + source / 4);
        let written = self.registry(part).render_with_context_to_write(&name, context, &mut rendered);
        let text = written.and_then(|()| Ok(String::from_utf8(rendered).map_err(RenderErrorReason::from)?));
        let unix = |text: String| if text.contains('\r') { text.replace("\r\n", "\n") } else { text };
        text.map(unix).map(without_end).map_err(|error| {
            let finding = failed(&error, notice);
            let place = (part == Part::Html, error.template_name.clone().unwrap_or(name));
            match self.pieces.get(&place) {
                Some(piece) => {
                    let (line, column) = (error.line_no.unwrap_or(0), error.column_no.unwrap_or(0));
                    sources[piece].point(finding, line, column)
                }
                None => finding,
            }
        })
    }
}

fn without_end(mut text: String) -> String {
    text.truncate(text.trim_end().len());
    text
}

/// The name under which a template is compiled. A partial has its own name, which no notice can take.
fn key(partial: bool, part: Part, name: &str) -> String {
    if partial { name.to_owned() } else { format!("{part:?}:{name}") }
}

fn failed(error: &RenderError, notice: &str) -> Finding {
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
    Finding::error(UNFILLED, cause, remedy)
}

/// True for a source that would overflow the parser's stack.
fn nests_too_deep(source: &str) -> bool {
    let mut blocks = 0usize;
    source.split("{{").skip(1).any(|tag| {
        let tag = tag.split("}}").next().unwrap_or(tag);
        match tag.trim_start_matches(['~', '{']).chars().next() {
            Some('#') => blocks += 1,
            Some('/') => blocks = blocks.saturating_sub(1),
            _ => {}
        }
        blocks > DEPTH || tag.matches(['(', '[', '{']).count() > DEPTH
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_would_overflow_the_parser_is_known() {
        assert!(nests_too_deep(&"{{#if a}}".repeat(10_000)));
        assert!(nests_too_deep(&format!("{{{{#if {}a", "(not ".repeat(10_000))));
        assert!(nests_too_deep(&format!("{{{{x {}", "[".repeat(10_000))));
        assert!(!nests_too_deep(&"{{#if a}}{{/if}} ((((".repeat(1_000)));
    }

    #[test]
    fn a_language_asks_its_base() {
        let asked = |language| chain(language).into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>();
        assert_eq!(asked(Some("de_AT")), ["de-at", "de", ""]);
        assert_eq!(asked(None), [""]);
    }
}
