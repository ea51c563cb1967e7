//! A letter as one value of a database: a version, then its segments, each with its length.
//!
//! ```text
//! letter   1 | count u32 | segment…
//! segment  0 | length u32 | bytes
//!          1 | encoding u8 | size u64 | SHA-256 (32 bytes) | length u16 | path (UTF-8)
//! ```
//! Numbers are big-endian.

use super::letter::{Encoding, Letter, Segment};
use crate::fault::{Fault, Result};
use data_encoding::HEXLOWER;

const VERSION: u8 = 1;

impl Letter {
    /// The compact form, for [`Letter::from_bytes`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        out.extend((self.segments().len() as u32).to_be_bytes());
        for segment in self.segments() {
            match segment {
                Segment::Bytes(bytes) => {
                    out.push(0);
                    out.extend((bytes.len() as u32).to_be_bytes());
                    out.extend_from_slice(bytes);
                }
                Segment::File { path, sha256, size, encoding } => {
                    out.extend([1, *encoding as u8]);
                    out.extend(size.to_be_bytes());
                    out.extend(HEXLOWER.decode(sha256.as_bytes()).expect("a letter has digests in hex only"));
                    let path = path.to_str().expect("a letter has UTF-8 paths only");
                    out.extend((path.len() as u16).to_be_bytes());
                    out.extend_from_slice(path.as_bytes());
                }
            }
        }
        out
    }

    /// Reads what [`Letter::to_bytes`] wrote. Anything else is a fault: never a panic, never more memory than the bytes
    /// themselves.
    pub fn from_bytes(bytes: &[u8]) -> Result<Letter> {
        let mut reader = Reader(bytes);
        let segments = reader.segments().filter(|_| reader.0.is_empty()).ok_or_else(|| {
            Fault::new(
                "letter-stored",
                "a stored message cannot be read: the ledger is damaged, or a newer flagday wrote it",
                "restore the ledger from its backup, or use the newer flagday; or tell the person another way",
            )
        })?;
        Letter::new(segments)
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn segments(&mut self) -> Option<Vec<Segment>> {
        if self.array()? != [VERSION] {
            return None;
        }
        let count = u32::from_be_bytes(self.array()?);
        // The count may lie: the list grows only as segments are found.
        let mut segments = Vec::new();
        for _ in 0..count {
            segments.push(self.segment()?);
        }
        Some(segments)
    }

    fn segment(&mut self) -> Option<Segment> {
        match self.array()? {
            [0] => {
                let length = u32::from_be_bytes(self.array()?);
                Some(Segment::Bytes(self.slice(length as usize)?.to_vec()))
            }
            [1] => {
                let [encoding] = self.array()?;
                let encoding = [Encoding::Base64, Encoding::Uuencode].into_iter().find(|e| *e as u8 == encoding)?;
                let size = u64::from_be_bytes(self.array()?);
                let sha256 = HEXLOWER.encode(&self.array::<32>()?);
                let length = u16::from_be_bytes(self.array()?);
                let path = std::str::from_utf8(self.slice(length.into())?).ok()?.into();
                Some(Segment::File { path, sha256, size, encoding })
            }
            _ => None,
        }
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    fn slice(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn letter() -> Letter {
        Letter::new(vec![
            Segment::Bytes(b"Subject: x\r\n\r\n".to_vec()),
            Segment::File {
                path: "/state/packages/KIM.ZIP".into(),
                sha256: "0123456789abcdef".repeat(4),
                size: 12_345,
                encoding: Encoding::Uuencode,
            },
            Segment::Bytes(b"\r\n".to_vec()),
        ])
        .unwrap()
    }

    #[test]
    fn a_letter_comes_back_as_it_was() {
        assert_eq!(Letter::from_bytes(&letter().to_bytes()).unwrap(), letter());
    }

    #[test]
    fn a_damaged_letter_is_refused_wherever_it_is_cut() {
        let bytes = letter().to_bytes();
        for length in 0..bytes.len() {
            assert!(Letter::from_bytes(&bytes[..length]).is_err(), "{length}");
        }
        assert!(Letter::from_bytes(&[bytes, vec![0]].concat()).is_err());
    }

    #[test]
    fn a_stored_bare_lf_is_found() {
        let stored = [&[VERSION, 0, 0, 0, 1, 0, 0, 0, 0, 4][..], b"a\n\r\n"].concat();
        assert!(Letter::from_bytes(&stored).unwrap_err().cause().contains("bare LF"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = Letter::from_bytes(&bytes);
            bytes.splice(0..0, [VERSION, 255, 255, 255, 255]);
            let _ = Letter::from_bytes(&bytes);
        }
    }
}
