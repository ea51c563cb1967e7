//! How a rehearsal went.

use serde::Serialize;
use std::path::PathBuf;

/// Something that happened, for whoever watches.
#[derive(Debug)]
pub enum Told<'a> {
    Moment { at: &'a str, text: &'a str },
    Aside(&'a str),
}

/// Who held a gate shut, and from when to when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Blocked {
    pub step: String,
    pub by: String,
    pub from: String,
    pub until: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    pub schema: u32,
    pub folder: PathBuf,
    /// Every step is done.
    pub finished: bool,
    pub steps_done: usize,
    pub steps: usize,
    pub messages: usize,
    /// The live MASTER.GLB is the staged one; absent where the campaign has no postoffice.
    pub serial_changed: Option<bool>,
    pub timeline: Vec<(String, String)>,
    pub blocked: Vec<Blocked>,
    /// What the administrator had to do, by the moment.
    pub administrator: Vec<(String, String)>,
    /// Why it ended before the last step.
    pub open: Vec<String>,
    pub report: Vec<PathBuf>,
    /// The head of the audit chain, verified.
    pub head: String,
}

impl Outcome {
    /// The end of the rehearsal, for a terminal. The timeline has been told as it happened.
    pub fn text(&self) -> String {
        let mut text = String::new();
        text += "\nWho blocked, and when\n";
        for one in &self.blocked {
            text += &format!("  {:<16} {} to {}  {}\n", one.step, one.from, one.until, one.by);
        }
        text += "\nWhat the administrator had to do\n";
        for (at, what) in &self.administrator {
            text += &format!("  {at}  {what}\n");
        }
        if !self.open.is_empty() {
            text += "\nStill open\n";
            for one in &self.open {
                text += &format!("  {one}\n");
            }
        }
        let serial = match self.serial_changed {
            Some(true) => ", the serial number is changed on the copy",
            Some(false) => ", the serial number is NOT changed",
            None => "",
        };
        text += &format!(
            "\n{} of {} steps done, {} messages captured{serial}\nAudit head {}\n",
            self.steps_done, self.steps, self.messages, self.head
        );
        if let Some(page) = self.report.first() {
            text += &format!("Report: {}\n", page.display());
        }
        text
    }
}
