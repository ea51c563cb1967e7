//! What people were told changes: who is told, whose answer is void, and what stays.

use crate::harness::letter::Letter;
use crate::harness::{Campaign, FUTURE, Files};
use flagday::system::World;
use serde_json::{Value, json};

const LATER: &str = "2096-12-19T18:00:00";

/// Everybody remote and every asynchronous administrator was told; CARTER and DENVER have answered.
fn told() -> Campaign {
    let campaign = Campaign::sample().change_at(FUTURE);
    campaign.correct_disks();
    campaign.run("build").ends(0);
    campaign.run("send change-date --yes").ends(0).says("12 sent");
    campaign.run("send new-serial --yes").ends(0).says("5 sent");
    let code = campaign.code("CARTER");
    campaign.run(&format!("ack record CARTER --by Pat --note phone --code {code}")).ends(0);
    campaign.run("ack record DENVER --by Pat --note phone").ends(0);
    campaign
}

fn status(campaign: &Campaign) -> Value {
    campaign.run("status --json").ends(0).json()
}

fn satisfied(campaign: &Campaign, gate: &str) -> (u64, u64) {
    let status = status(campaign);
    let gates = status["gates"].as_array().expect("gates");
    let gate = gates.iter().find(|one| one["name"] == gate).expect("the gate");
    (gate["satisfied"].as_u64().expect("a number"), gate["of"].as_u64().expect("a number"))
}

fn newest(campaign: &Campaign, part: &str, count: usize) -> Letter {
    let mut paths = campaign.outbox(part);
    // Two letters about one notice differ in their Message-ID alone, which says nothing of their order.
    paths.sort_by_key(|path| fs_err::metadata(path).and_then(|file| file.modified()).expect("a time"));
    let letters: Vec<Letter> = paths.iter().map(|path| Letter::read(path)).collect();
    assert_eq!(letters.len(), count, "{part}");
    let sequence = |letter: &Letter| letter.calendar.as_ref().map(|_| letter.entry("SEQUENCE").to_owned());
    letters.into_iter().max_by_key(sequence).expect("a letter")
}

#[test]
fn another_date_is_told_to_those_who_were_told_and_their_answers_are_void() {
    let campaign = told();
    let old_code = campaign.code("CARTER");
    let first = newest(&campaign, "MWANGI-change", 1);
    campaign.edit(FUTURE, LATER);
    campaign.run("send change-date --yes").ends(6).refuses("facts-changed").says("flagday amend");
    campaign.run("cutover --yes").ends(6).refuses("facts-changed");
    let refused = campaign.run("amend --yes").ends(1).refuses("not-built");
    assert!(refused.says("flagday build").out.is_empty(), "no plan of what is refused");
    campaign.run("amend --dry-run").ends(1).refuses("not-built").says("'change-date' goes to 12 people");
    campaign.run("build").ends(0);
    let shown = campaign.run("amend --dry-run --json").ends(0).json();
    assert_eq!((shown["revision"].clone(), shown["next"].clone()), (json!(1), json!(2)));
    campaign
        .run("amend --dry-run")
        .ends(0)
        .says("change_at")
        .says("material")
        .says("disk-received (possessed)")
        .says("'change-date' goes to 12 people");
    campaign.run("amend").ends(3).refuses("not-confirmed");
    assert_eq!(satisfied(&campaign, "disks-held"), (1, 12), "nothing was done yet");

    campaign.run("amend --yes").ends(0).says("17 sent");
    assert_eq!(satisfied(&campaign, "disks-held"), (0, 12));
    assert_eq!(satisfied(&campaign, "async-informed"), (0, 5));
    let second = newest(&campaign, "MWANGI-change", 2);
    assert!(second.subject.starts_with("Changed: "), "{}", second.subject);
    let text = &second.text;
    let places = [
        "CHANGED",
        "New date:    Wednesday, 19 December 2096",
        "It was:      Wednesday, 12 December 2096",
        "is void",
        "How to answer",
    ];
    let mut found = places.iter().map(|words| text.find(words).unwrap_or_else(|| panic!("no {words} in {text}")));
    let mut before = 0;
    assert!(found.all(|at| std::mem::replace(&mut before, at) <= at), "{text}");
    assert_eq!(second.attachments.len(), first.attachments.len());
    assert_eq!((first.entry("SEQUENCE"), second.entry("SEQUENCE")), ("0", "1"));
    assert_eq!((first.entry("UID"), second.entry("METHOD")), (second.entry("UID"), "REQUEST"));
    assert_ne!(first.entry("DTSTART"), second.entry("DTSTART"));
    assert!(campaign.outbox("-local_change").is_empty() && campaign.outbox("-local-change").is_empty());

    campaign
        .run(&format!("ack record CARTER --by Pat --note phone --code {old_code}"))
        .ends(1)
        .refuses("older-revision");
    let code = campaign.code("CARTER");
    assert_ne!(code, old_code);
    campaign.run(&format!("ack record CARTER --by Pat --note phone --code {code}")).ends(0);
    assert_eq!(satisfied(&campaign, "disks-held"), (1, 12));
    campaign.run("amend --yes").ends(0).says("nothing changed");
    campaign.run("send change-date --yes").ends(3);
    campaign.run("audit verify").ends(0);
}

