//! Call sheets and letters: whom to call and what to ask, and nothing that answers in a person's place.

use crate::harness::{Campaign, PAST, code_in};

fn text(campaign: &Campaign, name: &str) -> String {
    fs_err::read_to_string(campaign.path(&format!(".flagday/report/{name}"))).expect("a sheet")
}

/// Everybody told; GARCIA's address bounces, OBRIEN says no, HARRIS has no address, WEISS has answered.
fn asked() -> Campaign {
    let campaign = Campaign::sample().change_at(PAST);
    campaign.correct_disks();
    let roster = String::from_utf8_lossy(&campaign.bytes("rosters/users.csv")).into_owned();
    let harris = roster.lines().find(|line| line.starts_with("HARRIS;")).expect("a row").to_owned();
    let mute: Vec<&str> = harris.split(';').map(|field| if field.contains('@') { "" } else { field }).collect();
    campaign.write("rosters/users.csv", campaign.bytes("rosters/users.csv"));
    let bytes = campaign.bytes("rosters/users.csv");
    let rows = bytes.split_inclusive(|byte| *byte == b'\n').map(|row| match row.starts_with(b"HARRIS;") {
        true => format!("{}\r\n", mute.join(";").trim_end()).into_bytes(),
        false => row.to_vec(),
    });
    campaign.write("rosters/users.csv", rows.collect::<Vec<_>>().concat());
    campaign.run("build").ends(0);
    campaign.run("send change-date --yes").ends(4);
    let code = campaign.code("WEISS");
    campaign.run_words(&["ack", "record", "WEISS", "--by", "Pat", "--code", &code, "--note", "on the phone"]).ends(0);
    campaign
}

#[test]
fn the_sheet_names_whom_mail_does_not_reach_and_carries_no_code() {
    let campaign = asked();
    campaign.run("report --call-sheet").ends(0).says("1 to call, 1 letter").says("call-sheet.html");
    let sheet = text(&campaign, "call-sheet.txt");
    assert!(sheet.contains("== Mail does not reach them (1)") && sheet.contains("+1 555 0133"), "{sheet}");
    assert!(sheet.contains("flagday ack record HARRIS --code ____-____ --by NAME"), "{sheet}");
    assert!(!sheet.contains("WEISS"), "who has answered is not called: {sheet}");
    assert!(sheet.lines().all(|line| line.chars().count() <= 76), "{sheet}");
    let letters = text(&campaign, "letters.txt");
    assert!(letters.contains("HARRIS") && letters.contains("__ __ __ __ - __ __ __ __"), "{letters}");
    for name in ["call-sheet.html", "call-sheet.txt", "letters.html", "letters.txt"] {
        let text = text(&campaign, name);
        for person in crate::harness::REMOTE {
            let code = campaign.code(person);
            assert!(
                !text.contains(&code) && !text.contains(&code.replace('-', "")),
                "{name} gives {person}'s code away"
            );
        }
        assert_eq!(code_in(&text), None, "{name}");
        assert!(!text.contains("http://") && !text.contains("https://"), "{name} needs something beside it");
    }
}

#[test]
fn check_letters_are_the_end_of_the_code_and_only_when_asked_for() {
    let campaign = asked();
    let code = campaign.code("HARRIS");
    let end = format!("(ends in {})", &code[code.len() - 2..]);
    campaign.run("report --call-sheet").ends(0);
    assert!(!text(&campaign, "call-sheet.txt").contains("(ends in"));
    campaign.run("report --call-sheet --check-letters").ends(0);
    let sheet = text(&campaign, "call-sheet.txt");
    assert!(sheet.contains(&end) && !sheet.contains(&code), "{sheet}");
    assert!(!text(&campaign, "letters.txt").contains("ends in"), "the person needs no check letters");
    campaign.run("report --check-letters").ends(2);
}

