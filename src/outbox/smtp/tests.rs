//! Every reply and every hang-up at every command, over a pipe and in virtual time.

use super::script::{Act, Stage, Step};
use super::{Dial, Phase, Session, Trouble, Verdict};
use crate::fault::Fault;
use crate::outbox::queue::{Claimed, Lease, Payload, Queue, memory::MemoryQueue};
use crate::outbox::{Refusal, Unsendable};
use chrono::DateTime;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

mod encryption;
mod login;

fn message(bytes: impl Into<Vec<u8>>) -> Claimed {
    let mut queue = MemoryQueue::default();
    queue.push("kim@corp.example", bytes);
    queue.claim(DateTime::UNIX_EPOCH, 1).expect("a queue").remove(0)
}

/// One message over an open session, with a queue that is well.
async fn send(session: &mut Session, message: &Claimed) -> Verdict {
    session.transmit(message, &mut || Ok(Lease::Held)).await.expect("the queue is well")
}

/// Opens, sends one message, and says in a word who judged it.
async fn judged(stage: &Stage, message: &Claimed) -> String {
    let mut session = match stage.open().await {
        Ok(session) => session,
        Err(trouble) => return format!("no session: {trouble}"),
    };
    let mut marks = 0;
    let mut mark = || {
        marks += 1;
        Ok(Lease::Held)
    };
    match session.transmit(message, &mut mark).await.expect("the queue is well") {
        Verdict::Accepted(reply) => format!("accepted, {marks} mark: {reply}"),
        Verdict::Later(_, reply) => format!("later: {reply}"),
        Verdict::Refused(refusal) => format!("refused: {refusal}"),
        Verdict::LeaseLost => "lease lost".into(),
        Verdict::Broken { trouble, marked: false } => format!("trouble: {trouble}"),
        Verdict::Broken { trouble, marked: true } => format!("UNCERTAIN: {trouble}"),
    }
}

const STEPS: [Step; 7] = [Step::Greeting, Step::Ehlo, Step::Mail, Step::Rcpt, Step::Data, Step::Body, Step::Dot];

const ACTS: [Act; 15] = [
    Act::Go,
    Act::Say("450 4.3.0 later\r\n"),
    Act::Say("550 5.1.1 never\r\n"),
    Act::Say("550 5.7.1 not you\r\n"),
    Act::Say("421 4.3.2 closing\r\n"),
    Act::Say("250 fine\r\n"),
    Act::Say("354 go\r\n"),
    Act::Say("hello\r\n"),
    Act::Say("250 bare\n"),
    Act::Cut(""),
    Act::Cut("550 5.1.1 ne"),
    Act::Cut("250-half\r\n"),
    Act::Mute,
    Act::KeepAndCut("25"),
    Act::KeepAndMute,
];

#[tokio::test(start_paused = true)]
async fn every_answer_at_every_step() {
    let mut grid = String::new();
    for step in STEPS {
        for act in ACTS {
            // A server that answers in the middle and reads on has no meaning to test.
            if step == Step::Body && matches!(act, Act::Say(_)) {
                continue;
            }
            for offers in ["PIPELINING|SIZE", "SIZE"] {
                let stage = Stage::once(step, act).offering(offers);
                let verdict = judged(&stage, &message("Subject: x\r\n\r\nbody\r\n")).await;
                // The heart of it: what the server kept is never told as trouble, later or refused.
                let kept = stage.log().kept.len();
                assert!(kept <= 1);
                assert!(
                    kept == 0 || verdict.starts_with("accepted") || verdict.starts_with("UNCERTAIN"),
                    "{step:?} {act:?}: {verdict}"
                );
                assert!(kept == 1 || !verdict.starts_with("accepted"), "{step:?} {act:?}: {verdict}");
                if offers == "SIZE" {
                    writeln!(grid, "{:<9}{:<30}{verdict}", format!("{step:?}"), format!("{act:?}")).expect("a string");
                }
            }
        }
    }
    insta::assert_snapshot!(grid);
}

