//! People who are told after the hour of an escalation, or told anew: nobody says of them that they have not answered.

use super::*;
use crate::engine::Wish;

/// The answer is due on 28 March, 07:00 UTC; the manager is asked then, and somebody calls on the 29th.
fn late() -> String {
    let steps = r#"{ at = "T-3d", to = "manager" }, { at = "T-2d", task = "phone" }]"#;
    let escalate = CAMPAIGN.find("escalate = ").expect("a list");
    format!("{}escalate = [{steps}\n", &CAMPAIGN[..escalate])
}

impl Play {
    fn tell(&self) {
        let engine = &mut self.engine();
        engine.short_notice = true;
        engine.send(Some("news"), &To::Everyone, None, false, &AtomicBool::new(false), &mut |_| {}).expect("told");
    }

    fn calls(&self) -> Vec<String> {
        let mut calls: Vec<String> =
            self.engine().ledger().tasks().expect("tasks").into_iter().map(|one| one.person).collect();
        calls.sort();
        calls
    }

    fn escalations(&self, person: &str) -> Vec<String> {
        let plan = self.engine().plan(Some(person)).expect("a plan").into_iter();
        plan.filter(|one| one.what.contains("for those silent")).map(|one| one.state).collect()
    }
}

#[test]
fn whoever_is_told_after_the_hour_is_not_escalated_by_it_and_called_a_day_later() {
    let play = Play::of(&late());
    // Six hours too late.
    play.at("2027-03-28T13:00").tell();
    let due = play.engine().past_due(None).expect("asked");
    assert_eq!(due, [], "all are told");
    for moment in ["2027-03-28T13:01", "2027-03-28T20:00"] {
        assert_eq!(play.at(moment).tick().tasks, []);
    }
    assert_eq!(play.escalations("ann"), ["passed over", "to come"]);
    // Cy has no manager: somebody would have had to call at once.
    assert_eq!(play.escalations("cy"), ["to come", "to come"]);
    let (at, what) = play.engine().next_moment().expect("asked").expect("to come");
    assert_eq!((at, what.as_str()), (day("2027-03-29T07:00"), "a phone task"));
    assert_eq!(play.at("2027-03-29T07:00").tick().tasks.len(), 3, "by the hour that was still to come");
    assert_eq!((play.to("escalation"), play.calls()), (vec![], vec!["ann".into(), "bea".into(), "cy".into()]));
}

#[test]
fn a_call_whose_hour_has_passed_waits_for_a_window_or_half_of_what_is_left() {
    let play = Play::of(&late());
    // 53 hours before the change, by the clock of summer.
    play.at("2027-03-29T11:00").tell();
    play.at("2027-03-30T10:59").tick();
    assert_eq!(play.calls(), [""; 0]);
    let (at, _) = play.engine().next_moment().expect("asked").expect("to come");
    assert_eq!(at, day("2027-03-30T11:00"));
    play.at("2027-03-30T11:00").tick();
    assert_eq!(play.calls().len(), 3);
    let play = Play::of(&late());
    play.at("2027-03-31T12:00").tell();
    play.at("2027-03-31T13:59").tick();
    assert_eq!(play.calls(), [""; 0]);
    play.at("2027-03-31T14:00").tick();
    assert_eq!(play.calls().len(), 3);
}

#[test]
fn an_answer_that_an_amendment_voids_is_not_told_as_silence() {
    let play = Play::of(&late());
    play.tick();
    play.record("ann", Kind::Confirmed);
    // Three days from now: what is due three days before was due this morning.
    play.at("2027-03-25T12:00").write(&late().replace("2027-03-31T18", "2027-03-28T18"));
    let wish = Wish::default();
    let amendment = {
        let engine = &mut play.engine();
        engine.short_notice = true;
        let amendment = engine.amendment(&wish).expect("compared");
        let due = engine.past_due_after(&amendment).expect("asked");
        assert!(due[0].cause.starts_with("'read' was due Thu 2027-03-25 09:00 CET, and 3 people are told"), "{due:?}");
        assert!(due[0].remedy.contains("another `due` in [acknowledgement.read]"), "{due:?}");
        engine.amend(&wish, &AtomicBool::new(false), &mut |_| {}).expect("amended").0
    };
    assert_eq!(amendment.informed.len(), 3);
    let letter = play.letter_to("news", "ann@corp.example");
    assert!(letter.contains("Subject: Changed: ") && !letter.contains("25 March 2027, 09:00"), "{letter}");
    for moment in ["2027-03-25T12:01", "2027-03-25T18:00"] {
        play.at(moment).tick();
    }
    assert_eq!((play.to("escalation"), play.calls()), (vec![], vec![]));
    assert_eq!(play.escalations("ann"), ["passed over", "to come"]);
}