#[test]
fn one_other_disk_concerns_its_owner_alone() {
    let campaign = told();
    campaign.poke("disks/HARRIS/CONNECT.GLB", 400, 0x5a);
    campaign.run("build").ends(0);
    campaign.run("send --yes").ends(6);
    campaign.run("amend --cosmetic --yes").ends(1).refuses("not-cosmetic");
    campaign.run("amend --yes").ends(0).says("anew for 1 person").says("1 sent").says("2 answers stay");
    assert_eq!(satisfied(&campaign, "disks-held"), (1, 12), "CARTER's answer stays");
    assert!(newest(&campaign, "HARRIS-change", 2).text.contains("is void"));
    assert_eq!(campaign.outbox("CARTER-change").len(), 1);
    campaign.run("send change-date --yes").ends(3);
}

#[test]
fn other_words_make_no_disk_void() {
    let campaign = told();
    let words = |text: &str| {
        campaign.write("templates/mail/change-date/text.hbs", format!("{text}: {{{{facts.new_serial}}}}.\n"));
        campaign.run("amend --yes").ends(0).says("12 sent");
    };
    words("Another text");
    let letter = newest(&campaign, "HARRIS-change", 2).text;
    assert!(
        letter.contains("told anew below") && letter.contains("answer again") && !letter.contains("is void"),
        "{letter}"
    );
    campaign.poke("disks/HARRIS/CONNECT.GLB", 400, 0x5a);
    campaign.run("build").ends(0);
    campaign.run("amend --yes").ends(0).says("1 sent");
    // HARRIS got the new disk with a letter that said so.
    words("A third");
    assert!(!newest(&campaign, "HARRIS-change", 4).text.contains("is void"));
    assert!(!newest(&campaign, "CARTER-change", 3).text.contains("is void"));
}

