//! A message whose acceptance nobody knows is settled by what comes back of it: a delivery report, an answer, a bounce.

use crate::harness::hang_up::HangUp;
use crate::harness::taking::Taking;
use crate::harness::{Campaign, FUTURE};

fn header(message: &str, name: &str) -> String {
    let line = message.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    line.unwrap_or_else(|| panic!("no {name} in {message}")).to_owned()
}

fn report(message: &str, recipient: &str, action: &str, status: &str) -> String {
    let envelope = header(message, "Message-ID").trim_matches(['<', '>']).to_owned();
    format!(
        "From: MAILER-DAEMON@mx.example\nSubject: report\nContent-Type: multipart/report; boundary=B\n\n\
         --B\nContent-Type: message/delivery-status\n\nOriginal-Envelope-Id: {envelope}\n\n\
         Final-Recipient: rfc822; {recipient}\nAction: {action}\nStatus: {status}\n--B--\n"
    )
}

#[test]
fn a_code_that_is_read_out_settles_it_and_a_word_on_the_phone_does_not() {
    let server = HangUp::start();
    let campaign = Campaign::ready().change_at(FUTURE);
    let transport = format!("transport = \"smtp://127.0.0.1:{}\"\nconnections = 1\nuncertain = \"hold\"", server.port);
    campaign.edit("transport = \"file\"", &transport).run("build").ends(0);
    campaign.run("send change-date --to WEISS --to LEROY --to GARCIA --yes");
    let code = campaign.code("LEROY");
    campaign.run_words(&["ack", "record", "LEROY", "--by", "Jo", "--code", &code, "--note", "phone"]).ends(0);
    campaign.run_words(&["ack", "record", "WEISS", "--by", "Jo", "--note", "has it"]).ends(0);
    campaign.write("answers.csv", format!("person,code,by,note\nGARCIA,{},Jo,phone\n", campaign.code("GARCIA")));
    let answers = campaign.path("answers.csv");
    campaign.run_words(&["ack", "import", answers.to_str().expect("UTF-8")]).ends(0);
    let status = campaign.run("status --json").ends(0).json();
    assert_eq!(
        (&status["messages"]["uncertain"], &status["messages"]["delivered"]),
        (&1.into(), &2.into()),
        "{status}"
    );
    assert_eq!(status["in_doubt"][0]["person"], "WEISS");
    campaign.run("send --yes").ends(3).says("one message of an earlier run may have arrived or not");
    // Not before a report of the server can have come.
    campaign.run("send --to failed --yes").ends(3).says("1 in doubt");
    assert_eq!(server.messages().len(), 3);
}

#[test]
fn what_comes_back_settles_a_message_in_doubt_and_it_does_not_go_out_again() {
    let server = HangUp::start();
    let campaign = Campaign::ready().change_at(FUTURE);
    let transport = format!("transport = \"smtp://127.0.0.1:{}\"\nconnections = 1", server.port);
    campaign.edit("transport = \"file\"", &transport);
    campaign.append("[[intake.mailbox]]\nmaildir = \"Maildir\"\n");
    campaign.run("build").ends(0);
    campaign.run("send change-date --to WEISS --to LEROY --to GARCIA --yes");
    let counts = || campaign.run("status --json").ends(0).json()["messages"].clone();
    assert_eq!(counts()["uncertain"], 3, "{}", counts());

    let messages = server.messages();
    let to = |address: &str| messages.iter().find(|one| header(one, "To").contains(address)).expect("taken").clone();
    let (weiss, leroy, garcia) = (to("weiss@hq"), to("leroy@hq"), to("ines.garcia@field"));
    campaign.write("Maildir/new/1", report(&weiss, "weiss@hq.corp.example", "delivered", "2.0.0"));
    campaign.write("Maildir/new/2", report(&garcia, "ines.garcia@field.example", "failed", "5.1.1"));
    let answer = format!(
        "From: leroy@hq.corp.example\nTo: {}\nIn-Reply-To: {}\nSubject: Re: disk\n\n{}\n",
        header(&leroy, "Reply-To"),
        header(&leroy, "Message-ID"),
        campaign.code("LEROY")
    );
    campaign.write("Maildir/new/3", answer);
    campaign.run("intake").ends(0).says("3 facts recorded").says("0 for you to look at");
    let after = counts();
    assert_eq!(
        (after["uncertain"].clone(), after["delivered"].clone(), after["failed"].clone()),
        (0.into(), 2.into(), 1.into()),
        "{after}"
    );
    campaign.run("who --person LEROY").ends(0).says("possessed");
    campaign.run("who --failed").ends(0).says("GARCIA");
    // What goes out next is an escalation about GARCIA, whom mail does not reach.
    campaign.run("send --yes");
    let mut ids: Vec<String> = server.messages().iter().map(|one| header(one, "Message-ID")).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((server.messages().len(), ids.len()), (4, 4), "nothing went out a second time");
    campaign.run("audit verify").ends(0);
}

