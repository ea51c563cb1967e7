//! The texts of call sheets and letters: the built-in ones, and over them `templates/report/` of the campaign.
//!
//! ```text
//! call.{txt,html}[.<language>].hbs     one call, in the language of whoever is called
//! letter.{txt,html}[.<language>].hbs   one letter
//! call-sheet.{txt,html}[.<language>].hbs, letters.{txt,html}[.<language>].hbs
//!                                      what stands around them, in the language of all calls where they have one
//! ```
//! A campaign that has a `txt` of its own speaks for itself: where it has no page beside it, the page prints that text.

use crate::fault::{Finding, Place};
use crate::notice::chain;
use crate::package::strict;
use handlebars::{Handlebars, RenderError, html_escape};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        const FILES: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../templates/report/", $name, ".hbs")))),*];
    };
}

files![
    "call.txt",
    "call.txt.de",
    "call.html",
    "call.html.de",
    "letter.txt",
    "letter.txt.de",
    "letter.html",
    "letter.html.de",
    "call-sheet.txt",
    "call-sheet.txt.de",
    "call-sheet.html",
    "call-sheet.html.de",
    "letters.txt",
    "letters.txt.de",
    "letters.html",
    "letters.html.de",
];

/// The largest of them, in bytes.
const LIMIT: usize = 64 * 1024;
const NAMES: &str = "name it call.txt.hbs, letter.txt.hbs or the same with html, with a language as in letter.txt.fr.hbs; \
                     or call-sheet or letters for what stands around them";

/// By name, as `call.txt`, and language.
pub(super) struct Pieces {
    all: BTreeMap<(String, Option<String>), Piece>,
}

struct Piece {
    file: PathBuf,
    /// The campaign's.
    own: bool,
    engine: Handlebars<'static>,
}