#[test]
fn nobody_to_call_is_said() {
    let campaign = Campaign::ready();
    campaign.run("report --call-sheet").ends(0).says("0 to call, 0 letters");
    assert!(text(&campaign, "call-sheet.txt").contains("Nobody has to be called."));
    assert!(text(&campaign, "letters.txt").contains("Nobody needs a letter."));
}

/// HARRIS and MUELLER cannot be reached; she reads English, he reads German.
fn unreachable() -> Campaign {
    let campaign = asked();
    let notice = fs_err::read_to_string(&campaign.outbox("MUELLER-change")[0]).expect("a letter");
    let id = notice.lines().find_map(|line| line.strip_prefix("Message-ID: ")).expect("its name");
    let report = format!(
        "From: MAILER-DAEMON@mx.example\nSubject: failed\nContent-Type: multipart/report; report-type=delivery-status; boundary=B\n\n\
         --B\nContent-Type: message/delivery-status\n\nOriginal-Envelope-Id: {}\n\nFinal-Recipient: rfc822; x@x.example\n\
         Action: failed\nStatus: 5.1.1\n--B--\n",
        id.trim_matches(['<', '>'])
    );
    campaign.write("letters/bounce.eml", report);
    let folder = campaign.path("letters").to_string_lossy().into_owned();
    campaign.run_words(&["intake", &folder]).ends(0).says("1 fact recorded");
    campaign
}

#[test]
fn everybody_is_called_and_written_to_in_their_own_language() {
    let campaign = unreachable();
    campaign.run("report --call-sheet").ends(0).says("2 to call, 2 letters");
    let letters = text(&campaign, "letters.txt");
    let (german, english) = letters.split_once('\u{c}').expect("a page each");
    let (german, english) = if german.contains("Müller") { (german, english) } else { (english, german) };
    assert!(german.contains("Mail von uns erreicht Sie nicht") && german.contains("Uhr CET"), "{german}");
    assert!(german.contains("Unterschrift") && !german.contains("Signature"), "{german}");
    assert!(english.contains("mail from us does not reach you") && !english.contains("Unterschrift"), "{english}");
    let sheet = text(&campaign, "call-sheet.txt");
    let words = sheet.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("lesen Sie mir die acht Buchstaben vor"), "{sheet}");
    assert!(words.contains("read me the eight letters"), "{sheet}");
    let page = text(&campaign, "letters.html");
    assert!(page.contains("lang=\"de\"") && page.contains("Mail von uns erreicht Sie nicht"), "{page}");
    assert_eq!(page.matches("<section class=\"letter\"").count(), 2);
}

#[test]
fn what_stands_around_calls_in_one_language_is_in_that_one() {
    let campaign = unreachable();
    campaign.run("report --call-sheet").ends(0);
    assert!(text(&campaign, "call-sheet.txt").starts_with("CALL SHEET: "), "one is called in English");
    let code = campaign.code("HARRIS");
    campaign.run_words(&["ack", "record", "HARRIS", "--by", "Pat", "--code", &code, "--note", "on the phone"]).ends(0);
    campaign.run("report --call-sheet").ends(0).says("1 to call, 1 letter");
    let sheet = text(&campaign, "call-sheet.txt");
    assert!(sheet.starts_with("ANRUFLISTE: ") && sheet.contains("1 anzurufen. Stand 20"), "{sheet}");
    assert!(sheet.contains("== Mail erreicht") && !sheet.contains("No code stands here"), "{sheet}");
    for (name, title) in [("call-sheet.html", "<h1>Anrufliste</h1>"), ("letters.html", ": Briefe</title>")] {
        let page = text(&campaign, name);
        assert!(page.contains(title) && page.contains("<html lang=\"de\">"), "{page}");
    }
    campaign.write("templates/report/call-sheet.txt.de.hbs", "Bitte anrufen: {{count}}\n");
    campaign.run("check --offline").ends(0);
    campaign.run("report --call-sheet").ends(0);
    assert_eq!(text(&campaign, "call-sheet.txt"), "Bitte anrufen: 1\n");
}

