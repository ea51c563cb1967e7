//! Header lines: delimiters, foreign names, and what is missing.

use super::*;

fn mapped(columns: &[(&str, &str)]) -> RosterFile {
    let columns = columns.iter().map(|(name, header)| ((*name).to_owned(), (*header).to_owned())).collect();
    RosterFile { columns, ..plain() }
}

#[test]
fn the_header_line_tells_the_delimiter() {
    for text in [
        "id,email\na,a@x.example\n",
        "id;email\na;a@x.example\n",
        "id\temail\na\ta@x.example\n",
        "\u{feff}id;\"email\"\r\n\"a\";a@x.example\r\n",
        "\r\n\r\nid,email\r\na,a@x.example\x1a",
        "id;email;\"a, b, and c\"\na;a@x.example;\n",
        "id;email;a, b, c, d\na;a@x.example;\n",
    ] {
        let roster = sound(text);
        let email = roster.get("a").expect("a").email.as_ref().map(ToString::to_string);
        assert_eq!(email.as_deref(), Some("a@x.example"), "{text:?}");
    }
}

#[test]
fn foreign_headers_are_mapped_without_regard_to_case() {
    let file = mapped(&[("email", "E-MAIL"), ("name", "Display Name"), ("office", "Büro Nr.")]);
    let (roster, findings) = read_as(file, "ID;e-mail; display name ;BÜRO Nr.;Dept\na;a@x.example;Ann;7;Sales\n");
    assert!(findings.is_empty(), "{}", shown(&findings));
    let ann = roster.get("a").expect("a");
    assert_eq!(
        (ann.name.as_str(), ann.column("office"), ann.column("Dept")),
        ("Ann", Some("7".into()), Some("Sales".into()))
    );
}

#[test]
fn a_mapping_that_cannot_hold_is_an_error_where_it_is_written() {
    let file =
        mapped(&[("email", "E-Mial"), ("name", "Nobody knows"), ("manager_email", "E-Mial"), ("hex_id", "hexid")]);
    let (_, findings) = read_as(file, "id,E-Mail,hexid\na,a@x.example,00000001\n");
    insta::assert_snapshot!(shown(&findings), @r#"
        flagday.toml:7:1 Warning bad-mapping: `hex_id` is not a column the program knows | did you mean `hexid`?
        flagday.toml:7:1 Error bad-mapping: the header 'E-Mial' is mapped to `email` and to `manager_email` | map it to one column
        flagday.toml:7:1 Error bad-mapping: `email` is mapped to 'E-Mial', which is no header of this roster | did you mean 'E-Mail'?
        flagday.toml:7:1 Error bad-mapping: `manager_email` is mapped to 'E-Mial', which is no header of this roster | did you mean 'E-Mail'?
        flagday.toml:7:1 Error bad-mapping: `name` is mapped to 'Nobody knows', which is no header of this roster | its headers are: id, E-Mail, hexid
        users.csv:1:1 Warning no-address: there is no column `email`: mail reaches nobody of this roster, and every notice to them fails | add it, or map a header to it: columns = { email = "E-Mail" }
        users.csv:1:4 Note header-unknown: 'E-Mail' is not a column the program knows; only templates and audiences see it | did you mean `email`? Map it with columns = { email = "E-Mail" }
        "#);
}

#[test]
fn aliases_are_not_guessed_but_pointed_out() {
    let (roster, findings) = read("id,email,E-Mail,Hex-ID,Postofice,Town\na,a@x.example,b@x.example,1,HQ,Ulm\n");
    assert_eq!(roster.get("a").expect("a").column("E-Mail").as_deref(), Some("b@x.example"));
    insta::assert_snapshot!(shown(&findings), @r#"
        users.csv:1:17 Note header-unknown: 'Hex-ID' is not a column the program knows; only templates and audiences see it | did you mean `hexid`? Map it with columns = { hexid = "Hex-ID" }
        users.csv:1:24 Note header-unknown: 'Postofice' is not a column the program knows; only templates and audiences see it | did you mean `postoffice`? Map it with columns = { postoffice = "Postofice" }
        "#);
}

#[test]
fn a_header_stands_once() {
    insta::assert_snapshot!(complaints("id,email,Email,Town,town\na,a@x.example,,,\n"), @r"
        users.csv:1:10 Error header-twice: 'email' and 'Email' would both be the column `email` | keep one of them, or rename the other
        users.csv:1:21 Error header-twice: 'Town' and 'town' would both be the column `town` | keep one of them, or rename the other
        ");
    let (_, findings) = read_as(mapped(&[("email", "Mail")]), "id,email,Mail\na,a@x.example,\n");
    insta::assert_snapshot!(shown(&findings), @r"users.csv:1:10 Error header-twice: 'email' and 'Mail' would both be the column `email` | keep one of them, or rename the other");
}

#[test]
fn a_column_without_a_header_may_hold_nothing() {
    let (roster, findings) = read("id,email,\na,a@x.example,\nb,b@x.example,what\n");
    assert_eq!(ids(&roster), ["a"]);
    insta::assert_snapshot!(shown(&findings), @r"
        users.csv:1:10 Warning header-empty: this column has no header | name it, or delete it
        users.csv:3:15 Error value-without-header: this value stands in a column without a header | name the column
        ");
}

#[test]
fn what_every_row_needs_is_missed_once() {
    let file = RosterFile { kind: None, ..plain() };
    let (roster, findings) = read_as(file, "name,hexid\nAnn,00000001\nBob,zz\n");
    assert!(roster.is_empty());
    insta::assert_snapshot!(shown(&findings), @r#"
        users.csv:1:1 Error no-id-column: no column tells these people apart: there is neither `id` nor `mailbox` nor `email` | add one, or map a header to it: columns = { email = "E-Mail" }
        users.csv:1:1 Error no-kind-column: there is no column `kind` | add the column, or state kind = "…" for the whole roster
        users.csv:1:1 Warning no-address: there is no column `email`: mail reaches nobody of this roster, and every notice to them fails | add it, or map a header to it: columns = { email = "E-Mail" }
        users.csv:3:5 Error bad-hexid: the hexid 'zz' is not 8 hexadecimal digits | write it as the person's mailbag is named, for example 0000001A; a spreadsheet drops leading zeros
        "#);
}

#[test]
fn a_file_without_header_or_rows_is_said_to_be_so() {
    insta::assert_snapshot!(complaints(""), @r"users.csv:1:1 Error roster-empty: the file is empty | write a header line, then a line for each person");
    insta::assert_snapshot!(complaints("\r\n\n"), @r"users.csv:1:1 Error roster-empty: the file is empty | write a header line, then a line for each person");
    insta::assert_snapshot!(complaints("id,email\r\n"), @r"users.csv Warning no-people: the roster has a header and no rows | add people, or the header is missing");
    insta::assert_snapshot!(complaints("id,\"em\nail\"\na,a@x.example\n"), @r"users.csv:1:4 Error control-character: this header holds a line break | write it on one line");
    assert!(complaints(",x".repeat(501)).contains("the header has 502 columns; 500 are allowed"));
}
