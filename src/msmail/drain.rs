//! Step 5 of Q209486: who has fetched their mail, by the files of the postoffice alone.
//!
//! The mailbag is the first evidence: with the transports stopped and ADMIN's Compress run, one that is 0 bytes long
//! holds nothing undelivered (Q146113). The message store is the article's: rewritten since the broadcast, its owner's
//! client has been there. A rewritten store alone proves nothing: a sign-in, compression or MMFCLEAN rewrite it too
//! (Q125255, Q86101, Q117693).

use super::sizes::MAILBAG_HEADER;
use super::tree::{Entry, Postoffice};
use crate::roster::{MailStore, Person};
use chrono::{DateTime, TimeDelta, Utc};

/// What can be said of a person's mail on the postoffice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is left to fetch.
    Drained,
    /// Something is left, or the person has not been there since the broadcast.
    NotYet,
    /// The files cannot tell: a person has to.
    Unseen,
}

/// A message store as it lies on the postoffice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Store {
    /// Bytes.
    pub size: u64,
    /// By the server's clock.
    pub modified: Option<DateTime<Utc>>,
}

/// What the files show of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The person's id.
    pub person: String,
    pub verdict: Verdict,
    pub mmf: Option<Store>,
    /// Headers in the mailbag, those that Compress would remove included. `None`: the mailbag cannot be judged.
    pub headers_left: Option<u64>,
    pub why: String,
    /// Empty where nothing needs to be done.
    pub remedy: String,
}

/// The folders that [`observe`] looks at, for [`Postoffice::open_folders`].
pub const FOLDERS: &[&str] = &["MBG", "MMF"];

/// FAT cuts times to even seconds, downwards.
const RESOLUTION: TimeDelta = TimeDelta::seconds(2);

/// Looks at each person's mailbag and message store. `since`: the server's clock when the broadcast was sent;
/// `server_now`: the same clock now. Times of this machine have no place here.
pub fn observe(
    live: &Postoffice,
    people: &[&Person],
    since: DateTime<Utc>,
    server_now: DateTime<Utc>,
) -> Vec<Observation> {
    people.iter().map(|person| look(live, person, since, server_now)).collect()
}

fn look(live: &Postoffice, person: &Person, since: DateTime<Utc>, server_now: DateTime<Utc>) -> Observation {
    let file = |folder: &str, suffix: &str| {
        let hexid = person.hexid.as_deref()?;
        live.file(&format!("{folder}/{hexid}.{suffix}"))
    };
    let mmf = file("MMF", "MMF").map(|entry| Store { size: entry.size, modified: entry.modified });
    let mailbag = file("MBG", "MBG");
    let (verdict, why, remedy) = judge(person, mailbag, mmf, since, server_now);
    Observation { person: person.id.clone(), verdict, mmf, headers_left: mailbag.and_then(headers), why, remedy }
}

/// Whole headers in a mailbag; `None` for a size that no mailbag has.
fn headers(mailbag: &Entry) -> Option<u64> {
    mailbag.size.is_multiple_of(MAILBAG_HEADER).then_some(mailbag.size / MAILBAG_HEADER)
}

type Judgement = (Verdict, String, String);

fn judge(
    person: &Person,
    mailbag: Option<&Entry>,
    mmf: Option<Store>,
    since: DateTime<Utc>,
    server_now: DateTime<Utc>,
) -> Judgement {
    let Some(hexid) = &person.hexid else {
        return unseen("the roster gives no hexid", "run LISTUSER and fill the column");
    };
    let Some(mailbag) = mailbag else {
        return unseen(
            format!("there is no mailbag {hexid}.MBG that can be looked at"),
            "correct the hexid by what LISTUSER prints, and see what `check` says of the postoffice",
        );
    };
    let Some(left) = headers(mailbag) else {
        return unseen(
            format!("the mailbag has {} bytes, which no whole mailbag has", mailbag.size),
            "run MAILINT on the mailbag, then look again",
        );
    };
    let on_server = person.mail_store == MailStore::Postoffice && person.kind != "remote";
    match (on_server, left) {
        (true, left) => by_store(left, mmf, since, server_now),
        (false, 0) => drained("the mailbag is empty; the message store is not on the postoffice"),
        (false, left) => elsewhere(person, left),
    }
}

