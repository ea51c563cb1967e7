//! The init disk of one remote user, as ADMIN's Remote, Init-Disk wrote it: complete, fresh, and theirs alone.

use super::tree::Postoffice;
use crate::fault::{Finding, Result, Severity};
use crate::roster::Person;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// One file of a disk.
#[derive(Debug, Clone)]
pub struct DiskFile {
    pub name: String,
    pub bytes: Vec<u8>,
    /// `None` where it is not known; a FAT image holds local time without a zone.
    pub modified: Option<DateTime<Utc>>,
}

/// What the staged postoffice says about the disks that were made from it.
#[derive(Debug, Clone, Default)]
pub struct Source {
    sort_table: Option<Vec<u8>>,
    transfer_table: Option<Vec<u8>>,
    /// When MASTER.GLB was written.
    master: Option<DateTime<Utc>>,
    /// When the last of the ACCESS files was written, or copied there.
    access: Option<DateTime<Utc>>,
}

impl Source {
    /// Reads it from the staged postoffice. `copied`: when the live ACCESS files were copied there; a copy keeps its time.
    pub fn read(staged: &Postoffice, copied: Option<DateTime<Utc>>) -> Result<Source> {
        let modified = |path: &str| staged.file(path).and_then(|file| file.modified);
        Ok(Source {
            sort_table: staged.read("GLB/C850SORT.GLB")?,
            transfer_table: staged.read("GLB/TRANSFIL.GLB")?,
            master: modified("GLB/MASTER.GLB"),
            access: ACCESS.into_iter().filter_map(modified).chain(copied).max(),
        })
    }
}

const ACCESS: [&str; 3] = ["GLB/ACCESS.GLB", "GLB/ACCESS2.GLB", "GLB/ACCESS3.GLB"];

/// The files of every disk (Q113452), with their size where it is documented. TRANSFIL may keep its suffix.
const NEEDED: [(&str, Option<usize>); 6] = [
    ("RNETWORK.GLB", None),
    ("CONNECT.GLB", Some(695)),
    ("ACCESS.MAI", None),
    ("CONTROL.MAI", None),
    ("TRANSFIL", Some(1603)),
    ("C850SORT.GLB", Some(795)),
];

/// What is said of a disk that was made before the ACCESS files were copied.
pub const OUTDATED: &str = "disk-outdated";

/// A disk bears the clock of the machine that wrote it, the postoffice that of its server, and the record this one's.
pub(super) const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(5);

/// Checks the disk made for `person`; `place` is its folder or image.
pub fn inspect(person: &Person, place: &Path, files: &[DiskFile], source: &Source) -> Vec<Finding> {
    let disk = Disk { person, place, files, source };
    let mut findings = disk.repeated();
    findings.extend(NEEDED.iter().filter_map(|(name, size)| disk.needed(name, *size)));
    findings.extend(disk.static_files());
    findings.extend(disk.stale());
    findings.extend(disk.unexpected());
    findings
}

struct Disk<'a> {
    person: &'a Person,
    place: &'a Path,
    files: &'a [DiskFile],
    source: &'a Source,
}

