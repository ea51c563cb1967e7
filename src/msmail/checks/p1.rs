//! P1, the directory through which all mail from and to transports passes: quiet, closed, open.

use super::master::OLD_MASTER;
use super::{mailbags, names};
use crate::fault::Finding;
use crate::msmail::tree::{Entry, Postoffice};
use std::collections::BTreeMap;

/// Which of the two names of P1 are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// P1: transports can work.
    Open,
    /// POLD: they cannot.
    Closed,
    Both,
    Neither,
}

pub fn state(live: &Postoffice) -> State {
    match (live.entry("P1").is_some(), live.entry("POLD").is_some()) {
        (true, false) => State::Open,
        (false, true) => State::Closed,
        (true, true) => State::Both,
        (false, false) => State::Neither,
    }
}

/// P1 and POLD are never both there, and never both away.
pub fn one_of_two(live: &Postoffice) -> Option<Finding> {
    match state(live) {
        State::Open => None,
        State::Closed => {
            let cause = "P1 is renamed to POLD: no transport can deliver";
            let remedy = "find out whether another campaign or a colleague has a change under way; only if nobody has, rename it back to P1";
            Some(Finding::warning("p1-renamed", cause, remedy).in_file(live.place("POLD")).article("Q209486"))
        }
        State::Both => {
            let contents = live.folder("P1").into_iter().flat_map(|folder| folder.entries()).map(|e| e.name.as_str());
            let cause = format!(
                "P1 and POLD are both there: somebody created P1 anew while it was renamed. P1 holds: {}",
                names(contents)
            );
            let remedy = "stop all transports; if P1 holds more than POPULATE.MSM, keep that in a third folder, outside P1 \
                          and POLD; remove this P1, and run the command again; once step open-p1 has given P1 its name \
                          back, put what you kept into it, and only then start External";
            Some(Finding::error("p1-both", cause, remedy).in_file(live.place("P1")).article("Q135902"))
        }
        State::Neither => {
            let cause = "neither P1 nor POLD is there: no transport can deliver";
            let remedy = "look for the directory under another name; if it is lost, restore it from the backup";
            Some(Finding::error("p1-neither", cause, remedy).in_file(live.root()).article("Q135902"))
        }
    }
}

/// Before step 5a: P1 holds only POPULATE.MSM, and no envelope waits in INQUEUE3. An envelope that is not found
/// while P1 is renamed is lost (Q148707).
pub fn quiet(live: &Postoffice) -> Vec<Finding> {
    let mut findings = match state(live) {
        State::Open => contents(live, "P1"),
        State::Closed | State::Both | State::Neither => open(live),
    };
    findings.extend(inqueue(live));
    findings
}

/// After step 5a: P1 is POLD, and nothing has been added.
pub fn closed(live: &Postoffice) -> Vec<Finding> {
    match state(live) {
        State::Closed => contents(live, "POLD"),
        State::Open => {
            let cause = "P1 is still there: transports can work";
            let remedy = "run the step that closes P1";
            vec![Finding::error("p1-not-closed", cause, remedy).in_file(live.place("P1")).article("Q209486")]
        }
        State::Both | State::Neither => Vec::from_iter(one_of_two(live)),
    }
}

/// After step 8: P1 is back, and POLD is away.
pub fn open(live: &Postoffice) -> Vec<Finding> {
    match state(live) {
        State::Open if live.has_folder("P1") => Vec::new(),
        State::Open => {
            let cause = "P1 is a file, not a directory";
            let remedy = "move it away and look for the directory";
            vec![Finding::error("p1-not-a-folder", cause, remedy).in_file(live.place("P1")).article("Q135902")]
        }
        State::Closed => {
            let cause = "P1 is still renamed to POLD: no transport can deliver";
            let remedy = "run the step that opens P1";
            vec![Finding::error("p1-not-open", cause, remedy).in_file(live.place("POLD")).article("Q209486")]
        }
        State::Both | State::Neither => Vec::from_iter(one_of_two(live)),
    }
}

