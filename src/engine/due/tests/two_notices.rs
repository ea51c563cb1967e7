//! Two notices with an acknowledgement each, and people who have to answer one or both: what changes in one leaves the
//! other alone, and what both speak of concerns both.

use super::*;
use crate::engine::{Amendment, Wish, facts};
use crate::outbox::State;
use std::collections::{BTreeMap, BTreeSet};

const TWO: &str = r#"
[campaign]
name = "vpn"
change_at = 2027-03-31T18:00:00
time_zone = "Europe/Berlin"
contact = "IT"
[mail]
from = "it@corp.example"
[[roster]]
file = "people.csv"
[audience]
east = { group = ["east", "both"] }
west = { group = ["west", "both"] }
[notice.news]
audience = "east"
at = "T-14d"
[notice.rules]
audience = "west"
at = "T-14d"
[notice.reminder]
audience = "east"
[notice.escalation]
audience = "east"
[notice.postponed]
audience = "east"
[acknowledgement.read]
audience = "east"
notice = "news"
grade = "confirmed"
remind = ["T-10d"]
[acknowledgement.obey]
audience = "west"
notice = "rules"
grade = "confirmed"
remind = ["T-9d"]
escalate = [{ at = "T-8d", to = "manager" }]
[gate.read]
acknowledgement = "read"
[gate.obey]
acknowledgement = "obey"
"#;

const GROUPS: [(&str, &str); 4] = [("ann", "east"), ("bea", "both"), ("cy", "west"), ("dan", "east")];

impl Play {
    fn two() -> Play {
        let play = Play::of(TWO);
        play.seat(&GROUPS);
        for notice in ["news", "rules"] {
            play.text(notice, "first");
        }
        play
    }

    /// Who is in which part of the roster.
    fn seat(&self, groups: &[(&str, &str)]) {
        let row = |(id, group): &(&str, &str)| format!("{id},{id},{id}@corp.example,user,boss@corp.example,{group}\n");
        let rows: String = groups.iter().map(row).collect();
        let text = format!("id,name,email,kind,manager_email,group\n{rows}");
        fs_err::write(self.folder.path().join("people.csv"), text).expect("written");
    }

    fn text(&self, notice: &str, text: &str) {
        let own = self.folder.path().join("templates/mail").join(notice);
        fs_err::create_dir_all(&own).expect("a folder");
        fs_err::write(own.join("subject.hbs"), "About the VPN\n").expect("written");
        fs_err::write(own.join("text.hbs"), format!("{text}\n")).expect("written");
    }

    fn take_over(&self, wish: &Wish) -> Amendment {
        self.engine().amend(wish, &AtomicBool::new(false), &mut |_| {}).expect("amended").0
    }

    /// Plans what is due and carries nothing.
    fn plan_only(&self, notice: Option<&str>) {
        let sent = self.engine().send(notice, &To::Everyone, None, false, &AtomicBool::new(true), &mut |_| {});
        assert_eq!(sent.expect("planned").sent, 0);
    }

    fn confirms(&self, person: &str, acknowledgement: &str) {
        let answer = Answer {
            person: person.to_owned(),
            acknowledgement: Some(acknowledgement.to_owned()),
            kind: Some(Kind::Confirmed),
            ..Answer::default()
        };
        self.engine().record(&answer).expect("recorded");
    }

    fn satisfied(&self) -> BTreeMap<String, usize> {
        let verdicts = self.engine().verdicts().expect("verdicts").into_iter();
        verdicts.map(|one| (one.name, one.satisfied)).collect()
    }

    fn states_of(&self, notice: &str, person: &str) -> Vec<State> {
        self.letters(notice).into_iter().filter(|one| one.person == person).map(|one| one.state).collect()
    }
}

fn counts(read: usize, obey: usize) -> BTreeMap<String, usize> {
    [("obey".to_owned(), obey), ("read".to_owned(), read)].into()
}

