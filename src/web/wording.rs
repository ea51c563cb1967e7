//! The campaign's own wording of the pages, from `templates/web/`: read, and held against everything that the page may
//! have to say, before anybody meets it.

use super::pages::Pages;
use super::samples::{self, samples};
use crate::fault::{Finding, Place};
use handlebars::Template;
use handlebars::template::{HelperTemplate, Parameter, TemplateElement};
use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The pages that people see. The operator's stay as they are.
const NAMES: [&str; 4] = ["confirm", "message", "refused", "layout"];
/// The largest of them, in bytes.
const LIMIT: u64 = 64 * 1024;
/// What the page's policy keeps a browser from loading or running.
const BLOCKED: [&str; 7] = ["<script", "<img", "<iframe", "<link", "<object", "@import", "url("];

/// One file of the campaign's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Own {
    /// `confirm`, `confirm.fr`, `style.css`.
    pub name: String,
    pub file: PathBuf,
    pub text: String,
}

/// What stands below `templates/web/`, in order of the names; none where there is no such folder.
pub(super) fn own(campaign: &Path) -> (Vec<Own>, Vec<Finding>) {
    let folder = campaign.join("templates/web");
    let (mut all, mut findings) = (Vec::new(), Vec::new());
    let listed = fs_err::read_dir(&folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
    let mut entries = match listed {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return (all, findings),
        Err(error) => return (all, vec![unreadable(&folder, error.to_string())]),
    };
    entries.sort_by_key(|entry| entry.file_name());
    for file in entries.into_iter().map(|entry| entry.path()) {
        let named = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if named.starts_with('.') {
            continue;
        }
        match name(named).map(|name| read(&file).map(|text| Own { name, file: file.clone(), text })) {
            Some(Ok(own)) => all.push(own),
            Some(Err(finding)) => findings.push(*finding),
            None => {
                let remedy = "name it confirm.hbs, message.hbs or refused.hbs, with a language as in confirm.fr.hbs; layout.hbs; style.css";
                let cause = "this is no page that can be worded anew";
                findings.push(Finding::warning("template-file", cause, remedy).in_file(&file));
            }
        }
    }
    (all, findings)
}

/// The page that a file words.
fn name(file: &str) -> Option<String> {
    if file == "style.css" {
        return Some(file.to_owned());
    }
    let stem = file.strip_suffix(".hbs")?.to_ascii_lowercase();
    let (page, language) = stem.split_once('.').map_or((stem.as_str(), None), |(page, tag)| (page, Some(tag)));
    let word = |tag: &str| !tag.is_empty() && tag.bytes().all(|c| c.is_ascii_alphabetic());
    // Whoever gets `refused` is nobody we know, and the frame is the same for all.
    let fits = match page {
        "confirm" | "message" => language.is_none_or(word),
        _ => language.is_none(),
    };
    (NAMES.contains(&page) && fits).then_some(stem)
}

fn read(file: &Path) -> Result<String, Box<Finding>> {
    let failed = |cause: String| Box::new(unreadable(file, cause));
    let mut bytes = Vec::new();
    let opened = fs_err::File::open(file).map_err(|error| failed(error.to_string()))?;
    opened.take(LIMIT + 1).read_to_end(&mut bytes).map_err(|error| failed(error.to_string()))?;
    if bytes.len() as u64 > LIMIT {
        return Err(failed(format!("it has more than {LIMIT} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| failed("it is not UTF-8".to_owned()))
}

fn unreadable(path: &Path, cause: String) -> Finding {
    let remedy = "save it as UTF-8 text of a few pages that this account may read";
    Finding::error("template-file", cause, remedy).in_file(path)
}

/// What is wrong with the campaign's own pages. The pages hold them already.
pub(super) fn lint(pages: &Pages, own: &[Own]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for one in own {
        let before = findings.len();
        let lower = one.text.to_ascii_lowercase();
        for what in BLOCKED.iter().filter(|what| lower.contains(**what)) {
            let line = lower.lines().position(|line| line.contains(what)).unwrap_or_default();
            let cause = format!("'{what}' is there, and the page's own policy keeps a browser from it");
            let remedy = "take it out: these pages load nothing and run nothing";
            findings.push(Finding::warning("template-blocked", cause, remedy).at(Place::new(
                &one.file,
                line as u32 + 1,
                1,
            )));
        }
        if one.name == "style.css" {
            continue;
        }
        match Template::compile(&one.text) {
            Ok(template) => names(&template, one, &mut findings),
            Err(error) => {
                let (line, column) = error.pos().unwrap_or((1, 1));
                let remedy = "correct the braces; every {{#if}} and {{#each}} needs its {{/if}} and {{/each}}";
                let finding = Finding::error("template-syntax", error.reason().to_string(), remedy);
                findings.push(finding.at(Place::new(&one.file, line as u32, column as u32)));
            }
        }
        if !findings[before..].iter().any(Finding::is_error) {
            findings.extend(says_everything(pages, one));
        }
    }
    findings
}

/// Renders all that the page may have to say, and looks for what people need there.
fn says_everything(pages: &Pages, one: &Own) -> Option<Finding> {
    let (page, language) = one.name.split_once('.').map_or((one.name.as_str(), None), |(page, tag)| (page, Some(tag)));
    // The frame is seen around a page.
    let page = if page == "layout" { "confirm" } else { page };
    let refuse = |cause: String, remedy: &str| Some(Finding::error("template-page", cause, remedy).in_file(&one.file));
    let mut seen = BTreeSet::new();
    for (what, data) in samples(page) {
        let html = match pages.render(page, language, data) {
            Ok(html) => html,
            Err(fault) => return refuse(format!("it cannot be filled in: {}", fault.cause()), "correct the template"),
        };
        if page == "confirm" {
            let form =
                ["method=\"post\"", "name=\"nonce\" value=\"", "name=\"answer\" value=\"done\"", "name=\"typed\""];
            if let Some(part) = form.iter().find(|part| !html.contains(**part)) {
                return refuse(
                    format!("there is no {part} in it, so nobody can answer"),
                    "take the form from the built-in page as it is",
                );
            }
        }
        if !seen.insert(html) {
            return refuse(
                format!("it does not say what '{what}' is to say: the page looks like another one"),
                "write a part for it, as {{#if NAME}} … {{/if}}",
            );
        }
    }
    None
}

/// Every name has to be one that the page is given: `{{#if typo}}` is silent otherwise.
fn names(template: &Template, one: &Own, findings: &mut Vec<Finding>) {
    let page = one.name.split('.').next().unwrap_or_default();
    let known = samples::names(page);
    let mut walk = Walk { known: &known, raw: page == "layout", own: one, findings };
    walk.template(template, (1, 1));
}

struct Walk<'a> {
    known: &'a BTreeSet<String>,
    /// The stylesheet may stand there as it is.
    raw: bool,
    own: &'a Own,
    findings: &'a mut Vec<Finding>,
}

impl Walk<'_> {
    fn template(&mut self, template: &Template, outer: (usize, usize)) {
        for (n, element) in template.elements.iter().enumerate() {
            let at = template.mapping.get(n).map_or(outer, |mapping| (mapping.0, mapping.1));
            match element {
                TemplateElement::Expression(helper) => self.helper(helper, at),
                TemplateElement::HtmlExpression(helper) => {
                    if !(self.raw && helper.name.as_name() == Some("style")) {
                        let remedy = "write {{name}} with two braces, so that <, > and & arrive as what they are";
                        self.error(
                            "template-unescaped",
                            "this would go into the page unescaped".to_owned(),
                            remedy,
                            at,
                        );
                    }
                    self.helper(helper, at);
                }
                TemplateElement::HelperBlock(helper) => {
                    helper.params.iter().for_each(|param| self.value(param, at));
                    for inner in helper.template.iter().chain(&helper.inverse) {
                        self.template(inner, at);
                    }
                }
                TemplateElement::PartialBlock(partial) => {
                    partial.template.iter().for_each(|inner| self.template(inner, at));
                }
                _ => {}
            }
        }
    }

    fn helper(&mut self, helper: &HelperTemplate, at: (usize, usize)) {
        if helper.params.is_empty() {
            return self.value(&helper.name, at);
        }
        helper.params.iter().for_each(|param| self.value(param, at));
    }

    fn value(&mut self, param: &Parameter, at: (usize, usize)) {
        if let Parameter::Subexpression(inner) = param {
            if let TemplateElement::Expression(helper) = inner.as_element() {
                self.helper(helper, at);
            }
            return;
        }
        let Some(raw) = param.as_name().filter(|raw| !raw.starts_with('@')) else { return };
        let name = raw.trim_start_matches(['.', '/']).trim_start_matches("this").trim_start_matches(['.', '/']);
        if !name.is_empty() && !self.known.contains(&name.replace('/', ".")) {
            let nearest = self
                .known
                .iter()
                .max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)));
            let remedy = format!("did you mean '{}'?", nearest.map_or("", String::as_str));
            self.error("template-name", format!("there is no '{raw}' on this page"), &remedy, at);
        }
    }

    fn error(&mut self, code: &'static str, cause: String, remedy: &str, at: (usize, usize)) {
        let place = Place::new(&self.own.file, at.0 as u32, at.1 as u32);
        self.findings.push(Finding::error(code, cause, remedy).at(place));
    }
}
