//! Asking before people are reached or the postoffice is changed. No terminal and no `--yes`: nothing is done.

use super::Global;
use super::output::on_stderr;
use crate::fault::{Exit, Fault, Result};
use std::io::{BufRead, IsTerminal, Write};

/// Goes on only with `--yes`, or when a person at a terminal says so.
pub fn confirm(global: &Global, what: &str) -> Result<()> {
    if global.yes {
        return Ok(());
    }
    if !at_terminal() {
        return Err(Fault::ending(
            Exit::Waiting,
            "not-confirmed",
            format!("{what}: nothing was done, because nobody is at a terminal to say yes"),
            "add --yes",
        ));
    }
    let answer = ask(&format!("{what}. Go on? [y/N] "))?;
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

/// Words that a person has to type out; `None` where nobody is at a terminal. `--yes` does not stand in for them.
pub fn typed(prompt: &str) -> Result<Option<String>> {
    if at_terminal() { ask(prompt).map(Some) } else { Ok(None) }
}

fn at_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

fn ask(prompt: &str) -> Result<String> {
    let mut err = std::io::stderr().lock();
    write!(err, "{}", on_stderr(prompt))?;
    err.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer)
}