#[test]
fn a_ledger_of_before_speaks_of_the_same_texts() {
    let play = Play::two();
    play.tick();
    let engine = play.engine();
    let (texts, notices) = (engine.texts().expect("texts"), &engine.campaign.notices);
    let mut facts = engine.ledger().revision().expect("read").expect("told").facts;
    // One digest over all languages, and none of a language.
    facts.retain(|fact, _| facts::text_of(fact).is_none_or(|(_, voice)| voice.is_none()));
    for (name, notice) in notices {
        if let Some(told) = facts.get_mut(&format!("text {name}")) {
            *told = texts.digest_of_all(&notice.template);
        }
    }
    let ledger = rusqlite::Connection::open(play.folder.path().join(".flagday/ledger.db")).expect("the ledger");
    let written = serde_json::to_string(&facts).expect("text");
    assert_eq!(ledger.execute("UPDATE revision SET facts = ?", [written]).expect("written"), 1);
    assert_eq!(play.engine().differences().expect("compared"), []);
    play.text("news", "second");
    let different = play.engine().differences().expect("compared");
    assert_eq!(different.iter().map(|one| one.fact.as_str()).collect::<Vec<_>>(), ["text news"]);
}

#[test]
fn another_text_of_one_notice_leaves_answers_to_the_other_alone() {
    let play = Play::two();
    assert_eq!(play.tick().sent, 5);
    play.confirms("bea", "read");
    play.confirms("bea", "obey");
    play.at("2027-03-18T09:00").text("news", "second");
    let amendment = play.take_over(&Wish::default());
    let bea = amendment.informed.iter().find(|one| one.person == "bea").expect("she is told");
    assert_eq!(bea.void.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["read"]);
    assert_eq!((bea.because.as_slice(), amendment.kept), (["text news".to_owned()].as_slice(), 1));
    assert_eq!(play.satisfied(), counts(0, 1));
    play.at("2027-03-18T10:00").tick();
    assert_eq!((play.states_of("news", "bea").len(), play.states_of("rules", "bea").len()), (2, 1), "rules only once");
    // The other way round, and then what both speak of.
    play.confirms("bea", "read");
    play.text("rules", "second");
    play.take_over(&Wish::default());
    assert_eq!(play.satisfied(), counts(1, 0));
    play.confirms("bea", "obey");
    play.write(&TWO.replace("2027-03-31", "2027-04-01"));
    assert_eq!(play.take_over(&Wish::default()).kept, 0);
    assert_eq!(play.satisfied(), counts(0, 0));
}

#[test]
fn what_has_not_left_is_taken_back_only_where_its_notice_changed() {
    let play = Play::two();
    play.engine().send(Some("news"), &To::Everyone, None, false, &AtomicBool::new(false), &mut |_| {}).expect("sent");
    play.plan_only(Some("rules"));
    play.at("2027-03-17T10:00").text("news", "second");
    play.engine().amend(&Wish::default(), &AtomicBool::new(true), &mut |_| {}).expect("amended");
    assert_eq!(play.states_of("rules", "bea"), [State::Planned]);
    play.tick();
    assert_eq!(play.states_of("rules", "bea"), [State::Sent], "told once, as it was planned");
    assert_eq!(play.states_of("news", "bea"), [State::Sent, State::Sent]);
}

#[test]
fn reminders_and_escalations_of_the_other_notice_go_on_where_they_were() {
    let play = Play::two();
    play.tick();
    play.at("2027-03-22T08:05").tick();
    assert_eq!(play.letters("reminder").iter().filter(|one| one.person == "bea").count(), 1, "of the rules alone");
    play.at("2027-03-22T09:00").text("news", "second");
    play.take_over(&Wish::default());
    play.at("2027-03-22T10:00").tick();
    let of_the_rules = |one: &&MessageRow| one.person == "bea" && one.acknowledgement.as_deref() == Some("obey");
    assert_eq!(play.letters("reminder").iter().filter(of_the_rules).count(), 1, "not once more");
    play.at("2027-03-23T08:05").tick();
    let escalations = play.letters("escalation");
    assert_eq!(escalations.iter().filter(of_the_rules).count(), 1);
}

