//! Where one person stands with one acknowledgement: the best grade the evidence of this revision proves, and the
//! fact that best explains it.

use super::{Evidence, Kind, away};
use crate::campaign::Grade;
use serde::Serialize;

/// An administrator's decision that one person no longer blocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiver {
    pub person: String,
    pub reason: String,
    pub by: String,
    pub at: chrono::DateTime<chrono::Utc>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub person: String,
    pub grade: Grade,
    /// The newest fact that is no mere grade: a bounce, a refusal, an automatic reply, a failed observation.
    pub trouble: Option<Kind>,
    /// In words, for the table of those who block.
    pub why: String,
    pub attested: bool,
    /// The person is away: from their newest automatic reply that states when they are back, and nothing of theirs after it.
    pub away_until: Option<chrono::NaiveDate>,
    pub waiver: Option<Waiver>,
}

impl Standing {
    /// Derives the standing from a person's evidence for one acknowledgement, oldest first.
    /// Evidence of other revisions must have been left out by the caller. `nothing` is what to say where there is none.
    pub fn of(person: &str, evidence: &[Evidence], waiver: Option<Waiver>, nothing: &str) -> Standing {
        let valid = || evidence.iter().filter(|fact| !fact.revoked && !is_overtaken(fact, evidence));
        let best = valid().max_by_key(|fact| fact.grade());
        let grade = best.map_or(Grade::None, Evidence::grade);
        // A bounce is over once a later message got through: the address was corrected.
        let over = |fact: &Evidence| {
            matches!(fact.kind, Kind::HardBounce | Kind::SoftBounce)
                && valid().any(|later| later.id > fact.id && later.grade() >= Grade::Sent)
        };
        let trouble = valid().rev().find(|fact| fact.kind.is_trouble()).filter(|fact| !over(fact));
        let telling = trouble.filter(|_| grade < Grade::Confirmed).or(best);
        let why = match telling {
            None => nothing.to_owned(),
            Some(fact) if fact.detail.is_empty() => fact.kind.words().to_owned(),
            Some(fact) => format!("{}: {}", fact.kind.words(), fact.detail),
        };
        Standing {
            person: person.to_owned(),
            grade,
            trouble: trouble.map(|fact| fact.kind),
            why,
            away_until: away_until(evidence),
            attested: valid().any(|fact| fact.kind == Kind::Attested),
            waiver,
        }
    }
}

/// The day of return in the newest automatic reply. Who has answered since is there.
fn away_until(evidence: &[Evidence]) -> Option<chrono::NaiveDate> {
    let own = |fact: &&Evidence| {
        fact.kind == Kind::AutoReply || fact.kind.proves() >= Grade::Delivered && fact.kind != Kind::DsnDelivered
    };
    let newest = evidence.iter().rev().filter(|fact| !fact.revoked).find(own)?;
    (newest.kind == Kind::AutoReply).then(|| away::noted(&newest.detail)).flatten()
}

/// An observation is a measurement: a later one that says otherwise takes its place. New mail in a mailbag that was
/// empty, or another serial number read back, shuts the gate again.
fn is_overtaken(fact: &Evidence, evidence: &[Evidence]) -> bool {
    let otherwise = |later: &Evidence| matches!(later.kind, Kind::NotDrained | Kind::SerialDiffers) && !later.revoked;
    fact.grade() == Grade::Observed && evidence.iter().any(|later| later.id > fact.id && otherwise(later))
}

impl Kind {
    /// A fact that a human should see even though it changes no grade.
    pub fn is_trouble(self) -> bool {
        matches!(
            self,
            Kind::HardBounce
                | Kind::SoftBounce
                | Kind::AutoReply
                | Kind::Declined
                | Kind::Question
                | Kind::HelpAsked
                | Kind::NotMe
                | Kind::Delegated
                | Kind::SerialDiffers
                | Kind::NotDrained
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(kinds: &[Kind]) -> Vec<Evidence> {
        let fact = |(n, kind): (usize, &Kind)| Evidence {
            id: n as i64 + 1,
            at: Default::default(),
            person: "ann".into(),
            acknowledgement: "a".into(),
            revision: 1,
            kind: *kind,
            by: None,
            detail: String::new(),
            revoked: false,
        };
        kinds.iter().enumerate().map(fact).collect()
    }

    fn standing(kinds: &[Kind]) -> Standing {
        Standing::of("ann", &facts(kinds), None, "was not told yet")
    }

    #[test]
    fn the_grade_is_the_best_that_any_fact_proves_whatever_the_order() {
        let kinds = [Kind::Sent, Kind::Code, Kind::AutoReply, Kind::Displayed, Kind::Declined];
        assert_eq!(standing(&kinds).grade, Grade::Possessed);
        let mut reversed = kinds;
        reversed.reverse();
        assert_eq!(standing(&reversed).grade, Grade::Possessed);
        assert_eq!(standing(&[]).why, "was not told yet");
    }

    #[test]
    fn what_machines_do_never_reaches_confirmed() {
        for kind in
            [Kind::Sent, Kind::DsnDelivered, Kind::HardBounce, Kind::SoftBounce, Kind::AutoReply, Kind::Displayed]
        {
            assert!(standing(&[kind]).grade < Grade::Confirmed, "{kind:?}");
        }
        // Anybody who has the link can send these.
        for kind in [Kind::HelpAsked, Kind::NotMe, Kind::Delegated] {
            assert_eq!(standing(&[Kind::Sent, kind]).grade, Grade::Sent, "{kind:?}");
        }
    }

    #[test]
    fn a_later_observation_takes_the_place_of_an_earlier_one() {
        assert_eq!(standing(&[Kind::NotDrained, Kind::Drained]).grade, Grade::Observed);
        assert_eq!(standing(&[Kind::Drained, Kind::NotDrained]).grade, Grade::None);
        assert_eq!(standing(&[Kind::SerialMatches, Kind::SerialDiffers]).grade, Grade::None);
    }

    #[test]
    fn who_is_away_is_so_until_the_day_stated_or_until_they_answer() {
        let mut facts = facts(&[Kind::Sent, Kind::AutoReply]);
        assert_eq!(Standing::of("ann", &facts, None, "").away_until, None);
        facts[1].detail = "back on 2026-12-14".into();
        assert_eq!(Standing::of("ann", &facts, None, "").away_until, chrono::NaiveDate::from_ymd_opt(2026, 12, 14));
        facts.push(Evidence { id: 3, kind: Kind::Reply, ..facts[0].clone() });
        assert_eq!(Standing::of("ann", &facts, None, "").away_until, None);
    }

    #[test]
    fn a_revoked_fact_proves_nothing() {
        let mut facts = facts(&[Kind::Sent, Kind::Code]);
        facts[1].revoked = true;
        assert_eq!(Standing::of("ann", &facts, None, "").grade, Grade::Sent);
    }

    #[test]
    fn a_bounce_is_over_when_a_later_message_got_through_and_a_refusal_is_not() {
        assert_eq!(standing(&[Kind::Sent, Kind::HardBounce]).trouble, Some(Kind::HardBounce));
        assert_eq!(standing(&[Kind::HardBounce, Kind::Sent]).trouble, None);
        assert_eq!(standing(&[Kind::Declined, Kind::Sent]).trouble, Some(Kind::Declined));
    }
}
