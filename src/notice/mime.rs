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
use super::quoted::quoted_printable;
use super::{Attachment, Header, Rendered};
use crate::fault::{Fault, Result};
use lettre::address::Envelope;
use lettre::message::header::{self as field, ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, Message, MessageBuilder, MultiPart, MultiPartBuilder, SinglePart};
use memchr::memmem;

/// Text whose lines are no longer needs no encoding; 78 is what a line should keep to (RFC 5322 section 2.1.1).
const SHORT: usize = 76;

/// Puts text, HTML, calendar entry and attachments together. Attachments stay in their files: see [`Letter`].
pub fn compose(rendered: &Rendered, header: &Header) -> Result<Letter> {
    header.check()?;
    let marks = Marks::new(rendered, header);
    let builder = headers(rendered, header)?;
    let message = if header.attachments.is_empty() {
        match alternative(rendered, header, &marks)? {
            Some(alternative) => builder.multipart(alternative),
            None => builder.singlepart(text_part("text/plain; charset=utf-8", &rendered.text)?),
        }
    } else {
        let mixed = MultiPart::mixed().boundary(marks.boundary("mixed"));
        let mut mixed = match alternative(rendered, header, &marks)? {
            Some(alternative) => mixed.multipart(alternative),
            None => mixed.singlepart(text_part("text/plain; charset=utf-8", &rendered.text)?),
        };
        for (n, attachment) in header.attachments.iter().enumerate() {
            mixed = mixed.singlepart(attached(attachment, &marks.attachment(n))?);
        }
        builder.multipart(mixed)
    };
    let message = message.map_err(|error| refused(error.to_string()))?;
    split(&message.formatted(), &header.attachments, &marks)
}

fn headers(rendered: &Rendered, header: &Header) -> Result<MessageBuilder> {
    let to = Mailbox::new(named(&header.to.0), with_ascii_domain(&header.to.1)?);
    let from = Mailbox::new(header.from.name.as_deref().and_then(named), header.from.email.clone());
    let envelope = Envelope::new(Some(from.email.clone()), vec![to.email.clone()]);
    let mut builder = Message::builder().envelope(envelope.map_err(|error| refused(error.to_string()))?);
    // First, so that none of the fields below can be replaced by an extra one.
    for (name, value) in &header.extra {
        builder = builder.raw_header(raw(name, value)?);
    }
    builder = builder
        .date(header.date.into())
        .header(field::From::from(one(from)))
        .header(field::To::from(one(to)))
        .subject(rendered.subject.as_str())
        .message_id(Some(header.message_id.clone()));
    if let Some(reply_to) = &header.reply_to {
        builder = builder.header(field::ReplyTo::from(one(Mailbox::new(None, reply_to.clone()))));
    }
    if let Some(last) = header.references.last() {
        builder = builder.in_reply_to(last.clone()).references(header.references.join(" "));
    }
    // RFC 3834 section 5, and the same for Exchange: no machine should answer.
    Ok(builder
        .raw_header(raw("Auto-Submitted", header.submitted())?)
        .raw_header(raw("X-Auto-Response-Suppress", "OOF, AutoReply")?))
}

fn one(mailbox: Mailbox) -> lettre::message::Mailboxes {
    mailbox.into()
}

