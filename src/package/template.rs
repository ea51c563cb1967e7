//! Texts for one person from a handlebars template. A word that does not exist is a finding with its place, in
//! `{{person.phnoe}}` and in `{{#if person.phnoe}}` alike; what a person wrote is data and never a template.

use crate::campaign::Campaign;
use crate::fault::{Finding, Place};
use crate::roster::Person;
use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, JsonTruthy, Output, RenderContext, RenderError,
    RenderErrorReason, Renderable, no_escape,
};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// The parser recurses: a template with more blocks, or a tag with more brackets, is refused before it is parsed.
const BLOCKS_MAX: usize = 100;
const BRACKETS_MAX: usize = 32;

/// One template, read and ready.
#[derive(Debug)]
pub struct Template {
    file: PathBuf,
    engine: Handlebars<'static>,
}

impl Template {
    /// # Errors
    /// A text that is no template, with its line and column in `file`.
    pub fn compile(file: &Path, source: &str) -> Result<Template, Finding> {
        let refuse = |cause: String| Finding::error("template-syntax", cause, "correct the template").in_file(file);
        let deep = source.split("{{").skip(1).any(|tag| {
            let tag = tag.split("}}").next().unwrap_or_default();
            tag.matches(['(', '[', '{']).count() > BRACKETS_MAX
        });
        if deep || blocks(source) > BLOCKS_MAX {
            return Err(refuse(format!("more than {BLOCKS_MAX} blocks, or {BRACKETS_MAX} brackets in one tag")));
        }
        let mut engine = strict();
        engine.register_template_string("text", source).map_err(|error| {
            let finding = refuse(error.reason().to_string());
            match error.pos() {
                Some((line, column)) => finding.at(Place::new(file, line as u32, column as u32)),
                None => finding,
            }
        })?;
        Ok(Template { file: file.to_owned(), engine })
    }

    /// # Errors
    /// A word that does not exist, with its line and column.
    pub fn render(&self, words: &Words) -> Result<String, Finding> {
        self.engine.render("text", &words.0).map_err(|error| {
            let place = Place::new(
                &self.file,
                error.line_no.unwrap_or_default() as u32,
                error.column_no.unwrap_or_default() as u32,
            );
            Finding::error("template-word", cause(&error), "see the words that templates may use: campaign.name campaign.title campaign.contact, change.date .time .zone .weekday, person.COLUMN, facts.NAME")
                .at(place)
        })
    }

    pub fn file(&self) -> &Path {
        &self.file
    }
}

/// Plain text, in which every word has to exist, even one that is only asked for.
pub(crate) fn strict() -> Handlebars<'static> {
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    engine.register_escape_fn(no_escape);
    engine.register_helper("if", Box::new(Asking { negated: false }));
    engine.register_helper("unless", Box::new(Asking { negated: true }));
    engine
}

fn blocks(source: &str) -> usize {
    source.matches("{{#").count() + source.matches("{{~#").count() + source.matches("{{^").count()
}

fn cause(error: &RenderError) -> String {
    match error.reason() {
        RenderErrorReason::MissingVariable(Some(word)) => format!("there is no {word} here, or it is empty"),
        reason => reason.to_string(),
    }
}

/// `if` and `unless` that know the difference between a word that is empty for this person and one that does not exist.
struct Asking {
    negated: bool,
}

impl HelperDef for Asking {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        engine: &'reg Handlebars<'reg>,
        context: &'rc Context,
        state: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let asked = helper.param(0).ok_or(RenderErrorReason::ParamNotFoundForIndex("if", 0))?;
        if asked.is_value_missing() {
            let word = asked.relative_path();
            let empty = context.data()[EMPTY].as_array().is_some_and(|empty| {
                empty.iter().filter_map(Value::as_str).any(|known| word.is_some_and(|word| word == known))
            });
            if !empty {
                return Err(RenderError::strict_error(word));
            }
        }
        let branch = if asked.value().is_truthy(false) != self.negated { helper.template() } else { helper.inverse() };
        branch.map_or(Ok(()), |branch| branch.render(engine, context, state, out))
    }
}

/// Where [`Words`] keep the names of what exists and is empty. Not a name that a template can write.
const EMPTY: &str = "\0empty";

