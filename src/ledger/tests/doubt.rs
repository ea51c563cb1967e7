//! What was in doubt once stays so, whatever becomes of it afterwards.

use super::*;
use crate::ledger::doubt::{IN_DOUBT, LEFT, TAKEN_BACK};

/// Marked, and its run killed: in doubt once, and planned again.
fn in_doubt_once(ledger: &mut Ledger, people: &[&str]) {
    ledger.plan_messages(people.iter().map(|person| Ok(message(person, 0))), at(0)).unwrap();
    for one in ledger.claim(at(1), 10).unwrap() {
        assert_eq!(ledger.mark(one.id, one.fence).unwrap(), Lease::Held);
    }
    ledger.recover(at(2), Uncertain::Retry).unwrap();
    ledger.recover(at(13), Uncertain::Retry).unwrap();
}

fn refused(phase: Phase) -> Outcome {
    let enhanced = Some(Enhanced { class: 5, subject: 7, detail: 1 });
    let reply = Reply { code: 554, enhanced, text: "duplicate message".into() };
    Outcome::Failed { refusal: Refusal::Server { phase, reply } }
}

#[test]
fn the_ledger_asks_as_the_message_does() {
    let (_folder, mut ledger) = ledger();
    let all: Vec<(State, u32)> = State::ALL.into_iter().flat_map(|state| [0, 1, 2].map(|n| (state, n))).collect();
    ledger.plan_messages((0..all.len()).map(|n| Ok(message(&format!("p{n}"), 0))), at(0)).unwrap();
    for (n, (state, doubts)) in all.iter().enumerate() {
        let set = "UPDATE message SET state = ?2, doubts = ?3 WHERE person = ?1";
        ledger.db.execute(set, (format!("p{n}"), state.word(), doubts)).unwrap();
    }
    let matching = |condition: &str| -> Vec<i64> {
        let mut rows = ledger.db.prepare(&format!("SELECT id FROM message WHERE {condition} ORDER BY id")).unwrap();
        rows.query_map((), |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let said = |says: fn(&MessageRow) -> bool| -> Vec<i64> {
        ledger.messages().unwrap().iter().filter(|one| says(one)).map(|one| one.id).collect()
    };
    assert_eq!(matching(LEFT), said(MessageRow::may_be_there));
    assert_eq!(matching(IN_DOUBT), said(MessageRow::is_in_doubt));
    assert_eq!(matching(TAKEN_BACK), said(MessageRow::is_taken_back));
    for one in ledger.messages().unwrap() {
        let never = matches!(one.state, State::Planned | State::Held | State::Failed | State::Cancelled);
        assert_eq!(one.may_be_there(), one.state != State::Bounced && !(never && one.doubts == 0), "{one:?}");
        assert!(!one.is_in_doubt() || one.may_be_there() && !one.is_taken_back(), "{one:?}");
    }
}

#[test]
fn what_is_refused_after_a_doubt_is_held_and_nobody_says_that_it_was_not_sent() {
    let (_folder, mut ledger) = ledger();
    in_doubt_once(&mut ledger, &["ann", "bob"]);
    ledger.plan_messages([Ok(message("eve", 0))], at(13)).unwrap();
    for one in ledger.claim(at(14), 3).unwrap() {
        // Before the mark, and behind it.
        if one.person == "bob" {
            assert_eq!(ledger.mark(one.id, one.fence).unwrap(), Lease::Held);
        }
        let phase = if one.person == "bob" { Phase::Data } else { Phase::Rcpt };
        assert_eq!(ledger.settle(one.id, one.fence, refused(phase), at(14)).unwrap(), Lease::Held);
    }
    ledger.flush().unwrap();
    let of = |person: &str| ledger.messages_to(person).unwrap().remove(0);
    for person in ["ann", "bob"] {
        let held = of(person);
        assert!(held.state == State::Held && held.is_in_doubt() && held.may_be_there(), "{held:?}");
        assert!(held.reply.starts_with("in doubt, then refused: 554 5.7.1 duplicate message"), "{}", held.reply);
        assert!(
            held.reply.contains("before that: the run ended") && held.remedy.contains("ask the person"),
            "{held:?}"
        );
        assert_eq!(ledger.evidence_of(person).unwrap(), []);
    }
    assert_eq!((of("eve").state, ledger.evidence_of("eve").unwrap()[0].kind), (State::Failed, Kind::Unsent));
    assert_eq!(ledger.doubtful("disk-received").unwrap(), HashSet::from(["ann".to_owned(), "bob".to_owned()]));
    let told: Vec<String> = ledger.ever_told().unwrap().into_iter().map(|told| told.person).collect();
    assert_eq!((told, ledger.held_in_doubt().unwrap()), (vec!["ann".to_owned(), "bob".to_owned()], 2));
    // Her code is read out: she has it.
    let fact = Evidence {
        id: 0,
        at: at(20),
        person: "ann".into(),
        acknowledgement: "disk-received".into(),
        revision: 1,
        kind: Kind::Code,
        by: Some("Jo".into()),
        detail: String::new(),
        revoked: false,
        address: None,
    };
    ledger.add_evidence(&fact).unwrap();
    let state = |person: &str| ledger.messages_to(person).unwrap().remove(0).state;
    assert_eq!((state("ann"), state("bob")), (State::Delivered, State::Held));
    // However often it is refused, what put it in doubt is said once, and the last refusal.
    let bob = ledger.messages_to("bob").unwrap().remove(0).id;
    ledger.retry(&[bob], at(21)).unwrap();
    let again = ledger.claim(at(21), 1).unwrap().remove(0);
    assert_eq!(ledger.settle(again.id, again.fence, refused(Phase::Rcpt), at(22)).unwrap(), Lease::Held);
    ledger.flush().unwrap();
    let words = ledger.messages_to("bob").unwrap().remove(0).reply;
    assert!(
        words.matches("refused").count() == 1 && words.matches("before that: the run ended").count() == 1,
        "{words}"
    );
    ledger.audit_verify(None).unwrap();
}
