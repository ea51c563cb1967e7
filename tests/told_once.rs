//! A further copy takes the place of what did not arrive or still waits, so that nobody is told twice.

use crate::harness::taking::Taking;
use crate::harness::{Campaign, FUTURE};

const DENVER: &str = "elena.ruiz@denver.corp.example";

fn start(server: &Taking) -> Campaign {
    let campaign = Campaign::ready().change_at(FUTURE);
    let transport = format!("transport = \"smtp://127.0.0.1:{}\"\nconnections = 1", server.port);
    campaign.edit("transport = \"file\"", &transport);
    campaign
}

fn refused(_: &str) -> Option<&'static str> {
    Some("550 5.1.1 no such user")
}

#[test]
fn whoever_gets_another_copy_of_what_failed_does_not_get_the_first_one_as_well() {
    let server = Taking::start(refused);
    let campaign = start(&server);
    campaign.run("send new-serial --to DENVER --yes").ends(4).says("1 failed");
    // Asked for by name it is not sent again: that is said, with what does.
    let run = campaign.run("send new-serial --to DENVER --yes").ends(3).says("0 planned");
    run.says("new-serial to DENVER did not arrive, and was not tried again (550 5.1.1 no such user")
        .says("flagday send new-serial --to DENVER --again")
        .says("Next: correct the roster or the server, then flagday send --to failed");
    server.answer(|_| None);
    campaign.run("send new-serial --to DENVER --again --yes").ends(0).says("1 planned, 1 sent");
    campaign.run("status").ends(0).says("0 failed").keeps_quiet_about("not arrived");
    campaign.run("who --failed").ends(0).keeps_quiet_about("DENVER");
    campaign.run("send --to failed --yes").ends(3).says("0 planned, 0 sent");
    campaign.run("send new-serial --to DENVER --yes").ends(3).keeps_quiet_about("did not arrive");
    assert_eq!(server.recipients(), [DENVER]);

    // A copy that fails leaves the letter that arrived where it is, and the next one takes the copy's place.
    server.answer(refused);
    campaign.run("send new-serial --to DENVER --again --yes").ends(4).says("1 failed");
    server.answer(|_| None);
    campaign.run("send new-serial --to unanswered --yes").ends(0).says("1 planned, 1 sent");
    campaign.run("send --to failed --yes").ends(3).says("0 planned, 0 sent");
    assert_eq!(server.recipients(), [DENVER, DENVER]);
    campaign.run("audit verify").ends(0);
}

#[test]
fn whoever_gets_another_copy_of_what_was_put_off_gets_that_one_alone() {
    let server = Taking::start(|_| Some("451 4.3.0 later"));
    let campaign = start(&server);
    campaign.run("send new-serial --to DENVER --to MUNICH --yes").ends(3).says("2 deferred");
    server.answer(|_| None);
    let run = campaign.run("send new-serial --to DENVER --again --yes").ends(0);
    run.says("1 planned, 1 sent").keeps_quiet_about("put off (DENVER");
    let ledger = rusqlite::Connection::open(campaign.path(".flagday/ledger.db")).expect("the ledger");
    ledger.execute("UPDATE message SET next_at = next_at - 7200000 WHERE state = 'planned'", ()).expect("two hours");
    drop(ledger);
    campaign.run("send --yes").says("1 sent");
    assert_eq!(server.recipients(), [DENVER, "joerg.baecker@munich.corp.example"]);
    campaign.run("audit verify").ends(0);
}

#[test]
fn whoever_has_answered_since_is_not_written_to_again() {
    let server = Taking::start(refused);
    let campaign = start(&server);
    campaign.run("send new-serial --to DENVER --to MUNICH --yes").ends(4).says("2 failed");
    campaign.run("ack record DENVER --by Jo --note has-it").ends(0);
    campaign.run("who --failed").ends(0).says("MUNICH").keeps_quiet_about("DENVER");
    server.answer(|_| None);
    campaign.run("send --to failed --yes").ends(0).says("1 planned, 1 sent");
    assert_eq!(server.recipients(), ["joerg.baecker@munich.corp.example"]);
}

#[test]
fn letters_of_a_step_that_was_taken_back_do_not_leave_and_everybody_gets_them_with_the_step() {
    let campaign = Campaign::switched();
    campaign.attest("restart").run("cutover --yes").ends(3).says("step async-confirmed is blocked");
    campaign.read_back();
    // Nobody listens there: all that the step has to say waits.
    let (file, nobody) = ("transport = \"file\"", "transport = \"smtp://127.0.0.1:9\"");
    campaign.edit(file, nobody).run("cutover --yes").ends(1);
    let back = campaign.run("cutover rollback --to drain --yes").ends(0).says("undone: install-master");
    back.keeps_quiet_about("has its letter").keeps_quiet_about("have its letter");
    campaign.edit(nobody, file);
    let before = campaign.outbox("").len();
    campaign.run("send --yes").ends(3).says("Nothing is due");
    assert_eq!((campaign.outbox("all_clear").len(), campaign.outbox("").len()), (0, before));
    campaign.attest_when_asked("quiesce").run("cutover --yes").ends(3);
    let finish = campaign.finish().ends(0).says("done: all-clear");
    assert_eq!(campaign.outbox("all_clear").len(), 45, "{finish}");

    // Some have it, and the step is not done: they are told anew as well.
    let back = campaign.run("cutover rollback --to drain --yes").ends(0);
    back.says("45 people have its letter, which is not true any more; with the step they get it anew");
}
