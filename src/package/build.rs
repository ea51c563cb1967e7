//! Building everybody's package. All is gathered, checked and packed first, on all cores and person by person; only
//! when nothing is wrong with anybody do the artefacts take their places. Same input, same bytes.

use super::archive;
use super::bounds::Bounds;
use super::code::{Code, code_for};
use super::files::{FileSet, sha256};
use super::floppy;
use super::manifest::{Artefact, Entry, Manifest, Sum, sums};
use super::names;
use super::output::{Output, Staged, stem};
use super::parallel::on_all_cores;
use super::readme::Readme;
use super::source::Source;
use super::stamp::DosStamp;
use crate::campaign::{Campaign, Medium, Package, PackageFormat};
use crate::fault::{Fault, Finding, Result};
use crate::roster::Person;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What is to be built, and where.
#[derive(Clone)]
pub struct Job<'a> {
    pub campaign: &'a Campaign,
    pub package: &'a Package,
    /// The campaign's own, from which the possession codes are derived.
    pub secret: &'a [u8; 32],
    /// Made and kept by this room alone: what belongs to nobody is removed from it.
    pub folder: PathBuf,
}

impl std::fmt::Debug for Job<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Job({} into {})", self.package.name, self.folder.display())
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Artefacts that are new or different; the others stood there already.
    pub written: usize,
    /// Files of people who do not get the package any more.
    pub removed: usize,
    /// Warnings and notes.
    pub findings: Vec<Finding>,
}

/// Checks one person's gathered files. Called once for each person, on any thread.
pub type Inspect<'a> = dyn Fn(&Person, &FileSet) -> Vec<Finding> + Sync + 'a;
/// Checks all of them against each other: the person's id, and the gathered files by name and hash.
pub type InspectAll<'a> = dyn Fn(&[(String, Vec<Sum>)]) -> Vec<Finding> + 'a;

/// Builds the package for everybody.
///
/// # Errors
/// Everything that is wrong with anybody, all at once; then nothing has changed in the folder.
pub fn build(job: &Job, people: &[&Person], inspect: &Inspect, inspect_all: &InspectAll) -> Result<Outcome> {
    let output = Output::open(&job.folder)?;
    let (mut findings, built) = prepare(job, people, inspect, inspect_all, Some(&output))?;
    findings = Fault::check(findings)?;
    let mut staged = Vec::new();
    let mut entries = Vec::new();
    for person in built {
        entries.push(person.entry);
        staged.extend(person.staged);
    }
    entries.sort_by(|a, b| a.id.cmp(&b.id));
    let written = staged.len();
    let manifest =
        Manifest { schema: 1, campaign: job.campaign.name.clone(), package: job.package.name.clone(), people: entries };
    let removed = output.publish(staged, &manifest)?;
    Ok(Outcome { written, removed, findings })
}

/// Everything `build` would find, without a file written.
pub fn check(job: &Job, people: &[&Person], inspect: &Inspect, inspect_all: &InspectAll) -> Result<Vec<Finding>> {
    prepare(job, people, inspect, inspect_all, None).map(|(findings, _)| findings)
}

/// The ids of those whose files, as they lie at the source now, are so. Nothing is packed, and what cannot be gathered is told
/// by [`build`].
pub fn gathered_where(job: &Job, people: &[&Person], is: impl Fn(&Person, &FileSet) -> bool + Sync) -> Vec<String> {
    let Ok(source) = Source::open(job.package, job.campaign) else { return Vec::new() };
    let found = on_all_cores(people, |person| source.gather(person).is_ok_and(|files| is(person, &files)));
    people.iter().zip(found).filter(|(_, found)| *found).map(|(person, _)| person.id.clone()).collect()
}

/// One person's package, written beside its place.
struct Built {
    entry: Entry,
    /// The gathered files, without README.TXT.
    gathered: Vec<Sum>,
    staged: Vec<Staged>,
}

type Prepared = (Vec<Finding>, Vec<Built>);

fn prepare(
    job: &Job,
    people: &[&Person],
    inspect: &Inspect,
    inspect_all: &InspectAll,
    output: Option<&Output>,
) -> Result<Prepared> {
    let mut findings = same_artefact(people);
    let opened = (
        Source::open(job.package, job.campaign),
        Readme::open(job.campaign, job.package),
        DosStamp::new(job.campaign.change.local),
    );
    let (source, readme, stamp) = match opened {
        (Ok(source), Ok(readme), Ok(stamp)) => (source, readme, stamp),
        (source, readme, stamp) => {
            findings.extend(source.err().unwrap_or_default());
            findings.extend(readme.err());
            findings.extend(stamp.err().map(|finding| finding.in_file(&job.campaign.file)));
            return Ok((findings, Vec::new()));
        }
    };
    let bench = Bench { job, source, readme, stamp, inspect, output };
    let mut built = Vec::new();
    for result in on_all_cores(people, |person| bench.package(person)) {
        let (found, person) = result?;
        findings.extend(found);
        built.extend(person);
    }
    findings.extend(bench.source.unclaimed(people));
    let digests: Vec<_> = built.iter().map(|person| (person.entry.id.clone(), person.gathered.clone())).collect();
    findings.extend(inspect_all(&digests));
    Ok((findings, built))
}

