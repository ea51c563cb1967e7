//! Where fields and rows begin and end, and every breach of the quoting rules (RFC 4180 §2), which the csv crate
//! would read in silence as something else.
//!
//! The boundaries agree with the csv crate's for every input, so that a complaint and a record speak of the same row.

use super::complaints::Complaints;
use crate::fault::Finding;
use std::collections::HashSet;
use std::ops::Range;

/// Bytes of one field, as the file holds it.
pub(super) const LONGEST_FIELD: usize = 64 * 1024;
/// Bytes of one row, and of one line: a complaint looks at the whole line it quotes.
pub(super) const LONGEST_ROW: usize = 256 * 1024;
/// Rows of one file, the header not counted.
pub(super) const MOST_ROWS: usize = 200_000;

/// One field as it stands in the file, quotes included.
#[derive(Debug)]
pub(super) struct RawField {
    pub(super) span: Range<usize>,
    /// Where the next field, or the next row, begins.
    pub(super) next: usize,
    pub(super) ends_row: bool,
    misquote: Option<Misquote>,
}

#[derive(Debug, PartialEq, Eq)]
enum Misquote {
    /// A quote inside a field that does not begin with one.
    Stray(usize),
    /// Text after the closing quote.
    After(usize),
    Unclosed,
}

/// The field that begins at `start`.
pub(super) fn field(bytes: &[u8], start: usize, delimiter: u8) -> RawField {
    let mut misquote = None;
    let mut at = start;
    let quoted = bytes.get(start) == Some(&b'"');
    if quoted {
        match closing_quote(bytes, start + 1) {
            None => {
                let end = bytes.len();
                return RawField { span: start..end, next: end, ends_row: true, misquote: Some(Misquote::Unclosed) };
            }
            Some(close) => at = close + 1,
        }
    }
    let end = memchr::memchr3(delimiter, b'\r', b'\n', &bytes[at..]).map_or(bytes.len(), |found| at + found);
    if quoted && end > at {
        misquote = Some(Misquote::After(at));
    } else if !quoted {
        misquote = memchr::memchr(b'"', &bytes[at..end]).map(|found| Misquote::Stray(at + found));
    }
    let next = match &bytes[end..] {
        [b'\r', b'\n', ..] => end + 2,
        [] => end,
        _ => end + 1,
    };
    RawField { span: start..end, next, ends_row: bytes.get(end) != Some(&delimiter), misquote }
}

/// The quote that closes the field; a doubled one stands for itself.
fn closing_quote(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let quote = at + memchr::memchr(b'"', &bytes[at..])?;
        if bytes.get(quote + 1) != Some(&b'"') {
            return Some(quote);
        }
        at = quote + 2;
    }
}

/// The first row at or after `at`: lines with nothing at all on them are no rows.
pub(super) fn row_start(bytes: &[u8], at: usize) -> usize {
    at + bytes[at..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
}

/// What the strict reading found.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Where the rows begin that are not to be used; each has its finding.
    pub(super) bad_rows: HashSet<usize>,
    /// The text is to be read up to here.
    pub(super) end: usize,
}

/// Reads the whole text strictly.
pub(super) fn scan(text: &str, delimiter: u8, complaints: &mut Complaints) -> Scan {
    if let Some(first) = text.find('\r').filter(|_| !text.contains('\n')) {
        complaints.add(first..first + 1, lone_return("every line of this file ends"));
        return Scan::default();
    }
    let text = &text[..readable(text, complaints)];
    let bytes = text.as_bytes();
    let mut scan = Scan { end: bytes.len(), ..Scan::default() };
    let mut rows = 0;
    let mut start = row_start(bytes, 0);
    while start < bytes.len() {
        if rows > MOST_ROWS {
            let cause = format!("the file has more than {MOST_ROWS} rows; nothing from here on was read");
            complaints
                .add(start..start + 1, Finding::error("too-many-rows", cause, "split the people over several rosters"));
            scan.end = start;
            break;
        }
        match scan_row(text, start, delimiter, &mut scan.bad_rows, complaints) {
            Some(next) => start = row_start(bytes, next),
            None => {
                scan.end = start;
                break;
            }
        }
        rows += 1;
    }
    scan
}

/// Up to where the text has lines of a bearable length.
fn readable(text: &str, complaints: &mut Complaints) -> usize {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if line.len() > LONGEST_ROW {
            complaints.add(start..start + 1, too_long("line"));
            return start;
        }
        start += line.len();
    }
    text.len()
}

fn too_long(what: &str) -> Finding {
    let cause = format!("this {what} has more than {LONGEST_ROW} bytes; nothing from here on was read");
    Finding::error("row-too-long", cause, "look for a missing line end or quote")
}

/// Reads one row; returns where the next one begins, or nothing where reading on makes no sense.
fn scan_row(
    text: &str,
    start: usize,
    delimiter: u8,
    bad_rows: &mut HashSet<usize>,
    complaints: &mut Complaints,
) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = start;
    loop {
        let field = field(bytes, at, delimiter);
        let end = field.span.end;
        if let Some(misquote) = &field.misquote {
            let (place, finding) = misquoted(text, &field, misquote);
            complaints.add(place, finding);
            bad_rows.insert(start);
        }
        if field.misquote == Some(Misquote::Unclosed) {
            return None;
        }
        if end - at > LONGEST_FIELD {
            let cause = format!("this field has {} bytes; {LONGEST_FIELD} are allowed", end - at);
            complaints
                .add(at..at + 1, Finding::error("field-too-long", cause, "shorten it, or look for a missing quote"));
            bad_rows.insert(start);
        }
        if end - start > LONGEST_ROW {
            complaints.add(start..start + 1, too_long("row"));
            return None;
        }
        if field.ends_row {
            if bytes.get(end) == Some(&b'\r') && field.next == end + 1 {
                complaints.add(end..end + 1, lone_return("this row ends"));
                // Both halves of what may have been one row.
                bad_rows.extend([start, row_start(bytes, field.next)]);
            }
            return Some(field.next);
        }
        at = field.next;
    }
}

fn misquoted(text: &str, field: &RawField, misquote: &Misquote) -> (Range<usize>, Finding) {
    let error = |cause: String, remedy: &str| Finding::error("quoting", cause, remedy);
    match *misquote {
        Misquote::Stray(at) => {
            let blank_before = text[field.span.start..at].trim().is_empty();
            let remedy = match blank_before {
                true => "remove the blanks before the quote",
                false => "put the whole field in quotes and double each quote inside it",
            };
            (at..at + 1, error("a quote inside a field that does not begin with one".into(), remedy))
        }
        Misquote::After(at) => {
            let breaks = text[field.span.start..at].matches('\n').count();
            let remedy = "double each quote inside a quoted field; nothing may follow the closing one";
            if breaks == 0 {
                let width = at..field.span.end;
                return (width, error("text after the closing quote of a field".into(), remedy));
            }
            let cause = format!("the quote opened here closes {breaks} lines further down, with text after it");
            (field.span.start..field.span.start + 1, error(cause, "close it where its field ends"))
        }
        Misquote::Unclosed => {
            let lines = text[field.span.clone()].lines().count().saturating_sub(1);
            let cause = format!("the quote opened here is never closed; lines after it that were not read: {lines}");
            (field.span.start..field.span.start + 1, error(cause, "close it where its field ends"))
        }
    }
}

fn lone_return(what: &str) -> Finding {
    let cause = format!("{what} in a carriage return without a line feed");
    Finding::error("line-end", cause, "save the file with the line ends of Windows or Unix")
}
