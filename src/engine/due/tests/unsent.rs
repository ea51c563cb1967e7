//! Whom our own letter did not leave for, who has no address, and whom a letter about somebody did not reach.

use super::*;
use crate::outbox::{Lease, Outcome, Queue, Refusal, Reply, State, Unsendable, smtp::Phase};

fn too_large() -> Outcome {
    Outcome::Failed { refusal: Refusal::Message(Unsendable::TooLarge { size: 5000, limit: 1000 }) }
}

fn no_such_user() -> Outcome {
    let reply = Reply { code: 550, enhanced: None, text: "no such user".into() };
    Outcome::Failed { refusal: Refusal::Server { phase: Phase::Rcpt, reply } }
}

impl Play {
    /// One round in which letters to these addresses end so; all others are carried.
    fn tick_failing(&self, to: &[&str], outcome: &Outcome) -> Sent {
        let stopped = AtomicBool::new(true);
        let planned = self.engine().send(None, &To::Everyone, None, false, &stopped, &mut |_| {}).expect("planned");
        let mut engine = self.engine();
        let (now, ledger) = (self.clock.now(), &mut engine.ledger);
        for message in ledger.claim(now, 100).expect("claimed") {
            let failed = to.iter().any(|name| message.envelope_to.user() == *name);
            let reply = Reply { code: 250, enhanced: None, text: "ok".into() };
            let outcome = if failed { outcome.clone() } else { Outcome::Sent { reply } };
            if !failed {
                assert_eq!(ledger.mark(message.id, message.fence).expect("marked"), Lease::Held);
            }
            assert_eq!(ledger.settle(message.id, message.fence, outcome, now).expect("settled"), Lease::Held);
        }
        ledger.flush().expect("kept");
        planned
    }

    fn why(&self, person: &str) -> String {
        let engine = self.engine();
        let standing = engine.standing(&engine.campaign.acknowledgements["read"], person).expect("looked");
        standing.map(|one| format!("{}; {}", one.why, one.remedy)).unwrap_or_default()
    }
}

fn calls(sent: &Sent) -> Vec<&str> {
    sent.tasks.iter().map(|task| task.what.as_str()).collect()
}

#[test]
fn whoever_was_never_told_is_not_reminded_and_escalated_with_all_others() {
    let play = Play::new();
    play.tick_failing(&["ann", "cy"], &too_large());
    assert!(play.why("ann").starts_with("was not sent our message: the message has 5000 bytes"), "{}", play.why("ann"));
    assert!(play.why("ann").contains("; send a smaller package"), "{}", play.why("ann"));
    let lost = crate::report::failures::open(&play.engine()).expect("looked");
    assert_eq!(lost.iter().map(|row| row.person.as_str()).collect::<Vec<_>>(), ["ann", "cy"], "to be seen at once");
    let sent = play.at("2027-03-18T09:00").tick();
    assert_eq!((sent.planned, sent.tasks.len()), (0, 0), "it may be mended; her address is in order");
    play.at("2027-03-21T08:05").tick();
    assert_eq!(play.to("reminder"), [("bea".to_owned(), "bea@corp.example".to_owned())], "of what was she reminded?");
    let sent = play.at("2027-03-28T07:00").tick();
    assert_eq!(play.to("escalation")[0], ("ann".to_owned(), "boss@corp.example".to_owned()));
    assert_eq!(play.letters("escalation")[0].reason, "our mail to Ann could not be sent");
    assert_eq!(calls(&sent), ["our mail to them could not be sent: call Cy (no phone number in the roster)"]);
}

#[test]
fn what_was_mended_is_sent_again_and_the_person_is_one_like_all_others() {
    let play = Play::new();
    play.tick_failing(&["ann"], &too_large());
    let stop = AtomicBool::new(false);
    let sent = play.engine().send(None, &To::Failed, None, false, &stop, &mut |_| {}).expect("sent");
    assert_eq!((sent.planned, sent.sent), (1, 1));
    assert_eq!(play.why("ann"), "was sent the notice; ");
    assert!(crate::report::failures::open(&play.engine()).expect("looked").is_empty());
    play.at("2027-03-21T08:05").tick();
    assert_eq!(play.to("reminder").len(), 3);
}

#[test]
fn without_an_escalation_somebody_has_to_call_once_the_answer_is_due() {
    let escalate = CAMPAIGN.lines().find(|line| line.starts_with("escalate")).expect("its line");
    let play = Play::of(&CAMPAIGN.replace(escalate, ""));
    play.tick_failing(&["ann"], &too_large());
    assert!(play.at("2027-03-27T08:05").tick().tasks.is_empty());
    let sent = play.at("2027-03-28T18:00").tick();
    assert_eq!(calls(&sent), ["our mail to them could not be sent: call Ann (no phone number in the roster)"]);
}

