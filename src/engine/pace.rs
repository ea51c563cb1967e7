//! The pace over several rounds: it goes on from when mail last left, and a round by schedule in which mail waits for nothing
//! else gives way to what falls due meanwhile, and to the answers that come in.

use super::Engine;
use crate::campaign::Rate;
use crate::fault::Result;
use crate::outbox::Yielding;
use chrono::TimeDelta;
use std::time::Duration;

impl Engine<'_> {
    /// How long ago mail last left, by domain, as far as any pace counts it still.
    pub(super) fn left_lately(&self) -> Result<Vec<(String, Duration)>> {
        let interval = |rate: Rate| rate.per / rate.count.max(1);
        let Some(longest) = self.rates().map(interval).max() else { return Ok(Vec::new()) };
        let now = self.now();
        let last = self.ledger.left_since(now - TimeDelta::from_std(longest).unwrap_or(TimeDelta::MAX))?;
        // By a clock that was set back it has only just left.
        let ago = last.into_iter().map(|(domain, at)| (domain, (now - at).to_std().unwrap_or_default()));
        Ok(ago.collect())
    }

    /// Whoever asks for mail by hand waits until it is out.
    pub(super) fn yielding(&self) -> Result<Option<Yielding>> {
        if !self.by_schedule || self.rates().next().is_none() {
            return Ok(None);
        }
        Ok(Some(Yielding { at: self.next_entry()?.map(|entry| entry.at) }))
    }

    fn rates(&self) -> impl Iterator<Item = Rate> {
        let mail = &self.campaign.mail;
        let domains = mail.domains.named.values().chain(&mail.domains.others);
        mail.rate.into_iter().chain(domains.filter_map(|limit| limit.rate))
    }
}
