//! What a reply means for the message, and when to try again.

use super::Reply;
use super::smtp::Phase;
use chrono::{DateTime, Duration, Utc};

/// The pause after the first 4xx. It doubles from there.
const FIRST_PAUSE: Duration = Duration::minutes(5);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::minutes(67);
/// About five days of trying (RFC 5321 §4.5.4.1).
pub(super) const MOST_ATTEMPTS: u32 = 120;
/// How long an uncertain message rests before the same bytes go out again, so that a delivery report can come first.
pub const UNCERTAIN_PAUSE: Duration = Duration::minutes(10);
/// How long a message rests that twice was part of trouble with the connection.
pub(super) const TROUBLE_PAUSE: Duration = FIRST_PAUSE;

/// What follows a deferral.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    At(DateTime<Utc>),
    /// Past the message's expiry, or after too many attempts.
    GiveUp,
}

/// When to try again after the `attempt`-th attempt (from 1) met a 4xx. The pause doubles from 5 to 67 minutes and is up
/// to a fifth shorter, as `seed` decides, so that messages deferred together do not come back together.
pub fn after_deferral(attempt: u32, now: DateTime<Utc>, expires: Option<DateTime<Utc>>, seed: u64) -> Next {
    if attempt >= MOST_ATTEMPTS {
        return Next::GiveUp;
    }
    let doublings = attempt.saturating_sub(1).min(16);
    let pause = (FIRST_PAUSE * (1 << doublings)).min(LONGEST_PAUSE);
    let fifth = pause.num_milliseconds() / 5;
    let shorter = (scatter(seed ^ u64::from(attempt).rotate_left(32)) % (fifth as u64 + 1)) as i64;
    let at = now + pause - Duration::milliseconds(shorter);
    if expires.is_some_and(|expires| at >= expires) { Next::GiveUp } else { Next::At(at) }
}

/// How long a lane rests after the `trouble`-th trouble in a row (from 1): twice as long after each, from one second, and
/// up to a quarter longer, as `seed` decides, so that the lanes do not come back together.
pub(super) fn after_trouble(trouble: u32, seed: u64) -> std::time::Duration {
    let pause = 1000u64 << trouble.saturating_sub(1).min(16);
    std::time::Duration::from_millis(pause + scatter(seed) % (pause / 4 + 1))
}

/// Spreads neighbouring seeds over all values (the finaliser of SplitMix64).
fn scatter(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// What a complete reply means inside a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Go on; after the dot: delivered.
    Yes,
    /// This message, later.
    Later,
    /// This message, never.
    Never,
    /// 421, RSET is refused, or the server takes nothing from anybody now: the connection is of no more use. It judged
    /// nobody.
    Closing,
    /// The server will not have us as sender, whoever the recipient is. It judged nobody.
    NotFromUs,
    /// A code that cannot stand here: questions and answers are out of step.
    Nonsense,
}

impl Meaning {
    pub fn of(phase: Phase, reply: &Reply) -> Meaning {
        let detail = reply.enhanced.map(|enhanced| (enhanced.subject, enhanced.detail));
        // Its size (RFC 3463 §3.3, §3.4), or an address beyond ASCII (RFC 6531 §3.5).
        let of_this_message = reply.code == 552 || matches!(detail, Some((2, 3) | (3, 4) | (6, 7)));
        let of_the_sender = reply.code == 530 || reply.is_of_the_sender();
        match (phase, reply.code) {
            // RFC 5321 §4.2.5: only 250 to the dot hands over responsibility.
            (Phase::Dot, 250) | (Phase::Data, 354) | (Phase::Mail | Phase::Reset, 250) => Meaning::Yes,
            // 251 forwarded, 252 not verified but accepted.
            (Phase::Rcpt, 250..=252) => Meaning::Yes,
            (Phase::Dot, 421) => Meaning::Later,
            (_, 421) | (Phase::Reset, 400..) => Meaning::Closing,
            // MAIL names nobody but the sender.
            (Phase::Mail, 400..500) if !of_this_message => Meaning::Closing,
            (Phase::Mail, 500..) if !of_this_message => Meaning::NotFromUs,
            (Phase::Rcpt, 500..) if of_the_sender => Meaning::NotFromUs,
            (_, 400..500) => Meaning::Later,
            (_, 500..) => Meaning::Never,
            _ => Meaning::Nonsense,
        }
    }
}

