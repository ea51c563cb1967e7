//! CSV as RFC 4180 §2 has it, with every field's line and column. The `csv` crate reads more than that and says
//! nothing; here a stray quote, a lone CR or a quote that never closes is reported where it stands, and then the
//! crate reads what is left of the doubt.

use crate::fault::{Finding, Place};
use std::path::Path;

/// Longest field, in bytes.
const FIELD: usize = 64 * 1024;

/// One record with the place of each field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub line: u32,
    pub fields: Vec<Field>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub text: String,
    pub line: u32,
    pub column: u32,
}

/// The delimiter of the header line: the one of `,` `;` and tab that occurs most outside quotes.
pub(super) fn delimiter(text: &str) -> char {
    let mut quoted = false;
    let mut counts = [(',', 0), (';', 0), ('\t', 0)];
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            '\n' if !quoted => break,
            _ if !quoted => counts.iter_mut().filter(|(one, _)| *one == c).for_each(|(_, n)| *n += 1),
            _ => {}
        }
    }
    // Of equal counts the first in the list wins: a comma.
    counts.iter().rev().max_by_key(|(_, n)| n).map_or(',', |(c, _)| *c)
}

/// Where the bytes of the records stand: the line and column at which each field starts. `Err` when the quoting is not
/// RFC 4180's; the findings name every fault.
pub(super) fn positions(text: &str, delimiter: char, file: &Path) -> Result<Vec<Vec<(u32, u32)>>, Vec<Finding>> {
    let mut scan = Scan { line: 1, column: 1, ..Scan::default() };
    let mut faults = Vec::new();
    let mut rows: Vec<Vec<(u32, u32)>> = Vec::new();
    let mut row: Vec<(u32, u32)> = vec![(1, 1)];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let here = Place::new(file, scan.line, scan.column);
        let (line, column) = (scan.line, scan.column);
        match (scan.within, c) {
            (_, '\0') => faults.push(fault("roster-control", "a NUL character stands here", "remove it", here)),
            (Within::Start, '"') => {
                scan.within = Within::Quoted;
                scan.opened = (line, column);
            }
            (Within::Quoted, '"') if chars.peek() == Some(&'"') => {
                chars.next();
                scan.column += 1;
            }
            (Within::Quoted, '"') => scan.within = Within::Closed,
            (Within::Quoted, _) => {}
            (Within::Plain, '"') => {
                let remedy = "put the whole field in quotes and double the quotes inside it";
                faults.push(fault("roster-quote", "a quote stands inside a field that is not quoted", remedy, here));
            }
            (_, '\r') if chars.peek() != Some(&'\n') => {
                let cause = "a carriage return stands here without a line feed";
                faults.push(fault("roster-line-end", cause, "save the file with ordinary line ends", here));
            }
            (_, '\r') => {}
            (_, '\n') => {
                rows.push(std::mem::take(&mut row));
                row.push((line + 1, 1));
                scan.within = Within::Start;
            }
            (_, c) if c == delimiter => {
                row.push((line, column + 1));
                scan.within = Within::Start;
            }
            (Within::Closed, _) => {
                let remedy = "a closing quote ends the field: remove what follows, or double the quote";
                faults.push(fault("roster-quote", "text follows a closing quote", remedy, here));
                scan.within = Within::Plain;
            }
            (Within::Start, _) => scan.within = Within::Plain,
            (Within::Plain, _) => {}
        }
        if c == '\n' {
            scan.line += 1;
            scan.column = 1;
        } else {
            scan.column += 1;
        }
        if faults.len() >= 100 {
            return Err(faults);
        }
    }
    if matches!(scan.within, Within::Quoted) {
        let place = Place::new(file, scan.opened.0, scan.opened.1);
        faults.push(fault("roster-quote", "this quote is never closed", "close it", place));
    }
    if row.len() > 1 || scan.within != Within::Start {
        rows.push(row);
    }
    if faults.is_empty() { Ok(rows) } else { Err(faults) }
}

/// Every record of the text, the header first. Lines without a character are left out.
pub(super) fn rows(text: &str, delimiter: char, file: &Path) -> Result<Vec<Row>, Vec<Finding>> {
    let positions = positions(text, delimiter, file)?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter as u8)
        .from_reader(text.as_bytes());
    // The crate passes over empty lines; so do the positions.
    let starts = positions.into_iter().zip(lines_of_records(text)).filter(|(_, empty)| !empty).map(|(row, _)| row);
    let mut rows = Vec::new();
    for (record, starts) in reader.records().zip(starts) {
        let line = starts.first().map_or(1, |start| start.0);
        let record = record.map_err(|error| {
            let place = Place::new(file, line, 1);
            vec![fault("roster-csv", format!("this record cannot be read: {error}"), "correct it", place)]
        })?;
        let mut fields = Vec::new();
        for (text, start) in record.iter().zip(starts) {
            if text.len() > FIELD {
                let place = Place::new(file, start.0, start.1);
                let cause = format!("a field of {} bytes; {FIELD} is the most", text.len());
                return Err(vec![fault("roster-field", cause, "shorten it", place)]);
            }
            fields.push(Field { text: text.trim().to_owned(), line: start.0, column: start.1 });
        }
        rows.push(Row { line, fields });
    }
    Ok(rows)
}

/// For each record, in order, whether it is an empty line.
fn lines_of_records(text: &str) -> impl Iterator<Item = bool> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut quoted = false;
        let end = rest
            .bytes()
            .position(|byte| {
                quoted ^= byte == b'"';
                byte == b'\n' && !quoted
            })
            .map_or(rest.len(), |at| at + 1);
        let (record, after) = rest.split_at(end);
        rest = after;
        Some(record.trim_end_matches(['\r', '\n']).is_empty())
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Within {
    #[default]
    Start,
    Plain,
    Quoted,
    Closed,
}

#[derive(Debug, Default)]
struct Scan {
    line: u32,
    column: u32,
    within: Within,
    opened: (u32, u32),
}

fn fault(code: &'static str, cause: impl Into<String>, remedy: &str, place: Place) -> Finding {
    Finding::error(code, cause, remedy).at(place)
}
