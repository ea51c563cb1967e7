//! The copy that is rehearsed on: the campaign without its state, and the trees it works on, wherever they lie.

use super::script::Script;
use super::world::{each_file, touch};
use crate::campaign::{Campaign, PackageSource, Transport};
use crate::engine::Engine;
use crate::fault::{Fault, Result};
use fs_err as fs;
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub(super) struct Site {
    /// The copied campaign.
    pub root: PathBuf,
    original: PathBuf,
    outside: Vec<(PathBuf, PathBuf)>,
}

/// Where to rehearse: an empty folder of the caller's, or a new one.
pub(super) fn folder(out: Option<&Path>) -> Result<PathBuf> {
    let Some(out) = out else {
        return Ok(tempfile::Builder::new().prefix("flagday-rehearsal-").tempdir()?.keep());
    };
    if fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()) {
        let cause = format!("{} is not empty", out.display());
        return Err(Fault::new("folder-not-empty", cause, "name a new folder: nothing is ever overwritten"));
    }
    fs::create_dir_all(out)?;
    Ok(fs::canonicalize(out)?)
}

/// Copies the campaign and, where they lie elsewhere, its postoffice, staged install and disks.
pub(super) fn site(campaign: &Campaign, folder: &Path) -> Result<Site> {
    let root = folder.join("campaign");
    copy_tree(&campaign.root, &root, &|name| name == ".flagday")?;
    let original = fs::canonicalize(&campaign.root)?;
    let mut outside = Vec::new();
    let mut trees: Vec<PathBuf> = Vec::new();
    if let Some(facts) = &campaign.msmail {
        trees.extend([facts.postoffice.clone(), facts.staged.clone()]);
    }
    for package in campaign.packages.values() {
        if let PackageSource::Collected { from } | PackageSource::Recipe { from } = &package.source {
            trees.push(from.clone());
        }
    }
    for (n, tree) in trees.into_iter().enumerate() {
        if tree.starts_with(&campaign.root) || fs::canonicalize(&tree)?.starts_with(&original) {
            continue;
        }
        let to = folder.join(format!("tree-{n}"));
        copy_tree(&tree, &to, &|_| false)?;
        outside.push((tree, to));
    }
    Ok(Site { root, original: campaign.root.clone(), outside })
}

impl Site {
    /// Points a campaign that was read from the copy at the copied trees, and its mail into the captured outbox.
    pub(super) fn redirect(&self, campaign: &mut Campaign) {
        let moved = |path: &mut PathBuf| {
            if let Some((_, to)) = self.outside.iter().find(|(from, _)| from == path) {
                *path = to.clone();
            } else if let Ok(inside) = path.strip_prefix(&self.original) {
                *path = self.root.join(inside);
            }
        };
        if let Some(facts) = &mut campaign.msmail {
            moved(&mut facts.postoffice);
            moved(&mut facts.staged);
        }
        for package in campaign.packages.values_mut() {
            if let PackageSource::Collected { from } | PackageSource::Recipe { from } = &mut package.source {
                moved(from);
            }
        }
        campaign.mail.transport = Transport::File;
        campaign.mail.password = None;
        campaign.mail.rate = None;
    }

    /// Refuses to begin while any tree of the campaign lies outside the rehearsal's own folder, by whatever way.
    pub(super) fn refuse_outside(&self, campaign: &Campaign, folder: &Path) -> Result<()> {
        let folder = fs::canonicalize(folder)?;
        let mut trees: Vec<&PathBuf> = Vec::new();
        if let Some(facts) = &campaign.msmail {
            trees.extend([&facts.postoffice, &facts.staged]);
        }
        for tree in trees {
            if !fs::canonicalize(tree)?.starts_with(&folder) {
                let cause = format!("{} would be worked on itself, not on a copy", tree.display());
                return Err(Fault::new(
                    "rehearsal-outside",
                    cause,
                    "name the campaign by its real path, without links",
                ));
            }
        }
        Ok(())
    }

    /// Gives the trees the times that the script states.
    pub(super) fn stamp(&self, script: &Script, engine: &Engine) -> Result<()> {
        let change = &engine.campaign.change;
        let stamp = |tree: &Path, at: Option<crate::campaign::schedule::Moment>| match at {
            Some(at) => each_file(tree, &mut |path| touch(path, at.instant(change))),
            None => Ok(()),
        };
        if let Some(facts) = &engine.campaign.msmail {
            stamp(&facts.postoffice, script.times.postoffice)?;
            stamp(&facts.staged, script.times.staged)?;
        }
        for package in engine.campaign.packages.values() {
            if let PackageSource::Collected { from } = &package.source {
                stamp(from, script.times.disks)?;
            }
        }
        Ok(())
    }
}

fn copy_tree(from: &Path, to: &Path, skip: &dyn Fn(&str) -> bool) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if !skip(&entry.file_name().to_string_lossy()) {
                copy_tree(&entry.path(), &target, &|_| false)?;
            }
        } else if kind.is_file() {
            let modified = entry.metadata()?.modified()?;
            fs::copy(entry.path(), &target)?;
            touch(&target, modified.into())?;
        }
    }
    Ok(())
}
