//! From decisions to planned messages: composed on all cores, written down in one transaction.

use super::Engine;
use super::membership::members_of;
use super::sending::{Intent, Sent};
use super::shipped::Shipped;
use super::signing::Signatures;
use super::unwritten::Unwritten;
use crate::fault::{Fault, Result, people};
use crate::ledger::{OUTDATED, Telling};
use crate::notice::dkim::Signer;
use crate::notice::{UNFILLED, open_file};
use crate::package::streamed;
use std::collections::{HashMap, HashSet};

impl Engine<'_> {
    /// Composes and plans; returns how many messages are new. What could not be in the campaign's own words, or not be
    /// written, is added to what is told of the run.
    pub(super) fn plan_messages(&mut self, intents: &[Intent], sent: &mut Sent) -> Result<usize> {
        let (mut revisions, mut telling) = (HashMap::new(), Telling::default());
        for intent in intents {
            if !revisions.contains_key(&intent.notice) {
                // That the change is off, or put off, holds whatever the files say now; an answer to an answer tells nothing
                // that was not told.
                let number = if matches!(intent.notice.as_str(), "abort" | "postponed" | "correction" | OUTDATED) {
                    self.revision_number()?
                } else {
                    let theirs = intents.iter().filter(|one| one.notice == intent.notice);
                    self.require_packages(&intent.notice, theirs.map(|one| one.person.id.as_str()))?;
                    self.tell(&intent.notice, &mut telling)?
                };
                revisions.insert(intent.notice.clone(), number);
            }
        }
        let now = self.now();
        if intents.is_empty() {
            return Ok(0);
        }
        if telling.revision.as_ref().is_some_and(|one| one.number == 1) && self.ledger.revision_number()?.is_none() {
            telling.members = Some(Box::new(members_of(&self.campaign, &self.roster)));
        }
        let mut desk = self.desk()?;
        desk.threads = self.threads(intents)?;
        desk.others = self.others(intents.iter().filter_map(|intent| intent.instead.as_ref()));
        let slow = desk.signer.take_if(|signer| signer.is_slow());
        let desk = desk;
        let compose = |intent: &Intent| desk.compose(intent, revisions[&intent.notice], now);
        let beforehand = |signer: Signer| {
            let sign = |intent: &Intent| match compose(intent)?.letter {
                none if none.size() == 0 => Ok(String::new()),
                letter => signer.signature(&letter, now, &open_file),
            };
            streamed(intents, sign, |made| Signatures::keep(self.ledger.state(), whole(made, intents.len())))
        };
        let mut signatures = slow.map(beforehand).transpose()?;
        let mut worded = Shipped::default();
        let mut new = HashSet::new();
        for notice in revisions.keys() {
            if !self.ledger.knows(notice)? {
                new.insert(notice.clone());
            }
        }
        let mut unwritten = Unwritten::of(new);
        let planned = streamed(intents, compose, |composed| {
            let signed = composed.map(|message| match &mut signatures {
                Some(signatures) => signatures.put_on(message?),
                None => message,
            });
            let noted = signed.inspect(|message| message.iter().for_each(|message| worded.note(message)));
            self.ledger.plan_telling(telling, unwritten.judge(whole(noted, intents.len())), now)
        });
        if planned.as_ref().is_err_and(|fault| fault.findings[0].code == UNFILLED) {
            let left_out = unwritten.left_out();
            let others = intents.iter().filter(|intent| !left_out.contains(&intent.notice));
            let others: Vec<Intent> = others.cloned().collect();
            if (1..intents.len()).contains(&others.len()) {
                unwritten.tell(sent, "run `flagday send`: none of these is planned");
                return self.plan_messages(&others, sent);
            }
        }
        let planned = planned?;
        sent.shipped.extend(worded.findings());
        unwritten.tell(sent, "run `flagday send --to failed`");
        Ok(planned)
    }

    /// Refuses what cannot be written to somebody under a revision that is not on record yet: it would name people whom
    /// nobody can tell.
    pub(super) fn require_letters(&self, intents: &[Intent], revision: u32) -> Result<()> {
        if intents.is_empty() {
            return Ok(());
        }
        let mut desk = self.desk()?;
        desk.threads = self.threads(intents)?;
        desk.others = self.others(intents.iter().filter_map(|intent| intent.instead.as_ref()));
        let (desk, now) = (desk, self.now());
        let write = |intent: &Intent| {
            if intent.instead.is_none() && intent.person.email.is_none() {
                return Ok(());
            }
            desk.written(intent, revision, &desk.token(intent, revision), now).map(drop).map_err(|mut fault| {
                for finding in &mut fault.findings {
                    finding.cause = format!("'{}' for {}: {}", intent.notice, intent.person.id, finding.cause);
                }
                fault
            })
        };
        streamed(intents, write, |written| whole(written, intents.len()).collect())
    }

    /// Whether some package is not built for everybody, or of what lies at its source now.
    pub fn lacks_packages(&self) -> Result<bool> {
        for package in self.campaign.packages.values() {
            if !self.unbuilt(package)?.is_empty() {
                return Ok(true);
            }
        }
        Ok(!self.replaced()?.is_empty())
    }

    /// A notice with a package can only go out when everybody's is built, and theirs of what lies at its source now.
    pub(super) fn require_packages<'p>(&self, notice: &str, to: impl Iterator<Item = &'p str>) -> Result<()> {
        let package = self.campaign.notices[notice].package.as_ref().map(|name| &self.campaign.packages[name]);
        let Some(package) = package else { return Ok(()) };
        let unbuilt = self.unbuilt(package)?;
        if unbuilt.is_empty() {
            return self.require_sources(package, &to.collect());
        }
        Err(Fault::new(
            "not-built",
            format!("'{}' is not built for {}", package.name, people(&unbuilt)),
            "run `flagday build` first",
        ))
    }
}

/// As many as are awaited, or an error at the end: composing that breaks down must not pass for all of it, and then nothing
/// is planned.
fn whole<T>(composed: impl Iterator<Item = Result<T>>, mut awaited: usize) -> impl Iterator<Item = Result<T>> {
    let mut composed = composed.fuse();
    std::iter::from_fn(move || match composed.next() {
        None if awaited > 0 => {
            let cause = format!("{} messages could not be composed", std::mem::take(&mut awaited));
            let remedy = "the words above say where; nothing was planned. `flagday preview` shows them one by one";
            Some(Err(Fault::new("composing-ended", cause, remedy)))
        }
        message => {
            awaited = awaited.saturating_sub(1);
            message
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composing_that_ends_early_is_an_error_and_never_all_of_it() {
        let composed = || (0..3).map(Ok::<i32, Fault>);
        assert_eq!(whole(composed(), 3).collect::<Result<Vec<_>>>().expect("all of them"), [0, 1, 2]);
        let cut = whole(composed(), 5).collect::<Result<Vec<_>>>().expect_err("two are missing");
        assert!(cut.cause().starts_with("2 messages"), "{cut}");
        assert_eq!(whole(composed(), 5).count(), 4, "it is said once");
    }
}
