//! What one placed message counts for: which fact is recorded, and whether a human has to look. A reply acknowledges only
//! when all of it holds: proven to answer ours, written from an address of that person, with the code of that person in
//! the text that they typed.

use super::correlate::{Known, Placed};
use super::evidence::Kind;
use super::reading::{MailKind, Reading, Said};

/// What becomes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The fact, about the placed person and in this revision.
    pub fact: Option<(Kind, u32)>,
    /// What it tells of our message.
    pub fate: Option<Fate>,
    /// A human has to look, and why.
    pub review: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Delivered,
    Bounced,
}

/// `current` is the revision that people are told now.
pub fn decide(reading: &Reading, placed: &Placed, current: u32, known: &impl Known) -> Decision {
    let mut decision = Decision { fact: None, fate: None, review: None };
    let revision = placed.revision.unwrap_or(current);
    let concerns = placed.person.is_some() || placed.doubt.is_some() || placed.message.is_some();
    if let Some(doubt) = &placed.doubt {
        decision.review = Some(doubt.clone());
        return decision;
    }
    match reading.kind {
        MailKind::Unrelated if !concerns && reading.codes.is_empty() => return decision,
        MailKind::Unrelated | MailKind::Challenge | MailKind::Feedback => {
            let why = match reading.kind {
                MailKind::Challenge => "a filter asks for proof that a person wrote to it; only you can answer that",
                MailKind::Feedback => "the person or their provider complained about the notice",
                _ => "it is from or about one of ours, and answers nothing",
            };
            decision.review = Some(why.to_owned());
            return decision;
        }
        _ => {}
    }
    // What became of an escalation says nothing of the person whom it is about.
    if let Some(told) = placed.message.as_ref().filter(|told| !told.tells && reading.kind != MailKind::Reply) {
        let failed = reading.kind == MailKind::DsnFailed;
        decision.review = failed.then(|| format!("an escalation about {} did not arrive", told.person));
        return decision;
    }
    if placed.person.is_none() {
        decision.review = Some("nobody in the rosters fits it".to_owned());
        return decision;
    }
    match reading.kind {
        MailKind::Reply => reply(reading, placed, revision, current, known, &mut decision),
        MailKind::DsnDelivered | MailKind::MdnDisplayed if !placed.proven => {
            decision.review = Some("a receipt that names no message of ours proves nothing".to_owned());
        }
        _ => {
            decision.fact = reading.evidence().map(|kind| (kind, revision));
            decision.fate = match reading.kind {
                MailKind::DsnFailed => Some(Fate::Bounced),
                MailKind::DsnDelivered | MailKind::MdnDisplayed => Some(Fate::Delivered),
                _ => None,
            };
        }
    }
    decision
}

fn reply(reading: &Reading, placed: &Placed, told: u32, current: u32, known: &impl Known, decision: &mut Decision) {
    let person = placed.person.as_deref().unwrap_or_default();
    if !placed.own_address {
        decision.review = Some(format!("it was not written from an address of {person}"));
        return;
    }
    decision.fate = Some(Fate::Delivered);
    if reading.said == Some(Said::Possessed) {
        let mut own = None;
        for code in &reading.codes {
            match known.code(&code.fingerprint()) {
                Some((owner, revision)) if owner == person => own = own.max(Some(revision)),
                Some((owner, _)) => {
                    decision.fact = Some((Kind::Reply, told));
                    decision.review = Some(format!("the code in it stands in the package of {owner}, not of {person}"));
                    return;
                }
                None => {}
            }
        }
        match own {
            Some(revision) => {
                decision.fact = Some((Kind::Code, revision));
                if revision < current {
                    decision.review = Some(older(revision, current));
                }
            }
            None => {
                decision.fact = Some((Kind::Reply, told));
                decision.review = Some("the code in it was never sent to anybody".to_owned());
            }
        }
        return;
    }
    if !placed.proven && reading.said == Some(Said::Confirmed) {
        decision.fact = Some((Kind::Reply, told));
        decision.review = Some("the word asked for is there, but it answers no message of ours".to_owned());
        return;
    }
    decision.fact = reading.evidence().map(|kind| (kind, told));
    decision.review = match reading.said {
        Some(Said::Confirmed) if told < current => Some(older(told, current)),
        Some(Said::Confirmed) => None,
        Some(Said::Declined) => Some("the person declines".to_owned()),
        Some(Said::Question) => Some("the person asks something".to_owned()),
        Some(Said::Possessed) | None => {
            Some(format!("the person wrote, without a clear answer ({})", reading.because.join("; ")))
        }
    };
}

