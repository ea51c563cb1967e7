//! Rows: people, and all that can be wrong with one.

use super::*;
use crate::roster::{Format, MailStore};

#[test]
fn every_column_arrives() {
    let roster = sound(
        "id,name,email,kind,mailbox,hexid,mail_store,format,language,time_zone,manager_email,alternate_email,network,\
         postoffice,phone,Büro\r\n ann , Ann Müller ,ann@corp.example,Remote,ANNM,0000001a,local,rfc1154,DE,\
         Europe/Vienna,boss@corp.example,ann@home.example,CORP,HQ,+1 555 0100,\"3, links\"\r\n",
    );
    let ann = roster.get("ann").expect("ann");
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    assert_eq!((ann.name.as_str(), ann.kind.as_str()), ("Ann Müller", "remote"));
    assert_eq!(ann.email.as_ref().map(ToString::to_string).as_deref(), Some("ann@corp.example"));
    assert_eq!((text(&ann.mailbox), text(&ann.hexid)), ("ANNM".into(), "0000001A".into()));
    assert_eq!((ann.mail_store, ann.format), (MailStore::Local, Format::Rfc1154));
    assert_eq!((text(&ann.language), ann.time_zone), ("de".into(), Some(chrono_tz::Europe::Vienna)));
    assert_eq!(ann.manager_email.as_ref().map(ToString::to_string).as_deref(), Some("boss@corp.example"));
    assert_eq!(ann.alternate_email.as_ref().map(ToString::to_string).as_deref(), Some("ann@home.example"));
    assert_eq!((text(&ann.network), text(&ann.postoffice)), ("CORP".into(), "HQ".into()));
    assert_eq!((text(&ann.phone), ann.column("Büro")), ("+1 555 0100".into(), Some("3, links".into())));
    assert_eq!(ann.place.to_string(), "users.csv:2:1");
}

