//! Named points between any two changes of a file. In tests, one of them ends the run as a crash would, or fails as a
//! disk would; everywhere else they are nothing.

use std::path::Path;

#[cfg(not(test))]
#[inline(always)]
pub fn point(_name: &'static str) -> std::io::Result<()> {
    Ok(())
}

/// A file's time as the volume tells it. In tests, a volume may keep even seconds only, by another clock.
#[cfg(not(test))]
#[inline(always)]
pub fn told(time: std::time::SystemTime) -> std::time::SystemTime {
    time
}

/// Whether nobody else is on this machine. In tests that is so until a test says otherwise: a sweep looks many thousand
/// times.
#[cfg(not(test))]
#[inline(always)]
pub fn alone() -> bool {
    false
}

/// A change that a power cut may take back, until it is synced.
#[derive(Debug)]
#[cfg_attr(not(test), expect(dead_code, reason = "read by the simulated power cut"))]
pub enum Change<'a> {
    Created(&'a Path),
    Folder(&'a Path),
    Renamed(&'a Path, &'a Path),
    /// About to be removed.
    Removing(&'a Path),
    /// A file, or the names in a folder.
    Synced(&'a Path),
}

/// Notes a change for a power cut. In tests alone.
#[cfg(not(test))]
#[inline(always)]
pub fn did(_change: Change<'_>) {}

#[cfg(test)]
pub use armed::{Crash, alone, arm, coarse, crowded, point, reached, told};
#[cfg(test)]
pub use loose::{Lost, did, power_cut};

#[cfg(test)]
mod loose;

#[cfg(test)]
mod armed {
    use std::cell::Cell;
    use std::io::{Error, ErrorKind, Result};
    use std::time::{Duration, SystemTime};

    /// What a crashed run unwinds with. Nothing in this room cleans up in a destructor, so that the files are left
    /// as a killed process leaves them.
    pub struct Crash;

    #[derive(Clone, Copy)]
    enum Armed {
        Off,
        Crash(usize),
        Error(usize, ErrorKind),
    }

    thread_local! {
        static ARMED: Cell<Armed> = const { Cell::new(Armed::Off) };
        static REACHED: Cell<usize> = const { Cell::new(0) };
        static COARSE: Cell<bool> = const { Cell::new(false) };
        static CROWDED: Cell<bool> = const { Cell::new(false) };
    }

    /// From now on other programs are looked for.
    pub fn crowded() {
        CROWDED.set(true);
    }

    pub fn alone() -> bool {
        !CROWDED.get()
    }

    /// From now on every volume keeps times as FAT does, cut to even seconds, by a clock that is three hours slow.
    pub fn coarse(on: bool) {
        COARSE.set(on);
    }

    pub fn told(time: SystemTime) -> SystemTime {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let even = Duration::from_secs(since.as_secs() / 2 * 2).saturating_sub(Duration::from_secs(3 * 3600));
        if COARSE.get() { SystemTime::UNIX_EPOCH + even } else { time }
    }

    /// From now on the `nth` point (from 1; 0: none) crashes, or fails with `error`. Counting starts again.
    pub fn arm(nth: usize, error: Option<ErrorKind>) {
        REACHED.set(0);
        super::loose::forget();
        ARMED.set(match (nth, error) {
            (0, _) => Armed::Off,
            (nth, None) => Armed::Crash(nth),
            (nth, Some(kind)) => Armed::Error(nth, kind),
        });
    }

    /// How many points were passed since [`arm`].
    pub fn reached() -> usize {
        REACHED.get()
    }

    pub fn point(name: &'static str) -> Result<()> {
        REACHED.set(REACHED.get() + 1);
        match ARMED.get() {
            Armed::Crash(nth) if nth == REACHED.get() => std::panic::resume_unwind(Box::new(Crash)),
            Armed::Error(nth, kind) if nth == REACHED.get() => Err(Error::new(kind, format!("injected at {name}"))),
            _ => Ok(()),
        }
    }
}
