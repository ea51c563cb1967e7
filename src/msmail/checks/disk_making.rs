//! What ADMIN needs in the staged postoffice to write init disks.

use crate::fault::Finding;
use crate::msmail::disk_set::CLOCKS_DIFFER;
use crate::msmail::tree::{Entry, Postoffice};
use chrono::{DateTime, TimeDelta, Utc};

/// Init-Disk reads these; missing or hidden, it fails with Notice 102 (Q173211).
const READ: [&str; 2] = ["GLB/C850SORT.GLB", "GLB/TRANSFIL.GLB"];
/// The texts of ADMIN's notices: without them it shows Notice 101 or 107 whatever the matter is (Q119554, Q118358).
const TEXTS: [&str; 4] = ["GLB/ERRORADM.GLB", "GLB/ERRORDYN.GLB", "GLB/ENGMAI.GLB", "GLB/ENGMON.GLB"];
/// What Remote, Regenerate builds RNETWORK.GLB from (Q117713), beside XTN and USR.
const SOURCES: [&str; 3] = ["GLB/ACCESS2.GLB", "GLB/NETWORK.GLB", "GLB/GROUP.GLB"];

pub fn check(staged: &Postoffice, copied: Option<DateTime<Utc>>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = READ.iter().flat_map(|path| needed(staged, path)).collect();
    if staged.file("GLB/MODEM.GLB").is_none() {
        let cause = "MODEM.GLB is missing: the serial port settings for remote users";
        let remedy = "enter them in ADMIN of the staged postoffice before the init disks are made";
        findings.push(
            Finding::warning("modem-missing", cause, remedy).in_file(staged.place("GLB/MODEM.GLB")).article("Q118855"),
        );
    }
    for path in TEXTS.iter().filter(|path| staged.file(path).is_none()) {
        let cause = format!("{path} is missing: ADMIN shows misleading notices");
        let remedy = "copy it from the installation disks";
        findings.push(
            Finding::warning("admin-texts-missing", cause, remedy).in_file(staged.place(path)).article("Q119554"),
        );
    }
    findings.extend(stale_view(staged, copied));
    findings
}

fn needed(staged: &Postoffice, path: &str) -> Vec<Finding> {
    let finding = |code, what, remedy| {
        let cause = format!("{path} is {what}: ADMIN cannot make init disks");
        vec![Finding::error(code, cause, remedy).in_file(staged.place(path)).article("Q173211")]
    };
    match staged.file(path).map(|file| file.attributes()) {
        None => finding("disk-source-missing", "missing", "copy it from the installation disks"),
        Some(Ok(attributes)) if attributes.hidden => {
            finding("disk-source-hidden", "hidden", "take the attribute away (attrib -h)")
        }
        Some(Ok(_)) => Vec::new(),
        Some(Err(fault)) => fault.findings,
    }
}

/// RNETWORK.GLB goes onto every disk; a fresh postoffice has none until Remote, Regenerate has run.
fn stale_view(staged: &Postoffice, copied: Option<DateTime<Utc>>) -> Option<Finding> {
    let view = staged.file("GLB/RNETWORK.GLB")?;
    // A copy keeps its time, so that the ACCESS files themselves do not show it.
    let before = |copied| view.modified.is_none_or(|at| at + CLOCKS_DIFFER < copied);
    let cause = match newer_source(staged, view) {
        Some(source) => format!("RNETWORK.GLB is older than {}, from which it is built", source.name),
        None if copied.is_some_and(before) => {
            "RNETWORK.GLB was built before the ACCESS files were copied to the staged \
             postoffice: the users in it are those of before"
                .to_owned()
        }
        None => return None,
    };
    let remedy = "run Remote, Regenerate in ADMIN of the staged postoffice before the init disks are made";
    Some(Finding::warning("rnetwork-stale", cause, remedy).in_file(&view.path).article("Q114276"))
}

fn newer_source<'a>(staged: &'a Postoffice, view: &Entry) -> Option<&'a Entry> {
    let suffixes = [("XTN", ".XTN"), ("USR", ".USR")];
    let folders = suffixes
        .iter()
        .filter_map(|(name, suffix)| Some((staged.folder(name)?, suffix)))
        .flat_map(|(folder, suffix)| folder.with_suffix(suffix))
        .map(|(_, file)| file);
    // FAT keeps even seconds only: files written together may seem two seconds apart.
    let limit = view.modified.map(|at| at + TimeDelta::seconds(2));
    let sources = SOURCES.iter().filter_map(|path| staged.file(path)).chain(folders);
    sources.filter(|source| source.modified > limit).max_by_key(|source| source.modified)
}
