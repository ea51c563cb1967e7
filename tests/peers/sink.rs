//! Postfix's `smtp-sink`: a server that takes every message and keeps each one as a file.

use crate::need::command;
use crate::server::start_on_free_port;
use std::process::{Child, Stdio};
use tempfile::TempDir;

/// Runs until dropped.
pub struct Sink {
    pub port: u16,
    server: Child,
    messages: TempDir,
}

impl Sink {
    /// `switches` of smtp-sink(1): `["-r", "data"]` refuses DATA for now, `["-w", "2"]` answers it late.
    pub fn start(switches: &[&str]) -> Sink {
        let messages = TempDir::new().expect("a temporary folder");
        let (server, port) = start_on_free_port(|port| {
            command("smtp-sink")
                .current_dir(messages.path())
                // One file a message; smtp-sink adds something unique to the name. It insists on -u when started by
                // root, and stays who it is.
                .args(["-u", &account(), "-d", "message."])
                .args(switches)
                .args([&format!("127.0.0.1:{port}"), "64"])
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("smtp-sink starts")
        });
        Sink { port, server, messages }
    }

    /// How many messages were taken so far.
    pub fn count(&self) -> usize {
        fs_err::read_dir(self.messages.path()).expect("the sink's folder").count()
    }

    /// Every message taken so far, in no order: the envelope as `X-Mail-Args` and `X-Rcpt-Args`, then what came after
    /// DATA, with line feeds alone. A message stands here once its final dot was answered.
    pub fn messages(&self) -> Vec<String> {
        let entries = fs_err::read_dir(self.messages.path()).expect("the sink's folder");
        let text = |path| String::from_utf8_lossy(&fs_err::read(path).expect("a message")).into_owned();
        entries.map(|entry| text(entry.expect("an entry").path())).collect()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to stop.
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

fn account() -> String {
    crate::need::output(command("id").arg("-un")).trim().to_owned()
}
