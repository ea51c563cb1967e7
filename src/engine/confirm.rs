//! The confirm page, without its face: which link goes into a mail, what stands behind one, and what an answer given
//! there proves. Looking changes nothing; only what a person typed does.

use super::Engine;
use crate::answer::{Claims, Evidence, Kind, LinkKeys, Refusal};
use crate::campaign::{Acknowledgement, Campaign, Grade};
use crate::fault::Result;
use crate::ledger::{Attempt, Task, Tried};
use crate::notice::{AckWords, ChangeWords};
use crate::package::Code;
use crate::roster::Person;
use chrono::{DateTime, Duration, Utc};
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use subtle::ConstantTimeEq;

/// A link is good until so long after the change, or after its own mail where that goes out later.
const GOOD_FOR: Duration = Duration::days(14);
/// More words of one person than a human can want to read.
const MOST_WORDS: usize = 5;

/// What a person says on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// "Done": the code, the mailbox name, or the word that the notice asks for.
    Done(String),
    /// What they need help with.
    Help(String),
    /// Who they are instead.
    NotMe(String),
    /// Who does it instead.
    SomebodyElse(String),
}

/// What became of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is on record, now or since before.
    Recorded,
    /// Nothing was typed.
    Empty,
    /// None of them.
    Wrong,
    /// A code out of an older package.
    OldCode,
    Refused(Refusal),
    /// Enough was said.
    Enough,
    /// People were told something newer than this link speaks of.
    Replaced,
}

