//! What one placed message counts for: which fact is recorded, and whether a human has to look. A reply acknowledges only
//! when all of it holds: proven to answer ours, written from an address of that person, with the code of that person in
//! the text that they typed.

use super::correlate::{Issued, Known, Placed};
use super::evidence::Kind;
use super::reading::{MailKind, Reading, Said};

/// What becomes of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// The fact, about the placed person and in this revision.
    pub fact: Option<(Kind, u32)>,
    /// The package in which the code stands that was given.
    pub package: Option<String>,
    /// What it tells of our message.
    pub fate: Option<Fate>,
    /// A human has to look, and why.
    pub review: Option<String>,
    /// It answers what the person was told before, and counts for that alone: they are to hear of it.
    pub outdated: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// A server has it, whatever becomes of it there: that settles a doubt, and says nothing else.
    Taken,
    Delivered,
    Bounced,
}

/// `current` is the revision that people are told now, of which not everybody has to have been told.
pub fn decide(reading: &Reading, placed: &Placed, current: u32, known: &impl Known) -> Decision {
    let mut decision = Decision::default();
    let revision = placed.revision.unwrap_or(current);
    let concerns = placed.person.is_some() || placed.doubt.is_some() || placed.message.is_some();
    if reading.unread {
        decision.review = Some(format!("{}, so nothing of it was read but its header", reading.because.join("; ")));
        return decision;
    }
    if let Some(doubt) = &placed.doubt {
        decision.review = Some(doubt.clone());
        return decision;
    }
    decision.fate = placed.proven.then_some(Fate::Taken).filter(|_| reading.shows_it_was_taken());
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
    let Some(person) = &placed.person else {
        decision.review = Some("nobody in the rosters fits it".to_owned());
        return decision;
    };
    if placed.escalation && reading.kind != MailKind::Reply {
        let failed = reading.kind == MailKind::DsnFailed;
        decision.review = failed.then(|| format!("an escalation about {person} did not arrive"));
        return decision;
    }
    match reading.kind {
        MailKind::Reply => reply(reading, placed, revision, known, &mut decision),
        MailKind::DsnDelivered | MailKind::MdnDisplayed if !placed.proven => {
            decision.review = Some("a receipt that names no message of ours proves nothing".to_owned());
        }
        // Mail of others to the same address fails too: for its size, for what a filter found in it.
        MailKind::DsnFailed if !placed.proven && reading.permanent == Some(true) => {
            decision.review = Some(format!("a report that mail to {person} failed for good names no message of ours"));
        }
        _ => {
            decision.fact = reading.evidence().map(|kind| (kind, revision));
            decision.fate = match reading.kind {
                MailKind::DsnFailed => Some(Fate::Bounced),
                MailKind::DsnDelivered | MailKind::MdnDisplayed => Some(Fate::Delivered),
                _ => decision.fate,
            };
        }
    }
    decision
}

