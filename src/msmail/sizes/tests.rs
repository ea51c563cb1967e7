//! Every documented size, written out: what a file may have, what it may not, and what is then said.

use super::*;
use crate::msmail::checks;
use crate::msmail::fixture::{Tree, facts};
use std::collections::BTreeSet;

/// A file, sizes it may have, sizes it may not (where it can be, one byte less and one more), how bad that is, and the
/// article that says so.
type Row = (&'static str, &'static [u64], &'static [u64], Severity, &'static str, &'static str);

const DOCUMENTED: &[Row] = &[
    ("GLB/MASTER.GLB", &[176], &[0, 175, 177, 352], Error, "Q77926", DAMAGED),
    ("GLB/ACCESS.GLB", &[4688, 586], &[585, 587, 4687], Error, "Q87402", DAMAGED),
    ("GLB/ACCESS2.GLB", &[552, 69], &[68, 70, 553], Error, "Q87402", DAMAGED),
    ("GLB/ACCESS3.GLB", &[4096, 512], &[511, 513, 4095], Error, "Q87402", DAMAGED),
    ("GLB/CONTROL.GLB", &[8], &[0, 7, 9, 16], Error, "Q87388", DAMAGED),
    ("GLB/FLAG.GLB", &[2], &[0, 1, 3, 4], Warning, "Q77926", MADE_ANEW),
    ("GLB/TID.GLB", &[4], &[0, 3, 5, 8], Error, "Q77926", DAMAGED),
    ("GLB/NETWORK.GLB", &[366, 122], &[121, 123, 365], Error, "Q148666", DAMAGED),
    ("GLB/NETPO.GLB", &[47, 4], &[0, 3, 5, 43, 46, 48], Error, "Q110100", DAMAGED),
    ("GLB/GROUP.GLB", &[55, 4], &[0, 3, 5, 51, 54, 56], Error, "Q77926", DAMAGED),
    ("GLB/GRPMEM.GLB", &[132, 4], &[0, 3, 5, 128, 131, 133], Error, "Q77926", DAMAGED),
    ("GLB/GLOBAL.GLB", &[512], &[0, 511, 513, 1024], Warning, "Q77926", DAMAGED),
    ("GLB/REQCONF.GLB", &[512], &[0, 511, 513, 1024], Warning, "Q77926", DAMAGED),
    ("GLB/SRVCONF.GLB", &[2048, 1024], &[0, 1023, 1025, 2047, 2049], Warning, "Q77926", DAMAGED),
    ("GLB/PROCESS.GLB", &[709, 512], &[0, 511, 513, 708, 710], Warning, "Q77926", DAMAGED),
    ("GLB/SERVER.GLB", &[181, 0, 362], &[180, 182], Warning, "Q77926", DAMAGED),
    ("GLB/RNETSEM.GLB", &[4], &[0, 3, 5, 8], Warning, "Q118946", DAMAGED),
    ("GLB/MODEM.GLB", &[64], &[0, 63, 65, 128], Error, "Q119362", SERIAL_PORT),
    ("GLB/C850SORT.GLB", &[795], &[0, 794, 796, 1590], Error, "Q173211", INSTALLED),
    ("GLB/C850INT.GLB", &[795], &[0, 794, 796, 1590], Warning, "Q134669", INSTALLED),
    ("GLB/C850SCAN.GLB", &[795], &[0, 794, 796, 1590], Warning, "Q134669", INSTALLED),
    ("GLB/ANSISORT.GLB", &[795], &[0, 794, 796, 1590], Note, "Q135868", INSTALLED),
    ("GLB/TRANSFIL.GLB", &[1603], &[0, 1602, 1604, 3206], Error, "Q173211", INSTALLED),
    ("GLB/ERRORADM.GLB", &[22_272], &[0, 22_271, 22_273], Note, "Q135868", INSTALLED),
    ("GLB/ERRORDYN.GLB", &[1920], &[0, 1919, 1921], Note, "Q135868", INSTALLED),
    ("GLB/ENGMAI.GLB", &[18_304], &[0, 18_303, 18_305], Note, "Q135868", INSTALLED),
    ("GLB/ENGMON.GLB", &[4096], &[0, 4095, 4097], Note, "Q135868", INSTALLED),
    ("GLB/DS_MSG.GLB", &[32_512], &[0, 32_511, 32_513], Note, "Q135868", INSTALLED),
    ("GLB/WELCOME.GLB", &[609], &[0, 608, 610], Note, "Q135868", INSTALLED),
    ("MBG/00000001.MBG", &[348, 0, 116], &[115, 117, 347], Error, "Q87417", DAMAGED),
    ("MBG/INQUEUE3.MBG", &[116, 0], &[115, 117], Error, "Q87417", DAMAGED),
    ("KEY/00000001.KEY", &[560], &[0, 559, 561, 1120], Error, "Q118619", KEY_FILE),
    ("NME/ADMIN.NME", &[405, 45], &[44, 46, 404], Error, "Q107767", DAMAGED),
    ("NME/ADMINSHD.NME", &[405, 45], &[44, 46, 404], Error, "Q85647", DAMAGED),
    ("NME/GAL.NME", &[450, 0], &[44, 46, 451], Warning, "Q77926", DAMAGED),
    ("NME/SMTP.NME", &[0, 45], &[44, 46], Warning, "Q77926", DAMAGED),
    ("GRP/ADMIN.GRP", &[8, 0, 16], &[7, 9], Warning, "Q77926", DAMAGED),
    ("GRP/00000001.GRP", &[16, 0, 8], &[7, 9], Warning, "Q77926", DAMAGED),
    ("MEM/00000002.MEM", &[2000, 0, 4], &[3, 5, 1999, 2001, 2004], Warning, "Q77926", DAMAGED),
    ("XTN/00000001.XTN", &[0, 698, 1396], &[697, 699], Warning, "Q77926", DAMAGED),
    ("USR/0000000A.USR", &[159, 0, 53], &[52, 54, 158], Warning, "Q77926", DAMAGED),
    ("FOLDERS/SERIALNO.IDX", &[4], &[0, 3, 5, 8], Warning, "Q135868", DAMAGED),
    ("FOLDERS/LOC/00000001/00000001.IDX", &[258, 100], &[0, 99, 101, 158, 257, 259], Warning, "Q77926", DAMAGED),
    ("FOLDERS/PUB/FOLDROOT.IDX", &[100, 258], &[0, 99, 101, 158, 257, 259], Warning, "Q77926", DAMAGED),
    ("P1/POPULATE.MSM", &[1], &[0, 2], Warning, "Q135868", DAMAGED),
];

/// The folder whose rules hold: those of a user's own folders are those of FOLDERS/LOC.
fn split(path: &str) -> (&str, &str) {
    let (folder, name) = path.rsplit_once('/').expect("a folder");
    (if folder.starts_with("FOLDERS/LOC") { "FOLDERS/LOC" } else { folder }, name)
}

#[test]
fn each_file_may_have_its_documented_sizes_and_none_beside() {
    for &(path, right, wrong, severity, article, remedy) in DOCUMENTED {
        let (folder, name) = split(path);
        for &size in right {
            assert_eq!(check(folder, name, size, Path::new(path)), None, "{path} {size}");
        }
        for &size in wrong {
            let finding = check(folder, name, size, Path::new(path)).unwrap_or_else(|| panic!("{path} {size} passes"));
            assert_eq!((finding.code, finding.severity, finding.article), ("size-rule", severity, Some(article)));
            assert_eq!(finding.remedy, remedy, "{path}");
            assert!(finding.cause.starts_with(&format!("{folder}/{name} is {size} bytes long; ")), "{}", finding.cause);
        }
    }
}

#[test]
fn every_rule_is_written_out_above() {
    let named = |path: &str| rule_of(split(path).0, split(path).1).map(|rule| (rule.folder, rule.name));
    let tested: BTreeSet<_> = DOCUMENTED.iter().filter_map(|row| named(row.0)).collect();
    let rules: BTreeSet<_> = RULES.iter().chain([&POPULATE]).map(|rule| (rule.folder, rule.name)).collect();
    assert_eq!(tested, rules);
}

/// The rules are of use only where the walk through the folders comes by.
#[test]
fn every_wrong_size_in_a_tree_is_found_and_no_right_one() {
    for which in [0, 1] {
        let tree = Tree::live();
        for row in DOCUMENTED {
            tree.fill(row.0, [row.1, row.2][which][0] as usize);
        }
        let findings = checks::postoffice(&tree.open(), &facts());
        for &(path, ..) in DOCUMENTED {
            // MASTER.GLB has a check of its own, which says what a wrong size comes to.
            let code = if path == "GLB/MASTER.GLB" { "master-size" } else { "size-rule" };
            let place = crate::fault::Place::file(tree.path(path));
            let found = findings.iter().filter(|one| one.code == code && one.place.as_ref() == Some(&place)).count();
            assert_eq!(found, which, "{path}");
        }
    }
}

#[test]
fn letters_count_without_regard_to_case_and_the_exact_name_before_the_suffix() {
    assert!(check("glb", "master.glb", 175, Path::new("f")).is_some_and(|finding| finding.is_error()));
    assert!(check("mbg", "0000000a.mbg", 117, Path::new("f")).is_some());
    assert!(check("NME", "admin.nme", 46, Path::new("f")).is_some_and(|finding| finding.is_error()));
    assert!(check("NME", "0000000A.NME", 46, Path::new("f")).is_some_and(|finding| !finding.is_error()));
}

#[test]
fn a_file_without_a_documented_size_may_have_any() {
    for name in ["RNETWORK.GLB", "0000002E.GLB", "GALINDEX.GLB", "GALNETPO.GLB", "SMTP.GLB", "REQTRANS.GLB"] {
        assert!(rule_of("GLB", name).is_none(), "{name}");
    }
    for (folder, name) in
        [("MMF", "00000001.MMF"), ("CAL", "SCHEDULE.KEY"), ("INI", "EXTERNAL.INI"), ("GLB", "DEFAULT.SCR")]
    {
        assert!(rule_of(folder, name).is_none(), "{folder}/{name}");
    }
}

#[test]
fn the_file_of_every_directory_is_one_byte_long() {
    for folder in ["P1", "MMF", "FOLDERS/LOC"] {
        assert_eq!(check(folder, "Populate.msm", 1, Path::new("f")), None);
        assert!(check(folder, "POPULATE.MSM", 0, Path::new("f")).is_some_and(|finding| !finding.is_error()));
    }
}
