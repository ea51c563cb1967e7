//! One change that is meant: planned with every refusal before anything is touched, carried out, recognised by looking
//! at the files, and undone.

use super::identity::{Identity, sha256};
use super::{Paths, backup, disk, shell};
use crate::campaign::{Action, FromTo, Step};
use crate::fault::{Fault, Result};
use fs_err as fs;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Intent {
    Rename {
        from: PathBuf,
        to: PathBuf,
        what: Identity,
    },
    /// Onto a free name.
    Copy {
        from: PathBuf,
        to: PathBuf,
        sha256: String,
    },
    /// Over an existing file whose contents are kept at `kept`.
    Replace {
        from: PathBuf,
        to: PathBuf,
        new: String,
        old: String,
        kept: PathBuf,
    },
    Backup {
        from: PathBuf,
        to: PathBuf,
    },
    Shell {
        run: Vec<String>,
        undo: Option<Vec<String>>,
    },
}

/// What the files say of an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    NotDone,
    Done,
    /// Neither: somebody else was here, or it cannot be seen.
    Unclear(String),
}

/// Every change that the step's action means, or why it must not be begun.
pub fn plan(step: &Step, paths: &Paths) -> Result<Vec<Intent>> {
    match &step.action {
        Some(Action::Rename(pair)) => Ok(vec![plan_rename(pair, paths)?]),
        Some(Action::Copy(pair)) => Ok(vec![plan_copy(pair, paths)?]),
        Some(Action::Replace(pairs)) => {
            pairs.iter().enumerate().map(|(n, pair)| plan_replace(pair, n, &step.name, paths)).collect()
        }
        Some(Action::Backup(pair)) => {
            let (from, to) = (paths.resolve(&pair.from)?, paths.resolve(&pair.to)?);
            backup::refuse(&from, &to)?;
            Ok(vec![Intent::Backup { from, to }])
        }
        Some(Action::Shell { run, undo }) => Ok(vec![Intent::Shell { run: run.clone(), undo: undo.clone() }]),
        Some(Action::Notice(_) | Action::Package(_) | Action::Observe(_)) | None => Ok(Vec::new()),
    }
}

fn plan_rename(pair: &FromTo, paths: &Paths) -> Result<Intent> {
    let (from, to) = (paths.resolve(&pair.from)?, paths.resolve(&pair.to)?);
    match (Identity::of(&from)?, Identity::of(&to)?) {
        (Some(what), None) => Ok(Intent::Rename { from, to, what }),
        (Some(_), Some(_)) => Err(Fault::new(
            "both-exist",
            format!("{} and {} both exist", from.display(), to.display()),
            "somebody made one of them anew: compare their contents, move what does not belong away",
        )),
        (None, Some(_)) => Err(Fault::new(
            "renamed-already",
            format!("{} is gone, and {} exists", from.display(), to.display()),
            "somebody renamed it by hand: name it back, then run the step",
        )),
        (None, None) => Err(Fault::new(
            "neither-exists",
            format!("neither {} nor {} exists", from.display(), to.display()),
            "stop: find out where it went before anything else is done",
        )),
    }
}

fn plan_copy(pair: &FromTo, paths: &Paths) -> Result<Intent> {
    let (from, to) = (paths.resolve(&pair.from)?, paths.resolve(&pair.to)?);
    let sha256 = file(&from)?;
    if Identity::of(&to)?.is_some() {
        let cause = format!("{} exists already", to.display());
        return Err(Fault::new("target-exists", cause, "it is never overwritten: see whose it is, move it away"));
    }
    refuse_full(&from, &to)?;
    Ok(Intent::Copy { from, to, sha256 })
}

fn plan_replace(pair: &FromTo, n: usize, step: &str, paths: &Paths) -> Result<Intent> {
    let (from, to) = (paths.resolve(&pair.from)?, paths.resolve(&pair.to)?);
    let (new, old) = (file(&from)?, file(&to)?);
    if fs::metadata(&to)?.permissions().readonly() {
        let cause = format!("{} is read-only", to.display());
        return Err(Fault::new("read-only", cause, "take the read-only attribute off, then run the step again"));
    }
    refuse_full(&from, &to)?;
    let name = to.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let kept = paths.undo(step).join(format!("{n}-{name}"));
    Ok(Intent::Replace { from, to, new, old, kept })
}

/// The hash of what has to be a file.
fn file(path: &Path) -> Result<String> {
    match Identity::of(path)? {
        Some(Identity::File { sha256, .. }) => Ok(sha256),
        Some(Identity::Folder { .. }) => {
            Err(Fault::new("not-a-file", format!("{} is a folder", path.display()), "correct the path in the step"))
        }
        None => Err(Fault::new("not-found", format!("{} does not exist", path.display()), "put it there first")),
    }
}

