//! From a path as a playbook writes it to the name on the disk: placeholders filled in, letters compared without
//! case as DOS clients do, links and ways upwards refused.

use crate::fault::{Fault, Finding, Result};
use crate::platform::Folder;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// What `{postoffice}`, `{staged}`, `{state}`, `{campaign}` stand for. A path without one starts at `{campaign}`.
#[derive(Debug, Clone, Default)]
pub struct Paths(BTreeMap<String, PathBuf>);

/// A name below a root that a person named. Nothing between the two is a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spot {
    pub root: PathBuf,
    pub folders: Vec<String>,
    pub name: String,
}

impl Spot {
    pub fn path(&self) -> PathBuf {
        self.folders.iter().fold(self.root.clone(), |path, name| path.join(name)).join(&self.name)
    }

    /// The same for every spelling of the name: a server may take `master.glb` and `MASTER.GLB` for one file.
    pub fn in_any_letters(&self) -> PathBuf {
        self.sibling(self.name.to_uppercase()).path()
    }

    pub fn name(&self) -> &OsStr {
        OsStr::new(&self.name)
    }

    /// Opens the folder that holds the name, link by link refused.
    pub fn folder(&self) -> Result<Folder> {
        let root = Folder::open(&self.root)?;
        Ok(self.folders.iter().try_fold(root, |folder, name| folder.folder(OsStr::new(name)))?)
    }

    /// Another name in the same folder.
    pub fn sibling(&self, name: impl Into<String>) -> Spot {
        Spot { name: name.into(), ..self.clone() }
    }

    /// A name inside the folder that this one names.
    pub fn child(&self, name: impl Into<String>) -> Spot {
        let mut folders = self.folders.clone();
        folders.push(self.name.clone());
        Spot { root: self.root.clone(), folders, name: name.into() }
    }
}

impl std::fmt::Display for Spot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.path().display().fmt(f)
    }
}

