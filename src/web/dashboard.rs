//! For the operator: how the campaign stands. In numbers for whoever is at this machine; with the operator's password from
//! elsewhere, and for every name.

use super::routes::{Client, html};
use super::site::Site;
use crate::engine::Engine;
use crate::fault::Result;
use crate::report::agenda::coming;
use crate::report::status::Status;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Seconds after which the overview is loaded again.
const REFRESH: u32 = 30;
/// Timed actions shown.
const COMING: usize = 8;

/// Lets in whoever is at this machine, or has the operator's password.
pub fn admit(site: &Site, client: Client, headers: &HeaderMap) -> Result<(), Box<Response>> {
    if client.local { Ok(()) } else { admit_operator(site, headers) }
}

fn admit_operator(site: &Site, headers: &HeaderMap) -> Result<(), Box<Response>> {
    let digest = |text: &str| Sha256::digest(text.as_bytes());
    let genuine = |password: &str| bool::from(digest(password).ct_eq(&digest(&site.operator)));
    if password(headers).is_some_and(|password| genuine(&password)) {
        return Ok(());
    }
    let mut response = (StatusCode::UNAUTHORIZED, "The operator's password is in .flagday/operator.\n").into_response();
    let ask = HeaderValue::from_static("Basic realm=\"flagday operator\", charset=\"UTF-8\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, ask);
    Err(Box::new(response))
}

/// As a browser sends it (RFC 7617, any user name), or as a bearer (RFC 6750).
fn password(headers: &HeaderMap) -> Option<String> {
    let (scheme, rest) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    let plain = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
    let (_, password) = plain.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| password.to_owned())
}

pub async fn overview(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
) -> Response {
    if let Err(response) = admit(&site, client, &headers) {
        return *response;
    }
    match site.with_engine(|engine| numbers(engine)).await {
        Ok(mut data) => {
            data["scheduler"] = json!(scheduler(&site));
            html(StatusCode::OK, site.pages.render("dashboard", None, data))
        }
        Err(fault) => (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", fault.cause())).into_response(),
    }
}

pub async fn blocking(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    if let Err(response) = admit_operator(&site, &headers) {
        return *response;
    }
    match site.with_engine(|engine| names(engine)).await {
        Ok(data) => html(StatusCode::OK, site.pages.render("blocking", None, data)),
        Err(fault) => (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", fault.cause())).into_response(),
    }
}

/// Nothing here names a person.
fn numbers(engine: &Engine) -> Result<Value> {
    let status = Status::of(engine)?;
    let zone = engine.campaign.change.zone;
    let local = |at: chrono::DateTime<chrono::Utc>| at.with_timezone(&zone).format("%a %F %H:%M %Z").to_string();
    let shut = status.gates.iter().filter(|gate| !gate.open).count();
    let heading = match (shut, status.gates.len()) {
        (0, 0) => "There are no gates".to_owned(),
        (0, all) => format!("All {all} gates are open"),
        (shut, all) => format!("{shut} of {all} gates are held"),
    };
    let gates: Vec<Value> = status
        .gates
        .iter()
        .map(|gate| {
            json!({ "name": gate.name, "open": gate.open, "count": gate.count(),
                "waived": gate.waived.len(), "blocking": gate.blocking.len() })
        })
        .collect();
    let acknowledgements: Vec<Value> = status
        .acknowledgements
        .iter()
        .map(|one| {
            json!({ "name": one.name, "audience": one.audience, "required": one.required, "satisfied": one.satisfied,
                "waived": one.waived, "missing": one.missing.len() })
        })
        .collect();
    let steps: Vec<Value> = status
        .steps
        .iter()
        .map(|step| json!({ "name": step.name, "title": step.title, "state": step.state }))
        .collect();
    let coming: Vec<Value> = coming(engine, COMING)?
        .into_iter()
        .flat_map(|moment| moment.lines.into_iter().map(move |line| (moment.first, line)))
        .map(|(at, line)| {
            let what = if line.what == "notice" { format!("notice {}", line.notice) } else { line.what };
            json!({ "at": local(at), "what": what, "audience": line.audience, "people": line.people,
                "state": line.state })
        })
        .collect();
    // What stands behind the colon may name people.
    let next = status.next.split(": ").next().unwrap_or_default();
    Ok(json!({
        "title": engine.campaign.title, "contact": engine.campaign.contact, "wide": true, "refresh": REFRESH,
        "heading": heading, "change": local(status.change_at), "next": next, "gates": gates,
        "acknowledgements": acknowledgements, "steps": steps, "coming": coming, "tasks": status.tasks.len(),
        "paused": status.paused.as_ref().map(|paused| local(paused.until)),
        "unsent_since": status.outage.as_ref().map(|outage| local(outage.since)),
        "unread": status.unread.len(), "kept_waiting": status.kept_waiting,
        "status": { "campaign": status.campaign, "revision": status.revision, "phase": status.phase,
            "people": status.people, "messages": status.messages },
    }))
}

fn names(engine: &Engine) -> Result<Value> {
    let status = Status::of(engine)?;
    let gates: Vec<Value> = status
        .gates
        .iter()
        .map(|gate| {
            json!({ "name": gate.name, "open": gate.open, "count": gate.blocking.len(), "blocking": gate.blocking })
        })
        .collect();
    let tasks: Vec<&str> = status.tasks.iter().map(|task| task.what.as_str()).collect();
    Ok(json!({
        "title": engine.campaign.title, "contact": engine.campaign.contact, "wide": true,
        "gates": gates, "tasks": tasks,
    }))
}

fn scheduler(site: &Site) -> String {
    let beat = site.beat.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
    let at = |at: chrono::DateTime<chrono::Utc>| at.format("%F %H:%M:%S UTC").to_string();
    match (beat.scheduled, beat.last) {
        (false, _) => "off: this server shows pages only".to_owned(),
        (true, None) => "no round yet".to_owned(),
        (true, Some(last)) => {
            let trouble = if beat.failures > 0 { format!(", {} failed", beat.failures) } else { String::new() };
            format!("{} rounds, the last at {}{trouble}", beat.rounds, at(last))
        }
    }
}
