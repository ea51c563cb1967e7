//! One refusal is about one person. A run of them, all alike and with nobody accepted in between, may be about a setting: then
//! it is not to be told of everybody before somebody looks. Or it is about a branch that was closed, and holds up nobody else.
//! Others tell which, elsewhere in the queue:
//!
//! ```text
//! counting -10 alike-> all lanes rest, once      -25 alike-> asking: a few others, and nobody else meanwhile
//! asking   -one is taken, put off or refused otherwise-> counting anew: it was about the people
//!          -all are refused alike-> stopped: whom the run refused is taken back
//!          -the same, each of a bad address of theirs, and nobody is left who was not asked-> counting anew
//! ```
//!
//! A round of the schedule after a pause begins with asking: of those first who were never refused, and of twice as many each
//! time while it is their addresses that are refused. Nobody behind the dead waits for ever.

use super::{Claimed, Outcome, Refusal};
use crate::fault::Finding;
use std::collections::BTreeSet;
use std::time::Duration;

/// After so many in a row all lanes rest, once.
const WORRYING: usize = 10;
/// How long they rest: a server whose directory is gone for a moment may find it again.
pub(super) const REST: Duration = Duration::from_secs(5);
/// After so many in a row others are asked.
const TOO_MANY: usize = 25;
/// So many others.
const OTHERS: usize = 5;
/// So often their number doubles.
const MOST_DOUBLINGS: u32 = 8;
/// So often the queue is asked for others, where those it gave were not judged: answered meanwhile, or too late.
const LOOKS: usize = 8;

/// The refusals in a row over all lanes, in one class: code and enhanced status.
#[derive(Debug, Default)]
pub(super) struct Run {
    stage: Stage,
    class: String,
    count: usize,
    /// What the last one was refused with.
    words: String,
    /// Those who do not fail when it turns out not to be about them.
    refused: Vec<i64>,
    /// How many fail all the same.
    failed: usize,
    /// Not all of them were refused because of their own address.
    may_be_a_setting: bool,
    /// Rounds of the schedule that have asked before.
    rounds: u32,
    /// Where they have their mail.
    domains: BTreeSet<String>,
    /// Somebody was accepted: what is said of a recipient is believed from then on.
    accepted: bool,
    before: Before,
}

#[derive(Debug, Default)]
enum Stage {
    #[default]
    Counting,
    Asking {
        /// Those who were taken from elsewhere, and not judged yet.
        others: BTreeSet<i64>,
        judged: usize,
        looks: usize,
    },
    Stopped,
}

/// What an earlier round left in force.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Before {
    #[default]
    Nothing,
    /// A pause, and the schedule asks whether it is over. Nobody fails because of that.
    Pause,
    /// The same, but a person sends all the same, who has seen the words: whoever is refused a second time fails.
    Overruled,
}

/// What a run of refusals asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Alarm {
    Rest {
        cause: String,
    },
    /// Others are to be tried, and nobody else meanwhile.
    Ask,
    /// With the messages that are to be taken back, and how many others stay failed.
    Stop {
        class: String,
        cause: String,
        taken_back: Vec<i64>,
        failed: usize,
        /// Not each of them was refused because of their own address.
        may_be_a_setting: bool,
    },
    /// It was about the people; or a pause is over.
    Over,
}

impl Run {
    /// Goes on after the round that was stopped by refusals of this class for the `times`-th time.
    pub fn after(class: String, before: Before, times: u32) -> Run {
        let stage = if before == Before::Pause { Stage::asking() } else { Stage::Counting };
        Run { stage, class, before, rounds: times.saturating_sub(1), ..Run::default() }
    }

    /// How many others tell. A server that refuses addresses may be asked about more of them than one that refuses us.
    fn enough(&self) -> usize {
        if self.may_be_a_setting { OTHERS } else { OTHERS << self.rounds.min(MOST_DOUBLINGS) }
    }

    pub fn is_asking(&self) -> bool {
        matches!(self.stage, Stage::Asking { .. })
    }

