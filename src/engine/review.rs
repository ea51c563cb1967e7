//! Letters that only a human can settle: listed with their reasons, and settled once, for ever marked with a name.

use super::{Answer, Engine};
use crate::answer::{Evidence, Kind, Said};
use crate::campaign::Grade;
use crate::fault::{Exit, Fault, Result};
use crate::ledger::{Inbound, Outdated, Settled};
use crate::package::Code;
use crate::runbook::stated;
use serde::Serialize;

/// What a human makes of a letter.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// Nothing: the letter answers nothing.
    pub said: Option<Said>,
    /// Whose it is, where the program did not find out.
    pub person: Option<String>,
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
        let valid = self.ledger.floor(&fact.person)?;
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
        let kind = match said {
            Said::Possessed => {
                revision = self.code_in(letter, &person, verdict.code.as_deref())?;
                Kind::Code
            }
            Said::Confirmed => Kind::Confirmed,
            Said::Declined => Kind::Declined,
            Said::Question => Kind::Question,
        };
        let acknowledgement = self.acknowledgement_for(&person, &Answer::default())?.name.clone();
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
        })
    }

    /// The revision of the person's code in a letter, or in what the operator typed.
    fn code_in(&self, letter: &Inbound, person: &str, typed: Option<&str>) -> Result<u32> {
        let typed = typed.map(|typed| {
            let remedy = "type it as it stands in the letter; nothing was recorded";
            Code::parse(typed).map_err(|fault| Fault::new("code-malformed", fault.to_string(), remedy))
        });
        let fingerprints = match typed.transpose()? {
            Some(code) => vec![code.fingerprint()],
            None => letter.codes.clone(),
        };
        for fingerprint in &fingerprints {
            if let Some((_, revision)) = self.ledger.code_issued(fingerprint)?.filter(|(owner, _)| owner == person) {
                return Ok(revision);
            }
        }
        Err(Fault::new(
            "no-code-of-theirs",
            format!("no code from {person}'s package stands in letter {}", letter.id),
            "settle it --as confirmed, or give the code with --code when it stands in a picture; nothing was recorded",
        ))
    }
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
