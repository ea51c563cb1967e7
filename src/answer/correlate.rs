//! Whose it is: the clues in one message, weighed. Every clue must point to one person; a clue that is forged, or two
//! that differ, leave it to a human.

use super::reading::{MailKind, Reading};
use chrono::{DateTime, Utc};

/// What the campaign remembers of itself.
pub trait Known {
    /// What stands behind a token, or behind the beginning of one.
    fn token(&self, token: &str) -> Option<Token>;
    /// The message with this Message-ID, angle brackets and all.
    fn message(&self, message_id: &str) -> Option<Told>;
    /// Everybody with this address, or this NETWORK/POSTOFFICE/MAILBOX.
    fn people_at(&self, address: &str) -> Vec<String>;
    /// Where this code went out.
    fn code(&self, fingerprint: &str) -> Option<Issued>;
    /// The newest revision of which a letter to this person had left by then; where none had, or without a moment, the
    /// oldest.
    fn told(&self, person: &str, by: Option<DateTime<Utc>>) -> Option<u32>;
    /// The newest revision that overtook what the person answered: an answer to an older one does not count any more. Where
    /// nobody knows yet which acknowledgement it is about, the newest for any of them.
    fn floor(&self, person: &str, acknowledgement: Option<&str>) -> u32;
}

/// A message of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub id: i64,
    pub person: String,
    pub revision: u32,
    pub acknowledgement: Option<String>,
    /// Not an escalation, which goes to somebody else.
    pub tells: bool,
}

/// A code that went out. It is another one when the package is; another text leaves it as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    pub person: String,
    /// The package in which it stands.
    pub package: String,
    /// Every revision in which it did, oldest first.
    pub revisions: Vec<u32>,
}

impl Issued {
    /// The newest revision in which it went out.
    pub fn newest(&self) -> u32 {
        self.revisions.last().copied().unwrap_or_default()
    }

    /// The revision that is answered with it, where nothing newer than `told` can be: a package that came later was told
    /// by then.
    pub fn answered(&self, told: Option<u32>) -> u32 {
        let by_then = self.revisions.iter().filter(|revision| told.is_some_and(|told| **revision <= told));
        by_then.max().or(self.revisions.first()).copied().unwrap_or_default()
    }
}

/// What a token of ours says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub person: String,
    pub revision: u32,
    /// Not an escalation's, as in [`Told`].
    pub tells: bool,
}

/// Where tokens stand: the addresses that the campaign gives out, as `ack+{token}@corp.example`.
#[derive(Debug, Clone, Default)]
pub struct Addresses {
    pub reply_to: Option<String>,
    pub bounce_to: Option<String>,
}

/// Whose a message is, and what says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placed {
    pub person: Option<String>,
    /// The revision that the person answered.
    pub revision: Option<u32>,
    /// The message of ours that it is about.
    pub message: Option<Told>,
    /// A token or a Message-ID of ours pointed here, not only an address that anybody can write.
    pub proven: bool,
    /// The author's address is one of the person's.
    pub own_address: bool,
    /// It is about an escalation, which told somebody else of the person.
    pub escalation: bool,
    /// Why a human has to look: a forged token, clues that differ.
    pub doubt: Option<String>,
    /// The clues, in words.
    pub by: Vec<String>,
}

/// The length of a reply token.
const TOKEN: usize = 16;
const SHORT: usize = 8;