#[test]
fn told_just_before_the_hour_they_get_an_hour_to_answer() {
    let play = Play::of(&late());
    play.at("2027-03-28T06:58").tell();
    assert_eq!(play.at("2027-03-28T07:00").tick().planned, 0);
    let (at, what) = play.engine().next_moment().expect("asked").expect("to come");
    assert_eq!((at, what.as_str()), (day("2027-03-28T07:58"), "escalation"));
    play.record("ann", Kind::Confirmed);
    let sent = play.at("2027-03-28T07:58").tick();
    let aide = ("bea".to_owned(), "aide@corp.example".to_owned());
    assert_eq!((sent.tasks.len(), play.to("escalation")), (1, vec![aide]), "Ann has answered, Cy is to be called");
}

#[test]
fn a_joiner_is_not_escalated_by_an_hour_before_they_joined_and_one_whom_mail_does_not_reach_is() {
    let play = Play::of(&late());
    play.tick();
    for id in ["ann", "bea", "cy"] {
        play.record(id, Kind::Confirmed);
    }
    let joined = format!(
        "{PEOPLE}dan,Dan,dan@corp.example,user,boss@corp.example,,\neve,Eve,eve@corp.example,user,boss@corp.example,,\n"
    );
    fs_err::write(play.folder.path().join("people.csv"), joined).expect("written");
    play.at("2027-03-28T10:00");
    assert!(play.engine().past_due(None).expect("asked")[0].cause.contains("2 people are told only now"));
    play.amend(&Wish::default());
    play.record("eve", Kind::HardBounce);
    play.at("2027-03-28T10:01").tick();
    assert_eq!(play.to("escalation"), [("eve".to_owned(), "boss@corp.example".to_owned())]);
    // Told once more because somebody asked for it: the first letter counts.
    let again = To::People(vec!["dan".to_owned()]);
    let engine = &mut play.at("2027-03-29T08:00").engine();
    engine.send(Some("news"), &again, None, true, &AtomicBool::new(false), &mut |_| {}).expect("sent");
    play.at("2027-03-29T08:01").tick();
    assert!(play.calls().contains(&"dan".to_owned()), "by the hour after his first letter");
}

#[test]
fn whoever_was_away_and_is_back_has_missed_no_reminder() {
    let play = Play::new();
    play.tick();
    // The reminder of the 21st is spared them; Ann is back on the 23rd, Bea writes on the 22nd, and Cy says nothing.
    play.says("ann", Kind::AutoReply, "back on 2027-03-23");
    play.says("bea", Kind::AutoReply, "back on 2027-03-25");
    play.at("2027-03-21T08:05").tick();
    assert_eq!(play.to("reminder").len(), 1);
    play.at("2027-03-22T10:00").says("bea", Kind::Question, "what is it about?");
    let sent = play.at("2027-03-23T09:00").tick();
    assert_eq!((sent.late.len(), sent.planned), (0, 0), "nobody has to decide about it: {sent:?}");
    assert_eq!(play.engine().overdue().expect("counted"), 0);
    let plan = play.engine().plan(Some("ann")).expect("a plan");
    let first = plan.iter().find(|one| one.moment == "T-10d 09:00").expect("planned");
    assert_eq!(first.state, "passed over");
    play.at("2027-03-24T08:05").tick();
    assert_eq!(play.to("reminder").len(), 4, "the next one goes to all");
}
