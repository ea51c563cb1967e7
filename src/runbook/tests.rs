//! Every action against every crash point, with resume and with rollback, and every refusal.

use super::disk::crash;
use super::journal::{Entry, Event, Journal, state_of};
use super::run::{Paths, perform, resume};
use super::step::StepState;
use super::{backup, rollback};
use crate::campaign::{Action, FromTo, Step};
use crate::fault::{Place, Result};
use chrono::{DateTime, Utc};
use fs_err as fs;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Default)]
struct Memory(Vec<Entry>);

impl Journal for Memory {
    fn append(&mut self, step: &str, event: Event, at: DateTime<Utc>) -> Result<()> {
        // Through the stored form, as after a restart.
        let event = serde_json::from_str(&serde_json::to_string(&event)?)?;
        self.0.push(Entry { seq: self.0.len() as i64 + 1, at, step: step.into(), event });
        Ok(())
    }

    fn entries(&self) -> Result<Vec<Entry>> {
        Ok(self.0.clone())
    }
}

struct Site {
    folder: tempfile::TempDir,
    paths: Paths,
    journal: Memory,
}

fn site() -> Site {
    let folder = tempfile::tempdir().expect("a folder");
    for sub in ["po/P1", "po/GLB", "po/EMPTY", "staged/GLB", "state"] {
        fs::create_dir_all(folder.path().join(sub)).expect("a folder");
    }
    for (file, bytes) in [
        ("po/P1/POPULATE.MSM", "x"),
        ("po/GLB/master.glb", "old master"),
        ("po/GLB/ACCESS.GLB", "live access"),
        ("po/GLB/FLAG.GLB", ""),
        ("staged/GLB/MASTER.GLB", "new master"),
        ("staged/GLB/ACCESS.GLB", "fresh access"),
    ] {
        fs::write(folder.path().join(file), bytes).expect("a file");
    }
    let mut paths = Paths::new(folder.path(), &folder.path().join("state"));
    paths.add("postoffice", &folder.path().join("po"));
    paths.add("staged", &folder.path().join("staged"));
    Site { folder, paths, journal: Memory::default() }
}

fn pair(from: &str, to: &str) -> FromTo {
    FromTo { from: from.into(), to: to.into() }
}

fn step(name: &str, action: Action) -> Step {
    Step {
        name: name.into(),
        title: name.into(),
        article: None,
        needs: vec![],
        wait: None,
        before: vec![],
        after: vec![],
        attest: None,
        action: Some(action),
        place: Place::file("flagday.toml"),
    }
}

fn close_p1() -> Step {
    step("close-p1", Action::Rename(pair("{postoffice}/P1", "{postoffice}/POLD")))
}

fn cutover() -> Vec<Step> {
    vec![
        step("copy-access", Action::Replace(vec![pair("{postoffice}/GLB/ACCESS.GLB", "{staged}/GLB/ACCESS.GLB")])),
        step("backup", Action::Backup(pair("{postoffice}", "{state}/backup"))),
        close_p1(),
        step("retire", Action::Rename(pair("{postoffice}/GLB/MASTER.GLB", "{postoffice}/GLB/OLDMAST.GLB"))),
        step("install", Action::Copy(pair("{staged}/GLB/MASTER.GLB", "{postoffice}/GLB/MASTER.GLB"))),
        step("open-p1", Action::Rename(pair("{postoffice}/POLD", "{postoffice}/P1"))),
    ]
}

fn run(site: &mut Site, step: &Step) -> Result<()> {
    let passed = crate::gate::pass(&step.name, &[], &[]).expect("no gates");
    let now = || DateTime::<Utc>::default();
    if state_of(&site.journal.0, &step.name) == StepState::Done {
        return Ok(());
    }
    resume(step, &mut site.journal, &|_| Ok(vec![]), &now)?;
    if state_of(&site.journal.0, &step.name) == StepState::Done {
        return Ok(());
    }
    perform(step, passed, &site.paths, &mut site.journal, &|_| Ok(vec![]), serde_json::json!({}), &now)
}

fn run_all(site: &mut Site) -> Result<()> {
    cutover().iter().try_for_each(|step| run(site, step))
}

