//! Every built-in notice as one person reads it, and one letter byte for byte.

use super::*;
use crate::roster::Person;

fn texts() -> Texts {
    let (texts, findings) = Texts::load(&sample::campaign());
    assert_eq!(findings, []);
    texts
}

fn rendered(notice: &str, person: &Person, code_asked: bool) -> Rendered {
    rendered_by(&texts(), sample::full_for(person, notice), notice, person, code_asked)
}

fn rendered_by(texts: &Texts, mut context: Context, notice: &str, person: &Person, code_asked: bool) -> Rendered {
    context.change.own_local = None;
    if !matches!(notice, "reminder" | "escalation" | "abort") {
        context.notice.reason = None;
    }
    let ack = context.ack.as_mut().unwrap();
    ack.code_asked = code_asked;
    ack.link = None;
    texts.render(notice, person.language.as_deref(), &context).unwrap()
}

fn page(rendered: &Rendered) -> String {
    format!("Subject: {}\n\n{}\n", rendered.subject, rendered.text)
}

#[test]
fn every_notice_reads_well() {
    let kim = sample::person();
    for (notice, code_asked) in [
        ("change-date", true),
        ("new-serial", false),
        ("local-change-date", false),
        ("reminder", true),
        ("escalation", true),
        ("broadcast", false),
        ("all-clear", false),
        ("abort", false),
        ("postponed", false),
        ("outdated-answer", true),
        ("amendment", true),
        ("correction", true),
    ] {
        insta::assert_snapshot!(notice, page(&rendered(notice, &kim, code_asked)));
    }
    insta::assert_snapshot!("reminder-word", page(&rendered("reminder", &kim, false)));
}

#[test]
fn what_must_not_be_missed_is_told_in_german_too() {
    let kim = Person { language: Some("de".to_owned()), ..sample::person() };
    for notice in ["change-date", "reminder", "amendment", "escalation", "correction", "abort", "outdated-answer"] {
        insta::assert_snapshot!(format!("{notice}-de"), page(&rendered(notice, &kim, true)));
    }
}

#[test]
fn the_html_says_the_same_and_asks_for_nothing_from_elsewhere() {
    let kim = sample::person();
    let german = Person { language: Some("de".to_owned()), ..sample::person() };
    let notices = [
        "change-date",
        "new-serial",
        "local-change-date",
        "reminder",
        "escalation",
        "all-clear",
        "abort",
        "correction",
        "outdated-answer",
    ];
    for (notice, person) in notices.iter().flat_map(|notice| [(*notice, &kim), (*notice, &german)]) {
        let html = rendered(notice, person, true).html.unwrap();
        for banned in ["<img", "<script", "<form", "<link", "<style", "url(", "src="] {
            assert!(!html.contains(banned), "{notice}: {banned}");
        }
        for tag in ["table", "tr", "td", "p", "ol", "ul", "b", "html", "body", "head"] {
            let open = html.matches(&format!("<{tag}>")).count() + html.matches(&format!("<{tag} ")).count();
            assert_eq!(open, html.matches(&format!("</{tag}>")).count(), "{notice}: {tag}");
        }
    }
    insta::assert_snapshot!("change-date-html", rendered("change-date", &kim, true).html.unwrap());
}

#[test]
fn the_first_three_lines_tell_what_to_do_by_when() {
    let kim = sample::person();
    for notice in ["change-date", "new-serial", "reminder", "escalation", "outdated-answer"] {
        let text = rendered(notice, &kim, true).text;
        let first: Vec<_> = text.lines().take(3).collect();
        assert!(first[0].starts_with("What to do: "), "{notice}: {first:?}");
        assert!(first[1].ends_with("Wednesday, 9 December 2026, 09:00 CST (America/Chicago)"), "{notice}: {first:?}");
        assert!(first[2].starts_with("The change: "), "{notice}: {first:?}");
    }
}

