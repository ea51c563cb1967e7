//! A program of the site's own: an argument list without a shell, a fixed environment, bounded output, bounded time.

use super::{Operation, Stand};
use crate::fault::{Fault, Finding, Result};
use crate::platform::{INHERITED, end_group, own_group, search_path};
use crate::runbook::lookup::Paths;
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Kept of each output stream; what comes after it is read and dropped.
const OUTPUT: u64 = 1 << 20;
/// How long a program may run.
pub const LIMIT: Duration = Duration::from_secs(600);
/// How long its children may hold the output open after it has ended.
const DRAIN: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shell {
    pub run: Vec<String>,
    pub undo: Option<Vec<String>>,
    /// The working folder: the campaign's.
    pub folder: PathBuf,
    pub limit: Duration,
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub status: Option<ExitStatus>,
    pub stdout: String,
    pub stderr: String,
}

pub fn plan(run: &[String], undo: Option<&[String]>, paths: &Paths) -> Result<Shell> {
    let fill = |argv: &[String]| argv.iter().map(|word| paths.fill(word)).collect::<Vec<_>>();
    let shell =
        Shell { run: fill(run), undo: undo.map(fill), folder: paths.root("campaign")?.to_owned(), limit: LIMIT };
    for argv in [Some(&shell.run), shell.undo.as_ref()].into_iter().flatten() {
        let program = argv.first().map(String::as_str).unwrap_or_default();
        if !found(program, &shell.folder) {
            return Err(Fault::new(
                "program-missing",
                format!("the program '{program}' is not there"),
                format!("install it, or name it with its path; looked in {}", search_path()),
            ));
        }
    }
    Ok(shell)
}

fn found(program: &str, folder: &Path) -> bool {
    if program.contains(['/', '\\']) {
        return folder.join(program).is_file();
    }
    let there = |place: PathBuf| {
        let file = place.join(program);
        file.is_file() || file.with_extension(std::env::consts::EXE_EXTENSION).is_file()
    };
    !program.is_empty() && std::env::split_paths(&search_path()).any(there)
}

impl Operation for Shell {
    /// The files of a foreign program are not known here. Whoever asks must have seen it end.
    fn look(&self) -> Result<Stand> {
        Ok(Stand::Unclear(format!(
            "nobody saw '{}' end: it may have done all, some or none of its work",
            self.run.join(" ")
        )))
    }

    fn prove(&self) -> Result<Vec<Finding>> {
        Ok(Vec::new())
    }

    fn tidy(&self) -> Result<()> {
        Ok(())
    }

    fn apply(&self) -> Result<Vec<String>> {
        self.execute(&self.run)
    }

    fn seal(&self) -> Result<()> {
        Ok(())
    }

    fn revert(&self) -> Result<Vec<String>> {
        match &self.undo {
            Some(undo) => self.execute(undo),
            None => Err(Fault::new(
                "no-undo",
                format!("'{}' has no undo program", self.run.join(" ")),
                "undo its work by hand and record who did it, or go on forward",
            )),
        }
    }

    fn words(&self) -> String {
        format!("run {:?} in {}, for {} s at most", self.run, self.folder.display(), self.limit.as_secs())
    }
}

impl Shell {
    fn execute(&self, argv: &[String]) -> Result<Vec<String>> {
        crate::platform::fail::point("before program")?;
        let outcome = run(argv, &self.folder, self.limit)?;
        crate::platform::fail::point("after program")?;
        let ended = match outcome.status {
            None => {
                return Err(Fault::new(
                    "program-timeout",
                    format!("'{}' ran longer than {} s and was ended", argv.join(" "), self.limit.as_secs()),
                    "look what it has done so far",
                ));
            }
            Some(status) if status.success() => {
                let mut facts = vec![format!("'{}' ended with success", argv.join(" "))];
                facts.extend(said("stdout", &outcome.stdout));
                facts.extend(said("stderr", &outcome.stderr));
                return Ok(facts);
            }
            Some(status) => format!("ended with {status}"),
        };
        let words = outcome.stderr.lines().last().or(outcome.stdout.lines().last()).unwrap_or("it said nothing");
        Err(Fault::new(
            "program-failed",
            format!("'{}' {ended}: {words}", argv.join(" ")),
            "see to its cause: its own output says more",
        ))
    }
}

fn said(stream: &str, text: &str) -> Option<String> {
    (!text.is_empty()).then(|| format!("{stream}: {}", text.trim_end()))
}

