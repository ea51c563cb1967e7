//! Rosters as people really save them, and every refusal.

use super::*;
use crate::campaign::Encoding;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn source() -> RosterFile {
    RosterFile {
        file: "users.csv".into(),
        encoding: Encoding::Utf8,
        columns: BTreeMap::new(),
        kind: Some("local".into()),
        place: Place::new("flagday.toml", 9, 1),
    }
}

fn read_as(bytes: &[u8], file: &RosterFile) -> (Roster, Vec<Finding>) {
    let mut roster = Roster::default();
    let mut findings = Vec::new();
    parse(bytes, file, &mut roster, &mut findings);
    findings.extend(duplicates(&roster.people));
    (roster, findings)
}

/// `code place` of every finding.
fn told(text: &str) -> Vec<String> {
    let (_, findings) = read_as(text.as_bytes(), &source());
    findings
        .iter()
        .map(|finding| {
            format!("{} {}", finding.code, finding.place.as_ref().map(ToString::to_string).unwrap_or_default())
        })
        .collect()
}

fn names(bytes: &[u8], encoding: Encoding) -> Vec<String> {
    let (roster, findings) = read_as(bytes, &RosterFile { encoding, ..source() });
    assert!(!findings.iter().any(Finding::is_error), "{findings:?}");
    roster.people.into_iter().map(|person| person.name).collect()
}

#[test]
fn bom_delimiters_line_breaks_and_crlf_are_read() {
    for text in [
        "\u{feff}id,name,email\nann,\"Ann, the first\",ann@corp.example\n",
        "id;name;email\r\nann;Ann, the first;ann@corp.example\r\n",
        "id\tname\temail\nann\tAnn, the first\tann@corp.example",
    ] {
        assert_eq!(names(text.as_bytes(), Encoding::Utf8), ["Ann, the first"], "{text:?}");
    }
}

#[test]
fn a_position_is_right_behind_a_field_of_several_lines_and_on_crlf() {
    let text = "id,remark,email\r\nann,\"two\r\nlines\",ann@corp.example\r\nbob,x,nonsense\r\n";
    let found = told(text);
    assert_eq!(found, ["roster-control users.csv:2:5", "roster-address users.csv:4:7"]);
}

#[test]
fn old_code_pages_are_read_by_option_and_by_auto() {
    let head = b"id,name,email\nj,J".to_vec();
    let with = |middle: u8| [head.clone(), vec![middle], b"rg,j@corp.example\n".to_vec()].concat();
    assert_eq!(names(&with(0x94), Encoding::Cp437), ["Jörg"]);
    assert_eq!(names(&with(0x94), Encoding::Cp850), ["Jörg"]);
    assert_eq!(names(&with(0xF6), Encoding::Windows1252), ["Jörg"]);
    assert_eq!(names(&with(0x94), Encoding::Auto), ["Jörg"]);
    assert_eq!(names(&with(0xF6), Encoding::Auto), ["Jörg"]);
}

#[test]
fn a_doubtful_encoding_is_shown_and_not_guessed() {
    let mut bytes = b"id,name,email\nj,J".to_vec();
    bytes.extend([0x94, 0xF6]);
    bytes.extend(b"rg,j@corp.example\n");
    let (roster, findings) = read_as(&bytes, &RosterFile { encoding: Encoding::Auto, ..source() });
    assert!(roster.people.is_empty());
    assert_eq!(findings[0].code, "roster-encoding-doubtful");
    assert!(findings[0].cause.contains("cp850: j,Jö"), "{}", findings[0].cause);
    let (_, findings) = read_as(&bytes, &source());
    assert_eq!(findings[0].place.as_ref().map(ToString::to_string).as_deref(), Some("users.csv:2:4"));
    let (_, findings) = read_as(b"\xFF\xFEi\0d\0", &source());
    assert_eq!(findings[0].code, "roster-utf16");
}

#[test]
fn every_fault_of_every_row_is_told_and_the_good_rows_stay() {
    let text = "id,name,email,hexid,mailbox,mail_store,time_zone,language,format\n\
                ann,Ann,ann@corp.example,0000000A,ANN,postoffice,Europe/Berlin,de,rfc1154\n\
                bob,Bob,bob,123,B O B,disk,Europe/Berln,german1,mine\n\
                ,,,,,,,,\n\
                cy,Cy\n";
    let (roster, _) = read_as(text.as_bytes(), &source());
    assert_eq!(roster.people.len(), 1);
    assert_eq!(
        told(text),
        [
            "roster-address users.csv:3:9",
            "roster-name users.csv:3:17",
            "roster-hexid users.csv:3:13",
            "roster-word users.csv:3:23",
            "roster-word users.csv:3:49",
            "roster-language users.csv:3:41",
            "roster-time-zone users.csv:3:28",
            "roster-no-id users.csv:4:1",
            "roster-no-address users.csv:4:1",
            "roster-fields users.csv:5:1",
        ]
    );
}

