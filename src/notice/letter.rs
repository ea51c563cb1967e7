//! A letter: the bytes of one message, with its attachments still in their files. Sending streams it, so a thousand
//! letters waiting weigh a few kilobytes each.

use super::encoding::Encoder;
pub use super::encoding::Encoding;
use crate::fault::{Fault, Result};
use data_encoding::HEXLOWER;
use memchr::{memchr_iter, memmem};
use sha2::{Digest, Sha256};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// The longest line without its line end that a mail server has to take (RFC 5321 section 4.5.3.1.6).
const LINE: usize = 998;
/// The largest attachment, in bytes: far above what any mail server takes.
const FILE: u64 = 1 << 30;
/// How much of a file is held at a time.
const CHUNK: usize = 64 * 1024;

/// One message as it goes over the wire, before dots are doubled. Every line ends in CRLF, no other CR or LF occurs, and
/// every byte is ASCII but for an internationalised address in the header (UTF-8, RFC 6532); [`Letter::new`] refuses
/// anything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    Bytes(Vec<u8>),
    /// A file, encoded when it is written. The digest (64 lower-case hex digits) and the size in bytes are those the
    /// message was planned with.
    File {
        path: PathBuf,
        sha256: String,
        size: u64,
        encoding: Encoding,
    },
}

impl Letter {
    /// Refuses what must not go over the wire: a bare CR or LF (RFC 5321 section 2.3.8), a line over 998 octets, a byte
    /// above 127 outside the header, an end without a line end.
    ///
    /// A letter of nothing is for somebody whom no mail reaches: it is kept with the message, and cannot be written.
    pub fn new(segments: Vec<Segment>) -> Result<Letter> {
        for (place, segment) in segments.iter().enumerate() {
            match segment {
                Segment::Bytes(bytes) => {
                    let head = if place == 0 { memmem::find(bytes, b"\r\n\r\n").unwrap_or(bytes.len()) } else { 0 };
                    if std::str::from_utf8(&bytes[..head]).is_err() || !bytes[head..].is_ascii() {
                        return Err(refused("a byte above 127 stands in it"));
                    }
                    check_lines(bytes)?;
                }
                Segment::File { path, sha256, size, .. } => {
                    let hex = sha256.len() == 64 && sha256.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
                    let name = path.to_str().is_some_and(|name| name.len() <= u16::MAX.into());
                    if !name || !hex || *size > FILE {
                        let cause = "has no digest, more than 1 GiB, or a path that is no UTF-8";
                        return Err(refused(format!("the attachment {} {cause}", path.display())));
                    }
                }
            }
        }
        match segments.last() {
            None => Ok(Letter { segments }),
            Some(Segment::Bytes(bytes)) if bytes.ends_with(b"\r\n") => Ok(Letter { segments }),
            _ => Err(refused("it does not end with a line end")),
        }
    }

    pub(super) fn into_segments(self) -> Vec<Segment> {
        self.segments
    }

    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// How many bytes [`Letter::write`] writes.
    pub fn size(&self) -> u64 {
        let size = |segment: &Segment| match segment {
            Segment::Bytes(bytes) => bytes.len() as u64,
            Segment::File { size, encoding, .. } => encoding.encoded_len(*size),
        };
        self.segments.iter().map(size).sum()
    }

    /// Writes the message. A file is compared with its digest and size while it is read; where they differ this is a
    /// fault that comes before the file's last chunk was written, so no receiver holds a whole message and the caller
    /// has to give up the transmission.
    pub fn write(&self, out: &mut dyn Write, open: Open) -> Result<()> {
        if self.segments.is_empty() {
            return Err(refused("there is nothing in it"));
        }
        for segment in &self.segments {
            match segment {
                Segment::Bytes(bytes) => out.write_all(bytes)?,
                Segment::File { path, sha256, size, encoding } => {
                    let mut encoder = Encoder::new(*encoding);
                    let mut encoded = Vec::with_capacity(CHUNK * 3 / 2);
                    read_checked(path, sha256, *size, open, &mut |chunk| {
                        encoded.clear();
                        encoder.update(chunk, &mut encoded);
                        out.write_all(&encoded)
                    })?;
                    encoded.clear();
                    encoder.finish(&mut encoded);
                    out.write_all(&encoded)?;
                }
            }
        }
        Ok(())
    }

