//! A message made ready for the wire while it is written: dots doubled (RFC 5321 §4.5.2), and every rule held that a
//! server might not hold. What breaks one never gets its final dot, so no server keeps it.

use crate::outbox::outcome::Unwritten;
use crate::outbox::{Payload, Unsendable};
use memchr::memchr2;
use std::io::{self, Write};

/// A block goes out when it holds this many bytes.
pub const BLOCK: usize = 64 * 1024;
/// The longest line without its CRLF (RFC 5322 §2.1.1).
const LINE_LIMIT: u64 = 998;

/// Takes message bytes, gives wire bytes in blocks to `emit`; the last block is held back for [`Transparent::fill`].
pub struct Transparent<F> {
    emit: F,
    block: Vec<u8>,
    promised: u64,
    eight_bit: bool,
    /// Bytes taken so far.
    offset: u64,
    /// From 1.
    line: u64,
    /// Bytes of this line so far, without its CR.
    length: u64,
    /// The last byte was a CR.
    cr: bool,
    broken: Option<Unsendable>,
}

impl<F: FnMut(Vec<u8>) -> io::Result<()>> Transparent<F> {
    /// Writes the whole payload. The last block, which ends with the final dot, is returned and not emitted.
    pub fn fill(payload: &dyn Payload, emit: F) -> Result<Vec<u8>, Unwritten> {
        let (promised, eight_bit) = (payload.size(), payload.eight_bit());
        let block = Vec::with_capacity(promised.min(BLOCK as u64) as usize + 64);
        let mut wire =
            Transparent { emit, block, promised, eight_bit, offset: 0, line: 1, length: 0, cr: false, broken: None };
        let written = payload.write(&mut wire);
        if let Some(broken) = wire.broken {
            return Err(broken.into());
        }
        written?;
        Ok(wire.finish()?)
    }

    fn finish(mut self) -> Result<Vec<u8>, Unsendable> {
        if self.cr {
            return Err(Unsendable::BareLineEnd { offset: self.offset - 1 });
        }
        if self.offset != self.promised {
            return Err(Unsendable::WrongSize { promised: self.promised, written: self.offset });
        }
        if self.length > 0 {
            self.block.extend_from_slice(b"\r\n");
        }
        self.block.extend_from_slice(b".\r\n");
        Ok(self.block)
    }

    /// The rules, for one piece of the message.
    fn take(&mut self, mut input: &[u8]) -> Result<(), Unsendable> {
        while let Some(&first) = input.first() {
            if self.cr {
                if first != b'\n' {
                    return Err(Unsendable::BareLineEnd { offset: self.offset - 1 });
                }
                self.block.push(b'\n');
                (self.cr, self.length) = (false, 0);
                self.line += 1;
                self.offset += 1;
                input = &input[1..];
                continue;
            }
            if self.length == 0 && first == b'.' {
                self.block.push(b'.');
            }
            let run = memchr2(b'\r', b'\n', input).unwrap_or(input.len());
            self.plain(&input[..run])?;
            match input.get(run) {
                Some(b'\n') => return Err(Unsendable::BareLineEnd { offset: self.offset }),
                // The rule of nearly every line: it ends here, with both.
                Some(_) if input.get(run + 1) == Some(&b'\n') => {
                    self.block.extend_from_slice(b"\r\n");
                    self.length = 0;
                    self.line += 1;
                    self.offset += 2;
                    input = &input[run + 2..];
                }
                Some(_) => {
                    self.block.push(b'\r');
                    self.cr = true;
                    self.offset += 1;
                    input = &input[run + 1..];
                }
                None => input = &[],
            }
        }
        Ok(())
    }

    /// A piece of one line.
    fn plain(&mut self, piece: &[u8]) -> Result<(), Unsendable> {
        self.length += piece.len() as u64;
        if self.length > LINE_LIMIT {
            return Err(Unsendable::LongLine { line: self.line });
        }
        if !self.eight_bit && !piece.is_ascii() {
            let at = piece.iter().position(|byte| !byte.is_ascii()).unwrap_or_default();
            return Err(Unsendable::EightBit { offset: self.offset + at as u64 });
        }
        self.block.extend_from_slice(piece);
        self.offset += piece.len() as u64;
        if self.block.len() >= BLOCK - LINE_LIMIT as usize - 2 {
            // The reader being gone is no fault of the message; the writer learns it and stops.
            let full = std::mem::replace(&mut self.block, Vec::with_capacity(BLOCK));
            if (self.emit)(full).is_err() {
                let cause = "the connection ended while the message was read".to_owned();
                return Err(Unsendable::Unreadable { cause, remedy: "run the command again".to_owned() });
            }
        }
        Ok(())
    }
}