#[test]
fn what_is_in_doubt_twice_is_held_and_nobody_says_that_it_did_not_arrive() {
    let server = HangUp::start();
    let campaign = Campaign::ready().change_at(FUTURE);
    let transport = format!("transport = \"smtp://127.0.0.1:{}\"\nconnections = 1", server.port);
    campaign.edit("transport = \"file\"", &transport).run("build").ends(0);
    campaign.run("send change-date --to WEISS --yes").ends(3).says("sends the same bytes once more");
    let later = || let_eleven_minutes_pass(&campaign);
    later();
    campaign
        .run("send --to failed --yes")
        .ends(3)
        .says("1 uncertain")
        .says("the next send holds them until a person decides");
    later();
    campaign.run("send --yes").ends(3).says("one message is held: in doubt twice");
    assert_eq!(server.messages().len(), 2);
    let status =
        campaign.run("status").ends(0).says("in doubt, whether a server has them or not").says("in doubt twice");
    status.keeps_quiet_about("not arrived").says("perhaps as a further copy");
    campaign.run("who --person WEISS").ends(0).keeps_quiet_about("was not sent");
    campaign.run("report --call-sheet").ends(0).says("1 to call, 0 letters");
    let sheet = String::from_utf8(campaign.bytes(".flagday/report/call-sheet.txt")).expect("UTF-8");
    let heading = "Ob unser Schreiben ankam, weiß niemand: fragen (1)";
    assert!(sheet.contains(heading) && sheet.contains("Bekannt: may have our letter or not"), "{sheet}");
    campaign.run("send --to failed --yes").ends(3).says("1 of these may have arrived before");
    assert_eq!(server.messages().len(), 3);
}

/// Eleven minutes on, as far as the ledger can tell.
fn let_eleven_minutes_pass(campaign: &Campaign) {
    let ledger = rusqlite::Connection::open(campaign.path(".flagday/ledger.db")).expect("the ledger");
    let minutes = 11 * 60 * 1000;
    ledger.execute("UPDATE message SET settled_at = settled_at - ?", [minutes]).expect("a message");
}

#[test]
fn whatever_becomes_of_it_after_the_doubt_nobody_says_that_it_did_not_arrive_and_its_person_hears_that_it_is_put_off() {
    let lost = HangUp::start();
    let campaign = Campaign::ready().change_at(FUTURE);
    let at = |port: u16| format!("transport = \"smtp://127.0.0.1:{port}\"");
    campaign.edit("transport = \"file\"", &format!("{}\nconnections = 1", at(lost.port))).run("build").ends(0);
    campaign.run("send change-date --to WEISS --to LEROY --to GARCIA --yes").ends(3).says("3 uncertain");
    let_eleven_minutes_pass(&campaign);
    // Two are refused the second time, one is put off.
    let server = Taking::start(|address| {
        Some(if address.contains("garcia") { "451 4.3.0 later" } else { "554 5.7.1 duplicate message" })
    });
    campaign.edit(&at(lost.port), &at(server.port));
    let run = campaign.run("send --yes").ends(3);
    run.says("0 failed").says("2 held, not lost (").says("in doubt, then refused: 554 5.7.1 duplicate message");
    let status = campaign.run("status").ends(0);
    let status =
        status.says("2 held").says("0 failed").keeps_quiet_about("not arrived").keeps_quiet_about("was not sent");
    let status = status
        .says("change-date to WEISS, LEROY: in doubt, then refused: 554 5.7.1 duplicate message")
        .says("ask the person");
    let status = status.says("change-date to GARCIA: in doubt, and waits to go out once more: 451 4.3.0 later");
    status.says("may have our letter or not").keeps_quiet_about("LEROY (none): was not told yet");
    campaign
        .run("who --failed --csv")
        .ends(0)
        .says("\"held\",\"in doubt, then refused")
        .keeps_quiet_about("\"failed\"");
    // Who reads the code out has the letter, and nobody sends it to them once more.
    let code = campaign.code("LEROY");
    campaign.run_words(&["ack", "record", "LEROY", "--by", "Jo", "--code", &code, "--note", "phone"]).ends(0);
    campaign.run("status").ends(0).says("1 delivered").says("change-date to WEISS: in doubt, then refused");
    server.answer(|_| None);
    let run = campaign.run("amend --postpone --reason later --yes").ends(0);
    run.says("'postponed' goes to 3 people: GARCIA, LEROY, WEISS").says("3 sent");
    assert_eq!((server.recipients().len(), lost.messages().len()), (3, 3), "{:?}", server.recipients());
    campaign.run("audit verify").ends(0);
}

