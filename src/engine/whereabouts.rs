//! Where people are, as far as the rosters say: by whose clock, days of work and quiet hours a letter counts. That is whoever
//! gets it; an escalation goes by the manager or alternate, who stands on a roster or is taken to be where the campaign is.

use super::due::ways_of;
use crate::campaign::{Campaign, Change, EscalationWay};
use crate::roster::{Person, Roster};
use chrono_tz::Tz;

/// By whose clock and days of work somebody's part of the calendar counts. The default is the campaign's own ground.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Whereabouts {
    pub(super) zone: Option<Tz>,
    country: Option<String>,
}

impl Whereabouts {
    pub(super) fn of(person: &Person) -> Whereabouts {
        let country = person.extra.iter().find(|(header, _)| header.eq_ignore_ascii_case("country"));
        Whereabouts { zone: person.time_zone, country: country.map(|(_, value)| value.clone()) }
    }

    /// Of whoever reads mail at an address.
    pub(super) fn at(roster: &Roster, address: &str) -> Whereabouts {
        roster.at(address).map(Whereabouts::of).unwrap_or_default()
    }

    /// Of whoever a step of the chain asks about a person, while nobody was asked yet. Everything else concerns the person
    /// alone, a call too: they have to be awake for it.
    pub(super) fn asked(roster: &Roster, person: &Person, way: Option<EscalationWay>) -> Whereabouts {
        let (own, next) = way.map(|way| ways_of(person, way)).unwrap_or_default();
        own.or(next).map_or_else(|| Whereabouts::of(person), |to| Whereabouts::at(roster, to.as_ref()))
    }

    /// Of whoever gets a letter, as the queue knows it.
    pub(super) fn of_reader(roster: &Roster, person: &str, notice: &str, to: &str) -> Option<Whereabouts> {
        match notice {
            "escalation" | "correction" => Some(Whereabouts::at(roster, to)),
            _ => roster.get(person).map(Whereabouts::of),
        }
    }

    /// The change as it is seen from there.
    pub(super) fn see(&self, campaign: &Campaign) -> Change {
        campaign.change_seen_from(self.zone, self.country.as_deref())
    }
}
