//! What is refused before anything is touched.

use super::office::{Office, codes, copy, read_only, rename, replace, step};
use crate::campaign::{Action, FromTo};
use crate::fault::Finding;
use crate::runbook::{StepState, restore};
use std::path::Path;

fn p1_to_pold() -> Office {
    Office::new(&rename("{postoffice}/P1", "{postoffice}/POLD"))
}

fn backup(from: &str, to: &str) -> Office {
    Office::new(&Action::Backup(FromTo { from: from.into(), to: to.into() }))
}

#[test]
fn a_rename_is_refused_when_both_names_exist_or_neither_or_only_the_new_one() {
    let office = p1_to_pold();
    fs_err::create_dir(office.path("po/pold")).expect("made");
    assert_eq!(office.refusal(), ["both-exist"]);
    fs_err::remove_dir_all(office.path("po/P1")).expect("removed");
    assert_eq!(office.refusal(), ["already-renamed"]);
    fs_err::remove_dir_all(office.path("po/pold")).expect("removed");
    assert_eq!(office.refusal(), ["neither-exists"]);
}

#[test]
fn another_case_is_no_new_name() {
    assert_eq!(Office::new(&rename("{postoffice}/P1", "{postoffice}/p1")).refusal(), ["same-name"]);
}

#[test]
fn a_read_only_file_is_neither_renamed_nor_replaced() {
    let office = Office::new(&rename("{postoffice}/GLB/MASTER.GLB", "{postoffice}/GLB/OLDMAST.GLB"));
    read_only(&office.path("po/GLB/MASTER.GLB"));
    assert_eq!(office.refusal(), ["read-only"]);
    let office = Office::new(&replace(&[("{staged}/MASTER.GLB", "{postoffice}/GLB/MASTER.GLB")]));
    read_only(&office.path("po/GLB/MASTER.GLB"));
    assert_eq!(office.refusal(), ["read-only"]);
}

#[test]
fn a_copy_never_replaces_and_needs_its_source() {
    assert_eq!(Office::new(&copy("{staged}/MASTER.GLB", "{postoffice}/GLB/master.glb")).refusal(), ["target-exists"]);
    assert_eq!(Office::new(&copy("{staged}/NONE.GLB", "{postoffice}/GLB/NEW.GLB")).refusal(), ["source-missing"]);
    assert_eq!(Office::new(&copy("{postoffice}/P1", "{staged}/P1")).refusal(), ["not-a-plain-file"]);
    let pair = FromTo { from: "{staged}/MASTER.GLB".into(), to: "{postoffice}/GLB/NEW.GLB".into() };
    for like in ["{postoffice}/GLB/OLDMAST.GLB", "{postoffice}/P1"] {
        let action = Action::Copy { pair: pair.clone(), like: Some(like.into()) };
        assert_eq!(Office::new(&action).refusal(), ["like-missing"], "{like}");
    }
}

#[test]
fn all_reasons_come_at_once() {
    let office = Office::new(&replace(&[
        ("{staged}/NONE1.GLB", "{postoffice}/GLB/A.GLB"),
        ("{staged}/NONE2.GLB", "{postoffice}/GLB/B.GLB"),
        ("{staged}/MASTER.GLB", "{postoffice}/GLB/C.GLB"),
        ("{staged}/ADMIN.NME", "{postoffice}/GLB/C.GLB"),
    ]));
    assert_eq!(office.refusal(), ["source-missing", "source-missing", "target-twice"]);
}

#[test]
fn a_name_the_step_needs_on_the_way_must_be_free() {
    let office = Office::new(&copy("{staged}/MASTER.GLB", "{postoffice}/GLB/NEW.GLB"));
    let target = office.paths().find("{postoffice}/GLB/NEW.GLB").expect("found");
    let scratch = crate::runbook::file_ops::Scratch::new("s", &target);
    office.write(&format!("po/GLB/{}", scratch.incoming()), "somebody's");
    assert_eq!(office.refusal(), ["scratch-taken"]);
}

