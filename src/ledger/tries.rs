//! What was typed on the confirm page: counted where it was wrong, recorded where it was right, by one rule in one
//! transaction, so that a hundred tries at once count as a hundred.

use super::{Ledger, Task, audit, evidence, instant, millis, tasks};
use crate::answer::{DAY, Evidence, Refusal, Tries};
use crate::fault::Result;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, Transaction};
use serde_json::json;

/// Somebody types something for a person.
#[derive(Debug, Clone)]
pub struct Attempt<'a> {
    pub at: DateTime<Utc>,
    pub person: &'a str,
    pub acknowledgement: &'a str,
    pub revision: u32,
    /// Stands for the whole address; the address itself is not kept.
    pub source: &'a str,
    /// The address as it may be shown.
    pub from: &'a str,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    Refused(Refusal),
    /// Counted. The refusal that the next one would meet, when it is more than a pause.
    Wrong(Option<Refusal>),
    Recorded,
    /// The same was on record already.
    Repeated,
}

impl Ledger {
    /// Refuses by the limits, whatever was typed; else records `fact`, or counts a wrong try where there is none.
    /// `locked` words the task for a human when this try was the last one allowed.
    pub fn try_answer(
        &mut self,
        attempt: &Attempt<'_>,
        fact: Option<&Evidence>,
        locked: impl Fn(Refusal) -> String,
    ) -> Result<Tried> {
        self.durable(|tx| {
            if let Err(refusal) = tries(tx, attempt)?.judge(attempt.at) {
                return Ok(Tried::Refused(refusal));
            }
            if let Some(fact) = fact {
                let new = !is_known(tx, fact)? && evidence::insert(tx, fact)?;
                return Ok(if new { Tried::Recorded } else { Tried::Repeated });
            }
            tx.execute(
                "INSERT INTO wrong_try(at, person, acknowledgement, revision, source) VALUES (?,?,?,?,?)",
                (millis(attempt.at), attempt.person, attempt.acknowledgement, attempt.revision, attempt.source),
            )?;
            let told = json!({ "person": attempt.person, "acknowledgement": attempt.acknowledgement,
                "revision": attempt.revision, "from": attempt.from });
            audit::append(tx, attempt.at, "wrong-try", &told)?;
            let next = tries(tx, attempt)?.judge(attempt.at).err();
            let shut = next.filter(|refusal| !matches!(refusal, Refusal::Wait(_)));
            if let Some(refusal) = shut {
                let task = Task {
                    at: attempt.at,
                    person: attempt.person.to_owned(),
                    acknowledgement: attempt.acknowledgement.to_owned(),
                    what: locked(refusal),
                    call: false,
                };
                tasks::insert(tx, &task)?;
            }
            Ok(Tried::Wrong(shut))
        })
    }

    /// How the next try of this person from this address would be judged.
    pub fn may_try(&self, attempt: &Attempt<'_>) -> Result<Option<Refusal>> {
        Ok(tries(&self.db, attempt)?.judge(attempt.at).err())
    }
}

