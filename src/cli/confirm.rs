//! Asking before people are reached or the postoffice is changed. No terminal and no `--yes`: nothing is done.

use super::Global;
use crate::fault::{Exit, Fault, Result};
use std::io::{BufRead, IsTerminal, Write};

/// Goes on only with `--yes`, or when a person at a terminal says so.
pub fn confirm(global: &Global, what: &str) -> Result<()> {
    if global.yes {
        return Ok(());
    }
    let stdin = std::io::stdin();
    if !stdin.is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Fault::ending(
            Exit::Waiting,
            "not-confirmed",
            format!("{what}: nothing was done, because nobody is at a terminal to say yes"),
            "add --yes",
        ));
    }
    let mut err = std::io::stderr().lock();
    write!(err, "{what}. Go on? [y/N] ")?;
    err.flush()?;
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer)?;
    if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(Fault::ending(
        Exit::Waiting,
        "not-confirmed",
        "you did not say yes: nothing was done",
        "run it again when you want it",
    ))
}
