//! Times around the broadcast, every kind of message store, and whatever cannot be seen.

use super::watch::Written;
use super::*;
use crate::msmail::fixture::{Tree, person};
use crate::roster::MailStore;
use chrono::TimeDelta;

const HEXID: &str = "00000001";

fn at(seconds: i64) -> DateTime<Utc> {
    let broadcast: DateTime<Utc> = "2026-12-12T18:30:00Z".parse().expect("a time");
    broadcast + TimeDelta::seconds(seconds)
}

/// An hour after the broadcast, by a clock that nobody touched.
fn watch() -> Watch {
    Watch {
        since: at(0),
        now: at(3600),
        leap: TimeDelta::zero(),
        before: BTreeMap::new(),
        polling: TimeDelta::minutes(20),
        zone: chrono_tz::UTC,
    }
}

/// One person, their mailbag's size, and when their store was written, in seconds after the broadcast.
fn observed(kind: &str, store: MailStore, mailbag: usize, mmf: Option<i64>) -> Observation {
    let tree = Tree::live();
    tree.remove("MMF").folder("MMF").mailbag(HEXID, mailbag);
    if let Some(seconds) = mmf {
        tree.fill("MMF/00000001.MMF", 43_008).touch("MMF/00000001.MMF", at(seconds));
    }
    one(&tree, &person("ann", kind, Some(HEXID), store))
}

fn one(tree: &Tree, person: &Person) -> Observation {
    let live = Postoffice::open_folders(tree.root(), FOLDERS).expect("a postoffice");
    let mut observations = observe(&live, &[person], &watch());
    assert_eq!(observations.len(), 1);
    observations.pop().expect("one")
}

#[test]
fn an_empty_mailbag_and_a_rewritten_store_are_drained() {
    let observation = observed("local", MailStore::Postoffice, 0, Some(60));
    assert_eq!((observation.verdict, observation.headers_left), (Verdict::Drained, Some(0)));
    assert_eq!(observation.mmf, Some(Store { size: 43_008, modified: Some(at(60)) }));
    assert_eq!(observation.remedy, "");
}

#[test]
fn times_within_two_seconds_of_the_broadcast_decide_nothing() {
    let verdict = |seconds| observed("local", MailStore::Postoffice, 0, Some(seconds)).verdict;
    for (seconds, expected) in [
        (-3600, Verdict::NotYet),
        (-2, Verdict::NotYet),
        (-1, Verdict::Unseen),
        (0, Verdict::Unseen),
        (1, Verdict::Unseen),
        (2, Verdict::Drained),
        (3600, Verdict::Drained),
        (3601, Verdict::Unseen),
        (86_400, Verdict::Unseen),
    ] {
        assert_eq!(verdict(seconds), expected, "{seconds} s after the broadcast");
    }
}

#[test]
fn headers_that_are_left_are_counted_and_explained() {
    let observation = observed("local", MailStore::Postoffice, 348, Some(60));
    assert_eq!((observation.verdict, observation.headers_left), (Verdict::NotYet, Some(3)));
    assert!(observation.why.contains("3 headers") && observation.remedy.contains("shadowing"), "{observation:?}");
}

#[test]
fn an_old_store_asks_for_a_sign_in_and_tells_what_recovery_costs() {
    let observation = observed("local", MailStore::Postoffice, 0, Some(-60));
    assert!(observation.remedy.contains("Sign Out") && observation.remedy.contains("locked out"), "{observation:?}");
}

#[test]
fn a_store_that_is_not_there_is_never_drained() {
    for size in [0, 116] {
        assert_eq!(observed("local", MailStore::Postoffice, size, None).verdict, Verdict::Unseen);
    }
}

#[test]
fn people_without_a_store_on_the_postoffice_are_judged_by_the_mailbag_alone() {
    for (kind, store) in [
        ("local", MailStore::Local),
        ("local", MailStore::Dos),
        ("local", MailStore::Pst),
        ("remote", MailStore::Postoffice),
    ] {
        assert_eq!(observed(kind, store, 0, Some(-60)).verdict, Verdict::Drained, "an orphan store does not count");
        let waiting = observed(kind, store, 116, Some(60));
        assert_eq!((waiting.verdict, waiting.headers_left), (Verdict::Unseen, Some(1)));
        assert!(waiting.why.starts_with("1 header is left") && !waiting.remedy.is_empty(), "{waiting:?}");
    }
}

#[test]
fn what_cannot_be_looked_at_is_unseen_with_a_remedy() {
    let tree = Tree::live();
    let nobody = one(&tree, &person("ann", "local", None, MailStore::Local));
    let gone = one(&tree, &person("ann", "local", Some("00000077"), MailStore::Local));
    tree.fill("MBG/00000001.MBG", 117);
    let torn = one(&tree, &person("ann", "local", Some(HEXID), MailStore::Local));
    tree.mailbag(HEXID, 0).mailbag("00000003", 0).fill("MBG/00000003.mbg", 0);
    let twice = one(&tree, &person("ann", "local", Some("00000003"), MailStore::Local));
    for observation in [nobody, gone, torn, twice] {
        assert_eq!((observation.verdict, observation.headers_left), (Verdict::Unseen, None), "{observation:?}");
        assert!(!observation.remedy.is_empty());
    }
}

