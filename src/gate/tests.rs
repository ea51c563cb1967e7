//! Gates against every grade, empty audiences, waivers, attestations and shares.

use super::*;
use crate::answer::{Standing, Waiver};
use crate::campaign::{Acknowledgement, Gate, Grade, OnDeadline};
use crate::fault::Place;

fn gate(share: f64) -> Gate {
    Gate {
        name: "g".into(),
        acknowledgement: "a".into(),
        share,
        allow_empty: false,
        on_deadline: OnDeadline::Hold,
        two_person: false,
        place: Place::file("flagday.toml"),
    }
}

fn wanted(grade: Grade) -> Acknowledgement {
    Acknowledgement {
        name: "a".into(),
        audience: "all".into(),
        notice: None,
        grade,
        due: None,
        remind: vec![],
        escalate: vec![],
        cap: 10,
        window: chrono::Duration::hours(24),
        place: Place::file("flagday.toml"),
    }
}

fn standing(person: &str, grade: Grade) -> Standing {
    let (why, remedy) = (String::new(), String::new());
    Standing {
        person: person.into(),
        grade,
        trouble: None,
        why,
        remedy,
        attested: false,
        away_until: None,
        absent: None,
        waiver: None,
        half_waived: None,
    }
}

fn waived(person: &str) -> Standing {
    let (reason, by, at) = ("left".into(), "Ann".into(), Default::default());
    let waiver = Waiver { person: person.into(), reason, by, at, revision: 1, until: None, second: None, ended: None };
    Standing { waiver: Some(waiver), ..standing(person, Grade::None) }
}

#[test]
fn a_grade_opens_the_gate_only_when_it_reaches_what_is_asked() {
    for asked in Grade::ALL.into_iter().skip(1) {
        for given in Grade::ALL {
            let verdict = evaluate(&gate(1.0), &wanted(asked), &[standing("ann", given)]);
            assert_eq!(verdict.open, given >= asked, "{given} for {asked}");
        }
    }
}

#[test]
fn all_of_nobody_is_shut_unless_the_campaign_says_so() {
    assert!(!evaluate(&gate(1.0), &wanted(Grade::Sent), &[]).open);
    let lenient = Gate { allow_empty: true, ..gate(1.0) };
    assert!(evaluate(&lenient, &wanted(Grade::Sent), &[]).open);
}

#[test]
fn waived_people_leave_the_count_and_stay_listed() {
    let verdict = evaluate(&gate(1.0), &wanted(Grade::Possessed), &[standing("ann", Grade::Possessed), waived("bob")]);
    assert!(verdict.open);
    assert_eq!((verdict.satisfied, verdict.of, verdict.waived.as_slice()), (1, 1, &["bob".to_owned()][..]));
}

#[test]
fn an_attestation_stands_in_for_what_the_program_should_see_and_for_nothing_else() {
    let attested = Standing { attested: true, ..standing("ann", Grade::None) };
    assert!(evaluate(&gate(1.0), &wanted(Grade::Observed), std::slice::from_ref(&attested)).open);
    assert!(!evaluate(&gate(1.0), &wanted(Grade::Possessed), &[attested]).open);
}

#[test]
fn a_missed_deadline_counts_by_then_and_tells_of_now() {
    let told = |person: &str, grade, why: &str| Standing { why: why.into(), ..standing(person, grade) };
    let then = ["ann", "bob", "cam"].map(|person| told(person, Grade::None, "was not told yet"));
    let then = [&[standing("al", Grade::Confirmed)][..], &then].concat();
    let now = [
        standing("al", Grade::Confirmed),
        told("ann", Grade::Confirmed, "confirmed"),
        told("bob", Grade::Sent, "was sent the notice"),
        told("cam", Grade::None, "was not told yet"),
    ];
    let due = DateTime::UNIX_EPOCH;
    let asked = wanted(Grade::Confirmed);
    let verdict = evaluate(&gate(1.0), &asked, &then).missing(due, asked.grade, &now);
    assert_eq!((verdict.open, verdict.satisfied, verdict.of, verdict.missed), (false, 1, 4, Some(due)));
    let words: Vec<_> = verdict.blocking.iter().map(|one| (one.grade, one.why.as_str())).collect();
    assert_eq!(
        words,
        [
            (Grade::Confirmed, "too late, after the deadline: confirmed"),
            (Grade::Sent, "was sent the notice"),
            (Grade::None, "was not told yet")
        ]
    );
}

