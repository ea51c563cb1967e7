//! The findings about one campaign, each with its place and its line, collected while it is read.

use super::source::Source;
use super::tree::{Origin, Spot};
use crate::fault::{Finding, Place, Quote};
use std::cell::{Cell, RefCell};

/// In characters.
const LONGEST_SENTENCE: usize = 400;

#[derive(Debug)]
pub(crate) struct Report {
    file: Source,
    playbook: Source,
    /// Where the file names its playbook.
    named: Spot,
    findings: RefCell<Vec<Finding>>,
    /// Parts of the campaign could not be read, so what seems to be missing may only be unread.
    partial: Cell<bool>,
}

impl Report {
    /// `named`: where the file names its playbook.
    pub(super) fn new(file: Source, playbook: Source, named: Spot) -> Report {
        Report { file, playbook, named, findings: RefCell::default(), partial: Cell::new(false) }
    }

    pub(crate) fn place(&self, at: Spot) -> Place {
        match at.origin {
            Origin::File => self.file.place(at.start),
            Origin::Playbook => self.playbook.place(at.start),
        }
    }

    /// The place of something in the file, and the line as a finding quotes it.
    pub(super) fn line_of(&self, at: Spot) -> (Place, Option<Quote>) {
        (self.place(at), self.file.locate(Finding::note("", "", ""), at.start..at.end).quote)
    }

    /// A complaint about the playbook's own text is placed where the file names it: that is what a person can edit.
    pub(crate) fn add(&self, at: Spot, finding: Finding) {
        let at = if at.origin == Origin::File { at } else { self.named };
        let located = self.file.locate(finding, at.start..at.end);
        self.findings.borrow_mut().push(located);
    }

    /// Like [`Report::add`], without the line: it holds a secret.
    pub(super) fn add_unquoted(&self, at: Spot, finding: Finding) {
        self.findings.borrow_mut().push(finding.at(self.place(at)));
    }

    /// A complaint about another file, which it names.
    pub(super) fn elsewhere(&self, finding: Finding) {
        self.findings.borrow_mut().push(finding);
    }

    /// Something is missing, or points at something missing.
    pub(super) fn absent(&self, at: Spot, finding: Finding) {
        if !self.partial.get() {
            self.add(at, finding);
        }
    }

    /// From here on, what seems to be missing may only be unread: [`Report::absent`] keeps silent. The reason is
    /// among the findings.
    pub(super) fn incomplete(&self, reasons: Vec<Finding>) {
        self.partial.set(self.partial.get() || !reasons.is_empty());
        self.findings.borrow_mut().extend(reasons);
    }

    /// The findings in the order of the file.
    pub(super) fn into_findings(self) -> Vec<Finding> {
        let mut findings = self.findings.into_inner();
        for finding in &mut findings {
            shorten(&mut finding.cause);
            shorten(&mut finding.remedy);
        }
        findings.sort_by_key(|finding| finding.place.clone());
        findings
    }
}

/// What a person wrote comes back in the words of a finding, and may be a page long.
fn shorten(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(LONGEST_SENTENCE) {
        text.truncate(end);
        text.push('…');
    }
}
