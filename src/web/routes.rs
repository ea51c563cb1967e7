//! Which page is where, and what holds for every request: a known name in `Host`, a bounded body and time, headers that
//! keep the page from being framed, cached, scripted or told on, and a log without links.

use super::address::{client, is_direct};
use super::site::Site;
use super::{confirm, dashboard, metrics};
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// The largest form.
const BODY: usize = 16 * 1024;
/// However slowly the form comes in.
const REQUEST: Duration = Duration::from_secs(20);

/// Where the connection comes from; the server puts it beside each request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Who asks, as far as we believe it.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    pub address: IpAddr,
    /// From this machine, under its own name, through no proxy.
    pub local: bool,
}

pub fn router(site: Arc<Site>) -> Router {
    Router::new()
        .route("/", get(dashboard::overview))
        .route("/blocking", get(dashboard::blocking))
        .route("/metrics", get(metrics::metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/c/{link}", get(confirm::show).post(confirm::answer))
        .fallback(nothing)
        .layer(DefaultBodyLimit::max(BODY))
        .layer(from_fn_with_state(site.clone(), guard))
        .with_state(site)
}

async fn nothing() -> Response {
    (StatusCode::NOT_FOUND, "There is nothing here.\n").into_response()
}

async fn guard(State(site): State<Arc<Site>>, mut request: Request, next: Next) -> Response {
    let start = tokio::time::Instant::now();
    let peer = request.extensions().get::<Peer>().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0.ip());
    let headers = request.headers();
    let host = host(&request);
    let health = request.uri().path() == "/healthz";
    let known = host.as_deref().is_some_and(|host| site.knows(host));
    let address = client(peer, headers, &site.proxies);
    let local =
        peer.is_loopback() && is_direct(request.version(), headers) && host.is_some_and(|host| site.is_local(&host));
    let (method, path) = (request.method().clone(), logged(request.uri().path()));
    request.extensions_mut().insert(Client { address, local });
    let mut response = if !known && !health {
        (StatusCode::MISDIRECTED_REQUEST, "This server is not called that.\n").into_response()
    } else {
        match tokio::time::timeout(REQUEST, next.run(request)).await {
            Ok(response) => response,
            Err(_) => (StatusCode::REQUEST_TIMEOUT, "That took too long.\n").into_response(),
        }
    };
    protect(response.headers_mut(), site.pages.policy());
    site.requests.count(path, response.status());
    if !health {
        let took = start.elapsed().as_millis();
        (site.access)(&format!("{method} {path} {} {took} ms {}", response.status().as_u16(), shown(address)));
    }
    response
}

/// The name we are asked under: of the request line where it has one, else of `Host`, which must stand there once.
fn host(request: &Request<Body>) -> Option<String> {
    if let Some(authority) = request.uri().authority() {
        return Some(authority.as_str().to_owned());
    }
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = hosts.next()?.to_str().ok()?.to_owned();
    hosts.next().is_none().then_some(host)
}

/// The path as it may be written down: never the link.
fn logged(path: &str) -> &'static str {
    match path {
        "/" => "/",
        "/blocking" => "/blocking",
        "/metrics" => "/metrics",
        "/healthz" => "/healthz",
        path if path.starts_with("/c/") => "/c/…",
        _ => "(other)",
    }
}

fn shown(address: IpAddr) -> String {
    crate::engine::masked(address)
}

fn protect(headers: &mut HeaderMap, policy: &str) {
    let set = [
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ];
    for (name, value) in set {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// A page with its status.
pub fn html(status: StatusCode, page: crate::fault::Result<String>) -> Response {
    match page {
        Ok(page) => (status, axum::response::Html(page)).into_response(),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "This page cannot be shown.\n").into_response(),
    }
}
