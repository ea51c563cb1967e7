//! Findings, tables and prose for a terminal. Control characters from rosters and servers never reach it.

use super::wrap::{broken, wrapped};
use crate::fault::{Finding, Result, Severity};
use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use std::io::Write;

/// Prints findings on stderr, the way compilers do: what, where, the line, what to do.
pub fn findings(findings: &[Finding], notes: bool) {
    let mut out = anstream::stderr().lock();
    let mut told: Vec<&Finding> = Vec::new();
    for finding in findings.iter().filter(|finding| notes || finding.severity > Severity::Note) {
        // Several connections complain alike: once is enough.
        if told.contains(&finding) {
            continue;
        }
        told.push(finding);
        // A closed stderr must not stop the work.
        let _ = write_finding(&mut out, finding);
    }
}

fn write_finding(out: &mut impl Write, finding: &Finding) -> std::io::Result<()> {
    let (word, color) = match finding.severity {
        Severity::Error => ("error", AnsiColor::Red),
        Severity::Warning => ("warning", AnsiColor::Yellow),
        Severity::Note => ("note", AnsiColor::Cyan),
    };
    let loud = Style::new().bold().fg_color(Some(color.into()));
    let quiet = Style::new().fg_color(Some(AnsiColor::Blue.into()));
    let article = finding.article.map(|id| format!(" ({id})")).unwrap_or_default();
    let width = width(Table::new().use_stderr());
    let fit = |text: &str, taken: usize, hang: usize| {
        width.map_or_else(|| text.to_owned(), |width| broken(text, width, taken, hang))
    };
    let cause = format!("{}{article}", clean(&finding.cause));
    let head = word.len() + finding.code.len() + "[]: ".len();
    writeln!(out, "{loud}{word}[{}]{loud:#}: {}", finding.code, fit(&cause, head, 2))?;
    if let Some(place) = &finding.place {
        writeln!(out, "  {quiet}-->{quiet:#} {}", clean(&place.to_string()))?;
        if let Some(quote) = finding.quote.as_ref().filter(|_| place.line > 0) {
            let number = place.line.to_string();
            let gutter = " ".repeat(number.len());
            let before: String = quote.line.chars().take(place.column.saturating_sub(1) as usize).collect();
            let pad: String = before.chars().map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
            writeln!(
                out,
                " {quiet}{number} |{quiet:#} {}",
                quote.line.replace(|c: char| c.is_control() && c != '\t', "\u{FFFD}")
            )?;
            writeln!(out, " {quiet}{gutter} |{quiet:#} {pad}{loud}{}{loud:#}", "^".repeat(quote.width.min(80)))?;
        }
    }
    writeln!(out, "  {quiet}={quiet:#} {}", fit(&clean(&finding.remedy), 4, 4))
}

/// Text without anything that moves a cursor.
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{FFFD}' } else { c }).collect()
}

/// A line for a person, on stderr.
pub fn prose(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{}", on_stderr(text));
}

/// A text for a person as it is printed on stderr.
pub fn on_stderr(text: &str) -> String {
    wrapped(&clean(text), width(Table::new().use_stderr()))
}

/// Data in sentences, on stdout: lines that a terminal would cut anywhere are broken at words there.
pub fn text(text: &str) -> Result<()> {
    data(&wrapped(text, width(&Table::new())))
}

/// Columns of the terminal on which the stream of a table ends, if it does.
fn width(table: &Table) -> Option<usize> {
    table.width().map(usize::from).filter(|width| *width > 0)
}

/// Data, on stdout. A reader that went away ends the command quietly.
pub fn data(text: &str) -> Result<()> {
    let mut out = anstream::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| {
        if !text.ends_with('\n') {
            out.write_all(b"\n")?
        }
        out.flush()
    });
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

pub fn json(value: &impl Serialize) -> Result<()> {
    data(&serde_json::to_string_pretty(value)?)
}

/// A table that fits the terminal.
pub fn table(headers: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(headers.iter().map(|header| header.to_uppercase()));
    for row in rows {
        table.add_row(row.iter().map(|cell| clean(cell)));
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}
