//! Bytes as lines of text, in a stream: base64 (RFC 2045 section 6.8) and uuencode.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A full line of base64, with the line end before it.
const BASE64_LINE: usize = 78;

/// How a file stands in a letter. Lines end in CRLF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Lines of 76 characters; the last one without its line end.
    Base64,
    /// The data lines of uuencode, 45 bytes each: without the `begin` line, the closing empty line and `end`.
    Uuencode,
}

impl Encoding {
    /// Bytes of the file in one full line.
    fn line(self) -> usize {
        match self {
            Encoding::Base64 => 57,
            Encoding::Uuencode => 45,
        }
    }

    /// How many bytes a file of this size has once it is encoded.
    pub fn encoded_len(self, size: u64) -> u64 {
        let full = size / self.line() as u64;
        let rest = size % self.line() as u64;
        let groups = rest.div_ceil(3) * 4;
        match self {
            Encoding::Base64 => (full * 78 + groups).saturating_sub(if rest == 0 { 2 } else { 0 }),
            Encoding::Uuencode => full * 63 + if rest == 0 { 0 } else { groups + 3 },
        }
    }

    /// How many lines a file of this size has once it is encoded.
    pub fn lines(self, size: u64) -> u64 {
        size.div_ceil(self.line() as u64)
    }
}

/// Encodes one file, chunk by chunk.
#[derive(Debug)]
pub struct Encoder {
    encoding: Encoding,
    /// The bytes of a line that is not full yet.
    begun: Vec<u8>,
    any: bool,
}

impl Encoder {
    pub fn new(encoding: Encoding) -> Self {
        Encoder { encoding, begun: Vec::new(), any: false }
    }

    pub fn update(&mut self, mut chunk: &[u8], out: &mut Vec<u8>) {
        let line = self.encoding.line();
        if !self.begun.is_empty() {
            let (head, rest) = chunk.split_at(chunk.len().min(line - self.begun.len()));
            self.begun.extend_from_slice(head);
            chunk = rest;
            if self.begun.len() < line {
                return;
            }
            let full = std::mem::take(&mut self.begun);
            self.write_line(&full, out);
        }
        let mut lines = chunk.chunks_exact(line);
        if self.encoding == Encoding::Base64 {
            if !self.any
                && let Some(first) = lines.next()
            {
                self.write_line(first, out);
            }
            // Nearly all of a file: each line's place is known beforehand.
            let start = out.len();
            out.resize(start + lines.len() * BASE64_LINE, 0);
            for (full, place) in (&mut lines).zip(out[start..].chunks_exact_mut(BASE64_LINE)) {
                place[..2].copy_from_slice(b"\r\n");
                STANDARD.encode_slice(full, &mut place[2..]).expect("four characters for each three bytes");
            }
        }
        for full in &mut lines {
            self.write_line(full, out);
        }
        self.begun.extend_from_slice(lines.remainder());
    }

    /// The last line, when it is not a full one.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        let rest = std::mem::take(&mut self.begun);
        if !rest.is_empty() {
            self.write_line(&rest, out);
        }
    }

    fn write_line(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match self.encoding {
            Encoding::Base64 => {
                if self.any {
                    out.extend_from_slice(b"\r\n");
                }
                let start = out.len();
                out.resize(start + bytes.len().div_ceil(3) * 4, 0);
                STANDARD.encode_slice(bytes, &mut out[start..]).expect("four characters for each three bytes");
            }
            Encoding::Uuencode => {
                out.push(uu(bytes.len() as u8));
                for group in bytes.chunks(3) {
                    let at = |n: usize| u32::from(group.get(n).copied().unwrap_or(0));
                    let bits = at(0) << 16 | at(1) << 8 | at(2);
                    out.extend([18, 12, 6, 0].map(|shift| uu((bits >> shift & 63) as u8)));
                }
                out.extend_from_slice(b"\r\n");
            }
        }
        self.any = true;
    }
}

/// A grave accent for zero instead of a space: spaces at the end of a line do not survive every mail system.
fn uu(six: u8) -> u8 {
    if six == 0 { b'`' } else { six + 32 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encode(encoding: Encoding, bytes: &[u8], chunk: usize) -> Vec<u8> {
        let mut encoder = Encoder::new(encoding);
        let mut out = Vec::new();
        bytes.chunks(chunk).for_each(|chunk| encoder.update(chunk, &mut out));
        encoder.finish(&mut out);
        out
    }

    #[test]
    fn uuencode_writes_the_lines_everybody_knows() {
        assert_eq!(encode(Encoding::Uuencode, b"Cat", 3), b"#0V%T\r\n");
        assert_eq!(encode(Encoding::Uuencode, b"\0", 1), b"!````\r\n");
    }

    proptest! {
        #[test]
        fn chunks_do_not_show_and_sizes_are_exact(
            bytes in prop::collection::vec(any::<u8>(), 0..400), chunk in 1usize..130,
        ) {
            for encoding in [Encoding::Base64, Encoding::Uuencode] {
                let whole = encode(encoding, &bytes, 400);
                prop_assert_eq!(&encode(encoding, &bytes, chunk), &whole);
                prop_assert_eq!(encoding.encoded_len(bytes.len() as u64), whole.len() as u64);
                let lines = String::from_utf8(whole).unwrap();
                prop_assert_eq!(encoding.lines(bytes.len() as u64), lines.lines().count() as u64);
                prop_assert!(lines.lines().all(|line| line.len() <= 76));
            }
            let base64 = String::from_utf8(encode(Encoding::Base64, &bytes, chunk)).unwrap().replace("\r\n", "");
            prop_assert_eq!(STANDARD.decode(base64).unwrap(), bytes);
        }
    }
}
