//! A server may refuse one envelope sender and take another: people whose letters are rfc1154 have the reply address, all
//! others the one for bounces. Whose mail cannot leave because of that keeps nobody else waiting:
//!
//! ```text
//! unknown -refused-> aside: mail of the other sender goes first
//! aside   -the other one is accepted-> its people fail, in the server's words     -5 in a row-> held: all others of it wait
//!         -nothing else is there-> alone: the connection's trouble, as where every sender is refused
//! ```
//!
//! While mail waits that an earlier run held, one message asks whether it is over, and nobody fails.

/// So many fail, one by one.
const IN_A_ROW: usize = 5;

/// Which of the campaign's addresses is the envelope sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// `[mail] bounce_to`, or `from` without one.
    Bounces,
    /// `[mail] reply_to`, or `from` without one.
    Replies,
}

/// What is on record of one of them when a run begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct History {
    /// Mail of it has left.
    pub accepted: bool,
    /// Mail waits that was held back because of it.
    pub held: bool,
}

/// What a refusal of the sender means for a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judged {
    Fails,
    /// It is held back with all others of this sender.
    Waits,
    /// Others go first.
    Aside,
    /// Nobody's: every sender may be refused.
    OfTheConnection,
}

/// What this run knows of both.
#[derive(Debug, Default)]
pub(super) struct Senders {
    /// Both are the same address: a refusal tells nothing of letters of one kind.
    same: bool,
    bounces: One,
    replies: One,
}

#[derive(Debug, Default)]
struct One {
    before: History,
    accepted: bool,
    refused: usize,
    stage: Stage,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Unknown,
    Aside,
    Alone,
    /// With the words of the last refusal.
    Held(String),
}

impl Sender {
    pub const BOTH: [Sender; 2] = [Sender::Bounces, Sender::Replies];

    fn other(self) -> Sender {
        match self {
            Sender::Bounces => Sender::Replies,
            Sender::Replies => Sender::Bounces,
        }
    }

    /// What a person can do where the server refuses it and takes the other one.
    pub fn remedy(self) -> &'static str {
        match self {
            Sender::Bounces => {
                "have the server allow [mail] bounce_to (without one: from) as sender, or correct it; then `flagday send`, \
                 and `send --to failed`"
            }
            Sender::Replies => {
                "have the server allow [mail] reply_to as sender, which letters of format rfc1154 have, or correct it; then \
                 `flagday send`, and `send --to failed`"
            }
        }
    }
}

impl Senders {
    /// With what is on record of [`Sender::BOTH`].
    pub fn after([bounces, replies]: [History; 2]) -> Senders {
        let one = |before| One { before, ..One::default() };
        Senders { same: false, bounces: one(bounces), replies: one(replies) }
    }

    /// Where both are one address.
    pub fn of_one_address() -> Senders {
        Senders { same: true, ..Senders::default() }
    }

    pub fn accept(&mut self, sender: Sender) {
        let one = self.of_mut(sender);
        (one.accepted, one.refused) = (true, 0);
    }

    pub fn refuse(&mut self, sender: Sender, words: &str) -> Judged {
        if self.same {
            return Judged::OfTheConnection;
        }
        let other = self.of(sender.other());
        // Where the other one is refused in this run as well, that it was taken in another says nothing.
        let taken_before = other.before.accepted && other.stage == Stage::Unknown;
        let other_is_taken = other.accepted;
        let one = self.of_mut(sender);
        if matches!(one.stage, Stage::Held(_)) {
            return Judged::Waits;
        }
        if one.accepted {
            return Judged::OfTheConnection;
        }
        if one.before.held {
            one.stage = Stage::Held(words.to_owned());
            return Judged::Waits;
        }
        let never = taken_before && !one.before.accepted;
        if other_is_taken || one.stage == Stage::Alone && never {
            one.refused += 1;
            if one.refused >= IN_A_ROW {
                one.stage = Stage::Held(words.to_owned());
            }
            return Judged::Fails;
        }
        match one.stage {
            Stage::Alone => Judged::OfTheConnection,
            _ => {
                one.stage = Stage::Aside;
                Judged::Aside
            }
        }
    }

