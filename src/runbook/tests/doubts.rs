//! Where only a person can tell: files that somebody else changed, programs whose end nobody saw.

use super::office::{Office, codes, copy, rename, replace};
use crate::campaign::Action;
use crate::fault::Finding;
use crate::platform::fail::{Crash, arm, crowded, reached};
use crate::runbook::{Performed, StepState};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Cut off as soon as `there` is so, after as few points as that takes.
fn cut_when(office: impl Fn() -> Office, there: impl Fn(&Office) -> bool) -> Office {
    for n in 1..200 {
        let office = office();
        arm(n, None);
        let ended = catch_unwind(AssertUnwindSafe(|| office.perform()));
        arm(0, None);
        assert!(ended.is_err_and(|payload| payload.is::<Crash>()), "ended before that was so");
        if there(&office) {
            return office;
        }
    }
    panic!("never so");
}

fn shell(run: &str, undo: Option<&str>) -> Action {
    let argv = |script: &str| ["sh", "-c", script].map(str::to_owned).to_vec();
    Action::Shell { run: argv(run), undo: undo.map(argv) }
}

#[test]
fn a_folder_that_came_back_under_the_old_name_stops_both_ways() {
    let action = rename("{postoffice}/P1", "{postoffice}/POLD");
    let office = cut_when(|| Office::new(&action), |office| office.path("po/POLD").exists());
    fs_err::create_dir(office.path("po/P1")).expect("a stray");
    let tree = office.tree();
    for fault in [office.perform().expect_err("unclear"), office.undo().expect_err("unclear")] {
        assert_eq!(codes(&fault), ["files-unclear"]);
        assert!(fault.cause().contains("P1 is a folder with 0 entries"), "{fault}");
        assert!(fault.findings[0].remedy.contains("flagday cutover rollback"), "{fault:?}");
    }
    assert_eq!(office.tree(), tree);
    fs_err::remove_dir(office.path("po/P1")).expect("cleared by a person");
    office.perform().expect("done");
}

#[test]
fn a_late_write_into_the_renamed_folder_is_told_and_stops_nothing() {
    let action = rename("{postoffice}/P1", "{postoffice}/POLD");
    let office = cut_when(|| Office::new(&action), |office| office.path("po/POLD").exists());
    office.write("po/POLD/LATE.0LK", "session");
    office.perform().expect("done");
    let facts = office.undo().expect("undone").expect("something");
    assert!(facts.iter().any(|fact| fact.contains("was written to")), "{facts:?}");
    assert!(office.path("po/P1/LATE.0LK").exists());
}

#[test]
fn a_file_that_changed_after_it_was_replaced_is_not_taken_back_over_the_change() {
    let office = Office::new(&replace(&[("{staged}/MASTER.GLB", "{postoffice}/GLB/MASTER.GLB")]));
    office.perform().expect("done");
    office.write("po/GLB/MASTER.GLB", "changed by ADMIN");
    assert_eq!(codes(&office.undo().expect_err("unclear")), ["files-unclear"]);
    assert_eq!(fs_err::read(office.path("po/GLB/MASTER.GLB")).expect("read"), b"changed by ADMIN");
    assert_eq!(office.state(), StepState::Done);
}

/// A disk that tells letters apart would hold two files of one name.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_was_given_other_letters_is_not_passed_over_on_the_way_back() {
    let office = Office::new(&copy("{staged}/MASTER.GLB", "{postoffice}/GLB/NEW.GLB"));
    office.perform().expect("done");
    let (new, other) = (office.path("po/GLB/NEW.GLB"), office.path("po/GLB/new.glb"));
    fs_err::rename(&new, &other).expect("renamed");
    let fault = office.undo().expect_err("refused");
    assert!(fault.findings[0].cause.contains("stands there as new.glb"), "{fault}");
    fs_err::rename(&other, &new).expect("renamed back");
    office.undo().expect("taken back");
    assert!(!new.exists());
}

