//! What packages are made of, as it lies there now: none leaves that was built of something else, and none is taken for ready
//! while there is nothing to build it of.

use super::Engine;
use crate::campaign::Package;
use crate::fault::{Finding, Result, Severity, people};
use crate::outbox::State;
use crate::package::{self, AtSource};
use crate::roster::Person;
use std::collections::{BTreeMap, BTreeSet};

/// A source that is not there yet: somebody is still to fill it.
const TO_COME: [&str; 4] = ["files-missing", "files-empty", "disk-missing", "disk-empty"];

impl Engine<'_> {
    /// Refuses to bring any of these people a package that would be another one, or none, if it were built now.
    pub(super) fn require_sources(&self, package: &Package, ids: &BTreeSet<&str>) -> Result<()> {
        let theirs: Vec<&Person> = self.receivers(package).filter(|one| ids.contains(one.id.as_str())).collect();
        let changed: Vec<String> = self.at_source(package, &theirs)?.into_iter().filter_map(changed).collect();
        match changed.is_empty() {
            true => Ok(()),
            false => Err(replaced(package, &changed, Severity::Error, "run `flagday build` first").into()),
        }
    }

    /// By package, whose would be another one if it were built now. What was taken away counts for those alone who have not
    /// got theirs. Nobody once it is called off or done.
    pub fn replaced(&self) -> Result<BTreeMap<String, Vec<String>>> {
        let mut found = BTreeMap::new();
        if self.aborted()?.is_some() || self.has_taken_place()? {
            return Ok(found);
        }
        for package in self.campaign.packages.values() {
            let Some(manifest) = self.built(package)? else { continue };
            let built: Vec<&Person> =
                self.receivers(package).filter(|person| manifest.person(&person.id).is_some()).collect();
            let mut standing = self.at_source(package, &built)?;
            if standing.iter().any(|(_, at)| matches!(at, AtSource::Lacking(_))) {
                let left = self.whose_left(package)?;
                standing.retain(|(person, at)| !matches!(at, AtSource::Lacking(_)) || !left.contains(&person.id));
            }
            let people: Vec<String> = standing.into_iter().filter_map(changed).collect();
            if !people.is_empty() {
                found.insert(package.name.clone(), people);
            }
        }
        Ok(found)
    }

    /// What `check` says of a package: nothing to build it of, not built, or built of something else.
    pub(super) fn check_package(&self, package: &Package) -> Result<Vec<Finding>> {
        let mut unbuilt = self.unbuilt(package)?;
        let mut findings = Vec::new();
        if self.aborted()?.is_none() && !self.has_taken_place()? {
            let all: Vec<&Person> = self.receivers(package).collect();
            let left = self.whose_left(package)?;
            // As long as nobody has theirs, what is missing is work to do; then it keeps letters from leaving.
            let severity = if left.is_empty() { Severity::Warning } else { Severity::Error };
            let mut other = Vec::new();
            let mut lacking: BTreeMap<&str, (Vec<String>, Finding)> = BTreeMap::new();
            for (person, at) in self.at_source(package, &all)? {
                let id = &person.id;
                match at {
                    AtSource::Replaced if !unbuilt.contains(id) => other.push(id.clone()),
                    AtSource::Lacking(why) if !left.contains(id) => {
                        unbuilt.retain(|one| one != id);
                        for finding in why {
                            let (people, _) = lacking.entry(finding.code).or_insert_with(|| (Vec::new(), finding));
                            people.extend((people.last() != Some(id)).then(|| id.clone()));
                        }
                    }
                    AtSource::Same | AtSource::Replaced | AtSource::Lacking(_) => {}
                }
            }
            findings.extend(lacking.into_values().map(|(ids, first)| lacks(package, &ids, first, severity)));
            if !other.is_empty() {
                let remedy = match other.iter().any(|id| left.contains(id)) {
                    true => "run `flagday build`; `flagday amend` then tells those who have got theirs",
                    false => "run `flagday build`",
                };
                findings.push(replaced(package, &other, severity, remedy));
            }
        }
        if !unbuilt.is_empty() {
            let cause = format!("package '{}' is not built for {}", package.name, people(&unbuilt));
            findings.push(Finding::warning("not-built", cause, "run `flagday build`").at(package.place.clone()));
        }
        Ok(findings)
    }

    /// How each of these people stands. Where the source cannot be opened, nobody's package can be built.
    fn at_source<'p>(&self, package: &Package, people: &[&'p Person]) -> Result<Vec<(&'p Person, AtSource)>> {
        let manifest = self.built(package)?;
        let standing = package::at_source(&self.job(package), people, manifest.as_ref())
            .unwrap_or_else(|findings| vec![AtSource::Lacking(findings); people.len()]);
        Ok(people.iter().copied().zip(standing).collect())
    }

    fn receivers(&self, package: &Package) -> impl Iterator<Item = &Person> {
        self.roster.audience(&self.campaign.audiences[&package.audience])
    }

    /// The people whom a letter with this package has reached.
    fn whose_left(&self, package: &Package) -> Result<BTreeSet<String>> {
        let brings = |notice: &str| {
            let notice = self.campaign.notices.get(notice);
            notice.is_some_and(|notice| notice.package.as_deref() == Some(package.name.as_str()))
        };
        let messages = self.ledger.messages()?.into_iter();
        let left = messages.filter(|one| matches!(one.state, State::Sent | State::Delivered) && brings(&one.notice));
        Ok(left.map(|message| message.person).collect())
    }
}

fn changed((person, at): (&Person, AtSource)) -> Option<String> {
    (at != AtSource::Same).then(|| person.id.clone())
}

fn replaced(package: &Package, ids: &[String], severity: Severity, remedy: &str) -> Finding {
    let cause = format!(
        "what package '{}' is made of was replaced or taken away since it was built, for {}",
        package.name,
        people(ids)
    );
    Finding::new(severity, "source-changed", cause, remedy).at(package.place.clone())
}

/// The first complaint, for all of them whom it is about.
fn lacks(package: &Package, ids: &[String], mut first: Finding, severity: Severity) -> Finding {
    if ids.len() > 1 {
        first.cause =
            format!("nothing can be built of package '{}' for {}: {}", package.name, people(ids), first.cause);
    }
    if TO_COME.contains(&first.code) {
        first.severity = severity;
    }
    first
}
