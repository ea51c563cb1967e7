//! Steps that wait, fail, are stated, repeated and taken back, and what stands in the journal then.

use super::office::{Office, codes, copy, rename, replace, step};
use crate::campaign::{Action, FromTo, Step};
use crate::fault::{Fault, Finding};
use crate::platform::fail::{arm, coarse};
use crate::runbook::{Performed, Progress, StepState, describe, refusals, restore, verify};

fn waits(office: &Office) -> String {
    match office.perform().expect("no fault") {
        Performed::Waiting { why } => why,
        done => panic!("{done:?}"),
    }
}

fn attest(office: &Office) {
    office.run(|runbook, step| runbook.attest(step, "Ann", "MTAs stopped at 18:02")).expect("recorded");
}

fn events(office: &Office) -> Vec<String> {
    let word = |entry: &crate::runbook::Entry| serde_json::to_value(&entry.event).expect("json")["event"].to_string();
    office.entries().iter().map(|entry| word(entry).trim_matches('"').to_owned()).collect()
}

#[test]
fn a_step_is_on_record_before_and_after_and_runs_once() {
    let office = Office::new(&rename("{postoffice}/p1", "{postoffice}/POLD"));
    let Performed::Done { facts, .. } = office.perform().expect("done") else { panic!("waits") };
    assert!(facts[0].contains("is now POLD: a folder with 1 entry"), "{facts:?}");
    assert!(office.path("po/POLD/POPULATE.MSM").exists());
    assert_eq!(office.perform(), Ok(Performed::Done { facts: vec![], warnings: vec![] }));
    assert_eq!(events(&office), ["started", "acted", "done"]);
}

#[test]
fn a_statement_alone_makes_a_step_and_expires_with_it() {
    let office = Office::with(Step { attest: Some("External is stopped".into()), ..step("quiesce", None) });
    assert!(waits(&office).contains("External is stopped"));
    assert_eq!(office.state(), StepState::Pending);
    attest(&office);
    let Performed::Done { facts, .. } = office.perform().expect("done") else { panic!("waits") };
    assert_eq!(facts, ["Ann states: MTAs stopped at 18:02"]);
    assert!(office.undo().expect("undone").is_some());
    assert!(waits(&office).contains("External is stopped"), "the old statement no longer counts");
}

#[test]
fn an_action_comes_before_the_statement_about_it() {
    let office = Office::new(&rename("{postoffice}/P1", "{postoffice}/POLD"));
    office.step.borrow_mut().attest = Some("seen".into());
    waits(&office);
    assert!(office.path("po/POLD").exists());
    waits(&office);
    attest(&office);
    office.perform().expect("done");
    assert_eq!(office.state(), StepState::Done);
}

#[test]
fn a_statement_needs_a_step_that_asks_and_words() {
    let office = Office::new(&rename("{postoffice}/P1", "{postoffice}/POLD"));
    let attest = |by: &str, note: &str| office.run(|runbook, step| runbook.attest(step, by, note));
    assert_eq!(codes(&attest("Ann", "ok").expect_err("not asked")), ["nothing-to-attest"]);
    office.step.borrow_mut().attest = Some("seen".into());
    assert_eq!(codes(&attest("Ann", " ").expect_err("empty")), ["statement-empty"]);
    assert_eq!(codes(&attest("A\nB", "x").expect_err("lines")), ["statement-empty"]);
}

#[test]
fn a_check_after_the_change_can_be_satisfied_later_or_the_change_be_taken_back() {
    let office = Office::new(&copy("{staged}/MASTER.GLB", "{postoffice}/GLB/NEW.GLB"));
    let before = office.tree();
    office.step.borrow_mut().after = vec!["size".into()];
    let finding = Finding::error("glb-size", "177 bytes", "take the right one").article("Q209486");
    office.findings.borrow_mut().insert("size".into(), vec![finding]);
    assert_eq!(codes(&office.perform().expect_err("checked")), ["glb-size", "step-not-accepted"]);
    assert_eq!((office.state(), codes(&office.perform().expect_err("checked")).len()), (StepState::Failed, 2));
    office.undo().expect("undone");
    assert_eq!(office.tree(), before);
    office.perform().expect_err("checked");
    office.findings.borrow_mut().insert("size".into(), vec![Finding::warning("w", "new", "look")]);
    let Performed::Done { warnings, .. } = office.perform().expect("done") else { panic!("waits") };
    assert_eq!(warnings.len(), 1);
}

