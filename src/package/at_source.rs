//! Whether what a package was made of still lies at its source. Names, sizes and times are looked at, and bytes are read only
//! where those differ: a file that was copied back is the same file.

use super::build::{Complete, Job, seen};
use super::manifest::{Entry, Manifest};
use super::parallel::on_all_cores;
use super::readme::Readme;
use super::source::Source;
use crate::campaign::PackageSource;
use crate::fault::Finding;
use crate::roster::Person;

/// One person's files at the source, against the package that was built of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AtSource {
    /// They are there, and no package was built of others.
    Same,
    /// Built today, the package would be another one.
    Replaced,
    /// Nothing could be built today.
    Lacking(Vec<Finding>),
}

/// How each of these people stands, in their order. A program is not run for it.
///
/// # Errors
/// The source cannot be opened, and nobody's package could be built.
pub fn at_source(job: &Job, people: &[&Person], built: Option<&Manifest>) -> Result<Vec<AtSource>, Vec<Finding>> {
    if let PackageSource::Command { .. } = job.package.source {
        return Ok(vec![AtSource::Same; people.len()]);
    }
    let source = Source::open(job.package, job.campaign)?;
    let readme = Readme::open(job.campaign, job.package).map_err(|finding| vec![finding])?;
    Ok(on_all_cores(people, |person| {
        let entry = built.and_then(|manifest| manifest.person(&person.id));
        of_person(job, &source, &readme, person, entry).unwrap_or_else(AtSource::Lacking)
    }))
}

fn of_person(
    job: &Job,
    source: &Source,
    readme: &Readme,
    person: &Person,
    entry: Option<&Entry>,
) -> Result<AtSource, Vec<Finding>> {
    let now = seen(source, readme, person)?;
    let Some(entry) = entry.filter(|entry| entry.seen.is_some() && entry.seen != now) else {
        return Ok(AtSource::Same);
    };
    let complete = Complete::of(job, readme, person, source.gather(person)?)?;
    Ok(if complete.files.digest() == entry.digest { AtSource::Same } else { AtSource::Replaced })
}
