//! Many answers at once from a CSV file, with a report for every row. A row that is refused stops no other.

use super::{Answer, Engine};
use crate::fault::{Fault, Result};
use fs_err as fs;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What became of one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportRow {
    pub line: u64,
    pub person: String,
    pub result: String,
    pub ok: bool,
}

#[derive(Debug, Deserialize)]
struct Row {
    person: String,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    serial: Option<String>,
    by: String,
    note: String,
    #[serde(default, rename = "for")]
    acknowledgement: Option<String>,
}

impl Engine<'_> {
    /// Records each row's answer as [`Engine::record`] does.
    pub fn import(&mut self, file: &Path) -> Result<Vec<ImportRow>> {
        let bytes = fs::read(file)?;
        let text = String::from_utf8(bytes).map_err(|_| {
            let cause = format!("{} is no UTF-8", file.display());
            Fault::new("import-encoding", cause, "save it as CSV UTF-8")
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        let headers = reader.headers().map_err(std::io::Error::from)?;
        let headers: csv::StringRecord = headers.iter().map(str::to_lowercase).collect();
        let known = ["person", "code", "serial", "by", "note", "for"];
        if let Some(strange) = headers.iter().find(|header| !known.contains(header)) {
            let cause = format!("{}:1: the column '{strange}' means nothing here", file.display());
            return Err(Fault::new("import-columns", cause, format!("columns are {}", known.join(", "))));
        }
        for needed in ["person", "by", "note"] {
            if !headers.iter().any(|header| header == needed) {
                let cause = format!("{}:1: there is no column '{needed}'", file.display());
                let remedy = "columns: person, by, note, and where there is one code, serial, for";
                return Err(Fault::new("import-columns", cause, remedy));
            }
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let row = match record {
                Ok(record) => {
                    // The crate takes the position before the line feed of a CRLF: count from the record itself.
                    let at = record.position().map_or((0, 0), |at| (at.line(), at.byte() as usize));
                    let line = at.0 + u64::from(text.as_bytes().get(at.1) == Some(&b'\n'));
                    self.import_row(line, record.deserialize(Some(&headers)))
                }
                Err(error) => {
                    let line = error.position().map_or(0, csv::Position::line);
                    ImportRow { line, person: String::new(), result: error.to_string(), ok: false }
                }
            };
            rows.push(row);
        }
        Ok(rows)
    }

    fn import_row(&mut self, line: u64, row: std::result::Result<Row, csv::Error>) -> ImportRow {
        let row = match row {
            Ok(row) => row,
            Err(error) => return ImportRow { line, person: String::new(), result: error.to_string(), ok: false },
        };
        let given = |value: Option<String>| value.filter(|value| !value.is_empty());
        let answer = Answer {
            person: row.person.clone(),
            acknowledgement: given(row.acknowledgement),
            code: given(row.code),
            serial: given(row.serial),
            kind: None,
            by: Some(row.by),
            note: row.note,
        };
        match self.record(&answer) {
            Ok(recorded) => {
                let result = format!("{} for '{}'", recorded.grade, recorded.acknowledgement);
                ImportRow { line, person: recorded.person, result, ok: true }
            }
            Err(fault) => ImportRow { line, person: row.person, result: fault.to_string(), ok: false },
        }
    }
}
