//! MASTER.GLB: the file that carries the serial number, before, during and after the change.

use crate::fault::{Finding, Result};
use crate::msmail::sizes;
use crate::msmail::tree::{Postoffice, Rights};
use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use std::path::Path;

pub const MASTER: &str = "GLB/MASTER.GLB";
pub const OLD_MASTER: &str = "GLB/OLDMAST.GLB";

/// Gateway flags (Q148666).
const GATEWAYS: usize = 0x93;
/// The bit for the Mail Connection gateway; the meaning of the others is not documented.
const MAIL_CONNECTION: u8 = 0x10;
/// Enhanced security: 01 on, 00 off (Q104586).
const SECURITY: usize = 0x94;

/// The file is there, 176 bytes long, and neither read-only nor hidden. Returns its bytes when it can be compared.
pub fn sound(po: &Postoffice, path: &str, findings: &mut Vec<Finding>) -> Option<Vec<u8>> {
    let Some(entry) = po.file(path) else {
        let cause = format!("{path} is missing: no client and no transport can start");
        let remedy = "put it back from a backup; ADMIN and the clients need it";
        findings.push(Finding::error("master-missing", cause, remedy).in_file(po.place(path)).article("Q94259"));
        return None;
    };
    match entry.attributes() {
        Ok(attributes) if attributes.read_only => findings.push(flagged(po, path, "read-only", "Q118932")),
        Ok(attributes) if attributes.hidden => findings.push(flagged(po, path, "hidden", "Q94259")),
        Ok(_) => {}
        Err(fault) => findings.extend(fault.findings),
    }
    match po.read(path) {
        Ok(bytes) => right_size(po, path, bytes.unwrap_or_default(), findings),
        Err(fault) => {
            findings.extend(fault.findings);
            None
        }
    }
}

/// MASTER.GLB and OLDMAST.GLB: at least one of them, and each of the right size.
pub fn kept(po: &Postoffice) -> Vec<Finding> {
    let mut findings = Vec::new();
    let there: Vec<&str> = [MASTER, OLD_MASTER].into_iter().filter(|path| po.file(path).is_some()).collect();
    if there.is_empty() {
        sound(po, MASTER, &mut findings);
    }
    for path in there {
        match po.read(path) {
            Ok(bytes) => drop(right_size(po, path, bytes.unwrap_or_default(), &mut findings)),
            Err(fault) => findings.extend(fault.findings),
        }
    }
    findings
}

fn right_size(po: &Postoffice, path: &str, bytes: Vec<u8>, findings: &mut Vec<Finding>) -> Option<Vec<u8>> {
    if bytes.len() as u64 == sizes::MASTER {
        return Some(bytes);
    }
    let cause =
        format!("{path} has {} bytes; it must have {}: ADMIN calls it incompatible", bytes.len(), sizes::MASTER);
    let remedy = "put the file back from a backup or install the staged postoffice again; do not go on with this one";
    findings.push(Finding::error("master-size", cause, remedy).in_file(po.place(path)).article("Q128358"));
    None
}

fn flagged(po: &Postoffice, path: &str, flag: &str, article: &'static str) -> Finding {
    let code = if flag == "hidden" { "master-hidden" } else { "master-read-only" };
    let cause = format!("{path} is {flag}: ADMIN and the clients cannot use it");
    let remedy = "take that attribute away (attrib -r -h); copying from a CD often leaves it";
    Finding::error(code, cause, remedy).in_file(po.place(path)).article(article)
}

/// Both files sound, and the staged one fit to replace the live one, as far as its bytes are documented.
pub fn staged_fits(live: &Postoffice, staged: &Postoffice) -> Vec<Finding> {
    let mut findings = Vec::new();
    let old = sound(live, MASTER, &mut findings);
    let new = sound(staged, MASTER, &mut findings);
    if let (Some(old), Some(new)) = (old, new) {
        findings.extend(compare(&old, &new).into_iter().map(|finding| finding.in_file(staged.place(MASTER))));
    }
    findings
}

