//! Answers come in by mail: placed, graded, each once; nothing that a machine does counts, and doubt waits for a human.

use crate::harness::{Campaign, Run, kill};
use flagday::system::{Real, World};
use serde_json::Value;
use std::time::Duration;

/// A campaign whose remote users and neighbours were told, with a mailbox.
fn told() -> Campaign {
    let campaign = Campaign::ready();
    campaign.append("[[intake.mailbox]]\nmaildir = \"Maildir\"\n");
    campaign.announce();
    campaign
}

/// A field of the notice to a person.
fn field(campaign: &Campaign, person: &str, name: &str) -> String {
    let notice = campaign.outbox(&format!("{person}-")).pop().expect("a notice");
    let text = String::from_utf8_lossy(&fs_err::read(notice).expect("readable")).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).expect("the field");
    line.to_owned()
}

fn letter(campaign: &Campaign, name: &str, text: &str) {
    campaign.write(&format!("Maildir/new/{name}"), text);
}

/// A reply as a mail program writes it.
fn reply(campaign: &Campaign, person: &str, from: &str, text: &str) -> String {
    let (to, id) = (field(campaign, person, "Reply-To"), field(campaign, person, "Message-ID"));
    format!(
        "From: <{from}>\nTo: {to}\nSubject: Re: disk\nIn-Reply-To: {id}\nReferences: {id}\nMessage-ID: <{person}-{}@home.example>\n\n{text}\n",
        text.len()
    )
}

fn intake(campaign: &Campaign) -> Value {
    campaign.run("intake --json").ends(0).json()
}

fn grade(campaign: &Campaign, person: &str) -> String {
    let people = campaign.run(&format!("who --person {person} --json")).ends(0).json();
    let text = people.to_string();
    let grades = ["observed", "possessed", "confirmed", "read", "delivered", "sent"];
    let found = grades.into_iter().find(|grade| text.contains(&format!("\"grade\":\"{grade}\"")));
    found.unwrap_or("none").to_owned()
}

fn waiting(campaign: &Campaign) -> Vec<Value> {
    campaign.run("ack review --json").ends(0).json().as_array().expect("a list").clone()
}

#[test]
fn answers_raise_the_grade_that_they_prove_and_each_is_taken_once() {
    let campaign = told();
    let code = campaign.code("WEISS");
    letter(
        &campaign,
        "1",
        &reply(&campaign, "WEISS", "weiss@hq.corp.example", &format!("Der Code: {code}\n\n> Not yet installed?")),
    );
    letter(&campaign, "2", &reply(&campaign, "DENVER", "elena.ruiz@denver.corp.example", "CONFIRMED"));
    let id = field(&campaign, "GARCIA", "Message-ID");
    let receipt = format!(
        "From: ines.garcia@field.example\nSubject: Read: disk\nContent-Type: multipart/report; report-type=disposition-notification; boundary=B\n\n\
         --B\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;ines.garcia@field.example\nOriginal-Message-ID: {id}\n\
         Disposition: manual-action/MDN-sent-manually; displayed\n--B--\n"
    );
    letter(&campaign, "3", &receipt);
    let envelope = field(&campaign, "KOWALSKI", "Message-ID").trim_matches(['<', '>']).to_owned();
    let report = |action: &str, status: &str| {
        format!(
            "From: MAILER-DAEMON@mx.example\nSubject: report\nContent-Type: multipart/report; boundary=B\n\n--B\nContent-Type: message/delivery-status\n\n\
             Original-Envelope-Id: {envelope}\n\nFinal-Recipient: rfc822; elsewhere@x.example\nAction: {action}\nStatus: {status}\n--B--\n"
        )
    };
    letter(&campaign, "4", &report("delivered", "2.0.0"));
    let taken = intake(&campaign);
    assert_eq!(
        (taken["read"].as_u64(), taken["new"].as_u64(), taken["recorded"].as_u64()),
        (Some(4), Some(4), Some(4)),
        "{taken}"
    );
    assert_eq!(taken["review"], 0, "{:?}", waiting(&campaign));
    for (person, expected) in
        [("WEISS", "possessed"), ("DENVER", "confirmed"), ("GARCIA", "read"), ("KOWALSKI", "delivered")]
    {
        assert_eq!(grade(&campaign, person), expected, "{person}");
    }
    let status = campaign.run("status --json").ends(0).json();
    assert_eq!(status["messages"]["delivered"], 4, "{status}");

    // Read again, moved by a mail program, and delivered a second time by another way: nothing new.
    fs_err::create_dir_all(campaign.path("Maildir/cur")).expect("a folder");
    fs_err::rename(campaign.path("Maildir/new/1"), campaign.path("Maildir/cur/1:2,S")).expect("moved");
    let again = fs_err::read_to_string(campaign.path("Maildir/cur/1:2,S")).expect("text");
    letter(&campaign, "5", &format!("Received: by another.example\n{}", again.replace('\n', "\r\n")));
    assert_eq!(intake(&campaign)["new"], 0);

    // A later bounce of the same message is another fact.
    letter(&campaign, "6", &report("failed", "5.1.1"));
    assert_eq!(intake(&campaign)["new"], 1);
    let status = campaign.run("status --json").ends(0).json();
    assert_eq!(
        (status["messages"]["delivered"].clone(), status["messages"]["failed"].clone()),
        (3.into(), 1.into()),
        "{status}"
    );
    campaign.run("audit verify").ends(0);
    let printed = campaign.everything_printed();
    assert!(
        !printed.contains(&code) && !printed.contains(&field(&campaign, "WEISS", "Reply-To")),
        "a secret was printed"
    );
}

