//! What the service manager hears (`sd_notify(3)`): that we are ready, that there is progress, that we stop. Where
//! `NOTIFY_SOCKET` names nobody, nothing is said.

use crate::platform::Manager;
use std::time::Duration;

#[derive(Debug)]
pub struct Notify {
    manager: Option<Manager>,
    watchdog: Option<Duration>,
}

impl Notify {
    pub fn from_environment() -> Notify {
        // WATCHDOG_PID names another process where the variables were inherited.
        let ours = std::env::var("WATCHDOG_PID").map_or(true, |pid| pid == std::process::id().to_string());
        let micros = std::env::var("WATCHDOG_USEC").ok().and_then(|text| text.parse().ok()).filter(|_| ours);
        Notify {
            manager: std::env::var_os("NOTIFY_SOCKET").and_then(|name| Manager::connect(&name)),
            watchdog: micros.map(Duration::from_micros),
        }
    }

    /// How often the manager has to hear of progress, halved to be early.
    pub fn watchdog(&self) -> Option<Duration> {
        self.watchdog.map(|every| every / 2)
    }

    pub fn say(&self, state: &str) {
        if let Some(manager) = &self.manager {
            manager.say(state);
        }
    }
}
