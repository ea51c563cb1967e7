//! What `plan --person` says of steps that are otherwise than by their hour, and `amend` of what is held by a nearer date.

use super::*;
use crate::engine::Wish;

/// State and reason of a person's reminders, escalations and calls, in order of time.
fn fates(play: &Play, person: &str) -> Vec<String> {
    let plan = play.engine().plan(Some(person)).expect("a plan").into_iter().filter(|line| line.what != "notice");
    let line = |line: crate::engine::Planned| {
        let why = if line.why.is_empty() { String::new() } else { format!(": {}", line.why) };
        format!("{} {}{why}", line.moment.trim_end_matches(" 09:00"), line.state)
    };
    plan.map(line).collect()
}

#[test]
fn a_step_that_was_brought_forward_is_done_and_says_why() {
    let play = Play::new();
    play.tick();
    play.record("ann", Kind::HardBounce);
    play.record("cy", Kind::HardBounce);
    assert_eq!(fates(&play, "ann")[4], "T-3d due: brought forward: our mail to Ann comes back undelivered");
    play.at("2027-03-18T09:00").tick();
    let unreached = "passed over: mail does not reach them";
    assert_eq!(
        fates(&play, "ann"),
        [
            &format!("T-10d {unreached}"),
            &format!("T-7d {unreached}"),
            &format!("T-5d {unreached}"),
            &format!("T-4d {unreached}"),
            "T-3d done: brought forward: our mail to Ann comes back undelivered",
            "T-2d to come",
            "T-1d to come",
        ]
    );
    assert_eq!(fates(&play, "cy")[6], "T-1d done: somebody is to call them already");
}

#[test]
fn whoever_is_away_is_not_reminded_until_they_are_back_and_the_plan_says_so() {
    let play = Play::of(&format!("{CAMPAIGN}[calendar]\nquiet = \"20:00-07:00\"\n"));
    play.tick();
    play.says("ann", Kind::AutoReply, "back on 2027-03-29");
    let away = "Ann is away until 2027-03-29, and the answer is needed before";
    let night = fates(play.at("2027-03-17T22:00"), "ann");
    assert_eq!(night[0], "T-10d passed over: away until 2027-03-29");
    assert_eq!(night[4], format!("T-3d quiet: brought forward to the end of quiet hours: {away}"));
    let next = play.engine().next_entry().expect("a look").expect("the manager's letter");
    assert_eq!((next.what, next.at), (crate::engine::What::Escalation, day("2027-03-18T06:00")), "in `status`, too");
    play.at("2027-03-18T06:00").tick();
    assert_eq!(fates(&play, "ann")[4], format!("T-3d done: brought forward: {away}"));
    assert_eq!(play.to("escalation").len(), 1);
}

#[test]
fn what_the_cap_swallows_is_not_to_come_and_an_answer_makes_the_rest_needless() {
    let play = Play::of(&CAMPAIGN.replace("cap = 8", "cap = 2"));
    play.tick();
    let cap = "passed over: never more than the cap, 2 letters";
    let capped = [
        "T-10d to come",
        "T-7d to come",
        &format!("T-5d {cap}"),
        &format!("T-4d {cap}"),
        "T-3d to come: as a call: never more than the cap, 2 letters",
        "T-2d passed over: somebody is to call them by then",
        "T-1d passed over: somebody is to call them by then",
    ];
    assert_eq!(fates(&play, "ann"), capped, "beforehand");
    play.at("2027-03-21T08:05").tick();
    play.at("2027-03-24T08:05").tick();
    let calls = play.at("2027-03-28T07:05").tick().tasks;
    let called: Vec<&str> = calls.iter().map(|task| task.what.as_str()).collect();
    let ann = "no answer to as many letters as the cap allows: call Ann (no phone number in the roster)";
    assert_eq!((called.len(), called[0]), (3, ann), "in place of the letter to her manager");
    assert!(play.at("2027-03-29T08:05").tick().tasks.is_empty() && play.to("escalation").is_empty());
    let already = "somebody is to call them already";
    let after = [
        "T-10d done",
        "T-7d done",
        capped[2],
        capped[3],
        "T-3d done: as a call",
        &format!("T-2d passed over: {already}"),
        &format!("T-1d done: {already}"),
    ];
    assert_eq!(fates(&play, "ann"), after, "and it was so");
    play.record("ann", Kind::Confirmed);
    assert_eq!(fates(&play, "ann")[6], "T-1d passed over: the answer is there");
}

