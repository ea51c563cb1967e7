//! Whoever stays silent is pressed along the chain: each link once, never more than the cap, one call, whatever falls
//! together.

use super::*;
use std::collections::HashMap;

/// What somebody silent has: a manager, an alternate, both, one who is both, or nobody.
const LINKS: [(&str, &str); 5] = [("boss", "aide"), ("boss", ""), ("", "aide"), ("boss", "boss"), ("", "")];

const STEPS: [&str; 3] = ["to = \"manager\"", "to = \"alternate\"", "task = \"phone\""];

#[test]
fn a_machine_that_slept_past_a_step_holds_the_letter_and_makes_the_call() {
    let play = Play::new();
    play.tick();
    // The step of the 28th is two days over: Ann's manager is asked by name only, and nobody is left to ask for Cy.
    let sent = play.at("2027-03-30T06:00").tick();
    assert_eq!(sent.late.iter().filter(|entry| entry.what == crate::engine::What::Escalation).count(), 1);
    assert_eq!(sent.tasks.iter().map(|task| task.person.as_str()).collect::<Vec<_>>(), ["cy"]);
    assert_eq!(
        play.to("escalation"),
        [("ann".to_owned(), "aide@corp.example".to_owned()), ("bea".to_owned(), "aide@corp.example".to_owned())]
    );
    assert_eq!(play.engine().overdue().expect("a count"), 4, "three last reminders, and Ann's manager");
    let again = play.at("2027-03-30T06:30").tick();
    assert_eq!((again.planned, again.tasks.len()), (0, 1), "nobody is left for Bea");
    assert_eq!(play.at("2027-03-30T07:30").tick().tasks.len(), 1, "the call about Ann, whose hour has come");
    assert!(play.at("2027-03-30T08:30").tick().tasks.is_empty());
}

