//! One response of a server: its line, and what stood in literals.

/// What was read up to the end of a response. Literals are taken out of the line; `{}` marks where they stood.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Response {
    pub line: String,
    pub literals: Vec<Vec<u8>>,
}

impl Response {
    /// The result of the command with this tag: done, or the server's words.
    pub fn tagged(&self, tag: &str) -> Option<Result<(), String>> {
        let rest = self.line.strip_prefix(tag)?.strip_prefix(' ')?;
        match rest.get(..2).is_some_and(|word| word.eq_ignore_ascii_case("OK")) {
            true => Some(Ok(())),
            false => Some(Err(rest.to_owned())),
        }
    }

    pub fn says_bye(&self) -> bool {
        self.line.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("* BYE"))
    }

    /// Whether a word stands in it, as in a list of capabilities.
    pub fn says(&self, word: &str) -> bool {
        self.line.split([' ', '[', ']']).any(|other| other.eq_ignore_ascii_case(word))
    }

    /// The number of a response code: `* OK [UIDVALIDITY 7]`.
    pub fn code(&self, name: &str) -> Option<u32> {
        let (_, rest) = self.line.split_once('[')?;
        let (word, number) = rest.split_once(']')?.0.split_once(' ')?;
        word.eq_ignore_ascii_case(name).then(|| number.parse().ok()).flatten()
    }

    /// The number of a data item: `* 3 FETCH (UID 7 RFC822.SIZE 100)`.
    pub fn fetched(&self, item: &str) -> Option<u64> {
        let mut words = self.line.strip_prefix("* ")?.split([' ', '(', ')']).filter(|word| !word.is_empty());
        words.next()?.parse::<u32>().ok()?;
        words.next().filter(|word| word.eq_ignore_ascii_case("FETCH"))?;
        let mut words = words.skip_while(|word| !word.eq_ignore_ascii_case(item));
        words.nth(1)?.parse().ok()
    }

    pub fn size(&self) -> usize {
        self.line.len() + self.literals.iter().map(Vec::len).sum::<usize>()
    }

    /// The letter in it. Servers write an empty one as `""` or NIL.
    pub fn into_literal(self) -> Option<Vec<u8>> {
        self.literals.into_iter().next()
    }
}

/// The length of the literal that a line announces at its end: `{310}`, `{310+}`, `~{310}`.
pub(super) fn announced(line: &str) -> Option<usize> {
    let inner = line.strip_suffix('}')?;
    let digits = &inner[inner.rfind('{')? + 1..];
    digits.strip_suffix('+').unwrap_or(digits).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_are_read_by_their_words() {
        let response = |line: &str| Response { line: line.to_owned(), literals: Vec::new() };
        assert_eq!(response("* OK [UIDVALIDITY 7] valid").code("UIDVALIDITY"), Some(7));
        assert_eq!(response("* 3 FETCH (FLAGS (\\Seen) UID 12 RFC822.SIZE 100)").fetched("UID"), Some(12));
        assert_eq!(response("* 3 FETCH (UID 12 BODY[]<0> {})").fetched("UID"), Some(12));
        assert_eq!(response("* 3 EXISTS").fetched("UID"), None);
        assert_eq!(response("f1 OK done").tagged("f1"), Some(Ok(())));
        assert_eq!(response("f1 NO [AUTH] wrong").tagged("f1"), Some(Err("NO [AUTH] wrong".into())));
        assert_eq!(response("f12 OK").tagged("f1"), None);
        assert!(response("* CAPABILITY IMAP4rev1 AUTH=PLAIN").says("AUTH=PLAIN"));
        assert_eq!(announced("* 1 FETCH (BODY[] {310}"), Some(310));
        assert_eq!(announced("x {99999999999999999999}"), None);
        assert_eq!(announced("x {a}"), None);
    }
}
