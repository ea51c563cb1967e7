//! Who plays which part: named people first, then shares of audiences, then everybody else.

use super::{AtEvening, Behaviour, EveningManner, Manner, Script, Share};
use crate::campaign::schedule::Moment;
use crate::campaign::{Action, Audience, Campaign};
use crate::engine::Engine;
use chrono::Duration;
use std::collections::HashMap;

/// How one person answers a notice, resolved.
#[derive(Debug, Clone, Copy)]
pub(in crate::rehearsal) struct Answering {
    pub behaviour: Behaviour,
    /// Which reminder it takes.
    pub reminders: usize,
    pub delay: Duration,
    pub then: Duration,
    pub until: Option<Moment>,
}

/// Everybody's part.
#[derive(Debug)]
pub(in crate::rehearsal) struct Cast {
    answering: HashMap<String, Manner>,
    evening: HashMap<String, EveningManner>,
}

impl Script {
    /// Deals the shares out over the people of this campaign. Which people make up a share follows from the seed.
    pub(in crate::rehearsal) fn cast(&self, engine: &Engine) -> Cast {
        let named: HashMap<String, Manner> = self.people.iter().map(|(id, manner)| (id.clone(), *manner)).collect();
        let evening = self.evening_people.iter().map(|(id, manner)| (id.clone(), *manner)).collect();
        Cast {
            answering: self.deal(engine, named, &self.shares, None, "answers "),
            evening: self.deal(engine, evening, &self.evening_shares, drained(&engine.campaign), "evening "),
        }
    }

    fn deal<M: Copy>(
        &self,
        engine: &Engine,
        named: HashMap<String, M>,
        shares: &[Share<M>],
        common: Option<&Audience>,
        purpose: &str,
    ) -> HashMap<String, M> {
        let mut dealt = named.clone();
        for share in shares {
            let audience = share.audience.as_ref().map(|name| &engine.campaign.audiences[name]).or(common);
            let people = engine.roster.people().filter(|one| audience.is_none_or(|it| one.is_in(it)));
            let mut pool: Vec<&str> = people.map(|one| one.id.as_str()).filter(|id| !named.contains_key(*id)).collect();
            let count = (share.share * pool.len() as f64).round() as usize;
            pool.retain(|id| !dealt.contains_key(*id));
            pool.sort_by_cached_key(|id| (self.lot(purpose, id), id.to_string()));
            dealt.extend(pool.into_iter().take(count).map(|id| (id.to_owned(), share.manner)));
        }
        dealt
    }

    pub(in crate::rehearsal) fn answering(&self, cast: &Cast, person: &str) -> Answering {
        let own = cast.answering.get(person).copied().unwrap_or_default();
        let common = |spread: Option<Duration>| {
            let delay = self.answers.delay.unwrap_or(Duration::hours(2));
            delay + self.part(spread.or(self.answers.spread).unwrap_or(Duration::hours(8)), person)
        };
        let delay = match (own.delay, own.spread) {
            (Some(delay), Some(spread)) => delay + self.part(spread, person),
            (Some(delay), None) => delay,
            (None, spread) => common(spread),
        };
        Answering {
            behaviour: own.behaviour.or(self.answers.behaviour).unwrap_or_default(),
            reminders: own.reminders.unwrap_or(1),
            delay,
            then: own.then.unwrap_or(Duration::days(1)),
            until: own.until,
        }
    }

    /// What a local person does on the evening, and how long after the broadcast.
    pub(in crate::rehearsal) fn evening(&self, cast: &Cast, person: &str) -> (AtEvening, Duration) {
        let own = cast.evening.get(person).copied().unwrap_or_default();
        let spread = own.spread.or(self.evening.spread).unwrap_or(Duration::minutes(18));
        let delay = match (own.delay, own.spread) {
            (Some(delay), None) => delay,
            (delay, _) => delay.or(self.evening.delay).unwrap_or(Duration::minutes(6)) + self.part(spread, person),
        };
        (own.behaviour.unwrap_or_default(), delay)
    }

    /// When an administrator reads the serial number back, what is read first, and how long the right one takes then.
    pub(in crate::rehearsal) fn read_back(&self, person: &str) -> (Duration, Option<(String, Duration)>) {
        let own = self.read_back_people.get(person).cloned().unwrap_or_default();
        let spread = self.read_back.spread.unwrap_or(Duration::hours(4));
        let common = || self.read_back.delay.unwrap_or(Duration::hours(1)) + self.part(spread, person);
        (own.delay.unwrap_or_else(common), own.first.map(|first| (first, own.then.unwrap_or(Duration::hours(1)))))
    }
}

/// Those whom the drain watches.
fn drained(campaign: &Campaign) -> Option<&Audience> {
    let wanted = Action::Observe("drain".to_owned());
    let step = campaign.steps.iter().find(|step| step.action.as_ref() == Some(&wanted))?;
    let gate = campaign.gates.get(step.needs.first()?)?;
    campaign.audiences.get(&campaign.acknowledgements.get(&gate.acknowledgement)?.audience)
}
