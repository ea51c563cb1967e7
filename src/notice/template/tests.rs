use super::*;
use crate::notice::sample;
use proptest::prelude::*;

/// A campaign with templates of its own, and where they stand.
fn site(files: &[(&str, &str)]) -> (tempfile::TempDir, Campaign) {
    let root = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = root.path().join("templates/mail").join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, content).unwrap();
    }
    let campaign = Campaign { root: root.path().to_owned(), ..sample::campaign() };
    (root, campaign)
}

fn load(files: &[(&str, &str)]) -> (Texts, Vec<Finding>) {
    let (_root, campaign) = site(files);
    Texts::load(&campaign)
}

fn built_in() -> Texts {
    let (texts, findings) = Texts::load(&sample::campaign());
    assert_eq!(findings, []);
    texts
}

#[test]
fn the_built_in_templates_are_without_findings_and_name_no_foreign_column() {
    assert_eq!(built_in().check_columns(&BTreeSet::new()), []);
}

#[test]
fn a_missing_variable_is_an_error_with_its_place() {
    let mut context = sample::full();
    context.package = None;
    let finding = built_in().render("change-date", None, &context).unwrap_err();
    assert!(finding.cause.contains("'package.files'"), "{finding:?}");
    let place = finding.place.unwrap();
    assert!(place.to_string().starts_with("(built-in)/templates/mail/change-date/text.hbs:"), "{place}");
    let line = place.line as usize;
    let source = include_str!("../../../templates/mail/change-date/text.hbs");
    assert_eq!(source.lines().nth(line - 1), Some("{{#each package.files}}"));
    assert!(built_in().render("nothing", None, &sample::full()).unwrap_err().cause.contains("'nothing'"));
}

#[test]
fn a_missing_variable_in_a_partial_names_the_partial() {
    let (texts, findings) =
        load(&[("partials/footer.text.hbs", "\nBye {{person.phone}}"), ("abort/text.hbs", "x {{> footer}}")]);
    assert_eq!(findings, []);
    let mut context = sample::full();
    context.person.remove("phone");
    let place = texts.render("abort", None, &context).unwrap_err().place.unwrap();
    assert!(place.file.ends_with("partials/footer.text.hbs"), "{place}");
    assert_eq!((place.line, place.column), (2, 5));
}

#[test]
fn the_language_falls_back_to_its_base_and_then_to_none() {
    let texts = built_in();
    let text = |language| texts.render("change-date", language, &sample::full()).unwrap();
    for german in ["de", "DE", "de-AT", "de_CH"] {
        let rendered = text(Some(german));
        assert!(rendered.subject.contains("Diskette aufheben"), "{german}");
        assert!(rendered.text.contains("Fragen, oder stimmt etwas nicht?"), "{german}: the partial too");
        assert!(rendered.html.unwrap().contains("lang=\"de\""), "{german}");
    }
    for other in [None, Some("fr"), Some("")] {
        assert!(text(other).subject.contains("keep this disk"), "{other:?}");
    }
    let (texts, findings) = load(&[("new-serial/subject.hbs", "Only in English"), ("new-serial/text.hbs", "Hello")]);
    assert_eq!(findings, []);
    let own = texts.render("new-serial", Some("de"), &sample::full()).unwrap();
    assert_eq!((own.text.as_str(), own.html), ("Hello", None), "own words in one language are everybody's");
}

#[test]
fn every_built_in_text_is_there_in_the_same_languages() {
    let mut languages: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (path, _) in crate::notice::FILES {
        let (folder, file) = path.rsplit_once('/').unwrap();
        let parts: Vec<&str> = file.split('.').collect();
        let (piece, language) = match (folder, parts.as_slice()) {
            ("partials", [_, _, "hbs"]) | (_, [_, "hbs"]) => (path.strip_suffix(".hbs").unwrap(), "en"),
            (_, [.., language, "hbs"]) => (path.strip_suffix(&format!(".{language}.hbs")).unwrap(), *language),
            _ => panic!("{path}"),
        };
        languages.entry(piece).or_default().insert(language);
    }
    assert!(languages.len() > 30);
    let apart: Vec<_> = languages.iter().filter(|(_, all)| **all != BTreeSet::from(["de", "en"])).collect();
    assert!(apart.is_empty(), "{apart:?}");
}

