//! Every action, cut off at every point between two changes of a file, then gone on with or taken back, and cut off
//! again on that way. After each: the whole tree is exactly as before or as after the step, and at no instant is any
//! content gone. The same with errors of the disk in place of crashes.

use super::office::{Office, Tree, copy, rename, replace};
use crate::campaign::{Action, FromTo};
use crate::platform::fail::{Crash, arm, reached};
use crate::runbook::{Performed, StepState};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Where a run that was cut off is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Way {
    Forward,
    Back,
}

pub const WAYS: [Way; 2] = [Way::Forward, Way::Back];

pub fn actions() -> Vec<Action> {
    vec![
        rename("{postoffice}/P1", "{postoffice}/POLD"),
        rename("{postoffice}/GLB/MASTER.GLB", "{postoffice}/GLB/OLDMAST.GLB"),
        copy("{staged}/MASTER.GLB", "{postoffice}/GLB/NEW.GLB"),
        replace(&[
            ("{postoffice}/GLB/ACCESS.GLB", "{staged}/ACCESS.GLB"),
            ("{postoffice}/GLB/ADMIN.NME", "{staged}/ADMIN.NME"),
        ]),
        replace(&[("{staged}/MASTER.GLB", "{postoffice}/GLB/NEW.GLB")]),
        Action::Backup(FromTo { from: "{postoffice}".into(), to: "{state}/backup".into() }),
    ]
}

/// Runs, and tells whether the armed point was reached: then the run ended there as a killed process would.
pub fn cut(run: impl FnOnce()) -> bool {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(()) => false,
        Err(payload) if payload.is::<Crash>() => true,
        Err(payload) => std::panic::resume_unwind(payload),
    }
}

/// Takes the step there and back as often as the faults need.
pub fn take(office: &Office, way: Way) {
    match way {
        Way::Forward => drop(office.perform()),
        Way::Back => drop(office.undo()),
    }
}

/// Without any fault: does it end where it must?
pub fn settle(office: &Office, way: Way, before: &Tree, after: &Tree, what: &str) {
    arm(0, None);
    match way {
        Way::Forward => {
            if office.state() == StepState::Undoing {
                // Going forward over a rollback that was cut off is refused.
                let fault = office.perform().expect_err(what);
                assert_eq!(fault.findings[0].code, "step-half-undone", "{what}");
                office.undo().unwrap_or_else(|fault| panic!("{what}: {fault}"));
            }
            let done = office.perform().unwrap_or_else(|fault| panic!("{what}: {fault}"));
            assert!(matches!(done, Performed::Done { .. }), "{what}");
            assert_eq!(office.tree(), *after, "{what}");
            assert_eq!(office.state(), StepState::Done, "{what}");
            office.backups_are_whole(what);
            office.perform().unwrap_or_else(|fault| panic!("{what}, once more: {fault}"));
            assert_eq!(office.tree(), *after, "{what}, once more");
            office.undo().unwrap_or_else(|fault| panic!("{what}, and back: {fault}"));
            assert_eq!(office.tree(), *before, "{what}, and back");
        }
        Way::Back => {
            office.undo().unwrap_or_else(|fault| panic!("{what}: {fault}"));
            assert_eq!(office.tree(), *before, "{what}");
            assert!(!office.state().has_begun(), "{what}");
            office.undo().unwrap_or_else(|fault| panic!("{what}, once more: {fault}"));
            assert_eq!(office.tree(), *before, "{what}, once more");
        }
    }
}

pub struct Reference {
    pub before: Tree,
    pub after: Tree,
}

pub fn reference(action: &Action) -> Reference {
    let office = Office::new(action);
    let before = office.tree();
    arm(0, None);
    office.perform().expect("done");
    Reference { before, after: office.tree() }
}

