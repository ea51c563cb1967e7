//! Where a person's files come from: collected from what somebody made before, rendered from a recipe, or made by a
//! program. A source is opened once and asked once for each person.

mod collected;
mod command;
mod filed;
mod folder;
mod recipe;
mod seen;

use super::bounds::Bounds;
use super::files::FileSet;
use crate::campaign::{Campaign, Package, PackageSource};
use crate::fault::Finding;
use crate::roster::Person;
use collected::Shelf;
use command::Program;
use filed::Files;
use recipe::Recipe;

pub(super) use folder::bounded;
pub(super) use seen::seen;

#[derive(Debug)]
pub enum Source<'a> {
    Collected(Shelf),
    Files(Files),
    Recipe(Recipe<'a>),
    Command(Program<'a>),
}

impl<'a> Source<'a> {
    /// Lists the folder of disks, or reads the recipe with all its templates.
    pub fn open(package: &'a Package, campaign: &'a Campaign) -> Result<Source<'a>, Vec<Finding>> {
        Ok(match &package.source {
            PackageSource::Collected { from } => match package.medium {
                Some(medium) => Source::Collected(Shelf::open(from, medium)?),
                None => Source::Files(Files::open(from)?),
            },
            PackageSource::Recipe { from } => Source::Recipe(Recipe::open(from, campaign, Bounds::of(package.medium))?),
            PackageSource::Command { argv } => Source::Command(Program::new(argv, campaign, package)),
        })
    }

    /// What is seen of the person's files without one of them being read, or why there are none; `None` where only running
    /// a program tells.
    pub fn seen(&self, person: &Person) -> Result<Option<String>, Vec<Finding>> {
        Ok(match self {
            Source::Collected(shelf) => Some(seen(&shelf.files(person)?)),
            Source::Files(files) => Some(seen(&files.files(person)?)),
            Source::Recipe(recipe) => Some(recipe.seen().to_owned()),
            Source::Command(_) => None,
        })
    }

    /// The person's own files, or everything that is wrong with them.
    pub fn gather(&self, person: &Person) -> Result<FileSet, Vec<Finding>> {
        let files = match self {
            Source::Collected(shelf) => shelf.gather(person),
            Source::Files(files) => files.gather(person),
            Source::Recipe(recipe) => recipe.gather(person),
            Source::Command(program) => program.gather(person),
        }?;
        if files.iter().any(|file| file.name.eq_ignore_ascii_case(super::readme::NAME)) {
            return Err(vec![
                Finding::error(
                    "package-readme",
                    format!("the files for {} hold a README.TXT, and flagday writes that one itself", person.id),
                    "give it another name, or move its text to templates/package/README.TXT.hbs",
                )
                .at(files.place().map_or_else(|| person.place.clone(), crate::fault::Place::file)),
            ]);
        }
        Ok(files)
    }

    /// What belongs to none of these people: a wrong name on either side.
    pub fn unclaimed(&self, people: &[&Person]) -> Vec<Finding> {
        match self {
            Source::Collected(shelf) => shelf.unclaimed(people),
            Source::Files(files) => files.unclaimed(people),
            Source::Recipe(_) | Source::Command(_) => Vec::new(),
        }
    }
}
