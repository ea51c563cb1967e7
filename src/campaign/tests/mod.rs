//! A campaign from its text to the model or to every complaint about it.

mod everything;
mod folder;
mod hostile;
mod overlay;
mod playbook;
mod refusals;
mod snapshots;

use super::load::parse;
use super::model::Campaign;
use crate::fault::{Fault, Finding};
use std::path::Path;

/// The least that a site has to say.
const SITE: &str = r#"[campaign]
name = "corp-hq-serial"
playbook = "msmail-serial-change"
change_at = 2026-12-12T18:00:00
time_zone = "America/Chicago"
contact = "Mail Desk, +1 555 0100"
[mail]
from = "Mail Desk <maildesk@corp.example>"
[msmail]
postoffice = "postoffice"
staged = "/srv/newpo"
network = "CORP"
name = "HQ"
old_serial = "32-10411"
new_serial = "32-20977"
"#;

/// A campaign of one's own, without a playbook.
const OWN: &str = r#"[campaign]
name = "vpn"
change_at = "2026-12-12 18:00"
time_zone = "Europe/Berlin"
contact = "IT"
[mail]
from = "it@corp.example"
[[roster]]
file = "users.csv"
"#;

/// `us.ics`
const US: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\n\
    DTSTART;VALUE=DATE:20261126\r\nDTEND;VALUE=DATE:20261128\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

/// Reads a text; every file exists but those named `missing…`.
fn read(text: &str) -> Result<(Campaign, Vec<Finding>), Fault> {
    let is_file = |path: &Path| !path.to_string_lossy().contains("missing");
    let holidays = |path: &Path| match path.ends_with("us.ics") {
        true => Ok(US.as_bytes().to_vec()),
        false => Err(std::io::ErrorKind::NotFound.into()),
    };
    parse(Path::new("/corp"), "flagday.toml".into(), text.to_owned(), &is_file, &holidays)
}

fn campaign(text: &str) -> Campaign {
    match read(text) {
        Ok((campaign, findings)) => {
            assert!(findings.is_empty(), "{}", shown(&findings));
            campaign
        }
        Err(fault) => panic!("{}", shown(&fault.findings)),
    }
}

/// What is said about the text, as a person would see it.
fn findings(text: &str) -> String {
    match read(text) {
        Ok((_, findings)) => shown(&findings),
        Err(fault) => {
            assert!(fault.findings.iter().any(Finding::is_error), "a fault without an error");
            shown(&fault.findings)
        }
    }
}

fn shown(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let place = finding.place.as_ref().map(ToString::to_string).unwrap_or_default();
        text += &format!("{place} {:?} {}: {}\n", finding.severity, finding.code, finding.cause);
        if let (Some(quote), Some(place)) = (&finding.quote, &finding.place) {
            let before = " ".repeat(place.column as usize - 1);
            text += &format!("    {}\n    {before}{}\n", quote.line, "^".repeat(quote.width));
        }
        text += &format!("    = {}\n", finding.remedy);
    }
    text
}
