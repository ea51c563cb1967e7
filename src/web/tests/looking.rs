//! Whatever looks at the page (scanners, prefetchers, crawlers) changes nothing and learns nothing.

use super::*;

#[test]
fn looking_in_every_way_changes_nothing() {
    let desk = Desk::new();
    let pages = [ANNA, KAETHE, ELENA].map(|one| desk.page(one));
    let before = desk.engine().ledger().audit_head().unwrap();
    for page in &pages {
        desk.get(page).ends(200);
        let head = desk.send("HEAD", page, "");
        assert_eq!((head.status, head.body.as_str()), (StatusCode::OK, ""));
        for method in ["OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"] {
            desk.send(method, page, "answer=done&typed=LINDBERG").ends(405);
        }
        desk.get(&format!("{page}?answer=done&typed=LINDBERG")).ends(200);
    }
    assert_eq!(desk.engine().ledger().audit_head().unwrap(), before);
}

#[test]
fn robots_that_send_forms_raise_no_grade() {
    let desk = Desk::new();
    for (n, (one, page)) in [ANNA, KAETHE, ELENA].map(|one| (one, desk.page(one))).into_iter().enumerate() {
        desk.from(n as u8);
        let form = desk.get(&page);
        let nonce = form.nonce().unwrap();
        // Empty, as it stands, without its nonce, with another page's, with every word of the page itself.
        desk.send("POST", &page, "").ends(422);
        desk.send("POST", &page, "answer=done&typed=x").ends(422);
        for answer in ["done", "help", "not-me", "somebody-else"] {
            desk.send("POST", &page, &format!("nonce={nonce}&answer={answer}&typed=")).ends(422);
            desk.send("POST", &page, &format!("nonce={nonce}&answer={answer}")).ends(422);
            desk.send("POST", &page, &format!("nonce={nonce}&answer={answer}&typed=%20%09")).ends(422);
        }
        desk.send("POST", &page, &format!("nonce=&answer=done&typed={}", one.0)).ends(400);
        desk.send("POST", &page, &format!("nonce={nonce}&answer=confirm&typed={}", one.0)).ends(400);
        assert_eq!(desk.grade(one), Grade::Sent);
        assert_eq!(desk.answers(one.0), []);
    }
    desk.from(9);
    let page = desk.page(KAETHE);
    for answer in ["done", "help", "not-me", "somebody-else"] {
        desk.answer(&page, answer, "test@example.com");
    }
    assert_eq!(desk.grade(KAETHE), Grade::Sent, "junk in every field");
}

#[test]
fn no_word_of_the_page_is_what_has_to_be_typed() {
    let desk = Desk::new();
    for (person, page) in [ANNA, KAETHE, ELENA].map(|one| (one.0, desk.page(one))) {
        let body = desk.get(&page).body.to_lowercase();
        let roster = desk.engine().roster;
        let person = roster.get(person).unwrap();
        for column in ["mailbox", "email", "hexid", "phone"] {
            let value = person.column(column).filter(|value| !value.is_empty());
            assert!(value.is_none_or(|value| !body.contains(&value.to_lowercase())), "{column}");
        }
        for word in person.name.split_whitespace() {
            assert!(!body.contains(&word.to_lowercase()), "{word}");
        }
        assert!(!body.contains("32-20977") && !body.contains("32-10411"), "a serial number");
    }
    let code = desk.code("LINDBERG");
    assert!(!desk.get(&desk.page(ANNA)).body.contains(&code));
}

#[test]
fn the_page_speaks_the_persons_language() {
    let desk = Desk::new();
    desk.get(&desk.page(ANNA)).says("<html lang=\"en\">").says("A. L.").says("The code from your package");
    let german = desk.get(&desk.page(KAETHE));
    german
        .says("<html lang=\"de\">")
        .says("K. W.")
        .says("Der Code aus Ihrem Paket")
        .says("Mittwoch, 12. Dezember 2096");
    desk.get(&desk.page(ELENA)).says("The word that our notice asks for");
}

#[test]
fn every_answer_carries_the_headers_that_keep_it_to_itself() {
    let desk = Desk::new();
    let page = desk.page(ANNA);
    for reply in
        [desk.get(&page), desk.get("/c/x"), desk.get("/nothing"), desk.answer(&page, "done", "x"), desk.here("/")]
    {
        assert_eq!(reply.header("x-frame-options"), "DENY");
        assert_eq!(reply.header("referrer-policy"), "no-referrer");
        assert_eq!(reply.header("cache-control"), "no-store");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        let policy = reply.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("script"), "{policy}");
        assert_eq!(reply.header("set-cookie"), "");
        assert!(!reply.body.contains("<script"));
    }
}

#[test]
fn the_stylesheet_in_the_page_is_the_one_that_the_policy_names() {
    use base64::Engine as _;
    use sha2::Digest;
    let desk = Desk::new();
    let reply = desk.get(&desk.page(ANNA));
    let (_, rest) = reply.body.split_once("<style>").unwrap();
    let (style, _) = rest.split_once("</style>").unwrap();
    let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(style));
    assert!(reply.header("content-security-policy").contains(&format!("'sha256-{hash}'")));
}

#[test]
fn the_log_knows_no_link_and_no_whole_address() {
    let desk = Desk::new();
    let page = desk.page(ANNA);
    desk.get(&page);
    desk.answer(&page, "done", &desk.code("LINDBERG"));
    let lines = desk.lines.lock().unwrap().join("\n");
    assert!(lines.contains("POST /c/… 303") && lines.contains("192.0.2.x"), "{lines}");
    for secret in [page.strip_prefix("/c/").unwrap(), "192.0.2.77", &desk.code("LINDBERG"), "LINDBERG"] {
        assert!(!lines.contains(secret), "{lines}");
    }
}
