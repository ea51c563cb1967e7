//! Names, links, clashes and bounds of a folder tree.

use super::Postoffice;
use crate::msmail::fixture::Tree;

fn codes(po: &Postoffice) -> Vec<&'static str> {
    po.findings().iter().map(|finding| finding.code).collect()
}

#[test]
fn names_match_without_regard_to_case_and_stay_as_they_are() {
    let tree = Tree::lower_case();
    let po = tree.open();
    let entry = po.file("GLB/MASTER.GLB").expect("found");
    assert_eq!((entry.name.as_str(), entry.size), ("master.glb", 176));
    assert_eq!(po.place("GLB/MASTER.GLB"), tree.root().join("glb/master.glb"));
    assert_eq!(po.place("GLB/OLDMAST.GLB"), tree.root().join("glb/OLDMAST.GLB"));
    assert_eq!(po.read("GLB/MASTER.GLB").expect("read").map(|bytes| bytes.len()), Some(176));
    assert!(po.read("GLB/NONE.GLB").expect("nothing to read").is_none());
    assert!(po.has_folder("P1") && po.file("P1").is_none());
    assert_eq!(codes(&po), [""; 0]);
}

#[test]
fn two_names_that_differ_in_case_only_are_refused_both() {
    let tree = Tree::live();
    tree.folder("p1").fill("GLB/master.glb", 176).fill("GLB/Master.Glb", 176);
    let po = tree.open();
    assert_eq!(codes(&po), ["case-clash", "case-clash", "case-clash"]);
    assert!(po.file("GLB/MASTER.GLB").is_none());
    assert!(!po.has_folder("P1"));
}

#[test]
#[cfg(unix)]
fn links_are_refused_and_not_followed() {
    let (tree, other) = (Tree::live(), Tree::staged());
    tree.remove("GLB/MASTER.GLB").remove("MMF");
    std::os::unix::fs::symlink(other.path("GLB/MASTER.GLB"), tree.path("GLB/MASTER.GLB")).expect("linked");
    std::os::unix::fs::symlink(other.path("MMF"), tree.path("MMF")).expect("linked");
    let po = tree.open();
    assert_eq!(codes(&po), ["link-refused", "link-refused"]);
    assert!(po.file("GLB/MASTER.GLB").is_none() && po.folder("MMF").is_none());
}

#[test]
#[cfg(unix)]
fn a_file_that_became_a_link_is_not_read() {
    let (tree, other) = (Tree::live(), Tree::staged());
    let po = tree.open();
    tree.remove("GLB/MASTER.GLB");
    std::os::unix::fs::symlink(other.path("GLB/MASTER.GLB"), tree.path("GLB/MASTER.GLB")).expect("linked");
    assert_eq!(po.read("GLB/MASTER.GLB").expect_err("refused").findings[0].code, "link-refused");
}

#[test]
#[cfg(target_os = "linux")]
fn a_name_that_is_no_text_is_told() {
    use std::os::unix::ffi::OsStrExt;
    let tree = Tree::live();
    fs_err::write(tree.path("P1").join(std::ffi::OsStr::from_bytes(b"\xFF.P1")), b"").expect("written");
    assert_eq!(codes(&tree.open()), ["name-not-text"]);
}

#[test]
fn a_file_far_too_long_is_not_read() {
    let tree = Tree::live();
    let file = fs_err::OpenOptions::new().write(true).open(tree.path("GLB/NETWORK.GLB")).expect("opened");
    file.set_len(super::READ_MAX + 1).expect("a sparse file");
    let fault = tree.open().read("GLB/NETWORK.GLB").expect_err("refused");
    assert_eq!(fault.findings[0].code, "file-too-large");
}

#[test]
fn a_folder_that_is_not_there_says_so_with_a_remedy() {
    let tree = Tree::live();
    let fault = Postoffice::open(&tree.path("nowhere")).expect_err("not there");
    assert_eq!(fault.findings[0].code, "postoffice-unreadable");
    assert!(fault.findings[0].cause.contains("nowhere") && !fault.findings[0].remedy.is_empty());
    assert!(Postoffice::open(&tree.path("GLB/MASTER.GLB")).is_err(), "a file is no postoffice");
}

#[test]
#[cfg(target_os = "linux")]
fn attributes_are_asked_for_when_they_are_needed() {
    let tree = Tree::live();
    tree.hide("GLB/TRANSFIL.GLB").read_only("GLB/MASTER.GLB");
    let po = tree.open();
    let of = |path| po.file(path).expect("there").attributes().expect("looked at");
    assert!(of("GLB/TRANSFIL.GLB").hidden && !of("GLB/TRANSFIL.GLB").read_only);
    assert!(of("GLB/MASTER.GLB").read_only && !of("GLB/MASTER.GLB").hidden);
}
