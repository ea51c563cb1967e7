//! The life of one message: the table first, then [`State::apply`], then the proof that nothing else is possible.

use crate::fault::Fault;
use serde::{Deserialize, Serialize};
use std::fmt;

use Event::*;
use State::*;

/// Every transition there is. What does not stand here cannot happen.
#[rustfmt::skip]
const TABLE: [(State, Event, State); 45] = [
    // waiting for its moment
    (Planned,      Claim,    Sending),
    (Planned,      Refuse,   Failed),    // nothing to send to: no address
    (Planned,      Hold,     Held),
    (Planned,      Cancel,   Cancelled),
    (Planned,      Accept,   Sent),      // a first copy, once uncertain, has proved to be with a server,
    (Planned,      Deliver,  Delivered), // or to be there,
    (Planned,      Bounce,   Bounced),   // or has come back
    // a lane has it; the server cannot have it
    (Sending,      Mark,     Transmitting),
    (Sending,      Store,    Sent),
    (Sending,      Defer,    Planned),
    (Sending,      Release,  Planned),
    (Sending,      Refuse,   Failed),
    (Sending,      Hold,     Held),
    (Sending,      Cancel,   Cancelled), // its answer came meanwhile, or everything was called off
    (Sending,      Crash,    Planned),
    (Sending,      PowerCut, Uncertain), // marks survive a killed process, not always a power cut
    // the mark is written; the server may have it
    (Transmitting, Accept,   Sent),
    (Transmitting, Defer,    Planned),
    (Transmitting, Refuse,   Failed),
    (Transmitting, Hold,     Held),      // refused now, and a first copy may be there
    (Transmitting, Doubt,    Uncertain),
    (Transmitting, Crash,    Uncertain),
    (Transmitting, PowerCut, Uncertain),
    // the server may have it, and nobody is asking any more
    (Uncertain,    Retry,    Planned),
    (Uncertain,    Accept,   Sent),
    (Uncertain,    Deliver,  Delivered),
    (Uncertain,    Bounce,   Bounced),
    (Uncertain,    Hold,     Held),
    (Uncertain,    Cancel,   Cancelled),
    // the server has it
    (Sent,         Deliver,  Delivered),
    (Sent,         Bounce,   Bounced),
    (Delivered,    Deliver,  Delivered), // the report of a second copy
    (Delivered,    Bounce,   Bounced),
    // a person may try again
    (Failed,       Retry,    Planned),
    (Failed,       Cancel,   Cancelled),
    (Bounced,      Bounce,   Bounced),
    (Bounced,      Retry,    Planned),
    (Bounced,      Cancel,   Cancelled), // another message to a corrected address takes its place
    (Bounced,      Deliver,  Delivered), // one of two copies arrived after all
    (Held,         Retry,    Planned),
    (Held,         Accept,   Sent),      // held in doubt, settled by evidence
    (Held,         Deliver,  Delivered),
    (Held,         Bounce,   Bounced),
    (Held,         Cancel,   Cancelled),
    // given up
    (Cancelled,    Doubt,    Uncertain), // in doubt when it was taken back, and its person is among those it is for again
];

/// Where a message stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    #[default]
    Planned,
    /// Claimed by a lane.
    Sending,
    /// The durable mark stands: the body's last byte may be on the wire.
    Transmitting,
    /// The server answered 250 to the dot.
    Sent,
    /// A success DSN, or the person's own reply.
    Delivered,
    /// Refused for good, with the server's words.
    Failed,
    /// Too late to be sent blindly, or a person's decision is awaited.
    Held,
    /// Sent or not: the reply to the dot was lost.
    Uncertain,
    Cancelled,
    /// A failure DSN came back.
    Bounced,
}

/// What can happen to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// A lane takes it, durably, before it speaks of it to a server.
    Claim,
    /// The durable mark before the body's last byte.
    Mark,
    /// Code 250 to the dot, or evidence that there was one.
    Accept,
    /// The file transport has it in place under its own name. Doing that twice changes nothing, so it needs no mark.
    Store,
    /// A complete 4xx.
    Defer,
    /// The connection failed before the mark: no attempt is used up.
    Release,
    /// A complete 5xx, or a message that must not leave.
    Refuse,
    /// The reply to the dot was lost.
    Doubt,
    /// The process that held it is gone.
    Crash,
    /// The machine went down; writes since the last sync may be gone.
    PowerCut,
    /// Another attempt: by policy when uncertain, by a person's choice otherwise.
    Retry,
    Deliver,
    Bounce,
    Hold,
    Cancel,
}

/// The message cannot do this from where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Impossible {
    pub state: State,
    pub event: Event,
}

impl State {
    pub const ALL: [State; 10] =
        [Planned, Sending, Transmitting, Sent, Delivered, Failed, Held, Uncertain, Cancelled, Bounced];

