//! The pages as a browser or a robot meets them, without a socket: the sample campaign, announced, behind the router.

mod answering;
mod doors;
mod limits;
mod looking;
mod wording;

use super::routes::{Peer, router};
use super::scheduler::Beat;
use super::site::Site;
use super::{Log, Serve};
use crate::answer::{Claims, Evidence, Kind};
use crate::campaign::Grade;
use crate::engine::{Engine, To};
use crate::system::{Real, World};
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

const PUBLIC: &str = "flagday.corp.example";
const LOCAL: &str = "127.0.0.1:8480";
/// A remote user: asked for the code. Reads English.
const ANNA: (&str, &str) = ("LINDBERG", "disk-received");
/// Likewise, in German.
const KAETHE: (&str, &str) = ("WEISS", "disk-received");
/// An administrator elsewhere: asked for a word; has no mailbox here.
const ELENA: (&str, &str) = ("DENVER", "serial-received");

/// The announced campaign with its router.
struct Desk {
    root: PathBuf,
    site: Arc<Site>,
    lines: Arc<Mutex<Vec<String>>>,
    peer: Cell<u8>,
    _folder: tempfile::TempDir,
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Desk {
    fn new() -> Desk {
        Desk::with("")
    }

    /// With more lines under `[web]`.
    fn with(lines: &str) -> Desk {
        Desk::wording(lines, &[])
    }

    /// With pages of its own in `templates/web/`.
    fn wording(lines: &str, pages: &[(&str, &str)]) -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("campaign");
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data/msmail");
        copy(&sample, &root);
        copy(&sample.join("corrections/disks"), &root.join("disks"));
        let file = root.join("flagday.toml");
        let text = fs_err::read_to_string(&file).unwrap();
        let text = text.replace("2026-12-12T18:00:00", "2096-12-12T18:00:00");
        fs_err::write(&file, format!("{text}\n[web]\npublic_url = \"https://{PUBLIC}\"\n{lines}\n")).unwrap();
        for (name, text) in pages {
            let file = root.join("templates/web").join(name);
            fs_err::create_dir_all(file.parent().unwrap()).unwrap();
            fs_err::write(file, text).unwrap();
        }
        let mut engine = Engine::open(&root, &Real).unwrap();
        engine.build(None).unwrap();
        for notice in ["change-date", "new-serial"] {
            engine.send(Some(notice), &To::Everyone, None, false, &AtomicBool::new(false), &mut |_| {}).unwrap();
        }
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = lines.clone();
        let log: Log = Arc::new(move |line| kept.lock().unwrap().push(line.to_owned()));
        let asked = Serve { root: root.clone(), listen: None, schedule: false, log: log.clone(), access: log };
        let site = Arc::new(Site::new(&engine, LOCAL.parse().unwrap(), &asked).unwrap());
        Desk { root, site, lines, peer: Cell::new(77), _folder: folder }
    }

    fn engine(&self) -> Engine<'static> {
        Engine::open(&self.root, &Real).unwrap()
    }

    /// `/c/…` of a person, as it stands in their mail.
    fn page(&self, (person, acknowledgement): (&str, &str)) -> String {
        let link = self.engine().confirm_link(person, acknowledgement, 1, Real.now()).unwrap();
        link.strip_prefix(&format!("https://{PUBLIC}")).unwrap().to_owned()
    }

    /// The code in a person's package, as README.TXT has it.
    fn code(&self, person: &str) -> String {
        let file = fs_err::File::open(self.root.join(format!(".flagday/packages/init-disk/{person}.zip"))).unwrap();
        let mut archive = zip::ZipArchive::new(file).unwrap();
        let mut text = Vec::new();
        std::io::Read::read_to_end(&mut archive.by_name("README.TXT").unwrap(), &mut text).unwrap();
        let text = String::from_utf8_lossy(&text).into_owned();
        let is_code = |line: &&str| line.len() == 9 && line.split_once('-').is_some_and(|(a, _)| a.len() == 4);
        text.lines().map(str::trim).find(is_code).unwrap().to_owned()
    }

    fn grade(&self, (person, acknowledgement): (&str, &str)) -> Grade {
        let engine = self.engine();
        let asked = &engine.campaign.acknowledgements[acknowledgement];
        engine.standing(asked, person).unwrap().unwrap().grade
    }

    /// Everything on record about a person but that the notice was sent.
    fn answers(&self, person: &str) -> Vec<Evidence> {
        let mut facts = self.engine().ledger().evidence_of(person).unwrap();
        facts.retain(|fact| fact.kind != Kind::Sent);
        facts
    }

    fn ask(&self, request: axum::http::request::Builder, peer: &str, body: impl Into<Body>) -> Reply {
        let mut request: Request = request.body(body.into()).unwrap();
        request.extensions_mut().insert(Peer(peer.parse().unwrap()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let response = TowerToHyperService::new(router(self.site.clone())).call(request).await.unwrap();
            let (status, headers) = (response.status(), response.headers().clone());
            let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
            Reply { status, headers, body: String::from_utf8(body.to_vec()).unwrap() }
        })
    }

    /// As the proxy of the public name passes it on.
    fn send(&self, method: &str, path: &str, body: &str) -> Reply {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, PUBLIC)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.ask(request, &format!("192.0.2.{}:4000", self.peer.get()), body.to_owned())
    }

    /// From another address from now on.
    fn from(&self, last: u8) {
        self.peer.set(last);
    }

    fn get(&self, path: &str) -> Reply {
        self.send("GET", path, "")
    }

    /// From this machine, under its own name.
    fn here(&self, path: &str) -> Reply {
        self.ask(Request::builder().uri(path).header(header::HOST, LOCAL), "127.0.0.1:4000", "")
    }

    /// Fills in the form that the page hands out, and sends it.
    fn answer(&self, path: &str, answer: &str, typed: &str) -> Reply {
        let nonce = self.get(path).nonce().expect("the page has a form");
        self.send("POST", path, &format!("nonce={nonce}&answer={answer}&typed={}", encoded(typed)))
    }
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The hidden field of the form.
    fn nonce(&self) -> Option<String> {
        let (_, rest) = self.body.split_once("name=\"nonce\" value=\"")?;
        rest.split('"').next().map(str::to_owned)
    }

    #[track_caller]
    fn says(&self, text: &str) -> &Reply {
        assert!(self.body.contains(text), "{text:?} is missing in {} {}", self.status, self.body);
        self
    }

    #[track_caller]
    fn ends(&self, status: u16) -> &Reply {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn copy(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).unwrap();
    for entry in fs_err::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs_err::copy(entry.path(), target).unwrap();
        }
    }
}
