//! Reading back: every artefact unpacked as its recipient would, and compared with the manifest file by file; each
//! package holds its own person's code and nobody else's.

use super::bounds::Bounds;
use super::build::Job;
use super::code::{Code, code_for};
use super::files::{DiskFile, FileSet};
use super::manifest::{Entry, Manifest, sums};
use super::parallel::on_all_cores;
use super::{archive, floppy, readme};
use crate::campaign::PackageFormat;
use crate::fault::{Finding, Result};
use crate::roster::Person;
use std::collections::{HashMap, HashSet};

/// A finding for everything that is not as it was built for these people.
///
/// # Errors
/// There is no manifest, or it cannot be read.
pub fn verify(job: &Job, people: &[&Person]) -> Result<Vec<Finding>> {
    let manifest = Manifest::load(&job.folder)?;
    let mut findings = Vec::new();
    if (manifest.campaign.as_str(), manifest.package.as_str()) != (&job.campaign.name, &job.package.name) {
        let cause = format!("what is built is package {} of {}", manifest.package, manifest.campaign);
        findings.push(wrong("package-other", cause).in_file(&job.folder));
    }
    let expected: HashSet<&str> = people.iter().map(|person| person.id.as_str()).collect();
    for entry in manifest.people.iter().filter(|entry| !expected.contains(entry.id.as_str())) {
        let cause = format!("a package is built for {}, who does not get one", entry.id);
        findings.push(wrong("package-stranger", cause).in_file(&job.folder));
    }
    let owners: HashMap<&str, &str> =
        manifest.people.iter().map(|entry| (entry.code_fingerprint.as_str(), entry.id.as_str())).collect();
    let check = |person: &&Person| match manifest.person(&person.id) {
        Some(entry) => check(job, person, entry, &owners),
        None => vec![wrong("package-missing", format!("nothing is built for {}", person.id)).at(person.place.clone())],
    };
    findings.extend(on_all_cores(people, check).into_iter().flatten());
    Ok(findings)
}

fn wrong(code: &'static str, cause: String) -> Finding {
    Finding::error(code, cause, "run `flagday build` again; do not send what is there")
}

fn check(job: &Job, person: &Person, entry: &Entry, owners: &HashMap<&str, &str>) -> Vec<Finding> {
    let mut findings = match unpack(job, entry) {
        Err(findings) => findings,
        Ok(files) => {
            let mut findings = Vec::new();
            if sums(&files) != entry.files || files.digest() != entry.digest {
                findings.push(wrong(
                    "package-differs",
                    format!("the package of {} holds other files than were built", entry.id),
                ));
            }
            findings.extend(codes(job, person, entry, files, owners));
            findings
        }
    };
    for finding in &mut findings {
        finding.place.get_or_insert_with(|| crate::fault::Place::file(&job.folder));
    }
    findings
}

/// The files as the recipient would find them.
fn unpack(job: &Job, entry: &Entry) -> Result<FileSet, Vec<Finding>> {
    let bounds = Bounds::of(job.package.medium);
    let mut loose = Vec::new();
    for artefact in &entry.artefacts {
        let at = |finding: Finding| finding.in_file(job.folder.join(&artefact.file));
        let bytes =
            artefact.read(&job.folder).map_err(|fault| fault.findings.into_iter().map(at).collect::<Vec<_>>())?;
        let unpacked = match job.package.format {
            PackageFormat::Zip => archive::read(&bytes, bounds),
            PackageFormat::Img => floppy::read(&bytes),
            PackageFormat::Files => {
                loose.push(DiskFile::new(&artefact.shown, bytes));
                continue;
            }
        };
        return unpacked.map_err(|findings| findings.into_iter().map(at).collect());
    }
    FileSet::within(bounds, loose)
}

/// README.TXT gives the code of this person, derived again from the files that are there, and no file gives a code of
/// somebody else.
fn codes(job: &Job, person: &Person, entry: &Entry, files: FileSet, owners: &HashMap<&str, &str>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let source = files.clone().without(readme::NAME).digest();
    let own = code_for(job.secret, job.campaign, job.package, person, &source);
    let given = files.get(readme::NAME).is_some_and(|file| codes_in(&file.bytes).any(|code| code == own));
    if !given || own.fingerprint() != entry.code_fingerprint {
        let cause = format!("README.TXT of {} does not give this person's code for these files and facts", entry.id);
        findings.push(wrong("package-code", cause));
    }
    for file in &files {
        let foreign = codes_in(&file.bytes)
            .find_map(|code| owners.get(code.fingerprint().as_str()).filter(|owner| **owner != entry.id).copied());
        if let Some(owner) = foreign {
            let cause = format!("{} in the package of {} holds the code of {owner}", file.name, entry.id);
            findings.push(wrong("package-foreign-code", cause));
        }
    }
    findings
}

/// Everything that has the form of a code, `ABCD-EFGH`, and a check letter that fits.
fn codes_in(bytes: &[u8]) -> impl Iterator<Item = Code> {
    memchr::memchr_iter(b'-', bytes).filter_map(|hyphen| {
        let text = bytes.get(hyphen.checked_sub(4)?..hyphen + 5)?;
        let letters = text.iter().enumerate().all(|(n, c)| n == 4 || c.is_ascii_uppercase());
        letters.then(|| std::str::from_utf8(text).ok()).flatten().and_then(|text| Code::parse(text).ok())
    })
}
