//! The ledger against crashes, old fences, altered rows and second runs.

use super::*;
use crate::answer::{Evidence, Kind};
use crate::campaign::Uncertain;
use crate::notice::Letter;
use crate::outbox::{Enhanced, Lease, Outcome, Queue, Refusal, Reply, State, Suspended, Unsendable, smtp::Phase};

mod doubt;
mod planning;

pub(super) fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + minutes * 60, 0).unwrap()
}

pub(super) fn ledger() -> (tempfile::TempDir, Ledger) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&folder.path().join(".flagday")).unwrap();
    (folder, ledger)
}

/// What happened, by the kinds of events.
pub(super) fn kinds(ledger: &Ledger) -> Vec<String> {
    let mut kinds = Vec::new();
    let note = |event: AuditEvent| {
        kinds.push(event.kind);
        Ok(())
    };
    ledger.audit_events(note).unwrap();
    kinds
}

pub(super) fn message(person: &str, copy: u32) -> NewMessage {
    NewMessage {
        message_id: format!("<c.n.{person}{copy}@corp.example>"),
        person: person.into(),
        notice: "change-date".into(),
        revision: 1,
        copy,
        acknowledgement: Some("disk-received".into()),
        tells: true,
        reason: String::new(),
        envelope_from: Some("b@corp.example".into()),
        envelope_to: Some(format!("{person}@corp.example")),
        format: crate::roster::Format::Mime,
        language: None,
        due_at: at(0),
        token: format!("token{person}"),
        code: None,
        expires: None,
        replaces: Vec::new(),
        moot_at: None,
        calendar: false,
        shipped: None,
        unwritten: None,
        letter: Letter::new(Vec::new()).unwrap(),
    }
}

fn accepted() -> Outcome {
    Outcome::Sent { reply: Reply { code: 250, enhanced: None, text: "queued".into() } }
}

/// Whatever is due leaves, a hundred at most, and is accepted.
fn leave(ledger: &mut Ledger, minute: i64) {
    for claimed in ledger.claim(at(minute), 100).unwrap() {
        assert_eq!(ledger.mark(claimed.id, claimed.fence).unwrap(), Lease::Held);
        assert_eq!(ledger.settle(claimed.id, claimed.fence, accepted(), at(minute)).unwrap(), Lease::Held);
    }
    ledger.flush().unwrap();
}

fn state(ledger: &Ledger, id: i64) -> State {
    ledger.messages().unwrap().into_iter().find(|message| message.id == id).unwrap().state
}

#[test]
fn what_had_left_by_then_is_the_newest_that_anybody_can_answer() {
    let (_folder, mut ledger) = ledger();
    let send = |ledger: &mut Ledger, one: NewMessage, minute| {
        ledger.plan_messages([Ok(one)], at(minute)).unwrap();
        leave(ledger, minute);
    };
    send(&mut ledger, message("ann", 0), 0);
    send(&mut ledger, NewMessage { revision: 2, message_id: "<2@x>".into(), ..message("ann", 0) }, 10);
    let waits = NewMessage { revision: 3, message_id: "<3@x>".into(), due_at: at(90), ..message("ann", 0) };
    ledger.plan_messages([Ok(waits)], at(20)).unwrap();
    for (by, told) in [(Some(at(5)), 1), (Some(at(10)), 2), (Some(at(60)), 2), (Some(at(-5)), 1), (None, 1)] {
        assert_eq!(ledger.told_to("ann", by).unwrap(), Some(told), "{by:?}");
    }
    assert_eq!(ledger.told_to("bob", None).unwrap(), None);
}