fn tries(db: &Connection, attempt: &Attempt<'_>) -> Result<Tries> {
    let (of_person, last): (u32, Option<i64>) = db
        .prepare_cached(
            "SELECT count(*), max(at) FROM wrong_try WHERE person = ? AND acknowledgement = ? AND revision = ?",
        )?
        .query_row((attempt.person, attempt.acknowledgement, attempt.revision), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let of_source = db
        .prepare_cached("SELECT count(*) FROM wrong_try WHERE source = ? AND at > ?")?
        .query_row((attempt.source, millis(attempt.at - DAY)), |row| row.get(0))?;
    Ok(Tries { of_person, last: last.map(instant), of_source })
}

/// An answer counts once in a revision, however often it comes.
fn is_known(tx: &Transaction, fact: &Evidence) -> Result<bool> {
    let known: i64 = tx
        .prepare_cached(
            "SELECT count(*) FROM evidence
             WHERE person = ? AND acknowledgement = ? AND revision = ? AND kind = ? AND revoked = 0",
        )?
        .query_row((&fact.person, &fact.acknowledgement, fact.revision, evidence::kind_word(fact.kind)?), |row| {
            row.get(0)
        })?;
    Ok(known > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Kind;
    use chrono::Duration;

    fn at(seconds: i64) -> DateTime<Utc> {
        "2026-11-28T15:00:00Z".parse::<DateTime<Utc>>().unwrap() + Duration::seconds(seconds)
    }

    fn attempt(person: &str, seconds: i64) -> Attempt<'_> {
        Attempt { at: at(seconds), person, acknowledgement: "a", revision: 1, source: "here", from: "192.0.2.x" }
    }

    fn answer(person: &str, seconds: i64) -> Evidence {
        Evidence {
            id: 0,
            at: at(seconds),
            person: person.into(),
            acknowledgement: "a".into(),
            revision: 1,
            kind: Kind::Confirmed,
            by: None,
            detail: format!("at {seconds}"),
            revoked: false,
            address: None,
        }
    }

    fn shut(refusal: Refusal) -> String {
        format!("{refusal:?}")
    }

    #[test]
    fn ten_wrong_tries_lock_the_person_even_for_what_is_right_and_a_restart_forgets_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(folder.path()).unwrap();
        for n in 0..9 {
            assert_eq!(ledger.try_answer(&attempt("ann", n * 61), None, shut), Ok(Tried::Wrong(None)));
        }
        assert_eq!(
            ledger.try_answer(&attempt("ann", 9 * 61), None, shut),
            Ok(Tried::Wrong(Some(Refusal::PersonLocked)))
        );
        drop(ledger);
        let mut ledger = Ledger::open(folder.path()).unwrap();
        let late = attempt("ann", 1_000_000);
        let locked = Ok(Tried::Refused(Refusal::PersonLocked));
        assert_eq!(ledger.try_answer(&late, Some(&answer("ann", 1_000_000)), shut), locked);
        assert_eq!(ledger.evidence_of("ann").unwrap(), []);
        assert_eq!(ledger.tasks().unwrap().len(), 1);
        assert_eq!(ledger.try_answer(&attempt("bob", 1_000_000), Some(&answer("bob", 0)), shut), Ok(Tried::Recorded));
        ledger.audit_verify(None).unwrap();
    }

    #[test]
    fn a_pause_refuses_even_what_is_right_and_tells_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(folder.path()).unwrap();
        ledger.try_answer(&attempt("ann", 0), None, shut).unwrap();
        let wait = Ok(Tried::Refused(Refusal::Wait(1)));
        assert_eq!(ledger.try_answer(&attempt("ann", 0), Some(&answer("ann", 0)), shut), wait);
        assert_eq!(ledger.try_answer(&attempt("ann", 0), None, shut), wait);
        assert_eq!(ledger.try_answer(&attempt("ann", 1), Some(&answer("ann", 1)), shut), Ok(Tried::Recorded));
    }

    #[test]
    fn an_answer_counts_once_whatever_came_between() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(folder.path()).unwrap();
        let mut other = answer("ann", 1);
        other.kind = Kind::AutoReply;
        assert_eq!(ledger.try_answer(&attempt("ann", 0), Some(&answer("ann", 0)), shut), Ok(Tried::Recorded));
        ledger.add_evidence(&other).unwrap();
        assert_eq!(ledger.try_answer(&attempt("ann", 2), Some(&answer("ann", 2)), shut), Ok(Tried::Repeated));
        assert_eq!(ledger.evidence_of("ann").unwrap().len(), 2);
    }

    #[test]
    fn a_hundred_wrong_tries_from_one_address_shut_it_for_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(folder.path()).unwrap();
        let people: Vec<String> = (0..100).map(|n| format!("p{n}")).collect();
        let last = people.iter().map(|person| ledger.try_answer(&attempt(person, 0), None, shut).unwrap()).last();
        assert_eq!(last, Some(Tried::Wrong(Some(Refusal::SourceLocked))));
        assert_eq!(ledger.may_try(&attempt("new", 1)).unwrap(), Some(Refusal::SourceLocked));
        assert_eq!(ledger.may_try(&attempt("new", 24 * 3_600 + 1)).unwrap(), None);
        let elsewhere = Attempt { source: "there", ..attempt("new", 1) };
        assert_eq!(ledger.may_try(&elsewhere).unwrap(), None);
    }
}
