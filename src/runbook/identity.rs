//! What makes a file or folder that very one, so that a step can tell its own work from a stranger's.

use crate::fault::{Fault, Result, counted};
use crate::platform::{Folder, Kind};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt;
use std::io::Read;

/// How deep a folder may be nested: deeper is no postoffice, and a limit for hostile trees.
pub const DEPTH: usize = 64;

/// Read at once. Small in tests, so that a crash can fall between two pieces of one file.
pub const PIECE: usize = if cfg!(test) { 96 } else { 256 * 1024 };

/// The identity of a file or a folder at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub kind: Kind,
    /// A file's bytes, a folder's entries at every depth.
    pub size: u64,
    /// SHA-256 of a file's bytes; of a folder's relative names, kinds and sizes.
    pub digest: String,
    pub device: Option<u64>,
    pub inode: Option<u64>,
    /// The names right inside of a folder, with the sizes of files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inside: Vec<(String, u64)>,
}

impl Identity {
    /// The same file: same bytes. Its number is no proof, because FAT and some servers give another one with each
    /// mount. The same folder: same number, or the same names and sizes below it, because programs that still run
    /// may write into a folder that was renamed under them; or all that it held then and more, because a share that was
    /// mounted anew gives other numbers, and mail has flowed.
    pub fn is(&self, other: &Identity) -> bool {
        let content = self.kind == other.kind && self.size == other.size && self.digest == other.digest;
        let number = self.inode.is_some() && (self.device, self.inode) == (other.device, other.inode);
        let folders = self.kind == Kind::Folder && other.kind == Kind::Folder;
        content || folders && (number || self.holds_all_of(other))
    }

    /// An empty folder holds nothing by which it could be told.
    fn holds_all_of(&self, other: &Identity) -> bool {
        let here: BTreeSet<&(String, u64)> = self.inside.iter().collect();
        !other.inside.is_empty() && other.inside.iter().all(|entry| here.contains(entry))
    }

    /// Whether a file of these bytes bears it.
    pub fn is_of(&self, bytes: &[u8]) -> bool {
        self.kind == Kind::File
            && self.size == bytes.len() as u64
            && self.digest == hex(Sha256::new().chain_update(bytes))
    }

    /// Names or sizes inside differ, although [`Identity::is`] holds.
    pub fn changed_inside(&self, other: &Identity) -> bool {
        self.digest != other.digest
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Folder => write!(f, "a folder with {}", counted(self.size as usize, "entry", "entries")),
            _ => write!(f, "a file of {} bytes, SHA-256 {:.12}…", self.size, self.digest),
        }
    }
}

/// The identity of what stands under a name; `None` when nothing does. Links and devices are refused.
pub fn identify(folder: &Folder, name: &OsStr) -> Result<Option<Identity>> {
    let Some(look) = folder.look(name)? else { return Ok(None) };
    let mut inside = Vec::new();
    let (size, digest) = match look.kind {
        Kind::File => digest_of(&mut still(folder, name, folder.read(name))?)?,
        Kind::Folder => {
            let mut manifest = Sha256::new();
            let folder = still(folder, name, folder.folder(name))?;
            let entries = list(&folder, "", 0, &mut manifest)?;
            inside = top_of(&folder)?;
            (entries, hex(manifest))
        }
        Kind::Link | Kind::Other => {
            let path = folder.path().join(name);
            return Err(not_plain(&path).into());
        }
    };
    Ok(Some(Identity { kind: look.kind, size, digest, device: look.device, inode: look.inode, inside }))
}

/// What was there a moment ago. A share may show for some seconds what another machine has taken away.
fn still<T>(folder: &Folder, name: &OsStr, found: std::io::Result<T>) -> Result<T> {
    found.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            let path = folder.path().join(name);
            let cause = format!("{} went away, or took another name, while it was looked at", path.display());
            let remedy = "see who works on these files, and run the command again in a minute";
            crate::fault::Finding::error("io", cause, remedy).in_file(path).into()
        }
        _ => error.into(),
    })
}

/// More names than this are too many to remember: such a folder is told by the rest.
const INSIDE: usize = 10_000;

fn top_of(folder: &Folder) -> Result<Vec<(String, u64)>> {
    let names = folder.names()?;
    if names.len() > INSIDE {
        return Ok(Vec::new());
    }
    let mut inside = Vec::new();
    for name in names {
        let Some(look) = folder.look(&name)? else { continue };
        let size = if look.kind == Kind::File { look.size } else { 0 };
        inside.push((name.to_string_lossy().into_owned(), size));
    }
    Ok(inside)
}

