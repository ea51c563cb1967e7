//! `send` to real servers: everybody gets the message once, with the attachment as it was built.

use crate::certificate::Certificate;
use crate::harness::{ASYNC, Campaign, REMOTE};
use crate::need::{Need, OPENSSL, POSTFIX, SMTP_SINK, trial};
use crate::postfix::{Delivery, Postfix};
use crate::server::wait_for;
use crate::sink::Sink;
use libtest_mimic::Trial;
use mail_parser::{MessageParser, MimeHeaders};
use std::collections::BTreeSet;
use std::process::Stdio;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("smtp_sink_gets_every_message_once", &[SMTP_SINK], every_message_once),
        trial("a_server_that_defers_loses_nothing", &[SMTP_SINK], nothing_is_lost),
        trial("a_server_that_refuses_is_quoted", &[SMTP_SINK], refused_words),
        trial("a_wrong_relay_fails_nobody_and_is_not_tried_by_every_round", &[SMTP_SINK], wrong_relay),
        trial("no_server_is_said_and_nothing_is_lost", &[], no_server),
        trial("postfix_delivers_what_is_sent", &[POSTFIX, Need::Root], postfix_delivers),
        trial("whoever_stops_a_run_leaves_nothing_in_doubt", &[SMTP_SINK], stopped),
        trial("postfix_takes_an_internationalised_address", &[POSTFIX, Need::Root], internationalised),
        trial("tls_is_checked_against_the_authority", &[POSTFIX, OPENSSL, Need::Root], tls),
    ]
}

pub fn campaign_for(transport: &str) -> Campaign {
    let campaign = Campaign::ready();
    let line = "transport = \"file\" # one .eml a message in .flagday/outbox/; \"smtp://127.0.0.1:2525\" sends them";
    campaign.edit(line, transport).run("build").ends(0);
    campaign
}

fn on_loopback(port: u16) -> Campaign {
    campaign_for(&format!("transport = \"smtp://127.0.0.1:{port}\""))
}

/// The person's package stands in this message, byte for byte: as a MIME part, or uuencoded for MS Mail's gateway.
fn carries_the_package(campaign: &Campaign, person: &str, message: &str) {
    let package = campaign.bytes(&format!(".flagday/packages/init-disk/{person}.zip"));
    let parsed = MessageParser::default().parse(message.as_bytes()).expect("a message");
    let attached = parsed
        .attachments()
        .any(|part| part.attachment_name().is_some_and(|name| name == "INITDISK.ZIP") && part.contents() == package);
    assert!(attached || uudecoded(message).as_ref() == Some(&package), "{person}'s disk is not in\n{message}");
}

/// What stands between `begin` and `end` in the uuencoding of POSIX.
fn uudecoded(text: &str) -> Option<Vec<u8>> {
    let mut lines = text.lines().skip_while(|line| !line.starts_with("begin 6"));
    lines.next()?;
    let mut bytes = Vec::new();
    for line in lines.take_while(|line| line.trim_end() != "end") {
        let mut values = line.bytes().map(|c| c.wrapping_sub(0x20) & 0x3F);
        let length = usize::from(values.next()?);
        let values: Vec<u8> = values.collect();
        let group = |g: &[u8]| [g[0] << 2 | g[1] >> 4, g[1] << 4 | g[2] >> 2, g[2] << 6 | g[3]];
        bytes.extend(values.as_chunks::<4>().0.iter().flat_map(|g| group(g)).take(length));
    }
    Some(bytes)
}

/// Who is in the rosters, by address.
fn address(person: &str) -> String {
    match person {
        "GARCIA" => "ines.garcia@field.example".to_owned(),
        "KOWALSKI" | "MWANGI" | "ADEYEMI" => format!("{}@field.example", person.to_lowercase()),
        _ => format!("{}@hq.corp.example", person.to_lowercase()),
    }
}

