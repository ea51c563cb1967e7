//! Delivery that is paused by a server's refusal holds as long as [mail] is what it was refused with.

use super::Engine;
use crate::campaign::Mail;
use crate::fault::Result;
use crate::outbox::{Queue, Suspended};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

impl Engine<'_> {
    /// The pause in force. One that other settings brought about is over.
    pub fn paused(&self) -> Result<Option<Suspended>> {
        let settings = self.mail_settings();
        Ok(self.ledger.suspended()?.filter(|one| one.settings == settings))
    }

    /// The same, where mail is about to leave: what is over is forgotten.
    pub(super) fn paused_still(&mut self) -> Result<Option<Suspended>> {
        let paused = self.paused()?;
        if paused.is_none() && self.ledger.suspended()?.is_some() {
            self.ledger.resume(self.now())?;
        }
        Ok(paused)
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