#[test]
fn a_stranger_that_takes_the_name_while_the_file_is_set_aside_loses_nothing() {
    let action = replace(&[("{staged}/MASTER.GLB", "{postoffice}/GLB/MASTER.GLB")]);
    let office = cut_when(|| Office::new(&action), |office| !office.path("po/GLB/MASTER.GLB").exists());
    office.write("po/GLB/MASTER.GLB", "a stranger's");
    assert_eq!(codes(&office.perform().expect_err("unclear")), ["files-unclear"]);
    office.nothing_lost("set aside");
    let aside = fs_err::read_dir(office.path("po/GLB")).expect("listed").flatten();
    assert_eq!(aside.filter(|entry| entry.path().extension().is_some_and(|it| it == "OLD")).count(), 1, "it stays");
    assert_eq!(fs_err::read(office.path("po/GLB/MASTER.GLB")).expect("read"), b"a stranger's");
}

#[test]
fn a_program_that_was_cut_off_is_never_run_again_by_itself() {
    let make = || Office::new(&shell("echo x >> COUNT", Some("rm COUNT")));
    let office = cut_when(make, |office| office.path("COUNT").exists());
    assert_eq!(codes(&office.perform().expect_err("unseen")), ["program-unseen"]);
    assert_eq!(codes(&office.undo().expect_err("unseen")), ["program-unseen"]);
    office.run(|runbook, step| runbook.attest(step, "Ann", "COUNT is there")).expect("recorded");
    office.perform().expect("done");
    assert_eq!(fs_err::read(office.path("COUNT")).expect("read"), b"x\n");
    office.undo().expect("undone");
    assert!(!office.path("COUNT").exists());
}

#[test]
fn a_program_that_failed_runs_again_and_one_that_ended_well_does_not() {
    let office = Office::new(&shell("echo x >> COUNT; test -e READY", None));
    assert_eq!(codes(&office.perform().expect_err("failed")), ["program-failed", "step-not-known"]);
    assert_eq!(office.state(), StepState::Failed);
    office.write("READY", "");
    office.step.borrow_mut().attest = Some("seen".into());
    assert!(matches!(office.perform(), Ok(Performed::Waiting { .. })));
    assert!(matches!(office.perform(), Ok(Performed::Waiting { .. })));
    office.run(|runbook, step| runbook.attest(step, "Ann", "seen")).expect("recorded");
    office.perform().expect("done");
    assert_eq!(fs_err::read(office.path("COUNT")).expect("read"), b"x\nx\n");
}

#[test]
fn what_a_failed_program_has_left_is_not_called_untouched_and_stays_to_be_undone() {
    let office = Office::new(&shell("echo x > MADE; exit 3", Some("rm MADE")));
    let fault = office.perform().expect_err("failed");
    assert!(fault.findings[1].cause.contains("is not known"), "{fault}");
    // A run that a gate stops goes no further than this.
    assert_eq!(office.run(|runbook, step| runbook.resume(step)), Ok(None));
    assert_eq!(office.state(), StepState::Failed);
    office.step.borrow_mut().before = vec!["quiet".into()];
    office.findings.borrow_mut().insert("quiet".into(), vec![Finding::error("loud", "loud", "hush")]);
    assert_eq!(codes(&office.perform().expect_err("refused")), ["loud", "step-not-known"], "nor is it untouched then");
    assert!(office.path("MADE").exists());
    office.undo().expect("undone").expect("something");
    assert!(!office.path("MADE").exists());

    let office = Office::new(&shell("echo x > MADE; exit 3", None));
    let fault = office.perform().expect_err("failed");
    assert!(fault.findings[1].remedy.contains("--undone"), "{fault}");
    assert_eq!(codes(&office.undo().expect_err("none")), ["no-undo"]);
}

#[test]
fn a_program_without_undo_is_taken_back_by_a_person_on_record() {
    let office = Office::new(&shell("echo x > MADE", None));
    office.perform().expect("done");
    assert_eq!(codes(&office.undo().expect_err("none")), ["no-undo"]);
    assert_eq!(office.state(), StepState::Done);
    office.run(|runbook, step| runbook.undone_by_hand(step, "Ann", "removed MADE")).expect("recorded");
    assert_eq!(office.state(), StepState::Undone);
    assert_eq!(office.undo(), Ok(None));
}