#[test]
fn another_date_begins_the_chain_anew() {
    let play = Play::new();
    play.tick();
    play.record("cy", Kind::HardBounce);
    assert_eq!(play.at("2027-03-18T09:00").tick().tasks.len(), 1);
    play.write(&CAMPAIGN.replace("2027-03-31", "2027-04-30"));
    let wish = crate::engine::Wish::default();
    play.engine().amend(&wish, &AtomicBool::new(false), &mut |_| {}).expect("amended");
    assert!(play.at("2027-03-18T10:00").tick().tasks.is_empty(), "the new letter got through, as far as is known");
    play.record("cy", Kind::HardBounce);
    let tasks = play.at("2027-03-18T11:00").tick().tasks;
    assert_eq!(
        tasks.iter().map(|task| task.what.as_str()).collect::<Vec<_>>(),
        ["mail does not reach them: call Cy (no phone number in the roster)"]
    );
    assert_eq!(play.engine().ledger().tasks().expect("tasks").len(), 2);
    assert_eq!(play.engine().ledger().tasks_in_force().expect("tasks").len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_link_once_and_never_more_than_the_cap(
        links in prop::array::uniform3(0usize..5),
        steps in prop::collection::btree_set((1u32..6, 0usize..3), 1..5),
        cap in 1usize..6,
        ticks in prop::collection::btree_set(0i64..15 * 24, 4..16),
        troubles in prop::collection::vec((1i64..12 * 24, 0usize..3, 0usize..3), 0..4),
    ) {
        let escalate: Vec<String> =
            steps.iter().rev().map(|(days, way)| format!("{{ at = \"T-{days}d\", {} }}", STEPS[*way])).collect();
        let start = CAMPAIGN.find("escalate = ").expect("a list");
        let play = Play::of(&format!("{}escalate = [{}]\ncap = {cap}\n", &CAMPAIGN[..start], escalate.join(", ")));
        let address = |name: &str| if name.is_empty() { String::new() } else { format!("{name}@corp.example") };
        let mut people = "id,name,email,kind,manager_email,alternate_email\n".to_owned();
        for (id, link) in ["ann", "bea", "cy"].iter().zip(links) {
            let (manager, alternate) = (address(LINKS[link].0), address(LINKS[link].1));
            people += &format!("{id},{id},{id}@corp.example,user,{manager},{alternate}\n");
        }
        fs_err::write(play.folder.path().join("people.csv"), people).expect("written");
        play.tick();
        let mut happenings: Vec<(i64, usize, usize)> = ticks.into_iter().map(|hour| (hour, 9, 0)).collect();
        happenings.extend(troubles);
        happenings.sort_unstable();
        for (hour, who, trouble) in happenings {
            play.clock.set(day("2027-03-17T10:00") + Duration::hours(hour));
            match (who, trouble) {
                (9, _) => drop(play.tick()),
                (who, 0) => play.says(["ann", "bea", "cy"][who], Kind::HardBounce, "550 no such user"),
                (who, 1) => play.says(["ann", "bea", "cy"][who], Kind::AutoReply, "back on 2027-04-20"),
                (who, _) => play.record(["ann", "bea", "cy"][who], Kind::Confirmed),
            }
        }
        let mut calls: HashMap<String, usize> = HashMap::new();
        for task in play.engine().ledger().tasks().expect("tasks") {
            *calls.entry(task.person).or_default() += 1;
        }
        prop_assert!(calls.values().all(|count| *count == 1), "{calls:?}");
        let (reminders, escalations) = (play.letters("reminder"), play.letters("escalation"));
        for (id, link) in ["ann", "bea", "cy"].iter().zip(links) {
            let went: Vec<_> = escalations.iter().filter(|one| one.person == *id).collect();
            let reminded = reminders.iter().filter(|one| one.person == *id).count();
            prop_assert!(went.len() + reminded <= cap, "{id}: {went:?}");
            let (manager, alternate) = (address(LINKS[link].0), address(LINKS[link].1));
            for to in went.iter().filter_map(|one| one.envelope_to.as_ref()) {
                prop_assert!(*to == manager || *to == alternate, "{to} is nobody's");
                // As often as the file says so, and never because two steps lead to one address.
                let own = |way: usize, own: &str| if own == to { steps.iter().filter(|(_, one)| *one == way).count() } else { 0 };
                let most = own(0, &manager).max(own(1, &alternate)).max(1);
                let times = went.iter().filter(|one| one.envelope_to.as_ref() == Some(to)).count();
                prop_assert!(times <= most, "{id}: {times} letters to {to}: {went:?}");
            }
        }
    }
}

#[test]
fn a_phone_task_to_come_is_announced_for_those_alone_whom_nobody_calls_yet() {
    let play = Play::new();
    play.tick();
    let people = |play: &Play| {
        let planned = play.engine().plan(None).expect("planned").into_iter();
        let task = planned.filter(|one| one.what.starts_with("phone task")).map(|one| (one.people, one.state));
        task.collect::<Vec<_>>()
    };
    assert_eq!(people(&play), [(3, "to come".to_owned())]);
    // Nobody can be written to about Cy: a call. A day later nobody else about Bea.
    play.at("2027-03-28T08:05").tick();
    assert_eq!(people(&play), [(2, "to come".to_owned())]);
    play.at("2027-03-29T08:05").tick();
    assert_eq!(people(&play), [(1, "to come".to_owned())]);
    let next = |play: &Play| play.engine().next_entry().expect("asked").map(|one| one.what);
    assert_eq!(next(&play), Some(crate::engine::What::Task));
    play.record("ann", Kind::Confirmed);
    assert_eq!(people(&play), [(0, "done".to_owned())], "they are called already");
    assert_eq!(next(&play), None, "and nothing is to come");
}

#[test]
fn a_call_that_waits_for_who_was_told_late_is_planned_for_its_own_hour() {
    let play = Play::new();
    // Told after the hour of the call.
    assert_eq!(play.at("2027-03-30T09:00").asks_for("news", None).sent, 3);
    let planned = play.engine().plan(None).expect("planned");
    let call = planned.iter().find(|one| one.what.starts_with("phone task")).expect("a call");
    assert_eq!((call.people, call.state.as_str()), (3, "to come"));
    assert_eq!(call.at, day("2027-03-31T00:30"), "half of what is left until the change");
    assert!(planned.is_sorted_by_key(|one| one.at));
}
