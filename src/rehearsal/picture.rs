//! The rehearsal as a picture: what was sent and answered, how the gates filled, steps, needs and faults over time. SVG
//! that stands in the page as it is; the words on a mark show when the pointer rests there.

use super::outcome::{Count, Event, Kind, Outcome, shown};
use chrono::{DateTime, Duration, FixedOffset, NaiveTime};
use std::collections::BTreeMap;
use std::fmt::Write;

const WIDTH: f64 = 1060.0;
/// Room for the names of the lanes.
const LEFT: f64 = 150.0;
const RIGHT: f64 = 14.0;
const LANE: f64 = 46.0;
const THIN: f64 = 26.0;
/// Bars of what is sent and answered are so wide.
const BAR: f64 = 5.0;
/// Marks closer than this are one.
const DOT: f64 = 6.0;
/// So many events a mark tells in words.
const TOLD: usize = 8;
/// Words under the picture are so far from each other.
const APART: f64 = 66.0;

type At = DateTime<FixedOffset>;

/// Weeks of waiting and one evening of work do not fit one scale: the hours around the change get a share of their own.
struct Axis {
    start: At,
    bend: At,
    end: At,
    /// Where the bend stands.
    x: f64,
}

impl Axis {
    fn of(outcome: &Outcome) -> Option<Axis> {
        let at = |event: &Event| DateTime::parse_from_rfc3339(&event.at).ok();
        let start = outcome.timeline.iter().find_map(at)?;
        let end = outcome.timeline.iter().rev().find_map(at)?.max(start + Duration::hours(1));
        let change = DateTime::parse_from_rfc3339(&outcome.change_at).ok()?;
        let bend = change - Duration::hours(1);
        let inside = WIDTH - LEFT - RIGHT;
        // Both parts have something to show, or the scale is one.
        let bends = bend > start && end > change && (bend - start) > (end - bend) * 2;
        match bends {
            true => Some(Axis { start, bend, end, x: LEFT + inside * 0.6 }),
            false => Some(Axis { start, bend: end, end, x: WIDTH - RIGHT }),
        }
    }

    fn x(&self, at: At) -> f64 {
        let part = |from: At, to: At| {
            let whole = (to - from).num_seconds().max(1) as f64;
            ((at - from).num_seconds() as f64 / whole).clamp(0.0, 1.0)
        };
        match at <= self.bend {
            true => LEFT + part(self.start, self.bend) * (self.x - LEFT),
            false => self.x + part(self.bend, self.end) * (WIDTH - RIGHT - self.x),
        }
    }

    /// Moments to write under the picture, on both sides of the bend.
    fn marks(&self) -> Vec<(At, String)> {
        let mut marks = Vec::new();
        let days = ((self.bend - self.start).num_days() / 9).max(1);
        let mut day = self.start.date_naive();
        while let Some(at) = day.and_time(NaiveTime::MIN).and_local_timezone(*self.start.offset()).earliest() {
            if at > self.bend {
                break;
            }
            // Room for the mark at the bend.
            if at >= self.start && self.x - self.x(at) > APART {
                marks.push((at, at.format("%d %b").to_string()));
            }
            day += Duration::days(days);
        }
        let hours = ((self.end - self.bend).num_hours() / 5).max(1);
        let mut at = self.bend;
        while at < self.end {
            marks.push((at, at.format("%a %H:%M").to_string()));
            at += Duration::hours(hours);
        }
        marks
    }
}