#[test]
fn the_id_is_the_mailbox_else_the_address() {
    let roster = sound("id,mailbox,email\nann,ANNM,a@x.example\n,BOB,b@x.example\n,,c@x.example\n");
    assert_eq!(ids(&roster), ["ann", "BOB", "c@x.example"]);
    assert_eq!(roster.get("BOB").expect("bob").name, "BOB");
    insta::assert_snapshot!(complaints("id,mailbox,email\n,,\n ,, \nx,,\n,,a/b@x.example\n"), @r"
        users.csv:2:1 Warning empty-row: this row holds no values | delete it
        users.csv:3:1 Warning empty-row: this row holds no values | delete it
        users.csv:4:4 Warning no-address: this person has no address: mail does not reach them, and every notice to them fails | fill in `email`, or tell them by hand
        users.csv:5:3 Error bad-id: the id 'a/b@x.example' holds '/' | give a short id of letters, digits, '.', '-' and '_' in the column `id`
        ");
}

#[test]
fn rows_without_a_sign_of_who_it_is_or_of_what_kind_are_errors() {
    let file = RosterFile { kind: None, ..plain() };
    let (roster, findings) =
        read_as(file, "id,email,kind,name\n,,local,Ann\nbob,b@x.example,,Bob\neve,e@x.example,local,Eve\n");
    assert_eq!(ids(&roster), ["eve"]);
    insta::assert_snapshot!(shown(&findings), @r#"
        users.csv:2:1 Error no-id: nothing tells this person apart: id, mailbox and email are empty | fill in one of them
        users.csv:2:2 Warning no-address: this person has no address: mail does not reach them, and every notice to them fails | fill in `email`, or tell them by hand
        users.csv:3:17 Error no-kind: the kind of this person is empty | fill it in, or state kind = "…" for the whole roster
        "#);
    assert_eq!(findings[0].code, "rows-left-out");
    assert_eq!(findings[0].cause, "2 of 3 rows were left out");
}

#[test]
fn all_faults_of_all_rows_are_reported_at_once() {
    let (roster, findings) = read(
        "id,name,email,mailbox,hexid,mail_store,format,language,time_zone,manager_email,network,postoffice\r\n\
         -a,\"A\tB\",ann@[192.0.2.1],TOO LONG A NAME,12,clud,mine,german,Europe/Wien,boss,C.RP,HÄ\r\n\
         ok,,ok@x.example,,,,,,,,,\r\n\
         b c,Bob,\"Bob <b@x.example>\",,,pst,,,,,,\r\n",
    );
    assert_eq!(ids(&roster), ["ok"]);
    insta::assert_snapshot!(shown(&findings), @r"
        users.csv:2:1 Error bad-id: the id '-a' begins with '-' | give a short id of letters, digits, '.', '-' and '_' in the column `id`
        users.csv:2:4 Error control-character: this field holds a tab | write it without
        users.csv:2:10 Error bad-address: 'ann@[192.0.2.1]' names a machine by its number | write the name of the domain
        users.csv:2:26 Error bad-mailbox: the mailbox 'TOO LONG A NAME' has 15 characters where 10 fit and holds ' ', which Microsoft Mail forbids there | write the mailbox as the Microsoft Mail address has it: up to 10 letters and digits
        users.csv:2:42 Error bad-hexid: the hexid '12' is not 8 hexadecimal digits | write it as the person's mailbag is named, for example 0000001A; a spreadsheet drops leading zeros
        users.csv:2:45 Error bad-word: `mail_store` does not know 'clud' | choose one of postoffice, local, dos, pst
        users.csv:2:50 Error bad-word: `format` does not know 'mine' | did you mean `mime`?
        users.csv:2:55 Error bad-language: 'german' is no language tag | write it like `de` or `pt-BR`
        users.csv:2:62 Error bad-time-zone: there is no time zone 'Europe/Wien' | did you mean `Europe/Kiev`?
        users.csv:2:74 Error bad-address: 'boss' has no '@' | write one address like name@domain.example
        users.csv:2:79 Error bad-network: the network 'C.RP' holds '.', which Microsoft Mail forbids there | write the network as the Microsoft Mail address has it: up to 10 letters and digits
        users.csv:2:84 Error bad-postoffice: the postoffice 'HÄ' holds 'Ä', which is no 7-bit character | write the postoffice as the Microsoft Mail address has it: up to 10 letters and digits
        users.csv:4:1 Error bad-id: the id 'b c' holds ' ' | give a short id of letters, digits, '.', '-' and '_' in the column `id`
        users.csv:4:9 Error bad-address: 'Bob <b@x.example>' holds angle brackets | write only the address; the name has a column of its own
        ");
}

#[test]
fn a_name_or_an_address_that_no_header_takes_is_told_at_its_place() {
    let (name, label) = ("Anna ".repeat(41), "l".repeat(64));
    let (roster, findings) =
        read(format!("id,name,email\na,{name},a@x.example\nb,Bea,b@{label}.example\nc,C,c@x.example\n"));
    assert_eq!(ids(&roster), ["c"]);
    insta::assert_snapshot!(shown(&findings), @r"
        users.csv:2:3 Error bad-name: the name 'Anna Anna Anna Anna Anna Anna Anna Anna Anna Anna Anna Anna …' has 204 bytes, and no letter's header takes more than 200 | shorten it; what is longer can stand in a column of its own, for the texts
        users.csv:3:7 Error bad-address: 'b@llllllllllllllllllllllllllllllllllllllllllllllllllllllllll…' has a domain that DNS cannot hold | correct the domain: up to 63 characters between two dots
        ");
}

#[test]
fn columns_count_characters_and_lines_count_line_ends_of_every_kind() {
    for end in ["\n", "\r\n"] {
        let text =
            ["id,note,hexid", "a,\"one\r\ntwo\",00000001", "", "b,\"ö \"\"x\"\"\",zz", "c,\"1\n2\n3\",yy", "d,,xx", ""]
                .join(end);
        let (roster, findings) = read(&text);
        let places: Vec<String> = findings
            .iter()
            .filter(|finding| finding.code == "bad-hexid")
            .map(|finding| finding.place.as_ref().expect("a place").to_string())
            .collect();
        assert_eq!(places, ["users.csv:5:13", "users.csv:8:4", "users.csv:9:4"], "{text:?}");
        assert_eq!(roster.get("a").expect("a").column("note").as_deref(), Some("one\r\ntwo"));
        let quote =
            findings.iter().find(|finding| finding.code == "bad-hexid").and_then(|finding| finding.quote.clone());
        let quote = quote.expect("a quote");
        assert_eq!((quote.line.as_str(), quote.width), ("b,\"ö \"\"x\"\"\",zz", 2));
    }
}

#[test]
fn rows_of_another_width_are_errors_with_the_counts() {
    let text = "id,name,hexid\na,A\nb,B,00000001,more\nc,C,00000002\n\n\nd\n";
    let (roster, findings) = read(text);
    assert_eq!(ids(&roster), ["c"]);
    insta::assert_snapshot!(shown(&findings), @r#"
        users.csv:1:1 Warning no-address: there is no column `email`: mail reaches nobody of this roster, and every notice to them fails | add it, or map a header to it: columns = { email = "E-Mail" }
        users.csv:2:1 Error field-count: this row has 2 fields, the header has 3 | add or remove delimiters, or put a field that holds one in quotes
        users.csv:3:1 Error field-count: this row has 4 fields, the header has 3 | add or remove delimiters, or put a field that holds one in quotes
        users.csv:7:1 Error field-count: this row has 1 field, the header has 3 | add or remove delimiters, or put a field that holds one in quotes
        "#);
}

#[test]
fn a_row_of_delimiters_is_skipped_with_a_warning_and_an_empty_line_without() {
    let (roster, findings) = read("id,email\n\na,a@x.example\r\n\r\n,\n , \n");
    assert_eq!(ids(&roster), ["a"]);
    insta::assert_snapshot!(shown(&findings), @r"
        users.csv:5:1 Warning empty-row: this row holds no values | delete it
        users.csv:6:1 Warning empty-row: this row holds no values | delete it
        ");
    assert!(!findings.iter().any(|finding| finding.code == "rows-left-out"));
}

#[test]
fn control_characters_are_errors_where_they_would_reach_a_header() {
    for column in ["id", "name", "email", "kind", "mailbox", "manager_email", "alternate_email", "phone", "language"] {
        for c in ['\r', '\n', '\0', '\u{1b}', '\u{85}', '\u{202e}', '\t'] {
            let header = if column == "id" { "id,x".to_owned() } else { format!("id,{column}") };
            let text = if column == "id" { format!("\"a{c}b\",\n") } else { format!("a,\"a{c}b\"\n") };
            let (roster, findings) = read(format!("{header}\n{text}"));
            let errors: Vec<&str> = findings.iter().filter(|f| f.is_error()).map(|f| f.code).collect();
            assert_eq!((roster.len(), errors), (0, vec!["control-character"]), "{column} {c:?}");
        }
    }
    let (roster, findings) = read("id,email,note\na,a@x.example,\"two\r\n\tlines\"\nb,b@x.example,\"bell\u{7}\"\n");
    assert_eq!(roster.get("a").expect("a").column("note").as_deref(), Some("two\r\n\tlines"));
    insta::assert_snapshot!(shown(&findings), @r"users.csv:4:15 Error control-character: this field holds the control character U+0007 | write it without");
}

#[test]
fn a_line_break_at_the_end_of_a_name_is_not_trimmed_away() {
    insta::assert_snapshot!(complaints("id,email,name\na,a@x.example,\"Ann\r\n\"\n"), @r"users.csv:2:15 Error control-character: this field holds a line break | write it without");
}

#[test]
fn two_people_are_not_one() {
    let (roster, findings) = read(
        "id,mailbox,hexid,email,network,postoffice\n\
         a,ANN,00000001,a@x.example,CORP,HQ\n\
         A,BOB,00000002,b@x.example,CORP,HQ\n\
         c,ann,00000003,c@x.example,corp,hq\n\
         d,ANN,00000004,d@x.example,CORP,WEST\n\
         e,EVE,00000001,A@X.example,CORP,HQ\n\
         ,FAY,,f@x.example,CORP,HQ\n\
         ,fay,,g@x.example,CORP,HQ\n",
    );
    assert_eq!(ids(&roster), ["a", "d", "FAY"]);
    insta::assert_snapshot!(shown(&findings), @r"
        users.csv:3:1 Error duplicate-id: the id 'A' stands at users.csv:2 already | give each person an `id` of their own
        users.csv:4:3 Error duplicate-mailbox: the mailbox 'ann' stands at users.csv:2 already | correct one of the two, or name the postoffice of each in `network` and `postoffice`
        users.csv:6:7 Error duplicate-hexid: the hexid 00000001 stands at users.csv:2 already | correct one of the two: a postoffice gives each number once
        users.csv:6:16 Warning duplicate-address: the address 'A@X.example' stands at users.csv:2 already | make sure that both read this mailbox
        users.csv:8:2 Error duplicate-mailbox: the mailbox 'fay' stands at users.csv:7 already | correct one of the two, or name the postoffice of each in `network` and `postoffice`
        ");
}

#[test]
fn duplicates_are_found_over_all_files_and_in_rows_with_other_faults() {
    let mut builder = Builder::default();
    parse(b"id,email,hexid\nann,a@x.example,zz\n", Path::new("one.csv"), &plain(), &mut builder);
    parse(b"id,email\nbob,b@x.example\nANN,a@x.example\n", Path::new("two.csv"), &plain(), &mut builder);
    let (roster, findings) = builder.finish();
    assert_eq!(ids(&roster), ["bob"]);
    insta::assert_snapshot!(shown(&findings), @r"
        one.csv:2:17 Error bad-hexid: the hexid 'zz' is not 8 hexadecimal digits | write it as the person's mailbag is named, for example 0000001A; a spreadsheet drops leading zeros
        two.csv:3:1 Error duplicate-id: the id 'ANN' stands at one.csv:2 already | give each person an `id` of their own
        two.csv:3:5 Warning duplicate-address: the address 'a@x.example' stands at one.csv:2 already | make sure that both read this mailbox
        ");
}

#[test]
fn one_address_for_two_is_a_warning_and_as_id_an_error() {
    let (roster, findings) = read("id,email\na,x@x.example\nb,X@x.example\n");
    assert_eq!(ids(&roster), ["a", "b"]);
    insta::assert_snapshot!(shown(&findings), @r"users.csv:3:3 Warning duplicate-address: the address 'X@x.example' stands at users.csv:2 already | make sure that both read this mailbox");
    let (roster, findings) = read("email\nx@x.example\nX@x.example\n");
    assert_eq!(ids(&roster), ["x@x.example"]);
    insta::assert_snapshot!(shown(&findings), @r"users.csv:3:1 Error duplicate-id: the id 'X@x.example' stands at users.csv:2 already | give each person an `id` of their own");
}
