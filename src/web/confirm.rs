//! The confirm page. A look (GET, HEAD) changes nothing and shows nothing that helps to guess; an answer (POST) counts
//! only with what a person typed, and with the form that this very page has handed out.

use super::routes::{Client, html};
use super::site::Site;
use crate::answer::{Claims, Kind, Refusal};
use crate::engine::{Outcome, PageState, PageView, Said};
use crate::fault::Result;
use axum::Extension;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fields {
    nonce: String,
    answer: String,
    #[serde(default)]
    typed: String,
}

pub async fn show(State(site): State<Arc<Site>>, Extension(client): Extension<Client>, uri: Uri) -> Response {
    let link = link_in(&uri);
    let Some(claims) = site.keys.open(link, site.now()) else { return refused(&site) };
    if let Some(response) = too_often(&site, client) {
        return response;
    }
    match look(&site, claims).await {
        Ok(Some(page)) => shown(&site, link, &page, StatusCode::OK, Value::Null),
        Ok(None) => refused(&site),
        Err(_) => busy(&site),
    }
}

pub async fn answer(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    uri: Uri,
    headers: HeaderMap,
    form: Result<Form<Fields>, FormRejection>,
) -> Response {
    let link = link_in(&uri);
    let Some(claims) = site.keys.open(link, site.now()) else { return refused(&site) };
    if let Some(response) = too_often(&site, client) {
        return response;
    }
    let Form(fields) = match form {
        Ok(form) => form,
        Err(rejection) => return (rejection.status(), "This is no form of this page.\n").into_response(),
    };
    let said = match fields.answer.as_str() {
        "done" => Said::Done(fields.typed),
        "help" => Said::Help(fields.typed),
        "not-me" => Said::NotMe(fields.typed),
        "somebody-else" => Said::SomebodyElse(fields.typed),
        _ => return (StatusCode::BAD_REQUEST, "This is no form of this page.\n").into_response(),
    };
    let page = match look(&site, claims.clone()).await {
        Ok(Some(page)) => page,
        Ok(None) => return refused(&site),
        Err(_) => return busy(&site),
    };
    // What is settled stays settled; a second answer changes nothing and is told so by the page itself.
    if matches!(page.state, PageState::Settled(_)) {
        return back(link);
    }
    if is_foreign(&headers) || !site.keys.is_nonce(link, &fields.nonce, site.now()) {
        return shown(&site, link, &page, StatusCode::BAD_REQUEST, json!({ "stale": true }));
    }
    let asked = claims.clone();
    let outcome = site.with_engine(move |engine| engine.answer_on_page(&asked, &said, client.address)).await;
    let (status, alert) = match outcome {
        Ok(Some(Outcome::Recorded)) => return back(link),
        Ok(Some(Outcome::Empty)) => (StatusCode::UNPROCESSABLE_ENTITY, json!({ "empty": true })),
        Ok(Some(Outcome::Wrong)) => (StatusCode::UNPROCESSABLE_ENTITY, json!({ "wrong": true })),
        Ok(Some(Outcome::OldCode)) => (StatusCode::UNPROCESSABLE_ENTITY, json!({ "old_code": true })),
        Ok(Some(Outcome::Enough)) => (StatusCode::TOO_MANY_REQUESTS, json!({ "enough": true })),
        Ok(Some(Outcome::Refused(Refusal::Wait(seconds)))) => {
            let alert = json!({ "wait": true, "seconds": seconds });
            let mut response = shown(&site, link, &page, StatusCode::TOO_MANY_REQUESTS, alert);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(0) as u64));
            return response;
        }
        Ok(Some(Outcome::Refused(Refusal::PersonLocked))) => {
            return message(&site, StatusCode::FORBIDDEN, Some(&page), "locked");
        }
        Ok(Some(Outcome::Refused(Refusal::SourceLocked))) => {
            return message(&site, StatusCode::TOO_MANY_REQUESTS, Some(&page), "source_locked");
        }
        Ok(Some(Outcome::Replaced)) => return message(&site, StatusCode::GONE, Some(&page), "replaced"),
        Ok(None) => return refused(&site),
        Err(_) => return busy(&site),
    };
    shown(&site, link, &page, status, alert)
}

/// As it stands there: what is not written exactly as we write it is none of ours.
fn link_in(uri: &Uri) -> &str {
    uri.path().strip_prefix("/c/").unwrap_or_default()
}

async fn look(site: &Site, claims: Claims) -> Result<Option<PageView>> {
    site.with_engine(move |engine| engine.page(&claims)).await
}

/// The page as its state asks for.
fn shown(site: &Site, link: &str, page: &PageView, status: StatusCode, alert: Value) -> Response {
    match &page.state {
        PageState::Settled(_) => return message(site, StatusCode::OK, Some(page), "settled"),
        PageState::Locked => return message(site, StatusCode::FORBIDDEN, Some(page), "locked"),
        PageState::Replaced => return message(site, StatusCode::GONE, Some(page), "replaced"),
        PageState::Open | PageState::Half => {}
    }
    let data = json!({
        "title": page.title, "contact": page.contact, "page": words(page), "alert": alert,
        "half": page.state == PageState::Half, "nonce": site.keys.nonce(link, site.now()),
    });
    html(status, site.pages.render("confirm", page.language.as_deref(), data))
}

/// What a template is told of its person.
pub(super) fn words(page: &PageView) -> Value {
    let noted: Vec<Value> = page
        .noted
        .iter()
        .map(|(kind, at)| {
            json!({ "at": at, "help": *kind == Kind::HelpAsked, "not_me": *kind == Kind::NotMe,
                "delegated": *kind == Kind::Delegated })
        })
        .collect();
    json!({
        "initials": page.initials, "revision": page.revision, "change": page.change, "own_change": page.own_change,
        "due": page.due, "code_asked": page.code_asked, "has_mailbox": page.has_mailbox, "noted": noted,
    })
}

/// A page that only says something: `what` names it in the template.
fn message(site: &Site, status: StatusCode, page: Option<&PageView>, what: &str) -> Response {
    let mut data = json!({ "title": site.title, "contact": site.contact });
    data[what] = match page.map(|page| &page.state) {
        Some(PageState::Settled(at)) => json!(at),
        _ => json!(true),
    };
    if let Some(page) = page {
        data["page"] = words(page);
    }
    html(status, site.pages.render("message", page.and_then(|page| page.language.as_deref()), data))
}

/// The one answer to whatever is no good link: wrong, unknown and expired look alike.
fn refused(site: &Site) -> Response {
    let data = json!({ "title": site.title, "contact": site.contact });
    html(StatusCode::NOT_FOUND, site.pages.render("refused", None, data))
}

fn busy(site: &Site) -> Response {
    message(site, StatusCode::SERVICE_UNAVAILABLE, None, "busy")
}

/// After an answer the browser looks at the page again, so that a reload sends nothing twice. The address is relative:
/// it can only be this page, whatever stands before us.
fn back(link: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(place) = HeaderValue::from_str(link) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// The browser itself says that another site sends the form (Fetch Metadata).
fn is_foreign(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none")
}

/// Behind a proxy that we were not told of, everybody has one address: nobody is slowed down for all others.
fn too_often(site: &Site, client: Client) -> Option<Response> {
    let untold = client.address.is_loopback() && site.proxies.is_empty();
    let often = !untold && !site.buckets.take(client.address, site.requests.uptime());
    often.then(|| {
        let mut response =
            (StatusCode::TOO_MANY_REQUESTS, "Too many requests; try again in a moment.\n").into_response();
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        response
    })
}
