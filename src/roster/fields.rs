//! One field at a time: what each column may hold, and the person that a row's fields make.

use super::person::{Format, MailStore, Person};
use super::table::{Field, Row};
use crate::campaign::RosterFile;
use crate::fault::{Finding, Place};
use chrono_tz::Tz;
use lettre::Address;
use std::collections::BTreeMap;
use std::path::Path;

/// The columns with a meaning of their own.
pub(super) const KNOWN: [&str; 15] = [
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

/// Characters that no mailbox, network or postoffice name may hold (Q199676, Q91044).
const FORBIDDEN: &str = "~!@#$%^&*()_+-=`{}[]|\\:;\"'<>?,./ ";

/// Reads one row's fields, collecting every fault.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    file: &'a Path,
    columns: &'a [String],
    row: &'a Row,
    pub(super) faults: Vec<Finding>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a Path, columns: &'a [String], row: &'a Row) -> Self {
        let mut reader = Reader { file, columns, row, faults: Vec::new() };
        for field in &row.fields {
            // Any of these could end a mail header, turn text around or move a terminal's cursor.
            let bad = field.text.chars().find(|c| {
                c.is_control()
                    || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
            });
            if let Some(bad) = bad {
                let what = match bad {
                    '\n' => "a line break".to_owned(),
                    '\r' => "a carriage return".to_owned(),
                    other => format!("the control character U+{:04X}", u32::from(other)),
                };
                let cause = format!("{what} stands inside this field");
                reader.fault(field, "roster-control", cause, "write it on one line, without control characters");
            }
        }
        reader
    }

    /// The person, or none when a field is wrong.
    pub(super) fn person(&mut self, source: &RosterFile) -> Option<Person> {
        let email = self.address("email");
        let mailbox = self.name_of("mailbox");
        let id = self.text("id").or_else(|| mailbox.clone()).or_else(|| email.as_ref().map(ToString::to_string));
        let kind = self.text("kind").or_else(|| source.kind.clone());
        let person = Person {
            id: id.clone().unwrap_or_default(),
            name: self.text("name").or_else(|| id.clone()).unwrap_or_default(),
            kind: kind.clone().unwrap_or_default(),
            hexid: self.hexid(),
            mail_store: self.word(
                "mail_store",
                &[MailStore::Postoffice, MailStore::Local, MailStore::Dos, MailStore::Pst],
                MailStore::word,
            ),
            format: self.word("format", &[Format::Mime, Format::Rfc1154], Format::word),
            language: self.language(),
            time_zone: self.time_zone(),
            manager_email: self.address("manager_email"),
            alternate_email: self.address("alternate_email"),
            network: self.name_of("network"),
            postoffice: self.name_of("postoffice"),
            phone: self.text("phone"),
            extra: self.extra(),
            place: Place::new(self.file, self.row.line, 1),
            email,
            mailbox,
        };
        let start = Field { text: String::new(), line: self.row.line, column: 1 };
        match id {
            None => self.fault(&start, "roster-no-id", "this row has no id, mailbox or email", "give it one of them"),
            Some(_) => self.check_id(&person.id),
        }
        if kind.is_none() {
            let remedy = "fill in the column `kind`, or state `kind = \"…\"` for this roster";
            self.fault(&start, "roster-no-kind", "this row does not say what kind of person it is", remedy);
        }
        if person.email.is_none() && !self.faults.iter().any(|fault| fault.code == "roster-address") {
            let cause = format!("{} has no address: no notice reaches them", person.id);
            let remedy = "add one, or tell them another way and record it with `flagday ack`";
            self.faults.push(Finding::warning("roster-no-address", cause, remedy).at(person.place.clone()));
        }
        (!self.faults.iter().any(Finding::is_error)).then_some(person)
    }

    fn field(&self, column: &str) -> Option<&'a Field> {
        let at = self.columns.iter().position(|name| name == column)?;
        self.row.fields.get(at).filter(|field| !field.text.is_empty())
    }

    fn text(&self, column: &str) -> Option<String> {
        self.field(column).map(|field| field.text.clone())
    }

    fn extra(&self) -> BTreeMap<String, String> {
        let fields = self.columns.iter().zip(&self.row.fields);
        fields
            .filter(|(name, _)| !KNOWN.contains(&name.as_str()))
            .map(|(name, field)| (name.clone(), field.text.clone()))
            .collect()
    }

    fn check_id(&mut self, id: &str) {
        let Some(field) = self.field("id").or(self.field("mailbox")).or(self.field("email")) else { return };
        let bad = id.len() > 64
            || id.starts_with(['-', '.'])
            || id.contains("..")
            || id.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '\\'));
        if bad {
            let remedy = "up to 64 characters without blanks and slashes, not beginning with '-' or '.'";
            self.fault(field, "roster-id", format!("'{id}' cannot serve as an id"), remedy);
        }
    }

    fn address(&mut self, column: &str) -> Option<Address> {
        let field = self.field(column)?;
        let parsed: Result<Address, _> = field.text.parse();
        match parsed {
            Ok(address) if !address.domain().starts_with('[') && address.to_string().len() <= 254 => {
                if !address.domain().contains('.') {
                    let cause = format!("the domain '{}' has no dot", address.domain());
                    let finding = Finding::warning("roster-domain", cause, "right only inside one site");
                    self.faults.push(finding.at(Place::new(self.file, field.line, field.column)));
                }
                Some(address)
            }
            Ok(_) => {
                let remedy = "use a domain name, and at most 254 characters";
                self.fault(field, "roster-address", format!("'{}' is no usable address", field.text), remedy);
                None
            }
            Err(error) => {
                let cause = format!("'{}' is no mail address: {error}", field.text);
                self.fault(field, "roster-address", cause, "write name@domain");
                None
            }
        }
    }

    /// A mailbox, network or postoffice name of MS Mail: up to 10 characters, 7-bit, none of a list (Q86100, Q199676).
    fn name_of(&mut self, column: &str) -> Option<String> {
        let field = self.field(column)?;
        let bad = field.text.chars().find(|c| !c.is_ascii() || FORBIDDEN.contains(*c));
        if field.text.len() > 10 || bad.is_some() {
            let cause = match bad {
                Some(bad) => format!("'{bad}' may not stand in the {column} name '{}'", field.text),
                None => format!("the {column} name '{}' is longer than 10 characters", field.text),
            };
            let finding = Finding::error("roster-name", cause, "up to 10 letters and digits").article("Q199676");
            self.faults.push(finding.at(Place::new(self.file, field.line, field.column)));
            return None;
        }
        Some(field.text.clone())
    }

    fn hexid(&mut self) -> Option<String> {
        let field = self.field("hexid")?;
        if field.text.len() == 8 && field.text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Some(field.text.to_ascii_uppercase());
        }
        let remedy = "8 hex digits, as LISTUSER prints them; a spreadsheet may have cut leading zeros";
        let finding = Finding::error("roster-hexid", format!("'{}' is no hex id", field.text), remedy);
        self.faults.push(finding.article("Q99419").at(Place::new(self.file, field.line, field.column)));
        None
    }

    fn language(&mut self) -> Option<String> {
        let field = self.field("language")?;
        let mut parts = field.text.split('-');
        let primary =
            parts.next().is_some_and(|one| matches!(one.len(), 2 | 3) && one.bytes().all(|b| b.is_ascii_alphabetic()));
        if primary && parts.all(|one| matches!(one.len(), 2..=8) && one.bytes().all(|b| b.is_ascii_alphanumeric())) {
            return Some(field.text.clone());
        }
        self.fault(field, "roster-language", format!("'{}' is no language", field.text), "write de, en or pt-BR");
        None
    }

    fn time_zone(&mut self) -> Option<Tz> {
        let field = self.field("time_zone")?;
        if let Ok(zone) = field.text.parse() {
            return Some(zone);
        }
        let names = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
        let remedy = match nearest(&field.text, names) {
            Some(name) => format!("did you mean {name}?"),
            None => "write it as Europe/Berlin".to_owned(),
        };
        self.fault(field, "roster-time-zone", format!("'{}' is no time zone", field.text), remedy);
        None
    }

    fn word<T: Copy + Default>(&mut self, column: &str, all: &[T], word: fn(T) -> &'static str) -> T {
        let Some(field) = self.field(column) else { return T::default() };
        if let Some(value) = all.iter().find(|value| word(**value).eq_ignore_ascii_case(&field.text)) {
            return *value;
        }
        let words: Vec<_> = all.iter().map(|value| word(*value)).collect();
        let cause = format!("'{}' is no {column}", field.text);
        self.fault(field, "roster-word", cause, format!("one of {}", words.join(", ")));
        T::default()
    }

    fn fault(&mut self, field: &Field, code: &'static str, cause: impl Into<String>, remedy: impl Into<String>) {
        let place = Place::new(self.file, field.line, field.column);
        self.faults.push(Finding::error(code, cause, remedy).at(place));
    }
}

/// The candidate most like the word, if any is like it at all.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