    /// Reads every attached file and compares it with its digest and size: what is done before a message leaves.
    pub fn verify(&self, open: Open) -> Result<()> {
        for segment in &self.segments {
            if let Segment::File { path, sha256, size, .. } = segment {
                read_checked(path, sha256, *size, open, &mut |_| Ok(()))?;
            }
        }
        Ok(())
    }
}

/// How a letter's files are opened; [`open_file`] is the real way.
pub type Open<'a> = &'a dyn Fn(&Path) -> Result<Box<dyn Read>>;

/// Opens a file of this machine. One that is gone has changed, as a message sees it.
pub fn open_file(path: &Path) -> Result<Box<dyn Read>> {
    match fs_err::File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Err(changed(path, "the file is gone")),
        file => Ok(Box::new(file?)),
    }
}

fn changed(path: &Path, what: &str) -> Fault {
    let remedy = "run `flagday build`, then `send --to failed`; where another one is meant, `check` says what to amend";
    Fault::new("attachment-changed", format!("{}: {what} since the message was planned", path.display()), remedy)
}

/// Hands the file on in chunks. The last chunk is handed on only when the whole file is what it was.
fn read_checked(
    path: &Path,
    sha256: &str,
    size: u64,
    open: Open,
    hand_on: &mut dyn FnMut(&[u8]) -> std::io::Result<()>,
) -> Result<()> {
    // One byte more than it should have is enough to know that it grew.
    let mut file = open(path)?.take(size + 1);
    let (mut digest, mut read) = (Sha256::new(), 0u64);
    // As large as the file's chunks are, and not read into by smaller pieces.
    let chunk = (size + 1).min(CHUNK as u64) as usize;
    let (mut held, mut next) = (vec![0; chunk], vec![0; chunk]);
    let mut length = 0;
    loop {
        let filled = fill(&mut file, &mut next)?;
        if filled == 0 {
            break;
        }
        read += filled as u64;
        if read > size {
            return Err(changed(path, &format!("the file is longer than {size} bytes")));
        }
        digest.update(&next[..filled]);
        hand_on(&held[..length])?;
        std::mem::swap(&mut held, &mut next);
        length = filled;
    }
    if read < size {
        return Err(changed(path, &format!("the file has {read} bytes instead of {size}")));
    }
    if HEXLOWER.encode(&digest.finalize()) != sha256 {
        return Err(changed(path, "the file's SHA-256 has changed"));
    }
    Ok(hand_on(&held[..length])?)
}

/// Reads until the buffer is full or the file is at its end; how much that was.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Every LF after a CR, and as many of one as of the other: then no CR stands alone.
fn check_lines(bytes: &[u8]) -> Result<()> {
    let (mut start, mut lines) = (0, 0);
    for at in memchr_iter(b'\n', bytes) {
        if at == start || bytes[at - 1] != b'\r' {
            return Err(refused(format!("a bare LF stands at byte {at}")));
        }
        check_length(start, at - 1)?;
        (start, lines) = (at + 1, lines + 1);
    }
    if memchr_iter(b'\r', bytes).count() != lines {
        let bare = memchr_iter(b'\r', bytes).find(|at| bytes.get(at + 1) != Some(&b'\n')).unwrap_or_default();
        return Err(refused(format!("a bare CR stands at byte {bare}")));
    }
    check_length(start, bytes.len())
}

fn check_length(start: usize, end: usize) -> Result<()> {
    if end - start > LINE {
        return Err(refused(format!("the line at byte {start} has more than {LINE} characters")));
    }
    Ok(())
}

fn refused(cause: impl std::fmt::Display) -> Fault {
    Fault::new(
        "letter",
        format!("the message cannot go over the wire: {cause}"),
        "look at it with preview; correct the template or the roster's row that it comes from",
    )
}

#[cfg(test)]
mod tests;
