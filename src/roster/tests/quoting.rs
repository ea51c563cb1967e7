//! The quoting rules, kept strictly.

use crate::campaign::Source;
use crate::roster::complaints::Complaints;
use crate::roster::quoting::{LONGEST_FIELD, LONGEST_ROW, MOST_ROWS, field, row_start, scan};

fn complaints(text: &str) -> Vec<String> {
    let source = Source::new("f.csv".into(), text.into());
    let mut complaints = Complaints::new(&source);
    scan(text, b',', &mut complaints);
    let findings = complaints.into_findings();
    findings.iter().map(|f| format!("{} {}: {}", f.place.as_ref().expect("a place"), f.code, f.cause)).collect()
}

#[test]
fn sound_quoting_is_silent() {
    assert_eq!(complaints("a,b\r\n\"x \"\"y\"\" z\",\"1\r\n2\"\r\n\r\n,\"\"\n"), Vec::<String>::new());
}

#[test]
fn a_stray_quote_is_reported_where_it_stands() {
    assert_eq!(
        complaints("a,b\r\n1,A \"B\" C\r\n2, \"D\""),
        [
            "f.csv:2:5 quoting: a quote inside a field that does not begin with one",
            "f.csv:3:4 quoting: a quote inside a field that does not begin with one"
        ]
    );
}

#[test]
fn text_after_a_closing_quote_is_reported_there_or_where_the_quote_opened() {
    assert_eq!(complaints("a,b\n\"A\"x,b"), ["f.csv:2:4 quoting: text after the closing quote of a field"]);
    assert_eq!(
        complaints("a,b\r\nö,\"A,1\r\n2\r\n\"Bob\",c\r\n"),
        ["f.csv:2:3 quoting: the quote opened here closes 2 lines further down, with text after it"]
    );
}

#[test]
fn an_unclosed_quote_is_reported_where_it_opened() {
    let text = "a,b\r\n1,\"two\r\n3,4\r\n5,6\r\n";
    assert_eq!(
        complaints(text),
        ["f.csv:2:3 quoting: the quote opened here is never closed; lines after it that were not read: 2"]
    );
}

#[test]
fn a_lone_carriage_return_is_no_line_end() {
    assert_eq!(
        complaints("a,b\n1,2\r3,4\n"),
        ["f.csv:2:4 line-end: this row ends in a carriage return without a line feed"]
    );
    assert_eq!(
        complaints("a,b\r1,2\r3,4\r"),
        ["f.csv:1:4 line-end: every line of this file ends in a carriage return without a line feed"]
    );
}

#[test]
fn fields_rows_and_files_are_bounded() {
    let long = complaints(&format!("a,b\n1,{}\n", "x".repeat(LONGEST_FIELD + 1)));
    assert_eq!(long, ["f.csv:2:3 field-too-long: this field has 65537 bytes; 65536 are allowed"]);
    assert!(complaints(&format!("a\n{}\n", "x,".repeat(LONGEST_ROW)))[0].contains("2:1 row-too-long"));
    let lines = format!("a\n\"{}\"\n", "x\n".repeat(LONGEST_ROW / 2));
    assert!(complaints(&lines).iter().any(|said| said.contains("2:1 row-too-long: this row")));
    let returns = complaints(&format!("a\nb\n{}\n", "x\r".repeat(LONGEST_ROW)));
    assert!(returns.len() == 1 && returns[0].contains("3:1 row-too-long: this line"), "{returns:?}");
    assert_eq!(complaints(&"x\n".repeat(MOST_ROWS + 1)), Vec::<String>::new());
    assert!(complaints(&"x\n".repeat(MOST_ROWS + 2))[0].contains("too-many-rows"));
}

proptest::proptest! {
    /// The same rows begin at the same bytes.
    #[test]
    fn boundaries_agree_with_the_csv_crate(text in "[a\",\r\n]{0,40}") {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        let theirs: Vec<(usize, usize)> = reader.records().map(|record| {
            let record = record.expect("flexible");
            let position = record.position().expect("a position").byte() as usize;
            (row_start(text.as_bytes(), position), record.len())
        }).collect();
        let mut ours = Vec::new();
        let mut start = row_start(text.as_bytes(), 0);
        while start < text.len() {
            let (mut at, mut fields) = (start, 0);
            at = loop {
                let field = field(text.as_bytes(), at, b',');
                fields += 1;
                at = field.next;
                if field.ends_row { break at }
            };
            ours.push((start, fields));
            start = row_start(text.as_bytes(), at);
        }
        proptest::prop_assert_eq!(ours, theirs);
    }
}