#[test]
fn whoever_comes_into_a_second_audience_keeps_the_answer_to_the_first() {
    let play = Play::two();
    play.tick();
    play.confirms("dan", "read");
    // A wording that concerns nobody makes a newer revision than the answer's.
    play.at("2027-03-18T09:00").text("rules", "second");
    play.take_over(&Wish { cosmetic: true, ..Wish::default() });
    play.seat(&[("ann", "east"), ("bea", "both"), ("cy", "west"), ("dan", "both")]);
    let amendment = play.take_over(&Wish::default());
    assert_eq!(amendment.informed.iter().map(|one| one.notices.as_slice()).collect::<Vec<_>>(), [["rules".to_owned()]]);
    assert_eq!((amendment.informed[0].void.len(), amendment.kept), (0, 1));
    assert_eq!((play.satisfied(), play.states_of("rules", "dan").len()), (counts(1, 0), 1));
    play.at("2027-03-18T10:00").tick();
    assert_eq!(play.states_of("news", "dan").len(), 1);
}

#[test]
fn whoever_joins_while_the_date_is_open_catches_up_with_the_next_one() {
    let play = Play::two();
    play.tick();
    let mut groups = GROUPS.to_vec();
    groups[3].1 = "both";
    groups.push(("eve", "east"));
    play.at("2027-03-18T09:00").seat(&groups);
    let postponed = play.take_over(&Wish { postpone: true, ..Wish::default() });
    assert!(postponed.joined.is_empty() && postponed.moved.is_empty());
    assert!(!play.to("postponed").iter().any(|(person, _)| person == "eve"), "she was told nothing");
    play.at("2027-04-05T09:00").write(&TWO.replace("2027-03-31", "2027-04-15"));
    let amendment = play.take_over(&Wish::default());
    assert_eq!((amendment.joined.as_slice(), amendment.moved.len()), (["eve".to_owned()].as_slice(), 1));
    assert_eq!(play.states_of("news", "eve"), [State::Sent]);
    assert_eq!(play.states_of("rules", "dan"), [State::Sent]);
}

#[test]
fn an_answer_of_somebody_who_was_told_by_hand_ends_with_the_wording_it_answers() {
    let play = Play::two();
    play.tick();
    // The hour of the notices lies ahead again, so whoever comes is not written to yet.
    play.at("2027-03-17T10:00").write(&TWO.replace("2027-03-31", "2027-04-15"));
    play.take_over(&Wish::default());
    play.seat(&[("ann", "east"), ("bea", "both"), ("cy", "west"), ("dan", "both")]);
    play.take_over(&Wish::default());
    play.confirms("dan", "obey");
    assert_eq!((play.satisfied(), play.states_of("rules", "dan").len()), (counts(0, 1), 0));
    play.at("2027-03-18T10:00").text("rules", "second");
    let amendment = play.take_over(&Wish::default());
    let dan = amendment.informed.iter().find(|one| one.person == "dan").expect("he is written to");
    assert_eq!((dan.void.len(), dan.notices.as_slice()), (1, ["rules".to_owned()].as_slice()));
    assert_eq!((play.satisfied(), play.states_of("rules", "dan")), (counts(0, 0), vec![State::Sent]));
}