impl Paths {
    pub fn new(places: impl IntoIterator<Item = (&'static str, PathBuf)>) -> Self {
        Paths(places.into_iter().map(|(name, path)| (name.to_owned(), path)).collect())
    }

    /// The root for a placeholder's name, without braces.
    pub fn root(&self, name: &str) -> Result<&Path> {
        self.0.get(name).map(PathBuf::as_path).ok_or_else(|| {
            let known: Vec<_> = self.0.keys().map(|name| format!("{{{name}}}")).collect();
            Fault::new(
                "path-placeholder",
                format!("{{{name}}} stands for nothing in this campaign"),
                format!("write one of {}", known.join(", ")),
            )
        })
    }

    /// A text with its placeholders filled in; braces that name no place stay.
    pub fn fill(&self, text: &str) -> String {
        let fill = |text: String, (name, root): (&String, &PathBuf)| {
            text.replace(&format!("{{{name}}}"), &root.to_string_lossy())
        };
        self.0.iter().fold(text.to_owned(), fill)
    }

    /// Finds the name on the disk: in the letters it has there, or as written when it does not exist yet. Every
    /// folder on the way must exist.
    pub fn find(&self, text: &str) -> Result<Spot> {
        let (root, below) = self.split(text)?;
        let mut folder = Folder::open(&root)?;
        let mut folders = Vec::new();
        let (name, between) = below.split_last().ok_or_else(|| {
            Fault::new(
                "path-root",
                format!("'{text}' names a root, not something in it"),
                "name a file or folder below it",
            )
        })?;
        for wanted in between {
            let found = find_name(&folder, wanted)?.unwrap_or_else(|| (*wanted).to_owned());
            folder = folder.folder(OsStr::new(&found))?;
            folders.push(found);
        }
        let name = find_name(&folder, name)?.unwrap_or_else(|| self.new_name(folder.path(), name));
        Ok(Spot { root, folders, name })
    }

    /// A name that is not there yet: in a tree that DOS clients use, in capitals.
    fn new_name(&self, folder: &Path, name: &str) -> String {
        if self.is_dos(folder) { name.to_uppercase() } else { name.to_owned() }
    }

    fn is_dos(&self, folder: &Path) -> bool {
        DOS.iter().filter_map(|tree| self.0.get(*tree)).any(|tree| folder.starts_with(tree))
    }

    /// The complaint about a new name that no DOS client could see.
    pub fn no_dos_name(&self, spot: &Spot) -> Option<Finding> {
        let there = || spot.folder().is_ok_and(|folder| folder.look(spot.name()).is_ok_and(|look| look.is_some()));
        (spot.path().parent().is_some_and(|folder| self.is_dos(folder)) && !is_dos_name(&spot.name) && !there()).then(
            || {
                Finding::error(
                    "name-not-dos",
                    format!("{spot} would be no name of eight letters and three, which is all that clients can see"),
                    "name it like MASTER.GLB or POLD",
                )
                .in_file(spot.path())
            },
        )
    }

    /// Like [`Paths::find`], for a folder that may also be a root itself.
    pub fn find_folder(&self, text: &str) -> Result<Spot> {
        let (root, below) = self.split(text)?;
        if !below.is_empty() {
            return self.find(text);
        }
        let root = fs_err::canonicalize(root)?;
        match (root.parent(), root.file_name().and_then(OsStr::to_str)) {
            (Some(parent), Some(name)) => {
                Ok(Spot { root: parent.to_owned(), folders: Vec::new(), name: name.to_owned() })
            }
            _ => Err(bad_path(text, "names a whole volume or is not Unicode")),
        }
    }

    /// The root and the names below it, as written.
    pub fn split<'t>(&self, text: &'t str) -> Result<(PathBuf, Vec<&'t str>)> {
        let (root, below) = if let Some((place, below)) = text.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            let below = below.strip_prefix('/').or((below.is_empty()).then_some(below));
            (self.root(place)?.to_owned(), below.ok_or_else(|| bad_path(text, "lacks a / after the placeholder"))?)
        } else if Path::new(text).is_absolute() {
            let cut = text.trim_end_matches(['/', '\\']).rfind(['/', '\\']).unwrap_or(0) + 1;
            (PathBuf::from(&text[..cut]), &text[cut..])
        } else {
            (self.root("campaign")?.to_owned(), text)
        };
        let names: Vec<_> = below.split('/').filter(|name| !name.is_empty()).collect();
        for name in &names {
            if matches!(*name, "." | "..") || name.contains(['\\', ':', '{', '}']) || name.contains(char::is_control) {
                return Err(bad_path(text, &format!("holds '{}'", name.escape_debug())));
            }
        }
        Ok((root, names))
    }
}

/// Trees that DOS clients use.
const DOS: [&str; 2] = ["postoffice", "staged"];

/// Names that stand for devices, with any extension.
const DEVICES: [&str; 4] = ["CON", "PRN", "AUX", "NUL"];

fn is_dos_name(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "!#$%&'()-@^_`~".contains(c);
    let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
    let port = ["COM", "LPT"]
        .iter()
        .any(|port| stem.strip_prefix(port).is_some_and(|n| matches!(n.as_bytes(), [b'1'..=b'9'])));
    let device = DEVICES.contains(&stem) || port;
    (1..=8).contains(&stem.len()) && extension.len() <= 3 && name.replacen('.', "", 1).chars().all(letter) && !device
}

fn bad_path(text: &str, why: &str) -> Fault {
    Fault::new(
        "path-bad",
        format!("the path '{}' {why}", text.escape_debug()),
        "write {postoffice}/NAME, {staged}/NAME or a plain path with /, without . and .. and drive letters below a root",
    )
}

