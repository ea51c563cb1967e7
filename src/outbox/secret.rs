//! A password on its way from where it is kept to the server, and nowhere else.

use crate::campaign::PasswordSource;
use crate::fault::{Fault, Result};
use crate::platform::ended_within;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::HashSet;
use std::fmt;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long a command may take: somebody may have to type a passphrase for it.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long its output is waited for once it has ended.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// So much of its output is read, in bytes.
const LONGEST: u64 = 64 * 1024;

/// So many characters of it are a part of it, and hardly a word of the server's own.
const PART: usize = 6;
const STARS: &str = "***";

/// A password or token. It prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(secret: impl Into<String>) -> Self {
        Secret(secret.into())
    }

    /// Reads it from the environment, or as the first line that a command prints. The command is the campaign's own and
    /// runs in a shell, in the campaign's folder, without input.
    pub fn fetch(source: &PasswordSource, root: &Path) -> Result<Secret> {
        let secret = match source {
            PasswordSource::Env(name) => std::env::var(name).map_err(|_| {
                let cause = format!("the environment variable {name} is not set");
                Fault::new("password-missing", cause, format!("set {name} before you run the command"))
            })?,
            PasswordSource::Command(command) => first_line(command, root, PATIENCE)?,
        };
        if secret.is_empty() {
            return Err(Fault::new(
                "password-missing",
                "the password is empty",
                "see to what password_env or password_command gives",
            ));
        }
        Ok(Secret(secret))
    }

    /// The secret itself: for the wire only.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// The text without the secret, its usual encodings, and any longer part of one, for words that come from a server: it may
    /// break what it repeats over two lines, or cut it off.
    pub(crate) fn redact(&self, text: &str, user: &str) -> String {
        let plain = STANDARD.encode(format!("\0{user}\0{}", self.0));
        let bearer = STANDARD.encode(format!("user={user}\x01auth=Bearer {}\x01\x01", self.0));
        let forms = [plain, bearer, STANDARD.encode(&self.0), self.0.clone()];
        let text = forms.iter().fold(text.to_owned(), |text, form| text.replace(form, STARS));
        let parts: HashSet<&[u8]> = forms.iter().flat_map(|form| form.as_bytes().windows(PART)).collect();
        let mut secret = vec![false; text.len()];
        for (at, window) in text.as_bytes().windows(PART).enumerate() {
            if parts.contains(window) {
                secret[at..at + PART].fill(true);
            }
        }
        let mut redacted = String::with_capacity(text.len());
        let mut before = false;
        for (at, c) in text.char_indices() {
            let is_secret = secret[at..at + c.len_utf8()].contains(&true);
            match is_secret {
                true if !before => redacted += STARS,
                true => {}
                false => redacted.push(c),
            }
            before = is_secret;
        }
        redacted
    }
}

fn first_line(command: &str, root: &Path, limit: Duration) -> Result<String> {
    let failed = |why: String| {
        Fault::new(
            "password-command",
            format!("password_command {why}"),
            "run the command by hand in the campaign's folder and see why",
        )
    };
    // In this program's own group, and its errors on our stderr: what asks there has to be able to. They are not kept: a
    // program that fails may print what it was to keep secret, and a fault goes on record for ever.
    let mut child = Command::new("sh")
        .args(["-c", command])
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(|error| failed(format!("cannot be started: {error}")))?;
    let said = child.stdout.take().map(heard);
    if !ended_within(&mut child, limit)? {
        child.kill()?;
        child.wait()?;
        return Err(failed(format!("gave no password within {} s", limit.as_secs())));
    }
    let status = child.wait()?;
    if !status.success() {
        return Err(failed(format!("ended with {status}")));
    }
    // A child of its own may hold the pipe open beyond its end.
    let still_writes = |_| failed("left a program behind that still writes".into());
    let said = said.map(|said| said.recv_timeout(LAST_WORDS).map_err(still_writes)).transpose()?.transpose()?;
    let text = String::from_utf8(said.unwrap_or_default()).map_err(|_| failed("printed no UTF-8".into()))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// What a program writes, as far as it is kept. The rest is read all the same: nobody waits for room in a pipe.
fn heard(mut from: impl Read + Send + 'static) -> Receiver<std::io::Result<Vec<u8>>> {
    let (tell, hear) = channel();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        let read = from.by_ref().take(LONGEST).read_to_end(&mut kept);
        let _ = std::io::copy(&mut from, &mut std::io::sink());
        // Nobody listens any more once the time is over.
        let _ = tell.send(read.map(|_| kept));
    });
    hear
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(STARS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetch(command: &str) -> Result<Secret> {
        Secret::fetch(&PasswordSource::Command(command.into()), &std::env::temp_dir())
    }

    #[test]
    fn it_never_prints() {
        assert_eq!(format!("{:?}", Secret::new("sesame")), "***");
    }

    #[test]
    fn a_server_that_echoes_it_is_not_repeated() {
        let secret = Secret::new("sesame");
        for echo in ["sesame", "c2VzYW1l", "AGtpbQBzZXNhbWU=", "dXNlcj1raW0BYXV0aD1CZWFyZXIgc2VzYW1lAQE="] {
            assert_eq!(secret.redact(&format!("no: {echo}!"), "kim"), "no: ***!");
        }
        let secret = Secret::new("s3cr3t-Zebra-Quagga");
        let of = |text: &str| secret.redact(text, "kim");
        assert_eq!(of("bad s3cr3t-Zeb ra-Quagga ü"), "bad *** *** ü", "over two lines");
        assert_eq!(of("bad AGtpbQBzM2NyM3QtWmVi…"), "bad ***…", "cut off");
        assert_eq!(of("535 5.7.8 authentication failed"), "535 5.7.8 authentication failed");
    }

    #[test]
    fn the_first_line_of_the_command_counts() {
        assert_eq!(fetch("printf 'sesame\\nuser: kim\\n'").expect("a password"), Secret::new("sesame"));
    }

    #[test]
    fn what_gives_no_password_says_so() {
        assert_eq!(fetch("exit 3").expect_err("failed").findings[0].code, "password-command");
        assert_eq!(fetch("true").expect_err("empty").findings[0].code, "password-missing");
        let slow = first_line("sleep 60", &std::env::temp_dir(), Duration::from_millis(100)).expect_err("too slow");
        assert!(slow.cause().contains("gave no password within"), "{slow}");
        let unset = PasswordSource::Env("FLAGDAY_TEST_UNSET_PASSWORD".into());
        assert_eq!(Secret::fetch(&unset, Path::new(".")).expect_err("unset").findings[0].code, "password-missing");
    }
}