impl<F: FnMut(Vec<u8>) -> io::Result<()>> Write for Transparent<F> {
    fn write(&mut self, input: &[u8]) -> io::Result<usize> {
        if self.broken.is_none() {
            let written = self.offset + input.len() as u64;
            let taken = if written > self.promised {
                Err(Unsendable::WrongSize { promised: self.promised, written })
            } else {
                self.take(input)
            };
            self.broken = taken.err();
        }
        match self.broken {
            Some(_) => Err(io::Error::other("the message must not leave as it is")),
            None => Ok(input.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::queue::memory::Bytes;
    use proptest::prelude::*;

    fn wire(message: &[u8]) -> Result<Vec<u8>, Unwritten> {
        let mut blocks = Vec::new();
        let last = Transparent::fill(&Bytes(message.into()), |block| {
            blocks.push(block);
            Ok(())
        })?;
        assert!(blocks.iter().all(|block| block.len() <= BLOCK));
        Ok([blocks.concat(), last].concat())
    }

    #[test]
    fn dots_at_the_start_of_a_line_are_doubled() {
        assert_eq!(wire(b".a\r\n..\r\nb.\r\n.\r\n").expect("sendable"), b"..a\r\n...\r\nb.\r\n..\r\n.\r\n");
    }

    #[test]
    fn the_last_line_gets_its_end_and_no_empty_line_is_added() {
        assert_eq!(wire(b"a").expect("sendable"), b"a\r\n.\r\n");
        assert_eq!(wire(b"a\r\n").expect("sendable"), b"a\r\n.\r\n");
        assert_eq!(wire(b"").expect("sendable"), b".\r\n");
    }

    #[test]
    fn what_must_not_leave_is_named_by_place() {
        let long = format!("ok\r\n{}\r\n", "x".repeat(999));
        for (message, why) in [
            (&b"a\nb"[..], Unsendable::BareLineEnd { offset: 1 }),
            (b"a\r\n\nb", Unsendable::BareLineEnd { offset: 3 }),
            (b"a\rb", Unsendable::BareLineEnd { offset: 1 }),
            (b"a\r\r\n", Unsendable::BareLineEnd { offset: 1 }),
            (b"ab\r", Unsendable::BareLineEnd { offset: 2 }),
            (b"a\n.\r\nMAIL FROM:<x@y>\r\n", Unsendable::BareLineEnd { offset: 1 }),
            (long.as_bytes(), Unsendable::LongLine { line: 2 }),
            ("a\r\nbé".as_bytes(), Unsendable::EightBit { offset: 4 }),
        ] {
            assert_eq!(wire(message), Err(why.into()), "{}", String::from_utf8_lossy(message));
        }
        assert!(wire("x".repeat(998).as_bytes()).is_ok());
    }

    #[test]
    fn promises_of_size_are_held() {
        struct Liar(u64);
        impl Payload for Liar {
            fn size(&self) -> u64 {
                self.0
            }
            fn write(&self, out: &mut dyn Write) -> crate::fault::Result<()> {
                Ok(out.write_all(b"12345\r\n")?)
            }
        }
        for promised in [6, 8] {
            let refused = Transparent::fill(&Liar(promised), |_| Ok(())).expect_err("another size");
            assert_eq!(refused, Unsendable::WrongSize { promised, written: 7 }.into());
        }
        assert!(Transparent::fill(&Liar(7), |_| Ok(())).is_ok());
    }

    #[test]
    fn an_attachment_that_cannot_be_read_fails_in_its_own_words() {
        struct Gone;
        impl Payload for Gone {
            fn size(&self) -> u64 {
                10
            }
            fn write(&self, out: &mut dyn Write) -> crate::fault::Result<()> {
                out.write_all(b"To: x\r\n")?;
                Err(crate::fault::Fault::new("package", "kim.zip has changed", "run build"))
            }
        }
        let (cause, remedy) = ("kim.zip has changed".into(), "run build".into());
        assert_eq!(Transparent::fill(&Gone, |_| Ok(())), Err(Unsendable::Unreadable { cause, remedy }.into()));
    }

    /// The receiver's side (RFC 5321 §4.5.2), written apart from the sender's.
    fn received(wire: &[u8]) -> Vec<u8> {
        let text = wire.strip_suffix(b".\r\n").expect("a final dot");
        let mut message = Vec::new();
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            message.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        }
        message
    }

    proptest! {
        #[test]
        fn the_receiver_gets_the_very_bytes(
            lines in prop::collection::vec("[.a\t ]{0,12}", 0..40),
            cuts in prop::collection::vec(1usize..30, 1..10),
        ) {
            struct Pieces(Vec<u8>, Vec<usize>);
            impl Payload for Pieces {
                fn size(&self) -> u64 { self.0.len() as u64 }
                fn write(&self, out: &mut dyn Write) -> crate::fault::Result<()> {
                    let (mut rest, mut cuts) = (&self.0[..], self.1.iter().cycle());
                    while !rest.is_empty() {
                        let (piece, tail) = rest.split_at(rest.len().min(*cuts.next().expect("endless")));
                        out.write_all(piece)?;
                        rest = tail;
                    }
                    Ok(())
                }
            }
            let message: String = lines.iter().flat_map(|line| [line.as_str(), "\r\n"]).collect();
            let wire = Transparent::fill(&Pieces(message.clone().into(), cuts), |_| Ok(())).expect("sendable");
            prop_assert_eq!(received(&wire), message.as_bytes());
            // Nothing inside ends the message early.
            let early = wire[..wire.len() - 3].windows(5).any(|five| five == b"\r\n.\r\n");
            prop_assert!(!early && (wire.len() == 3 || !wire.starts_with(b".\r\n")));
        }

        #[test]
        fn hostile_bytes_never_panic_and_never_hold_a_bare_line_end(message in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(wire) = wire(&message) {
                prop_assert!(wire.is_ascii());
                let text = String::from_utf8(wire).expect("ascii").replace("\r\n", "");
                prop_assert!(!text.contains(['\r', '\n']));
            }
        }
    }

    #[test]
    fn long_messages_come_in_blocks() {
        let message = format!("{}\r\n", ".".repeat(70)).repeat(5000);
        assert_eq!(received(&wire(message.as_bytes()).expect("sendable")), message.as_bytes());
    }
}
