//! The cutover of a small campaign of its own, on real files.

use super::*;
use crate::engine::{To, fixture};
use crate::system::Real;
use std::path::Path;

const STEPS: &str = r#"
[[step]]
name = "close"
rename = { from = "P1", to = "POLD" }

[[step]]
name = "tell"
attest = "everybody was told"

[[step]]
name = "swap"
rename = { from = "OLD", to = "NEW" }
attest = "the new name was seen"

[[step]]
name = "later"
wait = "T+36500d"
attest = "a hundred years have passed"
"#;

fn campaign() -> tempfile::TempDir {
    let root = fixture::campaign(STEPS);
    fixture::write(root.path(), "P1", "queue");
    fixture::write(root.path(), "OLD", "master");
    root
}

/// Each run opens the campaign anew, as each command does.
fn run(root: &Path) -> Cutover {
    Engine::open(root, &Real).expect("opened").cutover(None, &mut |_, _| {}).expect("no fault")
}

fn attest(root: &Path, step: &str) -> Result<String> {
    Engine::open(root, &Real).expect("opened").attest(step, "Ann", "seen")
}

/// The second step waits for nobody.
fn follows_at_once(root: &Path) {
    let text = fs_err::read_to_string(root.join("flagday.toml")).expect("read");
    let toml = text.replacen("attest = \"everybody was told\"", "shell = { run = [\"true\"] }", 1);
    fs_err::write(root.join("flagday.toml"), toml).expect("written");
}

fn needs_person(step: &str, statement: &str) -> Stop {
    Stop::NeedsPerson { step: step.into(), statement: statement.into() }
}

#[test]
fn it_goes_on_where_it_stopped_and_back_to_the_step_named() {
    let campaign = campaign();
    let root = campaign.path();
    let there = |name: &str| root.join(name).is_file();

    let first = run(root);
    assert_eq!((first.ran, first.stop), (vec!["close".to_owned()], needs_person("tell", "everybody was told")));
    attest(root, "tell").expect("recorded");
    let second = run(root);
    assert_eq!((second.ran, second.stop), (vec!["tell".to_owned()], needs_person("swap", "the new name was seen")));
    assert!(there("NEW"), "the change comes before the statement about it");
    attest(root, "swap").expect("recorded");
    let third = run(root);
    assert_eq!(third.ran, ["swap"]);
    assert!(matches!(&third.stop, Stop::Waiting { step, .. } if step == "later"), "{:?}", third.stop);

    let mut engine = Engine::open(root, &Real).expect("opened");
    let undone: Vec<_> = engine.rollback(Some("close")).expect("undone").into_iter().map(|one| one.step).collect();
    assert_eq!(undone, ["swap", "tell"]);
    assert!(there("OLD") && there("POLD") && !there("NEW"), "the step named stays done");
    engine.rollback(None).expect("undone");
    assert!(there("P1") && !there("POLD"));
    let states: Vec<_> = engine.steps().expect("told").into_iter().map(|step| step.state).collect();
    assert_eq!(states, ["undone", "undone", "undone", "pending"]);
}

#[test]
fn a_statement_before_its_turn_is_refused() {
    let campaign = campaign();
    let root = campaign.path();
    let refused = |step| attest(root, step).expect_err("too early").findings[0].code;
    assert_eq!(refused("tell"), "not-its-turn");
    run(root);
    attest(root, "tell").expect("its turn");
    run(root);
    attest(root, "swap").expect("its turn");
    run(root);
    assert_eq!(refused("later"), "not-its-turn", "its hour has not come");
    assert_eq!(refused("close"), "nothing-to-attest");
}

#[test]
fn a_dry_run_says_what_stands_against_the_next_step_and_touches_nothing() {
    let campaign = campaign();
    let root = campaign.path();
    fs_err::write(root.join("POLD"), "a stranger").expect("written");
    let outlooks = Engine::open(root, &Real).expect("opened").dry_run().expect("told");
    let codes: Vec<Vec<_>> =
        outlooks.iter().map(|one| one.findings.iter().map(|finding| finding.code).collect()).collect();
    assert_eq!(codes, [vec!["both-exist"], vec![], vec![], vec![]]);
    assert!(outlooks[3].would[0].starts_with("not before"), "{:?}", outlooks[3].would);
    assert_eq!(fs_err::read_to_string(root.join("P1")).expect("there"), "queue");
}

#[test]
fn a_step_does_not_start_on_a_roster_that_changed_while_the_run_went_on() {
    let campaign = campaign();
    let root = campaign.path();
    follows_at_once(root);
    let mut engine = Engine::open(root, &Real).expect("opened");
    let fault = engine
        .cutover(None, &mut |step, _| {
            assert_eq!(step.name, "close");
            fs_err::write(root.join("users.csv"), "id,name,email,kind\n").expect("written");
        })
        .expect_err("the second step does not start");
    assert_eq!(fault.findings[0].code, "inputs-changed");
    assert_eq!(engine.steps().expect("told")[1].state, "pending");
}

