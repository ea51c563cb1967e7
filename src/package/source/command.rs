//! A program that makes one person's files. It is run without a shell, once for each person, and leaves the files in a
//! folder of its own.

use super::folder::{self, located};
use crate::campaign::{Campaign, Package};
use crate::fault::{Finding, Place};
use crate::package::bounds::Bounds;
use crate::package::files::FileSet;
use crate::platform::{end_group, ended_within, own_group};
use crate::roster::Person;
use fs_err as fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(60);

/// So much of what a failing program said is shown, from the end.
const SAID_MAX: u64 = 2000;

#[derive(Debug)]
pub struct Program<'a> {
    argv: &'a [String],
    root: &'a Path,
    place: &'a Place,
    bounds: Bounds,
    timeout: Duration,
}

impl<'a> Program<'a> {
    pub fn new(argv: &'a [String], campaign: &'a Campaign, package: &'a Package) -> Self {
        let bounds = Bounds::of(package.medium);
        Program { argv, root: &campaign.root, place: &package.place, bounds, timeout: TIMEOUT }
    }

    pub fn gather(&self, person: &Person) -> Result<FileSet, Vec<Finding>> {
        let temporary = tempfile::Builder::new().prefix("flagday").tempdir().map_err(|error| self.failed(error))?;
        let out = temporary.path().join("out");
        fs::create_dir(&out).map_err(|error| self.failed(error))?;
        let [program, arguments @ ..] = &self.filled(person, &out)?[..] else {
            return Err(self.failed("no program is stated"));
        };
        let mut said = tempfile::tempfile_in(temporary.path()).map_err(|error| self.failed(error))?;
        let status = self
            .run(program, arguments, &said)
            .map_err(|error| self.failed(format!("{program} cannot be run: {error}")))?;
        match status {
            Some(status) if status.success() => {}
            Some(status) => {
                let cause = format!("{program} ended with {status} for {}: {}", person.id, last_words(&mut said));
                return Err(self.failed(cause));
            }
            None => {
                let seconds = self.timeout.as_secs_f32();
                let cause = format!(
                    "{program} did not end within {seconds} s for {} and was stopped: {}",
                    person.id,
                    last_words(&mut said)
                );
                return Err(self.failed(cause));
            }
        }
        // The temporary folder is gone when anybody reads of it: the place is the line that states the command.
        let files = folder::read(&out, self.bounds).map_err(|findings| self.made(person, findings))?;
        if files.is_empty() {
            return Err(self.failed(format!("{program} left no files in {{out}} for {}", person.id)));
        }
        let plain = files.iter().cloned().collect();
        FileSet::within(self.bounds, plain).map_err(|findings| located(findings, self.place))
    }

    /// The words of the command with the person's own put in. A word of the person is never split.
    fn filled(&self, person: &Person, out: &Path) -> Result<Vec<String>, Vec<Finding>> {
        let mailbox = person.mailbox.as_deref();
        if mailbox.is_none() && self.argv.iter().any(|word| word.contains("{mailbox}")) {
            let cause = format!("the command asks for {{mailbox}}, and {} has none", person.id);
            return Err(vec![
                Finding::error("command-mailbox", cause, "fill in the column mailbox").at(person.place.clone()),
            ]);
        }
        let out =
            out.to_str().ok_or_else(|| self.failed("the folder for temporary files has a name that is no text"))?;
        let values = [("{person}", person.id.as_str()), ("{mailbox}", mailbox.unwrap_or_default()), ("{out}", out)];
        Ok(self.argv.iter().map(|word| fill(word, &values)).collect())
    }

    /// `None` when the time was over. The program's whole group is stopped at the end in any case, so that nothing it
    /// started goes on writing.
    fn run(&self, program: &str, arguments: &[String], said: &std::fs::File) -> std::io::Result<Option<ExitStatus>> {
        let program = if program.contains('/') { self.root.join(program) } else { PathBuf::from(program) };
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.root);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said.try_clone()?);
        own_group(&mut command);
        let mut child = Reaped(command.spawn()?);
        let ended = ended_within(&mut child.0, self.timeout)?;
        child.stop();
        let status = child.0.wait()?;
        Ok(ended.then_some(status))
    }

    fn made(&self, person: &Person, findings: Vec<Finding>) -> Vec<Finding> {
        let name = |mut finding: Finding| {
            finding.cause = format!("what the command left for {}: {}", person.id, finding.cause);
            finding.at(self.place.clone())
        };
        findings.into_iter().map(name).collect()
    }

    fn failed(&self, cause: impl ToString) -> Vec<Finding> {
        let remedy = "run the command by hand for this person, and see to its own message";
        vec![Finding::error("command-failed", cause.to_string(), remedy).at(self.place.clone())]
    }
}

