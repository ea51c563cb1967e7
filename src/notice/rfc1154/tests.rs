use super::*;
use crate::notice::sample;
use proptest::prelude::*;

fn rendered(text: &str) -> Rendered {
    Rendered { subject: "2026-12-12: keep this disk for CORP/HQ".to_owned(), text: text.to_owned(), html: None }
}

type Fields = Vec<(String, String)>;
type Files = Vec<(String, Vec<u8>)>;

/// What a gateway that goes by RFC 1154 reads: fields, text lines, and files by the names of `X-MS-Attachment`.
/// Written from the RFC and from uuencode's manual, not from the code above.
fn decode(message: &[u8]) -> (Fields, Vec<String>, Files) {
    let text = std::str::from_utf8(message).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let fields: Fields =
        head.split("\r\n").map(|line| line.split_once(": ").unwrap()).map(|(n, v)| (n.into(), v.into())).collect();
    let mut lines = body.strip_suffix("\r\n").unwrap().split("\r\n");
    let encoding = &fields.iter().find(|(name, _)| name == "Encoding").unwrap().1;
    let mut names =
        fields.iter().skip_while(|(name, _)| name != "Encoding").filter(|(name, _)| name == "X-MS-Attachment");
    let (mut text, mut files) = (vec![], vec![]);
    for (n, part) in encoding.split(", ").enumerate() {
        if n > 0 {
            assert_eq!(lines.next(), Some(""), "parts are separated by a blank line");
        }
        let (count, keyword) = part.split_once(' ').unwrap();
        let part: Vec<String> = lines.by_ref().take(count.parse().unwrap()).map(str::to_owned).collect();
        match keyword {
            "TEXT" => text = part,
            "UUENCODE" => {
                let mut words = names.next().unwrap().1.split(' ');
                let (name, size) = (words.next().unwrap().to_owned(), words.next().unwrap().parse::<usize>().unwrap());
                let data = uudecode(&part, &name);
                assert_eq!(data.len(), size);
                files.push((name, data));
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!(lines.next(), None, "nothing stands after the last part");
    (fields, text, files)
}

fn uudecode(lines: &[String], name: &str) -> Vec<u8> {
    assert_eq!(lines[0], format!("begin 644 {name}"));
    assert_eq!(lines[lines.len() - 2..], ["`", "end"]);
    let mut data = vec![];
    for line in &lines[1..lines.len() - 2] {
        let sixes: Vec<u32> = line.bytes().map(|c| (u32::from(c) - 32) & 63).collect();
        let mut bytes = vec![];
        for four in sixes[1..].chunks(4) {
            let word = four.iter().fold(0, |word, six| word << 6 | six);
            bytes.extend([word >> 16, word >> 8, word].map(|byte| byte as u8));
        }
        bytes.truncate(sixes[0] as usize);
        data.extend(bytes);
    }
    data
}

#[test]
fn the_gateway_finds_the_text_and_the_disk() {
    let (letter, findings) = compose(&rendered("Grüße\n\nKim"), &sample::header(), "abcdefghijklmnop").unwrap();
    let (fields, text, files) = decode(&sample::bytes(&letter));
    assert_eq!(text, ["Gruesse", "", "Kim"]);
    assert_eq!(files, [("KIM.ZIP".to_owned(), sample::disk())]);
    let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    insta::assert_snapshot!(fields.join("\n"), @"
    Date: Sat, 28 Nov 2026 15:00:00 +0000
    From: Mail Desk <maildesk@corp.example>
    To: Kim Soerensen <kim@corp.example>
    Subject: [abcdefgh] 2026-12-12: keep this disk
    Message-ID: <corp-hq-serial.change-date.aaaabbbbccccdddd@corp.example>
    Reply-To: ack+abcdefghijklmnop@corp.example
    Auto-Submitted: auto-generated
    Encoding: 3 TEXT, 100 UUENCODE
    X-MS-Attachment: KIM.ZIP 4338 11-28-2026 15:00
    ");
    assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["rfc1154-subject"]);
}

#[test]
fn several_files_keep_their_counts() {
    let named = |name: &str| Attachment { shown_name: name.to_owned(), ..sample::attachment() };
    let attachments = vec![named("CONNECT.GLB"), named("lower name.text")];
    let header = Header { attachments, ..sample::header() };
    let (letter, findings) = compose(&rendered("x"), &header, "t").unwrap();
    let (_, _, files) = decode(&sample::bytes(&letter));
    let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["CONNECT.GLB", "LOWERNAM.TEX"]);
    assert!(findings.iter().any(|finding| finding.code == "rfc1154-name" && finding.cause.contains("lower name.text")));
}

#[test]
fn without_a_file_there_is_one_part() {
    let header = Header { attachments: vec![], ..sample::header() };
    let (letter, _) = compose(&rendered("one\ntwo"), &header, "abcdefgh").unwrap();
    let (fields, text, files) = decode(&sample::bytes(&letter));
    assert!(fields.contains(&("Encoding".to_owned(), "2 TEXT".to_owned())));
    assert_eq!((text, files), (vec!["one".to_owned(), "two".to_owned()], vec![]));
}

#[test]
fn the_token_stands_early_in_a_subject_of_forty() {
    let cut = |subject_text: &str| subject(subject_text, "abcdefghijklmnop", &mut BTreeSet::new());
    assert_eq!(cut("Short"), ("[abcdefgh] Short".to_owned(), false));
    assert_eq!(
        cut("2026-12-12: keep this disk for CORP/HQ"),
        ("[abcdefgh] 2026-12-12: keep this disk".to_owned(), true)
    );
    assert_eq!(cut("2026-12-12: new serial number for X").0, "[abcdefgh] 2026-12-12: new serial number");
    assert_eq!(cut(&"x".repeat(60)).0.len(), 40);
}

#[test]
fn lines_are_wrapped_and_begin_is_escaped() {
    let text =
        format!("begin 644 X\nBEGIN\tnow\nbeginning\nbegin\nend\n    {}\n{}", "word ".repeat(20), "y".repeat(160));
    let lines = lines(&text);
    assert_eq!(lines[..5], [" begin 644 X", " BEGIN    now", "beginning", " begin", "end"]);
    assert!(lines[5].starts_with("    word") && lines[6].starts_with("    word"), "{lines:?}");
    assert_eq!(lines[lines.len() - 3..].iter().map(String::len).collect::<Vec<_>>(), [75, 75, 10]);
    let long = format!("begin {}", "z".repeat(69));
    assert_eq!(super::lines(&long)[0].len(), 76);
}

#[test]
fn what_the_gateway_cannot_do_is_said() {
    let (_, findings) = compose(&rendered(&"语 ".repeat(20_000)), &sample::header(), "abcdefgh").unwrap();
    let codes: Vec<_> = findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, ["rfc1154-subject", "rfc1154-ascii", "rfc1154-long"]);
    assert!(findings.iter().all(|finding| !finding.is_error()));
    let attachments = vec![sample::attachment(); 36];
    let (_, findings) = compose(&rendered("x"), &Header { attachments, ..sample::header() }, "abcdefgh").unwrap();
    assert!(findings.iter().any(|finding| finding.code == "rfc1154-attachments"));
}

#[test]
fn a_name_is_plain_words() {
    assert_eq!(phrase("Sørensen, Kim \"KS\" <x>"), "Soerensen Kim KS x");
    let header = Header { to: (", ".to_owned(), sample::header().to.1), ..sample::header() };
    let (letter, _) = compose(&rendered("x"), &header, "abcdefgh").unwrap();
    let (fields, ..) = decode(&sample::bytes(&letter));
    assert!(fields.contains(&("To".to_owned(), "kim@corp.example".to_owned())));
}

proptest! {
    #[test]
    fn anything_arrives_within_the_limits_or_is_refused(
        name in "(\\PC|[\"\\\\,<>@()\r\n]){0,60}",
        subject in "\\PC{0,120}",
        text in "(\\PC|[ \r\n\t]|begin |BEGIN |end){0,200}",
    ) {
        let mut header = sample::header();
        header.to.0 = name;
        let rendered = Rendered { subject, text, html: None };
        if let Ok((letter, _)) = compose(&rendered, &header, "abcdefghijklmnop") {
            let (fields, lines, files) = decode(&sample::bytes(&letter));
            prop_assert_eq!(&files[0].1, &sample::disk());
            let subject = &fields.iter().find(|(name, _)| name == "Subject").unwrap().1;
            prop_assert!(subject.len() <= 40 && subject.starts_with("[abcdefgh]"));
            for line in &lines {
                prop_assert!(line.len() <= 76, "{}", line);
                prop_assert!(!line.to_ascii_lowercase().starts_with("begin "), "{}", line);
            }
        }
    }
}