#[test]
fn what_is_no_answer_raises_nothing_and_doubt_waits() {
    let campaign = told();
    let (weiss, leroy) = (campaign.code("WEISS"), campaign.code("LEROY"));
    let own = "weiss@hq.corp.example";
    let letters = [
        // by machines
        (
            "auto",
            reply(&campaign, "WEISS", own, &weiss)
                .replace("Subject: Re: disk", "Subject: Re: disk\nAuto-Submitted: auto-replied"),
            false,
        ),
        (
            "away",
            reply(&campaign, "DENVER", "elena.ruiz@denver.corp.example", "CONFIRMED. I am away until 2026-12-11.")
                .replace("Re: disk", "Automatic reply: disk"),
            false,
        ),
        // by a person, and not that
        ("stranger", reply(&campaign, "WEISS", "eve@far.example", &weiss), true),
        ("another", reply(&campaign, "WEISS", own, &leroy), true),
        ("quoted", reply(&campaign, "WEISS", own, &format!("Thanks\n\n> {weiss}")), true),
        ("denied", reply(&campaign, "WEISS", own, &format!("It is not {weiss}")), true),
        ("question", reply(&campaign, "WEISS", own, "When do I install it?"), true),
        ("refusal", reply(&campaign, "MUNICH", "joerg.baecker@munich.corp.example", "I will not do that."), true),
        (
            "forged",
            format!("From: <{own}>\nTo: ack+aaaaaaaaaaaaaaaa@corp.example\nSubject: Re: disk\n\n{weiss}\n"),
            true,
        ),
        (
            "receipt",
            format!(
                "From: {own}\nSubject: Read: x\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;{own}\nDisposition: manual-action/MDN-sent-manually; displayed\n"
            ),
            true,
        ),
        (
            "news",
            "From: news@shop.example\nSubject: Offers\nList-Id: <n.shop.example>\n\nCONFIRMED\n".to_owned(),
            false,
        ),
    ];
    for (name, text, _) in &letters {
        letter(&campaign, name, text);
    }
    let taken = intake(&campaign);
    let review = letters.iter().filter(|(_, _, review)| *review).count();
    assert_eq!(
        (taken["new"].as_u64(), taken["review"].as_u64()),
        (Some(11), Some(review as u64)),
        "{taken} {:#?}",
        waiting(&campaign)
    );
    assert_eq!(grade(&campaign, "WEISS"), "delivered");
    assert_eq!(grade(&campaign, "DENVER"), "sent");
    let reasons: String = waiting(&campaign).iter().map(|letter| format!("{}\n", letter["review"])).collect();
    for part in [
        "not written from an address of WEISS",
        "stands in the package of LEROY",
        "forged",
        "asks",
        "declines",
        "names no message of ours",
    ] {
        assert!(reasons.contains(part), "{part} is missing in\n{reasons}");
    }
    let status = campaign.run("status --json").ends(0).json();
    assert_eq!(status["answers"]["review"], review, "{status}");
    assert_eq!(
        (status["answers"]["declined"].as_u64(), status["answers"]["question"].as_u64()),
        (Some(1), Some(1)),
        "{status}"
    );
    assert_eq!(status["answers"]["away"], 1, "{status}");
    let printed = campaign.everything_printed();
    assert!(!printed.contains(&weiss) && !printed.contains(&leroy), "a code was printed");
}

