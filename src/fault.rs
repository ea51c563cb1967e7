//! What is wrong, where it stands, why, and what to do: the one shape of every complaint the program makes.
//!
//! A [`Finding`] is one complaint; a [`Fault`] is what stops a command: one or more findings and the exit code.
//! Parsers return findings beside their value, so that a person sees all of them at once.

use serde::{Serialize, Serializer};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How a command ends. The numbers are a promise to scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    Error = 1,
    Usage = 2,
    /// A gate, a person or a date is awaited.
    Waiting = 3,
    /// Some recipients failed; everybody else was served.
    SomeFailed = 4,
    /// Another run holds the campaign.
    Busy = 5,
    /// The facts changed since people were told.
    FactsChanged = 6,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Note,
    Warning,
    Error,
}

/// A position in a file; line and column count from 1, the column in characters. Line 0: the file as a whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub file: Arc<Path>,
    pub line: u32,
    pub column: u32,
}

impl Place {
    pub fn new(file: impl Into<PathBuf>, line: u32, column: u32) -> Self {
        Place { file: file.into().into(), line, column }
    }

    /// The file as a whole.
    pub fn file(file: impl Into<PathBuf>) -> Self {
        Place::new(file, 0, 0)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        Ok(())
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

/// The line a finding speaks of, as it stands in the file, and how many characters of it are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    pub line: String,
    pub width: usize,
}

/// One complaint: a stable code, where, why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub severity: Severity,
    pub code: &'static str,
    pub place: Option<Place>,
    pub cause: String,
    pub remedy: String,
    /// The knowledge-base article that documents the rule, as `Q209486`.
    pub article: Option<&'static str>,
    #[serde(skip)]
    pub quote: Option<Quote>,
}

impl Finding {
    pub fn new(severity: Severity, code: &'static str, cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Finding { severity, code, place: None, cause: cause.into(), remedy: remedy.into(), article: None, quote: None }
    }

    pub fn error(code: &'static str, cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Finding::new(Severity::Error, code, cause, remedy)
    }

    pub fn warning(code: &'static str, cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Finding::new(Severity::Warning, code, cause, remedy)
    }

    pub fn note(code: &'static str, cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Finding::new(Severity::Note, code, cause, remedy)
    }

    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Names a file as the place, without a line.
    pub fn in_file(self, file: impl AsRef<Path>) -> Self {
        self.at(Place::file(file.as_ref()))
    }

    pub fn article(mut self, id: &'static str) -> Self {
        self.article = Some(id);
        self
    }

    pub fn quoting(mut self, line: impl Into<String>, width: usize) -> Self {
        self.quote = Some(Quote { line: line.into(), width: width.max(1) });
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    pub fn is_note(&self) -> bool {
        self.severity == Severity::Note
    }
}

/// `1 letter`, `2 letters`.
pub fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// `rosa`, or `3 people, rosa among them`.
pub fn people(ids: &[String]) -> String {
    match ids {
        [] => "nobody".to_owned(),
        [one] => one.clone(),
        [first, ..] => format!("{} people, {first} among them", ids.len()),
    }
}

/// Why a command stopped: its findings and its exit code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub exit: Exit,
    pub findings: Vec<Finding>,
}

pub type Result<T, E = Fault> = std::result::Result<T, E>;

impl Fault {
    pub fn new(code: &'static str, cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Finding::error(code, cause, remedy).into()
    }

    /// Like [`Fault::new`], ending with another exit code.
    pub fn ending(exit: Exit, code: &'static str, cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Fault { exit, findings: vec![Finding::error(code, cause, remedy)] }
    }

    /// The findings stop the command when one of them is an error.
    pub fn check(findings: Vec<Finding>) -> Result<Vec<Finding>> {
        if findings.iter().any(Finding::is_error) { Err(Fault { exit: Exit::Error, findings }) } else { Ok(findings) }
    }

    /// Whether it says of nothing but that something could not be looked at: neither that it is right nor that it is wrong.
    pub fn is_blindness(&self) -> bool {
        let blind = |finding: &Finding| finding.code == "io" || finding.code.ends_with("-unreadable");
        let mut errors = self.findings.iter().filter(|finding| finding.is_error()).peekable();
        errors.peek().is_some() && errors.all(blind)
    }

    /// The first finding's cause, for a line in a table or a journal.
    pub fn cause(&self) -> &str {
        self.findings.first().map_or("unknown", |finding| &finding.cause)
    }
}

impl From<Finding> for Fault {
    fn from(finding: Finding) -> Self {
        Fault { exit: Exit::Error, findings: vec![finding] }
    }
}

impl From<std::io::Error> for Fault {
    /// `fs-err` has put the path into the message.
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind::*;
        let remedy = match error.kind() {
            NotFound => "create it, or correct the path",
            PermissionDenied => "give this account the right, or run as one that has it",
            StorageFull | QuotaExceeded => "free space on that volume and run the command again",
            ReadOnlyFilesystem => "mount that volume writable",
            _ => "see to the disk or the share, then run the command again",
        };
        Fault::new("io", error.to_string(), remedy)
    }
}

impl From<serde_json::Error> for Fault {
    /// Only what the program itself wrote is read as JSON.
    fn from(error: serde_json::Error) -> Self {
        let cause = format!("a stored record is not readable: {error}");
        Fault::new(
            "record-damaged",
            cause,
            "run `flagday audit verify`, and restore .flagday from a backup if it fails",
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, finding) in self.findings.iter().enumerate() {
            if n > 0 {
                f.write_str("; ")?;
            }
            if let Some(place) = &finding.place {
                write!(f, "{place}: ")?;
            }
            f.write_str(&finding.cause)?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}
