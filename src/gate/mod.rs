//! MAY WE: evidence in, verdict with reasons out. A gate fails closed.
//!
//! ```text
//! gate   held <-> open   (derived again each time from the standings)
//!        held -Override-> open   (a named decision; for ever visible)
//!        open -all gates of a step-> Passed   (a value that only this room can make; running a step takes it)
//! ```

mod bars;
mod grouped;

pub use bars::{BarChange, Bars, Way};
pub use grouped::{Group, grouped};

use crate::answer::Standing;
use crate::campaign::{Acknowledgement, Gate, Grade};
use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What one gate says now, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    pub name: String,
    pub open: bool,
    pub satisfied: usize,
    /// The audience without its waived people.
    pub of: usize,
    /// How many of them are asked for, from 0 to 1.
    pub share: f64,
    pub blocking: Vec<Blocking>,
    pub waived: Vec<String>,
    /// Counted among the satisfied on an operator's word alone.
    pub attested: Vec<String>,
    /// SHA-256 over everybody's grade: what a step that passed had in hand.
    pub digest: String,
    /// Opened against the count by a named decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overridden: Option<Override>,
    /// It missed this deadline, and the campaign says that it is to be called off then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed: Option<DateTime<Utc>>,
    /// When the first waiver it counts on runs out.
    #[serde(skip)]
    pub until: Option<DateTime<Utc>>,
}

/// A named decision to let a step pass a gate that is held. It covers the people who held it then, and nobody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    pub gate: String,
    /// The step that it was needed for first.
    pub step: String,
    pub by: String,
    pub reason: String,
    pub at: DateTime<Utc>,
    pub missing: Vec<String>,
}

impl Verdict {
    /// `27 of 28`, with what is asked for where that is not everybody.
    pub fn count(&self) -> String {
        let count = format!("{} of {}", self.satisfied, self.of);
        match self.share < 1.0 {
            true => format!("{count}, {}% are asked for", (self.share * 1e4).round() / 1e2),
            false => count,
        }
    }

    /// Opens a held gate when the decision covers everybody who holds it. One that nobody holds, its audience being
    /// empty, is covered only by a decision about just that.
    pub fn overruled(mut self, decision: &Override) -> Verdict {
        let covered = self.blocking.iter().all(|one| decision.missing.contains(&one.person))
            && self.blocking.is_empty() == decision.missing.is_empty();
        if !self.open && decision.gate == self.name && covered {
            self.open = true;
            self.digest = format!("overridden by {}: {}", decision.by, self.digest);
            self.overridden = Some(decision.clone());
        }
        self
    }
}

impl Verdict {
    /// Held by what had not come by a deadline: counted by then, and told of each person as they stand now. `now`: the same
    /// audience in the same order.
    pub fn missing(mut self, due: DateTime<Utc>, asked: Grade, now: &[Standing]) -> Verdict {
        let mut now = now.iter();
        for one in &mut self.blocking {
            let Some(standing) = now.find(|standing| standing.person == one.person) else { break };
            one.grade = standing.grade;
            one.remedy.clone_from(&standing.remedy);
            one.why = match suffices(asked, standing) {
                true => format!("too late, after the deadline: {}", standing.why),
                false => standing.why.clone(),
            };
        }
        self.missed = Some(due);
        self
    }
}

/// One person who holds the gate shut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Blocking {
    pub person: String,
    pub grade: Grade,
    pub why: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remedy: String,
}

/// Whether somebody's standing is what is asked. An attestation counts only where the program itself should have seen the
/// answer (grade `observed`): a person's own answer cannot be given by somebody else.
fn suffices(asked: Grade, standing: &Standing) -> bool {
    standing.grade >= asked || asked == Grade::Observed && standing.attested
}

/// Judges one gate by where its audience stands.
pub fn evaluate(gate: &Gate, acknowledgement: &Acknowledgement, standings: &[Standing]) -> Verdict {
    let mut verdict = Verdict {
        name: gate.name.clone(),
        open: false,
        satisfied: 0,
        of: 0,
        share: gate.share,
        blocking: Vec::new(),
        waived: Vec::new(),
        attested: Vec::new(),
        digest: String::new(),
        overridden: None,
        missed: None,
        until: None,
    };
    let mut digest = Sha256::new();
    for standing in standings {
        digest.update(format!("{} {}\n", standing.person, standing.grade));
        if let Some(waiver) = &standing.waiver {
            verdict.until = [verdict.until, waiver.until].into_iter().flatten().min();
            verdict.waived.push(standing.person.clone());
            continue;
        }
        verdict.of += 1;
        if suffices(acknowledgement.grade, standing) {
            verdict.satisfied += 1;
            if standing.grade < acknowledgement.grade {
                verdict.attested.push(standing.person.clone());
            }
        } else {
            verdict.blocking.push(Blocking {
                person: standing.person.clone(),
                grade: standing.grade,
                why: standing.why.clone(),
                remedy: standing.remedy.clone(),
            });
        }
    }
    verdict.digest = HEXLOWER.encode(&digest.finalize());
    let enough = (gate.share * verdict.of as f64 - 1e-9).ceil().max(0.0) as usize;
    // An audience that is empty altogether is a mistake in the roster more often than a fact; one whose every member
    // was waived was decided person by person.
    let somebody = verdict.of + verdict.waived.len() > 0;
    verdict.open = if somebody { verdict.satisfied >= enough } else { gate.allow_empty };
    verdict
}

/// The proof that a step's gates were open when it was asked for. Running a step takes one, so a switch that skips
/// its gate does not compile.
#[derive(Debug)]
pub struct Passed {
    step: String,
    verdicts: Vec<Verdict>,
}

impl Passed {
    pub fn step(&self) -> &str {
        &self.step
    }

    /// The gates that were open, with the digest of what they had in hand.
    pub fn gates(&self) -> impl Iterator<Item = (&str, &str)> {
        self.verdicts.iter().map(|verdict| (verdict.name.as_str(), verdict.digest.as_str()))
    }
}

/// Lets a step pass when every gate it needs is among the verdicts and open; else the names that hold it.
pub fn pass(step: &str, needs: &[String], verdicts: &[Verdict]) -> Result<Passed, Vec<String>> {
    let (open, shut): (Vec<_>, Vec<_>) = needs
        .iter()
        .map(|name| (name, verdicts.iter().find(|verdict| &verdict.name == name && verdict.open)))
        .partition(|(_, verdict)| verdict.is_some());
    if shut.is_empty() {
        let verdicts = open.into_iter().filter_map(|(_, verdict)| verdict.cloned()).collect();
        Ok(Passed { step: step.to_owned(), verdicts })
    } else {
        Err(shut.into_iter().map(|(name, _)| name.clone()).collect())
    }
}

#[cfg(test)]
mod tests;
