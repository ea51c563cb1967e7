//! A message whose acceptance nobody knows is settled by what comes back of it: a delivery report, an answer, a bounce.

use crate::harness::hang_up::HangUp;
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
    // Eleven minutes on.
    let later = || {
        let ledger = rusqlite::Connection::open(campaign.path(".flagday/ledger.db")).expect("the ledger");
        let minutes = 11 * 60 * 1000;
        ledger.execute("UPDATE message SET settled_at = settled_at - ?", [minutes]).expect("a message");
    };
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
