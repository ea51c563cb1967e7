//! What people are told goes on record with the first letter that tells it.

use super::*;
use crate::fault::Fault;
use crate::ledger::{NewMessage, Revision, Telling};

impl Ledger {
    pub(in crate::ledger) fn plan_messages(
        &mut self,
        messages: impl IntoIterator<Item = Result<NewMessage>>,
        now: DateTime<Utc>,
    ) -> Result<usize> {
        self.plan_telling(Telling::default(), messages, now)
    }
}

fn telling(facts: &[&str]) -> Telling<'static> {
    let facts = facts.iter().map(|fact| ((*fact).to_owned(), "x".to_owned())).collect();
    Telling {
        revision: Some(Revision { number: 1, at: at(0), digest: format!("{facts:?}"), facts }),
        members: Some(Box::new([("ann".to_owned(), "all".to_owned())].into_iter())),
        gates: None,
        short_notice: Some(serde_json::json!({ "left_hours": 3 })),
    }
}

#[test]
fn nothing_of_it_is_on_record_where_no_letter_could_be_made() {
    let (_folder, mut ledger) = ledger();
    let broken = || Err(Fault::new("template-render", "no such name", "mend it"));
    ledger.plan_telling(telling(&["a"]), [Ok(message("ann", 0)), broken()], at(0)).unwrap_err();
    assert_eq!((ledger.revision().unwrap(), ledger.messages().unwrap()), (None, Vec::new()));
    assert!(ledger.members().unwrap().is_empty() && kinds(&ledger).is_empty());
    ledger.plan_telling(telling(&["a"]), [Ok(message("ann", 0))], at(1)).unwrap();
    let short = Telling { short_notice: None, members: None, ..telling(&["a"]) };
    ledger.plan_telling(short, [Ok(message("bob", 0))], at(2)).unwrap();
    let more = Telling { short_notice: None, members: None, ..telling(&["a", "b"]) };
    ledger.plan_telling(more, [Ok(message("eve", 0))], at(3)).unwrap();
    assert_eq!(
        kinds(&ledger),
        ["short-notice", "revision", "planned", "planned", "revision-extended", "planned"],
        "what is known already is no event"
    );
    assert_eq!(ledger.revision().unwrap().unwrap().facts.len(), 2);
    assert_eq!(ledger.members().unwrap().len(), 1);
}

#[test]
fn nobody_without_an_address_is_forgotten() {
    let (_folder, mut ledger) = ledger();
    ledger.plan_messages([NewMessage { envelope_to: None, ..message("ann", 0) }].map(Ok), at(0)).unwrap();
    assert_eq!(ledger.counts().unwrap().failed, 1);
    assert_eq!(ledger.messages().unwrap()[0].reply, "no address in the roster");
}