/// INQUEUE3.MBG is 0 bytes: the Mailer has read every envelope (Q77628), and ADMIN has compressed (Q146113).
fn inqueue(live: &Postoffice) -> Option<Finding> {
    const QUEUE: &str = "MBG/INQUEUE3.MBG";
    let finding = |code, cause: String, remedy| {
        Some(Finding::error(code, cause, remedy).in_file(live.place(QUEUE)).article("Q148707"))
    };
    match live.file(QUEUE).map(|file| file.size) {
        Some(0) => None,
        Some(size) => finding(
            "inqueue3-waiting",
            format!("INQUEUE3.MBG has {size} bytes, not 0: inbound mail waits for delivery"),
            "let External deliver it, stop every transport, run Local-Admin, Storage, Compress in ADMIN, and check again",
        ),
        None => finding(
            "inqueue3-missing",
            "INQUEUE3.MBG is missing: whether inbound mail waits cannot be told".to_owned(),
            "run MAILINT, and check again",
        ),
    }
}

/// What a file in P1 stands for (Q119642, Q128913).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meaning {
    /// `<mailbag>.0LK`, or `.0nn` of version 2.1.
    MailbagLock,
    /// `LOCKP1ID.Pxx`.
    Session,
    /// `<message>.Pxx`.
    Outbound,
    /// `<envelope>.P1`.
    Inbound,
    Unknown,
}

/// The meaning of a name in P1; `None` for POPULATE.MSM, which lies in every directory of a postoffice.
pub fn meaning(name: &str) -> Option<Meaning> {
    let name = name.to_ascii_uppercase();
    if name == "POPULATE.MSM" {
        return None;
    }
    let (stem, suffix) = name.rsplit_once('.').unwrap_or((&name, ""));
    let session = |suffix: &str| suffix.len() == 3 && suffix.starts_with('P');
    let lock = |suffix: &str| suffix == "0LK" || (suffix.len() == 3 && suffix.bytes().all(|b| b.is_ascii_digit()));
    Some(match (stem, suffix) {
        ("LOCKP1ID", suffix) if session(suffix) => Meaning::Session,
        (_, "P1") => Meaning::Inbound,
        (_, suffix) if lock(suffix) => Meaning::MailbagLock,
        (_, suffix) if session(suffix) => Meaning::Outbound,
        _ => Meaning::Unknown,
    })
}

/// A folder that must hold only POPULATE.MSM: one finding for each kind of thing it holds besides.
fn contents(live: &Postoffice, folder: &str) -> Vec<Finding> {
    let mut by_meaning: BTreeMap<Meaning, Vec<&Entry>> = BTreeMap::new();
    let Some(listed) = live.folder(folder) else {
        let cause = format!("{folder} cannot be listed, or is no directory");
        let remedy = "see what it is; what it holds must be known before the change";
        return vec![Finding::error("p1-unreadable", cause, remedy).in_file(live.place(folder)).article("Q209486")];
    };
    for entry in listed.entries() {
        if let Some(meaning) = meaning(&entry.name) {
            by_meaning.entry(meaning).or_default().push(entry);
        }
    }
    let (owners, _) = mailbags::other_owners(live);
    let closed = in_closed(live, folder);
    by_meaning.into_iter().map(|(meaning, entries)| explain(folder, meaning, &entries, &owners, closed)).collect()
}

/// A file with what its name tells: the session it belongs to, or whose mailbag is locked.
fn told(meaning: Meaning, name: &str, owners: &BTreeMap<String, String>) -> String {
    let (stem, suffix) = name.rsplit_once('.').unwrap_or((name, ""));
    match meaning {
        Meaning::MailbagLock => {
            let stem = stem.to_ascii_uppercase();
            let owner = owners.get(&stem).map_or("a user or an external postoffice", String::as_str);
            format!("{name} (mailbag {stem}, of {owner})")
        }
        Meaning::Session | Meaning::Outbound => format!("{name} (session {})", &suffix[1..].to_ascii_uppercase()),
        Meaning::Inbound | Meaning::Unknown => name.to_owned(),
    }
}

/// Nothing may be started while P1 is renamed: External reads INQUEUE3, finds no envelope under P1, and the mail is lost
/// (Q148707). `backup` comes before the statement that the transports are stopped, which has to be made anew.
const CLOSED: &str = "start nothing while P1 is renamed: `flagday cutover rollback --to backup` opens P1 again; then let \
                      External distribute it, stop every transport, and run `flagday cutover`, which closes P1 again";

