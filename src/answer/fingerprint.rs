//! By what a letter is known again, and what of it may be kept.

use super::reading::Reading;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// Fields that mail programs add to a letter in a mailbox.
const ADDED: [&[u8]; 7] =
    [b"status:", b"x-status:", b"x-uid:", b"x-keywords:", b"content-length:", b"x-imap:", b"x-imapbase:"];

/// SHA-256 of the letter's octets, whatever the line ends of the mailbox and whatever a mail program added to its header
/// there: the same letter read from a Maildir, an mbox or over IMAP.
pub fn digest(raw: &[u8]) -> String {
    let mut digest = Sha256::new();
    let mut head = true;
    let body = raw.trim_ascii_end();
    for line in body.split(|c| *c == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        head &= !line.is_empty();
        let added = |name: &&[u8]| line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        if head && ADDED.iter().any(added) {
            continue;
        }
        digest.update(line);
        digest.update(b"\n");
    }
    HEXLOWER.encode(&digest.finalize())
}

impl Reading {
    /// SHA-256 of what the letter is and says: the same letter that came by two ways, with other trace fields. A letter
    /// without a Message-ID, or one that was not read, has none but its octets.
    pub fn content_key(&self) -> Option<String> {
        let id = self.message_id.as_deref().filter(|_| !self.unread)?;
        let mut digest = Sha256::new();
        let recipients = self.recipients.join(",");
        let authors = self.authors.join(",");
        let status = self.status.as_deref().unwrap_or_default();
        for field in [id, self.kind.word(), &authors, &recipients, status, &self.subject, &self.typed] {
            digest.update((field.len() as u64).to_be_bytes());
            digest.update(field.as_bytes());
        }
        Some(HEXLOWER.encode(&digest.finalize()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_the_same_in_every_mailbox_and_another_with_another_word() {
        let one = digest(b"From: a@x.example\r\nSubject: b\r\n\r\nhi\r\n");
        assert_eq!(one, digest(b"From: a@x.example\nStatus: RO\nSubject: b\nX-UID: 7\n\nhi\n\n"));
        assert_ne!(one, digest(b"From: a@x.example\nSubject: b\n\nho\n"));
        assert_ne!(digest(b"A: b\n\nStatus: x"), digest(b"A: b\n\n"));
    }
}