#[test]
fn a_text_in_one_language_concerns_those_who_read_it() {
    let campaign = told();
    let words = "{{facts.new_serial}}.\n";
    campaign.write("templates/mail/change-date/text.hbs", format!("One: {words}"));
    campaign.write("templates/mail/change-date/text.de.hbs", format!("Eins: {words}"));
    campaign.run("amend --yes").ends(0).says("12 sent");
    campaign.run(&format!("ack record CARTER --by Pat --note phone --code {}", campaign.code("CARTER"))).ends(0);
    campaign.write("templates/mail/change-date/text.de.hbs", format!("Anders: {words}"));
    let shown =
        campaign.run("amend --dry-run").ends(0).says("text change-date de").says("'change-date' goes to 2 people");
    shown.says("2 answers stay").says("- Eins: 32-20977.").says("+ Anders: 32-20977.");
    campaign.run("amend --yes").ends(0).says("2 sent");
    assert_eq!(satisfied(&campaign, "disks-held"), (1, 12), "CARTER reads English");
    campaign.write("templates/mail/change-date/text.hbs", format!("Other: {words}"));
    campaign.run("amend --yes").ends(0).says("10 sent");
    assert_eq!(satisfied(&campaign, "disks-held"), (0, 12));
    // What nobody reads is no news; and a language that goes leaves its readers with the general text.
    campaign.write("templates/mail/change-date/text.pl.hbs", format!("Inny: {words}"));
    campaign.run("amend --yes").ends(0).says("nothing changed");
    fs_err::remove_file(campaign.path("templates/mail/change-date/text.pl.hbs")).expect("removed");
    campaign.run("amend --yes").ends(0).says("nothing changed");
    campaign.run("send change-date --yes").ends(3);
}

#[test]
fn a_waiver_speaks_of_what_the_person_was_told_then() {
    let campaign = told();
    let waive = |person: &str| campaign.run_words(&["ack", "waive", person, "--by", "Pat", "--reason", "has the disk"]);
    waive("HARRIS").ends(0);
    waive("WEISS").ends(0);
    let waived = || {
        let gates = status(&campaign)["gates"].clone();
        let gate = gates.as_array().expect("gates").iter().find(|one| one["name"] == "disks-held").expect("the gate");
        gate["waived"].clone()
    };
    assert_eq!(waived(), json!(["WEISS", "HARRIS"]));
    campaign.poke("disks/HARRIS/CONNECT.GLB", 400, 0x5a);
    campaign.run("build").ends(0);
    campaign.run("amend --yes").ends(0).says("anew for 1 person");
    assert_eq!(waived(), json!(["WEISS"]), "the disk in HARRIS's hand is not the one any more");
    campaign.run("status").ends(0).says("the waiver by Pat has ended: what it spoke of was amended since");
    waive("HARRIS").ends(0).says("HARRIS no longer blocks disk-received");
    assert_eq!(waived(), json!(["WEISS", "HARRIS"]));
    campaign.run("audit verify").ends(0);
}

#[test]
fn a_wording_that_is_called_cosmetic_leaves_everybody_alone() {
    let campaign = told();
    campaign
        .write("templates/mail/new-serial/text.hbs", "The number will be {{facts.new_serial}}. Reply {{ack.word}}.\n");
    campaign.run("cutover --yes").ends(6);
    campaign.run("amend --cosmetic --reason typo --yes").ends(0).says("cosmetic").says("2 answers stay");
    assert_eq!(campaign.outbox("").len(), 17);
    assert_eq!(satisfied(&campaign, "async-informed"), (1, 5));
    assert_eq!(status(&campaign)["revision"], 2);
    campaign.run("audit export").ends(0).says("\"cosmetic\":[\"text new-serial\"").says("typo");

    campaign.write("templates/mail/new-serial/text.hbs", "Another one: {{facts.new_serial}}. Reply {{ack.word}}.\n");
    campaign.run("amend --yes").ends(0).says("'new-serial' goes to 5 people").says("5 sent");
    assert_eq!(satisfied(&campaign, "async-informed"), (0, 5));
    assert_eq!(satisfied(&campaign, "disks-held"), (1, 12), "the disks are the same");
}