#[test]
fn a_check_that_cannot_look_gainsays_nothing_and_is_made_again() {
    let office = Office::new(&rename("{postoffice}/P1", "{postoffice}/POLD"));
    office.step.borrow_mut().action = None;
    office.step.borrow_mut().attest = Some("all stopped".into());
    office.step.borrow_mut().after = vec!["quiet".into()];
    waits(&office);
    office.run(|runbook, step| runbook.attest(step, "Ann", "stopped")).expect("stated");
    let found =
        |code| office.findings.borrow_mut().insert("quiet".into(), vec![Finding::error(code, "it", "see to it")]);
    for code in ["io", "postoffice-unreadable"] {
        found(code);
        assert_eq!(codes(&office.perform().expect_err("not seen")), [code, "step-not-seen"]);
    }
    office.findings.borrow_mut().clear();
    let Performed::Done { facts, .. } = office.perform().expect("done") else { panic!("waits") };
    assert_eq!(facts, ["Ann states: stopped"]);
    assert!(!events(&office).contains(&"failed".to_owned()));
}

#[test]
fn an_action_of_another_room_may_take_several_rounds_and_fail_between() {
    let office = Office::new(&Action::Notice(vec!["change-date".into()]));
    *office.progress.borrow_mut() = Ok(Progress::Waiting { why: "3 of 40 are not sent".into() });
    assert_eq!(waits(&office), "3 of 40 are not sent");
    assert_eq!(office.state(), StepState::Started);
    assert_eq!(office.run(|runbook, step| runbook.resume(step)), Ok(None));
    *office.progress.borrow_mut() = Err(Fault::new("smtp", "no server", "start it"));
    office.perform().expect_err("failed");
    *office.progress.borrow_mut() = Ok(Progress::Done { facts: vec!["40 told".into()] });
    office.perform().expect("done");
    assert_eq!(events(&office), ["started", "failed", "done"]);
    assert_eq!(office.undo().expect("undone"), Some(vec!["what people were told stays told".to_owned()]));
}

#[test]
fn a_rollback_goes_backwards_to_the_step_named_and_twice_is_once() {
    let office = Office::new(&rename("{postoffice}/P1", "{postoffice}/POLD"));
    let steps = [
        step("close-p1", Some(rename("{postoffice}/P1", "{postoffice}/POLD"))),
        step("retire", Some(rename("{postoffice}/GLB/MASTER.GLB", "{postoffice}/GLB/OLDMAST.GLB"))),
        step("install", Some(copy("{staged}/MASTER.GLB", "{postoffice}/GLB/MASTER.GLB"))),
        step("open-p1", Some(rename("{postoffice}/POLD", "{postoffice}/P1"))),
    ];
    let perform = |step: &Step| {
        *office.step.borrow_mut() = step.clone();
        office.perform().expect("done");
        office.tree()
    };
    let before = office.tree();
    let trees: Vec<_> = steps.iter().map(perform).collect();
    assert_eq!(fs_err::read(office.path("po/GLB/MASTER.GLB")).expect("new"), vec![9; 176]);
    let rollback = |to: Option<&str>| {
        let names = |undone: Vec<(String, Vec<String>)>| undone.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        office.run(|runbook, _| runbook.rollback(&steps, to, &[])).map(names)
    };
    assert_eq!(rollback(Some("retire")), Ok(vec!["open-p1".to_owned(), "install".to_owned()]));
    assert_eq!(office.tree(), trees[1]);
    assert_eq!(rollback(None), Ok(vec!["retire".to_owned(), "close-p1".to_owned()]));
    assert_eq!(office.tree(), before);
    assert_eq!(rollback(None), Ok(vec![]));
    assert_eq!(codes(&rollback(Some("nowhere")).expect_err("unknown")), ["no-such-step"]);
}