/// What the page shows. No code, no mailbox, no name in full: the page must not help whoever guesses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageView {
    pub language: Option<String>,
    pub title: String,
    pub contact: String,
    /// `A. L.`
    pub initials: String,
    pub revision: u32,
    /// In words of the person's language.
    pub change: String,
    /// In the person's own zone, where that is another one.
    pub own_change: Option<String>,
    pub due: Option<String>,
    /// The code is asked for; else the mailbox name is enough.
    pub code_asked: bool,
    /// The person has a mailbox name. Who has none types the word that their notice asks for: their mail address would
    /// prove nothing, for it stands on the letter, and programs fill it in.
    pub has_mailbox: bool,
    pub state: PageState,
    /// Help was asked for, or the like, when.
    pub noted: Vec<(Kind, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageState {
    Open,
    /// The mailbox name was typed, and the code is asked for.
    Half,
    /// Answered, when.
    Settled(String),
    /// Too many wrong tries.
    Locked,
    Replaced,
}

/// Who is asked for what.
struct Asked {
    person: Person,
    acknowledgement: Acknowledgement,
}

impl Engine<'_> {
    /// The keys of this campaign's page.
    pub fn link_keys(&self) -> LinkKeys {
        keys(&self.campaign, self.ledger.secret())
    }

    /// The address of the page where this person answers; `None` while `[web] public_url` names none.
    pub fn confirm_link(&self, person: &str, asked: &str, revision: u32, now: DateTime<Utc>) -> Option<String> {
        link(&self.campaign, self.ledger.secret(), person, asked, revision, now)
    }

    /// What stands behind a genuine link; `None` when its person is gone from the rosters.
    pub fn page(&self, claims: &Claims) -> Result<Option<PageView>> {
        let Some(Asked { person, acknowledgement }) = self.asked(claims) else { return Ok(None) };
        let change = ChangeWords::of(&self.campaign, &person);
        let due = acknowledgement.due.map(|due| due.instant(&self.campaign.change));
        let facts = self.facts_about(&person.id, &acknowledgement.name)?;
        let in_words = |at| AckWords::due(&self.campaign, &person, at);
        let noted =
            facts.iter().filter(|fact| word_only(fact.kind)).map(|fact| (fact.kind, in_words(fact.at))).collect();
        Ok(Some(PageView {
            title: self.campaign.title.clone(),
            contact: self.campaign.contact.clone(),
            initials: initials(&person.name),
            revision: claims.revision,
            change: change.local,
            own_change: change.own_local,
            due: due.map(in_words),
            code_asked: acknowledgement.grade == Grade::Possessed,
            has_mailbox: person.mailbox.is_some(),
            state: self.page_state(claims, &person, &acknowledgement, &facts)?,
            noted,
            language: person.language,
        }))
    }

    fn page_state(
        &self,
        claims: &Claims,
        person: &Person,
        acknowledgement: &Acknowledgement,
        facts: &[Evidence],
    ) -> Result<PageState> {
        if self.is_replaced(claims)? {
            return Ok(PageState::Replaced);
        }
        if let Some(fact) = facts.iter().find(|fact| fact.grade() >= acknowledgement.grade) {
            return Ok(PageState::Settled(AckWords::due(&self.campaign, person, fact.at)));
        }
        let attempt = Attempt {
            at: self.now(),
            person: &person.id,
            acknowledgement: &acknowledgement.name,
            revision: claims.revision,
            source: "",
            from: "",
        };
        Ok(match self.ledger.may_try(&attempt)? {
            Some(Refusal::PersonLocked) => PageState::Locked,
            _ if facts.iter().any(|fact| fact.grade() >= Grade::Confirmed) => PageState::Half,
            _ => PageState::Open,
        })
    }

    /// Takes what somebody said behind a genuine link. Needs no lock: it is one transaction of the ledger, and a run that
    /// sends meanwhile goes on.
    pub fn answer_on_page(&mut self, claims: &Claims, said: &Said, from: IpAddr) -> Result<Option<Outcome>> {
        let Some(asked) = self.asked(claims) else { return Ok(None) };
        if self.is_replaced(claims)? {
            return Ok(Some(Outcome::Replaced));
        }
        let typed = match said {
            Said::Done(typed) => typed,
            Said::Help(words) => return self.take_words(&asked, claims, Kind::HelpAsked, words, from).map(Some),
            Said::NotMe(words) => return self.take_words(&asked, claims, Kind::NotMe, words, from).map(Some),
            Said::SomebodyElse(words) => {
                return self.take_words(&asked, claims, Kind::Delegated, words, from).map(Some);
            }
        };
        if typed.trim().is_empty() {
            return Ok(Some(Outcome::Empty));
        }
        let person = &asked.person;
        let typed = self.recognise(&asked, claims, typed)?;
        let answer = match typed {
            Typed::Said => Some((Kind::Confirmed, claims.revision)),
            Typed::Code(told) => Some((Kind::Code, told)),
            Typed::OldCode | Typed::CodeOfAnother | Typed::Wrong => None,
        };
        let source = self.link_keys().source(from);
        let shown = masked(from);
        let attempt = Attempt {
            at: self.now(),
            person: &person.id,
            acknowledgement: &asked.acknowledgement.name,
            revision: claims.revision,
            source: &source,
            from: &shown,
        };
        let fact = answer.map(|(kind, revision)| Evidence { revision, ..fact(&attempt, kind, "") });
        let locked = |refusal| match refusal {
            Refusal::SourceLocked => format!("a hundred wrong answers came from {shown}: none is taken today"),
            _ => task_words(person, "typed too much that was wrong on the confirm page, which is shut for them: call"),
        };
        let tried = self.ledger.try_answer(&attempt, fact.as_ref(), locked)?;
        // Whoever was refused must not learn, by how long it took, that the code is somebody's.
        if matches!((&typed, tried), (Typed::CodeOfAnother, Tried::Wrong(_))) {
            self.note_task(&asked, "typed a code on the confirm page that stands in somebody else's package: ask")?;
        }
        Ok(Some(match tried {
            Tried::Refused(refusal) => Outcome::Refused(refusal),
            Tried::Wrong(Some(refusal)) => Outcome::Refused(refusal),
            Tried::Wrong(None) if matches!(typed, Typed::OldCode) => Outcome::OldCode,
            Tried::Wrong(None) => Outcome::Wrong,
            Tried::Recorded | Tried::Repeated => Outcome::Recorded,
        }))
    }

    /// Words for a human. They prove nothing, so they need no code; they are few, so that nobody floods the ledger.
    fn take_words(&mut self, asked: &Asked, claims: &Claims, kind: Kind, words: &str, from: IpAddr) -> Result<Outcome> {
        let words = one_line(words);
        if words.is_empty() {
            return Ok(Outcome::Empty);
        }
        let (person, name) = (&asked.person, &asked.acknowledgement.name);
        let known = self.facts_about(&person.id, name)?;
        let said = format!("\"{words}\"");
        if known.iter().any(|fact| fact.kind == kind && fact.detail.starts_with(&said)) {
            return Ok(Outcome::Recorded);
        }
        if known.iter().filter(|fact| word_only(fact.kind)).count() >= MOST_WORDS {
            return Ok(Outcome::Enough);
        }
        let shown = masked(from);
        let attempt = Attempt {
            at: self.now(),
            person: &person.id,
            acknowledgement: name,
            revision: claims.revision,
            source: "",
            from: &shown,
        };
        self.ledger.add_evidence(&fact(&attempt, kind, &said))?;
        let what = match kind {
            Kind::HelpAsked => format!("asks for help, {said}: call"),
            Kind::NotMe => format!("was not who was reached, but {said}: find out about"),
            _ => format!("has somebody else do it, {said}: tell them, and call"),
        };
        self.note_task(asked, &what)?;
        Ok(Outcome::Recorded)
    }

    /// A code counts out of every package that still holds: what concerned somebody else has made none of theirs older.
    fn recognise(&self, asked: &Asked, claims: &Claims, typed: &str) -> Result<Typed> {
        let person = &asked.person;
        let said = match &person.mailbox {
            Some(mailbox) => same(mailbox, typed),
            // A notice that asks for the code names no word.
            None => asked.acknowledgement.grade != Grade::Possessed && Engine::words_asked().is_word(typed),
        };
        if said {
            return Ok(Typed::Said);
        }
        let Ok(code) = Code::parse(typed) else { return Ok(Typed::Wrong) };
        Ok(match self.ledger.code_issued(&code.fingerprint())? {
            Some(issued) if issued.person == person.id => {
                let revision = issued.answered(Some(claims.revision));
                if !self.asks_for(&asked.acknowledgement, &issued.package) {
                    Typed::Wrong
                } else if revision >= self.ledger.floor(&person.id, &asked.acknowledgement.name)? {
                    Typed::Code(revision)
                } else {
                    Typed::OldCode
                }
            }
            Some(_) => Typed::CodeOfAnother,
            None => Typed::Wrong,
        })
    }

    fn asked(&self, claims: &Claims) -> Option<Asked> {
        let keys = self.link_keys();
        self.campaign.acknowledgements.values().find_map(|acknowledgement| {
            let audience = &self.campaign.audiences[&acknowledgement.audience];
            let is_meant = |person: &&Person| keys.whom(&person.id, &acknowledgement.name) == claims.whom;
            let person = self.roster.audience(audience).find(is_meant)?.clone();
            Some(Asked { person, acknowledgement: acknowledgement.clone() })
        })
    }

    fn is_replaced(&self, claims: &Claims) -> Result<bool> {
        match self.asked(claims) {
            Some(asked) => Ok(claims.revision < self.ledger.floor(&asked.person.id, &asked.acknowledgement.name)?),
            None => Ok(false),
        }
    }

    /// What still counts, whichever letter it answered.
    fn facts_about(&self, person: &str, acknowledgement: &str) -> Result<Vec<Evidence>> {
        let since = self.ledger.floor(person, acknowledgement)?;
        let mut facts = self.ledger.evidence_about(person, acknowledgement, since)?;
        facts.retain(|fact| !fact.revoked);
        Ok(facts)
    }

    fn note_task(&mut self, asked: &Asked, what: &str) -> Result<()> {
        let task = Task {
            at: self.now(),
            person: asked.person.id.clone(),
            acknowledgement: asked.acknowledgement.name.clone(),
            what: task_words(&asked.person, what),
            call: false,
        };
        self.ledger.add_task(&task).map(drop)
    }
}

