//! What a refusal is about: the person, the sender, the connection, or everybody.

use super::*;
use crate::outbox::smtp::script::Seen;

/// Refuses p0 and p1, which makes RSET come next.
fn two_bad(seen: &Seen<'_>) -> Option<Act> {
    let bad = seen.line.contains("<p0@") || seen.line.contains("<p1@");
    (seen.step == Step::Rcpt && bad).then_some(Act::Say("550 5.1.1 no such user\r\n"))
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_rset_gets_a_new_connection_and_fails_nobody() {
    for act in [Act::Say("502 5.5.1 what\r\n"), Act::Say("452 4.3.0 not now\r\n"), Act::Cut("")] {
        for offers in ["PIPELINING", "8BITMIME"] {
            let last_was_bad = Mutex::new(false);
            let stage = Stage::new(move |seen| {
                let mut last_was_bad = last_was_bad.lock().expect("one thread");
                match (seen.step, two_bad(seen)) {
                    (Step::Rset, _) => act,
                    (Step::Data, _) if *last_was_bad => Act::Say("554 5.5.1 no valid recipients\r\n"),
                    (step, bad) => {
                        *last_was_bad = bad.is_some() || *last_was_bad && step != Step::Rcpt;
                        bad.unwrap_or(Act::Go)
                    }
                }
            });
            let (mut queue, stage, start) = (MemoryQueue::of(6), stage.offering(offers), Instant::now());
            let summary = run(&mut queue, &stage, 1).await.expect("a good day for four");
            assert_eq!((summary.sent, summary.failed), (4, 2), "{act:?} {offers}");
            use State::*;
            assert_eq!(queue.states(), [Failed, Failed, Sent, Sent, Sent, Sent]);
            let log = stage.log();
            assert_eq!((log.connections, log.kept.len()), (3, 4));
            assert!(start.elapsed() < Duration::from_secs(1), "nobody rests for it");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_sender_is_nobodys_failure_and_stops_the_run() {
    for (step, words) in [
        (Step::Mail, "550 no\r\n"),
        (Step::Mail, "553 5.1.8 no such domain\r\n"),
        (Step::Rcpt, "530 5.7.0 log in first\r\n"),
        (Step::Rcpt, "550 5.1.8 Sender address rejected: Domain not found\r\n"),
    ] {
        let (mut queue, stage) = (MemoryQueue::of(40), Stage::always(step, Act::Say(words)));
        let fault = run(&mut queue, &stage, 2).await.expect_err("a sender that is refused");
        assert_eq!((fault.findings.len(), fault.findings[0].code), (1, "smtp-sender-refused"), "{words}");
        assert!(fault.findings[0].remedy.contains("[mail] from and bounce_to"));
        assert_eq!(queue.states(), [State::Planned; 40]);
    }
    // What is said of the message itself is said of nobody else.
    let stage = Stage::once(Step::Mail, Act::Say("552 5.3.4 too large\r\n"));
    let summary = run(&mut MemoryQueue::of(3), &stage, 1).await.expect("the others go out");
    assert_eq!((summary.sent, summary.failed), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn when_everybody_is_refused_alike_the_lanes_rest_and_then_the_run_stops() {
    for (lanes, step) in [(1, Step::Rcpt), (4, Step::Rcpt), (2, Step::Dot)] {
        let stage = Stage::always(step, Act::Say("554 5.7.1 Relay access denied\r\n"));
        let (mut queue, start, mut rests) = (MemoryQueue::of(200), Instant::now(), Vec::new());
        let mut tell = |progress: Progress<'_>| {
            if let Progress::Trouble { finding, pause, .. } = progress {
                rests.push(format!("{}; again in {} s", finding.cause, pause.as_secs()));
            }
        };
        let fault = run_telling(&mut queue, &stage, lanes, &mut tell).await.expect_err("a wrong setting");
        let finding = &fault.findings[0];
        assert_eq!((fault.findings.len(), finding.code), (1, "smtp-refused-all"));
        let words = "in a row are refused alike, and nobody is accepted: 554 5.7.1 Relay access denied";
        assert!(finding.cause.starts_with("mail.corp.example:25: 25 ") && finding.cause.contains(words), "{finding:?}");
        assert!(finding.remedy.contains("the rest stays planned") && finding.remedy.contains("send --to failed"));
        assert!(
            rests.len() == 1 && rests[0].contains(": 10 in a row") && rests[0].ends_with("again in 5 s"),
            "{rests:?}"
        );
        assert!(start.elapsed() >= Duration::from_secs(5));
        let failed = queue.states().iter().filter(|state| **state == State::Failed).count();
        assert!((25..25 + lanes).contains(&failed), "{failed}");
        assert_eq!(queue.states().iter().filter(|state| **state == State::Planned).count(), 200 - failed);
    }
}

#[tokio::test(start_paused = true)]
async fn many_bad_addresses_among_good_ones_stop_nothing() {
    // Of each ten people nine are unknown.
    let stage = Stage::new(|seen| {
        if seen.step != Step::Rcpt || seen.line.contains("0@") {
            return Act::Go;
        }
        Act::Say("550 5.1.1 no such user\r\n")
    });
    let (mut queue, start) = (MemoryQueue::of(100), Instant::now());
    let summary = run(&mut queue, &stage, 1).await.expect("a mixed day");
    assert_eq!((summary.sent, summary.failed), (10, 90));
    assert!(start.elapsed() < Duration::from_secs(1), "nobody rests for it");
}
