//! The few changes that every action is made of. Each is durable before the next begins; an error from a sync ends
//! the step, because a second sync may report success for data that is gone.

use super::identity::{DEPTH, PIECE, digest_of, hex};
use super::lookup::Spot;
use super::run::IN_USE;
use crate::fault::{Exit, Fault, Finding, Result};
use crate::platform::fail::{alone, point};
use crate::platform::{Folder, Kind, Look, carry, holders, set_mode, set_owner, sync_file};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
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
    /// DOS attributes, as the volume keeps them.
    #[serde(default)]
    pub attributes: Vec<(String, Vec<u8>)>,
}

impl Stamp {
    /// Of what stands under a name, already looked at.
    pub fn of(folder: &Folder, name: &OsStr, look: &Look) -> Stamp {
        let attributes = folder.carried(name);
        Stamp { modified: look.modified, mode: look.mode, owner: look.owner, attributes }
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

    /// Proves the right to change a folder by changing it: creates, renames, syncs and removes a file of no bytes. What
    /// was renamed there before is durable with it. Whether the volume itself keeps a rename from replacing.
    pub fn probe(&self, folder: &Folder) -> Result<bool> {
        self.unprobe(folder)?;
        self.or_nothing(folder, self.prove(folder))
    }

    fn prove(&self, folder: &Folder) -> Result<bool> {
        let [probe, renamed] = self.probes();
        let guarded = self.try_out(folder, OsStr::new(&probe), OsStr::new(&renamed));
        let guarded = guarded.map_err(|error| match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                let finding = Finding::error("no-right", error.to_string(), GIVE_RIGHTS).in_file(folder.path());
                Fault::from(finding)
            }
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                let remedy = "free space there, then run `flagday cutover` again";
                Finding::error("space-short", error.to_string(), remedy).in_file(folder.path()).into()
            }
            _ => error.into(),
        })?;
        sync(folder)?;
        take_away(folder, OsStr::new(&renamed))?;
        // Not even a power cut brings it back into somebody's postoffice.
        sync(folder)?;
        Ok(guarded)
    }

    fn try_out(&self, folder: &Folder, probe: &OsStr, renamed: &OsStr) -> std::io::Result<bool> {
        folder.create(probe)?;
        folder.rename(probe, folder, renamed)
    }

    /// Whether a file made there can be given to an owner.
    pub fn can_give(&self, folder: &Folder, owner: (u32, u32)) -> Result<bool> {
        self.unprobe(folder)?;
        self.or_nothing(folder, self.give(folder, owner))
    }

    fn give(&self, folder: &Folder, owner: (u32, u32)) -> Result<bool> {
        let [probe, _] = self.probes();
        let probe = OsStr::new(&probe);
        set_owner(&folder.create(probe)?, owner)?;
        let given = folder.look(probe)?.is_some_and(|look| look.owner == Some(owner));
        take_away(folder, probe)?;
        sync(folder)?;
        Ok(given)
    }

    /// Whoever is refused may never come back to this step: what was tried out is taken away as far as it can be, but after
    /// a failed sync.
    fn or_nothing(&self, folder: &Folder, tried: Result<bool>) -> Result<bool> {
        tried.inspect_err(|fault| {
            if fault.findings.iter().all(|finding| finding.code != UNSYNCED) {
                drop(self.unprobe(folder));
            }
        })
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

/// A server may refuse it once, and nothing of ours is to stay in somebody's postoffice.
fn take_away(folder: &Folder, probe: &OsStr) -> std::io::Result<()> {
    folder.remove(probe).or_else(|_| folder.remove(probe))
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
        carry(&target, &stamp.attributes);
        if let Some(mode) = stamp.mode {
            set_mode(&target, mode)?;
        }
        target.set_modified(stamp.modified)?;
    }
    sync_file(&target).map_err(|error| unsynced(&error))?;
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
    let renamed = from.rename(name, to, new).map(drop);
    renamed.map_err(|error| match error.kind() {
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
    sync(to)?;
    if from.path() != to.path() {
        sync(from)?;
    }
    Ok(())
}

/// Removes a file when it is there, and makes that durable.
pub fn discard(folder: &Folder, name: &str) -> Result<()> {
    let name = OsStr::new(name);
    if folder.look(name)?.is_some() {
        folder.remove(name)?;
        sync(folder)?;
    }
    Ok(())
}

/// The code of a failed sync.
pub const UNSYNCED: &str = "sync-failed";

/// Makes the names in a folder durable. A failure ends the step: a second sync may report success for data that is gone.
pub fn sync(folder: &Folder) -> Result<()> {
    folder.sync().map_err(|error| unsynced(&error))
}

fn unsynced(error: &std::io::Error) -> Fault {
    Fault::new(
        UNSYNCED,
        format!("{error}: what was just written may not be on the disk"),
        "look into the log of the system or the file server, and see to that disk before anything else",
    )
}

/// What to do where a folder cannot be changed.
pub const GIVE_RIGHTS: &str =
    "give this account the right to create, rename and delete there, and see that the volume is not read-only";

/// Opens a folder inside, creating it when it is missing.
pub fn enter(folder: &Folder, name: &OsStr) -> Result<Folder> {
    if folder.look(name)?.is_none() {
        folder.create_folder(name)?;
        sync(folder)?;
    }
    Ok(folder.folder(name)?)
}

/// Somebody has it open: worth another try.
fn in_use(path: &Path, error: &std::io::Error) -> Fault {
    let why = format!("{error}: a program or a client has it open, or a right is missing on {}", path.display());
    Fault::ending(Exit::Waiting, IN_USE, why, END_USE)
}

const END_USE: &str =
    "find who is still signed in or which transport still runs, end it, and run the same command again";

/// Refuses what a program on this machine holds open or has locked. Clients of another file server are not seen here:
/// their share modes make the rename itself fail.
pub fn free(folder: &Folder, name: &OsStr) -> Result<()> {
    if alone() {
        return Ok(());
    }
    let mut files = BTreeSet::new();
    numbers(folder, name, 0, &mut files)?;
    match holders(&files).as_slice() {
        [] => Ok(()),
        held => {
            let why = format!("{}: {}", folder.path().join(name).display(), held.join(", "));
            Err(Fault::ending(Exit::Waiting, IN_USE, why, END_USE))
        }
    }
}

/// The numbers of a file, or of all files below a folder.
fn numbers(folder: &Folder, name: &OsStr, depth: usize, files: &mut BTreeSet<(u64, u64)>) -> Result<()> {
    match folder.look(name)? {
        Some(look) if look.kind == Kind::File => files.extend(look.device.zip(look.inode)),
        Some(look) if look.kind == Kind::Folder && depth < DEPTH => {
            let inside = folder.folder(name)?;
            for name in inside.names()? {
                numbers(&inside, &name, depth + 1, files)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// A rename cannot leave its volume.
pub fn other_volume(from: &Path, to: &Path) -> Fault {
    Fault::new(
        "other-volume",
        format!("{} and {} are on different volumes: a rename cannot move between them", from.display(), to.display()),
        "name a place on the same volume, or use copy",
    )
}

/// The complaint when fewer bytes are free than are needed, and a warning where the volume does not tell.
pub fn space_for(folder: &Folder, needed: u64) -> Result<Option<Finding>> {
    let place = folder.path().display();
    let finding = match folder.space()? {
        Some(free) if free >= needed => return Ok(None),
        Some(free) => Finding::error(
            "space-short",
            format!("{place} has {free} bytes free, {needed} are needed"),
            "free space there, or name a place on a larger volume",
        ),
        None => Finding::warning(
            "space-unknown",
            format!("{place} does not tell how much room is left there, and {needed} bytes are needed"),
            "see on the server that there is room; where it runs short, the step stops and takes back what it began",
        ),
    };
    Ok(Some(finding.in_file(folder.path())))
}
