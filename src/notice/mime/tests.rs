use super::*;
use crate::notice::{calendar, sample};
use mail_parser::{HeaderValue as Value, MessageParser, MimeHeaders, PartType};
use proptest::prelude::*;

fn rendered() -> Rendered {
    Rendered {
        subject: "2026-12-12: Diskette aufheben für CORP/HQ".to_owned(),
        text: "Grüße, Kim\n.\nbegin 644 X\n".to_owned(),
        html: Some("<p>Grüße, Kim".to_owned()),
    }
}

fn plain() -> Rendered {
    Rendered { subject: "Done".to_owned(), text: "All is well.\n.\nBye".to_owned(), html: None }
}

fn request() -> String {
    let header = sample::header();
    calendar::request(&calendar::Invite {
        uid: "corp.aaaa@corp.example".to_owned(),
        revision: 1,
        stamp: header.date,
        start: sample::campaign().change.at,
        duration: calendar::DURATION,
        summary: "Große Änderung, mit einem langen Titel, der über fünfundsiebzig Oktetts hinausgeht".to_owned(),
        description: "Zeile\nZeile".to_owned(),
        organizer: header.from,
        attendee: header.to,
    })
}

#[test]
fn an_internationalised_address_stands_in_the_header_as_it_is_and_its_domain_in_ascii() {
    let mut header = sample::header();
    for (address, written) in [
        ("kim@bücher.example", "<kim@xn--bcher-kva.example>"),
        ("jürgen@bücher.example", "<jürgen@xn--bcher-kva.example>"),
    ] {
        header.to.1 = address.parse().unwrap();
        let bytes = sample::bytes(&compose(&rendered(), &header).unwrap());
        let text = String::from_utf8(bytes).unwrap();
        let to = text.lines().find(|line| line.starts_with("To: ")).unwrap();
        assert!(to.ends_with(written), "{to}");
        assert_eq!(
            MessageParser::default().parse(&text).unwrap().to().unwrap().first().unwrap().name(),
            Some("Kim Sørensen")
        );
    }
}

#[test]
fn a_letter_holds_text_html_calendar_entry_and_disk() {
    let header = Header { calendar: Some(request()), ..sample::header() };
    let bytes = sample::bytes(&compose(&rendered(), &header).unwrap());
    let message = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(message.subject(), Some("2026-12-12: Diskette aufheben für CORP/HQ"));
    assert_eq!(message.to().unwrap().first().unwrap().name(), Some("Kim Sørensen"));
    assert_eq!(message.message_id(), Some("corp-hq-serial.change-date.aaaabbbbccccdddd@corp.example"));
    assert_eq!(message.date().unwrap().to_timestamp(), sample::date().timestamp());
    assert_eq!(message.header("Auto-Submitted"), Some(&Value::Text("auto-generated".into())));
    assert_eq!(message.body_text(0).unwrap().trim_end(), "Grüße, Kim\r\n.\r\nbegin 644 X");
    assert_eq!(message.body_html(0).unwrap().trim_end(), "<p>Grüße, Kim");
    let attachment = message.attachments().find(|part| part.attachment_name() == Some("KIM.ZIP")).unwrap();
    assert_eq!(attachment.contents(), sample::disk());
    let entry = message.parts.iter().find(|part| part.is_content_type("text", "calendar")).unwrap();
    assert_eq!(entry.content_type().unwrap().attribute("method"), Some("REQUEST"));
    let PartType::Text(text) = &entry.body else { panic!("{entry:?}") };
    assert_eq!(text.trim_end(), request().trim_end());
}

#[test]
fn the_same_input_makes_the_same_bytes() {
    let header = Header { calendar: Some(request()), ..sample::header() };
    assert_eq!(compose(&rendered(), &header).unwrap(), compose(&rendered(), &header).unwrap());
    let other = Header { message_id: "<other@corp.example>".to_owned(), ..header.clone() };
    assert_ne!(compose(&rendered(), &header).unwrap(), compose(&rendered(), &other).unwrap());
}