fn reply(reading: &Reading, placed: &Placed, told: u32, known: &impl Known, decision: &mut Decision) {
    let person = placed.person.as_deref().unwrap_or_default();
    let about = placed.message.as_ref().and_then(|message| message.acknowledgement.as_deref());
    let floor = known.floor(person, about);
    if !placed.own_address {
        decision.review = Some(match placed.escalation {
            true => format!("it answers an escalation about {person}, and nobody else can answer for them"),
            false => format!("it was not written from an address of {person}"),
        });
        return;
    }
    // A letter to somebody else, answered from the person's address: forwarded, or one mailbox for both. Only the code,
    // which is nowhere but in their package, says enough.
    if placed.escalation && reading.said != Some(Said::Possessed) {
        decision.review = Some(format!("it answers an escalation about {person}, not a notice to them"));
        return;
    }
    decision.fate = Some(Fate::Delivered).filter(|_| !placed.escalation);
    if reading.said == Some(Said::Possessed) {
        let mut own: Option<Issued> = None;
        let answered = |issued: &Issued| issued.answered(placed.revision);
        for code in &reading.codes {
            match known.code(&code.fingerprint()) {
                Some(issued) if issued.person == person => {
                    own = [own, Some(issued)].into_iter().flatten().max_by_key(answered);
                }
                Some(issued) => {
                    decision.fact = Some((Kind::Reply, told));
                    decision.review =
                        Some(format!("the code in it stands in the package of {}, not of {person}", issued.person));
                    return;
                }
                None => {}
            }
        }
        match own {
            Some(issued) => {
                let revision = answered(&issued);
                decision.fact = Some((Kind::Code, revision));
                decision.outdated = revision < floor;
                decision.package = Some(issued.package);
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
        Some(Said::Confirmed) => {
            decision.outdated = told < floor;
            None
        }
        Some(Said::Declined) => Some("the person declines".to_owned()),
        Some(Said::Question) => Some("the person asks something".to_owned()),
        Some(Said::Possessed) | None => {
            Some(format!("the person wrote, without a clear answer ({})", reading.because.join("; ")))
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::{Asked, Token, Told, read};
    use crate::package::Code;

    /// ANN's code went out in revision 1 and again, another one, in revision 2; that of her guide is the same in both. BEN
    /// has one of his own. The newest revision that concerned both is given.
    struct Desk(u32);

    fn code(name: &str) -> Code {
        Code::derive(b"0123456789abcdef0123456789abcdef", &[name])
    }

    impl Known for Desk {
        fn token(&self, _: &str) -> Option<Token> {
            None
        }
        fn message(&self, _: &str) -> Option<Told> {
            None
        }
        fn people_at(&self, _: &str) -> Vec<String> {
            Vec::new()
        }
        fn code(&self, fingerprint: &str) -> Option<Issued> {
            let issued = [
                ("ann 1", "ann", vec![1]),
                ("ann 2", "ann", vec![2]),
                ("guide", "ann", vec![1, 2]),
                ("ben", "ben", vec![2]),
            ];
            let found = issued.into_iter().find(|(name, ..)| code(name).fingerprint() == fingerprint);
            found.map(|(_, person, revisions)| Issued { person: person.into(), package: "disk".into(), revisions })
        }
        fn told(&self, _: &str, _: Option<chrono::DateTime<chrono::Utc>>) -> Option<u32> {
            None
        }
        fn floor(&self, _: &str, _: Option<&str>) -> u32 {
            self.0
        }
    }

    fn decided(text: &str, placed: &Placed) -> Decision {
        decided_at(2, text, placed)
    }

    fn decided_at(floor: u32, text: &str, placed: &Placed) -> Decision {
        let mail = format!("From: ann@corp.example\nSubject: Re: disk\nIn-Reply-To: <1@x>\n\n{text}\n");
        decide(&read(mail.as_bytes(), &Asked::in_campaign([])), placed, 2, &Desk(floor))
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
    fn an_answer_to_an_older_revision_counts_for_that_one_and_its_person_is_to_hear_of_it() {
        let old = code("ann 1").to_string();
        for (text, placed, kind) in [(&*old, ann(2), Kind::Code), ("CONFIRMED", ann(1), Kind::Confirmed)] {
            let decision = decided(text, &placed);
            assert_eq!((decision.fact, decision.outdated, decision.review), (Some((kind, 1)), true, None));
        }
    }

    #[test]
    fn a_code_that_stayed_the_same_counts_for_the_letter_that_it_answers() {
        let text = code("guide").to_string();
        for (told, counts) in [(Some(1), 1), (Some(2), 2), (Some(3), 2), (None, 1)] {
            let decision = decided(&text, &Placed { revision: told, ..ann(1) });
            assert_eq!((decision.fact, decision.outdated), (Some((Kind::Code, counts)), counts < 2), "{told:?}");
            assert_eq!(decision.review, None);
        }
        let both = format!("{} and {}", code("ann 2"), code("guide"));
        assert_eq!(decided(&both, &ann(1)).fact, Some((Kind::Code, 2)), "what came later was told by then");
    }

    #[test]
    fn what_did_not_concern_somebody_makes_no_answer_of_theirs_older() {
        for (text, kind) in [(code("ann 1").to_string(), Kind::Code), ("CONFIRMED".to_owned(), Kind::Confirmed)] {
            let decision = decided_at(1, &text, &ann(1));
            assert_eq!((decision.fact, decision.outdated, decision.review), (Some((kind, 1)), false, None));
        }
    }

    #[test]
    fn only_an_answer_is_answered() {
        for text in ["not CONFIRMED", "When is it?", "Thanks for the letter.", "I will not do that."] {
            let decision = decided(text, &ann(1));
            assert!(!decision.outdated && decision.review.is_some(), "{text}");
        }
        let away = decide(&Reading::of(MailKind::AutoReply), &ann(1), 2, &Desk(2));
        assert!(!away.outdated);
        assert!(!decided("CONFIRMED", &Placed { own_address: false, ..ann(1) }).outdated);
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
    fn nobody_answers_for_somebody_else_by_an_escalation() {
        let escalation = Placed { proven: false, escalation: true, ..ann(2) };
        let own = code("ann 2").to_string();
        for (text, placed) in [
            ("CONFIRMED", escalation.clone()),
            ("CONFIRMED", Placed { proven: true, ..escalation.clone() }),
            ("CONFIRMED", Placed { own_address: false, ..escalation.clone() }),
            (&own, Placed { own_address: false, ..escalation.clone() }),
        ] {
            let decision = decided(text, &placed);
            assert_eq!((decision.fact, decision.fate), (None, None), "{text} {placed:?}");
            assert!(decision.review.is_some_and(|why| why.contains("an escalation about ann")));
        }
        assert_eq!(decided(&own, &escalation).fact, Some((Kind::Code, 2)), "by any way");
    }

    #[test]
    fn what_is_beyond_the_limits_waits_for_a_human_with_what_its_header_tells() {
        let header = "From ann@corp.example Mon Nov 23 10:00:00 2026\nFrom: ann@corp.example\nTo: ack+x@corp.example\n\
            Subject: Re: disk\nMessage-ID: <2@home.example>\nIn-Reply-To: <1@x>\n";
        let nested: String = (0..22)
            .map(|n| format!("Content-Type: multipart/mixed; boundary=B{n}\n\n--B{n}\n"))
            .chain(["\nCONFIRMED\n".to_owned()])
            .collect();
        for (rest, why) in [
            (format!("\nCONFIRMED\n{}", "x".repeat(25 << 20)), "25 MiB"),
            (format!("X-Scan: {}\n\nCONFIRMED\n", "x".repeat(256 << 10)), "256 KiB"),
            (format!("Content-Type: multipart/mixed; boundary=B\n\n{}", "--B\n\nx\n".repeat(1_001)), "1,000 parts"),
            (nested, "20 deep"),
        ] {
            let reading = read(format!("{header}{rest}").as_bytes(), &Asked::in_campaign([]));
            assert_eq!(
                (reading.kind, reading.unread, &*reading.subject),
                (MailKind::Unrelated, true, "Re: disk"),
                "{why}"
            );
            assert_eq!(
                (&*reading.authors, &*reading.original.ids),
                (&["ann@corp.example".into()][..], &["<1@x>".into()][..])
            );
            assert_eq!(reading.original.came_to, ["ack+x@corp.example"]);
            assert_eq!((reading.message_id.as_deref(), reading.content_key()), (Some("<2@home.example>"), None));
            for placed in [ann(2), Placed::default()] {
                let decision = decide(&reading, &placed, 2, &Desk(2));
                assert!(decision.review.is_some_and(|words| words.contains(why)) && decision.fact.is_none(), "{why}");
            }
        }
        let empty = read(b"", &Asked::in_campaign([]));
        assert_eq!(decide(&empty, &Placed::default(), 2, &Desk(2)), Decision::default());
    }

    #[test]
    fn a_failure_of_somebody_elses_mail_makes_nobody_unreachable() {
        let failed = |permanent| Reading { permanent: Some(permanent), ..Reading::of(MailKind::DsnFailed) };
        let weakly = Placed { proven: false, own_address: false, revision: None, ..ann(2) };
        let decision = decide(&failed(true), &weakly, 2, &Desk(2));
        assert_eq!((decision.fact, decision.fate), (None, None));
        assert!(decision.review.is_some_and(|why| why.contains("no message of ours")));
        let ours = decide(&failed(true), &ann(2), 2, &Desk(2));
        assert_eq!((ours.fact, ours.fate, ours.review), (Some((Kind::HardBounce, 2)), Some(Fate::Bounced), None));
        assert_eq!(decide(&failed(false), &weakly, 2, &Desk(2)).fact, Some((Kind::SoftBounce, 2)), "it only waits");
    }

    #[test]
    fn what_only_a_server_that_has_it_can_send_shows_that_it_was_taken_and_raises_no_grade() {
        for kind in [MailKind::AutoReply, MailKind::DsnDelayed, MailKind::DsnRelayed, MailKind::MdnOther] {
            let decision = decide(&Reading::of(kind), &ann(2), 2, &Desk(2));
            assert_eq!(decision.fate, Some(Fate::Taken), "{kind:?}");
            assert!(decision.fact.is_none_or(|(kind, _)| kind.proves() == crate::campaign::Grade::None), "{kind:?}");
            let weakly = Placed { proven: false, ..ann(2) };
            assert_eq!(decide(&Reading::of(kind), &weakly, 2, &Desk(2)).fate, None, "{kind:?}");
        }
        assert_eq!(decide(&Reading::of(MailKind::Unrelated), &ann(2), 2, &Desk(2)).fate, None);
    }

    #[test]
    fn what_becomes_of_an_escalation_is_no_fact_about_the_person() {
        let told = |tells| Told { id: 1, person: "ann".into(), revision: 2, acknowledgement: None, tells };
        for kind in [MailKind::DsnFailed, MailKind::DsnDelivered, MailKind::MdnDisplayed, MailKind::AutoReply] {
            let about = |tells| {
                let placed = Placed { message: Some(told(tells)), escalation: !tells, ..ann(2) };
                decide(&Reading::of(kind), &placed, 2, &Desk(2))
            };
            let escalated = about(false);
            assert_eq!(escalated.fact, None, "{kind:?}");
            assert_eq!(escalated.review.is_some(), kind == MailKind::DsnFailed);
            assert!(about(true).fact.is_some(), "{kind:?}");
        }
    }
}