#[test]
fn a_share_is_rounded_up() {
    let people: Vec<_> =
        (0..10).map(|n| standing(&n.to_string(), if n < 9 { Grade::Confirmed } else { Grade::None })).collect();
    assert!(evaluate(&gate(0.9), &wanted(Grade::Confirmed), &people).open);
    assert!(!evaluate(&gate(0.91), &wanted(Grade::Confirmed), &people).open);
}

#[test]
fn a_count_says_what_is_asked_for_where_that_is_not_everybody() {
    let people = [standing("ann", Grade::Sent), standing("bob", Grade::None)];
    let count = |share| evaluate(&gate(share), &wanted(Grade::Sent), &people).count();
    assert_eq!(count(1.0), "1 of 2");
    assert_eq!(count(0.1), "1 of 2, 10% are asked for");
    assert_eq!(count(0.9995), "1 of 2, 99.95% are asked for");
}

#[test]
fn a_step_passes_only_with_every_gate_it_needs() {
    let open = evaluate(&gate(1.0), &wanted(Grade::Sent), &[standing("ann", Grade::Sent)]);
    let shut = Verdict { name: "h".into(), open: false, ..open.clone() };
    assert!(pass("s", &[], &[]).is_ok());
    assert!(pass("s", &["g".into()], std::slice::from_ref(&open)).is_ok());
    assert_eq!(
        pass("s", &["g".into(), "h".into(), "gone".into()], &[open, shut]).err(),
        Some(vec!["h".into(), "gone".into()])
    );
}

#[test]
fn an_override_covers_those_it_names_and_nobody_else() {
    let held = |people: &[&str]| {
        let standings: Vec<_> = people.iter().map(|person| standing(person, Grade::None)).collect();
        evaluate(&gate(1.0), &wanted(Grade::Confirmed), &standings)
    };
    let decision = Override {
        gate: "g".into(),
        step: "s".into(),
        by: "Pat".into(),
        reason: "the window closes".into(),
        at: Default::default(),
        missing: vec!["ann".into(), "bob".into()],
    };
    let opened = held(&["ann"]).overruled(&decision);
    assert!(opened.open && opened.overridden.is_some() && opened.digest.starts_with("overridden by Pat: "));
    assert_eq!(opened.satisfied, 0, "it is no answer");
    assert!(!held(&["ann", "cy"]).overruled(&decision).open, "somebody else holds it now");
    let other = Override { gate: "h".into(), ..decision.clone() };
    assert!(!held(&["ann"]).overruled(&other).open);
    let satisfied = evaluate(&gate(1.0), &wanted(Grade::Sent), &[standing("ann", Grade::Sent)]).overruled(&decision);
    assert!(satisfied.overridden.is_none(), "an open gate needs none");
    let nobody = evaluate(&gate(1.0), &wanted(Grade::Sent), &[]);
    assert!(!nobody.clone().overruled(&decision).open, "a decision about people says nothing of an empty audience");
    assert!(nobody.overruled(&Override { missing: vec![], ..decision }).open);
}

#[test]
fn a_gate_knows_when_its_first_waiver_runs_out() {
    let hour = |n: i64| DateTime::from_timestamp(n * 3600, 0);
    let until = |person: &str, n| {
        let mut standing = waived(person);
        standing.waiver.as_mut().expect("waived").until = n;
        standing
    };
    let verdict =
        evaluate(&gate(1.0), &wanted(Grade::Sent), &[until("a", hour(7)), until("b", None), until("c", hour(3))]);
    assert_eq!(verdict.until, hour(3));
}
