//! A campaign without a postoffice: one person, a folder of files, and the steps that a test writes.

use super::Campaign;
use super::run::{Run, program};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const HEAD: &str = r#"
[campaign]
name = "files"
title = "Files"
change_at = 2001-02-03T18:00:00
minimum_notice = "0d"
time_zone = "UTC"
contact = "Desk"

[mail]
from = "Desk <desk@corp.example>"

[[roster]]
file = "people.csv"

[audience]
everyone = {}

[notice.told]
audience = "everyone"
"#;

/// A campaign with these steps, in memory.
#[allow(dead_code, reason = "two test programs share the harness, and one of them needs all of it")]
pub fn with_steps(steps: &str) -> Campaign {
    let folder = super::in_memory();
    let campaign = Campaign { root: folder.path().join("campaign"), outputs: Default::default(), _folder: folder };
    let write = |below: &str, text: &str| {
        campaign.write(below, text);
    };
    fill(write, steps);
    campaign
}

fn fill(write: impl Fn(&str, &str), steps: &str) {
    write("flagday.toml", &format!("{HEAD}\n{steps}\n"));
    write("people.csv", "id,name,email,kind\nann,Ann,ann@corp.example,local\n");
    for kind in ["subject.hbs", "text.hbs"] {
        write(&format!("templates/mail/told/{kind}"), "All is said\n");
    }
}

pub struct Files {
    root: PathBuf,
    _folder: TempDir,
}

impl Files {
    /// A campaign with these steps.
    pub fn with(steps: &str) -> Files {
        let folder = TempDir::new().expect("a temporary folder");
        let files = Files { root: folder.path().join("campaign"), _folder: folder };
        fill(|below, text| files.write(below, text), steps);
        files
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    pub fn write(&self, below: &str, text: &str) {
        fs_err::create_dir_all(self.path(below).parent().expect("below")).expect("a folder");
        fs_err::write(self.path(below), text).expect("written");
    }

    pub fn run(&self, line: &str) -> Run {
        Run::of(program().arg("-C").arg(&self.root).args(line.split_whitespace()))
    }
}
