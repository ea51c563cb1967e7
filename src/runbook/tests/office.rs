//! A small postoffice to change, with a journal on disk.

use super::journal_file::FileJournal;
use crate::campaign::{Action, FromTo, Step};
use crate::fault::{Fault, Finding, Place, Result};
use crate::gate;
use crate::runbook::{Entry, Journal, Paths, Performed, Progress, Runbook, StepState, state_of, verify};
use chrono::DateTime;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Everything of every file that a step could spoil. Folder times change with their entries and are left out.
pub type Tree = BTreeMap<PathBuf, Whole>;
type Whole = (Vec<u8>, u32, Option<SystemTime>);

/// A live and a staged tree, a state folder, a journal on disk, and one step.
pub struct Office {
    root: tempfile::TempDir,
    pub step: RefCell<Step>,
    pub findings: RefCell<BTreeMap<String, Vec<Finding>>>,
    pub progress: RefCell<Result<Progress>>,
    contents: Vec<Vec<u8>>,
    seconds: Cell<i64>,
    /// How often a file in use is tried again.
    pub patience: Cell<u32>,
}

pub fn rename(from: &str, to: &str) -> Action {
    Action::Rename(FromTo { from: from.into(), to: to.into() })
}

pub fn copy(from: &str, to: &str) -> Action {
    Action::Copy { pair: FromTo { from: from.into(), to: to.into() }, like: None }
}

pub fn replace(pairs: &[(&str, &str)]) -> Action {
    Action::Replace(pairs.iter().map(|(from, to)| FromTo { from: (*from).into(), to: (*to).into() }).collect())
}

pub fn step(name: &str, action: Option<Action>) -> Step {
    Step {
        name: name.into(),
        title: name.into(),
        article: None,
        needs: vec![],
        wait: None,
        before: vec![],
        after: vec![],
        attest: None,
        checklist: Default::default(),
        seen: Vec::new(),
        action,
        place: Place::file("flagday.toml"),
    }
}

/// In memory where the system has such a place: a sweep syncs many thousand times.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("a folder")
}

impl Office {
    pub fn new(action: &Action) -> Office {
        Office::with(step("s", Some(action.clone())))
    }

    pub fn with(step: Step) -> Office {
        let root = folder();
        for name in ["po/P1", "po/GLB", "po/EMPTY", "staged", "state"] {
            fs_err::create_dir_all(root.path().join(name)).expect("made");
        }
        let files: [(&str, Vec<u8>); 9] = [
            ("po/P1/POPULATE.MSM", b"populate".to_vec()),
            ("po/GLB/MASTER.GLB", vec![7; 176]),
            ("po/GLB/ACCESS.GLB", vec![1; 300]),
            ("po/GLB/ADMIN.NME", b"live names".to_vec()),
            ("po/GLB/ZERO.MBG", vec![]),
            ("po/.hidden", b"hidden".to_vec()),
            ("staged/MASTER.GLB", vec![9; 176]),
            ("staged/ACCESS.GLB", vec![2; 250]),
            ("staged/ADMIN.NME", b"staged names".to_vec()),
        ];
        for (n, (name, bytes)) in files.iter().enumerate() {
            let path = root.path().join(name);
            fs_err::write(&path, bytes).expect("written");
            let file = fs_err::OpenOptions::new().write(true).open(&path).expect("open");
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(800_000_000 + n as u64)).expect("a time");
        }
        read_only(&root.path().join("po/.hidden"));
        let contents = files.into_iter().map(|(_, bytes)| bytes).collect();
        let progress = RefCell::new(Ok(Progress::Done { facts: vec!["40 told".into()] }));
        Office {
            root,
            step: RefCell::new(step),
            findings: RefCell::default(),
            progress,
            contents,
            seconds: Cell::new(0),
            patience: Cell::new(0),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: &str) {
        fs_err::write(self.path(name), bytes).expect("written");
    }

    pub fn paths(&self) -> Paths {
        Paths::new([
            ("postoffice", self.path("po")),
            ("staged", self.path("staged")),
            ("state", self.path("state")),
            ("campaign", self.path("")),
        ])
    }

