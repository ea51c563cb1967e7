//! IMAP (RFC 9051, and RFC 3501 servers) as far as reading goes: a folder is opened with EXAMINE, letters are fetched with
//! PEEK, so that nothing in the mailbox changes, not even a flag. What a server sends is bounded.

mod dial; // TCP, TLS, STARTTLS
mod folder; // names of folders, quoted
mod response; // one response, literals and all

use super::Letter;
use crate::campaign::ImapServer;
use crate::fault::{Fault, Finding, Result};
use crate::outbox::Secret;
use dial::Wire;
use response::Response;
use std::collections::VecDeque;
use std::path::Path;

/// One octet more than is read of a letter.
const MOST: usize = (25 << 20) + 1;
/// So much is asked for at once.
const LETTERS: usize = 100;
const OCTETS: u64 = 32 << 20;
/// More responses than this to one command are no answer.
const RESPONSES: usize = 2_000_000;

/// An open folder of a mailbox.
#[derive(Debug)]
pub struct Imap {
    wire: Wire,
    /// [`ImapServer::name`].
    pub name: String,
    secret: Secret,
    user: String,
    count: u32,
    /// RFC 9051 section 2.3.1.1: as long as it stays, so do the letters' UIDs.
    pub validity: u32,
    /// UIDs and sizes that are still to be fetched.
    left: VecDeque<(u32, u64)>,
}

impl Imap {
    /// Logs in and opens the folder. `ca_file` holds certificates to believe beside the system's.
    pub fn open(server: &ImapServer, secret: Secret, ca_file: Option<&Path>) -> Result<Imap> {
        let wire = Wire::dial(server, ca_file)?;
        let (name, user) = (server.name(), server.user.clone());
        let mut imap = Imap { wire, name, secret, user, count: 0, validity: 0, left: VecDeque::new() };
        imap.log_in()?;
        let examine = format!("EXAMINE {}", folder::quoted(&folder::encoded(&server.folder)));
        for response in imap.command(&examine)? {
            imap.validity = response.code("UIDVALIDITY").unwrap_or(imap.validity);
        }
        if imap.validity == 0 {
            return Err(imap.broken("it does not say UIDVALIDITY"));
        }
        Ok(imap)
    }

    /// Looks for letters behind the cursor, a UIDVALIDITY and the last UID that was read. Where the validity is another
    /// one, all letters are new.
    pub fn seek(&mut self, cursor: Option<(u32, u32)>) -> Result<()> {
        let read = cursor.filter(|(validity, _)| *validity == self.validity).map_or(0, |(_, uid)| uid);
        let Some(from) = read.checked_add(1) else { return Ok(()) };
        let mut found: Vec<(u32, u64)> = Vec::new();
        for response in self.command(&format!("UID FETCH {from}:* (UID RFC822.SIZE)"))? {
            // `n:*` names the last letter even where it stands before n.
            if let Some(uid) =
                response.fetched("UID").and_then(|uid| u32::try_from(uid).ok()).filter(|uid| *uid >= from)
            {
                found.push((uid, response.fetched("RFC822.SIZE").unwrap_or(0)));
            }
        }
        found.sort_unstable();
        found.dedup();
        self.left = found.into();
        Ok(())
    }

    /// The next letters, and the last UID among them; none when all are read.
    pub fn next_batch(&mut self) -> Result<Option<(u32, Vec<Letter>)>> {
        let (mut uids, mut octets) = (Vec::new(), 0);
        while let Some((uid, size)) = self.left.front().copied() {
            octets += size.min(MOST as u64);
            if uids.len() == LETTERS || (octets > OCTETS && !uids.is_empty()) {
                break;
            }
            uids.push(uid);
            self.left.pop_front();
        }
        let Some(last) = uids.last().copied() else { return Ok(None) };
        let set = uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let mut letters = Vec::new();
        for response in self.command(&format!("UID FETCH {set} (UID BODY.PEEK[]<0.{MOST}>)"))? {
            let Some(uid) = response.fetched("UID").and_then(|uid| u32::try_from(uid).ok()) else { continue };
            // One that was expunged meanwhile is not there.
            if let (true, Some(bytes)) = (uids.contains(&uid), response.into_literal()) {
                letters.push(Letter::Held { name: format!("{};UID={uid}", self.name), bytes });
            }
        }
        Ok(Some((last, letters)))
    }

    fn log_in(&mut self) -> Result<()> {
        let capabilities = self.command("CAPABILITY")?;
        let can = |word: &str| capabilities.iter().any(|response| response.says(word));
        if can("AUTH=PLAIN") {
            let words = folder::plain(&self.user, self.secret.expose());
            let tag = self.send("AUTHENTICATE PLAIN")?;
            self.wire.await_go_ahead()?;
            self.wire.write(format!("{words}\r\n").as_bytes())?;
            return self.finish(&tag).map(drop).map_err(|fault| self.refused(fault));
        }
        if can("LOGINDISABLED") {
            return Err(self.broken("it takes no password on this connection"));
        }
        let (user, password) = (folder::quoted(&self.user), folder::quoted(self.secret.expose()));
        self.command(&format!("LOGIN {user} {password}")).map(drop).map_err(|fault| self.refused(fault))
    }

    /// What a login's refusal is, without the secret in the server's words.
    fn refused(&self, fault: Fault) -> Fault {
        let words = fault.findings.iter().map(|finding| finding.cause.as_str()).collect::<Vec<_>>().join("; ");
        let words = self.secret.redact(&words, &self.user);
        Fault::new("imap-login", words, "see to the user in the URL and to what password_env or password_command gives")
    }

    fn command(&mut self, command: &str) -> Result<Vec<Response>> {
        let tag = self.send(command)?;
        self.finish(&tag)
    }

    fn send(&mut self, command: &str) -> Result<String> {
        self.count += 1;
        let tag = format!("f{}", self.count);
        // Nothing that could end the line early gets here: names are quoted, numbers are ours.
        if command.contains(['\r', '\n', '\0']) {
            return Err(self.broken("a name with a line break cannot be sent"));
        }
        self.wire.write(format!("{tag} {command}\r\n").as_bytes())?;
        Ok(tag)
    }

    /// The untagged responses up to the tagged OK.
    fn finish(&mut self, tag: &str) -> Result<Vec<Response>> {
        let mut all = Vec::new();
        let mut octets = 0;
        for _ in 0..RESPONSES {
            let response = self.wire.response(MOST)?;
            match response.tagged(tag) {
                Some(Ok(())) => return Ok(all),
                Some(Err(words)) => return Err(self.broken(&format!("it says: {words}"))),
                None if response.says_bye() => return Err(self.broken("it said goodbye")),
                None => {
                    octets += response.size();
                    if octets > 2 * OCTETS as usize + MOST {
                        return Err(self.broken("it sends more than was asked for"));
                    }
                    all.push(response);
                }
            }
        }
        Err(self.broken("it does not come to an end"))
    }

    fn broken(&self, what: &str) -> Fault {
        let cause = self.secret.redact(&format!("{}: {what}", self.name), &self.user);
        Finding::error(
            "imap",
            cause,
            "nothing in the mailbox was changed; the next intake goes on where this one stopped",
        )
        .into()
    }
}

impl Drop for Imap {
    fn drop(&mut self) {
        // Courtesy; the server closes the connection either way.
        let _ = self.send("LOGOUT");
    }
}
