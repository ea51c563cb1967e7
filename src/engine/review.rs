//! Letters that only a human can settle: listed with their reasons, and settled once, for ever marked with a name.

use super::{Answer, Engine};
use crate::answer::{Evidence, Issued, Kind, Said};
use crate::campaign::Grade;
use crate::fault::{Exit, Fault, Result};
use crate::ledger::{Inbound, Outdated, Settled};
use crate::package::Code;
use crate::runbook::stated;
use serde::Serialize;

/// The code of the finding that asks for the acknowledgement.
pub const WHICH: &str = "which-acknowledgement";

/// What a human makes of a letter.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// Nothing: the letter answers nothing.
    pub said: Option<Said>,
    /// Whose it is, where the program did not find out.
    pub person: Option<String>,
    /// Which acknowledgement it is for, where neither the letter nor a code in it says so.
    pub acknowledgement: Option<String>,
    pub by: String,
    pub note: String,
    /// The code, where it stands in a picture or an attachment.
    pub code: Option<String>,
}

/// How a letter was settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reviewed {
    pub letter: i64,
    pub person: Option<String>,
    pub taken_as: &'static str,
    /// The acknowledgement that it counts for.
    pub acknowledgement: Option<String>,
    /// It answers what the person was told before: it counts for that alone, and `send` tells them so.
    pub outdated: bool,
    /// Letters that still wait.
    pub left: usize,
}

impl Engine<'_> {
    /// The letters that wait for a human, oldest first.
    pub fn in_review(&self) -> Result<Vec<Inbound>> {
        self.ledger.in_review()
    }

    /// Settles one letter. The code counts only when it was issued to that person: an operator vouches for who wrote,
    /// not for what stands in a package.
    pub fn settle(&mut self, letter: i64, verdict: &Verdict) -> Result<Reviewed> {
        let note = match verdict.note.trim() {
            "" => "read in review",
            note => note,
        };
        stated(&verdict.by, note)?;
        let Some(found) = self.ledger.inbound(letter)? else {
            let cause = format!("there is no letter {letter} in review");
            return Err(Fault::ending(Exit::Usage, "unknown-letter", cause, "`flagday ack review` lists them"));
        };
        let fact = match verdict.said {
            Some(said) => Some(self.fact_of(&found, said, verdict, note)?),
            None => None,
        };
        let taken_as = word(verdict.said);
        let settled = Settled {
            at: self.now(),
            by: verdict.by.trim().to_owned(),
            taken_as: taken_as.to_owned(),
            note: note.to_owned(),
        };
        let outdated = fact.as_ref().map(|fact| self.outdated_answer(fact)).transpose()?.flatten();
        self.ledger.settle_inbound(letter, &settled, fact.as_ref(), outdated.as_ref())?;
        let left = self.ledger.in_review()?.len();
        let (person, acknowledgement) =
            fact.map_or((None, None), |fact| (Some(fact.person), Some(fact.acknowledgement)));
        let outdated = outdated.is_some();
        Ok(Reviewed { letter, person: person.or(found.person), taken_as, acknowledgement, outdated, left })
    }

    fn outdated_answer(&self, fact: &Evidence) -> Result<Option<Outdated>> {
        let valid = self.ledger.floor(&fact.person, &fact.acknowledgement)?;
        let old = fact.kind.proves() >= Grade::Confirmed && fact.revision < valid;
        let acknowledgement = fact.acknowledgement.clone();
        Ok(old.then_some(Outdated { acknowledgement, answered: fact.revision, valid, message_id: None }))
    }

    fn fact_of(&self, letter: &Inbound, said: Said, verdict: &Verdict, note: &str) -> Result<Evidence> {
        let person = match (&verdict.person, &letter.person) {
            (Some(word), _) => self.roster.find(word)?.id.clone(),
            (None, Some(person)) => person.clone(),
            (None, None) => {
                let cause = format!("nobody knows whose letter {} is", letter.id);
                return Err(Fault::ending(Exit::Usage, "whose-letter", cause, "say so with --person"));
            }
        };
        let mut revision = letter.revision;
        let mut acknowledgement = None;
        let kind = match said {
            Said::Possessed => {
                let issued = self.code_in(letter, &person, verdict.code.as_deref())?;
                acknowledgement = Some(self.acknowledgement_of(&issued, &for_the(verdict.acknowledgement.clone()))?);
                revision = issued.answered(Some(letter.revision));
                Kind::Code
            }
            Said::Confirmed => Kind::Confirmed,
            Said::Declined => Kind::Declined,
            Said::Question => Kind::Question,
        };
        let acknowledgement = match acknowledgement {
            Some(found) => found.name.clone(),
            None => self.acknowledgement_in(letter, &person, verdict)?,
        };
        Ok(Evidence {
            id: 0,
            at: self.now(),
            person,
            acknowledgement,
            revision,
            kind,
            by: Some(verdict.by.trim().to_owned()),
            detail: format!("letter {}; {note}", letter.id),
            revoked: false,
            address: None,
        })
    }

    /// The one that the operator names, else the one that the letter answers, else the only one.
    fn acknowledgement_in(&self, letter: &Inbound, person: &str, verdict: &Verdict) -> Result<String> {
        let answered = || letter.acknowledgement.clone().filter(|_| letter.person.as_deref() == Some(person));
        let named = verdict.acknowledgement.clone().or_else(answered);
        let asked = self.asked_of(person);
        if named.is_none() && asked.len() > 1 {
            let cause = format!("letter {} does not say which it answers: {}", letter.id, asked.join(", "));
            return Err(Fault::ending(Exit::Usage, WHICH, cause, "say so with --for; nothing was recorded"));
        }
        Ok(self.acknowledgement_for(person, &for_the(named))?.name.clone())
    }

    /// Where the person's code in a letter, or in what the operator typed, went out.
    fn code_in(&self, letter: &Inbound, person: &str, typed: Option<&str>) -> Result<Issued> {
        let typed = typed.map(|typed| {
            let remedy = "type it as it stands in the letter; nothing was recorded";
            Code::parse(typed).map_err(|fault| Fault::new("code-malformed", fault.to_string(), remedy))
        });
        let fingerprints = match typed.transpose()? {
            Some(code) => vec![code.fingerprint()],
            None => letter.codes.clone(),
        };
        for fingerprint in &fingerprints {
            if let Some(issued) = self.ledger.code_issued(fingerprint)?.filter(|issued| issued.person == person) {
                return Ok(issued);
            }
        }
        Err(Fault::new(
            "no-code-of-theirs",
            format!("no code from {person}'s package stands in letter {}", letter.id),
            "settle it --as confirmed, or give the code with --code when it stands in a picture; nothing was recorded",
        ))
    }
}

fn for_the(acknowledgement: Option<String>) -> Answer {
    Answer { acknowledgement, ..Answer::default() }
}

fn word(said: Option<Said>) -> &'static str {
    match said {
        Some(Said::Possessed) => "possessed",
        Some(Said::Confirmed) => "confirmed",
        Some(Said::Declined) => "declined",
        Some(Said::Question) => "question",
        None => "nothing",
    }
}