    /// So many others are wanted, best not of these domains, when none is in hand; and then these are they.
    pub fn others_wanted(&self) -> (usize, Vec<String>) {
        match self.stage {
            Stage::Asking { judged, looks, .. } if looks < LOOKS => {
                (self.enough().saturating_sub(judged), self.domains.iter().cloned().collect())
            }
            _ => (0, Vec::new()),
        }
    }

    pub fn ask(&mut self, found: impl Iterator<Item = i64>) {
        if let Stage::Asking { others, looks, .. } = &mut self.stage {
            *others = found.collect();
            *looks += 1;
        }
    }

    /// Takes the next outcome.
    pub fn count(&mut self, message: &Claimed, outcome: &Outcome) -> Option<Alarm> {
        match outcome {
            Outcome::Sent { .. } => {
                self.accepted = true;
                self.begin_anew(String::new())
            }
            // Whoever is put off is not refused.
            Outcome::Deferred { .. } => self.begin_anew(String::new()),
            Outcome::Failed { refusal: refusal @ Refusal::Server { .. } } => self.refuse(message, refusal),
            // Says nothing of what the server takes.
            _ => None,
        }
    }

    fn refuse(&mut self, message: &Claimed, refusal: &Refusal) -> Option<Alarm> {
        let class = refusal.class();
        let over = if class == self.class { None } else { self.begin_anew(class) };
        if self.accepted && refusal.is_of_the_recipient() {
            return over;
        }
        self.count += 1;
        self.words = refusal.to_string();
        self.domains.insert(message.domain());
        self.may_be_a_setting |= !refusal.is_of_the_recipient();
        let enough = self.enough();
        if self.before != Before::Overruled || message.attempt == 0 {
            self.refused.push(message.id);
        } else {
            self.failed += 1;
        }
        match &mut self.stage {
            Stage::Counting if self.count == WORRYING => Some(Alarm::Rest { cause: self.cause(0) }),
            Stage::Counting if self.count >= TOO_MANY => {
                self.stage = Stage::asking();
                Some(Alarm::Ask)
            }
            Stage::Counting => over,
            Stage::Asking { others, judged, .. } => {
                // Another lane may have had one of the run on the wire.
                *judged += usize::from(others.remove(&message.id));
                if *judged < enough { None } else { self.conclude() }
            }
            Stage::Stopped => self.conclude(),
        }
    }

    /// Everybody who was asked is refused alike, or nobody else is there to be asked.
    pub fn conclude(&mut self) -> Option<Alarm> {
        let asked = match self.stage {
            Stage::Asking { judged, .. } => judged,
            Stage::Counting | Stage::Stopped => 0,
        };
        if self.count == 0 {
            return None;
        }
        if self.refused.is_empty() && !matches!(self.stage, Stage::Stopped) {
            // Each of them for the second time, with these words seen in between.
            return Some(self.believe());
        }
        let (class, cause, taken_back) = (self.class.clone(), self.cause(asked), std::mem::take(&mut self.refused));
        self.stage = Stage::Stopped;
        let (failed, may_be_a_setting) = (self.failed, self.may_be_a_setting);
        let any = !taken_back.is_empty();
        any.then_some(Alarm::Stop { class, cause, taken_back, failed, may_be_a_setting })
    }

    /// What was said of everybody so far is true of each of them, and so is what is said of an address from here on.
    pub fn believe(&mut self) -> Alarm {
        *self = Run { accepted: true, before: self.before, ..Run::default() };
        Alarm::Over
    }

    /// The end of a run, and of what was in force.
    fn begin_anew(&mut self, class: String) -> Option<Alarm> {
        let over = self.is_asking() || self.before != Before::Nothing;
        *self = Run { class, accepted: self.accepted, ..Run::default() };
        over.then_some(Alarm::Over)
    }

    fn cause(&self, asked: usize) -> String {
        let (alike, words) = ("refused alike, and nobody is accepted", &self.words);
        match ((self.count - asked).min(TOO_MANY), asked) {
            (0, _) => format!("{asked} all over the queue are {alike}: {words}"),
            (count, 0) => format!("{count} in a row are {alike}: {words}"),
            (count, _) => format!("{count} in a row, and {asked} elsewhere in the queue, are {alike}: {words}"),
        }
    }
}

