//! Ctrl-C and SIGTERM while messages are on their way: the first ends the run after those in hand, so that none is left in
//! doubt; the second ends it at once.

use super::output;
use crate::fault::Result;
use crate::platform::Signals;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How a shell calls a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// A flag that the first signal raises. From here on signals end nothing by themselves.
pub fn flag() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&stop);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut signals = runtime.block_on(async { Signals::new() })?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            signals.next().await;
            raised.store(true, Ordering::Relaxed);
            output::prose("stopping after the messages in hand; once more to stop at once");
            signals.next().await;
            std::process::exit(INTERRUPTED);
        });
    });
    Ok(stop)
}
