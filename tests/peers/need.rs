//! What a test needs of the machine, and the one line that says how to get it.

use libtest_mimic::{Completion, Failed, Trial};
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(Clone, Copy)]
pub enum Need {
    Program {
        name: &'static str,
        package: &'static str,
    },
    /// Postfix starts for root alone; and only root gives files away.
    Root,
    /// Mounts in a namespace of their own.
    Mounts,
}

pub const FSCK: Need = Need::Program { name: "fsck.fat", package: "dosfstools" };
pub const MTOOLS: Need = Need::Program { name: "mcopy", package: "mtools" };
pub const SMTP_SINK: Need = Need::Program { name: "smtp-sink", package: "postfix" };
pub const POSTFIX: Need = Need::Program { name: "postfix", package: "postfix" };
pub const OPENSSL: Need = Need::Program { name: "openssl", package: "openssl" };
pub const UNZIP: Need = Need::Program { name: "unzip", package: "unzip" };
pub const STRACE: Need = Need::Program { name: "strace", package: "strace" };
pub const CHATTR: Need = Need::Program { name: "chattr", package: "e2fsprogs" };
pub const SETPRIV: Need = Need::Program { name: "setpriv", package: "util-linux" };
pub const DOVECOT: Need = Need::Program { name: "dovecot", package: "dovecot-imapd" };
pub const DKIMPY: Need = Need::Program { name: "dkimverify", package: "python3-dkim" };
pub const CHROMIUM: Need = Need::Program { name: "chromium", package: "chromium" };
pub const CHROMEDRIVER: Need = Need::Program { name: "chromedriver", package: "chromium-driver" };
pub const W3M: Need = Need::Program { name: "w3m", package: "w3m" };
pub const PYTHON: Need = Need::Program { name: "python3", package: "python3" };

impl Need {
    /// Nothing when it is there, else what to do.
    fn missing(self) -> Option<String> {
        match self {
            Need::Program { name, package } if find(name).is_none() => {
                Some(format!("{name} is missing: apt-get install {package}, or run ./tests/run"))
            }
            Need::Root if !is_root() => Some("it works for root alone: run as root".to_owned()),
            Need::Mounts if !may_mount() => Some(
                "mounting in a namespace of its own is not allowed here: run as root, with CAP_SYS_ADMIN".to_owned(),
            ),
            _ => None,
        }
    }
}

/// A test that runs when all its needs are there.
pub fn trial(name: &str, needs: &[Need], body: impl FnOnce() + Send + 'static) -> Trial {
    let missing: Vec<String> = needs.iter().filter_map(|need| need.missing()).collect();
    Trial::ignorable_test(name, move || match verdict(missing, required()) {
        Some(verdict) => verdict,
        None => {
            body();
            Ok(Completion::Completed)
        }
    })
}

/// What becomes of a test before it runs; `None`: it runs.
fn verdict(missing: Vec<String>, required: bool) -> Option<Result<Completion, Failed>> {
    if missing.is_empty() {
        return None;
    }
    let line = missing.join("; ");
    Some(if required { Err(line.into()) } else { Ok(Completion::ignored_with(line)) })
}

fn required() -> bool {
    std::env::var_os("FLAGDAY_REQUIRE_PEERS").is_some_and(|value| value == "1")
}

/// A program on the path or in the system's own folders, which are not on everybody's path.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(system).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// A command for a program that the test has named among its needs.
pub fn command(name: &str) -> Command {
    Command::new(find(name).unwrap_or_else(|| panic!("{name} is missing: name it among the needs of this test")))
}

/// Runs a command to its end; its output when it succeeded.
pub fn output(command: &mut Command) -> String {
    let result = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&result.stdout).into_owned();
    let errors = String::from_utf8_lossy(&result.stderr).into_owned();
    assert!(result.status.success(), "{command:?}: {}\n{text}{errors}", result.status);
    text
}

fn may_mount() -> bool {
    let try_it = ["-m", "sh", "-c", "mount -t tmpfs none /mnt"];
    Command::new("unshare").args(try_it).output().is_ok_and(|tried| tried.status.success())
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    // The kernel's own word on who this process is.
    fs_err::metadata(Path::new("/proc/self")).is_ok_and(|own| own.uid() == 0)
}

/// The harness itself: a missing program must show, and must fail where it is required.
pub fn trials() -> Vec<Trial> {
    vec![Trial::test("a_missing_program_is_named_and_fails_where_required", || {
        let absent = Need::Program { name: "no-such-program-here", package: "nothing" };
        let line = absent.missing().expect("it is missing");
        assert!(line.contains("apt-get install nothing"), "{line}");
        assert!(matches!(verdict(vec![line.clone()], false), Some(Ok(Completion::Ignored { reason: Some(_) }))));
        assert!(matches!(verdict(vec![line], true), Some(Err(_))));
        assert!(verdict(Vec::new(), true).is_none());
        Ok(())
    })]
}
