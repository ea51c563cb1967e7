//! Signatures that are made before the ledger is written to. An RSA signature takes most of a millisecond: made while planning,
//! those of a hundred thousand letters would hold the ledger for most of a minute, and nobody's answer could come in.

use crate::fault::{Fault, Result};
use crate::ledger::NewMessage;
use crate::notice::dkim;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;

/// Signatures in the order of their letters, each with its length in front (u32, big-endian), in a file that has no name.
#[derive(Debug)]
pub(super) struct Signatures(BufReader<File>);

impl Signatures {
    /// Keeps them on the disk of `folder`: they are a third of a kilobyte each.
    pub fn keep(folder: &Path, made: impl Iterator<Item = Result<String>>) -> Result<Signatures> {
        let mut out = BufWriter::new(tempfile::tempfile_in(folder)?);
        for signature in made {
            let signature = signature?;
            out.write_all(&(signature.len() as u32).to_be_bytes())?;
            out.write_all(signature.as_bytes())?;
        }
        let mut file = out.into_inner().map_err(|error| error.into_error())?;
        file.rewind()?;
        Ok(Signatures(BufReader::new(file)))
    }

    /// The message with the next one in front of its letter.
    pub fn put_on(&mut self, message: NewMessage) -> Result<NewMessage> {
        let signature = self.next()?;
        Ok(NewMessage { letter: dkim::signed(message.letter, &signature)?, ..message })
    }

    fn next(&mut self) -> Result<String> {
        let mut length = [0; 4];
        self.0.read_exact(&mut length)?;
        let mut signature = String::new();
        let length = u32::from_be_bytes(length).into();
        let read = self.0.by_ref().take(length).read_to_string(&mut signature)?;
        match read as u64 == length {
            true => Ok(signature),
            false => Err(Fault::new("signature-lost", "a signature was cut off on its way", "run the command again")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_come_back_in_their_order_and_no_more_of_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let made = ["DKIM-Signature: a;\r\n\tb=c\r\n", "", "DKIM-Signature: d\r\n"];
        let mut kept = Signatures::keep(folder.path(), made.iter().map(|one| Ok((*one).to_owned()))).expect("kept");
        assert_eq!(fs_err::read_dir(folder.path()).expect("a folder").count(), 0, "it has no name");
        for one in made {
            assert_eq!(kept.next().expect("the next"), one);
        }
        kept.next().expect_err("there are no more");
    }

    #[test]
    fn a_letter_that_cannot_be_signed_ends_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let made = [Ok("a".to_owned()), Err(Fault::new("attachment-changed", "it is another", "build again"))];
        let fault = Signatures::keep(folder.path(), made.into_iter()).expect_err("one cannot be signed");
        assert_eq!(fault.findings[0].code, "attachment-changed");
    }
}
