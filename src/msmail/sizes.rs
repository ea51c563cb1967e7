//! Every documented rule on the size of a postoffice's files (Q77926, Q135868 and the articles named per rule).

use crate::fault::{Finding, Severity};
use std::path::Path;

/// A rule for one file, or for all files of a folder with one suffix.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    pub folder: &'static str,
    /// A file name, or `*` and a suffix.
    pub name: &'static str,
    pub size: Size,
    /// How much it matters to the change when the rule is broken.
    pub severity: Severity,
    pub article: &'static str,
    pub remedy: &'static str,
}

/// What a size must be, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    Exactly(u64),
    /// A header and any number of records.
    Records {
        header: u64,
        record: u64,
    },
    /// Records without a header, and a limit.
    RecordsUpTo {
        record: u64,
        most: u64,
    },
}

impl Size {
    pub fn fits(self, size: u64) -> bool {
        match self {
            Size::Exactly(exactly) => size == exactly,
            Size::Records { header, record } => {
                size.checked_sub(header).is_some_and(|rest| rest.is_multiple_of(record))
            }
            Size::RecordsUpTo { record, most } => size.is_multiple_of(record) && size <= most,
        }
    }

    fn words(self) -> String {
        match self {
            Size::Exactly(size) => format!("exactly {size} bytes"),
            Size::Records { header: 0, record } => format!("whole records of {record} bytes"),
            Size::Records { header, record } => format!("{header} bytes and whole records of {record}"),
            Size::RecordsUpTo { record, most } => format!("whole records of {record} bytes, {most} at most"),
        }
    }
}

const fn rule(severity: Severity, path: (&'static str, &'static str), size: Size, article: &'static str) -> Rule {
    Rule { folder: path.0, name: path.1, size, severity, article, remedy: DAMAGED }
}

impl Rule {
    const fn mended(self, remedy: &'static str) -> Rule {
        Rule { remedy, ..self }
    }
}

const fn records(record: u64) -> Size {
    Size::Records { header: 0, record }
}

const fn after(header: u64, record: u64) -> Size {
    Size::Records { header, record }
}

use Severity::{Error, Note, Warning};
use Size::Exactly;

const DAMAGED: &str = "the file is damaged: run MAILINT or PODIAG, or put it back from a backup, and check again";
const INSTALLED: &str = "copy it from the installation disks of the same version and language, and check again";
/// Q131670.
const MADE_ANEW: &str = "delete it while neither ADMIN nor IMPORT nor External runs: ADMIN makes it anew";
/// Q119362.
const SERIAL_PORT: &str = "rename it away, enter the serial port's settings in ADMIN again, and run Remote, Regenerate";
/// Q87408, Q130285.
const KEY_FILE: &str = "put it back from a backup: without it nobody reads or gets mail there. Never reset it while the mailbag holds \
                        mail; that destroys the mail";

/// MASTER.GLB, one file, always this long (Q77926, Q121735, Q141399).
pub const MASTER: u64 = 176;
/// One header of a mailbag (Q77926, Q146113).
pub const MAILBAG_HEADER: u64 = 116;
/// One record of NETWORK.GLB (Q77926, Q148666).
pub const NETWORK: u64 = 122;
/// One record of an .XTN file: one external postoffice (Q77926).
pub const EXTERNAL: u64 = 698;
/// One user in ACCESS.GLB, ACCESS2.GLB and ACCESS3.GLB (Q77926, Q87402).
pub const ACCESS: [(&str, u64); 3] = [("ACCESS.GLB", 586), ("ACCESS2.GLB", 69), ("ACCESS3.GLB", 512)];