/// Runs a program and waits for it. At the limit it and its children are ended, and there is no status.
fn run(argv: &[String], folder: &Path, limit: Duration) -> Result<Outcome> {
    let (program, arguments) = argv.split_first().map_or(("", argv), |(first, rest)| (first.as_str(), rest));
    let program = if program.contains('/') { folder.join(program) } else { PathBuf::from(program) };
    let mut command = Command::new(&program);
    command.args(arguments).current_dir(folder).env_clear();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.envs(INHERITED.iter().filter_map(|name| std::env::var_os(name).map(|value| (name, value))));
    command.envs([("PATH", search_path().as_str()), ("LANG", "C.UTF-8"), ("TZ", "UTC")]);
    own_group(&mut command);
    let mut child = command.spawn().map_err(|error| {
        Fault::new("program-start", format!("cannot start {}: {error}", program.display()), "make it executable")
    })?;
    let leader = child.id();
    let (stdout, stderr) = (collect(child.stdout.take()), collect(child.stderr.take()));
    let (ended, end) = channel();
    std::thread::spawn(move || ended.send(child.wait()));
    let status = match end.recv_timeout(limit) {
        Ok(status) => Some(status?),
        Err(_) => {
            end_group(leader);
            let _ = end.recv_timeout(DRAIN);
            None
        }
    };
    let text = |output: Receiver<Vec<u8>>| printable(&output.recv_timeout(DRAIN).unwrap_or_default());
    Ok(Outcome { status, stdout: text(stdout), stderr: text(stderr) })
}

/// Reads a stream to its end on a thread of its own, so that a program that talks much cannot block.
fn collect(stream: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        if let Some(mut stream) = stream {
            // A stream that breaks is a stream that ends: what was read counts.
            let _ = stream.by_ref().take(OUTPUT).read_to_end(&mut kept);
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        }
        sender.send(kept)
    });
    receiver
}

/// Text without control characters, which could speak to a terminal later.
fn printable(bytes: &[u8]) -> String {
    let shown = |c: char| if c.is_control() && !matches!(c, '\n' | '\t') { '\u{FFFD}' } else { c };
    String::from_utf8_lossy(bytes).replace("\r\n", "\n").chars().map(shown).collect()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn sh(script: &str, limit: Duration) -> (tempfile::TempDir, Result<Vec<String>>) {
        let root = tempfile::tempdir().expect("a folder");
        let run = ["sh", "-c", script].map(str::to_owned).to_vec();
        let shell = Shell { run, undo: None, folder: root.path().to_owned(), limit };
        let outcome = shell.apply();
        (root, outcome)
    }

    #[test]
    fn a_program_has_a_fixed_environment_and_what_it_says_is_kept() {
        let (_root, facts) = sh("env | sort; printf 'a\\033[2Jb' >&2", LIMIT);
        let facts = facts.expect("success").join("\n");
        assert!(facts.contains("LANG=C.UTF-8") && !facts.contains("HOME="), "{facts}");
        assert!(facts.contains("a\u{FFFD}[2Jb"), "{facts}");
    }

    #[test]
    fn a_status_other_than_zero_is_a_failure_with_its_last_words() {
        let (_root, facts) = sh("echo no licence >&2; exit 137", LIMIT);
        let fault = facts.expect_err("failed");
        assert!(fault.cause().contains("137") && fault.cause().contains("no licence"), "{fault}");
    }

    #[test]
    fn at_the_limit_the_program_and_its_children_are_ended() {
        let (root, facts) = sh("(sleep 1; touch LATE) & sleep 60", Duration::from_millis(200));
        assert!(facts.expect_err("ended").cause().contains("was ended"));
        let (_other, _) = sh("sleep 2", LIMIT);
        assert!(!root.path().join("LATE").exists());
    }

    #[test]
    fn a_flood_of_output_is_cut_and_blocks_nothing() {
        let (_root, facts) = sh("head -c 3000000 /dev/zero | tr '\\0' x", LIMIT);
        let longest = facts.expect("success").iter().map(String::len).max().expect("facts");
        assert_eq!(longest, OUTPUT as usize + "stdout: ".len());
    }

    #[test]
    fn a_program_that_is_not_there_is_refused_before_anything_runs() {
        let paths = Paths::new([("campaign", std::env::temp_dir())]);
        let fault = plan(&["no-such-program-here".to_owned()], None, &paths).expect_err("refused");
        assert_eq!(fault.findings[0].code, "program-missing");
    }
}
