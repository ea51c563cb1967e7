//! Letters that came in: read once, placed with a person, recorded for what they prove; the rest waits for a human.

use super::visit::{Visit, all_read, apart, at_home, readable};
use super::{Answer, Engine};
use crate::answer::{
    self, Addresses, Asked, Decision, Evidence, Fate, Issued, Kind, Known, MailKind, Placed, Reading, Token, Told,
};
use crate::campaign::{ImapServer, MailboxKind};
use crate::fault::{Fault, Finding, Result};
use crate::inbox::{Batches, Imap, Letter, Mbox, Source};
use crate::ledger::{Ledger, MessageRow, NewInbound, Outdated};
use crate::notice::is_message_id;
use crate::outbox::Secret;
use crate::package::on_all_cores;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// The most that is kept of what a person typed, in characters.
const EXCERPT: usize = 2_000;

/// What one round of reading brought.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TakenIn {
    /// Letters looked at.
    pub read: usize,
    /// … of which so many were never seen before.
    pub new: usize,
    /// The new ones by kind.
    pub kinds: BTreeMap<&'static str, usize>,
    /// Facts recorded about people.
    pub recorded: usize,
    /// New ones that wait for a human.
    pub review: usize,
    /// New answers to what was told before: they count for that alone, and `send` tells their authors so.
    pub outdated: usize,
}

/// One letter as the campaign sees it.
#[derive(Debug, Clone)]
pub struct Seen {
    pub reading: Reading,
    pub placed: Placed,
    pub decision: Decision,
}

