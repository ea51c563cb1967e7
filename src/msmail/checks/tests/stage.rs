//! The live and the staged postoffice before the change: one test for each refusal.

use crate::campaign::MsMail;
use crate::msmail::checks::{postoffice, stage, user_records};
use crate::msmail::fixture::{Tree, facts, troubles};
use chrono::DateTime;

/// The errors and warnings of `stage` after a change to a good pair of trees, the live one and the staged one.
fn staged_with(change: impl for<'a> Fn(&'a Tree, &'a Tree) -> &'a Tree) -> Vec<&'static str> {
    staged_for(&facts(), change)
}

fn staged_for(facts: &MsMail, change: impl for<'a> Fn(&'a Tree, &'a Tree) -> &'a Tree) -> Vec<&'static str> {
    let (live, staged) = (Tree::live(), Tree::staged());
    change(&live, &staged);
    troubles(&stage(&live.open(), &staged.open(), facts, None))
}

fn live_with(change: impl Fn(&Tree) -> &Tree) -> Vec<&'static str> {
    let live = Tree::live();
    change(&live);
    troubles(&postoffice(&live.open(), &facts()))
}

#[test]
fn a_good_pair_of_trees_passes_in_either_case() {
    assert_eq!(staged_with(|live, _| live), [""; 0]);
    let (live, staged) = (Tree::lower_case(), Tree::staged());
    assert_eq!(troubles(&stage(&live.open(), &staged.open(), &facts(), None)), [""; 0]);
    assert_eq!(troubles(&postoffice(&live.open(), &facts())), [""; 0]);
}

#[test]
fn every_finding_says_where_why_and_what_to_do() {
    let (live, staged) = (Tree::live(), Tree::staged());
    staged.remove("GLB/SMTP.GLB").remove("GLB/TRANSFIL.GLB").fill("GLB/MASTER.GLB", 0);
    live.rename("P1", "POLD").fill("GLB/ACCESS2.GLB", 70).fill("GLB/OLDMAST.GLB", 176).remove("USR");
    let findings = stage(&live.open(), &staged.open(), &facts(), None);
    assert!(findings.len() >= 7, "{findings:#?}");
    for finding in findings {
        assert!(finding.place.is_some() && finding.article.is_some(), "{finding:?}");
        assert!(finding.cause.len() > 10 && finding.remedy.len() > 5, "{finding:?}");
    }
}

#[test]
fn missing_directories_are_named() {
    assert_eq!(live_with(|live| live.remove("USR").remove("MAI/MAF")), ["folder-missing"]);
    assert_eq!(live_with(|live| live.remove("INI")), ["ini-missing"]);
    let live = Tree::live();
    live.remove("USR").remove("MAI/MAF");
    let findings = postoffice(&live.open(), &facts());
    assert!(findings.iter().any(|finding| finding.cause.ends_with("USR, MAI/MAF")), "{findings:#?}");
}

#[test]
fn a_connector_postoffice_is_refused() {
    let live = Tree::live();
    for name in ["CAL", "FOLDERS", "INI", "MEM", "MMF"] {
        live.remove(name);
    }
    assert!(troubles(&postoffice(&live.open(), &facts())).contains(&"connector-postoffice"));
}

#[test]
fn a_workgroup_postoffice_is_refused_and_a_full_one_with_its_own_template_is_not() {
    fn template(tree: &Tree) -> &Tree {
        tree.fill("TPL/ADMIN.TPL", 10).fill("INF/ADMIN.INF", 10)
    }
    assert_eq!(live_with(template), [""; 0], "External and a gateway are there");
    let workgroup = Tree::staged();
    workgroup.remove("GLB/SMTP.GLB");
    let found = |tree: &Tree| troubles(&postoffice(&tree.open(), &facts())).contains(&"workgroup-postoffice");
    assert!(!found(&workgroup), "one of the signs is missing");
    template(&workgroup);
    assert!(found(&workgroup));
    workgroup.fill("GLB/RNETSEM.GLB", 4);
    assert!(!found(&workgroup), "External has run");
}

#[test]
fn sizes_are_judged_in_both_trees() {
    assert_eq!(staged_with(|live, _| live.fill("KEY/00000001.KEY", 559)), ["size-rule"]);
    assert_eq!(staged_with(|live, _| live.fill("MBG/00000001.MBG", 117)), ["size-rule"]);
    assert_eq!(staged_with(|_, staged| staged.fill("GLB/MODEM.GLB", 65)), ["size-rule"]);
    assert_eq!(staged_with(|_, staged| staged.fill("GLB/C850SORT.GLB", 794)), ["size-rule"]);
}

