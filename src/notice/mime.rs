//! A letter as MIME (RFC 2045 to 2049).
//!
//! ```text
//! mixed            where something is attached
//!   alternative    where there is HTML or a calendar entry
//!     text/plain
//!     text/html
//!     text/calendar; method=REQUEST (RFC 6047)
//!   attachments
//! ```
//! The same input makes the same bytes: nothing is drawn by chance, the boundaries follow from the Message-ID.

use super::disposition::Disposition;
use super::header::with_ascii_domain;
use super::letter::{Encoding, Letter, Segment};
use super::message_id::hash;
use super::quoted::{lines, quoted_printable, with_crlf};
use super::{Attachment, Header, Rendered};
use crate::fault::{Fault, Result};
use lettre::message::header::{self as field, ContentTransferEncoding, ContentType, HeaderName, HeaderValue, Headers};
use lettre::message::{Body, Mailbox, Mailboxes};
use memchr::memmem;

/// Text whose lines are no longer needs no encoding; 78 is what a line should keep to (RFC 5322 section 2.1.1).
const SHORT: usize = 76;

/// Bytes set aside for what stands around the texts.
const ROOM: usize = 1_000;

/// Puts text, HTML, calendar entry and attachments together. Attachments stay in their files: see [`Letter`].
pub fn compose(rendered: &Rendered, header: &Header) -> Result<Letter> {
    header.check()?;
    let seed = seed(rendered, header);
    let mut draft = Draft { bytes: fields(rendered, header)?.to_string().into_bytes(), segments: Vec::new() };
    draft.bytes.reserve(ROOM + rendered.text.len() + rendered.html.as_ref().map_or(0, String::len));
    if header.attachments.is_empty() {
        draft.words(rendered, header, &seed);
    } else {
        let mixed = draft.multipart("mixed", &seed);
        draft.next(&mixed);
        draft.words(rendered, header, &seed);
        for attachment in &header.attachments {
            draft.next(&mixed);
            draft.attach(attachment)?;
        }
        draft.end(&mixed);
    }
    draft.segments.push(Segment::Bytes(draft.bytes));
    Letter::new(draft.segments)
}

fn fields(rendered: &Rendered, header: &Header) -> Result<Headers> {
    let to = Mailbox::new(named(&header.to.0), with_ascii_domain(&header.to.1)?);
    let from = Mailbox::new(header.from.name.as_deref().and_then(named), header.from.email.clone());
    let mut fields = Headers::new();
    fields.set(field::Date::from(std::time::SystemTime::from(header.date)));
    fields.set(field::From::from(Mailboxes::from(from)));
    fields.set(field::To::from(Mailboxes::from(to)));
    fields.set(field::Subject::from(rendered.subject.clone()));
    fields.set(field::MessageId::from(header.message_id.clone()));
    if let Some(reply_to) = &header.reply_to {
        fields.set(field::ReplyTo::from(Mailboxes::from(Mailbox::new(None, reply_to.clone()))));
    }
    if let Some(last) = header.references.last() {
        fields.set(field::InReplyTo::from(last.clone()));
        fields.set(field::References::from(header.references.join(" ")));
    }
    // RFC 3834 section 5, and the same for Exchange: no machine should answer.
    fields.insert_raw(raw("Auto-Submitted", header.submitted()));
    fields.insert_raw(raw("X-Auto-Response-Suppress", "OOF, AutoReply"));
    fields.set(field::MIME_VERSION_1_0);
    Ok(fields)
}

