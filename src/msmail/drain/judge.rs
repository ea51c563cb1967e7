//! What the files say of one person, why, and what to do.

use super::watch::{Watch, Written};
use super::{Store, Verdict};
use crate::msmail::tree::Entry;
use crate::roster::{MailStore, Person};

/// What lies there of one person.
pub(super) struct Mail<'a> {
    pub mailbag: Option<&'a Entry>,
    pub left: Option<u64>,
    pub marked: Option<u64>,
    /// Why no client can read what is left.
    pub key_fault: Option<&'static str>,
    pub mmf: Option<Store>,
}

type Judgement = (Verdict, String, String);

pub(super) fn judge(person: &Person, mail: &Mail, watch: &Watch) -> Judgement {
    let Some(hexid) = &person.hexid else {
        return unseen("the roster gives no hexid", "run LISTUSER and fill the column");
    };
    let Some(mailbag) = mail.mailbag else {
        return unseen(
            format!("there is no mailbag {hexid}.MBG that can be looked at"),
            "correct the hexid by what LISTUSER prints, and see what `check` says of the postoffice",
        );
    };
    let Some(left) = mail.left else {
        return unseen(
            format!("the mailbag has {} bytes, which no whole mailbag has", mailbag.size),
            "run MAILINT on the mailbag, then look again",
        );
    };
    let headers = headers_in(left, mail.marked);
    if let Some(fault) = mail.key_fault {
        return not_yet(
            format!("{headers}, and the KEY file {hexid}.KEY is {fault}: no client can read what is left"),
            "make it visible, or put it back from a backup, then let them sign in and out. Never reset it: that destroys \
             the mail",
        );
    }
    let on_server = person.mail_store == MailStore::Postoffice && person.kind != "remote";
    match (on_server, left) {
        (true, left) => by_store(hexid, left, &headers, mail.mmf, watch),
        (false, 0) => drained(format!("the mailbag is empty; {}", beside(mail.mmf))),
        (false, _) => elsewhere(person, &headers, mail.mmf),
    }
}

/// The message store is on the postoffice: it must have been rewritten, and the mailbag must be empty.
fn by_store(hexid: &str, left: u64, headers: &str, mmf: Option<Store>, watch: &Watch) -> Judgement {
    if !watch.clock_stands() {
        return unseen(
            "the server's clock was set since the broadcast, so the time of the message store tells nothing",
            "set the clock right; then roll back to the step before the broadcast and send it again, or let a person state \
             that the mail is fetched",
        );
    }
    let Some(mmf) = mmf else {
        return unseen(
            format!("there is no message store on the postoffice; {headers}"),
            "ask where the mail is kept (on their own machine, MS-DOS, Macintosh, a PST, another server), set `mail_store` to \
             that, and let them sign in and out",
        );
    };
    match (watch.written(hexid, mmf), left) {
        (Written::Since, 0) => {
            let at = mmf.modified.map(|at| watch.shown(at)).unwrap_or_default();
            drained(format!("the mailbag is empty, the message store rewritten {at}"))
        }
        (Written::Since, _) => not_yet(
            format!("the message store was rewritten since the broadcast, yet {headers}"),
            "run Local-Admin, Storage, Compress in ADMIN; if headers stay, look for Inbox shadowing (switch it off), a damaged \
             message at the head, a message with very many addressees, or a locked KEY file",
        ),
        (Written::Before, _) => not_yet(
            format!("the message store was not rewritten since the broadcast; {headers}"),
            match watch.now < watch.patience() {
                true => format!(
                    "ask them to choose Exit and Sign Out, and wait until {}: by then every client that is signed in has looked \
                     for mail",
                    watch.shown(watch.patience())
                ),
                false => format!("ask them to choose Exit and Sign Out; a store is closed only then. {RECOVER}"),
            },
        ),
        (Written::Unsure, _) => unseen(
            format!("the message store bears the time of the broadcast itself, to 2 seconds; {headers}"),
            "ask them to sign in and out once more",
        ),
        (Written::Ahead, _) => unseen(
            "the message store bears a time that is still to come",
            "let them sign in and out once more; if the time stays ahead, set the server's clock right",
        ),
        (Written::Unchanged, _) => unseen(
            format!(
                "the message store bears a time after the broadcast, and lay there with it already at the broadcast; {headers}"
            ),
            "let them sign in and out once more; somebody set the server's clock, or the file's time",
        ),
        (Written::Empty, _) => unseen(
            format!("the message store has no bytes, so the mail is not in it; {headers}"),
            "put it back from the person's own backup, or from that of the cutover; if they never kept mail there, let a person \
             state that",
        ),
        (Written::Timeless, _) => {
            unseen("the server keeps no time for the message store", "let a person state that the mail is fetched")
        }
    }
}

/// What Q209486 does for whoever cannot be asked, and what it costs.
const RECOVER: &str = "Else recover the password in ADMIN, sign in and out as them, and hand the password back: until then \
                       they are locked out, and whoever signs in can read their mail. Never while they are signed in \
                       themselves";

/// The message store is on the person's own machine, or there is none: headers may be read mail that is kept.
fn elsewhere(person: &Person, headers: &str, mmf: Option<Store>) -> Judgement {
    let (why, remedy) = match person.mail_store {
        _ if person.kind == "remote" => (
            "mail is fetched by telephone, and while P1 is renamed it cannot be".to_owned(),
            "open P1 again and let them connect until nothing is left, or tell them that what is left will not be readable",
        ),
        MailStore::Dos => (
            "an MS-DOS or Macintosh client keeps mail in the mailbag, read or not".to_owned(),
            "let them read and save or delete everything in the Inbox, then run Compress in ADMIN",
        ),
        MailStore::Pst => (
            "the mail goes into a PST on their own machine".to_owned(),
            "let them start the client, wait until the Inbox is filled, and exit; then run Compress in ADMIN",
        ),
        MailStore::Local | MailStore::Postoffice => (
            beside(mmf),
            "let them sign in and out at the machine that has the store, then run Compress in ADMIN. A recovered password \
             helps only there: at any other machine the client does not find the store and offers to make a new one",
        ),
    };
    unseen(format!("{headers}; {why}"), remedy)
}

/// A message store that is left on the postoffice after a move is an orphan: it never changes again (Q123321).
fn beside(mmf: Option<Store>) -> String {
    let kept = "the message store is not on the postoffice";
    match mmf {
        None => kept.to_owned(),
        Some(_) => format!("{kept}, and the one there is an orphan that does not count"),
    }
}

fn headers_in(left: u64, marked: Option<u64>) -> String {
    let headers = match left {
        0 => return "the mailbag is empty".to_owned(),
        1 => "1 header is left in the mailbag".to_owned(),
        _ => format!("{left} headers are left in the mailbag"),
    };
    match marked {
        None | Some(0) => headers,
        Some(marked) if marked == left => format!("{headers}, marked as deleted: Compress would remove it all"),
        Some(marked) => format!("{headers}, {marked} of them marked as deleted"),
    }
}

fn drained(why: String) -> Judgement {
    (Verdict::Drained, why, String::new())
}

fn not_yet(why: impl Into<String>, remedy: impl Into<String>) -> Judgement {
    (Verdict::NotYet, why.into(), remedy.into())
}

fn unseen(why: impl Into<String>, remedy: impl Into<String>) -> Judgement {
    (Verdict::Unseen, why.into(), remedy.into())
}