#[test]
fn whoever_was_told_is_told_at_the_address_of_the_newest_letter() {
    let (_folder, mut ledger) = ledger();
    let to = |address: &str, one| NewMessage { envelope_to: Some(address.to_owned()), ..one };
    let old = to("old@corp.example", NewMessage { revision: 2, calendar: true, ..message("ann", 0) });
    let new = to("new@corp.example", NewMessage { token: "another".into(), ..message("ann", 1) });
    ledger.plan_messages([Ok(old)], at(0)).unwrap();
    ledger.plan_messages([Ok(new)], at(5)).unwrap();
    leave(&mut ledger, 6);
    let told = ledger.ever_told().unwrap();
    let told: Vec<_> = told.iter().map(|one| (&*one.person, &*one.envelope_to, one.calendar)).collect();
    assert_eq!(told, [("ann", "new@corp.example", Some(2))]);
}

#[test]
fn a_message_is_planned_once_claimed_once_and_its_result_is_evidence() {
    let (_folder, mut ledger) = ledger();
    assert_eq!(ledger.plan_messages([message("ann", 0), message("bob", 0)].map(Ok), at(0)).unwrap(), 2);
    assert_eq!(ledger.plan_messages([message("ann", 0)].map(Ok), at(1)).unwrap(), 0);
    let claimed = ledger.claim(at(1), 10).unwrap();
    assert_eq!(claimed.len(), 2);
    assert!(ledger.claim(at(1), 10).unwrap().is_empty());
    let ann = &claimed[0];
    assert_eq!(ledger.mark(ann.id, ann.fence).unwrap(), Lease::Held);
    assert_eq!(ledger.settle(ann.id, ann.fence, accepted(), at(2)).unwrap(), Lease::Held);
    ledger.flush().unwrap();
    let facts = ledger.evidence("disk-received", 0).unwrap();
    assert_eq!(facts.iter().map(|fact| (fact.person.as_str(), fact.kind)).collect::<Vec<_>>(), [("ann", Kind::Sent)]);
    assert_eq!(ledger.counts().unwrap(), Counts { sent: 1, sending: 1, ..Counts::default() });
}

#[test]
fn after_planning_for_many_the_log_is_taken_into_the_file_while_messages_leave() {
    let (folder, mut ledger) = ledger();
    let many = (0..3_000).map(|n| Ok(message(&format!("p{n}"), 0)));
    assert_eq!(ledger.plan_messages(many, at(0)).unwrap(), 3_000);
    assert!(ledger.checkpoint.is_some());
    leave(&mut ledger, 0);
    drop(ledger);
    let state = folder.path().join(".flagday");
    assert!(!state.join("ledger.db-wal").exists(), "nothing is left beside it");
    let ledger = Ledger::open(&state).unwrap();
    let counts = ledger.counts().unwrap();
    assert_eq!((counts.sent, counts.planned), (100, 2_900));
    assert_eq!(ledger.audit_verify(None).unwrap(), ledger.audit_head().unwrap());
}

