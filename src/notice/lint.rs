//! Reads a template before anybody renders it: every name has to exist, every helper and partial has to be known, and
//! nothing in HTML may go unescaped. Strict rendering alone is silent about `{{#if typo}}`.

use super::shape::{CONTEXT, Found, Shape, names, segments};
use crate::fault::{Finding, Place};
use handlebars::Template;
use handlebars::template::{DecoratorTemplate, HelperTemplate, Parameter, TemplateElement};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Block helpers, with the one value they take.
const BLOCKS: [&str; 4] = ["if", "unless", "each", "with"];
/// Helpers that compute a value, and how many values they take.
const VALUES: [(&str, usize); 10] =
    [("eq", 2), ("ne", 2), ("gt", 2), ("gte", 2), ("lt", 2), ("lte", 2), ("and", 2), ("or", 2), ("not", 1), ("len", 1)];
/// What there is for a template to use.
pub(super) struct Vocabulary<'a> {
    pub facts: &'a [String],
    pub partials: &'a BTreeMap<String, (&'a Template, &'a Path)>,
    pub html: bool,
}

/// What was found in one template and its partials.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub findings: Vec<Finding>,
    /// Columns that the rosters must have, and where they are named.
    pub columns: BTreeSet<(Place, String)>,
    pub partials: BTreeSet<String>,
}

pub(super) fn lint(template: &Template, file: &Path, vocabulary: &Vocabulary) -> Report {
    let mut walk = Walk { vocabulary, file, scopes: vec![CONTEXT], open: Vec::new(), report: Report::default() };
    walk.template(template, (1, 1));
    walk.report
}

struct Walk<'a> {
    vocabulary: &'a Vocabulary<'a>,
    file: &'a Path,
    /// What plain names stand in, innermost last.
    scopes: Vec<Shape>,
    /// The partials being read, outermost first.
    open: Vec<String>,
    report: Report,
}

type At = (usize, usize);