#[test]
fn another_contact_or_title_is_what_every_letter_said_and_may_be_cosmetic() {
    let campaign = told();
    campaign.edit("Mail Desk, +1 555 0100", "Mail Desk, +1 555 0111");
    campaign.run("send --yes").ends(6).says("campaign contact = Mail Desk, +1 555 0100");
    campaign.run("amend --cosmetic --reason moved --yes").ends(0).says("cosmetic").says("2 answers stay");
    assert_eq!(campaign.outbox("").len(), 17);
    assert_eq!(satisfied(&campaign, "disks-held"), (1, 12));

    campaign.edit("+1 555 0111", "+1 555 0122").edit("title = \"New serial number for", "title = \"Another number for");
    campaign.run("amend --yes").ends(0).says("campaign title").says("material").says("17 sent");
    assert_eq!((satisfied(&campaign, "disks-held").0, satisfied(&campaign, "async-informed").0), (0, 0));
    let letters: Vec<Letter> = campaign.outbox("DENVER-").iter().map(|path| Letter::read(path)).collect();
    let changed = letters.iter().find(|letter| letter.text.contains("CHANGED")).expect("the amendment");
    for words in
        ["What it is about: Another number for", "Questions go to: Mail Desk, +1 555 0122", "No longer to: Mail Desk"]
    {
        assert!(changed.text.contains(words), "{words} is missing in\n{}", changed.text);
    }
    // The disk is the same, and so is its code: what is answered to the new letter counts again.
    let code = campaign.code("CARTER");
    campaign.run(&format!("ack record CARTER --by Pat --note phone --code {code}")).ends(0);
    assert_eq!(satisfied(&campaign, "disks-held"), (1, 12));
}

/// No letter asks a local user for an answer: the gate counts what the postoffice shows of them.
#[test]
fn a_local_user_who_leaves_the_roster_or_becomes_a_remote_one_leaves_no_gate_in_silence() {
    let campaign = told();
    let rows = campaign.bytes("rosters/users.csv");
    let without = |person: &str, instead: &[u8]| {
        let row = |row: &[u8]| row.starts_with(format!("{person};").as_bytes());
        let rows = rows.split_inclusive(|byte| *byte == b'\n').map(|one| if row(one) { instead } else { one });
        campaign.write("rosters/users.csv", rows.collect::<Vec<_>>().concat());
    };
    without("PATEL", b"");
    for line in ["send --yes", "cutover --yes", "tick --yes"] {
        campaign.run(line).ends(6).says("PATEL among 'local-users'");
    }
    campaign.run("amend --dry-run").ends(0).says("left: PATEL, who had to answer 'drained' and leaves its gate");
    let patel = rows.split_inclusive(|byte| *byte == b'\n').find(|row| row.starts_with(b"PATEL;")).expect("a row");
    let remote = String::from_utf8(patel.to_vec()).expect("UTF-8").replacen(";local;", ";remote;", 1);
    without("PATEL", remote.as_bytes());
    campaign.run("send --yes").ends(6).says("PATEL among 'local-users'");
    without("PATEL", b"");
    campaign.run("amend --yes").ends(0).says("left: PATEL");
    campaign.run("status").ends(0).says("PATEL").says("drained").keeps_quiet_about("left the rosters");
    campaign.run("amend --yes").ends(0).says("nothing changed");
    campaign.run("send --yes").ends(3);
}

#[test]
fn who_joins_catches_up_and_who_leaves_is_named_for_ever() {
    let campaign = told();
    let roster = String::from_utf8(campaign.bytes("rosters/async-admins.csv")).expect("UTF-8");
    let without: String = roster.lines().filter(|line| !line.starts_with("MUNICH")).map(|l| format!("{l}\n")).collect();
    let joiner = "BOSTON,Ina Bell,ina.bell@boston.corp.example,CORP,BOSTON,modem,Boston,it@boston.corp.example,America/New_York,+1 555 0209\n";
    campaign.write("rosters/async-admins.csv", without + joiner);
    campaign.run("send --yes").ends(6).says("MUNICH among 'async-admins'");
    campaign
        .run("status")
        .ends(0)
        .says("joined the rosters since people were told: BOSTON")
        .says("left the rosters")
        .says("flagday amend");
    campaign.run("amend --yes").ends(0).says("joined: BOSTON").says("left: MUNICH").says("2 answers stay");
    assert_eq!(satisfied(&campaign, "async-informed"), (1, 5));
    let status = status(&campaign);
    assert_eq!((status["revision"].clone(), status["leavers"][0]["person"].clone()), (json!(1), json!("MUNICH")));
    assert_eq!(status["roster"], json!({ "joined": [], "left": [], "moved": [] }));
    // The hour of the notice is not there yet in this campaign: the joiner gets it with everybody's.
    campaign.run("send new-serial --yes").ends(0).says("1 sent");
    assert_eq!(campaign.outbox("BOSTON-").len(), 1);
    campaign.run("send --yes").ends(3);
}