    pub fn run<T>(&self, run: impl FnOnce(&mut Runbook<'_>, &Step) -> T) -> T {
        let mut journal = FileJournal { path: self.path("journal") };
        let checks = |name: &str| Ok(self.findings.borrow().get(name).cloned().unwrap_or_default());
        let mut other = |_: &Action| self.progress.borrow().clone();
        let mut runbook = Runbook {
            back: Some("flagday cutover rollback --to before"),
            paths: &self.paths(),
            journal: &mut journal,
            checks: &checks,
            other: &mut other,
            again: &mut |_, _| {
                self.patience.set(self.patience.get().saturating_sub(1));
                self.patience.get() > 0
            },
            now: &|| {
                self.seconds.set(self.seconds.get() + 1);
                DateTime::from_timestamp(1_800_000_000 + self.seconds.get(), 0).expect("an instant")
            },
        };
        run(&mut runbook, &self.step.borrow())
    }

    pub fn perform(&self) -> Result<Performed> {
        self.run(|runbook, step| runbook.perform(step, gate::pass(&step.name, &[], &[]).expect("no gates")))
    }

    pub fn undo(&self) -> Result<Option<Vec<String>>> {
        self.run(|runbook, step| runbook.undo(step))
    }

    pub fn entries(&self) -> Vec<Entry> {
        FileJournal { path: self.path("journal") }.entries().expect("read")
    }

    pub fn state(&self) -> StepState {
        state_of(&self.entries(), &self.step.borrow().name).expect("whole")
    }

    /// Both trees.
    pub fn tree(&self) -> Tree {
        let mut tree = Tree::new();
        for top in ["po", "staged"] {
            list(self.root.path(), &self.path(top), &mut tree);
        }
        tree
    }

    pub fn backups(&self) -> Vec<PathBuf> {
        let found = fs_err::read_dir(self.path("state/backup")).into_iter().flatten();
        found.map(|backup| backup.expect("listed").path()).collect()
    }

    /// Two folders hold the same, with times and modes.
    pub fn same_tree(&self, one: impl AsRef<Path>, other: impl AsRef<Path>) {
        let tree = |at: &Path| {
            let (mut tree, root) = (Tree::new(), self.root.path().join(at));
            list(&root, &root, &mut tree);
            tree
        };
        assert_eq!(tree(one.as_ref()), tree(other.as_ref()));
    }

    /// Every finished backup holds the live tree as it is, with times and modes, and its list says so.
    pub fn backups_are_whole(&self, what: &str) {
        for backup in self.backups() {
            self.same_tree("po", backup.join("tree"));
            assert_eq!(verify(&backup), Ok(vec![]), "{what}");
        }
    }

    /// Whatever happened, each content that there ever was is somewhere, whole.
    pub fn nothing_lost(&self, what: &str) {
        let mut all = Tree::new();
        list(self.root.path(), self.root.path(), &mut all);
        for bytes in &self.contents {
            assert!(all.values().any(|(there, ..)| there == bytes), "{what}: {} bytes lost", bytes.len());
        }
    }

    /// Refused before anything was touched or recorded; the codes of all findings.
    pub fn refusal(&self) -> Vec<&'static str> {
        let before = self.tree();
        let fault = self.perform().expect_err("refused");
        assert_eq!(self.tree(), before, "a refusal touches nothing");
        assert_eq!(self.state(), StepState::Pending, "nothing was begun");
        let mut codes = codes(&fault);
        assert_eq!(codes.pop(), Some("step-not-begun"), "and it says so");
        codes
    }
}

pub fn codes(fault: &Fault) -> Vec<&'static str> {
    fault.findings.iter().map(|finding| finding.code).collect()
}

#[cfg(unix)]
fn mode(seen: &std::fs::Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&seen.permissions())
}

#[cfg(not(unix))]
fn mode(seen: &std::fs::Metadata) -> u32 {
    seen.permissions().readonly().into()
}

pub fn read_only(path: &Path) {
    let mut permissions = fs_err::metadata(path).expect("there").permissions();
    permissions.set_readonly(true);
    fs_err::set_permissions(path, permissions).expect("set");
}

fn list(root: &Path, at: &Path, tree: &mut Tree) {
    let Ok(entries) = fs_err::read_dir(at) else { return };
    for entry in entries {
        let path = entry.expect("listed").path();
        let seen = fs_err::symlink_metadata(&path).expect("there");
        let name = path.strip_prefix(root).expect("below").to_owned();
        let bytes = if seen.is_file() { fs_err::read(&path).expect("read") } else { Vec::new() };
        let modified = seen.is_file().then(|| seen.modified().expect("a time"));
        tree.insert(name, (bytes, mode(&seen), modified));
        if seen.is_dir() {
            list(root, &path, tree);
        }
    }
}
