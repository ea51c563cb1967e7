//! `status --watch`: the status again and again. A terminal is drawn anew; elsewhere each change is printed once.

use super::{Global, output, status};
use crate::engine::Engine;
use crate::fault::{Exit, Result};
use crate::report::coming::coming;
use crate::report::status::Status;
use chrono::Duration;
use std::io::{ErrorKind, IsTerminal, Write};

const EVERY: std::time::Duration = std::time::Duration::from_secs(2);
/// Lines at the end that are always shown: what is next, and how old all this is.
const LAST: usize = 2;
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
            let drawn = match live.then(|| console::Term::stdout().size_checked()).flatten() {
                Some((rows, columns)) => format!("{CLEAR}{}", fitted(&text, rows.into(), columns.into())),
                None => text.clone(),
            };
            let written = std::io::stdout().lock().write_all(drawn.as_bytes());
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

/// What a terminal of this size can show at once: the gates at the top and what is next at the bottom stay in sight, and
/// what lies between gives way.
fn fitted(text: &str, rows: usize, columns: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let height = |line: &&str| line.chars().count().div_ceil(columns.max(1)).max(1);
    // The cursor stands below the last line.
    let room = rows.saturating_sub(1);
    if lines.iter().map(height).sum::<usize>() <= room {
        return text.to_owned();
    }
    let end = &lines[lines.len().saturating_sub(LAST)..];
    let mut left = room.saturating_sub(end.iter().map(height).sum::<usize>() + 1);
    let fits = |line: &&&str| {
        let taken = height(line);
        let fits = taken <= left;
        left = left.saturating_sub(taken);
        fits
    };
    let head: Vec<&str> = lines[..lines.len() - end.len()].iter().take_while(fits).copied().collect();
    let hidden = lines.len() - end.len() - head.len();
    let note = format!("… {hidden} more lines: flagday status, or a taller window");
    [head.as_slice(), &[&note], end].concat().iter().map(|line| format!("{line}\n")).collect()
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
    fn a_low_window_shows_the_beginning_and_the_end() {
        let text: String = (1..=20).map(|n| format!("line {n}\n")).collect();
        assert_eq!(fitted(&text, 21, 80), text);
        assert_eq!(
            fitted(&text, 6, 80),
            "line 1\nline 2\n… 16 more lines: flagday status, or a taller window\nline 19\nline 20\n"
        );
        for rows in 1..30 {
            let shown = fitted(&text, rows, 80);
            assert!(shown.lines().count() < rows.max(4) && shown.ends_with("line 20\n"), "{rows}");
        }
        // A line that is broken takes the room of two.
        assert_eq!(
            fitted("123456\nb\nc\nd\n", 5, 4).lines().next(),
            Some("… 2 more lines: flagday status, or a taller window")
        );
    }

    #[test]
    fn what_is_to_come_is_so_far_away() {
        for (minutes, words) in [(-5, ""), (0, ""), (1, "in 2 min"), (61, "in 1 h 1 min"), (60 * 164, "in 6 d 20 h")] {
            assert_eq!(from_now(Duration::minutes(minutes)), words);
        }
    }
}