fn keys(campaign: &Campaign, secret: &[u8; 32]) -> LinkKeys {
    LinkKeys::new(secret, &campaign.name, campaign.web.as_ref().map_or(1, |web| web.link_key))
}

/// The address of the page where this person answers for the acknowledgement `asked`.
pub(super) fn link(
    campaign: &Campaign,
    secret: &[u8; 32],
    person: &str,
    asked: &str,
    revision: u32,
    now: DateTime<Utc>,
) -> Option<String> {
    let url = campaign.web.as_ref()?.public_url.as_ref()?;
    let keys = keys(campaign, secret);
    let claims = Claims { revision, expires: campaign.change.at.max(now) + GOOD_FOR, whom: keys.whom(person, asked) };
    Some(format!("{url}/c/{}", keys.link(&claims)))
}

/// What was typed, held against what is known.
enum Typed {
    /// The mailbox name, or the word asked for.
    Said,
    /// With the revision in whose package it went out.
    Code(u32),
    OldCode,
    CodeOfAnother,
    Wrong,
}

fn word_only(kind: Kind) -> bool {
    matches!(kind, Kind::HelpAsked | Kind::NotMe | Kind::Delegated)
}

fn fact(attempt: &Attempt<'_>, kind: Kind, said: &str) -> Evidence {
    let before = if said.is_empty() { String::new() } else { format!("{said}, ") };
    Evidence {
        id: 0,
        at: attempt.at,
        person: attempt.person.to_owned(),
        acknowledgement: attempt.acknowledgement.to_owned(),
        revision: attempt.revision,
        kind,
        by: None,
        detail: format!("{before}web, from {}", attempt.from),
        revoked: false,
        address: None,
    }
}