#[test]
fn only_what_is_said_of_the_recipient_is_a_bounce() {
    let (_folder, mut ledger) = ledger();
    let server = |phase, code, enhanced| {
        let reply = Reply { code, enhanced: Enhanced::parse(enhanced), text: "no".into() };
        Refusal::Server { phase, reply }
    };
    let deferred = Reply { code: 450, enhanced: None, text: "later".into() };
    let farewell = Reply { code: 421, enhanced: None, text: "closing".into() };
    let gone = Unsendable::Unreadable { cause: "A.ZIP: the file is gone".into(), remedy: "build".into() };
    let refusals = [
        (server(Phase::Rcpt, 550, "5.1.1"), true),
        (server(Phase::Dot, 550, "5.1.1"), true),
        (server(Phase::Rcpt, 550, "5.1.10"), true),
        (server(Phase::Rcpt, 552, "5.2.2"), true),
        (server(Phase::Rcpt, 550, ""), true),
        (server(Phase::Dot, 550, ""), false),
        (server(Phase::Rcpt, 552, ""), false),
        (server(Phase::Dot, 552, "5.2.3"), false),
        (server(Phase::Dot, 554, "5.7.1"), false),
        (server(Phase::Rcpt, 554, "5.7.1"), false),
        (server(Phase::Rcpt, 554, "5.4.4"), false),
        (server(Phase::Rcpt, 553, "5.6.7"), false),
        (Refusal::GaveUp { attempts: 9, phase: Phase::Rcpt, reply: deferred.clone() }, true),
        (Refusal::GaveUp { attempts: 9, phase: Phase::Mail, reply: deferred }, false),
        (Refusal::GaveUp { attempts: 9, phase: Phase::Dot, reply: farewell }, false),
        (server(Phase::Data, 554, "5.5.1"), false),
        (Refusal::Message(Unsendable::BadDomain), true),
        (server(Phase::Mail, 552, "5.3.4"), false),
        (server(Phase::Dot, 550, "5.1.8"), false),
        (Refusal::Unfinished { attempts: 9, why: "the connection ended".into() }, false),
        (Refusal::Message(gone), false),
        (Refusal::Message(Unsendable::WrongSize { promised: 2, written: 1 }), false),
        (Refusal::Message(Unsendable::TooLarge { size: 2, limit: 1 }), false),
        (Refusal::Message(Unsendable::NeedsExtension { keyword: "SMTPUTF8" }), false),
        (Refusal::Message(Unsendable::Occupied { file: "a.eml".into() }), false),
    ];
    let count = refusals.len();
    ledger.plan_messages((0..count).map(|n| Ok(message(&format!("p{n}"), 0))), at(0)).unwrap();
    let claimed = ledger.claim(at(1), count).unwrap();
    for (message, (refusal, bounces)) in claimed.iter().zip(refusals) {
        let (words, remedy) = (refusal.to_string(), refusal.remedy());
        let _ = ledger.settle(message.id, message.fence, Outcome::Failed { refusal }, at(2)).unwrap();
        ledger.flush().unwrap();
        let facts = ledger.evidence_of(&message.person).unwrap();
        let found: Vec<_> = facts.iter().map(|fact| (fact.kind, fact.detail.as_str())).collect();
        let kind = if bounces { Kind::HardBounce } else { Kind::Unsent };
        assert_eq!(found, [(kind, format!("{words}\n{remedy}").as_str())]);
        // Failed all the same, in its words.
        let failed = ledger.messages_to(&message.person).unwrap().remove(0);
        assert_eq!((failed.state, failed.reply, failed.remedy), (State::Failed, words, remedy));
        let _ = ledger.claim(at(1), 0).unwrap();
    }
    assert_eq!(ledger.counts().unwrap().failed, count);
}

#[test]
fn whoever_was_refused_with_everybody_is_planned_again_and_nothing_is_held_against_them() {
    let (_folder, mut ledger) = ledger();
    ledger.plan_messages(["ann", "bea", "cy"].map(|person| Ok(message(person, 0))), at(0)).unwrap();
    let reply = Reply { code: 550, enhanced: Enhanced::parse("5.1.1"), text: "no".into() };
    let refused = Outcome::Failed { refusal: Refusal::Server { phase: Phase::Rcpt, reply } };
    let claimed = ledger.claim(at(1), 2).unwrap();
    for one in &claimed {
        let _ = ledger.settle(one.id, one.fence, refused.clone(), at(2)).unwrap();
    }
    let finding = crate::fault::Finding::error("smtp-refused-all", "everybody", "mend it");
    let suspended = Suspended::after(None, "550 5.1.1".into(), "settings", &finding, at(3));
    ledger.suspend(&suspended, &[claimed[0].id], at(3)).unwrap();
    assert_eq!(ledger.suspended().unwrap(), Some(suspended.clone()));
    ledger.flush().unwrap();
    let ann = ledger.messages_to("ann").unwrap().remove(0);
    assert_eq!((ann.state, ann.attempts), (State::Planned, 1), "a second refusal is believed");
    assert!(ledger.evidence_of("ann").unwrap().iter().all(|fact| fact.revoked));
    assert!(ledger.evidence_of("bea").unwrap().iter().all(|fact| !fact.revoked), "not taken back");
    let order: Vec<String> = ledger.claim(at(4), 9).unwrap().into_iter().map(|one| one.person).collect();
    assert_eq!(order, ["cy", "ann"], "whoever was not tried goes first");
    ledger.resume(at(5)).unwrap();
    assert_eq!(ledger.suspended().unwrap(), None);
    ledger.flush().unwrap();
    ledger.audit_verify(None).unwrap();
}