impl Walk<'_> {
    fn template(&mut self, template: &Template, outer: At) {
        for (n, element) in template.elements.iter().enumerate() {
            // The branch of an `{{else if}}` has no position of its own.
            let at = template.mapping.get(n).map_or(outer, |mapping| (mapping.0, mapping.1));
            match element {
                TemplateElement::RawString(_) | TemplateElement::Comment(_) => {}
                TemplateElement::Expression(helper) => self.expression(helper, at),
                TemplateElement::HtmlExpression(helper) => {
                    if self.vocabulary.html {
                        let remedy = "write {{name}} with two braces, so that <, > and & arrive as what they are";
                        self.error(
                            at,
                            "template-unescaped",
                            "this would go into the HTML unescaped".to_owned(),
                            remedy,
                        );
                    }
                    self.expression(helper, at);
                }
                TemplateElement::HelperBlock(helper) => self.block(helper, at),
                TemplateElement::PartialExpression(partial) => self.partial(partial, at),
                // Partials with a block, decorators, and whatever a later parser brings.
                _ => {
                    let cause = "partials with a block and decorators are not used here".to_owned();
                    self.error(at, "template-syntax", cause, "use a plain partial, as {{> footer}}");
                }
            }
        }
    }

    fn expression(&mut self, helper: &HelperTemplate, at: At) {
        if helper.params.is_empty() && helper.hash.is_empty() {
            let shape = match &helper.name {
                Parameter::Subexpression(_) => self.value(&helper.name, at),
                name => name.as_name().and_then(|name| self.name(name, at)),
            };
            if shape.is_some_and(|shape| shape != Shape::Value) {
                let cause = format!("'{}' is a group of names, not a value", helper.name.as_name().unwrap_or_default());
                self.error(at, "template-name", cause, "name one of its values, as person.name");
            }
        } else {
            self.helper(helper, at);
        }
    }

    /// A helper that computes a value.
    fn helper(&mut self, helper: &HelperTemplate, at: At) {
        let name = helper.name.as_name().unwrap_or_default();
        match VALUES.iter().find(|(known, _)| *known == name) {
            Some((_, count)) if *count == helper.params.len() && helper.hash.is_empty() => {}
            Some((_, count)) => {
                self.error(
                    at,
                    "template-helper",
                    format!("'{name}' takes {count} values"),
                    "write them after its name",
                );
            }
            None => {
                let known: Vec<_> = VALUES.iter().map(|(name, _)| (*name).to_owned()).collect();
                self.error(at, "template-helper", format!("there is no helper '{name}' here"), &names(name, &known));
            }
        }
        for param in &helper.params {
            self.value(param, at);
        }
    }

    fn block(&mut self, helper: &HelperTemplate, at: At) {
        let name = helper.name.as_name().unwrap_or_default();
        let hash_known = helper.hash.keys().all(|key| key == "includeZero");
        if !BLOCKS.contains(&name) {
            let known = BLOCKS.map(str::to_owned);
            self.error(at, "template-helper", format!("there is no block '{name}' here"), &names(name, &known));
        } else if helper.params.len() != 1 || helper.block_param.is_some() || !hash_known {
            let cause = format!("'{name}' takes one value and nothing else");
            self.error(at, "template-helper", cause, "write {{#if name}} or {{#each list}}; inside each, plain names");
        }
        let shape = helper.params.first().and_then(|param| self.value(param, at));
        let inner = match name {
            "each" => shape.and_then(Shape::item),
            "with" => shape,
            _ => None,
        };
        let opens_scope = matches!(name, "each" | "with");
        if name == "each" && shape.is_some() && inner.is_none() {
            let cause = "there is nothing to go through in this value".to_owned();
            self.error(at, "template-name", cause, "each takes a list, as package.files, or a group, as facts");
        }
        // Inside something unknown every name would be unknown: one finding is enough.
        if let Some(template) = helper.template.as_ref().filter(|_| !opens_scope || inner.is_some()) {
            self.scopes.extend(inner);
            self.template(template, at);
            if inner.is_some() {
                self.scopes.pop();
            }
        }
        if let Some(template) = &helper.inverse {
            self.template(template, at);
        }
    }

    fn partial(&mut self, partial: &DecoratorTemplate, at: At) {
        let name = partial.name.as_name().unwrap_or_default().to_owned();
        let found = self.vocabulary.partials.get(&name).copied();
        let Some((template, file)) = found else {
            let known: Vec<_> = self.vocabulary.partials.keys().cloned().collect();
            self.error(at, "template-partial", format!("there is no partial '{name}'"), &names(&name, &known));
            return;
        };
        if self.scopes.len() > 1 || !partial.params.is_empty() || !partial.hash.is_empty() {
            let cause = "a partial always sees everything, so it takes no values and stands outside each and with";
            self.error(at, "template-partial", cause.to_owned(), "write {{> name}}, or move the each into the partial");
        }
        if self.open.contains(&name) {
            self.error(at, "template-partial", format!("the partial '{name}' holds itself"), "take it out");
            return;
        }
        self.report.partials.insert(name.clone());
        let outer = std::mem::replace(&mut self.file, file);
        let scopes = std::mem::replace(&mut self.scopes, vec![CONTEXT]);
        self.open.push(name);
        self.template(template, (1, 1));
        self.open.pop();
        self.scopes = scopes;
        self.file = outer;
    }

    fn value(&mut self, param: &Parameter, at: At) -> Option<Shape> {
        match param {
            Parameter::Literal(_) => Some(Shape::Value),
            Parameter::Subexpression(expression) => {
                if let TemplateElement::Expression(helper) = expression.as_element() {
                    self.helper(helper, at);
                }
                Some(Shape::Value)
            }
            named => named.as_name().and_then(|name| self.name(name, at)),
        }
    }

    /// What a name stands for where it is written: `person.name`, `this`, `../campaign.name`, `@root.campaign.name`.
    fn name(&mut self, raw: &str, at: At) -> Option<Shape> {
        let mut depth = self.scopes.len();
        let mut rest = raw;
        if let Some(local) = raw.strip_prefix('@') {
            match local.strip_prefix("root") {
                Some(path) => (depth, rest) = (1, path.trim_start_matches(['.', '/'])),
                None if depth > 1 && matches!(local, "index" | "key" | "first" | "last") => return Some(Shape::Value),
                None => {
                    let remedy = "@index, @key, @first and @last stand inside each; @root everywhere";
                    self.error(at, "template-name", format!("there is no '{raw}' here"), remedy);
                    return None;
                }
            }
        }
        while let Some(outer) = rest.strip_prefix("..") {
            depth = depth.saturating_sub(1);
            rest = outer.trim_start_matches('/');
        }
        let mut shape = self.scopes.get(depth.wrapping_sub(1)).copied().unwrap_or(CONTEXT);
        for field in segments(rest) {
            shape = match shape.field(field, self.vocabulary.facts) {
                Found::Shape(found) => found,
                Found::Column => {
                    let place = self.place(at);
                    self.report.columns.insert((place, field.to_owned()));
                    Shape::Value
                }
                Found::Unknown(known) => {
                    self.error(at, "template-name", format!("there is no '{raw}' here"), &names(field, &known));
                    return None;
                }
            };
        }
        Some(shape)
    }

    fn place(&self, at: At) -> Place {
        Place::new(self.file, at.0 as u32, at.1 as u32)
    }

    fn error(&mut self, at: At, code: &'static str, cause: String, remedy: &str) {
        let place = self.place(at);
        self.report.findings.push(Finding::error(code, cause, remedy).at(place));
    }
}

#[cfg(test)]
mod tests;
