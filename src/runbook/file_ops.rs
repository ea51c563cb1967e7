//! The few changes that every action is made of. Each is durable before the next begins; an error from a sync ends
//! the step, because a second sync may report success for data that is gone.

use super::identity::{PIECE, digest_of, hex};
use super::lookup::Spot;
use crate::fault::{Exit, Fault, Result};
use crate::platform::fail::point;
use crate::platform::{Folder, Look, set_mode, set_owner};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::ffi::OsStr;
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::Path;
use std::time::SystemTime;

/// What a file carries beside its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    pub modified: SystemTime,
    pub mode: Option<u32>,
    pub owner: Option<(u32, u32)>,
}

impl Stamp {
    pub fn of(look: &Look) -> Stamp {
        Stamp { modified: look.modified, mode: look.mode, owner: look.owner }
    }
}

/// Names for files on their way, beside the file they are for. 8.3, so that a DOS server keeps them apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scratch {
    stem: String,
}

impl Scratch {
    /// The same step and target give the same names, so that they are found again.
    pub fn new(step: &str, target: &Spot) -> Scratch {
        let digest = hex(Sha256::new().chain_update(step).chain_update("\0").chain_update(target.to_string()));
        Scratch { stem: format!("FD{}", digest[..6].to_uppercase()) }
    }

    /// The bytes that will take the name.
    pub fn incoming(&self) -> String {
        format!("{}.TMP", self.stem)
    }

    /// What had the name before.
    pub fn aside(&self) -> String {
        format!("{}.OLD", self.stem)
    }

    fn probes(&self) -> [String; 2] {
        [format!("{}.PRB", self.stem), format!("{}.PRC", self.stem)]
    }

    /// The names that are already taken in the folder, by somebody else.
    pub fn taken(&self, folder: &Folder) -> Result<Vec<String>> {
        let [probe, renamed] = self.probes();
        let mut taken = Vec::new();
        for name in [self.incoming(), self.aside(), probe, renamed] {
            if folder.look(OsStr::new(&name))?.is_some() {
                taken.push(name);
            }
        }
        Ok(taken)
    }

    /// Proves the right to change a folder by changing it: creates, renames, syncs and removes a file of no bytes.
    pub fn probe(&self, folder: &Folder) -> Result<()> {
        let [probe, renamed] = self.probes();
        folder.create(OsStr::new(&probe))?;
        folder.rename(OsStr::new(&probe), folder, OsStr::new(&renamed))?;
        folder.sync()?;
        folder.remove(OsStr::new(&renamed))?;
        Ok(())
    }

    /// Removes what an interrupted probe left.
    pub fn unprobe(&self, folder: &Folder) -> Result<()> {
        for name in self.probes() {
            if folder.look(OsStr::new(&name))?.is_some_and(|look| look.size == 0) {
                folder.remove(OsStr::new(&name))?;
            }
        }
        Ok(())
    }
}

/// Copies bytes into a new file and syncs it; the name must be free. Gives their number and SHA-256, as read.
pub fn write_new(
    from: &Folder,
    name: &OsStr,
    to: &Folder,
    new: &OsStr,
    stamp: Option<&Stamp>,
) -> Result<(u64, String)> {
    let mut source = from.read(name)?;
    let mut target = to.create(new)?;
    let mut digest = Sha256::new();
    let mut size = 0;
    let mut piece = vec![0; PIECE];
    loop {
        let n = source.read(&mut piece)?;
        if n == 0 {
            break;
        }
        digest.update(&piece[..n]);
        target.write_all(&piece[..n])?;
        size += n as u64;
        point("written")?;
    }
    if let Some(stamp) = stamp {
        if let Some(owner) = stamp.owner {
            set_owner(&target, owner)?;
        }
        if let Some(mode) = stamp.mode {
            set_mode(&target, mode)?;
        }
        target.set_modified(stamp.modified)?;
    }
    point("before sync file")?;
    target.sync_all()?;
    point("after sync file")?;
    let digest = hex(digest);
    target.rewind()?;
    if digest_of(&mut target)? != (size, digest.clone()) {
        return Err(Fault::new(
            "copy-differs",
            format!("{} does not read back as it was written", to.path().join(new).display()),
            "distrust that volume: check it, or write to another one",
        ));
    }
    Ok((size, digest))
}

/// Renames without replacing, and makes both folders durable.
pub fn move_to(from: &Folder, name: &OsStr, to: &Folder, new: &OsStr) -> Result<()> {
    from.rename(name, to, new).map_err(|error| match error.kind() {
        ErrorKind::ResourceBusy | ErrorKind::ExecutableFileBusy | ErrorKind::PermissionDenied => {
            in_use(&from.path().join(name), &error)
        }
        ErrorKind::CrossesDevices => other_volume(&from.path().join(name), to.path()),
        ErrorKind::AlreadyExists => Fault::new(
            "name-taken",
            format!("{} appeared in the meantime; nothing was replaced", to.path().join(new).display()),
            "find out which program made it, and move it away",
        ),
        _ => error.into(),
    })?;
    to.sync()?;
    if from.path() != to.path() {
        from.sync()?;
    }
    Ok(())
}

/// Removes a file when it is there, and makes that durable.
pub fn discard(folder: &Folder, name: &str) -> Result<()> {
    let name = OsStr::new(name);
    if folder.look(name)?.is_some() {
        folder.remove(name)?;
        folder.sync()?;
    }
    Ok(())
}

/// Opens a folder inside, creating it when it is missing.
pub fn enter(folder: &Folder, name: &OsStr) -> Result<Folder> {
    if folder.look(name)?.is_none() {
        folder.create_folder(name)?;
        folder.sync()?;
    }
    Ok(folder.folder(name)?)
}

/// Somebody has it open: worth another try.
fn in_use(path: &Path, error: &std::io::Error) -> Fault {
    Fault::ending(
        Exit::Waiting,
        "file-in-use",
        format!("{error}: a program or a client has it open, or a right is missing on {}", path.display()),
        "find who is still signed in or which transport still runs, end it, and run `flagday cutover` again; \
         `flagday cutover rollback` is safe too",
    )
}

/// A rename cannot leave its volume.
pub fn other_volume(from: &Path, to: &Path) -> Fault {
    Fault::new(
        "other-volume",
        format!("{} and {} are on different volumes: a rename cannot move between them", from.display(), to.display()),
        "name a place on the same volume, or use copy",
    )
}

/// The complaint when fewer bytes are free than are needed.
pub fn space_for(folder: &Folder, needed: u64) -> Result<Option<crate::fault::Finding>> {
    let short = folder.space()?.filter(|free| *free < needed);
    Ok(short.map(|free| {
        crate::fault::Finding::error(
            "space-short",
            format!("{} has {free} bytes free, {needed} are needed", folder.path().display()),
            "free space there, or name a place on a larger volume",
        )
        .in_file(folder.path())
    }))
}
