//! Answers that reached a human, and answers that a machine understood: recorded as what they prove, never above.

use super::Engine;
use super::standings::Since;
use crate::answer::{Evidence, Issued, Kind};
use crate::campaign::{Acknowledgement, Grade};
use crate::fault::{Exit, Fault, Finding, Result};
use crate::msmail::serial;
use crate::package::Code;
use crate::runbook::stated;
use serde::Serialize;

/// What somebody answered.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// As typed: an id, a mailbox, an address or a name.
    pub person: String,
    /// For which acknowledgement; absent: the one that is still open.
    pub acknowledgement: Option<String>,
    pub code: Option<String>,
    pub serial: Option<String>,
    /// What came in when it was neither; absent: an operator vouches.
    pub kind: Option<Kind>,
    /// The operator who heard it.
    pub by: Option<String>,
    pub note: String,
}

/// What was recorded, and what it changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recorded {
    pub person: String,
    pub acknowledgement: String,
    pub revision: u32,
    pub kind: Kind,
    pub grade: Grade,
    pub required: Grade,
    pub satisfied: bool,
    /// False: exactly this was on record already.
    pub new: bool,
}

impl Engine<'_> {
    /// Records an answer. A wrong code or a serial number that does not match is refused in words; the mismatch is
    /// on record all the same.
    pub fn record(&mut self, answer: &Answer) -> Result<Recorded> {
        if let Some(by) = &answer.by {
            stated(by, &answer.note)?;
        }
        if let Some(recorded) = self.record_news(answer)? {
            return Ok(recorded);
        }
        let person = self.roster.find(&answer.person)?.id.clone();
        let issued = answer.code.as_ref().map(|typed| self.code_of(&person, typed)).transpose()?;
        let acknowledgement = match &issued {
            Some(issued) => self.acknowledgement_of(issued, answer)?,
            None => self.acknowledgement_for(&person, answer)?,
        };
        let acknowledgement = acknowledgement.clone();
        if answer.serial.is_some() {
            self.require_read_back(&acknowledgement)?;
        }
        let current = self.revision_number()?;
        let mut revision = current;
        let mut refusal = None;
        let kind = if let Some(issued) = issued {
            // Whoever is asked now answers what holds now, as long as their package is the same.
            revision = issued.newest();
            Kind::Code
        } else if let Some(typed) = &answer.serial {
            match self.read_back(typed)? {
                true => Kind::SerialMatches,
                false => {
                    refusal = Some(self.serial_refusal(&person, typed));
                    Kind::SerialDiffers
                }
            }
        } else {
            answer.kind.unwrap_or(Kind::Operator)
        };
        let detail = match (&answer.serial, answer.note.as_str()) {
            (Some(serial), "") => serial.trim().to_owned(),
            (Some(serial), note) => format!("{}; {note}", serial.trim()),
            (None, note) => note.to_owned(),
        };
        let fact = Evidence {
            id: 0,
            at: self.now(),
            person: person.clone(),
            acknowledgement: acknowledgement.name.clone(),
            revision,
            kind,
            by: answer.by.clone(),
            detail,
            revoked: false,
            address: None,
        };
        let new = self.add_fact(&acknowledgement.name, &fact)?;
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        if revision < self.ledger.floor(&person, &acknowledgement.name)? {
            if self.is_postponed()? {
                let cause = format!("that code belongs to revision {revision}, and the change is put off since");
                let remedy = "it is on record for what was; with the new date people are told anew, and answer anew";
                return Err(Fault::new("older-revision", cause, remedy));
            }
            return Err(Fault::new(
                "older-revision",
                format!("that code belongs to revision {revision}; people are now told revision {current}"),
                "it is on record for the old revision; ask for the code in the newest package",
            ));
        }
        let standing = self.standing(&acknowledgement, &person)?;
        Ok(Recorded {
            satisfied: standing.is_some_and(|standing| Self::is_settled(&acknowledgement, &standing)),
            person,
            revision,
            kind,
            grade: kind.proves(),
            required: acknowledgement.grade,
            acknowledgement: acknowledgement.name,
            new,
        })
    }

    /// Which acknowledgement an answer is for: the one named; else one that this kind of answer fits and that the
    /// person has not settled yet; else the first that concerns the person.
    pub(super) fn acknowledgement_for(&self, person: &str, answer: &Answer) -> Result<&Acknowledgement> {
        let concerns = |acknowledgement: &Acknowledgement| {
            let audience = &self.campaign.audiences[&acknowledgement.audience];
            self.roster.get(person).is_some_and(|member| member.is_in(audience))
        };
        if let Some(name) = &answer.acknowledgement {
            return match self.campaign.acknowledgements.get(name) {
                Some(acknowledgement) if concerns(acknowledgement) => Ok(acknowledgement),
                Some(_) => Err(Fault::new(
                    "not-concerned",
                    format!("{person} is not in the audience of '{name}'"),
                    "see `flagday who` for what concerns whom",
                )),
                None => {
                    let known: Vec<_> = self.campaign.acknowledgements.keys().map(String::as_str).collect();
                    let cause = format!("there is no acknowledgement '{name}'");
                    Err(Fault::ending(
                        Exit::Usage,
                        "unknown-acknowledgement",
                        cause,
                        format!("one of {}", known.join(", ")),
                    ))
                }
            };
        }
        // A serial number is read back for what only observation proves; anything else answers what a notice asked.
        let fits =
            |acknowledgement: &&Acknowledgement| (acknowledgement.grade == Grade::Observed) == answer.serial.is_some();
        let mut concerned = self.campaign.acknowledgements.values().filter(|one| concerns(one)).collect::<Vec<_>>();
        concerned.sort_by_key(|one| !fits(one));
        let mut first = None;
        for acknowledgement in concerned {
            let standing = self.standing(acknowledgement, person)?;
            if fits(&acknowledgement) && standing.is_some_and(|one| !Self::is_settled(acknowledgement, &one)) {
                return Ok(acknowledgement);
            }
            first = first.or(Some(acknowledgement));
        }
        first.ok_or_else(|| {
            let cause = format!("{person} has nothing to acknowledge");
            Fault::new("nothing-asked", cause, "no acknowledgement has this person in its audience")
        })
    }

    /// Whether the code of this package is what an acknowledgement asks for.
    pub(super) fn asks_for(&self, acknowledgement: &Acknowledgement, package: &str) -> bool {
        let notice = acknowledgement.notice.as_ref().and_then(|notice| self.campaign.notices.get(notice));
        notice.is_some_and(|notice| notice.package.as_deref() == Some(package))
    }

    /// Which acknowledgement a code is for: one that asks for the package in which it stands.
    pub(super) fn acknowledgement_of(&self, issued: &Issued, answer: &Answer) -> Result<&Acknowledgement> {
        let (person, package) = (&issued.person, &issued.package);
        let first = self.acknowledgement_for(person, answer)?;
        if self.asks_for(first, package) {
            return Ok(first);
        }
        let named = answer.acknowledgement.is_some();
        let all = self.asked_of(person).into_iter().map(|name| &self.campaign.acknowledgements[name]);
        all.filter(|_| !named).find(|one| self.asks_for(one, package)).ok_or_else(|| {
            let cause = format!("that code stands in {person}'s '{package}', which '{}' does not ask for", first.name);
            let remedy = "ask for the code in the package of that notice, or name another --for; nothing was recorded";
            Fault::new("code-of-another-package", cause, remedy)
        })
    }

    /// What a person is asked to answer in writing.
    pub(super) fn asked_of(&self, person: &str) -> Vec<&str> {
        let asks = |one: &&Acknowledgement| {
            let audience = &self.campaign.audiences[&one.audience];
            one.grade != Grade::Observed && self.roster.get(person).is_some_and(|member| member.is_in(audience))
        };
        self.campaign.acknowledgements.values().filter(asks).map(|one| one.name.as_str()).collect()
    }

    /// A serial number read back answers only what observation proves, and only once there is one to read.
    fn require_read_back(&self, acknowledgement: &Acknowledgement) -> Result<()> {
        let refused = |cause, remedy: &str| Err(Fault::new("no-read-back", cause, remedy));
        let name = &acknowledgement.name;
        if acknowledgement.grade != Grade::Observed || acknowledgement.notice.is_some() {
            return refused(
                format!("'{name}' is not answered by a serial number"),
                "leave --serial out, or name another --for",
            );
        }
        match self.observed_since(acknowledgement)? {
            Since::NotYet => refused(
                format!("the new serial number is not in force yet, so nobody can read it back for '{name}'"),
                "record it after the change",
            ),
            Since::Always | Since::Entry(_) => Ok(()),
        }
    }

    /// Where this code went out to this person.
    fn code_of(&self, person: &str, typed: &str) -> Result<Issued> {
        let (again, whose) = match self.campaign.has_disks() {
            true => ("on the disk", "find out whose disk they hold before they install it; nothing was recorded"),
            false => ("in the package", "find out whose package they hold before they use it; nothing was recorded"),
        };
        let remedy = format!("have it read again from README.TXT {again}; nothing was recorded");
        let code =
            Code::parse(typed).map_err(|fault| Fault::new("code-malformed", fault.to_string(), remedy.as_str()))?;
        match self.ledger.code_issued(&code.fingerprint())? {
            Some(issued) if issued.person == person => Ok(issued),
            Some(_) => Err(Fault::new(
                "code-of-another",
                format!("that code stands in somebody else's package, not in {person}'s"),
                whose,
            )),
            None => Err(Fault::new("code-unknown", "that code was never sent to anybody", remedy)),
        }
    }

    /// Whether a serial number read back is the new one, compared as normalised.
    fn read_back(&self, typed: &str) -> Result<bool> {
        let Some(msmail) = &self.campaign.msmail else {
            return Err(Fault::new("no-serial", "this campaign has no serial number", "leave --serial out"));
        };
        if serial::Serial::parse(typed).is_none() {
            let cause = format!("'{typed}' is no serial number");
            return Err(Fault::new("serial-malformed", cause, "write it as 32-20977"));
        }
        Ok(serial::same(typed, &msmail.new_serial))
    }

    fn serial_refusal(&self, person: &str, typed: &str) -> Fault {
        let new = self.campaign.msmail.as_ref().map_or("", |msmail| msmail.new_serial.as_str());
        Finding::error(
            "serial-differs",
            format!("{person} read back {}, and the new serial number is {new}", typed.trim()),
            "have External-Admin > Setup corrected there, then read it back again; the mismatch is on record",
        )
        .article("Q209486")
        .into()
    }

    /// Records a fact the program itself saw about a person.
    pub(super) fn observe(&mut self, acknowledgement: &str, person: &str, kind: Kind, detail: &str) -> Result<bool> {
        let fact = Evidence {
            id: 0,
            at: self.now(),
            person: person.to_owned(),
            acknowledgement: acknowledgement.to_owned(),
            revision: self.revision_number()?,
            kind,
            by: None,
            detail: detail.to_owned(),
            revoked: false,
            address: None,
        };
        self.add_fact(acknowledgement, &fact)
    }

    /// Records a fact unless it is on record already, and counts.
    pub(super) fn add_fact(&mut self, acknowledgement: &str, fact: &Evidence) -> Result<bool> {
        match self.campaign.acknowledgements.get(acknowledgement).map(|asked| self.observed_since(asked)).transpose()? {
            Some(since) => self.ledger.add_evidence_behind(fact, since.entry()),
            None => self.ledger.add_evidence(fact),
        }
    }

    /// Somebody who is on no roster, and of whom something is on record: a mailbag that was vouched for, by its hex id.
    fn on_record(&self, word: &str) -> Result<Option<String>> {
        let id = word.trim().to_ascii_uppercase();
        Ok((!self.ledger.evidence_of(&id)?.is_empty()).then_some(id))
    }

    /// Takes back what stands for a person: the newest piece of evidence by an operator or an answer, or the waivers.
    pub fn revoke(&mut self, word: &str, evidence: Option<i64>, waivers: bool, by: &str, note: &str) -> Result<String> {
        let person = match self.roster.find(word) {
            Ok(person) => person.id.clone(),
            Err(unknown) => self.on_record(word)?.ok_or(unknown)?,
        };
        let (by, note) = stated(by, note)?;
        let now = self.now();
        let names: Vec<String> = self.campaign.acknowledgements.keys().cloned().collect();
        if waivers {
            let mut count = 0;
            for name in names {
                count += self.ledger.unwaive(&name, &person, &by, &note, now)?;
            }
            return match count {
                0 => Err(Fault::new("no-waiver", format!("{person} was not waived"), "see `flagday status`")),
                n => Ok(format!("{n} waiver(s) of {person} withdrawn")),
            };
        }
        let all = self.ledger.evidence_of(&person)?;
        let chosen = match evidence {
            Some(id) => all.iter().find(|fact| fact.id == id),
            None => all
                .iter()
                .rev()
                .find(|fact| !fact.revoked && (fact.kind.proves() >= Grade::Confirmed || fact.kind == Kind::Attested)),
        };
        let Some(fact) = chosen else {
            let mut waived = false;
            for name in &names {
                waived |= self.ledger.waivers(name, 0)?.iter().any(|waiver| waiver.person == person);
            }
            let (cause, remedy) = match waived {
                true => (
                    format!("there is no answer of {person} to revoke, only a waiver"),
                    format!("`flagday ack revoke {person} --waiver --by NAME --note TEXT` takes that back"),
                ),
                false => (
                    format!("there is no answer of {person} to revoke"),
                    format!("`flagday who --person {person}` shows what is on record"),
                ),
            };
            return Err(Fault::new("no-evidence", cause, remedy));
        };
        self.ledger.revoke_evidence(fact.id, &by, &note, now)?;
        Ok(format!("evidence {} ({person} {}) revoked; it stays on record as revoked", fact.id, fact.kind.words()))
    }
}
