//! What a server answers (RFC 5321 §4.2), read strictly: a reply that is not one breaks the connection, because whoever
//! goes on after it no longer knows which answer belongs to which question.

use std::fmt;

/// The longest line of a reply, with its CRLF. RFC 5321 §4.5.3.1.5 says 512; servers are known to say more.
pub const LINE_LIMIT: usize = 1000;
/// The most lines of one reply.
const LINES_LIMIT: usize = 100;
/// How much of a reply is kept for people to read, in characters.
const WORDS_LIMIT: usize = 500;

/// An enhanced status code (RFC 3463), as `5.1.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Enhanced {
    pub class: u8,
    pub subject: u16,
    pub detail: u16,
}

/// A complete, well-formed reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Three digits, the first from 2 to 5.
    pub code: u16,
    pub enhanced: Option<Enhanced>,
    /// The lines' text without codes and control characters, joined by line feeds.
    pub text: String,
}

/// Why bytes are not a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// No CRLF within [`LINE_LIMIT`] bytes.
    LongLine,
    /// A line that ends in LF alone, or holds a CR.
    BareLineEnd,
    /// Not three digits in range, followed by a space, a hyphen or the end.
    NoCode,
    /// Lines of one reply with different codes.
    MixedCodes,
    /// More than a hundred lines.
    TooManyLines,
}

/// Gathers lines until the reply is complete.
#[derive(Debug, Default)]
pub struct Gather {
    code: Option<u16>,
    lines: usize,
    enhanced: Option<Enhanced>,
    text: String,
}

impl Gather {
    /// Takes one line with its CRLF; the reply, when this was its last one.
    pub fn line(&mut self, line: &[u8]) -> Result<Option<Reply>, Malformed> {
        if line.len() > LINE_LIMIT {
            return Err(Malformed::LongLine);
        }
        let line = line.strip_suffix(b"\r\n").ok_or(Malformed::BareLineEnd)?;
        if line.contains(&b'\r') {
            return Err(Malformed::BareLineEnd);
        }
        let (code, last, text) = split(line)?;
        if self.code.is_some_and(|first| first != code) {
            return Err(Malformed::MixedCodes);
        }
        self.lines += 1;
        if self.lines > LINES_LIMIT {
            return Err(Malformed::TooManyLines);
        }
        let text = String::from_utf8_lossy(text);
        let (enhanced, text) = Enhanced::split(&text, code);
        if self.code.is_some() {
            self.text.push('\n');
        } else {
            self.enhanced = enhanced;
        }
        self.code = Some(code);
        self.text.extend(text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }));
        Ok(last.then(|| Reply { code, enhanced: self.enhanced, text: std::mem::take(&mut self.text) }))
    }
}

/// Code, whether it is the last line, and the rest.
fn split(line: &[u8]) -> Result<(u16, bool, &[u8]), Malformed> {
    let Some((&[a @ b'2'..=b'5', b @ b'0'..=b'5', c @ b'0'..=b'9'], rest)) = line.split_first_chunk() else {
        return Err(Malformed::NoCode);
    };
    let code = [a, b, c].iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    match rest.split_first() {
        None => Ok((code, true, rest)),
        Some((b' ', text)) => Ok((code, true, text)),
        Some((b'-', text)) => Ok((code, false, text)),
        Some(_) => Err(Malformed::NoCode),
    }
}

impl Enhanced {
    /// Takes a leading code off the text; it counts only when its class is the reply's own (RFC 2034 §4).
    fn split(text: &str, code: u16) -> (Option<Enhanced>, &str) {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        match Enhanced::parse(word) {
            Some(enhanced) if u16::from(enhanced.class) == code / 100 => (Some(enhanced), rest),
            _ => (None, text),
        }
    }

    /// `class.subject.detail` of RFC 3463 §2; the two last have one to three digits.
    pub fn parse(word: &str) -> Option<Enhanced> {
        let number = |digits: &str| {
            let plain = (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
            if plain { digits.parse::<u16>().ok() } else { None }
        };
        let mut parts = word.split('.');
        let class = match parts.next()? {
            "2" => 2,
            "4" => 4,
            "5" => 5,
            _ => return None,
        };
        let (subject, detail) = (number(parts.next()?)?, number(parts.next()?)?);
        parts.next().is_none().then_some(Enhanced { class, subject, detail })
    }
}

impl Reply {
    /// 2xx.
    pub fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// 4xx: later, perhaps.
    pub fn is_transient(&self) -> bool {
        self.code / 100 == 4
    }

    /// 5xx: no.
    pub fn is_permanent(&self) -> bool {
        self.code / 100 == 5
    }

    /// The sender's address is bad, by syntax or as a whole (RFC 3463 §3.2: X.1.7, X.1.8).
    pub fn is_of_the_sender(&self) -> bool {
        self.enhanced.is_some_and(|enhanced| enhanced.subject == 1 && matches!(enhanced.detail, 7 | 8))
    }