#[test]
fn a_letter_with_the_old_date_does_not_leave_after_it_was_put_off() {
    let play = Play::two();
    play.plan_only(None);
    let postpone = Wish { postpone: true, ..Wish::default() };
    play.at("2027-03-17T10:00").confirms("ann", "read");
    let amendment = play.take_over(&postpone);
    assert!(amendment.informed.iter().all(|one| one.is_silent()), "nobody has a letter that could be put right");
    assert_eq!((amendment.informed[0].because.as_slice(), amendment.kept), (["change_at".to_owned()].as_slice(), 0));
    assert_eq!(play.satisfied(), counts(0, 0), "it was said of a date that nobody holds to");
    assert_eq!(play.states_of("news", "ann"), [State::Cancelled]);
    play.at("2027-03-18T09:00").write(&TWO.replace("2027-03-31", "2027-04-15"));
    play.take_over(&Wish::default());
    assert_eq!(play.states_of("news", "ann"), [State::Cancelled, State::Sent]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever changes when: an answer counts exactly until what it answers changes, a gate never opens by an amendment,
    /// and everybody has each wording of each notice once.
    #[test]
    fn an_answer_counts_until_what_it_answers_changes(
        happenings in prop::collection::vec((1i64..20, 0usize..13), 4..18),
    ) {
        let play = Play::two();
        let mut now = day("2027-03-17T08:00");
        let notice = |asked: &str| if asked == "read" { "news" } else { "rules" };
        let mut answers: BTreeSet<(&str, &str)> = BTreeSet::new();
        let mut versions = BTreeMap::from([("news", 0), ("rules", 0)]);
        let mut known: BTreeSet<i64> = BTreeSet::new();
        let mut had: BTreeMap<(String, String, usize), usize> = BTreeMap::new();
        let mut moved = false;
        for (number, (hours, what)) in [(0, 9)].into_iter().chain(happenings).chain([(1, 9)]).enumerate() {
            now += Duration::hours(hours);
            play.clock.set(now);
            let before = play.satisfied();
            match what {
                0..=5 => {
                    let (person, asked) =
                        [("ann", "read"), ("bea", "read"), ("bea", "obey"), ("cy", "obey"), ("dan", "read"), ("dan", "obey")]
                            [what];
                    if moved || (person, asked) != ("dan", "obey") {
                        play.confirms(person, asked);
                        answers.insert((person, asked));
                    }
                }
                6 => {
                    play.text("news", &format!("text {number}"));
                    *versions.get_mut("news").expect("one") += 1;
                    answers.retain(|(_, asked)| *asked != "read");
                }
                7 => {
                    play.text("rules", &format!("text {number}"));
                    *versions.get_mut("rules").expect("one") += 1;
                    answers.retain(|(_, asked)| *asked != "obey");
                }
                8 => {
                    let date = format!("2027-04-{:02}", number + 1);
                    play.write(&TWO.replace("2027-03-31", &date));
                    versions.values_mut().for_each(|version| *version += 1);
                    answers.clear();
                }
                9 | 10 => drop(play.tick()),
                11 => play.plan_only(None),
                _ => {
                    let mut groups = GROUPS.to_vec();
                    groups[3].1 = "both";
                    play.seat(&groups);
                    moved = true;
                }
            }
            if matches!(what, 6..=8 | 12) {
                play.take_over(&Wish::default());
                let after = play.satisfied();
                prop_assert!(after.iter().all(|(gate, count)| *count <= before[gate]), "no gate opens by an amendment");
            }
            let count = |gate: &str| answers.iter().filter(|(_, asked)| *asked == gate).count();
            prop_assert_eq!(play.satisfied(), counts(count("read"), count("obey")));
            for asked in ["read", "obey"] {
                for one in play.letters(notice(asked)).into_iter().filter(|one| known.insert(one.id)) {
                    *had.entry((one.person, one.notice.clone(), versions[notice(asked)])).or_default() += 1;
                }
            }
        }
        prop_assert!(had.values().all(|count| *count == 1), "{:?}", had);
        for (person, notice) in had.keys().map(|(person, notice, _)| (person.clone(), notice.clone())) {
            prop_assert!(had.contains_key(&(person.clone(), notice.clone(), versions[notice.as_str()])), "{} {}", person, notice);
            let newest = play.states_of(&notice, &person).pop();
            prop_assert_eq!(newest, Some(State::Sent), "{} {}", person, notice);
        }
    }
}
