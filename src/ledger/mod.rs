//! WHAT WE KNOW: the database of the campaign. Each stage finds here what it may ask and record, a file a stage.
//!
//! One SQLite file in WAL mode, synced with every commit: what is committed survives a power cut. A state change and its
//! event in the audit chain are written in one transaction. Marks and results of messages in hand go on the slip first.

mod abort;
mod amendments;
mod audit;
mod came_back;
mod checkpoint;
mod clock;
mod copies;
mod decisions;
mod deferred;
mod doubt;
mod evidence;
mod floor;
mod gates;
mod inbound;
mod journal;
mod lately;
mod letters;
mod likeness;
mod lock;
mod messages;
mod next;
mod order;
mod past;
mod outage;
mod outdated;
mod queue;
mod restored;
mod revisions;
mod schema;
mod secret;
mod senders;
mod slip;
mod suspension;
mod tasks;
mod told;
#[cfg(test)]
mod tests;
mod tries;
mod unread;

pub use abort::{Aborted, Asked, Told};
pub use amendments::{Changed, Leaver, OPEN, Owed, Takeover};
pub(crate) use audit::CLOCK_ACCEPTED;
pub use audit::{AuditEvent, AuditHead};
pub use decisions::{Decided, Overruled};
pub use gates::GatesFound;
pub use inbound::{Inbound, NewInbound, Settled};
pub use journal::Guard;
pub use lock::Lock;
pub use messages::{Counts, MessageRow, NewMessage};
pub use outage::Outage;
pub use outdated::{OUTDATED, Outdated, ToHear};
pub use past::Past;
pub use restored::{Out, Restored, Spoken};
pub use revisions::{Moved, Revision, Telling};
pub use secret::begin_with_key;
pub use tasks::Task;
pub use told::{Escalated, Letters};
pub use tries::{Attempt, Tried};
pub use unread::Unread;

use crate::fault::{Exit, Fault, Result};
use chrono::{DateTime, TimeZone, Utc};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a ledger has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    ForGood,
    ForARehearsal,
}

impl Kept {
    /// SQLite's FULL: what is committed survives a power cut; OFF: it survives the process.
    fn synchronous(self) -> i64 {
        match self {
            Kept::ForGood => 2,
            Kept::ForARehearsal => 0,
        }
    }
}

/// In the header of a rehearsal's ledger, as SQLite's `application_id`: "FDre".
const REHEARSAL: i32 = 0x4644_7265;

/// The open database of one campaign.
#[derive(Debug)]
pub struct Ledger {
    /// Closed before `db`.
    checkpoint: Option<checkpoint::Checkpoint>,
    db: Connection,
    state: PathBuf,
    kept: Kept,
    secret: [u8; 32],
    /// Held from the first claim of a round of sending to its end.
    slip: Option<slip::Slip>,
    /// The messages in hand, with their fences.
    claims: HashMap<i64, i64>,
    /// Those of them that an answer makes needless.
    questionable: HashSet<i64>,
    /// Messages that could not be read and are held for it: the person, and why.
    unreadable: Vec<(String, Fault)>,
    /// The round of sending that tells of the abort: it does not stop because of it.
    pub(crate) carries_abort: bool,
    /// Answers may lie unread: reminders and escalations stay in the queue.
    pub(crate) presses_nobody: bool,
    /// Only the chosen messages leave.
    chooses: bool,
    /// Acknowledgements whose waivers need two names.
    pub(crate) two_names: HashSet<String>,
    /// When messages were last claimed.
    claimed_at: DateTime<Utc>,
}

impl Ledger {
    /// Opens the ledger below the state folder, made when missing (mode 0700, files 0600).
    pub fn open(state: &Path) -> Result<Ledger> {
        Ledger::open_as(state, Kept::ForGood)
    }

    /// The ledger of a rehearsal: it survives a killed process and no power cut, after which one rehearses anew. Refuses the
    /// ledger of a real campaign, which bears no mark of one.
    pub fn open_throwaway(state: &Path) -> Result<Ledger> {
        Ledger::open_as(state, Kept::ForARehearsal)
    }