#[test]
fn a_joiner_gets_what_the_others_have_when_its_hour_is_over() {
    let campaign = Campaign::ready();
    campaign.run("send new-serial --yes").ends(0).says("5 sent");
    let roster = String::from_utf8(campaign.bytes("rosters/async-admins.csv")).expect("UTF-8");
    let joiner = "BOSTON,Ina Bell,ina.bell@boston.corp.example,CORP,BOSTON,modem,Boston,it@boston.corp.example,America/New_York,+1 555 0209\n";
    campaign.write("rosters/async-admins.csv", roster + joiner);
    campaign.run("amend --yes").ends(0).says("joined: BOSTON").says("'new-serial' goes to 1 person").says("1 sent");
    let letter = newest(&campaign, "BOSTON-", 1);
    assert!(!letter.subject.contains("Changed"), "nothing changed for somebody who is new: {}", letter.subject);
}

#[test]
fn a_change_that_is_put_off_holds_everything_until_there_is_a_new_date() {
    let campaign = told();
    let nothing_to_say = campaign.run("amend --postpone --yes").ends(1).refuses("postpone-unreasoned");
    assert!(nothing_to_say.says("give --reason").out.is_empty(), "no plan of what is refused");
    campaign.run("amend --postpone --dry-run").ends(1).says("'postponed' goes to 17 people");
    let old = campaign.code("CARTER");
    campaign.run("amend --postpone --reason storm --yes").ends(0).says("17 sent");
    campaign.run("status").ends(0).says("was told that it is put off").keeps_quiet_about("was not told yet");
    let code = campaign.run(&format!("ack record CARTER --by Pat --note phone --code {old}")).ends(1);
    code.refuses("older-revision").says("is put off since").keeps_quiet_about("newest package");
    let letter = newest(&campaign, "MWANGI-postponed", 1);
    assert!(letter.subject.starts_with("Postponed: ") && letter.text.contains("not known yet"), "{}", letter.text);
    assert_eq!((letter.entry("METHOD"), letter.entry("SEQUENCE")), ("CANCEL", "1"));
    assert_eq!(satisfied(&campaign, "disks-held"), (0, 12));
    campaign.run("send --yes").ends(6);
    campaign.run("cutover --yes").ends(6);
    campaign.run("tick --yes").ends(0);
    assert_eq!(status(&campaign)["postponed"], true);
    campaign.run("plan").ends(0).says("on hold");
    campaign.run(&format!("report --out {}", campaign.path("report").display())).ends(0);
    let report = |file: &str| String::from_utf8(campaign.bytes(&format!("report/{file}"))).expect("UTF-8");
    let put_off = "the change is put off, and no new date is known: storm; people who are told: 17";
    assert!(report("timeline.csv").contains(put_off) && report("report.html").contains(put_off));
    let page = report("report.html");
    assert!(page.contains("<dd>put off, and no new date yet</dd>") && page.contains(": storm</dd>"), "and why");
    let again = campaign.run("amend --postpone --reason flood --yes").ends(0).says("nothing changed");
    again.says("told already that it is put off, with the reason: storm");
    campaign.run("send --yes").ends(6).says("put off");

    campaign.run("amend --yes").ends(3).refuses("date-put-off").says("--same-date");
    campaign.run("amend --same-date --dry-run").ends(0).says("'change-date' goes to");

    campaign.edit(FUTURE, LATER);
    campaign.run("build").ends(0);
    campaign.run("amend --yes").ends(0).says("17 sent");
    let letter = newest(&campaign, "MWANGI-change", 2);
    assert_eq!((letter.entry("METHOD"), letter.entry("SEQUENCE")), ("REQUEST", "2"));
    assert!(letter.text.contains("New date:    Wednesday, 19 December 2096"), "{}", letter.text);
    assert_eq!(status(&campaign)["postponed"], false);
}