/// The entry whose name equals the wanted one without regard to case, in the letters it has on the disk. Two such
/// entries are a fault: DOS clients can only ever see one of them.
pub fn find_name(folder: &Folder, wanted: &str) -> Result<Option<String>> {
    let fold = wanted.to_lowercase();
    let same = |name: &OsString| name.to_str().filter(|name| name.to_lowercase() == fold).map(str::to_owned);
    let found: Vec<String> = folder.names()?.iter().filter_map(same).collect();
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        several => Err(Fault::new(
            "case-clash",
            format!("{} holds {}: clients see only one of them", folder.path().display(), several.join(" and ")),
            "find out which one is in use, and move the other out of that folder",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn office() -> (tempfile::TempDir, Paths) {
        let root = tempfile::tempdir().expect("a folder");
        fs_err::create_dir_all(root.path().join("po/Glb")).expect("made");
        fs_err::write(root.path().join("po/Glb/master.glb"), b"x").expect("written");
        let paths = Paths::new([("postoffice", root.path().join("po")), ("campaign", root.path().to_owned())]);
        (root, paths)
    }

    #[test]
    fn the_letters_on_the_disk_are_kept_and_new_names_are_as_written() {
        let (root, paths) = office();
        let found = paths.find("{postoffice}/GLB/MASTER.GLB").expect("found");
        assert_eq!(found.path(), root.path().join("po/Glb/master.glb"));
        let new = paths.find("{postoffice}/glb/OLDMAST.GLB").expect("found");
        assert_eq!(new.path(), root.path().join("po/Glb/OLDMAST.GLB"));
        assert_eq!(paths.find("po/GLB").expect("found").path(), root.path().join("po/Glb"));
    }

    #[test]
    fn new_names_in_a_postoffice_are_short_and_in_capitals() {
        let (root, paths) = office();
        assert_eq!(
            paths.find("{postoffice}/glb/oldmast.glb").expect("found").path(),
            root.path().join("po/Glb/OLDMAST.GLB")
        );
        let whole = format!("{}/oldmast.glb", root.path().join("po/Glb").display());
        for text in ["po/Glb/oldmast.glb", &whole] {
            assert_eq!(paths.find(text).expect("found").name, "OLDMAST.GLB", "{text}");
        }
        assert_eq!(paths.find("new.crt").expect("found").name, "new.crt", "elsewhere it stays as written");
        for (name, good) in [
            ("OLDMAST.GLB", true),
            ("POLD", true),
            ("MASTER.GLB.OLD", false),
            ("OLDMASTER.GLB", false),
            ("A B", false),
            ("NUL.GLB", false),
            ("COM1", false),
            ("COMM", true),
        ] {
            let spot = paths.find(&format!("{{postoffice}}/GLB/{name}")).expect("found");
            assert_eq!(paths.no_dos_name(&spot).is_none(), good, "{name}");
        }
        assert_eq!(paths.no_dos_name(&paths.find("a longer name").expect("found")), None);
    }

    #[test]
    fn ways_out_are_refused() {
        let (_root, paths) = office();
        for text in
            ["{postoffice}/../x", "../x", "{postoffice}/./x", "{postoffice}/C:x", "a\\b", "{staged}/x", "{x", "a\0b"]
        {
            let fault = paths.find(text).expect_err(text);
            assert!(matches!(fault.findings[0].code, "path-bad" | "path-placeholder"), "{text}: {fault}");
        }
        assert_eq!(paths.find("{postoffice}").expect_err("a root").findings[0].code, "path-root");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn two_names_that_differ_in_case_only_stop_everything() {
        let (root, paths) = office();
        fs_err::write(root.path().join("po/Glb/MASTER.GLB"), b"y").expect("written");
        let fault = paths.find("{postoffice}/GLB/MASTER.GLB").expect_err("two");
        assert_eq!(fault.findings[0].code, "case-clash");
        assert!(fault.cause().contains("MASTER.GLB and master.glb"), "{fault}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_on_the_way_is_not_followed() {
        let (root, paths) = office();
        std::os::unix::fs::symlink(root.path().join("po/Glb"), root.path().join("po/LINK")).expect("linked");
        assert!(paths.find("{postoffice}/LINK/MASTER.GLB").is_err());
    }

    #[test]
    fn a_root_can_be_named_as_a_folder() {
        let (root, paths) = office();
        let spot = paths.find_folder("{postoffice}").expect("found");
        assert_eq!(spot.path(), root.path().canonicalize().expect("real").join("po"));
    }
}
