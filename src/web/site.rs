//! What every request needs: the campaign's folder and keys, the pages, who may ask, and how the rounds go.

use super::bucket::Buckets;
use super::metrics::Requests;
use super::pages::Pages;
use super::scheduler::Beat;
use super::{Log, Serve};
use crate::answer::LinkKeys;
use crate::campaign::Network;
use crate::engine::Engine;
use crate::fault::{Fault, Result};
use crate::system::{Real, World};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;
use tokio::sync::Semaphore;

/// Campaigns opened at a time for requests; the others wait their turn.
const DESKS: usize = 4;

pub struct Site {
    pub root: PathBuf,
    pub keys: LinkKeys,
    pub title: String,
    pub contact: String,
    pub pages: Pages,
    pub buckets: Buckets,
    pub requests: Requests,
    pub beat: Mutex<Beat>,
    pub access: Log,
    pub proxies: Vec<Network>,
    pub operator: String,
    /// As `Host` may name us on this machine.
    local: Vec<String>,
    /// As `Host` names us to everybody else.
    public: Option<String>,
    listen: SocketAddr,
    desks: Semaphore,
}

impl Site {
    pub fn new(engine: &Engine, listen: SocketAddr, asked: &Serve) -> Result<Site> {
        let web = engine.campaign.web.as_ref();
        let mut local = vec![listen.to_string()];
        if listen.ip().is_loopback() || listen.ip().is_unspecified() {
            local.extend(["localhost", "127.0.0.1", "[::1]"].map(|name| format!("{name}:{}", listen.port())));
        }
        let (pages, findings) = Pages::load(&asked.root)?;
        Fault::check(findings)?;
        Ok(Site {
            root: asked.root.clone(),
            keys: engine.link_keys(),
            title: engine.campaign.title.clone(),
            contact: engine.campaign.contact.clone(),
            pages,
            buckets: Buckets::default(),
            requests: Requests::default(),
            beat: Mutex::new(Beat { scheduled: asked.schedule, ..Beat::default() }),
            access: asked.access.clone(),
            proxies: web.map(|web| web.proxies.clone()).unwrap_or_default(),
            operator: engine.ledger().operator_password()?,
            local,
            public: web.and_then(|web| web.public_host()).map(str::to_ascii_lowercase),
            listen,
            desks: Semaphore::new(DESKS),
        })
    }

    /// What an operator should know before people come.
    pub fn advice(&self) -> Vec<String> {
        let mut advice = Vec::new();
        match &self.public {
            None => advice
                .push("[web] public_url is not set: no mail holds a link to the confirm page until it is".to_owned()),
            Some(host) if self.listen.ip().is_loopback() && self.proxies.is_empty() && !self.local.contains(host) => {
                advice.push(
                    "[web] proxies is empty: behind a web server on this machine, wrong tries of all people count as \
                     one person's; write proxies = [\"127.0.0.1\"]"
                        .to_owned(),
                );
            }
            Some(_) => {}
        }
        advice
    }

    /// Whether `Host` names this machine itself.
    pub fn is_local(&self, host: &str) -> bool {
        self.local.iter().any(|known| known.eq_ignore_ascii_case(host))
    }

    /// Whether `Host` is one of our names. A page under any other name is somebody else's trap.
    pub fn knows(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let public = self.public.as_deref().unwrap_or_default();
        let plain = |host: &str| host.strip_suffix(":443").or(host.strip_suffix(":80")).unwrap_or(host).to_owned();
        self.is_local(&host) || (!public.is_empty() && plain(&host) == plain(public))
    }

    /// Opens the campaign and does a piece of work with it, on a thread of its own.
    pub async fn with_engine<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Engine<'static>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let broken = |cause: &str| Fault::new("web-work", cause, "report what stands above");
        let _desk = self.desks.acquire().await.map_err(|_| broken("the server is closing"))?;
        let root = self.root.clone();
        let work = move || work(&mut Engine::open(&root, &Real)?);
        tokio::task::spawn_blocking(work).await.map_err(|_| broken("a request broke off"))?
    }

    pub fn now(&self) -> chrono::DateTime<chrono::Utc> {
        Real.now()
    }
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site").field("root", &self.root).finish_non_exhaustive()
    }
}
