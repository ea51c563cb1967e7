//! What was recorded by a clock that was ahead, once somebody has said that it is right now: nothing on record lies in the
//! time to come, and nothing waits for an hour that only the wrong clock had.

use super::suspension::take_back;
use super::{CLOCK_ACCEPTED, Ledger, audit, millis};
use crate::fault::Result;
use crate::outbox::Outcome;
use chrono::{DateTime, Utc};
use rusqlite::Transaction;
use serde_json::json;

/// When something happened, by table and column: by now at the latest. The chain keeps what the clock said then.
const HAPPENED: [(&str, &str); 14] = [
    ("revision", "at"),
    ("message", "settled_at"),
    ("evidence", "at"),
    ("waiver", "at"),
    ("override", "at"),
    ("journal", "at"),
    ("task", "at"),
    ("wrong_try", "at"),
    ("inbound", "at"),
    ("inbound", "settled_at"),
    ("leaver", "at"),
    ("abort", "at"),
    ("unread", "since"),
    ("outage", "last"),
];

/// Said of a message whose time was over by a clock that was ahead.
const IN_TIME: &str = "its time was over only by a clock that was ahead";

impl Ledger {
    /// Plans again what was held or given up because its time was over by a clock that was ahead, and is not by this one.
    /// Returns how many.
    pub fn take_back_late(&mut self, now: DateTime<Utc>) -> Result<usize> {
        self.durable(|tx| {
            let mut late = tx.prepare(
                "SELECT id FROM message WHERE settled_at > ?1 AND expires_at > ?1 \
                 AND (state = 'held' AND instr(reply, ?2) OR state = 'failed' AND reply GLOB '4?? *(given up at attempt *)')",
            )?;
            let late: Vec<i64> =
                late.query_map((millis(now), Outcome::Late.to_string()), |row| row.get(0))?.collect::<Result<_, _>>()?;
            late.iter().try_for_each(|id| take_back(tx, *id, IN_TIME, now))?;
            Ok(late.len())
        })
    }

    /// Takes note that the clock is right, whatever stood on record before it (`newest`). `hours`: when messages that are
    /// still to leave may do so, by the calendar. Returns how many of them waited for another hour.
    pub fn accept_clock(
        &mut self,
        hours: &[(i64, DateTime<Utc>)],
        newest: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<usize> {
        self.durable(|tx| {
            // What stood in the way was seen by the wrong clock: it may be over with it.
            tx.execute("DELETE FROM outage WHERE since > ?1", [millis(now)])?;
            if tx.execute("DELETE FROM suspension WHERE since > ?1", [millis(now)])? > 0 {
                audit::append(tx, now, "delivery-resumed", &json!({}))?;
            }
            for (table, column) in HAPPENED {
                tx.execute(&format!("UPDATE {table} SET {column} = ?1 WHERE {column} > ?1"), [millis(now)])?;
            }
            // What never left keeps the instant of the wrong clock, by which the next run writes its letter anew: it bears that date.
            let left = "NOT (state IN ('planned', 'sending') AND doubts = 0)";
            tx.execute(&format!("UPDATE message SET planned_at = ?1 WHERE planned_at > ?1 AND {left}"), [millis(now)])?;
            // What has left or failed may be written anew as well, and then it is due at once.
            let over = "state NOT IN ('planned', 'sending', 'transmitting')";
            tx.execute(&format!("UPDATE message SET due_at = ?1 WHERE due_at > ?1 AND {over}"), [millis(now)])?;
            tx.execute("UPDATE suspension SET until = ?1 WHERE until > ?1", [millis(now)])?;
            let moved = set_hours(tx, hours)?;
            audit::append(tx, now, CLOCK_ACCEPTED, &json!({ "newest": newest, "hours": moved }))?;
            Ok(moved)
        })
    }

    /// These messages, planned before their hour, leave now.
    pub fn bring_forward(&mut self, ids: &[i64], now: DateTime<Utc>) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let hours: Vec<(i64, DateTime<Utc>)> = ids.iter().map(|id| (*id, now)).collect();
        self.durable(|tx| set_hours(tx, &hours).map(drop))
    }
}

/// Messages that wait leave at these instants at the latest. Returns for how many that is earlier.
fn set_hours(tx: &Transaction, hours: &[(i64, DateTime<Utc>)]) -> Result<usize> {
    let mut set = tx.prepare(
        "UPDATE message SET due_at = min(due_at, ?2), next_at = min(next_at, ?2), \
         ready_at = min(ready_at, ?2) WHERE id = ?1 AND (next_at > ?2 OR due_at > ?2)",
    )?;
    hours.iter().try_fold(0, |moved, (id, hour)| Ok(moved + set.execute((id, millis(*hour)))?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Refusal;
    use crate::gate::Override;
    use crate::ledger::{Attempt, Tried};
    use chrono::Duration;

    #[test]
    fn nobody_stays_shut_out_and_no_decision_outlives_its_grounds_by_a_clock_that_was_ahead() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut ledger = Ledger::open(folder.path()).expect("a ledger");
        let now: DateTime<Utc> = "2026-11-28T09:00:00Z".parse().expect("a time");
        let ahead = now + Duration::days(21);
        let attempt =
            |at| Attempt { at, person: "ann", acknowledgement: "read", revision: 1, source: "here", from: "192.0.2.x" };
        let wrong = |ledger: &mut Ledger, at| ledger.try_answer(&attempt(at), None, |_| String::new()).expect("tried");
        wrong(&mut ledger, ahead);
        assert!(matches!(wrong(&mut ledger, now), Tried::Refused(Refusal::Wait(_))));
        let missing = Vec::new();
        let (gate, step, by, reason) = ("g".into(), "s".into(), "Pat".into(), "no time".into());
        ledger.overrule(&Override { gate, step, by, reason, at: ahead, missing }).expect("on record");
        assert_eq!(ledger.accept_clock(&[], ahead, now), Ok(0));
        assert_eq!(ledger.overrides().expect("overrides")[0].decision.at, now);
        assert_eq!(wrong(&mut ledger, now + Duration::minutes(1)), Tried::Wrong(None));
        ledger.audit_verify(None).expect("the chain holds");
    }
}
