//! What may be checked of a postoffice, as findings with stable codes.
//!
//! A check begins with what was refused while the folders were listed, so that a link or a clash of names never
//! passes in silence.

mod access;
mod disk_making;
mod gateways;
mod layout;
mod mailbags;
mod master;
mod p1;
mod roster;

use super::serial;
use super::tree::{FOLDERS, Postoffice, UNTOLD};
use crate::campaign::MsMail;
use crate::fault::{Finding, Result};
use crate::roster::Person;
use chrono::{DateTime, Utc};
use std::path::Path;
use std::sync::Arc;

pub use crate::campaign::CHECKS;
pub use access::{COPIED, user_records};
pub use mailbags::Mailbags;
pub use master::{Recorded, fingerprint};
pub use p1::State as P1;
pub use p1::{one_of_two, state as p1_state};

/// Runs the check of that name on the trees as they are now. `None`: there is no such check.
pub fn check_by_name(
    name: &str,
    live: &Path,
    staged: &Path,
    facts: &MsMail,
    recorded: &Recorded,
) -> Option<Vec<Finding>> {
    let findings = match name {
        "stage" => on_both(live, staged, &FOLDERS, |live, staged| stage(live, staged, facts, recorded.copied)),
        "disk-sources" => on_one(staged, &FOLDERS, |staged| disk_sources(staged, recorded.copied)),
        "postoffice" => on_one(live, &FOLDERS, sound),
        "access-current" => on_both(live, staged, &["GLB", "NME"], access_changed_since),
        "access-copied" => on_both(live, staged, &["GLB", "NME"], access_copied),
        "p1-quiet" => on_one(live, &["P1", "POLD", "MBG", "GLB", "XTN"], p1_quiet),
        "p1-closed" => on_one(live, &["P1", "POLD", "GLB"], p1_closed),
        "p1-open" => on_one(live, &["P1", "POLD"], p1_open),
        "master-old" => on_both(live, staged, &["GLB"], |live, staged| master_old(live, staged, recorded)),
        "master-retired" => on_both(live, staged, &["GLB"], |live, staged| master_retired(live, staged, recorded)),
        "master-new" => match &recorded.installed {
            None => on_both(live, staged, &["GLB"], master_new),
            Some(installed) => on_one(live, &["GLB"], |live| master_in_force(live, staged, installed)),
        },
        _ => return None,
    };
    Some(seen(findings))
}

/// Without what is said of places that could not be looked at: nothing is missing there, and nothing is wrong.
fn seen(mut findings: Vec<Finding>) -> Vec<Finding> {
    let untold = |finding: &Finding| UNTOLD.contains(&finding.code);
    let place = |finding: &Finding| finding.place.as_ref().map(|place| Arc::clone(&place.file));
    let blind: Vec<_> = findings.iter().filter(|finding| untold(finding)).filter_map(place).collect();
    findings.retain(|finding| {
        let hidden = |place: &Path| blind.iter().any(|blind| is_below(place, blind));
        let of = |place: Arc<Path>| match finding.code {
            // It is said of two names, and placed where they would be.
            "p1-neither" => ["P1", "POLD"].iter().any(|name| hidden(&place.join(name))),
            _ => hidden(&place),
        };
        untold(finding) || !place(finding).is_some_and(of)
    });
    findings
}

/// The same place or one below it, as clients compare names.
fn is_below(place: &Path, above: &Path) -> bool {
    let mut names = place.components();
    above.components().all(|name| names.next().is_some_and(|it| it.as_os_str().eq_ignore_ascii_case(name.as_os_str())))
}

