//! One message as it came in, taken apart within limits: headers unfolded and decoded, parts in their order.
//!
//! Everything here is hostile (RFC 7103). What passes a limit is refused as a whole, never read by halves; a fault of
//! the parser below is caught at this edge.

use super::addresses;
use mail_parser::{Address, HeaderName, HeaderValue, Message, MessageParser, MessagePart, MimeHeaders, PartType};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

/// The most that is read of one message, in octets.
pub const SIZE: usize = 25 << 20;
const HEADERS: usize = 256 << 10;
const DEPTH: usize = 20;
const PARTS: usize = 1_000;
/// Lines that could begin a part, and words that could begin a message inside a message, before anything is parsed.
const DELIMITERS: usize = 200_000;
/// Text beyond this says nothing that counts, in characters a part.
pub(super) const TEXT: usize = 256 << 10;

/// Why a message is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    Empty,
    TooLarge,
    HeadersTooLong,
    TooManyParts,
    TooDeep,
}

impl Unreadable {
    pub fn words(self) -> &'static str {
        match self {
            Unreadable::Empty => "there is no message in it",
            Unreadable::TooLarge => "it is larger than 25 MiB",
            Unreadable::HeadersTooLong => "its headers are longer than 256 KiB",
            Unreadable::TooManyParts => "it has more than 1,000 parts",
            Unreadable::TooDeep => "its parts are nested more than 20 deep",
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InboundMessage {
    pub headers: Headers,
    /// Leaves, in their order. A message inside the message is one of them.
    pub parts: Vec<Part>,
    /// Which of them a reader sees as the text.
    pub shown: Vec<usize>,
    /// The parser did not bear it: what stands in it is one text, and who wrote which line of it nobody can tell.
    pub broken: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// `text/plain`, in lower case.
    pub kind: String,
    /// RFC 3676.
    pub flowed: bool,
    pub attached: bool,
    /// `method` of a calendar part, `report-type` and the like: parameters in lower case.
    pub parameters: Vec<(String, String)>,
    pub body: Body,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    Text(String),
    Html(String),
    Bytes(Vec<u8>),
    Message(Box<InboundMessage>),
}

/// Header fields in their order, names as written, values unfolded and decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<Field>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    name: String,
    value: String,
    /// Where the field holds addresses: those, in lower case.
    addresses: Vec<String>,
}

impl Headers {
    pub fn get<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value.as_str())
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|field| field.name.as_str())
    }

    /// The addresses of every field of this name.
    pub fn addresses<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let fields = self.0.iter().filter(move |field| field.name.eq_ignore_ascii_case(name));
        fields.flat_map(|field| field.addresses.iter().map(String::as_str))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl InboundMessage {
    pub fn parse(raw: &[u8]) -> Result<InboundMessage, Unreadable> {
        let raw = without_envelope_line(raw);
        within_limits(raw)?;
        let parsed = catch_unwind(AssertUnwindSafe(|| match parser().parse(raw) {
            Some(message) => convert(&message, DEPTH),
            None => Err(Unreadable::Empty),
        }));
        // Some nestings are more than the parser bears: such a letter is read as if it had no parts.
        parsed.unwrap_or_else(|_| Ok(without_parts(raw)))
    }

    /// Its header alone, of a message beyond the limits.
    pub fn header(raw: &[u8]) -> InboundMessage {
        let headers = InboundMessage::parse_headers(without_envelope_line(raw));
        InboundMessage { headers, ..InboundMessage::default() }
    }

    /// Only the header fields of a block: of a returned message, or of one recipient in a report.
    pub fn parse_headers(raw: &[u8]) -> Headers {
        let raw = &raw[..raw.len().min(HEADERS)];
        let parsed = catch_unwind(AssertUnwindSafe(|| {
            parser().parse_headers(raw).and_then(|message| message.parts.first().map(headers)).unwrap_or_default()
        }));
        parsed.unwrap_or_default()
    }

    pub fn subject(&self) -> &str {
        self.headers.get("Subject").unwrap_or_default()
    }

    /// The author's address, in lower case.
    pub fn from(&self) -> Option<&str> {
        self.headers.addresses("From").next()
    }

    /// Who has to answer for it: `From`, and `Sender` where there is one.
    pub fn authors(&self) -> impl Iterator<Item = &str> {
        self.headers.addresses("From").chain(self.headers.addresses("Sender"))
    }

    pub fn part(&self, kind: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.kind == kind)
    }

    /// `<>` in the envelope, as the delivering host noted it: nobody wants an answer to this.
    pub fn has_null_sender(&self) -> bool {
        self.headers.all("Return-Path").next().is_some_and(|path| path.split_whitespace().collect::<String>() == "<>")
    }

    /// The message inside this message.
    pub fn inner(&self) -> Option<&InboundMessage> {
        self.parts.iter().find_map(|part| match &part.body {
            Body::Message(inner) => Some(inner.as_ref()),
            _ => None,
        })
    }
}

