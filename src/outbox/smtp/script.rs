//! A mail server for tests, over a pipe in memory and in virtual time. It is a good server until its script says
//! otherwise. Faults it can play at every step: another reply, any bytes, a hang-up before, within or after a reply,
//! silence, a message kept and not confessed, a reader that stops reading, clear bytes behind STARTTLS.

use super::{Dial, Login, Server, Session, Trouble};
use crate::campaign::{Reuse, Tls};
use crate::outbox::Secret;
use lettre::transport::smtp::extension::ClientId;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, duplex};
use tokio_rustls::TlsAcceptor;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Greeting,
    Ehlo,
    Helo,
    Starttls,
    Auth,
    /// An answer within a login.
    AuthLine,
    Rset,
    Mail,
    Rcpt,
    Data,
    /// After the first line of the message.
    Body,
    Dot,
    Quit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// What a good server does.
    Go,
    /// These bytes instead of the reply. A message is kept when they begin with 250.
    Say(&'static str),
    /// These bytes, then the end of the connection. No message is kept.
    Cut(&'static str),
    /// Nothing ever again, and nothing is read.
    Mute,
    /// The message is kept; then these bytes and the end of the connection.
    KeepAndCut(&'static str),
    /// The message is kept; then nothing ever again.
    KeepAndMute,
}

/// What the server has before it when it decides.
#[derive(Debug)]
pub struct Seen<'a> {
    pub step: Step,
    /// From 1.
    pub connection: usize,
    pub line: &'a str,
}

/// A message the server took responsibility for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub to: String,
    pub bytes: Vec<u8>,
}

#[derive(Debug, Default)]
pub struct Log {
    pub connections: usize,
    /// Every command, without the messages.
    pub lines: Vec<String>,
    pub kept: Vec<Kept>,
}