/// An error where the change, signing in or the delivery of mail depends on the file; a warning where a wrong size only
/// shows damage to repair some time; a note where the size is documented of version 3.5 in English alone.
pub const RULES: &[Rule] = &[
    rule(Error, ("GLB", "MASTER.GLB"), Exactly(MASTER), "Q77926"),
    rule(Error, ("GLB", ACCESS[0].0), records(ACCESS[0].1), "Q87402"),
    rule(Error, ("GLB", ACCESS[1].0), records(ACCESS[1].1), "Q87402"),
    rule(Error, ("GLB", ACCESS[2].0), records(ACCESS[2].1), "Q87402"),
    rule(Error, ("GLB", "CONTROL.GLB"), Exactly(8), "Q87388"),
    rule(Warning, ("GLB", "FLAG.GLB"), Exactly(2), "Q77926").mended(MADE_ANEW),
    rule(Error, ("GLB", "TID.GLB"), Exactly(4), "Q77926"),
    rule(Error, ("GLB", "NETWORK.GLB"), records(NETWORK), "Q148666"),
    rule(Error, ("GLB", "NETPO.GLB"), after(4, 43), "Q110100"),
    rule(Error, ("GLB", "GROUP.GLB"), after(4, 51), "Q77926"),
    rule(Error, ("GLB", "GRPMEM.GLB"), after(4, 128), "Q77926"),
    rule(Warning, ("GLB", "GLOBAL.GLB"), Exactly(512), "Q77926"),
    rule(Warning, ("GLB", "REQCONF.GLB"), Exactly(512), "Q77926"),
    rule(Warning, ("GLB", "SRVCONF.GLB"), after(1024, 1024), "Q77926"),
    rule(Warning, ("GLB", "PROCESS.GLB"), after(512, 197), "Q77926"),
    rule(Warning, ("GLB", "SERVER.GLB"), records(181), "Q77926"),
    rule(Warning, ("GLB", "RNETSEM.GLB"), Exactly(4), "Q118946"),
    rule(Error, ("GLB", "MODEM.GLB"), Exactly(64), "Q119362").mended(SERIAL_PORT),
    rule(Error, ("GLB", "C850SORT.GLB"), Exactly(795), "Q173211").mended(INSTALLED),
    rule(Warning, ("GLB", "C850INT.GLB"), Exactly(795), "Q134669").mended(INSTALLED),
    rule(Warning, ("GLB", "C850SCAN.GLB"), Exactly(795), "Q134669").mended(INSTALLED),
    rule(Note, ("GLB", "ANSISORT.GLB"), Exactly(795), "Q135868").mended(INSTALLED),
    rule(Error, ("GLB", "TRANSFIL.GLB"), Exactly(1603), "Q173211").mended(INSTALLED),
    rule(Note, ("GLB", "ERRORADM.GLB"), Exactly(22_272), "Q135868").mended(INSTALLED),
    rule(Note, ("GLB", "ERRORDYN.GLB"), Exactly(1920), "Q135868").mended(INSTALLED),
    rule(Note, ("GLB", "ENGMAI.GLB"), Exactly(18_304), "Q135868").mended(INSTALLED),
    rule(Note, ("GLB", "ENGMON.GLB"), Exactly(4096), "Q135868").mended(INSTALLED),
    rule(Note, ("GLB", "DS_MSG.GLB"), Exactly(32_512), "Q135868").mended(INSTALLED),
    rule(Note, ("GLB", "WELCOME.GLB"), Exactly(609), "Q135868").mended(INSTALLED),
    rule(Error, ("MBG", "*.MBG"), records(MAILBAG_HEADER), "Q87417"),
    rule(Error, ("KEY", "*.KEY"), Exactly(560), "Q118619").mended(KEY_FILE),
    rule(Error, ("NME", "ADMIN.NME"), records(45), "Q107767"),
    rule(Error, ("NME", "ADMINSHD.NME"), records(45), "Q85647"),
    rule(Warning, ("NME", "*.NME"), records(45), "Q77926"),
    rule(Warning, ("GRP", "*.GRP"), records(8), "Q77926"),
    rule(Warning, ("MEM", "*.MEM"), Size::RecordsUpTo { record: 4, most: 2000 }, "Q77926"),
    rule(Warning, ("XTN", "*.XTN"), records(EXTERNAL), "Q77926"),
    rule(Warning, ("USR", "*.USR"), records(53), "Q77926"),
    rule(Warning, ("FOLDERS", "SERIALNO.IDX"), Exactly(4), "Q135868"),
    rule(Warning, ("FOLDERS/LOC", "*.IDX"), after(100, 158), "Q77926"),
    rule(Warning, ("FOLDERS/PUB", "*.IDX"), after(100, 158), "Q77926"),
];

/// Every directory of a postoffice holds this file, one byte long (Q135868).
const POPULATE: Rule = rule(Warning, ("", "POPULATE.MSM"), Exactly(1), "Q135868");

/// The rule for a file of a postoffice, if one is documented. Letters count without regard to case.
pub fn rule_of(folder: &str, name: &str) -> Option<&'static Rule> {
    let applies = |rule: &&Rule| {
        folder.eq_ignore_ascii_case(rule.folder)
            && match rule.name.strip_prefix('*') {
                Some(suffix) => name.to_ascii_uppercase().ends_with(suffix),
                None => name.eq_ignore_ascii_case(rule.name),
            }
    };
    if name.eq_ignore_ascii_case(POPULATE.name) {
        return Some(&POPULATE);
    }
    RULES.iter().find(applies)
}

/// What is wrong with the size of the file at `path`, which lies in the postoffice's `folder` as `name`.
pub fn check(folder: &str, name: &str, size: u64, path: &Path) -> Option<Finding> {
    let rule = rule_of(folder, name)?;
    let wanted = match rule.severity {
        Note => "version 3.5 in English has it with",
        _ => "it must be",
    };
    let cause = format!("{folder}/{name} is {size} bytes long; {wanted} {}", rule.size.words());
    (!rule.size.fits(size))
        .then(|| Finding::new(rule.severity, "size-rule", cause, rule.remedy).in_file(path).article(rule.article))
}

#[cfg(test)]
mod tests;
