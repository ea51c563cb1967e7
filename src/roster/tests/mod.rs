//! Rosters from their bytes to people, or to every complaint about them.

mod files;
mod headers;
mod hostile;
mod quoting;
mod rows;
mod word;

use super::{Builder, Roster, parse};
use crate::campaign::{Encoding, RosterFile};
use crate::fault::{Finding, Place};
use std::path::Path;

/// A roster file as a campaign states it, everything by default.
fn plain() -> RosterFile {
    RosterFile {
        file: "/corp/users.csv".into(),
        encoding: Encoding::Utf8,
        columns: Default::default(),
        kind: Some("local".into()),
        place: Place::new("flagday.toml", 7, 1),
    }
}

fn read(text: impl AsRef<[u8]>) -> (Roster, Vec<Finding>) {
    read_as(plain(), text)
}

fn read_as(file: RosterFile, text: impl AsRef<[u8]>) -> (Roster, Vec<Finding>) {
    let mut builder = Builder::default();
    parse(text.as_ref(), Path::new("users.csv"), &file, &mut builder);
    builder.finish()
}

/// Reads a roster that holds nothing to complain about.
fn sound(text: impl AsRef<[u8]>) -> Roster {
    let (roster, findings) = read(text);
    assert!(findings.is_empty(), "{}", shown(&findings));
    roster
}

/// Place, severity, code and cause, a line each. The closing count of rows is left out where it says no more.
fn shown(findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let place = finding.place.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{place} {:?} {}: {} | {}\n", finding.severity, finding.code, finding.cause, finding.remedy)
    };
    findings.iter().filter(|finding| finding.code != "rows-left-out").map(line).collect()
}

fn complaints(text: impl AsRef<[u8]>) -> String {
    shown(&read(text).1)
}

fn ids(roster: &Roster) -> Vec<&str> {
    roster.people().map(|person| person.id.as_str()).collect()
}
