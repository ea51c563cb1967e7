//! Where one person stands with one acknowledgement: the best grade the evidence of this revision proves, and the
//! fact that best explains it. Only that somebody is away outlasts an amendment.

use super::{Evidence, Kind, Waiver, Waiving, away};
use crate::campaign::Grade;
use chrono::{DateTime, NaiveDate, Utc};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub person: String,
    pub grade: Grade,
    /// The newest fact that is no mere grade: a bounce, a refusal, an automatic reply, a failed observation.
    pub trouble: Option<Kind>,
    /// In words, for the table of those who block.
    pub why: String,
    /// What to do about it, where the fact itself says so.
    pub remedy: String,
    pub attested: bool,
    /// The person is away: from their newest automatic reply that states when they are back, and nothing of theirs after it.
    pub away_until: Option<NaiveDate>,
    /// Their newest absence, also where they are back: since when it is known, and the day on which they are back.
    pub absent: Option<(DateTime<Utc>, NaiveDate)>,
    /// In force: the person leaves the count.
    pub waiver: Option<Waiver>,
    /// Decided by one person where two have to: it does not count yet.
    pub half_waived: Option<Waiver>,
}

impl Standing {
    /// Derives the standing from a person's evidence for one acknowledgement, oldest first.
    /// Evidence of other revisions must have been left out by the caller, but for an absence that still lasts
    /// ([`absence`]). `today`: the person's address as the roster has it. `nothing` is what to say where there is none.
    pub fn of(
        person: &str,
        today: Option<&str>,
        evidence: &[Evidence],
        absence: Option<&Evidence>,
        waiving: Waiving,
        nothing: &str,
    ) -> Standing {
        let valid = || evidence.iter().filter(|fact| !fact.revoked && !is_overtaken(fact, evidence));
        let best = valid().max_by_key(|fact| fact.grade());
        let grade = best.map_or(Grade::None, Evidence::grade);
        // A failure is over once a later message got through, or any message at the address that took the place of the one
        // which fails: what was wrong is mended.
        let over = |fact: &Evidence| {
            let mended = |one: &Evidence| {
                one.id > fact.id || is_of_before(fact, today) && one.address.is_some() && !is_of_before(one, today)
            };
            matches!(fact.kind, Kind::HardBounce | Kind::SoftBounce)
                && valid().any(|one| one.grade() >= Grade::Sent && mended(one))
        };
        let own = newest_own(evidence).or(absence);
        let stated = evidence.iter().rev().filter(|fact| !fact.revoked).chain(absence);
        let absent = stated.filter_map(|fact| Some((fact.at, away_until(fact)?))).next();
        // Whoever has the notice is not in trouble because a reminder did not leave.
        let matters = |fact: &&Evidence| {
            fact.kind.is_trouble() && (fact.kind != Kind::Unsent || grade == Grade::None) && !over(fact)
        };
        let trouble = valid().rev().find(matters);
        let trouble = trouble.or(own.filter(|fact| fact.kind == Kind::AutoReply));
        let telling = trouble.filter(|_| grade < Grade::Confirmed).or(best);
        // A second line of what was seen is what to do.
        let (detail, mut remedy) =
            telling.map_or(("", ""), |fact| fact.detail.split_once('\n').unwrap_or((&fact.detail, "")));
        let corrected = |fact: &Evidence| fact.kind == Kind::HardBounce && is_of_before(fact, today);
        let why = match telling {
            None => nothing.to_owned(),
            Some(fact) if corrected(fact) => {
                remedy = CORRECTED;
                format!("was written to at an address of before: {detail}")
            }
            Some(fact) if detail.is_empty() => fact.kind.words().to_owned(),
            // What was seen says it all.
            Some(fact) if fact.kind == Kind::NotDrained => detail.to_owned(),
            Some(fact) => format!("{}: {detail}", fact.kind.words()),
        };
        let mut standing = Standing {
            person: person.to_owned(),
            grade,
            // Of the address that the person has by now nothing is known.
            trouble: trouble.map(|fact| if corrected(fact) { Kind::SoftBounce } else { fact.kind }),
            why,
            away_until: own.and_then(away_until),
            absent,
            remedy: remedy.to_owned(),
            attested: valid().any(|fact| fact.kind == Kind::Attested),
            waiver: waiving.in_force,
            half_waived: waiving.half,
        };
        if let Some(half) = &standing.half_waived {
            standing.why += &format!("; waived by {} alone: {}", half.by, half.reason);
            standing.remedy =
                "a second person decides the same: flagday ack waive PERSON --by NAME --reason TEXT".to_owned();
        } else if let Some(over) = &waiving.over {
            let how = over.ended.map_or("run out".to_owned(), |ended| format!("ended: {}", ended.words()));
            standing.why += &format!("; the waiver by {} has {how}", over.by);
        }
        standing
    }
}

