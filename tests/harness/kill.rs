//! A run that is cut off with SIGKILL, at an instant that only the seed decides.

use super::Campaign;
use std::process::{Child, Command, Stdio};
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
    let child = start(campaign, line);
    std::thread::sleep(delay);
    end(child)
}

/// Runs a command and kills it as soon as something is so; whether it was still running then. Two minutes are enough.
#[allow(dead_code, reason = "two test programs share the harness, and one of them needs all of it")]
#[expect(clippy::disallowed_methods, reason = "looking without a pause would slow down what is looked at")]
pub fn when(campaign: &Campaign, line: &str, is_so: impl Fn() -> bool) -> bool {
    let (mut child, begun) = (start(campaign, line), Instant::now());
    while child.try_wait().expect("its state").is_none() && !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(120), "`{line}` neither ends nor gets anywhere");
        std::thread::sleep(Duration::from_millis(5));
    }
    end(child)
}

fn start(campaign: &Campaign, line: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flagday"));
    command.arg("-C").arg(campaign.root()).args(line.split_whitespace());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts")
}

fn end(mut child: Child) -> bool {
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
