//! Who gets in where: names in `Host`, sizes, the operator's pages.

use super::*;
use crate::fault::Finding;
use crate::ledger::Ledger;
use crate::outbox::{Queue, Suspended};
use base64::Engine as _;

fn under(desk: &Desk, host: &str, path: &str, peer: &str) -> Reply {
    desk.ask(Request::builder().uri(path).header(header::HOST, host), peer, "")
}

#[test]
fn only_our_own_names_are_answered() {
    let desk = Desk::new();
    let page = desk.page(ANNA);
    for host in [PUBLIC, "FLAGDAY.corp.example:443", LOCAL, "localhost:8480"] {
        under(&desk, host, &page, "192.0.2.1:1").ends(200);
    }
    for host in ["evil.example", "flagday.corp.example.evil.example", "flagday.corp.example:8080", "127.0.0.1", ""] {
        under(&desk, host, &page, "192.0.2.1:1").ends(421);
    }
    let twice = Request::builder().uri(&page).header(header::HOST, PUBLIC).header(header::HOST, "evil.example");
    desk.ask(twice, "192.0.2.1:1", "").ends(421);
    desk.ask(Request::builder().uri(&page), "192.0.2.1:1", "").ends(421);
    under(&desk, "whatever", "/healthz", "192.0.2.1:1").ends(200).says("ok");
}

#[test]
fn a_form_larger_than_sixteen_kibibytes_or_of_another_kind_is_refused() {
    let desk = Desk::new();
    let page = desk.page(ANNA);
    let nonce = desk.get(&page).nonce().unwrap();
    let form = |typed: String| format!("nonce={nonce}&answer=help&typed={typed}");
    desk.send("POST", &page, &form("a".repeat(15_000))).ends(303);
    desk.send("POST", &page, &form("a".repeat(17_000))).ends(413);
    desk.send("POST", &page, &format!("{}&more=1", form("x".into()))).ends(422);
    desk.send("POST", &page, &format!("{0}&{0}", form("x".into()))).ends(422);
    let json = Request::builder()
        .method("POST")
        .uri(&page)
        .header(header::HOST, PUBLIC)
        .header(header::CONTENT_TYPE, "application/json");
    desk.ask(json, "192.0.2.77:1", format!("{{\"nonce\":\"{nonce}\"}}")).ends(415);
    assert_eq!(desk.answers("LINDBERG").len(), 1);
    assert!(desk.answers("LINDBERG")[0].detail.len() < 500);
}

#[test]
fn another_site_cannot_send_the_form() {
    let desk = Desk::new();
    let page = desk.page(ANNA);
    let nonce = desk.get(&page).nonce().unwrap();
    let foreign = desk.get(&desk.page(KAETHE)).nonce().unwrap();
    let code = desk.code("LINDBERG");
    desk.send("POST", &page, &format!("nonce={foreign}&answer=done&typed={code}")).ends(400);
    let cross = Request::builder()
        .method("POST")
        .uri(&page)
        .header(header::HOST, PUBLIC)
        .header("sec-fetch-site", "cross-site")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    desk.ask(cross, "192.0.2.77:1", format!("nonce={nonce}&answer=done&typed={code}")).ends(400);
    assert_eq!(desk.grade(ANNA), Grade::Sent);
}

#[test]
fn that_delivery_is_paused_is_seen_by_whoever_watches() {
    let desk = Desk::new();
    let finding = Finding::error("smtp-password", "the login of kim@corp.example is refused", "correct it");
    let suspended =
        Suspended::after(None, "smtp-password".into(), &desk.engine().mail_settings(), &finding, Real.now());
    let mut ledger = Ledger::open(&desk.root.join(".flagday")).unwrap();
    ledger.suspend(&suspended, &[], Real.now()).unwrap();
    ledger.flush().unwrap();
    let overview = desk.here("/");
    overview.ends(200).says("Delivery is paused until");
    assert!(!overview.body.contains("kim@"), "why is for the operator alone");
    desk.here("/metrics").ends(200).says("flagday_delivery_paused 1\n");
}

#[test]
fn that_nothing_can_be_sent_is_seen_while_something_waits_for_it() {
    let desk = Desk::new();
    let finding = Finding::error("smtp-refused", "mail.corp.example:25: no connection", "start it");
    let note = || {
        let mut ledger = Ledger::open(&desk.root.join(".flagday")).unwrap();
        ledger.note_outage(Some(&finding), &desk.engine().mail_settings(), Real.now()).unwrap();
    };
    note();
    desk.here("/metrics").ends(200).says("flagday_mail_server_unreached 0\n");
    // Stopped before it could leave: it waits.
    let (kim, stop) = (To::People(vec!["KIM".to_owned()]), AtomicBool::new(true));
    desk.engine().send(Some("local-change-date"), &kim, None, false, &stop, &mut |_| {}).unwrap();
    note();
    desk.here("/").ends(200).says("Nothing could be sent since");
    desk.here("/metrics").ends(200).says("flagday_mail_server_unreached 1\n");
}

