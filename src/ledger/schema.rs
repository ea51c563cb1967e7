//! The tables, and how an older file becomes today's. Forward only, in one transaction, which is one sync; a newer file is refused.

use crate::fault::{Fault, Result};
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

use super::{gates, order};
const VERSIONS: &[&str] = &["
CREATE TABLE event(
  seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, hash TEXT NOT NULL) STRICT;
CREATE TABLE revision(
  number INTEGER PRIMARY KEY, at INTEGER NOT NULL, digest TEXT NOT NULL, facts TEXT NOT NULL) STRICT;
CREATE TABLE message(
  id INTEGER PRIMARY KEY,
  message_id TEXT NOT NULL UNIQUE,
  person TEXT NOT NULL, notice TEXT NOT NULL, revision INTEGER NOT NULL, copy INTEGER NOT NULL,
  acknowledgement TEXT, tells INTEGER NOT NULL, reason TEXT NOT NULL,
  envelope_from TEXT, envelope_to TEXT, format TEXT NOT NULL,
  due_at INTEGER NOT NULL, planned_at INTEGER NOT NULL, settled_at INTEGER, expires_at INTEGER,
  state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, next_at INTEGER NOT NULL,
  fence INTEGER NOT NULL DEFAULT 0, boot TEXT NOT NULL DEFAULT '', doubts INTEGER NOT NULL DEFAULT 0,
  reply TEXT NOT NULL DEFAULT '', letter BLOB NOT NULL, size INTEGER NOT NULL,
  UNIQUE(person, notice, revision, copy)) STRICT;
CREATE INDEX message_due ON message(state, next_at);
CREATE INDEX message_person ON message(person, notice);
CREATE TABLE token(token TEXT PRIMARY KEY, person TEXT NOT NULL, revision INTEGER NOT NULL) STRICT;
CREATE TABLE code(
  fingerprint TEXT NOT NULL, person TEXT NOT NULL, package TEXT NOT NULL, revision INTEGER NOT NULL, digest TEXT NOT NULL,
  PRIMARY KEY(person, package, revision, fingerprint)) STRICT;
CREATE TABLE evidence(
  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, person TEXT NOT NULL, acknowledgement TEXT NOT NULL,
  revision INTEGER NOT NULL, kind TEXT NOT NULL, by TEXT, detail TEXT NOT NULL, revoked INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX evidence_person ON evidence(acknowledgement, revision, person);
CREATE TABLE waiver(
  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, person TEXT NOT NULL, acknowledgement TEXT NOT NULL,
  reason TEXT NOT NULL, by TEXT NOT NULL, revoked INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE journal(
  seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, step TEXT NOT NULL, event TEXT NOT NULL) STRICT;
CREATE TABLE task(
  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, person TEXT NOT NULL, acknowledgement TEXT NOT NULL,
  what TEXT NOT NULL, UNIQUE(person, acknowledgement, what)) STRICT;
", "
CREATE TABLE letter(message INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
INSERT INTO letter SELECT id, letter FROM message;
ALTER TABLE message DROP COLUMN letter;
DROP INDEX message_person;
", "
CREATE TABLE wrong_try(
  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, person TEXT NOT NULL, acknowledgement TEXT NOT NULL,
  revision INTEGER NOT NULL, source TEXT NOT NULL) STRICT;
CREATE INDEX wrong_try_person ON wrong_try(person, acknowledgement, revision);
CREATE INDEX wrong_try_source ON wrong_try(source, at);
", "
CREATE TABLE inbound(
  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, digest TEXT NOT NULL UNIQUE, content TEXT UNIQUE,
  place TEXT NOT NULL, sender TEXT NOT NULL, subject TEXT NOT NULL, kind TEXT NOT NULL, person TEXT,
  revision INTEGER NOT NULL, because TEXT NOT NULL, excerpt TEXT NOT NULL, codes TEXT NOT NULL, review TEXT,
  settled_at INTEGER, settled_by TEXT, settled_as TEXT, note TEXT) STRICT;
CREATE INDEX inbound_review ON inbound(settled_at) WHERE review IS NOT NULL;
CREATE TABLE mailbox(name TEXT PRIMARY KEY, validity INTEGER NOT NULL, uid INTEGER NOT NULL) STRICT;
", "
ALTER TABLE waiver ADD COLUMN until INTEGER;
CREATE TABLE override(
  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, gate TEXT NOT NULL, step TEXT NOT NULL, by TEXT NOT NULL,
  reason TEXT NOT NULL, missing TEXT NOT NULL) STRICT;
", "
CREATE TABLE amended(
  revision INTEGER NOT NULL, person TEXT NOT NULL, notice TEXT NOT NULL, reason TEXT NOT NULL,
  changes TEXT NOT NULL, PRIMARY KEY(revision, person, notice)) STRICT;
CREATE VIEW floor AS SELECT person, max(revision) AS revision FROM amended GROUP BY person;
CREATE TABLE leaver(
  person TEXT NOT NULL, acknowledgement TEXT NOT NULL, revision INTEGER NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY(person, acknowledgement)) STRICT;
CREATE TABLE member(person TEXT PRIMARY KEY, audiences TEXT NOT NULL) STRICT;
CREATE TABLE abort(
  id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL, reason TEXT NOT NULL, by TEXT NOT NULL) STRICT;
CREATE INDEX evidence_about ON evidence(person, acknowledgement);
ALTER TABLE message ADD COLUMN moot_at TEXT;
ALTER TABLE message ADD COLUMN calendar INTEGER NOT NULL DEFAULT 0;
", "
CREATE TABLE outdated(
  person TEXT NOT NULL, revision INTEGER NOT NULL, acknowledgement TEXT NOT NULL, answered INTEGER NOT NULL,
  letter INTEGER NOT NULL, message_id TEXT, PRIMARY KEY(person, revision)) STRICT;
", "
CREATE TABLE task_of_revision(
  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, person TEXT NOT NULL, acknowledgement TEXT NOT NULL, what TEXT NOT NULL,
  revision INTEGER NOT NULL, call INTEGER NOT NULL, UNIQUE(person, acknowledgement, revision, what)) STRICT;
INSERT INTO task_of_revision SELECT id, at, person, acknowledgement, what,
  coalesce((SELECT revision FROM floor WHERE floor.person = task.person), 0),
  id = coalesce((SELECT min(id) FROM task other WHERE other.person = task.person
    AND other.acknowledgement = task.acknowledgement AND (other.what LIKE 'no answer to mail: call %'
    OR other.what LIKE 'nobody to escalate to: call %' OR other.what LIKE 'mail does not reach them: call %')), 0) FROM task;
DROP TABLE task;
ALTER TABLE task_of_revision RENAME TO task;
CREATE UNIQUE INDEX task_call ON task(person, acknowledgement, revision) WHERE call;
", "
ALTER TABLE token ADD COLUMN tells INTEGER NOT NULL DEFAULT 1;
", "
ALTER TABLE letter ADD COLUMN base INTEGER;
ALTER TABLE letter ADD COLUMN sum INTEGER;
", "
ALTER TABLE waiver ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
UPDATE waiver SET revision = coalesce((SELECT max(number) FROM revision WHERE revision.at <= waiver.at), 1);
", "
ALTER TABLE outdated RENAME TO outdated_of_person;
CREATE TABLE outdated(
  person TEXT NOT NULL, revision INTEGER NOT NULL, acknowledgement TEXT NOT NULL, answered INTEGER NOT NULL,
  letter INTEGER NOT NULL, message_id TEXT, PRIMARY KEY(person, acknowledgement, revision)) STRICT;
INSERT INTO outdated SELECT person, revision, acknowledgement, answered, letter, message_id FROM outdated_of_person;
DROP TABLE outdated_of_person;
", "
ALTER TABLE inbound ADD COLUMN acknowledgement TEXT;
", "
ALTER TABLE revision ADD COLUMN everything INTEGER NOT NULL DEFAULT 0;
ALTER TABLE revision ADD COLUMN reason TEXT NOT NULL DEFAULT '';
UPDATE revision SET reason = coalesce((SELECT reason FROM amended WHERE amended.revision = number LIMIT 1), '');
ALTER TABLE amended ADD COLUMN asks TEXT;
ALTER TABLE amended ADD COLUMN overtakes TEXT NOT NULL DEFAULT 'all';
CREATE INDEX amended_person ON amended(person);
DROP VIEW floor;
", "
CREATE TABLE unread(
  mailbox TEXT PRIMARY KEY, since INTEGER NOT NULL, cause TEXT NOT NULL, remedy TEXT NOT NULL) STRICT;
", "
ALTER TABLE message ADD COLUMN remedy TEXT NOT NULL DEFAULT '';
CREATE TABLE suspension(
  one INTEGER PRIMARY KEY CHECK (one = 1), class TEXT NOT NULL, cause TEXT NOT NULL, remedy TEXT NOT NULL,
  times INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, settings TEXT NOT NULL) STRICT;
", "
CREATE TABLE token_alone(
  token TEXT PRIMARY KEY, person TEXT NOT NULL, revision INTEGER NOT NULL, tells INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO token_alone SELECT token, person, revision, tells FROM token;
DROP TABLE token;
ALTER TABLE token_alone RENAME TO token;
", "
CREATE TABLE outage(
  one INTEGER PRIMARY KEY CHECK (one = 1), cause TEXT NOT NULL, remedy TEXT NOT NULL, settings TEXT NOT NULL,
  since INTEGER NOT NULL, last INTEGER NOT NULL) STRICT;
", "
ALTER TABLE message ADD COLUMN language TEXT;
", order::ADDED, "
ALTER TABLE message ADD COLUMN ready_at INTEGER;
", "
ALTER TABLE revision ADD COLUMN cosmetic TEXT NOT NULL DEFAULT '[]';
UPDATE revision SET cosmetic = coalesce((SELECT body -> '$.amendment.cosmetic' FROM event WHERE kind = 'amended'
  AND body ->> '$.revision' = number AND json_array_length(body, '$.amendment.cosmetic') > 0 LIMIT 1), '[]');
", "
ALTER TABLE evidence ADD COLUMN address TEXT;
", "
ALTER TABLE amended ADD COLUMN since INTEGER;
", gates::INDEXED, "
ALTER TABLE message ADD COLUMN behind INTEGER NOT NULL DEFAULT 0;
UPDATE message SET behind = (SELECT coalesce(max(seq), 0) FROM journal WHERE journal.at <= message.planned_at);
", "
ALTER TABLE message ADD COLUMN asked_again INTEGER NOT NULL DEFAULT 0;
"];

pub(super) fn migrate(db: &mut Connection, path: &Path) -> Result<()> {
    let found: usize = db.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))?.max(0) as usize;
    if found > VERSIONS.len() {
        return Err(Fault::new(
            "ledger-newer",
            format!("{} was written by a newer flagday (version {found} of its tables)", path.display()),
            "use that newer flagday",
        ));
    }
    if found == VERSIONS.len() {
        return Ok(());
    }
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been faster between the look and the lock.
    let found: i64 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for sql in VERSIONS.iter().skip(found.max(0) as usize) {
        tx.execute_batch(sql)?;
    }
    tx.pragma_update(None, "user_version", (VERSIONS.len() as i64).max(found))?;
    Ok(tx.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::floor;

    #[test]
    fn what_an_older_ledger_called_void_stays_void() {
        let mut db = Connection::open_in_memory().expect("a database");
        for sql in &VERSIONS[..10] {
            db.execute_batch(sql).expect(sql);
        }
        db.pragma_update(None, "user_version", 10).expect("a version");
        db.execute("INSERT INTO revision VALUES (2, 1, '', '{}')", ()).expect("a revision");
        db.execute("INSERT INTO amended VALUES (2, 'ann', 'news', 'no room', '[]')", ()).expect("an amendment");
        migrate(&mut db, Path::new("ledger.db")).expect("migrated");
        let floor = |person| floor::of(&db, person, "whatever").expect("a revision");
        assert_eq!((floor("ann"), floor("bea")), (2, 0), "then a person's answers were void together");
        let reason: String = db.query_row("SELECT reason FROM revision", (), |row| row.get(0)).expect("a reason");
        assert_eq!(reason, "no room");
    }

    #[test]
    fn calls_that_an_older_ledger_holds_twice_are_one_and_every_task_stays() {
        let mut db = Connection::open_in_memory().expect("a database");
        for sql in &VERSIONS[..6] {
            db.execute_batch(sql).expect(sql);
        }
        db.pragma_update(None, "user_version", 6).expect("a version");
        db.execute("INSERT INTO amended VALUES (2, 'ann', 'news', '', '[]')", ()).expect("an amendment");
        for (person, what) in [
            ("ann", "Ann asks for help: call Ann (1)"),
            ("ann", "nobody to escalate to: call Ann (1)"),
            ("ann", "no answer to mail: call Ann (1)"),
            ("bea", "no answer to mail: call Bea (2)"),
        ] {
            let insert = "INSERT INTO task(at, person, acknowledgement, what) VALUES (1, ?, 'read', ?)";
            db.execute(insert, (person, what)).expect("a task");
        }
        migrate(&mut db, Path::new("ledger.db")).expect("migrated");
        let mut all = db.prepare("SELECT person, revision, call FROM task ORDER BY id").expect("tasks");
        let rows = all.query_map((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("rows");
        let rows: Vec<(String, u32, bool)> = rows.collect::<std::result::Result<_, _>>().expect("tasks");
        let expected = [("ann", 2, false), ("ann", 2, true), ("ann", 2, false), ("bea", 0, true)];
        assert_eq!(rows, expected.map(|(person, revision, call)| (person.to_owned(), revision, call)));
    }
}