#[test]
fn a_claim_passes_over_the_domains_that_it_is_told_of() {
    let (_folder, mut ledger) = ledger();
    let to = |person: &str, address: &str| NewMessage { envelope_to: Some(address.into()), ..message(person, 0) };
    let all = [
        to("ann", "ann@Slow.example"),
        to("bob", "bob@not-slow.example"),
        to("cat", "\"c@t\"@slow.example"),
        to("dan", "dan@corp.example"),
    ];
    ledger.plan_messages(all.map(Ok), at(0)).unwrap();
    let mut claim = |domains: &[&str]| -> Vec<String> {
        let domains: Vec<String> = domains.iter().map(|domain| (*domain).to_owned()).collect();
        ledger.claim_except(at(1), 10, &domains).unwrap().into_iter().map(|claimed| claimed.person).collect()
    };
    assert_eq!(claim(&["slow.example", "corp.example"]), ["bob"]);
    assert_eq!(claim(&["slow.example"]), ["dan"]);
    assert_eq!(claim(&[]), ["ann", "cat"]);
}

#[test]
fn where_the_system_does_not_name_its_starts_a_killed_run_may_have_been_a_power_cut() {
    for (then, now, expected) in [("", "", State::Uncertain), ("a", "b", State::Uncertain), ("a", "a", State::Planned)]
    {
        let (_folder, mut ledger) = ledger();
        ledger.plan_messages([message("ann", 0)].map(Ok), at(0)).unwrap();
        let claimed = ledger.claim(at(1), 1).unwrap().remove(0);
        ledger.db.execute("UPDATE message SET boot = ?", [then]).unwrap();
        ledger.recover_in(now, at(2), Uncertain::Retry).unwrap();
        assert_eq!(state(&ledger, claimed.id), expected, "{then:?} and {now:?}");
    }
}

#[test]
fn a_result_with_an_old_fence_is_refused() {
    let (_folder, mut ledger) = ledger();
    ledger.plan_messages([message("ann", 0)].map(Ok), at(0)).unwrap();
    let first = ledger.claim(at(1), 1).unwrap().remove(0);
    ledger.recover(at(2), Uncertain::Retry).unwrap();
    let second = ledger.claim(at(3), 1).unwrap().remove(0);
    assert!(second.fence > first.fence);
    assert_eq!(ledger.mark(first.id, first.fence).unwrap(), Lease::Lost);
    assert_eq!(ledger.settle(first.id, first.fence, accepted(), at(3)).unwrap(), Lease::Lost);
    assert_eq!(state(&ledger, first.id), State::Sending);
}

#[test]
fn after_a_killed_run_the_claimed_go_back_and_the_marked_are_in_doubt_once() {
    let (_folder, mut ledger) = ledger();
    ledger.plan_messages([message("ann", 0), message("bob", 0)].map(Ok), at(0)).unwrap();
    let claimed = ledger.claim(at(1), 2).unwrap();
    assert_eq!(ledger.mark(claimed[0].id, claimed[0].fence).unwrap(), Lease::Held);
    ledger.recover(at(2), Uncertain::Retry).unwrap();
    assert_eq!((state(&ledger, claimed[0].id), state(&ledger, claimed[1].id)), (State::Uncertain, State::Planned));
    // The pause first, then the same bytes once more; in doubt again, a person decides.
    ledger.recover(at(11), Uncertain::Retry).unwrap();
    assert_eq!(state(&ledger, claimed[0].id), State::Uncertain);
    ledger.recover(at(13), Uncertain::Retry).unwrap();
    assert_eq!(state(&ledger, claimed[0].id), State::Planned);
    let again = ledger.claim(at(13), 2).unwrap().remove(1);
    assert_eq!(again.id, claimed[0].id, "who was not tried yet comes first");
    assert_eq!(ledger.mark(again.id, again.fence).unwrap(), Lease::Held);
    assert_eq!(ledger.recover(at(14), Uncertain::Retry).unwrap(), 1);
    assert_eq!(ledger.recover(at(60), Uncertain::Retry).unwrap(), 0);
    assert_eq!(state(&ledger, claimed[0].id), State::Held);
    let held = ledger.messages_to("ann").unwrap().remove(0);
    assert!(
        held.is_in_doubt()
            && held.reply.starts_with("in doubt twice: held until a person decides; before that: the run")
    );
    assert!(held.remedy.contains("a further copy"), "{}", held.remedy);
}

