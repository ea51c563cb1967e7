//! Where one person stands with one acknowledgement: the best grade the evidence of this revision proves, and the
//! fact that best explains it.

use super::{Evidence, Kind};
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
    pub waiver: Option<Waiver>,
}

impl Standing {
    /// Derives the standing from a person's evidence for one acknowledgement, oldest first.
    /// Evidence of other revisions must have been left out by the caller.
    pub fn of(person: &str, evidence: &[Evidence], waiver: Option<Waiver>) -> Standing {
        let valid = || evidence.iter().filter(|fact| !fact.revoked);
        let best = valid().filter(|fact| !is_outdated(fact, evidence)).max_by_key(|fact| fact.grade());
        let grade = best.map_or(Grade::None, Evidence::grade);
        let trouble = valid().rev().find(|fact| fact.kind.is_trouble());
        let telling = trouble.filter(|_| grade < Grade::Confirmed).or(best);
        let why = match telling {
            None => "was not told yet".to_owned(),
            Some(fact) if fact.detail.is_empty() => fact.kind.words().to_owned(),
            Some(fact) => format!("{}: {}", fact.kind.words(), fact.detail),
        };
        Standing {
            person: person.to_owned(),
            grade,
            trouble: trouble.map(|fact| fact.kind),
            why,
            attested: valid().any(|fact| fact.kind == Kind::Attested),
            waiver,
        }
    }
}

/// What was observed holds until the opposite is: mail may come in after a mailbag was seen empty.
fn is_outdated(fact: &Evidence, evidence: &[Evidence]) -> bool {
    let opposite = match fact.kind {
        Kind::Drained => Kind::NotDrained,
        Kind::SerialMatches => Kind::SerialDiffers,
        _ => return false,
    };
    evidence.iter().any(|later| later.id > fact.id && later.kind == opposite && !later.revoked)
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
                | Kind::SerialDiffers
                | Kind::NotDrained
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grade(kinds: &[Kind]) -> Grade {
        let fact = |(n, kind): (usize, &Kind)| Evidence {
            id: n as i64 + 1,
            at: chrono::DateTime::UNIX_EPOCH,
            person: "CARTER".into(),
            acknowledgement: "drained".into(),
            revision: 1,
            kind: *kind,
            by: None,
            detail: String::new(),
            revoked: false,
        };
        Standing::of("CARTER", &kinds.iter().enumerate().map(fact).collect::<Vec<_>>(), None).grade
    }

    #[test]
    fn the_newest_observation_counts() {
        use Kind::*;
        assert_eq!(grade(&[NotDrained, Drained]), Grade::Observed);
        assert_eq!(grade(&[Sent, Drained, NotDrained]), Grade::Sent);
        assert_eq!(grade(&[Drained, NotDrained, Drained]), Grade::Observed);
        assert_eq!(grade(&[SerialMatches, SerialDiffers]), Grade::None);
        assert_eq!(grade(&[SerialDiffers, SerialMatches]), Grade::Observed);
    }

    #[test]
    fn an_answer_is_not_undone_by_a_later_lesser_one() {
        use Kind::*;
        assert_eq!(grade(&[Code, HardBounce, AutoReply, Sent, Question]), Grade::Possessed);
    }
}