fn every_message_once() {
    let sink = Sink::start(&[]);
    let campaign = on_loopback(sink.port);
    campaign.run("check").ends(0);
    campaign.run("send change-date --yes").ends(0).says("12 planned, 12 sent");
    campaign.run("send new-serial --yes").ends(0).says("5 planned, 5 sent");
    campaign.run("send local-change-date --yes").ends(0).says("28 planned, 28 sent");
    campaign.run("send change-date --yes").ends(3);
    let messages = sink.messages();
    assert_eq!(messages.len(), 45);
    let ids: BTreeSet<&str> = messages
        .iter()
        .filter_map(|message| message.lines().find(|line| line.to_lowercase().starts_with("message-id:")))
        .collect();
    assert_eq!(ids.len(), 45);
    for person in REMOTE {
        let envelope = format!("X-Rcpt-Args: <{}>", address(person));
        let theirs: Vec<_> = messages.iter().filter(|message| message.contains(&envelope)).collect();
        assert_eq!(theirs.len(), 1, "{person}");
        carries_the_package(&campaign, person, theirs[0]);
        assert!(theirs[0].contains("X-Mail-Args: <"), "{person}: the envelope sender is ours");
        assert!(theirs[0].lines().any(|line| line == "Auto-Submitted: auto-generated"), "{person}");
    }
    assert_eq!(ASYNC.len(), 5);
}

fn nothing_is_lost() {
    let sink = Sink::start(&["-r", "data"]);
    let campaign = on_loopback(sink.port);
    let run = campaign.run("send change-date --yes");
    let messages = campaign.run("status --json").ends(0).json()["messages"].clone();
    assert_eq!((messages["deferred"].as_u64(), messages["sent"].as_u64()), (Some(12), Some(0)), "{messages}\n{run}");
    assert!(sink.messages().is_empty());
}

fn refused_words() {
    let sink = Sink::start(&["-f", "RCPT"]);
    let campaign = on_loopback(sink.port);
    campaign.run("send change-date --yes").ends(4).says("12 failed").says("500");
    let messages = campaign.run("status --json").ends(0).json()["messages"].clone();
    assert_eq!(messages["failed"].as_u64(), Some(12), "{messages}");
    drop(sink);
}

fn wrong_relay() {
    let wrong = Sink::start(&["-f", "RCPT"]);
    let campaign = on_loopback(wrong.port);
    let run = campaign.run("send local-change-date --yes").ends(1).refuses("smtp-refused-all").says("0 failed");
    let status = campaign.run("status --json").ends(0).json();
    assert_eq!((&status["messages"]["failed"], &status["paused"]["times"]), (&0.into(), &1.into()), "{status}\n{run}");
    campaign.run("status").ends(0).says("DELIVERY IS PAUSED until").says("to do: correct [mail] transport");
    campaign.run("tick --yes").ends(1).refuses("delivery-paused").says("25 in a row are refused alike");
    campaign.run("tick").ends(3).says("and nothing leaves before): 28 messages");
    let failed = campaign.run("send --to failed --yes").ends(3).says("0 planned").says("delivery is paused until");
    failed.says("28 still to go out: flagday send");
    drop(wrong);
    // Whoever changes [mail] is not kept waiting: here mail no longer goes to a server at all.
    let old = String::from_utf8_lossy(&campaign.bytes("flagday.toml")).into_owned();
    let old = old.lines().find(|line| line.starts_with("transport = ")).expect("its line").to_owned();
    campaign.edit(&old, "transport = \"file\"");
    assert!(campaign.run("status --json").ends(0).json()["paused"].is_null());
    campaign.run("tick --yes").ends(0).says("28 sent");
    campaign.run("audit export").ends(0).says("delivery-resumed");
}

fn no_server() {
    let sink = Sink::start(&[]);
    let campaign = on_loopback(sink.port);
    drop(sink); // its port is nobody's now
    campaign.run("check").ends(1).says("127.0.0.1");
    let run = campaign.run("send change-date --yes");
    assert_ne!(run.code, 0, "{run}");
    let run = run.says("127.0.0.1");
    let messages = campaign.run("status --json").ends(0).json()["messages"].clone();
    let waiting = messages["planned"].as_u64().expect("a count") + messages["deferred"].as_u64().expect("a count");
    assert_eq!(waiting, 12, "{messages}\n{run}");
}

const MAILBOXES: [&str; 13] = [
    "adeyemi@field.example",
    "carter@hq.corp.example",
    "dubois@hq.corp.example",
    "ines.garcia@field.example",
    "harris@hq.corp.example",
    "kowalski@field.example",
    "leroy@hq.corp.example",
    "lindberg@hq.corp.example",
    "mueller@hq.corp.example",
    "mwangi@field.example",
    "obrien@hq.corp.example",
    "weiss@hq.corp.example",
    "bounce@corp.example",
];