#[test]
fn a_clock_that_was_set_proves_nothing() {
    let tree = Tree::live();
    tree.touch("MMF/00000001.MMF", at(60));
    let ann = person("ann", "local", Some(HEXID), MailStore::Postoffice);
    let verdict = |watch: &Watch| observe(&tree.open(), &[&ann], watch)[0].verdict;
    let minutes = TimeDelta::minutes;
    assert_eq!(verdict(&watch()), Verdict::Drained);
    assert_eq!(verdict(&Watch { now: at(-60), ..watch() }), Verdict::Unseen, "behind the broadcast");
    for (leap, expected) in
        [(1, Verdict::Drained), (3, Verdict::Unseen), (-3, Verdict::Unseen), (1440, Verdict::Unseen)]
    {
        assert_eq!(verdict(&Watch { leap: minutes(leap), ..watch() }), expected, "moved by {leap} minutes");
    }
}

#[test]
fn a_store_that_lay_there_with_this_very_time_was_not_rewritten() {
    let store = Store { size: 43_008, modified: Some(at(60)) };
    let watch = Watch { before: BTreeMap::from([(HEXID.to_owned(), store)]), ..watch() };
    assert_eq!(watch.written(HEXID, store), Written::Unchanged);
    assert_eq!(watch.written(HEXID, Store { size: 43_009, ..store }), Written::Since);
    assert_eq!(watch.written("00000002", store), Written::Since, "another person's");
    assert_eq!(watch.written(HEXID, Store { modified: None, ..store }), Written::Timeless);
    assert_eq!(watch.written(HEXID, Store { size: 0, ..store }), Written::Empty, "no client leaves that");
    let tree = Tree::live();
    tree.touch("MMF/00000001.MMF", at(60));
    assert_eq!(stores(&tree.open())[HEXID], Store { size: 59_100, modified: Some(at(60)) });
}

#[test]
fn nobody_is_late_before_their_client_has_looked_for_mail() {
    let tree = Tree::live();
    tree.touch("MMF/00000001.MMF", at(-60));
    let ann = person("ann", "local", Some(HEXID), MailStore::Postoffice);
    let remedy = |minutes| {
        let watch = Watch { now: at(0) + TimeDelta::minutes(minutes), ..watch() };
        observe(&tree.open(), &[&ann], &watch).remove(0).remedy
    };
    assert!(remedy(19).contains("wait until Sat 2026-12-12 18:50:00 UTC"), "{}", remedy(19));
    assert!(!remedy(19).contains("recover the password") && remedy(20).contains("recover the password"));
}

#[test]
fn marks_of_the_key_file_and_orphan_stores_are_told_and_decide_nothing() {
    let tree = Tree::live();
    let mut key = vec![0; 560];
    key[48] = 0b11;
    tree.mailbag(HEXID, 232).write("KEY/00000001.KEY", &key);
    let local = one(&tree, &person("ann", "local", Some(HEXID), MailStore::Local));
    assert_eq!((local.verdict, local.marked_deleted), (Verdict::Unseen, Some(2)));
    assert!(local.why.contains("Compress would remove") && local.why.contains("an orphan"), "{}", local.why);
}

#[test]
fn what_is_left_cannot_be_fetched_without_a_whole_key_file() {
    let key = |change: fn(&Tree) -> &Tree, mailbag: usize| {
        let tree = Tree::live();
        tree.mailbag(HEXID, mailbag).touch("MMF/00000001.MMF", at(60));
        change(&tree);
        one(&tree, &person("ann", "local", Some(HEXID), MailStore::Postoffice))
    };
    fn gone(tree: &Tree) -> &Tree {
        tree.remove("KEY/00000001.KEY")
    }
    fn torn(tree: &Tree) -> &Tree {
        tree.fill("KEY/00000001.KEY", 559)
    }
    for (change, word) in [(gone as fn(&Tree) -> &Tree, "missing"), (torn, "damaged")] {
        let observation = key(change, 116);
        assert_eq!((observation.verdict, observation.headers_left), (Verdict::NotYet, Some(1)));
        assert!(observation.why.contains(&format!("00000001.KEY is {word}: no client")), "{}", observation.why);
        assert!(observation.remedy.contains("from a backup") && observation.remedy.contains("Never reset"));
        assert_eq!(key(change, 0).verdict, Verdict::Drained, "nothing is left that it would be needed for");
    }
    #[cfg(target_os = "linux")]
    assert!(key(|tree| tree.hide("KEY/00000001.KEY"), 116).why.contains("00000001.KEY is hidden"));
    assert!(key(|tree| tree, 116).why.contains("yet 1 header is left"), "a whole one is not the matter");
}

#[test]
fn lower_case_trees_are_seen() {
    let tree = Tree::lower_case();
    tree.touch("MMF/00000001.MMF", at(30));
    let ann = person("ann", "local", Some(HEXID), MailStore::Postoffice);
    assert_eq!(one(&tree, &ann).verdict, Verdict::Drained);
}