#[test]
fn amend_names_what_a_nearer_date_holds() {
    let more = "[notice.later]\naudience = \"all\"\nat = \"T-8d\"\ntemplate = \"all-clear\"\n";
    let play = Play::of(&format!("{CAMPAIGN}{more}"));
    play.tick();
    play.write(&format!("{}{more}", CAMPAIGN.replace("2027-03-31T18", "2027-03-24T18")));
    play.at("2027-03-18T09:00");
    let found = play.engine().amendment(&Wish::default()).expect("found");
    assert_eq!(found.held, [("later".to_owned(), 3)].into(), "its hour was the 16th; reminders begin anew");
    play.engine().amend(&Wish::default(), &AtomicBool::new(false), &mut |_| {}).expect("amended");
    let status = crate::report::status::Status::of(&play.engine()).expect("a status");
    assert_eq!(status.overdue, found.held, "`status` counts the same");
    let engine = &mut play.engine();
    let sent = engine.send(Some("later"), &To::Everyone, None, false, &AtomicBool::new(false), &mut |_| {});
    assert_eq!(sent.expect("sent").sent, 3);
}

#[test]
fn an_escalation_that_nobody_got_is_not_done_because_somebody_is_called() {
    let play = Play::new();
    play.tick();
    play.record("cy", Kind::HardBounce);
    play.at("2027-03-18T09:00").tick();
    play.at("2027-03-28T07:05").tick();
    let fates = fates(&play, "cy");
    let called = "passed over: somebody is to call them already";
    assert_eq!(fates[4..6], [format!("T-3d {called}"), format!("T-2d {called}")]);
}

#[test]
fn an_escalation_that_nobody_is_left_to_get_is_planned_as_the_call_it_will_be() {
    let play = Play::new();
    let nobody = "to come: as a call: nobody to escalate to";
    let then = "passed over: somebody is to call them by then";
    for told in [false, true] {
        assert_eq!(fates(&play, "ann")[4..], ["T-3d to come", "T-2d to come", "T-1d to come"], "told: {told}");
        // Her alternate is asked in the place of the manager whom she has not got, and then nobody is left.
        assert_eq!(fates(&play, "bea")[4..], ["T-3d to come".into(), format!("T-2d {nobody}"), format!("T-1d {then}")]);
        assert_eq!(fates(&play, "cy")[4..], [format!("T-3d {nobody}"), format!("T-2d {then}"), format!("T-1d {then}")]);
        play.tick();
    }
    play.at("2027-03-28T07:05").tick();
    assert_eq!((play.to("escalation").len(), fates(&play, "cy")[4].as_str()), (2, "T-3d done: as a call"));
    let called = play.at("2027-03-29T07:05").tick().tasks;
    assert_eq!((play.to("escalation").len(), called[0].person.as_str()), (3, "bea"), "as it was planned");
}

#[test]
fn what_is_to_come_is_counted_without_those_who_have_answered_and_is_not_next_for_nobody() {
    let play = Play::new();
    let people = || {
        let plan = play.engine().plan(None).expect("a plan").into_iter().filter(|line| line.what != "notice");
        plan.map(|line| (line.people, line.state)).collect::<Vec<_>>()
    };
    let all = |people, state: &str| vec![(people, state.to_owned()); 7];
    assert_eq!(people(), all(3, "to come"), "who was not told yet may be silent");
    play.tick();
    assert_eq!(people(), all(3, "to come"));
    play.record("ann", Kind::Confirmed);
    assert_eq!(people(), all(2, "to come"));
    play.record("cy", Kind::HardBounce);
    let [reminders, escalations] = [&people()[..4], &people()[4..]].map(<[_]>::to_vec);
    assert_eq!(reminders, all(1, "to come")[..4], "mail does not reach Cy");
    assert_eq!(escalations, all(2, "to come")[..3]);
    let next = || play.engine().next_moment().expect("asked").map(|(_, what)| what);
    assert_eq!(next().as_deref(), Some("reminder"));
    for person in ["bea", "cy"] {
        play.record(person, Kind::Confirmed);
    }
    assert_eq!(people(), all(0, "passed over"), "nobody has to get it");
    assert_eq!(next(), None);
    assert_eq!(crate::report::status::Status::of(&play.engine()).expect("a status").upcoming, None);
}