#[test]
fn built_in_lines_need_no_wrapping_at_a_mail_gateway() {
    let mut long = vec![];
    for (path, _) in FILES.iter().filter(|(path, _)| path.contains("/text.")) {
        let notice = path.split('/').next().unwrap();
        let language = path.contains(".de.").then(|| "de".to_owned());
        for code_asked in [true, false] {
            let text = rendered(notice, &Person { language: language.clone(), ..sample::person() }, code_asked).text;
            let (ascii, _) = transliterate::to_ascii(&text);
            long.extend(ascii.lines().filter(|line| line.len() > 75).map(|line| format!("{path}: {line}")));
        }
    }
    assert_eq!(long, Vec::<String>::new());
}

/// What a campaign without disks and postoffices sends, with what it knows of itself.
fn without_disks(playbook: Option<&str>, notice: &str, person: &Person, code_asked: bool) -> Rendered {
    let texts = Texts::shipped(playbook);
    let mut context = sample::full_for(person, notice);
    context.campaign.disks = false;
    context.campaign.title = "New Corp VPN certificates".to_owned();
    context.facts.clear();
    context.outdated.as_mut().unwrap().subject = "2026-12-05: the old one ends".to_owned();
    context.notice.changes.retain(|change| change.kind != "fact");
    rendered_by(&texts, context, notice, person, code_asked)
}

const CREDENTIALS: Option<&str> = Some("credential-rotation");

#[test]
fn new_credentials_are_told_of_in_both_languages() {
    let kim = Person { mailbox: None, ..sample::person() };
    let german = Person { language: Some("de".to_owned()), ..kim.clone() };
    for (notice, code_asked) in [
        ("new-credential", true),
        ("partner-change-date", false),
        ("partner-check", false),
        ("reminder", true),
        ("all-clear", false),
        ("abort", false),
        ("postponed", false),
    ] {
        for (person, tag) in [(&kim, ""), (&german, "-de")] {
            let rendered = without_disks(CREDENTIALS, notice, person, code_asked);
            assert!(rendered.html.is_some(), "{notice}{tag}");
            insta::assert_snapshot!(format!("credentials-{notice}{tag}"), page(&rendered));
        }
    }
    insta::assert_snapshot!("announcement", page(&without_disks(None, "announcement", &kim, true)));
}

#[test]
fn where_there_is_no_disk_no_letter_speaks_of_one() {
    let kim = Person { mailbox: None, ..sample::person() };
    let german = Person { language: Some("de".to_owned()), ..kim.clone() };
    let shared = ["announcement", "reminder", "escalation", "all-clear", "abort", "postponed", "amendment"];
    let of_itself = ["outdated-answer", "correction"];
    let own = ["new-credential", "partner-change-date", "partner-check"];
    let mut wrong = Vec::new();
    for (playbook, more) in [(None, &[][..]), (CREDENTIALS, &own[..])] {
        for notice in shared.iter().chain(&of_itself).chain(more) {
            for (person, code_asked) in [(&kim, true), (&kim, false), (&german, true), (&german, false)] {
                let letter = without_disks(playbook, notice, person, code_asked);
                let words =
                    [letter.subject, letter.text.clone(), letter.html.unwrap_or_default()].join("\n").to_lowercase();
                let speaks =
                    ["disk", "serial", "postoffice", "address list"].iter().find(|word| words.contains(**word));
                wrong.extend(speaks.map(|word| format!("{playbook:?} {notice}: {word}")));
                let (ascii, _) = transliterate::to_ascii(&letter.text);
                let long = ascii.lines().filter(|line| line.len() > 75);
                wrong.extend(long.map(|line| format!("{playbook:?} {notice}: {line}")));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_whole_letter() {
    let kim = sample::person();
    let header = Header {
        attachments: vec![Attachment { size: 0, sha256: EMPTY.to_owned(), ..sample::attachment() }],
        ..sample::header()
    };
    let rendered = rendered("change-date", &kim, true);
    let nothing: Open = &|_| Ok(Box::new(std::io::empty()));
    let page = |letter: Letter| {
        let mut out = Vec::new();
        letter.write(&mut out, nothing).unwrap();
        String::from_utf8(out).unwrap().replace("\r\n", "\n")
    };
    insta::assert_snapshot!("letter-mime", page(mime::compose(&rendered, &header).unwrap()));
    insta::assert_snapshot!(
        "letter-rfc1154",
        page(rfc1154::compose(&rendered, &header, "abcdefghijklmnop").unwrap().0)
    );
}

/// SHA-256 of nothing.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
