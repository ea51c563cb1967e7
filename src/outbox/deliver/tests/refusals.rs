//! What a refusal is about: the person, the sender, the connection, or everybody.

use super::*;
use crate::outbox::smtp::script::Seen;
use crate::outbox::{History, Sender};

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
async fn what_is_read_ahead_for_somebody_refused_leaves_the_connection_to_the_next() {
    let stage = Stage::new(|seen| two_bad(seen).unwrap_or(Act::Go)).offering("8BITMIME");
    let mut queue = MemoryQueue::default();
    let package = |n: usize| format!("Subject: {n}\r\n\r\n{}", format!("{}\r\n", "x".repeat(76)).repeat(4000));
    (0..4).for_each(|n| queue.push(&format!("p{n}@corp.example"), package(n)));
    let summary = run(&mut queue, &stage, 1).await.expect("two are good");
    assert_eq!((summary.sent, summary.failed), (2, 2));
    let log = stage.log();
    let kept: Vec<&[u8]> = log.kept.iter().map(|kept| kept.bytes.as_slice()).collect();
    assert_eq!((log.connections, kept), (1, vec![package(2).as_bytes(), package(3).as_bytes()]));
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
        assert!(queue.rows.iter().any(|row| row.due > DateTime::UNIX_EPOCH), "others go first");
        assert!(queue.rows.iter().all(|row| row.attempt == 0), "nothing was said of any of them");
    }
    // What is said of the message itself is said of nobody else.
    let stage = Stage::once(Step::Mail, Act::Say("552 5.3.4 too large\r\n"));
    let summary = run(&mut MemoryQueue::of(3), &stage, 1).await.expect("the others go out");
    assert_eq!((summary.sent, summary.failed), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_to_be_slower_is_left_in_peace_and_that_is_told() {
    // The second message of each connection is one too many.
    for (step, words) in [(Step::Rcpt, "421 4.7.28 rate limit exceeded\r\n"), (Step::Mail, "421 4.7.0 slowly\r\n")] {
        let seen_before = Mutex::new(0);
        let stage = Stage::new(move |seen| {
            if seen.step != step {
                return Act::Go;
            }
            let mut last = seen_before.lock().expect("one thread");
            let again = std::mem::replace(&mut *last, seen.connection) == seen.connection;
            if again { Act::Cut(words) } else { Act::Go }
        });
        let (mut queue, start, mut told) = (MemoryQueue::of(5), Instant::now(), Vec::new());
        let mut tell = |progress: Progress<'_>| {
            if let Progress::Trouble { finding, .. } = progress {
                told.push(finding.cause.clone());
            }
        };
        let summary = run_telling(&mut queue, &stage, 1, &mut tell).await.expect("it only takes longer");
        assert_eq!((summary.sent, stage.log().connections), (5, 5));
        assert!(start.elapsed() >= Duration::from_secs(4), "a rest before each new connection");
        assert!(told.len() == 4 && told.iter().all(|cause| cause.contains("turned away at")), "{told:?}");
        assert!(queue.rows.iter().all(|row| row.attempt == 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_nothing_from_anybody_now_judges_nobody() {
    let stage = Stage::always(Step::Mail, Act::Say("452 4.3.1 Insufficient system storage\r\n"));
    let mut queue = MemoryQueue::of(40);
    let fault = run(&mut queue, &stage, 1).await.expect_err("it is full");
    assert_eq!(fault.findings[0].code, "smtp-turned-away");
    assert!(fault.cause().contains("452 4.3.1 Insufficient system storage"), "{fault}");
    assert_eq!(queue.states(), [State::Planned; 40]);
    assert!(queue.rows.iter().all(|row| row.attempt == 0));
    assert_eq!(stage.log().lines.iter().filter(|line| line.starts_with("MAIL")).count(), 5);
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
        let words = "in a row, and 5 elsewhere in the queue, are refused alike, and nobody is accepted: 554 5.7.1 Relay access denied";
        assert!(finding.cause.starts_with("mail.corp.example:25: 25 ") && finding.cause.contains(words), "{finding:?}");
        assert!(finding.remedy.contains("everything stays planned"));
        assert!(
            rests.len() == 1 && rests[0].contains(": 10 in a row") && rests[0].ends_with("again in 5 s"),
            "{rests:?}"
        );
        assert!(start.elapsed() >= Duration::from_secs(5));
        // It is nobody's fault, and those who were tried have used the one try at which that is believed.
        assert_eq!(queue.states(), [State::Planned; 200]);
        let tried = queue.rows.iter().filter(|row| row.attempt == 1).count();
        assert!((30..30 + lanes).contains(&tried), "{tried}");
        assert!(queue.rows[199].attempt == 1 && queue.rows[100].attempt == 0, "others are tried at the far end");
        assert_eq!(queue.suspended.as_ref().map(|one| (one.times, &*one.class)), Some((1, "554 5.7.1")));
    }
}

/// A round of the schedule while delivery is suspended.
async fn probe(queue: &mut MemoryQueue, stage: &Stage) -> Result<Summary> {
    let (suspended, probing) = (queue.suspended.clone(), true);
    let limits = Limits { connections: 4, suspended, probing, ..Limits::default() };
    over_lanes(queue, stage, &limits, &Clock(Some(Instant::now())), &AtomicBool::new(false), &mut |_| ()).await
}

#[tokio::test(start_paused = true)]
async fn after_a_pause_a_few_messages_are_tried_and_no_more_until_one_is_taken() {
    let wrong = || Stage::always(Step::Rcpt, Act::Say("554 5.7.1 Relay access denied\r\n"));
    let mut queue = MemoryQueue::of(60);
    run(&mut queue, &wrong(), 4).await.expect_err("a wrong setting");
    for times in 2..=4 {
        let stage = wrong();
        let summary = probe(&mut queue, &stage).await.expect("a round");
        assert!(summary.ended && summary.failed == 0, "{summary:?}");
        assert_eq!(stage.log().lines.iter().filter(|line| line.starts_with("RCPT")).count(), 5);
        assert_eq!(queue.suspended.as_ref().map(|one| one.times), Some(times));
    }
    assert_eq!(queue.states(), [State::Planned; 60]);
    let summary = probe(&mut queue, &good()).await.expect("it is mended");
    assert_eq!((summary.sent, summary.ended, &queue.suspended), (60, false, &None));
}

/// Takes mail for these alone; the others are unknown.
fn knows(good: impl Fn(&str) -> bool + Send + Sync + 'static) -> Stage {
    Stage::new(move |seen| match (seen.step, seen.line) {
        (Step::Rcpt, line) if !good(line) => Act::Say("550 5.1.1 no such user\r\n"),
        _ => Act::Go,
    })
}

#[tokio::test(start_paused = true)]
async fn a_block_of_dead_addresses_fails_and_nobody_behind_it_waits() {
    for (lanes, dead) in [(1, 60), (4, 60), (2, 190)] {
        // They are a closed branch with the same domain, at the front.
        let number = |line: &str| line.split_once("<p").and_then(|(_, rest)| rest.split('@').next()?.parse().ok());
        let stage = knows(move |line| number(line).is_some_and(|n: usize| n >= dead));
        let mut queue = MemoryQueue::of(200);
        let summary = run(&mut queue, &stage, lanes).await.expect("the others go out");
        assert_eq!((summary.sent, summary.failed, summary.released), (200 - dead, dead, 0), "{lanes}");
        assert_eq!(queue.suspended, None);
    }
    // One healthy person among them, at another domain.
    let mut queue = MemoryQueue::of(15);
    queue.push("good@other.example", "Subject: x\r\n\r\nx\r\n");
    for n in 0..100 {
        queue.push(&format!("q{n}@corp.example"), "Subject: x\r\n\r\nx\r\n");
    }
    let summary = run(&mut queue, &knows(|line| line.contains("<good@")), 1).await.expect("one goes out");
    assert_eq!((summary.sent, summary.failed), (1, 115));
}

#[tokio::test(start_paused = true)]
async fn who_is_put_off_is_not_refused_and_so_not_everybody_is() {
    let stage = Stage::new(|seen| match (seen.step, seen.line) {
        (Step::Rcpt, line) if line.contains("9@") => Act::Say("450 4.2.0 greylisted\r\n"),
        (Step::Rcpt, _) => Act::Say("550 5.1.1 no such user\r\n"),
        _ => Act::Go,
    });
    let mut queue = MemoryQueue::of(100);
    let summary = run(&mut queue, &stage, 1).await.expect("a run to its end");
    assert_eq!((summary.failed, summary.deferred), (90, 10));
    assert_eq!(queue.suspended, None);
}

#[tokio::test(start_paused = true)]
async fn where_only_dead_addresses_are_left_they_fail_and_nothing_is_paused() {
    for (lanes, dead) in [(1, 28), (4, 28), (2, 30)] {
        let mut queue = MemoryQueue::of(dead);
        let summary = run(&mut queue, &knows(|_| false), lanes).await.expect("a run to its end");
        assert_eq!((summary.failed, summary.ended, &queue.suspended), (dead, false, &None), "{lanes} {dead}");
        assert_eq!(queue.states(), vec![State::Failed; dead]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_night_of_rounds_comes_through_the_dead_to_whoever_is_behind_them() {
    // The only one who is well stands in the midst of 400, where no sample of five finds them.
    let stage = || knows(|line| line.contains("<p203@"));
    let mut queue = MemoryQueue::of(400);
    run(&mut queue, &stage(), 4).await.expect_err("it may be the server's directory");
    let mut rounds = 1;
    while queue.rows[203].state != State::Sent {
        assert_eq!(queue.states(), [State::Planned; 400], "nobody fails for what may be the server's");
        probe(&mut queue, &stage()).await.expect("a round");
        rounds += 1;
    }
    assert!(rounds <= 8, "{rounds}");
    assert_eq!((queue.states().iter().filter(|one| **one == State::Failed).count(), &queue.suspended), (399, &None));

    // And where nobody is well, that is known in the end, and told once.
    let mut queue = MemoryQueue::of(60);
    run(&mut queue, &knows(|_| false), 1).await.expect_err("it may be the server's directory");
    let mut rounds = 1;
    while queue.suspended.is_some() {
        probe(&mut queue, &knows(|_| false)).await.expect("a round");
        rounds += 1;
    }
    assert!(rounds <= 4, "{rounds}");
    assert_eq!(queue.states(), [State::Failed; 60]);
}

#[tokio::test(start_paused = true)]
async fn a_second_send_by_hand_believes_what_is_said_of_a_person() {
    let stage = || Stage::always(Step::Rcpt, Act::Say("554 5.7.1 not to this person\r\n"));
    let mut queue = MemoryQueue::of(28);
    run(&mut queue, &stage(), 1).await.expect_err("a run");
    assert_eq!((queue.states(), queue.suspended.is_some()), (vec![State::Planned; 28], true));
    // The schedule asks a few, and nobody fails because of that.
    assert!(probe(&mut queue, &stage()).await.expect("a round").ended);
    assert_eq!(queue.states(), [State::Planned; 28]);
    let limits = Limits { connections: 1, suspended: queue.suspended.clone(), ..Limits::default() };
    let clock = Clock(Some(Instant::now()));
    let stop = AtomicBool::new(false);
    let by_hand = over_lanes(&mut queue, &stage(), &limits, &clock, &stop, &mut |_| ()).await.expect("a run");
    assert_eq!((by_hand.failed, by_hand.ended, by_hand.released), (28, false, 0));
    assert_eq!((queue.states(), queue.suspended), (vec![State::Failed; 28], None));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_not_tried_by_every_round() {
    let stage =
        Stage::always(Step::Auth, Act::Say("535 5.7.8 no\r\n")).offering("AUTH PLAIN").logging_in("kim", "sesame");
    let mut queue = MemoryQueue::of(3);
    run(&mut queue, &stage, 2).await.expect_err("no login");
    assert_eq!(queue.suspended.as_ref().map(|one| (one.times, &*one.class)), Some((1, "smtp-password")));
    probe(&mut queue, &stage).await.expect("a round");
    assert_eq!(queue.suspended.as_ref().map(|one| one.times), Some(2));
    assert_eq!(probe(&mut queue, &good()).await.expect("mended").sent, 3);
    assert_eq!((queue.suspended.clone(), queue.states()), (None, vec![State::Sent; 3]));
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

/// Some letters have another sender, which the server refuses.
fn of_two_senders(replies: usize, bounces: usize) -> (MemoryQueue, Stage) {
    let mut queue = MemoryQueue::of(replies + bounces);
    queue.rows[..replies].iter_mut().for_each(|row| row.sender = Sender::Replies);
    (queue, refuses("<ack@"))
}

fn refuses(sender: &'static str) -> Stage {
    Stage::new(move |seen| match (seen.step, seen.line) {
        (Step::Mail, line) if line.contains(sender) => Act::Say("553 5.7.1 not owned by user\r\n"),
        _ => Act::Go,
    })
}

/// Mail of neither has left.
const NEITHER: [History; 2] = [History { accepted: false, held: false }; 2];

async fn run_after(queue: &mut MemoryQueue, stage: &Stage, lanes: usize, senders: [History; 2]) -> Summary {
    let limits = Limits { connections: lanes, senders: Some(senders), ..Limits::default() };
    let clock = Clock(Some(Instant::now()));
    over_lanes(queue, stage, &limits, &clock, &AtomicBool::new(false), &mut |_| ()).await.expect("a run")
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_is_refused_for_some_people_fails_them_and_nobody_else_waits() {
    for lanes in [1, 4] {
        let (mut queue, stage) = of_two_senders(3, 60);
        let start = Instant::now();
        let summary = run_after(&mut queue, &stage, lanes, NEITHER).await;
        assert_eq!((summary.sent, summary.failed, summary.deferred, summary.released), (60, 3, 0, 0), "{lanes}");
        let class = &summary.failures["553 5.7.1"];
        assert_eq!(class.words, "553 5.7.1 not owned by user (the sender is refused)");
        assert!(class.remedy.contains("[mail] reply_to"), "{}", class.remedy);
        assert!(start.elapsed() < Duration::from_secs(1), "nobody rests for it");
        assert_eq!(queue.suspended, None);
    }
}

#[tokio::test(start_paused = true)]
async fn hundreds_of_a_refused_sender_are_not_tried_one_by_one() {
    let (mut queue, stage) = of_two_senders(700, 60);
    let summary = run_after(&mut queue, &stage, 4, NEITHER).await;
    assert_eq!(summary.sent, 60);
    assert!((5..9).contains(&summary.failed) && summary.failed + summary.deferred == 700, "{summary:?}");
    let tries = |stage: &Stage| stage.log().lines.iter().filter(|line| line.contains("<ack@")).count();
    assert!(tries(&stage) < 20, "{}", tries(&stage));
    assert!(
        queue.rows[..700].iter().filter(|row| row.state == State::Planned).all(|row| row.due > DateTime::UNIX_EPOCH)
    );
    // The next round asks with one a lane, and nobody more fails; once it is mended, all go out.
    queue.rows.iter_mut().for_each(|row| row.due = DateTime::UNIX_EPOCH);
    let before = [History { accepted: true, held: false }, History { accepted: false, held: true }];
    let again = refuses("<ack@");
    let next = run_after(&mut queue, &again, 2, before).await;
    assert_eq!((next.sent, next.failed, next.deferred), (0, 0, 700 - summary.failed));
    assert!(tries(&again) <= 2, "{}", tries(&again));
    queue.rows.iter_mut().for_each(|row| row.due = DateTime::UNIX_EPOCH);
    let mended = run_after(&mut queue, &good(), 2, before).await;
    assert_eq!((mended.sent, mended.failed), (700 - summary.failed, 0));
}

#[tokio::test(start_paused = true)]
async fn where_only_mail_of_the_refused_sender_is_left_the_record_says_whether_it_is_that_one_alone() {
    let never = [History { accepted: true, held: false }, History::default()];
    let (mut queue, stage) = of_two_senders(3, 0);
    let summary = run_after(&mut queue, &stage, 2, never).await;
    assert_eq!((summary.failed, summary.ended), (3, false));
    // Should by now every sender be refused, few fail because of that.
    let mut many = of_two_senders(700, 0).0;
    let summary = run_after(&mut many, &refuses("<"), 4, never).await;
    assert!((5..9).contains(&summary.failed) && summary.failed + summary.deferred == 700, "{summary:?}");
    for before in [[History::default(); 2], [History { accepted: true, held: false }; 2]] {
        let (mut queue, stage) = of_two_senders(30, 0);
        let summary = run_after(&mut queue, &stage, 2, before).await;
        assert!(summary.ended && summary.failed == 0, "{summary:?}");
        assert_eq!((summary.stopped[0].code, queue.states()), ("smtp-sender-refused", vec![State::Planned; 30]));
    }
    let mut queue = of_two_senders(30, 30).0;
    let everybody = refuses("<");
    let summary = run_after(&mut queue, &everybody, 2, [History::default(); 2]).await;
    assert!(summary.ended && summary.failed == 0, "where every sender is refused it is nobody's: {summary:?}");
}