impl Engine<'_> {
    /// Reads every mailbox of the campaign once. A mailbox that cannot be read does not keep the others from it; its
    /// fault comes back beside what the others brought, and what this engine sends from then on presses nobody. A letter that
    /// cannot be read is named likewise, and holds nothing up where others of its mailbox were read. `stop` is looked at
    /// between mailboxes and batches, and `alive` is called there.
    pub fn intake(&mut self, stop: &AtomicBool, alive: &mut dyn FnMut()) -> (TakenIn, Vec<Fault>) {
        let mut taken = TakenIn::default();
        let (mut faults, mut letters) = (Vec::new(), Vec::new());
        for mailbox in self.campaign.intake.clone() {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            alive();
            let before = taken.read;
            let mut visit = Visit { stop, alive, taken: &mut taken };
            let done = match &mailbox.kind {
                MailboxKind::Maildir(path) => self.intake_maildir(path, &mut visit),
                MailboxKind::Mbox(path) => self.intake_mbox(path, &mut visit),
                MailboxKind::Imap(server) => self.intake_imap(server, &mut visit),
            };
            let (done, named) = apart(done, taken.read - before);
            letters.extend(named.map(|fault| at_home(fault, &mailbox.place)));
            let noted = self.note_reading(&mailbox.name(), done.as_ref().map(drop));
            faults.extend([done.err(), noted.err()].into_iter().flatten().map(|fault| at_home(fault, &mailbox.place)));
        }
        self.ledger.presses_nobody = !faults.is_empty() || stop.load(Ordering::Relaxed);
        faults.extend(letters);
        (taken, faults)
    }

    /// Takes in the letters that stand at a path. Those that cannot be read are its fault, after all others were taken.
    pub fn intake_from(&mut self, path: &Path, stop: &AtomicBool, taken: &mut TakenIn) -> Result<()> {
        all_read(self.intake_maildir(path, &mut Visit { stop, alive: &mut || {}, taken })?)
    }

    fn intake_maildir(&mut self, path: &Path, visit: &mut Visit<'_>) -> Result<Vec<Finding>> {
        self.take_batches(Source::at(path)?.batches()?, visit)
    }

    /// An mbox, while nobody writes to it. One that is not there yet holds nothing.
    fn intake_mbox(&mut self, path: &Path, visit: &mut Visit<'_>) -> Result<Vec<Finding>> {
        if !path.exists() {
            return Ok(Vec::new());
        }
        let mbox = Mbox::open(path)?;
        mbox.lock()?;
        self.take_batches(Batches::of_mbox(mbox), visit)
    }

    /// A folder on a server, from where the last intake stopped. The cursor moves on only behind what is recorded.
    fn intake_imap(&mut self, server: &ImapServer, visit: &mut Visit<'_>) -> Result<Vec<Finding>> {
        let mut imap = self.open_imap(server)?;
        imap.seek(self.ledger.cursor(&imap.name)?)?;
        let mut unread = Vec::new();
        while visit.goes_on()
            && let Some((last, letters)) = imap.next_batch()?
        {
            unread.extend(self.take_letters(letters, visit.taken)?);
            self.ledger.set_cursor(&imap.name, imap.validity, last)?;
        }
        Ok(unread)
    }

    /// Logged in, and the folder open for reading alone.
    pub(super) fn open_imap(&self, server: &ImapServer) -> Result<Imap> {
        let secret = Secret::fetch(&server.password, &self.campaign.root)?;
        Imap::open(server, secret, self.campaign.mail.ca_file.as_deref())
    }

    fn take_batches(&mut self, mut batches: Batches, visit: &mut Visit<'_>) -> Result<Vec<Finding>> {
        let mut unread = Vec::new();
        while visit.goes_on() {
            let batch = batches.next_batch()?;
            if batch.is_empty() {
                break;
            }
            unread.extend(self.take_letters(batch, visit.taken)?);
        }
        Ok(unread)
    }

    /// Records a batch: understood on all cores, then written in one transaction. Returns what is wrong with letters that
    /// cannot be read; the next intake tries them again.
    pub(super) fn take_letters(&mut self, batch: Vec<Letter>, taken: &mut TakenIn) -> Result<Vec<Finding>> {
        // Most of a mailbox was read before: that costs its octets, not their meaning.
        let digests = on_all_cores(&batch, |letter| {
            let bytes = letter.clone().bytes()?;
            Ok::<_, Fault>(bytes.map(|bytes| answer::digest(&bytes)))
        });
        let (mut fresh, mut unread) = (Vec::new(), Vec::new());
        for (letter, digest) in batch.into_iter().zip(digests) {
            let Some(digest) = readable(digest, &mut unread) else { continue };
            taken.read += 1;
            if !self.ledger.is_taken(&digest)? {
                fresh.push((letter, digest));
            }
        }
        let asked = Engine::words_asked();
        let readings = on_all_cores(&fresh, |(letter, _)| {
            letter.clone().bytes().map(|bytes| bytes.map(|bytes| answer::read(&bytes, &asked)))
        });
        let desk = Desk::new(self);
        let current = self.revision_number()?;
        let mut letters = Vec::new();
        for ((letter, digest), reading) in fresh.into_iter().zip(readings) {
            if let Some(reading) = readable(reading, &mut unread) {
                let seen = self.see(&desk, reading, current);
                let mut record = self.to_record(letter.name(), digest, seen, current)?;
                self.once_outdated(&mut record, &letters)?;
                letters.push(record);
            }
        }
        drop(desk);
        let now = self.now();
        for (letter, new) in letters.iter().zip(self.ledger.take_in(&letters, now)?) {
            if new {
                taken.new += 1;
                *taken.kinds.entry(letter.kind.word()).or_default() += 1;
                taken.recorded += letter.facts.len();
                taken.review += usize::from(letter.review.is_some());
                taken.outdated += usize::from(letter.outdated.is_some());
            }
        }
        Ok(unread)
    }

    /// What the campaign's notices ask for.
    pub(super) fn words_asked() -> Asked {
        Asked::in_campaign([super::desk::WORD.to_owned()])
    }

    /// What letters are for this campaign, without recording anything.
    pub fn classify(&self, batch: &[Letter]) -> Result<Vec<Option<Seen>>> {
        let asked = Engine::words_asked();
        let readings = on_all_cores(batch, |letter| {
            letter.clone().bytes().map(|bytes| bytes.map(|bytes| answer::read(&bytes, &asked)))
        });
        let desk = Desk::new(self);
        let current = self.revision_number()?;
        readings.into_iter().map(|reading| Ok(reading?.map(|reading| self.see(&desk, reading, current)))).collect()
    }

    fn see(&self, desk: &Desk, reading: Reading, current: u32) -> Seen {
        let mail = &self.campaign.mail;
        let addresses = Addresses { reply_to: mail.reply_to.clone(), bounce_to: mail.bounce_to.clone() };
        let placed = answer::place(&reading, &addresses, desk);
        let mut decision = answer::decide(&reading, &placed, current, desk);
        if let Some(fault) = desk.fault.take() {
            // What the ledger could not tell is doubt, not proof.
            let review = Some(format!("the ledger could not be asked: {fault}"));
            decision = Decision { review, ..Decision::default() };
        }
        Seen { reading, placed, decision }
    }

    fn to_record(&self, place: String, digest: String, seen: Seen, current: u32) -> Result<NewInbound> {
        let Seen { reading, placed, mut decision } = seen;
        if self.is_of_an_escalation(&reading, &placed)? {
            decision = Decision { review: decision.review, ..Decision::default() };
        }
        // A letter to somebody else that comes back is lost, and the next in the chain is asked; of the person it says nothing.
        let of_another = match reading.kind {
            MailKind::DsnFailed => (reading.permanent == Some(true)).then_some(Fate::Bounced),
            _ => reading.shows_it_was_taken().then_some(Fate::Taken),
        };
        let other = placed.message.as_ref().filter(|told| !told.tells).map(|told| told.id).zip(of_another);
        let told = placed.message.clone().filter(|told| told.tells && Some(&told.person) == placed.person.as_ref());
        let (message, named) = match told {
            Some(told) => (Some(told.id), told.acknowledgement),
            None => self.only_message(&placed)?.map_or((None, None), |one| (Some(one.id), one.acknowledgement)),
        };
        let (acknowledgement, address) = (named.clone(), self.address_meant(message, &reading, &placed)?);
        let mut facts = Vec::new();
        if let (Some((kind, revision)), Some(person)) = (decision.fact, &placed.person) {
            let meant = match &decision.package {
                Some(package) => self.meant_by_code(person, package, named),
                None => self.meant(person, kind, named),
            };
            match meant {
                Ok(meant) => facts.extend(meant.into_iter().map(|acknowledgement| Evidence {
                    id: 0,
                    at: self.now(),
                    person: person.clone(),
                    acknowledgement,
                    revision,
                    kind,
                    by: None,
                    detail: reading.detail(),
                    revoked: false,
                    address: address.clone(),
                })),
                Err(why) => decision.review = decision.review.or(Some(why)),
            }
        }
        let mut outdated = None;
        // Which acknowledgement it is about is known only here.
        if let Some(fact) = facts.first() {
            decision.outdated &= fact.revision < self.ledger.floor(&fact.person, &fact.acknowledgement)?;
        }
        if let Some(fact) = facts.first().filter(|_| decision.outdated) {
            outdated = self.outdated(fact, &reading)?;
            if outdated.is_none() {
                let why = format!(
                    "it answers revision {}, which holds no more; no mail can tell {} so",
                    fact.revision, fact.person
                );
                decision.review = decision.review.or(Some(why));
            }
        }
        let because: Vec<&str> = reading.because.iter().chain(&placed.by).map(String::as_str).collect();
        let excerpt = match (&decision.review, &outdated) {
            (None, None) => String::new(),
            _ => {
                let head: String = reading.typed.chars().take(2 * EXCERPT).collect();
                answer::masked(&head).chars().take(EXCERPT).collect()
            }
        };
        Ok(NewInbound {
            content: reading.content_key(),
            digest,
            place,
            sender: reading.authors.join(", "),
            subject: answer::masked(&reading.subject),
            kind: reading.kind,
            person: placed.person.clone(),
            revision: placed.revision.unwrap_or(current),
            acknowledgement,
            because: because.join("; "),
            excerpt,
            codes: reading.codes.iter().map(|code| code.fingerprint()).collect(),
            fate: message.zip(decision.fate).or(other),
            review: decision.review,
            facts,
            outdated,
        })
    }

    /// What to tell the author of an answer to an older revision; nothing where no mail reaches them.
    fn outdated(&self, fact: &Evidence, reading: &Reading) -> Result<Option<Outdated>> {
        if self.roster.get(&fact.person).is_none_or(|person| person.email.is_none()) {
            return Ok(None);
        }
        Ok(Some(Outdated {
            acknowledgement: fact.acknowledgement.clone(),
            answered: fact.revision,
            valid: self.ledger.floor(&fact.person, &fact.acknowledgement)?,
            message_id: reading.message_id.clone().filter(|id| is_message_id(id)),
        }))
    }

    /// Whoever was told once that their answer holds no more, and answers the same again, needs a human.
    fn once_outdated(&self, letter: &mut NewInbound, batch: &[NewInbound]) -> Result<()> {
        let (Some(person), Some(one)) = (&letter.person, &letter.outdated) else { return Ok(()) };
        let same = |other: &NewInbound| {
            other.person.as_ref() == Some(person)
                && other.outdated.as_ref().is_some_and(|other| other.acknowledgement == one.acknowledgement)
        };
        if batch.iter().any(same) || self.ledger.is_outdated(person, &one.acknowledgement, one.valid)? {
            letter.outdated = None;
            letter.review.get_or_insert_with(|| "answers again what holds no more; they were told so".to_owned());
        }
        Ok(())
    }

    /// Which acknowledgement a fact is about: the one that the message in question asks for, else the only one. What could
    /// be about either is left to a human; only that a person is away is true of all that they are asked.
    fn meant(&self, person: &str, kind: Kind, named: Option<String>) -> std::result::Result<Vec<String>, String> {
        if let Some(named) = named {
            return Ok(vec![named]);
        }
        match self.asked_of(person).as_slice() {
            several @ [_, _, ..] if kind == Kind::AutoReply => {
                Ok(several.iter().map(|name| (*name).to_owned()).collect())
            }
            several @ [_, _, ..] => Err(format!("it does not say which it is about: {}", several.join(", "))),
            _ => {
                let first = self.acknowledgement_for(person, &Answer::default());
                first.map(|one| vec![one.name.clone()]).map_err(|_| format!("{person} has nothing to acknowledge"))
            }
        }
    }

    /// The acknowledgement that asks for the package in which the code stands, whichever letter it answers; where several
    /// do, the one that the letter names.
    fn meant_by_code(
        &self,
        person: &str,
        package: &str,
        named: Option<String>,
    ) -> std::result::Result<Vec<String>, String> {
        let acknowledgements = &self.campaign.acknowledgements;
        let mut asked = self.asked_of(person);
        asked.retain(|name| self.asks_for(&acknowledgements[*name], package));
        match asked.as_slice() {
            [] => Err(format!("nothing that {person} is asked for is answered by the code of their '{package}'")),
            [one] => Ok(vec![(*one).to_owned()]),
            several => match named.filter(|named| several.contains(&named.as_str())) {
                Some(named) => Ok(vec![named]),
                None => Err(format!("it does not say which it is about: {}", several.join(", "))),
            },
        }
    }

    /// A report or an answering machine that names no message, and comes from where only an escalation went. It carries the
    /// token of the person whom the escalation is about.
    fn is_of_an_escalation(&self, reading: &Reading, placed: &Placed) -> Result<bool> {
        let who = match reading.kind {
            MailKind::Reply => return Ok(false),
            MailKind::AutoReply => &reading.authors,
            _ => &reading.recipients,
        };
        let (Some(person), None) = (&placed.person, &placed.message) else { return Ok(false) };
        let went = |escalation: bool| {
            let to = self.ledger.messages_to(person)?.into_iter().filter(move |one| one.tells != escalation);
            Ok::<_, Fault>(to.filter_map(|one| one.envelope_to).any(|to| who.contains(&to.to_lowercase())))
        };
        Ok(went(true)? && !went(false)?)
    }

    /// The message meant by a token alone: the person has one of that revision that left, and no other.
    fn only_message(&self, placed: &Placed) -> Result<Option<MessageRow>> {
        let (Some(person), Some(revision), true) = (&placed.person, placed.revision, placed.proven) else {
            return Ok(None);
        };
        let left = |one: &MessageRow| one.revision == revision && one.settled_at.is_some() && one.tells;
        let mut meant = self.ledger.messages_to(person)?.into_iter().filter(left);
        Ok(meant.next().filter(|_| meant.next().is_none()))
    }

    /// To which address the letter went that this is about: by the letter itself, else by the report, where it names one that we
    /// wrote to.
    fn address_meant(&self, message: Option<i64>, reading: &Reading, placed: &Placed) -> Result<Option<String>> {
        let Some(person) = &placed.person else { return Ok(None) };
        let went = self.ledger.messages_to(person)?.into_iter().filter(|one| one.tells);
        let names = |to: &str| reading.recipients.iter().any(|one| one.eq_ignore_ascii_case(to));
        let mut meant = went.filter(|one| match message {
            Some(id) => one.id == id,
            None => one.envelope_to.as_deref().is_some_and(names),
        });
        Ok(meant.next().and_then(|one| one.envelope_to))
    }
}

