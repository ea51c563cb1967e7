//! The world outside the program: the clock, chance, and the time of a file server. Opened here and nowhere else,
//! so that a rehearsal can hand the engine another world.

use crate::fault::{Fault, Result};
use chrono::{DateTime, Utc};
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::time::Duration;

/// What the engine asks of the world. [`Real`] is this machine; the rehearsal brings its own.
pub trait World: Send + Sync {
    /// The instant now.
    fn now(&self) -> DateTime<Utc>;

    /// The instant now by the clock of the server that holds `folder`: a probe file is written there, its
    /// modification time read, and the probe removed. Comparing file times with anything else is guessing.
    fn server_now(&self, folder: &Path) -> Result<DateTime<Utc>>;

    /// Takes away a probe that could not be removed when it was made.
    fn forget_server(&self, _folder: &Path) -> Result<()> {
        Ok(())
    }

    /// Waits. Simulated time stands still: whoever simulates moves it.
    fn pause(&self, _time: Duration) {}

    /// Whether mail can leave at all just now. The real world finds out by trying; a rehearsal has days without.
    fn mail_server(&self) -> Result<()> {
        Ok(())
    }
}

/// This machine's own clock and file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct Real;

impl World for Real {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn server_now(&self, folder: &Path) -> Result<DateTime<Utc>> {
        let probe = folder.join(PROBE);
        remove_probe(&probe)?;
        let mut file = fs_err::OpenOptions::new().write(true).create_new(true).open(&probe)?;
        let written = file.write_all(PROBE_TEXT);
        drop(file);
        let seen = written.and_then(|()| fs_err::metadata(&probe)?.modified());
        remove_probe(&probe)?;
        Ok(seen?.into())
    }

    fn forget_server(&self, folder: &Path) -> Result<()> {
        remove_probe(&folder.join(PROBE))
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that waits by sleeping")]
    fn pause(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// For tests: a clock that stands until it is set, of this machine and of every server; and a mail server that may be down.
#[cfg(test)]
#[derive(Debug)]
pub struct Standing {
    now: std::sync::Mutex<DateTime<Utc>>,
    mail_down: std::sync::atomic::AtomicBool,
}

#[cfg(test)]
impl Standing {
    pub fn at(now: DateTime<Utc>) -> Standing {
        Standing { now: now.into(), mail_down: false.into() }
    }

    pub fn set(&self, now: DateTime<Utc>) {
        *self.now.lock().expect("a clock") = now;
    }

    pub fn forward(&self, by: chrono::Duration) {
        self.set(self.now() + by);
    }

    pub fn mail_is_down(&self, down: bool) {
        self.mail_down.store(down, std::sync::atomic::Ordering::Relaxed);
    }
}

#[cfg(test)]
impl World for Standing {
    fn now(&self) -> DateTime<Utc> {
        *self.now.lock().expect("a clock")
    }

    fn server_now(&self, _: &Path) -> Result<DateTime<Utc>> {
        Ok(self.now())
    }

    fn mail_server(&self) -> Result<()> {
        match self.mail_down.load(std::sync::atomic::Ordering::Relaxed) {
            true => Err(Fault::new("smtp-unreachable", "it is down", "wait")),
            false => Ok(()),
        }
    }
}

/// One name for every probe: what a killed run left behind is gone after the next look.
const PROBE: &str = "FLAGDAY.TMP";
const PROBE_TEXT: &[u8] = b"flagday\r\n";

/// Removes a probe; a file that is none stays, and stops the look.
fn remove_probe(probe: &Path) -> Result<()> {
    let look = match fs_err::symlink_metadata(probe) {
        Ok(look) => look,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let short = look.is_file() && look.len() <= PROBE_TEXT.len() as u64;
    if short && PROBE_TEXT.starts_with(&fs_err::read(probe)?) {
        return Ok(patiently(|| fs_err::remove_file(probe))?);
    }
    let cause = format!("{} is in the way of asking the server for its time", probe.display());
    Err(Fault::new("probe-name-taken", cause, "move that file elsewhere: it is not this program's"))
}

/// Tries again for two seconds what another program has open: on a share, a virus scanner looks into every new file.
fn patiently(mut attempt: impl FnMut() -> std::io::Result<()>) -> std::io::Result<()> {
    const TRIES: usize = 20;
    for _ in 1..TRIES {
        match attempt() {
            Err(error) if error.kind() == ErrorKind::ResourceBusy => pause(Duration::from_millis(100)),
            ended => return ended,
        }
    }
    attempt()
}

/// Waits a little for another process. Whoever waits for longer than a moment looks in between.
#[expect(clippy::disallowed_methods, reason = "the one place that waits")]
pub fn pause(moment: std::time::Duration) {
    std::thread::sleep(moment);
}

/// Fills `bytes` from the system's source of randomness.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        Fault::new("random", format!("the system has no randomness to give: {error}"), "try again later")
    })?;
    Ok(bytes)
}

/// Names this start of the machine: after a power cut it is another one. Empty where the system does not tell:
/// then every start counts as another one.
pub fn boot_id() -> String {
    fs_err::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_that_was_left_is_taken_away_and_no_other_file_of_its_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let probe = folder.path().join(PROBE);
        for part in [0, 3, PROBE_TEXT.len()] {
            fs_err::write(&probe, &PROBE_TEXT[..part]).expect("left");
            Real.forget_server(folder.path()).expect("taken away");
            assert!(!probe.exists());
        }
        fs_err::write(&probe, "mine").expect("written");
        assert_eq!(Real.forget_server(folder.path()).expect_err("it stays").findings[0].code, "probe-name-taken");
        assert!(probe.exists());
    }

    #[test]
    fn a_file_that_somebody_has_open_for_a_moment_is_tried_again_and_nothing_else_is() {
        let tried = |busy: usize, then: Option<ErrorKind>| {
            let mut tries = 0;
            let ended = patiently(|| {
                tries += 1;
                let kind = if tries <= busy { Some(ErrorKind::ResourceBusy) } else { then };
                kind.map_or(Ok(()), |kind| Err(kind.into()))
            });
            (tries, ended.map_err(|error| error.kind()))
        };
        assert_eq!(tried(0, None), (1, Ok(())));
        assert_eq!(tried(3, None), (4, Ok(())));
        assert_eq!(tried(1, Some(ErrorKind::PermissionDenied)), (2, Err(ErrorKind::PermissionDenied)));
        assert_eq!(tried(usize::MAX, None), (20, Err(ErrorKind::ResourceBusy)));
    }

    #[test]
    fn a_probe_that_was_left_behind_goes_and_a_strangers_file_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let probe = folder.path().join(PROBE);
        for left in [&PROBE_TEXT[..0], &PROBE_TEXT[..4], PROBE_TEXT] {
            fs_err::write(&probe, left).expect("written");
            let now = Real.server_now(folder.path()).expect("told");
            assert!((Real.now() - now).abs() < chrono::Duration::seconds(60), "{now}");
            assert!(!probe.exists());
        }
        for strange in ["flagday\r\n and more", "ours?"] {
            fs_err::write(&probe, strange).expect("written");
            let fault = Real.server_now(folder.path()).expect_err("in the way");
            assert_eq!(fault.findings[0].code, "probe-name-taken");
            assert_eq!(fs_err::read_to_string(&probe).expect("there"), strange);
        }
    }
}
