//! From one row to one person, with everything that is wrong in it.

use super::address::address;
use super::columns::{Column, Layout};
use super::complaints::Complaints;
use super::duplicates::Seen;
use super::field;
use super::person::Person;
use super::quoting;
use crate::campaign::Source;
use crate::fault::{Finding, Place};
use csv::StringRecord;
use lettre::Address;
use std::ops::Range;

/// Where the fields of the row that begins at `start` stand in the text.
pub(super) fn cells(text: &str, start: usize, delimiter: u8) -> Vec<Range<usize>> {
    let mut cells = Vec::new();
    let mut at = start;
    loop {
        let field = quoting::field(text.as_bytes(), at, delimiter);
        cells.push(field.span);
        if field.ends_row {
            return cells;
        }
        at = field.next;
    }
}

/// One row while it is read.
#[derive(Debug)]
pub(super) struct Row<'a, 'c> {
    pub(super) record: &'a StringRecord,
    /// Where the row begins in the text, in bytes.
    pub(super) start: usize,
    pub(super) delimiter: u8,
    pub(super) layout: &'a Layout,
    pub(super) source: &'a Source,
    /// For rows without a kind.
    pub(super) kind: Option<&'a str>,
    pub(super) complaints: &'a mut Complaints<'c>,
    /// An error was found in it.
    pub(super) faulty: bool,
}