impl Pieces {
    /// Reads what there is. A file that cannot be taken is a finding.
    pub(super) fn load(campaign: &Path) -> (Pieces, Vec<Finding>) {
        let (mut pieces, mut findings) = (Pieces { all: BTreeMap::new() }, Vec::new());
        for (name, text) in FILES {
            let file = Path::new("(built-in)/templates/report").join(format!("{name}.hbs"));
            findings.extend(pieces.add(name, file, text, false));
        }
        let folder = campaign.join("templates/report");
        let listed = fs_err::read_dir(&folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
        let mut files: Vec<PathBuf> = match listed {
            Ok(entries) => entries.into_iter().map(|entry| entry.path()).collect(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return (pieces, findings),
            Err(error) => {
                findings.push(unreadable(&folder, &error.to_string()));
                return (pieces, findings);
            }
        };
        files.sort();
        for file in files {
            let named = file.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            if named.starts_with('.') {
                continue;
            }
            let known = named.strip_suffix(".hbs").filter(|name| is_known(name));
            let Some(name) = known else {
                findings.push(
                    Finding::warning("template-file", "this is no text of a call sheet or letter", NAMES)
                        .in_file(&file),
                );
                continue;
            };
            match fs_err::read_to_string(&file) {
                Ok(text) if text.len() <= LIMIT => findings.extend(pieces.add(name, file, &text, true)),
                Ok(_) => findings.push(unreadable(&file, "it has more than 64 KiB")),
                Err(error) => findings.push(unreadable(&file, &error.to_string())),
            }
        }
        (pieces, findings)
    }

    fn add(&mut self, name: &str, file: PathBuf, text: &str, own: bool) -> Option<Finding> {
        let (name, language) = parts(name);
        let mut engine = strict();
        if name.ends_with(".html") {
            engine.register_escape_fn(html_escape);
        }
        let is_shell = matches!(name.split('.').next(), Some("call-sheet" | "letters"));
        if let Some(at) = text.find("{{{").filter(|_| name.ends_with(".html") && !is_shell) {
            let cause = "this would go into the page unescaped";
            let line = text[..at].matches('\n').count() as u32 + 1;
            let finding = Finding::error("template-unescaped", cause, "write {{name}} with two braces");
            return Some(finding.at(Place::new(&file, line, 0)));
        }
        if let Err(error) = engine.register_template_string("piece", text) {
            let (line, column) = error.pos().unwrap_or((0, 0));
            let finding = Finding::error("template-syntax", error.reason().to_string(), "correct the template");
            return Some(finding.at(Place::new(&file, line as u32, column as u32)));
        }
        self.all.insert((name, language), Piece { file, own, engine });
        None
    }

    /// Every language that any piece has.
    pub(super) fn languages(&self) -> impl Iterator<Item = Option<String>> {
        self.all.keys().map(|(_, language)| language.clone())
    }

    /// What a person of this language reads. The campaign's own words in no language are everybody's.
    fn choose(&self, name: &str, language: Option<&str>) -> Option<(Option<String>, &Piece)> {
        let get = |language: &Option<String>| self.all.get(&(name.to_owned(), language.clone()));
        let own = get(&None).is_some_and(|piece| piece.own);
        let mut chain = chain(language).into_iter();
        chain.find_map(|language| Some((language.clone(), get(&language).filter(|piece| piece.own || !own)?)))
    }

    /// `call` or `letter` for one person, as text.
    pub(super) fn text(&self, name: &str, language: Option<&str>, words: &Value) -> Result<String, Finding> {
        match self.choose(&format!("{name}.txt"), language) {
            Some((_, piece)) => piece.render(words),
            None => Ok(String::new()),
        }
    }

    /// The same as a part of a page.
    pub(super) fn page(&self, name: &str, language: Option<&str>, words: &Value) -> Result<String, Finding> {
        let (text, page) =
            (self.choose(&format!("{name}.txt"), language), self.choose(&format!("{name}.html"), language));
        match (text, page) {
            (Some((spoken, text)), Some((shown, page))) if text.own && !(page.own && shown == spoken) => {
                let text = html_escape(&text.render(words)?);
                Ok(format!("<section class=\"letter\"><pre>{text}</pre></section>\n"))
            }
            (_, Some((_, page))) => page.render(words),
            (_, None) => Ok(String::new()),
        }
    }

    /// What stands around them.
    pub(super) fn around(&self, name: &str, language: Option<&str>, words: &Value) -> Result<String, Finding> {
        self.choose(name, language).map_or(Ok(String::new()), |(_, piece)| piece.render(words))
    }
}

impl Piece {
    fn render(&self, words: &Value) -> Result<String, Finding> {
        self.engine.render("piece", words).map_err(|error| {
            let place = Place::new(
                &self.file,
                error.line_no.unwrap_or_default() as u32,
                error.column_no.unwrap_or_default() as u32,
            );
            let remedy =
                "see the built-in texts for the words there are: `flagday report --call-sheet` shows them filled in";
            Finding::error("template-word", cause(&error), remedy).at(place)
        })
    }
}

fn cause(error: &RenderError) -> String {
    match error.reason() {
        handlebars::RenderErrorReason::MissingVariable(Some(word)) => format!("there is no {word} here"),
        reason => reason.to_string(),
    }
}

/// `call.txt.de` as `call.txt` and `de`.
fn parts(name: &str) -> (String, Option<String>) {
    let mut parts = name.splitn(3, '.');
    let name = [parts.next(), parts.next()].into_iter().flatten().collect::<Vec<_>>().join(".");
    (name, parts.next().map(|language| language.to_ascii_lowercase().replace('_', "-")))
}

fn is_known(name: &str) -> bool {
    let (name, language) = parts(name);
    let is_tag = |tag: &String| !tag.is_empty() && tag.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
    FILES.iter().any(|(known, _)| *known == name) && language.as_ref().is_none_or(is_tag)
}

fn unreadable(file: &Path, why: &str) -> Finding {
    Finding::error("template-unreadable", why, "correct the file, or remove it").in_file(file)
}