#[test]
fn a_mailbag_and_its_key_file_are_both_there() {
    for (gone, alone) in [("KEY/00000001.KEY", "00000001.MBG"), ("MBG/INQUEUE.MBG", "INQUEUE.KEY")] {
        assert_eq!(live_with(|live| live.remove(gone)), ["mailbag-pair"]);
        let live = Tree::lower_case();
        live.remove(gone);
        let findings = postoffice(&live.open(), &facts());
        let finding = findings.iter().find(|finding| finding.code == "mailbag-pair").expect("a warning");
        assert!(finding.cause.ends_with(&format!("only one is there: {alone}")), "{}", finding.cause);
        assert_eq!(finding.article, Some("Q87408"));
    }
}

#[test]
fn the_access_files_keep_step() {
    assert_eq!(live_with(|live| live.fill("GLB/ACCESS2.GLB", 7 * 69)), ["access-unequal"]);
    assert_eq!(live_with(|live| live.fill("GLB/ACCESS3.GLB", 8 * 512 + 1)), ["size-rule"]);
    assert_eq!(live_with(|live| live.remove("GLB/ACCESS.GLB")), ["user-list-missing"]);
    let live = Tree::live();
    live.fill("GLB/ACCESS.GLB", 501 * 586).fill("GLB/ACCESS2.GLB", 501 * 69).fill("GLB/ACCESS3.GLB", 501 * 512);
    let findings = postoffice(&live.open(), &facts());
    assert!(findings.iter().any(|finding| finding.code == "access-many"));
    assert_eq!(user_records(&live.open()), Some(501));
}

#[test]
fn the_user_list_and_its_shadow_are_a_pair() {
    assert_eq!(live_with(|live| live.fill("NME/ADMINSHD.NME", 360)), ["admin-pair"]);
    assert_eq!(live_with(|live| live.fill("NME/ADMIN.NME", 0).fill("NME/ADMINSHD.NME", 0)), ["user-list-empty"]);
    assert_eq!(live_with(|live| live.remove("NME/ADMIN.NME")), ["user-list-missing"]);
    assert_eq!(live_with(|live| live.remove("NME/ADMINSHD.NME")), ["admin-shadow-missing"]);
    let live = Tree::live();
    live.touch("NME/ADMINSHD.NME", DateTime::UNIX_EPOCH);
    let findings = postoffice(&live.open(), &facts());
    assert!(findings.iter().any(|finding| finding.code == "admin-pair-date"));
}

#[test]
fn indexes_of_folders_are_judged_two_directories_down() {
    let index = |path: &'static str, size| live_with(move |live| live.fill(path, size));
    for path in ["FOLDERS/LOC/00000001/00000001.IDX", "FOLDERS/PUB/FOLDROOT.IDX"] {
        assert_eq!((index(path, 100), index(path, 258)), (vec![], vec![]), "{path}");
        assert_eq!((index(path, 99), index(path, 101)), (vec!["size-rule"], vec!["size-rule"]), "{path}");
    }
    assert_eq!(index("P1/POPULATE.MSM", 2), ["size-rule"]);
}

#[test]
fn master_glb_is_whole_and_writable_in_both() {
    for size in [0, 175, 177] {
        assert_eq!(staged_with(|live, _| live.fill("GLB/MASTER.GLB", size)), ["master-size"]);
        assert_eq!(staged_with(|_, staged| staged.fill("GLB/MASTER.GLB", size)), ["master-size"]);
    }
    assert_eq!(staged_with(|_, staged| staged.remove("GLB/MASTER.GLB")), ["master-missing"]);
    assert_eq!(staged_with(|_, staged| staged.read_only("GLB/MASTER.GLB")), ["master-read-only"]);
    assert_eq!(staged_with(|live, _| live.read_only("GLB/MASTER.GLB")), ["master-read-only"]);
}

#[test]
#[cfg(target_os = "linux")]
fn hidden_files_are_refused_where_the_system_tells() {
    assert_eq!(staged_with(|_, staged| staged.hide("GLB/MASTER.GLB")), ["master-hidden"]);
    assert_eq!(staged_with(|_, staged| staged.hide("GLB/TRANSFIL.GLB")), ["disk-source-hidden"]);
    assert_eq!(staged_with(|_, staged| staged.hide("GLB/C850SORT.GLB")), ["disk-source-hidden"]);
}

#[test]
fn the_documented_bytes_of_master_glb_are_equal() {
    assert_eq!(staged_with(|live, staged| staged.copy(live, "GLB/MASTER.GLB")), ["master-same"]);
    assert_eq!(staged_with(|_, staged| staged.patch("GLB/MASTER.GLB", 0x94, 1)), ["master-security"]);
    assert_eq!(staged_with(|_, staged| staged.patch("GLB/MASTER.GLB", 0x93, 0x71)), ["master-mail-connection"]);
    let (live, staged) = (Tree::live(), Tree::staged());
    let findings = stage(&live.open(), &staged.open(), &facts(), None);
    let note = findings.iter().find(|finding| finding.code == "master-differences").expect("a note for a person");
    assert!(note.cause.contains("174 of 176 bytes differ"), "{}", note.cause);
}

fn with_gateway(name: &str) -> MsMail {
    MsMail { gateways: vec!["SMTP".into(), name.into()], ..facts() }
}