/// What a person can do about mail that is deferred again and again.
pub(super) const PATIENCE_IS_OVER: &str =
    "ask the receiving site why it defers this mail, or reach the person by phone";

/// The same by the words of the reply: its enhanced code (RFC 3463 §3), else its code.
pub(super) fn if_it_goes_on(reply: &Reply) -> &'static str {
    match (reply.enhanced.map(|e| (e.subject, e.detail)), reply.code) {
        (_, 421) => "the server wants fewer at a time: lower [mail] connections or rate",
        (Some((2, 2)), _) | (None, 452) => "the mailbox is full: reach the person another way",
        (Some((3, _)), _) | (_, 452) => "that site's mail system has a fault: ask its administrator",
        (Some((7, _)), 450 | 451) => {
            "greylisting passes by itself; anything else these words name is for the mail server's administrator"
        }
        (Some((1, _)), _) => "see whether the address and its domain are right",
        _ => PATIENCE_IS_OVER,
    }
}

/// What a person can do about a refusal, by its enhanced code (RFC 3463 §3), else by its code.
pub(super) fn advice(reply: &Reply) -> &'static str {
    match (reply.enhanced.map(|e| (e.subject, e.detail)), reply.code) {
        (Some((1, 2)), _) => "the domain does not exist: correct the address in the roster",
        (Some((1, 7 | 8)), _) => "the server does not accept the sender: correct [mail] from or bounce_to",
        (Some((1, _)), _) | (None, 550 | 551 | 553) => {
            "correct the address in the roster, or reach the person another way"
        }
        (Some((2, 2)), _) | (None, 552) => "the mailbox is full: reach the person another way, then `send --to failed`",
        (Some((2, 3) | (3, 4)), _) => {
            "the message is too large for that site: send a smaller package, then `send --to failed`"
        }
        (Some((2, _)), _) => "the mailbox takes no mail: reach the person another way",
        (Some((3 | 4, _)), _) => "that site's mail system has a fault: ask its administrator, then `send --to failed`",
        (Some((6, _)), _) => "that site does not take this kind of message: ask its administrator",
        (Some((7, _)), _) => {
            "a policy refuses it: show these words to the administrator of the mail server, then `send --to failed`"
        }
        _ => "show these words to the administrator of the mail server, then `send --to failed`",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::Enhanced;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn minutes(attempt: u32, seed: u64) -> f64 {
        match after_deferral(attempt, NOW, None, seed) {
            Next::At(at) => (at - NOW).as_seconds_f64() / 60.0,
            Next::GiveUp => f64::INFINITY,
        }
    }

    fn reply(code: u16, enhanced: &str) -> Reply {
        Reply { code, enhanced: Enhanced::parse(enhanced), text: String::new() }
    }

    #[test]
    fn pauses_double_from_5_to_67_minutes() {
        for (attempt, full) in [(1, 5.0), (2, 10.0), (3, 20.0), (4, 40.0), (5, 67.0), (6, 67.0), (119, 67.0)] {
            for seed in 0..100 {
                let pause = minutes(attempt, seed);
                assert!(pause <= full && pause >= full * 0.8, "attempt {attempt}: {pause}");
            }
        }
    }

    #[test]
    fn lanes_rest_twice_as_long_each_time_and_not_all_alike() {
        for (trouble, least) in [(1, 1000), (2, 2000), (5, 16_000)] {
            let mut rests: Vec<_> = (0..50).map(|seed| after_trouble(trouble, seed).as_millis()).collect();
            assert!(rests.iter().all(|rest| (least..=least * 5 / 4).contains(rest)), "{rests:?}");
            rests.sort_unstable();
            rests.dedup();
            assert!(rests.len() > 30);
        }
    }

    #[test]
    fn messages_deferred_together_come_back_apart() {
        let mut pauses: Vec<_> = (0..100).map(|seed| (minutes(1, seed) * 60.0) as i64).collect();
        pauses.sort_unstable();
        pauses.dedup();
        assert!(pauses.len() > 30, "{} different seconds of 60", pauses.len());
        assert_eq!(minutes(1, 7), minutes(1, 7));
    }

    #[test]
    fn it_ends_with_the_expiry_or_after_five_days() {
        assert_eq!(after_deferral(1, NOW, Some(NOW + Duration::minutes(3)), 0), Next::GiveUp);
        assert!(matches!(after_deferral(1, NOW, Some(NOW + Duration::minutes(6)), 0), Next::At(_)));
        assert_eq!(after_deferral(120, NOW, None, 0), Next::GiveUp);
        assert!(matches!(after_deferral(u32::MAX, NOW, None, 0), Next::GiveUp));
        let days: f64 = (1..120).map(|attempt| minutes(attempt, 1)).sum::<f64>() / 60.0 / 24.0;
        assert!((4.5..6.0).contains(&days), "{days} days");
    }

    #[test]
    fn every_code_in_every_phase_has_one_meaning() {
        use Meaning::*;
        for (phase, code, enhanced, meaning) in [
            (Phase::Dot, 250, "", Yes),
            (Phase::Dot, 251, "", Nonsense),
            (Phase::Dot, 354, "", Nonsense),
            (Phase::Dot, 421, "4.3.2", Later),
            (Phase::Dot, 451, "", Later),
            (Phase::Dot, 554, "5.7.1", Never),
            (Phase::Data, 354, "", Yes),
            (Phase::Data, 250, "", Nonsense),
            (Phase::Data, 421, "", Closing),
            (Phase::Data, 554, "5.5.1", Never),
            (Phase::Rcpt, 251, "", Yes),
            (Phase::Rcpt, 252, "", Yes),
            (Phase::Rcpt, 354, "", Nonsense),
            (Phase::Rcpt, 450, "4.2.0", Later),
            (Phase::Rcpt, 550, "5.7.1", Never),
            (Phase::Rcpt, 530, "5.7.0", NotFromUs),
            (Phase::Rcpt, 553, "5.1.7", NotFromUs),
            (Phase::Rcpt, 550, "5.1.8", NotFromUs),
            (Phase::Rcpt, 450, "4.1.8", Later),
            (Phase::Dot, 550, "5.1.8", Never),
            (Phase::Mail, 421, "", Closing),
            (Phase::Mail, 530, "", NotFromUs),
            (Phase::Mail, 550, "5.7.1", NotFromUs),
            (Phase::Mail, 550, "", NotFromUs),
            (Phase::Mail, 501, "5.1.7", NotFromUs),
            (Phase::Mail, 553, "5.1.8", NotFromUs),
            (Phase::Mail, 552, "", Never),
            (Phase::Mail, 552, "5.3.4", Never),
            (Phase::Mail, 554, "5.3.4", Never),
            (Phase::Mail, 553, "5.6.7", Never),
            (Phase::Mail, 452, "", Closing),
            (Phase::Mail, 452, "4.3.1", Closing),
            (Phase::Mail, 451, "4.7.1", Closing),
            (Phase::Mail, 452, "4.3.4", Later),
            (Phase::Reset, 250, "", Yes),
            (Phase::Reset, 502, "5.5.1", Closing),
            (Phase::Reset, 452, "", Closing),
            (Phase::Reset, 421, "", Closing),
            (Phase::Reset, 354, "", Nonsense),
        ] {
            assert_eq!(Meaning::of(phase, &reply(code, enhanced)), meaning, "{code} {enhanced} to {phase}");
        }
    }

    #[test]
    fn advice_follows_the_enhanced_code_before_the_code() {
        assert!(advice(&reply(550, "5.1.1")).contains("roster"));
        assert!(advice(&reply(550, "5.7.1")).contains("policy"));
        for (code, sender) in [(501, "5.1.7"), (550, "5.1.8")] {
            assert!(advice(&reply(code, sender)).contains("[mail] from or bounce_to"), "{sender}");
        }
        assert!(advice(&reply(552, "5.3.4")).contains("smaller"));
        assert!(advice(&reply(550, "")).contains("roster"));
        assert!(advice(&reply(554, "")).contains("administrator"));
    }
}