/// What differs between two MASTER.GLB of the right size.
pub fn compare(live: &[u8], staged: &[u8]) -> Vec<Finding> {
    if live == staged {
        let cause = "the staged MASTER.GLB is the live one, byte for byte: it brings no new serial number";
        let remedy = "install the staged postoffice from the new disk set; do not copy MASTER.GLB into it";
        return vec![Finding::error("master-same", cause, remedy).article("Q209486")];
    }
    let at = |offset: usize| Some((*live.get(offset)?, *staged.get(offset)?));
    let mut findings = Vec::new();
    if let Some((old, new)) = at(SECURITY).filter(|(old, new)| old != new) {
        let cause = format!(
            "enhanced security is {} in the live postoffice and {} in the staged one: passwords are kept in two ways, \
             so nobody could sign in",
            security(old),
            security(new)
        );
        let remedy = "set enhanced security in the staged postoffice as it is in the live one, then check again";
        findings.push(Finding::error("master-security", cause, remedy).article("Q104586"));
    }
    if let Some((old, _)) = at(GATEWAYS).filter(|(old, new)| (old ^ new) & MAIL_CONNECTION != 0) {
        let (with, without) = if old & MAIL_CONNECTION != 0 { ("live", "staged") } else { ("staged", "live") };
        let cause = format!("the {with} MASTER.GLB has the Mail Connection gateway, the {without} one has not");
        let remedy = "install the same access components in the staged postoffice as in the live one";
        findings.push(Finding::error("master-mail-connection", cause, remedy).article("Q148666"));
    } else if let Some((old, new)) = at(GATEWAYS).filter(|(old, new)| old != new) {
        let cause = format!(
            "the gateway flags differ, live {old:02X} and staged {new:02X}: which bit stands for which gateway is documented \
             for one of them only"
        );
        let remedy = "compare ADMIN's Gateway menus, or the summary of PODIAG, of both postoffices before the change";
        findings.push(Finding::warning("master-gateway-flags", cause, remedy).article("Q110225"));
    }
    findings.extend(offsets(live, staged));
    findings
}

fn security(byte: u8) -> String {
    match byte {
        0 => "off".into(),
        1 => "on".into(),
        other => format!("unknown ({other:02X})"),
    }
}

/// The differing offsets, for a person to read: only two of them are documented.
fn offsets(live: &[u8], staged: &[u8]) -> Option<Finding> {
    let pairs = live.iter().zip(staged).enumerate().filter(|(_, (old, new))| old != new);
    let meaning = |offset: usize| match offset {
        GATEWAYS => " (gateway flags)",
        SECURITY => " (enhanced security)",
        _ => "",
    };
    let shown =
        |(offset, (old, new)): (usize, (&u8, &u8))| format!("{offset:02X}{}: {old:02X} -> {new:02X}", meaning(offset));
    let list: Vec<String> = pairs.map(shown).collect();
    let cause = format!(
        "{} of {} bytes differ between the live and the staged MASTER.GLB (offset: live -> staged): {}",
        list.len(),
        sizes::MASTER,
        list.join(", ")
    );
    let remedy = "documented are 93 (gateway flags, bit 10 the Mail Connection) and 94 (enhanced security). The rest holds \
                  the serial number, names, the dial-in password, hop count and options: compare those in ADMIN";
    (!list.is_empty()).then(|| Finding::note("master-differences", cause, remedy).article("Q128358"))
}

/// OLDMAST.GLB must not be there before the change: it would be overwritten, or mistaken for the old file.
pub fn no_old_master(live: &Postoffice) -> Option<Finding> {
    let entry = live.entry(OLD_MASTER)?;
    let cause =
        "OLDMAST.GLB is there already, of an earlier change or of another campaign's: it will not be overwritten";
    let remedy = "ask who made it: while another campaign has a change of this postoffice under way it is the way back from that, \
                  and stays; once none has, move it out of the postoffice";
    Some(Finding::error("oldmast-exists", cause, remedy).in_file(&entry.path).article("Q209486"))
}

/// What the cutover has on record of the staged postoffice; of its MASTER.GLB the SHA-256 in hex.
#[derive(Debug, Clone, Default)]
pub struct Recorded {
    /// MASTER.GLB, as it was when a person stated what ADMIN shows of it.
    pub stated: Option<String>,
    /// What was put in place.
    pub installed: Option<String>,
    /// When the live ACCESS files were copied there; a copy keeps its time.
    pub copied: Option<DateTime<Utc>>,
}

/// SHA-256 of a MASTER.GLB; `None` where it is not there.
pub fn fingerprint(po: &Postoffice) -> Result<Option<String>> {
    Ok(po.read(MASTER)?.map(|bytes| digest(&bytes)))
}

