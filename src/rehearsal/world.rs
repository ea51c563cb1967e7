//! The simulated world: a clock that may be wrong, a mail server that may be down, a run that may be killed. Files written
//! now carry the time of the machine that rehearses; they are given the simulated one.

use crate::fault::{Fault, Result};
use crate::ledger::Ledger;
use crate::runbook::{Journal, StepState, state_of};
use crate::system::World;
use chrono::{DateTime, Duration, Utc};
use fs_err as fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// What a killed run leaves behind: it unwinds with this, past everything that would have been written down.
#[derive(Debug)]
pub(super) struct Killed;

#[derive(Debug)]
pub(super) struct Simulated {
    state: Mutex<State>,
    /// The machine's own time when the rehearsal began.
    begun: DateTime<Utc>,
}

#[derive(Debug)]
struct State {
    /// The true time.
    now: DateTime<Utc>,
    /// How far the machine's clock is ahead of it.
    ahead: Duration,
    mail_is_down: bool,
    /// The step that is killed between its change and the record of it, and another look at the ledger.
    armed: Option<(String, Ledger)>,
}

impl Simulated {
    pub(super) fn at(now: DateTime<Utc>) -> Simulated {
        let state = State { now, ahead: Duration::zero(), mail_is_down: false, armed: None };
        Simulated { state: Mutex::new(state), begun: crate::system::Real.now() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, now: DateTime<Utc>) {
        self.state().now = now;
    }

    /// The true time, whatever the machine's clock says.
    pub(super) fn truly(&self) -> DateTime<Utc> {
        self.state().now
    }

    pub(super) fn ahead(&self) -> Duration {
        self.state().ahead
    }

    pub(super) fn step_clock(&self, ahead: Duration) {
        self.state().ahead = ahead;
    }

    pub(super) fn take_mail_down(&self, down: bool) {
        self.state().mail_is_down = down;
    }

    /// Kills the run that asks for the time while the step is begun and not yet done; `None` disarms.
    pub(super) fn arm(&self, armed: Option<(String, Ledger)>) {
        self.state().armed = armed;
    }

    /// Gives the simulated time to every file below `root` that was written since the rehearsal began.
    pub(super) fn stamp_new(&self, root: &Path) -> Result<()> {
        let since = self.begun - Duration::seconds(2);
        let until = crate::system::Real.now() + Duration::seconds(2);
        let now = self.truly();
        each_file(root, &mut |path| {
            let modified = DateTime::<Utc>::from(fs::metadata(path)?.modified()?);
            if modified >= since && modified <= until { touch(path, now) } else { Ok(()) }
        })
    }
}

impl World for Simulated {
    fn now(&self) -> DateTime<Utc> {
        let mut state = self.state();
        let is_begun = |(step, ledger): &(String, Ledger)| {
            let state = ledger.entries().and_then(|entries| state_of(&entries, step));
            state.is_ok_and(|state| state == StepState::Started)
        };
        if state.armed.as_ref().is_some_and(is_begun) {
            state.armed = None;
            drop(state);
            // No panic: nothing is reported, and nobody is asked.
            std::panic::resume_unwind(Box::new(Killed));
        }
        state.now + state.ahead
    }

    fn server_now(&self, _: &Path) -> Result<DateTime<Utc>> {
        // The simulated file server keeps the true time, in the even seconds that FAT keeps.
        let now = self.truly().timestamp();
        Ok(DateTime::from_timestamp(now - now.rem_euclid(2), 0).unwrap_or_default())
    }

    fn mail_server(&self) -> Result<()> {
        match self.state().mail_is_down {
            false => Ok(()),
            true => Err(Fault::new(
                "mail-server-down",
                "the mail server does not answer",
                "nothing is lost: what is planned goes out with the next run",
            )),
        }
    }
}

/// Sets a file's time, whatever its rights.
pub(super) fn touch(path: &Path, at: DateTime<Utc>) -> Result<()> {
    let rights = fs::metadata(path)?.permissions();
    let read_only = rights.readonly();
    if read_only {
        let mut writable = rights.clone();
        #[expect(clippy::permissions_set_readonly_false, reason = "a file of the rehearsal's own copy, for a moment")]
        writable.set_readonly(false);
        fs::set_permissions(path, writable)?;
    }
    fs::OpenOptions::new().append(true).open(path)?.file().set_modified(SystemTime::from(at))?;
    if read_only {
        fs::set_permissions(path, rights)?;
    }
    Ok(())
}

pub(super) fn each_file(folder: &Path, act: &mut dyn FnMut(&Path) -> Result<()>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            each_file(&entry.path(), act)?;
        } else if entry.file_type()?.is_file() {
            act(&entry.path())?;
        }
    }
    Ok(())
}
