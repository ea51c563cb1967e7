//! What every server of these tests shares: a free port, and waiting for a fact instead of for a while.

use std::net::{TcpListener, TcpStream};
use std::process::Child;
use std::time::{Duration, Instant};

/// No server here needs longer, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A port of loopback that nobody holds now. Somebody may take it before the server does: see [`start_on_free_port`].
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port of loopback");
    listener.local_addr().expect("its address").port()
}

/// Starts a server that is told its port, again on another one when it ends at once; returns when it accepts.
pub fn start_on_free_port(mut start: impl FnMut(u16) -> Child) -> (Child, u16) {
    for _ in 0..5 {
        let port = free_port();
        let mut child = start(port);
        let mut ended = false;
        wait_for("the server accepts connections", || {
            ended = child.try_wait().expect("its state").is_some();
            ended || TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        if !ended {
            return (child, port);
        }
    }
    panic!("the server ended at once on five ports");
}

/// Waits until a condition holds; a test that waits in vain fails and says for what.
#[expect(clippy::disallowed_methods, reason = "other programs run on real time, and tell nobody when they are ready")]
pub fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