/// The message store is on the postoffice: it must have been rewritten, and the mailbag must be empty.
fn by_store(left: u64, mmf: Option<Store>, since: DateTime<Utc>, server_now: DateTime<Utc>) -> Judgement {
    if server_now < since {
        return unseen(
            "the server's clock shows a time before the broadcast: it was set back",
            "set the clock right, send the broadcast again, and start this step anew",
        );
    }
    let Some(mmf) = mmf else {
        return unseen(
            format!("there is no message store on the postoffice; {}", headers_in(left)),
            "ask where the mail is kept (on their own machine, MS-DOS, Macintosh, a PST, another server), set `mail_store` to \
             that, and let them sign in and out",
        );
    };
    let Some(modified) = mmf.modified else {
        return unseen("the server keeps no time for the message store", "let a person state that the mail is fetched");
    };
    if modified > server_now {
        return unseen(
            format!("the message store bears a time that is still to come: {}", shown(modified)),
            "let them sign in and out once more; if the time stays ahead, set the server's clock right",
        );
    }
    match (updated(modified, since), left) {
        (Some(true), 0) => drained(&format!("the mailbag is empty, the message store rewritten {}", shown(modified))),
        (Some(true), left) => not_yet(
            format!("the message store was rewritten {}, yet {}", shown(modified), headers_in(left)),
            "run Local-Admin, Storage, Compress in ADMIN; if headers stay, look for Inbox shadowing (switch it off), a damaged \
             message at the head, or a message with very many addressees",
        ),
        (Some(false), left) => not_yet(
            format!(
                "the message store was last rewritten {}, before the broadcast; {}",
                shown(modified),
                headers_in(left)
            ),
            format!("ask them to choose Exit and Sign Out; a store is closed only then. {RECOVER}"),
        ),
        (None, left) => not_yet(
            format!(
                "the message store bears the time of the broadcast itself, to 2 seconds: {}; {}",
                shown(modified),
                headers_in(left)
            ),
            "ask them to sign in and out once more",
        ),
    }
}

/// What Q209486 does for whoever cannot be asked, and what it costs.
const RECOVER: &str = "Else recover the password in ADMIN, sign in and out as them, and hand the password back: until then \
                       they are locked out, and whoever signs in can read their mail. Never while they are signed in \
                       themselves";

/// The message store is on the person's own machine, or there is none: headers may be read mail that is kept.
fn elsewhere(person: &Person, left: u64) -> Judgement {
    let (why, remedy) = match person.mail_store {
        _ if person.kind == "remote" => (
            "mail is fetched by telephone, and while P1 is renamed it cannot be",
            "open P1 again and let them connect until nothing is left, or tell them that what is left will not be readable"
                .to_owned(),
        ),
        MailStore::Dos => (
            "an MS-DOS or Macintosh client keeps mail in the mailbag, read or not",
            "let them read and save or delete everything in the Inbox, then run Compress in ADMIN".to_owned(),
        ),
        MailStore::Pst => (
            "the mail goes into a PST on their own machine",
            "let them start the client, wait until the Inbox is filled, and exit; then run Compress in ADMIN".to_owned(),
        ),
        MailStore::Local | MailStore::Postoffice => (
            "the message store is on their own machine",
            "let them sign in and out at that machine, then run Compress in ADMIN. A recovered password helps only there: at \
             any other machine the client does not find the store and offers to make a new one"
                .to_owned(),
        ),
    };
    unseen(format!("{}; {why}", headers_in(left)), remedy)
}

/// Whether a file was written after `since`; `None` within the resolution of the file system.
fn updated(modified: DateTime<Utc>, since: DateTime<Utc>) -> Option<bool> {
    let later = modified - since;
    (later.abs() >= RESOLUTION).then_some(later >= RESOLUTION)
}

fn headers_in(left: u64) -> String {
    match left {
        0 => "the mailbag is empty".to_owned(),
        1 => "1 header is left in the mailbag".to_owned(),
        _ => format!("{left} headers are left in the mailbag"),
    }
}

fn shown(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn drained(why: &str) -> Judgement {
    (Verdict::Drained, why.to_owned(), String::new())
}

fn not_yet(why: impl Into<String>, remedy: impl Into<String>) -> Judgement {
    (Verdict::NotYet, why.into(), remedy.into())
}

fn unseen(why: impl Into<String>, remedy: impl Into<String>) -> Judgement {
    (Verdict::Unseen, why.into(), remedy.into())
}

#[cfg(test)]
mod tests;
