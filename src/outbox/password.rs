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
}

impl Password {
    /// See [`Secret::fetch`].
    pub fn fetch(source: &PasswordSource, root: &Path) -> Result<Password> {
        let current = Secret::fetch(source, root)?;
        Ok(Password { source: Some((source.clone(), root.to_owned())), ..current.into() })
    }

    pub(super) fn current(&self) -> Secret {
        self.lock().clone()
    }

    /// Another one than the one refused: it is fetched once, by the first lane that asks; `None` where there is none. A
    /// password that stays the same is not worth another try, and could lock the account.
    pub(super) fn renew(&self, refused: &Secret) -> Option<Secret> {
        let mut current = self.lock();
        if *current == *refused
            && let Some((source @ PasswordSource::Command(_), root)) = &self.source
        {
            *current = Secret::fetch(source, root).ok()?;
        }
        (*current != *refused).then(|| current.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Secret> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Secret> for Password {
    fn from(secret: Secret) -> Self {
        Password { current: Arc::new(Mutex::new(secret)), source: None }
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
        let second = password.renew(&first).expect("a fresh one");
        assert_ne!(first, second);
        assert_eq!(other_lane.renew(&first), Some(second.clone()));
        assert_eq!(fs_err::read_to_string(folder.path().join("calls")).expect("calls").lines().count(), 2);
        assert!(other_lane.renew(&second).is_some_and(|third| third != second));
    }

    #[test]
    fn what_stays_the_same_or_fails_is_not_tried_again() {
        let folder = tempfile::tempdir().expect("a folder");
        for command in ["echo sesame", "test -e gone || { touch gone; echo sesame; }"] {
            let password =
                Password::fetch(&PasswordSource::Command(command.into()), folder.path()).expect("a password");
            assert_eq!(password.renew(&password.current()), None, "{command}");
        }
        let fixed = Password::from(Secret::new("sesame"));
        assert_eq!(fixed.renew(&Secret::new("sesame")), None);
    }
}
