//! Where a person's files come from: collected from what ADMIN wrote, rendered from a recipe, or made by a program.

use super::files::FileSet;
use super::floppy;
use crate::campaign::{Campaign, Package, PackageSource};
use crate::fault::{Fault, Finding};
use crate::roster::Person;
use fs_err as fs;
use handlebars::Handlebars;
use oem_cp::code_table::ENCODING_TABLE_CP437;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// The largest file that any floppy could hold, and one more.
const FILE: u64 = 1_457_664 + 1;
const TIMEOUT: Duration = Duration::from_secs(60);

/// A person's files, or everything that is wrong with them.
pub(super) fn gather(package: &Package, person: &Person, campaign: &Campaign) -> Result<FileSet, Vec<Finding>> {
    match &package.source {
        PackageSource::Collected { from } => collected(from, person),
        PackageSource::Recipe { from } => recipe(from, person, campaign),
        PackageSource::Command { argv } => command(argv, person),
    }
}

fn collected(from: &Path, person: &Person) -> Result<FileSet, Vec<Finding>> {
    let name = person.mailbox.as_deref().unwrap_or(&person.id);
    let wanted = |entry: &str| entry.eq_ignore_ascii_case(name) || entry.eq_ignore_ascii_case(&format!("{name}.img"));
    let entries = fs::read_dir(from).map_err(|error| {
        let remedy = "state where the disks are: `disks` in [msmail], or `from` of the package";
        vec![Finding::error("disks-unreadable", error.to_string(), remedy)]
    })?;
    let found: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .filter(|entry| wanted(&entry.file_name().to_string_lossy()))
        .map(|entry| entry.path())
        .collect();
    match found.as_slice() {
        [path] if path.is_dir() => folder(path),
        [path] => {
            let bytes = bounded(path).map_err(|finding| vec![finding])?;
            floppy::read(&bytes).map_err(|finding| vec![finding.in_file(path)])
        }
        [] => {
            let cause = format!("no disk of {name} in {}: neither a folder {name} nor {name}.img", from.display());
            let remedy = "make it with ADMIN, Remote > Init-Disk, after Regenerate; SUBST gives it a folder";
            Err(vec![Finding::error("disk-missing", cause, remedy).article("Q103291").at(person.place.clone())])
        }
        several => {
            let names: Vec<_> = several.iter().map(|path| path.display().to_string()).collect();
            let cause = format!("{name} has several disks: {}", names.join(", "));
            Err(vec![
                Finding::error("disk-twice", cause, "keep the newest, move the other away").at(person.place.clone()),
            ])
        }
    }
}

/// The files of a folder; anything that is no plain file is a finding.
fn folder(path: &Path) -> Result<FileSet, Vec<Finding>> {
    let mut files = FileSet::default();
    let mut findings = Vec::new();
    let entries = fs::read_dir(path)
        .map_err(|error| vec![Finding::error("disk-unreadable", error.to_string(), "give the right to read it")])?;
    for entry in entries.filter_map(Result::ok) {
        let file = entry.path();
        let plain = entry.file_type().is_ok_and(|kind| kind.is_file());
        if !plain {
            let cause = format!("{} is no plain file", file.display());
            findings.push(
                Finding::error("disk-not-a-file", cause, "an init disk has files only: move it away").in_file(&file),
            );
            continue;
        }
        let modified = entry.metadata().ok().and_then(|found| found.modified().ok());
        let modified = modified.map(|at| chrono::DateTime::<chrono::Utc>::from(at).timestamp_millis());
        let added = bounded(&file).and_then(|bytes| files.add(&entry.file_name().to_string_lossy(), bytes, modified));
        findings.extend(added.err().map(|finding| finding.in_file(&file)));
    }
    if findings.is_empty() { Ok(files) } else { Err(findings) }
}

fn bounded(path: &Path) -> Result<Vec<u8>, Finding> {
    let unreadable =
        |error: std::io::Error| Finding::error("disk-unreadable", error.to_string(), "give the right to read it");
    let size = fs::metadata(path).map_err(unreadable)?.len();
    // An image is larger than any file on it by what FAT needs for itself.
    if size > FILE + 64 * 1024 {
        let cause = format!("{} has {size} bytes, more than any floppy", path.display());
        return Err(Finding::error("disk-file-size", cause, "see what it is, and move it away"));
    }
    fs::read(path).map_err(unreadable)
}

/// Every file of the recipe; `.hbs` files are rendered for the person, with CRLF, in CP437.
fn recipe(from: &Path, person: &Person, campaign: &Campaign) -> Result<FileSet, Vec<Finding>> {
    let raw = folder_any_name(from)?;
    let mut files = FileSet::default();
    let mut findings = Vec::new();
    for (name, path) in raw {
        let result = match name.strip_suffix(".hbs") {
            None => bounded(&path).and_then(|bytes| files.add(&name, bytes, None)),
            Some(name) => render(&path, person, campaign).and_then(|bytes| files.add(name, bytes, None)),
        };
        findings
            .extend(result.err().map(|finding| if finding.place.is_none() { finding.in_file(&path) } else { finding }));
    }
    if findings.is_empty() { Ok(files) } else { Err(findings) }
}

