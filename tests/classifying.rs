//! `intake --classify` over a corpus of our own: every kind of mail that comes back, in the shapes of real systems.
//!
//! `tests/corpus/*.txt` hold messages behind lines like `=== dsn_failed hard 5.1.1 kim@corp.example : words`: the kind, whether
//! a failure is `hard` or `soft`, the enhanced status, the recipients, and for replies the answer.

use crate::harness::{Run, program};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;

/// A code with the right check letter; nobody's.
const CODE: &str = "KTRM-WQZB";

struct Case {
    words: String,
    expected: [Value; 5],
    message: String,
}

fn corpus() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files: Vec<_> =
        fs_err::read_dir(folder).expect("the corpus").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let texts = files.iter().map(|path| fs_err::read_to_string(path).expect("UTF-8"));
    texts.flat_map(|text| text.split("=== ").skip(1).map(case).collect::<Vec<_>>()).collect()
}

fn case(text: &str) -> Case {
    let (head, message) = text.split_once('\n').expect("a line of what is expected");
    let (facts, words) = head.split_once(" : ").expect("words");
    let facts: Vec<&str> = facts.split(' ').collect();
    let word = |at: usize| facts.get(at).copied().filter(|word| !matches!(*word, "-" | "null"));
    let together = CODE.replace('-', "");
    let message = message
        .replace("@CODE@", CODE)
        .replace("@code@", &CODE.to_lowercase())
        .replace("@TOGETHER@", &together)
        .replace("@HALF@", &together[..4])
        .replace("@OTHER@", &together[4..])
        .replace("@BASE64@", &STANDARD.encode(format!("The code is in \r\nREADME.TXT:\r\n{CODE}\r\n")));
    let recipients: Vec<&str> = word(3).map(|list| list.split(',').collect()).unwrap_or_default();
    let permanent = word(1).map(|word| word == "hard");
    let expected = [json!(facts[0]), json!(permanent), json!(word(2)), json!(recipients), json!(word(4))];
    Case { words: format!("{} : {words}", facts[0]), expected, message }
}

fn classify(path: &Path) -> Vec<Value> {
    let run =
        Run::of(program().current_dir(std::env::temp_dir()).args(["intake", "--classify"]).arg(path).arg("--json"))
            .ends(0);
    run.out.lines().map(|line| serde_json::from_str(line).expect("a row")).collect()
}

#[test]
fn every_message_of_the_corpus_is_what_it_is() {
    let folder = TempDir::new().expect("a folder");
    let cases = corpus();
    assert!(cases.len() >= 125, "{} messages", cases.len());
    for (n, case) in cases.iter().enumerate() {
        fs_err::write(folder.path().join(format!("{n:03}.eml")), &case.message).expect("written");
    }
    let rows = classify(folder.path());
    assert_eq!(rows.len(), cases.len());
    let mut wrong = Vec::new();
    for (case, row) in cases.iter().zip(&rows) {
        let found = ["kind", "permanent", "status", "recipients", "answer"].map(|name| row[name].clone());
        if found != case.expected {
            wrong.push(format!(
                "{}\n  expected {:?}\n  found    {found:?}\n  because  {}",
                case.words, case.expected, row["because"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {} wrong\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn an_mbox_a_maildir_and_a_single_file_give_the_same_rows() {
    let folder = TempDir::new().expect("a folder");
    let cases: Vec<Case> = corpus().into_iter().filter(|case| !case.message.trim().is_empty()).collect();
    let (maildir, mbox) = (folder.path().join("Maildir"), folder.path().join("mbox"));
    fs_err::create_dir_all(maildir.join("new")).expect("a folder");
    fs_err::create_dir_all(maildir.join("cur")).expect("a folder");
    let mut text = String::new();
    for (n, case) in cases.iter().enumerate() {
        fs_err::write(maildir.join("new").join(format!("{n:03}.host")), &case.message).expect("written");
        let body: String = case
            .message
            .lines()
            .map(|line| format!("{}{line}\n", if line.starts_with("From ") { ">" } else { "" }))
            .collect();
        text.push_str(&format!("From desk@corp.example Fri Nov 27 10:00:00 2026\n{body}\n"));
    }
    fs_err::write(&mbox, text).expect("written");
    let (left, right) = (classify(&maildir), classify(&mbox));
    let kinds = |rows: &[Value]| {
        rows.iter()
            .map(|row| (row["kind"].clone(), row["recipients"].clone(), row["answer"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds(&left), kinds(&right));
    assert!(right[2]["file"].as_str().expect("a place").ends_with("mbox#3"));
    let single = classify(&maildir.join("new/000.host"));
    assert_eq!(single.len(), 1);
    assert_eq!(single[0]["kind"], left[0]["kind"]);
}

#[test]
fn what_nobody_can_read_is_a_row_too() {
    let folder = TempDir::new().expect("a folder");
    let deep: String = (0..2_000).map(|n| format!("Content-Type: message/rfc822\n\nX-Level: {n}\n")).collect();
    let many: String = (0..1_500).map(|_| "--B\n\nx\n").collect();
    let bombs = [
        ("0-empty.eml", String::new()),
        ("1-deep.eml", deep),
        ("2-many.eml", format!("Content-Type: multipart/mixed; boundary=B\n\n{many}--B--\n")),
        ("3-header.eml", format!("Subject: {}\n\nx", "a".repeat(300_000))),
        ("4-large.eml", format!("Subject: x\n\n{}", "a\n".repeat(14 << 20))),
        ("5-binary.eml", "\u{0}\u{1}\r\r\n\n\u{FFFD}".to_owned()),
    ];
    for (name, text) in &bombs {
        fs_err::write(folder.path().join(name), text).expect("written");
    }
    let rows = classify(folder.path());
    assert_eq!(rows.len(), bombs.len());
    assert!(rows.iter().all(|row| row["kind"] == "unrelated" && row["because"][0].is_string()), "{rows:#?}");
}
