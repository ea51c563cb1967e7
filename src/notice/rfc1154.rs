//! A letter for the Microsoft Mail gateway to SMTP 3.0, which knows no MIME: RFC 1154 `Encoding` with TEXT and UUENCODE,
//! counted in lines (Q118487), 7-bit text, attachments by uuencode.
//!
//! Fields are written out by hand: every one is ASCII of known length, `X-MS-Attachment` occurs once for each file and has
//! to stand after `Encoding`, or the files lose their names (Q111857), and MIME fields would only show up as text.

use super::letter::{Encoding, Letter, Segment};
use super::token::short_token;
use super::transliterate::to_ascii;
use super::{Attachment, Header, Rendered};
use crate::fault::{Finding, Result};
use std::collections::BTreeSet;

/// Characters of a subject that survive (Q97025, Q134202).
const SUBJECT: usize = 40;
/// Gateways wrap at 78 columns (Q111860). One of the 76 is kept for an escape.
const COLUMNS: usize = 75;
/// The Windows client shows about 32 KB of text (Q103450).
const TEXT: usize = 32_000;
/// More attachments than these fail on their way (Q127001).
const ATTACHMENTS: usize = 35;

/// Puts text and attachments together. HTML and calendar entry have no place here: the date stands in the text. The findings
/// say what had to be changed; none of them is an error.
pub fn compose(rendered: &Rendered, header: &Header, token: &str) -> Result<(Letter, Vec<Finding>)> {
    header.check()?;
    let to: &str = header.to.1.as_ref();
    if !to.is_ascii() {
        let cause = format!("'{to}' is not ASCII, and the gateway to Microsoft Mail knows no other addresses");
        return Err(Finding::error("header", cause, "give the person an address in ASCII").into());
    }
    let mut findings = Vec::new();
    let (text, mut lost) = to_ascii(&rendered.text);
    let (subject, cut) = subject(&rendered.subject, token, &mut lost);
    let lines = lines(&text);
    note(&mut findings, cut, "rfc1154-subject", "the subject is cut at 40 characters (Q97025)".to_owned());
    let unknown: String = lost.into_iter().collect();
    let cause = format!("these characters become question marks in plain ASCII: {unknown}");
    note(&mut findings, !unknown.is_empty(), "rfc1154-ascii", cause);
    let long = lines.iter().map(|line| line.len() + 2).sum::<usize>() > TEXT;
    note(&mut findings, long, "rfc1154-long", "the Windows client cuts text at about 32 KB (Q103450)".to_owned());
    let many = header.attachments.len() > ATTACHMENTS;
    note(&mut findings, many, "rfc1154-attachments", "more than 35 attachments fail over modems (Q127001)".to_owned());
    for attachment in &header.attachments {
        let name = &attachment.shown_name;
        let cause = format!("{name} is no 8.3 name; it arrives as {} (Q136474)", dos_name(name));
        note(&mut findings, *name != dos_name(name), "rfc1154-name", cause);
    }

    let mut head = fields(&subject, header);
    head.push_str(&encoding_fields(lines.len(), header));
    head.push_str("\r\n");
    for line in &lines {
        head.push_str(line);
        head.push_str("\r\n");
    }
    let mut segments = Vec::new();
    for attachment in &header.attachments {
        // RFC 1154 section 2: a blank line between parts, counted in neither.
        head.push_str(&format!("\r\nbegin 644 {}\r\n", dos_name(&attachment.shown_name)));
        segments.push(Segment::Bytes(std::mem::take(&mut head).into_bytes()));
        segments.push(Segment::File {
            path: attachment.path.clone(),
            sha256: attachment.sha256.clone(),
            size: attachment.size,
            encoding: Encoding::Uuencode,
        });
        head.push_str("`\r\nend\r\n");
    }
    segments.push(Segment::Bytes(head.into_bytes()));
    Ok((Letter::new(segments)?, findings))
}

fn note(findings: &mut Vec<Finding>, when: bool, code: &'static str, cause: String) {
    if when {
        let remedy = "change the template or the file, or leave it so if nobody will mind";
        findings.push(Finding::warning(code, cause, remedy));
    }
}

