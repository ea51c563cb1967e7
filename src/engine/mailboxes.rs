//! The mailboxes that answers come in by, tried beforehand: opened as `intake` opens them, and nothing read.

use super::Engine;
use crate::campaign::{IntakeMailbox, MailboxKind};
use crate::fault::{Fault, Finding, Result};
use crate::inbox::{Mbox, Source};
use chrono::{DateTime, Utc};
use std::path::Path;

impl Engine<'_> {
    /// A finding for each: what keeps it from being read, or that it is ready. IMAP servers only when `online`. Those that
    /// could not be read when they last were to be are named besides: nobody is pressed until then.
    pub(super) fn check_mailboxes(&self, online: bool) -> Result<Vec<Finding>> {
        let mailboxes = self.campaign.intake.iter().filter(|one| online || !matches!(one.kind, MailboxKind::Imap(_)));
        let mut findings: Vec<Finding> = mailboxes.flat_map(|mailbox| self.try_mailbox(mailbox)).collect();
        let zone = self.campaign.change.zone;
        let shown = |at: DateTime<Utc>| at.with_timezone(&zone).format("%a %F %H:%M %Z").to_string();
        for one in self.unread()? {
            let cause = format!("{}; nobody is reminded, escalated or called until it is read", one.words(&shown));
            let mailbox = self.campaign.intake.iter().find(|mailbox| mailbox.name() == one.mailbox);
            let finding =
                Finding::warning("mailbox-unread", cause, "flagday intake reads it, or says what is in the way");
            findings.push(match mailbox {
                Some(mailbox) => finding.at(mailbox.place.clone()),
                None => finding,
            });
        }
        Ok(findings)
    }

    fn try_mailbox(&self, mailbox: &IntakeMailbox) -> Vec<Finding> {
        let tried = match &mailbox.kind {
            MailboxKind::Maildir(path) => maildir(path),
            MailboxKind::Mbox(path) => mbox(path),
            MailboxKind::Imap(server) => self.open_imap(server).map(|imap| format!("{} is ready", imap.name)),
        };
        let findings = match tried {
            Ok(ready) => vec![Finding::note("mailbox-ready", ready, "nothing to do")],
            Err(fault) => fault.findings,
        };
        let at_home = |mut finding: Finding| {
            finding.place.get_or_insert_with(|| mailbox.place.clone());
            finding
        };
        findings.into_iter().map(at_home).collect()
    }
}

fn maildir(path: &Path) -> Result<String> {
    Source::at(path)?;
    let folders = ["new", "cur"].map(|name| path.join(name));
    if !folders.iter().any(|folder| folder.is_dir()) {
        let cause = format!("{} has neither new/ nor cur/, so it is no Maildir", path.display());
        let remedy = "name the folder that holds new/ and cur/, or make it as a Maildir";
        return Err(Fault::new("no-maildir", cause, remedy));
    }
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        fs_err::read_dir(folder)?;
    }
    Ok(format!("{} is ready", path.display()))
}

/// One that is not there yet comes with the first letter; its folder has to be there.
fn mbox(path: &Path) -> Result<String> {
    if path.exists() {
        Mbox::open(path)?;
        return Ok(format!("{} is ready", path.display()));
    }
    match path.parent().is_some_and(Path::is_dir) {
        true => Ok(format!("{} is not there yet: nobody has written so far", path.display())),
        false => {
            let cause = format!("{}: the folder is not there", path.display());
            Err(Fault::new("no-mailbox", cause, "correct mbox in [[intake.mailbox]]"))
        }
    }
}