    pub fn apply(self, event: Event) -> Result<State, Impossible> {
        TABLE
            .iter()
            .find(|(from, on, _)| (*from, *on) == (self, event))
            .map(|(_, _, to)| *to)
            .ok_or(Impossible { state: self, event })
    }

    /// The word in the ledger and in `status --json`.
    pub fn word(self) -> &'static str {
        match self {
            Planned => "planned",
            Sending => "sending",
            Transmitting => "transmitting",
            Sent => "sent",
            Delivered => "delivered",
            Failed => "failed",
            Held => "held",
            Uncertain => "uncertain",
            Cancelled => "cancelled",
            Bounced => "bounced",
        }
    }

    pub fn from_word(word: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.word() == word)
    }
}

impl Event {
    pub const ALL: [Event; 15] = [
        Claim, Mark, Accept, Store, Defer, Release, Refuse, Doubt, Crash, PowerCut, Retry, Deliver, Bounce, Hold,
        Cancel,
    ];
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl fmt::Display for Impossible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a message that is {} cannot take the event {:?}", self.state, self.event)
    }
}

impl std::error::Error for Impossible {}

impl From<Impossible> for Fault {
    fn from(impossible: Impossible) -> Self {
        Fault::new(
            "delivery-state",
            impossible.to_string(),
            "look at `status`: another run has moved this message on; run the command again",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// Every state times every event, written a second time: from the promises, not from the table. Four letters a word,
    /// events in the order of [`Event::ALL`].
    const GRID: &str = "\
             clai mark acce stor defe rele refu doub cras powe retr deli boun hold canc
planned      send .    sent .    .    .    fail .    .    .    .    deli boun held canc
sending      .    tran .    sent plan plan fail .    plan unce .    .    .    held canc
transmitting .    .    sent .    plan .    fail unce unce unce .    .    .    held .
sent         .    .    .    .    .    .    .    .    .    .    .    deli boun .    .
delivered    .    .    .    .    .    .    .    .    .    .    .    deli boun .    .
failed       .    .    .    .    .    .    .    .    .    .    plan .    .    .    canc
held         .    .    sent .    .    .    .    .    .    .    plan deli boun .    canc
uncertain    .    .    sent .    .    .    .    .    .    .    plan deli boun held canc
cancelled    .    .    .    .    .    .    .    unce .    .    .    .    .    .    .
bounced      .    .    .    .    .    .    .    .    .    .    plan deli boun .    canc
";

    #[test]
    fn every_state_times_every_event() {
        let mut rows = GRID.lines();
        let events: Vec<_> =
            Event::ALL.iter().map(|event| format!("{event:?}").to_lowercase()[..4].to_owned()).collect();
        assert_eq!(rows.next().map(|row| row.split_whitespace().collect::<Vec<_>>().join(" ")), Some(events.join(" ")));
        for (state, row) in State::ALL.into_iter().zip(rows) {
            let mut cells = row.split_whitespace();
            assert_eq!(cells.next(), Some(state.word()));
            for event in Event::ALL {
                let came = state.apply(event).map_or(".", |to| &to.word()[..4]);
                assert_eq!(cells.next(), Some(came), "{state}, {event:?}");
            }
        }
        assert_eq!(GRID.lines().count(), 1 + State::ALL.len());
    }

    #[test]
    fn the_table_says_each_thing_once() {
        let pairs: HashSet<_> = TABLE.iter().map(|(from, event, _)| (from, event)).collect();
        assert_eq!(pairs.len(), TABLE.len());
    }

    #[test]
    fn nothing_is_accepted_by_a_server_without_the_mark() {
        // What is planned has its mark from a first copy, or the ledger does not ask.
        let marked = |state: &State| matches!(state, Planned | Transmitting | Uncertain | Held);
        for state in State::ALL.into_iter().filter(|state| !marked(state)) {
            assert_eq!(state.apply(Accept), Err(Impossible { state, event: Accept }), "{state}");
        }
    }

    #[test]
    fn what_may_have_left_is_never_planned_again_without_a_decision() {
        assert_eq!(Transmitting.apply(Crash), Ok(Uncertain));
        assert!(Transmitting.apply(Release).is_err() && Transmitting.apply(Retry).is_err());
        let roads: Vec<_> = TABLE.iter().filter(|(from, _, to)| *from == Uncertain && *to == Planned).collect();
        assert_eq!(roads, [&(Uncertain, Retry, Planned)]);
    }

    #[test]
    fn words_are_read_back() {
        for state in State::ALL {
            assert_eq!(State::from_word(state.word()), Some(state));
        }
        assert_eq!(State::from_word("deferred"), None);
    }

    #[test]
    fn the_refusal_names_both() {
        let fault = Fault::from(Cancelled.apply(Claim).expect_err("cancelled is final"));
        assert_eq!(fault.cause(), "a message that is cancelled cannot take the event Claim");
    }
}