#[test]
fn a_human_settles_what_is_in_doubt_once_and_for_ever() {
    let campaign = told();
    let code = campaign.code("WEISS");
    letter(&campaign, "1", &reply(&campaign, "WEISS", "kaethe@home.example", &format!("From home: {code}")));
    letter(&campaign, "2", &reply(&campaign, "LEROY", "leroy@hq.corp.example", "got it, all fine"));
    letter(&campaign, "3", "From: who@far.example\nSubject: Re: your disk\n\nI have it.\n");
    intake(&campaign);
    let letters = waiting(&campaign);
    assert_eq!(letters.len(), 3, "{letters:#?}");
    let number = |at: usize| letters[at]["id"].as_i64().expect("a number");
    let settle = |at: usize, rest: &str| -> Run { campaign.run(&format!("ack review {} --by Pat {rest}", number(at))) };
    campaign
        .run("ack review")
        .ends(0)
        .says("kaethe@home.example")
        .says("not written from an address of WEISS")
        .keeps_quiet_about(&code);
    settle(0, "--as possessed").ends(0).says("possessed for 'disk-received'");
    assert_eq!(grade(&campaign, "WEISS"), "possessed");
    settle(0, "--as nothing").ends(1).refuses("nothing-to-settle");
    settle(1, "--as possessed").ends(1).refuses("no-code-of-theirs");
    settle(1, "--as confirmed").ends(0);
    assert_eq!(grade(&campaign, "LEROY"), "confirmed");
    settle(2, "--as confirmed").ends(2).refuses("whose-letter");
    settle(2, "--as question --person OBRIEN").ends(0).says("0 left").says("Next: flagday status");
    campaign.run("ack review 99 --as nothing --by Pat").ends(2).refuses("unknown-letter");
    assert!(waiting(&campaign).is_empty());
    campaign.run("who --person WEISS").says("Pat");
    campaign.run("audit verify").ends(0);
}

#[test]
fn a_mailbox_that_is_not_there_keeps_nobody_from_the_others() {
    let campaign = told();
    campaign.append("[[intake.mailbox]]\nmaildir = \"gone\"\n");
    letter(&campaign, "1", &reply(&campaign, "DENVER", "elena.ruiz@denver.corp.example", "CONFIRMED"));
    campaign.run("intake").ends(1).refuses("no-mailbox").says("1 new: 1 reply");
    campaign.run("check --offline").ends(1).refuses("no-mailbox").says("flagday.toml:");
    assert_eq!(grade(&campaign, "DENVER"), "confirmed");
}

#[test]
fn killed_at_any_instant_the_next_intake_goes_on_and_nothing_counts_twice() {
    let campaign = told();
    let code = campaign.code("WEISS");
    for n in 0..300 {
        let text = reply(&campaign, "WEISS", "weiss@hq.corp.example", &format!("Thank you. {}", "x".repeat(n)));
        letter(&campaign, &format!("{n:03}"), &text);
    }
    letter(&campaign, "999", &reply(&campaign, "WEISS", "weiss@hq.corp.example", &code));
    // A little later each time, until a run is quicker than its end.
    let cut = (1..100).take_while(|n| kill::after(&campaign, "intake", Duration::from_millis(8 * n))).count();
    assert!(cut > 1, "only {cut} runs were cut off");
    assert_eq!(intake(&campaign)["read"], 301);
    assert_eq!(intake(&campaign)["new"], 0);
    assert_eq!(waiting(&campaign).len(), 300);
    assert_eq!(grade(&campaign, "WEISS"), "possessed");
    campaign.run("audit verify").ends(0);
}

#[test]
fn an_answer_read_before_or_after_its_bounce_counts_the_same() {
    let (first, second) = (told(), told());
    for (campaign, names) in [(&first, ["1", "2"]), (&second, ["2", "1"])] {
        let id = field(campaign, "WEISS", "Message-ID");
        letter(campaign, names[0], &reply(campaign, "WEISS", "weiss@hq.corp.example", &campaign.code("WEISS")));
        letter(
            campaign,
            names[1],
            &format!(
                "From: MAILER-DAEMON@x.example\nSubject: Delivery delayed\nReferences: {id}\n\nYour message to weiss@hq.corp.example has not yet been delivered. It will be retried.\n"
            ),
        );
        assert_eq!(intake(campaign)["recorded"], 2);
    }
    for campaign in [&first, &second] {
        assert_eq!(grade(campaign, "WEISS"), "possessed");
        campaign.run("who --blocking disks-held").keeps_quiet_about("WEISS");
    }
}