#[test]
fn what_was_in_doubt_when_its_time_was_over_is_in_doubt_still_and_nobody_says_that_it_was_not_sent() {
    let (_folder, mut ledger) = ledger();
    ledger.plan_messages(["ann", "bob"].map(|person| Ok(message(person, 0))), at(0)).unwrap();
    let claimed = ledger.claim(at(1), 1).unwrap();
    assert_eq!(ledger.mark(claimed[0].id, claimed[0].fence).unwrap(), Lease::Held);
    ledger.recover(at(2), Uncertain::Retry).unwrap();
    ledger.recover(at(13), Uncertain::Retry).unwrap();
    for one in ledger.claim(at(14), 2).unwrap() {
        let _ = ledger.settle(one.id, one.fence, Outcome::Late, at(14)).unwrap();
    }
    ledger.flush().unwrap();
    let of = |person: &str| ledger.messages_to(person).unwrap().remove(0);
    assert!(of("ann").is_in_doubt() && !of("bob").is_in_doubt());
    assert!(of("ann").reply.starts_with("in doubt, and past its expiry"), "{}", of("ann").reply);
    assert_eq!(ledger.evidence_of("ann").unwrap(), []);
    assert_eq!(ledger.evidence_of("bob").unwrap()[0].kind, Kind::Unsent);
}

#[test]
fn what_a_killed_run_left_on_its_slip_is_taken_over_once() {
    let (folder, mut ledger) = ledger();
    ledger.plan_messages([message("ann", 0), message("bob", 0)].map(Ok), at(0)).unwrap();
    let claimed = ledger.claim(at(1), 2).unwrap();
    let slip = folder.path().join(".flagday/slip");
    for one in &claimed {
        assert_eq!(ledger.mark(one.id, one.fence).unwrap(), Lease::Held);
    }
    assert_eq!(ledger.settle(claimed[0].id, claimed[0].fence, accepted(), at(2)).unwrap(), Lease::Held);
    assert_eq!(ledger.settle(claimed[0].id, claimed[0].fence, accepted(), at(2)).unwrap(), Lease::Lost, "settled");
    let lines = fs_err::read(&slip).unwrap();
    drop(ledger);
    let reopen = || Ledger::open(&folder.path().join(".flagday")).unwrap();
    let ledger = reopen();
    assert_eq!((state(&ledger, claimed[0].id), state(&ledger, claimed[1].id)), (State::Sent, State::Transmitting));
    assert!(fs_err::read(&slip).unwrap().is_empty());
    let head = ledger.audit_verify(None).unwrap();
    drop(ledger);
    // Killed between the commit and the emptying of the slip.
    fs_err::write(&slip, lines).unwrap();
    let mut ledger = reopen();
    assert_eq!(ledger.audit_verify(None).unwrap(), head);
    ledger.recover(at(3), Uncertain::Retry).unwrap();
    assert_eq!((state(&ledger, claimed[0].id), state(&ledger, claimed[1].id)), (State::Sent, State::Uncertain));
}

