//! Where a person's files come from: collected from what somebody made before, rendered from a recipe, or made by a
//! program. A source is opened once and asked once for each person.

mod collected;
mod command;
mod folder;
mod recipe;

use super::files::FileSet;
use crate::campaign::{Campaign, Package, PackageSource};
use crate::fault::Finding;
use crate::roster::Person;
use collected::Shelf;
use command::Program;
use recipe::Recipe;

pub(super) use folder::bounded;

#[derive(Debug)]
pub enum Source<'a> {
    Collected(Shelf),
    Recipe(Recipe<'a>),
    Command(Program<'a>),
}

impl<'a> Source<'a> {
    /// Lists the folder of disks, or reads the recipe with all its templates.
    pub fn open(package: &'a Package, campaign: &'a Campaign) -> Result<Source<'a>, Vec<Finding>> {
        Ok(match &package.source {
            PackageSource::Collected { from } => Source::Collected(Shelf::open(from, package.medium)?),
            PackageSource::Recipe { from } => Source::Recipe(Recipe::open(from, campaign)?),
            PackageSource::Command { argv } => Source::Command(Program::new(argv, campaign, &package.place)),
        })
    }

    /// The person's own files, or everything that is wrong with them.
    pub fn gather(&self, person: &Person) -> Result<FileSet, Vec<Finding>> {
        let files = match self {
            Source::Collected(shelf) => shelf.gather(person),
            Source::Recipe(recipe) => recipe.gather(person),
            Source::Command(program) => program.gather(person),
        }?;
        if files.get(super::readme::NAME).is_some() {
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

    /// Disks that belong to none of these people: a wrong mailbox name on either side.
    pub fn unclaimed(&self, people: &[&Person]) -> Vec<Finding> {
        match self {
            Source::Collected(shelf) => shelf.unclaimed(people),
            Source::Recipe(_) | Source::Command(_) => Vec::new(),
        }
    }
}
