//! Actions of a step that are the work of other stages: packages built, notices sent, things looked at. Each can be
//! asked for again after a crash, and is done once.

use super::calendar::What;
use super::{Engine, To};
use crate::campaign::{Action, Step};
use crate::fault::{Fault, Finding, Result, people};
use crate::outbox::{Progress, State};
use chrono::{DateTime, Utc};
use std::sync::atomic::AtomicBool;

impl Engine<'_> {
    /// Looks where the step is an observation; what was seen.
    pub(super) fn look(&mut self, step: &Step) -> Result<Vec<String>> {
        match &step.action {
            Some(Action::Observe(what)) => match what.as_str() {
                // Where a person states the moment, the clock is read with the statement.
                "server-clock" | "staged-master" if step.attest.is_some() => Ok(Vec::new()),
                "staged-master" => self.seen_of_staged(step),
                "server-clock" => self.seen_at_broadcast(step),
                "drain" => self.look_at_drain(),
                other => Err(Fault::new(
                    "unknown-observation",
                    format!("there is no observation '{other}'"),
                    "observe = \"staged-master\", \"server-clock\" or \"drain\"",
                )),
            },
            _ => Ok(Vec::new()),
        }
    }

    /// Builds and sends what the step asks for: what is to be known of it, or why something is open.
    pub(super) fn build_and_send(&mut self, step: &Step) -> Result<std::result::Result<Vec<Finding>, String>> {
        match &step.action {
            Some(Action::Package(name)) => {
                let built = self.build(Some(name))?;
                Ok(Ok(built.into_iter().flat_map(|one| one.findings).filter(|one| !one.is_note()).collect()))
            }
            Some(Action::Notice(names)) => Ok(self.tell_all(names)?.map_or(Ok(Vec::new()), Err)),
            _ => Ok(Ok(Vec::new())),
        }
    }

    /// Sends notices whose hour has come, and says what is still on its way.
    fn tell_all(&mut self, names: &[String]) -> Result<Option<String>> {
        let now = self.now();
        let stop = AtomicBool::new(false);
        for name in names {
            let calendar = self.calendar();
            let hours =
                calendar.iter().filter(|entry| entry.what == What::Notice && entry.notice.as_ref() == Some(name));
            let first = hours.clone().map(|entry| entry.at).min();
            let look = self.look_around()?;
            let (mut next, mut last) = (None, None);
            for entry in hours.filter(|entry| entry.at > now || entry.is_late(now)) {
                if !look.intents(entry)?.is_empty() {
                    next = next.or(Some(entry));
                    last = last.max(Some(entry.at));
                }
            }
            if let (Some(next), Some(first), Some(last)) = (next, first, last) {
                let hour = |at: DateTime<Utc>| {
                    at.with_timezone(&self.campaign.change.zone).format("%a %F %H:%M %Z").to_string()
                };
                let send = self.send_by_name(name)?;
                return Ok(Some(if next.at <= now {
                    format!("notice '{name}' was due {} and is held; `{send}` sends it late", hour(next.at))
                } else if first == last {
                    format!("notice '{name}' goes out {}; `{send}` sends it now", hour(last))
                } else {
                    // The same as long as it waits for any of them.
                    let until = hour(last);
                    format!("notice '{name}' goes out {} to {until}, zone by zone; `{send}` sends it now", hour(first))
                }));
            }
            self.by_step = true;
            let sent = self.send(Some(name), &To::Everyone, None, false, &stop, &mut |_: Progress<'_>| {});
            self.by_step = false;
            sent?.whole()?;
            let open = self.untold(name)?;
            if !open.is_empty() {
                return Ok(Some(format!("notice '{name}' is still on its way to {}", people(&open))));
            }
        }
        Ok(None)
    }

    /// Whom the step's notices did not reach: told as a warning, because a gate holds only where an answer is asked.
    pub(super) fn unreached(&self, step: &Step) -> Result<Vec<Finding>> {
        let Some(Action::Notice(names)) = &step.action else { return Ok(Vec::new()) };
        let untrue = self.untrue()?;
        let mut findings = Vec::new();
        for name in names {
            let failed: Vec<String> = self
                .ledger
                .messages()?
                .into_iter()
                .filter(|message| message.notice == *name && !untrue.contains(&message.id))
                .filter(|message| matches!(message.state, State::Failed | State::Bounced | State::Held))
                .filter(|message| !message.is_in_doubt())
                .map(|message| message.person)
                .collect();
            if !failed.is_empty() {
                let cause = format!("'{name}' did not reach {}", failed.join(", "));
                let remedy = "tell them another way, or correct their address and run `flagday send --to failed`";
                findings.push(Finding::warning("notice-failed", cause, remedy));
            }
        }
        Ok(findings)
    }

    /// People of a notice's audience whose message is not settled yet, or not even planned.
    fn untold(&self, notice: &str) -> Result<Vec<String>> {
        let untrue = self.untrue()?;
        let settled: std::collections::HashSet<String> = self
            .ledger
            .messages()?
            .into_iter()
            .filter(|message| message.notice == notice && !untrue.contains(&message.id))
            .filter(|message| {
                let open = [State::Planned, State::Sending, State::Transmitting, State::Uncertain, State::Cancelled];
                !open.contains(&message.state)
            })
            .map(|message| message.person)
            .collect();
        let audience = &self.campaign.audiences[&self.campaign.notices[notice].audience];
        Ok(self.roster.audience(audience).map(|one| one.id.clone()).filter(|id| !settled.contains(id)).collect())
    }

    /// The instant now by the clock of the server that holds the postoffice.
    pub(super) fn server_now(&self) -> Result<DateTime<Utc>> {
        let Some(facts) = &self.campaign.msmail else {
            let cause = "the step observes a postoffice, and this campaign has none";
            return Err(Fault::new("no-postoffice", cause, "state [msmail] in flagday.toml"));
        };
        self.world.server_now(&facts.postoffice)
    }
}

const SERVER_CLOCK: &str = "the server's clock reads ";

/// The words under which the server's time stands in the journal.
pub(super) fn server_clock_fact(at: DateTime<Utc>) -> String {
    format!("{SERVER_CLOCK}{}", at.to_rfc3339())
}

/// The server's time out of those words.
pub(super) fn server_clock_read(fact: &str) -> Option<DateTime<Utc>> {
    Some(DateTime::parse_from_rfc3339(fact.strip_prefix(SERVER_CLOCK)?).ok()?.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_time_is_read_as_it_was_written() {
        let at = DateTime::from_timestamp(803_000_000, 120_000_000).expect("an instant");
        assert_eq!(server_clock_read(&server_clock_fact(at)), Some(at));
        assert_eq!(server_clock_read("18 of 20 have fetched their mail"), None);
    }
}
