//! Guessing is slowed and stopped, for a person and for an address, and a human hears of it.

use super::*;
use crate::ledger::{Attempt, Ledger};

/// Wrong tries in the past, as the page would have counted them.
fn guessed(desk: &Desk, person: &str, times: u32, source: &str) {
    let mut ledger = Ledger::open(&desk.root.join(".flagday")).unwrap();
    for n in 0..times {
        let attempt = Attempt {
            at: Real.now() - chrono::Duration::minutes(i64::from(times - n) * 2),
            person,
            acknowledgement: "disk-received",
            revision: 1,
            source,
            from: "198.51.100.x",
        };
        ledger.try_answer(&attempt, None, |refusal| format!("{refusal:?}")).unwrap();
    }
}

#[test]
fn the_tenth_wrong_try_shuts_the_page_for_this_person() {
    let desk = Desk::new();
    let page = desk.page(ANNA);
    guessed(&desk, "LINDBERG", 9, "elsewhere");
    let nonce = desk.get(&page).nonce().unwrap();
    desk.answer(&page, "done", "ABCD-EFGH").ends(403).says("Please call us");
    desk.get(&page).ends(403).says("Please call us");
    let right = format!("nonce={nonce}&answer=done&typed={}", desk.code("LINDBERG"));
    desk.send("POST", &page, &right).ends(403);
    assert_eq!(desk.grade(ANNA), Grade::Sent);
    let status = crate::report::status::Status::of(&desk.engine()).unwrap();
    assert!(
        status.tasks.iter().any(|task| task.what.contains("shut for them: call Anna Lindberg")),
        "{:?}",
        status.tasks
    );
    desk.answer(&desk.page(KAETHE), "done", &desk.code("WEISS")).ends(303);
}

#[test]
fn a_hundred_wrong_tries_a_day_shut_the_address_for_everybody() {
    let desk = Desk::new();
    let source = desk.site.keys.source([192, 0, 2, 77].into());
    for n in 0..20 {
        guessed(&desk, &format!("somebody {n}"), 5, &source);
    }
    let page = desk.page(ANNA);
    desk.answer(&page, "done", &desk.code("LINDBERG")).ends(429).says("Not today");
    assert_eq!(desk.grade(ANNA), Grade::Sent);
    let nonce = desk.get(&page).nonce().unwrap();
    let request = Request::builder()
        .method("POST")
        .uri(&page)
        .header(header::HOST, PUBLIC)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let body = format!("nonce={nonce}&answer=done&typed={}", desk.code("LINDBERG"));
    desk.ask(request, "198.51.100.9:4000", body).ends(303);
    assert_eq!(desk.grade(ANNA), Grade::Possessed, "from elsewhere it works");
}

#[test]
fn two_answers_at_once_are_one() {
    let desk = Desk::new();
    let claims = claims(&desk, ANNA);
    let (code, root) = (desk.code("LINDBERG"), &desk.root);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let said = crate::engine::Said::Done(code.clone());
                let mut engine = Engine::open(root, &Real).unwrap();
                let outcome = engine.answer_on_page(&claims, &said, [192, 0, 2, 1].into()).unwrap();
                assert_eq!(outcome, Some(crate::engine::Outcome::Recorded));
            });
        }
    });
    assert_eq!(desk.answers("LINDBERG").len(), 1);
}

#[test]
fn an_answer_is_taken_while_a_run_holds_the_campaign() {
    let desk = Desk::new();
    let _lock = crate::ledger::Lock::take(&desk.root.join(".flagday"), "send", Real.now()).unwrap();
    desk.answer(&desk.page(ANNA), "done", &desk.code("LINDBERG")).ends(303);
    assert_eq!(desk.grade(ANNA), Grade::Possessed);
}

#[test]
fn a_flood_from_one_address_is_told_to_wait() {
    let desk = Desk::new();
    let page = desk.page(ANNA);
    let replies: Vec<u16> = (0..60).map(|_| desk.get(&page).status.as_u16()).collect();
    assert!(replies[..40].iter().all(|status| *status == 200), "{replies:?}");
    assert!(replies[40..].contains(&429), "{replies:?}");
}

fn claims(desk: &Desk, (person, acknowledgement): (&str, &str)) -> Claims {
    let keys = &desk.site.keys;
    let expires = Real.now() + chrono::Duration::days(1);
    Claims { revision: 1, expires, whom: keys.whom(person, acknowledgement) }
}

#[test]
fn a_link_that_expired_or_was_altered_gets_the_same_answer_as_any_text() {
    let desk = Desk::new();
    let expired = Claims { expires: Real.now() - chrono::Duration::minutes(2), ..claims(&desk, ANNA) };
    let nobody = Claims { whom: desk.site.keys.whom("NOBODY", "disk-received"), ..claims(&desk, ANNA) };
    let other = crate::answer::LinkKeys::new(&[1; 32], "corp-hq-serial", 1);
    let keys = &desk.site.keys;
    let good = keys.link(&claims(&desk, ANNA));
    let mut flipped = good.clone().into_bytes();
    flipped[20] ^= 1;
    let links = [
        keys.link(&expired),
        keys.link(&nobody),
        other.link(&claims(&desk, ANNA)),
        String::from_utf8(flipped).unwrap(),
        good[..39].to_owned(),
        "x".to_owned(),
        "%00%ff".to_owned(),
    ];
    let replies: Vec<Reply> = links.iter().map(|link| desk.get(&format!("/c/{link}"))).collect();
    for reply in &replies {
        reply.ends(404).says("This link is not valid");
        assert_eq!(reply.body, replies[0].body);
        assert_eq!(reply.headers.len(), replies[0].headers.len());
    }
    for link in &links {
        desk.send("POST", &format!("/c/{link}"), "nonce=x&answer=done&typed=LINDBERG").ends(404);
    }
    desk.get(&format!("/c/{good}")).ends(200);
}
