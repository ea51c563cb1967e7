//! A waiver: an administrator's decision that one person no longer blocks. It has a reason and a name, may run out, and
//! counts only with a second name where the campaign asks for one. It speaks of the facts of its revision: it ends when the
//! person is told others.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiver {
    pub person: String,
    pub reason: String,
    pub by: String,
    pub at: DateTime<Utc>,
    /// What the person had been told when it was decided.
    #[serde(default)]
    pub revision: u32,
    /// It counts before this instant only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// Who else decided the same, where two have to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<String>,
    /// Why it counts no more although its date has not come; found anew each time.
    #[serde(skip)]
    pub ended: Option<Ended>,
}

/// What ends a waiver before its date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The person was told other facts since.
    Amended,
    /// The step on which the observation rests was taken back since.
    TakenBack,
}

impl Ended {
    pub fn words(self) -> &'static str {
        match self {
            Ended::Amended => "what it spoke of was amended since",
            Ended::TakenBack => "the step it spoke of was taken back since",
        }
    }
}

/// What the waivers of one person come to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Waiving {
    pub in_force: Option<Waiver>,
    /// One name stands, and a second is asked for.
    pub half: Option<Waiver>,
    /// The newest that ran out or ended, where nothing else stands.
    pub over: Option<Waiver>,
}

impl Waiving {
    /// `all`: what was decided about one person and not withdrawn, oldest first. `two`: two different names are needed.
    pub fn of(all: Vec<Waiver>, two: bool, now: DateTime<Utc>) -> Waiving {
        let counts = |one: &Waiver| one.ended.is_none() && one.until.is_none_or(|until| now < until);
        let (live, over): (Vec<_>, Vec<_>) = all.into_iter().partition(counts);
        let Some(newest) = live.last() else {
            return Waiving { over: over.into_iter().last(), ..Waiving::default() };
        };
        if !two {
            return Waiving { in_force: Some(newest.clone()), ..Waiving::default() };
        }
        match live.iter().rev().find(|other| !same_name(&other.by, &newest.by)) {
            None => Waiving { half: Some(newest.clone()), ..Waiving::default() },
            Some(first) => {
                let until = [first.until, newest.until].into_iter().flatten().min();
                let both = Waiver { until, second: Some(newest.by.clone()), ..first.clone() };
                Waiving { in_force: Some(both), ..Waiving::default() }
            }
        }
    }
}

/// Two spellings of one name are one person.
pub fn same_name(one: &str, other: &str) -> bool {
    let plain = |name: &str| name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    plain(one) == plain(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(hour * 3600, 0).expect("an instant")
    }

    fn by(name: &str, until: Option<i64>) -> Waiver {
        let (person, reason) = ("ann".to_owned(), "on leave".to_owned());
        Waiver {
            person,
            reason,
            by: name.into(),
            at: at(0),
            revision: 1,
            until: until.map(at),
            second: None,
            ended: None,
        }
    }

    #[test]
    fn one_name_is_enough_unless_two_are_asked_for() {
        let one = Waiving::of(vec![by("Pat", None)], false, at(1));
        assert_eq!(one.in_force, Some(by("Pat", None)));
        let half = Waiving::of(vec![by("Pat", None)], true, at(1));
        assert_eq!((half.in_force, half.half), (None, Some(by("Pat", None))));
    }

    #[test]
    fn the_second_name_is_another_one_however_it_is_written() {
        let again = Waiving::of(vec![by("Pat Lee", None), by(" pat  LEE", None)], true, at(1));
        assert_eq!(again.in_force, None);
        let two = Waiving::of(vec![by("Pat", Some(9)), by("Kim", Some(5))], true, at(1)).in_force.expect("in force");
        assert_eq!((two.by.as_str(), two.second.as_deref(), two.until), ("Pat", Some("Kim"), Some(at(5))));
    }

    #[test]
    fn a_waiver_ends_at_its_instant_and_leaves_word_of_it() {
        let waiving = |hour| Waiving::of(vec![by("Pat", Some(5))], false, at(hour));
        assert!(waiving(4).in_force.is_some());
        assert_eq!((waiving(5).in_force, waiving(5).over), (None, Some(by("Pat", Some(5)))));
        let half = Waiving::of(vec![by("Pat", Some(5)), by("Kim", None)], true, at(6));
        assert_eq!(half.half, Some(by("Kim", None)), "a name that ran out does not stand in");
    }

    #[test]
    fn a_waiver_that_has_ended_is_no_half_of_two_names() {
        let ended = Waiver { ended: Some(Ended::Amended), ..by("Pat", None) };
        let one = Waiving::of(vec![ended.clone()], false, at(1));
        assert_eq!((one.in_force, one.over), (None, Some(ended.clone())));
        let half = Waiving::of(vec![ended, by("Kim", None)], true, at(1));
        assert_eq!((half.in_force, half.half), (None, Some(by("Kim", None))));
    }

    #[test]
    fn nothing_comes_to_nothing() {
        assert_eq!(Waiving::of(Vec::new(), true, at(0)), Waiving::default());
    }
}