/// A child that does not outlive an early return.
struct Reaped(Child);

impl Reaped {
    fn stop(&mut self) {
        // The group may have ended by itself.
        end_group(self.0.id());
    }
}

impl Drop for Reaped {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            self.stop();
            let _ = self.0.wait();
        }
    }
}

/// Replaces placeholders in one pass, so that a value which looks like a placeholder stays what it is.
fn fill(word: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::new();
    let mut rest = word;
    while let Some(at) = rest.find('{') {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        let (name, value) = values.iter().find(|(name, _)| rest.starts_with(name)).copied().unwrap_or(("{", "{"));
        filled.push_str(value);
        rest = &rest[name.len()..];
    }
    filled + rest
}

fn last_words(said: &mut std::fs::File) -> String {
    let mut bytes = Vec::new();
    let read = said.seek(SeekFrom::End(0)).and_then(|length| {
        said.seek(SeekFrom::Start(length.saturating_sub(SAID_MAX)))?;
        said.take(SAID_MAX).read_to_end(&mut bytes)
    });
    let words: String = String::from_utf8_lossy(&bytes).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match (read, words.trim()) {
        (Err(error), _) => format!("(its message cannot be read: {error})"),
        (Ok(_), "") => "it said nothing".to_owned(),
        (Ok(_), words) => words.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{PackageFormat, PackageSource};
    use crate::package::sample;
    use std::time::Instant;

    fn run(script: &str, person: &Person, timeout: Duration) -> Result<FileSet, Finding> {
        let argv = ["sh", "-c", script, "sh", "{out}", "{person}", "{mailbox}"].map(str::to_owned);
        let root = tempfile::tempdir().expect("a folder");
        let campaign = sample::campaign(root.path());
        let package = sample::package(PackageFormat::Zip, PackageSource::Command { argv: argv.to_vec() });
        let program = Program { timeout, ..Program::new(&argv, &campaign, &package) };
        program.gather(person).map_err(|mut findings| findings.remove(0))
    }

    #[test]
    fn a_program_leaves_the_files_of_one_person() {
        let person = sample::person("$(touch /tmp/x) {out}");
        let files = run("printf '%s' \"$2\" > \"$1/id.txt\"; echo noise", &person, TIMEOUT).expect("one file");
        assert_eq!(files.get("ID.TXT").expect("there").bytes, b"$(touch /tmp/x) {out}");
        assert_eq!(files.place(), None);
    }

    #[test]
    fn a_program_that_fails_is_told_with_its_own_words() {
        let person = sample::person("ADAMS");
        let finding = run("echo no paper >&2; exit 3", &person, TIMEOUT).expect_err("it fails");
        assert!(finding.cause.contains("exit status: 3 for ADAMS: no paper"), "{}", finding.cause);
        assert_eq!(finding.place, Some(Place::new("flagday.toml", 20, 1)));
        assert!(run("true", &person, TIMEOUT).expect_err("no files").cause.contains("left no files"));
        assert!(run("mkdir \"$1/SUB\"", &person, TIMEOUT).expect_err("a folder").cause.contains("for ADAMS: \"SUB\""));
        let nobody = Person { mailbox: None, ..person };
        assert_eq!(run("true", &nobody, TIMEOUT).expect_err("no mailbox").code, "command-mailbox");
    }

    #[test]
    fn a_program_that_does_not_end_is_stopped_with_all_it_started() {
        let begun = Instant::now();
        let marker = tempfile::tempdir().expect("a folder");
        let late = marker.path().join("late");
        let script = format!("(sleep 2; touch '{}') & sleep 60", late.display());
        let finding = run(&script, &sample::person("ADAMS"), Duration::from_millis(200)).expect_err("too slow");
        assert!(finding.cause.contains("did not end within 0.2 s"), "{}", finding.cause);
        assert!(begun.elapsed() < Duration::from_secs(10));
        let (_keep, wait) = std::sync::mpsc::channel::<()>();
        assert!(wait.recv_timeout(Duration::from_millis(2500)).is_err());
        assert!(!late.exists(), "the program's child went on");
    }

    #[test]
    fn a_program_that_is_missing_is_told() {
        let argv = ["./no-such-program".to_owned()];
        let campaign = sample::campaign(Path::new("/"));
        let package = sample::package(PackageFormat::Zip, PackageSource::Command { argv: argv.to_vec() });
        let program = Program::new(&argv, &campaign, &package);
        assert!(program.gather(&sample::person("ADAMS")).expect_err("missing")[0].cause.contains("cannot be run"));
    }
}
