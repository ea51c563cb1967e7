//! What a failure means: the enhanced status code (RFC 3463), the SMTP code (RFC 5321), or the words of the many servers
//! that give neither; and whether it will go away.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};
use std::sync::OnceLock;

/// `5.1.1`: class 2, 4 or 5, subject and detail of at most three digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    pub class: u16,
    pub subject: u16,
    pub detail: u16,
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

impl Status {
    /// Reads one that stands at the beginning of a text.
    pub fn parse(text: &str) -> Option<Status> {
        let text = text.trim_start().trim_start_matches(['#', '(', '<', '[']);
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let mut numbers = text[..end].trim_end_matches('.').split('.');
        let mut next =
            |longest: usize| numbers.next().filter(|n| (1..=longest).contains(&n.len()))?.parse::<u16>().ok();
        let (class, subject, detail) = (next(1)?, next(3)?, next(3)?);
        if numbers.next().is_some() || ![2, 4, 5].contains(&class) {
            return None;
        }
        Some(Status { class, subject, detail })
    }

    /// The first in a line that stands apart: not part of an address or of a version. Beside an SMTP code its class
    /// must agree.
    pub fn find(line: &str) -> Option<Status> {
        let bytes = line.as_bytes();
        let apart = |c: u8| !c.is_ascii_alphanumeric() && c != b'.';
        let dashed = |at: usize| {
            at > 0 && bytes[at - 1] == b'-' && !(at > 3 && bytes[at - 4..at - 1].iter().all(u8::is_ascii_digit))
        };
        bytes.windows(2).enumerate().filter(|(_, pair)| matches!(pair, [b'2' | b'4' | b'5', b'.'])).find_map(
            |(at, _)| {
                if (at > 0 && !apart(bytes[at - 1])) || dashed(at) {
                    return None;
                }
                let found = Status::parse(&line[at..])?;
                let length = line[at..].find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(line.len() - at);
                let after = line[at + length..].chars().next();
                (!after.is_some_and(|c| c.is_alphanumeric() || c == '/')).then_some(found)
            },
        )
    }
}

/// The SMTP reply code in a line of a transcript: 4yz or 5yz, with blank, hyphen or `#` behind it, where a server would
/// write it.
pub fn smtp_code(line: &str) -> Option<u16> {
    let bytes = line.as_bytes();
    (0..bytes.len().saturating_sub(2)).find_map(|at| {
        let code = &bytes[at..at + 3];
        let digits = matches!(code[0], b'4' | b'5') && matches!(code[1], b'0'..=b'7') && code[2].is_ascii_digit();
        let before = at == 0
            || matches!(
                bytes[at - 1],
                b' ' | b'\t' | b':' | b'<' | b'(' | b'>' | b'\'' | b'"' | b'#' | b'[' | b';' | b'='
            );
        let after = bytes
            .get(at + 3)
            .is_none_or(|c| matches!(c, b' ' | b'-' | b'#' | b')' | b':' | b'\'' | b'"' | b']' | b',' | b'\r' | b'\n'));
        let number = || std::str::from_utf8(code).ok()?.parse().ok();
        (digits && before && after).then(number).flatten()
    })
}

/// What may go away by itself: a full mailbox, a busy or unreachable server, time that ran out. Servers say these with
/// any code, so the words count before it.
const MAY_GO_AWAY: &[&str] = &[
    "retry count exceeded",
    "useful life exceeded",
    "delivery time expired",
    "message expired",
    "aborted after",
    "mailbox full",
    "mailbox is full",
    "mailbox has exceeded",
    "mail box full",
    "inbox is full",
    "inbox full",
    "over quota",
    "overquota",
    "over the quota",
    "over his quota",
    "quota exceeded",
    "exceeded quota",
    "exceeds quota",
    "exceeded storage",
    "exceeded the quota",
    "quota exceed",
    "out of disk quota",
    "disk quota",
    "storage limit",
    "exceeded its storage",
    "out of storage",
    "storage allocation",
    "insufficient storage",
    "insufficient disk",
    "insufficient system",
    "not enough space",
    "not enough storage",
    "size limit of the mailbox",
    "mailbox size limit",
    "mailfolder is full",
    "account is full",
    "user is full",
    "is too full",
    "would exceed the mailbox",
    "boîte pleine",
    "boite pleine",
    "postfach voll",
    "postfach ist voll",
    "postfach des empfängers ist voll",
    "speicherplatz",
    "buzón lleno",
    "buzon lleno",
    "casella piena",
    "caixa cheia",
    "caixa de correio cheia",
    "переполнен",
    "temporarily",
    "try again later",
    "try later",
    "temporary failure",
    "timed out",
    "time out",
    "timeout",
    "connection refused",
    "could not connect",
    "greylist",
    "graylist",
    "too many connections",
    "retry time",
    "too long in queue",
    "retry timeout exceeded",
    "connection dropped",
];
/// What will not: nobody there, or nobody let in.
const WILL_NOT: &[&str] = &[
    "user unknown",
    "unknown user",
    "unknown recipient",
    "unknown or illegal",
    "no such user",
    "no such recipient",
    "no such mailbox",
    "no such address",
    "no such person",
    "no such account",
    "no such local user",
    "no such name",
    "does not exist",
    "doesn't exist",
    "doesn't have a",
    "does not have a",
    "not found",
    "couldn't be found",
    "could not be found",
    "wasn't found",
    "is not known",
    "not listed",
    "not recognized",
    "not recognised",
    "no mailbox",
    "invalid recipient",
    "invalid mailbox",
    "invalid address",
    "invalid user",
    "bad address",
    "bad destination",
    "addressee unknown",
    "recipient unknown",
    "recipient rejected",
    "recipient address rejected",
    "mailbox unavailable",
    "mailbox not available",
    "mailbox disabled",
    "mailbox is disabled",
    "account disabled",
    "account has been disabled",
    "account is disabled",
    "has been disabled",
    "disabled or discontinued",
    "account inactive",
    "account is inactive",
    "inactive user",
    "no longer",
    "not a valid",
    "isn't valid",
    "unrouteable",
    "unroutable",
    "host unknown",
    "domain not",
    "host not found",
    "no mx",
    "name service error",
    "access denied",
    "rejected",
    "relay",
    "not allowed",
    "blocked",
    "spam",
    "prohibited",
    "unbekannt",
    "existiert nicht",
];

