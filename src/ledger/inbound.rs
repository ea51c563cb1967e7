//! What came in: each letter once, with what it was taken for and why. Whatever is in doubt waits here for a human.

use super::doubt::{self, IN_DOUBT, LEFT};
use super::outdated::{self, Outdated};
use super::queue::move_on;
use super::{Ledger, audit, evidence, instant, millis};
use crate::answer::{Evidence, Fate, MailKind, Token, Told};
use crate::fault::{Fault, Result};
use crate::outbox::{Event, State};
use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Row, Transaction};
use serde::Serialize;
use serde_json::json;

/// What to do about a message that came back.
const AFTER_BOUNCE: &str = "correct the address in the roster, then run `flagday send --to failed`; or reach them \
                            another way";

/// One letter as it is about to be recorded.
#[derive(Debug, Clone)]
pub struct NewInbound {
    /// SHA-256 of the letter's octets, apart from what mail programs add in a mailbox.
    pub digest: String,
    /// SHA-256 of what it says: the same letter by another way.
    pub content: Option<String>,
    /// The mailbox, and where in it.
    pub place: String,
    pub sender: String,
    pub subject: String,
    pub kind: MailKind,
    pub person: Option<String>,
    pub revision: u32,
    /// The acknowledgement that the message in question asks for.
    pub acknowledgement: Option<String>,
    /// Why it was taken for that.
    pub because: String,
    /// What the person typed, codes masked.
    pub excerpt: String,
    /// The fingerprints of the codes in it.
    pub codes: Vec<String>,
    /// Why a human has to look.
    pub review: Option<String>,
    /// What it proves: more than one fact only where it is as true of several acknowledgements.
    pub facts: Vec<Evidence>,
    /// What it tells of a message of ours.
    pub fate: Option<(i64, Fate)>,
    /// It answers what the person was told before: they are to hear of it.
    pub outdated: Option<Outdated>,
}

/// One letter that waits, or waited, for a human.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inbound {
    pub id: i64,
    pub at: DateTime<Utc>,
    pub place: String,
    pub sender: String,
    pub subject: String,
    pub kind: String,
    pub person: Option<String>,
    pub revision: u32,
    /// The acknowledgement that it names by the message which it answers.
    pub acknowledgement: Option<String>,
    pub because: String,
    pub excerpt: String,
    #[serde(skip)]
    pub codes: Vec<String>,
    pub review: String,
    pub settled: Option<Settled>,
}

/// What a human made of a letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settled {
    pub at: DateTime<Utc>,
    pub by: String,
    /// `possessed`, `confirmed`, `declined`, `question`, `nothing`.
    pub taken_as: String,
    pub note: String,
}

const COLUMNS: &str = "id, at, place, sender, subject, kind, person, revision, because, excerpt, codes, review, settled_at, settled_by, settled_as, note, acknowledgement";

impl Ledger {
    /// Records letters with the facts they prove and what they tell of our messages, all in one durable transaction. A
    /// letter taken before changes nothing. Returns, for each, whether it was new.
    pub fn take_in(&mut self, letters: &[NewInbound], now: DateTime<Utc>) -> Result<Vec<bool>> {
        self.durable(|tx| letters.iter().map(|letter| take(tx, letter, now)).collect())
    }

    /// Whether a letter with these octets was taken in before.
    pub fn is_taken(&self, digest: &str) -> Result<bool> {
        let mut find = self.db.prepare_cached("SELECT 1 FROM inbound WHERE digest = ?")?;
        Ok(find.exists([digest])?)
    }

