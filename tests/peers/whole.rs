//! Folders as a whole: names, kinds, bytes, modes and times, for comparing what a fault has left.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// A file: bytes, mode, time. A folder has its mode alone: its time changes with what is in it.
type Entry = (Option<(Vec<u8>, SystemTime)>, u32);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole(BTreeMap<String, Entry>);

impl Whole {
    /// These folders below a root, as far as they are there.
    pub fn of(root: &Path, folders: &[&str]) -> Whole {
        let mut whole = Whole(BTreeMap::new());
        folders.iter().filter(|folder| root.join(folder).is_dir()).for_each(|folder| whole.add(root, folder));
        whole
    }

    /// Everything that `named` has a name for, into a hash. A time counts where it was set: what was written just now has
    /// another one each time.
    #[expect(clippy::disallowed_methods, reason = "file times are real time")]
    pub fn fingerprint(&self, into: &mut impl Hasher, named: impl Fn(&str) -> Option<String>) {
        let now = SystemTime::now();
        let set = |time: &SystemTime| now.duration_since(*time).is_ok_and(|ago| ago > Duration::from_secs(3600));
        for (name, (file, mode)) in &self.0 {
            let Some(name) = named(name) else { continue };
            (name, mode, file.as_ref().map(|(bytes, time)| (bytes, Some(time).filter(|time| set(time))))).hash(into);
        }
    }

    fn add(&mut self, root: &Path, below: &str) {
        for entry in fs_err::read_dir(root.join(below)).expect("a folder") {
            let entry = entry.expect("an entry");
            let name = format!("{below}/{}", entry.file_name().to_string_lossy());
            let seen = fs_err::symlink_metadata(entry.path()).expect("there");
            let file = seen
                .is_file()
                .then(|| (fs_err::read(entry.path()).expect("readable"), seen.modified().expect("a time")));
            let is_folder = seen.is_dir();
            self.0.insert(name.clone(), (file, seen.permissions().mode() & 0o7777));
            if is_folder {
                self.add(root, &name);
            }
        }
    }

    /// What is not as in the other, in words.
    pub fn differences(&self, wanted: &Whole) -> Vec<String> {
        let mut found = Vec::new();
        for (name, (file, mode)) in &wanted.0 {
            match self.0.get(name) {
                None => found.push(format!("{name} is missing")),
                Some((there, other)) => {
                    let bytes = |file: &Option<(Vec<u8>, SystemTime)>| file.as_ref().map(|(bytes, _)| bytes.clone());
                    let time = |file: &Option<(Vec<u8>, SystemTime)>| file.as_ref().map(|(_, time)| *time);
                    if bytes(there) != bytes(file) {
                        found.push(format!("{name} has other bytes"));
                    }
                    if time(there) != time(file) {
                        found.push(format!("{name} is of {:?}, not {:?}", time(there), time(file)));
                    }
                    if other != mode {
                        found.push(format!("{name} has mode {other:o}, not {mode:o}"));
                    }
                }
            }
        }
        found.extend(self.0.keys().filter(|name| !wanted.0.contains_key(*name)).map(|name| format!("{name} is new")));
        found
    }

    /// Whatever stood in the postoffice of `before` is in these trees, under this name or another.
    pub fn holds(&self, before: &Whole) -> Result<(), String> {
        let bytes = |(file, _): &Entry| file.as_ref().map(|(bytes, _)| bytes.clone());
        let mut there: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        for content in self.0.values().filter_map(bytes) {
            *there.entry(content).or_default() += 1;
        }
        for (name, entry) in before.0.iter().filter(|(name, _)| name.starts_with("postoffice/")) {
            if let Some(content) = bytes(entry)
                && !there.contains_key(&content)
            {
                return Err(format!("the content of {name} is nowhere"));
            }
        }
        Ok(())
    }
}

/// Names, sizes, and the times at which anything about a file changed, into a hash.
pub fn stamp(folder: &Path, counts: &dyn Fn(&str) -> bool, into: &mut impl Hasher) {
    let mut entries: Vec<_> =
        fs_err::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")).collect();
    entries.sort_by_key(|entry| entry.file_name());
    for entry in entries {
        let (name, seen) = (entry.file_name(), entry.metadata().expect("there"));
        if !counts(&name.to_string_lossy()) {
            continue;
        }
        (name, seen.mode()).hash(into);
        match seen.is_dir() {
            true => stamp(&entry.path(), counts, into),
            false => (seen.ino(), seen.len(), seen.ctime(), seen.ctime_nsec()).hash(into),
        }
    }
}

/// Every finished backup of a campaign holds its postoffice, whole.
pub fn backups(root: &Path) -> Result<(), String> {
    let Ok(backups) = fs_err::read_dir(root.join(".flagday/backup")) else { return Ok(()) };
    let office = |root: &Path, name: &str| {
        let whole = Whole::of(root, &[name]).0.into_iter();
        Whole(whole.map(|(path, entry)| (path[name.len()..].replacen("/POLD", "/P1", 1), entry)).collect())
    };
    for backup in backups {
        let backup = backup.expect("an entry").path();
        let finished = backup.extension().is_none();
        let tree = || office(&backup, "tree");
        if finished && let Some(first) = tree().differences(&office(root, "postoffice")).first() {
            return Err(format!("{}: {first}", backup.display()));
        }
    }
    Ok(())
}

/// Copies a folder as it is: bytes, modes, times, of folders too.
pub fn copy(from: &Path, to: &Path) {
    let _ = fs_err::remove_dir_all(to);
    let status = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().expect("cp runs");
    assert!(status.success(), "cp -a {} {}", from.display(), to.display());
}
