//! Whoever answers what they were told before is told that it does not count, once, and what to answer instead.

use crate::harness::letter::Letter;
use crate::harness::{Campaign, FUTURE};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const LATER: &str = "2096-12-19T18:00:00";
const DENVER: &str = "elena.ruiz@denver.corp.example";
const MWANGI: &str = "mwangi@field.example";

/// Everybody was told a date; what each got is kept, as it is kept in their mailboxes.
struct Told {
    campaign: Campaign,
    denver: PathBuf,
    mwangi: PathBuf,
    code: String,
}

fn told() -> Told {
    let campaign = Campaign::sample().change_at(FUTURE);
    campaign.correct_disks();
    campaign.append("[[intake.mailbox]]\nmaildir = \"Maildir\"\n");
    fs_err::create_dir_all(campaign.path("Maildir/new")).expect("a Maildir");
    campaign.run("build").ends(0);
    campaign.run("send change-date --yes").ends(0).says("12 sent");
    campaign.run("send new-serial --yes").ends(0).says("5 sent");
    let only = |part: &str| campaign.outbox(part).pop().expect("a notice");
    let (denver, mwangi, code) = (only("DENVER-"), only("MWANGI-"), campaign.code("MWANGI"));
    Told { campaign, denver, mwangi, code }
}

impl Told {
    /// The date is another one by now, and everybody has heard of it.
    fn amended(self) -> Told {
        self.campaign.edit(FUTURE, LATER);
        self.campaign.run("build").ends(0);
        self.campaign.run("amend --yes").ends(0).says("17 sent");
        self
    }

    /// As a mail program writes it: with the whole thread in References (RFC 5322 section 3.6.4).
    fn reply(&self, name: &str, to: &Path, from: &str, text: &str) {
        let (id, thread) = (field(to, "Message-ID"), find(to, "References").unwrap_or_default());
        let letter = format!(
            "From: <{from}>\nTo: {}\nSubject: Re: date\nIn-Reply-To: {id}\nReferences: {thread} {id}\n\
             Message-ID: <{name}@home.example>\n\n{text}\n",
            field(to, "Reply-To"),
        );
        self.campaign.write(&format!("Maildir/new/{name}"), letter);
    }

    fn intake(&self) -> Value {
        self.campaign.run("intake --json").ends(0).json()
    }

    fn replies(&self) -> Vec<PathBuf> {
        self.campaign.outbox("outdated_answer")
    }

    fn satisfied(&self, name: &str) -> Value {
        let status = self.campaign.run("status --json").ends(0).json();
        let all = status["acknowledgements"].as_array().expect("acknowledgements");
        all.iter().find(|one| one["name"] == name).expect("the acknowledgement")["satisfied"].clone()
    }
}

fn field(letter: &Path, name: &str) -> String {
    find(letter, name).unwrap_or_else(|| panic!("no {name} in {}", letter.display()))
}

/// A field of a letter's header, unfolded.
fn find(letter: &Path, name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(&fs_err::read(letter).expect("a message")).replace("\r\n", "\n");
    let head = text.split_once("\n\n").expect("a header").0.replace("\n ", " ").replace("\n\t", " ");
    let line = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    line.map(|line| line.trim().to_owned())
}

#[test]
fn an_answer_to_an_older_notice_counts_for_nothing_newer_and_its_author_is_told_once() {
    let told = told().amended();
    let Told { campaign, denver, mwangi, code } = &told;
    told.reply("1", denver, DENVER, "CONFIRMED");
    told.reply("2", mwangi, MWANGI, code);
    let taken = told.intake();
    assert_eq!((taken["outdated"].clone(), taken["review"].clone()), (json!(2), json!(0)), "{taken}");
    assert_eq!((told.satisfied("serial-received"), told.satisfied("disk-received")), (json!(0), json!(0)));
    campaign.run("status").ends(0).says("2 answered what holds no more").says("flagday send: 2 people answered");
    campaign.run("plan").ends(0).says("reply, to an answer that holds no more");
    assert!(told.replies().is_empty());
    campaign.run("send").ends(3).refuses("not-confirmed");

    campaign.run("send --yes").ends(0).says("2 sent");
    let [to_denver, to_mwangi] = told.replies().try_into().expect("two replies");
    for (letter, answer) in [(&to_denver, "<1@home.example>"), (&to_mwangi, "<2@home.example>")] {
        assert_eq!(field(letter, "Auto-Submitted"), "auto-replied");
        assert_eq!(field(letter, "In-Reply-To"), answer);
    }
    let letter = Letter::read(&to_denver);
    assert_eq!(letter.to, DENVER);
    for words in
        ["does not count any more", "New date:    Wednesday, 19 December 2096", "It was:", "Changed: ", "CONFIRMED"]
    {
        assert!(letter.text.contains(words), "{words} is missing in\n{}", letter.text);
    }
    assert!(Letter::read(&to_mwangi).text.contains("is void"));

    // Nobody hears it twice, and a machine that answers hears nothing at all.
    told.reply("3", denver, DENVER, "CONFIRMED, as I said");
    campaign.write("Maildir/new/4", format!("From: <{DENVER}>\nTo: {}\nSubject: Re: answer\nIn-Reply-To: {}\nAuto-Submitted: auto-replied\n\nCONFIRMED\n",
        field(&to_denver, "Reply-To"), field(&to_denver, "Message-ID")));
    let taken = told.intake();
    assert_eq!((taken["outdated"].clone(), taken["review"].clone()), (json!(0), json!(1)), "{taken}");
    campaign.run("ack review").ends(0).says("answers again what holds no more").says("as I said");
    campaign.run("send --yes").ends(3);
    assert_eq!((told.replies().len(), told.satisfied("serial-received")), (2, json!(0)));

    // That letter can be answered like the notice itself.
    told.reply("5", &to_denver, DENVER, "CONFIRMED");
    told.reply("6", &to_mwangi, MWANGI, &campaign.code("MWANGI"));
    told.intake();
    assert_eq!((told.satisfied("serial-received"), told.satisfied("disk-received")), (json!(1), json!(1)));
    campaign.run("who --person DENVER").ends(0).says("REVISION");
    campaign.run("audit verify").ends(0);
    campaign.run("audit export").ends(0).says("\"outdated\"");
}

