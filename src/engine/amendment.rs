//! What people were told against what is true now: what that changes, whether answers can stay, and what comes of it for
//! whom. It is shown before anything is taken over.

use super::amend::{OPEN, Wish};
use super::facts::text_of;
use super::wording::Wording;
use super::{Difference, Engine};
use crate::campaign::Grade;
use crate::fault::{Fault, Result};
use crate::ledger::{Owed, Restored};
use crate::runbook::{Journal, StepState, state_of};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Answers to the old fact are void.
    Material,
    Cosmetic,
}

impl Effect {
    pub fn word(self) -> &'static str {
        match self {
            Effect::Material => "material",
            Effect::Cosmetic => "cosmetic",
        }
    }
}

/// One fact that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    #[serde(flatten)]
    pub difference: Difference,
    pub effect: Effect,
}

/// Somebody who is written to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Informed {
    pub person: String,
    pub notices: Vec<String>,
    /// The facts that changed for them; none: they hear of it for the first time.
    pub because: Vec<String>,
    /// Acknowledgements whose answer is void, with the grade it had.
    pub void: Vec<(String, Grade)>,
}

impl Informed {
    pub(super) fn new(person: &str) -> Informed {
        let (notices, because, void) = Default::default();
        Informed { person: person.to_owned(), notices, because, void }
    }

    pub(super) fn because(&mut self, fact: &str) {
        if !self.because.iter().any(|known| known == fact) {
            self.because.push(fact.to_owned());
        }
    }

    /// Their answer is void, and no letter of ours has reached them that could be put right.
    pub fn is_silent(&self) -> bool {
        self.notices.is_empty()
    }
}

/// Somebody who had to answer and is not on the roster any more, with how far they had come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    pub person: String,
    pub acknowledgement: String,
}

/// A step that was let begin by answers that are void now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rests {
    pub step: String,
    pub gates: Vec<String>,
    /// What `cutover rollback --to` keeps, where that takes this step back and nothing before it.
    pub after: Option<String>,
}

/// What `amend` would do, or has done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Amendment {
    pub schema: u32,
    /// What people were told.
    pub revision: u32,
    /// What they are told from now on: the same where only people came and went.
    pub next: u32,
    pub postponed: bool,
    pub changes: Vec<Change>,
    pub informed: Vec<Informed>,
    /// Answers that stay.
    pub kept: usize,
    /// Letters to managers and alternates: what they were asked names what is no longer true.
    pub corrected: usize,
    pub joined: Vec<String>,
    /// With their audiences, then and now.
    pub moved: Vec<(String, String, String)>,
    pub left: Vec<Left>,
    /// The changed texts, as somebody reads them.
    pub wordings: Vec<Wording>,
    /// Notices whose window is over by the new date, with how many people have not got them: they wait to be asked for by name.
    pub held: BTreeMap<String, usize>,
    /// Steps that are done, and rest on answers that are void from now on.
    pub rests: Vec<Rests>,
    /// Whose package changed while the new serial number is in force: the letter with it still speaks of a change to come.
    pub installs_now: Vec<String>,
    /// Letters that are true again, because what had moved moved back before those who have them heard of it: they are not
    /// written to.
    pub restored: Vec<Restored>,
    #[serde(skip)]
    pub(super) owed: Vec<Owed>,
}

impl Amendment {
    /// Nothing changed, and nobody came or went.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.joined.is_empty() && self.moved.is_empty() && self.left.is_empty()
    }

    /// Whether it tells a person a notice.
    pub(super) fn owes(&self, person: &str, notice: &str) -> bool {
        self.owed.iter().any(|owed| owed.person == person && owed.notice == notice)
    }

    pub(super) fn material(&self) -> impl Iterator<Item = &Difference> {
        self.changes.iter().filter(|change| change.effect == Effect::Material).map(|change| &change.difference)
    }

    /// What every notice speaks of is different.
    pub(super) fn everything(&self) -> impl Iterator<Item = &Difference> {
        self.material().filter(|difference| is_in_every_notice(&difference.fact))
    }
}

