use super::*;
use crate::engine::TakenIn;
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

#[test]
fn an_escalation_goes_on_in_the_chain_where_mail_to_the_manager_comes_back() {
    let boss = |play: &Play| play.to("escalation").iter().filter(|(_, to)| to == "boss@corp.example").count();
    let about = |play: &Play, who: &str| -> Vec<(String, State)> {
        let letters = play.letters("escalation").into_iter().filter(|one| one.person == who);
        letters.map(|one| (one.envelope_to.unwrap_or_default(), one.state)).collect()
    };
    let people =
        PEOPLE.replace("user,,aide", "user,boss@corp.example,aide").replace("user,,,", "user,boss@corp.example,,");
    for waits in [false, true] {
        let play = Play::new();
        fs_err::write(play.folder.path().join("people.csv"), &people).expect("written");
        play.tick();
        play.record("bea", Kind::HardBounce);
        play.at("2027-03-18T09:00").tick();
        assert_eq!((about(&play, "bea").len(), boss(&play)), (1, 1));
        play.at("2027-03-28T07:00");
        if waits {
            play.server_is_down(true);
            let stop = AtomicBool::new(false);
            play.engine().send(None, &To::Everyone, None, false, &stop, &mut |_| {}).expect_err("the server is down");
            assert_eq!(boss(&play), 3, "about all of them");
            play.server_is_down(false);
        }
        play.comes_back(&play.letters("escalation").remove(0));
        let sent = play.tick();
        let aide = ("aide@corp.example".to_owned(), State::Sent);
        assert_eq!(about(&play, "ann").last(), Some(&aide), "the next in the chain");
        let calls: Vec<&str> = sent.tasks.iter().map(|task| task.what.as_str()).collect();
        assert!(calls.len() == 1 && calls[0].ends_with("call Cy (no phone number in the roster)"), "{calls:?}");
        let lost = failures::open(&play.engine()).expect("listed");
        let about_cy: Vec<&str> = lost.iter().filter(|one| one.person == "cy").map(|one| &*one.reason).collect();
        let held = "mail to boss@corp.example comes back, and nobody else is left to write to";
        assert_eq!((sent.gone_on, about_cy), if waits { (2, vec![held]) } else { (0, vec![]) });
        assert!(play.at("2027-03-28T08:00").tick().tasks.is_empty(), "once");
        let to_boss =
            about(&play, "ann").into_iter().chain(about(&play, "cy")).filter(|(to, _)| to.starts_with("boss"));
        assert!(to_boss.clone().all(|(_, state)| state != State::Sent), "{:?}", to_boss.collect::<Vec<_>>());
    }
}