type Rule = Arc<dyn Fn(&Seen<'_>) -> Act + Send + Sync>;

/// The scripted server as a place to dial.
pub struct Stage {
    pub server: Server,
    /// The keywords of its EHLO, separated by `|`.
    pub offers: &'static str,
    /// Whether the client is told that the peer is this machine.
    pub loopback: bool,
    rule: Rule,
    certificate: Option<Arc<rustls::ServerConfig>>,
    log: Arc<Mutex<Log>>,
    /// How long each dot waits for its answer.
    slow: Duration,
}

impl Stage {
    pub fn new(rule: impl Fn(&Seen<'_>) -> Act + Send + Sync + 'static) -> Stage {
        let server = Server {
            host: "mail.corp.example".into(),
            port: 25,
            tls: Tls::None,
            login: None,
            trust: None,
            hello: ClientId::Domain("desk.corp.example".into()),
            patience: Duration::MAX,
            reuse: Reuse::default(),
        };
        let (offers, log) = ("PIPELINING|SIZE 10000000", Arc::default());
        Stage { server, offers, loopback: true, rule: Arc::new(rule), certificate: None, log, slow: Duration::ZERO }
    }

    /// Acts once, at the first time of a step.
    pub fn once(at: Step, act: Act) -> Stage {
        let done = Mutex::new(false);
        Stage::new(move |seen| {
            let mut done = done.lock().expect("one thread");
            let now = seen.step == at && !*done;
            *done |= now;
            if now { act } else { Act::Go }
        })
    }

    /// Acts whenever the step comes.
    pub fn always(at: Step, act: Act) -> Stage {
        Stage::new(move |seen| if seen.step == at { act } else { Act::Go })
    }

    pub fn offering(mut self, offers: &'static str) -> Stage {
        self.offers = offers;
        self
    }

    /// Takes its time at each dot.
    pub fn answering_after(mut self, slow: Duration) -> Stage {
        self.slow = slow;
        self
    }

    pub fn logging_in(mut self, user: &str, password: &str) -> Stage {
        self.server.login = Some(Login::new(user, Secret::new(password).into(), None));
        self
    }

    /// With a certificate for `name`, valid until the end of `year`; `trusted`: the client knows its issuer.
    pub fn with_tls(self, tls: Tls, name: &str, year: i32, trusted: bool) -> Stage {
        self.certified(tls, IsCa::NoCa, name, year, trusted)
    }

    /// With one that signs itself and is marked as an authority, as `openssl req -x509` makes them.
    pub fn with_authority(self, tls: Tls, name: &str, year: i32, trusted: bool) -> Stage {
        self.certified(tls, IsCa::Ca(BasicConstraints::Unconstrained), name, year, trusted)
    }

    fn certified(mut self, tls: Tls, is_ca: IsCa, name: &str, year: i32, trusted: bool) -> Stage {
        let (key, mut params) =
            (KeyPair::generate().expect("a key"), CertificateParams::new([name.to_owned()]).expect("a name"));
        params.not_after = date_time_ymd(year, 12, 31);
        params.is_ca = is_ca;
        let certificate = params.self_signed(&key).expect("a certificate");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the default versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .expect("a server");
        self.certificate = Some(Arc::new(config));
        let known = if trusted { certificate.pem() } else { other_issuer() };
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs_err::write(file.path(), known).expect("written");
        self.server.trust = Some(super::tls::trust(Some(file.path())).expect("roots"));
        self.server.tls = tls;
        self
    }

    pub fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().expect("one thread")
    }

    pub async fn session(&self) -> Session {
        self.open().await.expect("a session")
    }
}

fn other_issuer() -> String {
    rcgen::generate_simple_self_signed(["elsewhere.example".to_owned()]).expect("a certificate").cert.pem()
}

impl Dial for Stage {
    async fn open(&self) -> Result<Session, Trouble> {
        let (ours, theirs) = duplex(16 * 1024);
        self.log().connections += 1;
        let peer = Peer {
            connection: self.log().connections,
            offers: self.offers,
            rule: Arc::clone(&self.rule),
            certificate: self.certificate.clone(),
            log: Arc::clone(&self.log),
            slow: self.slow,
            to: String::new(),
        };
        let implicit = self.server.tls == Tls::Implicit;
        tokio::spawn(async move {
            // However it ends: the wire is dropped, and the client sees a hang-up.
            let _ = peer.serve(Box::new(theirs), implicit).await;
        });
        Session::open(Box::new(ours), &self.server, self.loopback).await
    }

    fn name(&self) -> String {
        Server::name(&self.server)
    }

    fn idle(&self) -> Duration {
        self.server.reuse.idle
    }
}

trait Pipe: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Pipe for T {}
type Io = BufReader<Box<dyn Pipe>>;

/// One connection, seen from the server.
struct Peer {
    connection: usize,
    offers: &'static str,
    rule: Rule,
    certificate: Option<Arc<rustls::ServerConfig>>,
    log: Arc<Mutex<Log>>,
    slow: Duration,
    to: String,
}

/// The connection is over.
struct Over;

impl From<std::io::Error> for Over {
    fn from(_: std::io::Error) -> Self {
        Over
    }
}

impl Peer {
    async fn serve(mut self, pipe: Box<dyn Pipe>, implicit: bool) -> Result<(), Over> {
        let mut io: Io = BufReader::new(pipe);
        if implicit {
            io = self.encrypt(io).await?;
        }
        self.play(&mut io, Step::Greeting, "", "220 mail.corp.example ESMTP\r\n").await?;
        loop {
            let line = read(&mut io).await?;
            self.log.lock().expect("one thread").lines.push(line.clone());
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" => {
                    let lines: Vec<_> = std::iter::once("mail.corp.example").chain(self.offers.split('|')).collect();
                    let last = lines.len() - 1;
                    let mark = |n| if n == last { ' ' } else { '-' };
                    let reply: String =
                        lines.iter().enumerate().map(|(n, l)| format!("250{}{l}\r\n", mark(n))).collect();
                    self.play(&mut io, Step::Ehlo, &line, &reply).await?;
                }
                "HELO" => drop(self.play(&mut io, Step::Helo, &line, "250 mail.corp.example\r\n").await?),
                "STARTTLS" => {
                    if self.play(&mut io, Step::Starttls, &line, "220 2.0.0 go ahead\r\n").await?.starts_with("220") {
                        io = self.encrypt(io).await?;
                    }
                }
                "AUTH" => self.login(&mut io, &line).await?,
                "RSET" => drop(self.play(&mut io, Step::Rset, &line, "250 2.0.0 ok\r\n").await?),
                "MAIL" => drop(self.play(&mut io, Step::Mail, &line, "250 2.1.0 ok\r\n").await?),
                "RCPT" => {
                    self.to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                    self.play(&mut io, Step::Rcpt, &line, "250 2.1.5 ok\r\n").await?;
                }
                "DATA" => {
                    if self.play(&mut io, Step::Data, &line, "354 go\r\n").await?.starts_with("354") {
                        self.message(&mut io).await?;
                    }
                }
                "QUIT" => return self.play(&mut io, Step::Quit, &line, "221 2.0.0 bye\r\n").await.map(|_| ()),
                _ => io.write_all(b"500 5.5.2 what\r\n").await?,
            }
        }
    }

    /// Follows the script; what was said.
    async fn play(&self, io: &mut Io, step: Step, line: &str, good: &str) -> Result<String, Over> {
        perform(io, self.decide(step, line), good).await
    }

    fn decide(&self, step: Step, line: &str) -> Act {
        (self.rule)(&Seen { step, connection: self.connection, line })
    }

    async fn login(&self, io: &mut Io, line: &str) -> Result<(), Over> {
        let good =
            if line.to_ascii_uppercase().starts_with("AUTH LOGIN") { "334 VXNlcg==\r\n" } else { "235 2.7.0 in\r\n" };
        let mut said = self.play(io, Step::Auth, line, good).await?;
        for good in ["334 UGFzcw==\r\n", "235 2.7.0 in\r\n"] {
            if said.starts_with("334") {
                let answer = read(io).await?;
                self.log.lock().expect("one thread").lines.push(answer.clone());
                said = self.play(io, Step::AuthLine, &answer, good).await?;
            }
        }
        Ok(())
    }

    async fn message(&self, io: &mut Io) -> Result<(), Over> {
        let mut bytes = Vec::new();
        let mut first = true;
        loop {
            let mut line = Vec::new();
            if io.read_until(b'\n', &mut line).await? == 0 {
                return Err(Over);
            }
            if line == b".\r\n" {
                break;
            }
            bytes.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            if std::mem::take(&mut first) {
                self.play(io, Step::Body, "", "").await?;
            }
        }
        tokio::time::sleep(self.slow).await;
        let act = self.decide(Step::Dot, &self.to);
        let keeps = match act {
            Act::Go | Act::KeepAndCut(_) | Act::KeepAndMute => true,
            Act::Say(reply) => reply.starts_with("250"),
            Act::Cut(_) | Act::Mute => false,
        };
        if keeps {
            self.log.lock().expect("one thread").kept.push(Kept { to: self.to.clone(), bytes });
        }
        perform(io, act, "250 2.0.0 queued as 4711\r\n").await.map(|_| ())
    }

    async fn encrypt(&self, io: Io) -> Result<Io, Over> {
        let config = self.certificate.clone().ok_or(Over)?;
        let stream = TlsAcceptor::from(config).accept(io.into_inner()).await?;
        Ok(BufReader::new(Box::new(stream)))
    }
}

/// Follows the script; what was said.
async fn perform(io: &mut Io, act: Act, good: &str) -> Result<String, Over> {
    let said = match act {
        Act::Go => good.to_owned(),
        Act::Say(bytes) | Act::Cut(bytes) | Act::KeepAndCut(bytes) => bytes.to_owned(),
        Act::Mute | Act::KeepAndMute => std::future::pending().await,
    };
    io.write_all(said.as_bytes()).await?;
    io.flush().await?;
    if matches!(act, Act::Cut(_) | Act::KeepAndCut(_)) { Err(Over) } else { Ok(said) }
}

async fn read(io: &mut Io) -> Result<String, Over> {
    let mut line = String::new();
    match io.take(4096).read_line(&mut line).await? {
        0 => Err(Over),
        _ => Ok(line.trim_end().to_owned()),
    }
}
