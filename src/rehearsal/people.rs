//! The simulated people: what they do when a message reaches them, on the evening of the change, and after it.

use super::outcome::Kind as Event;
use super::script::{AtEvening, Behaviour, On};
use super::stage::{Happening, How, Stage};
use super::world::touch;
use crate::answer::{Kind, note_of_return};
use crate::campaign::Grade;
use crate::engine::Answer;
use crate::fault::{Fault, Result};
use crate::ledger::MessageRow;
use crate::notice::Segment;
use crate::package::{Bounds, Code, archive, floppy};
use crate::roster::MailStore;
use chrono::Duration;
use fs_err as fs;
use std::path::Path;

/// What is settled by an answer, whatever had been needed from a human before.
const SETTLED: [On; 5] = [On::Escalated, On::Bounced, On::Declined, On::Question, On::WrongCode];

impl Stage<'_, '_> {
    /// What a person does about a message that has come.
    pub(super) fn react(&mut self, message: &MessageRow) -> Result<()> {
        let person = message.person.clone();
        if !message.tells {
            if message.notice == "escalation" {
                self.trigger(On::Escalated, None, Some(&person), None);
            }
            return Ok(());
        }
        let Some(asked) = message.acknowledgement.clone() else { return Ok(()) };
        let manner = self.script.answering(&self.cast, &person);
        let reminder = message.notice == "reminder";
        let reminders = self.pressed.get(&(person.clone(), asked.clone(), "reminder".to_owned()));
        let is_the_one = reminder && reminders == Some(&manner.reminders);
        let (first, delay) = (!reminder && message.copy == 0, manner.delay);
        let revision = message.revision;
        let answer =
            |how: How| Happening::Answer { person: person.clone(), acknowledgement: asked.clone(), how, revision };
        let fact = |kind: Kind, words: &str| Happening::Fact {
            person: person.clone(),
            acknowledgement: asked.clone(),
            kind,
            words: words.to_owned(),
            revision,
        };
        let soon = Duration::minutes(1);
        let to_come = match manner.behaviour {
            Behaviour::AtOnce if first => vec![(delay, answer(How::Reply))],
            Behaviour::AfterReminder if is_the_one => vec![(delay, answer(How::Reply))],
            Behaviour::Late if first => {
                let due = self.engine.campaign.acknowledgements.get(&asked).and_then(|one| one.due);
                let due = due.map(|due| due.instant(&self.engine.campaign.change) - self.world.truly());
                vec![(due.unwrap_or_default().max(Duration::zero()) + delay, answer(How::Reply))]
            }
            Behaviour::Twice if first => {
                vec![(delay, answer(How::Reply)), (delay + manner.then, answer(How::Again))]
            }
            Behaviour::ByPhone if first => vec![(delay, answer(How::Phone))],
            Behaviour::WrongCode if first => {
                vec![(delay, answer(How::Wrong)), (delay + manner.then, answer(How::Reply))]
            }
            Behaviour::Bounce => vec![(soon, fact(Kind::HardBounce, "550 5.1.1 no such user here"))],
            Behaviour::SoftBounce if first => vec![
                (soon, fact(Kind::SoftBounce, "452 4.2.2 mailbox full")),
                (manner.then + delay, answer(How::Reply)),
            ],
            Behaviour::AutoReply if first => {
                let now = self.world.truly();
                let until = manner.until.map(|until| until.instant(&self.engine.campaign.change).max(now));
                let words = match until {
                    Some(until) => note_of_return(until.with_timezone(&self.engine.campaign.change.zone).date_naive()),
                    None => "out of the office".to_owned(),
                };
                let back = until.map_or(manner.then, |until| until - now + delay);
                vec![(soon, fact(Kind::AutoReply, &words)), (back, answer(How::Reply))]
            }
            Behaviour::Decline if first => vec![(delay, fact(Kind::Declined, "I will not take part"))],
            Behaviour::DeclineThenAnswer if first => vec![
                (delay, fact(Kind::Declined, "I will not install anything now")),
                (delay + manner.then, answer(How::Reply)),
            ],
            Behaviour::Question if first => vec![
                (delay, fact(Kind::Question, "What exactly do I have to do?")),
                (delay + manner.then, answer(How::Reply)),
            ],
            Behaviour::LoseDisk if first => {
                vec![(delay, fact(Kind::Question, "I cannot find the disk, please send it again"))]
            }
            Behaviour::LoseDisk if !reminder => vec![(delay, answer(How::Reply))],
            _ => Vec::new(),
        };
        for (delay, happening) in to_come {
            self.later(delay, happening);
        }
        Ok(())
    }

