//! How a rehearsal went, as data and as text for a terminal.

use super::script::On;
use chrono::{DateTime, Duration};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// Something that happened, for whoever watches.
#[derive(Debug)]
pub enum Told<'a> {
    Moment { at: &'a str, text: &'a str },
    Aside(&'a str),
}

/// What kind of event it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Begins,
    /// Messages left.
    Sent,
    /// Messages were refused for good, or given up.
    Failed,
    /// Not done, because its hour passed: a person has to ask for it.
    Held,
    /// Somebody answered.
    Answer,
    /// Something else came back: a bounce, an automatic reply, a question.
    Fact,
    /// A call to make.
    Task,
    /// Somebody logged on, on the evening of the change.
    LogOn,
    /// Changed facts were taken over as a new revision; the people who are informed.
    Amended,
    /// Answers stopped counting.
    Void,
    GateOpens,
    GateShuts,
    StepDone,
    /// Why the cutover stands still.
    Waits,
    ByHand,
    /// Something went wrong, or is over.
    Fault,
    Ends,
}

impl Kind {
    /// What became of messages, in words.
    pub(super) fn of_messages(self, subject: &str, people: &[String]) -> String {
        let mut whom = people.iter().take(NAMED_IN_A_LINE).cloned().collect::<Vec<_>>().join(", ");
        match people.len().saturating_sub(NAMED_IN_A_LINE) {
            0 => {}
            more => whom += &format!(" and {more} more"),
        }
        match self {
            Kind::Failed => format!("'{subject}' cannot be sent to {whom}"),
            Kind::Held => format!("'{subject}' to {whom} came too late and is held"),
            _ => format!("sent '{subject}' to {whom}"),
        }
    }
}

/// One event of the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// RFC 3339, in the campaign's time zone.
    pub at: String,
    pub kind: Kind,
    /// What it is about, the same in every rehearsal of the campaign: `reminder 2 for disk-received`, a gate, a step.
    pub subject: String,
    /// Whom it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<String>,
    /// Of messages to people whose clocks all show the same hour, that hour: `09:00+01:00`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub there: Option<String>,
    pub text: String,
}

/// Who held a gate shut, and from when to when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    pub step: String,
    pub by: String,
    pub from: String,
    pub until: String,
}

/// A moment that needs a human.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// From when on.
    pub at: String,
    pub kind: On,
    pub what: String,
    /// The person or the step it is for.
    pub whom: String,
    /// Until when it may take; absent: the cutover stands still until it is done.
    pub by: Option<String>,
    /// When the simulated administrator did it, and in which words; absent: nobody did.
    pub done: Option<String>,
    pub did: Option<String>,
}

/// How many of a gate's people had answered, from a moment on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    pub at: String,
    pub satisfied: usize,
    pub of: usize,
    pub open: bool,
}

/// The same seed and campaign give the same outcome, byte for byte: nothing in it says where or when it was rehearsed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Outcome {
    pub schema: u32,
    pub campaign: String,
    pub title: String,
    pub time_zone: String,
    pub seed: u64,
    pub change_at: String,
    pub people: usize,
    /// Every step is done.
    pub finished: bool,
    pub steps_done: usize,
    pub steps: usize,
    pub messages: usize,
    /// The live MASTER.GLB is the staged one; absent where the campaign has no postoffice.
    pub serial_changed: Option<bool>,
    pub timeline: Vec<Event>,
    /// By gate, in the order of the campaign.
    pub gates: IndexMap<String, Vec<Count>>,
    pub blocked: Vec<Blocked>,
    pub needs: Vec<Need>,
    /// Why it ended before the last step.
    pub open: Vec<String>,
}

/// More people than this are counted, not named.
const NAMED: usize = 12;
/// And in one line of the timeline.
const NAMED_IN_A_LINE: usize = 4;