#[test]
fn a_replaced_file_keeps_its_rights_and_its_old_content_is_kept() {
    let office = Office::new(&replace(&[("{staged}/ACCESS.GLB", "{postoffice}/GLB/ACCESS.GLB")]));
    office.perform().expect("done");
    let kept: Vec<_> = fs_err::read_dir(office.path("state/undo/s")).expect("kept").flatten().collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(fs_err::read(kept[0].path()).expect("kept"), vec![1; 300]);
}

#[test]
fn a_backup_is_verified_restored_and_found_when_altered() {
    let office = Office::new(&Action::Backup(FromTo { from: "{postoffice}".into(), to: "{state}/backup".into() }));
    let Performed::Done { facts, .. } = office.perform().expect("done") else { panic!("waits") };
    assert!(facts[0].starts_with("6 files and 3 folders, 500 bytes"), "{facts:?}");
    office.backups_are_whole("fresh");
    let backup = office.backups().remove(0);
    let modified = |name: &str| fs_err::metadata(office.path(name)).and_then(|seen| seen.modified()).expect("a time");
    assert_eq!(restore(&backup, &office.path("again")).map(|it| it.files), Ok(6));
    office.same_tree("po", "again");
    for folder in ["", "/P1", "/GLB", "/EMPTY"] {
        assert_eq!(modified(&format!("po{folder}")), modified(&format!("again{folder}")), "{folder}");
    }
    fs_err::write(backup.join("tree/GLB/MASTER.GLB"), vec![8; 176]).expect("altered");
    fs_err::remove_file(backup.join("tree/P1/POPULATE.MSM")).expect("removed");
    fs_err::write(backup.join("tree/EXTRA"), "x").expect("added");
    fs_err::write(backup.join("tree/EXTRA2"), "x").expect("added");
    let words: Vec<String> = verify(&backup).expect("read").into_iter().map(|finding| finding.cause).collect();
    assert_eq!(words.len(), 3, "{words:?}");
    assert!(restore(&backup, &office.path("third")).is_err());
}

#[test]
fn a_backup_of_a_tree_in_use_goes_on_where_it_was_and_copies_again_what_changed() {
    let office = Office::new(&Action::Backup(FromTo { from: "{postoffice}".into(), to: "{state}/backup".into() }));
    // Cut off in the middle; then mail is read, mail comes, and a file is another one of the same size.
    let copied = office.path("state/backup/s.partial/tree/P1/POPULATE.MSM");
    for n in (1..).step_by(5).take_while(|_| !copied.exists()) {
        arm(n, None);
        let cut = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| office.perform()));
        assert!(cut.is_err(), "it ended before it could be cut off behind {}", copied.display());
        arm(0, None);
    }
    fs_err::remove_file(office.path("po/P1/POPULATE.MSM")).expect("removed");
    fs_err::write(office.path("po/EMPTY/NEW.MAI"), "new").expect("written");
    fs_err::write(office.path("po/GLB/MASTER.GLB"), vec![9; 176]).expect("written");
    office.perform().expect("done");
    office.backups_are_whole("after a pause");

    // Somebody writes once while a file is copied, and somebody else all the time.
    let big = office.path("po/BIG.MMF");
    fs_err::write(&big, vec![1; 6 << 20]).expect("written");
    let append = |path: &std::path::Path| {
        let mut file = fs_err::OpenOptions::new().append(true).open(path).expect("opened");
        std::io::Write::write_all(&mut file, b"x").expect("written");
    };
    let copy = office.path("state/backup/s.partial/tree/BIG.MMF");
    office.undo().expect("the backup is kept");
    let done = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !copy.exists() {
                std::thread::yield_now();
            }
            append(&big);
        });
        office.perform()
    });
    let Performed::Done { facts, .. } = done.expect("done") else { panic!("waits") };
    assert_eq!(
        facts[1],
        "the tree was in use meanwhile: 1 times a file was copied again, 0 files went and are not in it"
    );
}