/// The refusal of anything that is neither a file nor a folder.
pub fn not_plain(path: &std::path::Path) -> crate::fault::Finding {
    crate::fault::Finding::error(
        "not-a-plain-file",
        format!("{} is a link or a device, not a file or folder", path.display()),
        "put the real file or folder in its place: links are never followed, because they may lead anywhere",
    )
    .in_file(path)
}

/// Size and SHA-256 of the bytes to come.
pub fn digest_of(file: &mut impl Read) -> Result<(u64, String)> {
    let mut digest = Sha256::new();
    let mut piece = vec![0; PIECE];
    let mut size = 0;
    loop {
        match file.read(&mut piece)? {
            0 => return Ok((size, hex(digest))),
            n => {
                digest.update(&piece[..n]);
                size += n as u64;
            }
        }
    }
}

/// A digest in lower-case hex.
pub fn hex(digest: Sha256) -> String {
    HEXLOWER.encode(&digest.finalize())
}

fn list(folder: &Folder, below: &str, depth: usize, manifest: &mut Sha256) -> Result<u64> {
    if depth > DEPTH {
        return Err(Fault::new(
            "too-deep",
            format!("{} is nested more than {DEPTH} folders deep", folder.path().display()),
            "name a folder that is not nested so deep",
        ));
    }
    let mut entries = 0;
    for name in folder.names()? {
        // Gone between the listing and the look: a session just ended. It is not part of the folder any more.
        let Some(look) = folder.look(&name)? else { continue };
        entries += 1;
        manifest.update(below.as_bytes());
        manifest.update(name.as_encoded_bytes());
        let size = if look.kind == Kind::File { look.size } else { 0 };
        manifest.update(format!("\0{:?} {size}\n", look.kind));
        if look.kind == Kind::Folder {
            let below = format!("{below}{}/", name.to_string_lossy());
            entries += list(&folder.folder(&name)?, &below, depth + 1, manifest)?;
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(folder: &Folder, name: &str) -> Identity {
        identify(folder, OsStr::new(name)).expect("readable").expect("there")
    }

    #[test]
    fn what_went_while_it_was_looked_at_is_not_to_be_created() {
        let root = tempfile::tempdir().expect("a folder");
        let (folder, name) = (Folder::open(root.path()).expect("opened"), OsStr::new("MASTER.GLB"));
        let fault = still(&folder, name, folder.read(name)).expect_err("it is not there");
        assert!(fault.cause().contains("MASTER.GLB went away"), "{fault}");
        assert!(fault.is_blindness() && !fault.findings[0].remedy.contains("create"));
    }

    #[test]
    fn a_file_is_its_bytes_and_a_folder_its_number_or_its_names() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = Folder::open(root.path()).expect("open");
        let write = |name: &str, bytes: &str| fs_err::write(root.path().join(name), bytes).expect("written");
        write("A", "same");
        write("B", "same");
        write("C", "else");
        assert!(of(&folder, "A").is(&of(&folder, "B")));
        assert!(!of(&folder, "A").is(&of(&folder, "C")));
        fs_err::create_dir(root.path().join("P1")).expect("made");
        let before = of(&folder, "P1");
        write("P1/LATE", "x");
        let after = of(&folder, "P1");
        assert!(after.is(&before) && after.changed_inside(&before));
        assert_eq!(after.size, 1);
        assert!(!of(&folder, "P1").is(&of(&folder, "A")));
        // A share mounted anew: another number, all that was there, and mail.
        fs_err::create_dir(root.path().join("AGAIN")).expect("made");
        write("AGAIN/LATE", "x");
        write("AGAIN/MORE", "mail");
        assert!(of(&folder, "AGAIN").is(&after) && !after.is(&of(&folder, "AGAIN")));
        assert!(!of(&folder, "AGAIN").is(&before), "it was empty: nothing tells it from any other");
        assert_eq!(identify(&folder, OsStr::new("NOTHING")), Ok(None));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_has_no_identity() {
        let root = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink("/etc/passwd", root.path().join("L")).expect("linked");
        let fault = identify(&Folder::open(root.path()).expect("open"), OsStr::new("L")).expect_err("refused");
        assert_eq!(fault.findings[0].code, "not-a-plain-file");
    }
}
