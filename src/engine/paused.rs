//! What keeps mail from leaving: a pause after a server's refusal, a server that could not be reached, and what a server put
//! off. The first two hold as long as [mail] is what it was tried with.

use super::Engine;
use crate::campaign::Mail;
use crate::fault::Result;
use crate::ledger::Outage;
use crate::outbox::{FailureClass, Queue, Suspended};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

impl Engine<'_> {
    /// The pause in force. One that other settings brought about is over.
    pub fn paused(&self) -> Result<Option<Suspended>> {
        let settings = self.mail_settings();
        Ok(self.ledger.suspended()?.filter(|one| one.settings == settings))
    }

    /// The same, while no round of the schedule tries anything.
    pub fn held_by_pause(&self) -> Result<Option<Suspended>> {
        let (settings, now) = (self.mail_settings(), self.now());
        Ok(self.paused()?.filter(|one| one.holds(&settings, now)))
    }

    /// The same, where mail is about to leave: what is over is forgotten.
    pub(super) fn paused_still(&mut self) -> Result<Option<Suspended>> {
        let paused = self.paused()?;
        if paused.is_none() && self.ledger.suspended()?.is_some() {
            self.ledger.resume(self.now())?;
        }
        Ok(paused)
    }

    /// Why every connection of the last run failed.
    pub fn outage(&self) -> Result<Option<Outage>> {
        let settings = self.mail_settings();
        Ok(self.ledger.outage()?.filter(|one| one.settings == settings))
    }

    /// What was put off, by class, and when the first is tried again, where that is not now. What the pause speaks of is not told twice, and nothing is tried before it is over.
    pub fn deferrals(&self) -> Result<BTreeMap<String, FailureClass>> {
        let mut classes = self.ledger.deferrals()?;
        if let Some(pause) = self.paused()? {
            classes.remove(&pause.class);
            classes.values_mut().for_each(|class| class.again_at = class.again_at.max(Some(pause.until)));
        }
        let now = self.now();
        classes.values_mut().for_each(|class| class.again_at = class.again_at.filter(|at| *at > now));
        Ok(classes)
    }

    pub(crate) fn mail_settings(&self) -> String {
        settings_of(&self.campaign.mail)
    }
}

/// What tells the settings that a server can refuse from others: a digest, for a password's command may hold a secret.
fn settings_of(mail: &Mail) -> String {
    let settings = (&mail.transport, &mail.from, &mail.bounce_to, &mail.password, &mail.ca_file);
    HEXLOWER.encode(&Sha256::digest(format!("{settings:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::PasswordSource;
    use crate::notice::sample;

    #[test]
    fn another_login_is_another_setting_and_another_pace_is_none() {
        let mut mail = sample::campaign().mail;
        let before = settings_of(&mail);
        mail.connections += 1;
        assert_eq!(settings_of(&mail), before);
        mail.password = Some(PasswordSource::Command("pass show mail".to_owned()));
        assert_ne!(settings_of(&mail), before);
        assert!(!settings_of(&mail).contains("pass show"));
    }
}