/// The picture as one `<svg>`.
pub(super) fn svg(outcome: &Outcome) -> String {
    let Some(axis) = Axis::of(outcome) else { return String::new() };
    let mut lanes = String::new();
    let mut y = 8.0;
    let people = |event: &Event| event.people.len().max(1);
    for (name, class, kind) in [("sent", "sent", Kind::Sent), ("answers", "answer", Kind::Answer)] {
        let events = outcome.timeline.iter().filter(|event| event.kind == kind);
        bars(&mut lanes, &axis, y, name, class, events.map(|event| (event, people(event))));
        y += LANE;
    }
    for (gate, counts) in &outcome.gates {
        filling(&mut lanes, &axis, y, gate, counts);
        y += LANE;
    }
    for (name, class, kinds) in [
        ("steps done", "step", &[Kind::StepDone][..]),
        ("held, failed", "trouble", &[Kind::Held, Kind::Failed, Kind::Task][..]),
        ("faults", "fault", &[Kind::Fault][..]),
        ("amended", "amended", &[Kind::Amended, Kind::Void][..]),
    ] {
        let events: Vec<&Event> = outcome.timeline.iter().filter(|event| kinds.contains(&event.kind)).collect();
        if !events.is_empty() {
            dots(
                &mut lanes,
                &axis,
                y,
                name,
                class,
                events.iter().map(|event| (event.at.as_str(), event.text.as_str())),
            );
            y += THIN;
        }
    }
    let needs = outcome.needs.iter().map(|need| (need.at.as_str(), need.what.as_str()));
    dots(&mut lanes, &axis, y, "needs a human", "need", needs);
    y += THIN;
    let mut frame = String::new();
    let mut free = f64::NEG_INFINITY;
    for (at, words) in axis.marks() {
        let x = axis.x(at);
        if x < free {
            continue;
        }
        free = x + APART;
        let _ = write!(frame, r#"<path class="grid" d="M{x:.1} 4V{y:.1}"/>"#);
        let _ = write!(frame, r#"<text class="when" x="{x:.1}" y="{:.1}">{words}</text>"#, y + 15.0);
    }
    if let Ok(change) = DateTime::parse_from_rfc3339(&outcome.change_at) {
        let x = axis.x(change);
        let _ = write!(frame, r#"<path class="change" d="M{x:.1} 4V{y:.1}"/>"#);
        let _ = write!(frame, r#"<text class="change" x="{x:.1}" y="{:.1}">the change</text>"#, y + 30.0);
    }
    let height = y + 38.0;
    format!(
        r#"<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="Sends, answers and gates over time">{frame}{lanes}</svg>"#
    )
}

fn name_lane(out: &mut String, y: f64, height: f64, name: &str, more: &str) {
    let base = y + height - 6.0;
    let _ = write!(out, r#"<path class="base" d="M{LEFT} {base:.1}H{:.1}"/>"#, WIDTH - RIGHT);
    let _ = write!(out, r#"<text class="lane" x="{:.1}" y="{:.1}">{}</text>"#, LEFT - 10.0, base - 2.0, escaped(name));
    if !more.is_empty() {
        let _ = write!(out, r#"<text class="most" x="{:.1}" y="{:.1}">{more}</text>"#, LEFT - 10.0, base - 17.0);
    }
}

/// How many, in bars of one width; the highest says how many it stands for.
fn bars<'a>(
    out: &mut String,
    axis: &Axis,
    y: f64,
    name: &str,
    class: &str,
    events: impl Iterator<Item = (&'a Event, usize)>,
) {
    let mut columns: BTreeMap<i64, (usize, &str)> = BTreeMap::new();
    for (event, count) in events {
        let Ok(at) = DateTime::parse_from_rfc3339(&event.at) else { continue };
        let column = columns.entry(((axis.x(at) - LEFT) / BAR) as i64).or_insert((0, &event.at));
        column.0 += count;
    }
    let most = columns.values().map(|(count, _)| *count).max().unwrap_or(0);
    name_lane(out, y, LANE, name, &if most > 0 { format!("up to {most}") } else { String::new() });
    for (column, (count, at)) in columns {
        // The root keeps one message visible beside five thousand.
        let height = ((count as f64 / most.max(1) as f64).sqrt() * (LANE - 12.0)).max(2.0);
        let (x, top) = (LEFT + column as f64 * BAR, y + LANE - 6.0 - height);
        let _ = write!(
            out,
            r#"<rect class="{class}" x="{x:.1}" y="{top:.1}" width="{:.1}" height="{height:.1}"><title>{count} from {}</title></rect>"#,
            BAR - 1.0,
            shown(at)
        );
    }
}

/// How much of a gate's audience has answered: from the left to the right, from the bottom to the top; green once open.
fn filling(out: &mut String, axis: &Axis, y: f64, gate: &str, counts: &[Count]) {
    let last = counts.last();
    name_lane(out, y, LANE, gate, &last.map(|last| format!("{} of {}", last.satisfied, last.of)).unwrap_or_default());
    let base = y + LANE - 6.0;
    for (n, count) in counts.iter().enumerate() {
        let moment = |at: &str| DateTime::parse_from_rfc3339(at).ok();
        let Some(from) = moment(&count.at) else { continue };
        let until = counts.get(n + 1).and_then(|next| moment(&next.at)).unwrap_or(axis.end);
        let (left, right) = (axis.x(from), axis.x(until));
        let height = count.satisfied as f64 / count.of.max(1) as f64 * (LANE - 12.0);
        if right - left < 0.05 && n + 1 < counts.len() {
            continue;
        }
        let class = if count.open { "open" } else { "held" };
        let (top, words) = (base - height, if count.open { "open" } else { "held" });
        let _ = write!(
            out,
            r#"<rect class="{class}" x="{left:.1}" y="{top:.1}" width="{:.2}" height="{height:.1}"><title>{} of {}, {words}, from {}</title></rect>"#,
            (right - left).max(0.4),
            count.satisfied,
            count.of,
            shown(&count.at)
        );
    }
}

/// A mark for each, with its words; those that would cover each other are one, and a larger one.
fn dots<'a>(
    out: &mut String,
    axis: &Axis,
    y: f64,
    name: &str,
    class: &str,
    marks: impl Iterator<Item = (&'a str, &'a str)>,
) {
    name_lane(out, y, THIN, name, "");
    let mut clusters: BTreeMap<i64, (f64, Vec<String>)> = BTreeMap::new();
    for (at, words) in marks {
        let Ok(moment) = DateTime::parse_from_rfc3339(at) else { continue };
        let x = axis.x(moment);
        let (_, told) = clusters.entry((x / DOT) as i64).or_insert((x, Vec::new()));
        told.push(format!("{}: {}", shown(at), escaped(words)));
    }
    for (x, told) in clusters.into_values() {
        let radius = (3.5 + (told.len() as f64).log2()).min(9.0);
        let more = told.len().saturating_sub(TOLD);
        let mut words = told.iter().take(TOLD).cloned().collect::<Vec<_>>().join("\n");
        if more > 0 {
            let _ = write!(words, "\nand {more} more");
        }
        let _ = write!(
            out,
            r#"<circle class="{class}" cx="{x:.1}" cy="{:.1}" r="{radius:.1}"><title>{words}</title></circle>"#,
            y + THIN - 14.0
        );
    }
}

fn escaped(text: &str) -> String {
    handlebars::html_escape(text)
}