fn refuse_full(from: &Path, to: &Path) -> Result<()> {
    let need = fs::metadata(from)?.len();
    let free = disk::free_space(disk::parent(to)?);
    if free.is_some_and(|free| free < need) {
        let cause = format!("{need} bytes are needed beside {}, and fewer are free", to.display());
        return Err(Fault::new("disk-full", cause, "free space on that volume; nothing was touched"));
    }
    Ok(())
}

impl Intent {
    /// Holds the intent against the files.
    pub fn look(&self) -> Result<Seen> {
        match self {
            Intent::Rename { from, to, what } => {
                let (at_from, at_to) = (Identity::of(from)?, Identity::of(to)?);
                let is = |found: &Option<Identity>| found.as_ref().is_some_and(|found| what.is(found));
                Ok(match (is(&at_from), is(&at_to)) {
                    (_, true) => Seen::Done,
                    (true, false) => Seen::NotDone,
                    (false, false) => {
                        let words = |found: &Option<Identity>| found.as_ref().map_or("nothing".into(), Identity::words);
                        Seen::Unclear(format!(
                            "{} holds {}, {} holds {}, and the journal knows {}",
                            from.display(),
                            words(&at_from),
                            to.display(),
                            words(&at_to),
                            what.words()
                        ))
                    }
                })
            }
            Intent::Copy { to, sha256, .. } => Ok(match Identity::of(to)? {
                None => Seen::NotDone,
                Some(Identity::File { sha256: found, .. }) if found == *sha256 => Seen::Done,
                Some(other) => {
                    Seen::Unclear(format!("{} holds {}, which is not the copy", to.display(), other.words()))
                }
            }),
            Intent::Replace { to, new, old, .. } => Ok(match Identity::of(to)? {
                Some(Identity::File { sha256, .. }) if sha256 == *new => Seen::Done,
                Some(Identity::File { sha256, .. }) if sha256 == *old => Seen::NotDone,
                Some(other) => Seen::Unclear(format!("{} holds {}, neither old nor new", to.display(), other.words())),
                None => Seen::Unclear(format!("{} is gone", to.display())),
            }),
            Intent::Backup { to, .. } => Ok(if backup::is_complete(to)? { Seen::Done } else { Seen::NotDone }),
            Intent::Shell { run, .. } => Ok(Seen::Unclear(format!("nobody can see whether `{}` ran", run.join(" ")))),
        }
    }

    /// Makes it so.
    pub fn carry_out(&self) -> Result<()> {
        match self {
            Intent::Rename { from, to, .. } => disk::rename(from, to),
            Intent::Copy { from, to, sha256 } => disk::copy(from, to, sha256),
            Intent::Replace { from, to, new, old, kept } => {
                disk::create_folder(disk::parent(kept)?)?;
                disk::overwrite(to, kept, old)?;
                disk::overwrite(from, to, new)
            }
            Intent::Backup { from, to } => backup::take(from, to),
            Intent::Shell { run, .. } => shell::run(run).map(drop),
        }
    }

    /// Makes it as it was. The caller has seen that it is done.
    pub fn undo(&self) -> Result<()> {
        match self {
            Intent::Rename { from, to, .. } => disk::rename(to, from),
            Intent::Copy { from, to, sha256: expected } => {
                // The copy goes only while its original stands; bytes that exist once are never removed.
                if sha256(from)? != *expected {
                    let cause = format!("{} is no longer what was copied to {}", from.display(), to.display());
                    return Err(Fault::new("only-copy", cause, "move the copy to a safe place by hand"));
                }
                disk::remove(to)
            }
            Intent::Replace { to, old, kept, .. } => {
                if sha256(kept)? != *old {
                    let cause = format!("{} is not what was kept", kept.display());
                    return Err(Fault::new("kept-altered", cause, "restore the file from the backup"));
                }
                disk::overwrite(kept, to, old)
            }
            // A backup harms nobody and may be all there is.
            Intent::Backup { .. } => Ok(()),
            Intent::Shell { run, undo } => match undo {
                Some(undo) => shell::run(undo).map(drop),
                None => {
                    let cause = format!("`{}` has no undo", run.join(" "));
                    Err(Fault::new("no-undo", cause, "undo it by hand, and state `undo = [\"…\"]` in the step"))
                }
            },
        }
    }

    /// In words.
    pub fn describe(&self) -> String {
        match self {
            Intent::Rename { from, to, .. } => format!("rename {} to {}", from.display(), to.display()),
            Intent::Copy { from, to, .. } => format!("copy {} to {}", from.display(), to.display()),
            Intent::Replace { from, to, kept, .. } => {
                format!("replace {} by {} (old contents kept as {})", to.display(), from.display(), kept.display())
            }
            Intent::Backup { from, to } => format!("back up {} to {}, verified", from.display(), to.display()),
            Intent::Shell { run, .. } => format!("run `{}`", run.join(" ")),
        }
    }
}
