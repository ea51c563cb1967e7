//! The slip: marks and results of the messages in hand, a line each, in a file beside the ledger.
//!
//! A transaction a message would cost more than the message. A line is one write(2), which survives a killed process; the
//! ledger takes lines over many at a time, in one transaction that survives a power cut, and the slip is empty again. Taking
//! a line over twice changes nothing: a claim has its own fence, one mark and one result.
//!
//! ```text
//! line   CRC-32 of the rest, 8 hex digits | space | JSON | LF
//! ```
//! Whoever writes on the slip holds it alone; the lock dies with its process.

use crate::answer::Kind;
use crate::fault::{Exit, Fault, Result};
use crate::outbox::Event;
use crate::system::pause;
use fs_err as fs;
use serde::{Deserialize, Serialize};
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

const NAME: &str = "slip";
/// So long a line may stand before the ledger takes it over.
const LONGEST: Duration = Duration::from_secs(1);
/// Whoever wants the slip looks so many times, so far apart.
const PATIENCE: usize = 20;
const MOMENT: Duration = Duration::from_millis(25);

/// One line: what happened to a message under one claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    pub id: i64,
    pub fence: i64,
    /// Absent: the mark alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Settled>,
}

/// How an attempt ended, in what the ledger keeps of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Settled {
    pub event: Event,
    /// Milliseconds since 1970, as `due`.
    pub at: i64,
    pub due: Option<i64>,
    /// Whether an attempt was used up.
    pub attempt: bool,
    /// Put off by quiet hours alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asleep: bool,
    pub proves: Option<Kind>,
    pub words: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remedy: String,
}

/// The slip in the hands of its one writer.
#[derive(Debug)]
pub(super) struct Slip {
    file: fs::File,
    lines: Vec<Line>,
    /// When the first of them was written.
    since: Option<Instant>,
    /// Half a line stands at its end.
    torn: bool,
}

impl Slip {
    /// Takes the slip for this process, with the lines that a killed run left on it. Ends with exit code 5 while another
    /// process holds it.
    pub fn take(state: &Path) -> Result<Slip> {
        let path = state.join(NAME);
        let file = fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        super::secret::private_file(&path)?;
        // Whoever only reads the ledger holds it for a moment, to take a killed run's lines over.
        for _ in 0..PATIENCE {
            if lock(&file)? {
                return Slip::held(file);
            }
            pause(MOMENT);
        }
        let remedy = "wait for it to end, or stop it; it loses nothing when it is stopped";
        let cause = format!("{} is sending for this campaign", super::lock::holder(state));
        Err(Fault::ending(Exit::Busy, "busy", cause, remedy))
    }

    /// The slip of a run that was killed; none where nothing stands on it, or where the run is still at work.
    pub fn left_behind(state: &Path) -> Result<Option<Slip>> {
        let file = match fs::OpenOptions::new().read(true).write(true).open(state.join(NAME)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if file.metadata()?.len() == 0 || !lock(&file)? { Ok(None) } else { Slip::held(file).map(Some) }
    }

    fn held(mut file: fs::File) -> Result<Slip> {
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        Ok(Slip { lines: read(&text)?, file, since: None, torn: false })
    }

    /// Writes one line. After an error nothing more may be written: half a line hides all that follow it.
    pub fn write(&mut self, line: Line) -> Result<()> {
        let json = serde_json::to_string(&line)?;
        let text = format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes()));
        // Taken back below, when all of it stands.
        let torn = std::mem::replace(&mut self.torn, true);
        if torn || self.file.write(text.as_bytes())? < text.len() {
            let cause = "the disk took only a part of what was written about a message";
            return Err(Fault::new("ledger-disk-full", cause, "free space, then run the command again"));
        }
        self.torn = false;
        self.since.get_or_insert_with(Instant::now);
        self.lines.push(line);
        Ok(())
    }

    /// Everything written since it was last empty.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Whether the ledger should take it over: nobody is to read for long that messages are on their way which are sent.
    pub fn is_old(&self) -> bool {
        self.since.is_some_and(|since| since.elapsed() > LONGEST)
    }

    /// The ledger has all of it, durably. What could not be read goes too: it would hide what is written behind it.
    pub fn clear(&mut self) -> Result<()> {
        if self.file.metadata()?.len() > 0 {
            self.file.set_len(0)?;
        }
        self.file.rewind()?;
        self.lines.clear();
        (self.since, self.torn) = (None, false);
        Ok(())
    }
}