#[test]
fn whoever_has_no_address_is_escalated_at_once() {
    let play = Play::new();
    let people = PEOPLE.replace("ann@corp.example", "").replace("cy@corp.example", "");
    fs_err::write(play.folder.path().join("people.csv"), people).expect("written");
    let first = play.tick();
    assert_eq!((first.sent, first.failed), (1, 2));
    assert!(
        play.why("cy").starts_with("cannot be reached by mail: no address in the roster; add one"),
        "{}",
        play.why("cy")
    );
    let sent = play.at("2027-03-17T09:01").tick();
    assert_eq!(play.to("escalation"), [("ann".to_owned(), "boss@corp.example".to_owned())]);
    assert_eq!(play.letters("escalation")[0].reason, "we have no mail address of Ann");
    assert_eq!(calls(&sent), ["mail does not reach them: call Cy (no phone number in the roster)"]);
    assert_eq!(play.at("2027-03-17T09:02").tick().planned, 0, "once");
}

#[test]
fn a_letter_that_does_not_reach_the_manager_goes_to_the_alternate_at_once_and_then_somebody_calls() {
    let play = Play::new();
    play.tick();
    play.at("2027-03-28T07:00").tick_failing(&["boss"], &no_such_user());
    assert_eq!(play.letters("escalation").iter().filter(|one| one.person == "ann").count(), 1);
    play.at("2027-03-28T07:01").tick_failing(&["aide"], &no_such_user());
    let to_ann = |play: &Play| {
        let all = play.to("escalation").into_iter().filter(|(id, _)| id == "ann");
        all.map(|(_, to)| to).collect::<Vec<_>>()
    };
    assert_eq!(to_ann(&play), ["boss@corp.example", "aide@corp.example"], "a day before its hour");
    let sent = play.at("2027-03-28T07:02").tick();
    assert_eq!(calls(&sent), ["no answer to mail: call Ann (no phone number in the roster)"]);
    assert!(play.at("2027-03-30T07:00").tick().tasks.iter().all(|task| task.person != "ann"), "one call");
    assert_eq!(to_ann(&play).len(), 2);
}

#[test]
fn what_waited_until_its_time_was_over_says_why() {
    let play = Play::new();
    let later = Outcome::Released { why: "127.0.0.1:25: no connection".into() };
    play.tick_failing(&["ann"], &later);
    // A reminder is true until the answer is due, the notice until the change.
    play.at("2027-03-31T18:30").tick();
    let ann = play.letters("news").into_iter().find(|one| one.person == "ann").expect("hers");
    assert_eq!(
        (ann.state.word(), ann.reply.as_str()),
        ("held", "past its expiry before it was sent; before that: 127.0.0.1:25: no connection")
    );
    assert!(ann.remedy.contains("send --to failed"));
    assert!(play.why("ann").starts_with("was not sent our message: past its expiry"), "{}", play.why("ann"));
}

/// A text that wants a phone number, and who has one.
fn with_phones(play: &Play, has: &[&str]) {
    let mut lines = PEOPLE.lines().map(str::to_owned).collect::<Vec<_>>();
    lines[0] += ",phone";
    for line in &mut lines[1..] {
        *line += if has.iter().any(|id| line.starts_with(id)) { ",+49 1" } else { "," };
    }
    fs_err::write(play.folder.path().join("people.csv"), lines.join("\n")).expect("written");
    let folder = play.folder.path().join("templates/mail/news");
    fs_err::create_dir_all(&folder).expect("made");
    fs_err::write(folder.join("subject.hbs"), "News").expect("written");
    fs_err::write(folder.join("text.hbs"), "We call you: {{person.phone}}\n").expect("written");
}

