//! Planning for many leaves a long write-ahead log. What stands there is durable; a thread takes it into the database file, so
//! that messages leave meanwhile.

use rusqlite::Connection;
use std::path::PathBuf;
use std::thread::{JoinHandle, spawn};

/// The thread. Dropped, it is waited for: the ledger's own connection is the last one to close, and leaves no log behind.
#[derive(Debug)]
pub(super) struct Checkpoint(Option<JoinHandle<()>>);

impl Checkpoint {
    pub fn begin(database: PathBuf) -> Checkpoint {
        Checkpoint(Some(spawn(move || {
            let passive = "PRAGMA wal_checkpoint(PASSIVE)";
            // It waits for nobody. What it leaves undone, a later commit does or the close of the ledger.
            let _ = Connection::open(database).and_then(|db| db.query_row(passive, (), |_| Ok(())));
        })))
    }
}

impl Drop for Checkpoint {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            let _ = thread.join();
        }
    }
}