/// For this process alone, until the file is closed; false where another one has it.
fn lock(file: &fs::File) -> Result<bool> {
    match file.file().try_lock() {
        Ok(()) => Ok(true),
        Err(std::fs::TryLockError::WouldBlock) => Ok(false),
        Err(std::fs::TryLockError::Error(error)) => Err(error.into()),
    }
}

/// The whole lines, up to the first that is none: what a full disk or a power cut left of one was never relied on. A whole
/// line that says nothing to this program is another one's, and an error.
fn read(text: &[u8]) -> Result<Vec<Line>> {
    let line = |line| {
        let json = checked(line)?;
        Some(serde_json::from_slice(json).map_err(|_| {
            let cause = "the slip beside the ledger was written by another flagday";
            Fault::new("ledger-newer", cause, "run that flagday once more; it takes its slip over")
        }))
    };
    text.split_inclusive(|byte| *byte == b'\n').map_while(line).collect()
}

/// What stands in a whole line.
fn checked(line: &[u8]) -> Option<&[u8]> {
    let (sum, json) = line.strip_suffix(b"\n")?.split_at_checked(9)?;
    let sum = u32::from_str_radix(std::str::from_utf8(sum).ok()?.trim_end(), 16).ok()?;
    (sum == crc32fast::hash(json)).then_some(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(id: i64) -> Line {
        Line { id, fence: 1, result: None }
    }

    fn sent(id: i64) -> Line {
        let words = "250 2.0.0 Ok: \"queued\"\nas 1".to_owned();
        let result = Settled {
            event: Event::Accept,
            at: 7,
            due: None,
            attempt: true,
            asleep: false,
            proves: Some(Kind::Sent),
            words,
            remedy: String::new(),
        };
        Line { id, fence: 1, result: Some(result) }
    }

    #[test]
    fn what_was_written_is_read_by_the_next_who_takes_it() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(Slip::left_behind(folder.path()).expect("looked").is_none());
        let mut slip = Slip::take(folder.path()).expect("free");
        for line in [mark(1), sent(1), mark(2)] {
            slip.write(line).expect("written");
        }
        assert_eq!(Slip::take(folder.path()).expect_err("held").exit, Exit::Busy);
        assert!(Slip::left_behind(folder.path()).expect("looked").is_none(), "its writer is alive");
        // Somebody who holds it for a moment only is waited for.
        let reader = std::thread::spawn(move || {
            pause(MOMENT * 3);
            drop(slip);
        });
        drop(Slip::take(folder.path()).expect("free again"));
        reader.join().expect("ended");
        let mut slip = Slip::left_behind(folder.path()).expect("looked").expect("lines");
        assert_eq!(slip.lines(), [mark(1), sent(1), mark(2)]);
        slip.clear().expect("emptied");
        slip.write(mark(3)).expect("written");
        drop(slip);
        assert_eq!(Slip::take(folder.path()).expect("free").lines(), [mark(3)]);
    }

    #[test]
    fn a_torn_or_altered_line_ends_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut slip = Slip::take(folder.path()).expect("free");
        slip.write(mark(1)).expect("written");
        slip.write(sent(1)).expect("written");
        let text = fs::read(folder.path().join(NAME)).expect("read");
        let whole = text.iter().position(|byte| *byte == b'\n').expect("a line") + 1;
        for cut in whole..text.len() {
            assert_eq!(read(&text[..cut]).expect("read"), [mark(1)], "cut at {cut}");
        }
        for at in whole..text.len() {
            let mut altered = text.clone();
            altered[at] ^= 1;
            assert_eq!(read(&altered).expect("read"), [mark(1)], "altered at {at}");
        }
    }

    #[test]
    fn what_cannot_be_read_hides_nothing_that_comes_after() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(NAME), [0; 64]).expect("written");
        let mut slip = Slip::take(folder.path()).expect("free");
        assert_eq!(slip.lines(), []);
        slip.clear().expect("emptied");
        slip.write(mark(1)).expect("written");
        drop(slip);
        assert_eq!(Slip::take(folder.path()).expect("free").lines(), [mark(1)]);
        let json = "{\"something\":\"else\"}";
        let other = format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes()));
        fs::write(folder.path().join(NAME), other).expect("written");
        assert_eq!(Slip::take(folder.path()).expect_err("not ours").findings[0].code, "ledger-newer");
    }
}
