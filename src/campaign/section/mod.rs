//! One file per section of `flagday.toml`; here they are put together, names first, so that every reference is
//! judged where it stands.

mod acknowledgement;
mod address;
mod audience;
mod basics;
mod calendar;
mod domain;
mod gate;
mod intake;
mod mail;
mod msmail;
mod notice;
mod package;
mod password;
mod roster;
mod step;
mod transport;
mod web;

pub use step::{CHECKS, OBSERVATIONS};

use super::model::{Campaign, Change};
use super::nearest::instead;
use super::report::Report;
use super::table::Table;
use super::tree::{Entries, Spot, Value};
use super::value::Text;
use crate::fault::Finding;
use indexmap::IndexMap;
use std::path::{Path, PathBuf};

/// What the sections need to know of the world and of each other.
struct Context<'r> {
    report: &'r Report,
    /// Absolute.
    root: &'r Path,
    is_file: &'r dyn Fn(&Path) -> bool,
    change: Option<Change>,
    /// `[msmail]` is there, and with it a postoffice to speak of.
    has_postoffice: bool,
    /// Where `[msmail]` says that the init disks lie.
    disks: PathBuf,
    audiences: Known,
    packages: Known,
    notices: Known,
    acknowledgements: Known,
    gates: Known,
}

/// The names of one kind of thing that the campaign speaks of.
struct Known {
    what: &'static str,
    code: &'static str,
    names: Vec<String>,
}

impl Known {
    fn of(entries: &Entries, what: &'static str, code: &'static str) -> Known {
        let names = match entries.get(what).map(|entry| &entry.node.value) {
            Some(Value::Table(table)) => table.keys().cloned().collect(),
            _ => Vec::new(),
        };
        Known { what, code, names }
    }

    /// The name, when something has it; otherwise a complaint where it stands.
    fn resolve(&self, report: &Report, text: Text) -> Option<String> {
        if self.names.contains(&text.value) {
            return Some(text.value);
        }
        let cause = format!("no {} is named '{}'", self.what, text.value);
        let meant = instead(&text.value, self.names.iter().map(String::as_str));
        let remedy = format!("{meant} Otherwise add [{}.{}]", self.what, text.value);
        report.absent(text.at, Finding::error(self.code, cause, remedy));
        None
    }
}

impl Context<'_> {
    /// A path below the campaign, made absolute.
    fn path(&self, text: &Text) -> PathBuf {
        let mut letters = text.value.chars();
        let drive = letters.next().is_some_and(|c| c.is_ascii_alphabetic()) && letters.next() == Some(':');
        if drive && cfg!(not(windows)) {
            let cause = format!("'{}' is a drive of Windows, and this machine has none", text.value);
            let remedy = "name the folder where the share is mounted here";
            self.report.add(text.at, Finding::warning("drive-letter", cause, remedy));
        }
        self.root.join(&text.value)
    }

    /// A path at which a file must be.
    fn file(&self, text: &Text) -> PathBuf {
        let path = self.path(text);
        if !(self.is_file)(&path) {
            let cause = format!("there is no file '{}'", text.value);
            let remedy = "create it, or correct the path; it counts from the folder of flagday.toml";
            self.report.add(text.at, Finding::error("no-such-file", cause, remedy));
        }
        path
    }
}

/// Reads the merged tree. `None` when something it cannot do without is missing or wrong; the report says what.
pub(super) fn read(
    root: &Path,
    file: PathBuf,
    entries: Entries,
    is_file: &dyn Fn(&Path) -> bool,
    read: &dyn Fn(&Path) -> std::io::Result<Vec<u8>>,
    report: &Report,
) -> Option<Campaign> {
    let mut context = Context {
        report,
        root,
        is_file,
        change: None,
        has_postoffice: entries.contains_key("msmail"),
        disks: root.join("disks"),
        audiences: Known::of(&entries, "audience", "unknown-audience"),
        packages: Known::of(&entries, "package", "unknown-package"),
        notices: Known::of(&entries, "notice", "unknown-notice"),
        acknowledgements: Known::of(&entries, "acknowledgement", "unknown-acknowledgement"),
        gates: Known::of(&entries, "gate", "unknown-gate"),
    };
    let mut all = Table::new(report, "flagday.toml", Spot::START, entries);
    let calendar = calendar::read(&mut all, &calendar::Files { root, read });
    let basics = basics::read(&mut all, calendar.week.clone());
    context.change = basics.as_ref().map(|basics| basics.change.clone());
    let context = &mut context;
    let msmail = msmail::read(&mut all, context);
    let facts = basics::facts(&mut all, msmail.as_ref());
    let mail = mail::read(&mut all, context);
    let intake = intake::mailboxes(&mut all, context);
    let web = web::read(&mut all, context);
    intake::ledger(&mut all);
    let rosters = roster::read(&mut all, context);
    let audiences = by_name(audience::read(&mut all), |audience| &audience.name);
    let packages = by_name(package::read(&mut all, context), |package| &package.name);
    let notices = by_name(notice::read(&mut all, context, &packages), |notice| &notice.name);
    let acknowledgements = by_name(acknowledgement::read(&mut all, context, &notices), |asked| &asked.name);
    let steps = step::read(&mut all, context);
    let gates = by_name(gate::read(&mut all, context, &steps, &acknowledgements), |gate| &gate.name);
    all.finish();
    let basics = basics?;
    Some(Campaign {
        root: root.to_path_buf(),
        file,
        name: basics.name,
        title: basics.title,
        playbook: basics.playbook,
        change: basics.change,
        minimum_notice: basics.minimum_notice,
        calendar,
        contact: basics.contact,
        mail: mail?,
        intake,
        web,
        rosters,
        audiences,
        packages,
        notices,
        acknowledgements,
        gates,
        steps,
        msmail,
        facts,
    })
}

fn by_name<T>(items: Vec<T>, name: impl Fn(&T) -> &String) -> IndexMap<String, T> {
    items.into_iter().map(|item| (name(&item).clone(), item)).collect()
}
