//! A run that is cut off with SIGKILL, at an instant that only the seed decides.

use super::Campaign;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Numbers that look random and are the same in every run (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % limit.max(1)
    }
}

/// Runs a command and kills it after so long; whether it was still running then.
#[expect(clippy::disallowed_methods, reason = "the instant of the kill is the point")]
pub fn after(campaign: &Campaign, line: &str, delay: Duration) -> bool {
    let mut child = Command::new(env!("CARGO_BIN_EXE_flagday"))
        .arg("-C")
        .arg(campaign.root())
        .args(line.split_whitespace())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    std::thread::sleep(delay);
    let cut = child.try_wait().expect("its state").is_none();
    child.kill().ok(); // one that has ended by itself cannot be killed
    child.wait().expect("it ended");
    cut
}

/// How long an uninterrupted run takes on this machine, now.
pub fn duration_of(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}
