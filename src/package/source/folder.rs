//! Reading a flat folder of plain files, in name order, within the bounds of the package.

use crate::fault::{Finding, Place};
use crate::package::bounds::{Bounds, FILES_MAX};
use crate::package::files::{DiskFile, FileSet};
use fs_err as fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Files by name, and where each lies.
pub type Listed = Vec<(String, PathBuf)>;

/// The plain files of a folder, by name. Folders, links and names that are no text are findings.
pub fn plain_files(folder: &Path) -> Result<Listed, Vec<Finding>> {
    let mut found = Vec::new();
    let mut findings = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| vec![unreadable(error, folder)])? {
        let entry = entry.map_err(|error| vec![unreadable(error, folder)])?;
        let path = entry.path();
        let plain = entry.file_type().map_err(|error| vec![unreadable(error, &path)])?.is_file();
        match entry.file_name().into_string() {
            Ok(name) if plain => found.push((name, path)),
            Ok(name) => findings.push(not_plain(&format!("{name:?} is a folder or a link"), path)),
            Err(name) => findings.push(not_plain(&format!("the name {name:?} is no text"), path)),
        }
        if found.len() + findings.len() > FILES_MAX {
            let cause = format!("the folder holds more than the {FILES_MAX} files that a package may have");
            findings.push(
                Finding::error("package-too-many", cause, "leave the package's own files there only").in_file(folder),
            );
            break;
        }
    }
    found.sort();
    if findings.is_empty() { Ok(found) } else { Err(findings) }
}

/// The files of a folder as a set, with the times at which they were written.
pub fn read(folder: &Path, bounds: Bounds) -> Result<FileSet, Vec<Finding>> {
    take(plain_files(folder)?, folder, bounds)
}

/// Those of its files.
pub fn take(listed: Listed, folder: &Path, bounds: Bounds) -> Result<FileSet, Vec<Finding>> {
    let files = FileSet::within(bounds, gather(listed, bounds)?);
    Ok(files.map_err(|findings| located(findings, &Place::file(folder)))?.from_place(folder))
}

fn gather(listed: Listed, bounds: Bounds) -> Result<Vec<DiskFile>, Vec<Finding>> {
    let mut files = Vec::new();
    let mut read = 0;
    for (name, path) in listed {
        let bytes = bounded_by(&path, bounds.room() - read, bounds.called()).map_err(|finding| vec![finding])?;
        read += bytes.len();
        let modified = fs::symlink_metadata(&path).and_then(|found| found.modified()).ok().map(Into::into);
        files.push(DiskFile { name, bytes, modified });
    }
    Ok(files)
}

/// A file's bytes, when they are not more than `room`.
pub fn bounded(path: &Path, room: usize) -> Result<Vec<u8>, Finding> {
    bounded_by(path, room, Bounds::Floppy.called())
}

/// The same, and what they outgrow where they are more.
pub fn bounded_by(path: &Path, room: usize, called: &str) -> Result<Vec<u8>, Finding> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|error| unreadable(error, path))?;
    file.take(room as u64 + 1).read_to_end(&mut bytes).map_err(|error| unreadable(error, path))?;
    if bytes.len() > room {
        let cause = format!("with this file the package grows beyond {called}");
        return Err(Finding::error("package-too-large", cause, "see what it is, and take it out").in_file(path));
    }
    Ok(bytes)
}

/// The findings, each with this place unless it has its own.
pub fn located(findings: Vec<Finding>, place: &Place) -> Vec<Finding> {
    let at = |finding: Finding| if finding.place.is_none() { finding.at(place.clone()) } else { finding };
    findings.into_iter().map(at).collect()
}

/// Why the folder of everybody's files cannot be listed.
pub fn unlisted(error: std::io::Error, folder: &Path) -> Finding {
    if error.kind() != std::io::ErrorKind::NotFound {
        return unreadable(error, folder);
    }
    let cause = "this folder does not exist, and what people get is taken from it";
    let remedy = "make it, with a folder or files for each of them, or correct `from` of the package";
    Finding::error("files-missing", cause, remedy).in_file(folder)
}

pub fn unreadable(error: std::io::Error, path: &Path) -> Finding {
    Finding::error(
        "package-unreadable",
        error.to_string(),
        "correct the path, or give this account the right to read it",
    )
    .in_file(path)
}

fn not_plain(what: &str, path: PathBuf) -> Finding {
    Finding::error("package-not-a-file", format!("{what}; a package is made of plain files"), "move it away")
        .in_file(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(folder: &Path) -> Vec<&'static str> {
        read(folder, Bounds::Floppy).expect_err("something is wrong").iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn files_come_with_their_times_in_order_and_in_capitals() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["transfil", "ACCESS.MAI"] {
            fs::write(folder.path().join(name), name).expect("written");
        }
        let files = read(folder.path(), Bounds::Floppy).expect("plain files");
        assert_eq!(files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["ACCESS.MAI", "TRANSFIL"]);
        assert!(files.iter().all(|file| file.modified.is_some()));
        assert_eq!(files.place(), Some(folder.path()));
    }

    #[test]
    fn folders_links_and_strange_names_are_all_told() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("SUB")).expect("made");
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("LINK")).expect("made");
        fs::write(folder.path().join("fine.txt"), "").expect("written");
        assert_eq!(codes(folder.path()), ["package-not-a-file"; 2]);
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("a long name.text"), "").expect("written");
        fs::write(folder.path().join(".hidden"), "").expect("written");
        assert_eq!(codes(folder.path()), ["package-name"; 2]);
    }

    #[test]
    fn a_folder_is_read_within_bounds() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::File::create(folder.path().join("HUGE")).and_then(|file| file.set_len(1 << 40)).expect("a sparse file");
        assert_eq!(codes(folder.path()), ["package-too-large"]);
        let folder = tempfile::tempdir().expect("a folder");
        (0..=FILES_MAX).for_each(|n| fs::write(folder.path().join(format!("F{n}")), "").expect("written"));
        assert_eq!(codes(folder.path()), ["package-too-many"]);
        assert_eq!(codes(Path::new("/no/such/folder")), ["package-unreadable"]);
    }
}