/// The columns of every roster.
const COLUMNS: [&str; 15] = [
    "id",
    "name",
    "email",
    "kind",
    "mailbox",
    "hexid",
    "mail_store",
    "format",
    "language",
    "time_zone",
    "manager_email",
    "alternate_email",
    "network",
    "postoffice",
    "phone",
];

/// What a template may say about one person: `campaign`, `change`, `person` and `facts`. What is empty is left out, so
/// that a template which needs it fails instead of leaving a gap.
#[derive(Debug, Clone)]
pub struct Words(Map<String, Value>);

impl Words {
    pub fn of(campaign: &Campaign, person: &Person) -> Words {
        let local = campaign.change.local;
        let mut facts = Map::new();
        if let Some(site) = &campaign.msmail {
            facts.insert("network".to_owned(), json!(site.network));
            facts.insert("name".to_owned(), json!(site.name));
            facts.insert("old_serial".to_owned(), json!(site.old_serial));
            facts.insert("new_serial".to_owned(), json!(site.new_serial));
        }
        facts.extend(campaign.facts.iter().map(|(name, value)| (name.clone(), json!(value))));
        let names = COLUMNS.into_iter().chain(person.extra.keys().map(String::as_str));
        let (filled, empty): (Vec<_>, Vec<_>) =
            names.map(|name| (name, person.column(name).unwrap_or_default())).partition(|(_, value)| !value.is_empty());
        let empty: Vec<String> = empty.into_iter().map(|(name, _)| format!("person.{name}")).collect();
        let person: Map<_, _> = filled.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
        let words = [
            ("campaign", json!({ "name": campaign.name, "title": campaign.title, "contact": campaign.contact })),
            (
                "change",
                json!({
                    "date": local.format("%Y-%m-%d").to_string(),
                    "time": local.format("%H:%M").to_string(),
                    "weekday": local.format("%A").to_string(),
                    "zone": campaign.change.zone.name(),
                }),
            ),
            ("person", Value::Object(person)),
            ("facts", Value::Object(facts)),
            (EMPTY, json!(empty)),
        ];
        Words(words.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    pub fn with(mut self, name: &str, value: Value) -> Words {
        self.0.insert(name.to_owned(), value);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::sample;

    fn render(source: &str) -> Result<String, Finding> {
        let words = Words::of(&sample::campaign(Path::new("/corp")), &sample::person("ADAMS"));
        Template::compile(Path::new("LETTER.TXT.hbs"), source)?.render(&words)
    }

    fn place(source: &str) -> String {
        render(source).expect_err(source).place.expect("a place").to_string()
    }

    #[test]
    fn every_word_has_its_value_and_no_sign_is_escaped() {
        let text = "{{person.name}} {{person.Room}} {{facts.new_serial}} {{change.weekday}} {{change.date}} {{change.time}} {{change.zone}} {{campaign.contact}}";
        let expected =
            "Ann O'Hara & {{x}} 2.17 32-20977 Saturday 2026-12-12 18:00 America/Chicago Mail Desk, +1 555 0100";
        assert_eq!(render(text).expect("every word exists"), expected);
    }

    #[test]
    fn a_word_that_does_not_exist_is_found_wherever_it_stands() {
        assert_eq!(place("Dear\n  {{person.nmae}}"), "LETTER.TXT.hbs:2:3");
        assert_eq!(place("{{#if person.phnoe}}x{{/if}}"), "LETTER.TXT.hbs:1:1");
        assert_eq!(place("a\n{{#unless fatcs}}x{{/unless}}"), "LETTER.TXT.hbs:2:1");
        assert_eq!(place("{{person.phone}}"), "LETTER.TXT.hbs:1:1");
        assert_eq!(place("a\n{{#if x}}"), "LETTER.TXT.hbs:2:10");
        assert!(render("{{nothelp person.name}}").is_err());
        assert!(render("{{> other}}").is_err());
    }

    #[test]
    fn what_is_empty_can_be_asked_for() {
        let text =
            "{{#if person.phone}}{{person.phone}}{{else}}no phone{{/if}} {{#unless person.Floor}}no floor{{/unless}}";
        assert_eq!(render(text).expect("both exist"), "no phone no floor");
    }

    #[test]
    fn a_template_that_would_exhaust_the_stack_is_refused() {
        for source in ["{{#if a}}".repeat(100_000), format!("{{{{{}", "(".repeat(100_000)), "{{".repeat(100_000)] {
            assert_eq!(render(&source).expect_err("too deep").code, "template-syntax");
        }
    }
}
