//! P1, the ACCESS files and MASTER.GLB through the change, by the names of the checks.

use crate::msmail::checks::{CHECKS, COPIED, access_changed_since, at_any_instant, check_by_name, p1_quiet};
use crate::msmail::fixture::{Tree, facts, troubles};
use crate::msmail::{Recorded, fingerprint};
use chrono::{DateTime, TimeDelta, Utc};

/// The errors and warnings of a check by its name.
fn named(name: &str, live: &Tree, staged: &Tree) -> Vec<&'static str> {
    troubles(
        &check_by_name(name, live.root(), staged.root(), &facts(), &Default::default()).expect("a check of that name"),
    )
}

#[test]
fn p1_is_quiet_when_nothing_is_under_way() {
    let (live, staged) = (Tree::lower_case(), Tree::staged());
    assert_eq!(named("p1-quiet", &live, &staged), [""; 0]);
    live.fill("MBG/INQUEUE3.MBG", 116);
    assert_eq!(named("p1-quiet", &live, &staged), ["inqueue3-waiting"]);
    live.remove("MBG/INQUEUE3.MBG");
    assert_eq!(named("p1-quiet", &live, &staged), ["inqueue3-missing"]);
    live.mailbag("INQUEUE3", 0);
    let held = [
        ("0000000A.0LK", "p1-mailbag-lock"),
        ("LOCKP1ID.PBB", "p1-session"),
        ("00000116.PBB", "p1-outbound"),
        ("000003CB.P1", "p1-inbound"),
        ("NOTES.TXT", "p1-unknown"),
    ];
    for (name, code) in held {
        live.fill(&format!("P1/{name}"), 0);
        assert_eq!(named("p1-quiet", &live, &staged), [code]);
        live.remove(&format!("P1/{name}"));
    }
    live.rename("P1", "POLD");
    assert_eq!(named("p1-quiet", &live, &staged), ["p1-not-open"]);
}

#[test]
fn many_envelopes_make_one_finding() {
    let live = Tree::live();
    for n in 0..30 {
        live.fill(&format!("P1/{n:08X}.P1"), 1);
    }
    let findings = p1_quiet(&live.open());
    assert_eq!(findings.len(), 1);
    assert!(findings[0].cause.contains("00000000.P1, 00000001.P1") && findings[0].cause.contains("and 10 more"));
}

#[test]
fn p1_is_closed_and_opened_again() {
    let (live, staged) = (Tree::live(), Tree::staged());
    assert_eq!(named("p1-open", &live, &staged), [""; 0]);
    assert_eq!(named("p1-closed", &live, &staged), ["p1-not-closed"]);
    live.rename("P1", "POLD");
    assert_eq!(named("p1-closed", &live, &staged), [""; 0]);
    assert_eq!(named("p1-open", &live, &staged), ["p1-not-open"]);
    live.fill("POLD/00000001.P1", 5);
    assert_eq!(named("p1-closed", &live, &staged), ["p1-inbound"], "a late writer");
    live.folder("P1");
    assert_eq!(named("p1-closed", &live, &staged), ["p1-both"]);
    assert_eq!(named("p1-open", &live, &staged), ["p1-both"]);
    live.remove("P1").remove("POLD");
    assert_eq!(named("p1-closed", &live, &staged), ["p1-neither"]);
    assert_eq!(named("p1-open", &live, &staged), ["p1-neither"]);
    live.fill("P1", 3);
    assert_eq!(named("p1-open", &live, &staged), ["p1-not-a-folder"]);
    assert_eq!(named("p1-quiet", &live, &staged), ["p1-unreadable"]);
}

#[test]
fn nothing_is_to_be_started_for_what_lies_in_a_closed_p1() {
    let (live, staged) = (Tree::live(), Tree::staged());
    let told = || {
        check_by_name("p1-closed", live.root(), staged.root(), &facts(), &Default::default())
            .expect("a check of that name")
    };
    live.rename("P1", "POLD").fill("POLD/000003CB.P1", 5).fill("POLD/0000000A.0LK", 0).fill("POLD/LOCKP1ID.PBB", 0);
    let before = told();
    assert_eq!(troubles(&before), ["p1-inbound", "p1-mailbag-lock", "p1-session"]);
    for finding in &before {
        assert!(finding.remedy.starts_with("start nothing while P1 is renamed"), "{}", finding.remedy);
        assert!(finding.remedy.contains("`flagday cutover rollback --to backup` opens P1 again"), "{}", finding.remedy);
    }
    live.rename("GLB/MASTER.GLB", "GLB/OLDMAST.GLB").copy(&staged, "GLB/MASTER.GLB");
    for finding in told() {
        assert!(finding.remedy.contains("the new serial number is in force"), "{}", finding.remedy);
        assert!(!finding.remedy.contains("opens P1 again"), "{}", finding.remedy);
    }
    // What is said of two folders is carried out, and the check that follows is content.
    live.folder("P1").fill("P1/000003CC.P1", 5);
    let both = told();
    assert_eq!(troubles(&both), ["p1-both"]);
    assert!(both[0].remedy.contains("in a third folder, outside P1 and POLD") && !both[0].remedy.contains("into POLD"));
    live.remove("POLD/000003CB.P1").remove("POLD/0000000A.0LK").remove("POLD/LOCKP1ID.PBB").remove("P1");
    assert_eq!(troubles(&told()), [""; 0]);
}