    /// Something comes back that is no answer.
    pub(super) fn fact(&mut self, person: &str, acknowledgement: &str, kind: Kind, words: &str) -> Result<()> {
        self.engine.record(&Answer {
            person: person.to_owned(),
            acknowledgement: Some(acknowledgement.to_owned()),
            kind: Some(kind),
            note: words.to_owned(),
            ..Answer::default()
        })?;
        let subject = format!("{} ({acknowledgement})", kind.words());
        self.event_of(Event::Fact, &subject, person, &format!("{person} {}: {words}", kind.words()));
        let (on, what) = match kind {
            Kind::HardBounce => (On::Bounced, format!("reach {person} another way: {words}")),
            Kind::Declined => (On::Declined, format!("talk to {person}, who said: {words}")),
            Kind::Question => (On::Question, format!("answer {person}, who wrote: {words}")),
            _ => {
                self.round_soon();
                return Ok(());
            }
        };
        let by = self.deadline(Some(acknowledgement));
        self.need(on, person, &what, by);
        self.trigger(on, None, Some(person), None);
        self.round_soon();
        Ok(())
    }

    /// An answer comes; true when a gate may have opened.
    pub(super) fn hear(&mut self, person: &str, acknowledgement: &str, how: How) -> Result<bool> {
        let operator = self.script.operator.clone();
        match how {
            How::Reply | How::Again => self.answer(person, acknowledgement, None, "in a reply", how),
            How::Phone => {
                self.need(
                    On::Question,
                    person,
                    &format!("take the call of {person}, who answers '{acknowledgement}'"),
                    None,
                );
                self.by_hand(On::Question, person, &format!("hears {person} on the phone"));
                self.answer(person, acknowledgement, Some(&operator), "on the phone", how)
            }
            How::Wrong => {
                self.answer_wrongly(person, acknowledgement)?;
                Ok(false)
            }
        }
    }

    /// The person answers with all that is asked for; true when a gate may have opened.
    pub(super) fn answer(
        &mut self,
        person: &str,
        acknowledgement: &str,
        by: Option<&str>,
        note: &str,
        how: How,
    ) -> Result<bool> {
        let asked = self.engine.campaign.acknowledgements[acknowledgement].clone();
        let settled = self.engine.standing(&asked, person)?.is_some_and(|one| one.grade >= asked.grade);
        if settled && how != How::Again {
            return Ok(false);
        }
        let code = if asked.grade == Grade::Possessed { Some(self.code_in_hand(person)?) } else { None };
        let recorded = self.engine.record(&Answer {
            person: person.to_owned(),
            acknowledgement: Some(acknowledgement.to_owned()),
            kind: code.is_none().then_some(Kind::Confirmed),
            code,
            serial: None,
            by: by.map(str::to_owned),
            note: note.to_owned(),
        });
        let recorded = match recorded {
            Ok(recorded) => recorded,
            Err(fault) => {
                let text = format!("{person} answers '{acknowledgement}', and it does not count: {}", fault.cause());
                self.event_of(Event::Fact, &format!("refused ({acknowledgement})"), person, &text);
                return Ok(false);
            }
        };
        let text = match recorded.new && !settled {
            true => format!("{person} answers '{acknowledgement}': {}", recorded.grade),
            false => format!("{person} answers '{acknowledgement}' again: it counts once"),
        };
        let subject = if settled { format!("{acknowledgement}, again") } else { acknowledgement.to_owned() };
        self.event_of(Event::Answer, &subject, person, &text);
        if !recorded.satisfied || settled {
            return Ok(false);
        }
        self.is_settled(person, acknowledgement)
    }