    /// Mail of the other sender goes first, and none of it was accepted yet.
    pub fn is_aside(&self, sender: Sender) -> bool {
        self.of(sender).stage == Stage::Aside && !self.of(sender.other()).accepted
    }

    /// Nothing is there to go first. Whether that changes anything.
    pub fn nothing_else(&mut self) -> bool {
        let mut changed = false;
        for one in [&mut self.bounces, &mut self.replies] {
            if one.stage == Stage::Aside {
                one.stage = Stage::Alone;
                changed = true;
            }
        }
        changed
    }

    /// Why its mail waits.
    pub fn holds(&self, sender: Sender) -> Option<String> {
        match &self.of(sender).stage {
            Stage::Held(words) => Some(format!("the sender is refused, and not for this person alone: {words}")),
            _ => None,
        }
    }

    fn of(&self, sender: Sender) -> &One {
        match sender {
            Sender::Bounces => &self.bounces,
            Sender::Replies => &self.replies,
        }
    }

    fn of_mut(&mut self, sender: Sender) -> &mut One {
        match sender {
            Sender::Bounces => &mut self.bounces,
            Sender::Replies => &mut self.replies,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Sender::{Bounces, Replies};
    use super::*;

    const TAKEN: History = History { accepted: true, held: false };
    const HELD: History = History { accepted: false, held: true };

    #[test]
    fn where_the_other_one_is_accepted_five_fail_and_the_rest_waits() {
        let mut senders = Senders::default();
        assert_eq!(senders.refuse(Replies, "553 no"), Judged::Aside);
        assert!(senders.is_aside(Replies) && !senders.is_aside(Bounces));
        senders.accept(Bounces);
        assert!(!senders.is_aside(Replies));
        for _ in 0..5 {
            assert_eq!(senders.holds(Replies), None);
            assert_eq!(senders.refuse(Replies, "553 no"), Judged::Fails);
        }
        assert_eq!(senders.refuse(Replies, "553 no"), Judged::Waits);
        assert!(senders.holds(Replies).is_some_and(|why| why.ends_with("553 no")));
        assert_eq!(senders.holds(Bounces), None);
    }

    #[test]
    fn where_nothing_else_is_there_the_record_tells() {
        for (before, judged) in [
            ([History::default(); 2], Judged::OfTheConnection),
            ([TAKEN, TAKEN], Judged::OfTheConnection),
            ([TAKEN, History::default()], Judged::Fails),
            ([History::default(), TAKEN], Judged::OfTheConnection),
        ] {
            let mut senders = Senders::after(before);
            assert_eq!(senders.refuse(Replies, "553 no"), Judged::Aside);
            assert!(senders.nothing_else() && !senders.nothing_else());
            assert_eq!(senders.refuse(Replies, "553 no"), judged, "{before:?}");
        }
    }

    #[test]
    fn where_the_other_is_refused_as_well_or_is_the_same_address_nobody_fails() {
        let mut senders = Senders::after([TAKEN, History::default()]);
        assert_eq!(senders.refuse(Replies, "550 no"), Judged::Aside);
        assert_eq!(senders.refuse(Bounces, "550 no"), Judged::Aside);
        assert!(senders.nothing_else());
        assert_eq!(senders.refuse(Replies, "550 no"), Judged::OfTheConnection);
        let mut senders = Senders::of_one_address();
        senders.accept(Bounces);
        assert_eq!(senders.refuse(Replies, "550 no"), Judged::OfTheConnection);
    }

    #[test]
    fn what_an_earlier_run_held_back_is_asked_about_once() {
        let mut senders = Senders::after([TAKEN, HELD]);
        assert_eq!(senders.refuse(Replies, "553 no"), Judged::Waits);
        assert!(senders.holds(Replies).is_some());
        let mut senders = Senders::after([TAKEN, HELD]);
        senders.accept(Replies);
        assert_eq!(senders.refuse(Replies, "553 no"), Judged::OfTheConnection, "it was taken a moment ago");
    }
}