impl Engine<'_> {
    /// What an amendment would change. Nothing is recorded.
    pub fn amendment(&self, wish: &Wish) -> Result<Amendment> {
        let Some(revision) = self.ledger.revision()? else {
            return Err(Fault::new(
                "nothing-told",
                "nobody was told anything yet",
                "change what you like, then `send`",
            ));
        };
        let (gone, mut differences): (Vec<_>, Vec<_>) =
            self.differences()?.into_iter().partition(|difference| difference.gone.is_some());
        if wish.postpone {
            // Whatever else is different is told together with the new date.
            differences.clear();
            let told = revision.facts.get("change_at").cloned().unwrap_or_default();
            if told != OPEN {
                differences.insert(0, Difference::of("change_at", &told, OPEN));
            }
        }
        let changes: Vec<Change> = differences
            .into_iter()
            .map(|difference| Change { effect: self.effect(&difference.fact, wish), difference })
            .collect();
        let told = self.notices_told()?;
        let mut amendment = Amendment {
            schema: 1,
            revision: revision.number,
            next: revision.number + u32::from(!changes.is_empty()),
            postponed: wish.postpone,
            informed: Vec::new(),
            kept: 0,
            corrected: 0,
            joined: Vec::new(),
            moved: Vec::new(),
            rests: Vec::new(),
            installs_now: Vec::new(),
            held: BTreeMap::new(),
            wordings: Vec::new(),
            left: gone.into_iter().filter_map(|difference| difference.gone).collect(),
            restored: Vec::new(),
            owed: Vec::new(),
            changes,
        };
        let changed: Vec<&Difference> = amendment.changes.iter().map(|change| &change.difference).collect();
        amendment.wordings = self.wordings(&changed)?;
        let in_hand = self.in_hand(&amendment, wish)?;
        self.inform_those_concerned(&told, wish, &in_hand, &mut amendment)?;
        self.catch_up(&told, wish, &mut amendment)?;
        self.inform_who_moved(&told, wish, &in_hand, &mut amendment)?;
        self.count_answers(&mut amendment)?;
        amendment.rests = self.resting_on_void(&amendment)?;
        if self.was_in_force()? {
            let package = |one: &Change| {
                one.difference.fact.strip_prefix(PACKAGE)?.split_once(' ').map(|(_, whose)| whose.to_owned())
            };
            amendment.installs_now = amendment.changes.iter().filter_map(package).collect();
        }
        if !wish.postpone && !amendment.is_empty() {
            amendment.held = self.held_after(&amendment)?;
        }
        amendment.corrected = self.intents_to_correct(&amendment, wish)?.len();
        Ok(amendment)
    }

    /// Done steps whose gates are shut by it. The change itself does not begin before they are open again.
    fn resting_on_void(&self, amendment: &Amendment) -> Result<Vec<Rests>> {
        let void = |gate: &&String| {
            let asked = &self.campaign.gates[*gate].acknowledgement;
            amendment.informed.iter().any(|one| one.void.iter().any(|(name, _)| name == asked))
        };
        let entries = self.ledger.entries()?;
        let (mut rests, mut before) = (Vec::new(), None);
        // From then on the gates are asked again where they count, and going back is no way to open one.
        let begins = self.campaign.beginning().map_or(self.campaign.steps.len(), |(begins, _)| begins);
        let (beforehand, evening) = self.campaign.steps.split_at(begins);
        for step in evening {
            if state_of(&entries, &step.name)?.has_begun() {
                return Ok(rests);
            }
        }
        for step in beforehand {
            let gates: Vec<String> = step.needs.iter().filter(void).cloned().collect();
            if !gates.is_empty() && state_of(&entries, &step.name)? == StepState::Done {
                rests.push(Rests { step: step.name.clone(), gates, after: before.map(str::to_owned) });
            }
            before = Some(step.name.as_str());
        }
        Ok(rests)
    }

    /// Whether answers to the old fact can stay: a date, a serial number or a package is never a matter of looks; a text
    /// that asks for nothing and names nothing always is.
    pub(super) fn effect(&self, fact: &str, wish: &Wish) -> Effect {
        let may_be = match text_of(fact) {
            Some((name, _)) if !self.is_about_the_change(name) => return Effect::Cosmetic,
            Some(_) => true,
            None if fact.starts_with(PACKAGE) => false,
            None => !["change_at", "time_zone", "network", "name", "old_serial", "new_serial"].contains(&fact),
        };
        if may_be && wish.cosmetic { Effect::Cosmetic } else { Effect::Material }
    }

    /// A notice that tells people what will change, as against one that reminds, asks others, or says that it is over.
    pub(super) fn is_about_the_change(&self, notice: &str) -> bool {
        let asked = self.acknowledgement_asked_by(notice).is_some();
        self.campaign.notices.get(notice).is_some_and(|one| asked || one.at.is_some() || one.package.is_some())
    }
}

/// How a fact begins that is one person's package.
pub(super) const PACKAGE: &str = "package ";

/// A text and a due date stand in one notice and a package goes with one; anything else is what all of them speak of.
fn is_in_every_notice(fact: &str) -> bool {
    !["text ", PACKAGE, "due "].iter().any(|kind| fact.starts_with(kind))
}