#[test]
fn a_letter_of_the_campaigns_own_is_checked_before_anybody_needs_it() {
    let campaign = unreachable();
    campaign.write("templates/report/letter.txt.hbs", "Dear {{name}},\n{{#if phnoe}}call us{{/if}}\n{{date}}\n");
    campaign.write("templates/report/call.html.hbs", "<p>{{{name}}}</p>\n");
    campaign.write("templates/report/leter.txt.hbs", "Hello\n");
    campaign
        .run("check --offline")
        .ends(1)
        .says("letter.txt.hbs:2:1")
        .says("there is no phnoe here")
        .says("template-unescaped")
        .says("leter.txt.hbs");
    campaign.run("report --call-sheet").ends(1).refuses("template-unescaped");
    fs_err::remove_file(campaign.path("templates/report/call.html.hbs")).expect("removed");
    fs_err::remove_file(campaign.path("templates/report/leter.txt.hbs")).expect("removed");
    campaign.write("templates/report/letter.txt.hbs", "Dear <{{name}}>, come by before {{change}}.\n");
    campaign.write("templates/report/letter.txt.de.hbs", "Guten Tag {{name}}, kommen Sie vorbei vor {{change}}.\n");
    campaign.run("check --offline").ends(0);
    campaign.run("report --call-sheet").ends(0);
    let page = text(&campaign, "letters.html");
    assert!(
        page.contains("<pre>Dear &lt;") && page.contains("<pre>Guten Tag Jürgen Müller"),
        "the page says the same: {page}"
    );
    assert!(!page.contains("does not reach you"), "{page}");
}

/// Mail never reached HARRIS; somebody brought her the disk and has heard that she holds it.
fn told_by_hand() -> Campaign {
    let campaign = asked();
    campaign.run_words(&["ack", "record", "HARRIS", "--by", "Pat", "--note", "brought by courier"]).ends(0);
    campaign
}

#[test]
fn whoever_was_told_by_hand_has_to_be_called_when_it_is_off() {
    let campaign = told_by_hand();
    let call = "call Dolores Harris (+1 555 0133), who does not know that it is off: no letter of ours reached them; they were told \
                by Pat: brought by courier";
    campaign.run_words(&["abort", "--reason", "the room burnt down", "--by", "Pat", "--yes"]).ends(0).says(call);
    campaign
        .run("status")
        .ends(0)
        .says(call)
        .says("Next: flagday report --call-sheet: one person does not know that it is off, and no letter tells them");
    campaign.run("report --call-sheet").ends(0).says("1 to call, 1 letter");
    let sheet = text(&campaign, "call-sheet.txt");
    assert!(
        sheet.contains("== They do not know that it is off (1)") && sheet.contains("it does not take place"),
        "{sheet}"
    );
    assert!(!sheet.contains("it happens on") && !sheet.contains("README.TXT"), "nothing is asked any more: {sheet}");
    assert!(sheet.contains("flagday ack record HARRIS --by NAME --note \"knows it\""), "{sheet}");
    // As it reads, wherever its lines break.
    let letters = text(&campaign, "letters.txt").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(letters.contains("does not take place") && !letters.contains("Signature"), "{letters}");
    for page in ["call-sheet.html", "letters.html"] {
        let page = text(&campaign, page);
        assert!(page.contains("it does not take place") || page.contains("What is named above does not"), "{page}");
    }
    campaign.run_words(&["ack", "record", "HARRIS", "--by", "Kim", "--note", "knows it"]).ends(0);
    campaign.run("status").ends(0).says("everyone who was told knows").keeps_quiet_about("does not know");
    campaign.run("report --call-sheet").ends(0).says("0 to call, 0 letters");
}