    /// Letters that wait for a human, oldest first.
    pub fn in_review(&self) -> Result<Vec<Inbound>> {
        let sql = format!("SELECT {COLUMNS} FROM inbound WHERE review IS NOT NULL AND settled_at IS NULL ORDER BY id");
        let mut all = self.db.prepare_cached(&sql)?;
        let rows = all.query_map((), read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// One letter that waits or waited for a human.
    pub fn inbound(&self, id: i64) -> Result<Option<Inbound>> {
        let sql = format!("SELECT {COLUMNS} FROM inbound WHERE review IS NOT NULL AND id = ?");
        Ok(self.db.query_row(&sql, [id], read).optional()?)
    }

    /// Settles a letter for ever, with the fact that the human takes it for.
    pub fn settle_inbound(
        &mut self,
        id: i64,
        settled: &Settled,
        fact: Option<&Evidence>,
        outdated: Option<&Outdated>,
    ) -> Result<()> {
        self.durable(|tx| {
            let changed = tx.execute(
                "UPDATE inbound SET settled_at = ?2, settled_by = ?3, settled_as = ?4, note = ?5 \
                 WHERE id = ?1 AND review IS NOT NULL AND settled_at IS NULL",
                (id, millis(settled.at), &settled.by, &settled.taken_as, &settled.note),
            )?;
            if changed == 0 {
                let cause = format!("letter {id} does not wait for a decision");
                return Err(Fault::new("nothing-to-settle", cause, "`flagday ack review` lists those that do"));
            }
            audit::append(tx, settled.at, "review", &json!({ "letter": id, "settled": settled }))?;
            if let Some(fact) = fact {
                evidence::insert(tx, fact)?;
                if let Some(outdated) = outdated {
                    outdated::note(tx, id, &fact.person, outdated, settled.at)?;
                }
            }
            Ok(())
        })
    }

    /// The person behind a token or the beginning of one, and the revision they were told; nobody where it is the
    /// beginning of several.
    pub fn token_beginning(&self, token: &str) -> Result<Option<Token>> {
        let mut find = self.db.prepare_cached(
            "SELECT person, revision, tells FROM token WHERE token >= ?1 AND token < ?1 || '~' LIMIT 2",
        )?;
        let read = |row: &Row| Ok(Token { person: row.get(0)?, revision: row.get(1)?, tells: row.get(2)? });
        let found = find.query_map([token], read)?.collect::<Result<Vec<_>, _>>()?;
        Ok(<[_; 1]>::try_from(found).ok().map(|[one]| one))
    }

    /// The newest revision of which a letter to this person had left by then; where none had, or without a moment, the oldest
    /// that they were ever to be told.
    pub fn told_to(&self, person: &str, by: Option<DateTime<Utc>>) -> Result<Option<u32>> {
        let mut find = self.db.prepare_cached(&format!(
            "SELECT max(revision) FILTER (WHERE settled_at <= ?2 AND ({LEFT} OR state = 'bounced')), \
             min(revision) FROM message WHERE person = ?1 AND tells"
        ))?;
        let (then, first): (Option<u32>, Option<u32>) =
            find.query_row((person, by.map(millis)), |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(then.or(first))
    }

    /// The message of ours with this Message-ID.
    pub fn told_by(&self, message_id: &str) -> Result<Option<Told>> {
        let mut find = self
            .db
            .prepare_cached("SELECT id, person, revision, acknowledgement, tells FROM message WHERE message_id = ?")?;
        let read = |row: &Row| {
            Ok(Told {
                id: row.get(0)?,
                person: row.get(1)?,
                revision: row.get(2)?,
                acknowledgement: row.get(3)?,
                tells: row.get(4)?,
            })
        };
        Ok(find.query_row([message_id], read).optional()?)
    }

    /// How far an IMAP folder was read: UIDVALIDITY and the last UID (RFC 9051 section 2.3.1.1).
    pub fn cursor(&self, mailbox: &str) -> Result<Option<(u32, u32)>> {
        let find = "SELECT validity, uid FROM mailbox WHERE name = ?";
        Ok(self.db.query_row(find, [mailbox], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
    }

    pub fn set_cursor(&mut self, mailbox: &str, validity: u32, uid: u32) -> Result<()> {
        self.durable(|tx| {
            tx.execute("INSERT OR REPLACE INTO mailbox VALUES (?,?,?)", (mailbox, validity, uid))?;
            Ok(())
        })
    }
}

fn take(tx: &Transaction, letter: &NewInbound, now: DateTime<Utc>) -> Result<bool> {
    let known: bool = tx
        .prepare_cached("SELECT 1 FROM inbound WHERE digest = ?1 OR content = ?2")?
        .exists((&letter.digest, &letter.content))?;
    if known {
        return Ok(false);
    }
    tx.prepare_cached(
        "INSERT INTO inbound(at, digest, content, place, sender, subject, kind, person, revision, because, excerpt, codes, review, \
         acknowledgement) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    )?
    .execute((
        millis(now),
        &letter.digest,
        &letter.content,
        &letter.place,
        &letter.sender,
        &letter.subject,
        letter.kind.word(),
        &letter.person,
        letter.revision,
        &letter.because,
        &letter.excerpt,
        letter.codes.join(" "),
        &letter.review,
        &letter.acknowledgement,
    ))?;
    let id = tx.last_insert_rowid();
    let body = json!({ "letter": id, "digest": letter.digest, "kind": letter.kind, "person": letter.person,
        "because": letter.because, "review": letter.review });
    audit::append(tx, now, "inbound", &body)?;
    if let Some((message, fate)) = letter.fate {
        let said = letter.facts.first().map_or(letter.because.as_str(), |fact| fact.detail.as_str());
        tell(tx, message, fate, said, now)?;
    }
    for fact in &letter.facts {
        evidence::insert(tx, fact)?;
    }
    if let (Some(outdated), Some(person)) = (&letter.outdated, &letter.person) {
        outdated::note(tx, id, person, outdated, now)?;
    }
    Ok(true)
}

/// Moves our message by what came back of it, where its state allows that. Of one that bounced it is kept why.
fn tell(tx: &Transaction, message: i64, fate: Fate, said: &str, now: DateTime<Utc>) -> Result<()> {
    let found: Option<(String, bool)> = tx
        .prepare_cached(&format!("SELECT state, {IN_DOUBT} FROM message WHERE id = ?"))?
        .query_row([message], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((word, in_doubt)) = found else { return Ok(()) };
    let state = super::messages::state_of(&word)?;
    let event = match fate {
        Fate::Taken if in_doubt => return doubt::taken(tx, message, now),
        Fate::Taken => return Ok(()),
        // What waits and was never in doubt has not left: it is a copy that came back before.
        Fate::Bounced if state == State::Planned && !in_doubt => return Ok(()),
        Fate::Delivered => Event::Deliver,
        Fate::Bounced => Event::Bounce,
    };
    match state.apply(event) {
        Ok(next) if next != state => {
            if next == State::Bounced {
                tx.execute(
                    "UPDATE message SET reply = ?2, remedy = ?3 WHERE id = ?1",
                    (message, format!("came back: {}", said.replace('\n', " ")), AFTER_BOUNCE),
                )?;
            }
            move_on(tx, message, event, "told by a letter that came in", now)
        }
        _ => Ok(()),
    }
}

fn read(row: &Row) -> rusqlite::Result<Inbound> {
    let settled: Option<i64> = row.get(12)?;
    let settled = match settled {
        Some(at) => {
            let word = |at| row.get::<_, Option<String>>(at).map(Option::unwrap_or_default);
            Some(Settled { at: instant(at), by: word(13)?, taken_as: word(14)?, note: word(15)? })
        }
        None => None,
    };
    Ok(Inbound {
        id: row.get(0)?,
        at: instant(row.get(1)?),
        place: row.get(2)?,
        sender: row.get(3)?,
        subject: row.get(4)?,
        kind: row.get(5)?,
        person: row.get(6)?,
        revision: row.get(7)?,
        acknowledgement: row.get(16)?,
        because: row.get(8)?,
        excerpt: row.get(9)?,
        codes: row.get::<_, String>(10)?.split_whitespace().map(str::to_owned).collect(),
        review: row.get(11)?,
        settled,
    })
}