/// The same with the new MASTER.GLB in place, where the way back has its price.
const SWAPPED: &str = "start nothing; the new serial number is in force, and no article tells whether mail from before it can \
                       still be read: keep it in a third folder, outside P1 and POLD, and run `flagday cutover`; once step \
                       open-p1 is done, put it back into P1, start External, and have the senders send again what nobody \
                       can read. `flagday cutover rollback --to backup` takes the new number back as well";

/// What to do about a file in POLD. `None`: the folder is P1.
fn in_closed(live: &Postoffice, folder: &str) -> Option<&'static str> {
    let swapped = live.entry(OLD_MASTER).is_some();
    (folder == "POLD").then_some(if swapped { SWAPPED } else { CLOSED })
}

fn explain(
    folder: &str,
    meaning: Meaning,
    entries: &[&Entry],
    owners: &BTreeMap<String, String>,
    closed: Option<&str>,
) -> Finding {
    let (code, what, remedy, article) = match meaning {
        Meaning::MailbagLock => (
            "p1-mailbag-lock",
            "External holds the mailbag of that name and sends from it to a postoffice or a remote user, or was cut off \
             while it did",
            "let the session end, stop External; a lock that stays is stranded: close it at the server and start External \
             once more, which clears it",
            "Q128913",
        ),
        Meaning::Session => (
            "p1-session",
            "a session of External is under way, or was cut off: the last two letters name it, and its files end in them",
            "let it end and stop External; if none runs, start External once more to let it finish and clear it",
            "Q128913",
        ),
        Meaning::Outbound => (
            "p1-outbound",
            "addresses of a message that External is sending; files with one suffix belong to one session",
            "let the session end, stop External, check again; if none runs, start External once more",
            "Q119642",
        ),
        Meaning::Inbound => (
            "p1-inbound",
            "an envelope that was delivered to this postoffice and not yet handed to its recipients; External that looks for \
             it while P1 is renamed loses that mail",
            "leave External running until it has distributed them, then stop it and check again",
            "Q148707",
        ),
        Meaning::Unknown => (
            "p1-unknown",
            "nothing documented has such a name",
            "find out which program wrote it and whether it runs; move it out of the postoffice only when it is nobody's",
            "Q209486",
        ),
    };
    // What nobody documented is nothing that External would take away.
    let remedy = closed.filter(|_| meaning != Meaning::Unknown).unwrap_or(remedy);
    let list: Vec<String> = entries.iter().map(|entry| told(meaning, &entry.name, owners)).collect();
    let list = names(list.iter().map(String::as_str));
    let finding = Finding::error(code, format!("{folder} holds {list}: {what}"), remedy).article(article);
    entries.iter().take(1).fold(finding, |finding, first| finding.in_file(&first.path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_by_meaning() {
        use Meaning::*;
        let cases = [
            ("populate.msm", None),
            ("000003CB.P1", Some(Inbound)),
            ("0000000a.0lk", Some(MailbagLock)),
            ("00000009.005", Some(MailbagLock)),
            ("LOCKP1ID.PBB", Some(Session)),
            ("lockp1id.pzz", Some(Session)),
            ("00000116.PBB", Some(Outbound)),
            ("000000AB.P00", Some(Outbound)),
            ("LOCKP1ID.TXT", Some(Unknown)),
            ("README", Some(Unknown)),
            ("", Some(Unknown)),
        ];
        for (name, expected) in cases {
            assert_eq!(meaning(name), expected, "{name}");
        }
    }

    #[test]
    fn a_name_tells_which_session_and_whose_mailbag() {
        let owners = BTreeMap::from([("0000000A".to_owned(), "SALES".to_owned())]);
        let cases = [
            ("0000000a.0lk", "0000000a.0lk (mailbag 0000000A, of SALES)"),
            ("00000001.0LK", "00000001.0LK (mailbag 00000001, of a user or an external postoffice)"),
            ("LOCKP1ID.PBB", "LOCKP1ID.PBB (session BB)"),
            ("00000116.pbb", "00000116.pbb (session BB)"),
            ("000003CB.P1", "000003CB.P1"),
        ];
        for (name, expected) in cases {
            assert_eq!(told(meaning(name).expect("a meaning"), name, &owners), expected);
        }
    }
}