impl Outcome {
    /// The end of the rehearsal, for a terminal. The timeline has been told as it happened.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if !self.blocked.is_empty() {
            text += "\nWho blocked, and when\n";
            let steps = by_step(&self.blocked);
            let wide = steps.iter().map(|(step, _)| step.chars().count()).max().unwrap_or(0);
            for (step, held) in steps {
                for one in held.iter().take(NAMED) {
                    text += &format!("  {step:<wide$}  {} to {}  {}\n", shown(&one.from), shown(&one.until), one.by);
                }
                if held.len() > NAMED {
                    text += &format!("  {step:<wide$}  and {} more, none of them longer\n", held.len() - NAMED);
                }
            }
        }
        if !self.needs.is_empty() {
            text += "\nWhat needs a human\n";
            for alike in alike(&self.needs) {
                let need = alike[0];
                let by = need.by.as_ref().map(|by| format!(" (by {})", shown(by))).unwrap_or_default();
                let what = match alike.len() {
                    1 => need.what.clone(),
                    n => format!("{} and {} more like it", need.what, n - 1),
                };
                text += &format!("  {}  {}", shown(&need.at), hanging(&format!("{what}{by}")));
                text += &format!("{:INDENT$}{}", "", hanging(&need.end()));
            }
        }
        if !self.open.is_empty() {
            text += "\nStill open\n";
            for one in &self.open {
                text += &format!("  {one}\n");
            }
        }
        text
    }

    /// The whole rehearsal in one line.
    pub fn sum(&self) -> String {
        let serial = match self.serial_changed {
            Some(true) => ", the serial number is changed on the copy",
            Some(false) => ", the serial number is NOT changed",
            None => "",
        };
        let steps = match self.steps {
            0 => String::new(),
            all => format!("{} of {all} steps done, ", self.steps_done),
        };
        format!("{steps}{} messages captured{serial}", self.messages)
    }
}

impl Need {
    /// What became of it.
    pub fn end(&self) -> String {
        let moment = |at: &str| DateTime::parse_from_rfc3339(at).ok();
        match (&self.done, &self.did) {
            (Some(done), Some(did)) => match moment(done).zip(moment(&self.at)) {
                Some((done, at)) => format!("after {}: {did}", length(done - at)),
                None => did.clone(),
            },
            _ => "nobody does it".to_owned(),
        }
    }
}

/// Needs of one kind that begin in one minute and end alike: more than three of them are one line.
pub fn alike(needs: &[Need]) -> Vec<Vec<&Need>> {
    let key = |need: &Need| (need.at[..16].to_owned(), need.kind, need.by.clone(), need.done.is_some());
    let mut groups: Vec<Vec<&Need>> = Vec::new();
    for group in needs.chunk_by(|a, b| key(a) == key(b)) {
        match group.len() {
            0..=3 => groups.extend(group.iter().map(|need| vec![need])),
            _ => groups.push(group.iter().collect()),
        }
    }
    groups
}

/// `40 min`, `3 h`, `2 d 4 h`.
pub fn length(length: Duration) -> String {
    let (days, hours, minutes) = (length.num_days(), length.num_hours() % 24, length.num_minutes() % 60);
    let parts = [(days, "d"), (hours, "h"), (minutes, "min")];
    let shown: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n} {unit}")).collect();
    if shown.is_empty() { "0 min".to_owned() } else { shown.join(" ") }
}

/// Those who held each step, the longest first; steps in the order in which they were held.
fn by_step(blocked: &[Blocked]) -> Vec<(&str, Vec<&Blocked>)> {
    let mut steps: Vec<(&str, Vec<&Blocked>)> = Vec::new();
    for one in blocked {
        match steps.iter_mut().find(|(step, _)| *step == one.step) {
            Some((_, held)) => held.push(one),
            None => steps.push((&one.step, vec![one])),
        }
    }
    for (_, held) in &mut steps {
        held.sort_by(|a, b| (&b.until, &a.from, &a.by).cmp(&(&a.until, &b.from, &b.by)));
    }
    steps
}

/// Under the moment stands what belongs to it.
const INDENT: usize = 24;
/// Lines of a terminal are broken here.
const COLUMNS: usize = 100;

/// Text that begins at [`INDENT`], broken into lines that begin there as well.
fn hanging(text: &str) -> String {
    let mut out = String::new();
    let mut column = INDENT;
    for (n, word) in text.split_whitespace().enumerate() {
        let width = word.chars().count();
        if n > 0 && column + 1 + width > COLUMNS {
            out += &format!("\n{:INDENT$}", "");
            column = INDENT;
        } else if n > 0 {
            out.push(' ');
            column += 1;
        }
        out += word;
        column += width;
    }
    out.push('\n');
    out
}

/// A moment of the outcome as a person reads it.
pub fn shown(at: &str) -> String {
    DateTime::parse_from_rfc3339(at).map_or_else(|_| at.to_owned(), |at| at.format("%F %a %H:%M").to_string())
}
