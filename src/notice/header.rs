//! What stands on the outside of a letter, checked once for every way of writing it.

use crate::campaign::{LONGEST_NAME, is_unsafe_in_header};
use crate::fault::{Fault, Finding, Result};
use chrono::{DateTime, Utc};
use lettre::Address;
use lettre::message::Mailbox;
use std::path::PathBuf;

#[derive(Debug, Clone)]
pub struct Header {
    pub from: Mailbox,
    /// Name and address of the one recipient.
    pub to: (String, Address),
    pub reply_to: Option<Address>,
    /// With its angle brackets; fixed when the message is planned.
    pub message_id: String,
    /// Fixed when the message is planned.
    pub date: DateTime<Utc>,
    /// Message-IDs of earlier messages to the same person, oldest first: a reminder belongs to its notice.
    pub references: Vec<String>,
    /// It replies to a letter of the recipient's (`auto-replied`, RFC 3834 section 5), and is no letter of its own accord.
    pub answers: bool,
    pub attachments: Vec<Attachment>,
    /// A calendar object with `METHOD`, from [`calendar`](super::calendar).
    pub calendar: Option<String>,
}

/// A file that goes along. Its bytes stay where they are until the letter is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The name the person sees.
    pub shown_name: String,
    /// As `application/zip`.
    pub mime: String,
    pub path: PathBuf,
    /// 64 lower-case hex digits.
    pub sha256: String,
    /// In bytes.
    pub size: u64,
}

/// Whether this can stand where a Message-ID stands, with its angle brackets.
pub fn is_message_id(id: &str) -> bool {
    let inner = id.strip_prefix('<').and_then(|id| id.strip_suffix('>')).unwrap_or_default();
    let graphic = inner.bytes().all(|c| c.is_ascii_graphic() && c != b'<' && c != b'>');
    graphic && inner.contains('@') && id.len() <= 400
}

impl Header {
    /// What `Auto-Submitted` says (RFC 3834 section 5).
    pub(super) fn submitted(&self) -> &'static str {
        if self.answers { "auto-replied" } else { "auto-generated" }
    }

    /// Refuses what must not reach a header line. Rosters are checked when they are read; this is the last door, because
    /// the builder below panics at a line break in a name.
    pub(super) fn check(&self) -> Result<()> {
        let mut findings = Vec::new();
        let mut refuse = |cause: String| {
            let remedy = "correct the row of the roster or the line of flagday.toml that it comes from";
            findings.push(Finding::error("header", cause, remedy));
        };
        let named = [("sender", self.from.name.as_deref().unwrap_or_default()), ("recipient", &self.to.0)];
        for (who, name) in named {
            if name.chars().any(is_unsafe_in_header) || name.len() > LONGEST_NAME {
                let shown: String = name.chars().filter(|c| !is_unsafe_in_header(*c)).take(40).collect();
                refuse(format!(
                    "the {who}'s name ({shown}…) holds a control character or has more than {LONGEST_NAME} bytes"
                ));
            }
        }
        for (who, address) in [("sender", Some(&self.from.email)), ("reply", self.reply_to.as_ref())] {
            let text: &str = address.map_or("", AsRef::as_ref);
            if !text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
                refuse(format!("the {who} address is not ASCII: mail servers cannot be relied on to take it"));
            }
        }
        let to: &str = self.to.1.as_ref();
        if to.chars().any(is_unsafe_in_header) {
            refuse("the recipient's address holds a control character".to_owned());
        }
        for id in self.references.iter().chain([&self.message_id]) {
            if !is_message_id(id) {
                refuse(format!("{id:?} is no Message-ID"));
            }
        }
        for attachment in &self.attachments {
            let name = &attachment.shown_name;
            let parts = |c: char| is_unsafe_in_header(c) || matches!(c, '"' | '\\' | '/' | ':');
            if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(parts) {
                refuse(format!("{name:?} cannot be the name of an attachment"));
            }
        }
        // Years outside of these four digits have no place in a Date field.
        if !(0..253_402_300_800).contains(&self.date.timestamp()) {
            refuse(format!("{} is no date for a message", self.date));
        }
        Fault::check(findings).map(|_| ())
    }
}

/// The address with its domain in ASCII (RFC 5890): any mail program can show and answer it. A local part beyond ASCII
/// stays, and the message then needs a server that offers SMTPUTF8 (RFC 6532).
pub(super) fn with_ascii_domain(address: &Address) -> Result<Address> {
    let refused = |_| Finding::error("header", format!("'{address}' has a domain that DNS cannot hold"), "correct it");
    let domain = idna::domain_to_ascii(address.domain()).map_err(refused)?;
    let bad = |_| Finding::error("header", format!("'{address}' is no mail address"), "correct it");
    Ok(Address::new(address.user(), domain).map_err(bad)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::sample;

    #[test]
    fn what_must_not_reach_a_header_is_refused_all_at_once() {
        let mut header = sample::header();
        header.check().unwrap();
        header.from.name = Some("Mail\r\nBcc: a@b.example".to_owned());
        header.to.0 = "Kim\nLee".to_owned();
        header.to.1 = Address::new_dangerous("kim\n", "corp.example");
        header.reply_to = Some(Address::new_dangerous("a\r\nb", "corp.example"));
        header.message_id = "<a b@corp.example>".to_owned();
        header.references = vec!["<>".to_owned()];
        header.attachments[0].shown_name = "../KIM.ZIP".to_owned();
        header.date = DateTime::from_timestamp(-1, 0).unwrap();
        let fault = header.check().unwrap_err();
        assert_eq!(fault.findings.len(), 8, "{fault}");
    }
}