#[test]
fn status_counts_those_who_are_still_to_hear_that_it_is_put_off() {
    let campaign = Campaign::sample().change_at(FUTURE);
    campaign.run("send new-serial --yes").ends(0).says("5 sent");
    let (outbox, aside) = (campaign.root().join(".flagday/outbox"), campaign.root().join(".flagday/aside"));
    fs_err::rename(&outbox, &aside).expect("renamed");
    fs_err::write(&outbox, "in the way").expect("written");
    campaign.run("amend --postpone --reason storm --yes").ends(1);
    let waiting = status(&campaign);
    assert_eq!(waiting["messages"]["planned"], 5);
    assert_eq!(waiting["next"], "flagday send: 5 letters that the change is put off wait to go out");
    fs_err::remove_file(&outbox).expect("removed");
    fs_err::rename(&aside, &outbox).expect("renamed");
    campaign.run("tick --yes").ends(0).says("5 sent");
    campaign.run("tick --yes").ends(0);
    assert_eq!(campaign.outbox("-postponed-").len(), 5, "once");
    assert!(status(&campaign)["next"].as_str().expect("a command").starts_with("set the new change_at"));
}

#[test]
fn a_date_that_moved_and_moved_back_before_anybody_heard_of_it_is_news_to_nobody() {
    let campaign = told();
    let code = campaign.code("CARTER");
    campaign.edit(FUTURE, LATER).run("build").ends(0);
    let (outbox, aside) = (campaign.root().join(".flagday/outbox"), campaign.root().join(".flagday/aside"));
    fs_err::rename(&outbox, &aside).expect("renamed");
    fs_err::write(&outbox, "in the way").expect("written");
    campaign.run("amend --yes").ends(1);
    assert_eq!(satisfied(&campaign, "disks-held"), (0, 12));
    fs_err::remove_file(&outbox).expect("removed");
    fs_err::rename(&aside, &outbox).expect("renamed");
    campaign.edit(LATER, FUTURE).run("build").ends(0);
    assert_eq!(campaign.code("CARTER"), code, "the disk that CARTER holds is today's");
    campaign.run("amend --yes").ends(0).says("what 17 people were told is true again").says("0 sent");
    assert_eq!(campaign.outbox("").len(), 17, "the letters of before, and no other");
    assert_eq!((satisfied(&campaign, "disks-held").0, satisfied(&campaign, "async-informed").0), (1, 1));
    campaign.run("tick --yes").ends(0);
    campaign.run("send --yes").ends(3);
    assert_eq!(campaign.outbox("").len(), 17);
    campaign.run(&format!("ack record CARTER --by Pat --note again --code {code}")).ends(0);
    campaign.run("audit verify").ends(0);
}

#[test]
fn a_date_that_is_too_near_needs_the_word() {
    let campaign = Campaign::sample().change_at(crate::harness::PAST);
    campaign.edit("minimum_notice = \"0d\"\n", "");
    campaign.run("send new-serial --yes").ends(3).refuses("short-notice").says("--short-notice");
    assert!(campaign.outbox("").is_empty());
    // What is offered is not refused; and where nothing is to leave, nobody is asked whether it may.
    campaign.run("send").ends(3).says("To send it: flagday send new-serial --short-notice").says("0 planned, 0 sent");
    campaign.run("status").ends(0).says("flagday send new-serial --short-notice sends it late");
    campaign.run("send new-serial --short-notice --yes").ends(0).says("5 sent");
    campaign.run("status").ends(0).says("flagday send local-change-date sends it late");
    campaign.run("send local-change-date --yes").ends(0).says("28 sent");
    let record = campaign.run("audit export").ends(0).out;
    let events: Vec<&str> = record.lines().filter(|line| line.contains("\"short-notice\"")).collect();
    assert!(matches!(events[..], [one] if one.contains("\"least_hours\":168")), "once: {events:?}");
    let told = "the date 2001-02-03T18:00:00";
    campaign.run(&format!("report --out {}", campaign.root().join("report").display())).ends(0);
    let timeline = String::from_utf8(campaign.bytes("report/timeline.csv")).expect("UTF-8");
    assert!(timeline.contains(told) && timeline.contains("at short notice"), "{timeline}");
    assert!(timeline.contains("the least is 168 hours"), "{timeline}");
    let page = String::from_utf8(campaign.bytes("report/report.html")).expect("UTF-8");
    assert!(page.contains("at short notice"));
}

