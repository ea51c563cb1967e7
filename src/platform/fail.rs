//! Named points between any two changes of a file. In tests, one of them ends the run as a crash would, or fails as a
//! disk would; everywhere else they are nothing.

#[cfg(not(test))]
#[inline(always)]
pub fn point(_name: &'static str) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub use armed::{Crash, arm, point, reached};

#[cfg(test)]
mod armed {
    use std::cell::Cell;
    use std::io::{Error, ErrorKind, Result};

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
    }

    /// From now on the `nth` point (from 1; 0: none) crashes, or fails with `error`. Counting starts again.
    pub fn arm(nth: usize, error: Option<ErrorKind>) {
        REACHED.set(0);
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
