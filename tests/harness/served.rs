//! `serve` as it runs: started on a free port of loopback, stopped by a signal, ended in any case.

use super::Campaign;
use mail_parser::MessageParser;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};

pub struct Served {
    pub address: SocketAddr,
    process: Child,
}

impl Campaign {
    /// Runs `serve --yes` until it is stopped; `more` goes to the command: options, variables.
    pub fn serve(&self, more: impl FnOnce(&mut Command)) -> Served {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flagday"));
        command.arg("-C").arg(self.root()).args(["serve", "--yes", "--listen", "127.0.0.1:0"]);
        command.env_remove("NOTIFY_SOCKET").env_remove("WATCHDOG_USEC");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        more(&mut command);
        let mut process = command.spawn().expect("it starts");
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().expect("piped")).read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("listening on http://").and_then(|rest| rest.strip_suffix('/'));
        let Some(address) = address.and_then(|address| address.parse().ok()) else {
            panic!("it does not listen: {line:?}; {}", Served::wait(process).1);
        };
        Served { address, process }
    }

    /// The path of the confirm page as it stands in the newest mail of a notice to this person.
    pub fn link(&self, person: &str) -> String {
        let mails = self.outbox(&format!("{person}-"));
        let bytes = fs_err::read(mails.first().expect("a mail to them")).expect("readable");
        let mail = MessageParser::default().parse(&bytes).expect("a message");
        let text = mail.body_text(0).expect("a text");
        let (_, rest) = text.split_once("/c/").unwrap_or_else(|| panic!("no link in {text}"));
        format!("/c/{}", rest.split_whitespace().next().expect("a link"))
    }
}

impl Served {
    /// SIGTERM, as a service manager sends it.
    pub fn terminate(&self) {
        let pid = Pid::from_child(&self.process);
        kill_process(pid, Signal::TERM).expect("it runs");
    }

    /// Waits for its end: how, and what it said on stderr.
    pub fn end(mut self) -> (ExitStatus, String) {
        let process = std::mem::replace(&mut self.process, idle());
        Served::wait(process)
    }

    fn wait(mut process: Child) -> (ExitStatus, String) {
        let mut said = String::new();
        process.stderr.take().expect("piped").read_to_string(&mut said).expect("UTF-8");
        (process.wait().expect("it ends"), said)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Something that ends at once, in the place of what is taken out.
fn idle() -> Child {
    Command::new("true").spawn().expect("`true` is everywhere")
}
