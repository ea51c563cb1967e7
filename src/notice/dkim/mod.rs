//! DKIM (RFC 6376): a signature over the final bytes of a letter, so that a receiving site can tell the real notice from
//! a forged one. Fixed when the letter is, and the same each time for the same letter: a second copy has the same bytes.
//!
//! ```text
//! letter -canonical-> header fields, digest of the body -key-> signature -> DKIM-Signature in front of the letter
//! ```

mod canonical;
mod key;
mod record;

pub use key::Key;

use super::letter::{Letter, Open, Segment};
use crate::campaign::Dkim;
use crate::fault::{Finding, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use canonical::{Body, field};
use chrono::{DateTime, Utc};
use lettre::Address;
use memchr::memmem;
use std::io::Write;

/// What is signed. Each name stands once more than the letter has the field, so that nobody can add a second one (RFC
/// 6376 sections 5.4.2 and 8.15).
const SIGNED: [&str; 19] = [
    "From",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Auto-Submitted",
    "List-Id",
    "List-Help",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Disposition-Notification-To",
    "Encoding",
];
/// Where a line of the signature is folded.
const LINE: usize = 76;

/// Signs for one domain.
#[derive(Debug)]
pub struct Signer {
    domain: String,
    selector: String,
    key: Key,
}

impl Signer {
    /// Reads the key.
    pub fn load(dkim: &Dkim) -> Result<Signer> {
        let (domain, selector) = (dkim.domain.clone(), dkim.selector.clone());
        Ok(Signer { domain, selector, key: Key::load(&dkim.key_file)? })
    }

    /// Making one takes most of a millisecond: many are not made while anybody waits for it.
    pub fn is_slow(&self) -> bool {
        self.key.is_slow()
    }

    /// The letter with its signature in front. Attachments are read once, and never held.
    pub fn sign(&self, letter: Letter, date: DateTime<Utc>, open: Open) -> Result<Letter> {
        let signature = self.signature(&letter, date, open)?;
        signed(letter, &signature)
    }

    /// The letter's signature, for [`signed`].
    pub fn signature(&self, letter: &Letter, date: DateTime<Utc>, open: Open) -> Result<String> {
        let Some(Segment::Bytes(first)) = letter.segments().first() else { return Ok(String::new()) };
        let mut body = Body::default();
        letter.write(&mut AfterHeader { body: &mut body, line: 0, begun: false }, open)?;
        let end = memmem::find(first, b"\r\n\r\n").map_or(first.len(), |at| at + 2);
        Ok(self.field(&String::from_utf8_lossy(&first[..end]), &body.digest(), date))
    }

    /// The field with its line end.
    fn field(&self, header: &str, body: &[u8], date: DateTime<Utc>) -> String {
        let fields = unfolded(header);
        let (mut names, mut signed) = (Vec::new(), String::new());
        for name in SIGNED {
            // From the last one up, as a verifier counts (section 5.4.2); then once more for the one that is not there.
            for text in fields.iter().rev().filter(|text| named(text, name)) {
                names.push(name);
                signed.push_str(&field(text));
            }
            names.push(name);
        }
        let mut text = format!(
            "DKIM-Signature: v=1; a={}; c=relaxed/relaxed; d={};\r\n\ts={}; t={};\r\n\th=",
            self.key.algorithm(),
            self.domain,
            self.selector,
            date.timestamp()
        );
        fold(&mut text, 3, names.join(":").split_inclusive(':'));
        text.push_str(&format!(";\r\n\tbh={};\r\n\tb=", STANDARD.encode(body)));
        // The field itself comes last, without a value in b= and without its line end (section 3.7).
        let own = field(&text);
        signed.push_str(own.trim_end_matches("\r\n"));
        let value = STANDARD.encode(self.key.sign(signed.as_bytes()));
        fold(
            &mut text,
            3,
            value.as_bytes().chunks(LINE - 8).map(|chunk| std::str::from_utf8(chunk).unwrap_or_default()),
        );
        text.push_str("\r\n");
        text
    }

    /// What `check` tells: the record to publish, and a sender that the signature does not speak for.
    pub fn remarks(&self, from: &Address) -> Vec<Finding> {
        let name = format!("{}._domainkey.{}", self.selector, self.domain);
        let cause = format!("mail is signed as {name}, {}", self.key.words());
        let remedy = format!("publish in DNS, unless it is there: {}", record::entry(&name, &self.key));
        let mut findings = vec![Finding::note("dkim-record", cause, remedy)];
        let sender = idna::domain_to_ascii(from.domain()).unwrap_or_else(|_| from.domain().to_owned());
        let within = sender.strip_suffix(&self.domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        if !within {
            let cause = format!("the signature of {} says nothing about mail from {sender}", self.domain);
            let remedy = "sign with the domain of [mail] from: receivers that check DMARC (RFC 7489) want them aligned";
            findings.push(Finding::warning("dkim-alignment", cause, remedy));
        }
        findings
    }
}

/// A letter with its signature in front.
pub fn signed(letter: Letter, signature: &str) -> Result<Letter> {
    let mut segments = letter.into_segments();
    if let Some(Segment::Bytes(first)) = segments.first_mut() {
        first.splice(..0, signature.bytes());
    }
    Letter::new(segments)
}

/// Each field with its folds and line end.
fn unfolded(header: &str) -> Vec<&str> {
    let mut fields = Vec::new();
    let mut start = 0;
    for (at, _) in header.match_indices("\r\n") {
        let next = at + 2;
        if !header[next..].starts_with([' ', '\t']) && start < next {
            fields.push(&header[start..next]);
            start = next;
        }
    }
    fields
}

fn named(field: &str, name: &str) -> bool {
    field.split_once(':').is_some_and(|(own, _)| own.trim_end().eq_ignore_ascii_case(name))
}

/// Adds pieces, with a fold before each one that would make the line too long. `column`: where the line stands.
fn fold<'a>(text: &mut String, column: usize, pieces: impl Iterator<Item = &'a str>) {
    let mut column = column;
    for piece in pieces {
        if column + piece.len() > LINE {
            text.push_str("\r\n\t ");
            column = 2;
        }
        text.push_str(piece);
        column += piece.len();
    }
}

/// Hands on what comes after the empty line.
struct AfterHeader<'a> {
    body: &'a mut Body,
    /// How much of CRLF CRLF has come.
    line: usize,
    begun: bool,
}

impl Write for AfterHeader<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut rest = bytes;
        while !self.begun {
            let Some((byte, after)) = rest.split_first() else { return Ok(bytes.len()) };
            self.line = match (*byte, self.line) {
                (b'\r', 0 | 2) | (b'\n', 1 | 3) => self.line + 1,
                (b'\r', _) => 1,
                _ => 0,
            };
            self.begun = self.line == 4;
            rest = after;
        }
        self.body.update(rest);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