#[test]
fn even_seconds_and_another_clock_confuse_no_step() {
    for action in [
        Action::Backup(FromTo { from: "{postoffice}".into(), to: "{state}/backup".into() }),
        rename("{postoffice}/P1", "{postoffice}/POLD"),
        copy("{staged}/MASTER.GLB", "{postoffice}/GLB/NEW.GLB"),
        replace(&[("{staged}/MASTER.GLB", "{postoffice}/GLB/MASTER.GLB")]),
    ] {
        coarse(true);
        let office = Office::new(&action);
        for n in (1..).step_by(3) {
            // Cut off again and again, each time a little later, and gone on with on the same files.
            arm(n, None);
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| office.perform()));
            arm(0, None);
            office.nothing_lost("a coarse clock");
            if let Ok(done) = ended {
                done.unwrap_or_else(|fault| panic!("{action:?}: {fault}"));
                break;
            }
        }
        let backups = office.backups();
        backups.iter().for_each(|backup| assert_eq!(verify(backup), Ok(vec![])));
        office.undo().unwrap_or_else(|fault| panic!("{action:?}: {fault}"));
        coarse(false);
    }
}

#[test]
fn second_names_of_a_file_are_told_before_it_is_renamed() {
    let office = Office::new(&rename("{postoffice}/GLB/MASTER.GLB", "{postoffice}/GLB/OLDMAST.GLB"));
    fs_err::hard_link(office.path("po/GLB/MASTER.GLB"), office.path("po/GLB/SECOND.GLB")).expect("linked");
    let Performed::Done { warnings, .. } = office.perform().expect("done") else { panic!("waits") };
    assert_eq!(warnings.iter().map(|warning| warning.code).collect::<Vec<_>>(), ["hard-links"]);
}

#[test]
fn a_folder_begun_from_another_backup_or_written_to_by_somebody_is_refused() {
    let office = Office::new(&Action::Backup(FromTo { from: "{postoffice}".into(), to: "{state}/backup".into() }));
    office.perform().expect("done");
    let backup = office.backups().remove(0);
    let cut_off = |to: &str| {
        arm(9, None);
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| restore(&backup, &office.path(to))));
        arm(0, None);
        assert!(ended.is_err(), "cut off");
    };
    cut_off("one");
    office.write("one/STRANGER", "x");
    assert_eq!(codes(&restore(&backup, &office.path("one")).expect_err("written to")), ["restore-stale"]);
    cut_off("two");
    office.undo().expect("kept");
    office.perform().expect("another backup");
    let other = office.backups().into_iter().find(|other| *other != backup).expect("two");
    assert_eq!(codes(&restore(&other, &office.path("two")).expect_err("another")), ["restore-other"]);
    assert_eq!(restore(&backup, &office.path("two")).map(|it| it.files), Ok(6));
    office.same_tree("po", "two");
}

