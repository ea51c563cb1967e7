//! Checks on whole trees, made by the fixture.

mod cutover;
mod people;
mod stage;

use super::*;
use crate::msmail::fixture::{Tree, facts};
use crate::msmail::tree::UNREADABLE;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_bytes_in_any_file_are_judged_without_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..1500),
        file in proptest::sample::select(&["GLB/MASTER.GLB", "GLB/NETWORK.GLB", "XTN/00000009.XTN", "GLB/ACCESS.GLB"][..]),
    ) {
        let (live, staged) = (Tree::live(), Tree::staged());
        live.write(file, &bytes);
        staged.write(file, &bytes);
        for name in CHECKS {
            check_by_name(name, live.root(), staged.root(), &facts(), &Default::default()).expect("a check of that name");
        }
        let findings = stage(&live.open(), &staged.open(), &facts(), None);
        roster(&live.open(), &[]);
        prop_assert!(file != "GLB/MASTER.GLB" || findings.iter().any(Finding::is_error), "two equal or broken masters pass");
    }
}

/// Everything that can be wrong at once: each complaint has its cause, its remedy, and the article that documents it.
#[test]
fn every_finding_names_its_article() {
    let (live, staged) = (Tree::live(), Tree::staged());
    for name in ["0000000A.0LK", "LOCKP1ID.PBB", "00000116.PBB", "000003CB.P1", "X"] {
        live.fill(&format!("P1/{name}"), 1);
    }
    live.folder("POLD").fill("MBG/INQUEUE3.MBG", 116).fill("MBG/000000F0.MBG", 117).remove("NME/ADMINSHD.NME");
    live.fill("GLB/OLDMAST.GLB", 176)
        .fill("GLB/SRVCONF.GLB", 2048)
        .fill("GLB/ACCESS2.GLB", 69)
        .remove("INI")
        .remove("CAL");
    live.fill("MMF/00000099.MMF", 1).fill("GLB/FAX.GLB", 4).fill("NME/FAX.NME", 0).folder("glb");
    staged.patch("GLB/MASTER.GLB", 0x94, 1).patch("GLB/MASTER.GLB", 0x93, 0).remove("GLB/TRANSFIL.GLB");
    staged.remove("GLB/MODEM.GLB").remove("GLB/ENGMAI.GLB").remove("NME/ADMIN.NME");
    let mut findings: Vec<Finding> = CHECKS
        .iter()
        .flat_map(|name| {
            check_by_name(name, live.root(), staged.root(), &facts(), &Default::default()).expect("a check")
        })
        .collect();
    findings.extend(roster(&live.open(), &[]));
    fs_err::remove_dir_all(live.path("glb")).expect("removed");
    for name in CHECKS {
        findings
            .extend(check_by_name(name, live.root(), staged.root(), &facts(), &Default::default()).expect("a check"));
    }
    let codes: std::collections::BTreeSet<_> = findings.iter().map(|finding| finding.code).collect();
    assert!(codes.len() > 20, "{codes:?}");
    for finding in findings {
        assert!(finding.article.is_some() && !finding.remedy.is_empty() && finding.place.is_some(), "{finding:?}");
    }
}

#[test]
fn what_cannot_be_looked_at_is_not_called_missing() {
    let complaint = |code, file: &str| Finding::error(code, "c", "r").in_file(file);
    let codes = |findings| seen(findings).iter().map(|finding| finding.code).collect::<Vec<_>>();
    let (folder, queue) = ("po/MBG", "po/MBG/INQUEUE3.MBG");
    let all = vec![complaint("inqueue3-missing", queue), complaint("p1-session", "po/P1/LOCKP1ID.PBB")];
    assert_eq!(codes(all.clone()), ["inqueue3-missing", "p1-session"]);
    assert_eq!(codes([all, vec![complaint(UNREADABLE, folder)]].concat()), ["p1-session", UNREADABLE]);
    let other = vec![complaint(UNREADABLE, folder), complaint("mailbag-size", "po/MBG2/X.MBG")];
    assert_eq!(codes(other), [UNREADABLE, "mailbag-size"]);
    let missing = || complaint("master-missing", "po/GLB/MASTER.GLB");
    for (code, place) in [("link-refused", "po/GLB"), ("case-clash", "po/glb/master.glb")] {
        assert_eq!(codes(vec![complaint(code, place), missing()]), [code], "{place}");
    }
    assert_eq!(codes(vec![complaint("link-refused", "po/GLB2"), missing()]), ["link-refused", "master-missing"]);
}
