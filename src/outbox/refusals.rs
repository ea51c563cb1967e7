//! One refusal is about one person. A run of them, all alike and with nobody accepted in between, is about a setting: it is
//! not to be told of everybody before somebody looks.

use super::{Outcome, Refusal};
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
}

/// What a run of refusals asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Alarm {
    Rest { cause: String },
    Stop { cause: String },
}

impl Run {
    /// Takes the next outcome.
    pub fn count(&mut self, outcome: &Outcome) -> Option<Alarm> {
        match outcome {
            Outcome::Sent { .. } => self.count = 0,
            Outcome::Failed { refusal: refusal @ Refusal::Server { .. } } => {
                let class = refusal.class();
                self.count = if class == self.class { self.count + 1 } else { 1 };
                self.class = class;
                let cause = || format!("{} in a row are refused alike, and nobody is accepted: {refusal}", self.count);
                return match self.count {
                    WORRYING => Some(Alarm::Rest { cause: cause() }),
                    TOO_MANY => Some(Alarm::Stop { cause: cause() }),
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
        let (Alarm::Rest { cause } | Alarm::Stop { cause }) = self;
        let remedy = "the rest stays planned; correct [mail] transport, from or bounce_to, or the addresses, as these \
                      words say, then run `send --to failed`";
        Finding::error("smtp-refused-all", format!("{server}: {cause}"), remedy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::smtp::Phase;
    use crate::outbox::{Enhanced, Reply, Unsendable};

    fn refused(code: u16, enhanced: &str) -> Outcome {
        let reply = Reply { code, enhanced: Enhanced::parse(enhanced), text: "no".into() };
        Outcome::Failed { refusal: Refusal::Server { phase: Phase::Rcpt, reply } }
    }

    fn sent() -> Outcome {
        Outcome::Sent { reply: Reply { code: 250, enhanced: None, text: String::new() } }
    }

    #[test]
    fn ten_alike_rest_and_twenty_five_stop() {
        let mut run = Run::default();
        for n in 1..=27 {
            let alarm = run.count(&refused(554, "5.7.1"));
            let cause = format!("{n} in a row are refused alike, and nobody is accepted: 554 5.7.1 no (to RCPT)");
            let wanted = match n {
                10 => Some(Alarm::Rest { cause }),
                25 => Some(Alarm::Stop { cause }),
                _ => None,
            };
            assert_eq!(alarm, wanted, "{n}");
        }
    }

    #[test]
    fn an_acceptance_or_another_class_begins_anew_and_nothing_else_does() {
        for (between, anew) in [
            (sent(), true),
            (refused(550, "5.1.1"), true),
            (refused(554, ""), true),
            (Outcome::Late, false),
            (Outcome::Failed { refusal: Refusal::Message(Unsendable::BadDomain) }, false),
        ] {
            let mut run = Run::default();
            for _ in 1..10 {
                assert_eq!(run.count(&refused(554, "5.7.1")), None);
            }
            assert_eq!(run.count(&between), None);
            assert_eq!(run.count(&refused(554, "5.7.1")).is_none(), anew, "{between}");
        }
    }
}
