//! Packages: every person's file set gathered, checked against the postoffice, packed and read back.

use super::Engine;
use crate::campaign::Package;
use crate::fault::{Fault, Finding, Result};
use crate::msmail;
use crate::package::{self, manifest::Manifest};
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
        let inspector = msmail::disk_set::Inspector::of(self.campaign.msmail.as_ref(), package)?;
        let outcome = package::build(
            &job,
            &people,
            &|person, files| inspector.inspect(person, files),
            &|digests| inspector.distinct(digests),
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

    fn job<'a>(&'a self, package: &'a Package) -> package::Job<'a> {
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
            findings.extend(package::verify(&self.job(package))?);
        }
        Ok(findings)
    }

    /// The people of the audience for whom no package is built; all of them while nothing is.
    pub(super) fn unbuilt(&self, package: &Package) -> Result<Vec<String>> {
        let people = self.roster.audience(&self.campaign.audiences[&package.audience]);
        let folder = self.package_folder(&package.name);
        let manifest = if folder.join("manifest.json").exists() { Some(Manifest::load(&folder)?) } else { None };
        Ok(people
            .filter(|person| manifest.as_ref().and_then(|manifest| manifest.person(&person.id)).is_none())
            .map(|person| person.id.clone())
            .collect())
    }
}
