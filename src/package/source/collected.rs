//! One folder or one floppy image per mailbox, as ADMIN's Remote > Init-Disk wrote them (Q103291).

use super::folder::{self, located, unreadable};
use crate::campaign::Medium;
use crate::fault::{Finding, Place};
use crate::package::bounds::Bounds;
use crate::package::files::FileSet;
use crate::package::floppy::{self, IMAGE_MAX};
use crate::roster::Person;
use fs_err as fs;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The folder of disks, listed once. Mailbox names know no case.
#[derive(Debug)]
pub struct Shelf {
    from: PathBuf,
    medium: Medium,
    disks: BTreeMap<String, Vec<Disk>>,
}

#[derive(Debug)]
enum Disk {
    Folder(PathBuf),
    Image(PathBuf),
    /// A link or a device under a disk's name.
    Other(PathBuf),
}

impl Shelf {
    pub fn open(from: &Path, medium: Medium) -> Result<Shelf, Vec<Finding>> {
        let mut disks: BTreeMap<String, Vec<Disk>> = BTreeMap::new();
        for entry in fs::read_dir(from).map_err(|error| vec![folder::unlisted(error, from)])? {
            let entry = entry.map_err(|error| vec![unreadable(error, from)])?;
            let kind = entry.file_type().map_err(|error| vec![unreadable(error, from)])?;
            let name = entry.file_name().to_string_lossy().to_ascii_uppercase();
            let path = entry.path();
            match (name.strip_suffix(".IMG"), kind.is_dir(), kind.is_file()) {
                (_, true, _) => disks.entry(name).or_default().push(Disk::Folder(path)),
                (Some(mailbox), _, true) => disks.entry(mailbox.to_owned()).or_default().push(Disk::Image(path)),
                // A plain file that is no image: notes of the administrator.
                (None, _, true) => {}
                (mailbox, ..) => disks.entry(mailbox.unwrap_or(&name).to_owned()).or_default().push(Disk::Other(path)),
            }
        }
        Ok(Shelf { from: from.to_owned(), medium, disks })
    }

    pub fn gather(&self, person: &Person) -> Result<FileSet, Vec<Finding>> {
        let (path, files) = match self.disk(person)? {
            Disk::Folder(path) => (path, folder::read(path, Bounds::Floppy)?),
            Disk::Image(path) | Disk::Other(path) => {
                let image = folder::bounded(path, IMAGE_MAX).map_err(|finding| vec![finding])?;
                let files = floppy::read(&image).map_err(|findings| located(findings, &Place::file(path)))?;
                (path, files.from_place(path))
            }
        };
        if files.is_empty() {
            return Err(vec![empty(path)]);
        }
        floppy::fit(self.medium, &files).map_err(|finding| vec![finding.in_file(path)])?;
        Ok(files)
    }

    /// The person's disk as files here: what its folder holds, or its image.
    pub fn files(&self, person: &Person) -> Result<Vec<PathBuf>, Vec<Finding>> {
        let disk = self.disk(person)?;
        let Disk::Folder(path) = disk else { return Ok(vec![disk.path().to_owned()]) };
        let files = folder::plain_files(path)?;
        if files.is_empty() { Err(vec![empty(path)]) } else { Ok(files.into_iter().map(|(_, path)| path).collect()) }
    }

    /// The one disk of the person's mailbox.
    fn disk(&self, person: &Person) -> Result<&Disk, Vec<Finding>> {
        let mailbox = mailbox(person);
        match self.disks.get(&mailbox.to_ascii_uppercase()).map(Vec::as_slice).unwrap_or_default() {
            [Disk::Other(path)] => Err(vec![
                Finding::error(
                    "disk-not-a-file",
                    "a disk is a folder or an image, and this is neither",
                    "copy the disk itself",
                )
                .in_file(path),
            ]),
            [disk] => Ok(disk),
            [] => Err(vec![self.missing(person, mailbox)]),
            several => {
                let names: Vec<String> = several.iter().map(|disk| disk.path().display().to_string()).collect();
                let cause = format!("mailbox {mailbox} has more than one disk: {}", names.join(" and "));
                let remedy = "keep the one that was made last and move the others away";
                Err(vec![Finding::error("disk-twice", cause, remedy).at(person.place.clone())])
            }
        }
    }

    fn missing(&self, person: &Person, mailbox: &str) -> Finding {
        let from = self.from.display();
        Finding::error(
            "disk-missing",
            format!("mailbox {mailbox} has no disk: neither the folder {mailbox} nor {mailbox}.img stands in {from}"),
            "make it in the new postoffice with ADMIN, Remote > Regenerate, then Remote > Init-Disk; SUBST A: to a folder saves the floppy",
        )
        .at(person.place.clone())
        .article("Q103291")
    }

