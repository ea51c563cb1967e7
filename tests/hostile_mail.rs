//! Mail made to do harm: the corpus cut up, put together wrong and filled with noise is read without a panic, and no mix
//! of quoted text makes an answer. (The parser below panics over some of them, and says so on stderr: that is caught.)
//! As many cases as fit a few seconds; the number is fixed, not the time.

use flagday::answer::{Asked, InboundMessage, MailKind, Said, Unreadable, judge, read};
use proptest::prelude::*;
use std::path::Path;
use std::sync::LazyLock;

const CODE: &str = "KTRM-WQZB";

static CORPUS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files: Vec<_> =
        fs_err::read_dir(folder).expect("the corpus").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let text: String = files.iter().map(|path| fs_err::read_to_string(path).expect("UTF-8")).collect();
    text.split("=== ")
        .skip(1)
        .filter_map(|case| case.split_once('\n'))
        .map(|(_, message)| message.as_bytes().to_vec())
        .collect()
});

/// What is put into a message somewhere.
const NOISE: [&[u8]; 18] = [
    b"\r\n\r\n",
    b"\n--B1\n",
    b"--B1--",
    b"Content-Type: multipart/mixed; boundary=B1\n",
    b"Content-Type: message/rfc822\n\n",
    b"=?utf-8?B?////?=",
    b"=?utf-8?Q?=FF=FE?=",
    b"\0",
    b"\xFF\xFE\x80",
    b"{310}",
    b"<<<<>>>>@@@@",
    b"Action: failed\nStatus: 9.9.9\n",
    b"rfc822;;;;",
    b"Content-Transfer-Encoding: base64\n",
    "\u{202E}\u{0}é".as_bytes(),
    b"&#xFFFFFFFF;<div",
    b"> > > ",
    b"On Friday, x wrote:\n",
];

#[derive(Debug, Clone)]
enum Change {
    Cut(usize, usize),
    Double(usize, usize),
    Insert(usize, usize),
    Flip(usize, u8),
    Splice(usize, usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let at = || any::<prop::sample::Index>().prop_map(|index| index.index(4096));
    prop_oneof![
        (at(), 0..200usize).prop_map(|(at, length)| Change::Cut(at, length)),
        (at(), 0..400usize).prop_map(|(at, length)| Change::Double(at, length)),
        (at(), 0..NOISE.len()).prop_map(|(at, noise)| Change::Insert(at, noise)),
        (at(), any::<u8>()).prop_map(|(at, bits)| Change::Flip(at, bits)),
        (at(), any::<prop::sample::Index>().prop_map(|index| index.index(1000)), at())
            .prop_map(|(at, other, from)| Change::Splice(at, other, from)),
    ]
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        let clip = |at: usize| at % (bytes.len() + 1);
        match *change {
            Change::Cut(at, length) => {
                let at = clip(at);
                let end = (at + length).min(bytes.len());
                bytes.drain(at..end);
            }
            Change::Double(at, length) => {
                let at = clip(at);
                let piece = bytes[at..(at + length).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
            Change::Insert(at, noise) => {
                let at = clip(at);
                bytes.splice(at..at, NOISE[noise].iter().copied());
            }
            Change::Flip(at, bits) => {
                let at = clip(at);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= bits;
                }
            }
            Change::Splice(at, other, from) => {
                let at = clip(at);
                bytes.truncate(at);
                let other = &CORPUS[other % CORPUS.len()];
                bytes.extend_from_slice(&other[from.min(other.len())..]);
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_mail_is_read_without_a_panic(which in any::<prop::sample::Index>(), changes in prop::collection::vec(change(), 1..12)) {
        let bytes = changed(which.get(&CORPUS).clone(), &changes);
        match InboundMessage::parse(&bytes) {
            Ok(message) => {
                let reading = judge(&message, &Asked::anywhere());
                prop_assert_eq!(reading.permanent.is_some(), reading.kind == MailKind::DsnFailed);
                prop_assert!(reading.said.is_none() || reading.kind == MailKind::Reply);
                prop_assert!(reading.recipients.iter().all(|address| address.len() < 400));
            }
            Err(why) => prop_assert!(matches!(why, Unreadable::Empty | Unreadable::TooDeep), "{:?}", why),
        }
    }

    #[test]
    fn noise_alone_is_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert_eq!(read(&bytes, &Asked::anywhere()).said, None);
    }

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
