//! From a path as a playbook writes it (`{postoffice}/GLB/MASTER.GLB`) to the one on the disk: names are matched without
//! regard to case and kept as they are; two names that differ only in case stop everything.

use crate::fault::{Fault, Result};
use fs_err as fs;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// What the placeholders stand for.
#[derive(Debug, Clone)]
pub struct Paths {
    roots: BTreeMap<String, PathBuf>,
}

impl Paths {
    /// `{campaign}` and `{state}`.
    pub fn new(campaign: &Path, state: &Path) -> Paths {
        let mut paths = Paths { roots: BTreeMap::new() };
        paths.add("campaign", campaign);
        paths.add("state", state);
        paths
    }

    pub fn add(&mut self, name: &str, root: &Path) {
        self.roots.insert(name.to_owned(), root.to_owned());
    }

    /// Where steps keep what they need for undoing.
    pub(super) fn undo(&self, step: &str) -> PathBuf {
        self.roots["state"].join("undo").join(step)
    }

    /// The path on the disk. Its last part need not exist; then it is taken as written.
    pub fn resolve(&self, text: &str) -> Result<PathBuf> {
        let (root, rest) = text
            .strip_prefix('{')
            .and_then(|text| text.split_once('}'))
            .and_then(|(name, rest)| Some((self.roots.get(name)?, rest.trim_start_matches(['/', '\\']))))
            .ok_or_else(|| {
                let known: Vec<_> = self.roots.keys().map(|name| format!("{{{name}}}")).collect();
                let cause = format!("'{text}' does not begin with a place that is known");
                Fault::new("unknown-place", cause, format!("begin it with one of {}", known.join(", ")))
            })?;
        let mut path = root.clone();
        let parts: Vec<_> = Path::new(rest).components().collect();
        for (at, part) in parts.iter().enumerate() {
            let Component::Normal(name) = part else {
                let cause = format!("'{text}' leads out of its place");
                return Err(Fault::new("path-outside", cause, "write it without '..' and without a second root"));
            };
            let name = name.to_string_lossy();
            path = match (find(&path, &name)?, at + 1 == parts.len()) {
                (Some(found), _) => found,
                (None, true) => path.join(name.as_ref()),
                (None, false) => {
                    let cause = format!("there is no {name} in {}", path.display());
                    return Err(Fault::new(
                        "not-found",
                        cause,
                        "check the path in flagday.toml, and that the share is there",
                    ));
                }
            };
        }
        Ok(path)
    }
}

/// The entry of a folder that has this name in whatever case.
fn find(folder: &Path, name: &str) -> Result<Option<PathBuf>> {
    let mut found: Option<PathBuf> = None;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().eq_ignore_ascii_case(name) {
            continue;
        }
        if let Some(first) = found {
            let cause = format!("{} and {} differ only in case", first.display(), entry.path().display());
            return Err(Fault::new(
                "same-name",
                cause,
                "a DOS client sees one of them only: find out which, move the other away",
            ));
        }
        found = Some(entry.path());
    }
    Ok(found)
}