#[test]
fn a_text_of_the_campaign_is_not_hidden_by_html_that_says_something_else() {
    let (texts, findings) = load(&[
        ("change-date/text.hbs", "Own words"),
        ("reminder/text.fr.hbs", "Bonjour"),
        ("reminder/text.hbs", "Hello"),
        ("reminder/html.hbs", "<p>Hello"),
    ]);
    assert_eq!(findings, []);
    let own = texts.render("change-date", Some("de"), &sample::full()).unwrap();
    assert_eq!((own.text.as_str(), own.html), ("Own words", None));
    let french = texts.render("reminder", Some("fr"), &sample::full()).unwrap();
    assert_eq!((french.text.as_str(), french.html), ("Bonjour", None));
    assert_eq!(texts.render("reminder", None, &sample::full()).unwrap().html.as_deref(), Some("<p>Hello"));
}

#[test]
fn every_mistake_is_found_at_once_before_anything_leaves() {
    let (_, findings) = load(&[
        ("change-date/text.hbs", "Hello {{person.nmae}}\n{{#if typo}}x{{/if}}\n"),
        ("reminder/text.hbs", "{{#if ack}}"),
        ("reminder/subject.hbs", "{{upper campaign.title}}"),
        ("abort/html.hbs", "<p>{{{campaign.title}}}"),
        ("all-clear/text.hbs", "{{> fotter}}"),
        ("escalation/txt.hbs", ""),
    ]);
    let mut said: Vec<_> = findings
        .iter()
        .map(|finding| {
            let place = finding.place.as_ref().unwrap();
            let folder = place.file.parent().unwrap().file_name().unwrap().to_string_lossy();
            let file = place.file.file_name().unwrap().to_string_lossy();
            format!("{folder}/{file}:{}:{} {}", place.line, place.column, finding.code)
        })
        .collect();
    said.sort();
    assert_eq!(
        said,
        [
            "abort/html.hbs:1:4 template-unescaped",
            "all-clear/text.hbs:1:1 template-partial",
            "change-date/text.hbs:2:1 template-name",
            "escalation/txt.hbs:0:0 template-file",
            "reminder/subject.hbs:1:1 template-helper",
            "reminder/text.hbs:1:12 template-syntax",
        ]
    );
}

#[test]
fn a_column_that_no_roster_has_is_found() {
    let (texts, findings) = load(&[("abort/text.hbs", "{{#if person.Flor}}x{{/if}}{{person.Room}}")]);
    assert_eq!(findings, []);
    let findings = texts.check_columns(&BTreeSet::from(["Room".to_owned()]));
    assert_eq!(findings.len(), 1);
    assert!(findings[0].cause.contains("'Flor'"));
    let quote = findings[0].quote.as_ref().map(|quote| quote.line.as_str());
    assert_eq!(quote, Some("{{#if person.Flor}}x{{/if}}{{person.Room}}"));
}

#[test]
fn a_notice_without_a_template_is_told_where_it_is_asked_for() {
    let mut campaign = sample::campaign();
    campaign.notices["abort"].template = "../../etc".to_owned();
    let (_, findings) = Texts::load(&campaign);
    assert_eq!(findings.len(), 2);
    assert!(findings.iter().all(|f| f.code == "template-missing" && f.place == Some(sample::place())));
}

#[test]
fn templates_of_notices_that_nobody_sends_may_name_what_is_not_there() {
    let mut campaign = sample::campaign();
    campaign.msmail = None;
    campaign.notices.retain(|name, _| matches!(name.as_str(), "reminder" | "abort" | "escalation" | "all-clear"));
    assert_eq!(Texts::load(&campaign).1, []);
}

