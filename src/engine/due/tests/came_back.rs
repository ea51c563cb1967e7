use super::*;
use crate::engine::{TakenIn, Wish};
use crate::inbox::Letter;
use crate::outbox::State;
use crate::report::failures;

impl Play {
    /// A report that a letter of ours failed comes in.
    pub(super) fn comes_back(&self, letter: &MessageRow) {
        let id = letter.message_id.trim_matches(['<', '>']);
        let to = letter.envelope_to.as_deref().unwrap_or_default();
        let report = format!(
            "From: MAILER-DAEMON@mx.example\nSubject: report on {}\nMessage-ID: <{}.{}@mx.example>\n\
             Content-Type: multipart/report; boundary=B\n\n--B\nContent-Type: message/delivery-status\n\n\
             Original-Envelope-Id: {id}\n\nFinal-Recipient: rfc822; {to}\nAction: failed\nStatus: 5.1.1\n\
             Diagnostic-Code: smtp; 550 5.1.1 no such user\n--B--\n",
            letter.notice,
            letter.id,
            self.clock.now().timestamp()
        );
        let held = Letter::Held { name: letter.id.to_string(), bytes: report.into_bytes() };
        self.engine().take_letters(vec![held], &mut TakenIn::default()).expect("taken");
    }

    fn correct_ann(&self) {
        let people = PEOPLE.replace("ann@corp.example", "new@corp.example");
        fs_err::write(self.folder.path().join("people.csv"), people).expect("written");
    }

    fn failed_again(&self) {
        let stop = AtomicBool::new(false);
        self.engine().send(None, &To::Failed, None, false, &stop, &mut |_| {}).expect("sent");
    }

    fn ann(&self) -> crate::answer::Standing {
        let engine = self.engine();
        let asked = engine.campaign.acknowledgements["read"].clone();
        engine.standing(&asked, "ann").expect("asked").expect("in the audience")
    }

    fn reminders_to(&self, address: &str) -> usize {
        self.to("reminder").iter().filter(|(_, to)| to == address).count()
    }
}

#[test]
fn a_late_bounce_from_the_address_of_before_leaves_the_corrected_one_as_it_is() {
    let play = Play::new();
    play.at("2027-03-17T09:00").tick();
    play.at("2027-03-21T09:00").tick();
    let (news, reminder) = (play.letters("news").remove(0), play.letters("reminder").remove(0));
    assert_eq!((&*news.person, &*reminder.person), ("ann", "ann"));
    play.comes_back(&news);
    assert_eq!(play.ann().trouble, Some(Kind::HardBounce));
    play.correct_ann();
    let corrected = play.ann();
    assert!(corrected.trouble == Some(Kind::SoftBounce) && corrected.remedy.contains("--to failed"), "{corrected:?}");
    play.failed_again();
    assert_eq!(play.ann().trouble, None);
    play.at("2027-03-22T09:00").comes_back(&reminder);
    // A second bounce of the first one: it had gone out twice.
    play.at("2027-03-22T09:01").comes_back(&news);
    let ann = play.ann();
    assert_eq!((ann.trouble, &*ann.why), (None, "was sent the notice"));
    let lost = failures::open(&play.engine()).expect("listed");
    let remedies: Vec<&str> = lost.iter().map(|one| one.remedy.as_str()).collect();
    assert_eq!(remedies, [crate::answer::CORRECTED], "{lost:?}");
    play.at("2027-03-24T09:00").tick();
    assert_eq!(play.reminders_to("new@corp.example"), 1);
    let lost = failures::open(&play.engine()).expect("listed");
    assert_eq!(lost, [], "a later reminder took its place");
    // Mail to that one comes back as well.
    let newest = play.letters("reminder").into_iter().rev().find(|one| one.person == "ann").expect("a reminder");
    play.at("2027-03-24T10:00").comes_back(&newest);
    assert_eq!(play.ann().trouble, Some(Kind::HardBounce));
    play.at("2027-03-26T09:00").tick();
    assert_eq!(play.reminders_to("new@corp.example"), 1);
}

#[test]
fn a_reminder_that_waited_does_not_go_to_an_address_from_which_mail_has_come_back_meanwhile() {
    let play = Play::new();
    play.at("2027-03-17T09:00").tick();
    play.server_is_down(true);
    let stop = AtomicBool::new(false);
    play.at("2027-03-21T09:00");
    play.engine().send(None, &To::Everyone, None, false, &stop, &mut |_| {}).expect_err("the server is down");
    play.comes_back(&play.letters("news").remove(0));
    play.server_is_down(false);
    let sent = play.at("2027-03-21T10:00").tick();
    assert_eq!(sent.moot, 1);
    let states: Vec<(String, State)> =
        play.letters("reminder").into_iter().map(|one| (one.person, one.state)).collect();
    let expected = [("ann", State::Cancelled), ("bea", State::Sent), ("cy", State::Sent)];
    assert_eq!(states, expected.map(|(person, state)| (person.to_owned(), state)));
    assert_eq!(play.to("escalation"), [("ann".to_owned(), "boss@corp.example".to_owned())]);
    assert_eq!(play.ann().trouble, Some(Kind::HardBounce));
}

/// Ann and Bea have a manager and an alternate, Cy has the manager alone.
fn with_a_boss(campaign: &str) -> Play {
    let people =
        PEOPLE.replace("user,,aide", "user,boss@corp.example,aide").replace("user,,,", "user,boss@corp.example,,");
    let play = Play::of(campaign);
    play.people(&people);
    play.tick();
    play.record("bea", Kind::HardBounce);
    play.at("2027-03-18T09:00").tick();
    assert_eq!(play.about("bea"), [("boss@corp.example".to_owned(), State::Sent)]);
    play.at("2027-03-28T07:00");
    play
}

