//! The files that name the users: ACCESS.GLB, ACCESS2.GLB, ACCESS3.GLB, and ADMIN.NME with its shadow.

use crate::fault::{Finding, Result};
use crate::msmail::sizes;
use crate::msmail::tree::{Entry, Postoffice};
use chrono::TimeDelta;

/// What step 1c of Q209486 copies from the live to the staged postoffice.
pub const COPIED: [&str; 4] = ["GLB/ACCESS.GLB", "GLB/ACCESS2.GLB", "GLB/ACCESS3.GLB", "NME/ADMIN.NME"];

/// Local users of one postoffice (Q123376). Deleted users keep their record.
const USERS_MAX: u64 = 500;

/// Users with a record, deleted ones included; `None` while the three files do not agree.
pub fn user_records(po: &Postoffice) -> Option<u64> {
    let [count, second, third] = counts(po);
    count.filter(|_| second == count && third == count)
}

/// Records in each of the three files; `None` where one is missing, or holds no whole records.
fn counts(po: &Postoffice) -> [Option<u64>; 3] {
    sizes::ACCESS.map(|(name, record)| {
        let size = po.file(&format!("GLB/{name}"))?.size;
        size.is_multiple_of(record).then_some(size / record)
    })
}

/// The three ACCESS files are there and hold one record for each user (Q87402). Sizes by themselves are judged by
/// the size rules.
pub fn triple(po: &Postoffice) -> Vec<Finding> {
    let mut findings: Vec<_> = sizes::ACCESS.iter().filter_map(|(name, _)| missing(po, "GLB", name)).collect();
    if let [Some(a), Some(b), Some(c)] = counts(po)
        && !(a == b && b == c)
    {
        let cause =
            format!("ACCESS.GLB, ACCESS2.GLB and ACCESS3.GLB hold {a}, {b} and {c} users: they are out of step");
        let remedy = "put all three back from one backup; record n describes the same user in each of them";
        findings.push(Finding::error("access-unequal", cause, remedy).in_file(po.place("GLB")).article("Q87402"));
    }
    if let Some(count) = user_records(po).filter(|count| *count > USERS_MAX) {
        let cause =
            format!("{count} user records; a postoffice has {USERS_MAX} users at most, and deleted ones besides");
        let remedy = "count the users in ADMIN; nothing needs to be done when the rest are deleted ones";
        findings.push(Finding::note("access-many", cause, remedy).in_file(po.place("GLB")).article("Q123376"));
    }
    findings
}

/// ADMIN.NME is there and lists somebody: the administrator at least (Q248298).
pub fn user_list(po: &Postoffice) -> Option<Finding> {
    let Some(admin) = po.file("NME/ADMIN.NME") else { return missing(po, "NME", "ADMIN.NME") };
    let cause = "NME/ADMIN.NME is empty; it lists the administrator at least";
    let remedy = "copy its shadow ADMINSHD.NME over it if that is not empty, else restore it from a backup";
    (admin.size == 0).then(|| Finding::error("user-list-empty", cause, remedy).in_file(&admin.path).article("Q248298"))
}

/// ADMIN.NME and its shadow ADMINSHD.NME have one size (Q85647). Not in a staged postoffice: step 1c copies only the
/// first of them there.
pub fn shadow(live: &Postoffice) -> Option<Finding> {
    let admin = live.file("NME/ADMIN.NME")?;
    let Some(shadow) = live.file("NME/ADMINSHD.NME") else {
        let cause = "NME/ADMINSHD.NME is missing: the shadow of ADMIN.NME, from which it could be mended";
        let remedy = "run MAILINT, and copy ADMIN.NME to it while nobody administers users";
        let place = live.place("NME/ADMINSHD.NME");
        return Some(Finding::warning("admin-shadow-missing", cause, remedy).in_file(place).article("Q132744"));
    };
    if admin.size == shadow.size {
        return shadow_date(admin, shadow);
    }
    let cause = format!("ADMIN.NME has {} bytes and its shadow ADMINSHD.NME {}", admin.size, shadow.size);
    let remedy = "run MAILINT, and copy the good one of the two over the other";
    Some(Finding::error("admin-pair", cause, remedy).in_file(&shadow.path).article("Q132744"))
}

/// The two are written together, so they bear one date (Q85647).
fn shadow_date(admin: &Entry, shadow: &Entry) -> Option<Finding> {
    let (one, other) = (admin.modified?, shadow.modified?);
    let cause = format!("ADMIN.NME was written {} and its shadow {}", one.format("%F"), other.format("%F"));
    let remedy = "if MAILINT complains, copy the good one of the two over the other";
    ((one - other).abs() > TimeDelta::days(1))
        .then(|| Finding::note("admin-pair-date", cause, remedy).in_file(&shadow.path).article("Q85647"))
}

fn missing(po: &Postoffice, folder: &str, name: &str) -> Option<Finding> {
    let path = format!("{folder}/{name}");
    let cause = format!("{path} is missing");
    let remedy = "name the right postoffice, or put the file back from a backup";
    let finding = || Finding::error("user-list-missing", cause, remedy).in_file(po.place(&path)).article("Q77926");
    po.file(&path).is_none().then(finding)
}

/// After step 1c: the four files are the same, byte for byte.
pub fn copied(live: &Postoffice, staged: &Postoffice) -> Vec<Finding> {
    differing(live, staged, |path| {
        let cause = format!("{path} of the staged postoffice is not a copy of the live one");
        let remedy = "copy it again while nobody administers users, before any init disk is made";
        Finding::error("access-not-copied", cause, remedy).in_file(staged.place(path)).article("Q209486")
    })
}

/// Any time after step 1c: users were added, removed or given passwords in the live postoffice since, so that disks
/// made from the staged one lack them.
pub fn changed_since_copy(live: &Postoffice, staged: &Postoffice) -> Vec<Finding> {
    differing(live, staged, |path| {
        let cause = format!("{path} of the live postoffice has changed since it was copied to the staged one");
        let remedy = "copy the four files again and make new init disks for the remote users who are affected";
        Finding::warning("access-changed", cause, remedy).in_file(live.place(path)).article("Q209486")
    })
}

fn differing(live: &Postoffice, staged: &Postoffice, finding: impl Fn(&str) -> Finding) -> Vec<Finding> {
    let compare = |path: &str| -> Result<bool> {
        let live = live.read(path)?;
        Ok(live.is_some() && live == staged.read(path)?)
    };
    let judge = |path: &&str| match compare(path) {
        Ok(true) => Vec::new(),
        Ok(false) => vec![finding(path)],
        Err(fault) => fault.findings,
    };
    COPIED.iter().flat_map(judge).collect()
}
