//! Everything that strangers write, written wrong: letters, answers, tokens and links, requests to the page. Each target
//! takes mutations of good input until its time is over, and holds what it makes of them against what may never be.
//!
//! ```text
//! FLAGDAY_FUZZ_SECONDS=600 cargo test --test fuzz        a hunt: seconds for each target; without it, part of one
//! FLAGDAY_FUZZ_SEED=…      cargo test --test fuzz reply  the same inputs once more
//! ```
//! What fails is made smaller and written to `tests/fuzz/corpus/<target>/`, which every run begins with.

#[allow(dead_code, unused_imports, reason = "each test target uses its own part of it")]
#[path = "../harness/mod.rs"]
mod harness; // the built program on a copy of the sample campaign

mod dice; // chance from a seed
mod hunt; // inputs until the time is over; what fails is kept
mod mutate; // good input made bad

mod page; // requests to the confirm page
mod reply; // what a person typed
mod report; // what mail systems write
mod token; // what says whose it is

use libtest_mimic::{Arguments, Trial};

fn main() -> std::process::ExitCode {
    let trials = vec![
        Trial::test("report", || report::hunt().map_err(Into::into)),
        Trial::test("reply", || reply::hunt().map_err(Into::into)),
        Trial::test("token", || token::hunt().map_err(Into::into)),
        Trial::test("page", || page::hunt().map_err(Into::into)),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