impl Part {
    pub fn text(&self) -> Option<&str> {
        match &self.body {
            Body::Text(text) | Body::Html(text) => Some(text),
            Body::Bytes(_) | Body::Message(_) => None,
        }
    }

    /// The part's octets, decoded; nothing of a message inside the message.
    pub fn bytes(&self) -> &[u8] {
        match &self.body {
            Body::Text(text) | Body::Html(text) => text.as_bytes(),
            Body::Bytes(bytes) => bytes,
            Body::Message(_) => &[],
        }
    }

    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// The `From ` line of an mbox (RFC 4155), where a file begins with one; a byte-order mark likewise.
fn without_envelope_line(raw: &[u8]) -> &[u8] {
    let raw = raw.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(raw);
    let raw = raw.trim_ascii_start();
    match raw.starts_with(b"From ") {
        true => memchr::memchr(b'\n', raw).map_or(&[], |end| &raw[end + 1..]),
        false => raw,
    }
}

fn without_parts(raw: &[u8]) -> InboundMessage {
    let end = memchr::memmem::find(raw, b"\n\n").into_iter().chain(memchr::memmem::find(raw, b"\n\r\n")).min();
    let body = end.map_or(&[][..], |end| &raw[end..raw.len().min(end + TEXT)]);
    let body = Body::Text(String::from_utf8_lossy(body).into_owned());
    let part = Part { kind: "text/plain".to_owned(), flowed: false, attached: false, parameters: Vec::new(), body };
    InboundMessage { headers: InboundMessage::parse_headers(raw), parts: vec![part], shown: vec![0], broken: true }
}

fn within_limits(raw: &[u8]) -> Result<(), Unreadable> {
    if raw.is_empty() {
        return Err(Unreadable::Empty);
    }
    if raw.len() > SIZE {
        return Err(Unreadable::TooLarge);
    }
    if raw.len() > HEADERS {
        let head = &raw[..HEADERS];
        if memchr::memmem::find(head, b"\n\r\n").or_else(|| memchr::memmem::find(head, b"\n\n")).is_none() {
            return Err(Unreadable::HeadersTooLong);
        }
    }
    // Memory and the stack are at stake before the parser has counted anything.
    if memchr::memmem::find_iter(raw, b"\n--").take(DELIMITERS).count() == DELIMITERS {
        return Err(Unreadable::TooManyParts);
    }
    let nests = |at: usize| {
        let before = &raw[at.saturating_sub(9)..at];
        let word = |text: &[u8], word: &[u8]| text.len() >= word.len() && text.eq_ignore_ascii_case(word);
        let ends = |ending: &[u8]| before.len() >= ending.len() && word(&before[before.len() - ending.len()..], ending);
        (ends(b"message") && raw[at + 1..].get(..3).is_some_and(|next| !word(next, b"dis")))
            || (ends(b"multipart") && raw[at + 1..].get(..3).is_some_and(|next| word(next, b"dig")))
    };
    match memchr::memchr_iter(b'/', raw).filter(|at| nests(*at)).take(PARTS).count() == PARTS {
        true => Err(Unreadable::TooDeep),
        false => Ok(()),
    }
}

fn parser() -> &'static MessageParser {
    static PARSER: OnceLock<MessageParser> = OnceLock::new();
    PARSER.get_or_init(|| {
        let addresses = [
            HeaderName::From,
            HeaderName::Sender,
            HeaderName::ReplyTo,
            HeaderName::To,
            HeaderName::Cc,
            HeaderName::ResentTo,
        ];
        let parser = MessageParser::new().with_mime_headers().default_header_text().header_raw(HeaderName::ReturnPath);
        addresses.into_iter().fold(parser, MessageParser::header_address)
    })
}

