//! The findings about one file, each at its place, bounded so that a hostile file cannot fill the memory.

use crate::campaign::{Source, turns_direction};
use crate::fault::{Finding, Severity};
use std::ops::Range;

/// Of each severity. What lies beyond is counted.
const MOST: usize = 10_000;

#[derive(Debug)]
pub(super) struct Complaints<'a> {
    source: &'a Source,
    findings: Vec<Finding>,
    /// How many of each severity there were.
    counts: [usize; 3],
}

impl<'a> Complaints<'a> {
    pub(super) fn new(source: &'a Source) -> Self {
        Complaints { source, findings: Vec::new(), counts: [0; 3] }
    }

    /// Adds a finding about a stretch of the text, in bytes.
    pub(super) fn add(&mut self, span: Range<usize>, finding: Finding) {
        if self.count(finding.severity) {
            self.findings.push(self.source.locate(finding, span));
        }
    }

    /// Adds a finding that has its place already, or is about the file as a whole.
    pub(super) fn add_placed(&mut self, finding: Finding) {
        if self.count(finding.severity) {
            self.findings.push(finding);
        }
    }

    fn count(&mut self, severity: Severity) -> bool {
        let count = &mut self.counts[severity as usize];
        *count += 1;
        *count <= MOST
    }

    /// The findings in the order of the file, and at the end how many more there are of each severity.
    pub(super) fn into_findings(mut self) -> Vec<Finding> {
        self.findings.sort_by(|one, other| one.place.cmp(&other.place));
        for severity in [Severity::Note, Severity::Warning, Severity::Error] {
            let beyond = self.counts[severity as usize].saturating_sub(MOST);
            if beyond > 0 {
                let cause = format!("{beyond} more findings of this severity are not listed");
                let remedy = "mend what is listed, then check again";
                self.findings.push(Finding::new(severity, "more-findings", cause, remedy).at(self.source.place(0)));
            }
        }
        self.findings
    }
}

/// A value of the file as a message may quote it: bounded, on one line, nothing in it that steers a terminal.
pub(super) fn shown(value: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown: String = value.chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    shown.retain(|c| !turns_direction(c));
    if value.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_listed_is_counted_and_stays_an_error() {
        let source = Source::new("f.csv".into(), "text".into());
        let mut complaints = Complaints::new(&source);
        for _ in 0..MOST + 3 {
            complaints.add(0..1, Finding::error("bad", "", ""));
        }
        complaints.add(0..1, Finding::warning("odd", "", ""));
        let findings = complaints.into_findings();
        let last = findings.last().expect("a finding");
        assert_eq!(findings.len(), MOST + 2);
        assert!(last.is_error());
        assert!(last.cause.starts_with("3 more"), "{}", last.cause);
    }

    #[test]
    fn a_shown_value_is_short_and_tame() {
        assert_eq!(shown("a\u{1b}[2J\nb\u{202e}c"), "a [2J bc");
        assert_eq!(shown(&"x".repeat(1000)).chars().count(), 61);
    }
}