fn postfix_delivers() {
    let server = Postfix::start(&Delivery::Maildir(&MAILBOXES), false);
    let campaign = on_loopback(server.port);
    campaign.run("send change-date --yes").ends(0).says("12 sent");
    for person in REMOTE {
        let address = address(person);
        wait_for(&format!("mail for {person}"), || !server.messages(&address).is_empty());
        let messages = server.messages(&address);
        assert_eq!(messages.len(), 1, "{person}");
        carries_the_package(&campaign, person, &messages[0]);
        let sender = messages[0].lines().next().unwrap_or_default().to_owned();
        assert!(sender.starts_with("Return-Path: <") && sender.contains('+'), "{person}: {sender}");
    }
    // What became of it comes back to the envelope sender: delivered, as asked, or an address the server does not know.
    campaign.run("send new-serial --yes --to LUMEN").ends(0);
    for (action, address) in [("delivered", "mwangi@field.example"), ("failed", "priya@lumen.example")] {
        let facts = [format!("Action: {action}"), format!("Final-Recipient: rfc822; {address}")];
        let tells = |report: &String| facts.iter().all(|fact| report.contains(fact));
        wait_for(&format!("{address}: {action}"), || server.messages("bounce@corp.example").iter().any(tells));
    }
}

/// Ctrl-C while the server is slow: the messages in hand are finished, the rest waits, and nobody gets one twice.
fn stopped() {
    let sink = Sink::start(&["-w", "1"]);
    let campaign = on_loopback(sink.port);
    let mut send = std::process::Command::new(env!("CARGO_BIN_EXE_flagday"));
    send.arg("-C").arg(campaign.root()).args(["send", "change-date", "--yes"]);
    let child = send.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    wait_for("the first message", || sink.count() > 0);
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT)
        .expect("it runs");
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("stopping after the messages in hand") && said.contains("What is left: flagday send"),
        "{said}"
    );
    let messages = campaign.run("status --json").ends(0).json()["messages"].clone();
    assert_eq!((messages["uncertain"].as_u64(), messages["sending"].as_u64()), (Some(0), Some(0)), "{messages}");
    assert!(messages["planned"].as_u64() > Some(0), "{messages}");
    campaign.run("send --yes").ends(0);
    let mut ids: Vec<String> = sink.messages().iter().filter_map(|text| id_of(text)).collect();
    ids.sort();
    let all = ids.len();
    ids.dedup();
    assert_eq!((all, ids.len()), (12, 12));
}

fn id_of(message: &str) -> Option<String> {
    message.lines().find(|line| line.starts_with("Message-ID: ")).map(str::to_owned)
}

/// SMTPUTF8 (RFC 6531), with the domain in ASCII all the same.
fn internationalised() {
    let server = Postfix::start(&Delivery::Discard, false);
    let campaign = on_loopback(server.port);
    let (mut users, plain) = (campaign.bytes("rosters/users.csv"), b"kowalski@field.example");
    let at = memchr::memmem::find(&users, plain).expect("an address");
    // zoë@bücher.example in the roster's own code page, 850.
    users.splice(at..at + plain.len(), *b"zo\x89@b\x81cher.example");
    campaign.write("rosters/users.csv", users);
    campaign.run("send change-date --yes").ends(0).says("12 planned, 12 sent");
    let taken = "to=<zoë@xn--bcher-kva.example>";
    wait_for(taken, || server.log().contains(taken));
}

fn tls() {
    let server = Postfix::start(&Delivery::Discard, true);
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let stranger = Certificate::make(folder.path()).certificate;
    let own = server.certificate.as_ref().expect("made for it").certificate.clone();
    let with = |authority: Option<&std::path::Path>| {
        let ca_file = authority.map(|path| format!("\nca_file = \"{}\"", path.display())).unwrap_or_default();
        campaign_for(&format!("transport = \"smtp://127.0.0.1:{}?tls=required\"{ca_file}", server.port))
    };
    for refused in [with(None), with(Some(&stranger))] {
        refused.run("check").ends(1).says("certificate");
        let run = refused.run("send change-date --yes").says("certificate");
        assert!(run.code != 0, "{run}");
        let messages = refused.run("status --json").ends(0).json()["messages"].clone();
        assert_eq!((messages["sent"].as_u64(), messages["failed"].as_u64()), (Some(0), Some(0)), "{messages}");
    }
    assert!(!server.log().contains("from=<"), "nothing was handed over:\n{}", server.log());
    let campaign = with(Some(&own));
    campaign.run("check").ends(0);
    campaign.run("send change-date --yes").ends(0).says("12 sent");
}
