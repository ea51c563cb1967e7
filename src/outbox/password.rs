//! The password in use, and another one when it is refused: an access token that a command gives out expires.

use super::Secret;
use crate::campaign::PasswordSource;
use crate::fault::Result;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Shared by all lanes: what one of them renewed, the others use.
#[derive(Debug, Clone)]
pub struct Password {
    current: Arc<Mutex<Secret>>,
    source: Option<(PasswordSource, PathBuf)>,
    /// Held while the command is asked, which may take its time; `current` never is.
    asking: Arc<Mutex<()>>,
}

impl Password {
    /// See [`Secret::fetch`].
    pub fn fetch(source: &PasswordSource, root: &Path) -> Result<Password> {
        let current = Secret::fetch(source, root)?;
        Ok(Password { source: Some((source.clone(), root.to_owned())), ..current.into() })
    }

    pub(super) fn current(&self) -> Secret {
        held(&self.current).clone()
    }

    /// Another one than the one refused: it is fetched once, by the first lane that asks; `None` where there is none. A
    /// password that stays the same is not worth another try, and could lock the account. Blocks while the command runs.
    pub(super) fn renew(&self, refused: &Secret) -> Result<Option<Secret>> {
        let _alone = held(&self.asking);
        if self.current() == *refused
            && let Some((source @ PasswordSource::Command(_), root)) = &self.source
        {
            let fresh = Secret::fetch(source, root)?;
            *held(&self.current) = fresh;
        }
        Ok(Some(self.current()).filter(|current| current != refused))
    }
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl From<Secret> for Password {
    fn from(secret: Secret) -> Self {
        Password { current: Arc::new(Mutex::new(secret)), source: None, asking: Arc::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_asked_again_once_and_all_lanes_use_what_it_said() {
        let folder = tempfile::tempdir().expect("a folder");
        let counting = "echo x >> calls; echo token$(wc -l < calls)";
        let password = Password::fetch(&PasswordSource::Command(counting.into()), folder.path()).expect("a token");
        let first = password.current();
        let other_lane = password.clone();
        let second = password.renew(&first).expect("asked").expect("a fresh one");
        assert_ne!(first, second);
        assert_eq!(other_lane.renew(&first).expect("asked"), Some(second.clone()));
        assert_eq!(fs_err::read_to_string(folder.path().join("calls")).expect("calls").lines().count(), 2);
        assert!(other_lane.renew(&second).expect("asked").is_some_and(|third| third != second));
    }

    #[test]
    fn what_stays_the_same_is_not_tried_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let same = PasswordSource::Command("echo sesame".into());
        for password in
            [Password::fetch(&same, folder.path()).expect("a password"), Password::from(Secret::new("sesame"))]
        {
            assert_eq!(password.renew(&Secret::new("sesame")).expect("asked"), None);
        }
    }

    #[test]
    fn a_command_that_fails_says_why() {
        let folder = tempfile::tempdir().expect("a folder");
        let once = PasswordSource::Command("test -e gone && exit 3; touch gone; echo sesame".into());
        let password = Password::fetch(&once, folder.path()).expect("a password");
        let fault = password.renew(&password.current()).expect_err("failed");
        assert_eq!(fault.findings[0].code, "password-command");
    }
}