#[test]
fn text_alone_is_a_single_part() {
    let header = Header { attachments: vec![], ..sample::header() };
    let bytes = String::from_utf8(sample::bytes(&compose(&plain(), &header).unwrap())).unwrap();
    insta::assert_snapshot!(bytes.replace("\r\n", "\n"), @r#"
    Date: Sat, 28 Nov 2026 15:00:00 +0000
    From: "Mail Desk" <maildesk@corp.example>
    To: =?utf-8?b?S2ltIFPDuHJlbnNlbg==?= <kim@corp.example>
    Subject: Done
    Message-ID: <corp-hq-serial.change-date.aaaabbbbccccdddd@corp.example>
    Reply-To: ack+abcdefghijklmnop@corp.example
    Auto-Submitted: auto-generated
    X-Auto-Response-Suppress: OOF, AutoReply
    MIME-Version: 1.0
    Content-Type: text/plain; charset=utf-8
    Content-Transfer-Encoding: 7bit

    All is well.
    .
    Bye
    "#);
}

#[test]
fn a_reminder_refers_to_its_notice() {
    let references = vec!["<a@corp.example>".to_owned(), "<b@corp.example>".to_owned()];
    let header = Header { references, attachments: vec![], ..sample::header() };
    let bytes = String::from_utf8(sample::bytes(&compose(&plain(), &header).unwrap())).unwrap();
    assert!(bytes.contains("In-Reply-To: <b@corp.example>\r\nReferences: <a@corp.example> <b@corp.example>\r\n"));
}

#[test]
fn several_attachments_keep_their_places_and_names() {
    let named = |name: &str| Attachment { shown_name: name.to_owned(), ..sample::attachment() };
    let attachments = vec![named("CONNECT.GLB"), named("Diskette für Kim.zip"), named("README.TXT")];
    let header = Header { attachments, ..sample::header() };
    let bytes = sample::bytes(&compose(&plain(), &header).unwrap());
    let message = MessageParser::default().parse(&bytes).unwrap();
    let names: Vec<_> = message.attachments().map(|part| part.attachment_name().unwrap()).collect();
    assert_eq!(names, ["CONNECT.GLB", "Diskette für Kim.zip", "README.TXT"]);
    assert!(message.attachments().all(|part| part.contents() == sample::disk()));
}

#[test]
fn a_text_that_holds_a_boundary_gets_another_one() {
    let header = sample::header();
    let seed = seed(&plain(), &header);
    let mut hostile = plain();
    hostile.text = format!("--=_mixed_{seed}--\n\n--=_mixed_{seed}\n");
    let bytes = sample::bytes(&compose(&hostile, &header).unwrap());
    let message = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(message.body_text(0).unwrap().replace("\r\n", "\n").trim_end(), hostile.text.trim_end());
    assert_eq!(message.attachments().next().unwrap().contents(), sample::disk());
}

#[test]
fn a_name_with_a_line_break_is_a_fault_and_no_panic() {
    let mut header = sample::header();
    header.to.0 = "Kim\r\nBcc: all@corp.example".to_owned();
    assert_eq!(compose(&plain(), &header).unwrap_err().findings[0].code, "header");
    let mut header = sample::header();
    header.attachments[0].mime = "no media type".to_owned();
    assert!(compose(&plain(), &header).is_err());
}

#[test]
fn a_name_arrives_as_it_is_written() {
    for name in [
        "O'Hara, Jr.",
        "Kim \"KS\" Lee",
        "a\\b",
        "<x@y.example>",
        "Kim (Oslo); Lee",
        "Ærø, Kim",
        "=?utf-8?q?x?=",
        "김 민수",
        "Kim",
        &"Anna Maria ".repeat(15),
    ] {
        let header = Header { to: (name.to_owned(), sample::header().to.1), ..sample::header() };
        let bytes = sample::bytes(&compose(&plain(), &header).unwrap());
        let message = MessageParser::default().parse(&bytes).unwrap();
        assert_eq!(message.to().unwrap().first().unwrap().name(), Some(name.trim()), "{name}");
    }
}

#[test]
fn long_lines_are_encoded_and_none_is_over_998() {
    let long = Rendered { text: "word ".repeat(5_000), ..plain() };
    let bytes = sample::bytes(&compose(&long, &sample::header()).unwrap());
    let message = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(message.body_text(0).unwrap().trim_end(), long.text.trim_end());
}

proptest! {
    #[test]
    fn any_name_and_text_arrives_or_is_refused(
        name in "(\\PC|[\"\\\\,<>@()\r\n\t]){0,60}",
        from in "(\\PC|[\"\\\\,<>@()]){0,60}",
        subject in "\\PC{1,120}",
        text in "(\\PC|[\r\n.]){0,300}",
    ) {
        let rendered = Rendered { subject: subject.clone(), text: text.clone(), html: None };
        let mut header = sample::header();
        header.to.0 = name.clone();
        header.from.name = Some(from);
        let letter = compose(&rendered, &header);
        prop_assert_eq!(letter.is_ok(), header.check().is_ok(), "{:?}", letter);
        if let Ok(letter) = letter {
            let bytes = sample::bytes(&letter);
            let message = MessageParser::default().parse(&bytes).unwrap();
            let names: Vec<_> = message.headers().iter().map(|header| header.name()).collect();
            prop_assert_eq!(names, [
                "Date", "From", "To", "Subject", "Message-ID", "Reply-To", "Auto-Submitted",
                "X-Auto-Response-Suppress", "MIME-Version", "Content-Type",
            ]);
            prop_assert_eq!(message.to().unwrap().first().unwrap().address(), Some("kim@corp.example"));
            prop_assert_eq!(message.attachments().next().unwrap().contents(), sample::disk());
            let lines = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n").trim_end_matches('\n').to_owned();
            let body = message.body_text(0).unwrap();
            prop_assert_eq!(lines(&body), lines(&text));
        }
    }
}