/// The ledger and the roster as the correlation asks them.
struct Desk<'a> {
    ledger: &'a Ledger,
    people: HashMap<String, Vec<String>>,
    /// The first thing that the ledger could not tell.
    fault: std::cell::Cell<Option<&'static str>>,
}

impl<'a> Desk<'a> {
    fn new(engine: &'a Engine) -> Desk<'a> {
        let mut people: HashMap<String, Vec<String>> = HashMap::new();
        let msmail = engine.campaign.msmail.as_ref();
        for person in engine.roster.people() {
            let mut at = |name: String| people.entry(name.to_lowercase()).or_default().push(person.id.clone());
            if let Some(email) = &person.email {
                at(email.to_string());
            }
            if let (Some(mailbox), Some(msmail)) = (&person.mailbox, msmail) {
                let network = person.network.as_deref().unwrap_or(&msmail.network);
                let office = person.postoffice.as_deref().unwrap_or(&msmail.name);
                at(format!("{network}/{office}/{mailbox}"));
            }
        }
        Desk { ledger: &engine.ledger, people, fault: std::cell::Cell::new(None) }
    }

    fn ask<T>(&self, answer: Result<Option<T>>) -> Option<T> {
        answer.unwrap_or_else(|_| {
            self.fault.set(Some("an error in reading it"));
            None
        })
    }
}

impl Known for Desk<'_> {
    fn token(&self, token: &str) -> Option<Token> {
        if !answer::is_token(token) {
            return None;
        }
        self.ask(self.ledger.token_beginning(token))
    }

