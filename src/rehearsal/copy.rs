//! The copy that is rehearsed on: the campaign without its state, and the trees it works on, wherever they lie.

use super::script::Script;
use super::world::{each_file, touch};
use crate::campaign::{Action, Campaign, FromTo, PackageSource, Transport};
use crate::engine::Engine;
use crate::fault::{Fault, Result};
use crate::system::World;
use fs_err as fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Site {
    /// The copied campaign.
    pub root: PathBuf,
    /// The campaign as it was read where it lies.
    campaign: Campaign,
    /// The folder that the rehearsal stays in.
    folder: PathBuf,
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
pub(super) fn site(campaign: Campaign, folder: &Path) -> Result<Site> {
    let folder = fs::canonicalize(folder)?;
    let root = folder.join("campaign");
    let original = fs::canonicalize(&campaign.root)?;
    if folder.starts_with(&original) {
        let cause = format!("{} lies inside the campaign", folder.display());
        return Err(Fault::new("rehearsal-inside", cause, "name a folder outside of it: a copy cannot hold itself"));
    }
    copy_tree(&campaign.root, &root, &|name| name == ".flagday")?;
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
        let real = fs::canonicalize(&tree)?;
        if folder.starts_with(&real) {
            let cause = format!("{} lies inside {}", folder.display(), real.display());
            return Err(Fault::new(
                "rehearsal-inside",
                cause,
                "name a folder outside of it: a copy cannot hold itself",
            ));
        }
        // What lies in the campaign is there without any link on the way only when both names agree.
        if !real.starts_with(&original) || !root.join(real.strip_prefix(&original).unwrap_or(&real)).is_dir() {
            let to = folder.join(format!("tree-{n}"));
            copy_tree(&real, &to, &|_| false)?;
            outside.push((real, to));
        }
    }
    Ok(Site { root, campaign, folder, original, outside })
}

impl Site {
    /// Opens the copy.
    pub(super) fn open<'w>(&self, world: &'w dyn World) -> Result<Engine<'w>> {
        let mut engine = Engine::open_rehearsal(&self.root, world)?;
        // Whoever rehearses a date that is near has said so.
        engine.short_notice = true;
        self.redirect(Arc::make_mut(&mut engine.campaign))?;
        self.refuse_outside(&engine.campaign)?;
        Ok(engine)
    }

    /// Points a campaign that was read from the copy at the copied trees, and its mail into the captured outbox. The
    /// paths of the campaign as it was read where it lies are the ones that were copied.
    fn redirect(&self, campaign: &mut Campaign) -> Result<()> {
        let original = &self.campaign;
        let moved = |path: &Path| -> Result<PathBuf> {
            let real = fs::canonicalize(path)?;
            let outside = self.outside.iter().find(|(from, _)| *from == real).map(|(_, to)| to.clone());
            Ok(outside.unwrap_or_else(|| self.root.join(real.strip_prefix(&self.original).unwrap_or(&real))))
        };
        if let (Some(facts), Some(real)) = (&mut campaign.msmail, &original.msmail) {
            facts.postoffice = moved(&real.postoffice)?;
            facts.staged = moved(&real.staged)?;
        }
        for (name, package) in &mut campaign.packages {
            match (&mut package.source, &original.packages[name].source) {
                (PackageSource::Collected { from }, PackageSource::Collected { from: real })
                | (PackageSource::Recipe { from }, PackageSource::Recipe { from: real }) => *from = moved(real)?,
                (PackageSource::Command { argv }, _) => {
                    let cause =
                        format!("package '{name}' is made by `{}`, which a rehearsal does not run", argv.join(" "));
                    let remedy = "rehearse with `source = \"collected\"` and a set of its results";
                    return Err(Fault::new("rehearsal-command", cause, remedy));
                }
                _ => {}
            }
        }
        for step in &mut campaign.steps {
            match &step.action {
                // What a program does outside cannot be copied: the step stands in the rehearsal without it.
                Some(Action::Shell { .. }) => step.action = None,
                Some(action) => self.refuse_paths(&step.name, action)?,
                None => {}
            }
        }
        campaign.mail.transport = Transport::File;
        campaign.mail.password = None;
        campaign.mail.rate = None;
        Ok(())
    }

    /// A step works below the places that are copied; a path of its own leads out of them.
    fn refuse_paths(&self, step: &str, action: &Action) -> Result<()> {
        let pairs: Vec<&FromTo> = match action {
            Action::Rename(pair) | Action::Copy { pair, .. } | Action::Backup(pair) => vec![pair],
            Action::Replace(pairs) => pairs.iter().collect(),
            _ => Vec::new(),
        };
        let like = if let Action::Copy { like, .. } = action { like.as_ref() } else { None };
        for path in pairs.iter().flat_map(|pair| [&pair.from, &pair.to]).chain(like) {
            let rooted = path.starts_with(['/', '\\']) || path.chars().nth(1) == Some(':');
            if rooted || path.split(['/', '\\']).any(|part| part == "..") {
                let cause = format!("step {step} works on {path}, which is not copied");
                let remedy = "begin its paths with {campaign}, {postoffice} or {staged} to rehearse it";
                return Err(Fault::new("rehearsal-outside", cause, remedy));
            }
        }
        Ok(())
    }

    /// Refuses to begin while any tree of the campaign lies outside the rehearsal's own folder, by whatever way.
    fn refuse_outside(&self, campaign: &Campaign) -> Result<()> {
        let mut trees: Vec<&PathBuf> = Vec::new();
        if let Some(facts) = &campaign.msmail {
            trees.extend([&facts.postoffice, &facts.staged]);
        }
        for tree in trees {
            if !fs::canonicalize(tree)?.starts_with(&self.folder) {
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