fn on_one(tree: &Path, folders: &[&'static str], check: impl Fn(&Postoffice) -> Vec<Finding>) -> Vec<Finding> {
    Postoffice::open_folders(tree, folders).map_or_else(|fault| fault.findings, |tree| check(&tree))
}

fn on_both(
    live: &Path,
    staged: &Path,
    folders: &[&'static str],
    check: impl Fn(&Postoffice, &Postoffice) -> Vec<Finding>,
) -> Vec<Finding> {
    let open = |path| Postoffice::open_folders(path, folders);
    let both: Result<_> = (|| Ok((open(live)?, open(staged)?)))();
    both.map_or_else(|fault| fault.findings, |(live, staged)| check(&live, &staged))
}

/// The live postoffice at any moment of the change: every documented size, the users' files, the directories.
pub fn sound(live: &Postoffice) -> Vec<Finding> {
    let mut findings = tree(live);
    findings.extend(access::shadow(live));
    findings
}

/// What holds between any two instants of the change, whichever names P1 and MASTER.GLB bear: one of its two for each, and
/// the one size.
pub fn at_any_instant(live: &Postoffice) -> Vec<Finding> {
    let mut findings = live.findings().to_vec();
    findings.extend(p1::one_of_two(live).filter(Finding::is_error));
    findings.extend(master::kept(live));
    seen(findings)
}

/// The live postoffice and the site's own facts. [`stage`] says the same, and judges the staged postoffice besides.
pub fn postoffice(live: &Postoffice, facts: &MsMail) -> Vec<Finding> {
    let mut findings = site(live, facts);
    master::sound(live, master::MASTER, &mut findings);
    seen(findings)
}

/// Steps 1, 1a and 1c of Q209486: both trees are what they should be, and the staged one is fit to replace the live
/// one's MASTER.GLB. Only before the change: it wants P1 open and no OLDMAST.GLB.
pub fn stage(live: &Postoffice, staged: &Postoffice, facts: &MsMail, copied: Option<DateTime<Utc>>) -> Vec<Finding> {
    let mut findings = site(live, facts);
    findings.extend(disk_sources(staged, copied));
    findings.extend(gateways::staged_has_all(live, staged, facts));
    findings.extend(master::staged_fits(live, staged));
    seen(findings)
}

/// Before step 2: the staged postoffice is sound, and ADMIN finds in it what it makes init disks from. `copied`: when
/// the live ACCESS files were copied there.
pub fn disk_sources(staged: &Postoffice, copied: Option<DateTime<Utc>>) -> Vec<Finding> {
    [tree(staged), disk_making::check(staged, copied)].concat()
}

/// The live postoffice without its MASTER.GLB.
fn site(live: &Postoffice, facts: &MsMail) -> Vec<Finding> {
    let mut findings = sound(live);
    findings.extend(layout::workgroup(live));
    findings.extend(layout::directory_sync(live, facts));
    findings.extend(p1::one_of_two(live));
    findings.extend(master::no_old_master(live));
    findings.extend(gateways::declared(live, facts));
    findings.extend(gateways::global_address_list(live, facts));
    let x400 = facts.gateways.iter().any(|name| gateways::file_name(name) == "X400");
    findings.extend(serial::check(facts, x400));
    findings
}

/// What holds of any postoffice.
fn tree(po: &Postoffice) -> Vec<Finding> {
    let mut findings = po.findings().to_vec();
    findings.extend(layout::folders(po));
    findings.extend(layout::file_sizes(po));
    findings.extend(layout::folder_indexes(po));
    findings.extend(layout::mailbag_pairs(po));
    findings.extend(access::triple(po));
    findings.extend(access::user_list(po));
    findings
}

/// After step 1c: the staged postoffice holds the live one's ACCESS files and ADMIN.NME.
pub fn access_copied(live: &Postoffice, staged: &Postoffice) -> Vec<Finding> {
    both(live, staged, access::copied)
}

/// Later: warnings where the live files have changed since they were copied.
pub fn access_changed_since(live: &Postoffice, staged: &Postoffice) -> Vec<Finding> {
    both(live, staged, access::changed_since_copy)
}

/// Before step 5a: nothing is under way in P1.
pub fn p1_quiet(live: &Postoffice) -> Vec<Finding> {
    [live.findings().to_vec(), p1::quiet(live)].concat()
}

/// After step 5a.
pub fn p1_closed(live: &Postoffice) -> Vec<Finding> {
    [live.findings().to_vec(), p1::closed(live)].concat()
}

/// After step 8.
pub fn p1_open(live: &Postoffice) -> Vec<Finding> {
    [live.findings().to_vec(), p1::open(live)].concat()
}

/// Before step 6.
pub fn master_old(live: &Postoffice, staged: &Postoffice, recorded: &Recorded) -> Vec<Finding> {
    both(live, staged, |live, staged| master::old_in_place(live, staged, recorded))
}

/// After step 6.
pub fn master_retired(live: &Postoffice, staged: &Postoffice, recorded: &Recorded) -> Vec<Finding> {
    both(live, staged, |live, staged| master::retired(live, staged, recorded))
}

/// After step 7.
pub fn master_new(live: &Postoffice, staged: &Postoffice) -> Vec<Finding> {
    both(live, staged, master::new_in_place)
}

/// From step 8 on. `installed`: the SHA-256 of what was put in place.
pub fn master_in_force(live: &Postoffice, staged: &Path, installed: &str) -> Vec<Finding> {
    [live.findings().to_vec(), master::new_in_force(live, staged, installed)].concat()
}

/// The rosters against the live postoffice. `people`: everyone on them.
pub fn roster(live: &Postoffice, people: &[&Person]) -> Vec<Finding> {
    roster::check(live, people)
}

fn both(
    live: &Postoffice,
    staged: &Postoffice,
    check: impl Fn(&Postoffice, &Postoffice) -> Vec<Finding>,
) -> Vec<Finding> {
    [live.findings(), staged.findings(), &check(live, staged)].concat()
}

/// A list for a sentence, cut where it grows long.
pub fn names<'a>(list: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 20;
    let list: Vec<String> = list.map(|name| name.escape_debug().to_string()).collect();
    match list.len() {
        0 => "nothing".to_owned(),
        n if n <= SHOWN => list.join(", "),
        n => format!("{} and {} more", list[..SHOWN].join(", "), n - SHOWN),
    }
}

#[cfg(test)]
mod tests;