#[test]
fn no_step_starts_after_it_was_called_off_and_none_that_was_judged_before() {
    let campaign = campaign();
    let root = campaign.path();
    follows_at_once(root);
    let mut engine = Engine::open(root, &Real).expect("opened");
    let fault = engine
        .cutover(None, &mut |step, _| {
            assert_eq!(step.name, "close");
            Engine::open(root, &Real).expect("opened").call_off("no", "Ann").expect("called off");
        })
        .expect_err("the second step does not start");
    assert_eq!(fault.findings[0].code, "aborted");
    assert_eq!(engine.steps().expect("told")[1].state, "pending");
    // Somebody who judged the step before the mark was put is held by the ledger.
    let step = engine.campaign.steps[1].clone();
    let fault = engine.advance(&step).expect_err("not begun");
    assert_eq!(fault.findings[0].code, "aborted");
    assert!(engine.ledger.entries().expect("read").iter().all(|entry| entry.step == "close"));
}

const TELLS: &str = r#"
[[step]]
name = "switch"
wait = "T"
shell = { run = ["true"], undo = ["true"] }

[[step]]
name = "tell"
notice = ["news"]
"#;

#[test]
fn a_letter_of_a_step_that_was_taken_back_never_leaves_whatever_becomes_of_it_afterwards() {
    let campaign = fixture::campaign(&[fixture::ASKED, TELLS].concat());
    let root = campaign.path();
    fixture::write(
        root,
        "users.csv",
        "id,name,email,kind\nANN,Ann,a@corp.example,local\nBEA,Bea,b@corp.example,local\n",
    );
    fixture::texts(root, "news");
    let made = |sql: &str| {
        let ledger = rusqlite::Connection::open(root.join(".flagday/ledger.db")).expect("the ledger");
        ledger.execute(sql, ()).expect("made so")
    };
    let states = || -> Vec<&'static str> {
        let engine = Engine::open(root, &Real).expect("opened");
        engine.ledger().messages().expect("messages").iter().map(|one| one.state.word()).collect()
    };
    assert_eq!(run(root).stop, Stop::Done);
    assert_eq!(made("UPDATE message SET state = 'uncertain', doubts = 1 WHERE person = 'BEA'"), 1);
    let mut engine = Engine::open(root, &Real).expect("opened");
    engine.rollback(None).expect("undone");
    // Ann's comes back only now.
    made("UPDATE message SET state = 'bounced' WHERE person = 'ANN'");
    assert_eq!(crate::report::failures::open(&engine).expect("listed"), []);
    let stop = std::sync::atomic::AtomicBool::new(false);
    for to in [To::Failed, To::Everyone] {
        let sent = engine.send(None, &to, None, false, &stop, &mut |_| {}).expect("nothing to send");
        assert!(sent.nothing_due && sent.in_doubt == 0, "{sent:?}");
    }
    assert_eq!(states(), ["cancelled", "cancelled"]);

    // A step that is done stands by what it told, until it is taken back itself.
    assert_eq!(run(root).ran, ["switch", "tell"]);
    made("UPDATE message SET state = 'failed' WHERE state = 'sent' AND person = 'ANN'");
    Engine::open(root, &Real).expect("opened").undone_by_hand("switch", "Ann", "seen").expect("recorded");
    assert_eq!(states(), ["cancelled", "cancelled", "failed", "sent"]);
    assert_eq!(run(root).ran, ["switch"]);
    engine = Engine::open(root, &Real).expect("opened");
    assert_eq!(crate::report::failures::open(&engine).expect("listed").len(), 1);
    engine.rollback(None).expect("undone");
    assert_eq!(states(), ["cancelled", "cancelled", "cancelled", "sent"]);
}

#[test]
fn a_rollback_that_is_refused_takes_no_letter_back() {
    let campaign = fixture::campaign(
        &[fixture::ASKED, TELLS, "[[step]]\nname = \"last\"\nshell = { run = [\"true\"] }\n"].concat(),
    );
    let root = campaign.path();
    fixture::write(root, "users.csv", "id,name,email,kind\nANN,Ann,a@corp.example,local\nBEA,Bea,,local\n");
    fixture::texts(root, "news");
    assert_eq!(run(root).stop, Stop::Done);
    let mut engine = Engine::open(root, &Real).expect("opened");
    assert_eq!(engine.rollback(None).expect_err("refused").findings[0].code, "no-undo");
    let failed = crate::report::failures::open(&engine).expect("listed");
    assert_eq!(failed.iter().map(|one| one.person.as_str()).collect::<Vec<_>>(), ["BEA"]);
}

#[test]
fn a_step_that_was_still_sending_is_taken_back_on_record_and_sends_anew() {
    let tells = "[[step]]\nname = \"tell\"\nwait = \"T\"\nnotice = [\"news\"]\n";
    let campaign = fixture::campaign(&[fixture::ASKED, tells].concat());
    let root = campaign.path();
    fixture::texts(root, "news");
    // Nothing can be laid down where a file stands in the folder's place.
    Engine::open(root, &Real).expect("opened");
    fixture::write(root, ".flagday/outbox", "");
    let mut engine = Engine::open(root, &Real).expect("opened");
    engine.cutover(None, &mut |_, _| {}).expect_err("it cannot send");
    let back = |engine: &mut Engine<'_>| -> Vec<String> {
        engine.rollback(None).expect("undone").into_iter().map(|one| one.step).collect()
    };
    assert_eq!(back(&mut engine), ["tell"]);
    assert!(back(&mut engine).is_empty(), "once");
    fs_err::remove_file(root.join(".flagday/outbox")).expect("removed");
    assert_eq!(run(root).stop, Stop::Done);
    let states: Vec<_> = engine.ledger().messages().expect("messages").iter().map(|one| one.state.word()).collect();
    assert_eq!(states, ["cancelled", "sent"]);
}