#[test]
fn after_a_power_cut_every_claim_is_in_doubt() {
    let (_folder, mut ledger) = ledger();
    ledger.plan_messages([message("ann", 0)].map(Ok), at(0)).unwrap();
    let claimed = ledger.claim(at(1), 1).unwrap();
    ledger.db.execute("UPDATE message SET boot = 'another start of the machine'", ()).unwrap();
    ledger.recover(at(2), Uncertain::Hold).unwrap();
    assert_eq!(state(&ledger, claimed[0].id), State::Uncertain);
    ledger.recover(at(99), Uncertain::Hold).unwrap();
    assert_eq!(state(&ledger, claimed[0].id), State::Uncertain, "held in doubt until a person decides");
}

#[test]
fn the_chain_shows_an_altered_a_removed_and_a_cut_off_event() {
    let (_folder, mut ledger) = ledger();
    for n in 0..5 {
        ledger.note(at(n), "noted", &serde_json::json!({ "n": n })).unwrap();
    }
    let head = ledger.audit_verify(None).unwrap().unwrap();
    assert_eq!(head.events, 5);
    assert!(ledger.audit_verify(Some(&head.hash)).is_ok());
    let broken = |ledger: &Ledger, head: Option<&str>| ledger.audit_verify(head).unwrap_err().cause().to_owned();
    ledger.db.execute("UPDATE event SET body = '{\"n\":9}' WHERE seq = 3", ()).unwrap();
    assert_eq!(broken(&ledger, None), "event 3 (noted) was altered");
    ledger.db.execute("DELETE FROM event WHERE seq = 3", ()).unwrap();
    assert_eq!(broken(&ledger, None), "event 3 is missing");
    ledger.db.execute("DELETE FROM event WHERE seq > 3", ()).unwrap();
    assert!(ledger.audit_verify(None).is_ok(), "a cut tail shows only against a head");
    assert!(broken(&ledger, Some(&head.hash)).contains("cut or rewritten"));
}

#[test]
fn the_same_fact_is_recorded_once_and_a_revoked_one_counts_no_more() {
    let (_folder, mut ledger) = ledger();
    let fact = Evidence {
        id: 0,
        at: at(0),
        person: "ann".into(),
        acknowledgement: "a".into(),
        revision: 1,
        kind: Kind::Code,
        by: None,
        detail: "in a reply".into(),
        revoked: false,
        address: None,
    };
    assert!(ledger.add_evidence(&fact).unwrap());
    assert!(!ledger.add_evidence(&fact).unwrap());
    ledger.revoke_evidence(1, "Ann", "a slip", at(1)).unwrap();
    assert!(ledger.revoke_evidence(1, "Ann", "again", at(1)).is_err());
    assert!(ledger.evidence_of("ann").unwrap()[0].revoked);
    assert!(ledger.add_evidence(&fact).unwrap(), "after a revocation it is news again");
}

#[test]
fn a_second_run_is_told_who_holds_the_campaign() {
    let (folder, _ledger) = ledger();
    let state = folder.path().join(".flagday");
    let held = Lock::take(&state, "send", at(0)).unwrap();
    let fault = Lock::take(&state, "cutover", at(0)).unwrap_err();
    assert_eq!(fault.exit, Exit::Busy);
    assert!(fault.cause().contains("`flagday send`"), "{}", fault.cause());
    drop(held);
    assert!(Lock::take(&state, "cutover", at(0)).is_ok());
}

#[cfg(unix)]
#[test]
fn the_state_is_closed_to_everybody_else_and_a_link_in_its_place_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, ledger) = ledger();
    let mode = |name: &str| fs_err::metadata(ledger.state().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("."), mode("ledger.db"), mode("secret")), (0o700, 0o600, 0o600));
    std::os::unix::fs::symlink(folder.path(), folder.path().join("link")).unwrap();
    assert_eq!(Ledger::open(&folder.path().join("link")).unwrap_err().findings[0].code, "state-folder");
}