#[test]
fn the_bounce_of_an_escalation_says_nothing_of_the_person_it_is_about() {
    let campaign = told();
    campaign.run("send escalation --yes").ends(0);
    let letters = campaign.outbox("-escalation-");
    let text = String::from_utf8_lossy(&fs_err::read(&letters[0]).expect("a message")).into_owned();
    let header = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.expect("the field").trim_matches(['<', '>']).to_owned()
    };
    let (manager, token) = (header("To"), header("Reply-To").replace("ack+", "bounce+"));
    let who = letters[0].file_name().expect("a name").to_string_lossy().split('-').next().expect("whom").to_owned();
    let before = grade(&campaign, &who);
    for (name, id) in [("1", header("Message-ID")), ("2", "of-no-message@x.example".to_owned())] {
        let report = format!(
            "From: MAILER-DAEMON@mx.example\nTo: {token}\nSubject: report {name}\nContent-Type: multipart/report; boundary=B\n\n\
             --B\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n\
             Final-Recipient: rfc822; {manager}\nAction: failed\nStatus: 5.1.1\n\n\
             --B\nContent-Type: text/rfc822-headers\n\nMessage-ID: <{id}>\n\n--B--\n"
        );
        letter(&campaign, name, &report);
        let taken = intake(&campaign);
        assert_eq!((&taken["new"], &taken["recorded"]), (&1.into(), &0.into()), "{name}: {taken}");
    }
    assert_eq!(grade(&campaign, &who), before);
    // That letter is lost all the same: the next in the chain is asked.
    campaign.run("who --failed").ends(0).says("escalation").says("came back");
}

#[test]
fn what_could_be_about_two_things_waits() {
    let campaign = told();
    campaign.run("send new-serial --to DENVER --again --yes").ends(0);
    campaign.append(
        "[acknowledgement.number-known]\naudience = \"async-admins\"\nnotice = \"new-serial\"\ngrade = \"confirmed\"\n",
    );
    let (to, id) = (field(&campaign, "DENVER", "Reply-To"), field(&campaign, "DENVER", "Message-ID"));
    let mail = |n: u8, to: &str, id: &str| {
        format!("From: <elena.ruiz@denver.corp.example>\nTo: {to}\nSubject: Re: {n}\nIn-Reply-To: {id}\n\nCONFIRMED\n")
    };
    letter(&campaign, "1", &mail(1, &to, "<none@x.example>"));
    assert_eq!((intake(&campaign)["recorded"].clone(), waiting(&campaign).len()), (0.into(), 1));
    letter(&campaign, "2", &mail(2, &to, &id));
    assert_eq!((intake(&campaign)["recorded"].clone(), waiting(&campaign).len()), (1.into(), 1));

    // A failure that names no message is about one of two, and whoever is away is so for both.
    let report = |original: &str| {
        format!(
            "From: MAILER-DAEMON@mx.example\nTo: {}\nSubject: failure {}\nContent-Type: multipart/report; boundary=B\n\n\
             --B\nContent-Type: message/delivery-status\n\nFinal-Recipient: rfc822; elena.ruiz@denver.corp.example\nAction: failed\n\
             Status: 5.1.1\n\n--B\nContent-Type: text/rfc822-headers\n\nMessage-ID: {original}\n\n--B--\n",
            to.replace("ack+", "bounce+"),
            original.len(),
        )
    };
    letter(&campaign, "3", &report("<of-no-message@x.example>"));
    assert_eq!((intake(&campaign)["recorded"].clone(), waiting(&campaign).len()), (0.into(), 2));
    assert!(waiting(&campaign)[1]["review"].as_str().is_some_and(|why| why.contains("number-known")));
    letter(&campaign, "4", &report(&id));
    assert_eq!((intake(&campaign)["recorded"].clone(), waiting(&campaign).len()), (1.into(), 2));
    letter(&campaign, "5", &mail(5, &to, "<none@x.example>").replace("Re: 5", "Automatic reply: 5"));
    assert_eq!((intake(&campaign)["recorded"].clone(), waiting(&campaign).len()), (2.into(), 2));

    // The human says which, or the letter does.
    let number = |at: usize| waiting(&campaign)[at]["id"].clone();
    let settle = |number: &Value, more: &str| {
        campaign.run(&format!("ack review {number} --as confirmed --by Pat --note known{more}"))
    };
    let first = number(0);
    settle(&first, "").ends(2).refuses("which-acknowledgement").says("serial-received, number-known");
    settle(&first, " --for number-known").ends(0).says("confirmed for 'number-known'");
    letter(&campaign, "6", &mail(6, &to, &id).replace("CONFIRMED", "All is well here."));
    intake(&campaign);
    settle(&number(1), "").ends(0).says("confirmed for 'serial-received'");
}

