//! While a mailbox cannot be read nobody is pressed, neither by the calendar nor out of the queue.

use super::*;

fn read_and_send(play: &Play) -> (usize, Sent) {
    let stop = AtomicBool::new(false);
    let mut engine = play.engine();
    let (_, faults) = engine.intake(&stop, &mut || {});
    let sent = engine.round(&stop, &mut |_| {});
    (faults.len(), sent.unwrap_or_default())
}

#[test]
fn what_presses_waits_until_every_mailbox_was_read_and_notices_go_out() {
    let play =
        Play::of(&format!("{CAMPAIGN}[[intake.mailbox]]\nmaildir = \"desk\"\n[[intake.mailbox]]\nmbox = \"box\"\n"));
    let (faults, sent) = read_and_send(play.at("2027-03-17T09:05"));
    assert_eq!((faults, sent.sent, sent.kept_waiting), (1, 3, 0), "a notice presses nobody");

    let waits = read_and_send(play.at("2027-03-21T09:05")).1;
    assert_eq!((waits.planned, waits.sent, waits.kept_waiting, waits.nothing_due), (0, 0, 3, false));
    fs_err::create_dir_all(play.folder.path().join("desk/new")).expect("a Maildir");
    play.server_is_down(true);
    read_and_send(&play);
    play.server_is_down(false);
    fs_err::rename(play.folder.path().join("desk"), play.folder.path().join("away")).expect("moved");
    // Planned while it could be read, and not out yet.
    assert_eq!(play.to("reminder").len(), 3);
    let waits = read_and_send(&play).1;
    assert_eq!((waits.sent, waits.kept_waiting), (0, 3));
    let next = play.engine().next_moment().expect("asked");
    assert!(next.is_some_and(|(at, _)| at <= day("2027-03-21T09:05")), "another look sees what waits");

    fs_err::rename(play.folder.path().join("away"), play.folder.path().join("desk")).expect("moved back");
    assert_eq!(read_and_send(&play).1.sent, 3);
    assert_eq!(play.engine().unread().expect("listed"), []);
}

#[test]
fn no_call_is_noted_and_whoever_mail_does_not_reach_waits_too() {
    let play = Play::of(&format!("{CAMPAIGN}[[intake.mailbox]]\nmaildir = \"desk\"\n"));
    assert_eq!(read_and_send(play.at("2027-03-17T09:05")).1.sent, 3);
    play.record("ann", Kind::HardBounce);
    play.record("cy", Kind::HardBounce);
    let waits = read_and_send(play.at("2027-03-18T09:05")).1;
    assert_eq!((waits.sent, waits.tasks.len(), waits.kept_waiting), (0, 0, 2));
    let since = play.engine().unread().expect("listed").remove(0).since;
    assert_eq!(since, day("2027-03-17T09:05"));
    // A person who sends by hand has the last word.
    let sent = play.tick();
    assert_eq!((sent.sent, sent.tasks.len(), sent.kept_waiting), (1, 1, 0));
}

#[test]
fn whoever_watches_hears_of_each_mailbox_and_batch() {
    let play =
        Play::of(&format!("{CAMPAIGN}[[intake.mailbox]]\nmaildir = \"desk\"\n[[intake.mailbox]]\nmbox = \"box\"\n"));
    let new = play.folder.path().join("desk/new");
    fs_err::create_dir_all(&new).expect("a Maildir");
    fs_err::write(new.join("one"), "From: x@corp.example\nSubject: hello\n\nhello\n").expect("written");
    let mut heard = 0;
    play.engine().intake(&AtomicBool::new(false), &mut || heard += 1);
    // Two mailboxes, one batch, and the look for another one.
    assert_eq!(heard, 4);
}

#[test]
fn what_waits_for_a_mailbox_longer_than_its_window_is_held_and_next_says_what_sends_it() {
    let play = Play::of(&format!("{CAMPAIGN}[[intake.mailbox]]\nmaildir = \"desk\"\n"));
    assert_eq!(read_and_send(play.at("2027-03-17T09:05")).1.sent, 3);
    let waits = read_and_send(play.at("2027-03-22T09:05")).1;
    assert_eq!((waits.kept_waiting, waits.late.len()), (0, 1));
    let status = crate::report::status::Status::of(&play.engine()).expect("a status");
    assert_eq!(
        (status.messages.held, &*status.next),
        (3, "flagday send reminder: its window was over while a mailbox could not be read (first flagday intake)")
    );
    let found = play.engine().check(false).expect("checked");
    assert!(
        found.iter().any(|one| one.code == "mailbox-unread" && one.cause.contains("could not be read since")),
        "{found:?}"
    );
}
