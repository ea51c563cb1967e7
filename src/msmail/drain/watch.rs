//! What a look at the postoffice is compared with: the server's clock at the broadcast and now, and the message stores
//! as they were then.

use super::Store;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use std::collections::BTreeMap;

/// How far two honest clocks drift apart in the hours of a drain; more means that one was set.
const DRIFT: TimeDelta = TimeDelta::minutes(2);

/// FAT cuts times to even seconds, downwards.
const RESOLUTION: TimeDelta = TimeDelta::seconds(2);

#[derive(Debug, Clone)]
pub struct Watch {
    /// The server's clock when the broadcast was sent. Times of this machine have no place here.
    pub since: DateTime<Utc>,
    /// The same clock now.
    pub now: DateTime<Utc>,
    /// How much longer the server's clock went since then than this machine's.
    pub leap: TimeDelta,
    /// The message stores at the broadcast, by hex id. Empty: nobody looked then.
    pub before: BTreeMap<String, Store>,
    /// How long it takes until a signed-in client has looked for mail: nobody is late before.
    pub polling: TimeDelta,
    /// For the words.
    pub zone: Tz,
}

/// A store's time against the broadcast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Since,
    Before,
    /// Within what the file system can tell apart.
    Unsure,
    /// The time is still to come.
    Ahead,
    /// The time is later than the broadcast, and the very store lay there at the broadcast already.
    Unchanged,
    /// The server keeps no time for it.
    Timeless,
    /// It has no bytes: whatever wrote it, no client keeps mail in it.
    Empty,
}

impl Watch {
    /// Whether the server's clock can be believed: it was neither set back behind the broadcast nor moved against this
    /// machine's (Q170391, Q112281).
    pub(super) fn clock_stands(&self) -> bool {
        self.now >= self.since && self.leap.abs() <= DRIFT
    }

    /// Until then a person may simply not have been asked by their client.
    pub fn patience(&self) -> DateTime<Utc> {
        self.since + self.polling
    }

    pub(super) fn written(&self, hexid: &str, store: Store) -> Written {
        if store.size == 0 {
            return Written::Empty;
        }
        let Some(modified) = store.modified else { return Written::Timeless };
        if modified > self.now {
            return Written::Ahead;
        }
        let later = modified - self.since;
        if later <= -RESOLUTION {
            Written::Before
        } else if later < RESOLUTION {
            Written::Unsure
        } else if self.before.get(hexid) == Some(&store) {
            Written::Unchanged
        } else {
            Written::Since
        }
    }

    pub(super) fn shown(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.zone).format("%a %F %H:%M:%S %Z").to_string()
    }
}
