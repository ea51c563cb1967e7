//! Who came and went on the rosters since people were told, and what newcomers are told late.

use super::amend::Wish;
use super::amendment::Amendment;
use super::concerned::Told;
use super::missed::Missed;
use super::{Engine, What};
use crate::campaign::Campaign;
use crate::fault::Result;
use crate::ledger::{MessageRow, Owed};
use crate::outbox::State;
use crate::roster::{Person, Roster};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

impl Engine<'_> {
    /// Those who are new on the rosters, or elsewhere in them, get the notices whose hour has come. While the date is open
    /// nobody takes note of them: with the next date they are as new as before.
    pub(super) fn catch_up(&self, told: &Told, wish: &Wish, amendment: &mut Amendment) -> Result<()> {
        if wish.postpone {
            return Ok(());
        }
        let before = self.ledger.members()?;
        let now = self.members();
        if before == now {
            return Ok(());
        }
        // What was taken back when somebody left, nobody has; and what an amendment overtook meanwhile tells what was.
        let (overtaken, missed) = (self.ledger.overtaken()?, self.missed(Some(&*amendment))?);
        let have = self.ledger.messages()?.into_iter();
        let have = have.filter(|message| !message.is_taken_back() && !overtaken.contains(&message.id));
        let have: HashSet<(String, String)> = have.map(|message| (message.person, message.notice)).collect();
        let calendar = self.calendar();
        for (person, audiences) in &now {
            match before.get(person) {
                None => amendment.joined.push(person.clone()),
                Some(then) if then != audiences => {
                    amendment.moved.push((person.clone(), then.clone(), audiences.clone()));
                }
                Some(_) => continue,
            }
            let Some(person) = self.roster.get(person) else { continue };
            self.tell_who_is_back(person, told, &have, &missed, wish, amendment)?;
            for entry in calendar.iter().filter(|entry| entry.at <= self.now()) {
                let Some(notice) = entry.notice.clone().filter(|_| entry.what == What::Notice) else { continue };
                let there = entry.is_for(&self.roster, person);
                let known = have.contains(&(person.id.clone(), notice.clone()));
                let others = told.values().any(|notices| notices.contains_key(&notice));
                let known = known || amendment.owes(&person.id, &notice);
                if there && others && !known && person.is_in(&self.campaign.audiences[&entry.audience]) {
                    let revision = amendment.next;
                    let asks = self.acknowledgement_asked_by(&notice).map(str::to_owned);
                    let (person, reason, changes) = (person.id.clone(), String::new(), Vec::new());
                    amendment.owed.push(Owed { person, notice, asks, revision, reason, changes, overtakes: false });
                }
            }
        }
        Ok(())
    }

    /// Whoever comes back with a letter that an amendment has overtaken gets the one of today, with everything that changed
    /// since theirs: they act on what they have in hand.
    fn tell_who_is_back(
        &self,
        person: &Person,
        told: &Told,
        have: &HashSet<(String, String)>,
        missed: &Missed,
        wish: &Wish,
        amendment: &mut Amendment,
    ) -> Result<()> {
        let notices = told.get(&person.id).into_iter().flatten().filter(|(_, newest)| newest.is_some());
        for (notice, _) in notices {
            if !person.is_in(&self.campaign.audiences[&self.campaign.notices[notice].audience]) {
                continue;
            }
            if amendment.restored.iter().any(|one| one.person == person.id && one.notice == *notice) {
                continue;
            }
            let changes = missed.by(&person.id, notice)?;
            let known = amendment.owed.iter_mut().find(|owed| owed.person == person.id && owed.notice == *notice);
            if let Some(owed) = known {
                owed.changes = changes;
            } else if !changes.is_empty() || !have.contains(&(person.id.clone(), notice.clone())) {
                amendment.owed.push(Owed {
                    person: person.id.clone(),
                    notice: notice.clone(),
                    asks: self.acknowledgement_asked_by(notice).map(str::to_owned),
                    revision: amendment.next,
                    reason: wish.reason.clone(),
                    changes,
                    overtakes: true,
                });
            }
        }
        Ok(())
    }

    /// Takes back what waits for people whom the notice is not for any more: they left, or moved elsewhere.
    pub(super) fn take_back_from_gone(&mut self) -> Result<()> {
        let waiting = self.ledger.waiting()?.into_iter().filter(|message| message.state == State::Planned);
        let gone: Vec<i64> = waiting.filter(|message| !self.is_there(message)).map(|message| message.id).collect();
        let words = "taken back: the person is no longer among those it is for";
        self.ledger.hold_back(&gone, words, self.now())
    }

    /// What was taken back from people while it was in doubt is so again once it is for them again: nothing else tells them.
    pub(super) fn doubt_again_who_is_back(&mut self) -> Result<()> {
        let settled = self.settled()?;
        let (doubtful, untrue) = (self.ledger.taken_back_in_doubt()?.into_iter(), self.untrue()?);
        let doubtful = doubtful.filter(|message| !untrue.contains(&message.id));
        let open = doubtful.filter(|message| self.is_there(message) && !message.is_settled_by(&settled));
        let open: Vec<i64> = open.map(|message| message.id).collect();
        let words = "in doubt as before it was taken back: the person is among those it is for again";
        self.ledger.doubt_again(&open, words, self.now())
    }

    /// Whether a message's person is on the roster and, where the notice is for an audience, in that one.
    pub fn is_there(&self, message: &MessageRow) -> bool {
        let Some(person) = self.roster.get(&message.person) else {
            return matches!(message.notice.as_str(), "abort" | "postponed");
        };
        let told = self.is_about_the_change(&message.notice);
        let notice = self.campaign.notices.get(&message.notice).filter(|_| told);
        notice.is_none_or(|notice| person.is_in(&self.campaign.audiences[&notice.audience]))
    }

    /// Everybody on the rosters, with the audiences they are in.
    pub(super) fn members(&self) -> BTreeMap<String, String> {
        members_of(&self.campaign, &self.roster).collect()
    }

    /// Who came, went or moved since people were last told, by their ids: for `status` and `plan`.
    pub fn roster_changes(&self) -> Result<RosterChanges> {
        let before = self.ledger.members()?;
        if before.is_empty() {
            return Ok(RosterChanges::default());
        }
        let now: HashMap<String, String> = self.members().into_iter().collect();
        let joined = now.keys().filter(|id| !before.contains_key(*id)).cloned().collect::<BTreeSet<_>>();
        let left = before.keys().filter(|id| !now.contains_key(*id)).cloned().collect();
        let moved = before.iter().filter(|(id, then)| now.get(*id).is_some_and(|now| now != *then));
        Ok(RosterChanges {
            joined: joined.into_iter().collect(),
            left,
            moved: moved.map(|(id, _)| id.clone()).collect(),
        })
    }
}

/// See [`Engine::roster_changes`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RosterChanges {
    pub joined: Vec<String>,
    pub left: Vec<String>,
    /// In other audiences than before.
    pub moved: Vec<String>,
}

/// Everybody on the rosters, one by one, with the audiences they are in.
pub(super) fn members_of(campaign: &Campaign, roster: &Roster) -> impl Iterator<Item = (String, String)> {
    roster.people().map(|person| {
        let audiences = campaign.audiences.values().filter(|audience| person.is_in(audience));
        let names: Vec<&str> = audiences.map(|audience| audience.name.as_str()).collect();
        (person.id.clone(), names.join(" "))
    })
}