#[test]
fn who_has_said_that_it_came_gets_no_further_copy_and_who_is_sent_another_letter_gets_that_one_alone() {
    let lost = HangUp::start();
    let campaign = Campaign::ready().change_at(FUTURE);
    let at = |port: u16| format!("transport = \"smtp://127.0.0.1:{port}\"");
    campaign.edit("transport = \"file\"", &format!("{}\nconnections = 1", at(lost.port)));
    campaign.run("send new-serial --to DENVER --to MUNICH --to HARBOR --yes").ends(3).says("3 uncertain");
    let_eleven_minutes_pass(&campaign);
    let server = Taking::start(|_| Some("554 5.7.1 duplicate message"));
    campaign.edit(&at(lost.port), &at(server.port)).run("send --yes").ends(3);
    server.answer(|_| None);
    campaign.run("ack record DENVER --by Jo --note has-it").ends(0);
    campaign.run("status").ends(0).says("new-serial to MUNICH, HARBOR: in doubt");
    campaign.run("send new-serial --to MUNICH --again --yes").ends(0).says("1 sent");
    campaign.run("status").ends(0).says("new-serial to HARBOR: in doubt");
    campaign.run("send --to failed --yes").says("1 of these may have arrived before");
    let mut taken = server.recipients();
    taken.sort();
    assert_eq!(taken, ["joerg.baecker@munich.corp.example", "mailadmin@harbor.example"]);
}

#[test]
fn what_only_a_server_that_has_it_can_have_sent_settles_it_as_accepted_and_a_bounce_stops_the_second_copy() {
    let lost = HangUp::start();
    let campaign = Campaign::ready().change_at(FUTURE);
    let at = |port: u16| format!("transport = \"smtp://127.0.0.1:{port}\"");
    campaign.edit("transport = \"file\"", &format!("{}\nconnections = 1", at(lost.port)));
    campaign.append("[[intake.mailbox]]\nmaildir = \"Maildir\"\n");
    campaign.run("build").ends(0);
    campaign.run("send change-date --to WEISS --to LEROY --to GARCIA --to DUBOIS --yes").ends(3).says("4 uncertain");
    let messages = lost.messages();
    let to = |name: &str| messages.iter().find(|one| header(one, "To").contains(name)).expect("taken").clone();
    let recipient = |message: &str| header(message, "To").rsplit(['<', ' ']).next().expect("one").replace('>', "");
    let (weiss, leroy, garcia, dubois) = (to("weiss@"), to("leroy@"), to("garcia@"), to("dubois@"));
    campaign.write("Maildir/new/1", report(&weiss, &recipient(&weiss), "delayed", "4.4.1"));
    campaign.write("Maildir/new/2", report(&garcia, &recipient(&garcia), "relayed", "2.0.0"));
    let away = format!(
        "From: {}\nTo: {}\nIn-Reply-To: {}\nAuto-Submitted: auto-replied\nSubject: Out of office\n\nBack on Monday.\n",
        recipient(&leroy),
        header(&leroy, "Reply-To"),
        header(&leroy, "Message-ID"),
    );
    campaign.write("Maildir/new/3", away);
    campaign.run("intake").ends(0).says("0 for you to look at");
    let status = campaign.run("status --json").ends(0).json();
    assert_eq!((&status["messages"]["uncertain"], &status["messages"]["sent"]), (&1.into(), &3.into()), "{status}");
    for person in ["WEISS", "LEROY", "GARCIA"] {
        let evidence = campaign.run(&format!("who --person {person}")).ends(0);
        evidence.says("sent").keeps_quiet_about("delivered");
    }
    // The one that is left is put off at the second try; then the first copy comes back.
    let_eleven_minutes_pass(&campaign);
    let server = Taking::start(|_| Some("451 4.3.0 later"));
    campaign.edit(&at(lost.port), &at(server.port)).run("send --yes").ends(3).says("1 deferred");
    campaign.write("Maildir/new/4", report(&dubois, &recipient(&dubois), "failed", "5.1.1"));
    campaign.run("intake").ends(0);
    campaign.run("status").ends(0).says("0 deferred").says("1 failed").says("came back");
    server.answer(|_| None);
    campaign.run("send --to failed --yes");
    campaign.run("audit verify").ends(0);
    assert_eq!(server.recipients().iter().filter(|one| one.contains("dubois")).count(), 1, "asked for, and once");
    assert!(!server.recipients().iter().any(|one| ["weiss", "leroy", "garcia"].iter().any(|who| one.contains(who))));
}