fn older(revision: u32, current: u32) -> String {
    format!(
        "it answers revision {revision}, and people are now told revision {current}: tell the person that the notice was replaced"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::{Asked, Told, read};
    use crate::package::Code;

    /// ANN's code went out in revision 1 and again, another one, in revision 2; BEN has one of his own.
    struct Desk;

    fn code(name: &str) -> Code {
        Code::derive(b"0123456789abcdef0123456789abcdef", &[name])
    }

    impl Known for Desk {
        fn token(&self, _: &str) -> Option<(String, u32)> {
            None
        }
        fn message(&self, _: &str) -> Option<Told> {
            None
        }
        fn people_at(&self, _: &str) -> Vec<String> {
            Vec::new()
        }
        fn code(&self, fingerprint: &str) -> Option<(String, u32)> {
            let issued = [("ann 1", "ann", 1), ("ann 2", "ann", 2), ("ben", "ben", 2)];
            let found = issued.into_iter().find(|(name, ..)| code(name).fingerprint() == fingerprint);
            found.map(|(_, person, revision)| (person.to_owned(), revision))
        }
    }

    fn decided(text: &str, placed: &Placed) -> Decision {
        let mail = format!("From: ann@corp.example\nSubject: Re: disk\nIn-Reply-To: <1@x>\n\n{text}\n");
        decide(&read(mail.as_bytes(), &Asked::in_campaign([])), placed, 2, &Desk)
    }

    fn ann(revision: u32) -> Placed {
        Placed {
            person: Some("ann".into()),
            revision: Some(revision),
            proven: true,
            own_address: true,
            ..Placed::default()
        }
    }

    #[test]
    fn the_own_code_of_this_revision_counts_whatever_message_it_answers() {
        let text = code("ann 2").to_string();
        for placed in [ann(1), ann(2), Placed { proven: false, revision: None, ..ann(2) }] {
            let decision = decided(&text, &placed);
            assert_eq!((decision.fact, decision.review), (Some((Kind::Code, 2)), None));
        }
    }

    #[test]
    fn an_answer_to_an_older_revision_counts_for_that_one_and_a_human_hears_of_it() {
        let decision = decided(&code("ann 1").to_string(), &ann(2));
        assert_eq!(decision.fact, Some((Kind::Code, 1)));
        assert!(decision.review.is_some_and(|why| why.contains("revision 1")));
        let decision = decided("CONFIRMED", &ann(1));
        assert_eq!(decision.fact, Some((Kind::Confirmed, 1)));
        assert!(decision.review.is_some_and(|why| why.contains("replaced")));
    }

    #[test]
    fn nothing_short_of_all_of_it_acknowledges() {
        let own = code("ann 2").to_string();
        for (text, placed) in [
            (own.clone(), Placed { own_address: false, ..ann(2) }),
            (own.clone(), Placed { doubt: Some("forged".into()), ..ann(2) }),
            (own.clone(), Placed::default()),
            (code("ben").to_string(), ann(2)),
            (format!("{own} or {}", code("ben")), ann(2)),
            (code("nobody").to_string(), ann(2)),
            (format!("not {own}"), ann(2)),
            ("CONFIRMED".to_owned(), Placed { proven: false, ..ann(2) }),
            ("CONFIRMED".to_owned(), Placed { own_address: false, ..ann(2) }),
        ] {
            let decision = decided(&text, &placed);
            let grade = decision.fact.map(|(kind, _)| kind.proves());
            assert!(grade.is_none_or(|grade| grade < crate::campaign::Grade::Confirmed), "{text} {placed:?}");
            assert!(decision.review.is_some(), "{text} {placed:?}");
        }
    }

    #[test]
    fn what_becomes_of_an_escalation_is_no_fact_about_the_person() {
        let told = |tells| Told { id: 1, person: "ann".into(), revision: 2, acknowledgement: None, tells };
        for kind in [MailKind::DsnFailed, MailKind::DsnDelivered, MailKind::MdnDisplayed, MailKind::AutoReply] {
            let about = |tells| {
                let placed = Placed { message: Some(told(tells)), ..ann(2) };
                decide(&Reading::of(kind), &placed, 2, &Desk)
            };
            let escalated = about(false);
            assert_eq!((escalated.fact, escalated.fate), (None, None), "{kind:?}");
            assert_eq!(escalated.review.is_some(), kind == MailKind::DsnFailed);
            assert!(about(true).fact.is_some(), "{kind:?}");
        }
    }
}
