//! In which order facts and decisions stand to the steps of the cutover, whatever a clock said: with each is kept how many
//! entries the journal had when it was recorded. The chain says the same.

use super::{Ledger, audit::broken};
use crate::fault::Result;

/// The number of the journal's last entry, as a value of an INSERT.
pub(super) const BEHIND: &str = "(SELECT coalesce(max(seq), 0) FROM journal)";

/// Facts and decisions by the chain: the how manieth of its kind each is, and the number of the entry before it.
macro_rules! by_the_chain {
    () => {
        "WITH told AS (SELECT kind, body, row_number() OVER (PARTITION BY kind ORDER BY seq) AS nth,
           sum(kind = 'step') OVER (ORDER BY seq) AS behind FROM event),
         placed AS (
           SELECT 'evidence' AS what, json_extract(body, '$.id') AS id, behind FROM told WHERE kind = 'evidence'
           UNION ALL SELECT 'waiver', nth, behind FROM told WHERE kind = 'waived'
           UNION ALL SELECT 'override', nth, behind FROM told WHERE kind = 'overridden')"
    };
}

/// Gives a ledger of before what its chain says.
pub(super) const ADDED: &str = concat!(
    "ALTER TABLE evidence ADD COLUMN behind INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE waiver ADD COLUMN behind INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE override ADD COLUMN behind INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE override ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
     UPDATE override SET revision = coalesce((SELECT max(number) FROM revision WHERE revision.at <= override.at), 0);
     CREATE TEMP TABLE place AS ",
    by_the_chain!(),
    " SELECT what, id, behind FROM placed;
     UPDATE evidence SET behind = place.behind FROM place WHERE what = 'evidence' AND place.id = evidence.id;
     UPDATE waiver SET behind = place.behind FROM place WHERE what = 'waiver' AND place.id = waiver.id;
     UPDATE override SET behind = place.behind FROM place WHERE what = 'override' AND place.id = override.id;
     DROP TABLE place;"
);

const DISPLACED: &str = concat!(
    by_the_chain!(),
    ", kept AS (
       SELECT 'evidence' AS what, id, behind FROM evidence UNION ALL SELECT 'waiver', id, behind FROM waiver
       UNION ALL SELECT 'override', id, behind FROM override)
     SELECT what, id FROM kept JOIN placed USING (what, id) WHERE kept.behind <> placed.behind LIMIT 1"
);

impl Ledger {
    /// Each stands behind the entry of the journal that the chain says.
    pub(super) fn verify_order(&self) -> Result<()> {
        let mut all = self.db.prepare(DISPLACED)?;
        let mut rows = all.query(())?;
        match rows.next()? {
            Some(row) => {
                let (what, id): (String, i64) = (row.get(0)?, row.get(1)?);
                Err(broken(format!("{what} {id} stands behind another step than the chain says")))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::{Ended, Evidence, Kind, Waiver};
    use crate::gate::Override;
    use crate::runbook::{Event, Journal};
    use chrono::DateTime;

    /// Facts and decisions before and behind two entries of the journal, by a clock that was set back between them.
    fn evenings(ledger: &mut Ledger) {
        for (evening, second) in [("first", 2000), ("second", 1000)] {
            let at = DateTime::from_timestamp(second, 0).expect("an instant");
            let event = Event::Undone { facts: vec![] };
            ledger.append("drain", event, at).expect("an entry");
            let (person, asked) = ("ann".to_owned(), "drained".to_owned());
            let (by, reason) = ("Pat".to_owned(), evening.to_owned());
            let fact = Evidence {
                id: 0,
                at,
                person: person.clone(),
                acknowledgement: asked.clone(),
                revision: 1,
                kind: Kind::Attested,
                by: Some(by.clone()),
                detail: evening.into(),
                revoked: false,
                address: None,
            };
            assert!(ledger.add_evidence(&fact).expect("recorded"));
            let (until, second, ended) = (None, None, None);
            let waiver = Waiver { person, reason, by: by.clone(), at, revision: 1, until, second, ended };
            ledger.waive(&asked, &waiver).expect("recorded");
            let (gate, step, reason) = ("all".into(), "drain".into(), evening.into());
            ledger.overrule(&Override { gate, step, by, reason, at, missing: vec![] }).expect("recorded");
        }
    }

    fn of_the_second(ledger: &Ledger) {
        let facts = ledger.evidence("drained", 2).expect("read");
        assert_eq!(facts.iter().map(|fact| fact.detail.as_str()).collect::<Vec<_>>(), ["second"]);
        assert_eq!(ledger.evidence_about_behind("ann", "drained", 0, 2).expect("read"), facts);
        let waivers = ledger.waivers("drained", 2).expect("read");
        assert_eq!(waivers.iter().map(|one| one.ended).collect::<Vec<_>>(), [Some(Ended::TakenBack), None]);
        let behind: Vec<i64> = ledger.overrides().expect("read").iter().map(|one| one.behind).collect();
        assert_eq!(behind, [1, 2]);
        ledger.audit_verify(None).expect("as the chain says");
    }

    #[test]
    fn what_counts_since_a_step_is_told_by_the_order_and_not_by_a_clock_that_was_set_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut ledger = Ledger::open(&folder.path().join(".flagday")).expect("opened");
        evenings(&mut ledger);
        of_the_second(&ledger);
        let again = ledger.evidence("drained", 0).expect("read").remove(1);
        assert!(!ledger.add_evidence_behind(&again, 2).expect("judged"), "that is on record");
        assert!(ledger.add_evidence_behind(&again, 3).expect("recorded"), "and says nothing behind a third entry");
        ledger.db.execute("UPDATE evidence SET behind = 2 WHERE id = 1", ()).expect("tampered with");
        let fault = ledger.audit_verify(None).expect_err("it was moved to the second evening");
        assert!(fault.cause().contains("evidence 1"), "{fault:?}");
    }

    #[test]
    fn a_ledger_of_before_learns_the_order_from_its_chain() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut ledger = Ledger::open(&folder.path().join(".flagday")).expect("opened");
        evenings(&mut ledger);
        let columns = ["evidence DROP COLUMN behind", "waiver DROP COLUMN behind", "override DROP COLUMN behind"];
        for column in columns.into_iter().chain(["override DROP COLUMN revision"]) {
            ledger.db.execute(&format!("ALTER TABLE {column}"), ()).expect("dropped");
        }
        ledger.db.execute_batch(ADDED).expect("migrated");
        of_the_second(&ledger);
    }
}
