//! Whom an amendment concerns: the letters that it makes necessary, and the answers that it makes void.

use super::amend::Wish;
use super::amendment::{Amendment, Informed};
use super::facts::text_of;
use super::true_again::InHand;
use super::{Difference, Engine};
use crate::campaign::{Grade, Notice};
use crate::fault::Result;
use crate::ledger::{Changed, Owed, Restored};
use crate::notice::Texts;
use crate::outbox::State;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashSet};

/// The notices one person got or has answered, with the newest letter of each that went out, as far as anybody knows.
pub(super) type Told = BTreeMap<String, BTreeMap<String, Option<Newest>>>;

/// When a letter went out, and under which revision.
pub(super) type Newest = (DateTime<Utc>, u32);

impl Engine<'_> {
    /// By person and notice, under every revision.
    pub(super) fn notices_told(&self) -> Result<Told> {
        let mut told = Told::new();
        for message in self.ledger.messages()? {
            if !self.is_about_the_change(&message.notice) {
                continue;
            }
            let out = message.may_be_there() || message.state == State::Bounced;
            let day = out.then(|| (message.settled_at.unwrap_or(message.planned_at), message.revision));
            let newest = told.entry(message.person).or_default().entry(message.notice).or_default();
            *newest = (*newest).max(day);
        }
        // Whoever was told by hand, and never written to, of whatever revision.
        for (person, spoken) in self.ledger.spoken()? {
            for asked in spoken.answered.keys().filter_map(|name| self.campaign.acknowledgements.get(name)) {
                let Some(notice) = &asked.notice else { continue };
                told.entry(person.clone()).or_default().entry(notice.clone()).or_default();
            }
        }
        Ok(told)
    }

    pub(super) fn inform_those_concerned(
        &self,
        told: &Told,
        wish: &Wish,
        in_hand: &InHand<'_, '_>,
        amendment: &mut Amendment,
    ) -> Result<()> {
        let texts = self.texts()?;
        let material: Vec<&Difference> = amendment.material().collect();
        let answered = self.answered_by_now(&material)?;
        let missed = self.missed(Some(&*amendment))?;
        let (mut owed, mut restored) = (Vec::new(), Vec::new());
        for (id, notices) in told {
            let Some(person) = self.roster.get(id) else { continue };
            for (name, day) in notices {
                let notice = &self.campaign.notices[name];
                let asks = self.acknowledgement_asked_by(name);
                // Whoever has answered need not know until when others have to.
                let answered = asks.is_some_and(|asks| answered.contains(&(id.clone(), asks.to_owned())));
                let changes: Vec<&Difference> = material
                    .iter()
                    .filter(|one| {
                        self.concerns(&texts, &one.fact, notice, asks, id)
                            && !(answered && one.fact.starts_with("due "))
                    })
                    .copied()
                    .collect();
                if changes.is_empty() || !person.is_in(&self.campaign.audiences[&notice.audience]) {
                    continue;
                }
                // Whoever never got the letter need not hear that its date is open.
                if wish.postpone && day.is_none() {
                    continue;
                }
                if let Some(one) = in_hand.restored(id, notice) {
                    restored.push(one);
                    continue;
                }
                let changes = match day {
                    Some(day) => self.letter_changes(&changes, notice, id, *day)?,
                    None => missed.by(id, name)?,
                };
                let notice = if wish.postpone { "postponed".to_owned() } else { name.clone() };
                let asks = self.acknowledgement_asked_by(&notice).map(str::to_owned);
                let (person, revision, reason) = (id.clone(), amendment.next, wish.reason.clone());
                let one = Owed { person, notice, asks, revision, reason, changes, overtakes: true };
                if !owed
                    .iter()
                    .rev()
                    .take(notices.len())
                    .any(|known: &Owed| known.person == one.person && known.notice == one.notice)
                {
                    owed.push(one);
                }
            }
        }
        if wish.postpone && !material.is_empty() {
            let known: HashSet<String> = restored.iter().map(|one: &Restored| one.person.clone()).collect();
            self.inform_who_left(&material, wish, amendment.next, known, &mut owed)?;
        }
        amendment.owed.extend(owed);
        amendment.restored = restored;
        Ok(())
    }

    /// Whoever was told and is on no roster, or in no audience that is told, any more: the date is off for them too. Who was
    /// told so last is not told it again.
    fn inform_who_left(
        &self,
        material: &[&Difference],
        wish: &Wish,
        revision: u32,
        mut known: HashSet<String>,
        owed: &mut Vec<Owed>,
    ) -> Result<()> {
        known.extend(owed.iter().map(|one| one.person.clone()));
        for told in self.ledger.ever_told()?.into_iter().filter(|told| !told.put_off && !known.contains(&told.person)) {
            owed.push(Owed {
                person: told.person,
                notice: "postponed".to_owned(),
                asks: None,
                revision,
                reason: wish.reason.clone(),
                changes: material.iter().map(|one| one.as_told()).collect(),
                overtakes: true,
            });
        }
        Ok(())
    }

    /// Whoever was told the date and is on the rosters still, but in no audience that hears of the new one: theirs does not
    /// hold any more, and nothing is asked of them.
    pub(super) fn inform_who_moved(
        &self,
        told: &Told,
        wish: &Wish,
        in_hand: &InHand<'_, '_>,
        amendment: &mut Amendment,
    ) -> Result<()> {
        let dates = amendment.material().filter(|one| matches!(one.fact.as_str(), "change_at" | "time_zone"));
        let changes: Vec<Changed> = dates.map(Difference::as_told).collect();
        if wish.postpone || changes.is_empty() {
            return Ok(());
        }
        let restored = amendment.restored.iter().map(|one| one.person.as_str());
        let hear: HashSet<&str> = amendment.owed.iter().map(|one| one.person.as_str()).chain(restored).collect();
        let knows = |id: &str, notices: &BTreeMap<String, Option<Newest>>| {
            notices.values().any(Option::is_some) && self.roster.get(id).is_some() && !hear.contains(id)
        };
        let moved: Vec<&String> = told.iter().filter(|(id, notices)| knows(id, notices)).map(|(id, _)| id).collect();
        let restored: Vec<_> = moved.iter().filter_map(|id| in_hand.restored_date(id)).collect();
        let moved: Vec<Owed> = moved
            .into_iter()
            .filter(|id| !restored.iter().any(|one| one.person == **id))
            .map(|id| Owed {
                person: id.clone(),
                notice: "correction".to_owned(),
                asks: None,
                revision: amendment.next,
                reason: wish.reason.clone(),
                changes: changes.clone(),
                overtakes: true,
            })
            .collect();
        amendment.owed.extend(moved);
        amendment.restored.extend(restored);
        Ok(())
    }

    /// Who has settled what has another due date, by person and acknowledgement.
    fn answered_by_now(&self, material: &[&Difference]) -> Result<HashSet<(String, String)>> {
        let mut answered = HashSet::new();
        for name in material.iter().filter_map(|one| one.fact.strip_prefix("due ")) {
            let Some(asked) = self.campaign.acknowledgements.get(name) else { continue };
            let settled = self.standings(asked)?.into_iter().filter(|one| Self::is_settled(asked, one));
            answered.extend(settled.map(|one| (one.person, name.to_owned())));
        }
        Ok(answered)
    }

    /// The changes as the letter tells them. A disk that went out before is named: it is void, unless what is told is words
    /// alone and the newest letter that they got came with today's.
    pub(super) fn letter_changes(
        &self,
        changes: &[&Difference],
        notice: &Notice,
        person: &str,
        (day, revision): Newest,
    ) -> Result<Vec<Changed>> {
        let mut told = in_words(changes);
        let words = changes.iter().all(|change| is_words(&change.fact));
        let Some(package) = &notice.package else { return Ok(told) };
        if !words || self.ledger.packages_issued(person, package, revision)? > 1 {
            let day = day.with_timezone(&self.campaign.change.zone).format("%F").to_string();
            told.push(Changed { fact: format!("package {package} {person}"), told: day, now: String::new() });
        }
        Ok(told)
    }

    /// Whether a fact stands in a person's letter about a notice, and in what that asks for.
    pub(super) fn concerns(
        &self,
        texts: &Texts,
        fact: &str,
        notice: &Notice,
        asks: Option<&str>,
        person: &str,
    ) -> bool {
        if let Some(name) = fact.strip_prefix("due ") {
            return asks == Some(name);
        }
        if let Some((name, voice)) = text_of(fact) {
            let language = self.roster.get(person).and_then(|one| one.language.as_deref());
            return name == notice.name && texts.hears(language, voice);
        }
        match fact.strip_prefix("package ").and_then(|rest| rest.split_once(' ')) {
            Some((package, whose)) => notice.package.as_deref() == Some(package) && whose == person,
            None => true,
        }
    }

    pub(super) fn count_answers(&self, amendment: &mut Amendment) -> Result<()> {
        let texts = self.texts()?;
        let mut informed: BTreeMap<String, Informed> = BTreeMap::new();
        for owed in &amendment.owed {
            let one = informed.entry(owed.person.clone()).or_insert_with(|| Informed::new(&owed.person));
            one.notices.push(owed.notice.clone());
            owed.changes.iter().for_each(|change| one.because(&change.fact));
        }
        let everything: Vec<&str> = amendment.everything().map(|difference| difference.fact.as_str()).collect();
        let overtaken: HashSet<(&str, &str)> = amendment
            .owed
            .iter()
            .filter(|owed| owed.overtakes)
            .filter_map(|owed| Some((owed.person.as_str(), owed.asks.as_deref()?)))
            .collect();
        let mut kept = 0;
        for asked in self.campaign.acknowledgements.values() {
            let notice = asked.notice.as_ref().map(|name| &self.campaign.notices[name]);
            for standing in self.standings(asked)?.into_iter().filter(|one| one.grade >= Grade::Confirmed) {
                if everything.is_empty() && !overtaken.contains(&(&standing.person, &asked.name)) {
                    kept += 1;
                    continue;
                }
                let one = informed.entry(standing.person.clone()).or_insert_with(|| Informed::new(&standing.person));
                one.void.push((asked.name.clone(), standing.grade));
                everything.iter().for_each(|fact| one.because(fact));
                let of_its_notice = |fact: &str| {
                    notice
                        .is_some_and(|notice| self.concerns(&texts, fact, notice, Some(&asked.name), &standing.person))
                };
                let because = amendment.material().filter(|difference| of_its_notice(&difference.fact));
                because.for_each(|difference| one.because(&difference.fact));
            }
        }
        amendment.kept = kept;
        amendment.informed = informed.into_values().collect();
        Ok(())
    }
}

/// What is told of them but for packages.
pub(super) fn in_words(changes: &[&Difference]) -> Vec<Changed> {
    let mut told: Vec<Changed> =
        changes.iter().filter(|change| !change.fact.starts_with("package ")).map(|change| change.as_told()).collect();
    // Where their language came or went two texts are another, and it is one letter.
    told.dedup_by_key(|change| text_of(&change.fact).map_or(change.fact.clone(), |(notice, _)| notice.to_owned()));
    told
}

/// Whether a fact is told in the letter alone: no disk says anything of it.
fn is_words(fact: &str) -> bool {
    fact.starts_with("text ") || fact.starts_with("due ") || matches!(fact, "campaign title" | "campaign contact")
}