fn undo_all(site: &mut Site) -> Result<Vec<String>> {
    rollback::rollback(&cutover(), None, &mut site.journal, &|| DateTime::<Utc>::default())
}

/// Every path with its bytes, the campaign's own state apart.
fn tree(root: &Path) -> BTreeMap<String, String> {
    fn walk(root: &Path, folder: &Path, tree: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.strip_prefix(root).expect("below").display().to_string();
            if name == "state" || name.ends_with("FLAGDAY.$$$") {
                continue;
            }
            if path.is_dir() {
                tree.insert(name, "/".into());
                walk(root, &path, tree);
            } else {
                tree.insert(name, fs::read_to_string(&path).expect("text"));
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(root, root, &mut found);
    found
}

#[test]
fn a_cutover_ends_as_it_should_and_rolls_back_to_where_it_began() {
    let mut site = site();
    let before = tree(site.folder.path());
    run_all(&mut site).expect("it runs");
    let after = tree(site.folder.path());
    assert_eq!(after["po/GLB/MASTER.GLB"], "new master");
    assert_eq!(after["po/GLB/OLDMAST.GLB"], "old master");
    assert_eq!(after["staged/GLB/ACCESS.GLB"], "live access");
    assert!(after.contains_key("po/P1/POPULATE.MSM") && !after.contains_key("po/POLD"));
    let (manifest, findings) = backup::verify(&site.folder.path().join("state/backup")).expect("a backup");
    assert!(findings.is_empty() && manifest.folders.iter().any(|folder| folder == Path::new("EMPTY")));
    assert_eq!(undo_all(&mut site).expect("it rolls back").len(), 6);
    // Names come back as they were: upper-case names are given only to new files.
    let mut back = tree(site.folder.path());
    assert_eq!(back.remove("po/GLB/master.glb").as_deref(), Some("old master"));
    assert_eq!(back, before.into_iter().filter(|(name, _)| name != "po/GLB/master.glb").collect());
    assert!(undo_all(&mut site).expect("again").is_empty());
}

#[test]
fn the_power_may_fail_anywhere_even_twice_and_no_file_is_lost_altered_or_doubled() {
    let mut clean = site();
    let before = tree(clean.folder.path());
    crash::at(None);
    run_all(&mut clean).expect("it runs");
    let points = crash::seen();
    let after = tree(clean.folder.path());
    assert!(points > 20, "{points}");
    let mut tried = 0;
    for first in 1..=points {
        for second in [None, Some(1), Some(2), Some(4), Some(7)] {
            for back in [false, true] {
                let mut site = site();
                crash::at(Some(first));
                assert!(run_all(&mut site).is_err());
                if second.is_some() {
                    crash::at(second);
                    let _ = if back { undo_all(&mut site).map(drop) } else { run_all(&mut site) };
                }
                crash::at(None);
                if back {
                    undo_all(&mut site).unwrap_or_else(|fault| panic!("rollback after {first}, {second:?}: {fault}"));
                    assert_eq!(tree(site.folder.path()), before, "rolled back after {first}, {second:?}");
                } else {
                    run_all(&mut site).unwrap_or_else(|fault| panic!("resume after {first}, {second:?}: {fault}"));
                    assert_eq!(tree(site.folder.path()), after, "resumed after {first}, {second:?}");
                }
                tried += 1;
            }
        }
    }
    println!("{points} crash points, {tried} runs");
}

fn refusal(prepare: impl Fn(&Path), step: &Step) -> String {
    let mut site = site();
    prepare(site.folder.path());
    let before = tree(site.folder.path());
    let fault = run(&mut site, step).expect_err("a refusal");
    assert_eq!(tree(site.folder.path()), before, "nothing is touched");
    assert!(site.journal.0.is_empty(), "nothing is begun");
    fault.findings[0].code.to_owned()
}

#[test]
fn what_cannot_be_right_is_refused_before_anything_is_touched() {
    let both = |root: &Path| fs::create_dir(root.join("po/POLD")).expect("a folder");
    let renamed = |root: &Path| fs::rename(root.join("po/P1"), root.join("po/POLD")).expect("renamed");
    let neither = |root: &Path| fs::remove_dir_all(root.join("po/P1")).expect("removed");
    let clash = |root: &Path| fs::create_dir(root.join("po/p1")).expect("a folder");
    assert_eq!(refusal(both, &close_p1()), "both-exist");
    assert_eq!(refusal(renamed, &close_p1()), "renamed-already");
    assert_eq!(refusal(neither, &close_p1()), "neither-exists");
    assert_eq!(refusal(clash, &close_p1()), "same-name");
    let install = step("install", Action::Copy(pair("{staged}/GLB/MASTER.GLB", "{postoffice}/GLB/MASTER.GLB")));
    assert_eq!(refusal(|_| {}, &install), "target-exists");
    let missing = step("install", Action::Copy(pair("{staged}/GLB/NONE.GLB", "{postoffice}/GLB/NONE.GLB")));
    assert_eq!(refusal(|_| {}, &missing), "not-found");
    let outside = step("x", Action::Rename(pair("{postoffice}/../staged", "{postoffice}/STAGED")));
    assert_eq!(refusal(|_| {}, &outside), "path-outside");
    let unknown = step("x", Action::Rename(pair("{home}/a", "{home}/b")));
    assert_eq!(refusal(|_| {}, &unknown), "unknown-place");
    let inside = step("x", Action::Backup(pair("{postoffice}", "{postoffice}/BACKUP")));
    assert_eq!(refusal(|_| {}, &inside), "backup-inside");
}

#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_a_file_is_refused() {
    let link = |root: &Path| {
        fs::rename(root.join("po/P1"), root.join("elsewhere")).expect("renamed");
        std::os::unix::fs::symlink(root.join("elsewhere"), root.join("po/P1")).expect("a link");
    };
    let mut site = site();
    link(site.folder.path());
    assert_eq!(run(&mut site, &close_p1()).expect_err("a refusal").findings[0].code, "not-a-file");
}

#[test]
fn a_file_changed_by_somebody_else_needs_a_person() {
    let mut site = site();
    let install = &cutover()[4];
    run(&mut site, &cutover()[3]).expect("retired");
    run(&mut site, install).expect("installed");
    fs::write(site.folder.path().join("po/GLB/MASTER.GLB"), "somebody else's").expect("written");
    let fault = undo_all(&mut site).expect_err("nobody's file is removed");
    assert_eq!(fault.findings[0].code, "needs-a-person");
    assert!(fault.findings[0].remedy.contains("flagday cutover journal"));
}

#[test]
fn a_program_that_a_crash_overtook_is_not_run_twice() {
    let mut site = site();
    let told = site.folder.path().join("told");
    let script = format!("echo x >> {}", told.display());
    let step = step("tell", Action::Shell { run: ["sh", "-c", &script].map(str::to_owned).to_vec(), undo: None });
    run(&mut site, &step).expect("it runs");
    site.journal.0.pop();
    assert_eq!(run(&mut site, &step).expect_err("nobody knows").findings[0].code, "needs-a-person");
    assert_eq!(fs::read_to_string(told).expect("told once"), "x\n");
}

#[test]
fn a_check_that_fails_afterwards_leaves_the_step_failed_and_the_next_run_finishes_it() {
    let mut site = site();
    let mut step = close_p1();
    step.after = vec!["p1-closed".into()];
    let passed = || crate::gate::pass("close-p1", &[], &[]).expect("no gates");
    let now = || DateTime::<Utc>::default();
    let broken = |_: &str| Ok(vec![crate::fault::Finding::error("stray", "a stray P1", "look")]);
    let paths = site.paths.clone();
    let none = serde_json::json!({});
    perform(&step, passed(), &paths, &mut site.journal, &broken, none.clone(), &now).expect_err("it fails");
    assert_eq!(state_of(&site.journal.0, "close-p1"), StepState::Failed);
    perform(&step, passed(), &paths, &mut site.journal, &|_| Ok(vec![]), none, &now).expect("it is finished");
    assert_eq!(state_of(&site.journal.0, "close-p1"), StepState::Done);
}