/// First on `first`, cut off at `n`; then on `second`, cut off at `m` (0: not at all); then home on `last`.
fn double(
    action: &Action,
    reference: &Reference,
    [first, second, last]: [Way; 3],
    [n, m]: [usize; 2],
    error: Option<ErrorKind>,
) -> [bool; 2] {
    let office = Office::new(action);
    let what = format!("{action:?} {first:?}@{n} {second:?}@{m} {last:?} {error:?}");
    if first == Way::Back {
        arm(0, None);
        office.perform().expect("done");
    }
    arm(n, error);
    let one = cut(|| take(&office, first)) || (error.is_some() && reached() >= n);
    arm(0, None);
    office.nothing_lost(&what);
    arm(m, error);
    let two = m > 0 && (cut(|| take(&office, second)) || (error.is_some() && reached() >= m));
    arm(0, None);
    office.nothing_lost(&what);
    settle(&office, last, &reference.before, &reference.after, &what);
    [one, two]
}

/// Every point, each once.
fn single_faults(error: Option<ErrorKind>) -> usize {
    let mut points = 0;
    for action in actions() {
        let reference = reference(&action);
        for first in WAYS {
            for last in WAYS {
                let mut n = 1;
                while double(&action, &reference, [first, last, last], [n, 0], error)[0] {
                    n += 1;
                    points += 1;
                }
            }
        }
    }
    points
}

#[test]
fn cut_off_at_any_point_every_action_ends_as_it_should() {
    let points = single_faults(None);
    println!("{points} crash points tried");
    assert!(points > 500, "{points}");
}

#[test]
fn failing_at_any_point_every_action_ends_as_it_should() {
    let kinds = [ErrorKind::StorageFull, ErrorKind::PermissionDenied];
    let points: usize = kinds.into_iter().map(|kind| single_faults(Some(kind))).sum();
    println!("{points} failures tried");
    assert!(points > 1000, "{points}");
}

#[test]
fn cut_off_again_on_the_way_home_every_action_still_ends_as_it_should() {
    let mut points = 0;
    for action in actions() {
        let reference = reference(&action);
        // All pairs take minutes. Every day some of them stand for their neighbours: five is prime to the rhythm of
        // the points, so that each kind of point comes up.
        let stride = if std::env::var_os("FLAGDAY_ALL_PAIRS").is_some() { 1 } else { 5 };
        for first in WAYS {
            for [second, last] in [[Way::Forward, Way::Forward], [Way::Forward, Way::Back], [Way::Back, Way::Back]] {
                for n in (1..).step_by(stride) {
                    let mut one = false;
                    for m in (1..).step_by(stride) {
                        let [first_cut, second_cut] = double(&action, &reference, [first, second, last], [n, m], None);
                        one = first_cut;
                        points += usize::from(first_cut && second_cut);
                        if !first_cut || !second_cut {
                            break;
                        }
                    }
                    if !one {
                        break;
                    }
                }
            }
        }
    }
    println!("{points} pairs of crash points tried");
    assert!(points > 800, "{points}");
}

#[test]
fn a_restore_cut_off_or_failing_at_any_point_is_gone_on_with() {
    let office = Office::new(&Action::Backup(FromTo { from: "{postoffice}".into(), to: "{state}/backup".into() }));
    arm(0, None);
    office.perform().expect("done");
    let backup = office.backups().remove(0);
    let mut points = 0;
    for error in [None, Some(ErrorKind::StorageFull)] {
        for n in 1.. {
            let to = office.path(&format!("again{n}{}", error.is_some()));
            arm(n, error);
            let hit = cut(|| drop(crate::runbook::restore(&backup, &to))) || (error.is_some() && reached() >= n);
            arm(0, None);
            if !hit {
                break;
            }
            // Cut off in its last two calls, it is whole already.
            if !to.join("P1").exists() || to.join("FDRESTOR.TMP").exists() || fs_err::read_dir(&to).is_err() {
                crate::runbook::restore(&backup, &to).unwrap_or_else(|fault| panic!("{n}, {error:?}: {fault}"));
            }
            office.same_tree("po", &to);
            fs_err::remove_dir_all(&to).expect("removed");
            points += 1;
        }
    }
    println!("{points} points of a restore tried");
    assert!(points > 100, "{points}");
}