#[test]
fn roster_data_is_never_a_template_and_never_markup() {
    let mut context = sample::full();
    context.person.insert("name".to_owned(), "{{facts.new_serial}} <b>O'Hara & Co</b>".to_owned());
    let rendered = built_in().render("change-date", None, &context).unwrap();
    assert!(rendered.text.contains("Hello {{facts.new_serial}} <b>O'Hara & Co</b>,"));
    let html = rendered.html.unwrap();
    assert!(html.contains("{{facts.new_serial}} &lt;b&gt;O&#x27;Hara &amp; Co&lt;/b&gt;"), "{html}");
}

#[test]
fn a_subject_is_one_line_without_surprises() {
    let (texts, findings) = load(&[("abort/subject.hbs", "{{campaign.title}}\n")]);
    assert_eq!(findings, []);
    let subject = |title: &str| {
        let mut context = sample::full();
        context.campaign.title = title.to_owned();
        texts.render("abort", None, &context).map(|rendered| rendered.subject)
    };
    assert_eq!(subject(" Änderung ").as_deref(), Ok("Änderung"));
    for refused in ["", "a\nb", "a\r\nBcc: x@y.example", "a\0", "a\u{85}b", "a\u{2028}b", &"x".repeat(201)] {
        let finding = subject(refused).unwrap_err();
        assert!(finding.cause.starts_with("the subject "), "{refused:?}: {}", finding.cause);
        assert!(finding.place.unwrap().file.ends_with("abort/subject.hbs"));
    }
}

#[test]
fn control_characters_and_floods_do_not_get_into_a_body() {
    let texts = built_in();
    let mut context = sample::full();
    context.notice.reason = Some("a\u{1b}[2Jb".to_owned());
    assert!(texts.render("abort", None, &context).unwrap_err().cause.contains("control"));
    context.notice.reason = Some("x".repeat(PART));
    assert!(texts.render("abort", None, &context).unwrap_err().cause.contains("256 KiB"));
}

#[test]
fn the_digest_follows_every_file_that_is_used_and_no_other() {
    let base = built_in();
    let digest = |texts: &Texts, template: &str| texts.digest(template, None);
    assert_eq!(digest(&base, "abort"), digest(&built_in(), "abort"));
    assert_eq!(digest(&base, "abort").len(), 64);
    assert_ne!(digest(&base, "abort"), digest(&base, "reminder"));
    let footer = load(&[("partials/footer.text.hbs", "Bye")]).0;
    assert_ne!(digest(&base, "abort"), digest(&footer, "abort"), "its partial changed");
    assert_eq!(digest(&base, "broadcast"), digest(&footer, "broadcast"), "it has no footer");
    let french = load(&[("reminder/text.fr.hbs", "Bonjour"), ("reminder/text.hbs", "Hello")]).0;
    let english = load(&[("reminder/text.hbs", "Hello")]).0;
    assert_eq!(digest(&french, "reminder"), digest(&english, "reminder"), "each language by itself");
    assert_ne!(french.digest("reminder", Some("fr")), digest(&french, "reminder"));
    assert_eq!(french.digest("abort", Some("fr")), digest(&french, "abort"), "there it says nothing of its own");
}

#[test]
fn everybody_hears_the_nearest_voice_even_one_that_is_gone() {
    let texts = load(&[("reminder/text.fr.hbs", "Bonjour")]).0;
    let hears = |language, voice| texts.hears(language, voice);
    assert!(hears(Some("fr_CA"), Some("fr")) && !hears(Some("fr-CA"), None) && hears(None, None));
    assert!(hears(Some("pl"), None) && hears(Some("pl"), Some("pl")) && !hears(Some("fr"), Some("pl")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_template_is_read_or_refused(source in "(\\{\\{[#/>!&*{]?[a-z@./ (\\[\"|=]{0,9}\\}?\\}\\}|[a-z \n]|\\PC){0,12}") {
        let (texts, findings) = load(&[("abort/text.hbs", &source)]);
        if findings.is_empty() {
            let _ = texts.render("abort", None, &sample::full());
        }
    }
}