fn named(name: &str) -> Option<String> {
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

fn raw(name: &str, value: &str) -> Result<HeaderValue> {
    let name = HeaderName::new_from_ascii(name.to_owned()).map_err(|error| refused(error.to_string()))?;
    Ok(HeaderValue::new(name, value.to_owned()))
}

/// Text, HTML and calendar entry as equals; `None` where there is only text.
fn alternative(rendered: &Rendered, header: &Header, marks: &Marks) -> Result<Option<MultiPart>> {
    if rendered.html.is_none() && header.calendar.is_none() {
        return Ok(None);
    }
    let parts: MultiPartBuilder = MultiPart::alternative().boundary(marks.boundary("alternative"));
    let mut parts = parts.singlepart(text_part("text/plain; charset=utf-8", &rendered.text)?);
    if let Some(html) = &rendered.html {
        parts = parts.singlepart(text_part("text/html; charset=utf-8", html)?);
    }
    if let Some(calendar) = &header.calendar {
        let method = calendar.lines().find_map(|line| line.strip_prefix("METHOD:")).unwrap_or("REQUEST");
        parts = parts.singlepart(text_part(&format!("text/calendar; charset=utf-8; method={method}"), calendar)?);
    }
    Ok(Some(parts))
}

fn text_part(content_type: &str, text: &str) -> Result<SinglePart> {
    let lines = if text.contains('\r') { &text.replace("\r\n", "\n").replace('\r', "\n") } else { text };
    Ok(SinglePart::builder().content_type(media_type(content_type)?).body(encoded(lines.trim_end_matches('\n'))))
}

/// As it is where every line is short ASCII, else quoted-printable; what has few ASCII letters is shorter as base64, which
/// the builder makes.
fn encoded(text: &str) -> Body {
    let short = text.split('\n').all(|line| line.len() <= SHORT);
    if text.is_ascii() && short {
        return Body::dangerous_pre_encoded(text.replace('\n', "\r\n").into_bytes(), ContentTransferEncoding::SevenBit);
    }
    let foreign = text.bytes().filter(|byte| !byte.is_ascii()).count();
    if foreign * 3 > text.len() {
        return Body::new(text.replace('\n', "\r\n"));
    }
    Body::dangerous_pre_encoded(quoted_printable(text), ContentTransferEncoding::QuotedPrintable)
}

/// The part of one attachment, with a mark instead of its content.
fn attached(attachment: &Attachment, mark: &str) -> Result<SinglePart> {
    let body = Body::dangerous_pre_encoded(mark.as_bytes().to_vec(), ContentTransferEncoding::Base64);
    Ok(SinglePart::builder()
        .content_type(media_type(&attachment.mime)?)
        .header(Disposition::attachment(&attachment.shown_name))
        .body(body))
}

fn media_type(text: &str) -> Result<ContentType> {
    ContentType::parse(text).map_err(|error| refused(format!("'{text}' is no media type: {error}")))
}

/// Cuts the message where the marks stand and puts the files there.
fn split(message: &[u8], attachments: &[Attachment], marks: &Marks) -> Result<Letter> {
    let mut segments = Vec::new();
    let mut rest = message;
    for (n, attachment) in attachments.iter().enumerate() {
        let mark = marks.attachment(n);
        let at = memmem::find(rest, mark.as_bytes()).ok_or_else(|| refused("an attachment has no place in it"))?;
        segments.push(Segment::Bytes(rest[..at].to_vec()));
        segments.push(Segment::File {
            path: attachment.path.clone(),
            sha256: attachment.sha256.clone(),
            size: attachment.size,
            encoding: Encoding::Base64,
        });
        rest = &rest[at + mark.len()..];
    }
    segments.push(Segment::Bytes(rest.to_vec()));
    Letter::new(segments)
}

/// Boundaries and marks. They follow from the Message-ID, and from a number that grows until none of them stands in the
/// message's own text (RFC 2046 section 5.1.1).
struct Marks {
    seed: String,
}

impl Marks {
    fn new(rendered: &Rendered, header: &Header) -> Marks {
        let texts = [Some(&rendered.text), rendered.html.as_ref(), header.calendar.as_ref()];
        let holds = |text: &String, seed: &str| memmem::find(text.as_bytes(), seed.as_bytes()).is_some();
        let taken = |seed: &str| texts.iter().flatten().any(|text| holds(text, seed));
        let mut number = 0u32;
        loop {
            let seed = hash(&[&header.message_id, &number.to_string()]);
            if !taken(&seed) {
                return Marks { seed };
            }
            number += 1;
        }
    }

    /// `=_` cannot occur in base64 or quoted-printable.
    fn boundary(&self, kind: &str) -> String {
        format!("=_{kind}_{}", self.seed)
    }

    fn attachment(&self, n: usize) -> String {
        format!("attachment/{n}/{}", self.seed)
    }
}

fn refused(cause: impl std::fmt::Display) -> Fault {
    Fault::new("letter", format!("the message cannot be put together: {cause}"), "look at its notice with preview")
}

#[cfg(test)]
mod tests;