#[cfg(target_os = "linux")]
#[test]
fn folders_come_back_with_their_owners_and_what_cannot_be_given_back_is_named() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let office = Office::new(&Action::Backup(FromTo { from: "{postoffice}".into(), to: "{state}/backup".into() }));
    let give = |name: &str, owner| std::os::unix::fs::chown(office.path(name), Some(owner), Some(owner));
    if give("po/P1", 4711).is_err() {
        println!("skipped: only root may give files away");
        return;
    }
    give("po", 4713).and_then(|()| give("po/P1/POPULATE.MSM", 4712)).expect("given");
    fs_err::set_permissions(office.path("po/EMPTY"), std::fs::Permissions::from_mode(0o2770)).expect("set");
    office.perform().expect("done");
    let backup = office.backups().remove(0);
    // A list is enough: on a volume that keeps no owners the copies themselves have lost theirs.
    for name in ["tree", "tree/P1", "tree/P1/POPULATE.MSM"] {
        std::os::unix::fs::chown(backup.join(name), Some(0), Some(0)).expect("given");
    }
    let restored = restore(&backup, &office.path("again")).expect("restored");
    assert_eq!((restored.findings, restored.as_of.is_some()), (vec![], true));
    let seen = |name: &str| fs_err::metadata(office.path(name)).expect("there");
    for name in ["", "/P1", "/P1/POPULATE.MSM", "/EMPTY", "/GLB"] {
        let (old, new) = (seen(&format!("po{name}")), seen(&format!("again{name}")));
        let bearing = |of: &std::fs::Metadata| (of.uid(), of.gid(), of.mode());
        assert_eq!(bearing(&old), bearing(&new), "{name}");
    }

    let list = backup.join("manifest.ndjson");
    let text = fs_err::read_to_string(&list).expect("text");
    fs_err::write(&list, text.replace("\"hidden\":false", "\"hidden\":true")).expect("written");
    let restored = restore(&backup, &office.path("third")).expect("restored");
    assert_eq!(restored.findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["restore-attributes"]);
    assert!(restored.findings[0].cause.contains(" others did not become hidden"), "{:?}", restored.findings);
}

#[test]
fn dos_attributes_go_into_the_backup_and_come_back() {
    let root = tempfile::tempdir().expect("a folder");
    let path = |name: &str| root.path().join(name);
    fs_err::create_dir_all(path("po")).expect("made");
    fs_err::create_dir_all(path("state")).expect("made");
    fs_err::write(path("po/HIDDEN.GLB"), "x").expect("written");
    // As a Samba server keeps "hidden".
    if rustix::fs::setxattr(path("po/HIDDEN.GLB"), "user.DOSATTRIB", b"0x2\0", rustix::fs::XattrFlags::empty()).is_err()
    {
        println!("skipped: the temporary folder has no attributes; set TMPDIR to a folder on ext4, btrfs or xfs");
        return;
    }
    let paths =
        crate::runbook::Paths::new([("postoffice", path("po")), ("state", path("state")), ("campaign", path(""))]);
    let backup = FromTo { from: "{postoffice}".into(), to: "{state}/backup".into() };
    let plan =
        crate::runbook::actions::plan("s", &Action::Backup(backup), &paths, Default::default()).expect("planned");
    plan.intents[0].operation().apply().expect("done");
    let backup = fs_err::read_dir(path("state/backup")).expect("there").next().expect("one").expect("read").path();
    assert!(fs_err::read_to_string(backup.join("manifest.ndjson")).expect("text").contains("\"hidden\":true"));
    assert_eq!(restore(&backup, &path("again")).map(|it| it.files), Ok(1));
    assert!(crate::platform::Attributes::of(&path("again/HIDDEN.GLB")).expect("there").hidden);
}

#[test]
fn a_dry_run_tells_every_operation_and_touches_nothing() {
    let office = Office::with(Step {
        needs: vec!["disks-held".into()],
        before: vec!["p1-empty".into()],
        attest: Some("all are off".into()),
        ..step("close-p1", Some(rename("{postoffice}/p1", "{postoffice}/POLD")))
    });
    let before = office.tree();
    let lines = describe(&office.step.borrow(), &office.paths());
    let (p1, pold) = (office.path("po/P1"), office.path("po/POLD"));
    let renames = format!("rename {} to {}, without replacing anything", p1.display(), pold.display());
    assert_eq!(
        lines,
        [
            "needs the gate disks-held to be open",
            "check p1-empty",
            renames.as_str(),
            "its undo: rename it back",
            "wait until a person states: all are off"
        ]
    );
    assert_eq!(refusals(&office.step.borrow(), &office.paths(), Default::default()), []);
    assert_eq!(office.tree(), before);
    assert!(office.entries().is_empty());
}
