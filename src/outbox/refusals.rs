//! One refusal is about one person. A run of them, all alike and with nobody accepted in between, is about a setting: it is
//! not to be told of everybody before somebody looks.

use super::{Claimed, Outcome, Refusal};
use crate::fault::Finding;
use std::time::Duration;

/// After so many in a row all lanes rest, once.
const WORRYING: usize = 10;
/// How long they rest: a server whose directory is gone for a moment may find it again.
pub(super) const REST: Duration = Duration::from_secs(5);
/// After so many in a row the run ends.
const TOO_MANY: usize = 25;

/// The refusals in a row over all lanes, in one class: code and enhanced status.
#[derive(Debug, Default)]
pub(super) struct Run {
    class: String,
    count: usize,
    /// Those of them who were refused for the first time: that it is not their fault is as likely.
    first: Vec<i64>,
}

/// What a run of refusals asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Alarm {
    Rest {
        cause: String,
    },
    /// With the messages that are to be taken back: nobody fails because of a setting. Whoever is refused a second time
    /// does.
    Stop {
        class: String,
        cause: String,
        taken_back: Vec<i64>,
    },
}

impl Run {
    /// Goes on with a run that ended an earlier round: one more like those, and it ends this one.
    pub fn resumed(class: String) -> Run {
        Run { class, count: TOO_MANY - 1, first: Vec::new() }
    }

    /// Takes the next outcome.
    pub fn count(&mut self, message: &Claimed, outcome: &Outcome) -> Option<Alarm> {
        match outcome {
            Outcome::Sent { .. } => *self = Run::default(),
            Outcome::Failed { refusal: refusal @ Refusal::Server { .. } } => {
                let class = refusal.class();
                if class != self.class {
                    *self = Run { class, ..Run::default() };
                }
                self.count += 1;
                if message.attempt == 0 {
                    self.first.push(message.id);
                }
                let count = self.count.min(TOO_MANY);
                let cause = format!("{count} in a row are refused alike, and nobody is accepted: {refusal}");
                return match self.count {
                    WORRYING => Some(Alarm::Rest { cause }),
                    // Other lanes may have had one more each on the wire.
                    TOO_MANY.. => Some(Alarm::Stop {
                        class: self.class.clone(),
                        cause,
                        taken_back: std::mem::take(&mut self.first),
                    }),
                    _ => None,
                };
            }
            // Says nothing of what the server takes.
            _ => {}
        }
        None
    }
}

impl Alarm {
    /// As a complaint about `server` (host and port).
    pub fn finding(&self, server: &str) -> Finding {
        let (Alarm::Rest { cause } | Alarm::Stop { cause, .. }) = self;
        let remedy = "correct [mail] transport, from or bounce_to, or the addresses, as these words say; everything \
                      stays planned, and the schedule tries one message now and then";
        Finding::error("smtp-refused-all", format!("{server}: {cause}"), remedy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::queue::{Queue, memory::MemoryQueue};
    use crate::outbox::smtp::Phase;
    use crate::outbox::{Enhanced, Reply, Unsendable};

    fn refused(code: u16, enhanced: &str) -> Outcome {
        let reply = Reply { code, enhanced: Enhanced::parse(enhanced), text: "no".into() };
        Outcome::Failed { refusal: Refusal::Server { phase: Phase::Rcpt, reply } }
    }

    fn sent() -> Outcome {
        Outcome::Sent { reply: Reply { code: 250, enhanced: None, text: String::new() } }
    }

    /// So many messages, each for the first time.
    fn messages(count: usize) -> Vec<Claimed> {
        MemoryQueue::of(count).claim(chrono::DateTime::UNIX_EPOCH, count).expect("a queue")
    }

    #[test]
    fn ten_alike_rest_and_twenty_five_stop_and_are_taken_back_but_for_a_second_refusal() {
        let (mut run, mut messages) = (Run::default(), messages(27));
        messages[3].attempt = 1;
        for (n, message) in messages.iter().enumerate().map(|(n, message)| (n + 1, message)) {
            let alarm = run.count(message, &refused(554, "5.7.1"));
            let cause =
                format!("{} in a row are refused alike, and nobody is accepted: 554 5.7.1 no (to RCPT)", n.min(25));
            let class = "554 5.7.1".to_owned();
            let wanted = match n {
                10 => Some(Alarm::Rest { cause }),
                25 => Some(Alarm::Stop { class, cause, taken_back: (0..25).filter(|id| *id != 3).collect() }),
                26.. => Some(Alarm::Stop { class, cause, taken_back: vec![n as i64 - 1] }),
                _ => None,
            };
            assert_eq!(alarm, wanted, "{n}");
        }
    }

    #[test]
    fn a_run_that_goes_on_ends_with_the_next_one_alike() {
        let messages = messages(2);
        let mut run = Run::resumed("554 5.7.1".into());
        assert!(
            matches!(run.count(&messages[0], &refused(554, "5.7.1")), Some(Alarm::Stop { taken_back, .. }) if taken_back == [0])
        );
        for over in [sent(), refused(550, "5.1.1")] {
            let mut run = Run::resumed("554 5.7.1".into());
            assert_eq!(run.count(&messages[0], &over), None);
            assert_eq!(run.count(&messages[1], &refused(554, "5.7.1")), None);
        }
    }

    #[test]
    fn an_acceptance_or_another_class_begins_anew_and_nothing_else_does() {
        let messages = messages(11);
        for (between, anew) in [
            (sent(), true),
            (refused(550, "5.1.1"), true),
            (refused(554, ""), true),
            (Outcome::Late, false),
            (Outcome::Failed { refusal: Refusal::Message(Unsendable::BadDomain) }, false),
        ] {
            let mut run = Run::default();
            for message in &messages[..9] {
                assert_eq!(run.count(message, &refused(554, "5.7.1")), None);
            }
            assert_eq!(run.count(&messages[9], &between), None);
            assert_eq!(run.count(&messages[10], &refused(554, "5.7.1")).is_none(), anew, "{between}");
        }
    }
}