#[test]
fn quotes_that_are_not_rfc_4180_are_refused_where_they_stand() {
    assert_eq!(told("id,name\nann,A \"B\" C\n"), ["roster-quote users.csv:2:7", "roster-quote users.csv:2:9"]);
    assert_eq!(told("id,name\nann,\"A\"x\n"), ["roster-quote users.csv:2:8"]);
    assert_eq!(told("id,name\nann,\"A\nbob,B\n"), ["roster-quote users.csv:2:5"]);
    assert_eq!(told("id,name\rann,A\n"), ["roster-line-end users.csv:1:8"]);
    assert_eq!(told("id,name\nann,A\0B\n"), ["roster-control users.csv:2:6"]);
}

#[test]
fn headers_are_mapped_and_their_faults_told() {
    let columns =
        BTreeMap::from([("email".to_owned(), "E-Mail".to_owned()), ("name".to_owned(), "Full Nmae".to_owned())]);
    let file = RosterFile { columns, ..source() };
    let (_, findings) = read_as(b"id,e-mail,Full Name\nann,ann@corp.example,Ann\n", &file);
    assert_eq!((findings[0].code, findings[0].remedy.as_str()), ("roster-header", "did you mean 'Full Name'?"));
    assert_eq!(findings[0].place.as_ref().map(ToString::to_string).as_deref(), Some("flagday.toml:9:1"));
    assert_eq!(told("id,name,id\n"), ["roster-header users.csv:1:9"]);
    assert_eq!(told("id,emial\nann,\n"), ["roster-header users.csv:1:4", "roster-no-address users.csv:2:1"]);
    assert_eq!(told(""), ["roster-empty "]);
}

#[test]
fn doubles_are_errors_and_shared_addresses_warnings() {
    let text = "id,email,hexid,mailbox\n\
                ann,a@corp.example,0000000A,ANN\n\
                bob,A@corp.example,0000000b,BOB\n\
                ANN,c@corp.example,0000000B,bob\n";
    let (_, findings) = read_as(text.as_bytes(), &source());
    let told: Vec<_> = findings.iter().map(|finding| (finding.is_error(), finding.cause.as_str())).collect();
    assert_eq!(
        told,
        [
            (false, "ann and bob have one address, 'A@corp.example'"),
            (true, "ann and ANN have one id, 'ANN'"),
            (true, "bob and ANN have one hex id, '0000000B'"),
            (true, "bob and ANN have one mailbox, 'bob'"),
        ]
    );
}

#[test]
fn a_person_is_found_by_what_an_operator_types() {
    let text = "id,name,email,mailbox\nann,Ann Lee,ann@corp.example,ANN\nbob,Bob,bob@corp.example,BOB\nbo2,Bob,b2@corp.example,\n";
    let (mut roster, _) = read_as(text.as_bytes(), &source());
    roster.by_id = roster.people.iter().enumerate().map(|(at, person)| (person.id.clone(), at)).collect();
    for word in ["ann", "ANN", "Ann Lee", "ann@CORP.example"] {
        assert_eq!(roster.find(word).expect(word).id, "ann");
    }
    assert_eq!(roster.find("Bob").expect("by mailbox").id, "bob");
    assert_eq!(roster.find("Ann Le").expect_err("a slip").findings[0].remedy, "did you mean 'Ann Lee'?");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for encoding in [Encoding::Utf8, Encoding::Auto, Encoding::Cp437, Encoding::Windows1252] {
            read_as(&bytes, &RosterFile { encoding, ..source() });
        }
    }

    #[test]
    fn what_a_csv_writer_writes_is_read_back(names in prop::collection::vec("[ -~äöü]{1,20}", 1..8)) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["id", "name", "email"]).expect("a header");
        for (n, name) in names.iter().enumerate() {
            writer.write_record([&format!("p{n}"), name, &format!("p{n}@corp.example")]).expect("a row");
        }
        let bytes = writer.into_inner().expect("all of it");
        let (roster, findings) = read_as(&bytes, &source());
        prop_assert!(findings.is_empty(), "{findings:?}");
        for (person, name) in roster.people.iter().zip(&names) {
            let name = name.trim();
            prop_assert_eq!(&person.name, if name.is_empty() { &person.id } else { name });
        }
    }
}