    /// The recipient's address or mailbox is the reason (RFC 3463 §3.2, §3.3), and not the sender or the message's size. A
    /// reply without an enhanced code says so to RCPT alone (RFC 5321 §4.2.2).
    pub fn is_of_the_recipient(&self, to_rcpt: bool) -> bool {
        match self.enhanced.map(|enhanced| (enhanced.subject, enhanced.detail)) {
            Some((1, _)) => !self.is_of_the_sender(),
            Some((2, detail)) => detail != 3,
            Some(_) => false,
            None => to_rcpt && matches!(self.code, 450 | 550 | 551 | 553),
        }
    }

    /// The class at the head of a reply that was written down; none where other words were.
    pub fn class_of(words: &str) -> Option<&str> {
        let mut parts = words.split(' ');
        let code = parts.next().filter(|code| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit()))?;
        let enhanced = parts.next().filter(|word| Enhanced::parse(word).is_some());
        Some(&words[..code.len() + enhanced.map_or(0, |word| 1 + word.len())])
    }

    /// The reply's class for a table of failures: `550 5.1.1`.
    pub fn class(&self) -> String {
        match self.enhanced {
            Some(enhanced) => format!("{} {enhanced}", self.code),
            None => self.code.to_string(),
        }
    }
}

impl fmt::Display for Enhanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// In one line, of bounded length.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.class())?;
        let words: String = self.text.replace('\n', " ").chars().take(WORDS_LIMIT).collect();
        if words.is_empty() { Ok(()) } else { write!(f, " {words}") }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Malformed::LongLine => "a line without end",
            Malformed::BareLineEnd => "a line that does not end in CR LF",
            Malformed::NoCode => "a line without a reply code",
            Malformed::MixedCodes => "two codes in one reply",
            Malformed::TooManyLines => "a reply without end",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Option<Reply>, Malformed> {
        let mut gather = Gather::default();
        let mut reply = None;
        for line in text.split_inclusive('\n') {
            assert_eq!(reply, None, "a line after the last one");
            reply = gather.line(line.as_bytes())?;
        }
        Ok(reply)
    }

    fn reply(text: &str) -> Reply {
        read(text).expect(text).expect("complete")
    }

    #[test]
    fn a_reply_of_several_lines_keeps_the_words_and_the_first_code() {
        let reply = reply("550-5.1.1 <kim@corp.example>:\r\n550-5.1.1 no such\tuser\r\n550 5.1.1 here\r\n");
        assert_eq!(reply.code, 550);
        assert_eq!(reply.enhanced, Some(Enhanced { class: 5, subject: 1, detail: 1 }));
        assert_eq!(reply.text, "<kim@corp.example>:\nno such user\nhere");
        assert_eq!(reply.to_string(), "550 5.1.1 <kim@corp.example>: no such user here");
    }

    #[test]
    fn an_enhanced_code_of_another_class_is_only_text() {
        assert_eq!(reply("250 5.1.1 well\r\n").enhanced, None);
        assert_eq!(reply("250 2.1.5 well\r\n").class(), "250 2.1.5");
        for text in ["5.1", "5.1.1.1", "5..1", "5.1.1000", "3.1.1", "5.1.x", "5.+1.1", ""] {
            assert_eq!(Enhanced::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_text_may_be_missing() {
        assert_eq!(reply("250\r\n").to_string(), "250");
        assert_eq!(reply("250-\r\n250 \r\n").text, "\n");
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        let long = format!("250 {}\r\n", "x".repeat(LINE_LIMIT));
        let endless = "250-x\r\n".repeat(LINES_LIMIT + 1);
        for (text, why) in [
            ("250 ok\n", Malformed::BareLineEnd),
            ("250 ok", Malformed::BareLineEnd),
            ("250 o\rk\r\n", Malformed::BareLineEnd),
            ("\r\n", Malformed::NoCode),
            ("25\r\n", Malformed::NoCode),
            ("2500\r\n", Malformed::NoCode),
            ("199 x\r\n", Malformed::NoCode),
            ("600 x\r\n", Malformed::NoCode),
            ("260 x\r\n", Malformed::NoCode),
            ("250_x\r\n", Malformed::NoCode),
            ("250-a\r\n251 b\r\n", Malformed::MixedCodes),
            (&long, Malformed::LongLine),
            (&endless, Malformed::TooManyLines),
        ] {
            assert_eq!(read(text), Err(why), "{text:?}");
        }
    }

    #[test]
    fn words_are_bounded_and_printable() {
        let text = format!("550 \x1b[31m{}\r\n", "é".repeat(480));
        let mut gather = Gather::default();
        let reply = gather.line(text.as_bytes()).expect("well formed").expect("complete");
        assert!(!reply.text.contains('\x1b') && reply.to_string().chars().count() <= WORDS_LIMIT + 10);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8)) {
            let mut gather = Gather::default();
            for mut line in lines {
                line.extend(b"\r\n");
                if let Ok(Some(reply)) = gather.line(&line) {
                    prop_assert!((200..600).contains(&reply.code));
                    gather = Gather::default();
                }
            }
        }
    }
}
