//! The confirm page in a real browser (Chromium, by the WebDriver protocol) and in a text browser (w3m), and what a robot
//! that drives such a browser can do there: nothing.

use crate::harness::{Campaign, FUTURE, Served, http};
use crate::need::{CHROMEDRIVER, CHROMIUM, Need, W3M, command, output, trial};
use crate::server::{start_on_free_port, wait_for};
use libtest_mimic::Trial;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::process::{Child, Stdio};

const BROWSER: [Need; 2] = [CHROMIUM, CHROMEDRIVER];

pub fn trials() -> Vec<Trial> {
    vec![
        trial("a_person_answers_in_chromium", &BROWSER, a_person_answers),
        trial("robots_in_chromium_raise_no_grade", &BROWSER, robots_raise_nothing),
        trial("a_person_answers_in_a_text_browser", &[W3M], a_text_browser),
    ]
}

fn announced() -> (Campaign, Served) {
    let campaign = Campaign::ready().change_at(FUTURE);
    campaign.append("[web]\npublic_url = \"http://127.0.0.1:8480\"").run("build").ends(0);
    campaign.run("send change-date --yes").ends(0);
    let served = campaign.serve(|command| {
        command.args(["--pages-only", "--quiet"]);
    });
    (campaign, served)
}

fn grade(campaign: &Campaign, person: &str) -> String {
    let rows = campaign.run(&format!("who --person {person} --json")).ends(0).json();
    let rows = rows.as_array().or_else(|| rows["people"].as_array()).expect("rows").clone();
    rows[0]["grade"].as_str().expect("a grade").to_owned()
}

/// Chromium behind chromedriver (W3C WebDriver); both end with it.
struct Browser {
    driver: Child,
    address: SocketAddr,
    session: String,
}

impl Browser {
    fn start() -> Browser {
        let (driver, port) = start_on_free_port(|port| {
            command("chromedriver")
                .arg(format!("--port={port}"))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("chromedriver starts")
        });
        let mut browser = Browser { driver, address: ([127, 0, 0, 1], port).into(), session: String::new() };
        let arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
        let binary = crate::need::find("chromium").expect("named among the needs");
        let options = json!({ "binary": binary, "args": arguments });
        let capabilities = json!({ "alwaysMatch": { "browserName": "chrome", "goog:chromeOptions": options } });
        let opened = browser.call("POST", "session", &json!({ "capabilities": capabilities }));
        browser.session = opened["sessionId"].as_str().expect("a session").to_owned();
        browser
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        self.try_call(method, path, body).unwrap_or_else(|trouble| panic!("{method} {path}: {trouble}"))
    }

    fn try_call(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let head = format!("{method} /{path} HTTP/1.1\r\nContent-Type: application/json");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let reply = http::ask(self.address, &head, &body);
        if reply.status != 200 {
            return Err(reply.body);
        }
        let value: Value = serde_json::from_str(&reply.body).expect("JSON");
        Ok(value["value"].clone())
    }

    fn within(&self, method: &str, path: &str, body: &Value) -> Value {
        self.call(method, &format!("session/{}/{path}", self.session), body)
    }

    fn open(&self, served: &Served, page: &str) {
        self.within("POST", "url", &json!({ "url": format!("http://{}{page}", served.address) }));
    }

    fn element(&self, css: &str) -> String {
        let found = self.within("POST", "element", &json!({ "using": "css selector", "value": css }));
        let id = found.as_object().and_then(|found| found.values().next()).and_then(Value::as_str);
        id.unwrap_or_else(|| panic!("no {css} on the page")).to_owned()
    }

    fn kind(&self, css: &str, text: &str) {
        let element = self.element(css);
        self.within("POST", &format!("element/{element}/value"), &json!({ "text": text }));
    }

    fn click(&self, css: &str) {
        let element = self.element(css);
        self.within("POST", &format!("element/{element}/click"), &json!({}));
    }

    /// Waits until a reader sees this; between two pages there is nothing to be seen.
    fn sees(&self, words: &str) {
        let script = json!({ "script": "return document.body.innerText", "args": [] });
        wait_for(words, || {
            let text = self.try_call("POST", &format!("session/{}/execute/sync", self.session), &script);
            text.is_ok_and(|text| text.as_str().is_some_and(|text| text.contains(words)))
        });
    }

