//! Every action, cut off by a power cut at every point: of what was not synced by then, everything is gone, or a part.
//! Gone on with or taken back, both trees are exactly as after or before the step.

use super::crashes::{Reference, WAYS, Way, actions, cut, reference, settle, take};
use super::office::Office;
use crate::campaign::Action;
use crate::platform::fail::{Lost, arm, power_cut};

/// Whether the point was reached, and whether anything was lost by the cut.
fn one(action: &Action, reference: &Reference, first: Way, last: Way, n: usize, lost: Lost) -> (bool, bool) {
    let office = Office::new(action);
    let what = format!("{action:?} {first:?}@{n} {last:?} {lost:?}");
    if first == Way::Back {
        arm(0, None);
        office.perform().expect("done");
    }
    arm(n, None);
    let reached = cut(|| take(&office, first));
    let gone = reached && power_cut(lost);
    arm(0, None);
    if !gone {
        // As after a kill, which `crashes` tries.
        return (reached, false);
    }
    office.nothing_lost(&what);
    settle(&office, last, &reference.before, &reference.after, &what);
    (reached, gone)
}

#[test]
fn after_a_power_cut_at_any_point_every_action_ends_as_it_should() {
    let (mut points, mut losses) = (0, 0);
    for action in actions() {
        let reference = reference(&action);
        for (first, last) in WAYS.into_iter().flat_map(|first| WAYS.map(|last| (first, last))) {
            let parts = [Lost::Everything, Lost::Bytes, Lost::First, Lost::Last];
            for lost in parts.into_iter().take(if last == Way::Forward { 4 } else { 1 }) {
                for n in 1.. {
                    let (reached, gone) = one(&action, &reference, first, last, n, lost);
                    if !reached {
                        break;
                    }
                    points += 1;
                    losses += usize::from(gone);
                }
            }
        }
    }
    println!("{points} power cuts tried, {losses} of them lost something");
    assert!(points > 1500 && losses > 400, "{points}, {losses}");
}

/// The simulation itself: a rename without a sync is gone, one with a sync stays.
#[test]
fn only_what_was_not_synced_is_lost() {
    for (synced, there) in [(false, "OLD"), (true, "NEW")] {
        let root = tempfile::tempdir().expect("a folder");
        fs_err::write(root.path().join("OLD"), "x").expect("written");
        let folder = crate::platform::Folder::open(root.path()).expect("open");
        arm(0, None);
        folder.rename("OLD".as_ref(), &folder, "NEW".as_ref()).expect("renamed");
        if synced {
            folder.sync().expect("synced");
        }
        assert_eq!(power_cut(Lost::Everything), !synced);
        assert!(root.path().join(there).exists(), "{there}");
    }
}
