//! `status --watch`: the status again and again. A terminal is drawn anew; elsewhere each change is printed once.

use super::{Global, output, status};
use crate::engine::Engine;
use crate::fault::{Exit, Result};
use crate::report::coming::coming;
use crate::report::status::Status;
use chrono::Duration;
use std::io::{ErrorKind, IsTerminal, Write};

const EVERY: std::time::Duration = std::time::Duration::from_secs(2);
/// Timed actions shown.
const COMING: usize = 6;
/// Clears what is shown and goes to the top (ECMA-48: ED, CUP).
const CLEAR: &str = "\x1b[2J\x1b[H";

/// Until it is interrupted, or until nobody reads any more.
pub fn watch(global: &Global) -> Result<Exit> {
    let live = std::io::stdout().is_terminal() && !global.json;
    let mut shown = String::new();
    loop {
        let text = match global.open().and_then(|engine| picture(&engine, global, live)) {
            Ok(text) => text,
            // A file in the middle of being edited: the next look may find it whole.
            Err(fault) if !shown.is_empty() => format!("{fault}\n"),
            Err(fault) => return Err(fault),
        };
        if text != shown {
            let before = if live { CLEAR } else { "" };
            let written = std::io::stdout().lock().write_all(format!("{before}{text}").as_bytes());
            match written.and_then(|()| std::io::stdout().flush()) {
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(Exit::Done),
                other => other?,
            }
            shown = text;
        }
        std::thread::park_timeout(EVERY);
    }
}

fn picture(engine: &Engine, global: &Global, live: bool) -> Result<String> {
    let status = Status::of(engine)?;
    if global.json {
        return Ok(format!("{}\n", serde_json::to_string(&status)?));
    }
    let zone = engine.campaign.change.zone;
    let local = |at: chrono::DateTime<chrono::Utc>| at.with_timezone(&zone).format("%a %F %H:%M %Z").to_string();
    let mut text = status::text(&status, &engine.campaign.title, &local);
    let now = engine.now();
    let rows = coming(engine, COMING)?.into_iter().map(|planned| {
        // How long it is until then changes all the time: for a terminal only.
        let until = if live { from_now(planned.at - now) } else { String::new() };
        vec![local(planned.at), until, planned.what, planned.notice, planned.audience, planned.state]
    });
    text += &format!("\n{}", output::table(&["when", "", "what", "notice", "to", "state"], rows));
    text += &format!("\nNext: {}\n", status.next);
    if live {
        text += &format!("{}, looked at every {} s; Ctrl-C ends\n", local(now), EVERY.as_secs());
    } else {
        text += "\n";
    }
    Ok(text)
}

/// `in 6 d 20 h`, `in 5 min`; empty for what is past.
fn from_now(left: Duration) -> String {
    let (days, hours, minutes) = (left.num_days(), left.num_hours() % 24, left.num_minutes() % 60);
    match () {
        () if left <= Duration::zero() => String::new(),
        () if days > 0 => format!("in {days} d {hours} h"),
        () if left.num_hours() > 0 => format!("in {hours} h {minutes} min"),
        () => format!("in {} min", minutes + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_come_is_so_far_away() {
        for (minutes, words) in [(-5, ""), (0, ""), (1, "in 2 min"), (61, "in 1 h 1 min"), (60 * 164, "in 6 d 20 h")] {
            assert_eq!(from_now(Duration::minutes(minutes)), words);
        }
    }
}