    fn open_as(state: &Path, kept: Kept) -> Result<Ledger> {
        secret::private_folder(state)?;
        secret::stay_home(state)?;
        let path = state.join("ledger.db");
        let new = !path.exists();
        let mut db = Connection::open(&path)?;
        secret::private_file(&path)?;
        if kept == Kept::ForARehearsal {
            if new {
                db.pragma_update(None, "application_id", REHEARSAL)?;
            }
            if db.pragma_query_value(None, "application_id", |row| row.get::<_, i32>(0))? != REHEARSAL {
                let cause = format!("{} is no ledger of a rehearsal", path.display());
                return Err(Fault::new("ledger-not-throwaway", cause, "rehearse in a new folder"));
            }
        }
        // Planning for a hundred thousand people holds the ledger for seconds, on a slow disk for longer.
        db.busy_timeout(Duration::from_secs(60))?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", kept.synchronous())?;
        db.pragma_update(None, "foreign_keys", true)?;
        let mode: String = db.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        let synchronous: i64 = db.pragma_query_value(None, "synchronous", |row| row.get(0))?;
        if mode != "wal" || synchronous != kept.synchronous() {
            return Err(Fault::new(
                "ledger-not-durable",
                format!("{}: journal mode {mode}, synchronous {synchronous}", path.display()),
                "keep .flagday on a local disk: the ledger needs SQLite's write-ahead log there",
            ));
        }
        schema::migrate(&mut db, &path)?;
        let (secret, state) = (secret::load(state)?, state.to_owned());
        let mut ledger = Ledger {
            checkpoint: None,
            db,
            state,
            kept,
            secret,
            slip: None,
            claims: HashMap::new(),
            questionable: HashSet::new(),
            unreadable: Vec::new(),
            carries_abort: false,
            presses_nobody: false,
            chooses: false,
            two_names: HashSet::new(),
            claimed_at: DateTime::UNIX_EPOCH,
        };
        ledger.take_over_left_behind()?;
        Ok(ledger)
    }

    /// The campaign's own key: possession codes and reply tokens are derived from it.
    pub fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    /// The password of the operator's web pages, kept in `.flagday/operator`.
    pub fn operator_password(&self) -> Result<String> {
        secret::operator_password(&self.state)
    }

    /// Another number after each change that somebody else made.
    pub fn version(&self) -> Result<i64> {
        Ok(self.db.pragma_query_value(None, "data_version", |row| row.get(0))?)
    }

    /// It is a rehearsal's, and a power cut may take it.
    pub fn is_throwaway(&self) -> bool {
        self.kept == Kept::ForARehearsal
    }

    /// `.flagday`.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// Runs `change` in one transaction that is on the disk when this returns.
    fn durable<T>(&mut self, change: impl FnOnce(&Transaction) -> Result<T>) -> Result<T> {
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = change(&tx)?;
        tx.commit()?;
        Ok(value)
    }
}

/// Instants are kept as milliseconds since 1970, UTC.
fn millis(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis()
}

fn instant(millis: i64) -> DateTime<Utc> {
    Utc.timestamp_millis_opt(millis).single().unwrap_or_default()
}

/// What SQLite says where its file of shared memory cannot grow: SQLITE_IOERR_SHMSIZE and, where a page of it cannot be
/// mapped, SQLITE_IOERR_SHMMAP.
const NO_ROOM_FOR_SHARED_MEMORY: [i32; 2] = [rusqlite::ffi::SQLITE_IOERR_SHMSIZE, rusqlite::ffi::SQLITE_IOERR_SHMMAP];

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::*;
        let full = matches!(error.sqlite_error(), Some(one) if NO_ROOM_FOR_SHARED_MEMORY.contains(&one.extended_code));
        let (exit, code, remedy) = match error.sqlite_error_code() {
            Some(SystemIoFailure) if full => (
                Exit::Error,
                "ledger-disk-full",
                "see whether the disk with .flagday is full: free space, then run the command again; nothing was recorded by \
                 halves",
            ),
            Some(DatabaseBusy | DatabaseLocked) => {
                (Exit::Busy, "ledger-busy", "another run holds the ledger; wait for it to end")
            }
            Some(DiskFull) => (Exit::Error, "ledger-disk-full", "free space; nothing was recorded by halves"),
            Some(NotADatabase | DatabaseCorrupt) => {
                (Exit::Error, "ledger-damaged", "restore .flagday/ledger.db from a backup; do not delete it")
            }
            Some(ReadOnly | CannotOpen | PermissionDenied) => {
                (Exit::Error, "ledger-not-writable", "give this account the right to write in .flagday")
            }
            _ => (Exit::Error, "ledger", "run `flagday audit verify`; if it holds, run the command again"),
        };
        Fault::ending(exit, code, format!("ledger: {error}"), remedy)
    }
}
