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
    /// Evidence of other revisions must have been left out by the caller. `nothing` is what to say where there is none.
    pub fn of(person: &str, evidence: &[Evidence], waiver: Option<Waiver>, nothing: &str) -> Standing {
        let valid = || evidence.iter().filter(|fact| !fact.revoked);
        let best = valid().max_by_key(|fact| fact.grade());
        let grade = best.map_or(Grade::None, Evidence::grade);
        let trouble = valid().rev().find(|fact| fact.kind.is_trouble());
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
            attested: valid().any(|fact| fact.kind == Kind::Attested),
            waiver,
        }
    }
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
