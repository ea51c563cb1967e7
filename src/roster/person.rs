//! One person of the rosters.

use crate::fault::Place;
use chrono_tz::Tz;
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// Unique in the campaign without regard to case. Up to 64 characters, none of them blank, `/` or `\`.
    pub id: String,
    /// Where the roster has none: the id.
    pub name: String,
    /// Absent: mail does not reach them; every notice to them fails with that reason and a human takes over.
    pub email: Option<lettre::Address>,
    /// `local`, `remote`, `async-admin`, or the campaign's own word.
    pub kind: String,
    /// Up to 10 characters (MS Mail).
    pub mailbox: Option<String>,
    /// 8 upper-case hex digits, the name of the person's files in a postoffice (MS Mail).
    pub hexid: Option<String>,
    pub mail_store: MailStore,
    pub format: Format,
    pub language: Option<String>,
    pub time_zone: Option<Tz>,
    pub manager_email: Option<lettre::Address>,
    pub alternate_email: Option<lettre::Address>,
    pub network: Option<String>,
    pub postoffice: Option<String>,
    pub phone: Option<String>,
    /// Every other column that is not empty, by its header. The only values that may hold line breaks and tabs: they
    /// are for the body of a message, never for its header.
    pub extra: BTreeMap<String, String>,
    pub place: Place,
}

/// Where a mailbox's downloaded mail is kept (MS Mail).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MailStore {
    #[default]
    Postoffice,
    /// An MMF on the person's own machine.
    Local,
    Dos,
    Pst,
}

/// What the person's mail system can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    #[default]
    Mime,
    /// The MS Mail SMTP gateway: RFC 1154 and uuencode.
    Rfc1154,
}

impl Person {
    /// Somebody of whom only this is known. Without a name of their own they are called by their id.
    pub fn named(id: &str, kind: &str, place: Place) -> Person {
        Person {
            id: id.to_owned(),
            name: id.to_owned(),
            email: None,
            kind: kind.to_owned(),
            mailbox: None,
            hexid: None,
            mail_store: MailStore::default(),
            format: Format::default(),
            language: None,
            time_zone: None,
            manager_email: None,
            alternate_email: None,
            network: None,
            postoffice: None,
            phone: None,
            extra: BTreeMap::new(),
            place,
        }
    }

    /// The column's value as an audience, a template or a report sees it; `None` where the person has none.
    pub fn column(&self, name: &str) -> Option<String> {
        let text = |value: &Option<String>| value.clone();
        let address = |value: &Option<lettre::Address>| value.as_ref().map(ToString::to_string);
        match name {
            "id" => Some(self.id.clone()),
            "name" => Some(self.name.clone()),
            "email" => address(&self.email),
            "kind" => Some(self.kind.clone()),
            "mailbox" => text(&self.mailbox),
            "hexid" => text(&self.hexid),
            "mail_store" => Some(self.mail_store.word().to_owned()),
            "format" => Some(self.format.word().to_owned()),
            "language" => text(&self.language),
            "time_zone" => self.time_zone.map(|zone| zone.name().to_owned()),
            "manager_email" => address(&self.manager_email),
            "alternate_email" => address(&self.alternate_email),
            "network" => text(&self.network),
            "postoffice" => text(&self.postoffice),
            "phone" => text(&self.phone),
            other => self.extra.get(other).cloned(),
        }
    }
}

impl MailStore {
    pub fn word(self) -> &'static str {
        match self {
            MailStore::Postoffice => "postoffice",
            MailStore::Local => "local",
            MailStore::Dos => "dos",
            MailStore::Pst => "pst",
        }
    }
}

impl Format {
    pub fn word(self) -> &'static str {
        match self {
            Format::Mime => "mime",
            Format::Rfc1154 => "rfc1154",
        }
    }
}
