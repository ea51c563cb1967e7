//! Files that somebody has open: waited for, second by second, and then refused.

use crate::fault::{Fault, Result};
use crate::runbook::actions::Intent;

/// The code of every complaint that time may settle.
pub const IN_USE: &str = "file-in-use";

/// Whether to try again: asked with the reason and the seconds waited so far, and answered after a second's pause.
pub type Again<'a> = dyn FnMut(&str, u32) -> bool + 'a;

/// Tries until nothing is in use any more, or until the world has no more patience. `between` brings the files back to
/// where a try begins.
pub fn patiently<T>(
    again: &mut Again<'_>,
    mut attempt: impl FnMut() -> Result<T>,
    between: impl Fn() -> Result<()>,
) -> Result<T> {
    let mut waited = 0;
    loop {
        match attempt() {
            Err(fault) if is_in_use(&fault) && again(fault.cause(), waited) => {
                between()?;
                waited += 1;
            }
            outcome => return outcome,
        }
    }
}

fn is_in_use(fault: &Fault) -> bool {
    fault.findings.iter().any(|finding| finding.code == IN_USE)
}

/// Makes one change.
pub fn apply(again: &mut Again<'_>, intent: &Intent) -> Result<Vec<String>> {
    patiently(again, || intent.operation().apply(), || intent.operation().tidy())
}

/// Takes one change back.
pub fn revert(again: &mut Again<'_>, intent: &Intent) -> Result<Vec<String>> {
    patiently(again, || intent.operation().revert(), || intent.operation().tidy())
}
