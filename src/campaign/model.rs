//! What a campaign is once it has been read: every name resolved, every default filled in, nothing left to guess.

mod mail;

pub use mail::*;

use super::quiet::Quiet;
use super::schedule::Moment;
use super::steps::{Gate, Step, beginning};
use super::workdays::WorkWeek;
use crate::fault::{Finding, Place, Quote};
use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// One flag day, as `flagday.toml` and its playbook state it together.
#[derive(Debug, Clone)]
pub struct Campaign {
    /// The folder that holds `flagday.toml`. Every relative path in the file starts here.
    pub root: PathBuf,
    /// `flagday.toml` itself.
    pub file: PathBuf,
    pub name: String,
    pub title: String,
    pub playbook: Option<String>,
    pub change: Change,
    /// So long beforehand people hear of the date; a shorter notice has to be asked for in so many words. Where the file
    /// says nothing, a change that is past; a zero lets any date be told.
    pub minimum_notice: Option<chrono::Duration>,
    pub calendar: Calendar,
    pub contact: String,
    pub mail: Mail,
    /// Where answers come in.
    pub intake: Vec<IntakeMailbox>,
    pub web: Option<Web>,
    pub rosters: Vec<RosterFile>,
    pub audiences: IndexMap<String, Audience>,
    pub packages: IndexMap<String, Package>,
    pub notices: IndexMap<String, Notice>,
    pub acknowledgements: IndexMap<String, Acknowledgement>,
    pub gates: IndexMap<String, Gate>,
    pub steps: Vec<Step>,
    pub msmail: Option<MsMail>,
    /// `[facts]`: what this flag day is about, for the templates. Part of the revision.
    pub facts: BTreeMap<String, String>,
}

/// The moment of the change, as written and as an instant; and with its zone and its days of work the ground on which
/// every other moment is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub local: NaiveDateTime,
    pub zone: Tz,
    pub at: DateTime<Utc>,
    pub week: Arc<WorkWeek>,
}

/// `[calendar]`: when people work, and when nobody is written to.
#[derive(Debug, Clone, Default)]
pub struct Calendar {
    /// Where a person's country says nothing else.
    pub week: Arc<WorkWeek>,
    /// By the word in the rosters' column `country`, in lower case.
    pub countries: BTreeMap<String, Arc<WorkWeek>>,
    pub quiet: Quiet,
}

/// One `[[roster]]`.
#[derive(Debug, Clone)]
pub struct RosterFile {
    /// Absolute path.
    pub file: PathBuf,
    pub encoding: Encoding,
    /// flagday's column name to the file's header.
    pub columns: BTreeMap<String, String>,
    /// For rows without a `kind`.
    pub kind: Option<String>,
    pub place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Windows1252,
    Cp437,
    Cp850,
    Auto,
}

/// A named part of the rosters: people whose columns hold one of the listed values, in every listed column.
/// No column at all: everybody.
#[derive(Debug, Clone)]
pub struct Audience {
    pub name: String,
    pub columns: BTreeMap<String, Vec<String>>,
    pub place: Place,
}

/// What one person gets as an attachment.
#[derive(Debug, Clone)]
pub struct Package {
    pub name: String,
    pub audience: String,
    pub format: PackageFormat,
    /// The floppy disk that all of it has to fit; none where the package is no disk.
    pub medium: Option<Medium>,
    pub source: PackageSource,
    pub place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PackageFormat {
    Zip,
    Img,
    Files,
}

/// A floppy disk's capacity. Everything in a package must fit it by whole clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Medium {
    #[serde(rename = "360K")]
    K360,
    #[serde(rename = "720K")]
    K720,
    #[serde(rename = "1.2M")]
    M1_2,
    #[serde(rename = "1.44M")]
    M1_44,
}

#[derive(Debug, Clone)]
pub enum PackageSource {
    /// One folder or `.img` per person below this folder, by mailbox name.
    Collected { from: PathBuf },
    /// Every file below this folder; `.hbs` files are rendered for the person and lose that suffix.
    Recipe { from: PathBuf },
    /// A program run once per person. `{person}`, `{mailbox}` and `{out}` are filled in; it writes files into `{out}`.
    Command { argv: Vec<String> },
}

