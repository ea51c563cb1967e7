//! Packages: every person's file set gathered, checked against the postoffice, packed and read back.

use super::Engine;
use crate::campaign::{Package, PackageSource};
use crate::fault::{Fault, Finding, Result};
use crate::msmail::{Postoffice, disk_set};
use crate::package::{self, FileSet, Manifest, code_for, manifest::Sum};
use crate::roster::Person;
use serde::Serialize;
use std::path::PathBuf;

/// What `build` did for one package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Built {
    pub package: String,
    pub people: usize,
    pub written: usize,
    pub folder: PathBuf,
    #[serde(skip)]
    pub findings: Vec<Finding>,
}

impl Engine<'_> {
    /// Where a package's artefacts are kept.
    pub(super) fn package_folder(&self, package: &str) -> PathBuf {
        self.campaign.state().join("packages").join(package)
    }

    /// Builds every package, or the one named.
    pub fn build(&mut self, only: Option<&str>) -> Result<Vec<Built>> {
        self.require_roster()?;
        let packages: Vec<Package> = self.campaign.packages.values().cloned().collect();
        let mut built = Vec::new();
        for package in packages.iter().filter(|package| only.is_none_or(|name| name == package.name)) {
            built.push(self.build_one(package)?);
        }
        if built.is_empty() {
            let cause = match only {
                Some(name) => format!("there is no package '{name}'"),
                None => "this campaign has no package".to_owned(),
            };
            return Err(Fault::new("no-package", cause, "packages stand in [package.NAME] of flagday.toml"));
        }
        Ok(built)
    }

    fn build_one(&mut self, package: &Package) -> Result<Built> {
        let people: Vec<&Person> = self.roster.audience(&self.campaign.audiences[&package.audience]).collect();
        let job = self.job(package);
        let staged = self.disk_source(package)?;
        let outcome = package::build(
            &job,
            &people,
            &|person, files| staged.as_ref().map_or_else(Vec::new, |staged| inspect(person, package, files, staged)),
            &|disks| if staged.is_some() { distinct(package, disks) } else { Vec::new() },
        )?;
        let built = Built {
            package: package.name.clone(),
            people: people.len(),
            written: outcome.written,
            folder: job.folder.clone(),
            findings: outcome.findings,
        };
        let now = self.now();
        self.ledger.note(now, "built", &built)?;
        Ok(built)
    }

    /// Disks that were made before the ACCESS files were copied, while those copies are in use: `build` names each.
    pub(super) fn outdated_disks(&self, package: &Package) -> Result<Option<Finding>> {
        let Some(staged) = self.disk_source(package)?.filter(|_| self.lives_on_copies().unwrap_or(true)) else {
            return Ok(None);
        };
        let people: Vec<&Person> = self.roster.audience(&self.campaign.audiences[&package.audience]).collect();
        let outdated = package::gathered_where(&self.job(package), &people, |person, files| {
            inspect(person, package, files, &staged).iter().any(|finding| finding.code == disk_set::OUTDATED)
        });
        let Some(first) = outdated.first() else { return Ok(None) };
        let cause = format!(
            "the disks of {} people, {first} among them, are older than the ACCESS files in the staged postoffice: users may \
             have changed since",
            outdated.len()
        );
        let remedy = "make them again: in ADMIN of the staged postoffice Remote, Regenerate, then Init-Disk; then `flagday build`, \
                      which names each that is still older";
        let finding = Finding::warning(disk_set::OUTDATED, cause, remedy).at(package.place.clone());
        Ok(Some(finding.article("Q117713")))
    }

    /// What a postoffice says about the disks made from it; nothing where a package is no init disk.
    fn disk_source(&self, package: &Package) -> Result<Option<disk_set::Source>> {
        match (&self.campaign.msmail, &package.source) {
            (Some(facts), PackageSource::Collected { .. }) => {
                let staged = Postoffice::open_folders(&facts.staged, &["GLB"])?;
                Ok(Some(disk_set::Source::read(&staged, self.access_copied_at()?)?))
            }
            _ => Ok(None),
        }
    }

    /// What is built of a package, if anything is.
    pub(super) fn built(&self, package: &Package) -> Result<Option<Manifest>> {
        let folder = self.package_folder(&package.name);
        if folder.join("manifest.json").exists() { Manifest::load(&folder).map(Some) } else { Ok(None) }
    }

    pub(super) fn job<'a>(&'a self, package: &'a Package) -> package::Job<'a> {
        package::Job {
            campaign: &self.campaign,
            package,
            secret: self.ledger.secret(),
            folder: self.package_folder(&package.name),
        }
    }

    /// Reads every artefact back and compares it with the manifest.
    pub fn verify_packages(&self) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        for package in self.campaign.packages.values() {
            let people: Vec<&Person> = self.roster.audience(&self.campaign.audiences[&package.audience]).collect();
            findings.extend(package::verify(&self.job(package), &people)?);
        }
        Ok(findings)
    }

    /// The people of the audience for whom no package is built, or one that speaks of other facts: its code tells.
    pub(super) fn unbuilt(&self, package: &Package) -> Result<Vec<String>> {
        let people = self.roster.audience(&self.campaign.audiences[&package.audience]);
        let manifest = self.built(package)?;
        Ok(people
            .filter(|person| {
                let built = manifest.as_ref().and_then(|manifest| manifest.person(&person.id));
                built.is_none_or(|entry| {
                    let code = code_for(self.ledger.secret(), &self.campaign, package, person, &entry.source);
                    code.fingerprint() != entry.code_fingerprint
                })
            })
            .map(|person| person.id.clone())
            .collect())
    }
}

/// One person's disk against the documented set and the staged postoffice.
fn inspect(person: &Person, package: &Package, files: &FileSet, staged: &disk_set::Source) -> Vec<Finding> {
    let disk: Vec<disk_set::DiskFile> = files
        .iter()
        .map(|file| disk_set::DiskFile { name: file.name.clone(), bytes: file.bytes.clone(), modified: file.modified })
        .collect();
    disk_set::inspect(person, &place(package, &person.id), &disk, staged)
}

/// No two people may hold one and the same disk.
fn distinct(package: &Package, disks: &[(String, Vec<Sum>)]) -> Vec<Finding> {
    let connect: Vec<disk_set::Connect> = disks
        .iter()
        .filter_map(|(person, sums)| {
            let sum = sums.iter().find(|sum| sum.name == "CONNECT.GLB")?;
            let mut sha256 = [0; 32];
            for (byte, pair) in sha256.iter_mut().zip(sum.sha256.as_bytes().chunks(2)) {
                *byte = std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok())?;
            }
            Some(disk_set::Connect { person: person.clone(), place: place(package, person), sha256 })
        })
        .collect();
    disk_set::distinct(&connect)
}

fn place(package: &Package, person: &str) -> PathBuf {
    match &package.source {
        PackageSource::Collected { from } => from.join(person),
        _ => PathBuf::from(person),
    }
}
