//! From which revision on what is on record about a person counts. A change of what every notice speaks of overtakes
//! everything older about everybody; any other change overtakes what is about the notice that it stands in. What moved, and
//! moved back before somebody heard of it, overtakes nothing about them.

use super::Ledger;
use crate::fault::Result;
use rusqlite::Connection;
use std::collections::HashSet;

/// The newest revision that everything has to be of.
const EVERYTHING: &str = "(SELECT coalesce(max(number), 0) FROM revision WHERE everything)";

/// Whether a row still holds, as SQL. It has a person, a revision and an acknowledgement.
pub(super) fn holds(row: &str) -> String {
    unless(row, |a| format!("{a}.asks = {row}.acknowledgement"))
}

/// The same of a message, which may be about a notice that asks for nothing.
pub(super) fn message_holds(row: &str) -> String {
    unless(row, |a| format!("({a}.asks = {row}.acknowledgement OR {a}.notice = {row}.notice)"))
}

fn unless(row: &str, concerned: impl Fn(&str) -> String) -> String {
    let (amended, restored) = (concerned("a"), concerned("b"));
    let back = |number: &str| {
        format!(
            "EXISTS (SELECT 1 FROM amended b WHERE b.person = {row}.person AND {row}.revision <= b.since \
             AND b.since < {number} AND {number} <= b.revision AND {restored})"
        )
    };
    format!(
        "({row}.revision >= {EVERYTHING} OR NOT EXISTS (SELECT 1 FROM revision v WHERE v.everything \
         AND v.number > {row}.revision AND NOT {})) AND NOT EXISTS (SELECT 1 FROM amended a WHERE a.person = {row}.person \
         AND a.revision > {row}.revision AND (a.overtakes = 'all' OR a.overtakes = 'notice' AND {amended}) AND NOT {})",
        back("v.number"),
        back("a.revision")
    )
}

/// Of the numbers of revisions that overtake what one person (`?1`) has on record, those that do so still, as SQL.
fn not_restored(number: &str, concerned: &str) -> String {
    format!(
        "NOT EXISTS (SELECT 1 FROM amended b WHERE b.person = ?1 AND b.since < {number} AND {number} <= b.revision \
         AND {concerned})"
    )
}

impl Ledger {
    /// From which revision on a person's answers to an acknowledgement count.
    pub fn floor(&self, person: &str, acknowledgement: &str) -> Result<u32> {
        of(&self.db, person, acknowledgement)
    }

    /// The newest revision that overtook any answer of a person.
    pub fn highest_floor(&self, person: &str) -> Result<u32> {
        let everything = not_restored("number", "TRUE");
        let sql = format!(
            "SELECT max((SELECT coalesce(max(number), 0) FROM revision WHERE everything AND {everything}), \
             (SELECT coalesce(max(revision), 0) FROM amended WHERE person = ?1 AND overtakes <> 'nothing'))"
        );
        Ok(self.db.prepare_cached(&sql)?.query_row([person], |row| row.get(0))?)
    }

    /// Messages about what has changed since, by their numbers.
    pub fn overtaken(&self) -> Result<HashSet<i64>> {
        let sql = format!("SELECT id FROM message m WHERE NOT ({})", message_holds("m"));
        let mut all = self.db.prepare_cached(&sql)?;
        let rows = all.query_map((), |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Inside a larger transaction.
pub(super) fn of(db: &Connection, person: &str, acknowledgement: &str) -> Result<u32> {
    let sql = format!(
        "SELECT max((SELECT coalesce(max(number), 0) FROM revision WHERE everything AND {}), \
         (SELECT coalesce(max(revision), 0) FROM amended a WHERE person = ?1 \
         AND (overtakes = 'all' OR overtakes = 'notice' AND asks = ?2) AND {}))",
        not_restored("number", "b.asks = ?2"),
        not_restored("a.revision", "b.asks = ?2")
    );
    Ok(db.prepare_cached(&sql)?.query_row((person, acknowledgement), |row| row.get(0))?)
}
