//! Folders as a whole: every file with its bytes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A time before everything these tests do.
pub fn long_ago() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(978_307_200) // 2001-01-01
}

/// Copies a folder with the times of its files, into a folder that may be there.
pub fn copy(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).expect("a folder");
    for path in entries(from) {
        let target = to.join(path.file_name().expect("an entry has a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs_err::copy(&path, &target).expect("copied");
            let modified = fs_err::metadata(&path).and_then(|data| data.modified()).expect("a time");
            set_time(&target, modified);
        }
    }
}

/// Gives every file below a folder one time.
pub fn set_times(root: &Path, moment: SystemTime) {
    for path in files(root) {
        set_time(&path, moment);
    }
}

/// Writes the same bytes anew, so that the file has the time of the file system's own clock.
pub fn rewrite(path: &Path) {
    fs_err::write(path, fs_err::read(path).expect("a file")).expect("rewritten");
}

fn set_time(path: &Path, moment: SystemTime) {
    let file = fs_err::OpenOptions::new().write(true).open(path).expect("opens");
    file.file().set_modified(moment).expect("its time");
}

/// Every file below a folder, with its bytes; empty folders count as a path that ends in a slash.
pub fn contents(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            let name = path.strip_prefix(root).expect("below").to_string_lossy().into_owned();
            if path.is_dir() {
                found.insert(format!("{name}/"), Vec::new());
                folders.push(path);
            } else {
                found.insert(name, fs_err::read(&path).expect("a file"));
            }
        }
    }
    found
}

/// Every file below a folder.
pub fn files(root: &Path) -> Vec<PathBuf> {
    contents(root).into_keys().filter(|name| !name.ends_with('/')).map(|name| root.join(name)).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs_err::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect()
}

/// The paths that are not the same in both.
pub fn differences(a: &BTreeMap<String, Vec<u8>>, b: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let names = a.keys().chain(b.keys().filter(|name| !a.contains_key(*name)));
    names.filter(|name| a.get(*name) != b.get(*name)).cloned().collect()
}