pub fn place(reading: &Reading, addresses: &Addresses, known: &impl Known) -> Placed {
    let mut placed = Placed::default();
    let report =
        !matches!(reading.kind, MailKind::Reply | MailKind::AutoReply | MailKind::Unrelated | MailKind::Challenge);
    // ENVID is the Message-ID without its brackets (RFC 3461 section 4.4).
    if let Some(told) = reading
        .original
        .envelope_id
        .as_ref()
        .and_then(|id| known.message(&format!("<{}>", id.trim_matches(['<', '>']))))
    {
        placed.found(&told.person, Some(told.revision), "the envelope's identifier", told.tells);
        placed.message = Some(told);
    }
    let tokens = tokens(reading, addresses);
    if reading.kind == MailKind::Reply && !tokens.is_empty() && tokens.iter().all(|(_, bounces)| *bounces) {
        placed.doubt = Some("it was sent to the address for reports, to which nobody is asked to reply".to_owned());
    }
    for (token, _) in tokens {
        match known.token(&token) {
            Some(one) => placed.found(&one.person, Some(one.revision), "the token in the address", one.tells),
            None => placed.doubt = Some("the token in the address is forged, or another campaign's".to_owned()),
        }
    }
    for id in &reading.original.ids {
        let Some(told) = known.message(id) else { continue };
        placed.found(&told.person, Some(told.revision), "the Message-ID that it answers", told.tells);
        placed.message = placed.message.take().or(Some(told));
    }
    let thread: Vec<Told> = reading.original.references.iter().filter_map(|id| known.message(id)).collect();
    for told in &thread {
        placed.found(&told.person, None, "a message of its thread", told.tells);
    }
    if let Some(one) = short_token(&reading.subject).and_then(|token| known.token(&token)) {
        placed.found(&one.person, Some(one.revision), "the token in the subject", one.tells);
    }
    // A thread begins with what people were told first, and only its last message is the one answered (RFC 5322
    // section 3.6.4).
    if let Some(told) = thread.into_iter().next_back().filter(|told| placed.speaks_of(told)) {
        placed.revision = Some(told.revision);
        placed.message = placed.message.take().or(Some(told));
    }
    if report {
        let people: Vec<String> = reading.recipients.iter().flat_map(|address| known.people_at(address)).collect();
        placed.weakly(people, "the recipient's address");
    } else {
        let people: Vec<String> = reading.authors.iter().flat_map(|address| known.people_at(address)).collect();
        placed.weakly(people, "the author's address");
    }
    if !report && let Some(person) = placed.person.as_ref().filter(|_| placed.revision.is_none()) {
        // No clue names a letter: what had not left when this was written cannot be what it answers.
        placed.revision = known.told(person, reading.written);
    }
    let person = placed.person.clone();
    let owns = |address: &String| known.people_at(address).iter().any(|one| Some(one) == person.as_ref());
    placed.own_address = !reading.authors.is_empty() && reading.authors.iter().all(owns);
    placed
}

impl Placed {
    /// By something of ours. An escalation tells of one person and goes to another: it proves nothing.
    fn found(&mut self, person: &str, revision: Option<u32>, by: &str, tells: bool) {
        self.point(person, revision, by, tells);
        self.escalation |= !tells;
    }

    fn point(&mut self, person: &str, revision: Option<u32>, by: &str, proven: bool) {
        match &self.person {
            Some(other) if other != person => {
                self.doubt = Some(format!("{by} points to {person}, and {} to {other}", self.by.join(" and ")));
            }
            _ => {
                self.person = Some(person.to_owned());
                // The oldest revision that any clue names: an answer never counts for a newer one.
                self.revision = match (self.revision, revision) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
                self.proven |= proven;
                if !self.by.iter().any(|other| other == by) {
                    self.by.push(by.to_owned());
                }
            }
        }
    }

    /// Nothing better names another revision, or another person, than this message's.
    fn speaks_of(&self, told: &Told) -> bool {
        self.person.as_ref() == Some(&told.person) && self.revision.is_none_or(|revision| revision == told.revision)
    }

    /// An address points to somebody only where nothing better does, and only where it is one person's.
    fn weakly(&mut self, mut people: Vec<String>, by: &str) {
        people.sort_unstable();
        people.dedup();
        match (&self.person, people.as_slice()) {
            (None, [one]) => self.point(one, None, by, false),
            (None, [_, _, ..]) => self.doubt = Some(format!("{by} is that of several people")),
            _ => {}
        }
    }
}

/// Whatever stands where a token would stand, in the addresses that the message came to; `true`: only in the one to
/// which mail systems report.
fn tokens(reading: &Reading, addresses: &Addresses) -> Vec<(String, bool)> {
    let mut found: Vec<(String, bool)> = Vec::new();
    for (template, bounces) in [(&addresses.reply_to, false), (&addresses.bounce_to, true)] {
        let Some(template) = template else { continue };
        let Some((before, after)) = template.split_once("{token}") else { continue };
        let (before, after) = (before.to_lowercase(), after.to_lowercase());
        for address in &reading.original.came_to {
            let inner = address.strip_prefix(before.as_str()).and_then(|rest| rest.strip_suffix(after.as_str()));
            if let Some(token) =
                inner.filter(|token| !token.is_empty() && !found.iter().any(|(other, _)| other == token))
            {
                found.push((token.to_owned(), bounces));
            }
        }
    }
    found
}

/// Whether a text could be a whole token or the beginning that stands in a subject.
pub fn is_token(text: &str) -> bool {
    matches!(text.len(), TOKEN | SHORT) && text.bytes().all(|c| matches!(c, b'a'..=b'z' | b'2'..=b'7'))
}

