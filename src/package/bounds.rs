//! What holds for the files of one package: those of a floppy disk, or those of a mail.

use super::floppy::IMAGE_MAX;
use super::names;
use crate::campaign::Medium;
use crate::fault::Finding;

/// More files than any floppy's root directory holds, and than anybody saves out of one mail.
pub const FILES_MAX: usize = 224;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bounds {
    #[default]
    Floppy,
    /// It never lies on a floppy disk.
    Mail,
}

impl Bounds {
    pub fn of(medium: Option<Medium>) -> Bounds {
        if medium.is_some() { Bounds::Floppy } else { Bounds::Mail }
    }

    /// How many bytes the files may have together. Mail servers take some 20 MB, and an attachment grows by a third.
    pub const fn room(self) -> usize {
        match self {
            Bounds::Floppy => IMAGE_MAX,
            Bounds::Mail => 14 << 20,
        }
    }

    /// What the files outgrow, at the end of a sentence.
    pub const fn called(self) -> &'static str {
        match self {
            Bounds::Floppy => "what any floppy disk holds",
            Bounds::Mail => "the 14 MB that a mail can carry",
        }
    }

    /// The name under which a recipient sees an artefact.
    pub fn shown(self, package: &str, extension: &str) -> String {
        match self {
            Bounds::Floppy => names::shown(package, extension),
            Bounds::Mail => format!("{package}.{}", extension.to_ascii_lowercase()),
        }
    }

    /// The name under which a file stands there.
    pub fn name(self, name: &str) -> Result<String, Finding> {
        match self {
            Bounds::Floppy => names::short(name),
            Bounds::Mail => names::long(name),
        }
    }
}