    fn run(&self, script: &str) -> Value {
        self.within("POST", "execute/sync", &json!({ "script": script, "args": [] }))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let head = format!("DELETE /session/{} HTTP/1.1", self.session);
            // Chromium ends with its session; chromedriver alone is left to stop.
            std::panic::catch_unwind(|| http::ask(self.address, &head, "")).ok();
        }
        self.driver.kill().ok();
        self.driver.wait().ok();
    }
}

fn a_person_answers() {
    let (campaign, served) = announced();
    let browser = Browser::start();
    browser.open(&served, &campaign.link("WEISS"));
    browser.sees("Bitte bestätigen Sie");
    browser.sees("K. W.");
    // The stylesheet passed the policy, and no script of the page could.
    assert_eq!(browser.run("return getComputedStyle(document.querySelector('.card')).borderTopWidth"), "1px");
    assert_eq!(browser.run("return document.scripts.length"), 0);
    browser.kind("#typed", "AAAA-AAAA");
    browser.click("form.card button");
    browser.sees("Das war es nicht");
    assert_eq!(grade(&campaign, "WEISS"), "sent");

    browser.open(&served, &campaign.link("LINDBERG"));
    browser.click("details:nth-of-type(1) summary");
    browser.kind("#help", "Where is README.TXT?");
    browser.click("details:nth-of-type(1) button");
    browser.sees("You asked for help");
    assert_eq!(grade(&campaign, "LINDBERG"), "sent");
    browser.kind("#typed", &campaign.code("LINDBERG").to_lowercase());
    browser.click("form.card button");
    browser.sees("Thank you");
    assert_eq!(grade(&campaign, "LINDBERG"), "possessed");
    let location = browser.within("GET", "url", &Value::Null);
    assert!(location.as_str().is_some_and(|url| url.ends_with(&campaign.link("LINDBERG"))), "{location}");
}

fn robots_raise_nothing() {
    let (campaign, served) = announced();
    let browser = Browser::start();
    let page = campaign.link("CARTER");
    browser.open(&served, &page);
    // The button, against the empty field; the form as it is, around the check for emptiness.
    browser.click("form.card button");
    browser.run("document.forms[0].submit()");
    // Every form, with every word of the page in every field.
    let words = browser
        .run("return [...new Set(document.body.innerText.split(/\\s+/))].filter(w => w.length > 3).slice(0, 12)");
    for word in words.as_array().expect("words") {
        browser.open(&served, &page);
        browser.run(&format!(
            "for (const field of document.querySelectorAll('input[type=text], textarea')) field.value = {word};\
             for (const form of [...document.forms]) fetch(location.href, {{ method: 'POST', \
             body: new URLSearchParams(new FormData(form)) }}).catch(() => 0);\
             document.forms[0].submit()"
        ));
    }
    // What a prefetcher and a crawler ask for.
    for method in ["GET", "HEAD", "OPTIONS"] {
        http::ask(
            served.address,
            &format!("{method} {page} HTTP/1.1\r\nPurpose: prefetch\r\nSec-Purpose: prefetch"),
            "",
        );
    }
    assert_eq!(grade(&campaign, "CARTER"), "sent");
    // The page cannot be framed.
    let framing = format!("http://{}{page}", served.address);
    browser.within("POST", "url", &json!({ "url": "about:blank" }));
    browser.run(&format!(
        "const frame = document.createElement('iframe'); frame.src = {framing:?}; document.body.append(frame)"
    ));
    assert_eq!(browser.run("try { return frames[0].document.forms.length } catch { return 0 }"), 0);
}

fn a_text_browser() {
    let (campaign, served) = announced();
    let page = format!("http://{}{}", served.address, campaign.link("LINDBERG"));
    let text = output(command("w3m").args(["-dump", "-cols", "79", &page]));
    for word in ["Please confirm", "The code from your package", "] Confirm", "I need help", "Somebody else does it"] {
        assert!(text.contains(word), "{word:?} is missing in\n{text}");
    }
    let form = http::get(served.address, &campaign.link("LINDBERG")).body;
    let fields = tempfile::NamedTempFile::new().expect("a file");
    let body = format!("nonce={}&answer=done&typed={}", http::nonce(&form), campaign.code("LINDBERG"));
    fs_err::write(fields.path(), body).expect("written");
    let text = output(command("w3m").args(["-dump", "-post"]).arg(fields.path()).arg(&page));
    assert!(text.contains("Thank you"), "{text}");
    assert_eq!(grade(&campaign, "LINDBERG"), "possessed");
}
