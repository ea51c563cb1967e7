//! What a person types is recorded as what it proves, once.

use super::*;
use crate::ledger::{Ledger, Owed, Takeover};

#[test]
fn the_code_is_possessed_and_counts_once() {
    let desk = Desk::new();
    let (page, code) = (desk.page(ANNA), desk.code("LINDBERG"));
    let reply = desk.answer(&page, "done", &code.to_lowercase());
    reply.ends(303);
    assert_eq!(Some(reply.header("location")), page.strip_prefix("/c/"), "relative, to this very page");
    assert_eq!(desk.grade(ANNA), Grade::Possessed);
    let facts = desk.answers("LINDBERG");
    assert_eq!((facts.len(), facts[0].kind, facts[0].by.as_deref()), (1, Kind::Code, None));
    assert_eq!(facts[0].detail, "web, from 192.0.2.x");
    let after = desk.get(&page);
    after.ends(200).says("Thank you").says("on record");
    assert_eq!(after.nonce(), None, "nothing is left to send");
    // Again, with what was right, what is wrong, and nothing.
    for body in [format!("nonce=x&answer=done&typed={code}"), "nonce=x&answer=done&typed=AAAA".into()] {
        desk.send("POST", &page, &body).ends(303);
    }
    assert_eq!(desk.answers("LINDBERG").len(), 1);
    desk.engine().ledger().audit_verify(None).unwrap();
}

#[test]
fn the_mailbox_name_is_confirmed_at_most_and_the_code_still_asked_for() {
    let desk = Desk::new();
    let page = desk.page(ANNA);
    desk.answer(&page, "done", " lindberg ").ends(303);
    assert_eq!(desk.grade(ANNA), Grade::Confirmed);
    desk.get(&page).ends(200).says("We still need the code");
    desk.answer(&page, "done", "LINDBERG").ends(303);
    assert_eq!(desk.answers("LINDBERG").len(), 1, "said twice");
    desk.answer(&page, "done", &desk.code("LINDBERG")).ends(303);
    assert_eq!(desk.grade(ANNA), Grade::Possessed);
}

#[test]
fn whoever_has_no_mailbox_types_the_word_asked_for_and_never_their_address() {
    let desk = Desk::new();
    let page = desk.page(ELENA);
    desk.answer(&page, "done", "elena.ruiz@denver.corp.example").ends(422).says("exactly as it stands in our notice");
    assert_eq!(desk.grade(ELENA), Grade::Sent);
    let desk = Desk::new();
    let page = desk.page(ELENA);
    assert!(!desk.get(&page).body.to_uppercase().contains("CONFIRMED"), "the page must not tell it");
    desk.answer(&page, "done", " confirmed. ").ends(303);
    assert_eq!(desk.grade(ELENA), Grade::Confirmed);
    desk.get(&page).says("Thank you");
}

#[test]
fn what_is_wrong_is_not_recorded_and_not_repeated() {
    let desk = Desk::new();
    let page = desk.page(ANNA);
    let markup = "<script>alert(1)</script>\"'{{nonce}}";
    let reply = desk.answer(&page, "done", markup);
    reply.ends(422).says("That was not it");
    assert!(!reply.body.contains("alert(1)"));
    assert_eq!(desk.grade(ANNA), Grade::Sent);
    // The very next try comes too soon, whatever it is.
    let reply = desk.answer(&page, "done", &desk.code("LINDBERG"));
    reply.ends(429).says("Please wait");
    assert!(reply.header("retry-after").parse::<u32>().is_ok());
    assert_eq!(desk.grade(ANNA), Grade::Sent);
}

