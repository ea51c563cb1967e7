//! Complete, damaged, foreign, stale and shared disks.

use super::*;
use crate::msmail::fixture::{Tree, person, troubles};
use crate::roster::MailStore;

fn at(day: u32) -> DateTime<Utc> {
    format!("2026-11-{day:02}T12:00:00Z").parse().expect("a time")
}

fn file(name: &str, size: usize) -> DiskFile {
    DiskFile { name: name.into(), bytes: vec![0xE5; size], modified: Some(at(12)) }
}

fn disk() -> Vec<DiskFile> {
    vec![
        file("RNETWORK.GLB", 600),
        file("CONNECT.GLB", 695),
        file("ACCESS.MAI", 100),
        file("CONTROL.MAI", 8),
        file("TRANSFIL", 1603),
        file("C850SORT.GLB", 795),
    ]
}

fn source() -> Source {
    source_copied(None)
}

fn source_copied(copied: Option<DateTime<Utc>>) -> Source {
    let staged = Tree::staged();
    staged.touch("GLB/MASTER.GLB", at(10));
    for name in ["ACCESS", "ACCESS2", "ACCESS3"] {
        staged.touch(&format!("GLB/{name}.GLB"), at(11));
    }
    Source::read(&staged.open(), copied).expect("read")
}

fn inspected(change: impl Fn(&mut Vec<DiskFile>)) -> Vec<&'static str> {
    let mut files = disk();
    change(&mut files);
    let ann = person("ann", "remote", None, MailStore::Local);
    let findings = inspect(&ann, Path::new("disks/ANN"), &files, &source());
    assert!(findings.iter().all(|finding| finding.cause.contains("ann") && finding.place.is_some()), "{findings:?}");
    troubles(&findings)
}

#[test]
fn a_whole_disk_passes_with_its_allowed_extras_and_in_any_case() {
    assert_eq!(inspected(|_| {}), [""; 0]);
    assert_eq!(inspected(|files| files.iter_mut().for_each(|file| file.name = file.name.to_lowercase())), [""; 0]);
    assert_eq!(inspected(|files| files[4].name = "TRANSFIL.GLB".into()), [""; 0]);
    let extras = [file("MODEM.SCR", 20), file("SMTP.NME", 45), file("SMTP.GLB", 4)];
    assert_eq!(inspected(|files| files.extend(extras.clone())), [""; 0]);
}

#[test]
fn each_of_the_six_files_is_needed() {
    for n in 0..6 {
        assert_eq!(inspected(|files| drop(files.remove(n))), ["disk-file-missing"]);
    }
}

#[test]
fn documented_sizes_are_held_and_nothing_is_empty() {
    for n in [1, 4, 5] {
        assert_eq!(inspected(|files| files[n].bytes.truncate(694)), ["disk-file-size"]);
    }
    for n in [0, 2, 3] {
        assert_eq!(inspected(|files| files[n].bytes.clear()), ["disk-file-size"]);
    }
}

#[test]
fn a_disk_of_another_postoffice_is_refused() {
    for n in [4, 5] {
        assert_eq!(inspected(|files| files[n].bytes[100] = 0), ["disk-foreign"]);
    }
}

#[test]
fn a_disk_older_than_the_staged_postoffice_is_refused() {
    for n in [0, 1] {
        assert_eq!(inspected(|files| files[n].modified = Some(at(9))), ["disk-stale"]);
        assert_eq!(inspected(|files| files[n].modified = Some(at(10) + TimeDelta::minutes(1))), ["disk-outdated"]);
        assert_eq!(inspected(|files| files[n].modified = Some(at(11) - CLOCKS_DIFFER)), [""; 0]);
        assert_eq!(inspected(|files| files[n].modified = None), [""; 0]);
    }
}

#[test]
fn a_disk_from_before_the_access_files_were_copied_is_outdated_though_the_copies_keep_their_time() {
    let made =
        |hour| disk().into_iter().map(move |file| DiskFile { modified: Some(at(hour)), ..file }).collect::<Vec<_>>();
    let ann = person("ann", "remote", None, MailStore::Local);
    let troubles = |hour| troubles(&inspect(&ann, Path::new("disks/ANN"), &made(hour), &source_copied(Some(at(14)))));
    assert_eq!(troubles(13), ["disk-outdated", "disk-outdated"]);
    assert_eq!(troubles(15), [""; 0]);
}

#[test]
fn whatever_else_lies_on_a_disk_is_pointed_out() {
    assert_eq!(inspected(|files| files.push(file("SALARY.XLS", 20))), ["disk-file-unexpected"]);
    assert_eq!(inspected(|files| files.push(file("SMTP.GLB", 4))), ["disk-file-unexpected"], "half a pair");
    assert_eq!(inspected(|files| files.push(file("connect.glb", 695))), ["disk-file-twice"]);
    assert_eq!(inspected(|files| files.push(file("TRANSFIL.GLB", 1603))), ["disk-file-twice"]);
}

#[test]
fn two_people_never_have_one_disk() {
    let connect = |person: &str, byte| Connect { person: person.into(), place: person.into(), sha256: [byte; 32] };
    assert!(distinct(&[connect("ann", 1), connect("bob", 2), connect("ann", 1)]).is_empty());
    let findings = distinct(&[connect("bob", 1), connect("cem", 2), connect("ann", 1)]);
    assert_eq!((findings.len(), findings[0].code), (1, "disk-shared"));
    assert!(findings[0].is_error() && findings[0].cause.starts_with("ann and bob have"), "{}", findings[0].cause);
}