/// `[abcdefgh]` in a subject, as people with old mail systems get it.
fn short_token(subject: &str) -> Option<String> {
    let (_, rest) = subject.split_once('[')?;
    let (token, _) = rest.split_once(']')?;
    let token = token.to_ascii_lowercase();
    (token.len() == SHORT && is_token(&token)).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::{Asked, read};
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[derive(Default)]
    struct Table {
        tokens: HashMap<String, Token>,
        messages: HashMap<String, Told>,
        people: HashMap<String, String>,
    }

    impl Known for Table {
        fn token(&self, token: &str) -> Option<Token> {
            self.tokens
                .iter()
                .find(|(whole, _)| is_token(token) && whole.starts_with(token))
                .map(|(_, found)| found.clone())
        }
        fn message(&self, id: &str) -> Option<Told> {
            self.messages.get(id).cloned()
        }
        fn people_at(&self, address: &str) -> Vec<String> {
            self.people.get(address).cloned().into_iter().collect()
        }
        fn code(&self, _: &str) -> Option<Issued> {
            None
        }
        fn told(&self, _: &str, by: Option<DateTime<Utc>>) -> Option<u32> {
            Some(if by.is_some_and(|by| by >= amended()) { 2 } else { 1 })
        }
        fn floor(&self, _: &str, _: Option<&str>) -> u32 {
            0
        }
    }

    /// When everybody was told again.
    fn amended() -> DateTime<Utc> {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    fn table() -> Table {
        let mut table = Table::default();
        for (n, person) in ["ann", "ben", "cyd"].into_iter().enumerate() {
            let letter = ["a", "b", "c"][n];
            table.tokens.insert(letter.repeat(16), Token { person: person.into(), revision: 1, tells: true });
            table.people.insert(format!("{person}@corp.example"), person.into());
            let told = Told { id: n as i64, person: person.into(), revision: 1, acknowledgement: None, tells: true };
            table.messages.insert(format!("<m{n}@corp.example>"), told);
        }
        table.tokens.insert("e".repeat(16), Token { person: "ann".into(), revision: 1, tells: false });
        table
    }

    fn addresses() -> Addresses {
        Addresses {
            reply_to: Some("ack+{token}@corp.example".into()),
            bounce_to: Some("bounce+{token}@corp.example".into()),
        }
    }

    fn placed(message: &str) -> Placed {
        place(&read(message.as_bytes(), &Asked::in_campaign([])), &addresses(), &table())
    }

    #[test]
    fn every_clue_leads_to_the_person() {
        for message in [
            "From: x@home.example\nTo: ack+aaaaaaaaaaaaaaaa@corp.example\nSubject: Re: x\n\nhi",
            "From: x@home.example\nTo: ACK+AAAAAAAAAAAAAAAA@corp.example\nSubject: Re: x\n\nhi",
            "From: x@home.example\nSubject: Re: x\nIn-Reply-To: <m0@corp.example>\n\nhi",
            "From: x@home.example\nSubject: Re: x\nReferences: <z@z> <m0@corp.example>\n\nhi",
            "From: x@home.example\nSubject: RE: [aaaaaaaa] x\n\nhi",
            "From: MAILER-DAEMON@x.example\nDelivered-To: bounce+aaaaaaaaaaaaaaaa@corp.example\nSubject: failure notice\n\n",
        ] {
            let placed = placed(message);
            assert_eq!(
                (placed.person.as_deref(), placed.proven, placed.own_address),
                (Some("ann"), true, false),
                "{message}"
            );
            assert_eq!(placed.doubt, None, "{message}");
        }
        let weak = placed("From: ann@corp.example\nSubject: Re: x\n\nhi");
        assert_eq!((weak.person.as_deref(), weak.proven, weak.own_address), (Some("ann"), false, true));
    }

    #[test]
    fn where_no_clue_names_a_letter_it_answers_none_that_had_not_left_when_it_was_written() {
        for (header, revision) in [
            ("Date: Tue, 24 Nov 2026 12:30:00 +0100\n", 1),
            ("Date: Tue, 24 Nov 2026 12:30:00 +0000 (GMT)\n", 2),
            ("Date: yesterday\n", 1),
            ("", 1),
            ("Date: Tue, 24 Nov 2026 12:30:00 +0000\nIn-Reply-To: <m0@corp.example>\n", 1),
        ] {
            let placed = placed(&format!("From: ann@corp.example\nSubject: Re: x\n{header}\nhi"));
            assert_eq!((placed.person.as_deref(), placed.revision), (Some("ann"), Some(revision)), "{header}");
        }
    }

    /// Ann was told again in revision 2, in the thread of the first letter.
    #[test]
    fn the_revision_is_that_of_the_message_answered_not_of_the_thread_before_it() {
        let mut table = table();
        let (first, second) = ("<m0@corp.example>", "<m9@corp.example>");
        let told = Told { id: 9, revision: 2, ..table.messages[first].clone() };
        table.messages.insert(second.into(), told);
        table.tokens.insert("d".repeat(16), Token { person: "ann".into(), revision: 2, tells: true });
        let old = "To: ack+aaaaaaaaaaaaaaaa@corp.example\n";
        let new = "To: ack+dddddddddddddddd@corp.example\n";
        let thread = format!("References: <z@z> {first} {second}\n");
        for (header, revision, message) in [
            (format!("{new}In-Reply-To: {second}\n{thread}"), 2, Some(9)),
            (format!("In-Reply-To: {second}\n{thread}"), 2, Some(9)),
            (format!("{new}{thread}"), 2, Some(9)),
            (thread.clone(), 2, Some(9)),
            (format!("{thread}Subject: Re: [dddddddd] x\n"), 2, Some(9)),
            // Whatever the thread holds, the old message is the one answered.
            (format!("In-Reply-To: {first}\n{thread}"), 1, Some(0)),
            (format!("{old}In-Reply-To: {second}\n{thread}"), 1, Some(9)),
            (format!("{old}{thread}"), 1, None),
            (format!("{new}References: {first}\n"), 2, None),
            (format!("References: {second} {first}\n"), 1, Some(0)),
        ] {
            let mail = format!("From: ann@corp.example\n{header}\nCONFIRMED\n");
            let placed = place(&read(mail.as_bytes(), &Asked::in_campaign([])), &addresses(), &table);
            let named = (placed.person.as_deref(), placed.revision, placed.message.as_ref().map(|told| told.id));
            assert_eq!(named, (Some("ann"), Some(revision), message), "{header}");
            assert!(placed.proven && placed.doubt.is_none(), "{header}");
        }
    }

    #[test]
    fn what_comes_back_to_an_escalation_is_not_the_persons() {
        for from in ["boss@corp.example", "ann@corp.example"] {
            let placed = placed(&format!("From: {from}\nTo: ack+eeeeeeeeeeeeeeee@corp.example\nSubject: Re: x\n\nhi"));
            assert_eq!((placed.person.as_deref(), placed.proven, placed.escalation), (Some("ann"), false, true));
            assert_eq!(placed.doubt, None);
        }
    }

    #[test]
    fn a_forged_token_and_clues_that_differ_are_left_to_a_human() {
        for message in [
            "From: ann@corp.example\nTo: ack+zzzzzzzzzzzzzzzz@corp.example\nSubject: Re: x\n\nhi",
            "From: ann@corp.example\nTo: bounce+aaaaaaaaaaaaaaaa@corp.example\nSubject: Re: x\n\nhi",
            "From: ann@corp.example\nTo: ack+aaaaaaaa@corp.example, ack+' or 1@corp.example\nSubject: Re: x\n\nhi",
            "From: ann@corp.example\nTo: ack+aaaaaaaaaaaaaaaa@corp.example\nIn-Reply-To: <m1@corp.example>\nSubject: Re: x\n\nhi",
        ] {
            assert!(placed(message).doubt.is_some(), "{message}");
        }
    }

    proptest! {
        /// Whatever the clues and their order: one person whom all of them name, or a doubt.
        #[test]
        fn no_mix_of_clues_gives_a_person_whom_one_of_them_denies(
            token in prop::option::of(0..4usize), threads in prop::collection::vec(0..5usize, 0..4), subject in prop::option::of(0..3usize), author in 0..4usize,
        ) {
            let letters = ["a", "b", "c", "z"];
            let people = ["ann", "ben", "cyd", "eve"];
            let mut message = format!("From: {}@corp.example\n", people[author]);
            if let Some(token) = token {
                message.push_str(&format!("To: ack+{}@corp.example\n", letters[token].repeat(16)));
            }
            let ids: Vec<String> = threads.iter().map(|n| format!("<m{n}@corp.example>")).collect();
            message.push_str(&format!("References: {}\n", ids.join(" ")));
            let tag = subject.map(|n| format!("[{}] ", letters[n].repeat(8))).unwrap_or_default();
            message.push_str(&format!("Subject: Re: {tag}x\n\nhi\n"));
            let placed = placed(&message);
            let named: Vec<usize> = token.into_iter().filter(|n| *n < 3).chain(threads.iter().copied().filter(|n| *n < 3)).chain(subject).collect();
            let agree = named.windows(2).all(|pair| pair[0] == pair[1]);
            if token == Some(3) || !agree {
                prop_assert!(placed.doubt.is_some());
            } else if let Some(first) = named.first() {
                prop_assert_eq!(placed.person.as_deref(), Some(people[*first]));
                prop_assert!(placed.proven && placed.doubt.is_none());
                prop_assert_eq!(placed.own_address, author == *first);
            } else {
                prop_assert!(!placed.proven);
                prop_assert_eq!(placed.person.as_deref(), people.get(author).copied().filter(|_| author < 3));
            }
        }
    }
}