#[test]
fn the_access_files_are_copied_byte_for_byte() {
    let (live, staged) = (Tree::live(), Tree::staged());
    assert_eq!(named("access-copied", &live, &staged), ["access-not-copied"; 4]);
    for path in COPIED {
        staged.copy(&live, path);
    }
    assert_eq!(named("access-copied", &live, &staged), [""; 0]);
    assert_eq!(named("stage", &live, &staged), [""; 0], "ADMINSHD.NME of the staged postoffice may stay behind");
    live.patch("GLB/ACCESS3.GLB", 600, 0);
    assert_eq!(named("access-copied", &live, &staged), ["access-not-copied"]);
    let warnings = access_changed_since(&live.open(), &staged.open());
    assert_eq!(troubles(&warnings), ["access-changed"]);
    assert!(!warnings[0].is_error());
    live.remove("NME/ADMIN.NME");
    staged.remove("NME/ADMIN.NME");
    assert!(named("access-copied", &live, &staged).len() == 2, "missing in both is not a copy");
}

#[test]
fn the_master_is_followed_through_the_change() {
    let (live, staged) = (Tree::live(), Tree::staged());
    live.rename("P1", "POLD");
    let all = |live: &Tree| ["master-old", "master-retired", "master-new"].map(|name| named(name, live, &staged));
    let [old, retired, new] = all(&live);
    assert_eq!(
        (old.len(), retired, new),
        (0, vec!["master-not-retired", "oldmast-missing"], vec!["master-not-new", "oldmast-missing"])
    );
    live.rename("GLB/MASTER.GLB", "GLB/OLDMAST.GLB");
    let [old, retired, new] = all(&live);
    assert_eq!((old, retired.len(), new), (vec!["master-missing", "oldmast-exists"], 0, vec!["master-missing"]));
    live.copy(&staged, "GLB/MASTER.GLB");
    let [old, retired, new] = all(&live);
    assert_eq!((old, retired, new.len()), (vec!["master-same", "oldmast-exists"], vec!["master-not-retired"], 0));
}

#[test]
fn a_new_master_that_is_not_the_staged_one_is_found() {
    let (live, staged) = (Tree::live(), Tree::staged());
    live.rename("GLB/MASTER.GLB", "GLB/OLDMAST.GLB").copy(&staged, "GLB/MASTER.GLB");
    live.patch("GLB/MASTER.GLB", 0, 0);
    assert_eq!(named("master-new", &live, &staged), ["master-not-new"]);
    live.copy(&staged, "GLB/MASTER.GLB").read_only("GLB/MASTER.GLB");
    assert_eq!(named("master-new", &live, &staged), ["master-read-only"]);
    live.remove("GLB/OLDMAST.GLB").fill("GLB/OLDMAST.GLB", 0);
    assert_eq!(named("master-new", &live, &staged), ["master-read-only", "master-size"]);
    live.remove("GLB/OLDMAST.GLB");
    fs_err::copy(staged.path("GLB/MASTER.GLB"), live.path("GLB/OLDMAST.GLB")).expect("copied");
    assert_eq!(named("master-new", &live, &staged), ["master-read-only", "oldmast-is-new"]);
}

#[test]
fn a_new_master_with_other_rights_than_the_old_one_is_found() {
    let (live, staged) = (Tree::live(), Tree::staged());
    live.rename("GLB/MASTER.GLB", "GLB/OLDMAST.GLB").copy(&staged, "GLB/MASTER.GLB");
    assert_eq!(named("master-new", &live, &staged), [""; 0]);
    crate::platform::restrict(&live.path("GLB/MASTER.GLB"), 0o600).expect("set");
    crate::platform::restrict(&live.path("GLB/OLDMAST.GLB"), 0o664).expect("set");
    let seen = check_by_name("master-new", live.root(), staged.root(), &facts(), &Default::default())
        .expect("a check of that name");
    if cfg!(unix) {
        assert_eq!(troubles(&seen), ["master-rights"]);
        assert!(seen.iter().any(|finding| finding.cause.contains("(mode 0600, user ")), "{seen:?}");
    }
    crate::platform::restrict(&live.path("GLB/MASTER.GLB"), 0o664).expect("set");
    assert_eq!(named("master-new", &live, &staged), [""; 0]);
}

