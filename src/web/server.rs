//! Connections: so many at most, each bounded in time and in the size of what it may send before it is heard.

use super::routes::Peer;
use crate::fault::Result;
use crate::platform::{Signals, open_files};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

/// The bytes of a request line with all headers.
const HEAD: usize = 8 * 1024;
/// To send them in, and to lie idle between two requests.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// The longest that one connection is kept, busy or not.
const LIFE: Duration = Duration::from_secs(120);
/// Open at once; the next ones wait in the kernel's queue.
const MOST: usize = 4_096;
/// Files that the rest of the program may need at once.
const OTHER_FILES: usize = 128;
/// What is under way when it is to stop may take so long.
const LEAVE: Duration = Duration::from_secs(10);

/// Answers until a signal comes; then `stopping` is called, nothing new is accepted, and what is under way is finished.
/// A second signal ends the program at once: the ledger bears that at any instant.
pub async fn run(listener: std::net::TcpListener, router: Router, stopping: impl FnOnce()) -> Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let (leave, left) = watch::channel(());
    let places = Arc::new(Semaphore::new(places()));
    let mut signals = Signals::new()?;
    loop {
        let accepted = tokio::select! {
            () = signals.next() => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let (stream, peer, place) = accepted;
        let (router, left) = (router.clone(), left.clone());
        tokio::spawn(async move {
            converse(stream, peer, router, left).await;
            drop(place);
        });
    }
    drop(listener);
    stopping();
    tokio::spawn(async move {
        signals.next().await;
        // Nothing is lost: what was begun is marked, and the next run goes on from there.
        std::process::exit(130);
    });
    drop(left);
    leave.send_replace(());
    let _ = tokio::time::timeout(LEAVE, leave.closed()).await;
    Ok(())
}

/// Waits for the rounds to end, while signals are still heard.
pub async fn until_finished<T>(thread: &std::thread::JoinHandle<T>) {
    while !thread.is_finished() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit) {
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { std::future::pending().await };
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, place),
            // Out of files, or the client went away: the next one may fare better.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn converse(stream: TcpStream, peer: SocketAddr, router: Router, mut left: watch::Receiver<()>) {
    let _ = stream.set_nodelay(true);
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        router.call(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(HEAD).max_headers(64);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    // A client that breaks off is no news.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = left.changed() => {}
        () = tokio::time::sleep(LIFE) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(LEAVE, connection).await;
}

/// As many connections as there are files for.
fn places() -> usize {
    let files = open_files((MOST + OTHER_FILES) as u64);
    usize::try_from(files).unwrap_or(MOST).saturating_sub(OTHER_FILES).clamp(16, MOST)
}
