//! Whether the volumes hold what a step's copies need at their fullest moment, before the first of them is made.

use super::place::Placement;
use crate::fault::{Finding, Result};
use crate::platform::Folder;
use crate::runbook::file_ops::space_for;

/// Bytes that must stay free beside a file: its folder's entry, the journal.
const MARGIN: u64 = 1 << 16;

/// One volume on the way through the copies, in the order in which they are made. Bytes.
struct Volume {
    device: Option<u64>,
    folder: Folder,
    /// More than at the beginning; what is replaced by something smaller gives room.
    grown: i128,
    fullest: i128,
}

impl Volume {
    fn holds(&mut self, bytes: u64) {
        self.fullest = self.fullest.max(self.grown + i128::from(bytes));
    }
}

/// The complaints, one a volume that is short. A file's old bytes are kept among the campaign's state, and the new ones
/// lie beside them until they take the name.
pub fn room(placements: &[Placement]) -> Result<Vec<Finding>> {
    let mut volumes: Vec<Volume> = Vec::new();
    for placement in placements {
        let (old, new) = (placement.old.as_ref().map_or(0, |old| old.size), placement.new.size);
        if placement.old.is_some() {
            let state = volume(&mut volumes, Folder::open(&placement.state)?)?;
            state.holds(old + MARGIN);
            state.grown += i128::from(old);
        }
        let target = volume(&mut volumes, placement.to.folder()?)?;
        target.holds(new + MARGIN);
        target.grown += i128::from(new) - i128::from(old);
    }
    let short = |it: &Volume| space_for(&it.folder, u64::try_from(it.fullest).unwrap_or(0)).transpose();
    volumes.iter().filter_map(short).collect()
}

/// The volume a folder is on. Where the system does not tell, each folder counts as one.
fn volume(volumes: &mut Vec<Volume>, folder: Folder) -> Result<&mut Volume> {
    let device = folder.device()?;
    let same = |it: &Volume| match device {
        Some(_) => it.device == device,
        None => it.folder.path() == folder.path(),
    };
    let at = match volumes.iter().position(same) {
        Some(at) => at,
        None => {
            volumes.push(Volume { device, folder, grown: 0, fullest: 0 });
            volumes.len() - 1
        }
    };
    Ok(&mut volumes[at])
}