#[cfg(unix)]
#[test]
fn links_are_refused_wherever_they_stand() {
    let link = |office: &Office, to: &str, name: &str| {
        std::os::unix::fs::symlink(office.path(to), office.path(name)).expect("linked");
    };
    let office = Office::new(&rename("{postoffice}/LINK", "{postoffice}/POLD"));
    link(&office, "po/P1", "po/LINK");
    assert_eq!(office.refusal(), ["not-a-plain-file"]);
    let office = Office::new(&replace(&[("{staged}/MASTER.GLB", "{postoffice}/GLB/LINK")]));
    link(&office, "po/GLB/MASTER.GLB", "po/GLB/LINK");
    assert_eq!(office.refusal(), ["not-a-plain-file"]);
    let office = backup("{postoffice}", "{state}/backup");
    link(&office, "staged", "po/GLB/LINK1");
    link(&office, "nowhere", "po/LINK2");
    assert_eq!(office.refusal(), ["not-a-plain-file", "not-a-plain-file"]);
    let office = Office::new(&copy("{staged}/MASTER.GLB", "{postoffice}/GLB/NEW.GLB"));
    fs_err::hard_link(office.path("po/GLB/MASTER.GLB"), office.path("po/GLB/SECOND.GLB")).expect("linked");
    *office.step.borrow_mut() = step("s", Some(replace(&[("{staged}/MASTER.GLB", "{postoffice}/GLB/MASTER.GLB")])));
    assert_eq!(office.refusal(), ["hard-links"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_rename_to_another_volume_is_refused() {
    let office = p1_to_pold();
    let other = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).expect("a folder");
    let volume = |path: &std::path::Path| std::os::unix::fs::MetadataExt::dev(&fs_err::metadata(path).expect("there"));
    if volume(other.path()) == volume(&office.path("po")) {
        println!("skipped: this machine has one volume only; mount a tmpfs at /dev/shm");
        return;
    }
    let to = format!("{}/POLD", other.path().display());
    *office.step.borrow_mut() = step("s", Some(rename("{postoffice}/P1", &to)));
    assert_eq!(office.refusal(), ["other-volume"]);
}

#[test]
fn a_folder_that_must_not_be_changed_is_refused() {
    let office = p1_to_pold();
    read_only(&office.path("po"));
    if fs_err::write(office.path("po/TRY"), "").is_ok() {
        println!("skipped: this account may write everywhere; run as another than root");
        return;
    }
    assert_eq!(office.refusal(), ["no-right"]);
}

#[test]
fn a_backup_into_itself_is_refused() {
    assert_eq!(backup("{postoffice}", "{postoffice}/BACKUP").refusal(), ["backup-inside"]);
}

#[test]
fn a_volume_without_room_is_refused() {
    let office = p1_to_pold();
    let folder = crate::platform::Folder::open(&office.path("po")).expect("open");
    let short = crate::runbook::file_ops::space_for(&folder, u64::MAX).expect("measured");
    let tells = cfg!(all(unix, not(portable)));
    assert_eq!(short.map(|finding| finding.code), Some(if tells { "space-short" } else { "space-unknown" }));
    assert!(!tells || crate::runbook::file_ops::space_for(&folder, 1) == Ok(None));
}

/// /proc is a volume without a single block, as some network mounts call themselves.
#[cfg(target_os = "linux")]
#[test]
fn a_volume_that_does_not_tell_how_much_room_it_has_is_said_and_holds_nothing() {
    let folder = crate::platform::Folder::open(Path::new("/proc")).expect("open");
    let unknown = crate::runbook::file_ops::space_for(&folder, 5_000_000).expect("asked").expect("said");
    assert_eq!((unknown.code, unknown.is_error()), ("space-unknown", false));
    assert!(unknown.cause.contains("5000000 bytes are needed"), "{unknown:?}");
}

#[test]
fn a_restore_into_the_backup_or_into_the_tree_it_is_a_copy_of_is_refused() {
    let office = backup("{postoffice}", "{state}/backup");
    office.perform().expect("done");
    let backup = office.backups().remove(0);
    for inside in [backup.join("tree/AGAIN"), backup.clone(), office.path("po/OLDCOPY"), office.path("po/GLB/deep/OLD")]
    {
        assert_eq!(codes(&restore(&backup, &inside).expect_err("refused")), ["restore-inside"], "{}", inside.display());
    }
    office.backups_are_whole("untouched");
    restore(&backup, &office.path("beside")).expect("laid out");
}

#[test]
fn a_restore_needs_an_empty_folder() {
    let office = backup("{postoffice}", "{state}/backup");
    office.perform().expect("done");
    let backup = office.backups().remove(0);
    assert_eq!(codes(&restore(&backup, &office.path("staged")).expect_err("refused")), ["restore-not-empty"]);
}

#[test]
fn the_gates_of_another_step_are_no_key() {
    let office = p1_to_pold();
    let passed = || crate::gate::pass("another", &[], &[]).expect("no gates");
    let fault = office.run(|runbook, step| runbook.perform(step, passed())).expect_err("refused");
    assert_eq!(codes(&fault), ["gate-of-another-step"]);
}

#[test]
fn an_unsatisfied_check_before_a_step_keeps_it_from_beginning_and_all_checks_speak() {
    let office = p1_to_pold();
    office.step.borrow_mut().before = vec!["a".into(), "b".into()];
    for name in ["a", "b"] {
        let finding = Finding::error("p1-not-empty", name, "end the session");
        office.findings.borrow_mut().insert(name.into(), vec![finding]);
    }
    assert_eq!(office.refusal(), ["p1-not-empty", "p1-not-empty"]);
    office.findings.borrow_mut().clear();
    office.perform().expect("done");
    assert_eq!(office.state(), StepState::Done);
}

/// A folder that is swapped for a link, and back, thousands of times while steps run on what is in it: nothing behind the
/// link is ever touched.
#[cfg(target_os = "linux")]
#[test]
fn a_link_that_is_put_in_the_way_between_look_and_change_leads_nowhere() {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    let actions = [
        rename("{postoffice}/GLB/MASTER.GLB", "{postoffice}/GLB/OLDMAST.GLB"),
        copy("{staged}/MASTER.GLB", "{postoffice}/GLB/NEW.GLB"),
        replace(&[("{staged}/ACCESS.GLB", "{postoffice}/GLB/ACCESS.GLB")]),
    ];
    let (mut done, mut refused) = (0, 0);
    // How often the two meet is the machine's affair: it is tried until they did.
    for round in 0..5_000 {
        if round >= 240 && refused > 0 {
            break;
        }
        let office = Office::new(&actions[round % actions.len()]);
        let outside = [("MASTER.GLB", "their master"), ("ACCESS.GLB", "their access"), ("NEW.GLB.NOT", "")];
        for (name, text) in outside {
            fs_err::create_dir_all(office.path("elsewhere")).expect("made");
            office.write(&format!("elsewhere/{name}"), text);
        }
        std::os::unix::fs::symlink(office.path("elsewhere"), office.path("po/LINK")).expect("linked");
        let (folder, link, over) = (office.path("po/GLB"), office.path("po/LINK"), AtomicBool::new(false));
        let outcome = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Relaxed) {
                    renameat_with(CWD, &folder, CWD, &link, RenameFlags::EXCHANGE).expect("exchanged");
                }
            });
            let outcome = office.perform();
            over.store(true, Relaxed);
            outcome
        });
        *if outcome.is_ok() { &mut done } else { &mut refused } += 1;
        let there = fs_err::read_dir(office.path("elsewhere")).expect("listed").count();
        assert_eq!(there, outside.len(), "round {round}: {outcome:?}");
        for (name, text) in outside {
            let now = fs_err::read_to_string(office.path("elsewhere").join(name)).expect("there");
            assert_eq!(now, text, "round {round}: {outcome:?}");
        }
        office.nothing_lost("a race");
    }
    println!("{done} done, {refused} refused");
    assert!(refused > 0, "the link was never in the way");
}
