//! THE FACE on the network: the confirm page, the dashboard, `/metrics`, and the scheduler that works beside them.
//!
//! One thread answers requests, another one does the rounds; both open the campaign anew for each piece of work, so that
//! an edited file counts at once and neither waits for the other.

mod address;
mod bucket;
mod confirm;
mod dashboard;
mod metrics;
mod notify;
mod pages;
mod routes;
mod samples;
mod scheduler;
mod server;
mod site;
mod wording;
#[cfg(test)]
mod tests;

use crate::engine::Engine;
use crate::fault::{Exit, Fault, Finding, Result};
use crate::system::Real;
use notify::Notify;
use site::Site;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Where lines for a person go.
pub type Log = Arc<dyn Fn(&str) + Send + Sync>;

/// What is wrong with the campaign's own wording of the pages.
pub fn check_pages(campaign: &std::path::Path) -> Vec<Finding> {
    pages::Pages::load(campaign).map_or_else(|fault| fault.findings, |(_, findings)| findings)
}

/// What `serve` was asked for.
pub struct Serve {
    pub root: PathBuf,
    /// Instead of `[web] listen`.
    pub listen: Option<SocketAddr>,
    /// The rounds too, not the pages alone.
    pub schedule: bool,
    /// One line each for what is done.
    pub log: Log,
    /// One line each for who asked for what; no names, no links.
    pub access: Log,
}

/// Serves until SIGTERM or SIGINT. `ready` is called once the address is bound.
pub fn serve(asked: &Serve, ready: impl FnOnce(SocketAddr)) -> Result<Exit> {
    let engine = Engine::open(&asked.root, &Real)?;
    if asked.schedule {
        engine.require_roster()?;
    }
    let web = engine.campaign.web.as_ref();
    let listen = asked.listen.or(web.map(|web| web.listen)).unwrap_or_else(|| ([127, 0, 0, 1], 8480).into());
    let listener = TcpListener::bind(listen).map_err(|error| {
        let cause = format!("{listen} cannot be listened on: {error}");
        Fault::new("listen", cause, "stop what listens there, or set [web] listen or --listen")
    })?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let notify = Arc::new(Notify::from_environment());
    let site = Arc::new(Site::new(&engine, address, asked)?);
    for line in site.advice() {
        (asked.log)(&line);
    }
    drop(engine);
    ready(address);

    let stop = Arc::new(AtomicBool::new(false));
    let (wake, asleep) = std::sync::mpsc::channel::<()>();
    let rounds = asked.schedule.then(|| {
        let rounds = scheduler::Scheduler::new(&site, asked, &stop, &notify);
        std::thread::spawn(move || rounds.run(&asleep))
    });
    notify.say("READY=1");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(8).build()?;
    let served = runtime.block_on(server::run(listener, routes::router(site), || {
        notify.say("STOPPING=1");
        (asked.log)("stopping: the message in hand is finished first; once more stops at once");
        stop.store(true, Ordering::Relaxed);
    }));
    // Nobody is left to wake the rounds: they end.
    drop(wake);
    stop.store(true, Ordering::Relaxed);
    if let Some(rounds) = rounds {
        runtime.block_on(server::until_finished(&rounds));
        if rounds.join().is_err() {
            return Err(Fault::new("scheduler", "the scheduler broke off", "run it again; report what stands above"));
        }
    }
    runtime.shutdown_background();
    served.map(|()| Exit::Done)
}

impl std::fmt::Debug for Serve {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serve").field("root", &self.root).field("listen", &self.listen).finish_non_exhaustive()
    }
}