#[test]
fn whom_one_text_cannot_be_written_to_keeps_nobody_elses_letter_back() {
    let play = Play::of(&CAMPAIGN.replace("template = \"all-clear\"\n", ""));
    with_phones(&play, &[]);
    let try_send = || play.engine().send(None, &To::Everyone, None, false, &AtomicBool::new(false), &mut |_| {});
    assert_eq!(try_send().expect_err("nobody can be written to").findings[0].code, "template-render");
    let nothing = play.engine().ledger().revision().expect("looked").is_none();
    assert!(nothing && play.letters("news").is_empty(), "the text itself may be wrong");

    with_phones(&play, &["bea", "cy"]);
    let sent = play.tick();
    assert_eq!((sent.planned, sent.sent, sent.failed), (3, 2, 1));
    let class = &sent.failures["template-render of 'news'"];
    assert_eq!((class.count, &class.people[..]), (1, &["ann".to_owned()][..]));
    let lost = crate::report::failures::open(&play.engine()).expect("looked").remove(0);
    assert_eq!((lost.person.as_str(), lost.notice.as_str(), lost.state), ("ann", "news", "failed"));
    assert!(lost.reason.contains("text.hbs:1:"), "{}", lost.reason);
    assert!(lost.reason.ends_with("the template needs 'person.phone', and this message has none"), "{}", lost.reason);
    assert!(lost.remedy.ends_with("; then run `flagday send --to failed`"), "{}", lost.remedy);
    assert!(play.why("ann").starts_with("was not sent our message: "), "{}", play.why("ann"));
    assert_eq!(play.tick().planned, 0, "once");
    play.at("2027-03-21T08:05").tick();
    assert_eq!(play.to("reminder").len(), 2, "all others");

    let again = || {
        let stop = AtomicBool::new(false);
        play.engine().send(None, &To::Failed, None, false, &stop, &mut |_| {}).expect("tried")
    };
    assert_eq!((again().failed, play.to("news").len()), (1, 4), "as long as it is not mended, it says so");
    with_phones(&play, &["ann", "bea", "cy"]);
    let sent = again();
    assert_eq!((sent.planned, sent.sent, sent.failed), (1, 1, 0));
    assert_eq!(play.why("ann"), "was sent the notice; ");
    assert!(crate::report::failures::open(&play.engine()).expect("looked").is_empty());
    assert!(again().nothing_due);
}

#[test]
fn a_text_that_can_be_written_to_nobody_is_left_out_and_what_else_is_due_goes_out() {
    let play = Play::of(&CAMPAIGN.replace("template = \"all-clear\"\n", ""));
    with_phones(&play, &["ann", "bea", "cy"]);
    play.tick();
    let folder = play.folder.path().join("templates/mail/more");
    fs_err::create_dir_all(&folder).expect("made");
    fs_err::write(folder.join("subject.hbs"), "More").expect("written");
    fs_err::write(folder.join("text.hbs"), "{{person.alternate_email}} {{person.manager_email}}\n").expect("written");
    let more = "[notice.more]\naudience = \"few\"\nat = \"T-10d\"\n[audience.few]\nid = [\"bea\", \"cy\"]\n";
    play.write(&CAMPAIGN.replace("template = \"all-clear\"\n", more));
    let sent = play.at("2027-03-21T08:05").tick();
    assert_eq!((sent.planned, sent.sent, sent.failed), (3, 3, 2), "the reminders");
    assert!(play.letters("more").is_empty());
    assert!(sent.failures["template-render of 'more'"].remedy.ends_with("none of these is planned"));
}

#[test]
fn an_escalation_that_cannot_be_written_goes_on_in_the_chain_and_is_written_anew_once_it_is_mended() {
    let play = Play::new();
    with_phones(&play, &["bea", "cy"]);
    let folder = play.folder.path().join("templates/mail/escalation");
    fs_err::create_dir_all(&folder).expect("made");
    fs_err::write(folder.join("subject.hbs"), "Please ask").expect("written");
    fs_err::write(folder.join("text.hbs"), "Call {{about.phone}}\n").expect("written");
    play.tick();
    play.record("bea", Kind::HardBounce);
    assert_eq!(play.at("2027-03-18T09:00").tick().sent, 1, "hers can be written");
    let sent = play.at("2027-03-28T07:00").tick();
    assert_eq!((sent.failed, play.to("escalation").len()), (1, 2));
    play.at("2027-03-28T07:01").tick();
    let to_ann = || play.letters("escalation").into_iter().filter(|one| one.person == "ann");
    let failed: Vec<_> = to_ann().map(|one| (one.envelope_to.unwrap_or_default(), one.state)).collect();
    let both = ["boss@corp.example", "aide@corp.example"].map(|to| (to.to_owned(), State::Failed));
    assert_eq!(failed, both);
    with_phones(&play, &["ann", "bea", "cy"]);
    let stop = AtomicBool::new(false);
    let sent = play.engine().send(None, &To::Failed, None, false, &stop, &mut |_| {}).expect("tried");
    assert_eq!((sent.planned, sent.sent, sent.failed), (2, 2, 0));
    assert!(play.letter_to("escalation", "boss@corp.example").contains("Call +49 1"));
}
