//! The simulated people: what they do when a message reaches them, on the evening of the change, and after it.

use super::script::{AtEvening, Behaviour};
use super::stage::{Happening, Stage};
use super::world::touch;
use crate::answer::Kind;
use crate::campaign::Grade;
use crate::engine::Answer;
use crate::fault::{Fault, Result};
use crate::ledger::MessageRow;
use crate::notice::Segment;
use crate::outbox::State;
use crate::package::{Code, archive, floppy};
use crate::roster::MailStore;
use chrono::Duration;
use fs_err as fs;
use std::path::Path;

impl Stage<'_, '_> {
    /// Lets everybody react to the messages that came since the last look.
    pub(super) fn read_mail(&mut self) -> Result<()> {
        for message in self.engine.ledger().messages()? {
            if message.id > self.read && message.state == State::Sent {
                self.read = message.id;
                self.react(&message)?;
            }
        }
        Ok(())
    }

    fn react(&mut self, message: &MessageRow) -> Result<()> {
        let person = message.person.clone();
        if message.notice == "escalation" {
            self.trigger(super::script::On::Escalated, None, Some(&person));
            return Ok(());
        }
        let manner = self.script.answering(&person);
        let asked = message.acknowledgement.clone().unwrap_or_default();
        if asked.is_empty() {
            return Ok(());
        }
        let reminders = self.reminders(&person, &asked)?;
        let first = message.notice != "reminder" && message.copy == 0;
        let later = |delay: Duration, happening: Happening| (delay, happening);
        let answer = || Happening::Answer { person: person.clone(), acknowledgement: asked.clone() };
        let fact = |kind: Kind, words: &str| Happening::Fact {
            person: person.clone(),
            acknowledgement: asked.clone(),
            kind,
            words: words.to_owned(),
        };
        let to_come = match manner.behaviour {
            Behaviour::AtOnce if first => vec![later(manner.delay, answer())],
            Behaviour::AfterReminder if message.notice == "reminder" && reminders == manner.reminders => {
                vec![later(manner.delay, answer())]
            }
            Behaviour::Bounce => {
                vec![later(Duration::minutes(1), fact(Kind::HardBounce, "550 5.1.1 no such user here"))]
            }
            Behaviour::AutoReply if first => vec![
                later(Duration::minutes(1), fact(Kind::AutoReply, "out of the office")),
                later(manner.then, answer()),
            ],
            Behaviour::DeclineThenAnswer if first => vec![
                later(manner.delay, fact(Kind::Declined, "I will not install anything now")),
                later(manner.delay + manner.then, answer()),
            ],
            Behaviour::LoseDisk if first => {
                vec![later(manner.delay, fact(Kind::Question, "I cannot find the disk, please send it again"))]
            }
            Behaviour::LoseDisk if message.notice != "reminder" && message.copy > 0 => {
                vec![later(manner.delay, answer())]
            }
            _ => Vec::new(),
        };
        for (delay, happening) in to_come {
            self.later(delay, happening);
        }
        Ok(())
    }

    fn reminders(&self, person: &str, acknowledgement: &str) -> Result<usize> {
        let messages = self.engine.ledger().messages_to(person)?;
        let reminds = |message: &&MessageRow| {
            message.notice == "reminder" && message.acknowledgement.as_deref() == Some(acknowledgement)
        };
        Ok(messages.iter().filter(reminds).count())
    }

    /// The person answers with all that is asked for.
    pub(super) fn answer(&mut self, person: &str, acknowledgement: &str, by: Option<&str>, note: &str) -> Result<()> {
        let asked = self.engine.campaign.acknowledgements[acknowledgement].grade;
        let settled = self.engine.standing(&self.engine.campaign.acknowledgements[acknowledgement].clone(), person)?;
        if settled.is_some_and(|one| one.grade >= asked) {
            return Ok(());
        }
        let code = if asked == Grade::Possessed { Some(self.code_in_hand(person)?) } else { None };
        let recorded = self.engine.record(&Answer {
            person: person.to_owned(),
            acknowledgement: Some(acknowledgement.to_owned()),
            kind: code.is_none().then_some(Kind::Confirmed),
            code,
            serial: None,
            by: by.map(str::to_owned),
            note: note.to_owned(),
        })?;
        self.tell(&format!("{person} answers '{acknowledgement}': {}", recorded.grade));
        Ok(())
    }

    /// Opens the package in the newest message to the person, as they would, and reads the code in README.TXT.
    fn code_in_hand(&self, person: &str) -> Result<String> {
        let missing = |what: &str| {
            Fault::new("rehearsal-code", format!("{person} has no code: {what}"), "see the captured outbox")
        };
        for message in self.engine.ledger().messages_to(person)?.into_iter().rev() {
            let letter = self.engine.ledger().letter(message.id)?;
            for segment in letter.segments() {
                let Segment::File { path, .. } = segment else { continue };
                if let Some(code) = code_inside(path)? {
                    return Ok(code);
                }
            }
        }
        Err(missing("no message to them carries a package"))
    }

    /// A local person logs on: the mailbag is emptied and the message store written; shadowing leaves the mail.
    pub(super) fn log_on(&mut self, person: &str, how: AtEvening) -> Result<()> {
        let (Some(facts), Some(found)) = (self.engine.campaign.msmail.clone(), self.engine.roster.get(person).cloned())
        else {
            return Ok(());
        };
        let Some(hexid) = found.hexid else { return Ok(()) };
        let now = self.now();
        let bag = facts.postoffice.join("MBG").join(format!("{hexid}.MBG"));
        if how != AtEvening::Shadowing && bag.exists() {
            fs::write(&bag, b"")?;
            touch(&bag, now)?;
        }
        let store = facts.postoffice.join("MMF").join(format!("{hexid}.MMF"));
        if found.mail_store == MailStore::Postoffice && store.exists() {
            touch(&store, now)?;
        }
        self.tell(&format!("{person} logs on, lets the mail come in, and signs out"));
        Ok(())
    }

    /// Plans the evening of everybody whom the drain watches.
    pub(super) fn begin_evening(&mut self) {
        for id in self.audience_of_observed("drain") {
            match self.script.evening(&id) {
                (AtEvening::Away, _) => {}
                (how, delay) => self.later(delay, Happening::LogOn { person: id, how }),
            }
        }
    }

    /// Plans when the serial number is read back, by whom.
    pub(super) fn begin_read_back(&mut self) {
        let Some(new) = self.engine.campaign.msmail.as_ref().map(|facts| facts.new_serial.clone()) else { return };
        for id in self.audience_read_back() {
            let (delay, first) = self.script.read_back(&id);
            let mut right = delay;
            if let Some((wrong, then)) = first {
                self.later(delay, Happening::ReadBack { person: id.clone(), serial: wrong });
                right += then;
            }
            self.later(right, Happening::ReadBack { person: id, serial: new.clone() });
        }
    }
}

fn code_inside(path: &Path) -> Result<Option<String>> {
    let bytes = fs::read(path)?;
    let name = path.file_name().map(|name| name.to_string_lossy().to_uppercase()).unwrap_or_default();
    let text = if name == "README.TXT" {
        bytes
    } else {
        let files = if name.ends_with(".IMG") { floppy::read(&bytes) } else { archive::read(&bytes) };
        match files {
            Ok(files) => files.get("README.TXT").map(|file| file.bytes.clone()).unwrap_or_default(),
            Err(_) => return Ok(None),
        }
    };
    let text = String::from_utf8_lossy(&text).into_owned();
    // A line that holds nothing but a code.
    Ok(text.lines().map(str::trim).find(|line| Code::parse(line).is_ok()).map(str::to_owned))
}
