//! What each person is handed, in one folder: a folder with the person's id as its name, or files that are called so up
//! to their last dot, as `ann.p12` and `ann.ovpn`.

use super::folder::{self, unreadable};
use crate::fault::Finding;
use crate::package::bounds::Bounds;
use crate::package::files::FileSet;
use crate::roster::Person;
use fs_err as fs;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The folder, listed once. Ids know no case here, because file systems may know none.
#[derive(Debug)]
pub struct Files {
    from: PathBuf,
    people: BTreeMap<String, Theirs>,
}

#[derive(Debug, Default)]
struct Theirs {
    folders: Vec<PathBuf>,
    /// By name.
    files: Vec<(String, PathBuf)>,
    /// Links and devices.
    others: Vec<PathBuf>,
}

impl Files {
    pub fn open(from: &Path) -> Result<Files, Vec<Finding>> {
        let mut people: BTreeMap<String, Theirs> = BTreeMap::new();
        for entry in fs::read_dir(from).map_err(|error| vec![folder::unlisted(error, from)])? {
            let entry = entry.map_err(|error| vec![unreadable(error, from)])?;
            let kind = entry.file_type().map_err(|error| vec![unreadable(error, from)])?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            let id = if kind.is_dir() { &name } else { name.rsplit_once('.').map_or(name.as_str(), |(id, _)| id) };
            let theirs = people.entry(id.to_lowercase()).or_default();
            match (kind.is_dir(), kind.is_file()) {
                (true, _) => theirs.folders.push(entry.path()),
                (_, true) => theirs.files.push((name, entry.path())),
                _ => theirs.others.push(entry.path()),
            }
        }
        people.values_mut().for_each(|theirs| theirs.files.sort());
        Ok(Files { from: from.to_owned(), people })
    }

    pub fn gather(&self, person: &Person) -> Result<FileSet, Vec<Finding>> {
        let (folder, files) = self.listed(person)?;
        folder::take(files, folder, Bounds::Mail)
    }

    /// Where each of the person's files lies.
    pub fn files(&self, person: &Person) -> Result<Vec<PathBuf>, Vec<Finding>> {
        Ok(self.listed(person)?.1.into_iter().map(|(_, path)| path).collect())
    }

    /// The person's files by name, and the folder they lie in.
    fn listed(&self, person: &Person) -> Result<(&Path, folder::Listed), Vec<Finding>> {
        let id = &person.id;
        let Some(theirs) = self.people.get(&id.to_lowercase()) else {
            let from = self.from.display();
            let cause = format!("there is nothing for {id}: neither a folder {id} nor a file {id}.* stands in {from}");
            let remedy = "make theirs and put it there, or correct the id in the roster";
            return Err(vec![Finding::error("files-missing", cause, remedy).at(person.place.clone())]);
        };
        if let Some(other) = theirs.others.first() {
            let cause = "a person's own are folders and files, and this is neither";
            return Err(vec![Finding::error("files-not-plain", cause, "copy the file itself").in_file(other)]);
        }
        match (theirs.folders.as_slice(), theirs.files.as_slice()) {
            ([folder], []) => {
                let files = folder::plain_files(folder)?;
                if files.is_empty() {
                    let cause = format!("the folder of {id} is empty");
                    return Err(vec![Finding::error("files-empty", cause, "put what they get there").in_file(folder)]);
                }
                Ok((folder, files))
            }
            ([], files) => Ok((&self.from, files.to_vec())),
            _ => {
                let shown: Vec<_> = theirs.paths().map(|path| path.display().to_string()).collect();
                let cause = format!("{id} has more than one set of files: {}", shown.join(" and "));
                let remedy = "keep the one that was made last and move the others away";
                Err(vec![Finding::error("files-twice", cause, remedy).at(person.place.clone())])
            }
        }
    }

    pub fn unclaimed(&self, people: &[&Person]) -> Vec<Finding> {
        let claimed: BTreeSet<String> = people.iter().map(|person| person.id.to_lowercase()).collect();
        let stray = self.people.iter().filter(|(id, _)| !claimed.contains(*id));
        stray
            .flat_map(|(_, theirs)| theirs.paths())
            .map(|path| {
                let cause = "this belongs to nobody who gets the package";
                let remedy = "correct the name here or the id in the roster, or move it away";
                Finding::warning("files-unclaimed", cause, remedy).in_file(path)
            })
            .collect()
    }
}

impl Theirs {
    fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.folders.iter().chain(self.files.iter().map(|(_, path)| path)).chain(&self.others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::sample;

    fn files() -> (tempfile::TempDir, Files) {
        let root = tempfile::tempdir().expect("a folder");
        let at = |name: &str| root.path().join(name);
        for folder in ["ann", "Bob", "empty"] {
            fs::create_dir(at(folder)).expect("made");
        }
        for file in ["ann/office.ovpn", "bob.p12", "carl.smith.p12", "Carl.Smith.ovpn", "notes.txt", ".hidden"] {
            fs::write(at(file), file).expect("written");
        }
        std::os::unix::fs::symlink(at("bob.p12"), at("dora.p12")).expect("linked");
        let files = Files::open(root.path()).expect("listed");
        (root, files)
    }

    fn names(files: &Files, id: &str) -> Vec<String> {
        files.gather(&sample::person(id)).expect(id).iter().map(|file| file.name.clone()).collect()
    }

    #[test]
    fn a_person_has_a_folder_or_files_of_their_name() {
        let (root, files) = files();
        assert_eq!(names(&files, "ANN"), ["office.ovpn"]);
        assert_eq!(names(&files, "carl.smith"), ["Carl.Smith.ovpn", "carl.smith.p12"]);
        let ann = files.gather(&sample::person("ann")).expect("a folder");
        assert_eq!(ann.place(), Some(root.path().join("ann").as_path()));
    }

    #[test]
    fn whoever_has_nothing_or_too_much_is_told_why() {
        let (_root, files) = files();
        let code = |id: &str| files.gather(&sample::person(id)).expect_err(id)[0].code;
        assert_eq!(
            ["eve", "bob", "empty", "dora"].map(code),
            ["files-missing", "files-twice", "files-empty", "files-not-plain"]
        );
        assert!(Files::open(Path::new("/no/such/folder")).is_err());
    }

    #[test]
    fn what_belongs_to_nobody_is_told() {
        let (_root, files) = files();
        let people = ["ann", "bob", "carl.smith", "dora"].map(sample::person);
        let stray = files.unclaimed(&people.iter().collect::<Vec<_>>());
        let names: Vec<_> = stray
            .iter()
            .map(|finding| finding.place.as_ref().expect("a place").file.file_name().expect("a name").to_owned())
            .collect();
        assert_eq!(names, ["empty", "notes.txt"]);
    }
}
