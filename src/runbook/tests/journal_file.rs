//! A journal in a file, which a crash may cut off in the middle of a line.

use crate::fault::Result;
use crate::platform::fail::point;
use crate::runbook::{Entry, Event, Journal};
use chrono::{DateTime, Utc};
use std::io::Write;
use std::path::PathBuf;

/// One JSON object a line. A last line that was cut off counts as never written.
pub struct FileJournal {
    pub path: PathBuf,
}

impl FileJournal {
    fn whole(&self) -> Vec<u8> {
        let mut text = fs_err::read(&self.path).unwrap_or_default();
        let end = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        text.truncate(end);
        text
    }
}

impl Journal for FileJournal {
    fn append(&mut self, step: &str, event: Event, at: DateTime<Utc>) -> Result<()> {
        point("before journal")?;
        let whole = self.whole();
        let seq = whole.iter().filter(|byte| **byte == b'\n').count() as i64 + 1;
        let entry = Entry { seq, step: step.into(), at, event };
        let line = serde_json::to_string(&entry).expect("written") + "\n";
        let mut file = fs_err::OpenOptions::new().create(true).truncate(false).write(true).open(&self.path)?;
        file.set_len(whole.len() as u64)?;
        std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0))?;
        let (first, second) = line.as_bytes().split_at(line.len() / 2);
        file.write_all(first)?;
        point("in a line of the journal")?;
        file.write_all(second)?;
        file.sync_all()?;
        Ok(point("after journal")?)
    }

    fn entries(&self) -> Result<Vec<Entry>> {
        let text = String::from_utf8(self.whole()).expect("text");
        Ok(text.lines().map(|line| serde_json::from_str(line).expect("an entry")).collect())
    }
}