fn digest(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

/// What was checked and stated of one file says nothing of another.
fn as_stated(staged: &Postoffice, recorded: &Recorded) -> Option<Finding> {
    let (stated, now) = (recorded.stated.as_ref()?, fingerprint(staged).ok()??);
    (*stated != now).then(|| {
        let cause = match stated.is_empty() {
            true => "nothing on record says of which staged MASTER.GLB it was stated what ADMIN shows",
            false => "the staged MASTER.GLB is not the one of which was stated what ADMIN shows: it was written to since",
        };
        let remedy = "find out what was changed in the staged postoffice; look at label, password, names and options there \
                      again, and state it anew: `flagday cutover attest attest-staged --by NAME --note TEXT`";
        Finding::error("staged-changed", cause, remedy).in_file(staged.place(MASTER)).article("Q128358")
    })
}

/// Before step 6: the old file is in place, sound, not yet the staged one, and nothing is in the way of its new name.
pub fn old_in_place(live: &Postoffice, staged: &Postoffice, recorded: &Recorded) -> Vec<Finding> {
    let mut findings = staged_fits(live, staged);
    findings.extend(no_old_master(live));
    findings.extend(as_stated(staged, recorded));
    findings
}

/// After step 6: MASTER.GLB is away, OLDMAST.GLB is a sound file and not the staged one, which still fits to follow it.
pub fn retired(live: &Postoffice, staged: &Postoffice, recorded: &Recorded) -> Vec<Finding> {
    let mut findings = Vec::new();
    let new = sound(staged, MASTER, &mut findings);
    if let (Some(new), Ok(Some(old))) = (new, live.read(OLD_MASTER))
        && old.len() as u64 == sizes::MASTER
        && old != new
    {
        findings.extend(compare(&old, &new).into_iter().map(|finding| finding.in_file(staged.place(MASTER))));
    }
    findings.extend(as_stated(staged, recorded));
    if let Some(entry) = live.entry(MASTER) {
        let cause = "MASTER.GLB is still there, or there again";
        let remedy =
            "find out who put it there; the old one belongs to OLDMAST.GLB and nothing must take its place yet";
        findings.push(Finding::error("master-not-retired", cause, remedy).in_file(&entry.path).article("Q209486"));
    }
    findings.extend(old_kept(live, staged));
    findings
}

/// After step 7: MASTER.GLB is the staged one, byte for byte, neither read-only nor hidden, and the old one is kept.
pub fn new_in_place(live: &Postoffice, staged: &Postoffice) -> Vec<Finding> {
    let mut findings = Vec::new();
    let installed = sound(live, MASTER, &mut findings);
    let wanted = sound(staged, MASTER, &mut findings);
    if let (Some(installed), Some(wanted)) = (installed, wanted)
        && installed != wanted
    {
        findings.push(not_new(live, "MASTER.GLB of the live postoffice is not the staged one"));
    }
    findings.extend(other_rights(live));
    findings.extend(old_kept(live, staged));
    findings
}

/// Later: MASTER.GLB is what was put in place, or what ADMIN made of it since. The staged postoffice may change by now, or
/// be gone.
pub fn new_in_force(live: &Postoffice, staged: &Path, installed: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let now = sound(live, MASTER, &mut findings);
    let old = live.read(OLD_MASTER).ok().flatten();
    match now {
        Some(now) if Some(&now) == old.as_ref() => findings.push(not_new(live, "MASTER.GLB is the old one again")),
        Some(now) if digest(&now) != installed => {
            let staged =
                Postoffice::open_folders(staged, &["GLB"]).and_then(|staged| staged.read(MASTER)).ok().flatten();
            findings.push(rewritten(live, staged.filter(|bytes| digest(bytes) == installed), &now));
        }
        _ => {}
    }
    findings.extend(other_rights(live));
    match old {
        Some(old) if digest(&old) == installed => findings.push(old_is_new(live)),
        Some(old) => drop(right_size(live, OLD_MASTER, old, &mut findings)),
        None => findings.push(old_missing(live)),
    }
    findings
}

fn not_new(live: &Postoffice, cause: &str) -> Finding {
    let remedy = "find out who put it there; `flagday cutover rollback` takes the rest back";
    Finding::error("master-not-new", cause, remedy).in_file(live.place(MASTER)).article("Q209486")
}

/// ADMIN keeps its options there, and REBUILD switches the global address list on (Q102017): nothing is wrong with that.
fn rewritten(live: &Postoffice, installed: Option<Vec<u8>>, now: &[u8]) -> Finding {
    let offsets = |was: Vec<u8>| {
        let pairs = was.into_iter().zip(now.iter().copied()).enumerate().filter(|(_, (was, now))| was != now);
        let shown: Vec<String> = pairs.map(|(at, (was, now))| format!("{at:02X}: {was:02X} -> {now:02X}")).collect();
        format!(" (offset: installed -> now): {}", shown.join(", "))
    };
    let cause =
        format!("MASTER.GLB was written to since it was installed{}", installed.map(offsets).unwrap_or_default());
    let remedy = "if nobody changed an option in ADMIN or ran REBUILD, find out who wrote it; a rollback keeps this version in \
                  .flagday/undo";
    Finding::warning("master-rewritten", cause, remedy).in_file(live.place(MASTER)).article("Q102017")
}

/// Whoever could use the old file must be able to use the new one. What is read-only is told as that.
fn other_rights(live: &Postoffice) -> Option<Finding> {
    let (new, old) = (live.file(MASTER)?, live.file(OLD_MASTER)?);
    let (has, wanted) = (new.rights().ok()?, old.rights().ok()?);
    if has == wanted || has.mode.is_some_and(|mode| mode & 0o200 == 0) {
        return None;
    }
    let shown = |rights: Rights| {
        let mode = rights.mode.map_or(String::new(), |mode| format!("mode {mode:04o}"));
        mode + &rights.owner.map_or(String::new(), |(user, group)| format!(", user {user}, group {group}"))
    };
    let cause = format!(
        "MASTER.GLB has other rights than the file whose place it took ({}; OLDMAST.GLB has {}): who could use that one may be \
         shut out",
        shown(has),
        shown(wanted)
    );
    let remedy = "on the file server, give MASTER.GLB the owner and the rights of OLDMAST.GLB (chown --reference, chmod \
                  --reference); then run `flagday cutover` again";
    Some(Finding::error("master-rights", cause, remedy).in_file(&new.path).article("Q117646"))
}

/// OLDMAST.GLB is the way back: it must be there, of the right size, and another file than the staged one.
fn old_kept(live: &Postoffice, staged: &Postoffice) -> Vec<Finding> {
    let mut findings = Vec::new();
    if live.file(OLD_MASTER).is_none() {
        return vec![old_missing(live)];
    }
    match (live.read(OLD_MASTER), staged.read(MASTER)) {
        (Ok(old), Ok(new)) => {
            let old = right_size(live, OLD_MASTER, old.unwrap_or_default(), &mut findings);
            if old.is_some() && old == new {
                findings.push(old_is_new(live));
            }
        }
        (old, new) => findings.extend([old.err(), new.err()].into_iter().flatten().flat_map(|fault| fault.findings)),
    }
    findings
}

fn old_missing(live: &Postoffice) -> Finding {
    let cause = "OLDMAST.GLB is missing: there is no way back to the old serial number but the backup";
    let remedy = "look for the old MASTER.GLB before anything else is done";
    Finding::error("oldmast-missing", cause, remedy).in_file(live.place(OLD_MASTER)).article("Q209486")
}

fn old_is_new(live: &Postoffice) -> Finding {
    let cause = "OLDMAST.GLB is the staged MASTER.GLB, not the old one";
    let remedy = "put the old MASTER.GLB back from the backup before anything else is done";
    Finding::error("oldmast-is-new", cause, remedy).in_file(live.place(OLD_MASTER)).article("Q209486")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Severity;

    fn changed(changes: &[(usize, u8)]) -> Vec<(Severity, &'static str)> {
        let live = vec![0x71; 176];
        let mut staged = live.clone();
        changes.iter().for_each(|&(offset, byte)| staged[offset] = byte);
        compare(&live, &staged).iter().map(|finding| (finding.severity, finding.code)).collect()
    }

    #[test]
    fn the_two_documented_bytes_are_explained_and_the_rest_is_shown() {
        use Severity::{Error, Note};
        assert_eq!(changed(&[]), [(Error, "master-same")]);
        assert_eq!(changed(&[(0x20, 1)]), [(Note, "master-differences")]);
        assert_eq!(changed(&[(0x94, 1)]), [(Error, "master-security"), (Note, "master-differences")]);
        assert_eq!(changed(&[(0x93, 0x61)]), [(Error, "master-mail-connection"), (Note, "master-differences")]);
        let other = [(Severity::Warning, "master-gateway-flags"), (Note, "master-differences")];
        assert_eq!(changed(&[(0x93, 0x70)]), other, "another gateway's bit is not documented");
    }

    #[test]
    fn the_note_lists_offsets_with_both_values() {
        let (live, mut staged) = (vec![0; 176], vec![0; 176]);
        staged[0x0A] = 0xFF;
        staged[0xAF] = 0x10;
        let findings = compare(&live, &staged);
        assert!(findings[0].cause.ends_with("0A: 00 -> FF, AF: 00 -> 10"), "{}", findings[0].cause);
        staged[0x94] = 1;
        let told = compare(&live, &staged).pop().expect("the note comes last").cause;
        assert!(told.contains("94 (enhanced security): 00 -> 01"), "{told}");
    }

    #[test]
    fn the_gateway_bit_counts_in_both_directions() {
        let (with, without) = ([0x10; 176], [0; 176]);
        for (live, staged, says) in
            [(with, without, "the live MASTER.GLB has"), (without, with, "the staged MASTER.GLB has")]
        {
            let findings = compare(&live, &staged);
            let finding = findings.iter().find(|finding| finding.code == "master-mail-connection").expect("found");
            assert!(finding.cause.starts_with(says), "{}", finding.cause);
        }
    }
}
