//! Quoted-printable (RFC 2045 section 6.7), a line at a time.

use memchr::memchr;

/// The longest encoded line without its line end, in characters.
const LINE: usize = 76;

/// Text with LF line ends, encoded, with CRLF. Text that needs no encoding comes back as it is but for its line ends.
pub(super) fn quoted_printable(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 8 + 16);
    for (n, line) in lines(text).enumerate() {
        if n > 0 {
            out.extend_from_slice(b"\r\n");
        }
        encode_line(line, &mut out);
    }
    out
}

/// As it is, but with CRLF for LF.
pub(super) fn with_crlf(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 16 + 16);
    for (n, line) in lines(text).enumerate() {
        if n > 0 {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(line);
    }
    out
}

/// What stands between the LFs: as `split` does, and quicker.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text.as_bytes());
    std::iter::from_fn(move || {
        let text = rest?;
        let (line, next) = match memchr(b'\n', text) {
            Some(end) => (&text[..end], Some(&text[end + 1..])),
            None => (text, None),
        };
        rest = next;
        Some(line)
    })
}

fn encode_line(mut line: &[u8], out: &mut Vec<u8>) {
    let mut used = 0;
    // The last character may stand where any other would need a soft break after it.
    let room = |is_last: bool| if is_last { LINE } else { LINE - 1 };
    while !line.is_empty() {
        let (mut plain, rest) = line.split_at(plain_run(line));
        while used + plain.len() > room(rest.is_empty()) {
            let (fits, over) = plain.split_at(LINE - 1 - used);
            out.extend_from_slice(fits);
            out.extend_from_slice(b"=\r\n");
            (plain, used) = (over, 0);
        }
        out.extend_from_slice(plain);
        used += plain.len();
        let Some((byte, rest)) = rest.split_first() else { break };
        if used + 3 > room(rest.is_empty()) {
            out.extend_from_slice(b"=\r\n");
            used = 0;
        }
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        out.extend([b'=', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        (line, used) = (rest, used + 3);
    }
}

/// How many characters from the start of the line stand for themselves.
fn plain_run(line: &[u8]) -> usize {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'<' | b'>'..=b'~' | b'\t');
    // Most lines are plain. Over all of one, without an early end: so the compiler takes many bytes at a time.
    if line.iter().fold(true, |plain, byte| plain & is_plain(byte)) {
        // Blanks at the end of a line do not survive every mail system.
        return line.len() - usize::from(matches!(line.last(), Some(b' ' | b'\t')));
    }
    line.iter().position(|byte| !is_plain(byte)).unwrap_or(line.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_parser::decoders::quoted_printable::quoted_printable_decode;
    use proptest::prelude::*;

    fn encoded(text: &str) -> String {
        String::from_utf8(quoted_printable(text)).expect("ASCII")
    }

    #[test]
    fn the_rules_of_rfc_2045() {
        assert_eq!(encoded("a = b\n\tc \nd\t\n"), "a =3D b\r\n\tc=20\r\nd=09\r\n");
        assert_eq!(encoded("Grüße"), "Gr=C3=BC=C3=9Fe");
        let (full, over) = ("x".repeat(76), "x".repeat(77));
        assert_eq!(encoded(&full), full);
        assert_eq!(encoded(&over), format!("{}=\r\nxx", "x".repeat(75)));
        assert_eq!(encoded(&format!("{} ", "x".repeat(75))), format!("{}=\r\n=20", "x".repeat(75)));
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(text in "[ -~üß=\t\n\u{1}]{0,400}") {
            let encoded = quoted_printable(&text);
            prop_assert!(encoded.is_ascii());
            for line in encoded.split(|byte| *byte == b'\n') {
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                prop_assert!(line.len() <= LINE && !line.ends_with(b" ") && !line.ends_with(b"\t"));
            }
            let decoded = quoted_printable_decode(&encoded).expect("decoded");
            prop_assert_eq!(String::from_utf8_lossy(&decoded).replace("\r\n", "\n"), text);
        }
    }
}
