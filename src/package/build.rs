//! Building everybody's package on all cores: first all is gathered and checked, and only when nothing is wrong with
//! anybody is the first file written. Same input, same bytes.

use super::code::Code;
use super::files::{FileSet, sha256};
use super::manifest::{self, Artefact, Entry, Manifest, Sum};
use super::{archive, floppy, readme, source};
use crate::campaign::{Campaign, Package, PackageFormat};
use crate::fault::{Fault, Finding, Result};
use crate::roster::Person;
use fs_err as fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is to be built, and where.
#[derive(Debug, Clone)]
pub struct Job<'a> {
    pub campaign: &'a Campaign,
    pub package: &'a Package,
    pub secret: &'a [u8; 32],
    pub folder: PathBuf,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Artefacts that are new or different; the others stood there already.
    pub written: usize,
    /// Warnings and notes.
    pub findings: Vec<Finding>,
}

/// Checks one person's gathered files.
pub type Inspect<'a> = dyn Fn(&Person, &FileSet) -> Vec<Finding> + Sync + 'a;
/// Checks all of them against each other: person and files, by name and SHA-256.
pub type InspectAll<'a> = dyn Fn(&[(String, Vec<Sum>)]) -> Vec<Finding> + 'a;

/// Builds the package for everybody. Any error about anybody stops it before anything is written.
pub fn build(job: &Job, people: &[&Person], inspect: &Inspect, inspect_all: &InspectAll) -> Result<Outcome> {
    let gathered = on_all_cores(people, |person| {
        let files = source::gather(job.package, person, job.campaign)?;
        let mut findings = inspect(person, &files);
        findings.extend(finished(job, person, &files).err());
        Ok::<_, Vec<Finding>>((sums(&files), findings))
    });
    let mut findings = Vec::new();
    let mut inside = Vec::new();
    for (person, result) in people.iter().zip(gathered) {
        match result {
            Ok((sums, found)) => {
                inside.push((person.id.clone(), sums));
                findings.extend(found);
            }
            Err(found) => findings.extend(found),
        }
    }
    findings.extend(inspect_all(&inside));
    let mut outcome = Outcome { written: 0, findings: Fault::check(findings)? };
    fs::create_dir_all(&job.folder)?;
    let written = on_all_cores(people, |person| write_one(job, person));
    let mut people = Vec::new();
    for result in written {
        let (entry, new) = result?;
        people.push(entry);
        outcome.written += new;
    }
    sweep(&job.folder, &people)?;
    let manifest = Manifest { schema: 1, package: job.package.name.clone(), people };
    put(&job.folder.join(manifest::NAME), &serde_json::to_vec_pretty(&manifest)?)?;
    fs::File::open(&job.folder)?.sync_all()?;
    Ok(outcome)
}

/// The person's code: bound to what is told and to what is inside, so that a new revision has a new one.
pub(super) fn code_for(job: &Job, person: &Person, source: &str) -> Code {
    let change = job.campaign.change;
    let serial = job.campaign.msmail.as_ref().map_or("", |msmail| msmail.new_serial.as_str());
    Code::derive(
        job.secret,
        &[
            &job.campaign.name,
            &job.package.name,
            &person.id,
            source,
            &change.local.to_string(),
            change.zone.name(),
            serial,
        ],
    )
}

/// The gathered files with README.TXT, as they go on the disk.
fn finished(job: &Job, person: &Person, files: &FileSet) -> Result<FileSet, Finding> {
    let about = |finding: Finding| if finding.place.is_none() { finding.at(person.place.clone()) } else { finding };
    let code = code_for(job, person, &files.digest());
    let mut files = files.clone();
    files.add(readme::NAME, readme::text(job.campaign, person, &code).map_err(about)?, None).map_err(about)?;
    floppy::check_fit(job.package.medium, &files).map_err(about)?;
    Ok(files)
}

fn write_one(job: &Job, person: &Person) -> Result<(Entry, usize)> {
    let gathered = source::gather(job.package, person, job.campaign).map_err(Fault::from)?;
    let source = gathered.digest();
    let code = code_for(job, person, &source);
    let files = finished(job, person, &gathered)?;
    let stamp = job.campaign.change.local;
    let upper = |extension: &str| format!("{}.{extension}", short(&job.package.name));
    let packed: Vec<(PathBuf, String, &str, Vec<u8>)> = match job.package.format {
        PackageFormat::Zip => {
            let bytes = archive::zip(&files, stamp)?;
            vec![(format!("{}.zip", person.id).into(), upper("ZIP"), "application/zip", bytes)]
        }
        PackageFormat::Img => {
            let serial = u32::from_str_radix(&source[..8], 16).unwrap_or_default();
            let label = short(&job.package.name);
            let bytes = floppy::image(job.package.medium, &label, serial, &files, stamp)?;
            vec![(format!("{}.img", person.id).into(), upper("IMG"), "application/octet-stream", bytes)]
        }
        PackageFormat::Files => files
            .iter()
            .map(|file| {
                let path = Path::new(&person.id).join(&file.name);
                (path, file.name.clone(), "application/octet-stream", file.bytes.clone())
            })
            .collect(),
    };
    let mut new = 0;
    let mut artefacts = Vec::new();
    for (file, shown, mime, bytes) in packed {
        new += usize::from(put(&job.folder.join(&file), &bytes)?);
        let (size, sha256) = (bytes.len() as u64, sha256(&bytes));
        artefacts.push(Artefact { file, shown, mime: mime.into(), size, sha256 });
    }
    let entry = Entry {
        id: person.id.clone(),
        digest: files.digest(),
        source,
        code_fingerprint: code.fingerprint(),
        files: sums(&files),
        artefacts,
    };
    Ok((entry, new))
}

/// `init-disk` as DOS would call it: INITDISK.
fn short(package: &str) -> String {
    package.chars().filter(char::is_ascii_alphanumeric).take(8).collect::<String>().to_ascii_uppercase()
}

fn sums(files: &FileSet) -> Vec<Sum> {
    let sum = |file: &super::DiskFile| Sum {
        name: file.name.clone(),
        size: file.bytes.len() as u64,
        sha256: sha256(&file.bytes),
    };
    files.iter().map(sum).collect()
}

/// Puts bytes under a name, whole or not at all; false where they stand there already.
fn put(path: &Path, bytes: &[u8]) -> Result<bool> {
    if fs::metadata(path).is_ok_and(|found| found.len() == bytes.len() as u64) && fs::read(path)? == bytes {
        return Ok(false);
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(true)
}

/// Removes what was built for people who are no longer in the audience.
fn sweep(folder: &Path, people: &[Entry]) -> Result<()> {
    let keep: std::collections::HashSet<PathBuf> = people
        .iter()
        .flat_map(|entry| &entry.artefacts)
        .filter_map(|artefact| artefact.file.components().next().map(|first| folder.join(first)))
        .collect();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if keep.contains(&path) || path.ends_with(manifest::NAME) {
            continue;
        }
        if path.is_dir() { fs::remove_dir_all(&path)? } else { fs::remove_file(&path)? }
    }
    Ok(())
}

/// Runs `work` for each person on every core; results come in the people's order.
pub(super) fn on_all_cores<T: Send>(people: &[&Person], work: impl Fn(&Person) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, T)>> = Mutex::new(Vec::with_capacity(people.len()));
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(people.len().max(1));
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(person) = people.get(at) else { break };
                    let result = work(person);
                    results.lock().unwrap_or_else(|poison| poison.into_inner()).push((at, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(|poison| poison.into_inner());
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}