/// The same where those about Ann and Cy wait for the manager, and the one about Bea comes back.
fn waiting_for_the_boss(campaign: &str) -> Play {
    let play = with_a_boss(campaign);
    play.planned_while_down();
    assert_eq!((play.about("ann"), play.about("cy")), (vec![to_boss(State::Planned)], vec![to_boss(State::Planned)]));
    play.comes_back(&play.letters("escalation").remove(0));
    play
}

fn to_boss(state: State) -> (String, State) {
    ("boss@corp.example".to_owned(), state)
}

fn to_aide(state: State) -> (String, State) {
    ("aide@corp.example".to_owned(), state)
}

impl Play {
    fn about(&self, who: &str) -> Vec<(String, State)> {
        let letters = self.letters("escalation").into_iter().filter(|one| one.person == who);
        letters.map(|one| (one.envelope_to.unwrap_or_default(), one.state)).collect()
    }

    fn planned_while_down(&self) {
        self.server_is_down(true);
        let stop = AtomicBool::new(false);
        self.engine().send(None, &To::Everyone, None, false, &stop, &mut |_| {}).expect_err("the server is down");
        self.server_is_down(false);
    }

    fn why_lost(&self, who: &str) -> Vec<String> {
        let lost = failures::open(&self.engine()).expect("listed").into_iter();
        lost.filter(|one| one.person == who).map(|one| one.reason).collect()
    }
}

#[test]
fn an_escalation_goes_on_in_the_chain_where_mail_to_the_manager_comes_back() {
    for waits in [false, true] {
        let play = if waits { waiting_for_the_boss(CAMPAIGN) } else { with_a_boss(CAMPAIGN) };
        if !waits {
            play.comes_back(&play.letters("escalation").remove(0));
        }
        let sent = play.tick();
        assert_eq!(play.about("ann").last(), Some(&to_aide(State::Sent)), "the next in the chain");
        let calls: Vec<&str> = sent.tasks.iter().map(|task| task.what.as_str()).collect();
        assert!(calls.len() == 1 && calls[0].ends_with("call Cy (no phone number in the roster)"), "{calls:?}");
        let held = "mail to boss@corp.example comes back, and nobody else is left to write to";
        let expected = if waits { (1, 1, vec![held.to_owned()]) } else { (0, 0, vec![]) };
        assert_eq!((sent.gone_on, sent.nobody_left, play.why_lost("cy")), expected);
        assert!(play.at("2027-03-28T08:00").tick().tasks.is_empty(), "once");
        let all = [play.about("ann"), play.about("cy")].concat();
        assert!(!all.contains(&to_boss(State::Sent)), "{all:?}");
    }
}

#[test]
fn an_amendment_sends_nobodys_escalation_where_mail_comes_back() {
    let play = waiting_for_the_boss(CAMPAIGN);
    let people = fs_err::read_to_string(play.folder.path().join("people.csv")).expect("read");
    play.people(&format!("{people}dee,Dee,dee@corp.example,user,,,\n"));
    let (_, sent) =
        play.engine().amend(&Wish::default(), &AtomicBool::new(false), &mut |_| {}).expect("Dee has joined");
    assert_eq!((sent.gone_on, sent.nobody_left), (1, 1));
    assert_eq!(play.about("ann"), [to_boss(State::Cancelled), to_aide(State::Sent)]);
    assert_eq!(play.about("cy"), [to_boss(State::Held)]);
}

#[test]
fn nobody_has_to_call_where_the_next_in_the_chain_is_asked_already() {
    let play = with_a_boss(&CAMPAIGN.replace(r#"at = "T-2d", to"#, r#"at = "T-3d 12:00", to"#));
    play.planned_while_down();
    play.at("2027-03-28T10:00").planned_while_down();
    assert_eq!(play.about("ann"), [to_boss(State::Planned), to_aide(State::Planned)]);
    play.comes_back(&play.letters("escalation").remove(0));
    let sent = play.tick();
    assert_eq!((sent.gone_on, sent.nobody_left), (1, 1), "and nobody is left about Cy");
    assert_eq!(play.about("ann"), [to_boss(State::Cancelled), to_aide(State::Sent)]);
    assert!(play.why_lost("ann").is_empty() && sent.tasks.iter().all(|task| task.person != "ann"), "{:?}", sent.tasks);
}

#[test]
fn an_escalation_whose_window_is_over_is_held_because_of_that() {
    let play = waiting_for_the_boss(CAMPAIGN);
    let sent = play.at("2027-03-29T07:30").tick();
    assert_eq!((sent.expired, sent.gone_on, sent.nobody_left), (2, 0, 0));
    assert_eq!(play.about("ann"), [to_boss(State::Held), to_aide(State::Sent)], "asked by the step of that day");
}

#[test]
fn what_a_person_asks_for_again_is_not_held_by_the_next_round() {
    let play = waiting_for_the_boss(&format!("{CAMPAIGN}[calendar]\nquiet = \"20:00-07:00\"\n"));
    play.tick();
    assert_eq!(play.about("cy"), [to_boss(State::Held)]);
    // Who has answered is not tried again: that letter stays one that came back.
    play.record("bea", Kind::Confirmed);
    play.at("2027-03-28T20:00").server_is_down(true);
    let stop = AtomicBool::new(false);
    play.engine().send(None, &To::Failed, None, false, &stop, &mut |_| {}).expect_err("the server is down");
    play.server_is_down(false);
    play.at("2027-03-28T21:00").tick();
    assert_eq!(play.about("cy"), [to_boss(State::Planned)], "until the morning");
    play.at("2027-03-29T06:00").tick();
    assert_eq!(play.about("cy"), [to_boss(State::Sent)]);
}