    fn message(&self, message_id: &str) -> Option<Told> {
        self.ask(self.ledger.told_by(message_id))
    }

    fn people_at(&self, address: &str) -> Vec<String> {
        self.people.get(address).cloned().unwrap_or_default()
    }

    fn code(&self, fingerprint: &str) -> Option<Issued> {
        self.ask(self.ledger.code_issued(fingerprint))
    }

    fn told(&self, person: &str, by: Option<DateTime<Utc>>) -> Option<u32> {
        self.ask(self.ledger.told_to(person, by))
    }

    fn floor(&self, person: &str, acknowledgement: Option<&str>) -> u32 {
        let floor = match acknowledgement {
            Some(name) => self.ledger.floor(person, name),
            None => self.ledger.highest_floor(person),
        };
        self.ask(floor.map(Some)).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::super::visit::MOST_UNREAD;
    use super::*;
    use crate::system::Real;

    #[test]
    fn a_letter_that_cannot_be_read_keeps_no_other_from_being_taken() {
        let folder = tempfile::tempdir().expect("a folder");
        let campaign = "[campaign]\nname = \"vpn\"\nchange_at = 2097-03-31T18:00:00\ntime_zone = \"Europe/Berlin\"\n\
            contact = \"IT\"\n[mail]\nfrom = \"it@corp.example\"\n[[roster]]\nfile = \"people.csv\"\n[audience]\nall = {}\n";
        fs_err::write(folder.path().join("flagday.toml"), campaign).expect("written");
        fs_err::write(folder.path().join("people.csv"), "id,name,email,kind\nann,Ann,ann@corp.example,user\n")
            .expect("written");
        let mut engine = Engine::open(folder.path(), &Real).expect("opened");
        let held = |name: &str| {
            let bytes = format!("From: ann@corp.example\nSubject: Re: {name}\n\nhello\n").into_bytes();
            Letter::Held { name: name.to_owned(), bytes }
        };
        // A folder opens, and does not read: as a file on a failing disk.
        let broken = Letter::File(folder.path().to_owned());
        let gone = Letter::File(folder.path().join("gone"));
        let mut taken = TakenIn::default();
        let batch = vec![held("one"), broken.clone(), gone, held("two")];
        let unread = engine.take_letters(batch, &mut taken).expect("taken");
        assert_eq!((taken.read, taken.new, unread.len()), (2, 2, 1));
        assert!(unread[0].cause.contains(&broken.name()), "{}", unread[0].cause);
        let many = std::iter::repeat_n(unread[0].clone(), 30).collect();
        assert_eq!(all_read(many).expect_err("a fault").findings.len(), MOST_UNREAD + 1);
        assert_eq!(all_read(Vec::new()), Ok(()));
        let (done, letters) = apart(Ok(unread.clone()), 2);
        assert!(done.is_ok() && letters.is_some(), "it is named, and nobody waits for it");
        let (done, letters) = apart(Ok(unread), 0);
        assert!(done.is_err() && letters.is_none(), "nothing of the mailbox was read");
        assert!(apart(Err(Fault::new("io", "gone", "mount it")), 2).0.is_err());
    }
}
