//! What a signature is over: the relaxed forms of header and body (RFC 6376 sections 3.4.2 and 3.4.4), which survive a
//! mail server that folds lines anew or trims them.

use sha2::{Digest, Sha256};

/// The digest of a body that comes in pieces: white space at the end of lines and empty lines at the end are left out,
/// other white space becomes one space.
#[derive(Debug, Default)]
pub struct Body {
    digest: Sha256,
    /// Line ends that count once something follows.
    lines: usize,
    space: bool,
    any: bool,
    ready: Vec<u8>,
}

impl Body {
    /// Takes the next piece. Lines end in CRLF.
    pub fn update(&mut self, bytes: &[u8]) {
        self.ready.clear();
        for byte in bytes {
            match byte {
                b'\r' => {}
                b'\n' => {
                    self.lines += 1;
                    self.space = false;
                }
                b' ' | b'\t' => self.space = true,
                byte => {
                    while self.lines > 0 {
                        self.ready.extend_from_slice(b"\r\n");
                        self.lines -= 1;
                    }
                    if std::mem::take(&mut self.space) {
                        self.ready.push(b' ');
                    }
                    self.ready.push(*byte);
                    self.any = true;
                }
            }
        }
        self.digest.update(&self.ready);
    }

    pub fn digest(mut self) -> Vec<u8> {
        if self.any {
            self.digest.update(b"\r\n");
        }
        self.digest.finalize().to_vec()
    }
}

/// One field: its name in lower case, its value on one line, with single spaces.
pub fn field(text: &str) -> String {
    let (name, value) = text.split_once(':').unwrap_or((text, ""));
    let words: Vec<&str> = value.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()).collect();
    format!("{}:{}\r\n", name.trim_end().to_ascii_lowercase(), words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(pieces: &[&[u8]]) -> Vec<u8> {
        let mut body = Body::default();
        pieces.iter().for_each(|piece| body.update(piece));
        body.digest()
    }

    #[test]
    fn the_example_of_the_rfc() {
        // RFC 6376 section 3.4.5.
        assert_eq!(field("A: X\r\n"), "a:X\r\n");
        assert_eq!(field("B : Y\t\r\n\tZ  \r\n"), "b:Y Z\r\n");
        assert_eq!(of(&[b" C \r\nD \t E\r\n\r\n\r\n"]), Sha256::digest(b" C\r\nD E\r\n").to_vec());
    }

    #[test]
    fn an_empty_body_is_nothing() {
        for body in [&b""[..], b"\r\n", b"\r\n\r\n", b" \t\r\n"] {
            assert_eq!(of(&[body]), Sha256::digest(b"").to_vec());
        }
    }

    proptest! {
        #[test]
        fn the_pieces_make_no_difference(lines in prop::collection::vec("[ \ta-c]{0,6}", 0..8), cut in 0usize..60) {
            let text = lines.join("\r\n") + "\r\n";
            let (head, tail) = text.as_bytes().split_at(cut.min(text.len()));
            // As the RFC says it, line by line.
            let single = |line: &String| {
                let lead = line.starts_with([' ', '\t']) && !line.trim().is_empty();
                let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
                format!("{}{}\r\n", if lead { " " } else { "" }, words.join(" "))
            };
            let mut plain: String = lines.iter().map(single).collect();
            while plain == "\r\n" || plain.ends_with("\r\n\r\n") {
                plain.truncate(plain.len() - 2);
            }
            prop_assert_eq!(of(&[head, tail]), Sha256::digest(plain.as_bytes()).to_vec());
        }
    }
}