fn folder_any_name(from: &Path) -> Result<Vec<(String, PathBuf)>, Vec<Finding>> {
    let unreadable = |error: std::io::Error| {
        vec![Finding::error("recipe-unreadable", error.to_string(), "state the folder of the recipe as `from`")]
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(from).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if entry.file_type().map_err(unreadable)?.is_file() {
            found.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
        }
    }
    found.sort();
    Ok(found)
}

fn render(path: &Path, person: &Person, campaign: &Campaign) -> Result<Vec<u8>, Finding> {
    let text = fs::read_to_string(path)
        .map_err(|error| Finding::error("recipe-unreadable", error.to_string(), "save it as UTF-8 text"))?;
    let mut data = super::readme::facts(campaign);
    let columns = super::readme::columns(person);
    data.insert("person".into(), serde_json::json!(columns));
    render_text(&text, path, &data)
}

/// Renders strictly and encodes for DOS: a missing variable or a character CP437 does not have is a finding.
pub(super) fn render_text(
    text: &str,
    path: &Path,
    data: &BTreeMap<String, serde_json::Value>,
) -> Result<Vec<u8>, Finding> {
    let place = |line: Option<usize>, column: Option<usize>| {
        crate::fault::Place::new(path, line.unwrap_or(0) as u32, column.unwrap_or(0) as u32)
    };
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    engine.register_escape_fn(handlebars::no_escape);
    let template = handlebars::Template::compile(text).map_err(|error| {
        let at = error.pos().map(|(line, column)| place(Some(line), Some(column))).unwrap_or(place(None, None));
        Finding::error("recipe-template", format!("no template: {}", error.reason()), "correct it").at(at)
    })?;
    engine.register_template("recipe", template);
    let text = engine.render("recipe", data).map_err(|error| {
        let remedy = "use person.COLUMN, fact.NAME, change.date, change.time, change.zone or contact";
        Finding::error("recipe-variable", error.reason().to_string(), remedy).at(place(error.line_no, error.column_no))
    })?;
    let text = text.replace("\r\n", "\n").replace('\n', "\r\n");
    oem_cp::encode_string_checked(text.as_str(), &ENCODING_TABLE_CP437).ok_or_else(|| {
        let strange = text.chars().find(|c| oem_cp::encode_char_checked(*c, &ENCODING_TABLE_CP437).is_none());
        let cause = format!("DOS code page 437 has no '{}'", strange.unwrap_or('?'));
        Finding::error("recipe-character", cause, "write it with letters that DOS knows").at(place(None, None))
    })
}

/// A program run once per person; what it leaves in `{out}` is the set.
fn command(argv: &[String], person: &Person) -> Result<FileSet, Vec<Finding>> {
    let failed = |cause: String| vec![Finding::error("command-failed", cause, "run it by hand for this person")];
    let out = tempfile::tempdir().map_err(|error| failed(error.to_string()))?;
    let fill = |text: &String| {
        text.replace("{person}", &person.id)
            .replace("{mailbox}", person.mailbox.as_deref().unwrap_or(""))
            .replace("{out}", &out.path().to_string_lossy())
    };
    let filled: Vec<String> = argv.iter().map(fill).collect();
    let Some((program, arguments)) = filled.split_first() else { return Err(failed("no program is stated".into())) };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(format!("`{program}` does not start: {error}")))?;
    let mut errors = child.stderr.take();
    let (tell, hear) = mpsc::channel();
    std::thread::spawn(move || {
        let mut words = Vec::new();
        if let Some(errors) = &mut errors {
            // Reading to the end waits for the program, so hearing nothing means that it still runs.
            let _ = std::io::Read::read_to_end(&mut std::io::Read::take(errors, 64 * 1024), &mut words);
        }
        let _ = tell.send(words);
    });
    let words = match hear.recv_timeout(TIMEOUT) {
        Ok(words) => words,
        Err(_) => {
            let _ = child.kill();
            let _ = child.wait();
            return Err(failed(format!("`{program}` did not end within {} s for {}", TIMEOUT.as_secs(), person.id)));
        }
    };
    let status = child.wait().map_err(|error| failed(error.to_string()))?;
    if !status.success() {
        let words = String::from_utf8_lossy(&words);
        return Err(failed(format!("`{program}` ended with {status} for {}: {}", person.id, words.trim())));
    }
    folder(out.path())
}

impl From<Vec<Finding>> for Fault {
    fn from(findings: Vec<Finding>) -> Fault {
        Fault { exit: crate::fault::Exit::Error, findings }
    }
}
