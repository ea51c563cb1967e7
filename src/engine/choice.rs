//! Which messages one run sends: all that are due, or only those for whom somebody asked, and so many.

use super::nights::Wanted;
use super::postponed::is_told;
use super::sending::{Intent, To};
use super::{Engine, Sent};
use crate::fault::{Exit, Fault, Result};
use crate::ledger::MessageRow;
use crate::outbox::State;
use std::collections::HashSet;

/// What a run may take from the queue.
#[derive(Debug, Default)]
pub(super) struct Choice {
    people: Option<HashSet<String>>,
    notice: Option<String>,
    /// By person and notice.
    pub letters: Option<HashSet<(String, String)>>,
    /// What is in doubt, and goes out once more by itself, as well.
    doubtful: bool,
    /// What waits for the end of quiet hours and is asked for, before it is woken.
    woken: HashSet<i64>,
    pub limit: Option<usize>,
}

impl Choice {
    /// A notice asked for by name goes out with everything that waits; one for these people, or so many of it, does not.
    fn is_everything(&self) -> bool {
        self.people.is_none() && self.letters.is_none() && self.limit.is_none()
    }

    /// Others may wait of whom it does not speak. A limit only says how many of its own leave now.
    fn is_of_some(&self) -> bool {
        self.people.is_some() || self.letters.is_some()
    }

    pub fn includes(&self, one: &MessageRow) -> bool {
        let letter = || (one.person.clone(), one.notice.clone());
        self.people.as_ref().is_none_or(|people| people.contains(&one.person))
            && self.notice.as_ref().is_none_or(|notice| *notice == one.notice)
            && self
                .letters
                .as_ref()
                .is_none_or(|letters| self.doubtful && one.is_in_doubt() || letters.contains(&letter()))
    }
}

