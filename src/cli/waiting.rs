//! What a person sees while a step waits for a file that somebody has open: a counter on a terminal, a line now and
//! then everywhere else.

use super::output;
use crate::engine::Patience;
use indicatif::{ProgressBar, ProgressStyle};
use std::cell::OnceCell;

/// Where there is no terminal, one line in so many seconds.
const RHYTHM: u32 = 10;

/// Patience that is seen.
pub fn patience(seconds: u32, quiet: bool) -> Patience {
    if quiet {
        return Patience { seconds, ..Patience::default() };
    }
    let bar = OnceCell::new();
    let tell = move |why: &str, waited: u32, window: u32| {
        let bar: &ProgressBar = bar.get_or_init(|| counter(window));
        if bar.is_hidden() {
            if waited.is_multiple_of(RHYTHM) || waited == window {
                output::prose(&format!("in use, {waited} s of {window} s waited: {why}"));
            }
            return;
        }
        bar.set_message(output::clean(why));
        bar.set_position(waited.into());
        if waited == window {
            bar.finish_and_clear();
        }
    };
    Patience { seconds, tell: Box::new(tell) }
}

fn counter(window: u32) -> ProgressBar {
    let bar = ProgressBar::new(window.into());
    // A template that does not hold is a bar without words.
    if let Ok(style) = ProgressStyle::with_template("in use, {pos} s of {len} s waited: {wide_msg}") {
        bar.set_style(style);
    }
    bar
}
