//! While a mailbox cannot be read, answers may lie there: nobody is reminded, escalated or called about, and that shows.

use crate::harness::http::get;
use crate::harness::letter::Letter;
use crate::harness::{Campaign, with_steps};
use serde_json::json;
use std::process::Command;
use std::time::Duration;

/// A notice and a manager's letter whose hours came an hour ago, and a mailbox that is not there.
fn due() -> Campaign {
    let at = hour_ago();
    let campaign = with_steps(&format!(
        "[notice.news]\naudience = \"everyone\"\ntemplate = \"told\"\nat = {at}\n\
         [notice.escalation]\naudience = \"everyone\"\n\
         [acknowledgement.read]\naudience = \"everyone\"\nnotice = \"news\"\ngrade = \"confirmed\"\ndue = {at}\n\
         escalate = [{{ at = {at}, to = \"manager\" }}, {{ at = {at}, task = \"phone\" }}]\n\
         [[intake.mailbox]]\nmaildir = \"desk\"\n"
    ));
    campaign.edit("2001-02-03T18:00:00", "2096-12-12T18:00:00");
    let people = "id,name,email,kind,manager_email\nann,Ann,ann@corp.example,user,boss@corp.example\n\
                  bea,Bea,bea@corp.example,user,boss@corp.example\n";
    campaign.write("people.csv", people);
    campaign
}

/// They were told before the hour of the escalation came.
fn told_long_ago(campaign: &Campaign) {
    let ledger = rusqlite::Connection::open(campaign.path(".flagday/ledger.db")).expect("the ledger");
    let earlier = "UPDATE message SET planned_at = planned_at - 7200000, settled_at = settled_at - 7200000";
    assert_eq!(ledger.execute(earlier, ()).expect("changed"), 2);
}

#[expect(clippy::disallowed_methods, reason = "what is due now needs to know when now is")]
fn hour_ago() -> String {
    (chrono::Utc::now() - chrono::Duration::hours(1)).format("%Y-%m-%dT%H:%M:00").to_string()
}

#[test]
fn a_tick_sends_notices_and_holds_what_presses_until_the_mailbox_is_read() {
    let campaign = due();
    campaign.run("tick --yes").ends(1).says("2 planned, 2 sent");
    told_long_ago(&campaign);
    let tick = campaign.run("tick --yes").ends(1).says("held: 4 reminders, escalations and calls wait");
    tick.says("could not be read since").says("flagday send");
    let status = campaign.run("status --json").ends(0).json();
    assert_eq!((&status["kept_waiting"], &status["tasks"]), (&json!(4), &json!([])), "{status}");
    assert!(status["unread"][0]["mailbox"].as_str().is_some_and(|path| path.ends_with("/desk")), "{status}");
    assert!(status["next"].as_str().is_some_and(|next| next.starts_with("flagday intake")), "{status}");
    campaign.run("status").ends(0).says("could not be read since").says("held: 4 reminders");
    campaign.run("plan").ends(0).says("kept waiting");
    campaign.run("send").ends(3).refuses("not-confirmed").says("warning[answers-unread]");
    assert!(campaign.outbox("escalation").is_empty());

    // The answer that lay there.
    let letter = campaign.outbox("ann-").pop().expect("a notice");
    let id = Letter::read(&letter).id;
    let reply =
        format!("From: ann@corp.example\nTo: desk@corp.example\nIn-Reply-To: {id}\nSubject: Re: news\n\nCONFIRMED\n");
    campaign.write("desk/new/1", reply);
    campaign.run("tick --yes").ends(0).says("1 fact recorded").says("1 planned, 1 sent").says("to do: ");
    let [only] = campaign.outbox("escalation").try_into().expect("one letter");
    assert!(only.to_string_lossy().contains("bea"));
    let status = campaign.run("status --json").ends(0).json();
    assert_eq!((&status["kept_waiting"], &status["unread"]), (&json!(0), &json!([])));
    campaign.run("report").ends(0);
}

#[test]
fn whoever_sends_by_hand_is_warned_and_has_the_last_word() {
    let campaign = due();
    campaign.run("tick --yes").ends(1);
    told_long_ago(&campaign);
    campaign.run("send --yes").ends(0).says("warning[answers-unread]").says("2 planned, 2 sent");
    assert_eq!(campaign.outbox("escalation").len(), 2);
    // What leaves the campaign file holds nothing back.
    campaign.edit("[[intake.mailbox]]\nmaildir = \"desk\"\n", "");
    let status = campaign.run("status --json").ends(0).json();
    assert_eq!(status["unread"], json!([]));
}

#[test]
fn serve_holds_it_too_and_says_so_once() {
    let campaign = due();
    campaign.run("tick --yes").ends(1);
    told_long_ago(&campaign);
    campaign.run("tick --yes").ends(1);
    told_long_ago(&campaign);
    let served = campaign.serve(|_: &mut Command| {});
    wait_for(|| get(served.address, "/metrics").body.contains("flagday_rounds_total 1\n"));
    served.terminate();
    let (status, said) = served.end();
    assert!(status.success());
    assert_eq!(said.matches("held: 4 reminders, escalations and calls wait").count(), 1, "{said}");
    assert!(said.contains("/desk could not be read since "), "{said}");
    assert!(campaign.outbox("escalation").is_empty());
}

#[expect(clippy::disallowed_methods, reason = "another process works on real time")]
fn wait_for(holds: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("waited in vain");
}

#[test]
fn a_named_pipe_is_no_mailbox_and_blocks_no_round() {
    let campaign = due();
    assert!(Command::new("mkfifo").arg(campaign.path("pipe")).status().expect("mkfifo runs").success());
    campaign.edit("maildir = \"desk\"", "mbox = \"pipe\"");
    campaign.run("check --offline").ends(1).refuses("not-a-file").says("pipe is no plain file");
    campaign.run("tick --yes").ends(1).says("not-a-file").says("2 planned, 2 sent");
}
