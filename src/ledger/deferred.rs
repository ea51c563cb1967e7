//! What waits because a server put it off, in that server's words.

use super::{Ledger, instant};
use crate::fault::Result;
use crate::outbox::{FailureClass, Reply};
use std::collections::BTreeMap;

/// As SQL, of a planned message: it was tried, and is tried again. A server that only closes (421) costs no attempt, and still
/// leaves what to do about it.
pub(super) const PUT_OFF: &str = "(attempts > 0 OR remedy <> '')";
/// Where nothing was written down.
const ANYWAY: &str = "run `flagday send`, and see what becomes of it";

impl Ledger {
    /// Messages that are tried again, by code or, where the connection failed, by words: the words of the one that comes
    /// first, and when it does.
    pub fn deferrals(&self) -> Result<BTreeMap<String, FailureClass>> {
        let mut all = self.db.prepare_cached(&format!(
            "SELECT person, reply, remedy, next_at, doubts > 0 FROM message WHERE state = 'planned' AND {PUT_OFF} ORDER BY next_at, id"
        ))?;
        let mut rows = all.query(())?;
        let mut classes = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let (person, words, remedy): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            // What is in doubt was not put off.
            if row.get(4)? && Reply::class_of(&words).is_none() {
                continue;
            }
            let again_at = instant(row.get(3)?);
            let class = Reply::class_of(&words).unwrap_or(&words).to_owned();
            let remedy = if remedy.is_empty() { ANYWAY.to_owned() } else { remedy };
            FailureClass::add(&mut classes, class, &person, || (words, remedy)).again_at.get_or_insert(again_at);
        }
        Ok(classes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::Uncertain;
    use crate::ledger::Counts;
    use crate::ledger::tests::{at, ledger, message};
    use crate::outbox::{Enhanced, Lease, Outcome, Queue};

    fn later(code: u16, enhanced: &str, minute: i64) -> Outcome {
        let reply = Reply { code, enhanced: Enhanced::parse(enhanced), text: "not now".into() };
        Outcome::Deferred { reply, until: at(minute) }
    }

    #[test]
    fn whatever_is_tried_again_is_deferred_and_told_in_its_words_also_where_it_cost_no_attempt() {
        let (_folder, mut ledger) = ledger();
        let people = ["ann", "bea", "cid", "dan", "eve", "fay", "gil"];
        ledger.plan_messages(people.map(|person| Ok(message(person, 0))), at(0)).unwrap();
        let closed = |may_be_the_message| {
            let (why, remedy) = ("mx:25: it hung up".to_owned(), "see its log".to_owned());
            Outcome::Broken { why, remedy, until: at(9), may_be_the_message }
        };
        let given_back = Outcome::Released { why: "stopped before it was begun".into() };
        let outcomes = [
            later(450, "4.2.0", 8),
            later(450, "4.2.0", 7),
            later(421, "4.3.2", 5),
            closed(true),
            closed(false),
            given_back,
            Outcome::Uncertain { why: "the connection ended".into() },
        ];
        for (claimed, outcome) in ledger.claim(at(1), 10).unwrap().into_iter().zip(outcomes) {
            if matches!(outcome, Outcome::Uncertain { .. }) {
                assert_eq!(ledger.mark(claimed.id, claimed.fence).unwrap(), Lease::Held);
            }
            assert_eq!(ledger.settle(claimed.id, claimed.fence, outcome, at(2)).unwrap(), Lease::Held);
        }
        ledger.flush().unwrap();
        assert_eq!(ledger.counts().unwrap(), Counts { planned: 1, deferred: 5, uncertain: 1, ..Counts::default() });
        ledger.recover(at(13), Uncertain::Retry).unwrap();
        assert_eq!(ledger.messages_in_doubt().unwrap().len(), 1, "it is told there");
        let classes = ledger.deferrals().unwrap();
        let told = |class: &str| {
            let one = &classes[class];
            (one.count, one.words.as_str(), one.people.join(" "), one.again_at)
        };
        assert_eq!(classes.len(), 3);
        assert_eq!(told("450 4.2.0"), (2, "450 4.2.0 not now", "bea ann".into(), Some(at(7))), "the first comes first");
        assert_eq!(told("421 4.3.2"), (1, "421 4.3.2 not now", "cid".into(), Some(at(5))));
        assert!(classes["421 4.3.2"].remedy.contains("[mail] connections or rate"));
        assert_eq!(told("mx:25: it hung up"), (2, "mx:25: it hung up", "dan eve".into(), Some(at(9))));
        assert_eq!(classes["mx:25: it hung up"].remedy, "see its log");
    }
}
