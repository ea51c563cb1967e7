//! The campaign words the pages as it likes, and what is wrong with that is found beforehand.

use super::*;
use crate::fault::Finding;
use crate::web::check_pages;

const CONFIRM: &str = include_str!("../../../templates/web/confirm.hbs");
const MESSAGE: &str = include_str!("../../../templates/web/message.hbs");

fn checked(pages: &[(&str, &str)]) -> Vec<Finding> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in pages {
        let file = folder.path().join("templates/web").join(name);
        fs_err::create_dir_all(file.parent().unwrap()).unwrap();
        fs_err::write(file, text).unwrap();
    }
    check_pages(folder.path())
}

#[test]
fn the_campaigns_own_pages_are_shown_and_take_answers() {
    let confirm = CONFIRM.replace("Please confirm", "Shipmates, speak up");
    let style = "body { color: navy; }";
    let desk = Desk::wording("", &[("confirm.hbs", &confirm), ("style.css", style)]);
    let page = desk.page(ANNA);
    let shown = desk.get(&page);
    shown.ends(200).says("Shipmates, speak up").says(style);
    // A general page of the campaign's speaks for the languages that the campaign does not word.
    desk.get(&desk.page(KAETHE)).says("Shipmates, speak up").says("lang=\"en\"");
    let hash = {
        use base64::Engine as _;
        use sha2::Digest;
        base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(style))
    };
    assert!(shown.header("content-security-policy").contains(&hash));
    desk.answer(&page, "done", &desk.code("LINDBERG")).ends(303);
    assert_eq!(desk.grade(ANNA), Grade::Possessed);
}

#[test]
fn another_language_is_a_file_more() {
    let french = CONFIRM.replace("Please confirm", "Veuillez confirmer");
    let desk = Desk::wording("", &[("confirm.fr.hbs", &french)]);
    let pages = &desk.site.pages;
    let mut data = super::super::samples::samples("confirm").remove(0).1;
    let text = pages.render("confirm", Some("fr-CA"), data.clone()).unwrap();
    assert!(text.contains("Veuillez confirmer") && text.contains("lang=\"fr\""));
    data["alert"] = serde_json::Value::Null;
    assert!(pages.render("confirm", Some("de"), data).unwrap().contains("Bitte"));
}

#[test]
fn what_would_leave_somebody_without_an_answer_is_found() {
    let typo = CONFIRM.replace("{{page.change}}", "{{page.chnage}}");
    let silent = CONFIRM.replace("{{#if alert.stale}}", "{{#if alert.stael}}");
    let formless = CONFIRM.replace("name=\"nonce\" value=\"{{nonce}}\"", "");
    let raw = CONFIRM.replace("{{contact}}", "{{{contact}}}");
    let open = CONFIRM.replace("{{/layout}}", "");
    let dumb = MESSAGE.replace("{{#if replaced}}", "{{#if locked}}");
    let frame = "<html><body>{{{style}}}</body></html>";
    for (name, text, code) in [
        ("confirm.hbs", typo.as_str(), "template-name"),
        ("confirm.hbs", &silent, "template-name"),
        ("confirm.fr.hbs", &formless, "template-page"),
        ("confirm.hbs", &raw, "template-unescaped"),
        ("confirm.hbs", &open, "template-syntax"),
        ("message.hbs", &dumb, "template-page"),
        ("layout.hbs", frame, "template-page"),
    ] {
        let findings = checked(&[(name, text)]);
        let found: Vec<_> = findings.iter().filter(|one| one.is_error()).map(|one| one.code).collect();
        assert!(found.contains(&code), "{name}: {findings:#?}");
        assert!(findings.iter().all(|one| one.place.as_ref().is_some_and(|place| place.file.ends_with(name))));
    }
    let place = checked(&[("confirm.hbs", &typo)]).remove(0).place.unwrap();
    assert_eq!(place.line as usize, CONFIRM.lines().position(|line| line.contains("{{page.change}}")).unwrap() + 1);
}

#[test]
fn what_no_browser_would_show_and_what_is_no_page_is_told() {
    let script = CONFIRM.replace("<h1>", "<script src=x></script><h1>");
    let findings = checked(&[("confirm.hbs", &script), ("dashboard.hbs", "x"), ("confirm.fr.html", "x")]);
    let codes: Vec<_> = findings.iter().map(|one| (one.code, one.is_error())).collect();
    assert_eq!(codes.iter().filter(|one| **one == ("template-file", false)).count(), 2, "{findings:#?}");
    assert!(codes.contains(&("template-blocked", false)));
    assert_eq!(checked(&[]), []);
    assert_eq!(checked(&[("confirm.hbs", CONFIRM), ("message.hbs", MESSAGE)]), []);
}