/// One kind of message.
#[derive(Debug, Clone)]
pub struct Notice {
    pub name: String,
    pub audience: String,
    /// The folder of templates, `mail/<template>/`. Default: the notice's own name.
    pub template: String,
    pub package: Option<String>,
    /// Absent: sent by a step, a reminder or by hand only.
    pub at: Option<Moment>,
    /// After its hour it may go out for so long; later it is held.
    pub window: chrono::Duration,
    /// Carries a calendar entry for the change.
    pub calendar: bool,
    pub place: Place,
}

/// What an audience must answer.
#[derive(Debug, Clone)]
pub struct Acknowledgement {
    pub name: String,
    pub audience: String,
    /// The notice that asks for it. Absent where the program itself observes the answer.
    pub notice: Option<String>,
    pub grade: Grade,
    pub due: Option<Moment>,
    pub remind: Vec<Moment>,
    pub escalate: Vec<Escalation>,
    /// So many reminders and escalations a person is sent about at most, in one revision. Calls to make do not count.
    pub cap: usize,
    /// As [`Notice::window`], for each reminder and escalation.
    pub window: chrono::Duration,
    pub place: Place,
}

#[derive(Debug, Clone)]
pub struct Escalation {
    pub at: Moment,
    pub way: EscalationWay,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EscalationWay {
    /// Mail the `escalation` notice to the person's manager.
    Manager,
    /// … to the person's alternate.
    Alternate,
    /// A task for a human: call them.
    Phone,
}

/// How much a fact proves, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    #[default]
    None,
    Sent,
    Delivered,
    Read,
    Confirmed,
    Possessed,
    Observed,
}

impl Grade {
    pub const ALL: [Grade; 7] =
        [Grade::None, Grade::Sent, Grade::Delivered, Grade::Read, Grade::Confirmed, Grade::Possessed, Grade::Observed];

    pub fn word(self) -> &'static str {
        match self {
            Grade::None => "none",
            Grade::Sent => "sent",
            Grade::Delivered => "delivered",
            Grade::Read => "read",
            Grade::Confirmed => "confirmed",
            Grade::Possessed => "possessed",
            Grade::Observed => "observed",
        }
    }

    pub fn from_word(word: &str) -> Option<Grade> {
        Grade::ALL.into_iter().find(|grade| grade.word() == word)
    }
}

impl std::fmt::Display for Grade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.word())
    }
}

/// `[msmail]`: the site's own facts for the Microsoft Mail playbook. Paths are absolute.
#[derive(Debug, Clone)]
pub struct MsMail {
    pub postoffice: PathBuf,
    pub staged: PathBuf,
    pub network: String,
    pub name: String,
    pub old_serial: String,
    pub new_serial: String,
    pub gateways: Vec<String>,
    pub global_address_list: bool,
    /// How long it takes at most until a signed-in client has looked for mail.
    pub polling: chrono::Duration,
    pub place: Place,
    /// Where the file states each key, with its line.
    pub stated: BTreeMap<String, (Place, Option<Quote>)>,
}

impl MsMail {
    /// The finding at the line of the key that it speaks of, or where the section begins.
    pub fn at(&self, key: &str, finding: Finding) -> Finding {
        match self.stated.get(key) {
            Some((place, quote)) => Finding { quote: quote.clone(), ..finding.at(place.clone()) },
            None => finding.at(self.place.clone()),
        }
    }
}

impl Campaign {
    /// `.flagday`, where everything the program remembers is kept.
    pub fn state(&self) -> PathBuf {
        self.root.join(".flagday")
    }

    /// What people get are floppy disks, and texts call it that.
    pub fn has_disks(&self) -> bool {
        self.packages.values().any(|package| package.medium.is_some())
    }

    /// The change as it is seen where somebody is: by their clock, where it is known, and their country's days of work.
    pub fn change_seen_from(&self, zone: Option<Tz>, country: Option<&str>) -> Change {
        let country = country.and_then(|word| self.calendar.countries.get(&word.trim().to_lowercase()));
        let week = country.unwrap_or(&self.calendar.week).clone();
        self.change.seen_from(zone.unwrap_or(self.change.zone), week)
    }

    /// The step with which the change itself begins, and its place.
    pub fn beginning(&self) -> Option<(usize, &Step)> {
        beginning(&self.steps).map(|at| (at, &self.steps[at]))
    }

    pub fn step(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == name)
    }
}