/// What to do about a letter that came back from an address of before.
pub const CORRECTED: &str = "`flagday send --to failed` writes to the address that the roster has by now";

/// Whether a fact speaks of a letter to another address than the person has today.
fn is_of_before(fact: &Evidence, today: Option<&str>) -> bool {
    today.zip(fact.address.as_deref()).is_some_and(|(today, then)| !today.eq_ignore_ascii_case(then))
}

/// The newest thing that came from the person, or from their answering machine.
fn newest_own(evidence: &[Evidence]) -> Option<&Evidence> {
    let own = |fact: &&Evidence| {
        fact.kind == Kind::AutoReply || fact.kind.proves() >= Grade::Delivered && fact.kind != Kind::DsnDelivered
    };
    evidence.iter().rev().filter(|fact| !fact.revoked).find(own)
}

/// The day of return in an automatic reply. Who has answered since is there.
fn away_until(fact: &Evidence) -> Option<NaiveDate> {
    (fact.kind == Kind::AutoReply).then(|| away::noted(&fact.detail)).flatten()
}

/// The automatic reply by which the person is not back on this day, in their evidence of any revision, oldest first. It
/// speaks of no notice: most machines answer a sender once, and not again when people are told something newer.
pub fn absence(evidence: &[Evidence], today: NaiveDate) -> Option<&Evidence> {
    newest_own(evidence).filter(|fact| away_until(fact).is_some_and(|back| back > today))
}

/// An observation is a measurement: a later one that says otherwise takes its place. New mail in a mailbag that was
/// empty, or another serial number read back, shuts the gate again.
fn is_overtaken(fact: &Evidence, evidence: &[Evidence]) -> bool {
    let otherwise = |later: &Evidence| matches!(later.kind, Kind::NotDrained | Kind::SerialDiffers) && !later.revoked;
    fact.grade() == Grade::Observed && evidence.iter().any(|later| later.id > fact.id && otherwise(later))
}

