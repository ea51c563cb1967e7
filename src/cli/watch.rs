//! `status --watch`: the status again and again. A terminal is drawn anew; elsewhere each change is printed once.

use super::wrap::wrapped;
use super::{Global, status};
use crate::engine::Engine;
use crate::fault::{Exit, Result};
use crate::report::agenda::coming;
use crate::report::status::Status;
use chrono::Duration;
use std::io::{ErrorKind, IsTerminal, Write};

const EVERY: std::time::Duration = std::time::Duration::from_secs(2);
/// Moments of the calendar shown.
const COMING: usize = 6;
/// Clears what is shown and goes to the top (ECMA-48: ED, CUP).
const CLEAR: &str = "\x1b[2J\x1b[H";

/// What is shown: where things stand, what the calendar brings, and what is to be done next.
struct Picture {
    status: String,
    coming: String,
    last: String,
}

/// Until it is interrupted, or until nobody reads any more.
pub fn watch(global: &Global) -> Result<Exit> {
    let live = std::io::stdout().is_terminal() && !global.json;
    let mut shown = String::new();
    loop {
        let picture = match global.open().and_then(|engine| picture(&engine, global, live)) {
            Ok(picture) => picture,
            // A file in the middle of being edited: the next look may find it whole.
            Err(fault) if !shown.is_empty() => Picture::of(format!("{fault}\n")),
            Err(fault) => return Err(fault),
        };
        let text = match live.then(|| console::Term::stdout().size_checked()).flatten() {
            Some((rows, columns)) => format!("{CLEAR}{}", picture.fitted(rows.into(), columns.into())),
            None => picture.whole(),
        };
        if text != shown {
            let written = std::io::stdout().lock().write_all(text.as_bytes());
            match written.and_then(|()| std::io::stdout().flush()) {
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(Exit::Done),
                other => other?,
            }
            shown = text;
        }
        std::thread::park_timeout(EVERY);
    }
}

fn picture(engine: &Engine, global: &Global, live: bool) -> Result<Picture> {
    let status = Status::of(engine)?;
    if global.json {
        return Ok(Picture::of(format!("{}\n", serde_json::to_string(&status)?)));
    }
    let zone = engine.campaign.change.zone;
    let local = |at: chrono::DateTime<chrono::Utc>| at.with_timezone(&zone).format("%a %F %H:%M %Z").to_string();
    let now = engine.now();
    let mut text = String::new();
    for moment in coming(engine, COMING)? {
        // How long it is until then changes all the time: for a terminal only.
        let until = Some(from_now(moment.first - now)).filter(|until| live && !until.is_empty());
        let until = until.map_or(String::new(), |until| format!(", {until}"));
        for line in moment.lines {
            let people = if line.people == 1 { "1 person".to_owned() } else { format!("{} people", line.people) };
            text += &format!("  {}{until}: {}, {people}: {}\n", local(moment.first), line.words(), line.state);
        }
    }
    if !text.is_empty() {
        text.insert_str(0, "\nin the calendar:\n");
    }
    let looked = if live {
        format!("{}, looked at every {} s; Ctrl-C ends", local(now), EVERY.as_secs())
    } else {
        String::new()
    };
    let last = format!("\nNext: {}\n{looked}\n", status.next);
    Ok(Picture { status: status::text(&status, &engine.campaign.title, &local), coming: text, last })
}

impl Picture {
    fn of(status: String) -> Picture {
        Picture { status, coming: String::new(), last: String::new() }
    }

    fn whole(&self) -> String {
        format!("{}{}{}", self.status, self.coming, self.last)
    }

    /// What a terminal of this size can show at once: what is next stays whole in sight, the gates at the top and the
    /// calendar share the room above it, and what lies between gives way.
    fn fitted(&self, rows: usize, columns: usize) -> String {
        let broken = [&self.status, &self.coming, &self.last].map(|text| wrapped(text, Some(columns)));
        let [status, coming, last] = broken.each_ref().map(|text| text.lines().collect::<Vec<_>>());
        // The cursor stands below the last line.
        let room = rows.saturating_sub(1).saturating_sub(last.len());
        if status.len() + coming.len() <= room {
            return broken.concat();
        }
        let shown = coming.len().min(room / 2);
        let head = status.len().min((room - shown).saturating_sub(1));
        let hidden = status.len() + coming.len() - head - shown;
        let note = format!("… {hidden} more lines: flagday status, or a taller window");
        let lines = [&status[..head], &[note.as_str()], &coming[..shown], &last].concat();
        lines.iter().map(|line| format!("{line}\n")).collect()
    }
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
    fn a_low_window_shows_the_gates_the_calendar_and_what_is_next() {
        let numbered = |word: &str, n: usize| (1..=n).map(|n| format!("{word} {n}\n")).collect::<String>();
        let picture =
            Picture { status: numbered("gate", 20), coming: numbered("moment", 6), last: numbered("next", 2) };
        assert_eq!(picture.fitted(29, 80), picture.whole());
        let low = picture.fitted(12, 80);
        let lines: Vec<_> = low.lines().collect();
        assert_eq!(lines[..4], ["gate 1", "gate 2", "gate 3", "gate 4"]);
        assert_eq!(lines[4], "… 18 more lines: flagday status, or a taller window");
        assert_eq!(lines[5..], ["moment 1", "moment 2", "moment 3", "moment 4", "next 1", "next 2"]);
        for rows in 1..40 {
            let shown = picture.fitted(rows, 80);
            assert!(shown.lines().count() < rows.max(4) && shown.ends_with("next 2\n"), "{rows}");
        }
        // A line that is broken takes the room of two, and no word is torn apart.
        let narrow = Picture { status: "one two three four\nfive\n".into(), ..picture }.fitted(40, 10);
        assert!(narrow.starts_with("one two\nthree four\nfive\n"), "{narrow}");
    }

    #[test]
    fn what_is_to_come_is_so_far_away() {
        for (minutes, words) in [(-5, ""), (0, ""), (1, "in 2 min"), (61, "in 1 h 1 min"), (60 * 164, "in 6 d 20 h")] {
            assert_eq!(from_now(Duration::minutes(minutes)), words);
        }
    }
}
