//! A small campaign without a postoffice: four people, one notice, one question, one gate, one step. For rehearsals of one
//! thing at a time.

use super::{Run, program};
use serde_json::Value;
use std::path::PathBuf;
use tempfile::TempDir;

/// ANN answers two hours after a letter, BOB after a reminder, CAM never, DOT when she is pressed.
pub const PEOPLE: &str = r#"
[answers]
delay = "2h"
spread = "0m"
[person.BOB]
behaviour = "after-reminder"
[person.CAM]
behaviour = "never"
[person.DOT]
behaviour = "late"
[[administrator]]
on = "escalated"
person = "CAM"
after = "1h"
waive = "On leave"
"#;

pub struct Small {
    folder: TempDir,
    pub toml: String,
}

impl Small {
    /// The change at a local time of a zone. The notice goes out `T-14d 09:00`; `asks` are the lines of the
    /// acknowledgement that follow its grade.
    pub fn new(change_at: &str, zone: &str, asks: &str) -> Small {
        let folder = TempDir::new().expect("a temporary folder");
        let toml = format!(
            r#"
[campaign]
name = "rotation"
title = "A new certificate"
change_at = {change_at}
time_zone = "{zone}"
contact = "Desk, desk@corp.example"
[mail]
from = "Desk <desk@corp.example>"
[[roster]]
file = "people.csv"
[audience]
everyone = {{}}
[notice.announcement]
audience = "everyone"
template = "rotation"
at = "T-14d 09:00"
[notice.reminder]
audience = "everyone"
[notice.escalation]
audience = "everyone"
[acknowledgement.ready]
audience = "everyone"
notice = "announcement"
grade = "confirmed"
{asks}
[gate.all-ready]
acknowledgement = "ready"
[[step]]
name = "switch"
title = "Switch over"
needs = ["all-ready"]
wait = "T"
"#
        );
        let small = Small { folder, toml };
        small.people(
            "ANN,Ann,ann@corp.example,boss@corp.example,+1 555 0001\n\
             BOB,Bob,bob@corp.example,boss@corp.example,+1 555 0002\n\
             CAM,Cam,cam@corp.example,boss@corp.example,+1 555 0003\n\
             DOT,Dot,dot@corp.example,boss@corp.example,+1 555 0004\n",
        );
        small.write("templates/mail/rotation/subject.hbs", "Your certificate changes on {{change.date}}");
        small.write(
            "templates/mail/rotation/text.hbs",
            "Dear {{person.name}},\n\nyour certificate changes on {{change.local}}. Answer {{ack.word}}.\n",
        );
        small.write("flagday.toml", &small.toml);
        small
    }

    /// Other people: id, name, email, manager_email, phone.
    pub fn people(&self, rows: &str) {
        let rows: String = rows.lines().map(|row| format!("staff,{row}\n")).collect();
        self.write("people.csv", &format!("kind,id,name,email,manager_email,phone\n{rows}"));
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join("campaign").join(below)
    }

    /// A place beside the campaign.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, below: &str, text: &str) {
        let path = self.path(below);
        fs_err::create_dir_all(path.parent().expect("below the campaign")).expect("a folder");
        fs_err::write(path, text).expect("written");
    }

    /// Rehearses it by this script, into the folder `out` beside it.
    pub fn rehearse(&self, script: &str, out: &str) -> Run {
        self.write("rehearsal.toml", script);
        let mut command = program();
        command.arg("rehearse").arg(self.path("")).arg("--json").arg("--out").arg(self.beside(out));
        Run::of(&mut command)
    }

    pub fn run(&self, line: &str) -> Run {
        Run::of(program().arg("-C").arg(self.path("")).args(line.split_whitespace()))
    }
}

/// The timeline as lines `moment kind subject: people`, without why the cutover stood still.
pub fn told(outcome: &Value) -> Vec<String> {
    let quiet = ["begins", "waits", "ends"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let line = |event: &Value| {
        let people: Vec<String> = event["people"].as_array().into_iter().flatten().map(text).collect();
        let line = format!(
            "{} {} {}: {}",
            text(&event["at"]),
            text(&event["kind"]),
            text(&event["subject"]),
            people.join(" ")
        );
        line.trim_end_matches(": ").to_owned()
    };
    let events = outcome["timeline"].as_array().expect("a timeline").iter();
    events.filter(|event| !quiet.contains(&event["kind"].as_str().expect("a kind"))).map(line).collect()
}