#[test]
fn a_code_that_another_text_leaves_as_it_was_counts_for_the_letter_that_is_answered() {
    const LEROY: &str = "leroy@hq.corp.example";
    let told = told();
    let Told { campaign, mwangi, code, .. } = &told;
    let picture = campaign.code("KOWALSKI");
    // While it is the only one: files are named by chance.
    let kowalski = campaign.outbox("KOWALSKI-").into_iter().next().expect("the first letter");
    campaign.write("templates/mail/change-date/text.hbs", "{{change.local}}: now with a driver. Send the code.\n");
    campaign.run("amend --yes").ends(0).says("12 sent");
    campaign.run("build").ends(0).says("0 written");
    assert_eq!(campaign.code("MWANGI"), *code, "the disk is the same");
    told.reply("1", mwangi, MWANGI, code);
    let bare = |name: &str, person: &str, from: &str, date: &str| {
        let (code, date) = (campaign.code(person), format!("Date: {date}\n"));
        let letter = format!("From: <{from}>\nTo: maildesk@corp.example\nSubject: disk\n{date}\nIt is {code}\n");
        campaign.write(&format!("Maildir/new/{name}"), letter);
    };
    bare("2", "LEROY", LEROY, "Sat, 03 Feb 2001 18:00:00 +0000");
    told.reply("3", &kowalski, "kowalski@field.example", "The code is in the picture.");
    let taken = told.intake();
    assert_eq!((taken["outdated"].clone(), taken["review"].clone()), (json!(2), json!(1)), "{taken}");
    let words = ["ack", "review", "3", "--as", "possessed", "--code", &picture, "--by", "Pat"];
    campaign.run_words(&words).ends(0).says("holds no more");
    assert_eq!(told.satisfied("disk-received"), 0);
    campaign.run("send --yes").ends(0).says("3 sent");

    bare("4", "LEROY", LEROY, "Mon, 03 Feb 2098 18:00:00 +0000");
    assert_eq!(told.intake()["outdated"], 0);
    assert_eq!(told.satisfied("disk-received"), 1, "written after the letter that is newer");
    let words = ["ack", "record", "MWANGI", "--by", "Pat", "--code", code, "--note", "asked on the phone"];
    campaign.run_words(&words).ends(0);
    assert_eq!(told.satisfied("disk-received"), 2, "an operator asks what holds now, and the disk is the same");
}

#[test]
fn an_amendment_that_concerns_somebody_else_leaves_a_late_answer_whole() {
    let told = told();
    told.campaign.poke("disks/HARRIS/CONNECT.GLB", 400, 0x5a);
    told.campaign.run("build").ends(0);
    told.campaign.run("amend --yes").ends(0).says("1 sent");
    told.reply("1", &told.mwangi, MWANGI, &told.code);
    told.reply("2", &told.denver, DENVER, "CONFIRMED");
    let taken = told.intake();
    assert_eq!((taken["outdated"].clone(), taken["review"].clone()), (json!(0), json!(0)), "{taken}");
    assert_eq!((told.satisfied("serial-received"), told.satisfied("disk-received")), (json!(1), json!(1)));
}

#[test]
fn whoever_has_answered_the_newest_notice_hears_nothing_of_an_older_answer() {
    let told = told().amended();
    let newest = told.campaign.outbox("DENVER-").into_iter().find(|path| *path != told.denver).expect("the amendment");
    assert!(find(&newest, "References").expect("a thread").contains(&field(&told.denver, "Message-ID")));
    told.reply("1", &newest, DENVER, "CONFIRMED");
    told.reply("2", &told.denver, DENVER, "CONFIRMED");
    assert_eq!(told.intake()["outdated"], 1);
    told.campaign.run("send --yes").ends(3);
    assert!(told.replies().is_empty());
    assert_eq!(told.satisfied("serial-received"), 1);
}

#[test]
fn what_it_says_is_the_campaigns_to_write() {
    let told = told().amended();
    told.campaign.write("templates/mail/outdated-answer/subject.hbs", "Bitte neu: {{outdated.subjct}}");
    told.campaign.run("check --offline").ends(1).refuses("template-name");
    told.campaign.write("templates/mail/outdated-answer/subject.hbs", "Once more, instead of {{outdated.answered}}");
    told.reply("1", &told.denver, DENVER, "CONFIRMED");
    told.intake();
    told.campaign.run("send --yes").ends(0).says("1 sent");
    let [letter] = told.replies().try_into().expect("one reply");
    assert!(Letter::read(&letter).subject.starts_with("Once more, instead of 20"));
    told.campaign.run("send outdated-answer --yes").ends(2).refuses("sent-of-itself");
}

#[test]
fn a_human_who_takes_an_old_letter_for_an_answer_has_its_author_told_too() {
    let told = told().amended();
    told.reply("1", &told.denver, DENVER, "all fine, go ahead");
    assert_eq!(told.intake()["review"], 1);
    told.campaign.run("ack review 1 --as confirmed --by Pat").ends(0).says("holds no more");
    assert_eq!(told.satisfied("serial-received"), 0);
    told.campaign.run("send --yes").ends(0).says("1 sent");
    assert_eq!(told.replies().len(), 1);
}