impl<'a> Row<'a, '_> {
    /// The person of this row, or nothing where an error was found in it.
    pub(super) fn read(mut self, seen: &mut Seen) -> Option<Person> {
        self.characters();
        let (person, id_from) = self.person();
        self.duplicates(&person, id_from, seen);
        (!self.faulty && self.layout.usable).then_some(person)
    }

    /// What no field may hold, whatever its column.
    fn characters(&mut self) {
        for (index, text) in self.record.iter().enumerate() {
            if let Some(c) = field::forbidden(text, self.layout.is_extra(index)) {
                let cause = format!("this field holds {}", field::control_name(c));
                self.complain(index, Finding::error("control-character", cause, "write it without"));
            }
            if text.contains(char::REPLACEMENT_CHARACTER) {
                let cause = "a character of this field was lost in a conversion";
                self.complain(index, Finding::error("lost-character", cause, "write it again, or correct `encoding`"));
            }
        }
        for index in &self.layout.unnamed {
            if self.record.get(*index).is_some_and(|text| !text.trim().is_empty()) {
                let finding = Finding::error(
                    "value-without-header",
                    "this value stands in a column without a header",
                    "name the column",
                );
                self.complain(*index, finding);
            }
        }
    }

    /// The person as far as the row tells, and the column that serves as id. What is wrong has been complained of.
    fn person(&mut self) -> (Person, Option<Column>) {
        let email = self.email();
        let mailbox = self.checked(Column::Mailbox, |text| field::address_part("mailbox", "Q199676", text));
        let (id, id_from) = self.id(mailbox.as_deref(), email.as_ref());
        let person = Person {
            name: self.checked(Column::Name, field::name).unwrap_or_else(|| id.clone()),
            id,
            email,
            kind: self.kind(),
            mailbox,
            hexid: self.checked(Column::Hexid, field::hexid),
            mail_store: self.checked(Column::MailStore, field::mail_store).unwrap_or_default(),
            format: self.checked(Column::Format, field::format).unwrap_or_default(),
            language: self.checked(Column::Language, field::language),
            time_zone: self.checked(Column::TimeZone, field::time_zone),
            manager_email: self.address(Column::ManagerEmail),
            alternate_email: self.address(Column::AlternateEmail),
            network: self.checked(Column::Network, |text| field::address_part("network", "Q91044", text)),
            postoffice: self.checked(Column::Postoffice, |text| field::address_part("postoffice", "Q91044", text)),
            phone: self.text(Column::Phone).map(str::to_owned),
            extra: self.extra(),
            place: self.place(),
        };
        (person, id_from)
    }

    /// The id, else the mailbox, else the address; empty after a complaint.
    fn id(&mut self, mailbox: Option<&str>, email: Option<&Address>) -> (String, Option<Column>) {
        let from = [Column::Id, Column::Mailbox, Column::Email].into_iter().find(|column| self.text(*column).is_some());
        let id = match from {
            Some(Column::Id) => self.checked(Column::Id, field::id),
            Some(Column::Mailbox) => mailbox.map(str::to_owned),
            Some(_) if email.is_some() => self.checked(Column::Email, field::id),
            Some(_) => None,
            None => {
                if self.layout.usable {
                    let cause = "nothing tells this person apart: id, mailbox and email are empty";
                    self.complain_of_row(Finding::error("no-id", cause, "fill in one of them"));
                }
                None
            }
        };
        (id.unwrap_or_default(), from)
    }

    fn kind(&mut self) -> String {
        if let Some(text) = self.text(Column::Kind).or(self.kind) {
            return field::kind(text);
        }
        if let Some(index) = self.layout.index(Column::Kind) {
            let remedy = "fill it in, or state kind = \"…\" for the whole roster";
            self.complain(index, Finding::error("no-kind", "the kind of this person is empty", remedy));
        }
        String::new()
    }

    fn email(&mut self) -> Option<Address> {
        if let Some(index) = self.layout.index(Column::Email)
            && self.text(Column::Email).is_none()
        {
            let cause = "this person has no address: mail does not reach them, and every notice to them fails";
            self.complain(index, Finding::warning("no-address", cause, "fill in `email`, or tell them by hand"));
        }
        self.address(Column::Email)
    }

    fn address(&mut self, column: Column) -> Option<Address> {
        let (address, warnings) = self.checked(column, address)?;
        for warning in warnings {
            self.complain_of_column(column, warning);
        }
        Some(address)
    }

    fn extra(&self) -> std::collections::BTreeMap<String, String> {
        let value = |index: usize| self.record.get(index).map(str::trim).filter(|value| !value.is_empty());
        let columns = self.layout.extra.iter();
        columns.filter_map(|(index, name)| Some((name.clone(), value(*index)?.to_owned()))).collect()
    }

    /// An id or a mailbox that stands twice is an error; where one is taken from the other, it is said once.
    fn duplicates(&mut self, person: &Person, id_from: Option<Column>, seen: &mut Seen) {
        let line = self.place().line;
        let mailbox = seen.mailbox(person, line);
        let id = seen.id(person, line);
        let email = seen.email(person, line);
        let twice = [
            (Column::Mailbox, mailbox.clone()),
            (
                id_from.unwrap_or(Column::Id),
                id.clone().filter(|_| id_from != Some(Column::Mailbox) || mailbox.is_none()),
            ),
            (Column::Hexid, seen.hexid(person, line)),
            (Column::Email, email.filter(|_| id_from != Some(Column::Email) || id.is_none())),
        ];
        for (column, finding) in twice {
            if let Some(finding) = finding {
                self.complain_of_column(column, finding);
            }
        }
    }

    /// The trimmed text of a column; nothing where it is empty.
    fn text(&self, column: Column) -> Option<&'a str> {
        let text = self.record.get(self.layout.index(column)?)?.trim();
        (!text.is_empty()).then_some(text)
    }

    /// The value of a column by its rule. A field with a character that is not allowed has its complaint already.
    fn checked<T>(&mut self, column: Column, rule: impl FnOnce(&str) -> Result<T, Finding>) -> Option<T> {
        let text = self.text(column)?;
        if field::forbidden(text, false).is_some() {
            return None;
        }
        match rule(text) {
            Ok(value) => Some(value),
            Err(finding) => {
                self.complain_of_column(column, finding);
                None
            }
        }
    }

    fn complain_of_column(&mut self, column: Column, finding: Finding) {
        match self.layout.index(column) {
            Some(index) => self.complain(index, finding),
            None => self.complain_of_row(finding),
        }
    }

    fn complain(&mut self, index: usize, finding: Finding) {
        self.faulty |= finding.is_error();
        let cells = cells(self.source.text(), self.start, self.delimiter);
        let cell = cells.get(index).cloned().unwrap_or(self.start..self.start + 1);
        self.complaints.add(cell, finding);
    }

    fn complain_of_row(&mut self, finding: Finding) {
        self.faulty |= finding.is_error();
        self.complaints.add(self.start..self.start + 1, finding);
    }

    fn place(&self) -> Place {
        self.source.place(self.start)
    }
}