/// What a failure's words say about its going away; `None` where they say nothing.
pub fn permanence(words: &str) -> Option<bool> {
    static FOUND: OnceLock<AhoCorasick> = OnceLock::new();
    let all = || MAY_GO_AWAY.iter().chain(WILL_NOT);
    let found = FOUND.get_or_init(|| AhoCorasickBuilder::new().build(all()).expect("few short words"));
    let lower = words.to_lowercase();
    let mut permanent = None;
    for hit in found.find_iter(&lower) {
        if hit.pattern().as_usize() < MAY_GO_AWAY.len() {
            return Some(false);
        }
        permanent = Some(true);
    }
    permanent
}

/// Whether a failure is for good: by its status where it says something, by the server's reply and words otherwise.
/// A full mailbox (RFC 3463: `X.2.2`, "useful only as a persistent transient error") and time that ran out (`X.4.7`) may
/// go away whatever class they are given.
pub fn is_permanent(status: Option<Status>, words: &str) -> bool {
    let full = |one: Status| matches!((one.subject, one.detail), (2, 2) | (4, 7));
    match status {
        Some(status) if status.class == 4 || full(status) => false,
        Some(status) if (status.subject, status.detail) != (0, 0) => true,
        _ => {
            let inner = words.lines().find_map(Status::find).filter(|one| (one.subject, one.detail) != (0, 0));
            if let Some(inner) = inner {
                return inner.class == 5 && !full(inner);
            }
            let said = permanence(words);
            let code = words.lines().find_map(smtp_code);
            match (code, said) {
                (Some(400..=499 | 552), _) if said != Some(true) => false,
                (Some(400..=499), _) => false,
                (_, Some(said)) => said,
                (Some(_), None) => true,
                (None, None) => status.is_none_or(|status| status.class == 5),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_found_and_nothing_else_is_one() {
        let found = |line| Status::find(line).map(|status| status.to_string());
        assert_eq!(found("550 5.1.1 <kim@x.example>: User unknown").as_deref(), Some("5.1.1"));
        assert_eq!(found("550-5.7.26 This mail").as_deref(), Some("5.7.26"));
        assert_eq!(found("#5.1.1 smtp;550").as_deref(), Some("5.1.1"));
        assert_eq!(found("(#5.1.1)").as_deref(), Some("5.1.1"));
        assert_eq!(found("<a.example #4.4.1>").as_deref(), Some("4.4.1"));
        assert_eq!(found("127.5.1.1, version 4.2.1.3, 15.1.1 and host5.1.1"), None);
        assert_eq!(found("Exim 4.96"), None);
        for none in ["", "5.", "5.1", "3.1.1", "5.1111.1", "5.1.1.1"] {
            assert_eq!(Status::parse(none), None, "{none}");
        }
    }

    #[test]
    fn an_smtp_code_is_one_where_a_server_writes_it() {
        for (line, code) in [
            ("550 User unknown", Some(550)),
            ("said: 452-4.2.2 full", Some(452)),
            ("(550)", Some(550)),
            ("tel. 5501234", None),
            ("at 10.450.1.2", None),
            ("<550> no", None),
            ("room 589 x", None),
        ] {
            assert_eq!(smtp_code(line), code, "{line}");
        }
    }

    #[test]
    fn for_good_or_for_now() {
        for (status, words, permanent) in [
            (Some("5.1.1"), "", true),
            (Some("4.2.2"), "", false),
            (Some("5.2.2"), "", false),
            (Some("5.0.0"), "smtp; 550 5.1.1 unknown", true),
            (Some("5.0.0"), "smtp; 552 Mailbox full", false),
            (None, "550 User unknown", true),
            (None, "the mailbox is over quota", false),
            (None, "no such user here", true),
            (None, "421 try again later", false),
            (None, "", true),
        ] {
            assert_eq!(is_permanent(status.and_then(Status::parse), words), permanent, "{status:?} {words}");
        }
    }
}
