//! What a file or folder has beside its bytes, as a backup's list keeps it, against what a restore could give back: an
//! account may not give files away, and a volume or a system may not keep what another one had.

use crate::fault::{Finding, Result};
use crate::platform::Folder;
use chrono::{DateTime, Utc};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub struct Bearing {
    pub mode: Option<u32>,
    /// User and group by number.
    pub owner: Option<(u32, u32)>,
    pub modified: DateTime<Utc>,
    pub hidden: bool,
    pub read_only: bool,
    /// Attributes in the form of the volume they were on.
    pub carried: Vec<(String, Vec<u8>)>,
}

/// What was compared so far.
#[derive(Default)]
pub struct Bearings {
    pub as_of: Option<DateTime<Utc>>,
    owners: Differing,
    rights: Differing,
    attributes: Differing,
}

#[derive(Default)]
struct Differing {
    count: u64,
    first: Option<PathBuf>,
}

impl Differing {
    fn note(&mut self, differs: bool, path: &Path) {
        if differs {
            self.count += 1;
            self.first.get_or_insert_with(|| path.to_owned());
        }
    }

    fn finding(&self, code: &'static str, what: &str, remedy: String) -> Option<Finding> {
        let first = self.first.as_ref()?;
        let others = match self.count {
            1 => first.display().to_string(),
            count => format!("{} and {} others", first.display(), count - 1),
        };
        Some(Finding::warning(code, format!("{others} {what}"), remedy).in_file(first))
    }
}

impl Bearings {
    /// Compares what was laid out with what the list says.
    pub fn compare(&mut self, root: &Folder, names: &[OsString], listed: &Bearing) -> Result<()> {
        let Some((name, above)) = names.split_last() else { return Ok(()) };
        let mut holder: Option<Folder> = None;
        for folder in above {
            holder = Some(holder.as_ref().unwrap_or(root).folder(folder)?);
        }
        let holder = holder.as_ref().unwrap_or(root);
        let Some(look) = holder.look(name)? else { return Ok(()) };
        let path = holder.path().join(name);
        let both = |one: Option<(u32, u32)>| one.zip(listed.owner).is_some_and(|(one, other)| one != other);
        self.owners.note(both(look.owner), &path);
        self.rights.note(look.mode.zip(listed.mode).is_some_and(|(one, other)| one != other), &path);
        let now = holder.attributes(name)?;
        let hidden = now.hidden || name.as_encoded_bytes().starts_with(b".");
        self.attributes.note((hidden, now.read_only) != (listed.hidden, listed.read_only), &path);
        Ok(())
    }

    pub fn findings(&self, backup: &Path) -> Vec<Finding> {
        let list = backup.join(super::manifest::MANIFEST);
        let by_hand =
            |what: &str| format!("set it by hand before the tree is used: {} has {what} of each", list.display());
        let owners = self.owners.finding(
            "restore-owner",
            "could not be given to the owner in the backup's list",
            format!(
                "run it as an account that may give files away, into a new folder; or {}",
                by_hand("user and group")
            ),
        );
        let rights =
            self.rights.finding("restore-mode", "did not get the rights in the backup's list", by_hand("the mode"));
        let attributes = self.attributes.finding(
            "restore-attributes",
            "did not become hidden or read-only as in the backup's list: this system or volume does not keep that",
            by_hand("both attributes"),
        );
        [owners, rights, attributes].into_iter().flatten().collect()
    }
}