fn named(name: &str) -> Option<String> {
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

fn raw(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// A letter as it is being written.
struct Draft {
    /// What follows the last file.
    bytes: Vec<u8>,
    segments: Vec<Segment>,
}

impl Draft {
    fn write(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Begins a part that holds others; returns its boundary (RFC 2046 section 5.1). `=_` cannot occur in base64 or
    /// quoted-printable.
    fn multipart(&mut self, kind: &str, seed: &str) -> String {
        let boundary = format!("=_{kind}_{seed}");
        self.write(&format!("Content-Type: multipart/{kind};\r\n boundary=\"{boundary}\"\r\n\r\n"));
        boundary
    }

    fn next(&mut self, boundary: &str) {
        self.write(&format!("--{boundary}\r\n"));
    }

    fn end(&mut self, boundary: &str) {
        self.write(&format!("--{boundary}--\r\n"));
    }

    /// Text, HTML and calendar entry as equals, or the text alone.
    fn words(&mut self, rendered: &Rendered, header: &Header, seed: &str) {
        if rendered.html.is_none() && header.calendar.is_none() {
            return self.text("text/plain; charset=utf-8", &rendered.text);
        }
        let alternative = self.multipart("alternative", seed);
        self.next(&alternative);
        self.text("text/plain; charset=utf-8", &rendered.text);
        if let Some(html) = &rendered.html {
            self.next(&alternative);
            self.text("text/html; charset=utf-8", html);
        }
        if let Some(calendar) = &header.calendar {
            let method = calendar.lines().find_map(|line| line.strip_prefix("METHOD:")).unwrap_or("REQUEST");
            self.next(&alternative);
            self.text(&format!("text/calendar; charset=utf-8; method={method}"), calendar);
        }
        self.end(&alternative);
    }

    fn text(&mut self, content_type: &str, text: &str) {
        let lines = if text.contains('\r') { &text.replace("\r\n", "\n").replace('\r', "\n") } else { text };
        let (encoding, body) = encoded(lines.trim_end_matches('\n'));
        self.write(&format!("Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"));
        self.bytes.extend_from_slice(&body);
        self.write("\r\n");
    }

    /// The part of one attachment, with its file between two segments.
    fn attach(&mut self, attachment: &Attachment) -> Result<()> {
        let media_type = ContentType::parse(&attachment.mime);
        let media_type = media_type.map_err(|error| refused(&attachment.mime, &error.to_string()))?;
        let mut fields = Headers::new();
        fields.set(media_type);
        fields.set(Disposition::attachment(&attachment.shown_name));
        fields.set(ContentTransferEncoding::Base64);
        self.write(&format!("{fields}\r\n"));
        self.segments.push(Segment::Bytes(std::mem::take(&mut self.bytes)));
        self.segments.push(Segment::File {
            path: attachment.path.clone(),
            sha256: attachment.sha256.clone(),
            size: attachment.size,
            encoding: Encoding::Base64,
        });
        self.write("\r\n");
        Ok(())
    }
}

/// As it is where every line is short ASCII, else quoted-printable; what has few ASCII letters is shorter as base64, which
/// the library makes.
fn encoded(text: &str) -> (ContentTransferEncoding, Vec<u8>) {
    let is_ascii = text.is_ascii();
    if is_ascii && lines(text).all(|line| line.len() <= SHORT) {
        return (ContentTransferEncoding::SevenBit, with_crlf(text));
    }
    if !is_ascii && text.bytes().filter(|byte| !byte.is_ascii()).count() * 3 > text.len() {
        let body = Body::new(text.replace('\n', "\r\n"));
        return (body.encoding(), body.into_vec());
    }
    (ContentTransferEncoding::QuotedPrintable, quoted_printable(text))
}

/// What makes the boundaries this letter's own. It follows from the Message-ID, and from a number that grows until it does
/// not stand in the message's own text (RFC 2046 section 5.1.1).
fn seed(rendered: &Rendered, header: &Header) -> String {
    let texts = [Some(&rendered.text), rendered.html.as_ref(), header.calendar.as_ref()];
    let taken =
        |seed: &String| texts.iter().flatten().any(|text| memmem::find(text.as_bytes(), seed.as_bytes()).is_some());
    let mut seeds = (0u32..).map(|number| hash(&[&header.message_id, &number.to_string()]));
    seeds.find(|seed| !taken(seed)).expect("a text holds only so many of them")
}

fn refused(media_type: &str, error: &str) -> Fault {
    let cause = format!("the message cannot be put together: '{media_type}' is no media type: {error}");
    Fault::new("letter", cause, "look at its notice with preview")
}

#[cfg(test)]
mod tests;
