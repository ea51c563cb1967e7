//! An address that is corrected while the letter to it still waits: it goes to the new one, once, and never to the old one.

use crate::harness::hang_up::HangUp;
use crate::harness::taking::Taking;
use crate::harness::{Campaign, FUTURE};

fn ready(port: u16) -> Campaign {
    let campaign = Campaign::ready().change_at(FUTURE);
    let transport = format!("transport = \"smtp://127.0.0.1:{port}\"\nconnections = 1");
    campaign.edit("transport = \"file\"", &transport).run("build").ends(0);
    campaign
}

/// In the roster, wherever it stands. Its encoding is cp850, and addresses are ASCII.
fn correct(campaign: &Campaign, from: &str, to: &str) {
    let roster = campaign.bytes("rosters/users.csv");
    let (mut corrected, mut rest) = (Vec::new(), roster.as_slice());
    while let Some(at) = rest.windows(from.len()).position(|part| part == from.as_bytes()) {
        corrected.extend_from_slice(&rest[..at]);
        corrected.extend_from_slice(to.as_bytes());
        rest = &rest[at + from.len()..];
    }
    assert!(!corrected.is_empty(), "{from} is there");
    corrected.extend_from_slice(rest);
    campaign.write("rosters/users.csv", corrected);
}

#[test]
fn what_waits_goes_to_the_corrected_address_and_the_old_one_gets_no_disk() {
    // Everybody is put off at first.
    let server = Taking::start(|_| Some("450 4.2.0 later"));
    let campaign = ready(server.port);
    campaign.run("send change-date --yes").ends(3).says("12 deferred");
    server.answer(|_| None);
    correct(&campaign, "lindberg@hq.corp.example", "anna.right@hq.corp.example");
    campaign.run("status").ends(0).says("the roster has another address for LINDBERG");
    campaign.run("check -v").says("note[address-corrected]").says("what waits for LINDBERG");
    // Those who were put off wait; she does not.
    campaign.run("tick --yes").says("one message that waited was written anew");
    assert_eq!(server.recipients(), ["anna.right@hq.corp.example"]);
    campaign.run("status").ends(0).keeps_quiet_about("another address");
    campaign.run("send --to failed --yes");
    campaign.run("send change-date --yes");
    assert_eq!(server.recipients(), ["anna.right@hq.corp.example"], "once");
    campaign.run("who --person LINDBERG").ends(0).says("sent");
    campaign.run("audit verify").ends(0);
}

#[test]
fn where_the_address_is_gone_nothing_goes_to_it_and_that_is_said() {
    let server = Taking::start(|_| Some("450 4.2.0 later"));
    let campaign = ready(server.port);
    campaign.run("send change-date --yes").ends(3);
    server.answer(|_| None);
    correct(&campaign, "lindberg@hq.corp.example", "");
    campaign.run("send --yes").ends(4).says("1 failed").says("no address in the roster");
    campaign.run("who --failed").ends(0).says("LINDBERG").says("no address in the roster");
    assert!(!server.recipients().contains(&"lindberg@hq.corp.example".to_owned()));
}

#[test]
fn after_everybody_was_refused_the_corrected_addresses_are_tried_and_not_the_old_ones() {
    let server =
        Taking::start(|address| address.ends_with("@hq.corp.example").then_some("554 5.7.1 Relay access denied"));
    let campaign = ready(server.port);
    campaign.run("send local-change-date --yes").ends(1).refuses("smtp-refused-all");
    correct(&campaign, "@hq.corp.example", "@mail.corp.example");
    let run = campaign.run("send --yes");
    assert!(server.recipients().iter().all(|address| !address.ends_with("@hq.corp.example")), "{run}");
    assert_eq!(server.recipients().len(), 28, "{run}");
}

#[test]
fn whoever_was_sent_a_notice_that_asks_for_nothing_is_not_below_sent() {
    let server = Taking::start(|address| address.starts_with("tanaka").then_some("550 5.1.1 no such user"));
    let campaign = ready(server.port);
    let below = || campaign.run("who --grade-below sent --audience local-users --json").ends(0).json();
    let everybody = below().as_array().expect("rows").len();
    campaign.run("send local-change-date --yes");
    let taken = server.recipients().len();
    assert!(taken > 20, "{taken}");
    assert_eq!(below().as_array().expect("rows").len(), everybody - taken, "{:#}", below());
    campaign.run("who --audience local-users").ends(0).says("was sent 'local-change-date'; nothing was seen yet");
}

#[test]
fn what_may_have_arrived_goes_out_as_the_same_bytes_to_the_same_address() {
    let server = HangUp::start();
    let campaign = ready(server.port);
    campaign.run("send change-date --to LINDBERG --yes").says("1 uncertain");
    correct(&campaign, "lindberg@hq.corp.example", "anna.right@hq.corp.example");
    campaign.run("status").ends(0).keeps_quiet_about("another address").says("in doubt");
    campaign.run("send --to failed --yes");
    let to = |message: &String| {
        message.lines().any(|line| line.starts_with("To:") && line.contains("lindberg@hq.corp.example"))
    };
    assert!(server.messages().iter().all(to));
}

#[test]
fn who_may_have_it_at_the_old_address_is_named_with_the_command_for_the_new_one() {
    let lost = HangUp::start();
    let campaign = ready(lost.port);
    campaign.run("send change-date --to LINDBERG --to WEISS --yes").ends(3).says("2 uncertain");
    correct(&campaign, "lindberg@hq.corp.example", "anna.right@hq.corp.example");
    correct(&campaign, "weiss@hq.corp.example", "weiss.right@hq.corp.example");
    let named = "LINDBERG, WEISS may have 'change-date' at an address that the roster has no longer; to the new one: \
                 flagday send change-date --to LINDBERG --to WEISS --again";
    campaign.run("status").ends(0).says(named);
    let server = Taking::start(|_| None);
    let at = |port: u16| format!("smtp://127.0.0.1:{port}");
    campaign.edit(&at(lost.port), &at(server.port));
    // The new letter takes the place of the one in doubt, which goes out no more.
    campaign.run("send change-date --to WEISS --again --yes").ends(0).says("1 sent");
    let ledger = rusqlite::Connection::open(campaign.path(".flagday/ledger.db")).expect("the ledger");
    ledger.execute("UPDATE message SET settled_at = settled_at - ?", [11 * 60 * 1000]).expect("a message");
    drop(ledger);
    let named = "LINDBERG may have 'change-date' at an address that the roster has no longer";
    campaign.run("send --yes").ends(0).says("1 sent").says(named);
    campaign.run("status").ends(0).says(named).says("2 sent");
    campaign.run("send change-date --to LINDBERG --again --yes").ends(0).says("1 sent").keeps_quiet_about("no longer");
    campaign.run("status").ends(0).keeps_quiet_about("at an address that");
    let expected = ["weiss.right@hq.corp.example", "lindberg@hq.corp.example", "anna.right@hq.corp.example"];
    assert_eq!(server.recipients(), expected);
}
