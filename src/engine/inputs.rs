//! The files a person wrote, as they were when the campaign was opened: a step does not start on others.

use super::Engine;
use crate::campaign::Campaign;
use crate::fault::{Fault, Result};
use sha2::{Digest, Sha256};
use std::path::Path;

/// SHA-256 over `flagday.toml` and every roster.
pub(super) type Inputs = [u8; 32];

pub(super) fn inputs(campaign: &Campaign) -> Inputs {
    let files =
        std::iter::once(campaign.file.as_path()).chain(campaign.rosters.iter().map(|roster| roster.file.as_path()));
    let mut digest = Sha256::new();
    files.for_each(|file| digest.update(digest_of(file)));
    digest.finalize().into()
}

/// A file that cannot be read is another one than it was.
fn digest_of(file: &Path) -> [u8; 32] {
    Sha256::digest(fs_err::read(file).unwrap_or_default()).into()
}

impl Engine<'_> {
    /// Who has to answer, and what is asked of them, is still what this run has read.
    pub(super) fn require_inputs(&self) -> Result<()> {
        if inputs(&self.campaign) == self.inputs {
            return Ok(());
        }
        let cause = "flagday.toml or a roster was changed while this ran: the next step was not started";
        Err(Fault::new("inputs-changed", cause, "run `flagday check`, then the command again"))
    }
}
