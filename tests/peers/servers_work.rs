//! The servers of these tests do what their callers rely on, tried with raw SMTP.

use crate::need::{self, Need, OPENSSL, POSTFIX, SMTP_SINK, command, trial};
use crate::postfix::{Delivery, Postfix};
use crate::server::wait_for;
use crate::sink::Sink;
use crate::smtp::Conversation;
use libtest_mimic::Trial;
use std::net::TcpStream;
use std::process::Stdio;

const MESSAGE: &str = "Subject: a test\r\n\r\n..a line with a dot\r\nthe last line";

pub fn trials() -> Vec<Trial> {
    let mut trials = need::trials();
    trials.extend([
        trial("smtp_sink_keeps_every_message", &[SMTP_SINK], smtp_sink_keeps_every_message),
        trial("smtp_sink_refuses_when_told_to", &[SMTP_SINK], smtp_sink_refuses_when_told_to),
        trial("a_dropped_server_is_gone", &[SMTP_SINK], a_dropped_server_is_gone),
        trial("postfix_delivers_to_a_maildir_and_bounces", &[POSTFIX, Need::Root], postfix_delivers_and_bounces),
        trial("postfix_takes_and_discards", &[POSTFIX, Need::Root], postfix_takes_and_discards),
        trial("postfix_speaks_tls", &[POSTFIX, OPENSSL, Need::Root], postfix_speaks_tls),
    ]);
    trials
}

fn smtp_sink_keeps_every_message() {
    let sink = Sink::start(&[]);
    let mut conversation = Conversation::open(sink.port);
    conversation.say("EHLO test.example", "250");
    conversation.send("desk@corp.example", "one@hq.corp.example", MESSAGE);
    conversation.send("desk@corp.example", "two@hq.corp.example", MESSAGE);
    let messages = sink.messages();
    assert_eq!(messages.len(), 2);
    for person in ["one", "two"] {
        let envelope = format!("X-Rcpt-Args: <{person}@hq.corp.example>");
        assert_eq!(messages.iter().filter(|message| message.contains(&envelope)).count(), 1, "{messages:?}");
    }
    assert!(
        messages.iter().all(|message| message.ends_with("\n.a line with a dot\nthe last line\n\n")),
        "{messages:?}"
    );
}

fn smtp_sink_refuses_when_told_to() {
    let sink = Sink::start(&["-r", "rcpt"]);
    let mut conversation = Conversation::open(sink.port);
    conversation.say("HELO test.example", "250");
    conversation.say("MAIL FROM:<desk@corp.example>", "250");
    conversation.say("RCPT TO:<one@hq.corp.example>", "4");
}

fn a_dropped_server_is_gone() {
    let sink = Sink::start(&[]);
    let port = sink.port;
    drop(sink);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

fn postfix_delivers_and_bounces() {
    let server = Postfix::start(&Delivery::Maildir(&["ines@corp.example", "bounce@corp.example"]), false);
    let mut conversation = Conversation::open(server.port);
    conversation.say("EHLO test.example", "250");
    for recipient in ["ines@corp.example", "nobody@corp.example", "somebody@elsewhere.example"] {
        conversation.send("bounce+t1@corp.example", recipient, MESSAGE);
    }
    wait_for("the message is delivered", || server.messages("ines@corp.example").len() == 1);
    wait_for("both bounces come back", || server.messages("bounce@corp.example").len() == 2);
    let message = &server.messages("ines@corp.example")[0];
    assert!(message.contains("\n.a line with a dot\nthe last line\n"), "{message}");
    let bounces = server.messages("bounce@corp.example");
    assert!(bounces.iter().all(|bounce| bounce.contains("Delivered-To: bounce+t1@corp.example")), "{bounces:?}");
    for (recipient, status) in [("nobody@corp.example", "5.1.1"), ("somebody@elsewhere.example", "5.1.2")] {
        let facts = ["multipart/report".into(), "Action: failed".into(), format!("Status: {status}"), recipient.into()];
        let tells = |bounce: &&String| facts.iter().all(|fact: &String| bounce.contains(fact));
        assert_eq!(bounces.iter().filter(tells).count(), 1, "{recipient}: {bounces:?}");
    }
}

fn postfix_takes_and_discards() {
    let server = Postfix::start(&Delivery::Discard, false);
    let mut conversation = Conversation::open(server.port);
    conversation.say("EHLO test.example", "250");
    conversation.send("desk@corp.example", "one@anywhere.example", MESSAGE);
    wait_for("the message is gone", || server.log().contains("to=<one@anywhere.example>, relay=none"));
    assert!(server.log().contains("status=sent"), "{}", server.log());
}

fn postfix_speaks_tls() {
    let server = Postfix::start(&Delivery::Discard, true);
    let mut conversation = Conversation::open(server.port);
    assert!(conversation.say("EHLO test.example", "250").contains("STARTTLS"));
    let trusted = &server.certificate.as_ref().expect("made for it").certificate;
    let handshake = command("openssl")
        .args(["s_client", "-starttls", "smtp", "-verify_return_error", "-verify_hostname", "localhost", "-brief"])
        .args(["-connect", &format!("127.0.0.1:{}", server.port), "-CAfile"])
        .arg(trusted)
        .stdin(Stdio::null())
        .output()
        .expect("openssl runs");
    let words = String::from_utf8_lossy(&handshake.stderr).into_owned();
    assert!(handshake.status.success() && words.contains("Verification: OK"), "{words}");
}