/// `[token] subject`, at most 40 characters, cut between words where that loses little.
fn subject(subject: &str, token: &str, lost: &mut BTreeSet<char>) -> (String, bool) {
    let (whole, unknown) = to_ascii(&format!("[{}] {subject}", short_token(token)));
    lost.extend(unknown);
    let whole = whole.replace(|c: char| c.is_ascii_control(), " ");
    if whole.len() <= SUBJECT {
        return (whole, false);
    }
    let head = &whole[..SUBJECT];
    let ends_a_word = whole.as_bytes()[SUBJECT] == b' ';
    let at = head.rfind(' ').filter(|at| !ends_a_word && *at > SUBJECT / 2).unwrap_or(SUBJECT);
    (head[..at].trim_end().to_owned(), true)
}

fn fields(subject: &str, header: &Header) -> String {
    let mailbox = |name: Option<&str>, address: &dyn std::fmt::Display| {
        let name = phrase(name.unwrap_or_default());
        if name.is_empty() { address.to_string() } else { format!("{name} <{address}>") }
    };
    let mut fields = format!("Date: {}\r\n", header.date.format("%a, %d %b %Y %H:%M:%S +0000"));
    let mut add = |name: &str, value: &str| fields.push_str(&format!("{name}: {value}\r\n"));
    add("From", &mailbox(header.from.name.as_deref(), &header.from.email));
    add("To", &mailbox(Some(&header.to.0), &header.to.1));
    add("Subject", subject);
    add("Message-ID", &header.message_id);
    if let Some(reply_to) = &header.reply_to {
        add("Reply-To", reply_to.as_ref());
    }
    if let Some(last) = header.references.last() {
        add("In-Reply-To", last);
    }
    add("Auto-Submitted", header.submitted());
    fields
}

/// A name in plain words: a comma in it breaks the Windows client (Q119645), and quotes are one thing more to get wrong.
fn phrase(name: &str) -> String {
    let (ascii, _) = to_ascii(name);
    let plain: String = ascii.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { ' ' }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn encoding_fields(text_lines: usize, header: &Header) -> String {
    let mut encoding = format!("Encoding: {text_lines} TEXT");
    let mut names = String::new();
    for attachment in &header.attachments {
        let Attachment { shown_name, size, .. } = attachment;
        // `begin`, the closing empty line and `end`.
        encoding.push_str(&format!(", {} UUENCODE", Encoding::Uuencode.lines(*size) + 3));
        let stamp = header.date.format("%m-%d-%Y %H:%M");
        names.push_str(&format!("X-MS-Attachment: {} {size} {stamp}\r\n", dos_name(shown_name)));
    }
    format!("{encoding}\r\n{names}")
}

/// The name as an 8.3 name in upper case.
fn dos_name(name: &str) -> String {
    let (ascii, _) = to_ascii(name);
    let part = |text: &str, length: usize| -> String {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "!#$%&'()-@^_`{}~".contains(c);
        let kept = text.chars().filter(|c| !c.is_whitespace()).map(|c| if allowed(c) { c } else { '_' });
        kept.take(length).collect::<String>().to_ascii_uppercase()
    };
    let (stem, extension) = ascii.rsplit_once('.').unwrap_or((&ascii, ""));
    let (stem, extension) = (part(stem, 8), part(extension, 3));
    let stem = if stem.is_empty() { "FILE".to_owned() } else { stem };
    if extension.is_empty() { stem } else { format!("{stem}.{extension}") }
}

/// Wraps to 76 columns and escapes what would be taken for an attachment (Q118595).
fn lines(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\t', "    ");
    let mut lines = Vec::new();
    for line in text.trim_end().split('\n') {
        wrap(line.trim_end(), &mut lines);
    }
    for line in &mut lines {
        let after = line.get(..5).filter(|head| head.eq_ignore_ascii_case("begin")).map(|_| line[5..].chars().next());
        if after.is_some_and(|next| !next.is_some_and(|c| c.is_ascii_alphanumeric())) {
            line.insert(0, ' ');
        }
    }
    lines
}

/// Breaks one line between words, with the indent of the line; a longer word is broken anywhere.
fn wrap(line: &str, lines: &mut Vec<String>) {
    let indent = line.len() - line.trim_start_matches(' ').len();
    let indent = " ".repeat(indent.min(COLUMNS / 2));
    let mut rest = line.to_owned();
    while rest.len() > COLUMNS {
        let between_words = rest[..=COLUMNS].rfind(' ').filter(|at| !rest[..*at].trim().is_empty());
        let tail = rest.split_off(between_words.unwrap_or(COLUMNS));
        lines.push(rest.trim_end().to_owned());
        rest = format!("{indent}{}", tail.trim_start());
    }
    lines.push(rest);
}

#[cfg(test)]
mod tests;