    /// Counts an answer off; true when a gate opened because of it.
    fn is_settled(&mut self, person: &str, acknowledgement: &str) -> Result<bool> {
        let now = self.world.truly();
        for on in SETTLED {
            self.record.did(now, on, person, "answered meanwhile");
        }
        self.record.released(now, person);
        if self.tally.answered(acknowledgement, person) {
            self.judge()?;
            return Ok(true);
        }
        self.count();
        Ok(false)
    }

    /// The person answers with a slip: one letter of the code is another, or the word is missing.
    fn answer_wrongly(&mut self, person: &str, acknowledgement: &str) -> Result<()> {
        let asked = &self.engine.campaign.acknowledgements[acknowledgement];
        let mut answer = Answer {
            person: person.to_owned(),
            acknowledgement: Some(acknowledgement.to_owned()),
            kind: Some(Kind::Reply),
            note: "in a reply".to_owned(),
            ..Answer::default()
        };
        if asked.grade == Grade::Possessed {
            answer.kind = None;
            answer.code = Some(misread(&self.code_in_hand(person)?));
        }
        let said = match self.engine.record(&answer) {
            Ok(_) => "the word asked for is missing".to_owned(),
            Err(fault) => fault.cause().to_owned(),
        };
        let subject = format!("slip ({acknowledgement})");
        self.event_of(Event::Fact, &subject, person, &format!("{person} answers '{acknowledgement}' wrongly: {said}"));
        let by = self.deadline(Some(acknowledgement));
        self.need(On::WrongCode, person, &format!("ask {person} for the code again: {said}"), by);
        self.trigger(On::WrongCode, None, Some(person), None);
        Ok(())
    }

    /// The serial number is read back; true when a gate opened because of it.
    pub(super) fn reads_back(&mut self, person: &str, serial: &str) -> Result<bool> {
        let answer = Answer { person: person.to_owned(), serial: Some(serial.to_owned()), ..Answer::default() };
        match self.engine.record(&answer) {
            Ok(recorded) => {
                let subject = recorded.acknowledgement.clone();
                self.event_of(Event::Answer, &subject, person, &format!("{person} reads {serial} back: it matches"));
                self.is_settled(person, &subject)
            }
            Err(fault) => {
                let text = format!("{person} reads {serial} back: {}", fault.cause());
                self.event_of(Event::Fact, "another serial number", person, &text);
                self.judge()?;
                Ok(false)
            }
        }
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
        let now = self.world.truly();
        let bag = facts.postoffice.join("MBG").join(format!("{hexid}.MBG"));
        if how != AtEvening::Shadowing && bag.exists() {
            fs::write(&bag, b"")?;
            touch(&bag, now)?;
        }
        let store = facts.postoffice.join("MMF").join(format!("{hexid}.MMF"));
        if found.mail_store == MailStore::Postoffice && store.exists() {
            touch(&store, now)?;
        }
        self.event_of(Event::LogOn, "", person, &format!("{person} logs on, lets the mail come in, and signs out"));
        Ok(())
    }

    /// Plans the evening of everybody whom the drain watches.
    pub(super) fn begin_evening(&mut self) {
        for id in self.audience_of_observed("drain") {
            match self.script.evening(&self.cast, &id) {
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
        let files = if name.ends_with(".IMG") { floppy::read(&bytes) } else { archive::read(&bytes, Bounds::Mail) };
        match files {
            Ok(files) => files.get("README.TXT").map(|file| file.bytes.clone()).unwrap_or_default(),
            Err(_) => return Ok(None),
        }
    };
    let text = String::from_utf8_lossy(&text).into_owned();
    // A line that holds nothing but a code.
    Ok(text.lines().map(str::trim).find(|line| Code::parse(line).is_ok()).map(str::to_owned))
}

/// A code as somebody misreads it: its first letter is another, so that the check letter does not fit.
fn misread(code: &str) -> String {
    let first = if code.starts_with('A') { "B" } else { "A" };
    format!("{first}{}", code.get(1..).unwrap_or_default())
}
