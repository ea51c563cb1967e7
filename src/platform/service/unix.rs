//! Unix: signals, the limit of open files, and the datagrams of `sd_notify(3)`.

use rustix::process::{Resource, getrlimit, setrlimit};
use std::ffi::OsStr;
use std::io::Result;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixDatagram;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM and SIGINT.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From here on neither ends the process by itself. Needs a runtime.
    pub fn new() -> Result<Signals> {
        Ok(Signals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// How many files may be open at once, after asking for as many as `wanted`: the limit that shells set is meant for
/// other programs.
pub fn open_files(wanted: u64) -> u64 {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = Some(limit.maximum.map_or(wanted, |most| most.min(wanted)));
        // Refused: what was allowed before still is.
        let _ = setrlimit(Resource::Nofile, limit);
    }
    getrlimit(Resource::Nofile).current.unwrap_or(wanted)
}

/// The service manager's socket.
#[derive(Debug)]
pub struct Manager(UnixDatagram);

impl Manager {
    /// By its path, or by its abstract name behind an `@`.
    pub fn connect(name: &OsStr) -> Option<Manager> {
        let socket = UnixDatagram::unbound().ok()?;
        // A busy manager must not hold up the work.
        socket.set_nonblocking(true).ok()?;
        match name.as_bytes().first()? {
            b'/' => socket.connect(name).ok()?,
            b'@' => connect_abstract(&socket, &name.as_bytes()[1..])?,
            _ => return None,
        }
        Some(Manager(socket))
    }

    /// A manager that is gone must not stop the work either.
    pub fn say(&self, state: &str) {
        let _ = self.0.send(state.as_bytes());
    }
}

#[cfg(target_os = "linux")]
fn connect_abstract(socket: &UnixDatagram, name: &[u8]) -> Option<()> {
    use std::os::linux::net::SocketAddrExt;
    socket.connect_addr(&std::os::unix::net::SocketAddr::from_abstract_name(name).ok()?).ok()
}

#[cfg(not(target_os = "linux"))]
fn connect_abstract(_: &UnixDatagram, _: &[u8]) -> Option<()> {
    None
}