    pub fn unclaimed(&self, people: &[&Person]) -> Vec<Finding> {
        let claimed: BTreeSet<String> = people.iter().map(|person| mailbox(person).to_ascii_uppercase()).collect();
        let stray = self.disks.iter().filter(|(name, _)| !claimed.contains(*name)).flat_map(|(_, disks)| disks);
        stray
            .map(|disk| {
                let cause = "this disk belongs to nobody who gets the package";
                let remedy = "correct the mailbox name here or in the roster, or move the disk away";
                Finding::warning("disk-unclaimed", cause, remedy).in_file(disk.path())
            })
            .collect()
    }
}

impl Disk {
    fn path(&self) -> &Path {
        match self {
            Disk::Folder(path) | Disk::Image(path) | Disk::Other(path) => path,
        }
    }
}

fn empty(disk: &Path) -> Finding {
    Finding::error("disk-empty", "the disk is empty", "make it again with ADMIN, Remote > Init-Disk").in_file(disk)
}

fn mailbox(person: &Person) -> &str {
    person.mailbox.as_deref().unwrap_or(&person.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::files::DiskFile;
    use crate::package::sample;
    use crate::package::stamp::DosStamp;

    fn shelf() -> (tempfile::TempDir, Shelf) {
        let root = tempfile::tempdir().expect("a folder");
        let at = |name: &str| root.path().join(name);
        for folder in ["Adams", "BAKER", "baker", "EMPTY", "LARGE"] {
            fs::create_dir(at(folder)).expect("made");
        }
        fs::write(at("Adams/CONNECT.GLB"), [1; 695]).expect("written");
        fs::write(at("LARGE/BIG.BIN"), vec![0; 400_000]).expect("written");
        fs::write(at("notes.txt"), "mine").expect("written");
        let files = FileSet::new(vec![DiskFile::new("CONNECT.GLB", [2; 695])]).expect("good");
        let stamp = DosStamp::new("2026-12-12T18:00:00".parse().expect("a time")).expect("a year of DOS");
        let image = floppy::image(Medium::K360, "COLE", 1, &files, stamp).expect("it fits");
        fs::write(at("cole.IMG"), &image).expect("written");
        fs::write(at("DAVIS.img"), &image[..1000]).expect("written");
        std::os::unix::fs::symlink(at("Adams"), at("EVANS")).expect("linked");
        let shelf = Shelf::open(root.path(), Medium::K360).expect("a shelf");
        (root, shelf)
    }

    fn why(shelf: &Shelf, mailbox: &str) -> Finding {
        shelf.gather(&sample::person(mailbox)).expect_err(mailbox).remove(0)
    }

    #[test]
    fn a_disk_is_a_folder_or_an_image_in_any_case() {
        let (root, shelf) = shelf();
        let adams = shelf.gather(&sample::person("ADAMS")).expect("a folder");
        assert_eq!(adams.get("CONNECT.GLB").expect("there").bytes, [1; 695]);
        assert_eq!(adams.place(), Some(root.path().join("Adams").as_path()));
        let cole = shelf.gather(&sample::person("COLE")).expect("an image");
        assert_eq!(cole.get("CONNECT.GLB").expect("there").bytes, [2; 695]);
    }

    #[test]
    fn a_disk_that_cannot_be_used_says_why() {
        let (_root, shelf) = shelf();
        let missing = why(&shelf, "FORD");
        assert!(missing.cause.contains("FORD.img") && missing.remedy.contains("Init-Disk"), "{missing:?}");
        assert_eq!(missing.place, Some(Place::new("users.csv", 2, 1)));
        assert_eq!(why(&shelf, "BAKER").code, "disk-twice");
        assert_eq!(why(&shelf, "EMPTY").code, "disk-empty");
        assert_eq!(why(&shelf, "EVANS").code, "disk-not-a-file");
        assert_eq!(why(&shelf, "DAVIS").code, "package-disk-damaged");
        assert!(why(&shelf, "DAVIS").place.expect("the image").file.ends_with("DAVIS.img"));
        assert!(why(&shelf, "LARGE").remedy.contains("720K"));
        assert_eq!(why(&shelf, "../Adams").code, "disk-missing");
        assert!(Shelf::open(Path::new("/no/such/folder"), Medium::K360).is_err());
    }

    #[test]
    fn a_disk_of_nobody_is_told() {
        let (_root, shelf) = shelf();
        let people = ["ADAMS", "BAKER", "DAVIS", "EMPTY", "EVANS", "LARGE"].map(sample::person);
        let findings = shelf.unclaimed(&people.iter().collect::<Vec<_>>());
        assert_eq!(findings.len(), 1);
        assert!(findings[0].place.as_ref().expect("a place").file.ends_with("cole.IMG"));
    }
}