fn convert(message: &Message, depth: usize) -> Result<InboundMessage, Unreadable> {
    if message.parts.len() > PARTS {
        return Err(Unreadable::TooManyParts);
    }
    if depth == 0 || deep(message) > DEPTH {
        return Err(Unreadable::TooDeep);
    }
    let headers = message.parts.first().map(headers).unwrap_or_default();
    let mut parts = Vec::new();
    let mut shown = Vec::new();
    for (id, part) in message.parts.iter().enumerate() {
        let body = match &part.body {
            PartType::Multipart(_) => continue,
            PartType::Text(text) => Body::Text(head(text).to_owned()),
            PartType::Html(text) => Body::Html(head(text).to_owned()),
            PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
                Body::Bytes(bytes[..bytes.len().min(TEXT)].to_vec())
            }
            PartType::Message(inner) => Body::Message(Box::new(convert(inner, depth - 1)?)),
        };
        if message.text_body.contains(&(id as u32)) && matches!(body, Body::Text(_) | Body::Html(_)) {
            shown.push(parts.len());
        }
        parts.push(leaf(part, body));
    }
    Ok(InboundMessage { headers, parts, shown, broken: false })
}

fn leaf(part: &MessagePart, body: Body) -> Part {
    let content = part.content_type();
    let kind = match (content, &body) {
        (Some(content), _) => {
            format!("{}/{}", content.ctype(), content.subtype().unwrap_or_default()).to_ascii_lowercase()
        }
        (None, Body::Message(_)) => "message/rfc822".to_owned(),
        (None, _) => "text/plain".to_owned(),
    };
    let parameters: Vec<_> = content
        .and_then(|content| content.attributes())
        .unwrap_or_default()
        .iter()
        .map(|one| (one.name.to_ascii_lowercase(), one.value.to_ascii_lowercase()))
        .collect();
    let flowed = parameters.iter().any(|(name, value)| name == "format" && value == "flowed");
    let attached = part.content_disposition().is_some_and(|disposition| disposition.is_attachment());
    Part { kind, flowed, attached, parameters, body }
}

/// How deep multiparts are nested in one message.
fn deep(message: &Message) -> usize {
    // A part stands behind the multipart that holds it, so one pass is enough.
    let mut depths = vec![1_usize; message.parts.len()];
    for (id, part) in message.parts.iter().enumerate() {
        for child in part.sub_parts().unwrap_or_default() {
            if let Some(depth) = depths.get(id).copied().filter(|_| *child as usize > id)
                && let Some(place) = depths.get_mut(*child as usize)
            {
                *place = depth + 1;
            }
        }
    }
    depths.into_iter().max().unwrap_or(0)
}

fn headers(part: &MessagePart) -> Headers {
    Headers(part.headers.iter().map(|header| field(header.name(), header.value())).collect())
}

fn field(name: &str, value: &HeaderValue) -> Field {
    let mut addresses = Vec::new();
    let value = match value {
        HeaderValue::Address(found) => {
            addresses = list(found);
            addresses.join(", ")
        }
        HeaderValue::Text(text) => one_line(text),
        HeaderValue::TextList(all) => all.join(", "),
        HeaderValue::ContentType(content) => match content.subtype() {
            Some(subtype) => format!("{}/{subtype}", content.ctype()).to_ascii_lowercase(),
            None => content.ctype().to_ascii_lowercase(),
        },
        HeaderValue::DateTime(_) | HeaderValue::Received(_) | HeaderValue::Empty => String::new(),
    };
    Field { name: name.to_owned(), value, addresses }
}

fn list(address: &Address) -> Vec<String> {
    let written = address.iter().filter_map(|one| one.address()).map(|text| text.trim().to_lowercase());
    written.filter(|address| address.len() <= addresses::LONGEST).collect()
}

/// Unfolded (RFC 5322 section 2.2.3), blanks run together.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn head(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT)]
}
