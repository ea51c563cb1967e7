//! Whether somebody may be pressed to answer yet, or at all. Whom we told, or told anew, after the hour of a reminder or an
//! escalation had come has not been silent: it is passed over for them.

use super::{Entry, Look, Silent, What};
use crate::campaign::Acknowledgement;
use crate::fault::Result;
use chrono::{DateTime, Duration, Utc};

/// When a timed action may press somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Now,
    Later(DateTime<Utc>),
    Never,
}

/// So long after they were told nobody else hears that somebody has not answered.
const TO_ANSWER: Duration = Duration::hours(1);

impl Look<'_, '_> {
    pub(super) fn when(&self, asked: &Acknowledgement, entry: &Entry, silent: &Silent, is_a_call: bool) -> When {
        match entry.what {
            What::Reminder if !self.may_be_reminded(entry, silent) => When::Never,
            What::Notice | What::Reminder => When::Now,
            What::Escalation | What::Task => self.when_escalated(asked, entry, silent, is_a_call),
        }
    }

    /// Those whom an entry that has come presses later, with the instant.
    pub(in crate::engine) fn later(&self, entry: &Entry) -> Result<Vec<(String, DateTime<Utc>)>> {
        let asked = entry.acknowledgement.as_ref().and_then(|name| self.engine.campaign.acknowledgements.get(name));
        let Some(asked) = asked.filter(|_| matches!(entry.what, What::Escalation | What::Task)) else {
            return Ok(Vec::new());
        };
        let mut later = Vec::new();
        let long_ago = self.now - asked.window.max(TO_ANSWER);
        let lately =
            |one: &&Silent| one.letters.as_ref().and_then(|letters| letters.first).is_some_and(|at| at > long_ago);
        let silent = self.silent(asked)?;
        let there = silent.values().filter(lately).filter(|one| entry.is_for(&self.engine.roster, &one.person));
        for silent in there {
            let Some(intent) = self.intent_not_had(asked, silent, entry)? else { continue };
            if let When::Later(at) = self.when(asked, entry, silent, intent.is_a_call(entry)) {
                later.push((silent.person.id.clone(), at));
            }
        }
        Ok(later)
    }

    /// Steps that are brought forward, and wait until whoever gets them is awake.
    pub(in crate::engine) fn brought_forward_to_the_morning(&self, calendar: &[Entry]) -> Result<Vec<Entry>> {
        let mut waiting = Vec::new();
        for asked in self.engine.campaign.acknowledgements.values() {
            for silent in self.silent(asked)?.values() {
                let Some((entry, Some(intent))) = self.next_step(calendar, asked, silent)? else { continue };
                let one = self.for_one(&entry, silent, Some(&intent));
                if entry.at > self.now && self.engine.awake(&one).there.is_empty() {
                    waiting.push(one);
                }
            }
        }
        Ok(waiting)
    }

    /// Not at an address that is dead, not while away, and not when the person was written to since the hour came: a
    /// notice that went out late is its own reminder. What they were spared while they were away is not late when they are
    /// back.
    fn may_be_reminded(&self, entry: &Entry, silent: &Silent) -> bool {
        let last = silent.letters.as_ref().and_then(|letters| letters.last);
        let was_away = |(since, back)| since <= entry.at && self.engine.day(&silent.person, entry.at) < back;
        if !self.by_name && entry.is_late(self.now) && silent.absent.is_some_and(was_away) {
            return false;
        }
        !silent.unreachable
            && !silent.unsent
            && silent.away.is_none_or(|until| until <= self.engine.today(&silent.person))
            && (self.by_name || entry.at > self.now || last.is_none_or(|last| last < entry.at))
    }

    /// A letter about them is passed over where its hour had come before they were told. A call waits instead, for a window or
    /// half of what was left until the change: nobody else asks them. Whoever cannot answer is not waited for.
    fn when_escalated(&self, asked: &Acknowledgement, entry: &Entry, silent: &Silent, is_a_call: bool) -> When {
        let told = silent.letters.as_ref().and_then(|letters| letters.first);
        let Some(told) = told.filter(|_| !self.by_name && !self.cannot_answer(asked, silent)) else {
            return When::Now;
        };
        let most = match entry.at > told {
            true => TO_ANSWER.min(asked.window / 2),
            false if is_a_call => asked.window,
            false => return When::Never,
        };
        let left = self.engine.campaign.change.at - told;
        let at = told + if left > Duration::zero() { most.min(left / 2) } else { most };
        if self.now < at { When::Later(at) } else { When::Now }
    }
}
