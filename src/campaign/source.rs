//! A text a person wrote and where things stand in it.

use crate::fault::{Finding, Place};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A longer line says more than a reader takes in, and may be an attack.
const LONGEST_QUOTE: usize = 300;

#[derive(Debug)]
pub(crate) struct Source {
    /// As a person would type it.
    file: Arc<Path>,
    text: String,
    /// Where each line starts, in bytes.
    lines: Vec<usize>,
}

impl Source {
    pub(crate) fn new(file: PathBuf, text: String) -> Source {
        let after_breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(after_breaks).collect();
        Source { file: file.into(), text, lines }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// The place of a byte offset. An offset beyond the end means the end.
    pub(crate) fn place(&self, offset: usize) -> Place {
        let (line, column) = self.position(offset);
        Place { file: Arc::clone(&self.file), line: line as u32 + 1, column: column as u32 + 1 }
    }

    /// The finding with its place and the line it speaks of.
    pub(crate) fn locate(&self, finding: Finding, span: Range<usize>) -> Finding {
        let (line, column) = self.position(span.start);
        let quoted = self.line(line);
        let finding = finding.at(self.place(span.start));
        if column > LONGEST_QUOTE {
            return finding;
        }
        let meant = self.text.get(span).and_then(|text| text.lines().next()).unwrap_or("");
        let line: String = quoted.chars().take(LONGEST_QUOTE).map(printable).collect();
        finding.quoting(line, meant.chars().count())
    }

    /// Line and column from 0, the column in characters.
    fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= offset).saturating_sub(1);
        let before = offset.saturating_sub(self.lines[line]);
        let column = self.line(line).char_indices().take_while(|(at, _)| *at < before).count();
        (line, column)
    }

    fn line(&self, line: usize) -> &str {
        self.text[self.lines[line]..].lines().next().unwrap_or("")
    }
}

/// A character as a terminal may show it: one that would steer the terminal or turn the line's direction is replaced.
fn printable(c: char) -> char {
    let steers = c.is_control() && c != '\t' || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    if steers { char::REPLACEMENT_CHARACTER } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_count_from_one() {
        let source = Source::new("f".into(), "a = 1\r\ntïtle = \"x\"\n".into());
        let at = source.text().find('"').expect("a quote");
        assert_eq!(source.place(at).to_string(), "f:2:9");
        assert_eq!(source.place(usize::MAX).to_string(), "f:3:1");
        let quote = source.locate(Finding::note("n", "", ""), at..at + 3).quote.expect("a quote");
        assert_eq!((quote.line.as_str(), quote.width), ("tïtle = \"x\"", 3));
    }

    #[test]
    fn a_monstrous_line_is_quoted_in_part_or_not_at_all() {
        let source = Source::new("f".into(), "x".repeat(5000));
        let quote = |at: usize| source.locate(Finding::note("n", "", ""), at..at + 1).quote;
        assert_eq!(quote(10).expect("a quote").line.len(), LONGEST_QUOTE);
        assert_eq!(quote(4000), None);
    }

    #[test]
    fn a_quoted_line_cannot_steer_the_terminal() {
        let source = Source::new("f".into(), "a\u{1b}[2J\tb\u{202e}c".into());
        let quote = source.locate(Finding::note("n", "", ""), 0..1).quote.expect("a quote");
        assert_eq!(quote.line, "a\u{fffd}[2J\tb\u{fffd}c");
    }
}