#[test]
fn the_overview_has_numbers_for_this_machine_and_names_for_the_operator_alone() {
    let desk = Desk::new();
    desk.answer(&desk.page(ANNA), "done", &desk.code("LINDBERG"));
    desk.answer(&desk.page(KAETHE), "help", "lost it");
    let overview = desk.here("/");
    overview.ends(200).says("4 of 4 gates are held").says("1 of 12").says("off: this server shows pages only");
    let metrics = desk.here("/metrics");
    metrics.ends(200).says("flagday_gate_satisfied{gate=\"disks-held\"} 1\n").says("flagday_people 45\n");
    metrics
        .says("flagday_messages{state=\"sent\"} 17\n")
        .says("flagday_http_requests_total{page=\"/c/…\",status=\"303\"} 2");
    for person in desk.engine().roster.people() {
        for text in [&overview.body, &metrics.body] {
            let named = |word: &str| text.contains(&format!(">{word}<")) || text.contains(&format!("\"{word}\""));
            assert!(
                !named(&person.id) && (!person.name.contains(' ') || !text.contains(&person.name)),
                "{}",
                person.id
            );
        }
    }
    for path in ["/", "/metrics", "/blocking"] {
        under(&desk, PUBLIC, path, "192.0.2.1:1").ends(401);
        under(&desk, PUBLIC, path, "127.0.0.1:1").ends(401);
        let here = || Request::builder().uri(path).header(header::HOST, LOCAL);
        for header in ["x-forwarded-for", "x-forwarded-host", "forwarded", "x-real-ip", "via"] {
            desk.ask(here().header(header, "192.0.2.1"), "127.0.0.1:1", "").ends(401);
        }
        // A bare web server on this machine, which names us as it calls us.
        desk.ask(here().version(axum::http::Version::HTTP_10), "127.0.0.1:1", "").ends(401);
        desk.ask(here(), "192.0.2.1:1", "").ends(401);
    }
    let password = fs_err::read_to_string(desk.root.join(".flagday/operator")).unwrap();
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("pat:{password}"));
    let with = |path: &str, authorization: String| {
        let request = Request::builder().uri(path).header(header::HOST, PUBLIC).header("authorization", authorization);
        desk.ask(request, "192.0.2.1:1", "")
    };
    with("/blocking", format!("Basic {pair}")).ends(200).says("WEISS").says("lost it");
    with("/metrics", format!("Bearer {password}")).ends(200);
    with("/blocking", format!("Bearer {}", &password[1..])).ends(401);
    desk.here("/blocking").ends(401);
}

#[test]
fn what_the_rounds_do_shows() {
    let desk = Desk::new();
    *desk.site.beat.lock().unwrap() =
        Beat { scheduled: true, last: Some(Default::default()), rounds: 3, failures: 1, next: None };
    desk.here("/").says("3 rounds, the last at 1970-01-01 00:00:00 UTC, 1 failed");
    desk.here("/metrics").says("flagday_rounds_total 3\n").says("flagday_scheduler_up 1\n");
}

#[test]
fn a_campaign_that_cannot_be_read_says_so_and_recovers() {
    let desk = Desk::new();
    let (page, file) = (desk.page(ANNA), desk.root.join("flagday.toml"));
    let text = fs_err::read_to_string(&file).unwrap();
    fs_err::write(&file, "[").unwrap();
    desk.get(&page).ends(503).says("please try again");
    desk.here("/").ends(503);
    desk.get("/healthz").ends(200);
    fs_err::write(&file, text).unwrap();
    desk.get(&page).ends(200);
}

#[test]
fn raising_the_key_number_makes_old_links_worthless() {
    let old = Desk::new();
    let new = Desk::with("link_key = 2");
    fs_err::copy(old.root.join(".flagday/secret"), new.root.join(".flagday/secret")).unwrap();
    let engine = new.engine();
    assert_ne!(
        engine.link_keys().open(&old.page(ANNA)[3..], Real.now()),
        old.site.keys.open(&old.page(ANNA)[3..], Real.now())
    );
    new.get(&old.page(ANNA)).ends(404);
}