#[test]
fn an_undo_that_fails_is_tried_again() {
    let office = Office::new(&shell("echo x > MADE", Some("test -e READY && rm MADE")));
    office.perform().expect("done");
    assert_eq!(codes(&office.undo().expect_err("failed")), ["program-failed", "step-half-undone"]);
    assert_eq!(office.state(), StepState::Undoing);
    let on = office.run(|runbook, step| runbook.resume(step));
    assert_eq!(codes(&on.expect_err("two directions")), ["step-half-undone"]);
    office.write("READY", "");
    office.undo().expect("undone");
    assert!(!office.path("MADE").exists());
}

#[test]
fn a_rollback_that_does_not_begin_leaves_nothing_of_its_own() {
    let office = Office::new(&rename("{postoffice}/P1", "{postoffice}/POLD"));
    office.perform().expect("done");
    let done = office.tree();
    let mut refused = 0;
    for n in 1.. {
        arm(n, Some(ErrorKind::PermissionDenied));
        let back = office.run(|runbook, step| runbook.rollback(std::slice::from_ref(step), None, &[]));
        arm(0, None);
        if office.state() != StepState::Done {
            break;
        }
        let Err(fault) = back else { continue };
        if codes(&fault)[0] != "sync-failed" {
            assert!(office.tree() == done, "{n}: {fault}");
            refused += 1;
        }
    }
    assert!(refused > 2, "{refused}");
}

#[test]
fn a_sync_that_failed_ends_the_run_and_is_not_repeated() {
    let actions = [
        rename("{postoffice}/P1", "{postoffice}/POLD"),
        replace(&[("{staged}/MASTER.GLB", "{postoffice}/GLB/MASTER.GLB")]),
    ];
    for action in actions {
        let mut stopped = 0;
        for n in 1.. {
            let office = Office::new(&action);
            arm(n, Some(ErrorKind::StorageFull));
            let outcome = office.perform();
            let reached = reached();
            arm(0, None);
            if reached < n {
                break;
            }
            let Err(fault) = outcome else { continue };
            if codes(&fault)[0] == "sync-failed" {
                assert_eq!(codes(&fault), ["sync-failed", "step-unfinished"], "{n}");
                assert_eq!(reached, n + JOURNAL_POINTS, "{n}: nothing but the journal is touched after it");
                assert!(fault.findings[1].remedy.contains("`flagday cutover rollback --to before`"), "{fault}");
                stopped += 1;
            }
            office.nothing_lost("a failed sync");
            office.perform().expect("done anew");
            assert_eq!(office.state(), StepState::Done);
        }
        assert!(stopped > 1, "{action:?}: {stopped}");
    }
}

/// Passed while one entry is written.
const JOURNAL_POINTS: usize = 3;

#[test]
fn what_is_in_use_is_tried_again_for_a_while() {
    for n in 1..60 {
        let office = Office::new(&rename("{postoffice}/P1", "{postoffice}/POLD"));
        office.patience.set(3);
        arm(n, Some(ErrorKind::ResourceBusy));
        let outcome = office.perform();
        arm(0, None);
        if office.patience.get() < 3 {
            outcome.expect("the second try succeeds");
            assert_eq!((office.patience.get(), office.state()), (2, StepState::Done));
            assert!(office.path("po/POLD").exists());
            return;
        }
    }
    panic!("no rename was ever in use");
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_another_program_has_open_is_waited_for_and_then_left_alone() {
    crowded();
    for (action, held) in [
        (rename("{postoffice}/P1", "{postoffice}/POLD"), "po/P1/POPULATE.MSM"),
        (rename("{postoffice}/GLB/MASTER.GLB", "{postoffice}/GLB/OLDMAST.GLB"), "po/GLB/MASTER.GLB"),
        (replace(&[("{staged}/MASTER.GLB", "{postoffice}/GLB/MASTER.GLB")]), "po/GLB/MASTER.GLB"),
    ] {
        let office = Office::new(&action);
        office.patience.set(4);
        let input = std::fs::OpenOptions::new().read(true).open(office.path(held)).expect("open");
        let mut child = std::process::Command::new("sleep").arg("60").stdin(input).spawn().expect("sleep runs");
        let refused = std::panic::catch_unwind(AssertUnwindSafe(|| office.refusal()));
        child.kill().expect("ended");
        child.wait().expect("ended");
        assert_eq!(refused.expect("refused"), ["file-in-use"], "{held}");
        assert_eq!(office.patience.get(), 0, "{held}: it was waited for");
        office.perform().expect("free again");
    }
}
