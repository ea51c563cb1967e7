//! An mbox (RFC 4155): letters one behind the other, each under a `From ` line. `>From ` in a body is made `From ` again.

use crate::fault::{Fault, Result};
use crate::platform;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// One octet more than is read of a letter; the rest of it is passed over.
const MOST: usize = (25 << 20) + 1;
/// The longest piece of a line that is looked at.
const LINE: u64 = 1 << 20;

#[derive(Debug)]
pub struct Mbox {
    name: String,
    from: BufReader<fs_err::File>,
    /// How many letters were handed out.
    count: usize,
    /// A `From ` line was read that belongs to the next one.
    begun: bool,
}

impl Mbox {
    pub fn open(path: &Path) -> Result<Mbox> {
        let file = super::open(path)?;
        Ok(Mbox {
            name: path.display().to_string(),
            from: BufReader::with_capacity(256 << 10, file),
            count: 0,
            begun: false,
        })
    }

    /// Takes the lock that mail programs hold while they write, for as long as this is open. A mailbox that somebody
    /// writes to is read another time.
    pub fn lock(&self) -> Result<()> {
        let busy = |by: &str, then: &str| {
            let cause = format!("{} is locked by {by}", self.name);
            let remedy = format!("nothing was read of it; the next intake takes all of it{then}");
            Fault::new("mailbox-busy", cause, remedy)
        };
        let lock = format!("{}.lock", self.name);
        if Path::new(&lock).exists() {
            let then = format!(". Where no program writes to it any more, {lock} was left behind: remove it");
            return Err(busy(&lock, &then));
        }
        platform::lock_shared(self.from.get_ref()).map_err(|_| busy("another program", ""))
    }

    /// The next letter and its name.
    pub fn letter(&mut self) -> Result<Option<(String, Vec<u8>)>> {
        let mut letter = Vec::new();
        let mut started = std::mem::take(&mut self.begun);
        let mut blank = true;
        let mut line = Vec::new();
        loop {
            line.clear();
            if (&mut self.from).take(LINE).read_until(b'\n', &mut line)? == 0 {
                break;
            }
            if blank && is_envelope(&line) {
                if started {
                    self.begun = true;
                    break;
                }
                started = true;
                blank = false;
                continue;
            }
            blank = line.trim_ascii().is_empty();
            if !started && blank {
                continue;
            }
            started = true;
            let text = match line.strip_prefix(b">") {
                Some(rest) if rest.trim_ascii_start().len() == rest.len() && stuffed(rest) => rest,
                _ => &line[..],
            };
            let room = MOST.saturating_sub(letter.len()).min(text.len());
            letter.extend_from_slice(&text[..room]);
        }
        if !started {
            return Ok(None);
        }
        self.count += 1;
        Ok(Some((format!("{}#{}", self.name, self.count), letter)))
    }
}

/// `From kim@corp.example Fri Nov 27 10:00:00 2026`
fn is_envelope(line: &[u8]) -> bool {
    line.starts_with(b"From ") && line.contains(&b':') && line.iter().filter(|c| **c == b' ').count() >= 4
}

fn stuffed(rest: &[u8]) -> bool {
    let bare = &rest[rest.iter().position(|c| *c != b'>').unwrap_or(rest.len())..];
    bare.starts_with(b"From ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_told_apart_and_stuffing_is_undone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mbox");
        let text = "From a@x.example Fri Nov 27 10:00:00 2026\nSubject: 1\n\n>From here\nFrom there on\n\n\
                    From b@x.example Fri Nov 27 10:00:00 2026\nSubject: 2\n\n>>From\n";
        fs_err::write(&path, text).expect("written");
        let mut mbox = Mbox::open(&path).expect("open");
        mbox.lock().expect("free");
        let mut next =
            || mbox.letter().expect("readable").map(|(name, bytes)| (name, String::from_utf8(bytes).expect("text")));
        let (name, first) = next().expect("a letter");
        assert!(name.ends_with("mbox#1"), "{name}");
        assert_eq!(first, "Subject: 1\n\nFrom here\nFrom there on\n\n");
        let (name, second) = next().expect("a letter");
        assert!(name.ends_with("mbox#2") && second.starts_with("Subject: 2\n"), "{name} {second}");
        assert_eq!(next(), None);
        fs_err::write(folder.path().join("mbox.lock"), "").expect("written");
        assert!(Mbox::open(&path).expect("open").lock().is_err());
    }
}