#[test]
fn anothers_code_is_wrong_and_a_human_hears_of_it() {
    let desk = Desk::new();
    let code = desk.code("WEISS");
    desk.answer(&desk.page(ANNA), "done", &code).ends(422).says("That was not it");
    assert_eq!((desk.grade(ANNA), desk.grade(KAETHE)), (Grade::Sent, Grade::Sent));
    let tasks = desk.engine().ledger().tasks().unwrap();
    assert!(tasks[0].what.contains("somebody else's package"), "{tasks:?}");
    assert!(!tasks[0].what.contains(&code));
    // Refused for its haste, a code of a third person is not even told from any other text.
    desk.answer(&desk.page(ANNA), "done", &desk.code("CARTER")).ends(429);
    assert_eq!(desk.engine().ledger().tasks().unwrap().len(), 1);
}

#[test]
fn help_not_me_and_somebody_else_reach_a_human_and_prove_nothing() {
    let desk = Desk::new();
    let page = desk.page(ANNA);
    desk.answer(&page, "help", "the disk\r\nis \"empty\" <b>").ends(303);
    desk.answer(&page, "help", "the disk\r\nis \"empty\" <b>").ends(303);
    desk.answer(&page, "not-me", "I am Bob").ends(303);
    desk.answer(&page, "somebody-else", "Eva Lund, 555 0199").ends(303);
    assert_eq!(desk.grade(ANNA), Grade::Sent);
    let kinds: Vec<Kind> = desk.answers("LINDBERG").iter().map(|fact| fact.kind).collect();
    assert_eq!(kinds, [Kind::HelpAsked, Kind::NotMe, Kind::Delegated]);
    assert_eq!(desk.answers("LINDBERG")[0].detail, "\"the disk is empty <b>\", web, from 192.0.2.x");
    let tasks = desk.engine().ledger().tasks().unwrap();
    assert_eq!(tasks.len(), 3);
    assert!(tasks[2].what.contains("\"Eva Lund, 555 0199\""), "{tasks:?}");
    let again = desk.get(&page);
    again.says("You asked for help").says("somebody else does it").says("This is not for me");
    assert!(!again.body.contains("empty") && !again.body.contains("Eva"), "said once is enough");
    for n in 0..2 {
        desk.answer(&page, "help", &format!("still {n}")).ends(303);
    }
    desk.answer(&page, "help", "and another").ends(429).says("several messages");
    assert_eq!(desk.answers("LINDBERG").len(), 5);
    desk.answer(&page, "done", &desk.code("LINDBERG")).ends(303);
    assert_eq!(desk.grade(ANNA), Grade::Possessed, "they can still answer");
}

#[test]
fn an_older_revision_says_so_and_takes_nothing() {
    let desk = Desk::new();
    let (page, code) = (desk.page(ANNA), desk.code("LINDBERG"));
    let nonce = desk.get(&page).nonce().unwrap();
    let mut ledger = Ledger::open(&desk.root.join(".flagday")).unwrap();
    let facts = ledger.revision().unwrap().unwrap().facts;
    let owed = Owed {
        person: "LINDBERG".to_owned(),
        notice: "change-date".to_owned(),
        asks: Some("disk-received".to_owned()),
        revision: 2,
        reason: String::new(),
        changes: Vec::new(),
        overtakes: true,
    };
    let change = Takeover {
        everything: false,
        facts: Some(("another".to_owned(), facts)),
        reason: String::new(),
        cosmetic: Vec::new(),
        owed: vec![owed],
        restored: Vec::new(),
        left: Vec::new(),
        members: ledger.members().unwrap(),
    };
    ledger.amend(&change, Real.now()).unwrap();
    desk.get(&page).ends(410).says("This notice was replaced");
    desk.send("POST", &page, &format!("nonce={nonce}&answer=done&typed={code}")).ends(410);
    assert_eq!(desk.answers("LINDBERG"), []);
    // The code belongs to the package of revision 1: on the new page it is refused in words, as a wrong try.
    let link = desk.engine().confirm_link("LINDBERG", "disk-received", 2, Real.now()).unwrap();
    let page = link.strip_prefix(&format!("https://{PUBLIC}")).unwrap();
    desk.answer(page, "done", &code).ends(422).says("from an older package");
    desk.answer(page, "done", &code).ends(429);
    assert_eq!(desk.answers("LINDBERG"), []);
}