#[test]
fn every_gateway_is_in_the_staged_postoffice_too() {
    assert_eq!(staged_with(|_, staged| staged.remove("GLB/SMTP.GLB")), ["gateway-missing"]);
    assert_eq!(staged_with(|_, staged| staged.networks(&[(1, "CORP", "")])), ["gateway-missing"]);
    let third_party = with_gateway("ProxyNet");
    let networks = [(1, "CORP", ""), (1, "SMTP", "0000000B"), (0x64, "PROXYNET", "")];
    assert_eq!(staged_for(&third_party, |live, _| live.networks(&networks)), ["gateway-missing"]);
    assert_eq!(
        staged_with(|live, _| live.fill("GLB/FAX.GLB", 4).fill("NME/FAX.NME", 0)),
        ["gateway-missing", "gateway-undeclared"]
    );
    assert_eq!(staged_for(&with_gateway("X.400"), |live, _| live), ["gateway-missing", "gateway-not-live"]);
}

#[test]
fn templates_are_no_evidence_of_a_gateway() {
    let (live, staged) = (Tree::live(), Tree::staged());
    staged
        .remove("GLB/SMTP.GLB")
        .remove("NME/SMTP.NME")
        .networks(&[])
        .fill("TPL/SMTPUSER.TPL", 90)
        .fill("HLP/ASMTP.HLP", 9);
    let findings = stage(&live.open(), &staged.open(), &facts(), None);
    let finding = findings.iter().find(|finding| finding.code == "gateway-missing").expect("refused");
    assert!(finding.cause.contains("templates are there"), "{}", finding.cause);
}

#[test]
fn networks_of_unknown_type_are_left_to_a_person() {
    let findings = stage(&Tree::live().open(), &Tree::staged().open(), &facts(), None);
    let note = findings.iter().find(|finding| finding.code == "networks-not-staged").expect("a note");
    assert!(note.cause.contains("SALES (type 01)") && !note.is_error(), "{}", note.cause);
}

#[test]
fn files_do_not_prove_the_global_address_list() {
    let note = |on: bool, files: bool| {
        let (live, facts) = (Tree::live(), MsMail { global_address_list: on, ..facts() });
        if !files {
            live.remove("NME/GAL.NME");
        }
        postoffice(&live.open(), &facts)
            .iter()
            .any(|finding| finding.code == "global-address-list" && !finding.is_error())
    };
    assert!(note(true, true) && note(true, false) && note(false, true) && !note(false, false));
}

#[test]
fn a_directory_synchronisation_server_is_pointed_out() {
    assert_eq!(live_with(|live| live.fill("GLB/SRVCONF.GLB", 2048)), ["directory-sync-server"]);
}

#[test]
fn serial_numbers_are_judged_with_the_rest() {
    let serial = |new: &str| MsMail { new_serial: new.into(), ..with_gateway("x.400") };
    let x400 = |new: &str| {
        staged_for(&serial(new), |live, staged| {
            live.fill("GLB/X400.GLB", 4).fill("NME/X400.NME", 0);
            staged.fill("GLB/X400.GLB", 4).fill("NME/X400.NME", 0)
        })
    };
    assert_eq!(x400("32-20977"), [""; 0]);
    assert_eq!(x400("0799-99992"), ["serial-large", "serial-not-unique"]);
    assert_eq!(x400("22- 28798"), ["serial-not-unique"]);
    assert_eq!(x400("32- 10411"), ["serial-unchanged"]);
    assert_eq!(x400("32-64537"), ["serial-large"]);
}

#[test]
fn an_oldmast_of_an_earlier_change_stops() {
    assert_eq!(live_with(|live| live.fill("GLB/OLDMAST.GLB", 176)), ["oldmast-exists"]);
}

#[test]
fn init_disks_need_their_sources() {
    assert_eq!(staged_with(|_, staged| staged.remove("GLB/C850SORT.GLB")), ["disk-source-missing"]);
    assert_eq!(staged_with(|_, staged| staged.remove("GLB/TRANSFIL.GLB")), ["disk-source-missing"]);
    assert_eq!(staged_with(|_, staged| staged.remove("GLB/MODEM.GLB")), ["modem-missing"]);
    assert_eq!(staged_with(|_, staged| staged.remove("GLB/ENGMAI.GLB")), ["admin-texts-missing"]);
    let early = "2001-11-01T00:00:00Z".parse().expect("a time");
    let stale = staged_with(|_, staged| staged.fill("GLB/RNETWORK.GLB", 600).touch("GLB/RNETWORK.GLB", early));
    assert_eq!(stale, ["rnetwork-stale"]);
}

#[test]
fn p1_and_pold_are_never_both_there_nor_both_away() {
    assert_eq!(live_with(|live| live.folder("POLD")), ["p1-both"]);
    assert_eq!(live_with(|live| live.remove("P1")), ["p1-neither"]);
    assert_eq!(live_with(|live| live.rename("P1", "POLD")), ["p1-renamed"]);
}