#[test]
fn a_manager_who_answers_an_escalation_answers_for_nobody() {
    let campaign = told();
    let own = field(&campaign, "WEISS", "Reply-To");
    campaign.run("send escalation --yes").ends(0);
    let path = campaign.outbox("WEISS-escalation").pop().expect("an escalation");
    let text = String::from_utf8_lossy(&fs_err::read(path).expect("a message")).into_owned();
    let header = |name: &str| text.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).expect("the field");
    assert_ne!(header("Reply-To"), own, "a token of its own");
    let mail = |n: u8, from: &str, id: &str, text: &str| {
        let to = header("Reply-To");
        letter(
            &campaign,
            &n.to_string(),
            &format!("From: <{from}>\nTo: {to}\nSubject: Re: {n}\nIn-Reply-To: {id}\n\n{text}\n"),
        );
    };
    // From the manager's address, from another alias, and from one that is the person's too.
    mail(1, header("To").trim_matches(['<', '>']), header("Message-ID"), "CONFIRMED");
    mail(2, "boss@alias.example", "<none@x.example>", &campaign.code("WEISS"));
    mail(3, "weiss@hq.corp.example", "<none@x.example>", "CONFIRMED");
    let taken = intake(&campaign);
    assert_eq!((taken["recorded"].clone(), taken["review"].clone()), (0.into(), 3.into()), "{:#?}", waiting(&campaign));
    assert_eq!(grade(&campaign, "WEISS"), "sent");
}

/// Who answers by machine that they are away until after the deadline, and whom mail does not reach, cannot be waited for.
#[test]
fn an_out_of_office_over_the_deadline_and_a_bounce_escalate_at_once() {
    let day = |days| (Real.now() + chrono::Duration::days(days)).format("%Y-%m-%d").to_string();
    let campaign = Campaign::sample().change_at(&format!("{}T18:00:00", day(9)));
    campaign.correct_disks();
    campaign.append("[[intake.mailbox]]\nmaildir = \"Maildir\"\n");
    campaign.run("build").ends(0);
    campaign.run("send change-date --yes").ends(0).says("12 sent");
    let away = |person: &str, from: &str, until: &str| {
        let to = field(&campaign, person, "Reply-To");
        let id = field(&campaign, person, "Message-ID");
        format!(
            "From: <{from}>\nTo: {to}\nSubject: Automatic reply\nAuto-Submitted: auto-replied\nIn-Reply-To: {id}\n\
             Message-ID: <{person}@home.example>\n\nI am out of the office until {until}.\n"
        )
    };
    // The answer is due three days before the change.
    letter(&campaign, "1", &away("WEISS", "weiss@hq.corp.example", &day(8)));
    letter(&campaign, "2", &away("MUELLER", "mueller@hq.corp.example", &day(3)));
    let envelope = field(&campaign, "KOWALSKI", "Message-ID").trim_matches(['<', '>']).to_owned();
    let bounce = format!(
        "From: MAILER-DAEMON@mx.example\nSubject: failed\nContent-Type: multipart/report; report-type=delivery-status; boundary=B\n\n--B\n\
         Content-Type: message/delivery-status\n\nOriginal-Envelope-Id: {envelope}\n\nFinal-Recipient: rfc822; x@x.example\n\
         Action: failed\nStatus: 5.1.1\n--B--\n"
    );
    letter(&campaign, "3", &bounce);
    campaign.run("tick --yes").says("3 letters read, 3 new");
    let escalated = |person: &str| campaign.outbox(&format!("{person}-escalation")).len();
    assert_eq!((escalated("WEISS"), escalated("KOWALSKI"), escalated("MUELLER")), (1, 1, 0));
    let text = fs_err::read_to_string(&campaign.outbox("WEISS-escalation")[0]).expect("a letter");
    assert!(text.contains("is away until"), "to her manager, in their language: {text}");
    campaign.run("tick --yes");
    assert_eq!(campaign.outbox("-escalation").len(), 2, "once");
    assert!(campaign.outbox("WEISS-reminder").is_empty(), "nobody reminds a machine");
}
