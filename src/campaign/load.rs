//! From the folder to the campaign: the file is read, laid over its playbook, and judged as a whole.

use super::model::Campaign;
use super::overlay;
use super::playbook;
use super::report::Report;
use super::section;
use super::source::Source;
use super::tree::{self, Entries, Node, Origin, Spot, Value};
use crate::fault::{Exit, Fault, Finding, Result};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Nobody writes a campaign this long; a file that is longer is another file.
const LARGEST: u64 = 1024 * 1024;

/// What `init` leaves for a person to fill in.
const PLACEHOLDER: &str = "change-me";

/// Reads the campaign in `root`. With it come warnings and notes.
///
/// # Errors
/// Every error and warning that was found, each with its place.
pub fn load(root: &Path) -> Result<(Campaign, Vec<Finding>)> {
    let here = root.as_os_str().is_empty() || root == Path::new(".");
    let file = if here { PathBuf::from("flagday.toml") } else { root.join("flagday.toml") };
    let text = read_file(root, &file)?;
    let root = std::path::absolute(if here { Path::new(".") } else { root })?;
    let is_file = |path: &Path| fs_err::metadata(path).is_ok_and(|found| found.is_file());
    parse(&root, file, text, &is_file, &read_at_most)
}

pub(super) fn read_at_most(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs_err::File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > LARGEST {
        true => Err(std::io::Error::other(format!("it is larger than {LARGEST} bytes"))),
        false => Ok(bytes),
    }
}

fn read_file(root: &Path, file: &Path) -> Result<String> {
    let mut bytes = Vec::new();
    let opened = match fs_err::File::open(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(Fault::new(
                "no-campaign",
                format!("there is no flagday.toml in '{}'", root.display()),
                "name the campaign's folder with -C DIR, or write a new one: flagday init DIR --playbook NAME",
            ));
        }
        opened => opened?,
    };
    opened.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        let cause = format!("{} is larger than {LARGEST} bytes", file.display());
        return Err(Fault::new("too-large", cause, "name the folder of a campaign"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(&error.as_bytes()[..good]).into_owned();
        let finding = Finding::error("not-utf-8", "the file is not UTF-8 from here on", "save it as UTF-8");
        Source::new(file.to_path_buf(), text).locate(finding, good..good).into()
    })
}

/// Reads a campaign from its text. `root` is absolute; `is_file` says what is there, `read` what is inside.
pub(super) fn parse(
    root: &Path,
    file: PathBuf,
    text: String,
    is_file: &dyn Fn(&Path) -> bool,
    read: &dyn Fn(&Path) -> std::io::Result<Vec<u8>>,
) -> Result<(Campaign, Vec<Finding>)> {
    // Some editors of Windows begin a file with a byte order mark, which is no part of the text.
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    let source = Source::new(file.clone(), text);
    let (stated, mut gaps) = tree::parse(&source, Origin::File);
    let (named, base) = match playbook(&stated) {
        None => (Spot::START, ""),
        Some((name, at)) => match playbook::find(name) {
            Ok(playbook) => (at, playbook.text),
            Err(finding) => {
                gaps.push(source.locate(finding, at.start..at.end));
                (at, "")
            }
        },
    };
    let playbook = Source::new("the playbook".into(), base.to_owned());
    let (base, _) = tree::parse(&playbook, Origin::Playbook);
    let report = Report::new(source, playbook, named);
    report.incomplete(gaps);
    placeholders(&stated, &report);
    let campaign = section::read(root, file, overlay::lay(base, stated, &report), is_file, read, &report);
    let findings = report.into_findings();
    match campaign {
        Some(campaign) if !findings.iter().any(Finding::is_error) => Ok((campaign, findings)),
        _ => Err(Fault { exit: Exit::Error, findings }),
    }
}

/// The playbook that the file names, and where.
fn playbook(stated: &Entries) -> Option<(&str, Spot)> {
    let Value::Table(campaign) = &stated.get("campaign")?.node.value else { return None };
    match &campaign.get("playbook")?.node {
        Node { value: Value::Text(name), at } => Some((name, *at)),
        _ => None,
    }
}

/// Warns of every text that `init` left to be filled in.
fn placeholders(entries: &Entries, report: &Report) {
    fn visit(node: &Node, report: &Report) {
        match &node.value {
            Value::Text(text) if text.to_ascii_lowercase().contains(PLACEHOLDER) => {
                let cause = format!("'{text}' is still what a new campaign begins with");
                report.add(node.at, Finding::warning("placeholder", cause, "fill in your own"));
            }
            Value::List(items) => items.iter().for_each(|item| visit(item, report)),
            Value::Table(entries) => placeholders(entries, report),
            _ => {}
        }
    }
    entries.values().for_each(|entry| visit(&entry.node, report));
}