#[test]
fn init_disks_are_made_from_a_sound_staged_postoffice() {
    let (live, staged) = (Tree::live(), Tree::staged());
    assert_eq!(named("disk-sources", &live, &staged), [""; 0]);
    staged.remove("GLB/C850SORT.GLB").fill("GLB/MODEM.GLB", 20);
    assert_eq!(named("disk-sources", &live, &staged), ["disk-source-missing", "size-rule"]);
}

#[test]
fn an_address_list_from_before_the_access_files_were_copied_is_stale_though_the_copies_keep_their_time() {
    let (live, staged) = (Tree::live(), Tree::staged());
    let copied: DateTime<Utc> = "2001-11-20T12:00:00Z".parse().expect("a time");
    staged.fill("GLB/RNETWORK.GLB", 600);
    let told = |copied, built| {
        staged.touch("GLB/RNETWORK.GLB", built);
        let recorded = Recorded { copied, ..Recorded::default() };
        let name = "disk-sources";
        troubles(&check_by_name(name, live.root(), staged.root(), &facts(), &recorded).expect("a check of that name"))
    };
    let minutes = TimeDelta::minutes;
    for path in COPIED.into_iter().chain(["GLB/NETWORK.GLB", "GLB/GROUP.GLB", "XTN/00000001.XTN"]) {
        staged.touch(path, copied - TimeDelta::days(3));
    }
    assert_eq!(told(None, copied - minutes(60)), [""; 0]);
    assert_eq!(told(Some(copied), copied - minutes(60)), ["rnetwork-stale"]);
    assert_eq!(told(Some(copied), copied - minutes(4)), [""; 0], "two clocks");
    assert_eq!(told(Some(copied), copied + minutes(1)), [""; 0]);
}

#[test]
fn every_check_has_its_name_and_tells_of_a_missing_tree_or_a_clash() {
    let (live, staged) = (Tree::live(), Tree::staged());
    let nowhere = live.path("nowhere");
    for name in CHECKS {
        let findings =
            check_by_name(name, &nowhere, &nowhere, &facts(), &Default::default()).expect("a check of that name");
        assert_eq!(troubles(&findings), ["postoffice-unreadable"], "{name}");
    }
    live.folder("glb").folder("p1");
    staged.folder("glb");
    for name in CHECKS {
        assert!(named(name, &live, &staged).contains(&"case-clash"), "{name}");
    }
    assert!(check_by_name("p1", live.root(), staged.root(), &facts(), &Default::default()).is_none());
}

#[cfg(unix)]
#[test]
fn between_two_instants_a_link_or_a_clash_is_not_called_missing() {
    let told = |change: &dyn Fn(&Tree)| {
        let live = Tree::live();
        change(&live);
        troubles(&at_any_instant(&live.open()))
    };
    let link = |live: &Tree, path: &str| {
        live.rename(path, "elsewhere");
        std::os::unix::fs::symlink(live.path("elsewhere"), live.path(path)).expect("a link");
    };
    assert_eq!(told(&|live| _ = live.remove("P1").remove("GLB/MASTER.GLB")), ["master-missing", "p1-neither"]);
    assert_eq!(told(&|live| _ = live.fill("GLB/master.glb", 176)), ["case-clash"]);
    assert_eq!(told(&|live| _ = live.folder("glb")), ["case-clash"]);
    for path in ["GLB/MASTER.GLB", "P1"] {
        assert_eq!(told(&|live| link(live, path)), ["link-refused"], "{path}");
    }
    let renamed = |live: &Tree| {
        live.rename("P1", "POLD").remove("GLB/MASTER.GLB");
        link(live, "POLD");
    };
    assert_eq!(told(&renamed), ["link-refused", "master-missing"], "what is seen to be missing is said");
}

#[test]
fn a_statement_that_names_no_file_or_another_one_speaks_of_none() {
    let (live, staged) = (Tree::live(), Tree::staged());
    let there = fingerprint(&staged.open()).expect("read").expect("a file");
    let told = |stated: Option<&str>| {
        let recorded = Recorded { stated: stated.map(str::to_owned), ..Recorded::default() };
        let name = "master-old";
        troubles(&check_by_name(name, live.root(), staged.root(), &facts(), &recorded).expect("a check of that name"))
    };
    assert_eq!(told(Some(&there)), [""; 0]);
    assert_eq!(told(Some("")), ["staged-changed"]);
    assert_eq!(told(Some(&"0".repeat(64))), ["staged-changed"]);
}