#[test]
fn whoever_was_called_about_the_end_is_off_the_list_even_without_anything_to_acknowledge_or_a_place_on_the_roster() {
    let knows = |campaign: &Campaign, person: &str, call: &str| {
        campaign.run_words(&["abort", "--reason", "the room burnt down", "--by", "Pat", "--yes"]).ends(0);
        campaign.run("status").ends(0).says(call);
        let knows = ["ack", "record", person, "--by", "Kim", "--note", "knows it"];
        campaign.run_words(&knows).ends(0).says("HARRIS: confirmed for 'it is off'");
        campaign.run("status").ends(0).says("everyone who was told knows").keeps_quiet_about("does not know");
        campaign.run_words(&knows).ends(1);
        campaign.run("audit verify").ends(0);
    };
    let campaign = told_by_hand();
    campaign.append("[audience]\nremote-users = { kind = \"nobody\" }");
    knows(&campaign, "Dolores Harris", "call Dolores Harris (+1 555 0133), who does not know");
    let campaign = told_by_hand();
    let rows = campaign.bytes("rosters/users.csv");
    let stay = rows.split_inclusive(|byte| *byte == b'\n').filter(|row| !row.starts_with(b"HARRIS;"));
    campaign.write("rosters/users.csv", stay.collect::<Vec<_>>().concat());
    knows(&campaign, "harris", "call HARRIS (no longer on the roster), who does not know");
}

#[test]
fn whoever_was_told_by_hand_has_to_be_called_when_it_is_put_off() {
    let campaign = told_by_hand();
    let postpone = ["amend", "--postpone", "--reason", "no room", "--yes"];
    campaign
        .run_words(&postpone)
        .ends(0)
        .says("call Dolores Harris (+1 555 0133), who does not know that it is put off");
    campaign.run("report --call-sheet").ends(0).says("1 to call, 1 letter");
    assert!(text(&campaign, "call-sheet.txt").contains("the new one is not known yet"));
    campaign.run_words(&["ack", "record", "HARRIS", "--by", "Kim", "--note", "knows it"]).ends(0);
    campaign.run("status").ends(0).says("set the new change_at").keeps_quiet_about("does not know");
}

#[test]
fn a_letter_to_whom_no_mail_was_tried_does_not_say_that_mail_fails() {
    let campaign = Campaign::sample().change_at(crate::harness::FUTURE);
    campaign.run("send new-serial --yes").ends(0).says("5 sent");
    campaign.run_words(&["ack", "record", "HARRIS", "--by", "Pat", "--note", "brought by courier"]).ends(0);
    let call = "no letter of ours went to them; they were told by Pat: brought by courier";
    campaign.run_words(&["abort", "--reason", "the room burnt down", "--by", "Pat", "--yes"]).ends(0).says(call);
    campaign.run("report --call-sheet").ends(0).says("1 to call, 1 letter");
    let letters = text(&campaign, "letters.txt").split_whitespace().collect::<Vec<_>>().join(" ");
    let told = "in person, so what is new comes on paper. What is named above does not take place.";
    assert!(letters.contains(told) && !letters.contains("does not reach you"), "{letters}");
}

#[test]
fn headings_are_in_the_language_of_whoever_is_called() {
    let campaign = unreachable();
    campaign.run("report --call-sheet").ends(0);
    let both = "== Mail does not reach them / Mail erreicht sie nicht (2)";
    assert!(text(&campaign, "call-sheet.txt").contains(both), "{}", text(&campaign, "call-sheet.txt"));
    campaign.run_words(&["ack", "waive", "HARRIS", "--by", "Pat", "--reason", "on leave"]).ends(0);
    campaign.run("report --call-sheet").ends(0);
    assert!(text(&campaign, "call-sheet.txt").contains("== Mail erreicht sie nicht (1)"));
    assert!(text(&campaign, "call-sheet.html").contains("<h2>Mail erreicht sie nicht (1)</h2>"));
}