impl Kind {
    /// A fact that a human should see even though it changes no grade.
    pub fn is_trouble(self) -> bool {
        matches!(
            self,
            Kind::HardBounce
                | Kind::SoftBounce
                | Kind::Unsent
                | Kind::AutoReply
                | Kind::Declined
                | Kind::Question
                | Kind::HelpAsked
                | Kind::NotMe
                | Kind::Delegated
                | Kind::SerialDiffers
                | Kind::NotDrained
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(kinds: &[Kind]) -> Vec<Evidence> {
        let fact = |(n, kind): (usize, &Kind)| Evidence {
            id: n as i64 + 1,
            at: Default::default(),
            person: "ann".into(),
            acknowledgement: "a".into(),
            revision: 1,
            kind: *kind,
            by: None,
            detail: String::new(),
            revoked: false,
            address: None,
        };
        kinds.iter().enumerate().map(fact).collect()
    }

    fn standing(kinds: &[Kind]) -> Standing {
        Standing::of("ann", None, &facts(kinds), None, Waiving::default(), "was not told yet")
    }

    #[test]
    fn the_grade_is_the_best_that_any_fact_proves_whatever_the_order() {
        let kinds = [Kind::Sent, Kind::Code, Kind::AutoReply, Kind::Displayed, Kind::Declined];
        assert_eq!(standing(&kinds).grade, Grade::Possessed);
        let mut reversed = kinds;
        reversed.reverse();
        assert_eq!(standing(&reversed).grade, Grade::Possessed);
        assert_eq!(standing(&[]).why, "was not told yet");
    }

    #[test]
    fn what_machines_do_never_reaches_confirmed() {
        for kind in [Kind::Sent, Kind::DsnDelivered, Kind::HardBounce, Kind::SoftBounce, Kind::Unsent, Kind::Displayed]
        {
            assert!(standing(&[kind]).grade < Grade::Confirmed, "{kind:?}");
        }
        // Anybody who has the link can send these.
        for kind in [Kind::HelpAsked, Kind::NotMe, Kind::Delegated] {
            assert_eq!(standing(&[Kind::Sent, kind]).grade, Grade::Sent, "{kind:?}");
        }
    }

    #[test]
    fn a_later_observation_takes_the_place_of_an_earlier_one() {
        assert_eq!(standing(&[Kind::NotDrained, Kind::Drained]).grade, Grade::Observed);
        assert_eq!(standing(&[Kind::Drained, Kind::NotDrained]).grade, Grade::None);
        assert_eq!(standing(&[Kind::SerialMatches, Kind::SerialDiffers]).grade, Grade::None);
    }

    #[test]
    fn who_is_away_is_so_until_the_day_stated_or_until_they_answer() {
        let mut facts = facts(&[Kind::Sent, Kind::AutoReply]);
        let away = |facts: &[Evidence]| Standing::of("ann", None, facts, None, Waiving::default(), "").away_until;
        assert_eq!(away(&facts), None);
        facts[1].detail = "back on 2026-12-14".into();
        assert_eq!(away(&facts), NaiveDate::from_ymd_opt(2026, 12, 14));
        facts.push(Evidence { id: 3, kind: Kind::Reply, ..facts[0].clone() });
        assert_eq!(away(&facts), None);
    }

    #[test]
    fn an_absence_outlasts_an_amendment_until_its_end_or_until_they_write() {
        let back = NaiveDate::from_ymd_opt(2026, 12, 14).expect("a day");
        let mut before = facts(&[Kind::Code, Kind::AutoReply, Kind::DsnDelivered]);
        before[1].detail = "back on 2026-12-14".into();
        let still = absence(&before, back.pred_opt().expect("a day"));
        assert_eq!(still.map(|fact| fact.id), Some(2));
        assert_eq!(absence(&before, back), None, "back on that day");
        let told = Standing::of("ann", None, &facts(&[Kind::Sent]), still, Waiving::default(), "");
        assert_eq!((told.grade, told.away_until, told.trouble), (Grade::Sent, Some(back), Some(Kind::AutoReply)));
        assert!(told.why.contains("back on 2026-12-14"), "{}", told.why);
        for kind in [Kind::Confirmed, Kind::Reply, Kind::AutoReply] {
            let wrote = Standing::of("ann", None, &facts(&[Kind::Sent, kind]), still, Waiving::default(), "");
            assert_eq!(wrote.away_until, None, "{kind:?}");
        }
        before.push(Evidence { id: 4, kind: Kind::Question, ..before[0].clone() });
        assert_eq!(absence(&before, back.pred_opt().expect("a day")), None, "they wrote since");
    }

    #[test]
    fn a_revoked_fact_proves_nothing() {
        let mut facts = facts(&[Kind::Sent, Kind::Code]);
        facts[1].revoked = true;
        assert_eq!(Standing::of("ann", None, &facts, None, Waiving::default(), "").grade, Grade::Sent);
    }

    #[test]
    fn a_bounce_is_over_when_a_later_message_got_through_and_a_refusal_is_not() {
        assert_eq!(standing(&[Kind::Sent, Kind::HardBounce]).trouble, Some(Kind::HardBounce));
        assert_eq!(standing(&[Kind::HardBounce, Kind::Sent]).trouble, None);
        assert_eq!(standing(&[Kind::Unsent, Kind::Sent]).trouble, None);
        let reminder = standing(&[Kind::Sent, Kind::AutoReply, Kind::Unsent]);
        assert_eq!((reminder.grade, reminder.trouble), (Grade::Sent, Some(Kind::AutoReply)));
        assert_eq!(standing(&[Kind::Declined, Kind::Sent]).trouble, Some(Kind::Declined));
    }

    #[test]
    fn a_bounce_from_an_address_of_before_says_nothing_of_the_one_that_took_its_place() {
        let of =
            |id, kind, address: &str| Evidence { id, kind, address: Some(address.into()), ..facts(&[kind]).remove(0) };
        let told = |facts: &[Evidence], today| Standing::of("ann", today, facts, None, Waiving::default(), "");
        let first = [of(1, Kind::Sent, "old@x"), of(2, Kind::HardBounce, "old@x")];
        assert_eq!(told(&first, Some("OLD@x")).trouble, Some(Kind::HardBounce));
        assert_eq!(told(&first, None).trouble, Some(Kind::HardBounce), "no address is no better one");
        let corrected = told(&first, Some("new@x"));
        assert_eq!((corrected.trouble, &*corrected.remedy), (Some(Kind::SoftBounce), CORRECTED));
        assert!(corrected.why.starts_with("was written to at an address of before"), "{}", corrected.why);
        // The bounce comes after the letter to the new address had left.
        let late = [of(1, Kind::Sent, "old@x"), of(2, Kind::Sent, "new@x"), of(3, Kind::HardBounce, "old@x")];
        assert_eq!(told(&late, Some("new@x")).trouble, None);
        assert_eq!(told(&late, Some("old@x")).trouble, Some(Kind::HardBounce), "it was no mistake");
        let both = [of(1, Kind::Sent, "new@x"), of(2, Kind::HardBounce, "new@x"), of(3, Kind::HardBounce, "old@x")];
        assert_eq!(told(&both, Some("new@x")).trouble, Some(Kind::HardBounce), "that one fails too");
    }
}
