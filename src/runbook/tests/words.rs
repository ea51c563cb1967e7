//! Whatever a disk answers at whatever point: what is then said of the files is true, and two commands are named that may
//! be given next.

use super::crashes::actions;
use super::office::{Office, Tree, codes};
use crate::fault::Fault;
use crate::platform::fail::{arm, reached};
use crate::runbook::StepState;
use std::collections::BTreeMap;
use std::io::ErrorKind;

/// A full disk, a missing right, a read-only mount, and EIO, which has no kind of its own.
const KINDS: [ErrorKind; 4] =
    [ErrorKind::StorageFull, ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem, ErrorKind::Other];

/// The commands that the last words name.
fn commands(fault: &Fault) -> Vec<&str> {
    let last = fault.findings.last().expect("words");
    last.remedy.split('`').skip(1).step_by(2).collect()
}

/// What the fault says of the step, held against the files; it returns the code of those words.
fn judged(fault: &Fault, office: &Office, before: &Tree, what: &str) -> &'static str {
    let last = fault.findings.last().expect("words");
    let said = (last.code, office.state());
    match said {
        ("step-not-done", StepState::Failed) => assert_eq!(office.tree(), *before, "{what}: {fault}"),
        ("step-unfinished", StepState::Started | StepState::Failed) => {}
        ("step-half-undone", StepState::Undoing) => {}
        _ => panic!("{what}: {said:?}\n{fault}"),
    }
    assert!(last.cause.contains("step s "), "{what}: {fault}");
    let commands = commands(fault);
    assert!(commands.len() >= 2 && commands[0] != commands[1], "{what}: {commands:?}");
    assert!(commands.iter().all(|command| command.starts_with("flagday ")), "{what}: {commands:?}");
    last.code
}

#[test]
fn what_is_said_after_any_failure_is_true_and_names_two_commands() {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for action in actions() {
        for kind in KINDS {
            for back in [false, true] {
                for n in 1.. {
                    let office = Office::new(&action);
                    arm(0, None);
                    let before = office.tree();
                    if back {
                        office.perform().expect("done");
                    }
                    arm(n, Some(kind));
                    let fault = if back { office.undo().err() } else { office.perform().err() };
                    let hit = reached() >= n;
                    arm(0, None);
                    if !hit {
                        break;
                    }
                    let what = format!("{action:?} {kind:?} at {n}, back: {back}");
                    // An answer that the step can do without is no failure, and what becomes of a journal that cannot be
                    // written to is told by whoever keeps it.
                    if let Some(fault) = fault.filter(|fault| !fault.cause().contains("journal")) {
                        *seen.entry(judged(&fault, &office, &before, &what)).or_default() += 1;
                        assert!(codes(&fault).len() >= 2, "{what}: the cause comes first: {fault}");
                    }
                }
            }
        }
    }
    println!("{seen:?}");
    let codes: Vec<&str> = seen.into_keys().collect();
    assert_eq!(codes, ["step-half-undone", "step-not-done", "step-unfinished"]);
}