impl Disk<'_> {
    fn file(&self, name: &str) -> Option<&DiskFile> {
        self.files.iter().find(|file| plain(&file.name) == name)
    }

    fn error(&self, code: &'static str, file: &str, cause: String, remedy: &str) -> Finding {
        let cause = format!("the disk of {}: {cause}", self.person.id);
        Finding::error(code, cause, remedy).in_file(self.place.join(file)).article("Q113452")
    }

    /// Two names that a DOS client cannot tell apart.
    fn repeated(&self) -> Vec<Finding> {
        let mut seen = BTreeSet::new();
        let twice = self.files.iter().filter(|file| !seen.insert(plain(&file.name)));
        let remedy = "make the disk again onto an empty medium";
        twice
            .map(|file| {
                let cause = format!("{} is there twice", file.name.escape_debug());
                self.error("disk-file-twice", &file.name, cause, remedy)
            })
            .collect()
    }

    fn needed(&self, name: &str, size: Option<usize>) -> Option<Finding> {
        let remedy = "make the disk again with Remote, Init-Disk in ADMIN of the staged postoffice";
        let Some(file) = self.file(name) else {
            return Some(self.error("disk-file-missing", name, format!("{name} is missing"), remedy));
        };
        let length = file.bytes.len();
        let cause = match size {
            Some(size) if length != size => format!("{} has {length} bytes; it must have {size}", file.name),
            None if length == 0 => format!("{} is empty", file.name),
            _ => return None,
        };
        Some(self.error("disk-file-size", &file.name, cause, remedy))
    }

    /// The two tables come from the staged postoffice unchanged.
    fn static_files(&self) -> Vec<Finding> {
        let pairs = [("C850SORT.GLB", &self.source.sort_table), ("TRANSFIL", &self.source.transfer_table)];
        let differs = |(name, original): (&str, &Option<Vec<u8>>)| {
            let (file, original) = (self.file(name)?, original.as_ref()?);
            let cause = format!("{} is not the staged postoffice's: the disk was made from another one", file.name);
            let remedy =
                "make the disk again in the staged postoffice; one made from another carries another serial number";
            let same_size = file.bytes.len() == original.len();
            (same_size && file.bytes != *original).then(|| self.error("disk-foreign", &file.name, cause, remedy))
        };
        pairs.into_iter().filter_map(differs).collect()
    }

    /// Files older than the staged postoffice carry what was before: the old serial number (Q179305), or old users.
    fn stale(&self) -> Vec<Finding> {
        let older = |file: &DiskFile, than: Option<DateTime<Utc>>| matches!((file.modified, than), (Some(file), Some(than)) if file + CLOCKS_DIFFER < than);
        let files = ["RNETWORK.GLB", "CONNECT.GLB"].into_iter().filter_map(|name| self.file(name));
        let judge = |file: &DiskFile| {
            let remedy = "make the disk again: in ADMIN of the staged postoffice Remote, Regenerate, then Init-Disk";
            if older(file, self.source.master) {
                let cause = format!(
                    "{} is older than the staged MASTER.GLB, so it carries an earlier serial number",
                    file.name
                );
                return Some(self.error("disk-stale", &file.name, cause, remedy).article("Q179305"));
            }
            let cause = format!(
                "{} is older than the ACCESS files in the staged postoffice: users may have changed since",
                file.name
            );
            let finding = || self.error(OUTDATED, &file.name, cause, remedy).article("Q117713");
            older(file, self.source.access).then(|| Finding { severity: Severity::Warning, ..finding() })
        };
        files.filter_map(judge).collect()
    }

    /// Beside the six there may be modem scripts (Q112205) and gateway address lists in pairs (Q100455).
    fn unexpected(&self) -> Vec<Finding> {
        let names: BTreeSet<String> = self.files.iter().map(|file| plain(&file.name)).collect();
        let paired = |name: &str| match name.rsplit_once('.') {
            Some((_, "SCR")) => true,
            Some((stem, "NME")) => names.contains(&format!("{stem}.GLB")),
            Some((stem, "GLB")) => names.contains(&format!("{stem}.NME")),
            _ => false,
        };
        let extra = names.iter().filter(|name| !NEEDED.iter().any(|(needed, _)| needed == name) && !paired(name));
        extra
            .map(|name| {
                let cause = format!("the disk of {}: {} belongs to no init disk", self.person.id, name.escape_debug());
                let remedy = "make sure that it may go to this person, or remove it";
                Finding::warning("disk-file-unexpected", cause, remedy)
                    .in_file(self.place.join(name))
                    .article("Q113452")
            })
            .collect()
    }
}

/// A name without regard to case, and TRANSFIL without its suffix.
fn plain(name: &str) -> String {
    let name = name.to_ascii_uppercase();
    if name == "TRANSFIL.GLB" { "TRANSFIL".to_owned() } else { name }
}

/// One person's disk, by the hash of its CONNECT.GLB.
#[derive(Debug, Clone)]
pub struct Connect {
    pub person: String,
    pub place: PathBuf,
    pub sha256: [u8; 32],
}

/// CONNECT.GLB carries the user's own name (Q112892): two people with the same one have one and the same disk, and one
/// of them would sign in as the other (Q132955).
pub fn distinct(disks: &[Connect]) -> Vec<Finding> {
    let mut by_hash: BTreeMap<[u8; 32], Vec<&Connect>> = BTreeMap::new();
    for disk in disks {
        by_hash.entry(disk.sha256).or_default().push(disk);
    }
    let shared = by_hash.into_values().filter(|group| group.iter().any(|disk| disk.person != group[0].person));
    shared
        .map(|group| {
            let people: BTreeSet<&str> = group.iter().map(|disk| disk.person.as_str()).collect();
            let people: Vec<&str> = people.into_iter().collect();
            let cause =
                format!("{} have the same CONNECT.GLB: all but one would sign in as another", people.join(" and "));
            let remedy = "make the disk of each of them again, and keep each in the folder of its own mailbox";
            Finding::error("disk-shared", cause, remedy).in_file(&group[0].place).article("Q132955")
        })
        .collect()
}

#[cfg(test)]
mod tests;
