//! Whatever stands in the file, reading it ends with a campaign or with errors that have places.

use super::{SITE, findings, read};
use proptest::prelude::*;

/// Pieces of real files, put together at random: they get further than arbitrary text.
fn fragments() -> impl Strategy<Value = String> {
    let lines: Vec<String> = SITE.lines().map(str::to_owned).collect();
    let own = [
        "[[step]]",
        "[step]",
        "name = \"x\"",
        "[audience]",
        "a = {}",
        "a = []",
        "[notice.a]",
        "at = \"T-9d\"",
        "at = 3",
        "audience = \"a\"",
        "[acknowledgement.a]",
        "grade = \"possessed\"",
        "remind = [\"T\", 3]",
        "due = 1979-05-27",
        "escalate = [{ at = \"T\" }]",
        "[gate.a]",
        "share = nan",
        "[[roster]]",
        "roster = 3",
        "[a",
        "\"\" = 1",
        "x.y.z = 1",
        "follows = \"x\"",
        "rename = { from = \"{a}\" }",
        "[package.\"../../etc\"]",
        "[mail.dkim]",
        "[mail.domain.\"*\"]",
        "transport = \"smtp://u:p@h\"",
    ];
    let line = proptest::sample::select(lines.into_iter().chain(own.map(str::to_owned)).collect::<Vec<_>>());
    proptest::collection::vec(line, 0..40).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "\\PC*|(?s).{0,200}") {
        findings(&text);
    }

    #[test]
    fn arbitrary_pieces_never_panic_and_every_complaint_has_a_place(text in fragments()) {
        if let Err(fault) = read(&text) {
            for finding in &fault.findings {
                let place = finding.place.as_ref().expect("a place");
                prop_assert!(place.line > 0 && place.line as usize <= text.lines().count() + 1, "{finding:?}");
            }
        }
        findings(&text);
    }
}

#[test]
fn nesting_and_length_are_bounded() {
    for text in [
        format!("a = {}", "[".repeat(100_000)),
        format!("{} = 1", vec!["a"; 100_000].join(".")),
        format!("[{}]", vec!["a"; 100_000].join(".")),
        format!("{SITE}{} = 1", "k".repeat(500_000)),
        format!("[campaign]\nplaybook = \"{}\"", "p".repeat(500_000)),
    ] {
        let fault = read(&text).expect_err("no campaign");
        assert!(fault.findings.iter().all(|finding| finding.cause.len() + finding.remedy.len() < 2000));
    }
}

#[test]
fn thousands_of_wrong_keys_are_all_told_in_good_time() {
    let keys: String = (0..5000).map(|n| format!("[notice.n{n}]\naudiense = \"everyone\"\n")).collect();
    let told = findings(&format!("{SITE}{keys}"));
    assert_eq!(told.matches("unknown-key").count(), 5000);
    assert_eq!(told.matches("missing-key").count(), 5000);
}

#[test]
fn a_secret_is_never_shown_again() {
    let text =
        SITE.replace("[msmail]", "password = \"hunter2\"\ntransport = \"smtp://desk:hunter2@mail.example\"\n[msmail]");
    let told = findings(&text);
    assert_eq!(told.matches("password-in-file").count(), 2);
    assert!(!told.contains("hunter2"), "{told}");
}