#[test]
fn a_newer_ledger_is_refused_and_an_own_key_is_kept() {
    let (folder, ledger) = ledger();
    let key = *ledger.secret();
    let known: i64 = ledger.db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    ledger.db.pragma_update(None, "user_version", 99).unwrap();
    drop(ledger);
    let state = folder.path().join(".flagday");
    assert_eq!(Ledger::open(&state).unwrap_err().findings[0].code, "ledger-newer");
    Connection::open(state.join("ledger.db")).unwrap().pragma_update(None, "user_version", known).unwrap();
    assert_eq!(*Ledger::open(&state).unwrap().secret(), key);
    fs_err::write(state.join("secret"), b"short").unwrap();
    assert_eq!(Ledger::open(&state).unwrap_err().findings[0].code, "secret-damaged");
}

#[test]
fn state_that_was_copied_along_is_refused() {
    let (folder, ledger) = ledger();
    drop(ledger);
    let copy = folder.path().join("copy");
    fs_err::create_dir(&copy).unwrap();
    for entry in fs_err::read_dir(folder.path().join(".flagday")).unwrap() {
        let entry = entry.unwrap();
        fs_err::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    let fault = Ledger::open(&copy).unwrap_err();
    assert_eq!(fault.findings[0].code, "state-elsewhere");
    fs_err::write(copy.join("home"), fs_err::canonicalize(&copy).unwrap().to_string_lossy().as_bytes()).unwrap();
    assert!(Ledger::open(&copy).is_ok());
}

#[test]
fn the_message_in_another_ones_place_and_the_end_of_that_one_are_one_change() {
    let (_folder, mut ledger) = ledger();
    ledger.plan_messages([NewMessage { envelope_to: None, ..message("ann", 0) }].map(Ok), at(0)).unwrap();
    let failed = ledger.messages().unwrap()[0].id;
    ledger.plan_messages([NewMessage { replaces: vec![failed], ..message("ann", 1) }].map(Ok), at(1)).unwrap();
    assert_eq!(state(&ledger, failed), State::Cancelled);
    assert_eq!(ledger.counts().unwrap(), Counts { planned: 1, ..Counts::default() });
}

#[test]
fn a_row_that_the_chain_does_not_know_is_found() {
    let (_folder, mut ledger) = ledger();
    ledger.plan_messages([message("ann", 0)].map(Ok), at(0)).unwrap();
    let claimed = ledger.claim(at(1), 1).unwrap().remove(0);
    assert_eq!(ledger.mark(claimed.id, claimed.fence).unwrap(), Lease::Held);
    assert_eq!(ledger.settle(claimed.id, claimed.fence, accepted(), at(2)).unwrap(), Lease::Held);
    ledger.flush().unwrap();
    assert!(ledger.audit_verify(None).is_ok());
    let insert = "INSERT INTO evidence(at, person, acknowledgement, revision, kind, detail) \
                  VALUES (0, 'bob', 'disk-received', 1, 'code', '')";
    ledger.db.execute(insert, ()).unwrap();
    assert!(ledger.audit_verify(None).unwrap_err().cause().contains("about bob"));
    ledger.db.execute("DELETE FROM evidence", ()).unwrap();
    assert!(ledger.audit_verify(None).unwrap_err().cause().contains("gone from its table"));
}

#[test]
fn the_ledger_of_a_campaign_is_never_opened_as_one_of_a_rehearsal() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join(".flagday");
    drop(Ledger::open(&state).expect("a real one"));
    let fault = Ledger::open_throwaway(&state).expect_err("refused");
    assert_eq!(fault.findings[0].code, "ledger-not-throwaway");
    // The copy of a rehearsal may be looked at like any campaign, and is kept like one from then on.
    let copy = folder.path().join("copy");
    let synchronous = |ledger: &Ledger| {
        ledger.db.pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0)).expect("a number")
    };
    assert_eq!(synchronous(&Ledger::open_throwaway(&copy).expect("a new one")), 0);
    assert_eq!(synchronous(&Ledger::open_throwaway(&copy).expect("again, after a kill")), 0);
    assert_eq!(synchronous(&Ledger::open(&copy).expect("looked at")), 2);
}