#[test]
fn a_date_that_is_moved_too_near_needs_the_word_too() {
    let campaign = Campaign::sample().change_at(FUTURE);
    campaign.run("send new-serial --yes").ends(0).says("5 sent");
    campaign.edit("minimum_notice = \"0d\"\n", "");
    let near = (flagday::system::Real.now() + chrono::Duration::days(3)).format("%Y-%m-%dT18:00:00").to_string();
    campaign.edit(FUTURE, &near);
    campaign.run("amend --yes").ends(3).refuses("short-notice").says("--short-notice").says("know 7 days beforehand");
    let told = status(&campaign);
    assert_eq!((told["revision"].clone(), campaign.outbox("").len()), (json!(1), 5), "nobody was told, nothing is new");
    let record = || campaign.run("audit export").ends(0).out.matches("\"short-notice\"").count();
    assert_eq!(record(), 0);
    // To look at it costs nothing.
    campaign.run("amend --dry-run").ends(3).refuses("short-notice").says("change_at");
    campaign.run("amend --dry-run --short-notice").ends(0).says("change_at");
    campaign.run("amend --short-notice --yes").ends(0).says("5 sent");
    assert_eq!((status(&campaign)["revision"].clone(), record()), (json!(2), 1), "the word is on record");
    // What else changes later needs no word for a date that people know.
    campaign.write("templates/mail/new-serial/text.hbs", "Another text.\n");
    campaign.run("amend --yes").ends(0).says("5 sent");
    assert_eq!(record(), 1);
    // Further away again is no short notice at all.
    campaign.edit(&near, FUTURE).run("amend --yes").ends(0).says("5 sent");
    assert_eq!(record(), 1);
}

#[test]
fn once_the_change_has_taken_place_the_file_wants_its_old_date_back() {
    let campaign = Files::with("[[step]]\nname = \"switch\"\nattest = \"it is done\"\n");
    campaign.run("send told --yes").ends(0).says("1 sent");
    campaign.run("cutover attest switch --by Pat --reason seen").ends(0);
    campaign.run("cutover --yes").ends(0);
    let text = fs_err::read_to_string(campaign.path("flagday.toml")).expect("UTF-8");
    let with = |from: &str, to: &str| campaign.write("flagday.toml", &text.replace(from, to));
    with("2001-02-03", "2001-02-04");
    let back = "set change_at back to 2001-02-03 18:00:00 in flagday.toml";
    campaign.run("status").ends(0).says(back).says("has taken place").keeps_quiet_about("flagday amend");
    for line in ["tick --yes", "send --yes", "cutover --yes"] {
        campaign.run(line).ends(6).says("the change has taken place").says(back);
    }
    let refused = campaign.run("amend --yes").ends(1).refuses("taken-place").says(back);
    assert!(refused.out.is_empty(), "nobody's answer is void: {}", refused.out);
    campaign.run("amend --postpone --reason late --yes").ends(1).refuses("taken-place").says("put off any more");
    with("contact = \"Desk\"", "contact = \"Office\"");
    campaign.run("tick --yes").ends(6).says("flagday amend --cosmetic");
    campaign.run("amend --cosmetic --reason moved --yes").ends(0).says("0 sent");
    campaign.run("tick --yes").ends(0);
}
