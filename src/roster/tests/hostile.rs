//! Bytes nobody would write.

use super::*;
use proptest::prelude::*;

const ENCODINGS: [Encoding; 5] =
    [Encoding::Utf8, Encoding::Windows1252, Encoding::Cp437, Encoding::Cp850, Encoding::Auto];

#[test]
fn rows_with_lost_characters_are_left_out_and_named() {
    let (roster, findings) = read(b"id,email,name\na,a@x.example,M\xFCller\nb,b@x.example,Bob\n");
    assert_eq!(ids(&roster), ["b"]);
    insta::assert_snapshot!(shown(&findings), @r#"
        users.csv:2:15 Error lost-character: a character of this field was lost in a conversion | write it again, or correct `encoding`
        users.csv:2:16 Error encoding: the file is not UTF-8: one field reads 'Müller' in windows-1252, 'M³ller' in cp850, 'Mⁿller' in cp437 | save the file as UTF-8, or state encoding = "windows-1252"
        "#);
}

#[test]
fn while_the_encoding_is_in_doubt_only_plain_rows_are_read() {
    let file = RosterFile { encoding: Encoding::Auto, ..plain() };
    let (roster, findings) =
        read_as(file, b"id,email,name\na,a@x.example,O\x92BRIEN\nb,b@x.example,Bob\nc,c@x.example,D\x92ARC\n");
    assert_eq!(ids(&roster), ["b"]);
    insta::assert_snapshot!(shown(&findings), @r#"users.csv:2:16 Error encoding: the encoding of the file is in doubt: one field reads 'O’BRIEN' in windows-1252, 'OÆBRIEN' in cp850, 'OÆBRIEN' in cp437 | state the `encoding` in which the names read right: encoding = "cp850"; rows with such characters are left out until then"#);
    assert_eq!(findings[0].cause, "2 of 3 rows were left out");
}

#[test]
fn rows_before_an_unclosed_quote_are_read_and_broken_rows_left_out() {
    let (roster, findings) = read("id,email\na,a@x.example\nb,\"b\"@x.example\nc,c@x.example\nd,\"d\ne,e@x.example\n");
    assert_eq!(ids(&roster), ["a", "c"]);
    insta::assert_snapshot!(shown(&findings), @r"
        users.csv:3:6 Error quoting: text after the closing quote of a field | double each quote inside a quoted field; nothing may follow the closing one
        users.csv:5:3 Error quoting: the quote opened here is never closed; lines after it that were not read: 1 | close it where its field ends
        ");
}

#[test]
fn a_text_of_another_kind_is_refused_by_name() {
    insta::assert_snapshot!(complaints(b"\xFF\xFEi\0d\0"), @r#"users.csv:1:1 Error not-csv: the file is UTF-16 ("Unicode text"), which is not read here | save it as CSV with the encoding UTF-8"#);
}

#[test]
fn a_hundred_thousand_rows_are_read_and_their_faults_bounded() {
    let mut text = "id,name,email,mailbox,hexid,kind\r\n".to_owned();
    for n in 0..100_000 {
        text += &format!("p{n},\"Person, {n}\",p{n}@corp.example,M{n},{n:08X},local\r\n");
    }
    let roster = sound(&text);
    assert_eq!((roster.len(), roster.get("p99999").map(|p| p.place.line)), (100_000, Some(100_001)));
    let (_, findings) = read(text.replace("@corp", "@"));
    assert_eq!(findings.iter().filter(|finding| finding.code == "bad-address").count(), 10_000);
    assert!(findings.iter().any(|finding| finding.code == "more-findings" && finding.is_error()));
}

/// A value as a person might hold in a spreadsheet.
fn value() -> impl Strategy<Value = String> {
    "[a-zA-Zäß東,;\"' |=+@-]{0,12}".prop_map(|text| text.trim().to_owned())
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for encoding in ENCODINGS {
            read_as(RosterFile { encoding, ..plain() }, &bytes);
        }
    }

    #[test]
    fn nearly_csv_never_panics(text in "(id|email|name|hexid|[\",;\t\r\n \u{feff}\u{1a}äx@.]){0,60}") {
        for encoding in ENCODINGS {
            read_as(RosterFile { encoding, ..plain() }, format!("id,email\n{text}"));
            read_as(RosterFile { encoding, ..plain() }, &text);
        }
    }

    #[test]
    fn what_a_csv_writer_writes_is_read_back(
        rows in proptest::collection::vec((value(), value(), "[a-z\r\n\t\"]{0,8}"), 1..8),
        delimiter in prop_oneof![Just(b','), Just(b';'), Just(b'\t')],
        crlf in any::<bool>(),
    ) {
        let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new().delimiter(delimiter).terminator(terminator).from_writer(Vec::new());
        writer.write_record(["id", "email", "name", "Town", "Note"]).expect("written");
        for (n, (name, town, note)) in rows.iter().enumerate() {
            writer.write_record([&format!("p{n}"), &format!("p{n}@x.example"), name, town, note]).expect("written");
        }
        let roster = sound(writer.into_inner().expect("a buffer"));
        prop_assert_eq!(roster.len(), rows.len());
        let kept = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        for (person, (name, town, note)) in roster.people().zip(&rows) {
            prop_assert_eq!(&person.name, &kept(name).unwrap_or(person.id.clone()));
            prop_assert_eq!(person.column("Town"), kept(town));
            prop_assert_eq!(person.column("Note"), kept(note));
        }
    }
}