#[tokio::test(start_paused = true)]
async fn huge_and_malformed_replies_at_every_step() {
    let leak = |text: String| &*Box::leak(text.into_boxed_str());
    let replies = [
        leak(format!("250 {}\r\n", "x".repeat(100_000))),
        leak("x".repeat(100_000)),
        leak("250-more\r\n".repeat(200)),
        leak(format!("250-{}\r\n", "é".repeat(600))),
        "250-one\r\n550 two\r\n",
        "25\r\n",
        "999 no\r\n",
        "250\tx\r\n",
        "250 bare\rreturn\r\n",
        "\r\n",
        "\0\0\0\0\r\n",
    ];
    for step in STEPS.into_iter().filter(|step| *step != Step::Body) {
        for reply in replies {
            for offers in ["PIPELINING|SIZE", "SIZE"] {
                let stage = Stage::once(step, Act::Say(reply)).offering(offers);
                let verdict = judged(&stage, &message("x\r\n")).await;
                assert!(verdict.contains("is no SMTP reply"), "{step:?} {reply:.20}: {verdict}");
                // Only an answer to the dot that cannot be read leaves a doubt.
                assert_eq!(verdict.starts_with("UNCERTAIN"), step == Step::Dot, "{step:?} {reply:.20}: {verdict}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_conversation_in_lockstep_and_pipelined() {
    let mut logs = Vec::new();
    for offers in ["DSN|SIZE 1000", "PIPELINING|DSN|SIZE 1000"] {
        let stage = Stage::new(|_| Act::Go).offering(offers);
        let mut session = stage.session().await;
        for n in 0..2 {
            let verdict = send(&mut session, &message(format!("Subject: {n}\r\n\r\n.\r\n..dot\r\n"))).await;
            assert!(matches!(verdict, Verdict::Accepted(_)));
        }
        session.quit().await;
        assert_eq!(stage.log().kept[1].bytes, b"Subject: 1\r\n\r\n.\r\n..dot\r\n");
        logs.push(stage.log().lines.clone());
    }
    assert_eq!(logs[0], logs[1]);
    insta::assert_snapshot!(logs[0].join("\n"), @r"
    EHLO desk.corp.example
    MAIL FROM:<bounce@corp.example> SIZE=24 RET=HDRS ENVID=0@t
    RCPT TO:<kim@corp.example> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;kim@corp.example
    DATA
    MAIL FROM:<bounce@corp.example> SIZE=24 RET=HDRS ENVID=0@t
    RCPT TO:<kim@corp.example> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;kim@corp.example
    DATA
    QUIT
    ");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_does_not_spoil_the_connection() {
    for offers in ["PIPELINING", "8BITMIME"] {
        let stage = Stage::once(Step::Rcpt, Act::Say("550 5.1.1 no such user\r\n")).offering(offers);
        let mut session = stage.session().await;
        let refused = send(&mut session, &message("x\r\n")).await;
        assert!(matches!(refused, Verdict::Refused(Refusal::Server { phase: Phase::Rcpt, .. })), "{refused:?}");
        // The good server answered 354 to a pipelined DATA, as RFC 2920 allows; nothing may follow it.
        assert_eq!(session.is_usable(), offers != "PIPELINING");
        if session.is_usable() {
            assert!(matches!(send(&mut session, &message("y\r\n")).await, Verdict::Accepted(_)));
            assert!(stage.log().lines.contains(&"RSET".to_owned()));
        }
        assert!(stage.log().kept.iter().all(|kept| kept.bytes == b"y\r\n"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_group_with_data_refused_too_keeps_the_connection() {
    let stage = Stage::new(|seen| match seen.step {
        Step::Rcpt if seen.line.contains("bad@") => Act::Say("550 5.1.1 no such user\r\n"),
        Step::Data if seen.connection == 1 => Act::Say("554 5.5.1 no valid recipients\r\n"),
        _ => Act::Go,
    });
    let mut session = stage.session().await;
    let bad = Claimed { envelope_to: "bad@corp.example".parse().expect("an address"), ..message("x\r\n") };
    let refused = send(&mut session, &bad).await;
    // The first refusal counts, not the one of DATA that follows from it.
    assert!(
        matches!(&refused, Verdict::Refused(refusal) if refusal.to_string() == "550 5.1.1 no such user (to RCPT)"),
        "{refused:?}"
    );
    assert!(session.is_usable());
}

#[tokio::test(start_paused = true)]
async fn a_refused_reset_ends_the_connection_and_judges_nobody() {
    for act in [Act::Say("502 5.5.1 what\r\n"), Act::Say("452 4.3.0 not now\r\n"), Act::Cut("")] {
        for offers in ["PIPELINING", "8BITMIME"] {
            let stage = Stage::new(move |seen| match seen.step {
                Step::Rcpt if seen.line.contains("bad@") => Act::Say("550 5.1.1 no such user\r\n"),
                Step::Data if seen.connection == 1 => Act::Say("554 5.5.1 no valid recipients\r\n"),
                Step::Rset => act,
                _ => Act::Go,
            });
            let stage = stage.offering(offers);
            let mut session = stage.session().await;
            let bad = Claimed { envelope_to: "bad@corp.example".parse().expect("an address"), ..message("x\r\n") };
            assert!(matches!(send(&mut session, &bad).await, Verdict::Refused(_)));
            assert!(session.is_usable());
            let verdict = session.transmit(&message("y\r\n"), &mut || panic!("no mark")).await.expect("a queue");
            let Verdict::Broken { trouble, marked: false } = verdict else { panic!("{act:?}: {verdict:?}") };
            assert!(trouble.to_string().contains("at RSET"), "{trouble}");
            assert!(!session.is_usable() && stage.log().kept.is_empty());
        }
    }
}

#[tokio::test]
async fn a_disk_that_fails_judges_nobody_and_a_package_that_changed_fails_its_message() {
    struct Package {
        size: u64,
        code: &'static str,
    }
    impl Payload for Package {
        fn size(&self) -> u64 {
            self.size
        }
        fn write(&self, out: &mut dyn std::io::Write) -> crate::fault::Result<()> {
            out.write_all(b"To: x\r\n")?;
            Err(Fault::new(self.code, "kim.zip: so it is", "see to it"))
        }
    }
    // Read at once, and ahead on another thread.
    for size in [100, 1 << 20] {
        for (code, told) in [("io", "trouble: kim.zip: so it is"), ("attachment-changed", "refused: kim.zip: so it is")]
        {
            let stage = Stage::new(|_| Act::Go);
            let package = Claimed { payload: Arc::new(Package { size, code }), ..message("") };
            assert_eq!(judged(&stage, &package).await, told, "{size}");
            assert_eq!(stage.log().kept, []);
        }
    }
    let finding = crate::fault::Finding::error("io", "kim.zip: so it is", "see to it");
    assert_eq!(Trouble::Unread(finding.clone()).finding("mail.corp.example:25"), finding);
}

#[tokio::test(start_paused = true)]
async fn what_the_server_says_unasked_ends_the_connection() {
    for (extra, why) in [
        ("250 2.0.0 queued\r\n421 4.4.2 idle too long\r\n", "turned away at MAIL: 421 4.4.2 idle too long"),
        ("250 2.0.0 queued\r\n250 2.0.0 and again\r\n", "the answer to MAIL makes no sense: 250 2.0.0 and again"),
    ] {
        let stage = Stage::once(Step::Dot, Act::Say(extra));
        let mut session = stage.session().await;
        assert!(matches!(send(&mut session, &message("x\r\n")).await, Verdict::Accepted(_)));
        match session.transmit(&message("y\r\n"), &mut || Ok(Lease::Held)).await {
            Ok(Verdict::Broken { trouble, marked: false }) => assert_eq!(trouble.to_string(), why),
            other => panic!("{other:?}"),
        }
        assert_eq!(stage.log().kept.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn deadlines_by_phase() {
    for (step, minutes) in
        [(Step::Greeting, 5), (Step::Ehlo, 5), (Step::Mail, 5), (Step::Rcpt, 5), (Step::Data, 2), (Step::Dot, 10)]
    {
        let start = Instant::now();
        let verdict = judged(&Stage::once(step, Act::Mute), &message("x\r\n")).await;
        assert!(verdict.contains("no answer in time"), "{verdict}");
        assert_eq!(start.elapsed().as_secs_f64().round(), 60.0 * f64::from(minutes), "{step:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_drips_its_reply_gains_no_time() {
    use tokio::io::AsyncWriteExt;
    let (ours, mut theirs) = tokio::io::duplex(100);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(60)).await;
            if theirs.write_all(b"2").await.is_err() {
                return;
            }
        }
    });
    let stage = Stage::new(|_| Act::Go);
    let start = Instant::now();
    let trouble = Session::open(Box::new(ours), &stage.server, true).await.expect_err("no greeting");
    assert!(trouble.finding("mail:465").remedy.contains("write smtps:// instead"), "it waits for TLS, perhaps");
    assert_eq!((trouble, start.elapsed()), (Trouble::Silent(Phase::Greeting), Duration::from_secs(300)));
}

/// A large message: it goes out in several blocks, read on another thread.
fn large() -> Vec<u8> {
    (0..20_000).flat_map(|n| format!(".line {n} of a large message\r\n").into_bytes()).collect()
}

#[tokio::test]
async fn a_large_message_streams_and_arrives_as_it_was() {
    let stage = Stage::new(|_| Act::Go);
    assert!(judged(&stage, &message(large())).await.starts_with("accepted, 1 mark"));
    assert_eq!(stage.log().kept[0].bytes, large());
}

#[tokio::test]
async fn a_reader_that_stops_is_trouble_before_the_mark_and_doubt_after_it() {
    // Real time, since virtual time stands still while another thread reads the message.
    let mut stage = Stage::always(Step::Body, Act::Mute);
    stage.server.patience = Duration::from_millis(50);
    assert_eq!(judged(&stage, &message(large())).await, "trouble: no answer in time to the message");
    let verdict = judged(&stage, &message("x\r\ny\r\n")).await;
    assert_eq!(verdict, "UNCERTAIN: no answer in time to the end of the message");
}

#[tokio::test]
async fn a_server_that_refuses_in_the_middle_is_heard() {
    let stage = Stage::once(Step::Body, Act::Cut("552 5.3.4 too much\r\n"));
    assert_eq!(judged(&stage, &message(large())).await, "refused: 552 5.3.4 too much (to the message)");
}

#[tokio::test]
async fn what_must_not_leave_never_gets_its_dot() {
    let forged = "Subject: x\r\n\r\n@echo off\n.\nMAIL FROM:<forged@example.org>\n";
    let mut late = large();
    late.extend_from_slice(b"bare\nend\r\n");
    for (bytes, code) in
        [(forged.as_bytes().to_vec(), "message-line-end"), (late, "message-line-end"), ("é\r\n".into(), "message-8bit")]
    {
        let stage = Stage::new(|_| Act::Go);
        let mut session = stage.session().await;
        let verdict = session.transmit(&message(bytes), &mut || panic!("no mark")).await.expect("a queue");
        assert!(matches!(&verdict, Verdict::Refused(refusal) if refusal.class() == code), "{verdict:?}");
        assert!(!session.is_usable());
        assert_eq!(stage.log().kept, []);
    }
}

#[tokio::test]
async fn a_payload_that_panics_fails_alone() {
    struct Poison;
    impl Payload for Poison {
        fn size(&self) -> u64 {
            1 << 20
        }
        fn write(&self, _: &mut dyn std::io::Write) -> crate::fault::Result<()> {
            panic!("poison")
        }
    }
    let poison = Claimed { payload: Arc::new(Poison), ..message("") };
    let verdict = judged(&Stage::new(|_| Act::Go), &poison).await;
    assert_eq!(verdict, "refused: reading the message failed inside the program");
}

#[tokio::test]
async fn without_its_lease_or_its_mark_no_message_is_completed() {
    let stage = Stage::new(|_| Act::Go);
    let mut session = stage.session().await;
    let verdict = session.transmit(&message("x\r\n"), &mut || Ok(Lease::Lost)).await;
    assert!(matches!(verdict, Ok(Verdict::LeaseLost)) && !session.is_usable());
    let mut session = stage.session().await;
    let verdict = session.transmit(&message("x\r\n"), &mut || Err(Fault::new("io", "disk full", "free space"))).await;
    assert!(verdict.is_err() && !session.is_usable());
    drop(session);
    tokio::task::yield_now().await;
    assert_eq!(stage.log().kept, []);
}

#[tokio::test]
async fn extensions_are_checked_before_anything_is_said() {
    let stage = Stage::new(|_| Act::Go).offering("SIZE 10");
    let mut session = stage.session().await;
    let verdict = session.transmit(&message("more than ten\r\n"), &mut || panic!("no mark")).await.expect("a queue");
    assert!(matches!(verdict, Verdict::Refused(Refusal::Message(Unsendable::TooLarge { size: 15, limit: 10 }))));
    assert!(session.is_usable() && stage.log().lines.len() == 1);
}

#[tokio::test]
async fn a_server_that_knows_only_helo_is_served() {
    let stage = Stage::always(Step::Ehlo, Act::Say("502 5.5.1 what\r\n"));
    assert!(judged(&stage, &message("x\r\n")).await.starts_with("accepted"));
    assert_eq!(
        stage.log().lines[..3],
        ["EHLO desk.corp.example", "HELO desk.corp.example", "MAIL FROM:<bounce@corp.example>"]
    );
}
