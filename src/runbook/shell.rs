//! A program without a shell: argument by argument, its output bounded, its time limited.

use crate::fault::{Fault, Result};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(600);
/// Of the output that is shown, in characters.
const SHOWN: usize = 2000;

/// Runs it to its end; anything but success is a fault with the program's own words.
pub(super) fn run(argv: &[String]) -> Result<Output> {
    run_within(argv, TIMEOUT)
}

fn run_within(argv: &[String], timeout: Duration) -> Result<Output> {
    let name = argv.join(" ");
    let Some((program, arguments)) = argv.split_first() else {
        return Err(Fault::new(
            "shell-empty",
            "there is no program to run",
            "state `run = [\"program\", \"argument\"]`",
        ));
    };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    own_group(&mut command);
    let child = command.spawn().map_err(|error| {
        Fault::new("shell-start", format!("`{name}` does not start: {error}"), "check its name and path")
    })?;
    let id = child.id();
    let (done, waiting) = mpsc::channel();
    std::thread::spawn(move || done.send(child.wait_with_output()));
    let output = match waiting.recv_timeout(timeout) {
        Ok(output) => output?,
        Err(_) => {
            kill_group(id);
            let cause = format!("`{name}` did not end within {} s and was stopped", timeout.as_secs());
            return Err(Fault::new("shell-timeout", cause, "see what it has done by then before anything else"));
        }
    };
    if output.status.success() {
        return Ok(output);
    }
    let words: String = String::from_utf8_lossy(&output.stderr).trim().chars().take(SHOWN).collect();
    Err(Fault::new("shell-failed", format!("`{name}` ended with {}: {words}", output.status), "see to its own message"))
}

#[cfg(unix)]
fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(unix)]
fn kill_group(id: u32) {
    use rustix::process::{Pid, Signal, kill_process_group};
    if let Some(pid) = Pid::from_raw(id as i32) {
        // It may have ended by itself in between.
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

#[cfg(not(unix))]
fn own_group(_: &mut Command) {}

#[cfg(not(unix))]
fn kill_group(_: u32) {}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_program_that_fails_says_why_and_one_that_hangs_is_stopped() {
        assert!(run(&argv(&["true"])).is_ok());
        let fault = run(&argv(&["sh", "-c", "echo no paper >&2; exit 3"])).expect_err("it fails");
        assert!(fault.cause().contains("no paper") && fault.cause().contains('3'), "{}", fault.cause());
        let fault =
            run_within(&argv(&["sh", "-c", "sleep 60 & wait"]), Duration::from_millis(100)).expect_err("it hangs");
        assert_eq!(fault.findings[0].code, "shell-timeout");
        assert_eq!(run(&argv(&["/no/such/program"])).expect_err("it is missing").findings[0].code, "shell-start");
        assert_eq!(run(&[]).expect_err("nothing").findings[0].code, "shell-empty");
    }
}
