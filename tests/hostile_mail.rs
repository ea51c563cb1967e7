//! Mail made to do harm: no mix of quoted text makes an answer, and no mark of a machine. Mail cut up and filled with noise
//! is met in `tests/fuzz`.

use flagday::answer::{Asked, InboundMessage, MailKind, Said, judge, read};
use proptest::prelude::*;

const CODE: &str = "KTRM-WQZB";

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_quoted_answers_nothing(
        lines in prop::collection::vec(prop_oneof![
            Just(format!("> {CODE}")), Just(format!(">> code: {CODE}")), Just(format!("| {CODE}")), Just("> CONFIRMED".to_owned()),
            Just("Thank you.".to_owned()), Just(String::new()), Just("Regards, Kim".to_owned()), "> [a-z ]{0,40}",
        ], 0..12),
        below in prop::sample::select(vec!["-- ", "-----Original Message-----", "________________________________\nFrom: a\nSent: b\nTo: c\nSubject: d"]),
    ) {
        let text = format!("From: k@x.example\nSubject: Re: disk\nIn-Reply-To: <1@x>\n\n{}\n{below}\n{CODE}\nCONFIRMED\n", lines.join("\n"));
        let said = read(text.as_bytes(), &Asked::anywhere()).said;
        prop_assert!(!matches!(said, Some(Said::Possessed | Said::Confirmed)), "{:?} in\n{}", said, text);
    }

    #[test]
    fn a_machine_never_answers(mark in prop::sample::select(vec![
        "Auto-Submitted: auto-replied", "Precedence: bulk", "X-Autoreply: yes", "Return-Path: <>", "X-Loop: k", "List-Id: <l.x.example>",
        "X-Auto-Response-Suppress: All", "X-Failed-Recipients: a@x.example", "Sender: mailer-daemon@x.example",
    ]), text in prop::sample::select(vec!["KTRM-WQZB", "CONFIRMED", "code KTRM-WQZB, ACK"])) {
        let mail = format!("From: k@x.example\n{mark}\nSubject: Re: disk\nIn-Reply-To: <1@x>\n\n{text}\n");
        prop_assert_eq!(read(mail.as_bytes(), &Asked::anywhere()).said, None);
    }
}

#[test]
fn a_letter_that_the_parser_did_not_bear_answers_nothing() {
    let raw = b"From: kim@corp.example\nSubject: Re: disk\nIn-Reply-To: <1@x>\n\nCONFIRMED\n";
    let mut message = InboundMessage::parse(raw).expect("a message");
    assert_eq!(judge(&message, &Asked::anywhere()).said, Some(Said::Confirmed));
    message.broken = true;
    let reading = judge(&message, &Asked::anywhere());
    assert_eq!((reading.kind, reading.said), (MailKind::Reply, None));
}
