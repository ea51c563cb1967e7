//! Reading back: every artefact unpacked and compared, file by file, with what the manifest says and with the code that
//! only this person may have.

use super::build::{Job, code_for, on_all_cores};
use super::files::{FileSet, sha256};
use super::manifest::{Entry, Manifest};
use super::{archive, floppy, readme};
use crate::campaign::PackageFormat;
use crate::fault::{Finding, Result};
use crate::roster::Person;
use fs_err as fs;

/// A finding for everything that is not as it was built.
pub fn verify(job: &Job, people: &[&Person]) -> Result<Vec<Finding>> {
    let manifest = Manifest::load(&job.folder)?;
    let mut findings = Vec::new();
    for person in people.iter().filter(|person| manifest.person(&person.id).is_none()) {
        let cause = format!("nothing is built for {}", person.id);
        findings.push(wrong("package-missing", cause).at(person.place.clone()));
    }
    let checked = on_all_cores(people, |person| manifest.person(&person.id).map(|entry| check(job, person, entry)));
    findings.extend(checked.into_iter().flatten().flatten());
    Ok(findings)
}

fn wrong(code: &'static str, cause: String) -> Finding {
    Finding::error(code, cause, "run `flagday build` again; do not send what is there")
}

fn check(job: &Job, person: &Person, entry: &Entry) -> Vec<Finding> {
    match unpack(job, entry) {
        Err(finding) => vec![finding],
        Ok(files) => compare(job, person, entry, &files),
    }
}

/// The files as the recipient would find them.
fn unpack(job: &Job, entry: &Entry) -> Result<FileSet, Finding> {
    let mut loose = FileSet::default();
    for artefact in &entry.artefacts {
        let path = job.folder.join(&artefact.file);
        let bytes = fs::read(&path).map_err(|error| wrong("package-unreadable", error.to_string()).in_file(&path))?;
        if bytes.len() as u64 != artefact.size || sha256(&bytes) != artefact.sha256 {
            let cause = format!("{} is not what was built for {}", path.display(), entry.id);
            return Err(wrong("package-altered", cause).in_file(&path));
        }
        match job.package.format {
            PackageFormat::Zip => return archive::read(&bytes).map_err(|finding| finding.in_file(&path)),
            PackageFormat::Img => return floppy::read(&bytes).map_err(|finding| finding.in_file(&path)),
            PackageFormat::Files => {
                loose.add(&artefact.shown, bytes, None).map_err(|finding| finding.in_file(&path))?
            }
        }
    }
    Ok(loose)
}

fn compare(job: &Job, person: &Person, entry: &Entry, files: &FileSet) -> Vec<Finding> {
    let mut findings = Vec::new();
    let found: Vec<_> = files.iter().map(|file| (file.name.clone(), sha256(&file.bytes))).collect();
    let told: Vec<_> = entry.files.iter().map(|sum| (sum.name.clone(), sum.sha256.clone())).collect();
    if found != told {
        findings
            .push(wrong("package-differs", format!("the package of {} holds other files than were built", entry.id)));
    }
    let code = code_for(job, person, &entry.source).letters();
    let text =
        files.get(readme::NAME).map(|file| String::from_utf8_lossy(&file.bytes).into_owned()).unwrap_or_default();
    if !text.contains(&code) || code_for(job, person, &entry.source).fingerprint() != entry.code_fingerprint {
        let cause = format!("README.TXT of {} does not hold the code of {}", entry.id, entry.id);
        findings.push(wrong("package-code", cause));
    }
    findings.into_iter().map(|finding| finding.in_file(&job.folder)).collect()
}
