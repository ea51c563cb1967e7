//! The world outside the program: the clock, chance, and the time of a file server. Opened here and nowhere else,
//! so that a rehearsal can hand the engine another world.

use crate::fault::Result;
use chrono::{DateTime, Utc};
use std::path::Path;

/// What the engine asks of the world. [`Real`] is this machine; the rehearsal brings its own.
pub trait World: Send + Sync {
    /// The instant now.
    fn now(&self) -> DateTime<Utc>;

    /// The instant now by the clock of the server that holds `folder`: a probe file is written there, its
    /// modification time read, and the probe removed. Comparing file times with anything else is guessing.
    fn server_now(&self, folder: &Path) -> Result<DateTime<Utc>>;
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
        let probe = tempfile::Builder::new().prefix("FLAGDAY").suffix(".TMP").tempfile_in(folder)?;
        fs_err::write(probe.path(), b"flagday\r\n")?;
        Ok(fs_err::metadata(probe.path())?.modified()?.into())
    }
}

/// Fills `bytes` from the system's source of randomness.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        crate::fault::Fault::new("random", format!("the system has no randomness to give: {error}"), "try again later")
    })?;
    Ok(bytes)
}

/// Names this start of the machine: after a power cut it is another one. Empty where the system does not tell.
pub fn boot_id() -> String {
    fs_err::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
}