impl Engine<'_> {
    pub(super) fn choice(&self, notice: Option<&str>, to: &To, limit: Option<usize>) -> Result<Choice> {
        let people = match to {
            To::People(words) => Some(self.ids_of(words)?),
            _ => None,
        };
        Ok(Choice {
            people,
            notice: notice.map(str::to_owned),
            letters: None,
            doubtful: *to == To::Failed,
            limit,
            woken: HashSet::new(),
        })
    }

    /// The messages of the queue that it means, in their turn; `None`: all of them.
    pub(super) fn chosen(&self, choice: &Choice) -> Result<Option<Vec<i64>>> {
        if choice.is_everything() {
            return Ok(None);
        }
        Ok(Some(self.in_turn(choice)?.into_iter().take(choice.limit.unwrap_or(usize::MAX)).collect()))
    }

    /// The same, also beyond the limit.
    fn in_turn(&self, choice: &Choice) -> Result<Vec<i64>> {
        let now = self.now();
        let kept =
            |one: &MessageRow| self.ledger.presses_nobody && matches!(one.notice.as_str(), "reminder" | "escalation");
        let waiting = self.ledger.waiting()?.into_iter();
        let mut chosen: Vec<MessageRow> = waiting
            .filter(|one| one.state == State::Planned && (one.next_at <= now || choice.woken.contains(&one.id)))
            .filter(|one| !kept(one) && choice.includes(one))
            .collect();
        chosen.sort_by_key(|one| (one.next_at, one.id));
        Ok(chosen.into_iter().map(|one| one.id).collect())
    }

    /// Leaves out what is beyond the limit, and says how much that is. What waits goes first. A letter in the place of one that
    /// waits takes its turn, and one that has no address takes nobody's.
    pub(super) fn keep_to_limit(&self, intents: &mut Vec<Intent>, choice: &Choice) -> Result<usize> {
        let Some(limit) = choice.limit else { return Ok(0) };
        let (queued, all) = (HashSet::<i64>::from_iter(self.in_turn(choice)?), intents.len());
        let replaced = |intent: &Intent| intent.replaces.iter().filter(|id| queued.contains(id)).count();
        intents.sort_by_key(|intent| replaced(intent) == 0);
        let mut leaving = queued.len();
        intents.retain(|intent| {
            let others = leaving - replaced(intent);
            let fits = others < limit;
            if fits {
                leaving = others + usize::from(intent.instead.is_some() || intent.person.email.is_some());
            }
            fits
        });
        Ok(all - intents.len())
    }

    /// What is left of those whom a run was asked about, where that is not everybody: it ends by these, and not by what waits
    /// for others.
    pub(super) fn leave_others_out(&self, sent: &mut Sent, choice: &Choice) -> Result<()> {
        if !choice.is_of_some() {
            return Ok(());
        }
        let all = self.ledger.counts()?;
        sent.waiting = self.ledger.waiting()?.iter().filter(|one| choice.includes(one)).count();
        sent.others = (all.planned + all.sending + all.deferred).saturating_sub(sent.waiting);
        let troubled = self.ledger.messages_in_trouble()?;
        let (held, in_doubt): (Vec<_>, Vec<_>) = troubled
            .iter()
            .filter(|one| one.is_in_doubt() && choice.includes(one))
            .partition(|one| one.state == State::Held);
        (sent.in_doubt, sent.doubted_twice) = (in_doubt.len(), sent.doubted_twice.min(held.len()));
        Ok(())
    }

    /// How many messages would leave now, and how many of them wait in the queue already.
    pub fn forecast(&self, notice: Option<&str>, to: &To, limit: Option<usize>, again: bool) -> Result<(usize, usize)> {
        self.require_roster()?;
        self.require_no_choice_at_the_end(notice, to, limit)?;
        let mut choice = self.choice(notice, to, limit)?;
        choice.woken = self.woken_by(&notice.map_or_else(Wanted::default, |name| Wanted::Notice(name.to_owned())))?;
        let most = limit.unwrap_or(usize::MAX);
        let at_the_end = self.letters_about_the_end()?;
        if *to == To::Failed {
            let again = self.to_try_again(notice, most)?;
            choice.letters = Some(again.letters);
            // That it is off, or put off, is told to everybody in any case.
            let queued = match at_the_end {
                Some(_) => self.ledger.due(self.now())?,
                None => self.chosen(&choice)?.map_or(0, |queued| queued.len()),
            };
            let new = again.same.len() + again.intents.len() + at_the_end.unwrap_or(0);
            return Ok(((new + queued).min(most), queued.min(most)));
        }
        let mut intents = if at_the_end.is_some() { Vec::new() } else { self.intended(notice, to, again)? };
        if *to == To::Unanswered {
            choice.letters = Some(letters(&intents));
        }
        self.keep_to_limit(&mut intents, &choice)?;
        // A further copy takes the place of what waits.
        let replaced: HashSet<i64> = intents.iter().flat_map(|intent| intent.replaces.iter().copied()).collect();
        let leaves = |id: &&i64| !replaced.contains(id);
        let queued = match self.chosen(&choice)? {
            Some(chosen) => chosen.iter().filter(leaves).count(),
            None => self.ledger.due(self.now())? + choice.woken.len(),
        };
        let queued = queued + self.early(notice, to, &choice)?.iter().filter(leaves).count();
        let new = at_the_end.unwrap_or(intents.len());
        Ok((new.saturating_add(queued).min(most), queued))
    }

    /// How many letters that it is off, or put off, are still to be written; nothing where it is neither.
    fn letters_about_the_end(&self) -> Result<Option<usize>> {
        if self.aborted()?.is_some() {
            return Ok(Some(self.to_be_told_of_abort()?.len() + self.asked_to_be_told_of_abort()?.len()));
        }
        if !self.is_postponed()? {
            return Ok(None);
        }
        Ok(Some(self.intents_owed()?.iter().filter(|intent| is_told(&intent.notice)).count()))
    }

    /// Nothing is in doubt, or in the hands of a run that broke off: what leaves now is known beforehand.
    pub fn is_idle(&self) -> Result<bool> {
        let counts = self.ledger.counts()?;
        Ok(counts.sending + counts.uncertain == 0)
    }

    /// That it is off, or put off, is told to all who have to know.
    pub(super) fn require_no_choice_at_the_end(
        &self,
        notice: Option<&str>,
        to: &To,
        limit: Option<usize>,
    ) -> Result<()> {
        let off = match (self.aborted()?.is_some(), self.is_postponed()?) {
            (true, _) => "called off",
            (_, true) => "put off",
            _ => return Ok(()),
        };
        if notice.is_some() || limit.is_none() && matches!(to, To::Everyone | To::Failed) {
            return Ok(());
        }
        let cause = format!("the change is {off}: everybody who knows of it is told so, and nobody else anything");
        Err(Fault::ending(
            Exit::Usage,
            "told-to-all",
            cause,
            "leave --to and --limit out; --to failed tries again what failed",
        ))
    }

    /// New messages that a run would plan, as far as it can be told beforehand.
    fn intended(&self, notice: Option<&str>, to: &To, again: bool) -> Result<Vec<Intent>> {
        let mut intents = match notice {
            Some(name) => self.intents_by_name(name, again || *to == To::Unanswered)?,
            None => {
                let mut intents = self.intents_owed()?;
                intents.extend(self.intents_outdated()?);
                let mut due = self.look_around()?.due()?;
                if self.ledger.presses_nobody {
                    due.keep_back();
                }
                intents.extend(due.intents);
                intents
            }
        };
        self.narrow(&mut intents, to)?;
        Ok(intents)
    }
}

/// By person and notice.
pub(super) fn letters(intents: &[Intent]) -> HashSet<(String, String)> {
    intents.iter().map(|intent| (intent.person.id.clone(), intent.notice.clone())).collect()
}

impl Sent {
    /// How many messages a question speaks of.
    pub fn asked_about(messages: usize, queued: usize) -> String {
        let count = if messages == 1 { "one message".to_owned() } else { format!("{messages} messages") };
        match queued {
            0 => count,
            _ if queued == messages => format!("{count}, planned before"),
            _ => format!("{count}, {queued} of them planned before"),
        }
    }
}