/// People whose artefacts would overwrite each other where capitals and small letters are one.
fn same_artefact(people: &[&Person]) -> Vec<Finding> {
    let mut names: BTreeMap<String, Vec<&Person>> = BTreeMap::new();
    people.iter().for_each(|person| names.entry(person.id.to_lowercase()).or_default().push(person));
    let clash = |people: Vec<&Person>| {
        let ids: Vec<&str> = people.iter().map(|person| person.id.as_str()).collect();
        let cause = format!("the packages of {} would have one file name", ids.join(" and "));
        Finding::error("package-same-id", cause, "give them ids that differ in more than capitals")
            .at(people[0].place.clone())
    };
    names.into_values().filter(|people| people.len() > 1).map(clash).collect()
}

/// What every worker needs for a person.
struct Bench<'a> {
    job: &'a Job<'a>,
    source: Source<'a>,
    readme: Readme<'a>,
    stamp: DosStamp,
    inspect: &'a Inspect<'a>,
    output: Option<&'a Output<'a>>,
}

impl Bench<'_> {
    /// One person's package and what is to be said about it; no package when that is an error.
    fn package(&self, person: &Person) -> Result<(Vec<Finding>, Option<Built>)> {
        let seen = seen(&self.source, &self.readme, person);
        let (seen, gathered) = match seen.and_then(|seen| Ok((seen, self.source.gather(person)?))) {
            Ok(both) => both,
            Err(findings) => return Ok((findings, None)),
        };
        let mut findings = (self.inspect)(person, &gathered);
        let inside = sums(&gathered);
        let packed = self.pack(person, gathered, seen, &mut findings);
        let located = |finding: Finding| match finding.place {
            Some(_) => finding,
            None => finding.at(person.place.clone()),
        };
        match packed {
            Err(found) => {
                findings.extend(found);
                Ok((findings.into_iter().map(located).collect(), None))
            }
            Ok((entry, artefacts)) => {
                let mut staged = Vec::new();
                if let Some(output) = self.output {
                    for (artefact, bytes) in entry.artefacts.iter().zip(&artefacts) {
                        staged.extend(output.stage(&artefact.file, bytes)?);
                    }
                }
                Ok((findings.into_iter().map(located).collect(), Some(Built { entry, gathered: inside, staged })))
            }
        }
    }

    /// The manifest's entry, and the bytes of its artefacts in their order.
    fn pack(
        &self,
        person: &Person,
        gathered: FileSet,
        seen: Option<String>,
        findings: &mut Vec<Finding>,
    ) -> Result<(Entry, Vec<Vec<u8>>), Vec<Finding>> {
        let package = self.job.package;
        let one = |finding: Finding| vec![finding];
        let stem = stem(&person.id).map_err(one)?;
        let Complete { source, code, files, warning } = Complete::of(self.job, &self.readme, person, gathered)?;
        findings.extend(warning);
        if let Some(medium) = package.medium {
            floppy::fit(medium, &files).map_err(one)?;
        }
        let packed: Vec<(PathBuf, String, &str, Vec<u8>)> = match package.format {
            PackageFormat::Zip => {
                let bytes = archive::zip(&files, self.stamp);
                vec![(
                    format!("{stem}.zip").into(),
                    Bounds::of(package.medium).shown(&package.name, "ZIP"),
                    "application/zip",
                    bytes,
                )]
            }
            PackageFormat::Img => {
                let shown = names::shown(&package.name, "IMG");
                let label = shown.trim_end_matches(".IMG");
                let medium = package.medium.unwrap_or(Medium::M1_44);
                let image = floppy::image(medium, label, volume_serial(&source), &files, self.stamp);
                vec![(format!("{stem}.img").into(), shown.clone(), "application/octet-stream", image.map_err(one)?)]
            }
            PackageFormat::Files => files
                .iter()
                .map(|file| {
                    let path = Path::new(stem).join(&file.name);
                    (path, file.name.clone(), "application/octet-stream", file.bytes.clone())
                })
                .collect(),
        };
        let artefact = |(file, shown, mime, bytes): &(PathBuf, String, &str, Vec<u8>)| Artefact {
            file: file.clone(),
            shown: shown.clone(),
            mime: (*mime).to_owned(),
            size: bytes.len() as u64,
            sha256: sha256(bytes),
        };
        let entry = Entry {
            id: person.id.clone(),
            digest: files.digest(),
            source,
            seen,
            code_fingerprint: code.fingerprint(),
            files: sums(&files),
            artefacts: packed.iter().map(artefact).collect(),
        };
        Ok((entry, packed.into_iter().map(|(.., bytes)| bytes).collect()))
    }
}

/// What was seen of the person's files and of the text of README.TXT, none of them read; `None` where nothing is to be seen.
pub(super) fn seen(source: &Source, readme: &Readme, person: &Person) -> Result<Option<String>, Vec<Finding>> {
    Ok(source.seen(person)?.map(|files| sha256((files + readme.seen()).as_bytes())))
}

/// One person's files with README.TXT among them.
pub(super) struct Complete {
    /// See [`Entry::source`].
    source: String,
    code: Code,
    pub files: FileSet,
    warning: Option<Finding>,
}

impl Complete {
    pub fn of(job: &Job, readme: &Readme, person: &Person, gathered: FileSet) -> Result<Complete, Vec<Finding>> {
        let source = gathered.digest();
        let code = code_for(job.secret, job.campaign, job.package, person, &source);
        let (text, warning) = readme.write(person, &code, &gathered).map_err(|finding| vec![finding])?;
        Ok(Complete { source, code, files: gathered.with(text)?, warning })
    }
}

/// A floppy's serial number: of no meaning to anybody, the same for the same files.
fn volume_serial(digest: &str) -> u32 {
    u32::from_str_radix(&digest[..8], 16).expect("a digest is made of hex digits")
}