impl Stage {
    fn asking() -> Stage {
        Stage::Asking { others: BTreeSet::new(), judged: 0, looks: 0 }
    }
}

impl Alarm {
    /// As a complaint about `server` (host and port).
    pub fn finding(&self, server: &str) -> Option<Finding> {
        let (cause, failed) = match self {
            Alarm::Rest { cause } => (cause, 0),
            Alarm::Stop { cause, failed, .. } => (cause, *failed),
            Alarm::Ask | Alarm::Over => return None,
        };
        let stays = match failed {
            0 => "everything stays planned",
            _ => "whoever was refused for the first time stays planned",
        };
        let remedy = format!(
            "correct [mail] transport, from or bounce_to, or the addresses, as these words say; {stays}, and the schedule \
             tries a few messages now and then"
        );
        Some(Finding::error("smtp-refused-all", format!("{server}: {cause}"), remedy))
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

    fn alike(run: &mut Run, message: &Claimed) -> Option<Alarm> {
        run.count(message, &refused(554, "5.7.1"))
    }

    /// Twenty-five alike, and others in hand.
    fn asking(run: &mut Run, messages: &[Claimed], others: std::ops::Range<usize>) {
        let alarms: Vec<_> = messages[..25].iter().filter_map(|message| alike(run, message)).collect();
        let cause = "10 in a row are refused alike, and nobody is accepted: 554 5.7.1 no (to RCPT)".to_owned();
        assert_eq!(alarms, [Alarm::Rest { cause }, Alarm::Ask]);
        assert_eq!(run.others_wanted(), (5, vec!["corp.example".to_owned()]));
        run.ask(messages[others].iter().map(|message| message.id));
    }

    #[test]
    fn when_others_are_refused_as_well_it_stops_and_everybody_is_taken_back() {
        let (mut run, mut messages) = (Run::default(), messages(40));
        messages[3].attempt = 1;
        asking(&mut run, &messages, 30..35);
        assert_eq!(alike(&mut run, &messages[25]), None, "it was on the wire already, and is none of the others");
        for message in &messages[30..34] {
            assert_eq!(alike(&mut run, message), None);
        }
        let Some(Alarm::Stop { class, cause, taken_back, failed, may_be_a_setting }) = alike(&mut run, &messages[34])
        else {
            panic!("not stopped")
        };
        let words = "25 in a row, and 5 elsewhere in the queue, are refused alike, and nobody is accepted: 554 5.7.1 no (to RCPT)";
        assert_eq!((&*class, &*cause, failed, may_be_a_setting), ("554 5.7.1", words, 0, true));
        assert_eq!(taken_back, (0..26).chain(30..35).collect::<Vec<_>>());
        assert!(
            matches!(alike(&mut run, &messages[26]), Some(Alarm::Stop { taken_back, .. }) if taken_back == [26]),
            "another lane had one more on the wire"
        );
    }

    #[test]
    fn one_of_the_others_who_is_not_refused_alike_ends_it() {
        let messages = messages(40);
        let later = Reply { code: 450, enhanced: None, text: "later".into() };
        let later = Outcome::Deferred { reply: later, until: chrono::DateTime::UNIX_EPOCH };
        for answer in [sent(), later, refused(550, "5.1.1")] {
            let mut run = Run::default();
            asking(&mut run, &messages, 30..35);
            for message in &messages[30..34] {
                assert_eq!(alike(&mut run, message), None);
            }
            assert_eq!(run.count(&messages[34], &answer), Some(Alarm::Over), "{answer}");
            assert!(!run.is_asking());
        }
    }

    #[test]
    fn where_nobody_else_is_there_to_ask_those_before_decide() {
        let (mut run, mut messages) = (Run::default(), messages(25));
        asking(&mut run, &messages, 0..0);
        assert!(matches!(run.conclude(), Some(Alarm::Stop { taken_back, cause, .. })
            if taken_back.len() == 25 && cause.starts_with("25 in a row are refused alike")));

        // Sent by hand after that: whoever is refused once more fails, and that is no reason to stop.
        messages.iter_mut().for_each(|message| message.attempt = 1);
        let mut run = Run::after("554 5.7.1".into(), Before::Overruled, 1);
        asking(&mut run, &messages, 0..0);
        assert_eq!(run.conclude(), Some(Alarm::Over));
        messages[7].attempt = 0;
        let mut run = Run::after("554 5.7.1".into(), Before::Overruled, 1);
        asking(&mut run, &messages, 0..0);
        let stop = run.conclude();
        assert!(matches!(&stop, Some(Alarm::Stop { taken_back, failed: 24, .. }) if *taken_back == [7]));
        let remedy = stop.and_then(|alarm| alarm.finding("mx:25")).expect("a complaint").remedy;
        assert!(remedy.contains("whoever was refused for the first time stays planned"), "{remedy}");
    }

    #[test]
    fn a_round_after_a_pause_asks_a_few_and_fails_nobody() {
        let mut messages = messages(5);
        messages.iter_mut().for_each(|message| message.attempt = 3);
        let mut run = Run::after("554 5.7.1".into(), Before::Pause, 1);
        assert_eq!(run.others_wanted(), (5, Vec::new()));
        assert_eq!(run.conclude(), None, "nobody was judged");
        run.ask(0..5);
        for message in &messages[..4] {
            assert_eq!(alike(&mut run, message), None);
        }
        assert!(matches!(alike(&mut run, &messages[4]), Some(Alarm::Stop { taken_back, cause, .. })
            if taken_back == [0, 1, 2, 3, 4] && cause.starts_with("5 all over the queue are refused alike")));
        for over in [sent(), refused(550, "5.1.1")] {
            let mut run = Run::after("554 5.7.1".into(), Before::Pause, 1);
            run.ask(0..5);
            assert_eq!(run.count(&messages[0], &over), Some(Alarm::Over));
        }
        // Those whom the queue gives may all be answered meanwhile: that ends as well.
        let mut run = Run::after("554 5.7.1".into(), Before::Pause, 1);
        for _ in 0..LOOKS {
            assert_eq!(run.others_wanted().0, 5);
            run.ask(0..5);
        }
        assert_eq!(run.others_wanted().0, 0);
    }

    #[test]
    fn where_addresses_are_refused_twice_as_many_are_asked_each_time() {
        let messages = messages(30);
        for (times, enough) in [(1, 5), (2, 10), (3, 20), (99, OTHERS << MOST_DOUBLINGS)] {
            let mut run = Run::after("550 5.1.1".into(), Before::Pause, times);
            assert_eq!(run.others_wanted().0, enough);
            run.ask(0..30);
            let mut alarms = messages.iter().map(|message| run.count(message, &refused(550, "5.1.1")));
            let stopped = alarms.position(|alarm| {
                matches!(alarm, Some(Alarm::Stop { taken_back, may_be_a_setting: false, .. }) if taken_back.len() == enough)
            });
            assert_eq!(stopped, (enough <= 30).then(|| enough - 1));
            // A policy is asked about no more than before.
            let mut run = Run::after("554 5.7.1".into(), Before::Pause, times);
            run.ask(0..30);
            let mut alarms = messages.iter().map(|message| alike(&mut run, message));
            assert_eq!(alarms.position(|alarm| alarm.is_some()), Some(4));
        }
    }

    #[test]
    fn once_somebody_is_accepted_a_bad_address_is_a_bad_address_and_a_policy_is_none() {
        let messages = messages(26);
        let mut run = Run::default();
        assert_eq!(run.count(&messages[25], &sent()), None);
        for message in &messages[..25] {
            assert_eq!(run.count(message, &refused(550, "5.1.1")), None);
        }
        asking(&mut run, &messages, 0..0);
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
                assert_eq!(alike(&mut run, message), None);
            }
            assert_eq!(run.count(&messages[9], &between), None);
            assert_eq!(alike(&mut run, &messages[10]).is_none(), anew, "{between}");
        }
    }
}