fn task_words(person: &Person, what: &str) -> String {
    let phone = person.phone.as_deref().unwrap_or("no phone number in the roster");
    let name = &person.name;
    format!("{name} {what} {name} ({phone})")
}

/// Compared in constant time, without regard to case and blanks.
fn same(own: &str, typed: &str) -> bool {
    let digest = |text: &str| Sha256::digest(text.trim().to_lowercase());
    digest(own).ct_eq(&digest(typed)).into()
}

fn initials(name: &str) -> String {
    let letters = name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphabetic()));
    letters.take(3).map(|letter| format!("{}.", letter.to_uppercase())).collect::<Vec<_>>().join(" ")
}

/// As typed, without line breaks and control characters, and no longer than a few lines.
fn one_line(words: &str) -> String {
    let plain: String = words.chars().map(|c| if c.is_control() || c == '"' { ' ' } else { c }).collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    words.join(" ").chars().take(400).collect()
}

/// The address as it may be shown: the last part left out.
pub fn masked(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.x")
        }
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:x")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gives_away_its_first_letters_alone() {
        assert_eq!(initials("Anna Lindberg"), "A. L.");
        assert_eq!(initials("jörg  (Munich) ß"), "J. M. SS.");
        assert_eq!(initials("KIM"), "K.");
        assert_eq!(initials(""), "");
    }

    #[test]
    fn what_was_typed_is_one_short_line() {
        assert_eq!(one_line(" my \"disk\"\r\n\tis\u{1b}[31m gone "), "my disk is [31m gone");
        assert_eq!(one_line(&"x".repeat(1_000)).len(), 400);
        assert_eq!(one_line("\n \t"), "");
    }

    #[test]
    fn addresses_are_masked() {
        assert_eq!(masked("192.0.2.77".parse().unwrap()), "192.0.2.x");
        assert_eq!(masked("::ffff:192.0.2.77".parse().unwrap()), "192.0.2.x");
        assert_eq!(masked("2001:db8:1:2::77".parse().unwrap()), "2001:db8:1:x");
    }

    #[test]
    fn a_mailbox_is_compared_without_regard_to_case() {
        assert!(same("LINDBERG", " lindberg "));
        assert!(!same("LINDBERG", "LINDBER") && !same("LINDBERG", ""));
    }
}
