//! One roster from its bytes: text, delimiter, quoting, header, rows.

use super::columns::{Column, Layout, MOST_COLUMNS};
use super::complaints::Complaints;
use super::duplicates::Seen;
use super::encoding;
use super::people::Roster;
use super::person::Person;
use super::quoting::{self, Scan};
use super::row::{Row, cells};
use crate::campaign::{RosterFile, Source};
use crate::fault::{Finding, Place};
use csv::StringRecord;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// The people of the rosters read so far.
#[derive(Debug, Default)]
pub struct Builder {
    people: Vec<Arc<Person>>,
    columns: BTreeSet<String>,
    seen: Seen,
    findings: Vec<Finding>,
    incomplete: bool,
}

impl Builder {
    /// A file that could not be read.
    pub(super) fn unreadable(&mut self, finding: Finding) {
        self.incomplete = true;
        self.findings.push(finding);
    }

    /// Everybody, and everything there is to say about the rosters.
    pub fn finish(self) -> (Roster, Vec<Finding>) {
        (Roster::read(self.people, self.columns, self.incomplete), self.findings)
    }
}

/// Reads one roster from its bytes. `shown`: the file as findings name it.
pub fn parse(bytes: &[u8], shown: &Path, file: &RosterFile, into: &mut Builder) {
    let decoded = match encoding::decode(bytes, file.encoding) {
        Ok(decoded) => decoded,
        Err(finding) => return into.unreadable(finding.at(Place::new(shown, 1, 1))),
    };
    let text = decoded.text.trim_start_matches('\u{FEFF}');
    let source = Source::new(shown.to_path_buf(), text.to_owned());
    let mut complaints = Complaints::new(&source);
    if let Some((at, finding)) = decoded.finding {
        into.incomplete |= finding.is_error();
        complaints.add(at..at + 1, finding);
    }
    into.seen.open(shown.display().to_string());
    let delimiter = delimiter(source.text(), file);
    let scan = quoting::scan(source.text(), delimiter, &mut complaints);
    into.incomplete |= scan.end < source.text().len();
    Reading { source: &source, delimiter, scan, file, in_doubt: decoded.in_doubt }.rows(into, &mut complaints);
    into.findings.extend(complaints.into_findings());
}

/// The delimiter of the header line: of comma, semicolon and tab, the one that yields most known headers, then most
/// headers.
fn delimiter(text: &str, file: &RosterFile) -> u8 {
    let head = &text[..text.floor_char_boundary(quoting::LONGEST_ROW)];
    let start = quoting::row_start(head.as_bytes(), 0);
    let mapped: Vec<String> = file.columns.values().map(|header| header.trim().to_lowercase()).collect();
    let known = |header: &str| {
        let header = header.trim_matches(|c: char| c.is_whitespace() || c == '"');
        Column::from_word(header).is_some() || mapped.contains(&header.to_lowercase())
    };
    let score = |delimiter: u8| {
        let cells = cells(head, start, delimiter);
        (cells.iter().filter(|cell| known(&head[(*cell).clone()])).count(), cells.len())
    };
    // The last of equals wins, and the comma is the standard's.
    [b'\t', b';', b','].into_iter().max_by_key(|delimiter| score(*delimiter)).unwrap_or(b',')
}

struct Reading<'a> {
    source: &'a Source,
    delimiter: u8,
    scan: Scan,
    file: &'a RosterFile,
    in_doubt: bool,
}

impl Reading<'_> {
    fn rows(&self, into: &mut Builder, complaints: &mut Complaints) {
        let text = &self.source.text()[..self.scan.end];
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).delimiter(self.delimiter).from_reader(text.as_bytes());
        let mut record = StringRecord::new();
        let Some(layout) = self.header(&mut reader, &mut record, complaints) else {
            into.incomplete = true;
            return;
        };
        into.columns.extend(layout.names().map(str::to_owned));
        let (mut rows, mut left_out) = (0, 0);
        loop {
            let read = reader.read_record(&mut record);
            let position = match &read {
                Ok(true) => record.position(),
                Ok(false) => break,
                Err(error) => error.position(),
            };
            let Some(position) = position else { break };
            let start = quoting::row_start(text.as_bytes(), position.byte() as usize);
            if read.is_ok() && record.iter().all(|field| field.trim().is_empty()) {
                let finding = Finding::warning("empty-row", "this row holds no values", "delete it");
                complaints.add(start..start + 1, finding);
                continue;
            }
            rows += 1;
            match self.row(start, read, &record, &layout, &mut into.seen, complaints) {
                Some(person) => into.people.push(Arc::new(person)),
                None => left_out += 1,
            }
        }
        self.count(rows, left_out, complaints);
        into.incomplete |= left_out > 0;
    }

    fn header(
        &self,
        reader: &mut csv::Reader<&[u8]>,
        record: &mut StringRecord,
        complaints: &mut Complaints,
    ) -> Option<Layout> {
        if !matches!(reader.read_record(record), Ok(true)) {
            if self.scan.end == self.source.text().len() {
                let remedy = "write a header line, then a line for each person";
                complaints.add(0..0, Finding::error("roster-empty", "the file is empty", remedy));
            }
            return None;
        }
        let start = quoting::row_start(self.source.text().as_bytes(), 0);
        if self.scan.bad_rows.contains(&start) {
            return None;
        }
        if record.len() > MOST_COLUMNS {
            let cause = format!("the header has {} columns; {MOST_COLUMNS} are allowed", record.len());
            complaints.add(start..start + 1, Finding::error("too-many-columns", cause, "leave out what nobody needs"));
            return None;
        }
        let cells = cells(self.source.text(), start, self.delimiter);
        Some(Layout::read(record, &cells, self.file, complaints))
    }

    fn row(
        &self,
        start: usize,
        read: csv::Result<bool>,
        record: &StringRecord,
        layout: &Layout,
        seen: &mut Seen,
        complaints: &mut Complaints,
    ) -> Option<Person> {
        if self.scan.bad_rows.contains(&start) {
            return None;
        }
        if let Err(error) = read {
            complaints.add(start..start + 1, unread(&error));
            return None;
        }
        if self.in_doubt && record.iter().any(|field| !field.is_ascii()) {
            return None;
        }
        let kind = self.file.kind.as_deref();
        let (source, delimiter) = (self.source, self.delimiter);
        Row { record, start, delimiter, layout, source, kind, complaints, faulty: false }.read(seen)
    }

    fn count(&self, rows: usize, left_out: usize, complaints: &mut Complaints) {
        let place = || Place::file(self.source.file());
        if rows == 0 && self.scan.end == self.source.text().len() {
            let finding = Finding::warning(
                "no-people",
                "the roster has a header and no rows",
                "add people, or the header is missing",
            );
            complaints.add_placed(finding.at(place()));
        }
        if left_out > 0 {
            let cause = format!("{left_out} of {rows} rows were left out");
            let remedy = "mend what is reported for them; nothing is sent before";
            complaints.add_placed(Finding::note("rows-left-out", cause, remedy).at(place()));
        }
    }
}

fn unread(error: &csv::Error) -> Finding {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            let fields = if *len == 1 { "field" } else { "fields" };
            let cause = format!("this row has {len} {fields}, the header has {expected_len}");
            Finding::error("field-count", cause, "add or remove delimiters, or put a field that holds one in quotes")
        }
        _ => Finding::error("unreadable-row", error.to_string(), "correct the row"),
    }
}
