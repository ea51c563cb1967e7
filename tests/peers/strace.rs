//! The system calls of one run of the program, listed by strace; and the same run again with one of them cut off or
//! failed. No root is needed: a process may trace its own children.

use crate::need::command;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// One call of a run: the `nth` of its name within its thread, as strace counts when it injects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub name: String,
    pub nth: usize,
    /// It may change a file: killed before any other call, a process leaves what it leaves before this one.
    pub changes: bool,
    /// It looks at a file, and not at what the kernel tells of programs.
    pub touches: bool,
}

/// What becomes of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// SIGKILL before the call is carried out.
    Kill,
    /// The call does nothing and gives this error.
    Error(&'static str),
}

impl Fault {
    pub const ERRORS: [Fault; 5] = [
        Fault::Error("EIO"),
        Fault::Error("ENOSPC"),
        Fault::Error("EACCES"),
        Fault::Error("EROFS"),
        Fault::Error("EINTR"),
    ];
}

impl Call {
    /// No disk is too full, and no volume too read-only, to be looked at.
    pub fn can(&self, fault: Fault) -> bool {
        self.changes || !matches!(fault, Fault::Error("ENOSPC" | "EROFS"))
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fault::Kill => f.write_str("killed"),
            Fault::Error(name) => f.write_str(name),
        }
    }
}

/// Calls that change names, bytes, times, modes or locks, or that make a change durable. `openat` counts where it
/// creates.
const CHANGING: [&str; 40] = [
    "write",
    "writev",
    "pwrite64",
    "pwritev",
    "pwritev2",
    "ftruncate",
    "truncate",
    "fallocate",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "rmdir",
    "mkdir",
    "mkdirat",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "fsync",
    "fdatasync",
    "sync_file_range",
    "msync",
    "chmod",
    "fchmod",
    "fchmodat",
    "fchmodat2",
    "chown",
    "lchown",
    "fchown",
    "fchownat",
    "utimensat",
    "setxattr",
    "lsetxattr",
    "fsetxattr",
    "copy_file_range",
    "sendfile",
    "flock",
    "exit_group",
];

/// Calls that look at files and can fail.
const TOUCHING: [&str; 11] = [
    "openat",
    "read",
    "pread64",
    "lseek",
    "statx",
    "newfstatat",
    "fstat",
    "getdents64",
    "fcntl",
    "fstatfs",
    "faccessat2",
];

/// Every call of a clean run of `program`, in order, and how the run ended.
pub fn calls(mut program: Command, trace: &Path) -> (Vec<Call>, Output) {
    let mut strace = command("strace");
    strace.args(["-f", "-qq", "-e", "signal=none", "-o"]).arg(trace);
    let output = under(&mut strace, &mut program).output().expect("strace runs");
    let text = fs_err::read(trace).expect("strace wrote its list");
    (listed(&String::from_utf8_lossy(&text)), output)
}

/// The same run with one call hit.
pub fn hit(mut program: Command, call: &Call, fault: Fault) -> Output {
    let mut strace = command("strace");
    let what = match fault {
        Fault::Kill => "signal=KILL".to_owned(),
        Fault::Error(name) => format!("error={name}"),
    };
    strace.args(["-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", &format!("trace={}", call.name)]);
    strace.args(["-e", &format!("inject={}:{what}:when={}", call.name, call.nth)]);
    under(&mut strace, &mut program).output().expect("strace runs")
}

fn under<'c>(strace: &'c mut Command, program: &mut Command) -> &'c mut Command {
    strace.arg("--").arg(program.get_program()).args(program.get_args()).stdin(Stdio::null())
}

/// `1234 renameat2(3, "P1", 3, "POLD", RENAME_NOREPLACE) = 0`
fn listed(text: &str) -> Vec<Call> {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut calls: Vec<Call> = Vec::new();
    for line in text.lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let Some((name, arguments)) = rest.trim_start().split_once('(') else { continue };
        // The first call of a run is its own start; `<... resumed>` is the second half of a call that was counted.
        if name == "execve" || name.is_empty() || !name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_') {
            continue;
        }
        let nth = counts.entry((thread, name)).or_default();
        *nth += 1;
        let call = Call {
            name: name.to_owned(),
            nth: *nth,
            touches: TOUCHING.contains(&name) && !arguments.contains("/proc/") && !arguments.contains("/lib"),
            changes: CHANGING.contains(&name) || (name == "openat" && arguments.contains("O_CREAT")),
        };
        // Two threads may both have an nth call of a name: hitting it hits both.
        if !calls.contains(&call) {
            calls.push(call);
        }
    }
    calls
}

/// The list is read as strace writes it.
pub fn reads_its_list() {
    let text = "7 execve(\"/bin/x\", [\"x\"], 0x7ffe) = 0\n\
                7 openat(AT_FDCWD, \"/etc/a\", O_RDONLY|O_CLOEXEC) = 3\n\
                7 openat(3, \"FD.TMP\", O_RDWR|O_CREAT|O_EXCL, 0600) = 4\n\
                8 fsync(4 <unfinished ...>\n\
                8 <... fsync resumed>) = 0\n\
                7 +++ exited with 0 +++\n";
    let seen: Vec<_> = listed(text).into_iter().map(|call| (call.name, call.nth, call.changes)).collect();
    let call = |name: &str, nth, changes| (name.to_owned(), nth, changes);
    assert_eq!(seen, [call("openat", 1, false), call("openat", 2, true), call("fsync", 1, true)]);
}
