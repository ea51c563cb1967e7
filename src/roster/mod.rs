//! WHO: rosters read from CSV, every bad row a finding, every person in their audiences.
//!
//! ```text
//! bytes -encoding-> text -quoting-> fields -columns-> row -field, address-> Person -duplicates-> Roster
//! ```

mod address;
mod audience;
mod codepage;
mod columns;
mod complaints;
mod duplicates;
mod encoding;
mod field;
mod parse;
mod people;
mod person;
mod quoting;
mod row;

#[cfg(test)]
mod tests;

pub use audience::check_audiences;
pub use parse::{Builder, parse};
pub use people::Roster;
pub use person::*;

use crate::campaign::Campaign;
use crate::fault::{Fault, Finding};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Bytes of one roster.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Reads every roster of the campaign. A row with an error is left out; nothing may be sent while there is one.
pub fn read(campaign: &Campaign) -> (Roster, Vec<Finding>) {
    let mut builder = Builder::default();
    for file in &campaign.rosters {
        let shown = as_typed(campaign, &file.file);
        match contents(&file.file, &shown) {
            Ok(bytes) => parse(&bytes, &shown, file, &mut builder),
            Err(fault) => fault.findings.into_iter().for_each(|finding| builder.unreadable(finding.in_file(&shown))),
        }
    }
    builder.finish()
}

/// The file's name as a person would type it who typed the campaign's.
fn as_typed(campaign: &Campaign, file: &Path) -> PathBuf {
    match file.strip_prefix(&campaign.root) {
        Ok(below) => campaign.file.with_file_name("").join(below),
        Err(_) => file.to_path_buf(),
    }
}

fn contents(file: &Path, shown: &Path) -> Result<Vec<u8>, Fault> {
    if !fs_err::metadata(file)?.is_file() {
        let cause = format!("{} is not a file", shown.display());
        return Err(Fault::new("not-a-file", cause, "name a CSV file"));
    }
    let mut bytes = Vec::new();
    fs_err::File::open(file)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        let cause = format!("{} is larger than {} MiB", shown.display(), LARGEST / 1024 / 1024);
        return Err(Fault::new("roster-too-large", cause, "split the people over several rosters"));
    }
    Ok(bytes)
}
